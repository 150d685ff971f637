"""Directions of effect: signs beside each other, bounds apart from what was published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import cases, evidence, row
from metastudy.article.make import table
from metastudy.article.results import Results
from metastudy.article.topics import identification
from metastudy.article.topics.effect_directions import figure
from metastudy.article.topics.published import bounds
from metastudy.display.plots.effect_directions import SIGNS


def everything(world: str = "mixed") -> Results:
    found = evidence(world)
    return replace(found, studies=(*found.studies, cases()))


@pytest.mark.parametrize(
    ("world", "signs"),
    [
        ("mixed", ["positive", "negative", "equivalent", "unclear"]),
        ("null", ["unclear"] * 4),
        ("reversed", ["negative", "negative", "unclear", "negative"]),
    ],
)
def test_signs_of_the_models_are_their_verdicts(world: str, signs: list[str]) -> None:
    mine = figure(everything(world))
    mine = mine[mine["section"] == "threat"]
    assert mine["direction"].tolist() == signs
    assert set(mine["provenance"]) == {"simulated"}


@pytest.mark.parametrize(
    ("mean", "sign"), [(0.24, "higher"), (-0.24, "lower"), (0.34, "positive"), (-0.34, "negative")]
)
def test_a_sign_of_open_size_is_another_mark_than_a_clear_effect(mean: float, sign: str) -> None:
    found = everything("null")
    contrasts = found.contrasts["threat"]
    more = row(mean, 0.1, metric="sd")
    mine = contrasts["outcome"].eq("threat_job") & contrasts["level"].eq("population")
    for name in ("mean", "above", "below", "positive", "rope"):
        contrasts.loc[mine, name] = more[name]
    shown = figure(found).query("section == 'threat'").set_index("outcome")["direction"]
    assert shown["threat_job"] == sign
    assert set(shown.drop("threat_job")) == {"unclear"}


def test_people_of_different_roles_have_signs_of_their_own() -> None:
    found = everything("null")
    contrasts = found.contrasts["threat"]
    contrasts["role"] = "professional"
    alone = figure(found).query("section == 'threat'")
    more = pd.concat([contrasts, contrasts.assign(role="citizen_coproducer")], ignore_index=True)
    both = replace(found, contrasts={**found.contrasts, "threat": more})
    shown = figure(both).query("section == 'threat'")
    assert len(shown) == 2 * len(alone)
    assert alone["row"].nunique() == 1
    assert set(shown["row"]) == {
        f"{alone['row'].iloc[0]}: {role}" for role in ("professional", "citizen co-producer")
    }


def test_what_the_design_identifies_is_a_sign_for_each_exposure_and_grouping() -> None:
    found = identification.figure(everything())
    assert set(found["section"]) == {"threat", "coping", "strain"}
    assert set(found["direction"]) <= set(SIGNS)
    for _, mine in found.groupby(["section", "row"]):
        assert mine["column"].tolist()[:3] == ["Study", "Country", "Sector"]
    structure = everything().synthesis["structure"]
    for one in structure[structure["outcome"] == ""].itertuples():
        place = found[(found["exposure"] == one.exposure) & (found["outcome"] == one.grouping)]
        if len(place):
            expected = {"varying": ("full", "dominated"), "contrast": ("contrast",)}
            assert place["direction"].item() in expected.get(one.used_as, ("alias", "single"))


def test_each_case_stands_for_itself_and_never_for_a_share() -> None:
    mine = figure(everything())
    mine = mine[mine["section"] == "cases"].sort_values("row")
    assert mine["row"].tolist() == ["Cases, case 1", "Cases, case 2"]
    assert mine["direction"].tolist() == ["negative", "positive"]
    assert "%" not in "".join(mine.astype(str).to_numpy().ravel())


def test_invented_ratings_of_people_who_could_be_recognised_are_not_shown() -> None:
    found = evidence("mixed")
    invented = replace(found, studies=(*found.studies, cases("simulated")))
    assert "cases" not in set(figure(invented)["section"])


def test_a_bound_is_derived_from_the_sample_size_of_a_null_main_effect_and_says_so() -> None:
    found = bounds(everything())
    assert found["finding_id"].tolist() == ["B", "F"], "no interaction, and no unknown size"
    np.testing.assert_allclose(found["se"], [2 / 20, 2 / 10])
    np.testing.assert_allclose(found["bound"], [0.392, 0.784], atol=1e-12)
    assert set(found["verification"]) == {"derived_bound"}
    caption = table(everything(), "bounds").caption
    assert "published nowhere" in caption
    assert "within 3.92 of zero" in caption
    assert "bound" not in table(everything(), "findings").full.columns


def test_a_study_whose_data_are_here_is_named_beside_its_published_findings() -> None:
    found = everything()
    here = replace(
        found.studies[0],
        report=found.studies[0].report
        | {"codebook": found.studies[0].report["codebook"] | {"citation": "somebody2020"}},
    )
    shown = table(replace(found, studies=(here, *found.studies[1:])), "findings").shown
    assert set(shown["Also here"]) == {"first"}
    assert set(table(found, "findings").shown["Also here"]) == {"–"}
