"""Contrasts: what a posterior says about each exposure, in one long table for all modules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from metastudy.cells import between_organisations, between_settings, interviews, observed
from metastudy.design import VARYING_FROM, Structure
from metastudy.predictions import PLACES, brought, deviation
from metastudy.summaries import NUMBERS, summarize
from metastudy.wording import JOINT

__all__ = ["COLUMNS", "Contrasts", "contrasts", "heterogeneity", "taus"]

COLUMNS = [
    "module",
    "variant",  # main; error_free: every coding taken as true; folded, ordinal: named analyses
    "estimand",  # effect: a contrast of exposures; level: a mean, share or prevalence
    "exposure",
    "exposure_type",
    "outcome",
    "level",  # population, study, country or sector; new_country and the like: a prediction
    "group",  # which study, country or sector
    "vignette",
    "study",
    "country",
    "sector",
    "role",
    "metric",  # sd, latent_sd, pomp, log_odds or probability
    "provenance",
    "note",  # what a prediction rests on, where that is little
]
Row = tuple[dict[str, Any], xr.DataArray]


class Contrasts:
    """Draws of every contrast of a module with the table that says what each of them is."""

    def __init__(self, rows: Iterator[Row]):
        described, draws = zip(*rows, strict=True)
        self.index = pd.DataFrame(list(described), columns=COLUMNS).astype("str").fillna("")
        ids = [
            "|".join(str(v) for v in r if v)
            for r in self.index[COLUMNS[1:]].drop(columns=["provenance", "note"]).to_numpy()
        ]
        self.index.insert(0, "id", ids)
        self.draws = xr.concat(
            [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
            pd.Index(ids, name="contrast"),
        ).transpose("chain", "draw", "contrast")

    def table(self, interval: float, ropes: Mapping[str, float] | None = None) -> pd.DataFrame:
        """One row per contrast: what it is, then :func:`metastudy.summaries.summarize`.

        Parameters
        ----------
        interval : probability of the credible intervals.
        ropes : half-width of the region of practical equivalence of effects, by metric.
        """
        effect = self.index["estimand"].eq("effect").to_numpy()
        half = self.index["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
        numbers = summarize(self.draws, interval, np.where(effect, half, np.nan))
        numbers = numbers.reset_index(drop=True)
        return pd.concat([self.index, numbers], axis=1)


def contrasts(
    cells: xr.Dataset, posterior: xr.DataTree, model: str, seed: int = 0, smallest: int = 1
) -> Contrasts:
    """All contrasts of a module.

    Parameters
    ----------
    cells : what the model saw.
    posterior : its draws.
    model : kind of model, ``answers``, ``ordinal`` or ``codings``.
    seed : of the predictions for new countries, sectors and studies.
    smallest : a country or sector with fewer interviews has no prevalence of its own.

    Returns
    -------
    Contrasts
        Effects of the answers in standard deviations of the reference group (``sd``) and as shares
        of the scale (``pomp``); of items in standard deviations of the latent answer to one item
        (``latent_sd``); of the codings in log-odds and, at the organisations studied, as
        differences of probability. Where a grouping of the design has a standard deviation there is
        a prediction for a level that is not among those of the data; elsewhere the structure says
        why there is none.
    """
    rng = np.random.default_rng(seed)
    if model == "codings":
        return Contrasts(_codings(cells, posterior, rng, smallest))
    return Contrasts(_answers(cells, posterior, rng))


def _answers(cells: xr.Dataset, posterior: xr.DataTree, rng: np.random.Generator) -> Iterator[Row]:
    draws = posterior["posterior"].to_dataset()
    studies = json.loads(cells.attrs["studies"])
    base = {"module": cells.attrs["module"], "variant": cells.attrs["variant"]}
    scored = "scale" in cells  # else items in their categories: there are no levels, and no shares
    metric = "sd" if scored else "latent_sd"
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
            row = effect | {"outcome": construct, "metric": metric}
            yield (
                row
                | _where(cells, has)
                | {"level": "population", "provenance": _mark(studies, own)},
                mean,
            )
            structure, _ = between_settings(cells, str(exposure))
            asked = seen[has][:, cells.construct_of.values == construct].any(axis=1)
            around = (structure, asked, draws)
            yield from _levels(row, f"{exposure}", construct, mean, *around, studies, own)
            row |= _where(cells, has) | {"provenance": _mark(studies, own)}
            yield from _predicted(row, f"{exposure}", construct, mean, *around, rng)
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
                yield row | {"metric": metric}, value
                if scored:
                    yield row | {"metric": "pomp"}, value * float(cells.scale.values[j, k])
    for at, setting in enumerate(cells.setting.values) if scored else ():
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
    asked: np.ndarray,
    draws: xr.Dataset,
    studies: dict[str, Any],
    own: list[str],
) -> Iterator[Row]:
    """The shrunken effect of each country and sector that the design identifies."""
    for term in structure.terms:
        if term.name == "study":
            continue  # a study's own effect is a row of its own, with its vignettes
        if len(np.unique(term.index[asked])) < 2:
            continue  # the outcome is one place's
        for at, group in enumerate(term.levels):
            members = [own[i] for i in np.flatnonzero((term.index == at) & asked)]
            if not members:
                continue  # nobody there was asked about this outcome
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


def _predicted(
    row: dict[str, Any],
    name: str,
    outcome: str,
    mean: xr.DataArray,
    structure: Structure,
    asked: np.ndarray,
    draws: xr.Dataset,
    rng: np.random.Generator,
) -> Iterator[Row]:
    """The effect in a new country, sector or study, where the design has a spread to predict it."""
    for term in structure.terms:
        if term.kind == "varying" and len(np.unique(term.index[asked])) >= VARYING_FROM:
            shift, note = deviation(
                term,
                structure,
                lambda t: draws["tau"].sel(tau_of=f"{name} {t.name}", construct=outcome),
                rng,
            )
            yield row | {"level": f"new_{term.name}", "note": note}, mean + shift


def _codings(
    cells: xr.Dataset, posterior: xr.DataTree, rng: np.random.Generator, smallest: int
) -> Iterator[Row]:
    """Only what data speak of: a code on both sides of an exposure, in the studies that have it."""
    studies = json.loads(cells.attrs["studies"])
    read = interviews(cells).values  # (organisation, code)

    def at(mask: np.ndarray) -> dict[str, str]:
        place = _where(cells, mask)
        return place | {"provenance": _mark(studies, place["study"].split(JOINT))}

    asked = (str(cells.attrs["variant"]), "posterior")
    for variant, group in (asked, ("error_free", "error_free_posterior")):
        if group not in posterior.children:
            continue
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
        if variant == "main":
            for c, code in enumerate(cells.code.values):
                level = base | {"estimand": "level", "outcome": str(code), "metric": "probability"}
                for grouping in PLACES:
                    for group, mask in _groups(cells, grouping, read[:, c], smallest):
                        row = level | at(mask) | {"level": grouping, "group": group}
                        yield row, _weighted(presence, read * mask[:, None], c)
            yield from _moved(cells, draws, read, base, at, rng)


def _groups(
    cells: xr.Dataset, grouping: str, read: np.ndarray, smallest: int
) -> Iterator[tuple[str, np.ndarray]]:
    """The countries or sectors in which a code was looked for, if several, and their units."""
    place = cells[grouping].values
    asked = np.unique(place[read > 0])
    for group in asked if len(asked) > 1 else ():
        mask = (place == group) & (read > 0)
        if read[mask].sum() >= smallest:
            yield str(group), mask


def _moved(
    cells: xr.Dataset,
    draws: xr.Dataset,
    read: np.ndarray,
    base: dict[str, Any],
    at: Callable[[np.ndarray], dict[str, str]],
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Prevalence of each code if the interviews had been done in a new country or sector.

    Every unit keeps what it is but for its place: the level of the old one goes, a new one comes.
    """
    found = between_organisations(cells)
    for term in found.terms:
        if term.kind != "varying" or term.name not in PLACES:
            continue
        shift, note = deviation(term, found, lambda t: draws["tau"].sel(tau_of=t.name), rng)
        for other in brought(term, found):
            own = [f"{other.name} {level}" for level in other.levels]
            levels = draws["level"].sel(level_of=own).isel(level_of=other.index)
            shift = shift - levels.drop_vars("level_of").rename(level_of="organisation")
        for c, code in enumerate(cells.code.values):
            presence = draws["presence"].isel(code=[c]).drop_vars("organisation")
            new = xr.apply_ufunc(lambda p, s: expit(logit(p) + s), presence, shift)
            row = base | at(read[:, c] > 0) | {"outcome": str(code), "metric": "probability"}
            row |= {"estimand": "level", "level": f"new_{term.name}", "note": note}
            share = xr.DataArray(read[:, c] / read[:, c].sum(), dims="organisation")
            yield row, (new.isel(code=0) * share).sum("organisation")


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
