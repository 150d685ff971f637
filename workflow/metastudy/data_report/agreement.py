"""How far coders agree: per code, whether each of them found it in a source."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

__all__ = ["Agreement", "agreement", "alpha", "kappa", "presence"]


@dataclass(frozen=True)
class Agreement:
    """Agreement on one code; a coefficient is missing where the coders never differ in anything."""

    code: str
    sources: int  # in which at least one coder found it
    read: int  # sources that were read
    double: int  # sources that two coders or more have read
    double_read: int  # readings of these
    double_found: int  # readings of these that found the code
    alpha: float | None
    kappa: float | None
    pairs: int  # pairs of coders behind kappa


def presence(codings: pd.DataFrame, readings: pd.DataFrame, code: str) -> pd.DataFrame:
    """Tell for each source and coder whether the coder found the code there.

    Parameters
    ----------
    codings, readings : harmonized tables.
    code : id of a code.

    Returns
    -------
    (source, coder): 1, 0, or missing where the coder did not read the source.
    """
    pairs = readings[["source_id", "coder_id"]].drop_duplicates()
    mine = codings.loc[codings["code_id"] == code, ["source_id", "coder_id"]].drop_duplicates()
    marked = pairs.merge(mine.assign(found=1.0), how="left", on=["source_id", "coder_id"])
    marked["found"] = marked["found"].fillna(0.0)
    return marked.pivot(index="source_id", columns="coder_id", values="found")


def alpha(double: pd.DataFrame) -> float | None:
    """Krippendorff's alpha of readings, nominal; missing where all of them say one thing.

    Parameters
    ----------
    double : (source, coder), 0, 1 or missing.
    """
    import krippendorff

    if np.unique(double.to_numpy()[double.notna().to_numpy()]).size < 2:
        return None  # all found it or nobody did: there is no disagreement to expect
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(krippendorff.alpha(double.to_numpy().T, level_of_measurement="nominal"))


def kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    """Cohen's kappa of two coders.

    Parameters
    ----------
    first, second : (source,), 0 or 1.

    Returns
    -------
    Missing where both always say the same one thing.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((2, 2))
    np.add.at(table, (first.astype(int), second.astype(int)), 1)
    chance = (table.sum(0) * table.sum(1)).sum() / max(table.sum() ** 2, 1)
    if table.sum() == 0 or np.isclose(chance, 1):
        return None
    return float(cohens_kappa(table, return_results=False))


def agreement(
    codings: pd.DataFrame, readings: pd.DataFrame, codes: Sequence[str]
) -> list[Agreement]:
    """Agreement of the coders, code by code, on its presence in a source.

    Parameters
    ----------
    codings, readings : harmonized tables; a coder who read a source and did not code it found
        nothing there.
    codes : ids of the codes.

    Returns
    -------
    One :class:`Agreement` a code: Krippendorff's alpha (nominal; any number of coders, any of them
    missing), and Cohen's kappa, averaged over the pairs of coders with the number of sources that
    each pair shares as weights (Light 1971, weighted).
    """
    found = []
    for code in codes:
        marks = presence(codings, readings, code)
        double = marks[marks.notna().sum(axis=1) > 1]
        values: list[tuple[float, int]] = []
        for a, b in combinations(double.columns, 2):
            shared = double[[a, b]].dropna()
            value = kappa(shared[a].to_numpy(), shared[b].to_numpy()) if len(shared) else None
            if value is not None:
                values.append((value, len(shared)))
        weight = sum(n for _, n in values)
        found.append(
            Agreement(
                code,
                sources=int(marks.max(axis=1).eq(1).sum()) if len(marks) else 0,
                read=len(marks),
                double=len(double),
                double_read=int(double.notna().to_numpy().sum()),
                double_found=int(double.eq(1).to_numpy().sum()),
                alpha=alpha(double) if len(double) else None,
                kappa=sum(v * n for v, n in values) / weight if weight else None,
                pairs=len(values),
            )
        )
    return found
