"""Which word a posterior earns, in their order, and where a word is on the border."""

from __future__ import annotations

import math
from typing import Any

import pytest
import xarray as xr
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.repository import ROOT
from metastudy.posterior.summarise import summarize
from metastudy.posterior.verdicts import CLAIMS, CUTS, KINDS, Verdict, judge, wrong_signs

REPORT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["report"]
SHIPPED = {name: REPORT[name] for name in CUTS}
ROPE = 0.1


def row(mean: float, sd: float, ess: float = 1e9, rope: float | None = ROPE) -> dict[str, float]:
    """What a normal posterior has in the table, by its distribution function."""
    law = stats.norm(mean, sd)
    masses = dict.fromkeys(("above", "below", "rope"), math.nan)
    if rope is not None:
        above, below = law.sf(rope), law.cdf(-rope)
        masses = {"above": above, "below": below, "rope": 1 - above - below}
    return {**masses, "positive": law.sf(0), "ess": ess}


def verdict(mean: float, sd: float, **more: Any) -> Verdict:
    return judge(row(mean, sd, **more), SHIPPED)


def test_the_cuts_are_those_of_the_design() -> None:
    assert SHIPPED == {"clear": 0.975, "too_small": 0.95, "direction": 0.975}


@pytest.mark.parametrize("sd", [0.5, 1.0, 2.0])
def test_what_is_known_least_is_undecided(sd: float) -> None:
    """The probability that such an effect is large goes to one, and must not be the criterion."""
    found = verdict(0.0, sd)
    assert found.kind == "undecided"
    assert not found.claim
    assert found.sign == pytest.approx(0.5)
    mass = row(0.0, sd)
    assert mass["above"] + mass["below"] > 0.8


@pytest.mark.parametrize(
    ("mean", "sd", "kind"),
    [
        (0.5, 0.1, "clear_higher"),
        (-0.5, 0.1, "clear_lower"),
        (0.0, 0.03, "too_small"),
        (0.05, 0.02, "too_small"),  # its sign is clear, and its size is too
        (0.25, 0.1, "higher"),
        (-0.25, 0.1, "lower"),
        (0.15, 0.1, "undecided"),
    ],
)
def test_each_word_in_its_order(mean: float, sd: float, kind: str) -> None:
    assert verdict(mean, sd).kind == kind


def test_the_words_are_asked_for_in_their_order() -> None:
    """All of them apply to such a row, so the cuts alone say which one is given."""
    mass = {"above": 0.6, "below": 0.0, "rope": 0.4, "positive": 0.9, "ess": 1e9}
    low, high = 0.1, 0.99
    cases = [
        ((low, low, low), "clear_higher"),
        ((high, low, low), "too_small"),
        ((high, high, low), "higher"),
        ((high, high, high), "undecided"),
    ]
    for cuts, kind in cases:
        assert judge(mass, dict(zip(CUTS, cuts, strict=True))).kind == kind


def test_a_metric_without_a_region_has_a_direction_or_none() -> None:
    assert verdict(5.0, 0.1, rope=None).kind == "higher"
    assert verdict(-5.0, 0.1, rope=None).kind == "lower"
    assert verdict(0.0, 0.001, rope=None).kind == "undecided"


@given(st.floats(-2, 2), st.floats(0.01, 2))
def test_a_verdict_follows_from_probabilities_and_mirrors(mean: float, sd: float) -> None:
    found, mass = verdict(mean, sd), row(mean, sd)
    mirrored = {"higher": "lower", "lower": "higher"}
    for side, other in list(mirrored.items()):
        mirrored[f"clear_{side}"] = f"clear_{other}"
    other = verdict(-mean, sd)
    if not found.border:
        assert other.kind == mirrored.get(found.kind, found.kind)
    assert found.kind in KINDS
    assert found.claim == (found.kind in CLAIMS)
    if found.claim:
        assert found.sign >= 0.975, "no claim without its sign"
        assert (found.kind.endswith("higher")) == (mean > 0)
    if found.kind.startswith("clear"):
        assert max(mass["above"], mass["below"]) >= 0.975
    if found.kind == "undecided":
        assert max(mass["above"], mass["below"], found.sign) < 0.975
        assert mass["rope"] < 0.95


# --- the border -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ess", "border"), [(400, True), (1600, True), (40_000, False)])
def test_a_word_is_on_the_border_within_two_monte_carlo_errors(ess: float, border: bool) -> None:
    """The sign has a probability of 0.98, 0.005 above the cut; one error is 0.14 / root ess."""
    mass = {"above": 0.5, "below": 0.0, "rope": 0.5, "positive": 0.98, "ess": ess}
    found = judge(mass, SHIPPED)
    assert found.kind == "higher"
    assert (2 * math.sqrt(0.98 * 0.02 / ess) > 0.005) == border, "by hand"
    assert found.border == border


def test_a_word_that_was_nearly_another_is_on_the_border_too() -> None:
    """Clear was missed by little; that the sign is certain does not make the word certain."""
    mass = {"above": 0.974, "below": 0.0, "rope": 0.026, "positive": 1.0, "ess": 4000.0}
    found = judge(mass, SHIPPED)
    assert found.kind == "higher"
    assert found.border
    assert judge({**mass, "above": 0.9, "rope": 0.1}, SHIPPED).border is False


def test_what_comes_after_the_word_that_was_given_puts_it_on_no_border() -> None:
    mass = {"above": 1.0, "below": 0.0, "rope": 0.0, "positive": 1.0, "ess": 4000.0}
    cuts = {**SHIPPED, "direction": 0.9999}
    assert not judge(mass, cuts).border


def test_few_draws_that_all_agree_are_on_the_border() -> None:
    mass = {"above": 1.0, "below": 0.0, "rope": 0.0, "positive": 1.0}
    assert judge({**mass, "ess": 10.0}, SHIPPED).border
    assert not judge({**mass, "ess": 4000.0}, SHIPPED).border


# --- wrong signs ----------------------------------------------------------------------------------


def test_the_expected_wrong_signs_are_those_of_the_claims_alone() -> None:
    found = [
        Verdict("clear_higher", 0.999, False),
        Verdict("lower", 0.98, True),
        Verdict("undecided", 0.6, False),
        Verdict("too_small", 0.7, False),
    ]
    assert wrong_signs(found) == pytest.approx(0.001 + 0.02)
    assert wrong_signs([]) == 0


def test_a_summary_gives_what_the_verdict_needs() -> None:
    """Draws at the normal quantiles of each posterior have its word."""
    p = (stats.uniform.ppf([(k + 0.5) / 4000 for k in range(4000)]) * 7919) % 1  # in mixed order
    for mean, sd in ((0.5, 0.1), (0.0, 0.03), (0.25, 0.1), (0.0, 1.0)):
        draws = stats.norm(mean, sd).ppf(p).reshape(4, 1000, 1)
        table = summarize(xr.DataArray(draws, dims=("chain", "draw", "q")), 0.95, ROPE)
        assert judge(table.iloc[0], SHIPPED).kind == verdict(mean, sd).kind
