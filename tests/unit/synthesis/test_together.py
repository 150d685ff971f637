"""Effects that are pooled jointly: what is measured together, and its levels and density."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from metastudy.design.effects import EffectDesign
from metastudy.models.densities import compiled
from metastudy.synthesis import blocks as module
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.blocks import BlockNormal, blocks, in_blocks
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.together import variances

PLACES = ("study", "country", "sector")


def table(measured: dict[str, list[str]], **more: str) -> pd.DataFrame:
    """Effects by study: each of its outcomes once, in one of two countries and three sectors."""
    rows = [
        {
            "id": f"{study}|{outcome}", "study": study, "outcome": outcome,
            "country": f"country {at % 2}", "sector": f"sector {at % 3}",
        }
        for at, (study, outcomes) in enumerate(measured.items())
        for outcome in outcomes
    ]  # fmt: skip
    found = pd.DataFrame(rows).assign(
        role="professional", exposure="e_randomised", exposure_name="e", family="f",
        exposure_type="randomised", vignette="", response_mode="m", metric="sd", n=100,
        provenance="simulated", se=0.1,
    ).assign(**more)  # fmt: skip
    return found.assign(estimate=np.random.default_rng(3).normal(0.3, 0.3, len(found)))


def designed(measured: dict[str, list[str]]) -> tuple[EffectDesign, np.ndarray]:
    """The design of one plan, and a covariance in which a study's estimates are correlated."""
    rows = table(measured)
    same = rows["study"].to_numpy()[:, None] == rows["study"].to_numpy()
    covariance = 0.01 * (np.eye(len(rows)) + 0.4 * (same & ~np.eye(len(rows), dtype=bool)))
    (found,) = plans(rows, covariance)
    return found.design, found.covariance


MEASURED = {
    "all together": {f"s{k}": ["a", "b", "c"] for k in range(6)},
    # a and c in no study together: their correlation is zero, the other two are free
    "chain": {f"s{k}": [["a", "b"], ["b", "c"]][k % 2] for k in range(8)},
}


def dense(
    design: EffectDesign, covariance: np.ndarray, tau: np.ndarray, correlation: np.ndarray
) -> np.ndarray:
    """The covariance of the estimates from names: alike places, and the correlation of outcomes."""
    joint = design.joint
    assert joint is not None
    matrix = np.eye(len(design.means))
    for (i, j), value in zip(joint.pairs, correlation, strict=True):
        matrix[i, j] = matrix[j, i] = value
    total = covariance.copy()
    for i in range(len(covariance)):
        for j in range(len(covariance)):
            for one in design.level_of[i][design.level_of[i] >= 0]:
                for other in design.level_of[j][design.level_of[j] >= 0]:
                    (head, place), (head_too, place_too) = (
                        design.levels[at].split(": ") for at in (one, other)
                    )
                    if head.split(" ")[1:] == head_too.split(" ")[1:] and place == place_too:
                        r = matrix[design.mean_of[i], design.mean_of[j]]
                        a, b = (tau[design.component_of[at]] for at in (one, other))
                        total[i, j] += r * a * b
    return total


