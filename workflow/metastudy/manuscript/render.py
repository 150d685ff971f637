"""Render the manuscript: sources, figures, tables and variables become HTML, PDF, DOCX and JATS.

That is one document, or two that refer to each other: the article and its supplement.

pandoc and Typst render it everywhere, and Quarto where it is installed and asked for. The strict
check runs in both cases, because Quarto ends with status 0 after an unknown reference, citation,
variable or figure. README.md beside this file says what the manuscript may hold.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.manuscript.checks import check
from metastudy.manuscript.pandoc import SUFFIX, convert, epoch_of, tool_versions
from metastudy.manuscript.quarto import quarto_version, run_quarto, write_references
from metastudy.manuscript.source import Source, read_sources
from metastudy.manuscript.yaml_rows import Names

__all__ = ["FORMATS", "render"]

FORMATS = tuple(SUFFIX)


def render(
    project: Path,
    out: Path,
    formats: list[str],
    engine: str = "pandoc",
    asked: str = "auto",
    names: Names | None = None,
) -> dict[str, object]:
    """Check a staged manuscript and write it in some formats.

    Parameters
    ----------
    project : the staged folder.
    out : folder for ``manuscript.html``, ``.pdf``, ``.docx``, ``.xml``, the same of the
        supplement where the folder has one, and ``render.json``.
    formats : some of ``html``, ``typst`` (the PDF), ``docx``, ``jats``.
    engine : ``pandoc`` or ``quarto``.
    asked : what the user asked for; only recorded.
    names : for files of the folder the file that the user edits (see :func:`stage`).

    Returns
    -------
    dict
        The content of ``render.json``: engine, asked, tools with versions, SHA-256 of every output.

    Raises
    ------
    BadInput
        With every problem that was found; nothing is written then.
    MetastudyError
        When Quarto fails or warns.
    """
    sources = read_sources(project, names)
    problems = check(sources) + _undeclared(sources[0], formats)
    if problems:
        raise BadInput(problems)
    files = [_name(source, to) for source in sources for to in formats]
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        problems = [
            problem
            for source in sources
            for to in formats
            for problem in convert(source, to, made / _name(source, to))
        ]
        if problems:
            raise BadInput(dict.fromkeys(problems))
        if engine == "quarto":
            write_references(project, sources)
            stems = {source.document: Path(source.article).stem for source in sources}
            run_quarto(project, stems, formats, made, epoch_of(sources[0]))
        out.mkdir(parents=True, exist_ok=True)
        for name in files:
            shutil.copy(made / name, out / name)
    record = _record(out, files, engine, asked)
    (out / "render.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return record


def _name(source: Source, to: str) -> str:
    return f"{source.document}.{SUFFIX[to]}"


def _undeclared(source: Source, formats: list[str]) -> list[Problem]:
    """Formats that were asked for and that the project file does not declare."""
    return [
        Problem(
            file=source.name("_quarto.yml"),
            found=f"no format {to}, which was asked for",
            expected=f"{to}: under format:",
            fix="declare the format, or do not ask for it",
            code="format",
        )
        for to in formats
        if source.config and to not in source.formats
    ]


def _record(out: Path, names: list[str], engine: str, asked: str) -> dict[str, object]:
    """What made the files, and their SHA-256."""
    tools = tool_versions()
    if engine == "quarto":
        version = quarto_version()
        if version is None:
            raise MetastudyError("quarto is no longer on PATH.")
        tools = {"quarto": version, **tools}
    files = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    return {"engine": engine, "asked": asked, "tools": tools, "files": files}
