"""A prior of another width by importance weights: densities are the model's, weights are right."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
import xarray as xr
import yaml
from scipy.stats import norm

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.model_checks.priors import log_priors, sampled_names
from metastudy.model_checks.reweighting import LARGEST_K, pareto_weights, weighted_summary
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import pack
from metastudy.models.prior_widths import widened
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

PRIORS = priors_of(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"])
KEYS = {
    "answers": {"effect", "tau", "outcomes", "baseline", "sigma", "correlation"},
    "codings": {"prevalence", "effect_logit", "tau_logit", "accuracy"},
}


def answers() -> xr.Dataset:
    """Outcomes of a family and one alone, in three countries, with sites."""
    names = ["threat_quality", "threat_job", "work_motivation"]
    studies = [
        experiment(f"s{i}", 40, i, sites=3, outcomes=names, country=country)[0]
        for i, country in enumerate(("DK", "FI", "US"))
    ]
    return answer_cells(studies, "threat", VOCABULARY)


def codings() -> xr.Dataset:
    codes = ["role_change", "uncertainty", "empowered_citizens"]
    talks = [(f"org-{i}", {"coder-1": codes[: i % 4], "coder-2": codes[:1]}) for i in range(8)]
    arrangement = ["org_mission", "state_policy"] * 4
    exposure = [{"attribute": "arrangement", "type": "organisational"}]
    study = coding_study("talks", talks, codes, exposure, arrangement=arrangement)
    return code_cells([study], "strain", VOCABULARY)


@pytest.mark.parametrize("kind", ["answers", "codings"])
def test_the_densities_of_the_priors_are_those_of_the_compiled_model(kind: str) -> None:
    """So no parameter is forgotten: the model's own log-density moves by the same amounts."""
    cells = {"answers": answers, "codings": codings}[kind]()
    model = MODELS[kind].build(cells, PRIORS)
    sampled = sampled_names(cells, PRIORS)
    mode = pytensor.Mode("py", "fast_compile")
    density = model.compile_logp(vars=model.free_RVs, jacobian=False, mode=mode)
    outputs = [v for v in model.unobserved_value_vars if not v.name.endswith("__")]
    values = model.compile_fn(outputs, mode=mode, point_fn=True)
    rng, start = np.random.default_rng(1), model.initial_point(1)
    points = [
        {name: value + 0.2 * rng.standard_normal(value.shape) for name, value in start.items()}
        for _ in range(3)
    ]
    found = [dict(zip([v.name for v in outputs], values(point), strict=True)) for point in points]
    draws = xr.Dataset(
        {
            name: (("chain", "draw", *(f"{name}_{d}" for d in range(np.ndim(found[0][name])))),
                   np.stack([one[name] for one in found])[None])
            for name in found[0]
        },
        {"chain": [0], "draw": [0, 1, 2]},
    )  # fmt: skip
    plain = log_priors(cells, draws, PRIORS, sampled)
    assert set(plain) == KEYS[kind]
    before = np.array([density(point) for point in points])
    for key in KEYS[kind]:
        other = {**PRIORS, key: widened(PRIORS[key], 2.0)}
        model.set_data("given", pack(cells, other))
        after = np.array([density(point) for point in points])
        moved = (
            (log_priors(cells, draws, PRIORS, sampled, other) - plain).to_array().sum("variable")
        )
        # Constants of the densities differ, so differences between points are what must agree.
        np.testing.assert_allclose(
            np.diff(moved.values[0]), np.diff(after - before), rtol=1e-6, atol=1e-8, err_msg=key
        )
        assert np.abs(np.diff(after - before)).max() > 1e-4, "the prior must have a say"


def normal_mean(scale: float) -> tuple[float, float]:
    """Posterior mean and SD of a mean with the estimate 0.5 (standard error 0.5)."""
    precision = 1 / 0.5**2 + 1 / scale**2
    return 0.5 / 0.5**2 / precision, precision**-0.5


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_reweighted_draws_are_the_posterior_with_the_other_prior(factor: float) -> None:
    mean, sd = normal_mean(1.0)
    x = mean + sd * np.random.default_rng(1).standard_normal((4, 5000, 1))
    ratio = norm.logpdf(x[..., 0], 0, factor) - norm.logpdf(x[..., 0], 0, 1)
    weights, k = pareto_weights(ratio)
    assert k < LARGEST_K
    draws = xr.DataArray(x, dims=("chain", "draw", "effect"), coords={"effect": [0]})
    row = weighted_summary(draws, weights, 0.95, 0.3).iloc[0]
    mean, sd = normal_mean(factor)
    exact = norm(mean, sd)
    assert row["mean"] == pytest.approx(mean, abs=0.02)
    assert abs(row["mean"] - x.mean()) > 0.05, "unweighted draws are of the other posterior"
    assert row["sd"] == pytest.approx(sd, rel=0.03)
    assert (row["lower"], row["upper"]) == pytest.approx(exact.interval(0.95), abs=0.05)
    assert row["positive"] == pytest.approx(exact.sf(0), abs=0.01)
    assert (row["above"], row["below"]) == pytest.approx((exact.sf(0.3), exact.cdf(-0.3)), abs=0.02)
    assert row["ess"] < 20_000


def test_a_prior_that_the_draws_do_not_reach_is_not_reweighted() -> None:
    x = 3 + 0.5 * np.random.default_rng(2).standard_normal((4, 1000))
    ratio = norm.logpdf(x, 0, 0.2) - norm.logpdf(x, 0, 1)
    assert pareto_weights(ratio)[1] > LARGEST_K
