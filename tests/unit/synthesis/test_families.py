"""Families of outcomes in the second stage: which there are, their prior, and what is said."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
from scipy import stats

from metastudy.common import result_tables
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import Prior, priors_of
from metastudy.posterior.heterogeneity import taus
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.families import APART, apart, beside
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.priors import prior_of, priors_of_plan
from metastudy.synthesis.results import results

PRIORS = priors_of(
    {"effect": 0.5, "tau": 0.3, "outcomes": 0.2, "effect_logit": 0.9, "tau_logit": 0.5}
    | {"effect_correlation": 2.0}
)
MODE = pytensor.Mode("py", None)


def table(measured: dict[str, list[str]], **more: object) -> pd.DataFrame:
    """Two studies and more of each outcome, no outcome twice in a study."""
    rows = [{"study": f"{o}{k}", "outcome": o} for o, own in measured.items() for k in own]
    found = pd.DataFrame(rows).assign(
        country="DK", sector="care", role="professional", exposure="e_randomised", family="f",
        exposure_name="e", exposure_type="randomised", vignette="", response_mode="m", metric="sd",
        n=100, provenance="simulated", se=0.1,
    ).assign(**more)  # fmt: skip
    found["id"] = found["study"]
    return found.assign(estimate=np.random.default_rng(3).normal(0.3, 0.3, len(found)))


def planned(rows: pd.DataFrame, **signs: int) -> list[SecondStage]:
    return [*plans(rows, np.diag(rows["se"] ** 2), signs=signs)]


THREE = table({"a": ["1", "2"], "b": ["1", "2", "3"], "c": ["1", "2"]})


def test_outcomes_of_a_family_are_of_one_plan_though_no_study_measures_two() -> None:
    (found,) = planned(THREE, a=1, b=-1)
    families = found.families
    assert families is not None
    assert families.names == ("e_randomised|randomised|f|professional|m",)
    assert dict(zip(found.design.means, families.of_mean, strict=True)) == dict.fromkeys(
        found.design.means, 0
    )
    assert list(families.sign) == [1, -1, 0]
    assert families.directed_names == [*families.names]
    assert list(families.place_of_centre) == [0, 0, -1]
    assert found.design.joint is None


@pytest.mark.parametrize("column", ["exposure", "exposure_type", "family", "role", "response_mode"])
def test_what_differs_in_more_than_the_outcome_is_of_no_family(column: str) -> None:
    rows = THREE[THREE["outcome"] != "c"].reset_index(drop=True)
    rows[column] = np.where(rows["outcome"] == "a", "other", rows[column])
    found = planned(rows, a=1, b=1)
    assert [one.families for one in found] == [None, None]


def test_in_another_metric_it_is_another_family() -> None:
    rows = THREE.assign(metric=np.where(THREE["outcome"] == "c", "points", "sd"))
    found = planned(rows, a=1, b=1, c=1)
    assert [one.families is None for one in found] == [False, True]


def test_one_outcome_with_a_direction_shares_it_with_none() -> None:
    (found,) = planned(THREE, a=1)
    assert found.families is not None
    assert not len(found.families.directed)
    assert set(found.families.place_of_centre) == {-1}


def test_an_outcome_alone_is_given_and_sampled_as_it_was_without_families() -> None:
    rows = table({"a": ["1", "2", "3"]})
    (found,), (before,) = planned(rows, a=1), [*plans(rows, np.diag(rows["se"] ** 2))]
    assert found.families is None
    given = []
    for one in (found, before):
        own = priors_of_plan(PRIORS, "sd", one)
        assert own[-1] is None
        built = synthesis_model.build(
            *(one.table["estimate"].to_numpy(), one.covariance, one.design, *own),
            families=one.families,
        )
        given.append((built["given"].get_value(), [v.name for v in built.free_RVs]))
        assert [v.name for v in built.free_RVs] == ["mu", "total_tau"]
    np.testing.assert_array_equal(given[0][0], given[1][0])


def test_what_is_apart_is_the_plan_without_families() -> None:
    (found,) = planned(THREE, a=1, b=-1)
    alone = apart(found)
    assert alone.families is None
    assert priors_of_plan(PRIORS, "sd", alone)[-1] is None
    assert alone.table is found.table


def built(found: SecondStage, estimate: np.ndarray | None = None) -> pm.Model:
    own = priors_of_plan(PRIORS, "sd", found)
    y = found.table["estimate"].to_numpy() if estimate is None else estimate
    return synthesis_model.build(y, found.covariance, found.design, *own, families=found.families)


@pytest.mark.parametrize("estimate", [0.0, 5.0])
def test_means_have_the_prior_of_their_family_wherever_the_estimates_are(estimate: float) -> None:
    """Each draw by SciPy: the estimates decide how the means are sampled and nothing else."""
    rows = pd.concat([THREE, table({"z": ["1", "2"]}, family="g")], ignore_index=True)
    rows["exposure"] = np.where(rows["outcome"] == "z", "other_randomised", rows["exposure"])
    study = np.where(np.isin(rows["study"], ["z1", "z2"]), rows["study"].str.replace("z", "a"), "")
    rows["study"] = rows["study"].where(study == "", study)  # with `a`: of one plan, no family
    (found,) = planned(rows, a=1, b=-1)
    model = built(found, np.full(len(found.table), estimate))
    names = {name.split("|")[2]: at for at, name in enumerate(found.design.means)}
    drawn = parameters(model, 4000, seed=2)
    mu, m = drawn["mu"].values, drawn["family_mean"].values[:, 0]
    omega = drawn["outcome_tau"].values[:, 0]
    z = {
        "a": (mu[:, names["a"]] - m) / omega,
        "b": (mu[:, names["b"]] + m) / omega,
        "c": mu[:, names["c"]] / omega,
        "z": mu[:, names["z"]] / 0.5,
        "m": m / 0.5,
    }
    for name, values in z.items():
        assert stats.kstest(values, "norm").pvalue > 1e-3, name
    assert stats.kstest(omega, stats.halfnorm(scale=0.2).cdf).pvalue > 1e-3
    apart_ = np.corrcoef(np.stack([*z.values()]))[np.triu_indices(len(z), 1)]
    assert np.abs(apart_).max() < 0.07, "independent given the family"


def test_the_density_that_is_sampled_is_that_of_the_means_and_of_the_estimates() -> None:
    """The whole log-density but a constant, by SciPy, in the coordinates of the means."""
    (found,) = planned(THREE, a=1, b=-1)
    model = built(found)
    (z,) = (model.rvs_to_values[v] for v in model.free_RVs if v.name == "mu_z")
    (mean,) = (v for v in model.free_RVs if v.name == "family_mean")
    (omega,) = (v for v in model.free_RVs if v.name == "outcome_tau")
    point = model.initial_point()
    outputs = [model.logp(jacobian=True), model.replace_rvs_by_values([model["mu"]])[0]]
    whole = pytensor.function(model.value_vars, outputs, mode=MODE, on_unused_input="ignore")
    density, mu_of = ((lambda at, k=k: whole(**at)[k]) for k in (0, 1))
    rng = np.random.default_rng(4)
    given, exact = [], []
    log_omega = model.rvs_to_values[omega].name
    for _ in range(4):
        point = {**point, z.name: rng.normal(size=3), mean.name: rng.normal(size=1)}
        point[log_omega] = rng.normal(-1.5, 0.3, size=1)
        mu = mu_of(point)
        sd = np.exp(point[log_omega][0])
        own = sum(
            stats.norm.logpdf(m, s * point[mean.name][0], sd)
            for m, s in zip(mu, (1, -1, 0), strict=True)
        )
        own += stats.norm.logpdf(point[mean.name][0], 0, 0.5)
        own += stats.halfnorm.logpdf(sd, scale=0.2) + np.log(sd)
        # the step from z to the means, by differences
        step = 1e-6
        slope = [
            (mu_of({**point, z.name: point[z.name] + step * np.eye(3)[k]}) - mu)[k] / step
            for k in range(3)
        ]
        own += np.log(slope).sum()
        tau = np.exp(next(v for k, v in point.items() if k.startswith("total_tau")))
        place = [found.design.means.index(n) for n in found.design.means]
        at = np.array(place)[found.design.mean_of]
        total = np.sqrt(0.01 + tau[at] ** 2)
        own += stats.norm.logpdf(found.table["estimate"], mu[at], total).sum()
        given.append(float(density(point)))
        exact.append(own)
    np.testing.assert_allclose(np.diff(given), np.diff(exact), rtol=1e-5, atol=1e-5)


def test_other_priors_are_given_and_not_compiled() -> None:
    (found,) = planned(THREE, a=1, b=-1)
    model = built(found)
    wide = {**PRIORS, "outcomes": Prior("half_normal", {"scale": 0.4})}
    y = found.table["estimate"].to_numpy()
    both = [
        synthesis_model.packed(y, found.covariance, found.design, *priors_of_plan(p, "sd", found))
        for p in (PRIORS, wide)
    ]
    np.testing.assert_array_equal(both[0], model["given"].get_value())
    assert list(both[1][both[0] != both[1]]) == [0.4]


def test_the_spread_of_a_family_has_the_prior_of_its_metric_in_units_of_it() -> None:
    of = partial(prior_of, PRIORS, "outcome_tau[f]")
    assert (of("sd").scale, of("log_odds").scale) == (0.2, 0.5)
    assert of("points", 5.0).scale == 1.0
    draws = xr.Dataset(
        {
            "outcome_tau": (
                ("chain", "draw", "family_of"),
                np.random.default_rng(1).random((2, 50, 1)),
            )
        },
        {"family_of": ["e|f"]},
    )
    (row,) = taus(draws, partial(prior_of, PRIORS, metric="sd"), {}, 0.95).to_dict("records")
    assert row["parameter"] == "outcome_tau[e|f]"
    assert row["prior_upper"] == pytest.approx(stats.halfnorm(scale=0.2).ppf(0.975))


def drawn(found: SecondStage, seed: int = 5) -> xr.Dataset:
    """Draws of a plan as if it had been fitted."""
    one = parameters(built(found), 200, seed).rename(simulation="draw").expand_dims("chain")
    y = found.table["estimate"].to_numpy()
    return synthesis_model.add_levels(one, y, found.covariance, found.design, 1)


def test_results_have_a_row_of_the_familys_mean_and_means_without_it_beside() -> None:
    (found,) = planned(THREE.assign(provenance=["observed"] + ["simulated"] * 6), a=1, b=-1)
    draws = drawn(found)
    made = results(found, draws, 0.95, 1, {"sd": 0.1}, (), PRIORS["effect"])
    alone = drawn(apart(found))
    made = beside(made, found, alone, 0.95)
    result_tables.checked("pooled", made[result_tables.columns("pooled")])
    (family,) = made[made["level"] == "family"].to_dict("records")
    assert (family["outcome"], family["studies"]) == ("f", 5), "of what has a direction"
    assert family["provenance"] == "observed + simulated"
    m = draws["family_mean"].values
    assert family["mean"] == pytest.approx(m.mean())
    assert family["prior_pull"] == pytest.approx(PRIORS["effect"].pull(m.mean(), m.std(ddof=1)))
    means = made[made["level"] == "population"]
    assert means["prior_pull"].isna().all()
    np.testing.assert_allclose(means["mean_apart"], alone["mu"].mean(("chain", "draw")))
    assert made.loc[made["level"] != "population", APART].isna().all(axis=None)


def test_without_families_nothing_is_beside() -> None:
    rows = table({"a": ["1", "2", "3"]})
    (found,) = planned(rows)
    made = beside(results(found, drawn(found), 0.95, 1, effect=PRIORS["effect"]), found, None, 0.95)
    assert made[APART].isna().all(axis=None)
    assert "family" not in set(made["level"])
    assert made.loc[made["level"] == "population", "prior_pull"].notna().all()


def test_the_likelihood_given_the_means_is_that_without_families() -> None:
    """The family is a prior: the estimates' density depends on the means alone."""
    (found,) = planned(THREE, a=1, b=-1)
    alone, draws = apart(found), parameters(built(found), 3, 6)
    for at in range(3):
        one = draws.isel(simulation=at, drop=True)
        values = [
            log_likelihood(built(plan))(one, built(plan)["given"].get_value())
            for plan in (found, alone)
        ]
        assert values[0] == pytest.approx(values[1])
