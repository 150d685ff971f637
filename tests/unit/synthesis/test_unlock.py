"""What one more study would unlock, from designs in which the answer is plain."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from helpers.repository import ROOT
from metastudy.codebook import vocabulary as vocabularies
from metastudy.common.result_tables import checked
from metastudy.synthesis.unlock import SIDES, unlock

VOCABULARY = vocabularies.load(ROOT / "config" / "vocabulary.yaml")
NO_SIDES = pd.DataFrame(columns=SIDES).astype({"side": float})
STUDY: dict[str, Any] = {
    "name": "one more",
    "module": "threat",
    "exposures": ["task_type"],
    "exposure_type": "randomised",
    "outcomes": ["threat_quality"],
    "country": "SE",
    "sector": "elderly_care",
    "role": "professional",
    "response_mode": "vignette_hypothetical",
}


def estimate(study: str = "first", **other: str) -> dict[str, str]:
    """The design of an estimate; there is no outcome in it."""
    return {
        "study": study, "country": "DK", "sector": "elderly_care", "role": "professional",
        "exposure": "task_type_randomised", "exposure_name": "task_type",
        "exposure_type": "randomised", "outcome": "threat_quality", "family": "perceived_threat",
        "response_mode": "vignette_hypothetical", "metric": "sd", "vignette": "", **other,
    }  # fmt: skip


def asked(rows: list[dict[str, str]], sides: pd.DataFrame = NO_SIDES, **other: Any) -> pd.Series:
    """What becomes of the first estimand with one candidate."""
    found = unlock(pd.DataFrame(rows), sides, [STUDY | other], VOCABULARY)
    return checked("unlock", found).iloc[0]


def test_a_study_in_a_second_country_pools_and_its_spread_has_both_names() -> None:
    found = asked([estimate()])
    assert found["sign"] == "pooled"
    assert found["studies"] == 2
    assert found["reason"] == "2 studies; spread: study and country in one"


def test_a_study_in_the_same_place_gives_studies_a_spread_of_their_own() -> None:
    found = asked([estimate()], country="DK")
    assert found["sign"] == "spread"
    assert found["reason"] == "2 studies; spread: study"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"response_mode": "coded_narrative"}, "response mode coded narrative: not pooled with"),
        ({"role": "citizen_coproducer"}, "role cannot be told from study"),
    ],
)
def test_what_differs_in_role_or_answers_stays_alone(change: dict[str, str], reason: str) -> None:
    found = asked([estimate()], **change)
    assert found["sign"] == "aliased"
    assert found["reason"].startswith(reason)


def test_another_role_within_the_study_is_a_contrast() -> None:
    found = asked([estimate()], role="citizen_coproducer", within="first")
    assert (found["sign"], found["studies"]) == ("contrast", 1)


def test_another_place_within_the_study_is_pooled_in_the_fit_of_its_module() -> None:
    found = asked([estimate()], within="first")
    assert found["sign"] == "spread"  # study has one level, so country is by itself
    assert found["reason"] == "2 places of one study; spread: country"


@pytest.mark.parametrize(
    "change",
    [{"exposures": ["involvement_degree"]}, {"outcomes": ["threat_job"]},
     {"exposure_type": "measured"}],
)  # fmt: skip
def test_what_a_candidate_is_not_about_it_leaves(change: dict[str, Any]) -> None:
    found = asked([estimate()], **change)
    assert (found["sign"], found["reason"]) == ("nothing", "")


def test_a_family_stands_for_all_that_is_in_it_and_what_is_pooled_is_not_asked() -> None:
    rows = [estimate(), estimate(outcome="threat_job"), estimate(outcome="threat_profession")]
    rows.append(rows[-1] | {"study": "second"})
    found = unlock(
        pd.DataFrame(rows), NO_SIDES, [STUDY | {"outcomes": ["perceived_threat"]}], VOCABULARY
    )
    assert found["outcome"].tolist() == ["threat_quality", "threat_job"]
    assert set(found["sign"]) == {"pooled"}
    assert unlock(pd.DataFrame(rows), NO_SIDES, [], VOCABULARY).empty


def interviews() -> tuple[list[dict[str, str]], pd.DataFrame]:
    """One study in which a country is an arrangement, in two sectors."""
    row = estimate(
        country="GB-SCT + US", sector="elderly_care + social_care",
        exposure="arrangement_organisational", exposure_name="arrangement",
        exposure_type="organisational", outcome="strain_coded", family="strain_coded",
        response_mode="coded_narrative", metric="log_odds",
    )  # fmt: skip
    exposure = "arrangement_organisational"
    sides = [
        ("first", country, sector, "professional", exposure, side)
        for country, side in (("GB-SCT", -0.5), ("US", 0.5))
        for sector in ("elderly_care", "social_care")
    ]
    return [row], pd.DataFrame(sides, columns=SIDES)


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"level": "org_mission", "within": "first"}, "contrast"),
        ({"level": "state_policy", "within": "first"}, "aliased"),  # as those who are there
        ({"level": "org_mission"}, "aliased"),  # a study of one side compares nothing
        ({}, "pooled"),  # one with both sides is a second study
    ],
)
def test_organisations_on_the_other_side_break_the_alias_of_country(
    change: dict[str, str], sign: str
) -> None:
    rows, sides = interviews()
    study = {
        "module": "strain", "exposures": ["arrangement"], "exposure_type": "organisational",
        "outcomes": ["work_intensification"], "country": "GB-SCT", "sector": "social_care",
        "response_mode": "coded_narrative",
    }  # fmt: skip
    found = asked(rows, sides, **study, **change)
    assert found["sign"] == sign
    if sign == "contrast":
        assert found["reason"] == "no longer one with country"


def test_no_outcome_is_read() -> None:
    rows = [estimate(), estimate(outcome="threat_job")]
    one, other = (
        unlock(pd.DataFrame(rows).assign(estimate=e, se=1.0), NO_SIDES, [STUDY], VOCABULARY)
        for e in (0.0, 9.0)
    )
    pd.testing.assert_frame_equal(one, other)
