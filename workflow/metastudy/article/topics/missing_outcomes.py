"""Missing outcomes: effects where people who did not answer are lower or higher than others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, grouped
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, interval, number, share
from metastudy.display.pipe_table import Table

__all__ = ["NOT_DONE", "table", "variables"]

NOT_DONE = (
    "Missing outcomes: not shifted, because all who are in an analysis answered its outcomes."
)
NOT_SHIFTED = "Missing outcomes: not shifted, because"
NO_OUTCOME = "no_outcome_scored"  # rule of people whom cells do not count
WAYS = {"down": "lower", "up": "higher"}


def table(evidence: Results) -> Table:
    """Each effect of a study with missing outcomes as they are imputed, and shifted both ways."""
    found, hidden = _found(evidence)
    if len(found):
        found = figure_rows.by_setting(evidence, found, within=("module", "study"))
    rows = []
    for row in records(found):
        cells = {
            "Exposure": _exposure(evidence, row),
            "Outcome": evidence.labels.outcome(row["outcome"]),
            "Missing": _few(evidence, row, str(row["study"]) in hidden),
            "Not shifted, SD": f"{number(row['estimate'])} "
            f"({interval(row['lower'], row['upper'])})",
        }
        for way, name in WAYS.items():
            ends = interval(row[f"lower_{way}"], row[f"upper_{way}"]) if not row["reason"] else ""
            cells[f"{number(row['delta'], 1)} SD {name}"] = (
                row["reason"] if row["reason"] else f"{number(row[f'estimate_{way}'])} ({ends})"
            )
        rows.append(cells)
    if len(found):  # how few people did not answer is not in the table's file either
        enough = found["missing"] >= _smallest(evidence)
        asked = found["asked"].where(enough & ~found["study"].isin(hidden))
        found = found.assign(missing=found["missing"].where(enough), asked=asked)
    shown = grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=columns_of(rows))
    caption = (
        "Sensitivity analysis of missing outcomes: effects of one study and place by itself, with "
        f"{share(evidence.interval)} intervals, if people who did not answer are like those with "
        "the same exposures at the same site who did, and if they are lower or higher. People "
        "without any outcome are in no analysis."
    )
    answered = [module for module in evidence.cells if evidence.model(module) == "answers"]
    if any(evidence.parcels(module) for module in answered):
        caption += (
            " Of studies that came as parcels, answers that disclosure control took out count as "
            "missing."
        )
    return Table(shown, found, caption, tuple(found["provenance"]) if len(found) else ())


def variables(evidence: Results) -> Tree:
    """The largest change by a shift, in a sentence; none without these analyses."""
    if "missing_outcomes" not in evidence.robustness:
        return {}
    found, _ = _found(evidence)
    done = found[found["reason"] == ""] if len(found) else found
    alone = _without_any(evidence)
    if not len(done):
        why = f"{NOT_SHIFTED} {found['reason'][0]}." if len(found) else NOT_DONE
        return {"sentence": why + alone}
    apart = (done["estimate_up"] - done["estimate"]).abs()
    row = done.iloc[int(apart.argmax())].to_dict()
    changed = sum(
        any((r[f"lower_{way}"] * r[f"upper_{way}"] > 0) != (r["lower"] * r["upper"] > 0)
            for way in WAYS)
        for r in records(done)
    )  # fmt: skip
    which = f"{count(changed) if changed else 'none'} of {len(done)} intervals would"
    if len(done) == 1:
        which = f"the one interval would{'' if changed else ' not'}"
    said = (
        f"If people who did not answer were {number(row['delta'], 1)} SD lower or higher "
        f"than those who did, no effect of a study would change by more than {number(apart.max())} "
        f"SD ({_exposure(evidence, row)}: {inline(evidence.labels.outcome(str(row['outcome'])))}), "
        f"and {which} come to hold zero or to leave it out"
    )
    left = len(found) - len(done)
    return {"sentence": f"{said}{f'; for {left} it was not done' if left else ''}.{alone}"}


def _found(evidence: Results) -> tuple[pd.DataFrame, set[str]]:
    """The analyses as they may be said, and the studies of observed people.

    Of these who are missing beside who were asked give the exact number of an estimate's people; so
    do numbers in full. A shift moves an effect by the share who did not answer: where few did not,
    it would tell how few, and is left out.
    """
    found = evidence.robustness.get("missing_outcomes", pd.DataFrame())
    hidden = {s.id for s in evidence.studies if shown_people.least(evidence, s) > 1}
    if not len(found) or not hidden:
        return found, hidden
    smallest, seen = _smallest(evidence), found["study"].isin(hidden)
    few = seen & found["missing"].between(1, smallest - 1)
    ways = tuple(f"_{way}" for way in WAYS)
    moved = [str(name) for name in found if name == "tipping" or str(name).endswith(ways)]
    numbers = [str(name) for name in found.select_dtypes("float")]
    exact = {n: found[n].where(~seen, found[n].round(shown_people.DECIMALS)) for n in numbers}
    found = found.assign(**exact)
    why = f"fewer than {smallest} people did not answer"
    found = found.assign(**{name: found[name].where(~few) for name in moved})
    return found.assign(reason=found["reason"].where(~few, why)), hidden


def _smallest(evidence: Results) -> int:
    return int(evidence.settings.get("privacy", {}).get("smallest_cell", 0))


def _without_any(evidence: Results) -> str:
    """How many people answered no outcome of a module, in a sentence that goes on."""
    left = [
        shown_people.used(evidence, study, cells)[0].get(NO_OUTCOME)
        for cells in evidence.cells.values()
        for study in evidence.studies
        if study.id in cells.rows
    ]
    people = shown_people.total(filter(None, left))
    if not people.high:
        return ""
    many = str(people)
    was = "was" if people.exact and people.low == 1 else "were"
    return (
        f" {many[0].upper()}{many[1:]} people without an answer to any outcome of a module {was} "
        "in no analysis of it, and nothing is shifted for them."
    )


def _few(evidence: Results, row: Mapping[Any, Any], alone: bool) -> str:
    """A number of people among those asked, or alone, without saying how few."""
    people, asked, smallest = row["missing"], row["asked"], _smallest(evidence)
    if 0 < people < smallest:
        return f"under {smallest}"
    return str(people) if alone else f"{people} of {asked}"


def _exposure(evidence: Results, row: Mapping[Any, Any]) -> str:
    head = evidence.labels.exposure_with_type(str(row["exposure"]), str(row["exposure_type"]))
    where, vignette = [evidence.labels.study(str(row["study"]))], str(row["vignette"])
    own = [s for s in evidence.studies if s.id == row["study"]]
    places = [place for study in own for place in shown_people.places(evidence, study)]
    for at, (name, section) in enumerate((("country", "countries"), ("sector", "sectors"))):
        if len({place[at] for place in places}) > 1:
            where.append(evidence.labels.of(str(row[name]), section))
    named = f", {inline(figure_rows.vignette_label(evidence, vignette))}" if vignette else ""
    return f"{head}, {', '.join(where)}{named}"
