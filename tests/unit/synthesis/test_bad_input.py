"""Studies that say less than they should: one clear error, or a fallback that is stated."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.synthesis.blocks import blocks
from metastudy.synthesis.eligibility import structures
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.published_effects import published
from metastudy.synthesis.study_estimates import estimates

ANSWERS = np.random.default_rng(3).normal(50, 10, 90)


def experiment(answers: np.ndarray, task: list[str], **more: list[str]) -> Study:
    return answer_study(
        "s",
        {("threat_job", None): answers},
        {"task_type": task},
        ["threat_job"],
        [{"factor": "task_type", "type": "randomised"}],
        **more,
    )


def test_a_role_that_answered_no_outcome_is_no_role_of_the_study_and_is_counted() -> None:
    role = ["professional"] * 60 + ["citizen_coproducer"] * 30
    answers = np.where(np.array(role) == "professional", ANSWERS, np.nan)
    task = np.resize(["complementary", "core"], 90).tolist()
    cells = answer_cells([experiment(answers, task, role=role)], "threat", VOCABULARY)
    assert set(cells["role"].values) == {"professional"}
    table, _ = estimates(cells, VOCABULARY)
    assert set(table["role"]) == {"professional"}
    (dropped,) = (d for d in json.loads(cells.attrs["dropped"]) if d["rule"] == "no_outcome_scored")
    assert dropped["rows"] == 30


def test_a_setting_without_a_reference_group_has_no_estimate_and_the_others_have() -> None:
    """Nobody in Finland had the reference tasks: nothing there to compare the others with."""
    task = np.resize(["complementary", "core"], 60).tolist() + ["core"] * 30
    country = ["DK"] * 60 + ["FI"] * 30
    cells = answer_cells([experiment(ANSWERS, task, country=country)], "threat", VOCABULARY)
    assert cells["country"].values.tolist() == ["DK", "FI"], "the module has its answers"
    assert cells["centre"].values[1].item() == pytest.approx(ANSWERS[60:].mean())
    table, _ = estimates(cells, VOCABULARY)
    alone, _ = estimates(
        answer_cells([experiment(ANSWERS[:60], task[:60])], "threat", VOCABULARY), VOCABULARY
    )
    assert table["country"].tolist() == ["DK"]
    assert table["estimate"].item() == pytest.approx(alone["estimate"].item())
    assert table["se"].item() == pytest.approx(alone["se"].item())


def test_a_study_without_a_reference_group_is_an_error_that_names_it() -> None:
    with pytest.raises(BadInput) as caught:
        answer_cells([experiment(ANSWERS, ["core"] * 90)], "threat", VOCABULARY)
    (problem,) = caught.value.problems
    assert (problem.code, problem.study, problem.column) == ("empty-arm", "s", "factor task_type")
    assert problem.found == "nobody in: complementary"
    assert problem.fix


def effects(number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Published effects, each of a study of its own in a country of its own."""
    rng = np.random.default_rng(4)
    rows = {
        "study_id": "found",
        "finding_id": [f"F{k}" for k in range(number)],
        "citation": [f"paper{k}" for k in range(number)],
        "contrast": "a against b",
        "exposure_type": "randomised",
        "outcome": "threat_job",
        "family": "perceived_threat",
        "direction": "null_result",
        "estimate": rng.normal(0.2, 0.2, number),
        "se": rng.uniform(0.08, 0.2, number),
        "n": 300.0,
        "metric": "sd",
        "country": [f"country{k}" for k in range(number)],
        "verification": "published_numeric",
        "provenance": "observed",
    }
    table = schema.shape("effects", pd.DataFrame(rows | {"standardiser": "control_sd"}))
    return published(pd.concat([schema.empty("effects"), table]), VOCABULARY)


def test_five_hundred_countries_with_one_study_each_are_one_component_with_its_studies() -> None:
    start = time.process_time()
    (found,) = plans(*effects(500))
    ((name, own),) = found.found.items()
    (component,) = own.components
    assert component.names == ("study", "country", "setting")
    assert len(component.levels) == 500, "and nobody said a sector"
    said = structures(found).set_index("grouping")
    for grouping in ("country", "setting"):
        assert said.loc[grouping, "aliased_with"] == "study"
        assert said.loc[grouping, "reason"].startswith("cannot be distinguished from study")
    shape = blocks(found.design, found.covariance)
    assert len(shape.component) == 0, "no level links two estimates"
    assert np.diff(shape.start).max() == 1
    assert name in found.estimands["id"].tolist()
    assert time.process_time() - start < 30


def test_one_country_with_two_studies_among_five_hundred_does_not_make_it_a_component() -> None:
    table, covariance = effects(500)
    table.loc[499, "country"] = table.loc[0, "country"]
    (found,) = plans(table, covariance)
    (own,) = found.found.values()
    assert [c.names for c in own.components] == [("study", "country", "setting")]
