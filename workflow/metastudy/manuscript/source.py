"""The manuscript as it is in a folder: project file, front matter, body, and its shortcodes.

A folder has an article, and may have a supplement beside it, ``supplement.qmd``.

Two shortcodes are known, and no others: ``{{< var a.b >}}`` puts a value of ``_variables.yml``, and
``{{< include file >}}``, alone on its line, puts a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from metastudy.common.problems import Problem
from metastudy.common.yaml_document import YamlPath
from metastudy.manuscript.yaml_rows import (
    Line,
    Names,
    Yaml,
    child,
    read_yaml,
    schema_problems,
    text_of,
)

__all__ = [
    "MARK",
    "MARKS",
    "SUPPLEMENT",
    "Label",
    "Source",
    "Use",
    "read_source",
    "read_sources",
    "unmarked",
]

SUPPLEMENT = "supplement.qmd"
PREFIX = "S"  # figures, tables, equations and sections of the supplement are S1, S2, ...

SHORTCODE = re.compile(r"\{\{<(?P<inside>.*?)>\}\}")
BROKEN = re.compile(r"\{\{<|>\}\}")
# A replaced shortcode keeps its number in private-use characters until the checks are done.
MARK = re.compile("\ue000([0-9]+)\ue001")
MARKS = re.compile("\ue000[0-9]+\ue001|\ue002")


@dataclass(frozen=True)
class Use:
    """One use of a variable: its path, the file and row in which it stands, and what it says."""

    name: str
    file: str
    row: int
    text: str = ""


@dataclass(frozen=True)
class Label:
    """What another document calls a thing: its number, and the document's name."""

    number: str
    document: str


@dataclass
class Source:
    """A document that was read; ``problems`` holds everything that was wrong so far.

    ``front`` and the texts of ``body`` carry marks where variables were put in; ``original`` has
    the same lines as they were written, with the front matter's first. ``variables`` has all texts
    of ``_variables.yml`` by dotted path. ``elsewhere`` has the ids of the other documents of the
    folder; the checks fill it, as rendering does ``ledger``.
    """

    folder: Path
    names: Names
    config: dict[str, Any] = field(default_factory=dict)
    front: dict[str, Any] = field(default_factory=dict)
    article: str = ""
    body: list[Line] = field(default_factory=list)
    original: list[Line] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    elsewhere: dict[str, Label] = field(default_factory=dict)
    ledger: bool = False  # whether numbers of the web page lead to where they come from

    @property
    def document(self) -> str:
        """The name of the files that are made from it, without their endings."""
        return "supplement" if self.article == SUPPLEMENT else "manuscript"

    @property
    def prefix(self) -> str:
        """What stands before the number of a figure, table, equation or section."""
        return PREFIX if self.article == SUPPLEMENT else ""

    def name(self, file: str) -> str:
        """The file that a user edits to change ``file`` of this folder."""
        return self.names.get(file, file)

    @property
    def text(self) -> str:
        """The body as pandoc shall read it."""
        return unmarked("\n".join(line.text for line in self.body)) + "\n"

    @property
    def formats(self) -> dict[str, dict[str, Any]]:
        """The formats that the project file declares, with their options."""
        return {to: options or {} for to, options in self.config.get("format", {}).items()}


def unmarked(value: Any) -> Any:
    """A text, or all texts of a YAML value, without the marks of replaced variables."""
    return child(value, lambda text, _: MARKS.sub("", text))


def read_sources(folder: Path, names: Names | None = None) -> list[Source]:
    """Read the documents of a folder: the article, then the supplement where there is one.

    Parameters and mistakes are those of :func:`read_source`. That the project file lists other
    documents than the folder has is a mistake of the article.
    """
    article = read_source(folder, names)
    there = (folder / SUPPLEMENT).is_file()
    listed = (article.config.get("project") or {}).get("render") or [article.article]
    if article.config and there != (SUPPLEMENT in listed):
        article.problems.append(
            Problem(
                file=article.name("_quarto.yml"),
                found=f"the documents {', '.join(map(str, listed))}, and "
                + (f"{SUPPLEMENT} in the folder" if there else f"no {SUPPLEMENT} in the folder"),
                expected="all documents of the folder and no others",
                fix=f"under project: type: default, and render: [{article.article}, {SUPPLEMENT}]"
                if there
                else f"write {SUPPLEMENT}, or take it from the list under render",
                code="documents",
            )
        )
    return [article, read_source(folder, names, SUPPLEMENT)] if there else [article]


def read_source(folder: Path, names: Names | None = None, document: str = "") -> Source:
    """Read one document of a folder and replace its shortcodes.

    Parameters
    ----------
    folder : folder with ``_quarto.yml``, ``_variables.yml`` and the article.
    names : for files of the folder (relative paths) the file that the user edits, if another.
    document : file of the document, if it is not the article.

    Returns
    -------
    Source
        What could be read; mistakes are in ``problems``, and nothing is raised for them.
    """
    source = Source(folder, names or {})
    config = _yaml_file(source, "_quarto.yml")
    source.problems.extend(schema_problems("project", config))
    if not isinstance(config.value, dict):
        return source
    source.config = config.value
    article = (config.value.get("manuscript") or {}).get("article", "manuscript.qmd")
    source.article = document or str(article)
    source.variables = _variables(source)
    text = text_of(folder / source.article, source.name(source.article), source.problems)
    if text is not None:
        _read_article(source, text, source.variables)
    return source


def _yaml_file(source: Source, file: str) -> Yaml:
    """One YAML file of the folder; its problems go to the source."""
    text = text_of(source.folder / file, source.name(file), source.problems)
    if text is None:
        return Yaml(source.name(file), value={})
    found = read_yaml(text, source.name(file))
    source.problems.extend(found.problems)
    return found


