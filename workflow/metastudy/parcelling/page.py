"""The page for the owner: everything that is in a parcel, and what is not, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from metastudy.codebook.codebook import PublishedTable
from metastudy.display.formatting import inline, joined, mark, number, words
from metastudy.display.labels import Labels
from metastudy.display.page import Page, Section, Table, Text, render
from metastudy.parcelling.estimate_tables import (
    estimates_table,
    listed,
    moved_tables,
    place_of,
)
from metastudy.parcelling.in_short import in_short
from metastudy.parcelling.interviews import told_of_interviews
from metastudy.parcelling.loss import Loss
from metastudy.parcels.codes import KIND
from metastudy.parcels.request import Request

__all__ = ["asked_for", "owner_page"]

Facts = Sequence[Sequence[str]]
NOT_IN_IT = (
    "No row of a person, no answer of a person and no pattern of one person's answers.",
    "No name, no raw id, no pseudonym of a person and no free text.",
    "No name of an organisation: sites are under pseudonyms made with your key.",
    "No smallest or largest value.",
    "No column of the data file that the codebook does not use, and no name of such a column.",
    "Not which codes were applied together in an interview, no passage of it, and no coder's name.",
    "Not your key: the checksum of the data file can be tested by nobody else.",
)


def owner_page(
    manifest: Mapping[str, Any],
    documents: Mapping[str, Any],
    size: int,
    moved: Sequence[Loss],
    labels: Labels,
    asked: Facts = (),
    tables: Sequence[PublishedTable] = (),
) -> str:
    """The page in HTML, one file.

    Parameters
    ----------
    manifest, documents : of the parcel.
    size : of the file in bytes.
    moved : what control did to each estimate; it stays with the owner.
    labels : of the vocabulary with what the study adds to it.
    asked : what the analyst's request asks for, of :func:`asked_for`; nothing without one.
    tables : published ones, that were taken as known.
    """
    study, did, least = documents["study.json"], documents["control.json"], manifest["least"]
    return render(
        Page(
            name=str(manifest["study"]),
            title=f"What is in the parcel of {manifest['study']}",
            subtitle=str(study["codebook"]["title"]),
            mark=mark([str(manifest["provenance"])]),
            marked="The data file is a stand-in that a program wrote; nothing in it is of people.",
            sections=[
                Section("In short", [Text(line) for line in in_short(documents, least)]),
                Section("Not in the file", [Text(line) for line in NOT_IN_IT]),
                *_asked(asked),
                Section(
                    "In the file", [_contents(documents, size, labels), *_cells(documents, labels)]
                ),
                Section("People", [_flow(study, least), *_places(study, labels)]),
                Section(
                    "What disclosure control did",
                    [_control(did, labels), *moved_tables(moved, did, labels)],
                ),
                Section("Estimates in the file", [estimates_table(documents, labels)]),
                Section(
                    "Published tables that were taken as known", _published(tables, did, labels)
                ),
                Section("What remains possible", [Text(_remains(did, least))]),
            ],
        )
    )["html"]


def asked_for(
    request: Request, not_asked: Mapping[str, Sequence[str]], manifest: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What a request asks for, as pairs of a name and what is said of it.

    Parameters
    ----------
    not_asked : variants of modules that the study could enter and that stay at home.
    manifest : of the parcel, whose code and packages are compared with the analyst's.
    """
    labels = Labels(request.vocabulary)
    wanted, stays = (
        "; ".join(f"{labels.of(module, 'modules')}: {joined(v)}" for module, v in fits.items())
        for fits in (request.fits, not_asked)
    )
    same = all(request.made_with[name] == manifest[name] for name in ("code", "lock"))
    return [
        ("Request", request.digest),
        ("Fits asked for", wanted),
        ("Fits not asked for, which are not in the file", stays or "none"),
        ("Smallest number of people asked for", str(request.smallest_cell)),
        ("Smallest number of people used", str(manifest["least"])),
        ("Vocabulary", "that of the request: outcomes, places, and levels of factors in its order"),
        ("Code and packages", "those of the analyst" if same else "not those of the analyst"),
    ]


