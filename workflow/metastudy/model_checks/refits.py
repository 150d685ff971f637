"""Refits of a module without each group and with other priors, from one compiled model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import join_values
from metastudy.inference.refit_gates import converged, missed
from metastudy.model_checks.leave_group_out import (
    CORRELATION,
    RESTS,
    Refit,
    refits,
    rows_left_out,
    speaks_of,
)
from metastudy.model_checks.priors import log_priors
from metastudy.model_checks.reweighting import LARGEST_K, pareto_weights, weighted_summary
from metastudy.models.kind import EFFECT as EFFECT_DIM
from metastudy.models.kind import KEY_OF_EFFECT, Model
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of
from metastudy.posterior.summarise import NUMBERS, summarize

__all__ = ["EFFECT", "HOW", "REFITS", "Settings", "described", "refit", "summary"]

EFFECT = list(result_tables.EFFECT)
REFITS = result_tables.columns("refits")
HOW = ("sampled", "reweighted", "not run")
DRAWS_KEPT = ("pooling", CORRELATION)  # kinds
LONGER = 4  # warm-up and draws of a refit that has missed a gate, over those of the others
WITHOUT = "without_"
CONVERGED = ("rhat", "ess_bulk", "ess_tail")


@dataclass(frozen=True)
class Settings:
    """How refits are made and summarised.

    ``sampling`` as in :func:`metastudy.inference.sampling.draw`; ``gates`` as in
    :func:`metastudy.inference.refit_gates.missed`; ``interval`` is the probability of the
    equal-tailed intervals, ``rope`` the half-width of the region of practical equivalence.
    """

    sampling: Mapping[str, Any]
    gates: Mapping[str, float]
    interval: float
    rope: float


def refit(
    cells: xr.Dataset, posterior: xr.Dataset, priors: Mapping[str, Prior], settings: Settings
) -> tuple[pd.DataFrame, dict[str, xr.Dataset]]:
    """All refits of a module with one compiled model.

    A prior of another width is a refit by the weights of the draws that there are, where those are
    reliable. All else is sampled; what then misses a gate is sampled once more with longer chains,
    and what misses it still says so in its rows, which nothing counts. A group is left out for the
    effects that it has data about, and where it has all of them, the row says what they rest on.

    Parameters
    ----------
    cells, posterior : what the module was fitted to, and its draws.
    priors : of the whole fit (:func:`metastudy.models.priors.priors_of`); refits vary them.

    Returns
    -------
    table, draws
        One row per refit and population effect that it is about (``REFITS``), and the posteriors
        with the standard deviations between groups fixed, or another correlation assumed, by name;
        each says in its attribute ``missed`` which gates it misses.
    """
    from metastudy.inference.sampling import compile_model
    from metastudy.models.data_vector import pack

    model = model_of(cells)
    built = model.build(cells, priors)
    sampled = [str(v.name) for v in built.free_RVs]
    plain = log_priors(cells, posterior, priors, sampled)
    reference = model.population_effects(posterior, cells)
    covered = model.covered(cells)
    compiled = compile_model(built)
    done: dict[bytes, pd.DataFrame] = {}  # a country of one study is left out with it
    tables, kept = [], {}
    for one in refits(cells, priors, [str(key) for key in plain]):
        about, rests = _about(model, cells, one, covered)
        if rests.any():
            tables.append(_not_run(reference, rests, one))
        if not about.any() and one.kind != "pooling":  # whose draws are compared row by row
            continue
        table, k = None, np.nan
        if one.kind == "prior":
            ratio = log_priors(cells, posterior, priors, sampled, one.priors) - plain
            table, k = _reweighted(reference, about, ratio, settings)
        if table is None:
            given = pack(one.cells, one.priors, one.fixed_tau, one.fixed_outcomes)
            if given.tobytes() not in done:
                has_data = model.covered(one.cells)
                print(f"refit: {one.kind} {one.group}", flush=True)
                found = _sampled(compiled, model, cells, given, reference, has_data, settings)
                done[given.tobytes()], draws = found
                if one.kind in DRAWS_KEPT:
                    kept[one.group] = draws
            table = done[given.tobytes()].loc[about.values]
        left_out = rows_left_out(cells, one.cells)
        tables.append(table.assign(kind=one.kind, group=one.group, left_out=left_out, k=k))
    return described(cells, pd.concat(tables, ignore_index=True))[REFITS], kept


def _about(
    model: Model, cells: xr.Dataset, one: Refit, covered: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Which effects a refit is about, and which rest on the group that it leaves out."""
    if not one.kind.startswith(WITHOUT):
        return covered, xr.zeros_like(covered)
    mine = covered & speaks_of(cells, one.kind.removeprefix(WITHOUT), one.group)
    others = model.covered(one.cells)
    return mine & others, mine & ~others