def _variables(source: Source) -> dict[str, str]:
    """The variables by dotted path; each must be a text, because YAML makes 0.50 into 0.5."""
    found = _yaml_file(source, "_variables.yml")
    flat: dict[str, str] = {}

    def visit(value: Any, path: YamlPath) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                visit(item, (*path, key))
            return
        name = ".".join(map(str, path))
        flat[name] = str(value)
        if not isinstance(value, str):
            source.problems.append(
                Problem(
                    file=found.file,
                    found=f"{name}: {value!r}, which YAML reads as {type(value).__name__}",
                    expected='a formatted text in quotes, such as "0.50"',
                    fix="quote the value where the file is written",
                    row=found.row(path),
                    code="variable-type",
                )
            )

    visit(found.value or {}, ())
    return flat


def _read_article(source: Source, text: str, variables: dict[str, str]) -> None:
    """Split the front matter from the body, check the one and open the other."""
    name = source.name(source.article)
    rows = text.splitlines()
    end = next((i for i, row in enumerate(rows) if i and row.rstrip() in ("---", "...")), None)
    if not rows or rows[0].rstrip() != "---" or end is None:
        source.problems.append(
            Problem(
                file=name,
                found="no front matter",
                expected="YAML between two lines of ---, at the very start",
                fix="begin the article with title, author, date and abstract",
                row=1,
                code="front-matter",
            )
        )
        return
    source.original = [Line(name, i, row) for i, row in enumerate(rows[: end + 1], 1)]
    front = read_yaml("\n".join(rows[1:end]), name, first_row=2)
    source.problems.extend(front.problems)
    if not front.problems:
        front.value = child(
            front.value,
            lambda part, path: _put(source, part, name, front.row(path) or 1, variables),
        )
        plain = Yaml(name, unmarked(front.value), front.rows)
        part = "supplement" if source.prefix else "front"
        source.problems.extend(schema_problems(part, plain))
        source.front = front.value if isinstance(front.value, dict) else {}
    lines = [Line(name, i, row) for i, row in enumerate(rows[end + 1 :], end + 2)]
    for line in _opened(source, lines):
        source.original.append(line)
        marked = _put(source, line.text, line.file, line.row, variables)
        source.body.append(Line(line.file, line.row, marked))


def _opened(source: Source, lines: list[Line]) -> list[Line]:
    """The lines with every include replaced by the lines of its file."""
    opened = []
    for line in lines:
        inside = SHORTCODE.fullmatch(line.text.strip())
        words = inside["inside"].split() if inside else []
        if words[:1] != ["include"] or len(words) != 2:
            opened.append(line)
        else:
            opened.extend(_included(source, line, words[1]))
    return opened


def _included(source: Source, line: Line, file: str) -> list[Line]:
    """The lines of one included file; its own includes are left, and reported as unknown."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        source.problems.append(
            _shortcode_problem(line, file, "a file inside the manuscript's folder")
        )
        return []
    if not (source.folder / file).is_file():
        source.problems.append(
            Problem(
                file=line.file,
                found=f"an include of {file}, which does not exist",
                expected="one of: "
                f"{', '.join(_candidates(source.folder, file)) or 'a file that exists'}",
                fix="correct the name, or have the workflow make the file",
                row=line.row,
                code="no-include",
            )
        )
        return []
    text = text_of(source.folder / file, source.name(file), source.problems) or ""
    rows = [Line(source.name(file), i, row) for i, row in enumerate(text.splitlines(), 1)]
    # Blank lines around, as Quarto puts them: a table must not run into a paragraph.
    return [Line(line.file, line.row, ""), *rows, Line(line.file, line.row, "")]


def _candidates(folder: Path, file: str) -> list[str]:
    """Files of the same kind in the folder in which a file was looked for."""
    place = (folder / file).parent
    return sorted(f"{p.relative_to(folder)}" for p in place.glob(f"*{Path(file).suffix}"))[:20]


def _shortcode_problem(line: Line, found: str, expected: str) -> Problem:
    return Problem(
        file=line.file,
        found=found,
        expected=expected,
        fix="use only {{< var a.b >}} and {{< include file >}}",
        row=line.row,
        code="shortcode",
    )


def _put(source: Source, text: str, file: str, row: int, variables: dict[str, str]) -> str:
    """A text with its variables put in; each is preceded by a mark with the number of its use."""
    line = Line(file, row, text)

    def replace(match: re.Match[str]) -> str:
        words = match["inside"].split()
        if len(words) != 2 or words[0] != "var":
            expected = "var with one name, or include alone on a line of the article itself"
            source.problems.append(_shortcode_problem(line, match[0], expected))
            return ""
        if words[1] not in variables:
            source.problems.append(_unknown_variable(source, line, words[1], variables))
            return ""
        source.uses.append(Use(words[1], file, row, variables[words[1]]))
        return f"\ue000{len(source.uses) - 1}\ue001{variables[words[1]]}\ue002"

    if BROKEN.search(SHORTCODE.sub("", text)):
        source.problems.append(
            _shortcode_problem(line, text.strip(), "a shortcode that opens and closes on one line")
        )
    return SHORTCODE.sub(replace, text)


def _unknown_variable(source: Source, line: Line, name: str, known: dict[str, str]) -> Problem:
    """Names of the same group, or else the groups, tell what may be there."""
    group = name.rpartition(".")[0]
    near = [key for key in known if group and key.startswith(group + ".")]
    near = sorted(near or {key.partition(".")[0] for key in known})
    file = source.name("_variables.yml")
    return Problem(
        file=line.file,
        found=f"the variable {name!r}",
        expected=f"a variable of {file}, such as {', '.join(near[:12])}",
        fix="correct the name, or have the workflow write the variable",
        row=line.row,
        code="unknown-variable",
    )
