"""pandoc and Typst: the syntax tree for the checks, and the documents in every format."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pypandoc
import typst

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.manuscript.ledger import linked, used_in
from metastudy.manuscript.source import MARKS, Source, unmarked
from metastudy.manuscript.web_page import finished
from metastudy.manuscript.yaml_rows import first_line

__all__ = [
    "SUFFIX",
    "bibliography_keys",
    "convert",
    "epoch_of",
    "pandoc_path",
    "syntax_tree",
    "tool_versions",
    "typst_text",
]

__resources__ = ("assets/*",)
ASSETS = Path(__file__).with_name("assets")
SUFFIX = {"html": "html", "typst": "pdf", "docx": "docx", "jats": "xml"}
WRITER = {"html": "html", "typst": "typst", "docx": "docx", "jats": "jats_publishing"}
READER = "markdown-tex_math_single_backslash"
MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]


@dataclass(frozen=True)
class Result:
    """What one run of pandoc gave: its standard output, exit status, messages and warnings."""

    output: bytes
    status: int
    messages: str
    warnings: list[dict[str, Any]]


def pandoc_path() -> str:
    """The pandoc of the locked wheel, not another one that is on PATH."""
    inside = Path(pypandoc.__file__).with_name("files")
    return shutil.which("pandoc", path=str(inside)) or pypandoc.get_pandoc_path()


def tool_versions() -> dict[str, str]:
    """Versions of the two programs."""
    line = subprocess.run([pandoc_path(), "--version"], capture_output=True, text=True, check=True)
    return {"pandoc": line.stdout.split()[1], "typst": version("typst")}


def _pandoc(arguments: list[str], text: str, folder: Path, epoch: int = 0) -> Result:
    """Run pandoc in a folder, with a fixed clock and its warnings as data."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "log.json")
        done = subprocess.run(
            [pandoc_path(), *arguments, f"--log={log}", "--quiet"],
            input=text.encode(),
            capture_output=True,
            cwd=folder,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch)},
            check=False,
        )
        entries = json.loads(log.read_text("utf-8") or "[]") if log.exists() else []
    warnings = [entry for entry in entries if entry.get("verbosity") == "WARNING"]
    return Result(done.stdout, done.returncode, done.stderr.decode("utf-8", "replace"), warnings)


def syntax_tree(source: Source) -> tuple[dict[str, Any], list[Problem]]:
    """The marked document as pandoc's JSON tree, and what pandoc warned about."""
    with tempfile.TemporaryDirectory() as scratch:
        front = Path(scratch, "front.json")
        front.write_text(json.dumps(source.front), "utf-8")
        body = "\n".join(line.text for line in source.body) + "\n"
        arguments = [f"--from={READER}", "--to=json", f"--metadata-file={front}"]
        result = _pandoc(arguments, body, source.folder)
    if result.status:
        raise BadInput(_failure(source, "the Markdown", result.messages))
    return json.loads(result.output), _warned(source, result)


def bibliography_keys(source: Source) -> tuple[set[str] | None, list[Problem]]:
    """The keys of the bibliography, or None when it cannot be read; and what is wrong with it."""
    file = str(source.config.get("bibliography"))
    path, name = source.folder / file, source.name(file)
    if not path.is_file():
        return None, []
    text = path.read_text("utf-8", "replace")
    result = _pandoc(["--from=biblatex", "--to=csljson"], text, source.folder)
    if result.status:
        return None, [_failure(source, name, result.messages, file=name)]
    rows: dict[str, int] = {}
    problems = [
        Problem(
            file=name,
            found=unmarked(entry.get("pretty", "")),
            expected="no warning",
            fix="fix the entry",
            code="bib",
        )
        for entry in result.warnings
    ]
    for row, line in enumerate(text.splitlines(), 1):
        if key := re.match(r"\s*@(?!comment|string|preamble)\w+\s*\{\s*([^,\s]+)\s*,", line, re.I):
            if key[1] in rows:
                found = f"the key {key[1]}, which row {rows[key[1]]} has too"
                problems.append(
                    Problem(
                        file=name,
                        found=found,
                        expected="each key once",
                        fix="rename one",
                        row=row,
                        code="bib",
                    )
                )
            rows.setdefault(key[1], row)
    return {entry["id"] for entry in json.loads(result.output or b"[]")}, problems


