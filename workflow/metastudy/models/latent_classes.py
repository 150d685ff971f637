"""What coders do to a code, given whether it is truly there: two latent classes."""

from __future__ import annotations

from typing import Any

__all__ = ["pattern_probabilities"]


def pattern_probabilities(
    sensitivity: Any, specificity: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Probabilities of the patterns of one or two coders who are independent given the truth.

    Parameters
    ----------
    sensitivity, specificity : inside the unit interval; numbers, arrays or tensors of any shape.

    Returns
    -------
    present, absent
        Where the code is there, and where it is not: ``one``, a coder applies it, and ``not_one``;
        and of two coders ``both``, ``either`` (a certain one of them alone) and ``none``.

    References
    ----------
    Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates using the EM
    algorithm.
    """
    s, t = sensitivity, specificity
    present = {
        "one": s,
        "not_one": 1 - s,
        "both": s**2,
        "either": s * (1 - s),
        "none": (1 - s) ** 2,
    }
    absent = {
        "one": 1 - t,
        "not_one": t,
        "both": (1 - t) ** 2,
        "either": t * (1 - t),
        "none": t**2,
    }
    return present, absent
