"""Refits of a module without each group and with other priors, from one compiled model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import join_values
from metastudy.model_checks.leave_group_out import refits, rows_left_out
from metastudy.models.kind import EFFECT as EFFECT_DIM
from metastudy.models.kind import KEY_OF_EFFECT
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of
from metastudy.posterior.summarise import NUMBERS, summarize

__all__ = ["EFFECT", "REFITS", "described", "refit", "summary"]

EFFECT = list(result_tables.EFFECT)
REFITS = result_tables.columns("refits")


def refit(
    cells: xr.Dataset,
    posterior: xr.Dataset,
    priors: Mapping[str, Prior],
    sampling: Mapping[str, Any],
    interval: float,
    rope: float,
) -> tuple[pd.DataFrame, dict[str, xr.Dataset]]:
    """All refits of a module with one compiled model.

    Parameters
    ----------
    cells, posterior : what the module was fitted to, and its draws.
    priors : of the whole fit (:func:`metastudy.models.priors.priors_of`); refits vary them.
    sampling : of the refits, as in :func:`metastudy.inference.sampling.draw`.
    interval : probability of the equal-tailed intervals.
    rope : half-width of the region of practical equivalence of the module's effects.

    Returns
    -------
    table, draws
        One row per refit and population effect that it still has data about (``REFITS``), and the
        posteriors with the standard deviations between groups fixed, by name.
    """
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.data_vector import pack

    model = model_of(cells)
    compiled = compile_model(model.build(cells, priors))
    reference = model.population_effects(posterior, cells)
    done: dict[bytes, pd.DataFrame] = {}  # a country of one study is left out with it
    tables, pooling = [], {}
    for one in refits(cells, priors):
        print(f"refit: {one.kind} {one.group}", flush=True)
        given = pack(one.cells, one.priors, one.fixed_tau, one.fixed_outcomes)
        if given.tobytes() not in done:
            tree = draw(compiled, sampling, 1, given)
            draws, stats = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
            effects, has_data = model.population_effects(draws, cells), model.covered(one.cells)
            done[given.tobytes()] = summary(effects, reference, has_data, interval, rope).assign(
                divergences=int(stats["diverging"].sum())
            )
            if one.kind == "pooling":
                pooling[one.group] = draws
        left_out = rows_left_out(cells, one.cells)
        table = done[given.tobytes()].assign(kind=one.kind, group=one.group, left_out=left_out)
        tables.append(table)
    return described(cells, pd.concat(tables, ignore_index=True))[REFITS], pooling


def summary(
    draws: xr.DataArray,
    reference: xr.DataArray,
    has_data: xr.DataArray,
    interval: float,
    rope: float,
) -> pd.DataFrame:
    """Effects of a refit that have data, beside those of the whole fit.

    Parameters
    ----------
    draws, reference : dims (chain, draw, effect).
    has_data : dims (effect,); an effect without data is its prior and has no row.
    """
    over = ("chain", "draw")
    kept = np.flatnonzero(has_data.values)
    if not len(kept):  # without the only group that an exposure was compared in
        columns = dict.fromkeys((*NUMBERS, "rhat", "shift"), float) | dict.fromkeys(
            KEY_OF_EFFECT, str
        )
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    draws, reference = (each.isel({EFFECT_DIM: kept}) for each in (draws, reference))
    keys = {name: draws[name].values.astype(str) for name in KEY_OF_EFFECT}
    bare = draws.drop_vars(list(KEY_OF_EFFECT)).assign_coords({EFFECT_DIM: np.arange(len(kept))})
    numbers = summarize(bare.transpose(*over, EFFECT_DIM), interval, rope).reset_index(drop=True)
    shift = (draws.mean(over) - reference.mean(over)) / reference.std(over, ddof=1)
    return numbers.assign(
        **keys, rhat=az.rhat(bare.rename("x").to_dataset())["x"].values, shift=shift.values
    )


def described(cells: xr.Dataset, table: pd.DataFrame) -> pd.DataFrame:
    """A table of effects with their module, type of exposure and provenance."""
    types = dict(zip(cells.exposure.values, cells.exposure_type.values, strict=True))
    studies = json.loads(cells.attrs["studies"]).values()
    return table.assign(
        module=cells.attrs["module"],
        exposure_type=table["exposure"].map(types),
        metric=model_of(cells).metric,
        provenance=join_values(study["provenance"] for study in studies),
    )
