"""Gates of refits: whether what is read from one is known well enough to be counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

__all__ = ["converged", "missed"]


def converged(effects: xr.DataArray) -> dict[str, np.ndarray]:
    """R-hat and effective sample sizes of what is read from a refit.

    Parameters
    ----------
    effects : draws of population effects, dims (chain, draw, effect).

    Returns
    -------
    dict
        ``rhat``, ``ess_bulk`` and ``ess_tail``, shape (effect,). Means are what is read, and
        probabilities of a direction: ``ess_bulk`` is the smaller one of a mean and of its sign.
        Chains that do not move count as the worst.
    """
    import arviz as az  # as of a table of refits no draw is read, its figures do not pay for it

    data = effects.rename("x").to_dataset()
    with np.errstate(divide="ignore", invalid="ignore"):
        rhat = az.rhat(data)["x"].values
        bulk, tail = (az.ess(data, method=method)["x"].values for method in ("bulk", "tail"))
        sign = (effects > 0).astype(float)
        of_sign = az.ess(sign.rename("x").to_dataset(), method="mean")["x"].values
    varies = (sign.max(("chain", "draw")) > sign.min(("chain", "draw"))).values
    bulk = np.where(varies & np.isfinite(of_sign), np.minimum(bulk, of_sign), bulk)
    worst = {"rhat": (rhat, np.inf), "ess_bulk": (bulk, 0.0), "ess_tail": (tail, 0.0)}
    return {name: np.where(np.isnan(found), bad, found) for name, (found, bad) in worst.items()}


WORDS = {"rhat": "R-hat", "ess_bulk": "bulk ESS", "ess_tail": "tail ESS"}


def missed(
    found: Mapping[str, Iterable[float]], divergences: int, thresholds: Mapping[str, float]
) -> str:
    """Which gates a refit misses, in words; empty where it passes all of them.

    Parameters
    ----------
    found : any of ``rhat``, ``ess_bulk`` and ``ess_tail``, one for each effect.
    thresholds : largest ``rhat`` and ``divergences``, smallest ``ess_bulk`` and ``ess_tail``.
    """
    said = []
    for gate, values in found.items():
        limit, over = float(thresholds[gate]), gate == "rhat"
        # NumPy keeps what is not a number, and that passes no gate.
        worst = float(np.max(list(values)) if over else np.min(list(values)))
        if not (worst <= limit if over else worst >= limit):
            said.append(f"{WORDS[gate]} {worst:.4g} (gate {limit:.4g})")
    if divergences > thresholds["divergences"]:
        said.append(f"{divergences} divergences (gate {thresholds['divergences']:.0f})")
    return "; ".join(said)
