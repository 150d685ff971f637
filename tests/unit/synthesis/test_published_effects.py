"""Published effects: what enters the second stage, as what, and what is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import FINDINGS, VOCABULARY, published_study
from helpers.raw_studies import harmonized as from_file
from metastudy.common.problems import BadInput
from metastudy.harmonized import schema
from metastudy.models.priors import Prior
from metastudy.synthesis.eligibility import refused
from metastudy.synthesis.pooling import plans, pooled_rows, unit_of
from metastudy.synthesis.priors import prior_of
from metastudy.synthesis.published_effects import published

FINDING = {
    "study_id": "found",
    "contrast": "a against b",
    "exposure_type": "randomised",
    "outcome": "willingness",
    "direction": "positive",
    "metric": "sd",
    "standardiser": "control_sd",
    "verification": "published_numeric",
    "provenance": "observed",
}


def findings(*rows: dict[str, Any]) -> pd.DataFrame:
    """Harmonized effects, joined as the second stage joins them; a row is a publication."""
    full = [
        FINDING | {"finding_id": f"F{k}", "citation": f"study{k}"} | row
        for k, row in enumerate(rows, start=1)
    ]
    return pd.concat([schema.empty("effects"), schema.shape("effects", pd.DataFrame(full))])


def read(*rows: dict[str, Any]) -> tuple[pd.DataFrame, np.ndarray]:
    return published(findings(*rows), VOCABULARY)


def test_findings_with_an_error_are_read_whatever_their_metric() -> None:
    table, covariance = read(
        {"estimate": 0.3, "se": 0.1, "n": 200.0, "role": "professional"},
        {"estimate": 6.0, "se": 2.0, "n": 900.0, "metric": "percentage_points"},
        {"estimate": 6.0, "metric": "percentage_points"},
        {},
    )
    assert table["metric"].tolist() == ["sd", "percentage_points"]
    assert table["role"].tolist() == ["professional", "not_stated"]
    few = 1 - 3 / (4 * 99 - 1)  # the correction for a reference arm of a hundred
    np.testing.assert_allclose(covariance, np.diag([0.01 * few**2, 4.0]))
    assert table["estimate"].tolist() == pytest.approx([0.3 * few, 6.0])


def test_effects_without_a_role_pool_with_each_other_and_with_no_role() -> None:
    given = {"estimate": 0.3, "se": 0.1, "n": 200.0}
    table, covariance = read(*([given] * 2), *([given | {"role": "professional"}] * 2))
    found = pd.concat([p.estimands for p in plans(table, covariance)])
    assert sorted(found["role"]) == ["not_stated", "professional"]


def test_effects_in_scale_points_are_pooled_by_unit_information() -> None:
    """Two equal arms of n people of standard deviation s: the error is 2 s over the root of n."""
    s = 1.4
    rows = [
        {"estimate": 0.2, "se": 2 * s / np.sqrt(n), "n": n, "metric": "scale_points"}
        for n in (100.0, 250.0, 400.0)
    ]
    (found,) = plans(*read(*rows))
    assert found.unit == pytest.approx(s)
    assert len(found.estimands) == 1
    priors = {
        "effect": Prior("normal", {"scale": 0.5}),
        "tau": Prior("half_normal", {"scale": 0.3}),
    }
    assert prior_of(priors, "mu", "scale_points", found.unit).scale == pytest.approx(0.5 * s)
    assert prior_of(priors, "tau", "scale_points", found.unit).scale == pytest.approx(0.3 * s)
    assert unit_of(found.table, "sd") == 1.0


def test_what_says_nothing_of_its_unit_is_an_error_that_names_the_findings() -> None:
    given = {"estimate": 0.2, "se": 0.1, "metric": "scale_points"}
    table, covariance = read(given, given)
    with pytest.raises(BadInput) as caught:
        [*plans(table, covariance)]
    assert {p.row for p in caught.value.problems} == {"finding F1", "finding F2"}
    assert {p.code for p in caught.value.problems} == {"no-unit"}
    assert {p.file for p in caught.value.problems} == {"data/raw/found"}
    lone, covariance = read(given)
    assert not [*plans(lone, covariance)], "what is not pooled needs no unit"


@pytest.mark.parametrize("se", [0.1, None])
@pytest.mark.parametrize(("direction", "estimate"), [("positive", -0.2), ("negative", 0.2)])
def test_a_direction_against_its_estimate_is_an_error(
    direction: str, estimate: float, se: float | None
) -> None:
    with pytest.raises(BadInput) as caught:
        read({"estimate": 0.4, "se": 0.1}, {"direction": direction, "estimate": estimate, "se": se})
    (problem,) = caught.value.problems
    assert (problem.code, problem.row) == ("sign-against-direction", "finding F2")


@pytest.mark.parametrize("direction", ["null_result", "not_supported"])
def test_what_was_not_found_may_have_an_estimate_of_any_sign(direction: str) -> None:
    table, _ = read(*({"direction": direction, "estimate": e, "se": 0.2} for e in (-0.1, 0.0, 0.1)))
    assert len(table) == 3


def test_two_effects_of_a_publication_are_kept_apart_with_the_correlation_that_is_assumed() -> None:
    """One on another outcome is correlated with them, of other people or places independent."""
    rows = [{"estimate": e, "se": e, "n": 9e9, "citation": "one"} for e in (0.1, 0.2)]
    other = {"estimate": 0.3, "se": 0.1, "n": 9e9, "citation": "one"}
    more = [other | {"role": "professional"}, other | {"country": "DK"}, other | {"outcome": "o"}]
    table, covariance = published(findings(*rows, *more), VOCABULARY, correlation=0.6)
    assert table["effect"].tolist() == ["F1", "F2", "F3", "F4", "F5"]
    expected = np.diag(table["se"] ** 2)
    for i, j, product in ((0, 1, 0.1 * 0.2), (0, 4, 0.1 * 0.1), (1, 4, 0.2 * 0.1)):
        expected[i, j] = expected[j, i] = 0.6 * product
    np.testing.assert_allclose(covariance, expected, rtol=1e-6)


def test_a_publication_pools_over_its_places_and_not_over_effects_of_one_place() -> None:
    places = [{"country": c, "sector": s} for c in ("DK", "FI", "SE") for s in ("preschool", "s")]
    rows = [
        {"estimate": 0.1 * k, "se": 0.1, "n": 9e9, "citation": "one"} | place
        for k, place in enumerate(places)
    ]
    table, covariance = read(*rows)
    (found,) = plans(table, covariance)
    components = found.found[found.estimands["id"].item()].components
    assert [c.names for c in components] == [("country",), ("sector",), ("setting",)]
    assert refused(table).empty
    here = [row | places[0] for row in rows]
    lone, covariance = read(*here)
    assert not [*plans(lone, covariance)], "another outcome's effect is no other place"
    assert set(refused(lone)["reason"]) == {"one study only; its own estimate is shown"}
    # The places of a study whose rows are here are pooled in the fit of its module.
    assert not pooled_rows(table.assign(effect="")).any()


def test_an_effect_that_is_there_twice_is_an_error() -> None:
    row = {"estimate": 0.3, "se": 0.1, "citation": "one"}
    with pytest.raises(BadInput, match="duplicate-effect"):
        read(row, row)
    assert len(read(row, row | {"role": "professional"})[0]) == 2


def test_an_effect_without_a_family_pools_with_a_study_of_the_same_construct(
    tmp_path: Path,
) -> None:
    rows = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level\n" + "".join(
        f"f{k},{paper},a against b,assigned,{what},,0.2,0.1,pomp,240,DK,published_numeric\n"
        for k, (paper, what) in enumerate([("a2020", "threat_job"), ("b2021", "a new thing")])
    )
    effects = from_file(published_study(tmp_path, rows)).tables["effects"]
    assert effects["family"].tolist()[0] == "perceived_threat"  # as config/vocabulary.yaml has it
    assert effects["family"].isna().tolist() == [False, True]
    table, _ = published(effects, VOCABULARY)
    assert table["family"].tolist() == ["perceived_threat", "a new thing"]
    own = table.iloc[:1].assign(study="own", family=VOCABULARY.family("threat_job"), country="NL")
    together = pd.concat([table, own], ignore_index=True)
    assert pooled_rows(together).tolist() == [True, False, True]


def test_a_family_of_another_studys_vocabulary_is_taken_too() -> None:
    row = {"estimate": 0.3, "se": 0.1, "outcome": "threat_job", "metric": "pomp"}
    known, unknown = read(row, row | {"outcome": "another"})[0]["family"]
    assert (known, unknown) == ("perceived_threat", "another")


def test_a_family_against_the_vocabulary_is_said(tmp_path: Path) -> None:
    field = "  - {name: group, as: finding, field: family}\n"
    rows = (
        "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level,group\n"
        "f1,a2020,a against b,assigned,threat_job,,0.2,0.1,pomp,,,published_numeric,coping_rated\n"
        "f2,b2021,a against b,assigned,threat_job,,0.2,0.1,pomp,,,published_numeric,\n"
    )
    with pytest.raises(BadInput) as caught:
        from_file(published_study(tmp_path, rows, FINDINGS + field))
    (problem,) = caught.value.problems
    assert (problem.code, problem.column, problem.row) == ("contradiction", "group", 2)
    assert "perceived_threat" in problem.expected
    with pytest.raises(BadInput, match="perceived_threat"):
        read({"estimate": 0.3, "se": 0.1, "outcome": "threat_job", "family": "coping_rated"})
