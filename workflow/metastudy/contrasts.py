"""Contrasts: what a posterior says about each exposure, in one long table for all modules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.cells import between_settings, interviews, observed
from metastudy.design import Structure
from metastudy.summaries import NUMBERS, summarize
from metastudy.wording import JOINT

__all__ = ["COLUMNS", "Contrasts", "contrasts", "heterogeneity", "taus"]

COLUMNS = [
    "module",
    "variant",  # main, or error_free: every coding taken as true
    "estimand",  # effect: a contrast of exposures; level: a mean, share or prevalence
    "exposure",
    "exposure_type",
    "outcome",
    "level",  # population, study, country or sector
    "group",  # which study, country or sector
    "vignette",
    "study",
    "country",
    "sector",
    "role",
    "metric",  # sd, pomp, log_odds or probability
    "provenance",
]
Row = tuple[dict[str, Any], xr.DataArray]


class Contrasts:
    """Draws of every contrast of a module with the table that says what each of them is."""

    def __init__(self, rows: Iterator[Row]):
        described, draws = zip(*rows, strict=True)
        self.index = pd.DataFrame(list(described), columns=COLUMNS).astype("str").fillna("")
        ids = [
            "|".join(str(v) for v in r if v)
            for r in self.index[COLUMNS[1:]].drop(columns="provenance").to_numpy()
        ]
        self.index.insert(0, "id", ids)
        self.draws = xr.concat(
            [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
            pd.Index(ids, name="contrast"),
        ).transpose("chain", "draw", "contrast")

    def table(self, interval: float) -> pd.DataFrame:
        """One row per contrast: what it is, then :func:`metastudy.summaries.summarize`."""
        numbers = summarize(self.draws, interval).reset_index(drop=True)
        return pd.concat([self.index, numbers], axis=1)


def contrasts(cells: xr.Dataset, posterior: xr.DataTree, model: str) -> Contrasts:
    """All contrasts of a module.

    Parameters
    ----------
    cells : what the model saw.
    posterior : its draws.
    model : kind of model, ``answers`` or ``codings``.

    Returns
    -------
    Contrasts
        Effects of the answers in standard deviations of the reference group (``sd``) and as shares
        of the scale (``pomp``); of the codings in log-odds and, at the organisations studied, as
        differences of probability.
    """
    rows: Callable[..., Iterator[Row]] = {"answers": _answers, "codings": _codings}[model]
    return Contrasts(rows(cells, posterior))


def _answers(cells: xr.Dataset, posterior: xr.DataTree) -> Iterator[Row]:
    draws = posterior["posterior"].to_dataset()
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": "main"}
    seen = observed(cells)
    for e, exposure in enumerate(cells.exposure.values):
        has = cells.present.values[:, e].astype(bool)
        effect = base | {
            "estimand": "effect",
            "exposure": str(exposure),
            "exposure_type": str(cells.exposure_type.values[e]),
        }
        own = [str(s) for s in cells.study.values[has]]
        outcomes = {
            str(cells.construct_of.values[k]) for k in np.flatnonzero(seen[has].any(axis=0))
        }
        for construct in [str(c) for c in cells.construct.values if str(c) in outcomes]:
            mean = draws["mu"].sel(mu_of=exposure, construct=construct)
            row = effect | {"outcome": construct, "metric": "sd"}
            yield (
                row
                | _where(cells, has)
                | {"level": "population", "provenance": _mark(studies, own)},
                mean,
            )
            structure, _ = between_settings(cells, str(exposure))
            yield from _levels(row, f"{exposure}", construct, mean, structure, draws, studies, own)
        for j in np.flatnonzero(has):
            place = _where(cells, np.arange(len(has)) == j)
            mark = _mark(studies, [str(cells.study.values[j])])
            for k in np.flatnonzero(seen[j]):
                row = (
                    effect
                    | place
                    | {
                        "outcome": str(cells.construct_of.values[k]),
                        "vignette": str(cells.vignette_of.values[k]),
                        "level": "study",
                        "group": str(cells.setting.values[j]),
                        "provenance": mark,
                    }
                )
                value = draws["beta"].isel(setting=j, exposure=e, outcome=k)
                yield row | {"metric": "sd"}, value
                yield row | {"metric": "pomp"}, value * float(cells.scale.values[j, k])
    for at, setting in enumerate(cells.setting.values):
        for k in np.flatnonzero(seen[at]):
            row = (
                base
                | _where(cells, np.arange(cells.sizes["setting"]) == at)
                | {
                    "estimand": "level",
                    "outcome": str(cells.construct_of.values[k]),
                    "vignette": str(cells.vignette_of.values[k]),
                    "level": "study",
                    "group": str(setting),
                    "metric": "pomp",
                    "provenance": _mark(studies, [str(cells.study.values[at])]),
                }
            )
            value = draws["baseline"].isel(setting=at, outcome=k)
            yield row, float(cells.centre.values[at, k]) + float(cells.scale.values[at, k]) * value


def _levels(
    row: dict[str, Any],
    name: str,
    outcome: str,
    mean: xr.DataArray,
    structure: Structure,
    draws: xr.Dataset,
    studies: dict[str, Any],
    own: list[str],
) -> Iterator[Row]:
    """The shrunken effect of each country and sector that the design identifies."""
    for term in structure.terms:
        if term.name == "study":
            continue  # a study's own effect is a row of its own, with its vignettes
        for at, group in enumerate(term.levels):
            members = [s for s, i in zip(own, term.index, strict=True) if i == at]
            if term.kind == "contrast":
                both = draws["difference"].sel(difference_of=f"{name} {term.name}")
                shift = (at - 0.5) * both.sel(construct=outcome)
            else:
                levels = draws["level"].sel(level_of=f"{name} {term.name} {group}")
                shift = levels.sel(construct=outcome)
            yield (
                row
                | {"level": term.name, "group": group, term.name: group}
                | {"provenance": _mark(studies, members)},
                mean + shift,
            )


def _codings(cells: xr.Dataset, posterior: xr.DataTree) -> Iterator[Row]:
    """Only what data speak of: a code on both sides of an exposure, in the studies that have it."""
    studies = json.loads(cells.attrs["studies"])
    read = interviews(cells).values  # (organisation, code)

    def at(mask: np.ndarray) -> dict[str, str]:
        place = _where(cells, mask)
        return place | {"provenance": _mark(studies, place["study"].split(JOINT))}

    for variant, group in (("main", "posterior"), ("error_free", "error_free_posterior")):
        draws = posterior[group].to_dataset()
        base = {"module": cells.attrs["module"], "variant": variant}
        presence = draws["presence"]
        for e, exposure in enumerate(cells.exposure.values):
            effect = base | {
                "estimand": "effect",
                "exposure": str(exposure),
                "exposure_type": str(cells.exposure_type.values[e]),
            }
            attribute = cells[str(cells.exposure_name.values[e])].values
            x = cells.x.values[:, e]
            seen = (read[x < 0].sum(axis=0) > 0) & (read[x > 0].sum(axis=0) > 0)
            own = effect | at(x != 0)
            for family in dict.fromkeys(cells.family_of.values[seen]):
                row = own | {"outcome": str(family), "level": "population", "metric": "log_odds"}
                yield row, draws["contrast"].sel(exposure=exposure, family=family)
            for c, code in [(c, str(cells.code.values[c])) for c in map(int, np.flatnonzero(seen))]:
                row = own | {"outcome": code, "level": "code"}
                yield row | {"metric": "log_odds"}, draws["gamma"].sel(exposure=exposure, code=code)
                low, high = (_weighted(presence, read * (x == s)[:, None], c) for s in (-0.5, 0.5))
                yield row | {"metric": "probability"}, high - low
                for sign, share in ((-0.5, low), (0.5, high)):
                    here = x == sign
                    level = {
                        "estimand": "level",
                        "outcome": code,
                        "level": str(cells.exposure_name.values[e]),
                        "group": str(attribute[here][0]),
                        "metric": "probability",
                    }
                    yield base | at(here) | level, share
        for c, code in enumerate(cells.code.values):
            row = base | at(read[:, c] > 0) | {"outcome": str(code), "level": "population"}
            share = _weighted(presence, read, c)
            yield row | {"estimand": "level", "metric": "probability"}, share


def _weighted(presence: xr.DataArray, weights: np.ndarray, code: int) -> xr.DataArray:
    """Mean presence of a code over organisations, by their numbers of interviews."""
    share = xr.DataArray(weights[:, code] / weights[:, code].sum(), dims="organisation")
    return (presence.isel(code=code).drop_vars("organisation") * share).sum("organisation")


def _where(cells: xr.Dataset, mask: np.ndarray) -> dict[str, str]:
    """Study, country, sector and role of some units, joined where there are several."""
    return {
        name: JOINT.join(dict.fromkeys(sorted(map(str, cells[name].values[mask]))))
        for name in ("study", "country", "sector", "role")
    }


def _mark(studies: dict[str, Any], names: list[str]) -> str:
    """The mark that follows a number: simulated, observed, or both."""
    return JOINT.join(sorted({studies[name]["provenance"] for name in names}))


def heterogeneity(
    cells: xr.Dataset, posterior: xr.DataTree, priors: dict[str, float], interval: float
) -> pd.DataFrame:
    """Every between-group standard deviation and coder's accuracy beside its prior.

    Returns
    -------
    pandas.DataFrame
        ``variant``, ``parameter``, :func:`metastudy.summaries.summarize` of the posterior, and
        ``prior_mean``, ``prior_sd`` and ``ratio``, the posterior's standard deviation over the
        prior's: near one, the data say nothing.
    """
    codes = "code" in cells.dims
    tables = []
    for variant, group in (("main", "posterior"), ("error_free", "error_free_posterior")):
        if group in posterior.children:
            draws = posterior[group].to_dataset()
            found = taus(draws, priors["tau_logit" if codes else "tau"], interval)
            if codes:
                wide = [f"{name}_tau" for name in ("prevalence",)]
                found = found[~found["parameter"].isin(wide)]
                found = pd.concat([found, *_spread(draws, priors, interval)], ignore_index=True)
            tables.append(found.assign(variant=variant))
    return pd.concat(tables, ignore_index=True)


def taus(draws: xr.Dataset, scale: float, interval: float) -> pd.DataFrame:
    """Standard deviations of a fit beside their common half-normal prior."""
    prior = (scale * np.sqrt(2 / np.pi), scale * np.sqrt(1 - 2 / np.pi))
    names = [str(n) for n in draws.data_vars if n == "tau" or str(n).endswith("_tau")]
    names = [name for name in names if draws[name].size]  # a design may identify none
    tables = [_beside(draws[name], name, prior, interval) for name in names]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=HETEROGENEITY)


def _spread(draws: xr.Dataset, priors: dict[str, float], interval: float) -> Iterator[pd.DataFrame]:
    scale, a, b = priors["prevalence"], priors["accuracy_a"], priors["accuracy_b"]
    half_normal = (scale * np.sqrt(2 / np.pi), scale * np.sqrt(1 - 2 / np.pi))
    yield _beside(draws["prevalence_tau"], "prevalence_tau", half_normal, interval)
    beta = (0.5 + 0.5 * a / (a + b), 0.5 * np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))
    for name in ("sensitivity", "specificity"):
        if name in draws:
            yield _beside(draws[name], name, beta, interval)


def _beside(
    array: xr.DataArray, name: str, prior: tuple[float, float], interval: float
) -> pd.DataFrame:
    """Summary of a parameter's draws beside the mean and standard deviation of its prior."""
    dims = [d for d in array.dims if d not in ("chain", "draw")]
    flat = (
        array.stack(parameter=dims, create_index=False) if dims else array.expand_dims("parameter")
    )
    labels = [
        f"{name}[{', '.join(key)}]"
        for key in zip(*(flat[d].astype(str).values for d in dims), strict=True)
    ]
    flat = flat.drop_vars([c for c in flat.coords if c not in ("chain", "draw")])
    flat = flat.assign_coords(parameter=labels or [name]).transpose("chain", "draw", "parameter")
    numbers = summarize(flat, interval).reset_index()
    return numbers.assign(
        variant="main", prior_mean=prior[0], prior_sd=prior[1], ratio=numbers["sd"] / prior[1]
    )[HETEROGENEITY]


HETEROGENEITY = ["variant", "parameter", *NUMBERS, "prior_mean", "prior_sd", "ratio"]
