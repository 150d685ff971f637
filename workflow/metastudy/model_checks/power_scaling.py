"""Power-scaling: how a posterior moves when prior or likelihood is raised to a power near one."""

from __future__ import annotations

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.model_checks.refits import described
from metastudy.models.kind import EFFECT
from metastudy.models.registry import model_of
from metastudy.posterior.power import SENSITIVE, moved, tree_of

__all__ = ["POWER", "power_scaling"]

POWER = result_tables.columns("power")


def power_scaling(cells: xr.Dataset, posterior: xr.Dataset, log_prior: xr.Dataset) -> pd.DataFrame:
    """How much the effects move when prior or likelihood is raised to a power near one.

    All top-level priors are scaled, together and each by itself (:mod:`metastudy.posterior.power`);
    those of levels and effects of groups are a part of the model, and scaling them would scale the
    hierarchy.

    Parameters
    ----------
    posterior : draws with ``log_likelihood``.
    log_prior : log-density of each prior in them, by its key
        (:func:`metastudy.model_checks.priors.log_priors`).

    Returns
    -------
    pandas.DataFrame
        ``POWER``: both sensitivities per population effect with data, and what they mean.
    """
    model = model_of(cells)
    effects = model.population_effects(posterior, cells)
    tree = tree_of(effects, log_prior, posterior["log_likelihood"])
    changes = dict(moved(tree))
    keys = [str(name) for name in log_prior]
    each = np.stack([_by_itself(tree, key) for key in keys])  # (key, effect)
    most = xr.DataArray(np.array(keys)[each.argmax(axis=0)], dims=EFFECT)
    changes |= {"key": most, "by_key": xr.DataArray(each.max(axis=0), dims=EFFECT)}
    table = xr.Dataset({**changes, "has_data": model.covered(cells)}).to_dataframe().reset_index()
    table = table[table.pop("has_data")].drop(columns=EFFECT, errors="ignore")
    table = table.reset_index(drop=True)
    prior, likelihood = table["prior"] > SENSITIVE, table["likelihood"] > SENSITIVE
    table["diagnosis"] = np.select([prior & likelihood, prior], ["conflict", "strong_prior"], "")
    return described(cells, table)[POWER]


def _by_itself(tree: xr.DataTree, key: str) -> np.ndarray:
    """Sensitivity to one prior, shape (effect,); none to one that is flat, as LKJ with shape 1."""
    if np.ptp(tree["log_prior"][key].values) == 0:
        return np.zeros(tree["posterior"].sizes[EFFECT])
    found = az.psense(tree, var_names="size", group="prior", group_var_names=[key])["size"]
    return np.nan_to_num(found.values)
