"""Standardised shares: how many people of a setting would have an outcome in either arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import expit

from metastudy.codebook.interactions import INTERACTION, parts_of
from metastudy.models.answers.design import informed_effects
from metastudy.models.events.design import over_unknown_sites, predictors, setting_of_group
from metastudy.models.events.observations import average, coefficients

__all__ = ["Standardised", "compared"]

HALF = 0.5  # of a trait's standard deviation, on either side of where each person is


def compared(cells: xr.Dataset) -> Iterator[tuple[int, int, list[int]]]:
    """Exposures and outcomes whose shares can be set against each other, and their settings.

    An exposure with an interaction has no one difference of shares; it is left out.
    """
    ids = [str(e) for e in cells.exposure.values]
    kinds = cells.exposure_type.values
    inside = {part for e, kind in zip(ids, kinds, strict=True) if kind == INTERACTION
              for part in parts_of(e)}  # fmt: skip
    has = informed_effects(cells)
    for e, name in enumerate(ids):
        if name in inside or kinds[e] == INTERACTION:
            continue
        for k in np.flatnonzero(has[:, e].any(axis=0)):
            yield e, int(k), [int(j) for j in np.flatnonzero(has[:, e, k])]


@dataclass(frozen=True)
class Standardised:
    r"""Shares with an outcome among the people of each setting, whatever else they are.

    .. math:: \frac{1}{n_{jk}} \sum_{g \in j} n_{gk}
              \operatorname{logit}^{-1}(\alpha_{s(g)k} + b_{s(g)k}' x_g^{a})

    With the arm a in place of everybody's own: the other exposures and the sites stay as they are
    (Lane and Nelder 1982, Analysis of covariance and standardization as instances of prediction).
    Unlike an odds ratio within a site, it is of all people of the setting together.

    ``b`` are coefficients of sites, shape (S, site, coefficient, outcome), and ``tau`` their
    standard deviations between sites, shape (S, coefficient, outcome), or nothing without sites.
    """

    cells: xr.Dataset
    b: np.ndarray
    tau: np.ndarray | None
    like: xr.DataArray

    @classmethod
    def of(cls, cells: xr.Dataset, draws: xr.Dataset) -> Standardised:
        """Take the coefficients of all sites from draws with the dims ``chain`` and ``draw``."""
        names = [n for n in ("baseline", "beta", "site_effect", "site_tau") if n in draws]
        flat = draws[names].stack(sample=("chain", "draw"), create_index=False)
        flat = flat.transpose("sample", ...)
        tau = flat["site_tau"].values if len(over_unknown_sites(cells)) else None
        like = draws["baseline"].isel(setting=0, outcome=0, drop=True).transpose("chain", "draw")
        return cls(cells, coefficients(cells, flat), tau, like)

    @property
    def people(self) -> np.ndarray:
        """People who answered, shape (setting, outcome)."""
        total = np.zeros((self.cells.sizes["setting"], self.cells.sizes["outcome"]))
        np.add.at(total, setting_of_group(self.cells), self.cells.n.values)
        return total

    def share(self, setting: int, outcome: int) -> np.ndarray:
        """Of the people as they are, shape (S,)."""
        return self._mean(setting, outcome, predictors(self.cells))

    def sides(self, setting: int, exposure: int, outcome: int) -> tuple[np.ndarray, np.ndarray]:
        """In the reference arm and in the other one, shape (S,) each.

        Of a trait, half a standard deviation below and above where people are.
        """
        cells, x = self.cells, predictors(self.cells)
        of = cells.exposure_name.values == cells.exposure_name.values[exposure]
        of &= cells.exposure_type.values == cells.exposure_type.values[exposure]
        low, high = x.copy(), x.copy()
        if not cells.reference.values[exposure]:
            low[:, 1 + exposure] -= HALF
            high[:, 1 + exposure] += HALF
        elif cells.exposure_level.values[exposure]:  # zero or one, as are the other levels
            low[:, 1 + np.flatnonzero(of)] = high[:, 1 + np.flatnonzero(of)] = 0.0
            high[:, 1 + exposure] = 1.0
        else:
            low[:, 1 + exposure], high[:, 1 + exposure] = -0.5, 0.5
        return self._mean(setting, outcome, low), self._mean(setting, outcome, high)

    def draws(self, values: np.ndarray) -> xr.DataArray:
        """Values (S,) with the dims of the draws."""
        return self.like.copy(data=values.reshape(self.like.shape))

    def _mean(self, setting: int, outcome: int, x: np.ndarray) -> np.ndarray:
        n = self.cells.n.values[:, outcome]
        mine = (setting_of_group(self.cells) == setting) & (n > 0)
        # Groups that an arm makes alike are one: their number does not grow with the other arms.
        site = self.cells.site_of_group.values[mine]
        keys, at = np.unique(np.column_stack([site, x[mine]]), axis=0, return_inverse=True)
        weight = np.bincount(at.ravel(), n[mine]) / n[mine].sum()
        b = self.b[..., outcome][:, keys[:, 0].astype(int)]  # (S, group, coefficient)
        eta = np.einsum("gp,sgp->sg", keys[:, 1:], b)
        if self.tau is not None and not self.cells.sited.values[setting]:
            eta = average(eta, keys[:, 1:], self.tau[..., outcome])
        return np.asarray(expit(eta) @ weight)
