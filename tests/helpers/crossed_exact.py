"""An effect in countries by sectors, by integration and by REML, with nothing of the project's.

Every country has every sector once. Estimates are the mean, plus what a country, a sector and both
together differ by, plus a sampling error; all but the mean and three standard deviations is normal
and integrated out. Given those, a country's five estimates hang together, and sectors link them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

__all__ = ["Crossed", "Posterior"]


@dataclass(frozen=True)
class Posterior:
    """Means and SDs of the mean, and of the spreads of country, sector and both."""

    mean: np.ndarray
    sd: np.ndarray
    country: tuple[float, float] | None = None  # mean and SD of a new country's estimate


class Crossed:
    """Estimates of one effect, shape (country, sector), and their sampling variances."""

    def __init__(self, y: np.ndarray, v: np.ndarray) -> None:
        self.y, self.v = y, v

    def given(self, country: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, ...]:
        """What the estimates say of the sectors' effects, given two of the spreads.

        Returns
        -------
        precision (..., sector, sector), weighted estimates (..., sector), and minus twice the
        log-density where all sectors' effects are zero, shape (...), less a constant.
        """
        w = 1 / (self.v + both[..., None, None] ** 2)
        total = w.sum(-1)
        shrink = country[..., None] ** 2 / (1 + country[..., None] ** 2 * total)
        wy = w * self.y
        diagonal = w.sum(-2)[..., None] * np.eye(self.y.shape[1])
        precision = diagonal - np.einsum("...c,...cs,...ct->...st", shrink, w, w)
        weighted = wy.sum(-2) - np.einsum("...c,...cs,...c->...s", shrink, w, wy.sum(-1))
        square = (wy * self.y).sum((-1, -2)) - (shrink * wy.sum(-1) ** 2).sum(-1)
        logdet = -np.log(w).sum((-1, -2)) + np.log1p(country[..., None] ** 2 * total).sum(-1)
        return precision, weighted, square + logdet

    def with_sectors(
        self, country: np.ndarray, sector: np.ndarray, both: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Precision and weighted estimate of the mean, and the rest of minus twice the density."""
        precision, weighted, rest = self.given(country, both)
        eye = np.eye(self.y.shape[1])
        inner = eye + sector[..., None, None] ** 2 * precision
        solved = np.linalg.inv(inner) * sector[..., None, None] ** 2
        ones = precision.sum(-1)
        p = ones.sum(-1) - np.einsum("...s,...st,...t->...", ones, solved, ones)
        q = weighted.sum(-1) - np.einsum("...s,...st,...t->...", ones, solved, weighted)
        r = rest - np.einsum("...s,...st,...t->...", weighted, solved, weighted)
        return p, q, r + np.linalg.slogdet(inner)[1]

    def reml(self) -> tuple[float, float, np.ndarray]:
        """Mean, its standard error, and the spreads of country, sector and both by REML."""

        def deviance(tau: np.ndarray) -> float:
            p, q, r = self.with_sectors(*(np.array(one) for one in tau))
            return float(r - q**2 / p + np.log(p))

        found = optimize.minimize(
            deviance, [4.0, 3.0, 4.0], method="L-BFGS-B", bounds=[(0.0, None)] * 3
        )
        p, q, _ = self.with_sectors(*(np.array(one) for one in found.x))
        return float(q / p), float(p**-0.5), found.x

    def predicted_by_reml(self, new: np.ndarray) -> tuple[float, float]:
        """Mean and SD of another country's estimate with the spreads of REML taken as known.

        Parameters
        ----------
        new : its sampling variances (sector,); the estimate is the mean weighted by precision.
        """
        country, sector, both = self.reml()[2]
        precision, weighted, _ = self.given(np.array(country), np.array(both))
        a, shared = (1 / new) / (1 / new).sum(), np.c_[np.ones(len(new)), sector * np.eye(len(new))]
        joint = shared.T @ precision @ shared + np.diag([0.0, *np.ones(len(new))])
        inverse, weight = np.linalg.inv(joint), a @ shared
        own = country**2 + both**2 * (a**2).sum() + (a**2 * new).sum()
        mean = weight @ inverse @ shared.T @ weighted
        return float(mean), float(np.sqrt(weight @ inverse @ weight + own))

    def posterior(self, effect: Any, total: float, new: np.ndarray | None = None) -> Posterior:
        """The posterior on a grid.

        Parameters
        ----------
        effect : prior of the mean, a SciPy distribution.
        total : scale of the half-normal prior of the total of the three spreads, T; their squares
            share its square uniformly, so their density is 8 t1 t2 t3 p(T) / T^5.
        new : sampling variances of the estimates of another country (sector,): the mean of them,
            weighted by precision, is predicted.
        """
        each = [(np.arange(n) + 0.5) * high / n for n, high in ((36, 14), (44, 26), (36, 14))]
        tau = np.stack(np.meshgrid(*each, indexing="ij")).reshape(3, -1)
        whole = np.sqrt((tau**2).sum(0))
        prior = np.log(tau).sum(0) + stats.halfnorm.logpdf(whole, scale=total) - 5 * np.log(whole)
        p, q, r = self.with_sectors(*tau)
        mu = np.linspace((q / p).min() - 40, (q / p).max() + 40, 321)
        log = prior[:, None] + effect.logpdf(mu)
        log = log - 0.5 * (r[:, None] - 2 * q[:, None] * mu + p[:, None] * mu**2)
        mass = np.exp(log - log.max())
        mass /= mass.sum()
        nodes, over_mu = mass.sum(1), mass.sum(0)
        mean = np.r_[over_mu @ mu, tau @ nodes]
        square = np.r_[over_mu @ mu**2, tau**2 @ nodes]
        country = None
        if new is not None:
            country = self._predicted(tau, nodes, mass @ mu, mass @ mu**2, new)
        return Posterior(mean, np.sqrt(square - mean**2), country)

    def _predicted(
        self, tau: np.ndarray, nodes: np.ndarray, mu: np.ndarray, mu2: np.ndarray, new: np.ndarray
    ) -> tuple[float, float]:
        """Mean and SD of a new country's estimate; ``mu`` and ``mu2`` are times the mass."""
        kept = nodes > 1e-9
        tau, nodes, mu, mu2 = tau[:, kept], nodes[kept], mu[kept], mu2[kept]
        a = (1 / new) / (1 / new).sum()
        precision, weighted, _ = self.given(tau[0], tau[2])
        spread = np.linalg.inv(precision + np.eye(len(a)) / tau[1][:, None, None] ** 2)
        # Given the mean, sectors are at spread (weighted - mean times the precision's row sums).
        shift = np.einsum("s,nst,nt->n", a, spread, weighted)
        slope = 1 - np.einsum("s,nst,nt->n", a, spread, precision.sum(-1))
        own = np.einsum("s,nst,t->n", a, spread, a) + tau[0] ** 2
        own = own + tau[2] ** 2 * (a**2).sum() + (a**2 * new).sum()
        mean = float((shift * nodes + slope * mu).sum())
        square = ((own + shift**2) * nodes + 2 * shift * slope * mu + slope**2 * mu2).sum()
        return mean, float(np.sqrt(square - mean**2))
