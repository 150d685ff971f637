"""Priors of another width: one after the other, and all that a model has."""

from __future__ import annotations

from metastudy.models.prior_widths import variants, widened
from metastudy.models.priors import Prior, priors_of

PRIORS = priors_of({"effect": 0.5, "tau": 0.3, "effect_correlation": 2.0, "sigma": 0.5})


def test_priors_without_a_scale_are_widened_by_their_shape() -> None:
    assert widened(Prior("lkj", {"shape": 2.0}), 2.0).numbers == {"shape": 1.0}
    accuracy = widened(Prior("beta_above_half", {"a": 6.0, "b": 2.0}), 0.5)
    assert accuracy.numbers == {"a": 12.0, "b": 4.0}
    assert accuracy.sd < Prior("beta_above_half", {"a": 6.0, "b": 2.0}).sd
    assert accuracy.mean == Prior("beta_above_half", {"a": 6.0, "b": 2.0}).mean


def test_each_is_varied_alone_then_all_of_them_and_no_other() -> None:
    found = {(k, name): other for k, name, other in variants(PRIORS, ["tau", "effect_correlation"])}
    keys = ("tau", "effect_correlation", "all")
    assert list(found) == [(key, name) for key in keys for name in ("half", "double")]
    assert found["tau", "half"] == PRIORS | priors_of({"tau": 0.15})
    assert found["effect_correlation", "double"] == PRIORS | priors_of({"effect_correlation": 1.0})
    assert found["all", "half"] == PRIORS | priors_of({"tau": 0.15, "effect_correlation": 4.0})


def test_one_prior_is_not_varied_twice() -> None:
    assert [key for key, _, _ in variants(PRIORS, ["tau"])] == ["tau", "tau"]
