"""Verdicts: which word an interval and a probability of direction earn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["KINDS", "ROPES", "Kind", "judge"]

Kind = Literal["higher", "lower", "equivalent", "imprecise"]
KINDS: tuple[Kind, ...] = ("higher", "lower", "equivalent", "imprecise")
# The setting that holds the half-width of the region of practical equivalence of a metric; shares
# and percentages of a scale have none of their own.
ROPES: Mapping[str, str] = {
    "sd": "rope_sd",
    "latent_sd": "rope_sd",
    "log_odds": "rope_logit",
    "log_risk_ratio": "rope_logit",
}


def judge(lower: float, upper: float, pd: float, rope: float, direction: float) -> Kind:
    """Pass the verdict on one contrast.

    Parameters
    ----------
    lower, upper : the credible interval.
    pd : probability of direction.
    rope : half-width of the region of practical equivalence, in the contrast's own metric.
    direction : least probability of direction from which a direction is claimed.

    Returns
    -------
    ``equivalent`` if the whole interval lies in the region, whatever its sign; else ``higher`` or
    ``lower`` if the interval excludes zero and ``pd`` reaches ``direction``; else ``imprecise``.
    """
    if -rope <= lower and upper <= rope:
        return "equivalent"
    if pd >= direction and (lower > 0 or upper < 0):
        return "higher" if lower > 0 else "lower"
    return "imprecise"
