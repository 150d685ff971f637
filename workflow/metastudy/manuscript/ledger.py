"""The ledger: every number of the prose with what it is made of, as a table and as a page.

In the web page each number of the prose is a link to its row (``from_the_ledger`` in ``qmd.lua``).
Tables and figures have a row each, to which the label of their caption leads; the numbers in them
are in the file that the row names, with the id of each estimand where it has one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2

from metastudy.common.problems import BadInput, Problem
from metastudy.manuscript.source import MARK, Source, unmarked

__all__ = [
    *("COLUMNS", "Entry", "anchors_of", "entries", "is_number", "labels_linked", "linked", "page"),
    *("read", "shown", "table", "used_in"),
]

__resources__ = ("assets/ledger.html", "assets/ledger.css")
ASSETS = Path(__file__).with_name("assets")
NUMBER = re.compile(r"\d")
ANCHOR = re.compile(r'\sid="of-([^"]+)"')
CITED = re.compile(r"@\w")  # a citation's key is no number
HEADING = re.compile(r"^#{1,6} .*$", re.MULTILINE)
FIGURE = re.compile(r"\]\((?:[\w.-]+/)*(?P<name>[\w-]+)\)\{#(?P<id>fig-[\w-]+)")
TABLE = re.compile(r"\{#(?P<id>tbl-(?P<name>[\w-]+))")
CAPTION = re.compile(r"<figcaption\b[^>]*>\s*(?:<[a-z][^>]*>\s*)*")
LABEL = re.compile(r"(?:Figure|Table)[\s\u00a0]+S?\d+")
THING = re.compile(r'\sid="(?:fig|tbl)-[\w-]+"')
COLUMNS = (
    *("variable", "text", "places", "estimand", "module", "fit", "results", "rules"),
    *("studies", "harmonized", "raw", "provenance"),
)


@dataclass(frozen=True)
class Entry:
    """One variable of the prose: what it says, where it is used, and what it is made of."""

    variable: str
    text: str
    places: tuple[str, ...]
    documents: tuple[str, ...]
    made_of: Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """What each variable is made of, as the rule ``variables`` writes it.

    Raises
    ------
    BadInput
        If the file is not there or half-written.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        if isinstance(found, dict) and {"variables", "studies"} <= set(found):
            return found
        why = "no variables and studies in it"
    except (OSError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
    raise BadInput(
        Problem(
            file=str(path),
            found=why,
            expected="what each variable is made of, whole",
            fix="delete the file and run the workflow again",
            code="no-file",
        )
    )


def is_number(text: str) -> bool:
    """Whether the text of a variable has a number in it; the key of a citation is none."""
    return bool(NUMBER.search(text)) and not CITED.match(text)


def entries(sources: Sequence[Source], made_of: Mapping[str, Any]) -> list[Entry]:
    """A row for each variable with a number that the documents use, in the order of first use.

    Parameters
    ----------
    sources : the documents that were read.
    made_of : see :func:`read`.

    Raises
    ------
    BadInput
        For a number of which nobody says what it is made of.
    """
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        for use in source.uses:
            if is_number(use.text):
                mine = found.setdefault(use.name, {"text": use.text, "places": [], "in": []})
                mine["places"].append(f"{Path(use.file).name}:{use.row}")
                mine["in"].append(source.document)
    if unknown := [name for name in found if name not in made_of["variables"]]:
        raise BadInput(
            Problem(
                file="results/variables/sources.json",
                found=f"nothing on {name}, which is used at {found[name]['places'][0]}",
                expected="what each variable with a number is made of",
                fix="delete the file and run the workflow again",
                code="unknown-variable",
            )
            for name in unknown
        )
    return [
        Entry(
            name,
            re.sub(r"\\(?=\W)", "", mine["text"]),
            tuple(dict.fromkeys(mine["places"])),
            tuple(dict.fromkeys(mine["in"])),
            made_of["variables"][name],
        )
        for name, mine in found.items()
    ]


def shown(sources: Sequence[Source], made_of: Mapping[str, Any]) -> list[Entry]:
    """A row for each table and figure that a rule made, in their order.

    Parameters
    ----------
    sources : the documents that were read.
    made_of : see :func:`read`.

    Returns
    -------
    list
        ``variable`` is the id in the document, ``text`` the file with its numbers. A table that is
        written by hand has none: its numbers are variables.
    """
    known = made_of.get("shown", {})
    found = []
    for source in sources:
        for line in source.body:
            for folder, one in [
                *(("figures", one) for one in FIGURE.finditer(line.text)),
                *(("tables", one) for one in TABLE.finditer(line.text)),
            ]:
                name = one["name"] if folder == "figures" else one["name"].replace("-", "_")
                if of := known.get(f"{folder}/{name}"):
                    place = f"{Path(line.file).name}:{line.row}"
                    file = f"results/{of['rows']}"
                    found.append(Entry(one["id"], file, (place,), (source.document,), of))
    return found


def labels_linked(page: str, rows: Sequence[Entry], ledger: str) -> str:
    """A web page on which the label of each caption, such as "Table 2", leads to its row.

    Parameters
    ----------
    page : HTML of our own renderer or of Quarto.
    rows : of :func:`shown`.
    ledger : name of the page of the ledger, in the same folder.
    """
    title = "Where these numbers come from"
    for row in rows:
        start = page.find(f' id="{row.variable}"')
        caption = CAPTION.search(page, start + 1) if start >= 0 else None
        label = LABEL.match(page, caption.end()) if caption else None
        if not (caption and label) or THING.search(page, start + 1, caption.start()):
            continue  # in the other document, or its caption is not this one
        link = f'<a class="from" href="{ledger}#{row.variable}" title="{title}">{label[0]}</a>'
        page = page[: label.start()] + link + page[label.end() :]
    return page


def table(rows: Sequence[Entry], studies: Mapping[str, Mapping[str, str]]) -> str:
    """The ledger as CSV, one row a variable; what is several in a cell is parted by "; "."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        of = row.made_of
        mine = [(name, studies[name]) for name in of["studies"]]
        cells = (
            *(row.variable, row.text, row.places, of["estimands"], of["modules"]),
            *(_results(of["fits"]), _results(of["tables"]), " > ".join(of["rules"])),
            of["studies"],
            [f"results/harmonized/{name}/{t}.parquet" for name, s in mine for t in s["tables"]],
            [f"{name}/{s['file']} sha256:{s['sha256']}" for name, s in mine],
            dict.fromkeys(s["provenance"] for _, s in mine),
        )
        writer.writerow(c if isinstance(c, str) else "; ".join(c) for c in cells)
    return out.getvalue()


def _results(paths: Sequence[str]) -> list[str]:
    return [path if path.startswith("data/") else f"results/{path}" for path in paths]


def page(
    rows: Sequence[Entry],
    studies: Mapping[str, Mapping[str, Any]],
    mark: str,
    marked: str,
    lang: str = "en",
    anchors: Mapping[str, Collection[str]] = MappingProxyType({}),
    things: Sequence[Entry] = (),
) -> str:
    """The ledger as one web page without a request: numbers, tables and figures, studies.

    Parameters
    ----------
    anchors : by document the variables that have a place on its web page. A number that is only in
        a title or an alternative text has none, and no way back.
    mark, marked : of the data, and the sentence after it; empty for observed data alone.
    things : tables and figures, see :func:`shown`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    used = {name for row in (*rows, *things) for name in row.made_of["studies"]}
    return environment.get_template("ledger.html").render(
        rows=rows,
        things=things,
        studies={name: study for name, study in studies.items() if name in used},
        mark=mark,
        marked=marked,
        lang=lang,
        anchors=anchors,
        style=(ASSETS / "ledger.css").read_text("utf-8"),
    )


def linked(text: str, source: Source) -> str:
    """A text whose marks are left only around numbers of running text.

    A heading has none: its id comes from its words.
    """
    text = HEADING.sub(lambda line: str(unmarked(line[0])), text)
    out, at = [], 0
    for part in re.finditer("\ue000([0-9]+)\ue001(.*?)\ue002", text, re.DOTALL):
        whole = part[0] if is_number(source.uses[int(part[1])].text) else part[2]
        out += [text[at : part.start()], whole]
        at = part.end()
    return "".join([*out, text[at:]])


def anchors_of(page: str) -> set[str]:
    """The variables that have a place on a web page: the first of their numbers there."""
    return set(ANCHOR.findall(page))


def used_in(text: str, source: Source) -> dict[str, str]:
    """The variable of each mark in a text, by the number of its use."""
    return {number: source.uses[int(number)].name for number in MARK.findall(text)}
