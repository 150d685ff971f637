"""YAML and Markdown that remember where each thing is, so that errors can name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metastudy.common.json_schema import validator, violations
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import (
    InvalidYaml,
    YamlPath,
    nearest_line,
    parse_yaml,
    yaml_path,
)

__all__ = [
    "Line",
    "Names",
    "Yaml",
    "child",
    "first_line",
    "read_yaml",
    "schema_problems",
    "text_of",
]

__resources__ = ("../../schemas/manuscript.schema.yaml",)
SCHEMA = Path(__file__).parents[2] / "schemas" / "manuscript.schema.yaml"
# a file inside the staged folder -> the file that the user edits
Names = dict[str, str]


@dataclass(frozen=True)
class Line:
    """One line of the article after its includes were opened, with the place it comes from."""

    file: str
    row: int
    text: str


@dataclass
class Yaml:
    """The value of a YAML text, the row of each of its keys, and what is wrong with it."""

    file: str
    value: Any = None
    rows: dict[YamlPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def row(self, path: YamlPath) -> int | None:
        """The row of a key, or of the nearest key above it that has one."""
        return nearest_line(self.rows, path)


def text_of(path: Path, name: str, problems: list[Problem]) -> str | None:
    """Text of a file; what keeps it from being read is added to ``problems``."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        problems.append(
            Problem(
                file=name,
                found="no such file",
                expected="a file of this name",
                fix=f"create {name}",
                code="no-file",
            )
        )
    except (UnicodeDecodeError, IsADirectoryError) as error:
        problems.append(
            Problem(
                file=name,
                found=str(error),
                expected="a text file in UTF-8",
                fix="save it as UTF-8",
                code="encoding",
            )
        )
    return None


def read_yaml(text: str, file: str, first_row: int = 1) -> Yaml:
    """Read one YAML document.

    Parameters
    ----------
    text : the document.
    file : its name in messages.
    first_row : the row of the file in which ``text`` starts.

    Returns
    -------
    Yaml
        With ``value`` None and a problem when the text is not YAML; a key given twice is a problem.
    """
    try:
        parsed = parse_yaml(text, first_row)
    except InvalidYaml as error:
        problem = Problem(
            file=file,
            found=error.found,
            expected="valid YAML; a value that starts with { is in quotes",
            fix="correct the line, or quote the value",
            row=error.line,
            code="yaml",
        )
        return Yaml(file, problems=[problem])
    repeated = [
        Problem(
            file=file,
            found=f"the key {again.key!r} a second time",
            expected="each key once",
            fix="remove one of the two",
            row=again.line,
            code="duplicate-key",
        )
        for again in parsed.repeated
    ]
    return Yaml(file, parsed.data, parsed.lines, repeated)


def schema_problems(part: str, document: Yaml) -> Iterator[Problem]:
    """Compare a YAML document with one part (``project`` or ``front``) of the closed schema."""
    for error in validator(SCHEMA, part).iter_errors(document.value):
        for one in violations(error):
            yield Problem(
                file=document.file,
                row=document.row(one.place),
                column=yaml_path(one.place),
                found=one.found,
                expected=one.expected,
                fix="correct the spelling or remove the key"
                if one.unknown_key
                else f"correct {yaml_path(one.place)}",
                code="unknown-key" if one.unknown_key else "schema",
            )


def child(value: Any, change: Callable[[str, YamlPath], str], path: YamlPath = ()) -> Any:
    """A copy of a YAML value in which ``change(text, path)`` replaced every text."""
    if isinstance(value, str):
        return change(value, path)
    if isinstance(value, dict):
        return {key: child(item, change, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [child(item, change, (*path, position)) for position, item in enumerate(value)]
    return value


def first_line(lines: list[Line], pattern: str) -> Line | None:
    """The first line in which a regular expression is found."""
    expression = re.compile(pattern)
    return next((line for line in lines if expression.search(line.text)), None)
