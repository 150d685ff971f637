"""Sensitivity analyses are beside the main one; what is said follows from the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from helpers.evidence import OUTCOMES, WORLDS, evidence, strain
from metastudy.article.results import Results
from metastudy.article.topics.sensitivity import compared, fit_label, table, variables
from metastudy.model_checks.predictive_checks import COLUMNS as PREDICTED

ARRANGEMENT = "mission of the organisation against state policy"
WHOLE, PART = "coping_escalation", "coping_help_seeking"


def test_each_effect_stands_beside_that_of_the_variant_and_a_part_beside_nothing() -> None:
    found = compared(evidence("mixed"))
    items, folded = (found[found["variant"] == variant] for variant in ("ordinal", "folded"))
    assert list(items["outcome"]) == list(OUTCOMES)
    assert set(items["metric_other"]) == {"sd"}, "not in standard deviations of latent answers"
    shift = items["mean_other"] - items["mean"]
    assert shift.round(9).tolist() == [0, 0, 0, 0.5]
    assert items["difference"].tolist() == pytest.approx([0, 0, 0, 0.5])
    half = (items["difference_upper"] - items["difference_lower"]) / 2
    assert half.to_numpy() == pytest.approx(1.959964 * 2**0.5 * items["sd"].to_numpy())
    assert set(folded["outcome"]) == {WHOLE, PART}  # and not what folding leaves as it is
    assert folded.loc[folded["outcome"] == PART, "mean_other"].isna().all()
    assert folded.loc[folded["outcome"] == WHOLE, "mean_other"].notna().all()


def test_the_sentence_counts_what_lies_within_and_names_what_does_not() -> None:
    said = variables(evidence("mixed"))
    assert said["coping"]["folded"]["sentence"] == (
        "Both estimates lie within the interval of the main analysis."
    )


def test_of_items_the_difference_is_said_with_its_interval() -> None:
    """Which effects differ, or else the largest difference."""
    mixed = evidence("mixed")
    said = variables(mixed)["threat"]["ordinal"]
    last = said["task_type_randomised"][OUTCOMES[-1]]["difference"]
    assert last.startswith("0.50 (")
    assert said["sentence"] == (
        "Of four effects one differs from the main analysis: core against complementary tasks on "
        f"work motivation ({last.replace(' (', ', 95% interval ')}."
    )
    items = mixed.sensitivity[mixed.sensitivity["variant"] == "ordinal"].copy()
    items.loc[items["outcome"] == OUTCOMES[-1], "mean"] -= 0.5
    items.loc[items["outcome"] == OUTCOMES[0], "mean"] += 0.01
    same = variables(replace(mixed, sensitivity=items))["threat"]["ordinal"]["sentence"]
    assert same.startswith(
        "The intervals of the differences from the main analysis hold zero for all four effects; "
        "the largest difference is core against complementary tasks on "
    )
    assert "(0.01, 95% interval" in same


def test_of_many_items_that_differ_three_are_named_and_of_one_alone_its_difference() -> None:
    mixed = evidence("mixed")
    items = mixed.sensitivity[mixed.sensitivity["variant"] == "ordinal"].copy()
    shift = items["outcome"].map(dict(zip(OUTCOMES, (0.8, -1.2, 1.0, 0.9), strict=True)))
    moved = items.assign(mean=items["mean"] + shift - 0.5 * (items["outcome"] == OUTCOMES[-1]))
    said = variables(replace(mixed, sensitivity=moved))["threat"]["ordinal"]["sentence"]
    assert said.startswith("Of four effects four differ from the main analysis, most of all core ")
    assert said.count("95% interval") == 3
    assert "(−1.20, " in said
    assert "(0.80, " not in said
    alone = items[items["outcome"] == OUTCOMES[0]]
    only = replace(mixed, sensitivity=alone)
    said = variables(only)["threat"]["ordinal"]["sentence"]
    assert said.startswith("The interval of the difference from the main analysis holds zero: core")
    shown = table(only).shown
    mine = shown[shown["Outcome"].ne("")].iloc[: len(OUTCOMES)]
    assert "nan" not in mine.to_string()


@pytest.mark.parametrize("world", WORLDS)
def test_every_module_and_variant_has_its_sentence_made_or_not(world: str) -> None:
    without = replace(evidence(world), sensitivity=pd.DataFrame())
    for tree in (variables(evidence(world)), variables(without)):
        assert list(tree) == ["threat", "coping", "strain"]
        kinds = {"folded", "ordinal", "interviews"}
        assert all(set(variants) == kinds for variants in tree.values())
        assert tree["strain"]["folded"]["sentence"].startswith("This analysis was not made")
    assert len(table(without).full) == 0


def test_a_fit_is_called_after_its_module_and_what_is_varied() -> None:
    found = evidence("null")
    assert fit_label(found, "threat") == "Volunteers as a threat"
    assert fit_label(found, "threat-ordinal") == "Volunteers as a threat, item by item"
    assert fit_label(found, "strain-interviews").endswith(", with an effect of the interview")
    assert fit_label(found, "synthesis") == "Synthesis"


# --- with an effect of the interview --------------------------------------------------------------


def spread(observed: float, **place: str) -> dict[str, Any]:
    """A check of the spread of codes, of whose replicates 95% lie between 1 and 2."""
    empty = dict.fromkeys(PREDICTED, "") | {"module": "strain", "kind": "posterior"}
    same = {"statistic": "codes_sd", "study": "fourth", "provenance": "simulated"}
    numbers = {"observed": observed, "mean": 1.5, "lower": 1.0, "upper": 2.0}
    return empty | same | numbers | place


def talked(shift: float = 0.0, checks: Sequence[dict[str, Any]] = ()) -> Results:
    """Codes fitted with an effect of the interview, by which one effect and one share move."""
    found = evidence("mixed")
    main = strain("mixed")
    other = main[main["variant"] == "main"].assign(variant="interviews")
    moved = other["outcome"].eq("uncertainty") & other["level"].isin(["code", "population"])
    other.loc[moved, ["mean", "lower", "upper"]] += shift
    sensitivity = pd.concat([found.sensitivity, other])
    return replace(found, sensitivity=sensitivity, predictive=pd.DataFrame(list(checks)))


def test_codes_within_the_intervals_are_counted_and_the_farthest_is_named() -> None:
    said = variables(talked(0.03))["strain"]["interviews"]
    assert said["sentence"] == (
        "All six estimates lie within the interval of the main analysis; farthest moves "
        f"{ARRANGEMENT} on uncertainty (−0.27 in place of −0.30)."
    )
    assert said["prevalence"] == (
        "All four prevalences lie within the interval of the main analysis; farthest moves "
        "uncertainty, professional (30% in place of 27%)."
    )


def test_codes_outside_of_the_intervals_are_named() -> None:
    said = variables(talked(0.5))["strain"]["interviews"]
    assert said["sentence"].startswith("Of six estimates five lie within")
    assert f"{ARRANGEMENT} on uncertainty (0.20 in place of −0.30)" in said["sentence"]
    assert "outside of it is uncertainty, professional (77% in place of 27%)" in said["prevalence"]


def test_whether_the_number_of_codes_is_more_spread_than_the_model_says_is_told() -> None:
    narrow, wide = spread(1.9), spread(2.4, country="US")
    few = spread(float("nan"), country="GB-SCT")  # speaks of few people
    said = [
        variables(talked(checks=checks))["strain"]["interviews"]["spread"]
        for checks in ([], [narrow], [narrow, narrow, few], [narrow, wide, few])
    ]
    assert said[0] == "There is no check of how the number of codes per interview is spread."
    assert said[1] == (
        "Where it was checked, the number of codes per interview is not more spread than the model "
        "says."
    )
    assert said[2] == (
        "In none of the two studies, countries and sectors that were checked is the number of "
        "codes per interview more spread than the model says."
    )
    assert said[3].startswith("In one of the two studies, countries and sectors that were checked")
    assert said[3].endswith("United States (standard deviation 2.40 against 1.00 to 2.00).")


def test_the_table_has_the_means_and_what_moves_farthest_and_the_file_has_all() -> None:
    made = table(talked(0.03))
    full = made.full[made.full["variant"] == "interviews"]
    assert set(full["estimand"]) == {"effect", "mean"}
    assert len(full) == 10
    assert list(made.shown["Exposure"]).count("Prevalence") == 1, "the first of them"
    prevalence = list(made.shown["Exposure"]).index("Prevalence")
    assert list(made.shown["Main"].iloc[prevalence:]) == ["27%", "30%", "24%", "21%"]
    assert made.shown["Variant"].iloc[prevalence] == "30%"
