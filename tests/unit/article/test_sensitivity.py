"""Sensitivity analyses stand beside the main one; what is said follows from the numbers."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from helpers.evidence import OUTCOMES, WORLDS, evidence
from metastudy.article.topics.sensitivity import compared, fit_label, table, variables

WHOLE, PART = "coping_escalation", "coping_help_seeking"


def test_each_effect_stands_beside_that_of_the_variant_and_a_part_beside_nothing() -> None:
    found = compared(evidence("mixed"))
    items, folded = (found[found["variant"] == variant] for variant in ("ordinal", "folded"))
    assert list(items["outcome"]) == list(OUTCOMES)
    assert set(items["metric_other"]) == {"latent_sd"}
    shift = items["mean_other"] - items["mean"]
    assert shift.round(9).tolist() == [0, 0, 0, 0.5]
    assert set(folded["outcome"]) == {WHOLE, PART}  # and not what folding leaves as it is
    assert folded.loc[folded["outcome"] == PART, "mean_other"].isna().all()
    assert folded.loc[folded["outcome"] == WHOLE, "mean_other"].notna().all()


def test_the_sentence_counts_what_lies_within_and_names_what_does_not() -> None:
    said = variables(evidence("mixed"))
    assert said["threat"]["ordinal"]["sentence"] == (
        "Of four estimates three lie within the interval of the main analysis; outside of it is "
        "core against complementary tasks on work motivation (0.60 in place of 0.10)."
    )
    assert said["coping"]["folded"]["sentence"] == (
        "Both estimates lie within the interval of the main analysis."
    )


@pytest.mark.parametrize("world", WORLDS)
def test_every_module_and_variant_has_its_sentence_made_or_not(world: str) -> None:
    without = replace(evidence(world), sensitivity=pd.DataFrame())
    for tree in (variables(evidence(world)), variables(without)):
        assert list(tree) == ["threat", "coping", "strain"]
        assert all(set(variants) == {"folded", "ordinal"} for variants in tree.values())
        assert tree["strain"]["folded"]["sentence"].startswith("This analysis was not made")
    assert len(table(without).full) == 0


def test_a_fit_is_called_after_its_module_and_what_is_varied() -> None:
    found = evidence("null")
    assert fit_label(found, "threat") == "Volunteers as a threat"
    assert fit_label(found, "threat-ordinal") == "Volunteers as a threat, item by item"
    assert fit_label(found, "synthesis") == "Synthesis"
