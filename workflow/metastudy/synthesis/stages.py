"""The models of the second stage: what is pooled with what, and with which priors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.priors import Prior
from metastudy.synthesis.pooling import SecondStage, explore, plans
from metastudy.synthesis.priors import prior_of
from metastudy.synthesis.published_effects import published
from metastudy.synthesis.study_estimates import estimates

__all__ = ["burdens", "gather", "pool", "stages"]


def gather(
    cells: list[xr.Dataset],
    effects: pd.DataFrame,
    vocabulary: Vocabulary,
    allowed: Collection[str] = (),
) -> tuple[pd.DataFrame, np.ndarray]:
    """Unpooled estimates of all modules and published effects, with one covariance matrix.

    Parameters
    ----------
    allowed : standardisers of published effects that pool as they are.
    """
    here = {s["citation"] for c in cells for s in json.loads(c.attrs["studies"]).values()}
    found = [estimates(c, vocabulary) for c in cells]
    found.append(published(effects, here, vocabulary, allowed))
    table = pd.concat([rows for rows, _ in found], ignore_index=True)
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
        for found in plans(own, covariance[np.ix_(mine, mine)]):
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
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.synthesis import model as synthesis_model

    given = (found.table["estimate"].to_numpy(), found.covariance, found.design)
    own = (prior_of(priors, name, metric, found.unit) for name in ("mu", "tau"))
    model = synthesis_model.build(*given, *own)
    fitted = draw(compile_model(model), sampling, int(sampling.get("cores", 1)))
    posterior = fitted["posterior"].to_dataset()
    complete = synthesis_model.add_levels(posterior, *given, sampling["seed"])
    return xr.DataTree.from_dict(
        {"posterior": complete, "sample_stats": fitted["sample_stats"].to_dataset()}
    )
