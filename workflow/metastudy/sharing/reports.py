"""Reports of harmonized studies, checked: they say what may be given away, and where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown
from metastudy.common.user_files import NotReadable, read_whole

__all__ = ["REPORT", "read_report"]

REPORT = "report.json"  # beside the harmonized tables of a study
MOST_BYTES = 2**26
PROVENANCES = ("simulated", "observed")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Of what the codebook says of its study: texts that are printed or decide.
_TEXTS = ("licence", "availability", "published_size", "citation", "design")


def read_report(folder: Path) -> dict[str, Any]:
    """Read the report of a study.

    Parameters
    ----------
    folder : ``results/harmonized/<study>``, called after its study.

    Raises
    ------
    BadInput
        All that is wrong with it at once: it decides what leaves, so nothing in it is guessed.
    """
    path = folder / REPORT
    try:
        report = json.loads(read_whole(path, MOST_BYTES).decode("utf-8"))
    except FileNotFoundError:
        found = f"no such file, so nothing says whether the data of {folder.name} may be given away"
        raise _wrong(path, [(None, found, "the report of the study")]) from None
    except (ValueError, OSError, NotReadable, RecursionError) as error:
        found = f"no JSON that can be read: {error}"
        raise _wrong(path, [(None, found, "the report of the study")]) from None
    if not isinstance(report, dict):
        raise _wrong(path, [(None, f"a {_kind(report)}", "entries by their names")])
    if wrong := list(_problems(report, folder.name)):
        raise _wrong(path, wrong)
    return report


def _problems(report: Mapping[str, Any], study: str) -> Iterator[tuple[str | None, str, str]]:
    """Each entry of another form: its place, what was found, what may be there."""
    if report.get("study") != study:
        expected = f"{study!r}, the name of the folder that it is in"
        yield "study", _found(report, "study"), expected
    if report.get("provenance") not in PROVENANCES:
        yield "provenance", _found(report, "provenance"), " or ".join(PROVENANCES)
    name = report.get("file")
    if not isinstance(name, str) or not name or "\0" in name or _leads_out(name):
        yield "file", _found(report, "file"), "the name of a file in the folder of the study"
    digest = report.get("sha256")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        yield "sha256", _found(report, "sha256"), "64 hexadecimal digits"
    said = report.get("codebook")
    if not isinstance(said, dict):
        yield "codebook", _found(report, "codebook"), "what the codebook says of the study"
        return
    if not isinstance(said.get("title"), str):
        yield "codebook.title", _found(said, "title"), "a text"
    if not isinstance(said.get("share", "no"), str | bool):
        yield "codebook.share", _found(said, "share"), "yes or no"
    for key in _TEXTS:
        if not isinstance(said.get(key), str | None):
            yield f"codebook.{key}", _found(said, key), "a text"


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def _found(entries: Mapping[str, Any], key: str) -> str:
    if key not in entries:
        return f"no {key}"
    value = entries[key]
    return f"{value[:60]!a}" if isinstance(value, str) else f"a {_kind(value)}"


def _kind(value: object) -> str:
    names = {dict: "group of entries", list: "list", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")


def _wrong(path: Path, wrong: list[tuple[str | None, str, str]]) -> BadInput:
    return BadInput(
        Problem(
            file=shown(path),
            column=place,
            found=found,
            expected=expected,
            fix="build the study again: `snakemake --cores 2 --forcerun harmonize`",
            code="report",
        )
        for place, found, expected in wrong
    )
