"""Published findings by outcome: one direction a data set, a sign test only over what is alike."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import evidence, finding
from metastudy.article.make import table
from metastudy.article.results import Results
from metastudy.article.topics.published import GRADE, directions, outcomes, sign_test_sentence

QUALITY = {"outcome": "threat_quality", "exposure": "task_type", "term": "main_effect"}


def world(*found: dict) -> Results:
    """Only these findings."""
    empty = evidence("null")
    table_of = empty.published[0].with_tables(effects=pd.DataFrame(found))
    return replace(empty, published=(table_of,))


def said(citation: str, direction: str, **more: object) -> dict:
    about = QUALITY | {"citation": citation} | more
    return finding(f"{citation} {direction}", direction, 100.0, "perceived_threat", **about)


def exact(k: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95% interval by bisection of sums of binomial probabilities."""

    def at_most(x: int, p: float) -> float:
        return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(x + 1))

    def solve(tail: float, x: int) -> float:  # at_most falls in p
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(x, middle) > tail else (low, middle)
        return low

    return (0.0 if k == 0 else solve(0.975, k - 1), 1.0 if k == n else solve(0.025, k))


@pytest.mark.parametrize(("more", "less"), [(2, 0), (3, 1), (7, 2), (0, 5)])
def test_the_sign_test_and_its_interval_are_exact(more: int, less: int) -> None:
    names = [f"author{at}" for at in range(more + less)]
    found = outcomes(
        world(*(said(n, "positive" if at < more else "negative") for at, n in enumerate(names)))
    )
    (row,) = found.to_dict("records")
    n = more + less
    assert (row["data_sets"], row["positive"], row["negative"]) == (n, more, less)
    assert row["share"] == pytest.approx(more / n)
    np.testing.assert_allclose([row["lower"], row["upper"]], exact(more, n), atol=1e-9)
    tail = sum(comb(n, i) for i in range(min(more, less) + 1)) / 2**n
    assert row["p"] == pytest.approx(min(1.0, 2 * tail))


def test_a_data_set_counts_once_whatever_it_reports() -> None:
    found = world(
        *(said("one", "positive") for _ in range(5)),
        said("one", "null_result"),
        said("two", "negative"),
        said("three", "positive"),
        said("three", "negative"),
        said("four", "null_result"),
        said("five", "not_supported"),
    )
    by_data_set = directions(found).set_index("citation")["direction"].to_dict()
    assert by_data_set == {
        "one": "positive",
        "two": "negative",
        "three": "mixed",
        "four": "null_result",
        "five": "not_supported",
    }
    (row,) = outcomes(found).to_dict("records")
    counted = (row["positive"], row["negative"], row["mixed"], row["without_sign"])
    assert counted == (1, 1, 1, 2)
    assert row["share"] == 0.5, "only two data sets have a sign"


@pytest.mark.parametrize(
    "more",
    [
        {"outcome": "threat_job"},
        {"exposure": "involvement_degree"},
        {"exposure_type": "measured"},
    ],
    ids=["outcome", "exposure", "exposure type"],
)
def test_nothing_is_added_up_over_what_is_unlike(more: dict) -> None:
    found = outcomes(world(said("one", "positive"), said("two", "positive", **more)))
    assert found["data_sets"].tolist() == [1, 1]
    assert found[["share", "lower", "upper", "p"]].isna().all(axis=None)
    assert sign_test_sentence(found).startswith("No exposure and outcome has several data sets")


@pytest.mark.parametrize(
    "more",
    [
        {"term": "interaction"},
        {"exposure": None},
        {"outcome": "Support"},
        {"outcome": "uncertainty"},
    ],
    ids=["interaction", "unknown exposure", "unknown outcome", "no direction in the vocabulary"],
)
def test_what_the_vocabulary_does_not_orient_is_only_listed(more: dict) -> None:
    found = world(said("one", "positive"), said("two", "positive", **more))
    assert outcomes(found)["citations"].tolist() == ["one"]
    assert len(table(found, "findings").shown) == 2


def test_the_sentence_says_how_many_of_the_data_sets_found_more() -> None:
    found = outcomes(world(*(said(n, "positive") for n in ("one", "two", "three"))))
    assert "3 of 3 (0.29 to 1.00)" in sign_test_sentence(found)
    assert found["meaning"].tolist() == ["more threat"]


def test_certainty_is_that_of_the_outcome_where_somebody_rated_it() -> None:
    found = world(said("somebody2020", "positive"))
    assert table(found, "outcomes").shown["Certainty"].tolist() == ["not rated (publication)"]
    another = found.appraisal.replace({"coding": "measurement", "not_assessed": "high"})
    two = replace(found, appraisal=another)
    assert table(two, "outcomes").shown["Certainty"].tolist() == ["low (publication)"]
    shown = table(found, "certainty").shown
    assert set(shown.iloc[0, 1:]) == {"not assessed"}
    rated = pd.DataFrame(
        {
            "study": "", "domain": ["imprecision", "inconsistency"],
            "judgement": ["serious", "not_serious"], "certainty": "moderate", "reason": "Read.",
            "source": "article", "outcome": "threat_quality",
        }
    )  # fmt: skip
    more = replace(found, appraisal=pd.concat([found.appraisal, rated], ignore_index=True))
    shown = table(more, "certainty").shown
    assert list(shown.columns) == ["Outcome", *_words(GRADE), "Certainty"]
    assert shown["Imprecision"].tolist() == ["serious"]
    assert shown["Inconsistency"].tolist() == ["not serious"]
    assert shown["Indirectness"].tolist() == ["not assessed"]
    assert shown["Certainty"].tolist() == ["moderate"]
    assert table(more, "outcomes").shown["Certainty"].tolist() == ["moderate"]
    assert len(table(more, "appraisal").shown) == len(table(found, "appraisal").shown)


def _words(names: tuple[str, ...]) -> list[str]:
    return [name.replace("_", " ").capitalize() for name in names]


def test_without_findings_there_are_no_outcomes() -> None:
    found = replace(evidence("null"), published=())
    assert outcomes(found).empty
    assert table(found, "outcomes").shown.empty


def test_people_of_two_arms_are_those_of_a_finding_without_a_sum_of_its_own() -> None:
    arms = {"n_control": 40.0, "n_treatment": 42.0}
    found = world(
        said("a", "positive") | arms | {"n": float("nan")},
        said("b", "positive") | arms | {"n": 90.0},  # some in neither of the two
        said("c", "positive") | {"n_control": 40.0, "n_treatment": float("nan"), "n": float("nan")},
    )
    assert list(table(found, "findings").shown["n"]) == ["82", "90", "–"]
