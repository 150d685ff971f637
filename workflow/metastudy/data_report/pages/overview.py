"""The page over all studies in the data report: where they are, what compares, what to look at."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from metastudy.common.tables import JOINT, records
from metastudy.common.unsaid import NOT_SAID
from metastudy.data_report.alerts import alerts
from metastudy.data_report.comparability import aliases, comparability, settings
from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages.cells import MARKED, NONE, cell, spot
from metastudy.data_report.pages.reading import flow_table
from metastudy.display.formatting import inline, joined, mark, number, numbered, words
from metastudy.display.labels import Labels
from metastudy.display.page import Alerts, Links, Page, Parts, Section, Table, Text, drawn
from metastudy.display.place_order import with_order
from metastudy.display.plots import flow, study_grid

__all__ = ["NAME", "overview_page"]

NAME = "index"
_USED = {"varying": "varies", "contrast": "contrast", "left out": "left out", NOT_SAID: NOT_SAID}
MIXED = (
    "Some of the data are simulated stand-ins, and their pages are marked: what rests on them says "
    "nothing about people, organisations or places."
)


def overview_page(studies: Sequence[Inspection], labels: Labels) -> Page:
    """Write the page over all studies.

    Parameters
    ----------
    studies : what :func:`metastudy.data_report.inspection.study.inspect` gives of each.
    labels : names for the reader.
    """
    studies = sorted(studies, key=lambda study: study.study)
    provenances = [study.provenance for study in studies]
    return Page(
        name=NAME,
        title="Data report",
        subtitle="What was read, what was left out and what the data can carry, before any model",
        mark=mark(provenances),
        marked=MARKED if set(provenances) == {"simulated"} else MIXED,
        sections=[
            Section("Studies", _links(studies, labels)),
            Section("What to look at", _alerts(studies, labels)),
            Section("Rows", _rows(studies, labels)),
            Section("Design grid", _grid(studies, labels)),
            Section("What cannot be distinguished", _aliases(studies, labels)),
            Section("Comparability across languages", _languages(studies, labels)),
        ],
        folder="figures/",
    )


def _links(studies: Sequence[Inspection], labels: Labels) -> Parts:
    rows = []
    for study in studies:
        listed = [one.level for one in alerts(study, labels)]
        marks = [f"{listed.count(level)} {level.lower()}{'s' * (listed.count(level) > 1)}"
                 for level in dict.fromkeys(listed)]  # fmt: skip
        what = "findings" if study.published else "rows kept"
        text = f"{words(str(study.about.get('design', '')))}, {study.reading.rows_kept} "
        text += f"{what}; {joined(marks, 'nothing stands out')}"
        rows.append((study.study, labels.study(study.study), text))
    return [Links(rows)]


def _alerts(studies: Sequence[Inspection], labels: Labels) -> Parts:
    listed = [
        (one.level, one.text, labels.study(study.study))
        for study in studies
        for one in alerts(study, labels)
    ]
    listed.sort(key=lambda one: one[0])  # alarms first
    return [Alerts(listed)] if listed else [Text("Nothing stands out in any study.")]


def _rows(studies: Sequence[Inspection], labels: Labels) -> Parts:
    rows = []
    for study in studies:
        reading = study.reading
        left = [f"{inline(words(one.rule))} {one.rows}" for one in reading.excluded]
        answers = study.answers
        rows.append(
            (
                labels.study(study.study),
                "; ".join(left) or "nobody left",
                "not shown" if reading.rows_read is None else cell(reading.rows_read),
                cell(reading.rows_kept),
                cell(len(answers.items)) if answers else NONE,
                cell(study.coding.read) if study.coding else NONE,
            )
        )
    columns = ["Study", "Left, by rule", "Read", "Kept", "Items", "Coded sources"]
    parts: Parts = []
    flows = pd.DataFrame(
        [
            row | {"study": study.study, "study_label": labels.study(study.study), "module": ""}
            for study in studies
            if not study.published
            for row in flow_table(study).to_dict("records")
        ]
    )
    if len(flows):
        many = numbered(flows["study"].nunique(), "study", "studies", digits=True)
        alt = f"Rows of {many} from the file to the tables."
        caption = "From the files to the tables, each study on a scale of its own."
        parts.append(drawn("flows", flow.participant_flow(flows), caption, alt))
    return [*parts, Table("Rows of all studies", columns, rows, heads=2)]


def _label(labels: Labels, key: str | float | None, section: str) -> str:
    """The label of a place; what no study says is none, and beside others missing in a table."""
    return labels.of(key, section) if isinstance(key, str) else words(NOT_SAID)


def _grid(studies: Sequence[Inspection], labels: Labels) -> Parts:
    found = settings(studies)
    of = {study.study: study.provenance for study in studies}
    order = {study: at for at, study in enumerate(of)}
    lines = sorted(
        records(found[~found["published"].astype(bool)]),
        key=lambda row: (order[row["study"]], *spot(labels, row["country"], row["sector"])),
    )
    # published findings have many places with few findings each: a sentence says where they are
    table = pd.DataFrame(
        [
            {
                "study": labels.study(row["study"]),
                "country": _label(labels, row["country"], "countries"),
                "sector": _label(labels, row["sector"], "sectors"),
                "role": _label(labels, row["role"], "roles"),
                "arrangement": _label(labels, row["arrangement"], "arrangements"),
                "exposure_types": JOINT.join(
                    labels.of(kind, "exposure_types") for kind in row["exposure_types"]
                ),
                "n": cell(row["n"]),
                "provenance": of[row["study"]],
            }
            for row in lines
        ]
    )
    parts: Parts = []
    if len(table):
        ticks = {
            name: [
                _label(labels, place, section)
                for place in sorted(found[name].dropna().unique(), key=labels.position)
            ]
            for name, section in (("country", "countries"), ("sector", "sectors"))
        }
        alt = (
            f"{numbered(len(table), 'setting', digits=True)} of "
            f"{numbered(table['study'].nunique(), 'study', 'studies', digits=True)} by country, "
            "sector, "
            "role, arrangement and kind of exposure. The table below says the same."
        )
        caption = "What is crossed with what: a line is a setting, n its people or sources."
        parts.append(drawn("grid", study_grid.grid(with_order(table, ticks)), caption, alt))
        columns = ["Study", "Country", "Sector", "Role", "Arrangement", "Exposures", "n"]
        keys = ("study", "country", "sector", "role", "arrangement", "exposure_types", "n")
        rows = [tuple(row[key] or NONE for key in keys) for row in table.to_dict("records")]
        parts.append(Table("Settings of the studies", columns, rows, heads=6))
    for study in studies:
        if not study.published:
            continue
        places = {place.country for place in study.places if place.country is not None}
        where = joined(
            labels.of(country, "countries") for country in sorted(places, key=labels.position)
        )
        parts.append(
            Text(
                f"{labels.study(study.study)}: {study.published.findings} published "
                f"findings, not in the picture ({where})."
            )
        )
    return parts


def _aliases(studies: Sequence[Inspection], labels: Labels) -> Parts:
    table = aliases(studies, labels.vocabulary)
    rows: list[tuple[str, ...]] = []
    for module, own in table.groupby("module", sort=False):
        name = labels.of(str(module), "modules") if module else "All studies"
        single = [str(one) for one in own.loc[own["levels"] == 1, "grouping"]]
        for row in records(own[own["levels"] > 1]):
            used = _USED[row["used_as"]]
            alias = inline(words(str(row["aliased_with"]))) or NONE
            reason = labels.of_reason(str(row["reason"]))
            rows.append((name, words(row["grouping"]), used, alias, reason, cell(row["levels"])))
        if single:
            grouping = joined([words(single[0]), *single[1:]])
            rows.append((name, grouping, "left out", NONE, "one level only", "1"))
    columns = ["Studies", "Grouping", "Enters as", "Same as", "Why", "Levels"]
    note = (
        "From the settings alone, never from an outcome: of groupings that cut the settings in the "
        "same way, only the first can enter a model."
    )
    return [Table("Groupings and their aliases", columns, rows, heads=5, note=note)]


def _languages(studies: Sequence[Inspection], labels: Labels) -> Parts:
    found = comparability(studies)
    if not found:
        return [Text("Not testable: no construct was measured in two studies.")]
    rows = [
        (
            labels.outcome(one.construct),
            joined([labels.study(study) for study in one.studies]),
            " / ".join(language or "not recorded" for language in one.languages),
            one.verdict,
            cell(one.shared),
            NONE if one.congruence is None else number(one.congruence),
        )
        for one in found
    ]
    note = (
        "Items count as shared where construct and name are the same. Congruence is Tucker’s "
        "coefficient of the loadings on one factor; from 0.95 on, the factors count as equal "
        "(Lorenzo-Seva and ten Berge 2006)."
    )
    columns = ["Construct", "Studies", "Languages", "Verdict", "Shared items", "Congruence"]
    return [Table("Constructs that several studies measured", columns, rows, heads=4, note=note)]
