"""Outcomes of a family in the second stage: their means around the family's, and beside that apart.

As in the modules (:mod:`metastudy.models.answers.effect_terms`), outcomes are of one family for one
exposure, type of exposure, role, response mode and metric, and a family has two of them at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.posterior.summarise import summarize

if TYPE_CHECKING:
    from metastudy.codebook.vocabulary import Vocabulary
    from metastudy.synthesis.pooling import SecondStage

__all__ = [
    *("ALIKE", "APART", "FAMILY", "LEAST", "Families"),
    *("apart", "beside", "families", "family_signs", "name_of_family"),
]

FAMILY = "family"  # level of a family's mean, in the results
LEAST = 2  # outcomes: one alone has the prior of an effect
ALIKE = ["exposure", "exposure_type", "family", "role", "response_mode", "metric"]
ENDS = ("mean", "sd", "lower", "upper")
APART = [f"{name}_apart" for name in ENDS]  # columns of a mean that is not shrunk to its family's


@dataclass(frozen=True)
class Families:
    """The families of the means of a plan.

    ``of_mean`` (mean,) are places among ``names``, -1 for an outcome alone; ``sign`` (mean,) is
    that of the outcome in its family, 0 where it has no direction.
    """

    names: tuple[str, ...]
    of_mean: np.ndarray
    sign: np.ndarray

    @property
    def pooled(self) -> np.ndarray:
        """Places of the means that are in a family."""
        return np.flatnonzero(self.of_mean >= 0)

    @property
    def directed(self) -> np.ndarray:
        """Places of the families with a mean of their own: two outcomes or more have a sign."""
        signed = np.bincount(
            self.of_mean[self.pooled], self.sign[self.pooled] != 0, len(self.names)
        )
        return np.flatnonzero(signed > 1)

    @property
    def place_of_centre(self) -> np.ndarray:
        """Which of the directed families each mean in a family is around, -1 around zero."""
        at = np.full(len(self.names), -1)
        at[self.directed] = np.arange(len(self.directed))
        return np.where(self.sign[self.pooled] != 0, at[self.of_mean[self.pooled]], -1)

    @property
    def directed_names(self) -> list[str]:
        """Names of the directed families."""
        return [self.names[at] for at in self.directed]


def name_of_family(row: Mapping[str, str], left_out: Sequence[str]) -> str:
    """The name of a family of a row with the columns of :data:`ALIKE`.

    Parameters
    ----------
    left_out : metrics that the name leaves out.
    """
    names = [name for name in ALIKE if name != "metric" or row[name] not in left_out]
    return "|".join(str(row[name]) for name in names)


def family_signs(vocabulary: Vocabulary) -> dict[str, int]:
    """Sign of each outcome that points where others of its family do, or the other way."""
    constructs = vocabulary["constructs"].items()
    return {name: entry["family_sign"] for name, entry in constructs if "family_sign" in entry}


def families(
    estimands: pd.DataFrame, signs: Mapping[str, int], left_out: Sequence[str]
) -> Families | None:
    """The families of a plan's estimands, if two of them are of one.

    Parameters
    ----------
    estimands : in the order of the means of the plan.
    signs : of the outcomes that have one in their family.
    left_out : see :func:`name_of_family`.
    """
    own = estimands[ALIKE].astype(str)
    name = pd.Series([name_of_family(dict(row), left_out) for _, row in own.iterrows()])
    names = list(dict.fromkeys(name[name.groupby(name).transform("size") >= LEAST]))
    if not names:
        return None
    of_mean = name.map({one: at for at, one in enumerate(names)}).fillna(-1).to_numpy(dtype=int)
    sign = estimands["outcome"].map(dict(signs)).fillna(0).to_numpy(dtype=int)
    return Families(tuple(names), of_mean, sign)


def apart(found: SecondStage) -> SecondStage:
    """The plan without its families: each mean has the prior of an effect."""
    return replace(found, families=None)


def beside(
    made: pd.DataFrame, found: SecondStage, draws: xr.Dataset | None, interval: float
) -> pd.DataFrame:
    """Results of a plan with each mean of a family as it is apart, columns :data:`APART`.

    Parameters
    ----------
    made : results of the plan (:func:`metastudy.synthesis.results.results`).
    draws : of the plan without families (:func:`apart`); none where there are none.
    interval : probability of the credible intervals.
    """
    made = made.assign(**dict.fromkeys(APART, np.nan))
    if found.families is None or draws is None:
        return made
    names = [found.design.means[at] for at in found.families.pooled]
    numbers = summarize(
        draws["mu"].sel(mu_of=names).transpose("chain", "draw", "mu_of"), interval
    ).set_axis(names)
    mine = (made["level"] == "population") & made["id"].isin(names)
    made.loc[mine, APART] = numbers.loc[made.loc[mine, "id"], list(ENDS)].to_numpy()
    return made
