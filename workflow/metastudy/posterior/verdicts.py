"""Verdicts: which word a posterior earns, and whether it is on the border of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Any, Literal

__all__ = ["CLAIMS", "CUTS", "ERRORS", "KINDS", "ROPES", "Kind", "Verdict", "judge", "wrong_signs"]

Kind = Literal["clear_higher", "clear_lower", "too_small", "higher", "lower", "undecided"]
# In the order in which they are asked for.
KINDS: tuple[Kind, ...] = (
    *("clear_higher", "clear_lower", "too_small"),
    *("higher", "lower", "undecided"),
)
# What says of an effect which sign it has: clear, or of open size.
CLAIMS: tuple[Kind, ...] = ("clear_higher", "clear_lower", "higher", "lower")
CUTS = ("clear", "too_small", "direction")  # settings of `report`, in the order of the verdicts
ERRORS = 2  # Monte Carlo errors between a probability and its cut within which it is on the border
# The setting that holds the half-width of the region of practical equivalence of a metric; what is
# not here, such as shares and percentages of a scale, has none.
ROPES: Mapping[str, str] = {
    "sd": "rope_sd",
    "latent_sd": "rope_sd",
    **dict.fromkeys(("control_sd", "pooled_sd", "total_sd"), "rope_sd"),
    "log_odds": "rope_logit",
    "log_risk_ratio": "rope_logit",
    "log_rate_ratio": "rope_logit",
}


@dataclass(frozen=True)
class Verdict:
    """The word of an effect.

    ``clear_higher`` and ``clear_lower`` are clear; ``too_small`` is too small to matter; of
    ``higher`` and ``lower`` the direction is clear and the size open; else it is ``undecided``.
    ``sign`` is the larger probability of one sign, and ``border`` whether a probability that
    decided is within two Monte Carlo errors of its cut.
    """

    kind: Kind
    sign: float
    border: bool

    @property
    def claim(self) -> bool:
        """Whether it says which sign the effect has."""
        return self.kind in CLAIMS


def judge(row: Mapping[str, Any], cuts: Mapping[str, float]) -> Verdict:
    """Pass the verdict on one effect.

    Parameters
    ----------
    row : of :func:`metastudy.posterior.summarise.summarize`: ``above``, ``below`` and ``rope``, the
        posterior mass above, below and inside the region of practical equivalence (missing without
        one), ``positive``, that above zero, and ``ess``.
    cuts : ``clear``, ``too_small`` and ``direction``, the least probabilities of the words.

    Returns
    -------
    Verdict
        In this order: clear, too small to matter, direction clear and size open, undecided. Never
        from the probability that the absolute effect is large: that is near one for what is known
        least.
    """
    above, below, inside, positive = (
        float(row[name]) for name in ("above", "below", "rope", "positive")
    )
    up = positive >= 0.5
    sign = max(positive, 1 - positive)
    asked: list[tuple[float, float, Kind]] = []
    if not isnan(above):
        beyond: Kind = "clear_higher" if above >= below else "clear_lower"
        asked.append((max(above, below), cuts["clear"], beyond))
        asked.append((inside, cuts["too_small"], "too_small"))
    asked.append((sign, cuts["direction"], "higher" if up else "lower"))
    border = False
    for probability, cut, kind in asked:
        border |= abs(probability - cut) <= ERRORS * _error(probability, float(row["ess"]))
        if probability >= cut:
            return Verdict(kind, sign, border)
    return Verdict("undecided", sign, border)


def wrong_signs(verdicts: list[Verdict]) -> float:
    """How many of the claims are expected to have the wrong sign: the sum of 1 - sign over them."""
    return sum(1 - verdict.sign for verdict in verdicts if verdict.claim)


def _error(probability: float, ess: float) -> float:
    """Monte Carlo error of a probability; of 0 and 1 too, as if half a draw were on each side."""
    if isnan(ess) or ess <= 0:
        return 0.0
    p = (probability * ess + 0.5) / (ess + 1)
    return sqrt(p * (1 - p) / ess)
