"""Verdicts follow from the numbers alone, and no sentence says more than they do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.evidence import WORLDS, evidence
from helpers.sentences import contradictions, value
from metastudy.article.make import variables
from metastudy.article.variable_tree import flat
from metastudy.display.sentences import Finding, comparison, phrases, summary
from metastudy.posterior.verdicts import KINDS, judge

ROPE, DIRECTION = 0.1, 0.975


def verdict(lower: float, upper: float, pd: float = 0.99) -> str:
    return judge(lower, upper, pd, ROPE, DIRECTION)


def test_a_direction_needs_the_interval_and_the_probability() -> None:
    assert verdict(0.05, 0.4) == "higher"
    assert verdict(-0.4, -0.05) == "lower"
    assert verdict(0.05, 0.4, pd=0.97) == "imprecise"
    assert verdict(-0.01, 0.4) == "imprecise"


def test_a_null_is_imprecise_unless_the_whole_interval_is_practically_nothing() -> None:
    assert verdict(-0.2, 0.2, pd=0.5) == "imprecise"
    assert verdict(-0.1, 0.1, pd=0.5) == "equivalent"
    assert verdict(-0.1, 0.11, pd=0.5) == "imprecise"


def test_a_clear_sign_inside_the_region_is_practically_nothing() -> None:
    assert verdict(0.02, 0.08, pd=1.0) == "equivalent"


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0.5, 1))
def test_a_verdict_never_contradicts_its_interval(middle: float, half: float, pd: float) -> None:
    lower, upper = middle - half, middle + half
    kind = verdict(lower, upper, pd)
    if kind == "higher":
        assert lower > 0
        assert pd >= DIRECTION
    elif kind == "lower":
        assert upper < 0
        assert pd >= DIRECTION
    elif kind == "equivalent":
        assert lower >= -ROPE
        assert upper <= ROPE
    mirrored = {"higher": "lower", "lower": "higher"}.get(kind, kind)
    assert verdict(-upper, -lower, pd) == mirrored


@pytest.mark.parametrize("codes", [False, True])
def test_only_what_was_assigned_at_random_raises_or_lowers(codes: bool) -> None:
    causal, other = phrases("randomised", codes), phrases("measured", codes)
    assert causal.verb["higher"][0].startswith("raises")
    assert not any(
        re.search("rais|lowers|effect", v) for verbs in other.verb.values() for v in verbs
    )
    assert set(causal.verb) == set(other.verb) == set(KINDS)


def test_the_sentence_of_a_single_imprecise_outcome_is_in_the_singular() -> None:
    only = [Finding("threat", "imprecise", "0.1 SD")]
    assert summary("a change", only, phrases("randomised")) == (
        "The effect of a change on threat is imprecise."
    )
    assert comparison(only) == "The one outcome, threat, has no clear sign."


def test_outcomes_too_many_to_name_are_counted() -> None:
    many = [Finding(f"code {n}", "imprecise", "") for n in range(12)]
    assert "all 12 codes are imprecise" in summary(
        "x", many, phrases("organisational", True), "codes"
    )
    some = [Finding("first", "higher", "1"), *many]
    assert "the other 12 codes are imprecise" in summary(
        "x", some, phrases("measured", True), "codes"
    )


# --- no generated sentence contradicts its numbers ------------------------------------------------


def test_the_checker_finds_contradictions() -> None:
    assert contradictions("X raises y (−0.20 SD, 95% interval −0.30 to −0.10).")
    assert contradictions("X lowers y (−0.20 SD, 95% interval −0.30 to 0.10).")
    assert contradictions("X raises y.")
    assert contradictions(
        "The effect on y (0.3 SD, 95% interval 0.1 to 0.5) lies within the region of practical "
        "equivalence."
    )
    assert not contradictions(
        "X raises y (0.20 SD, 95% interval 0.10 to 0.30) and lowers z (−0.20 SD, 95% interval "
        "−0.30 to −0.10); the effect on u is imprecise."
    )


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("studies", [1, 3])
def test_no_sentence_of_any_world_contradicts_its_numbers(world: str, studies: int) -> None:
    found = flat(variables(evidence(world, studies), {}))
    sentences = {k: v for k, v in found.items() if k.endswith((".summary", ".comparison"))}
    assert len(sentences) > 8
    for key, sentence in sentences.items():
        assert not contradictions(sentence), f"{key}: {sentence}"
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert "None" not in sentence.removeprefix("None")
        assert "nan" not in sentence


@pytest.mark.parametrize("world", WORLDS)
def test_every_verdict_agrees_with_the_interval_beside_it(world: str) -> None:
    found = flat(variables(evidence(world, 3), {}))
    verdicts = {k: v for k, v in found.items() if k.endswith(".verdict") and v in KINDS}
    assert verdicts
    for key, kind in verdicts.items():
        stem = key.removesuffix(".verdict")
        lower, upper = map(value, found[f"{stem}.interval"].split(" to "))
        if kind == "higher":
            assert lower > 0, key
        elif kind == "lower":
            assert upper < 0, key
        elif kind == "imprecise":
            assert not (lower > 0.18 or upper < -0.18) or found[f"{stem}.pd"] < "0.975", key
