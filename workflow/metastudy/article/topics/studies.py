"""Studies and participants: the study grid, the flow of rows, and where data are simulated."""

from __future__ import annotations

import pandas as pd

from metastudy.article import shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import study_marks
from metastudy.article.topics import people
from metastudy.article.variable_tree import Tree
from metastudy.common.people_flow import Bounds
from metastudy.common.tables import JOINT, records
from metastudy.common.unsaid import NOT_SAID
from metastudy.display.formatting import MINUS, count, inline, joined, listed, mark, words
from metastudy.display.labels import Labels
from metastudy.display.pipe_table import Table
from metastudy.display.place_order import ORDER, in_order_of, with_order
from metastudy.harmonized.study import Study

__all__ = [
    "FLOW",
    "GRID",
    "exclusions_table",
    "grid_figure",
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
        used = joined([n.short for n in _modelled(evidence, study).values()], "none")
        row = {
            "Study": evidence.labels.study(study.id),
            "Country": joined(dict.fromkeys(mine["country_label"])),
            "Sector": listed(dict.fromkeys(mine["sector_label"])),
            "Who and how": _design(mine, words(book["design"])),
            "Read, kept, modelled": ", ".join(
                [
                    shown_people.read(evidence, study).short,
                    shown_people.kept(evidence, study).short,
                    used,
                ]
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


def _modelled(evidence: Results, study: Study) -> dict[str, Bounds]:
    """How many of a study's people are in the model of each module that has some."""
    mine = {m: cells for m, cells in evidence.cells.items() if study.id in cells.rows}
    return {m: shown_people.used(evidence, study, cells)[1] for m, cells in mine.items()}


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
                f"{MINUS}{n}" if kind in ("excluded", "dropped") and n.isdigit() and int(n) else n
                for n, kind in zip(flow["shown"], flow["kind"], strict=True)
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
MOST_LINES = 40  # of the grid of studies, which then fills a page
FLOW = ["study", "study_label", "module", "step", "kind", "rows", "shown", "provenance"]


def study_grid(evidence: Results) -> pd.DataFrame:
    """What is crossed with what: one row per study, country, sector and role, with its people."""
    labels, rows = evidence.labels, []
    for study in evidence.studies:
        types = list(dict.fromkeys(e["type"] for e in study.report["exposures"]))
        mode = study.report["codebook"]["response_mode"]
        places = shown_people.places(evidence, study)
        for country, sector, role in sorted(places, key=lambda p: [*map(labels.position, p[:2])]):
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
                    "n": places[country, sector, role],
                    "provenance": study.provenance,
                }
            )
    found = pd.DataFrame(rows, columns=GRID)
    order = {
        f"{name}_label": [
            _label(labels, place, section)
            for place in sorted(dict.fromkeys(found[name]), key=labels.position)
        ]
        for name, section in (("country", "countries"), ("sector", "sectors"))
    }
    return with_order(found, order)


def grid_figure(evidence: Results) -> pd.DataFrame:
    """The grid as it is drawn: one of more lines than a page holds has a study's countries in one.

    The lines are then studies in a sector with people of a role. Their number of people is empty
    where one of the numbers that it adds up is hidden.
    """
    grid = study_grid(evidence)
    if len(grid) <= MOST_LINES:
        return grid
    rows = []
    for _, mine in grid.groupby(["study", "sector", "role"], sort=False):
        places = {name: JOINT.join(mine[name]) for name in ("country", "country_label")}
        told = all(isinstance(n, int) for n in mine["n"])
        rows.append({**records(mine)[0], **places, "n": sum(mine["n"]) if told else ""})
    return with_order(pd.DataFrame(rows, columns=GRID), grid.attrs.get(ORDER, {}))


def _label(labels: Labels, key: str, section: str) -> str:
    return labels.of(key, section) if key else UNKNOWN


def _sites(study: Study) -> int:
    if study.parcel:
        return int(study.report["parcel"]["sites"])
    return int(study.respondents["org_id"].nunique())


def participant_flow(evidence: Results) -> pd.DataFrame:
    """Rows of each study from the file to the model.

    ``kind`` is ``read``, ``excluded`` (by a rule of the codebook), ``kept``, ``dropped`` (for a
    module's model) or ``used`` (in it). ``shown`` is the number as it may be said, and ``rows`` how
    long its bar is: where the number is a range, as long as if the most had left.
    """
    rows = []
    for study in evidence.studies:

        def step(name: str, kind: str, n: Bounds, module: str = "", study: Study = study) -> None:
            label = evidence.labels.study(study.id)
            long = n.low if kind == "used" else n.high
            values = (study.id, label, module, name, kind, long, n.short, study.provenance)
            rows.append(dict(zip(FLOW, values, strict=True)))

        step("Rows read", "read", shown_people.read(evidence, study))
        for rule, left in shown_people.excluded(evidence, study).steps.items():
            step(words(rule), "excluded", left)
        step("Rows kept", "kept", shown_people.kept(evidence, study))
        mine = {m: cells for m, cells in evidence.cells.items() if study.id in cells.rows}
        for module, cells in mine.items():
            suffix = f" ({evidence.vocabulary.label('modules', module)})" if len(mine) > 1 else ""
            drops, used = shown_people.used(evidence, study, cells)
            for rule, left in drops.items():
                step(words(rule) + suffix, "dropped", left, module)
            step("Rows in the model" + suffix, "used", used, module)
    return pd.DataFrame(rows, columns=FLOW)


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
        used = _modelled(evidence, study)
        tree[study.id] = {
            "label": labels.study(study.id),
            "inline": inline(labels.study(study.id)),
            "title": str(book["title"]),
            "read": str(shown_people.read(evidence, study)),
            "kept": str(shown_people.kept(evidence, study)),
            "excluded": str(shown_people.excluded(evidence, study).total),
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
            tree[study.id]["n_model"] = str(people.most(used.values()))
            tree[study.id]["in_model"] = {m: str(n) for m, n in used.items()}
    read, kept, excluded = people.from_the_files(evidence)
    tree |= {
        "count": str(len(evidence.studies)),
        "count_word": count(len(evidence.studies)),
        "read": str(read),
        "kept": str(kept),
        "excluded": str(excluded),
        "labels": joined(inline(labels.study(study.id)) for study in evidence.studies),
        "countries": joined(_said(grid, "country_label"), NOT_SAID),
        "sectors": joined(map(inline, _said(grid, "sector_label")), NOT_SAID),
        "countries_count": count(len({*grid["country"]} - {""})),
        "sectors_count": count(len({*grid["sector"]} - {""})),
    }
    if evidence.cells:
        tree["n_model"], tree["n_model_words"] = (
            str(people.modelled(evidence)[0]),
            people.modelled_text(evidence),
        )
        tree["in_models"] = count(len({name for c in evidence.cells.values() for name in c.rows}))
    return tree


def _said(grid: pd.DataFrame, column: str) -> list[str]:
    """The places of a column of the grid in their order, without that of who does not say it."""
    return [name for name in in_order_of(grid, column, grid[column]) if name != UNKNOWN]


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