def _asked(asked: Facts) -> list[Section]:
    table = Table("What the analyst asked for.", ("", ""), asked, heads=2)
    return [Section("Asked for", [table])] if asked else []


def _published(
    tables: Sequence[PublishedTable], did: Mapping[str, Any], labels: Labels
) -> list[Table | Text]:
    if did.get("interviews"):
        return [Text(_NONE_OF_CODES)]
    if not tables:
        return [Text(_NONE_DECLARED)]
    rows = [
        (
            labels.outcome(t.construct),
            labels.of(t.vignette, "vignettes") if t.vignette else "Each",
            joined(inline(labels.of(by, "factors")) for by in t.by) or "nothing",
        )
        for t in tables
    ]
    return [Table("Tables in the codebook.", ("Of", "Situation", "By"), rows, heads=3)]


_NONE_OF_CODES = (
    "None: tables of codes cannot be taken as known. If it is public how many interviews of an "
    "organisation or of a setting have a code, compare: where your table is of a few more or fewer "
    "interviews than a count in the file, the difference of both is of those few. Then do not send "
    "the file."
)
_NONE_DECLARED = (
    "None is declared. If counts, means or standard deviations of these people are public, in an "
    "article or a report, say so in the codebook under published_tables and make the parcel again: "
    "what is in your table and not in a cell can otherwise be worked out as the difference of both."
)


def _remains(did: Mapping[str, Any], least: int) -> str:
    if said := did.get("interviews"):
        return _REMAINS_OF_CODES.format(least=least, alike=said["alike"], fewer=said["alike"] - 1)
    return _REMAINS.format(least=least)


_REMAINS_OF_CODES = (
    "Each count in the file is over {least} interviews or more. In each, {alike} or more have the "
    "code and {alike} or more have not, whichever of two coders is asked. So the counts show of no "
    "interview whether it has a code, not even if {fewer} of those who were interviewed compare "
    "what they know of their own. Codes are counted one by one: nothing says which codes go "
    "together. Who knows most of an organisation's interviews, as a coder does, can still work out "
    "the others. Send a parcel only to people whom you would trust with a table of codes by "
    "organisation."
)
_REMAINS = (
    "Each sum in the file is over {least} people or more. Sums over few people whose answers have "
    "few possible values can in principle be solved for the answers. So for every cell of up to "
    "120 people at least 100 other data sets with the same sums were found, in which each answer "
    "of each person differs while the person's other answers do not; in larger cells the answers "
    "have far more possibilities than the sums take away. Who knows most of a cell's people "
    "already can still work out the others. Send a parcel only to people whom you would trust "
    "with a table of means, standard deviations and correlations by site."
)


def _contents(documents: Mapping[str, Any], size: int, labels: Labels) -> Table:
    study, did = documents["study.json"], documents["control.json"]
    exposures = [next(iter(one.values())) for one in study["exposures"]]
    rows = [
        ("The study", "title, design, place and publication, as in the codebook"),
        ("Outcomes", listed(labels.outcome(o) for o in study["outcomes"])),
        ("Exposures", listed(labels.of(e, "factors", "constructs") for e in exposures)),
        *(_OF_CODES if did.get("interviews") else _OF_ANSWERS),
        ("Estimates", f"{len(documents['estimates.json'])}, each with its standard error"),
        ("Checksums", "of data file and codebook, keyed with your key; of code and packages"),
        ("Size", f"{size / 1000:.0f} kB; every part is text that any program for ZIP files shows"),
    ]  # fmt: skip
    return Table("What the parcel holds.", ("", ""), rows, heads=2)


def _cells(documents: Mapping[str, Any], labels: Labels) -> list[Table]:
    rows = []
    for name, cells in sorted(documents.items()):
        if name.startswith("cells/"):
            module, _, variant = name.removeprefix("cells/").removesuffix(".json").rpartition("-")
            n, sites = _sizes(cells)
            people = int(documents["control.json"]["people"]) if _coded(cells) else sum(n)
            fit = (labels.of(module, "modules"), variant)
            rows.append((*fit, str(len(n)), str(sites), f"{min(n):.0f}", f"{people:.0f}"))
    columns = ("Module", "Fit", "Cells", "Sites", "People in the smallest", "People")
    return [Table("Cells of each fit that the study can enter.", columns, rows, heads=2)]


