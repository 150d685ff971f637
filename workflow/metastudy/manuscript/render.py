"""Render the manuscript: sources, figures, tables and variables become HTML, PDF, DOCX and JATS.

That is one document, or two that refer to each other: the article and its supplement.

pandoc and Typst render it everywhere, and Quarto where it is installed and asked for. The strict
check runs in both cases, because Quarto ends with status 0 after an unknown reference, citation,
variable or figure. README.md beside this file says what the manuscript may hold.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.manuscript import ledger as ledgers
from metastudy.manuscript.captions import captions, lines
from metastudy.manuscript.checks import check
from metastudy.manuscript.checks.references import cited_by_variables
from metastudy.manuscript.ledger_links import name_numbers
from metastudy.manuscript.pandoc import SUFFIX, convert, epoch_of, tool_versions
from metastudy.manuscript.quarto import (
    quarto_tools,
    quarto_version,
    run_quarto,
    usable_quarto,
    write_references,
)
from metastudy.manuscript.quarto_checks import failings
from metastudy.manuscript.source import Source, read_sources, unmarked
from metastudy.manuscript.yaml_rows import Names

__all__ = ["FORMATS", "render"]

FORMATS = tuple(SUFFIX)
LEDGER = "ledger.html"
MOST_SAID = 300  # letters of what Quarto said, in the record
CAPTIONS = "captions.tsv"  # in the staged folder, for the report of Snakemake
RENDERER = re.compile(r'(?m)^(  renderer: )"?([^"\n]*)"?$')  # in the file of variables


def render(
    project: Path,
    out: Path,
    formats: list[str],
    engine: str = "pandoc",
    asked: str = "auto",
    names: Names | None = None,
    ledger: Path | None = None,
) -> dict[str, object]:
    """Check a staged manuscript and write it in some formats.

    Parameters
    ----------
    project : the staged folder.
    out : folder for ``manuscript.html``, ``.pdf``, ``.docx``, ``.xml``, the same of the
        supplement where the folder has one, and ``render.json``. The staged folder gets
        ``captions.tsv``, the captions of the figures as the pages have them.
    formats : some of ``html``, ``typst`` (the PDF), ``docx``, ``jats``.
    engine : ``pandoc`` or ``quarto``.
    asked : what the user asked for. With ``auto`` and pandoc, Quarto is tried where there is one,
        and taken where its documents pass the checks of :mod:`.quarto_checks`.
    names : for files of the folder the file that the user edits (see :func:`stage`).
    ledger : what each variable is made of; with it ``ledger.csv`` and ``ledger.html`` are written,
        and numbers of the web pages lead there.

    Returns
    -------
    dict
        The content of ``render.json``: engine, asked, tools with versions, SHA-256 of every output,
        and with ``auto`` why Quarto was not taken.

    Raises
    ------
    BadInput
        With every problem that was found; nothing is written then.
    MetastudyError
        When Quarto fails or warns.
    """
    sources = read_sources(project, names)
    problems = check(sources) + _undeclared(sources[0], formats)
    if engine == "quarto":  # one file of variables for all documents
        problems += cited_by_variables(sources[0])
    if problems:
        raise BadInput(problems)
    files = [_name(source, to) for source in sources for to in formats]
    made_of = ledgers.read(ledger) if ledger is not None else None
    rows = ledgers.entries(sources, made_of) if made_of else []
    things = ledgers.shown(sources, made_of) if made_of else []
    for source in sources:
        source.ledger = made_of is not None
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
        pages = {s.document: made / _name(s, "html") for s in sources if "html" in formats}
        anchors = {d: ledgers.anchors_of(page.read_text("utf-8")) for d, page in pages.items()}
        more = _ledger(sources[0], rows, things, made_of["studies"], anchors) if made_of else {}
        why = ""
        if engine == "quarto":
            write_references(project, sources)
            with tempfile.TemporaryDirectory() as other:
                _by_quarto(_copy(project, Path(other)), sources, formats, made, bool(more))
        elif asked == "auto":
            why = _quarto_or_why(project, sources, formats, made, more)
            engine = "pandoc" if why else "quarto"
        for page in pages.values():
            text = ledgers.labels_linked(page.read_text("utf-8"), things, LEDGER)
            page.write_text(text, "utf-8")
        out.mkdir(parents=True, exist_ok=True)
        for name in files:
            shutil.copy(made / name, out / name)
        for name, text in more.items():
            (out / name).write_text(text, "utf-8")
        texts = {d: (out / page.name).read_text("utf-8") for d, page in pages.items()}
        (project / CAPTIONS).write_text(lines(captions(sources, texts)), "utf-8")
    record = _record(out, files, engine, asked) | ({"not_quarto": why} if why else {})
    (out / "render.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return record


def _ledger(
    article: Source,
    rows: list[ledgers.Entry],
    things: list[ledgers.Entry],
    studies: Mapping[str, Any],
    anchors: Mapping[str, set[str]],
) -> dict[str, str]:
    """The files of the ledger by name."""
    front = unmarked(article.front)
    mark, marked = (str(front.get(key) or "") for key in ("provenance-mark", "provenance"))
    lang = str(article.config.get("lang", "en"))
    return {
        "ledger.csv": ledgers.table([*rows, *things], studies),
        LEDGER: ledgers.page(rows, studies, mark, marked, lang, anchors, things),
    }


def _copy(project: Path, scratch: Path) -> Path:
    """The staged folder once more, for Quarto: what it is given names its numbers."""
    return Path(shutil.copytree(project, scratch / "source"))


def _by_quarto(
    copy: Path, sources: list[Source], formats: list[str], out: Path, ledger: bool
) -> None:
    """Have Quarto render a copy of the staged folder, with links to the ledger if there is one."""
    write_references(copy, sources)
    if ledger:
        name_numbers(copy, sources[0].variables)
    stems = {source.document: Path(source.article).stem for source in sources}
    run_quarto(copy, stems, formats, out, epoch_of(sources[0]))


def _quarto_or_why(
    project: Path,
    sources: list[Source],
    formats: list[str],
    made: Path,
    ledger: Mapping[str, str],
) -> str:
    """Put what Quarto renders in place of our own documents, or say why that is not done."""
    if why := usable_quarto():
        return why
    with tempfile.TemporaryDirectory() as scratch:
        copy, other = _copy(project, Path(scratch)), Path(scratch, "made")
        other.mkdir()
        for name, text in ledger.items():
            (other / name).write_text(text, "utf-8")
        variables = copy / "_variables.yml"
        ours = RENDERER.search(variables.read_text("utf-8"))
        named = f"Quarto {quarto_version()}"
        text = RENDERER.sub(rf'\g<1>"{named}"', variables.read_text("utf-8"))
        variables.write_text(text, "utf-8")
        try:
            _by_quarto(copy, sources, formats, other, bool(ledger))
        except MetastudyError as error:
            said = " ".join(str(error).split())  # of hundreds of lines, the complaints are first
            return f"Quarto failed: {shorten(said, MOST_SAID, placeholder=' …')}"
        mark = str(unmarked(sources[0].front.get("provenance-mark")) or "")
        files = [_name(source, to) for source in sources for to in formats]
        page = LEDGER if ledger and "html" in formats else ""
        if found := failings(made, other, files, mark, ours[2] if ours else "", page):
            return "; ".join(found)
        for name in files:
            shutil.copy(other / name, made / name)
        shutil.copy(variables, project / "_variables.yml")
    return ""


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
        checked = {f"{tool} of the checks": number for tool, number in tools.items()}
        tools = {"quarto": version, **quarto_tools(), **checked}
    files = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    return {"engine": engine, "asked": asked, "tools": tools, "files": files}
