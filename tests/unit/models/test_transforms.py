"""Effects near their estimates: another way to sample, and the same distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import norm

from metastudy.models.transforms import NearData, OrderedNear

PLAIN = pytensor.Mode("py", "fast_compile")


def model(transform: Any) -> pm.Model:
    with pm.Model() as built:
        centre, sd = pm.Normal("centre"), pm.HalfNormal("sd")
        pm.Normal("effect", centre, sd, shape=3, transform=transform)
    return built


@pytest.mark.parametrize("square", [1e-4, 0.04, 1e6])
def test_the_density_is_that_of_the_effect_whatever_the_estimate_is(square: float) -> None:
    estimate = np.array([0.3, -0.2, 5.0])
    built = model(NearData(estimate, np.full(3, square)))
    centre, log_sd, z = built.value_vars
    density = pm.compile([centre, log_sd, z], built.logp(), mode=PLAIN)
    effect = pm.compile(
        [centre, log_sd, z], built.replace_rvs_by_values([built["effect"]]), mode=PLAIN
    )
    rng = np.random.default_rng(1)
    for _ in range(5):
        at = rng.normal(), rng.normal(), rng.normal(size=3)
        (value,) = effect(*at)
        sd = np.exp(at[1])
        # What an independent derivative says of the change of units.
        step = 1e-5
        slope = (effect(at[0], at[1], at[2] + step)[0] - value) / step
        expected = norm.logpdf(value, at[0], sd).sum() + np.log(slope).sum()
        expected += norm.logpdf(at[0]) + norm.logpdf(sd) + np.log(2) + at[1]
        assert float(density(*at)) == pytest.approx(expected, abs=1e-4)


def test_it_is_the_non_centred_form_without_data_and_the_centred_one_with_many() -> None:
    centre, sd, z = 0.4, 0.3, np.array([1.0])
    inputs = (None, None, centre, sd)
    alone = NearData(np.zeros(1), np.full(1, 1e9)).backward(z, *inputs)
    sure = NearData(np.full(1, 0.7), np.full(1, 1e-8)).backward(z, *inputs)
    assert float(alone.eval()[0]) == pytest.approx(centre + sd)
    assert float(sure.eval()[0]) == pytest.approx(0.7 + 1e-4, abs=1e-6)


def test_draws_from_the_prior_know_nothing_of_the_estimate() -> None:
    built = model(NearData(np.full(3, 9.0), np.full(3, 1e-4)))
    drawn = pm.draw(built["effect"], 4000, mode=PLAIN, random_seed=2)
    assert abs(drawn.mean()) < 0.1
    assert drawn.std() == pytest.approx(np.sqrt(2), rel=0.05)


# Where two items may have their thresholds: the middle one is the second, and the last.
AROUND = np.array([[-1.3, 0.2, 0.9, 2.5], [-3.0, -2.0, -1.5, 0.1]])
ALIKE = np.array([[1.0, 0.6], [0.6, 1.0]])


def ordered() -> pm.Model:
    with pm.Model() as built:
        pm.Normal("kappa", shape=AROUND.shape, transform=OrderedNear(AROUND, ALIKE), initval=AROUND)
    return built


def test_ordered_numbers_start_around_their_own_and_stay_ordered() -> None:
    transform = OrderedNear(AROUND, ALIKE)
    np.testing.assert_allclose(transform.backward(np.zeros(AROUND.shape)).eval(), AROUND)
    z = np.random.default_rng(5).normal(size=AROUND.shape) * 4
    found = transform.backward(z).eval()
    assert (np.diff(found, axis=1) > 0).all()
    np.testing.assert_allclose(transform.forward(found).eval(), z, atol=1e-8)


@pytest.mark.parametrize("item", [0, 1])
def test_what_lies_beyond_a_threshold_moves_none_that_is_nearer_to_the_middle(item: int) -> None:
    """Few answers beyond the outermost threshold, on either side, leave all others as they are."""
    transform, z = OrderedNear(AROUND, ALIKE), np.zeros(AROUND.shape)
    for outermost in (0, 3):
        if outermost != np.abs(AROUND[item]).argmin():
            z[item, outermost] = 3.0
            moved = transform.backward(z).eval() - AROUND
            assert np.flatnonzero(np.abs(moved[item]) > 1e-9).tolist() == [outermost]
            z[item, outermost] = 0.0


def test_middle_numbers_of_items_that_are_alike_go_together() -> None:
    z = np.random.default_rng(7).normal(size=(4000, *AROUND.shape))
    transform = OrderedNear(AROUND, ALIKE)
    compiled = pm.compile([v := pt.matrix()], transform.backward(v), mode=PLAIN)
    found = np.array([compiled(one) for one in z])
    assert np.corrcoef(found[:, 0, 1], found[:, 1, 3])[0, 1] == pytest.approx(0.6, abs=0.03)


def test_the_density_of_ordered_numbers_has_the_change_of_units() -> None:
    """Against the determinant of a matrix of derivatives that are differences."""
    built = ordered()
    (z,) = built.value_vars
    density = pm.compile([z], built.logp(jacobian=True), mode=PLAIN)
    plain = pm.compile([z], built.logp(jacobian=False), mode=PLAIN)
    numbers = pm.compile([z], built.replace_rvs_by_values([built["kappa"]]), mode=PLAIN)
    at, step = np.random.default_rng(6).normal(size=AROUND.shape), 1e-6
    moved = [step * e.reshape(at.shape) for e in np.eye(at.size)]
    derivative = [(numbers(at + m)[0] - numbers(at - m)[0]).ravel() / 2 / step for m in moved]
    _, volume = np.linalg.slogdet(np.array(derivative))
    assert float(density(at)) - float(plain(at)) == pytest.approx(volume, abs=1e-6)
