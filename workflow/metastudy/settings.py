"""The configuration, checked, and what it selects: studies and modules.

Imported while the Snakefile is read, so nothing heavy is imported here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from metastudy import codebook as codebooks
from metastudy import vocabulary as vocabularies
from metastudy.errors import BadInput, MetastudyError, Problem
from metastudy.texts import did_you_mean, numeral

__all__ = ["Found", "Module", "StudyFiles", "checked", "discover", "manifest"]

__resources__ = ("../schemas/config.schema.yaml", "../schemas/codebook.schema.yaml")

PUBLISHED = "published"  # the design of a study that holds findings and no people
SCHEMA = Path(__file__).parent.parent / "schemas" / "config.schema.yaml"


@dataclass(frozen=True)
class StudyFiles:
    """A study as the rules see it: its files, the modules it has outcomes for, or findings."""

    files: tuple[str, ...]
    modules: tuple[str, ...]
    published: bool = False


@dataclass(frozen=True)
class Module:
    """A module with at least one selected study."""

    model: str
    studies: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What the configuration selects; ``complete`` where it leaves nothing out."""

    studies: dict[str, StudyFiles]
    modules: dict[str, Module]
    complete: bool


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration, if it keeps the schema.

    Raises
    ------
    BadInput
        All that is wrong at once: key, what was found, what was expected, a likely spelling.
    """
    validator = jsonschema.Draft202012Validator(yaml.safe_load(SCHEMA.read_text("utf-8")))
    settings = copy.deepcopy(dict(config))
    for error in list(validator.iter_errors(settings)):
        _read_number(settings, error)
    problems = []
    for error in validator.iter_errors(settings):
        place = ".".join(map(str, error.absolute_path)) or "the top level"
        found, expected = repr(error.instance), error.message
        if error.validator == "type":
            kinds = error.validator_value
            expected = f"a value of type {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"
        elif error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            unknown = [key for key in error.instance if key not in known]
            found = f"unknown key{'s' if len(unknown) > 1 else ''} {', '.join(map(repr, unknown))}"
            expected = f"one of {', '.join(known)}" + "".join(
                did_you_mean(k, known) for k in unknown
            )
        elif error.validator == "required":
            found = "a missing key"
        problems.append(
            Problem(
                file="config/config.yaml or --config",
                column=place,
                found=found,
                expected=expected,
                mend="correct the key; workflow/schemas/config.schema.yaml describes each",
                code="config",
            )
        )
    if problems:
        raise BadInput(problems)
    return settings


def _read_number(config: dict[str, Any], error: jsonschema.ValidationError) -> None:
    """Put a number in place of its text: inside `--config section={...}` Snakemake leaves texts."""
    if error.validator == "type" and isinstance(error.instance, str) and error.absolute_path:
        number = numeral(error.instance)
        if number is not None:
            *sections, key = error.absolute_path
            place: Any = config
            for section in sections:
                place = place[section]
            place[key] = int(number) if number.is_integer() else number


def discover(config: Mapping[str, Any]) -> Found:
    """Studies and modules that the configuration selects.

    A study is a folder with a codebook. Its outcomes say which modules it enters.

    Raises
    ------
    BadInput
        For a codebook or vocabulary that is wrong, or a study or module that does not exist.
    """
    vocabulary = vocabularies.load(Path(config["vocabulary"]))
    data = Path(config["data"])
    there = sorted(path.parent.name for path in data.glob("*/codebook.yaml"))
    names = _selected("studies", config["studies"], there, f"a folder with a codebook in {data}")
    wanted = _selected("modules", config["modules"], list(vocabulary["modules"]), "a module")
    studies: dict[str, StudyFiles] = {}
    members: dict[str, list[str]] = {}
    missing: list[Problem] = []
    for name in names:
        book = codebooks.load(data / name, vocabulary)
        entered = [book.vocabulary.module(outcome) for outcome in book.outcomes]
        mine = tuple(dict.fromkeys(m for m in entered if m in wanted))
        if not mine and (entered or config["modules"] != "all"):
            continue  # what has no outcome of any module is shown, so it belongs to all of them
        missing += codebooks.missing_file(book)
        published = book.study.design == PUBLISHED
        studies[name] = StudyFiles((str(book.data_path), str(book.path)), mine, published)
        for module in mine:
            members.setdefault(module, []).append(name)
    if missing:
        raise BadInput(missing)
    if not members and not any(study.published for study in studies.values()):
        raise MetastudyError(
            "no study is selected: none of the studies has an outcome of the selected modules "
            f"({', '.join(wanted)})"
        )
    modules = {
        m: Module(str(vocabulary["modules"][m]["model"]), tuple(members[m]))
        for m in vocabulary["modules"]
        if m in members
    }
    everything = config["studies"] == "all" and config["modules"] == "all"
    complete = everything and len(modules) == len(vocabulary["modules"])
    return Found(studies, modules, complete)


def _selected(key: str, asked: str | list[str], there: list[str], what: str) -> list[str]:
    if asked == "all":
        return there
    names = [asked] if isinstance(asked, str) else list(asked)
    problems = [
        Problem(
            file="config/config.yaml or --config",
            column=key,
            found=repr(name),
            expected=f"{what}: {', '.join(there) or 'there is none'}" + did_you_mean(name, there),
            mend=f"correct `{key}`",
            code="config",
        )
        for name in names
        if name not in there
    ]
    if problems:
        raise BadInput(problems)
    return names


def manifest(config: Mapping[str, Any]) -> str:
    """Path of the manifest of simulated files."""
    return str(Path(config["data"]) / "manifest.yaml")