_OF_ANSWERS = [
    ("Cells", "of each site and pattern of answered outcomes: number of people, sums, sums of "
     "squares and products of scores and exposures"),
    ("Standardisers", "mean and standard deviation of each outcome in the reference group"),
    ("Data report", "rounded shares of answers, reliability of scales, sizes of conditions"),
]  # fmt: skip
_OF_CODES = [
    ("Cells", "of each organisation and code: in how many interviews it was applied and in how "
     "many not; of interviews that two coders read, by both, by one of them, or by none"),
    ("Data report", "shares of codes and agreement of coders, from these counts; number of coders"),
]  # fmt: skip


def _coded(cells: Mapping[str, Any]) -> bool:
    return str(cells["attributes"]["model"]) == KIND


def _sizes(cells: Mapping[str, Any]) -> tuple[list[float], int]:
    """People behind each cell, and the number of sites; of codes the smallest count of a unit."""
    numbers = cells["numbers"]
    if not _coded(cells):
        return numbers["n"], len(cells["coordinates"]["site"])
    parts = [np.array(numbers[name]).sum(axis=-1) for name in ("single", "double")]
    counts = [float(one[one > 0].min()) for of in parts for one in of if (one > 0).any()]
    return counts, len(set(cells["texts"]["site"]))


def _flow(study: Mapping[str, Any], least: int) -> Table:
    rows = [("Read", str(study["rows_read"]))]
    rows += [(words(rule), f"−{n}") for rule, n in study["excluded"].items()]
    rows.append(("Kept", str(study["rows_kept"])))
    note = f"Fewer than {least} more left by some rules." if study["few_left"] else ""
    return Table("Rows, as far as they are in the file.", ("Step", "Rows"), rows, note=note)


def _places(study: Mapping[str, Any], labels: Labels) -> list[Table]:
    rows = [(*place_of(place[:3], labels), str(place[3])) for place in study["places"]]
    columns = ("Country", "Sector", "Role", "People")
    return [Table("Where the people are.", columns, rows, heads=3)]


def _control(did: Mapping[str, Any], labels: Labels) -> Table:
    coded = bool(did.get("interviews"))
    note = "Nothing had to be merged: no cell was touched." if did["untouched"] else ""
    rows = [(label, str(did[name])) for name, label in (_DID_TO_CODES if coded else _DID).items()]
    rows += told_of_interviews(did)
    if names := did.get("between_sites"):
        of = listed(labels.exposure_by_id(name).label for name in names)
        rows.append(("Exposures whose estimates hold differences between sites too", of))
    if told := did.get("intervals"):
        said = f"{number(told['median'])}, at most {number(told['largest'])}"
        rows.append(("Standard errors over those of the rows, in twentieths: median", said))
    behind = "Interviews behind each count" if coded else _BEHIND
    return Table(f"{behind} are {did['least']} or more.", ("", ""), rows, note=note)


_BEHIND = "People of a site, pattern of answers and condition"
_DID = {
    "people": "People in the cells",
    "people_left": "People who left, as few had their pattern of answers",
    "people_with_fewer_outcomes": "People with fewer outcomes than they answered",
    "people_moved": "People whose site became one of others, or none",
    "sites_before": "Sites before",
    "sites_after": "Sites after, others counted as one",
    "settings_without_sites": "Settings without a site of its own",
}
_DID_TO_CODES = {
    "people": "Interviews in the counts",
    "people_left": "Interviews that left, as few are in their setting",
    "people_with_fewer_outcomes": "Interviews of settings in which some code is left out",
    "people_moved": "Interviews whose organisation is one of others, for one code at least",
    "sites_before": "Organisations before",
    "sites_after": "Organisations after, others counted as one",
    "settings_without_sites": "Settings without an organisation of its own",
}