@pytest.mark.parametrize("largest", [1, 32])
@pytest.mark.parametrize("name", MEASURED)
def test_value_and_gradients_of_a_joint_design_are_those_of_the_dense_normal(
    name: str, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", largest)
    design, covariance = designed(MEASURED[name])
    joint = design.joint
    assert joint is not None
    rng = np.random.default_rng(8)
    tau = rng.uniform(0.1, 0.5, len(design.components))
    r = rng.uniform(0.2, 0.6, len(joint.pairs))
    residual = rng.normal(size=len(covariance))
    found = blocks(design, covariance)
    assert (len(found.crossing) > 0) or largest > 1, "something links blocks"
    given = variances(joint, tau, r, np.concatenate)
    run = compiled(BlockNormal())
    value, of_residual, slope = run(
        residual[found.row], in_blocks(found, covariance), given, *found.arrays
    )

    def exact(residual: np.ndarray, tau: np.ndarray, r: np.ndarray) -> float:
        total = dense(design, covariance, tau, r)
        return float(multivariate_normal.logpdf(residual, np.zeros(len(total)), total))

    assert value == pytest.approx(exact(residual, tau, r), rel=1e-9)
    step = 1e-5
    for row in range(len(residual)):
        off = step * np.eye(len(residual))[found.row[row]]
        apart = exact(residual + off, tau, r) - exact(residual - off, tau, r)
        assert of_residual[row] == pytest.approx(apart / (2 * step), rel=1e-5, abs=1e-5)
    one, other, pair = joint.cross.T
    both = slope[len(tau) :]
    for k in range(len(r)):
        off = step * np.eye(len(r))[k]
        apart = exact(residual, tau, r + off) - exact(residual, tau, r - off)
        chain = (both * tau[one] * tau[other])[pair == k].sum()
        assert chain == pytest.approx(apart / (2 * step), rel=1e-5, abs=1e-4)
    for c in range(len(tau)):
        off = step * np.eye(len(tau))[c]
        apart = exact(residual, tau + off, r) - exact(residual, tau - off, r)
        chain = 2 * tau[c] * slope[c] + (both * tau[other] * r[pair])[one == c].sum()
        chain += (both * tau[one] * r[pair])[other == c].sum()
        assert chain == pytest.approx(apart / (2 * step), rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("name", MEASURED)
def test_a_spread_of_zero_takes_its_correlations_out(name: str) -> None:
    design, covariance = designed(MEASURED[name])
    assert design.joint is not None
    tau = np.zeros(len(design.components))
    r = np.full(len(design.joint.pairs), 0.5)
    found = blocks(design, covariance)
    residual = np.random.default_rng(2).normal(size=len(covariance))
    value, *gradients = compiled(BlockNormal())(
        residual[found.row], in_blocks(found, covariance),
        variances(design.joint, tau, r, np.concatenate), *found.arrays,
    )  # fmt: skip
    exact = multivariate_normal.logpdf(residual, np.zeros(len(residual)), covariance)
    assert value == pytest.approx(exact, rel=1e-9)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", MEASURED)
def test_levels_and_effects_of_a_joint_design_have_the_moments_of_the_dense_formula(
    name: str,
) -> None:
    design, covariance = designed(MEASURED[name])
    assert design.joint is not None
    rng = np.random.default_rng(4)
    draws = 4000
    estimate, mu = rng.normal(size=len(covariance)), rng.normal(size=len(design.means))
    tau = rng.uniform(0.1, 0.5, len(design.components))
    r = np.full(len(design.joint.pairs), 0.6)
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", dim), np.broadcast_to(value, (2, draws, len(value))))
            for name, dim, value in (
                ("mu", "mu_of", mu), ("tau", "tau_of", tau), ("correlation", "pair_of", r)
            )
        }
    )  # fmt: skip
    found = synthesis_model.add_levels(posterior, estimate, covariance, design, 5)
    between = dense(design, np.zeros_like(covariance), tau, r)
    gain = between @ np.linalg.inv(between + covariance)
    mean = mu[design.mean_of]
    expected, spread = mean + gain @ (estimate - mean), between - gain @ between
    theta = found["theta"].to_numpy().reshape(2 * draws, -1)
    error = np.sqrt(np.diag(spread) / (2 * draws))
    assert (np.abs(theta.mean(axis=0) - expected) < 4.5 * error).all()
    np.testing.assert_allclose(np.cov(theta.T), spread, atol=0.1 * spread.max())


def outcomes(found: object) -> list[str]:
    return list(found.estimands["outcome"])  # type: ignore[attr-defined]


def test_two_outcomes_are_joint_from_two_studies_on_that_measure_both() -> None:
    one = {"s0": ["a", "b"], "s1": ["a"], "s2": ["b"]}
    rows = table(one)
    alone = [*plans(rows, np.diag(rows["se"] ** 2))]
    assert [outcomes(found) for found in alone] == [["a"], ["b"]]
    assert all(found.design.joint is None for found in alone)
    rows = table(one | {"s3": ["a", "b"]})
    (both,) = plans(rows, np.diag(rows["se"] ** 2))
    assert outcomes(both) == ["a", "b"]
    assert both.design.joint is not None
    assert both.design.joint.pairs.tolist() == [[0, 1]]


def test_two_outcomes_of_correlated_estimates_in_one_study_are_of_one_plan_but_not_joint() -> None:
    rows = table({"s0": ["a", "b"], "s1": ["a"], "s2": ["b"]})
    covariance = np.diag(rows["se"] ** 2)
    covariance[0, 1] = covariance[1, 0] = 0.004
    (found,) = plans(rows, covariance)
    assert outcomes(found) == ["a", "b"]
    assert found.design.joint is None


@pytest.mark.parametrize(
    ("column", "value"),
    [("role", "manager"), ("response_mode", "other"), ("exposure_type", "measured")],
)
def test_people_of_two_roles_and_exposures_of_two_types_are_not_joint(
    column: str, value: str
) -> None:
    rows = table({f"s{k}": ["a", "b"] for k in range(4)})
    rows.loc[rows["outcome"] == "b", column] = value
    assert all(found.design.joint is None for found in plans(rows, np.diag(rows["se"] ** 2)))


def test_outcomes_that_no_study_measures_together_stay_uncorrelated() -> None:
    design, _ = designed(MEASURED["chain"])
    assert design.joint is not None
    assert design.joint.pairs.tolist() == [[0, 1], [1, 2]]
    assert len(replace(design, joint=None).components) == len(design.components)
