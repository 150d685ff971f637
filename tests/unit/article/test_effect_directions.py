"""Directions of effect: signs beside each other, bounds apart from what was published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.evidence import cases, evidence
from metastudy.article.make import table
from metastudy.article.results import Evidence
from metastudy.article.topics import identification
from metastudy.article.topics.effect_directions import figure
from metastudy.article.topics.published import bounds
from metastudy.display.plots.effect_directions import SIGNS


def everything(world: str = "mixed") -> Evidence:
    found = evidence(world)
    return replace(found, studies=(*found.studies, cases()))


def test_findings_about_the_modules_are_shown_in_the_order_of_their_families() -> None:
    mine = figure(everything())
    mine = mine[mine["section"] == "published"]
    assert mine["row"].tolist() == ["Contrast A", "Contrast C", "Contrast B"]
    assert mine["direction"].tolist() == ["positive", "not_supported", "null_result"]
    assert mine["n"].tolist() == ["", "", "400"]
    assert set(mine["provenance"]) == {"observed"}


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


def test_what_the_design_identifies_is_a_sign_for_each_exposure_and_grouping() -> None:
    found = identification.figure(everything())
    assert set(found["section"]) == {"threat", "coping", "strain"}
    assert set(found["direction"]) <= set(SIGNS)
    for _, mine in found.groupby(["section", "row"]):
        assert mine["column"].tolist()[:3] == ["Study", "Country", "Sector"]
    structure = everything().synthesis["structure"]
    for row in structure[structure["outcome"] == ""].itertuples():
        place = found[(found["exposure"] == row.exposure) & (found["outcome"] == row.grouping)]
        if len(place):
            expected = {"varying": ("full", "dominated"), "contrast": ("contrast",)}
            assert place["direction"].item() in expected.get(row.used_as, ("alias", "single"))


def test_each_case_stands_for_itself_and_never_for_a_share() -> None:
    mine = figure(everything())
    mine = mine[mine["section"] == "cases"].sort_values("row")
    assert mine["row"].tolist() == ["Cases, case 1", "Cases, case 2"]
    assert mine["direction"].tolist() == ["negative", "positive"]
    assert "%" not in "".join(mine.astype(str).to_numpy().ravel())


def test_a_bound_is_derived_from_the_sample_size_of_a_null_main_effect_and_says_so() -> None:
    found = bounds(everything())
    assert found["finding_id"].tolist() == ["B", "F"], "no interaction, and no unknown size"
    np.testing.assert_allclose(found["se"], [2 / 20, 2 / 10])
    np.testing.assert_allclose(found["bound"], [0.196, 0.392])
    assert set(found["verification"]) == {"derived_bound"}
    caption = table(everything(), "bounds").caption
    assert "published nowhere" in caption
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
