"""The models of the second stage: what is pooled with what, and with which priors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.design.moderators import moderators_of
from metastudy.models.priors import Prior
from metastudy.synthesis.declared import NOTHING, Declared, with_attributes
from metastudy.synthesis.families import family_signs
from metastudy.synthesis.influence import Fit
from metastudy.synthesis.nesting import EFFECT
from metastudy.synthesis.pooling import SecondStage, explore, plans
from metastudy.synthesis.priors import priors_of_plan
from metastudy.synthesis.published_effects import published
from metastudy.synthesis.study_estimates import estimates

__all__ = ["burdens", "fitter", "gather", "pool", "stages"]


def gather(
    cells: list[xr.Dataset],
    effects: pd.DataFrame,
    vocabulary: Vocabulary,
    allowed: Collection[str] = (),
    declared: Declared = NOTHING,
    correlation: float = 0.0,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Unpooled estimates of all modules and published effects, with one covariance matrix.

    Parameters
    ----------
    allowed : standardisers of published effects that pool as they are.
    declared : moderators, groupings and dependence that codebooks declare.
    correlation : see :func:`metastudy.synthesis.published_effects.published`.
    """
    found = [estimates(c, vocabulary) for c in cells]
    given = (allowed, declared.dependence, correlation)
    found.append(published(effects, vocabulary, *given))
    parts = [rows for rows, _ in found]
    table = pd.concat(parts, ignore_index=True).fillna({EFFECT: ""})
    table = with_attributes(table, declared.attributes, moderators_of(vocabulary))
    covariance = np.zeros((len(table), len(table)))
    start = 0
    for rows, block in found:
        covariance[start : start + len(rows), start : start + len(rows)] = block
        start += len(rows)
    return table, covariance


def burdens(vocabulary: Vocabulary) -> dict[str, int]:
    """Sign of each outcome in the exploratory model; a family of codes takes its own entry."""
    entries = {**vocabulary["constructs"], **vocabulary["families"]}
    return {name: entry["burden"] for name, entry in entries.items() if "burden" in entry}


def stages(
    table: pd.DataFrame, covariance: np.ndarray, vocabulary: Vocabulary
) -> Iterator[tuple[str, str, SecondStage]]:
    """The models that the estimates allow: what each is part of, its metric, its plan.

    Estimates in two metrics are of two estimands, and come from two modules or publications, so no
    covariance is lost between them.
    """
    for metric in dict.fromkeys(table["metric"]):
        mine = np.flatnonzero(table["metric"] == metric)
        own = table.iloc[mine].reset_index(drop=True)
        more = moderators_of(vocabulary), family_signs(vocabulary)
        for found in plans(own, covariance[np.ix_(mine, mine)], *more):
            yield "pooled", str(metric), found
    if whole := explore(table, covariance, burdens(vocabulary)):
        yield "exploratory", "sd", whole


def pool(
    found: SecondStage, priors: Mapping[str, Prior], sampling: Mapping[str, Any], metric: str = "sd"
) -> xr.DataTree:
    """Posterior of a second-stage model.

    Parameters
    ----------
    sampling : section of the configuration; chains run side by side (``cores``, one if left out).
    """
    return fitter(found, priors, metric)(found.covariance, sampling)


def fitter(found: SecondStage, priors: Mapping[str, Prior], metric: str = "sd") -> Fit:
    """A second-stage model, compiled once and fitted to one covariance after another.

    Each is zero where that of the plan is, and has chains of its own (``sampling``, with ``cores``
    where several run side by side), and other priors of the same families where it is given them.
    """
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.synthesis import model as synthesis_model

    estimate, design, slopes = found.table["estimate"].to_numpy(), found.design, found.slopes
    own = priors_of_plan(priors, metric, found)
    model = synthesis_model.build(
        estimate, found.covariance, design, *own, slopes=slopes, families=found.families
    )
    compiled = compile_model(model)

    def fit(
        covariance: np.ndarray,
        sampling: Mapping[str, Any],
        priors: Mapping[str, Prior] | None = None,
    ) -> xr.DataTree:
        others = own if priors is None else priors_of_plan(priors, metric, found)
        given = synthesis_model.packed(estimate, covariance, design, *others)
        fitted = draw(compiled, sampling, int(sampling.get("cores", 1)), given)
        draws = fitted["posterior"].to_dataset()
        more = (estimate, covariance, design, sampling["seed"], slopes)
        whole = synthesis_model.add_levels(draws, *more)
        stats = fitted["sample_stats"].to_dataset()
        return xr.DataTree.from_dict({"posterior": whole, "sample_stats": stats})

    return fit
