"""What can be pooled: each exposure with the studies that have it, and why they are not one."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.topics.identification import relabelled
from metastudy.article.topics.studies import study_grid
from metastudy.common.tables import JOINT, records
from metastudy.display.formatting import inline, joined
from metastudy.display.pipe_table import Table
from metastudy.synthesis.pooling import pooled_rows

__all__ = ["evidence_map", "partners", "table"]

COLUMNS = ["exposure", "exposure_type", "outcomes", "studies", "countries", "pooled", "reason"]
MOST_NAMED = 12  # countries in a cell
SHOWN = ["Exposure", "Study", "Place", "Outcomes", "Pooled", "Why not"]


# Estimates that agree in these may be pooled, if they are of several studies.
ALIKE = ["exposure", "exposure_type", "outcome", "role", "response_mode", "metric"]


def partners(evidence: Results) -> dict[str, list[str]]:
    """The other studies that each study of the second stage has a pooled effect with, by id."""
    estimates, pooled = (evidence.synthesis.get(k, pd.DataFrame()) for k in ("estimates", "pooled"))
    found: dict[str, dict[str, None]] = {}
    if estimates.empty or pooled.empty:
        return {}
    means = pooled[pooled["level"].eq("population")]
    known = set(means[ALIKE].astype(str).itertuples(index=False, name=None))
    for key, mine in estimates.groupby(ALIKE, sort=False, dropna=False):
        studies = list(dict.fromkeys(map(str, mine["study"])))
        if tuple(map(str, key)) in known:
            for study in studies:
                found.setdefault(study, {}).update(dict.fromkeys(studies))
    return {study: [o for o in others if o != study] for study, others in found.items()}


def evidence_map(evidence: Results) -> pd.DataFrame:
    """The grid of studies, with the labels of those that each is pooled with.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`metastudy.article.topics.studies.GRID` and ``pools_with``, labels that are
        joined, empty where a study has no pooled effect with another.
    """
    grid, with_others = study_grid(evidence), partners(evidence)
    labels = {
        study: JOINT.join(map(evidence.labels.study, others))
        for study, others in with_others.items()
    }
    return grid.assign(pools_with=[labels.get(study, "") for study in grid["study"]])


def _reasons(evidence: Results, refused: pd.DataFrame, outcomes: list[str]) -> str:
    """Each reason once, with the outcomes that it is of where it is not of all."""
    said = []
    for reason, mine in refused.groupby("reason", sort=False):
        of = list(dict.fromkeys(mine["outcome"]))
        named = f" ({joined(inline(evidence.labels.outcome(o)) for o in of)})"
        said.append(relabelled(evidence, str(reason)) + named * (len(of) < len(outcomes)))
    return "; ".join(said)


def table(evidence: Results) -> Table:
    """One row an exposure and type: its outcomes, studies and countries, and what is pooled.

    An outcome is pooled where two studies or more agree in exposure, type, role, response mode and
    metric; the reason of those that are not comes from the design (:mod:`metastudy.design`).
    """
    estimates, full = evidence.synthesis["estimates"], []
    pooled: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in records(estimates[pooled_rows(estimates)]):
        pooled[str(one["exposure"]), str(one["exposure_type"])].add(str(one["outcome"]))
    places: list[int] = []  # of many countries a cell has only how many, and the file has them
    structure = evidence.synthesis["structure"].fillna("")
    for (exposure, kind), mine in estimates.groupby(["exposure", "exposure_type"], sort=False):
        found = structure[
            structure["exposure"].eq(str(exposure)) & structure["grouping"].eq("study")
        ]
        found = found[found["outcome"].isin(mine["outcome"])]
        refused = found[found["used_as"].eq("refused")]
        outcomes = list(dict.fromkeys(mine["outcome"]))
        places.append(mine["country"].nunique())
        full.append(
            {
                "exposure": exposure,
                "exposure_type": kind,
                "outcomes": len(outcomes),
                "studies": joined(map(evidence.labels.study, dict.fromkeys(mine["study"]))),
                "countries": joined(
                    name
                    for several in sorted(
                        dict.fromkeys(mine["country"]), key=evidence.labels.position
                    )
                    for name in evidence.labels.many(several, "countries")
                ),
                "pooled": len(pooled[str(exposure), str(kind)]),
                "reason": _reasons(evidence, refused, outcomes),
                "provenance": joined(sorted(set(mine["provenance"]))),
            }
        )
    whole = pd.DataFrame(full, columns=[*COLUMNS, "provenance"])
    rows = [
        {
            "Exposure": evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"]),
            "Study": row["studies"],
            "Place": row["countries"] if n <= MOST_NAMED else f"{n} countries",
            "Outcomes": str(row["outcomes"]),
            "Pooled": str(row["pooled"]) if row["pooled"] else "none",
            # what follows from one study alone is in the caption, once
            "Why not": row["reason"].replace("; its own estimate is shown", "") or "–",
        }
        for row, n in zip(records(whole), places, strict=True)
    ]
    shown = pd.DataFrame(rows, columns=SHOWN)
    caption = (
        "What can be pooled: each exposure with the studies that have it, the outcomes that it is "
        "about, and how many of them are pooled over studies. Of one study alone its own "
        "estimate is shown. Computed from the design alone."
    )
    return Table(shown, whole, caption, tuple(estimates["provenance"]))
