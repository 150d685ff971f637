"""Results of the second stage: pooled effects, heterogeneity, predictions, inconsistency."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common.tables import join_values
from metastudy.design.effects import Part
from metastudy.design.identification import SETTING, Component
from metastudy.design.moderators import places_of
from metastudy.design.new_settings import DECIDED, NEXT, Draws, next_in, predictions
from metastudy.models.priors import OF_METRIC, Prior
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.families import FAMILY
from metastudy.synthesis.nesting import Nesting
from metastudy.synthesis.pooling import ESTIMAND, SecondStage
from metastudy.synthesis.weights import weights

__all__ = ["UNIT", "inconsistency", "results"]

# Said of a population mean in a metric without priors of its own.
UNIT = "priors as for SDs, with {:.3g} for one: half the median of root n times the error"


def results(
    found: SecondStage,
    posterior: xr.Dataset,
    interval: float,
    seed: int,
    ropes: Mapping[str, float] | None = None,
    decided: Collection[str] = (),
    effect: Prior | None = None,
) -> pd.DataFrame:
    """Population means, every group's shrunken effect, and predictions for new settings.

    The effect of a study is that of all its estimates of an estimand; of a country or a sector it
    is the mean of new studies there. Predictions are those of
    :mod:`metastudy.design.new_settings`. All but the studies' own effects are at the mean of a
    numeric moderator and at the reference of a category.

    Parameters
    ----------
    found : the plan that was fitted.
    posterior : its draws, with ``level`` and ``tau``.
    interval : probability of the credible intervals.
    seed : of the predictions.
    ropes : half-width of the region of practical equivalence, by metric.
    decided : parameters that their prior decides; a prediction that contains one says so.
    effect : prior of the means, for ``prior_pull``: how far it moves a mean, in posterior standard
        deviations, to the first order. A mean in a family has the family's for a prior, and none.

    Returns
    -------
    pandas.DataFrame
        A row a quantity; ``weight`` is what a study weighs in its mean, of its own row alone. The
        row of a family, level ``family``, has the family for an outcome: the mean that its outcomes
        share, as one with a positive sign has it.
    """
    rows, draws = zip(*_quantities(found, posterior, seed, decided), strict=True)
    stacked = xr.concat(
        [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
        pd.RangeIndex(len(draws), name="row"),
    ).transpose("chain", "draw", "row")
    table = pd.DataFrame(list(rows))
    half = table["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
    numbers = summarize(stacked, interval, half).reset_index(drop=True)
    pull = np.full(len(table), np.nan)
    if effect is not None:
        pooled = found.families.pooled if found.families else ()
        shrunk = [found.design.means[at] for at in pooled]
        mean = (table["level"].isin(["population", FAMILY]) & ~table["id"].isin(shrunk)).to_numpy()
        pull[mean] = [effect.pull(m, s) for m, s in numbers.loc[mean, ["mean", "sd"]].to_numpy()]
    made = pd.concat([table, numbers], axis=1).assign(prior_pull=pull)
    return made.merge(_weights(found, posterior), "left", ["id", "level", "group"])


def _weights(found: SecondStage, posterior: xr.Dataset) -> pd.DataFrame:
    """What each study weighs in its population mean, with the Monte Carlo error of it."""
    rows = [pd.DataFrame(columns=["id", "level", "group", "weight", "weight_mcse"])]
    for name in found.estimands["id"]:
        if name == "all":
            continue
        at = _rows_of(found, name)
        own = found.table.iloc[at].reset_index(drop=True)
        part = Part(name, "", at, None, found.found[name], np.arange(len(at)))
        fixed = [*found.moderation[name].fixed.values()] if name in found.moderation else []
        each = weights(part, found.covariance[np.ix_(at, at)], posterior, fixed)
        studies = own.groupby("study", sort=False).groups
        of_study = xr.concat(
            [each.isel(estimate=list(mine)).sum("estimate") for mine in studies.values()], "study"
        ).transpose("chain", "draw", "study")
        error = az.mcse(of_study.rename("x").to_dataset())["x"].to_numpy()
        mean = of_study.mean(("chain", "draw")).to_numpy()
        rows.append(
            pd.DataFrame({"group": [*studies], "weight": mean, "weight_mcse": error}).assign(
                id=name, level="study"
            )
        )
    return pd.concat(rows, ignore_index=True).astype({"weight": float, "weight_mcse": float})


def _rows_of(found: SecondStage, name: str) -> np.ndarray:
    """Places of an estimand's estimates in the table."""
    (estimand,) = (row for _, row in found.estimands.iterrows() if row["id"] == name)
    return np.flatnonzero(found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1))


