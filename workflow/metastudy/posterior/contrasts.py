"""Contrasts of a fit: one long table for all kinds of models, and the draws."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.base import Row
from metastudy.models.registry import model_of
from metastudy.posterior.summarise import summarize

__all__ = ["COLUMNS", "Contrasts", "contrasts"]

COLUMNS = list(result_tables.CONTRAST)


class Contrasts:
    """Draws of every contrast of a module with the table that says what each of them is."""

    def __init__(self, rows: Iterator[Row]):
        described, draws = zip(*rows, strict=True)
        self.index = pd.DataFrame(list(described), columns=COLUMNS).astype("str").fillna("")
        ids = [
            "|".join(str(v) for v in r if v)
            for r in self.index[COLUMNS[1:]].drop(columns=["provenance", "note"]).to_numpy()
        ]
        self.index.insert(0, "id", ids)
        self.draws = xr.concat(
            [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
            pd.Index(ids, name="contrast"),
        ).transpose("chain", "draw", "contrast")

    def table(self, interval: float, ropes: Mapping[str, float] | None = None) -> pd.DataFrame:
        """One row per contrast: what it is, then :func:`metastudy.posterior.summarise.summarize`.

        Parameters
        ----------
        interval : probability of the credible intervals.
        ropes : half-width of the region of practical equivalence of effects, by metric.
        """
        effect = self.index["estimand"].isin(["effect", "difference", "moderator"]).to_numpy()
        half = self.index["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
        numbers = summarize(self.draws, interval, np.where(effect, half, np.nan))
        numbers = numbers.reset_index(drop=True)
        return pd.concat([self.index, numbers], axis=1)


def contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    seed: int = 0,
    smallest: int = 1,
    decided: Collection[str] = (),
) -> Contrasts:
    """All contrasts of a module.

    Parameters
    ----------
    cells : what the model saw.
    posterior : its draws.
    seed : of the predictions for new countries, sectors and studies.
    smallest : a country or sector with fewer interviews has no prevalence of its own.
    decided : parameters that their prior decides
        (:func:`metastudy.posterior.heterogeneity.decided_by_prior`).

    Returns
    -------
    Contrasts
        Effects of the answers in standard deviations of people within a setting (``sd``) and as
        shares of the scale (``pomp``); of items in those standard deviations, and in those of the
        latent answer to one item (``latent_sd``); of the codings in log-odds and, at the
        organisations studied, as differences of probability. Where a grouping of the design has a
        standard deviation there is a prediction for a setting that is not among those of the data;
        elsewhere the structure says why there is none.
    """
    rng = np.random.default_rng(seed)
    return Contrasts(model_of(cells).contrasts(cells, posterior, rng, smallest, decided))
