"""The primary contrasts: named in the configuration, checked, and the same wherever they lead."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import yaml

from helpers.evidence import evidence
from helpers.repository import ROOT
from metastudy.article.abstract import summary
from metastudy.article.make import figure, table, variables
from metastudy.article.results import Results
from metastudy.article.topics.primary import contrasts, named
from metastudy.article.variable_tree import Traced, flat
from metastudy.common.problems import BadInput

QUALITY = "threat.task_type_randomised.threat_quality"
FROM_FAMILY = "threat.task_type_randomised.differences.threat_quality.against_family"


def world(**primary: list[str]) -> Results:
    found = evidence("mixed", 3)
    return replace(found, settings={**found.settings, "primary": primary})


def test_a_name_is_that_of_the_variables_of_the_same_row() -> None:
    found = world()
    texts: dict[str, Any] = flat(variables(found, {}))
    known = contrasts(found)
    assert {name.split(".")[0] for name in known} >= {"threat", "coping", "strain"}
    for name, row in known.items():
        leaf = texts[f"{name}.estimate"]
        assert isinstance(leaf, Traced), name
        assert leaf.ids == (str(row["id"]),), name


def test_table_forest_and_sentences_give_what_is_named_in_its_order() -> None:
    found = world(abstract=[QUALITY, FROM_FAMILY], results=[FROM_FAMILY, QUALITY])
    shown = table(found, "primary").shown
    assert list(shown["Estimate"]) == ["0.30", "0.30"]
    others = shown["Contrast"].str.contains("minus the others of its family")
    assert others.tolist() == [True, False]
    rows, _ = figure(found, "primary")
    assert list(rows["row"]) == list(shown["Contrast"])
    said = variables(found, {})["primary"]["abstract"]
    assert said == (
        "A change from complementary tasks to core tasks changes threat to service quality by 0.30 "
        "standard deviations (95% interval 0.10 to 0.50), a difference of 0.30 standard deviations "
        "(95% interval 0.10 to 0.50) from its mean on the others of the family."
    )
    assert said.ids == tuple(str(row["id"]) for row in named(found, "abstract").values())
    assert said in summary(found, variables(found, {}))


def test_what_the_second_stage_pools_is_named_beside_a_module_s_and_says_whose_it_is() -> None:
    """Its rows have no module and no estimand; a role is said where it pools those of several."""
    name = "synthesis.effects.task_type_randomised.threat_quality"
    found = world(abstract=[QUALITY, name])
    shown = table(found, "primary").shown
    assert shown["Estimate"].tolist() == ["0.30", "0.30"]
    assert shown["Contrast"].nunique() == 1
    assert len(figure(found, "primary")[0]) == 2
    said = variables(found, {})["primary"]["abstract"]
    assert said.count("changes threat to service quality by 0.30 standard deviations") == 2
    pooled = found.synthesis["pooled"]
    other = pooled.assign(role="manager", id=pooled["id"] + "|manager")
    both = {**found.synthesis, "pooled": pd.concat([pooled, other], ignore_index=True)}
    settings = {**found.settings, "primary": {"abstract": [f"{name}.professional"]}}
    of_two = table(replace(found, synthesis=both, settings=settings), "primary").shown
    role = found.labels.of("professional", "roles").lower()
    assert of_two["Contrast"].iloc[0].lower().endswith(role)


def test_an_association_has_no_word_of_an_effect() -> None:
    name = "strain.arrangement_organisational.role_change"
    found = world(abstract=[name])
    said = variables(found, {})["primary"]["abstract"]
    assert "goes with a difference of" in said
    assert "log-odds" in said
    # without a list of its own, the results have those of the abstract
    assert len(table(found, "primary").shown) == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("threat.task_type_randomised.threat_qualty", QUALITY),
        (QUALITY + ".estimate", QUALITY),
        ("strain.none", "strain."),
        ("nothing at all", "threat."),
    ],
)
def test_a_name_that_is_no_contrast_is_one_clear_error_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(BadInput) as caught:
        named(world(abstract=[QUALITY, name], results=[name]))
    problems = caught.value.problems
    assert [p.column for p in problems] == ["primary.abstract", "primary.results"]
    assert all(name in p.found and near in p.expected for p in problems)


def test_nothing_named_is_nothing_shown() -> None:
    found = world()
    assert named(found) == {}
    assert table(found, "primary").shown.empty
    assert figure(found, "primary")[0].empty
    assert "primary" not in variables(found, {})


def test_the_shipped_abstract_leads_with_some_of_the_shipped_results() -> None:
    primary = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["primary"]
    assert set(primary["abstract"]) <= set(primary["results"])
    assert len(primary["results"]) <= 12  # rows of a table of the article


def test_the_shipped_abstract_gives_the_contrasts_that_are_named_for_it_in_their_order() -> None:
    asked = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["primary"]
    text = (ROOT / "manuscript" / "manuscript.qmd").read_text("utf-8")
    abstract = text.partition("abstract: |")[2].partition("keywords:")[0]
    given = re.findall(r"\{\{<\s*var\s+(\S+)\.estimate\s*>\}\}", abstract)
    assert given == asked["abstract"]
    assert all(f"{name}.interval" in abstract for name in given)
