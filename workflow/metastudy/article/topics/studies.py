"""Studies and participants: the study grid, the flow of rows, and where data are simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Modelled, Results
from metastudy.article.table_rows import study_marks
from metastudy.article.topics.people import modelled, modelled_text
from metastudy.article.variable_tree import Tree
from metastudy.common.disclosure import protect
from metastudy.common.tables import JOINT
from metastudy.common.unsaid import NOT_SAID
from metastudy.display.formatting import count, inline, joined, listed, mark, number, words
from metastudy.display.labels import Labels
from metastudy.display.pipe_table import Table
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED

__all__ = [
    "FLOW",
    "GRID",
    "exclusions_table",
    "participant_flow",
    "provenance_variables",
    "study_grid",
    "table",
    "variables",
]


def table(evidence: Results) -> Table:
    """One row per study: place, people and design, and rows read, kept and modelled."""
    grid, rows = study_grid(evidence), []
    # Of invented people a publication is no source: they stand in for those who are in it.
    invented = all(study.provenance == "simulated" for study in evidence.studies)
    for study in evidence.studies:
        mine, book = grid[grid["study"] == study.id], study.report["codebook"]
        used = joined(
            [str(c.rows[study.id]) for c in evidence.cells.values() if study.id in c.rows], "none"
        )
        row = {
            "Study": evidence.labels.study(study.id),
            "Country": joined(dict.fromkeys(mine["country_label"])),
            "Sector": listed(dict.fromkeys(mine["sector_label"])),
            "Who and how": _design(mine, words(book["design"])),
            "Read, kept, modelled": ", ".join(
                [str(study.report["rows_read"]), str(study.report["rows_kept"]), used]
            ),
        }
        if invented:
            row |= {"Stands in for": f"@{book['citation']}"}
            row |= {"Published size": book.get("published_size") or "not seen"}
        else:
            row |= {"Data": study.provenance, "Source": f"@{book['citation']}"}
        rows.append(row)
    caption = "Studies: where, who, how, and how many rows were read, kept and used in a model."
    if invented:
        caption += " These numbers are invented; the size that was published is in the last column."
    return Table(pd.DataFrame(rows), grid, caption, study_marks(evidence))


def _design(places: pd.DataFrame, design: str) -> str:
    """Roles, design and types of exposure in one cell: more columns have smaller type."""
    roles = listed(dict.fromkeys(places["role_label"]))
    types = places["exposure_types_label"].iloc[0].split(JOINT)
    return f"{roles}: {', '.join(map(inline, filter(None, [design, *types])))}"


def exclusions_table(evidence: Results) -> Table:
    """Rows of each study from the file to the model, by step; excluded rows are negative."""
    flow = participant_flow(evidence)
    shown = pd.DataFrame(
        {
            "Study": flow["study_label"].mask(flow["study"].duplicated(), ""),
            "Step": flow["step"],
            "Rows": [
                number(-rows if kind in ("excluded", "dropped") else rows, 0)
                for rows, kind in zip(flow["rows"], flow["kind"], strict=True)
            ],
        }
    )
    caption = "Rows of each study from the data file to the model, by the rule that excluded them."
    return Table(shown, flow, caption, tuple(flow["provenance"]))


GRID = [
    *("study", "study_label", "country", "country_label", "sector", "sector_label"),
    *("role", "role_label", "exposure_types", "exposure_types_label"),
    *("response_mode", "response_mode_label", "n", "provenance"),
]
UNKNOWN = words(NOT_SAID)  # the country, sector or role of a study that does not say it
FLOW = ["study", "study_label", "module", "step", "kind", "rows", "provenance"]


def study_grid(evidence: Results) -> pd.DataFrame:
    """What is crossed with what: one row per study, country, sector and role, with its people."""
    labels, rows = evidence.labels, []
    for study in evidence.studies:
        types = list(dict.fromkeys(e["type"] for e in study.report["exposures"]))
        mode = study.report["codebook"]["response_mode"]
        for (country, sector, role), n in _places(evidence, study).items():
            rows.append(
                {
                    "study": study.id,
                    "study_label": labels.study(study.id),
                    "country": country,
                    "country_label": _label(labels, country, "countries"),
                    "sector": sector,
                    "sector_label": _label(labels, sector, "sectors"),
                    "role": role,
                    "role_label": _label(labels, role, "roles"),
                    "exposure_types": JOINT.join(types),
                    "exposure_types_label": JOINT.join(
                        labels.of(t, "exposure_types") for t in types
                    ),
                    "response_mode": mode,
                    "response_mode_label": labels.of(mode, "response_modes"),
                    "n": n,
                    "provenance": study.provenance,
                }
            )
    return pd.DataFrame(rows, columns=GRID)


def _label(labels: Labels, key: str, section: str) -> str:
    return labels.of(key, section) if key else UNKNOWN


def _places(evidence: Results, study: Study) -> dict[tuple[str, str, str], int | str]:
    """People of each place and role; small cells are hidden, and what would give them away."""
    if study.parcel:
        said = study.report["parcel"]["places"]
        found = {}
        for *place, n in said:
            country, sector, role = ("" if name == NOT_STATED else str(name) for name in place)
            found[country, sector, role] = n
        return found
    names = ("country", "sector", "role")
    where = [study.respondents[name].astype("str").fillna("") for name in names]
    counts = study.counted(where)
    places = sorted(counts)
    if len(places) == 1:
        return dict(counts)  # the size of a whole study is no cell
    least = int(evidence.settings["privacy"]["smallest_cell"])
    cells = protect([counts[place] for place in places], least).cells
    return dict(zip(places, cells, strict=True))


def _sites(study: Study) -> int:
    if study.parcel:
        return int(study.report["parcel"]["sites"])
    return int(study.respondents["org_id"].nunique())


def participant_flow(evidence: Results) -> pd.DataFrame:
    """Rows of each study from the file to the model.

    ``kind`` is ``read``, ``excluded`` (by a rule of the codebook), ``kept``, ``dropped`` (for a
    module's model) or ``used`` (in it). Rules by which few rows left are one step together.
    """
    rows = []
    least = int(evidence.settings["privacy"]["smallest_cell"])
    for study in evidence.studies:

        def step(name: str, kind: str, count: int, module: str = "", study: Study = study) -> None:
            label = evidence.labels.study(study.id)
            values = (study.id, label, module, name, kind, int(count), study.provenance)
            rows.append(dict(zip(FLOW, values, strict=True)))

        step("Rows read", "read", study.report["rows_read"])
        for rule, left in _together(study.report["excluded"], least).items():
            step(words(rule), "excluded", left)
        step("Rows kept", "kept", study.report["rows_kept"])
        mine = {m: cells for m, cells in evidence.cells.items() if study.id in cells.rows}
        for module, cells in mine.items():
            suffix = f" ({evidence.vocabulary.label('modules', module)})" if len(mine) > 1 else ""
            drops = {drop["rule"]: drop["rows"] for drop in _drops(cells, study.id)}
            for rule, left in _together(drops, least).items():
                step(words(rule) + suffix, "dropped", left, module)
            step("Rows in the model" + suffix, "used", cells.rows[study.id], module)
    return pd.DataFrame(rows, columns=FLOW)


def _together(counts: Mapping[str, int], least: int) -> dict[str, int]:
    """Counts as they may be beside their total: the small ones as one, with what tells them.

    Where the total alone tells a small count there is nothing left to hide: the article shows how
    many rows were read and how many were used.
    """
    shown = protect(list(counts.values()), least)
    if not shown.total:
        return dict(counts)
    hidden = [name for name, cell in zip(counts, shown.cells, strict=True) if isinstance(cell, str)]
    found = {name: n for name, n in counts.items() if name not in hidden}
    if hidden:
        found[f"{len(hidden)} rules with few rows"] = sum(counts[name] for name in hidden)
    return found


def _drops(cells: Modelled, study: str) -> Iterator[Mapping[str, Any]]:
    return (drop for drop in cells.dropped if drop["study"] == study)


def variables(evidence: Results) -> Tree:
    """Labels, sizes and provenance of each study, and totals over all studies.

    Empty without studies. A study has ``n_model`` only where a module uses it.
    """
    if not evidence.studies:
        return {}
    labels, grid = evidence.labels, study_grid(evidence)
    tree: Tree = {}
    for study in evidence.studies:
        mine, book = grid[grid["study"] == study.id], study.report["codebook"]
        excluded = study.report["excluded"]
        used = {m: c.rows[study.id] for m, c in evidence.cells.items() if study.id in c.rows}
        tree[study.id] = {
            "label": labels.study(study.id),
            "inline": inline(labels.study(study.id)),
            "title": str(book["title"]),
            "read": str(study.report["rows_read"]),
            "kept": str(study.report["rows_kept"]),
            "excluded": str(sum(excluded.values())),
            "country": joined(dict.fromkeys(mine["country_label"])),
            "sector": inline(listed(dict.fromkeys(mine["sector_label"]))),
            "role": inline(listed(dict.fromkeys(mine["role_label"]))),
            "response_mode": inline(labels.of(book["response_mode"], "response_modes")),
            "design": str(book["design"]),
            "exposures": inline(listed(mine["exposure_types_label"].iloc[0].split(JOINT)))
            if len(mine)
            else "none",
            "citation": f"@{book['citation']}",
            "provenance": study.provenance,
            "mark": mark([study.provenance]),
            "file": str(study.report["file"]),
            "sha256": str(study.report["sha256"]),
            "unmapped": str(len(study.report["unmapped"])),
            "sites": str(_sites(study)),
        }
        if used:
            tree[study.id]["n_model"] = str(max(used.values()))
            tree[study.id]["in_model"] = {m: str(n) for m, n in used.items()}
    reports = [study.report for study in evidence.studies]
    kept, read = (sum(r[k] for r in reports) for k in ("rows_kept", "rows_read"))
    tree |= {
        "count": str(len(reports)),
        "count_word": count(len(reports)),
        "read": str(read),
        "kept": str(kept),
        "excluded": str(read - kept),
        "labels": joined(inline(labels.study(study.id)) for study in evidence.studies),
        "countries": joined(sorted({*grid["country_label"]} - {UNKNOWN}), NOT_SAID),
        "sectors": joined(map(inline, sorted({*grid["sector_label"]} - {UNKNOWN})), NOT_SAID),
        "countries_count": count(len({*grid["country"]} - {""})),
        "sectors_count": count(len({*grid["sector"]} - {""})),
    }
    if evidence.cells:
        tree["n_model"], tree["n_model_words"] = str(modelled(evidence)[0]), modelled_text(evidence)
        tree["in_models"] = count(len({name for c in evidence.cells.values() for name in c.rows}))
    return tree


def provenance_variables(evidence: Results) -> Tree:
    """The mark and the sentence; two empty texts where everything was observed.

    ``frame`` begins a sentence that states a result, and ``caption`` ends that of a table which the
    article itself writes.
    """
    by = {
        kind: [s for s in evidence.studies if s.provenance == kind]
        for kind in ("simulated", "observed")
    }
    simulated, observed = (
        joined(inline(evidence.labels.study(s.id)) for s in by[k])
        for k in ("simulated", "observed")
    )
    if not by["simulated"]:
        sentence = ""
    elif by["observed"]:
        sentence = (
            f"The data of {simulated} are simulated stand-ins; those of {observed} were observed. "
            "What rests on simulated data is marked, and says nothing about people."
        )
    else:
        sentence = (
            "All data of people are simulated stand-ins: no estimate in this article says anything "
            "about them."
        )
    said = mark(s.provenance for s in evidence.studies)
    return {
        "mark": said,
        "caption": f"{said}." if said else "",
        "frame": "In these data" if not by["simulated"] else "In the stand-in data",
        "sentence": sentence,
        "simulated": {"count": str(len(by["simulated"])), "studies": simulated},
        "observed": {"count": str(len(by["observed"])), "studies": observed},
    }
