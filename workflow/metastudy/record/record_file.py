"""The file of record: made of a finished build, written for a `diff` to be read, and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.record import collect, inputs
from metastudy.record.kinds import KINDS

__all__ = ["SCHEMA", "SECTIONS", "dumped", "load", "made", "without"]

SCHEMA = 2
SECTIONS = {
    *("schema", "checksum", "commit", "lock", "seed"),
    *(
        "raw",
        "provenance",
        "codebooks",
        "priors",
        "settings",
        "code",
        "machine",
        "stages",
        "tables",
        "texts",
    ),
}
COLUMNS = ("columns", "kinds", "sources", "primary", "rows")  # of a table
WORDS = ("checksum", "commit", "lock")  # sections that are texts; the others hold entries
NESTED = ("raw", "stages", "tables", "texts")  # sections whose entries hold entries


def made(results: Path, repository: Path, project: Path | None = None) -> dict[str, Any]:
    """The record of a finished build.

    It has no date and no path in it, so the same build gives the same bytes on the same machine.

    Parameters
    ----------
    results : the folder ``results`` of the build.
    repository : the folder that holds ``workflow`` and ``envs``.
    project : what the paths in the configuration are relative to; by default the folder above
        ``results``.

    Returns
    -------
    dict
        ``raw``, ``codebooks``, ``priors``, ``settings``, ``seed``, ``code``, ``commit``, ``lock``
        and ``machine``, what the numbers were made from (:mod:`metastudy.record.inputs`);
        ``stages``, digests of what is between; ``tables``, the numbers
        (:func:`metastudy.record.collect.tables`); ``texts``, what the article prints; ``schema``,
        the version of this form, and ``checksum``, which an edit by hand breaks.

    Raises
    ------
    MetastudyError
        If the build is not finished, or a number has no kind.
    """
    project = results.parent if project is None else project
    run = results / "run_config.yaml"
    if not run.is_file():
        raise MetastudyError(f"{run} is not there; finish the build first")
    config = yaml.safe_load(run.read_text("utf-8"))
    data = project / config["data"]
    studies = sorted(path.name for path in (results / "harmonized").glob("*") if path.is_dir())
    if gone := [study for study in studies if not (data / study).is_dir()]:
        raise MetastudyError(
            f"results of {', '.join(gone)} are left, which is not in {data}: "
            f"snakemake withdraw --config study={gone[0]}"
        )
    others = [project / config["vocabulary"], project / config["appraisal"]]
    priors, settings, seed = inputs.settings(config)
    cuts = {name: config["report"][name] for name in ("clear", "too_small", "direction")}
    found = {
        "schema": SCHEMA,
        "commit": inputs.commit_of(repository),
        "raw": inputs.raw(data, studies),
        "provenance": inputs.provenance(data, studies),
        "codebooks": inputs.codebooks(data, studies, others),
        "priors": priors,
        "settings": settings,
        "seed": seed,
        "code": inputs.code(repository / "workflow"),
        "lock": inputs.content_digest((repository / "envs" / "requirements.txt").read_bytes()),
        "machine": inputs.machine(),
        "stages": inputs.stages(results),
        "tables": collect.tables(results, cuts),
        "texts": collect.texts(results),
    }
    # Through JSON, so that a record in memory is what is read again.
    found = json.loads(json.dumps(found))
    return found | {"checksum": _checksum(found)}


def without(
    found: Mapping[str, Any], studies: Collection[str], fits: Collection[str]
) -> dict[str, Any]:
    """A record without the checksums of what is between data and draws of some studies.

    Parameters
    ----------
    found : a record.
    studies, fits : those whose harmonized columns and cells are not to be said, by their names.

    Returns
    -------
    dict
        A record with a checksum of its own; its numbers are the same.
    """
    left_out = {"harmonized": studies, "cells": fits}
    stages = {
        kind: {
            name: digest
            for name, digest in digests.items()
            if name.partition("/")[0] not in left_out.get(kind, ())
        }
        for kind, digests in found["stages"].items()
    }
    kept = {**found, "stages": stages}
    return kept | {"checksum": _checksum(kept)}


def load(path: Path) -> dict[str, Any]:
    """Read a record.

    Raises
    ------
    BadInput
        If it is not there, half-written, of another version, or was edited by hand.
    """
    if not path.is_file():
        raise _wrong(path, "no such file", "the record of an accepted build", "snakemake accept")
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        why = f"no JSON: {error}"
        raise _wrong(path, why, "a whole record", "git checkout of the file") from None
    version = found.get("schema", 1) if isinstance(found, dict) else "none"
    if version != SCHEMA:
        raise _wrong(
            path,
            f"a record of version {version}",
            f"version {SCHEMA}, which this workflow writes",
            "a checkout of the commit that wrote it, or a new record by `snakemake accept`",
        )
    if missing := sorted(SECTIONS - set(found)):
        why = f"no {', '.join(missing)}"
        raise _wrong(path, why, "all sections of a record", "git checkout of the file")
    if found["checksum"] != _checksum(found):
        raise _wrong(
            path,
            "contents without the checksum of the file: it was edited after it was written",
            "what `snakemake accept` wrote",
            "git checkout of the file, or a new record by `snakemake accept`",
        )
    if place := _misshapen(found):
        raise _wrong(path, f"{place} of another form", "the form of a record", "a new record")
    if found["commit"] and not inputs.COMMIT.fullmatch(found["commit"]):
        why = f"{found['commit'][:40]!a} as its commit"
        wanted = "7 to 40 of the digits 0 to 9 and a to f, with + after them or not, or nothing"
        raise _wrong(path, why, wanted, "git checkout of the file, or a new record")
    for name, table in found["tables"].items():
        if missing := [part for part in COLUMNS if part not in table]:
            raise _wrong(path, f"{name} without {', '.join(missing)}", "all parts", "a new record")
        if unknown := sorted(set(table["kinds"]) - set(KINDS)):
            wanted = ", ".join(KINDS)
            raise _wrong(path, f"{name} has the kind {unknown[0]!r}", wanted, "a new record")
    return found


def _misshapen(found: Mapping[str, Any]) -> str:
    """The first part of a record whose form is another than the one that is written."""
    for name in sorted(SECTIONS - {"schema", "seed"}):
        if not isinstance(found[name], str if name in WORDS else dict):
            return name
    if type(found["seed"]) is not int:
        return "seed"
    for section in NESTED:
        for name, entry in found[section].items():
            if not isinstance(entry, dict):
                return f"{section}: {name}"
    for name, table in found["tables"].items():
        for part in table.keys() & set(COLUMNS):
            if not isinstance(table[part], dict if part in ("rows", "sources") else list):
                return f"{part} of {name}"
        if not all(isinstance(word, str) for p in COLUMNS[:2] for word in table.get(p, ())):
            return f"columns or kinds of {name}"
        wide = len(table.get("columns", ()))
        for key, row in table.get("rows", {}).items():
            if not (
                isinstance(row, list) and [len(r) for r in row if isinstance(r, list)] == [wide] * 2
            ):
                return f"the row {key} of {name}"
    return ""


def _wrong(path: Path, found: str, expected: str, fix: str) -> BadInput:
    return BadInput(Problem(file=str(path), found=found, expected=expected, fix=fix, code="record"))


def _checksum(found: Mapping[str, Any]) -> str:
    said = {key: value for key, value in found.items() if key != "checksum"}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def dumped(found: Mapping[str, Any]) -> str:
    """A record as JSON with sorted keys, a row or a group on a line."""
    return _lines(found, 0) + "\n"


def _lines(node: Any, depth: int) -> str:
    if not isinstance(node, dict) or not _deep(node):
        return json.dumps(node, ensure_ascii=False, sort_keys=True)
    parts = [
        f"{json.dumps(key, ensure_ascii=False)}: {_lines(node[key], depth + 1)}"
        for key in sorted(node)
    ]
    inner = ",\n".join(" " * (depth + 1) + part for part in parts)
    return f"{{\n{inner}\n{' ' * depth}}}"


def _deep(node: dict[str, Any]) -> bool:
    """Whether a node has several lines: a row of numbers and a group of texts have one."""
    return any(isinstance(value, dict | list) for value in node.values())
