"""Places left out one by one: the interval that all others predict, and the estimate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import FOREST, effect_axis, mark_of
from metastudy.article.results import Results
from metastudy.article.variable_tree import Tree, unit
from metastudy.common.problems import BadInput, Problem
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, number, share
from metastudy.synthesis.left_out_places import COLUMNS, digest
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["figure", "read", "variables"]

COMMAND = "snakemake leave_out_places"
NUMBERS = ["estimate", "se", "mean", "lower", "upper"]
PLURAL = {"country": "countries", "sector": "sectors"}


def read(path: Path) -> pd.DataFrame:
    """The committed file of places left out.

    Raises
    ------
    BadInput
        If columns are missing, or a number is none.
    """
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False)
        if gone := [name for name in COLUMNS if name not in found]:
            raise ValueError(f"no column {', '.join(gone)}")
        return found.astype(dict.fromkeys(NUMBERS, float))
    except (ValueError, OSError) as error:
        problem = Problem(
            file=str(path),
            found=str(error),
            expected=f"the file as `{COMMAND}` writes it",
            fix=f"run `{COMMAND}` again, or remove the file",
            code="left-out-places",
        )
        raise BadInput(problem) from None


def figure(evidence: Results) -> pd.DataFrame:
    """Each place in the order of its estimates, beside what all others predict of it."""
    rows: list[dict[str, Any]] = []
    several = (
        len(evidence.left_out[ESTIMAND].drop_duplicates()) > 1 if len(evidence.left_out) else 0
    )
    for mine, now in _groups(evidence):
        for row in records(mine.sort_values("estimate", ascending=False)) if now else ():
            kind, label = str(row["exposure_type"]), evidence.labels.outcome(str(row["outcome"]))
            if several:
                exposure = evidence.labels.exposure(str(row["exposure"]), kind).label
                label = f"{exposure}: {inline(label)}"
            at = {
                "block": f"{label}, each {row['grouping']} left out",
                "panel": "",
                "axis": effect_axis(kind, str(row["metric"])),
                "hue": kind,
                "reference": 0.0,
                "row": evidence.labels.of(str(row["group"])),
                "level": row["grouping"],
            }
            rows.append(mark_of(row, **at, series="Predicted from all others", style="prediction"))
            own = row | dict.fromkeys(("mean", "lower", "upper"), row["estimate"])
            look = ("Estimate inside", "open") if _inside(row) else ("Estimate outside", "filled")
            rows.append(mark_of(own, **at, series=look[0], style=look[1]))
    return pd.DataFrame(rows, columns=FOREST)


def variables(evidence: Results) -> Tree:
    """How many estimates lie where all others say, when that was seen, and by which code.

    Empty where nothing was left out. A file about other estimates than those here says so.
    """
    tree: Tree = {}
    said = []
    for mine, now in _groups(evidence):
        first = mine.iloc[0]
        many = PLURAL[str(first["grouping"])]
        outcome = inline(evidence.labels.outcome(str(first["outcome"])))
        if not now:
            said.append(
                f"Effects on {outcome} without each of the {many} were computed on "
                f"{first['date']} from other estimates than those here, and are not shown; "
                f"`{COMMAND}` computes them again."
            )
            continue
        inside, width = int(sum(map(_inside, records(mine)))), (mine["upper"] - mine["lower"])
        leaves = {"inside": str(inside), "of": str(len(mine)), "width": number(width.mean())}
        tree[str(first["grouping"])] = leaves | {k: str(first[k]) for k in ("date", "commit")}
        said.append(
            f"Of {count(len(mine))} {many} left out one by one, the estimates on {outcome} of "
            f"{count(inside)} lie inside the {share(evidence.interval)} intervals that all others "
            f"predict for them, which are {leaves['width']} {unit(str(first['metric']))} wide on "
            f"average (computed on {first['date']}, commit {first['commit']})."
        )
    return tree | ({"sentence": " ".join(said)} if said else {})


def _inside(row: dict[str, Any]) -> bool:
    return bool(row["lower"] <= row["estimate"] <= row["upper"])


def _groups(evidence: Results) -> Iterator[tuple[pd.DataFrame, bool]]:
    """The places of each grouping of each estimand, and whether its estimates are those here."""
    if not len(evidence.left_out) or "estimates" not in evidence.synthesis:
        return
    estimates = evidence.synthesis["estimates"]
    for key, mine in evidence.left_out.groupby([*ESTIMAND, "grouping"], sort=False):
        own = estimates[estimates[ESTIMAND].eq(list(key[:-1])).all(axis=1)]
        yield mine, len(own) > 0 and {digest(own)} == set(mine["estimates"])
