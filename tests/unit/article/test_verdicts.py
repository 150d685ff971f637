"""Verdicts follow from the numbers alone, and no sentence says more than they do."""

from __future__ import annotations

import re
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.evidence import WORLDS, evidence
from helpers.sentences import contradictions, value
from metastudy.article.make import variables
from metastudy.article.variable_tree import flat
from metastudy.display.sentences import Finding, comparison, differences, phrases, summary
from metastudy.posterior.verdicts import KINDS, Verdict, judge

CUTS = {"clear": 0.975, "too_small": 0.95, "direction": 0.975}
ROPE, MANY = 0.1, 1e9


def verdict(mean: float, sd: float, ess: float = MANY, rope: float = ROPE) -> Verdict:
    """The verdict on a normal posterior, from its probabilities."""
    normal = NormalDist(mean, sd)
    masses = {"above": 1 - normal.cdf(rope), "below": normal.cdf(-rope)}
    masses["rope"] = 1 - sum(masses.values())
    if rope != rope:  # a metric without a region of practical equivalence
        masses = dict.fromkeys(masses, float("nan"))
    return judge({**masses, "positive": 1 - normal.cdf(0), "ess": ess}, CUTS)


@pytest.mark.parametrize("sd", [0.5, 1.0, 2.0])
def test_what_is_known_least_is_undecided(sd: float) -> None:
    assert verdict(0.0, sd).kind == "undecided"


def test_the_four_words_in_their_order() -> None:
    assert verdict(0.40, 0.1).kind == "clear_higher"
    assert verdict(-0.40, 0.1).kind == "clear_lower"
    assert verdict(0.05, 0.02).kind == "too_small", "its sign is clear, and it does not matter"
    assert verdict(0.22, 0.1).kind == "higher"
    assert verdict(-0.22, 0.1).kind == "lower"
    assert verdict(0.19, 0.1).kind == "undecided"


def test_a_metric_without_a_region_has_a_direction_or_nothing() -> None:
    nothing = float("nan")
    assert verdict(0.4, 0.1, rope=nothing).kind == "higher"
    assert verdict(0.0, 0.001, rope=nothing).kind == "undecided"


def test_the_border_is_two_monte_carlo_errors_wide() -> None:
    # P(effect > 0) is 0.97725: the distance of 0.00225 is two errors at about 17,600 draws.
    assert verdict(0.2, 0.1, ess=10_000).border
    assert not verdict(0.2, 0.1, ess=30_000).border


@given(st.floats(-2, 2), st.floats(0.01, 2))
def test_a_verdict_never_contradicts_its_probabilities(mean: float, sd: float) -> None:
    found, normal = verdict(mean, sd), NormalDist(mean, sd)
    assert found.sign == pytest.approx(max(normal.cdf(0), 1 - normal.cdf(0)))
    if found.kind == "clear_higher":
        assert 1 - normal.cdf(ROPE) >= 0.975
    elif found.kind == "higher":
        assert 1 - normal.cdf(ROPE) < 0.975 <= found.sign
    elif found.kind == "too_small":
        assert normal.cdf(ROPE) - normal.cdf(-ROPE) >= 0.95
    elif found.kind == "undecided":
        assert found.sign < 0.975
    mirrored = {"higher": "lower", "clear_higher": "clear_lower"}
    mirrored |= {other: one for one, other in mirrored.items()}
    assert verdict(-mean, sd).kind == mirrored.get(found.kind, found.kind)


@pytest.mark.parametrize("codes", [False, True])
def test_only_what_was_assigned_at_random_raises_or_lowers(codes: bool) -> None:
    causal, other = phrases("randomised", codes), phrases("measured", codes)
    assert causal.verb["higher"][0].startswith("raises")
    assert causal.verb["higher"] == causal.verb["clear_higher"]
    assert not any(
        re.search("rais|lowers|effect", v) for verbs in other.verb.values() for v in verbs
    )
    assert set(causal.verb) == set(other.verb) == set(KINDS)


def test_the_sentence_of_a_single_undecided_outcome_is_in_the_singular() -> None:
    only = [Finding("threat", "undecided", "0.1 SD")]
    assert summary("a change", only, phrases("randomised")) == (
        "The effect of a change on threat is undecided."
    )
    assert comparison(only) == "The one outcome, threat, has no decided sign."


def test_outcomes_too_many_to_name_are_counted() -> None:
    many = [Finding(f"code {n}", "undecided", "") for n in range(12)]
    assert "all 12 codes are undecided" in summary(
        "x", many, phrases("organisational", True), "codes"
    )
    some = [Finding("first", "higher", "1"), *many]
    assert "the other 12 codes are undecided" in summary(
        "x", some, phrases("measured", True), "codes"
    )


def test_no_word_of_several_verdicts_says_only_or_no_effect() -> None:
    found = [
        Finding("a", "clear_higher", "1"),
        *(Finding(name, "undecided", "0") for name in "bc"),
        Finding("d", "too_small", "0"),
    ]
    said = [
        summary("x", found, phrases("randomised")),
        comparison(found),
        differences("Against the others", found),
    ]
    assert not [text for text in said if re.search("only|no effect|imprecise", text)]
    assert said[1] == "Of the four outcomes, one has a decided sign: a (higher, clear)."
    assert said[2] == (
        "Against the others, the effect is higher on a (1; clear); one difference is too small to "
        "matter and two differences are undecided."
    )


def test_without_a_decided_difference_that_is_said() -> None:
    found = [Finding(name, "undecided", "0") for name in "ab"]
    assert differences("Against the others", found, "association") == (
        "Against the others, no difference has a decided sign; two differences are undecided."
    )


# --- no generated sentence contradicts its numbers ------------------------------------------------


def test_the_checker_finds_contradictions() -> None:
    assert contradictions("X raises y (−0.20 SD, 95% interval −0.30 to −0.10).")
    assert contradictions("X lowers y (−0.20 SD, 95% interval −0.30 to 0.10).")
    assert contradictions("X raises y.")
    assert contradictions(
        "The effect on y (0.3 SD, 95% interval 0.1 to 0.5) is too small to matter."
    )
    assert contradictions(
        "The intervals of the differences from the main analysis hold zero for two effects; the "
        "largest difference is y on z (0.20, 95% interval 0.10 to 0.30)."
    )
    assert contradictions("The interval holds zero: y on z (0.20, 95% interval 0.10 to 0.30).")
    assert contradictions(
        "Of two effects one differs from the main analysis: y on z (0.2, 95% interval −0.1 to 0.5)."
    )
    assert not contradictions(
        "Of two effects one differs from the main analysis: y on z (0.2, 95% interval 0.1 to 0.5)."
    )
    assert not contradictions(
        "X raises y (0.20 SD, 95% interval 0.10 to 0.30; clear) and lowers z (−0.20 SD, 95% "
        "interval −0.30 to −0.10; size open; on the border); the effect on u is undecided."
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
        if kind.endswith("higher"):
            assert lower > 0, key
        elif kind.endswith("lower"):
            assert upper < 0, key
        elif kind == "undecided":
            assert lower < 0 < upper, key
        else:
            assert lower < 0.18, key
            assert upper > -0.18, key
