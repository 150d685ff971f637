"""Render the manuscript: sources, figures, tables and variables become HTML, PDF, DOCX and JATS.

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
from metastudy.manuscript.quarto import quarto_version, run_quarto
from metastudy.manuscript.source import Source, read_source
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
    out : folder for ``manuscript.html``, ``.pdf``, ``.docx``, ``.xml`` and ``render.json``.
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
    source = read_source(project, names)
    problems = check(source) + _undeclared(source, formats)
    if problems:
        raise BadInput(problems)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        problems = [problem for to in formats for problem in convert(source, to, made / _name(to))]
        if problems:
            raise BadInput(dict.fromkeys(problems))
        if engine == "quarto":
            stem = Path(source.article).stem
            run_quarto(project, stem, formats, made, epoch_of(source))
        out.mkdir(parents=True, exist_ok=True)
        for to in formats:
            shutil.copy(made / _name(to), out / _name(to))
    record = _record(out, formats, engine, asked)
    (out / "render.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return record


def _name(to: str) -> str:
    return f"manuscript.{SUFFIX[to]}"


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


def _record(out: Path, formats: list[str], engine: str, asked: str) -> dict[str, object]:
    """What made the files, and their SHA-256."""
    tools = tool_versions()
    if engine == "quarto":
        version = quarto_version()
        if version is None:
            raise MetastudyError("quarto is no longer on PATH.")
        tools = {"quarto": version, **tools}
    files = {
        _name(to): hashlib.sha256((out / _name(to)).read_bytes()).hexdigest() for to in formats
    }
    return {"engine": engine, "asked": asked, "tools": tools, "files": files}