def _quantities(
    found: SecondStage, posterior: xr.Dataset, seed: int, decided: Collection[str]
) -> Iterator[tuple[dict[str, Any], xr.DataArray]]:
    rng = np.random.default_rng(seed)
    for _, estimand in found.estimands.iterrows():
        name, own = estimand["id"], found.found[estimand["id"]]
        mine = (
            found.table
            if name == "all"
            else found.table[found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1)]
        )
        base = {
            **estimand,
            "studies": mine["study"].nunique(),
            "provenance": join_values(mine["provenance"]),
            "note": "",
            "group": "",
        }
        part = Part(name, "", mine.index.to_numpy(), None, own, np.arange(len(mine)))
        mean = posterior["mu"].sel(mu_of=name)
        moderation, nested = found.moderation.get(name), found.nested.get(name, Nesting())
        notes = dict.fromkeys([*filter(None, mine.get("note", [])), *places_of(moderation)])
        if estimand["metric"] not in OF_METRIC:
            notes[UNIT.format(found.unit)] = None
        yield base | {"level": "population", "note": "; ".join(notes)}, mean
        if name != "all":
            for study, rows in mine.groupby("study", sort=False).groups.items():
                value = posterior["theta"].isel(row=list(rows)).mean("row")
                yield base | {"level": "study", "group": study}, value
        drawn = _drawn(part, posterior, rng)
        for component in drawn.components:
            if set(component.names) & {"study", SETTING, *nested.below} and name != "all":
                continue
            if "estimate" in component.names:
                continue
            first, *others = component.names
            alias = f"{first} and {' and '.join(others)} are one here" if others else ""
            for k, group in enumerate(component.levels):
                value = mean + drawn.level(component, k)
                yield base | {"level": first, "group": group, "note": alias}, value
                if first in ("country", "sector") and name != "all":
                    shift, new = next_in(component, k, drawn, nested.below)
                    row = {"level": f"{NEXT}{first}", "group": group}
                    yield base | row | {"note": _note(part, new, decided)}, mean + shift
        new_ones = predictions(own, drawn, nested.above, nested.below)
        for level, shift, new in new_ones if name != "all" else ():
            yield base | {"level": level, "note": _note(part, new, decided)}, mean + shift
    yield from _families(found, posterior)


def _families(
    found: SecondStage, posterior: xr.Dataset
) -> Iterator[tuple[dict[str, Any], xr.DataArray]]:
    """The mean of each family whose outcomes share one."""
    if (families := found.families) is None:
        return
    for at in families.directed:
        name = families.names[at]
        mine = found.estimands[(families.of_mean == at) & (families.sign != 0)]
        rows = found.table.merge(mine[ESTIMAND], on=ESTIMAND)
        first = mine.iloc[0]
        yield (
            {
                **first,
                "id": name,
                "outcome": first["family"],
                "level": FAMILY,
                "group": first["family"],
                "studies": rows["study"].nunique(),
                "provenance": join_values(rows["provenance"]),
                "note": "",
            },
            posterior["family_mean"].sel(directed_family=name),
        )


def _drawn(part: Part, posterior: xr.Dataset, rng: np.random.Generator) -> Draws:
    def tau(component: Component) -> xr.DataArray:
        return posterior["tau"].sel(tau_of=part.label(component))

    def level(component: Component, at: int) -> xr.DataArray:
        name = f"{part.label(component)}: {component.levels[at]}"
        return posterior["level"].sel(level_of=name)

    return Draws(part.found, tau, level, rng)


def _note(part: Part, new: Collection[str], decided: Collection[str]) -> str:
    """What a prediction says of the standard deviations that are new in it."""
    of = [c for c in part.found.components if c.name in new]
    return DECIDED * any(f"tau[{part.label(c)}]" in decided for c in of)


def inconsistency(found: SecondStage, posterior: xr.Dataset, interval: float) -> pd.DataFrame:
    """I²: the share of the variance of a typical estimate that each standard deviation makes up.

    It means something for an estimand with one estimate of each study, independent of the others,
    and is left out elsewhere. With spreads between countries beside those between studies each has
    a share of its own.

    Returns
    -------
    pandas.DataFrame
        ``parameter``, as :func:`metastudy.posterior.heterogeneity.taus` names it, and of the
        posterior of I² the mean ``i2``, the interval ``i2_lower`` and ``i2_upper``, and
        ``i2_mcse``, the Monte Carlo standard error of the mean.

    Notes
    -----
    The typical sampling variance is that of Higgins and Thompson (2002), equation 9, from the
    weights w, the inverse variances of k estimates:
    (k - 1) sum(w) / (sum(w)^2 - sum(w^2)).
    """
    shares: dict[str, xr.DataArray] = {}
    for _, estimand in found.estimands.iterrows():
        rows = found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1).to_numpy()
        own = found.covariance[np.ix_(rows, rows)]
        part = Part(
            estimand["id"],
            "",
            np.flatnonzero(rows),
            None,
            found.found[estimand["id"]],
            np.zeros(0, dtype=int),
        )
        varying = [c for c in part.found.components if c.shared]
        one_each = rows.any() and found.table.loc[rows, "study"].is_unique
        if not varying or not one_each or np.triu(own, 1).any():
            continue
        w = 1 / np.diag(own)
        typical = (len(w) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
        labels = [part.label(component) for component in varying]
        squares = [posterior["tau"].sel(tau_of=label, drop=True) ** 2 for label in labels]
        total = sum(squares) + typical
        shares |= {f"tau[{label}]": s / total for label, s in zip(labels, squares, strict=True)}
    columns = {"mean": "i2", "lower": "i2_lower", "upper": "i2_upper", "mcse": "i2_mcse"}
    if not shares:
        none = pd.DataFrame(columns=["parameter", *columns.values()])
        return none.astype(dict.fromkeys(columns.values(), float))
    draws = xr.concat([*shares.values()], "parameter")
    draws = draws.assign_coords(parameter=list(shares)).transpose("chain", "draw", "parameter")
    numbers = summarize(draws, interval)[list(columns)]
    return numbers.rename(columns=columns).reset_index()