def _failure(source: Source, what: str, messages: str, file: str | None = None) -> Problem:
    """A run of pandoc that ended badly, in its own words without the Lua stack."""
    said = re.sub(r"Error running filter \S+:", "", messages.split("stack traceback:")[0])
    words = [line.strip() for line in said.splitlines()]
    return Problem(
        file=file or source.name(source.article),
        found=f"pandoc on {what}: {' '.join(word for word in words if word) or 'no message'}",
        expected="a document that pandoc can write",
        fix="correct what the message names",
        code="pandoc",
    )


def _warned(source: Source, result: Result) -> list[Problem]:
    """The warnings of pandoc, each at its line where the line is known."""
    problems = []
    for entry in result.warnings:
        text = MARKS.sub("", entry.get("pretty") or entry.get("message") or entry["type"])
        line = None
        if isinstance(entry.get("line"), int) and 0 < entry["line"] <= len(source.body):
            line = source.body[entry["line"] - 1]
        elif words := str(entry.get("contents", "")).strip().splitlines():
            line = first_line(source.original, re.escape(words[0]))
        problems.append(
            Problem(
                file=line.file if line else source.name(source.article),
                found=" ".join(text.split()),
                expected="a document without warnings",
                fix="correct what the message names",
                row=line.row if line else None,
                code="pandoc-warning",
            )
        )
    return problems


def epoch_of(source: Source) -> int:
    """The clock of the outputs: midnight of the front matter's date, so that two runs agree."""
    day = date.fromisoformat(source.front["date"])
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def metadata(source: Source, to: str) -> dict[str, Any]:
    """The metadata of one format, in the names that the templates (and Quarto's) read."""
    shared = {
        k: v for k, v in source.config.items() if k not in ("project", "manuscript", "format")
    }
    shared.pop("filters", None)
    front = unmarked(source.front)
    meta = {**shared, **source.formats[to], **front}
    day = date.fromisoformat(meta["date"])
    meta["iso-date"] = meta["date"]
    meta["date"] = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    if "abstract" in meta:
        meta["abstract"] += "\n"  # a text that ends in a line break is read as paragraphs
    meta["tags"] = meta.get("keywords", [])
    if meta.get("number-sections"):
        meta["section-numbering"] = f"{source.prefix}1.1.1"
    meta["number-prefix"] = source.prefix
    meta["elsewhere"] = {name: asdict(label) for name, label in source.elsewhere.items()}
    if not meta.get("provenance"):
        meta.pop("provenance", None)
        meta.pop("provenance-mark", None)
    meta["printed-title"], meta["printed-keywords"] = meta["title"], meta.get("keywords", [])
    if mark := meta.get("provenance-mark"):
        if to in ("docx", "jats"):  # where programs and catalogues look
            meta["title"] = rf"\[{mark}\] {meta['title']}"
            meta["tags"] = [mark, *meta["tags"]]
        if to == "docx":
            meta["keywords"] = meta["tags"]
            meta["description"] = meta["provenance"]
            meta["provenance-mark"] = f"**{mark}**"  # its template cannot make a part bold
    return {k: v for k, v in (meta | _people(meta, to)).items() if v is not None}


def _people(meta: dict[str, Any], to: str) -> dict[str, Any]:
    """Authors as Quarto hands them to templates; an affiliation is optional."""
    places = {
        place["id"]: place | {"number": str(number)}
        for number, place in enumerate(meta.get("affiliations", []), 1)
    }
    people = [
        {
            **{key: value for key, value in person.items() if key != "affiliations"},
            "name": {"literal": person["name"]},
            "affiliations": [places[item["ref"]] for item in person.get("affiliations", [])],
        }
        for person in meta["author"]
    ]
    authors: Any = [person["name"] for person in meta["author"]]
    if to == "jats":
        authors = [{"name": name} for name in authors]
    return {"by-author": people, "by-affiliation": list(places.values()), "author": authors}


def convert(source: Source, to: str, target: Path) -> list[Problem]:
    """Write the manuscript in one format.

    Parameters
    ----------
    source : a manuscript without problems.
    to : ``html``, ``typst`` (PDF/UA-1), ``docx`` or ``jats``.
    target : the file to write.

    Returns
    -------
    list of Problem
        What pandoc, the filter or Typst found; empty when the file was written.
    """
    if to != "typst":
        result = _write(source, to, [f"--output={target.resolve()}"])
        problems = _problems(source, to, result)
        if to == "html" and not problems:
            target.write_text(finished(target.read_text("utf-8"), source.folder), "utf-8")
        return problems
    text, problems = typst_text(source)
    return problems or _compile(source, text, target)


