"""Priors of another width: what modules and the second stage are refitted with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from metastudy.models.priors import Prior

__all__ = ["ALL", "VARIANTS", "variants", "widened"]

VARIANTS = {"half": 0.5, "double": 2.0}
ALL = "all"  # priors at once


def widened(prior: Prior, factor: float) -> Prior:
    """The same family, that many times as wide.

    Beta and LKJ priors have no scale: their numbers, of which larger ones are narrower, are divided
    by the factor.
    """
    if "scale" in prior.numbers:
        return prior.scaled(factor)
    return replace(prior, numbers={name: value / factor for name, value in prior.numbers.items()})


def variants(
    priors: Mapping[str, Prior], keys: Collection[str]
) -> Iterator[tuple[str, str, dict[str, Prior]]]:
    """All priors with one of another width, and with all of those of some keys.

    Parameters
    ----------
    priors : by the configuration's keys.
    keys : of the priors that a model has.

    Yields
    ------
    key, variant, priors
        The key that is varied, :data:`ALL` where there are several and all are; a name of
        :data:`VARIANTS`; and the priors by their keys.
    """
    for key in (*keys, *[ALL] * (len(keys) > 1)):
        varied = keys if key == ALL else (key,)
        for name, factor in VARIANTS.items():
            yield (
                key,
                name,
                {k: widened(p, factor) if k in varied else p for k, p in priors.items()},
            )