def _not_run(reference: xr.DataArray, rests: xr.DataArray, one: Refit) -> pd.DataFrame:
    """Rows of effects that no other group has data about."""
    kept = np.flatnonzero(rests.values)
    keys = {name: reference[name].values[kept].astype(str) for name in KEY_OF_EFFECT}
    numbers = dict.fromkeys((*NUMBERS, "rhat", "shift", "k"), np.nan)
    note = RESTS.format(one.kind.removeprefix(WITHOUT))
    about: dict[str, Any] = {"kind": one.kind, "group": one.group, "left_out": np.nan}
    said: dict[str, Any] = {"how": "not run", "note": note, "missed": "", "divergences": 0}
    return pd.DataFrame(keys).assign(**numbers, **about, **said)


def _reweighted(
    reference: xr.DataArray, about: xr.DataArray, ratio: xr.Dataset, settings: Settings
) -> tuple[pd.DataFrame | None, float]:
    """A refit with other priors by weights, or None where they are not reliable, and their k."""
    total = sum(ratio.values(), start=xr.zeros_like(next(iter(ratio.values()))))
    weights, k = pareto_weights(total.transpose("chain", "draw").values)
    if not k < LARGEST_K:
        return None, k
    draws = reference.isel({EFFECT_DIM: np.flatnonzero(about.values)})
    draws = draws.transpose("chain", "draw", EFFECT_DIM)
    keys = {name: draws[name].values.astype(str) for name in KEY_OF_EFFECT}
    bare = draws.drop_vars(list(KEY_OF_EFFECT)).assign_coords(
        {EFFECT_DIM: np.arange(draws.sizes[EFFECT_DIM])}
    )
    found = weighted_summary(bare, weights, settings.interval, settings.rope)
    if missed({name: found[name] for name in ("ess_bulk", "ess_tail")}, 0, settings.gates):
        return None, k
    over = ("chain", "draw")
    shift = (found["mean"] - draws.mean(over).values) / draws.std(over, ddof=1).values
    said: dict[str, Any] = {"how": "reweighted", "note": "", "missed": "", "divergences": 0}
    return found.assign(**keys, shift=shift, rhat=np.nan, **said), k


def _sampled(
    compiled: Any,
    model: Model,
    cells: xr.Dataset,
    given: np.ndarray,
    reference: xr.DataArray,
    has_data: xr.DataArray,
    settings: Settings,
) -> tuple[pd.DataFrame, xr.Dataset]:
    """A refit by sampling, once more with longer chains where it misses a gate."""
    from metastudy.inference.sampling import draw

    target = settings.sampling["target_accept"]
    for longer in (1, LONGER):
        chains = {name: settings.sampling[name] * longer for name in ("tune", "draws")}
        tree = draw(compiled, {**settings.sampling, **chains, "target_accept": target}, 1, given)
        draws, stats = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
        effects, divergences = model.population_effects(draws, cells), int(stats["diverging"].sum())
        table = summary(effects, reference, has_data, settings.interval, settings.rope)
        gates = {name: table[name] for name in CONVERGED}
        wrong = missed(gates, divergences, settings.gates) if len(table) else ""
        if not wrong:
            break
        print(f"  missed: {wrong}", flush=True)
        target = float(stats["target_accept"])  # of the last retry after divergences
    said: dict[str, Any] = {"how": "sampled", "note": "", "missed": wrong}
    whole = table.set_index(np.flatnonzero(has_data.values)).reindex(range(len(has_data)))
    return whole.assign(**said, divergences=divergences), draws.assign_attrs(missed=wrong)


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
        columns = dict.fromkeys((*NUMBERS, *CONVERGED, "shift"), float) | dict.fromkeys(
            KEY_OF_EFFECT, str
        )
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    draws, reference = (each.isel({EFFECT_DIM: kept}) for each in (draws, reference))
    keys = {name: draws[name].values.astype(str) for name in KEY_OF_EFFECT}
    bare = draws.drop_vars(list(KEY_OF_EFFECT)).assign_coords({EFFECT_DIM: np.arange(len(kept))})
    bare = bare.transpose(*over, EFFECT_DIM)
    numbers = summarize(bare, interval, rope).reset_index(drop=True)
    shift = (draws.mean(over) - reference.mean(over)) / reference.std(over, ddof=1)
    found = converged(bare)
    ess = np.minimum(found["ess_bulk"], found["ess_tail"])
    return numbers.assign(**keys, **found, ess=ess, shift=shift.values)


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