def typst_text(source: Source) -> tuple[str, list[Problem]]:
    """The manuscript as a Typst document, and what was wrong with it."""
    result = _write(source, "typst", [])
    return result.output.decode(), _problems(source, "typst", result)


def _problems(source: Source, to: str, result: Result) -> list[Problem]:
    problems = _warned(source, result)
    # Status 3 only repeats that there were warnings.
    if result.status and not (result.status == 3 and problems):
        problems.append(_failure(source, f"the format {to}", result.messages))
    return problems


def _write(source: Source, to: str, extra: list[str]) -> Result:
    """Run pandoc for one format."""
    meta, text = metadata(source, to), source.text
    if to == "html" and source.ledger:
        text = linked("\n".join(line.text for line in source.body) + "\n", source)
        abstract = linked(source.front.get("abstract", ""), source)
        if abstract:
            meta["abstract"] = abstract + "\n"
        meta["numbers"] = used_in(abstract + text, source)
    with tempfile.TemporaryDirectory() as scratch:
        front = Path(scratch, "meta.json")
        front.write_text(json.dumps(meta), "utf-8")
        arguments = [
            f"--from={READER}",
            f"--to={WRITER[to]}",
            "--standalone",
            "--wrap=none",
            "--fail-if-warnings",
            f"--metadata-file={front}",
            f"--default-image-extension={meta.get('default-image-extension', 'svg')}",
            *(f"--lua-filter={filter_}" for filter_ in _filters(source)),
            "--citeproc",
            *_options(to, meta, _template(source, to, Path(scratch))),
            *extra,
        ]
        return _pandoc(arguments, text, source.folder, epoch_of(source))


def _filters(source: Source) -> list[str]:
    """Our own filter, then those of the project that are not for Quarto alone."""
    listed = source.config.get("filters", [])
    shared = [file for file in listed if file != "quarto" and not file.endswith("-quarto.lua")]
    return [str(ASSETS / "qmd.lua"), *shared]


def _template(source: Source, to: str, scratch: Path) -> list[str]:
    """Our template of a format; pandoc looks for the project's partials beside it."""
    found = next(iter(ASSETS.glob(f"template.{'openxml' if to == 'docx' else to}")), None)
    if found is None:
        return []
    partials = [source.folder / part for part in source.formats[to].get("template-partials", [])]
    for file in (found, *partials):
        shutil.copy(file, scratch / file.name)
    return [f"--template={scratch / found.name}"]


def _options(to: str, meta: dict[str, Any], template: list[str]) -> list[str]:
    """The arguments that only one format takes."""
    if to == "html":
        return [
            *template,
            f"--css={ASSETS / 'manuscript.css'}",
            "--mathml",
            "--embed-resources",
            "--section-divs",
            *(["--toc", f"--toc-depth={meta.get('toc-depth', 3)}"] if meta.get("toc") else []),
        ]
    reference = meta.get("reference-doc")
    return [*template, *([f"--reference-doc={reference}"] if to == "docx" and reference else [])]


FAULT = "internal error"  # of Typst itself
WHOLE_ROWS = "#set table.cell(breakable: false)\n"


def _pdf(source: Source, text: str) -> object:
    return typst.compile(  # type: ignore[type-var]
        text.encode(),
        root=str(source.folder.resolve()),
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=epoch_of(source),
    )


def _compile(source: Source, text: str, target: Path) -> list[Problem]:
    """Let Typst make a PDF/UA-1 file; it refuses what a screen reader could not read.

    Where it fails at tagging, which it does at some rows that go over to the next page with a link
    in them, it is asked again with rows that stay whole.
    """
    try:
        try:
            pdf = _pdf(source, text)
        except typst.TypstError as error:
            if FAULT not in str(error):
                raise
            pdf = _pdf(source, WHOLE_ROWS + text)
    except typst.TypstError as error:
        hints = "; ".join(getattr(error, "hints", []) or [])
        return [
            Problem(
                file=source.name(source.article),
                found=f"Typst: {error}",
                expected="a document that Typst can set as PDF/UA-1",
                fix=hints or "correct what the message names",
                code="typst",
            )
        ]
    if not isinstance(pdf, bytes):
        raise MetastudyError("Typst gave no PDF.")
    target.write_bytes(pdf)
    return []
