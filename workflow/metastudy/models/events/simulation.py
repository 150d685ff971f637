"""Simulated cells of events, and which of their quantities the data identify."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import expit

from metastudy.models.answers.design import clustered, informed_effects, observed
from metastudy.models.base import labelled
from metastudy.models.events.observations import log_odds
from metastudy.models.events.patterns import TABLE, asked_of_groups, counted_anew, is_joint
from metastudy.models.events.states import of_groups

__all__ = ["OF_EVENTS", "identified", "simulate_events"]

OF_EVENTS = (
    *("mu", "moderator", "family_mean", "outcome_tau", "total_tau", "tau"),
    *("beta", "baseline", "site_tau", "association"),
)


def identified(values: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """All quantities of events that the data speak about, and the joint log-likelihood.

    Parameters
    ----------
    values : draws of a posterior, or parameters; ``log_likelihood`` among them.
    cells : what the design is read from; no event is.

    Returns
    -------
    xarray.DataArray
        The dims of the draws, then ``quantity``, with its label and as ``parameter`` its name.
    """
    seen, has = observed(cells), informed_effects(cells)
    sited = np.unique(cells.setting_of_site.values[clustered(cells)])
    with_intercept = np.concatenate([seen[sited].any(axis=0)[None], has[sited].any(axis=0)])
    kept = {
        "beta": (("setting", "exposure", "outcome"), has),
        "baseline": (("setting", "outcome"), seen),
        "site_tau": (("coefficient", "outcome"), with_intercept),
    }
    arrays = {name: xr.DataArray(keep, dims=dims) for name, (dims, keep) in kept.items()}
    return labelled(values, (*OF_EVENTS, "log_likelihood"), arrays)


def simulate_events(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Events of as many people with the same exposures, who answer the same outcomes.

    Which outcomes of one person come together is simulated too, by their associations. Without
    patterns in the cells it is none, beyond their exposures.

    Parameters
    ----------
    cells : of a module's 0/1 outcomes.
    at : one simulation of :func:`metastudy.models.prior_simulation.parameters`.
    rng : source of randomness.
    """
    if is_joint(cells):
        return _by_pattern(cells, at.expand_dims("sample"), rng)
    chance = expit(log_odds(cells, at.expand_dims("sample"))[0])
    n = cells.n.values.astype(np.int64)
    events = rng.binomial(n, chance).astype(float)
    group, outcome = np.indices(n.shape)
    # A person for each outcome, as of one person no pair is known any more.
    answer = np.full((2, *n.shape, n.shape[1]), -1, dtype=np.int8)
    answer[0][group, outcome, outcome], answer[1][group, outcome, outcome] = 0, 1
    numbers = np.stack([n - events, events])
    some = numbers > 0
    return cells.drop_dims("pattern").assign(
        {
            "events": (cells.events.dims, events),
            "count": ("pattern", numbers[some]),
            "group_of_pattern": ("pattern", np.broadcast_to(group, numbers.shape)[some]),
            "answer": (("pattern", "outcome"), answer[some]),
        }
    )


def _by_pattern(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """The people of each block, with what they answered of patterns that are drawn."""
    chance, asked = of_groups(cells, log_odds(cells, at), at), asked_of_groups(cells)
    counts, groups, answers = [], [], []
    blocks = (cells[name].values for name in (TABLE, "group_of_block", "answered"))
    for people, g, answered in zip(*blocks, strict=True):
        own = asked[g][asked[g] >= 0]
        number = rng.multinomial(round(people.sum()), chance[g][0])
        for state in np.flatnonzero(number):
            answer = np.full(cells.sizes["outcome"], -1, dtype=np.int8)
            bit = np.arange(len(own))
            there = (answered >> bit) & 1 == 1
            answer[own[there]] = ((state >> bit) & 1)[there]
            counts.append(float(number[state]))
            groups.append(g)
            answers.append(answer)
    count, group, answer = np.array(counts), np.array(groups), np.array(answers)
    events = np.zeros_like(cells.events.values)
    np.add.at(events, group, (answer > 0) * count[:, None])
    drawn = cells.drop_dims(["pattern", "block"]).assign(
        {
            "events": (cells.events.dims, events),
            "count": ("pattern", count),
            "group_of_pattern": ("pattern", group),
            "answer": (("pattern", "outcome"), answer),
        }
    )
    return counted_anew(drawn)
