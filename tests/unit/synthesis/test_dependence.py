"""Published effects that hang together: what a covariance is made of, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metastudy.common.problems import BadInput
from metastudy.harmonized import schema
from metastudy.synthesis.dependence import SOURCES, assumed, joint, sources
from metastudy.synthesis.nesting import NESTED, nesting
from metastudy.synthesis.pooling import plans

SE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])


def table(study: str = "aaabbc", outcome: str = "xxyxxx") -> pd.DataFrame:
    """Effects of publications on two outcomes."""
    ids = [f"file|F{k}" for k in range(len(study))]
    return pd.DataFrame(
        {
            "id": ids, "study": list(study), "country": "DK", "sector": "s", "role": "r",
            "exposure": "e_randomised", "exposure_name": "e", "exposure_type": "randomised",
            "outcome": list(outcome), "family": "f", "vignette": "", "response_mode": "published",
            "metric": "sd", "n": 100, "estimate": SE, "se": SE, "provenance": "observed",
            "effect": [i.partition("|")[2] for i in ids],
        }
    )  # fmt: skip


def said(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    columns = ["finding_id", "other_id", "covariance", "correlation"]
    own = pd.DataFrame(rows, columns=columns).assign(study_id="file")
    return schema.shape("dependence", own)


GIVEN = said(("F0", "F2", 0.0123, np.nan), ("F3", "F4", np.nan, -0.2))


def test_a_covariance_is_used_as_it_is_a_correlation_builds_one_and_the_rest_is_assumed() -> None:
    found = joint(table(), SE, GIVEN, 0.6)
    expected = np.diag(SE**2)
    for i, j, value in (
        (0, 2, 0.0123),
        (3, 4, -0.2 * 0.4 * 0.5),
        (0, 1, 0.6 * 0.1 * 0.2),
        (1, 2, 0.6 * 0.2 * 0.3),  # of two outcomes
    ):
        expected[i, j] = expected[j, i] = value
    np.testing.assert_array_equal(found[0, 2], 0.0123)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    where = sources(table(), GIVEN)
    assert [SOURCES[where[i, j]] for i, j in ((0, 2), (3, 4), (0, 1))] == [*SOURCES]
    assert SOURCES[where[1, 2]] == "assumed"
    assert where[4, 5] == -1, "two publications"


def test_nothing_is_assumed_of_other_exposures_or_places() -> None:
    for column in ("exposure", "country", "sector", "role", "response_mode"):
        other = table().assign(**{column: list("ppqrrr")})
        found = joint(other, SE, None, 0.6)
        assert np.argwhere(np.triu(found, 1)).tolist() == [[0, 1], [3, 4]], column


def test_outcomes_of_a_family_that_point_in_opposite_directions_have_opposite_errors() -> None:
    found = joint(table(), SE, None, 0.6, {"x": 1, "y": -1})
    assert found[0, 1] == pytest.approx(0.6 * 0.1 * 0.2)
    assert found[0, 2] == pytest.approx(-0.6 * 0.1 * 0.3)
    apart = table().assign(family=table()["outcome"])  # signs are those within a family
    assert joint(apart, SE, None, 0.6, {"x": 1, "y": -1})[0, 2] == pytest.approx(0.6 * 0.1 * 0.3)
    both = table("aaabbb", "xxyxxy")
    (plan,) = plans(both, joint(both, SE, None, 0.6, {"x": 1, "y": -1}))
    at = [plan.table["effect"].tolist().index(name) for name in ("F0", "F2")]
    for value, other in assumed(plan, said()).items():
        assert other[tuple(at)] == pytest.approx(-value * 0.1 * 0.3)


def test_an_estimate_in_another_metric_takes_its_covariance_along() -> None:
    twice = table().assign(se=2 * SE)
    found = joint(twice, SE, GIVEN, 0.6)
    np.testing.assert_allclose(found, 4 * joint(table(), SE, GIVEN, 0.6), rtol=1e-12)


def test_a_covariance_that_is_not_positive_definite_names_the_findings() -> None:
    wrong = said(("F0", "F1", np.nan, 0.9), ("F0", "F2", np.nan, 0.9), ("F1", "F2", np.nan, -0.9))
    with pytest.raises(BadInput) as caught:
        joint(table(), SE, wrong, 0.6)
    (problem,) = caught.value.problems
    assert problem.code == "dependence"
    assert "F0, F1, F2" in problem.found
    assert "not positive definite" in problem.found


def test_the_sensitivity_changes_what_is_assumed_and_nothing_else() -> None:
    covariance = joint(table(), SE, GIVEN, 0.6)
    (found,) = plans(table(), covariance)
    at = found.table.index[found.table["effect"].isin(["F0", "F1"])]
    for value, other in assumed(found, GIVEN).items():
        changed = np.argwhere(np.triu(other != found.covariance))
        assert changed.tolist() == [list(at)]
        assert other[tuple(at)] == pytest.approx(value * 0.1 * 0.2)


def test_several_effects_of_a_study_have_a_spread_of_their_own_below_it() -> None:
    many = table("aabbcc", "xxxxxx")
    (found,) = plans(many, joint(many, SE, None, 0.6))
    ((_, own),) = found.found.items()
    assert [c.name for c in own.components] == ["study+setting", "effect"]
    assert len(found.table) == 6, "they are not averaged"
    (one_each,) = plans(few := table("abcdef", "xxxxxx"), joint(few, SE, None, 0.6))
    ((_, alone),) = one_each.found.items()
    assert [c.name for c in alone.components] == ["study+setting"]


def test_declared_groupings_are_above_or_below_the_study_from_the_outermost_in() -> None:
    rows = table("aabbccdd"[:6], "xxxxxx").assign(
        **{
            f"{NESTED}consortium": list("kkkkll"),
            f"{NESTED}laboratory": list("mmmnoo"),
            f"{NESTED}class": list("123456"),
        }
    )
    rows[f"{NESTED}laboratory"] = list("mmnnoo")
    found = nesting(rows)
    assert found.above == ("consortium", "laboratory")
    assert found.below == ("class", "effect")


def test_a_crossed_grouping_is_an_error_that_names_both_levels() -> None:
    rows = table("aabbcc", "xxxxxx").assign(**{f"{NESTED}laboratory": list("mnmnoo")})
    with pytest.raises(BadInput) as caught:
        nesting(rows)
    (problem,) = caught.value.problems
    assert (problem.code, problem.column) == ("crossed", "laboratory")
    assert "laboratory m is in several of study, and study a in several of laboratory" in (
        problem.found
    )
