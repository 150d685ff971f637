"""Which priors of a plan are varied, and how often a refit is made; nothing is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from metastudy.models.priors import Prior, priors_of
from metastudy.posterior.power import SENSITIVE
from metastudy.synthesis.influence import LONGER
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.prior_scales import prior_scales
from metastudy.synthesis.priors import keys_of_plan
from reference.test_second_stage import schools

NUMBERS = {"effect": 0.5, "tau": 0.3, "outcomes": 0.3, "effect_logit": 0.9, "tau_logit": 0.5}
PRIORS = priors_of(NUMBERS)
GATES = {"rhat": 1.05, "ess_bulk": 50.0, "ess_tail": 50.0, "divergences": 0.0}
CHAINS = {"chains": 2, "tune": 100, "draws": 100}


def two_outcomes(signs: Mapping[str, int], metric: str = "sd") -> SecondStage:
    table, covariance = schools()
    table = table.assign(outcome=["a", "b"] * 4, metric=metric)
    (found,) = plans(table, covariance, signs=signs)
    return found


def test_a_plan_has_the_priors_that_its_posterior_depends_on() -> None:
    (alone,) = plans(*schools())
    assert keys_of_plan("sd", alone) == ("effect", "tau")
    assert keys_of_plan("log_odds", alone) == ("effect_logit", "tau_logit")
    assert keys_of_plan("fisher_z", alone) == ("effect", "tau")
    family = two_outcomes({"a": 1, "b": 1})
    assert keys_of_plan("sd", family) == ("effect", "tau", "outcomes")
    assert keys_of_plan("log_odds", family) == ("effect_logit", "tau_logit")
    around_zero = two_outcomes({})
    assert keys_of_plan("sd", around_zero) == ("tau", "outcomes"), "no mean has that of an effect"


class Recorded:
    """Draws that were never sampled, and what was asked for."""

    def __init__(self, found: SecondStage, stuck: str = "") -> None:
        self.found, self.stuck = found, stuck
        self.asked: list[tuple[dict[str, float], int]] = []

    def __call__(
        self,
        covariance: np.ndarray,
        sampling: Mapping[str, Any],
        priors: Mapping[str, Prior] | None = None,
    ) -> xr.DataTree:
        assert priors is not None
        np.testing.assert_array_equal(covariance, self.found.covariance)
        scales = {key: float(prior.scale) for key, prior in priors.items()}
        changed = {key: value for key, value in scales.items() if value != NUMBERS[key]}
        self.asked.append((changed, sampling["draws"]))
        rng = np.random.default_rng(1)
        names = list(self.found.design.means)
        mu = 0.2 + 0.1 * rng.standard_normal((2, sampling["draws"], len(names)))
        if self.stuck in changed:
            mu[0] += 1.0
        drawn = xr.Dataset({"mu": (("chain", "draw", "mu_of"), mu)}, {"mu_of": names})
        stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros(mu.shape[:2], dtype=bool))})
        return xr.DataTree.from_dict({"posterior": drawn, "sample_stats": stats})


def made_of(found: SecondStage) -> pd.DataFrame:
    return found.estimands.assign(
        level="population", mean=0.1, sd=0.1, studies=8, provenance="observed"
    )


def drawn(found: SecondStage, scale: float = 10.0) -> xr.Dataset:
    """Draws of means whose prior is normal around zero, and whose likelihood is around one."""
    precision = 1 + 1 / scale**2
    rng = np.random.default_rng(2)
    mu = rng.normal(1 / precision, precision**-0.5, (4, 500, len(found.design.means)))
    chains = ("chain", "draw")
    return xr.Dataset(
        {
            "mu": ((*chains, "mu_of"), mu),
            "log_prior": (chains, (-0.5 * (mu / scale) ** 2).sum(-1)),
            "log_likelihood": (chains, (-0.5 * (mu - 1) ** 2).sum(-1)),
        },
        {"mu_of": list(found.design.means)},
    )


@pytest.mark.parametrize(("scale", "sensitive"), [(10.0, False), (0.5, True)])
def test_a_mean_that_its_prior_holds_moves_with_a_power_of_it(
    scale: float, sensitive: bool
) -> None:
    (found,) = plans(*schools())
    more = (Recorded(found), drawn(found, scale), CHAINS, GATES, 0.95, {})
    table = prior_scales(made_of(found), found, "sd", PRIORS, *more)
    assert table[["scaled_prior", "scaled_likelihood"]].nunique().tolist() == [1, 1]
    assert (table["scaled_prior"].iloc[0] > SENSITIVE) == sensitive
    assert table["scaled_likelihood"].iloc[0] > SENSITIVE


def test_each_prior_is_varied_in_a_refit_and_one_that_misses_a_gate_is_made_once_more() -> None:
    (found,) = plans(*schools())
    fit = Recorded(found, stuck="tau")
    more = (fit, drawn(found), CHAINS, GATES, 0.95, {"sd": 0.1})
    table = prior_scales(made_of(found), found, "sd", PRIORS, *more)
    tau = [({"tau": scale}, 100 * k) for scale in (0.15, 0.6) for k in (1, LONGER)]
    both = [({"effect": e, "tau": t}, 100 * k) for e, t in ((0.25, 0.15), (1.0, 0.6)) for k in
            (1, LONGER)]  # fmt: skip
    assert fit.asked == [({"effect": 0.25}, 100), ({"effect": 1.0}, 100), *tau, *both]
    missed = table["missed"].str.startswith("R-hat")
    assert missed.tolist() == [False, False, True, True, True, True]
    assert table["shift"].iloc[0] == (table["mean"].iloc[0] - 0.1) / 0.1
    assert table["note"].tolist()[:3] == [
        "normal, scale 0.25",
        "normal, scale 1",
        "half-normal, scale 0.15",
    ]


def test_a_prior_is_named_in_the_unit_of_the_metric() -> None:
    table, covariance = schools()
    (found,) = plans(table.assign(metric="fisher_z"), covariance)
    assert found.unit != 1.0
    more = (Recorded(found), drawn(found), CHAINS, GATES, 0.95, {})
    own = prior_scales(made_of(found), found, "fisher_z", PRIORS, *more)
    assert own["note"].iloc[0] == f"normal, scale {0.25 * found.unit:g}"
