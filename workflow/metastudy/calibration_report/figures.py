"""Figures of the calibration: ranks with their simultaneous band."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from metastudy.calibration.rank_bands import Band, band, bins_for, by_quantity, counts
from metastudy.display.plots import canvas, style
from metastudy.display.plots.style import GREY, HUES, MARGIN, MEDIUM, PALE, SMALL, WIDTH

__all__ = ["PROBABILITY", "kind_of", "picture"]

BINS = 20  # of a histogram, at most: ten simulations in each of them with 200
PROBABILITY = 0.95  # of the bands
KINDS = {
    "mu": "Population means",
    "contrast": "Contrasts of families",
    "family_mean": "Means of families",
    "beta": "Effects in settings",
    "gamma": "Contrasts of codes",
    "moderator": "Moderators of effects",
    "correlation": "Correlations of effects",
    "baseline": "Intercepts",
    "prevalence": "Prevalences of families",
    "alpha": "Prevalences of codes",
    "level": "Levels of groups",
    "theta": "Effects behind estimates",
    "total_tau": "Total heterogeneity",
    "tau": "Heterogeneity (tau)",
    "outcome_tau": "Spread between outcomes",
    "site_tau": "Spread between sites",
    "prevalence_tau": "Spread of prevalences",
    "code_tau": "Spread between codes",
    "role_mean": "Roles, by family",
    "role_code": "Roles, by code",
    "role_tau": "Spread between codes of roles",
    "own_tau": "Spread of codes in places",
    "organisation_tau": "Spread of organisations",
    "organisation_code_tau": "Spread of codes in them",
    "sigma": "Residual deviations",
    "standardiser": "Standardisers",
    "construct_correlation": "Correlations of outcomes",
    "vignette_correlation": "Correlations of vignettes",
    "sensitivity": "Sensitivity of coders",
    "specificity": "Specificity of coders",
    "log_likelihood": "Joint log-likelihood",
}


def kind_of(parameter: str) -> str:
    """What a parameter is called in the report; its own name where it has no other."""
    return KINDS.get(parameter, parameter)


@canvas.drawn
def picture(ranked: pd.DataFrame) -> Figure:
    """Ranks of one part: a row per kind of quantity, with histograms and cumulated differences.

    Parameters
    ----------
    ranked : see :func:`metastudy.calibration.simulation_based.fit_and_rank`.
    """
    found, kept = by_quantity(ranked)
    kinds = list(dict.fromkeys(found.index.get_level_values("parameter")))
    simulations, bins = found.shape[1], bins_for(kept, BINS)
    each = 1 - (1 - PROBABILITY) / len(found)
    limits = {
        cumulative: [
            band(simulations, kept + 1 if cumulative else bins, wanted, cumulative)
            for wanted in (each, PROBABILITY)
        ]
        for cumulative in (False, True)
    }
    label, tall, gap, row = 1.55, 0.62, 0.35, 0.86
    wide = (WIDTH - 2 * MARGIN - label - gap - 0.1) / 2
    page = canvas.Page(0.2 + row * len(kinds) + 0.3, list(ranked["provenance"].unique()))
    left = MARGIN + label
    for x, heading in ((left, "Ranks"), (left + wide + gap, "Cumulated, above what is expected")):
        page.text(x, page.y + 0.1, heading, SMALL, weight="bold")
    for at, kind in enumerate(kinds):
        top = page.y + 0.2 + row * at
        own = found.xs(kind, level="parameter").to_numpy()
        title = canvas.wrapped(kind_of(kind), label - 0.35, MEDIUM)
        page.text(MARGIN, top + 0.2, title, MEDIUM)
        below = top + 0.2 + style.LINE * canvas.lines(title)
        several = f"{len(own)} quantities" if len(own) > 1 else "1 quantity"
        page.text(MARGIN, below, several, SMALL, colour=GREY)
        last = at == len(kinds) - 1
        axes = page.axes(left, top, wide, tall)
        _histogram(axes, counts(own, kept, bins), limits[False], kept, last)
        axes = page.axes(left + wide + gap, top, wide, tall)
        _difference(axes, counts(own, kept, kept + 1), limits[True], kept, last)
    return page.figure


def _histogram(
    axes: Axes, of_bins: np.ndarray, limits: list[Band], kept: int, labelled: bool
) -> None:
    bins = of_bins.shape[1]
    edges = np.linspace(0, kept + 1, bins + 1)
    for limit, hue in zip(limits, (PALE, "#c4c4c4"), strict=True):
        axes.stairs(limit.upper, edges, baseline=limit.lower, fill=True, color=hue, lw=0)
    for values in of_bins:
        axes.stairs(values, edges, color=HUES["posterior"], lw=0.7, alpha=_light(len(of_bins)))
    axes.set_xlim(0, kept + 1)
    axes.set_ylim(0, 1.1 * max(of_bins.max(), limits[0].upper.max()))
    _finish(axes, kept, labelled)


def _difference(
    axes: Axes, of_bins: np.ndarray, limits: list[Band], kept: int, labelled: bool
) -> None:
    number_of = of_bins[0].sum()
    x = np.arange(1, kept + 2)
    expected = x / (kept + 1)
    for limit, hue in zip(limits, (PALE, "#c4c4c4"), strict=True):
        lower, upper = (bound / number_of - expected for bound in (limit.lower, limit.upper))
        axes.fill_between(x, lower, upper, color=hue, lw=0)
    for values in np.cumsum(of_bins, axis=1):
        light = _light(len(of_bins))
        axes.plot(x, values / number_of - expected, color=HUES["posterior"], lw=0.7, alpha=light)
    axes.axhline(0, color=GREY, lw=0.5)
    axes.set_xlim(0, kept + 1)
    _finish(axes, kept, labelled)


def _light(lines: int) -> float:
    return float(np.clip(4 / lines, 0.25, 1))


def _finish(axes: Axes, kept: int, labelled: bool) -> None:
    canvas.clean(axes, left=True)
    ticks = [0, (kept + 1) // 2, kept + 1]
    axes.set_xticks(ticks, [str(t) for t in ticks] if labelled else [""] * 3)
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.tick_params(axis="y", labelsize=SMALL - 1)
