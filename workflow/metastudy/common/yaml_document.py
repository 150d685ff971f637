"""YAML with positions: a document knows the line of each key, and refuses all but plain data."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metastudy.common import user_files
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown

__all__ = [
    "Document",
    "InvalidYaml",
    "ParsedYaml",
    "RepeatedKey",
    "YamlPath",
    "nearest_line",
    "parse_yaml",
    "read_yaml",
    "yaml_path",
]

MOST_BYTES = 4 * 2**20  # of a YAML file; the largest codebook has some hundred thousand
MOST_NODES = (
    200_000  # of a YAML file with its aliases followed; the largest codebook has some 10,000
)
YamlPath = tuple[str | int, ...]


def yaml_path(path: Sequence[str | int]) -> str:
    """Spell a place in a YAML document.

    >>> yaml_path(("variables", 3, "construct"))
    'variables[3].construct'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".") or "(top)"


def nearest_line(lines: Mapping[YamlPath, int], place: Sequence[str | int]) -> int | None:
    """Give the line of a place, or of the nearest place around it that has one."""
    place = tuple(place)
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


class InvalidYaml(Exception):
    """What was found in place of YAML, and its line where that is known."""

    def __init__(self, found: str, line: int | None):
        super().__init__(found)
        self.found, self.line = found, line


@dataclass(frozen=True)
class RepeatedKey:
    """A key that a mapping has again, with the lines where it is first and again."""

    key: str
    first: int
    line: int


@dataclass(frozen=True)
class ParsedYaml:
    """What a YAML text says, the line of each place, and its repeated keys."""

    data: Any
    lines: dict[YamlPath, int] = field(repr=False)
    repeated: tuple[RepeatedKey, ...] = ()


@dataclass(frozen=True)
class Document:
    """A YAML file: its data, and the line of each place."""

    path: Path
    data: Any
    lines: dict[YamlPath, int] = field(repr=False)

    def line(self, place: Sequence[str | int]) -> int:
        """Give the line of a place in the file, or of the nearest place around it."""
        return nearest_line(self.lines, place) or 1

    def problem(
        self,
        place: Sequence[str | int],
        found: str,
        expected: str,
        fix: str = "",
        *,
        study: str | None = None,
        code: str = "codebook",
    ) -> Problem:
        """Make a problem that points to a place in this file."""
        return Problem(
            file=shown(self.path),
            study=study,
            row=f"{self.line(place)} (line)",
            column=yaml_path(place),
            found=found,
            expected=expected,
            fix=fix or f"correct line {self.line(place)} of {shown(self.path)}",
            code=code,
        )


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core types only: `no`, `08`, `1:30` and dates stay the texts that people wrote."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the nodes below a node as if each alias were written out, once for each node.

    Raises
    ------
    yaml.MarkedYAMLError
        If a node holds itself, or if there are more than :data:`MOST_NODES`: a few lines of
        aliases of aliases stand for more than any memory holds.
    """
    if id(node) in known:
        if not known[id(node)]:
            message = "an anchor that holds itself"
            raise yaml.MarkedYAMLError(None, None, message, node.start_mark)
        return known[id(node)]
    known[id(node)] = 0
    children: Iterable[yaml.Node] = ()
    if isinstance(node, yaml.MappingNode):
        children = (one for pair in node.value for one in pair)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    size = 1 + sum(_size(child, known) for child in children)
    if size > MOST_NODES:
        message = f"aliases that stand for more than {MOST_NODES} entries"
        raise yaml.MarkedYAMLError(None, None, message, node.start_mark)
    known[id(node)] = size
    return size


class _Walk:
    """The line of each place below a node, and the repeated keys, in the order of the text.

    Raises
    ------
    yaml.MarkedYAMLError
        At a key that is no text.
    """

    def __init__(self, first_line: int):
        self.first_line = first_line
        self.lines: dict[YamlPath, int] = {}
        self.repeated: dict[RepeatedKey, None] = {}  # once, however many aliases lead to it

    def visit(self, node: yaml.Node, place: YamlPath) -> None:
        self.lines.setdefault(place, self.first_line + node.start_mark.line)
        if isinstance(node, yaml.MappingNode):
            self._keys(node, place)
            for key, value in node.value:
                self.visit(value, (*place, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.visit(value, (*place, index))

    def _keys(self, node: yaml.MappingNode, place: YamlPath) -> None:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = self.first_line + key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(None, None, "a key that is no text", key.start_mark)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                self.repeated[RepeatedKey(key.value, seen[key.value], line)] = None
            seen[key.value] = line
            self.lines[(*place, key.value)] = line


def parse_yaml(text: str, first_line: int = 1) -> ParsedYaml:
    """Parse a YAML text strictly: one document, keys as they are written.

    Parameters
    ----------
    text : the document.
    first_line : the line of its file on which the text begins.

    Returns
    -------
    ParsedYaml, its keys all texts (``08`` stays ``08``). Of a repeated key the last value counts.

    Raises
    ------
    InvalidYaml
        If the text is no YAML, if a key is no text, or if its aliases stand for too much.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return ParsedYaml(None, {})
            _size(node, {})
            walk = _Walk(first_line)
            walk.visit(node, ())
            return ParsedYaml(loader.construct_document(node), walk.lines, tuple(walk.repeated))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + mark.line if mark else first_line
        raise InvalidYaml(error.problem or "no YAML", line) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidYaml(" ".join(str(error).split())[:200] or "no YAML", None) from None


def read_yaml(path: Path, *, study: str | None = None, code: str = "codebook") -> Document:
    """Read a YAML file strictly: UTF-8, one document, each key once, keys as they are written.

    Parameters
    ----------
    path : the file.
    study, code : what a :class:`Problem` with this file says of itself.

    Returns
    -------
    Document, its keys all texts (``08`` stays ``08``).

    Raises
    ------
    BadInput
        If the file is missing, no plain file or too large, is not UTF-8, or is no YAML; with the
        line.
    """

    def refused(
        found: str, expected: str, fix: str, kind: str = code, row: str | None = None
    ) -> BadInput:
        return BadInput(
            Problem(
                file=shown(path),
                found=found,
                expected=expected,
                fix=fix,
                study=study,
                row=row,
                code=kind,
            )
        )

    try:
        parsed = parse_yaml(user_files.read_whole(path, MOST_BYTES).decode("utf-8-sig"))
        for again in parsed.repeated:
            message = f"the key '{again.key}' twice, on lines {again.first} and {again.line}"
            raise InvalidYaml(message, again.line)
    except (FileNotFoundError, NotADirectoryError):
        raise refused(
            "no such file", f"a YAML file at {shown(path)}", "add the file", "missing-file"
        ) from None
    except user_files.NotReadable as error:
        raise refused(
            str(error),
            f"a YAML file of at most {user_files.size(MOST_BYTES)}",
            "put the right file there",
            "too-large" if error.large else "missing-file",
        ) from None
    except OSError as error:
        raise refused(
            f"a file that cannot be read: {error.strerror}",
            "a YAML file that may be read",
            "give yourself the right to read it",
            "missing-file",
        ) from None
    except UnicodeDecodeError as error:
        raise refused(
            f"bytes that are not UTF-8 (at byte {error.start})",
            "text in UTF-8",
            "save the file as UTF-8",
            "encoding",
        ) from None
    except InvalidYaml as error:
        if error.line is None:
            raise refused(error.found, "well-formed YAML", "correct the file") from None
        raise refused(
            error.found,
            "well-formed YAML with each key once",
            f"correct line {error.line} of {shown(path)}",
            row=f"{error.line} (line)",
        ) from None
    return Document(path, parsed.data, parsed.lines)
