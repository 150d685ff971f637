"""What leaves the building: no count of few people, no name, no free text.

Counts are taken in these tests from the harmonized tables by pandas, and not by the code that
decides what is coarse enough.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import answer_study
from helpers.parcel_studies import KEY, PLANTED, harmonized, parcel_of, raw_study, report_of
from helpers.raw_studies import VOCABULARY
from metastudy.common.keyed_checksum import keyed
from metastudy.common.problems import BadInput
from metastudy.data_report.inspection.study import inspect
from metastudy.display.labels import Labels
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling.control import control
from metastudy.parcelling.controlled import LEAST
from metastudy.parcelling.flow import as_it_may_go, public_report
from metastudy.parcelling.make import documents
from metastudy.parcelling.page import owner_page
from metastudy.parcelling.patterns import coarsened

NONE = np.zeros(3, dtype=bool)


def seen(*patterns: tuple[str, int]) -> np.ndarray:
    """Patterns as texts of 0 and 1, each for so many people."""
    return np.array([[c == "1" for c in text] for text, n in patterns for _ in range(n)])


def counts(study: Study) -> pd.Series:
    """People of each place, site, arm and pattern of answered outcomes, from the tables alone."""
    answers = study.measurements.assign(known=study.measurements["value_pomp"].notna())
    answered = (
        answers.groupby(["respondent_id", "construct"])["known"].all().unstack(fill_value=False)
    )
    answered = answered[answered.any(axis=1)]
    arm = study.assignments.pivot(index="respondent_id", columns="factor", values="level")
    people = study.respondents.set_index("respondent_id")[["country", "role", "org_id"]]
    table = people.join(arm).join(answered, how="inner").astype("str")
    return table.value_counts(dropna=False)


def reported(study: Study) -> Study:
    """A study made by hand, with what harmonizing says of the rows that left: none did."""
    return replace(study, report={**study.report, "excluded": {}})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study with fifteen people of each of three sites and two conditions, all of whom answer."""
    folder = tmp_path_factory.mktemp("even")
    return harmonized(raw_study(folder, "alpha"), folder / "alpha")


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study in which a few people did not answer one of the two outcomes."""
    folder = tmp_path_factory.mktemp("uneven")
    raw = raw_study(folder, "alpha", each=12, missing=7, sites=4)
    return harmonized(raw, folder / "alpha")


def test_of_a_study_with_enough_people_everywhere_no_cell_is_touched(study: Study) -> None:
    controlled = control(study, VOCABULARY, 5)
    assert controlled.did["untouched"]
    for variant in ("main", "folded"):
        before, after = (
            cells_of_one(s, "threat", VOCABULARY, variant) for s in (study, controlled.study)
        )
        assert before.identical(after)


@pytest.mark.parametrize("least", [10, 12, 17, 30])
def test_no_count_of_a_site_arm_and_pattern_is_small(uneven: Study, least: int) -> None:
    assert counts(uneven).min() < LEAST, "there is something to do"
    controlled = control(uneven, VOCABULARY, least)
    assert counts(controlled.study).min() >= least
    assert not controlled.did["untouched"]


def test_the_configured_smallest_cell_holds_where_it_is_larger(study: Study) -> None:
    controlled = control(study, VOCABULARY, 20)
    assert controlled.did["least"] == 20
    assert counts(controlled.study).min() >= 20
    assert controlled.did["sites_after"] == 0, "15 people of a site and arm are too few now"
    assert controlled.did["people_moved"] == 90


def test_the_threshold_is_of_each_condition_and_not_of_the_site() -> None:
    """A site of sixteen, fourteen of them in one arm: by sites alone it would stay."""
    arm = ["complementary"] * 14 + ["core"] * 2 + ["complementary", "core"] * 40
    site = ["small"] * 16 + ["large"] * 80
    rng = np.random.default_rng(1)
    score = {("threat_quality", ""): rng.uniform(0, 100, 96).tolist()}
    exposures = [{"factor": "task_type", "type": "randomised"}]
    study = answer_study("one", score, {"task_type": arm}, ["threat_quality"], exposures, site)
    controlled = control(reported(study), VOCABULARY, 5)
    assert controlled.did["sites_before"] == 2
    assert controlled.did["sites_after"] == 0


def test_small_sites_are_one_of_others_and_their_people_stay() -> None:
    arm = ["complementary", "core"] * 60
    site = ["a"] * 60 + ["b", "b", "c", "c"] * 15
    rng = np.random.default_rng(2)
    score = {("threat_quality", ""): rng.uniform(0, 100, 120).tolist()}
    exposures = [{"factor": "task_type", "type": "randomised"}]
    whole = reported(
        answer_study("one", score, {"task_type": arm}, ["threat_quality"], exposures, site)
    )
    assert control(whole, VOCABULARY, 15).did["untouched"], "fifteen of each site and arm"
    controlled = control(whole, VOCABULARY, 16)
    sizes = controlled.study.respondents["org_id"].value_counts()
    assert sizes.to_dict() == {"a": 60, "one-org-others": 60}
    assert controlled.did["people_moved"] == 60
    assert controlled.did["people_left"] == 0


# --- rare patterns -------------------------------------------------------------------------------


def test_who_has_a_rare_pattern_keeps_the_largest_sub_pattern_that_many_have() -> None:
    before = seen(("111", 20), ("100", 12), ("110", 3))
    kept, gone = coarsened(before, np.zeros(35, dtype=int), 10, NONE)
    assert not gone.any()
    np.testing.assert_array_equal(kept, seen(("111", 20), ("100", 12), ("100", 3)))


def test_people_with_different_rare_patterns_meet_in_what_they_share() -> None:
    before = seen(("111", 20), ("110", 6), ("101", 5))
    kept, gone = coarsened(before, np.zeros(31, dtype=int), 10, NONE)
    assert not gone.any()
    np.testing.assert_array_equal(kept, seen(("111", 20), ("100", 11)))


def test_who_shares_nothing_with_enough_people_leaves() -> None:
    before = seen(("111", 20), ("011", 3))
    kept, gone = coarsened(before, np.zeros(23, dtype=int), 10, NONE)
    assert gone.tolist() == [False] * 20 + [True] * 3
    np.testing.assert_array_equal(kept[:20], before[:20])


def test_nobody_gets_an_outcome_and_no_pattern_of_a_condition_is_rare() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        before = rng.random((rng.integers(30, 200), 4)) < rng.uniform(0.5, 1)
        version = rng.integers(0, 3, len(before))
        kept, gone = coarsened(before, version, 10, np.zeros(4, dtype=bool))
        assert not (kept & ~before).any()
        table = pd.DataFrame(kept[~gone]).assign(version=version[~gone])
        assert not len(table) or table.value_counts().min() >= 10


def test_an_outcome_that_an_exposure_is_made_of_is_not_taken_from_anybody() -> None:
    needed = np.array([True, False, False])
    before = seen(("111", 20), ("011", 12), ("101", 3), ("110", 8))
    kept, gone = coarsened(before, np.zeros(43, dtype=int), 10, needed)
    assert (kept[~gone][:, 0] == before[~gone][:, 0]).all()


# --- answers that a sum tells --------------------------------------------------------------------


@pytest.mark.parametrize(
    "scores", [[0.0] * 57 + [100.0] * 3, [50.0] * 30 + [50.0, 60.0] * 15], ids=["few", "all alike"]
)
def test_an_outcome_whose_sum_tells_an_answer_is_refused(scores: list[float]) -> None:
    """Three people of two values, or a condition in which everybody said the same."""
    version = ["complementary"] * 30 + ["core"] * 30
    other = np.random.default_rng(5).uniform(0, 100, 60).tolist()
    answers = {("threat_quality", ""): scores, ("threat_job", ""): other}
    if scores[1] == 50.0:  # of a pattern of its own: they alone did not answer the other
        answers[("threat_job", "")] = [float("nan")] * 30 + other[30:]
    names = ["threat_quality", "threat_job"]
    exposures = [{"factor": "task_type", "type": "randomised"}]
    study = answer_study("one", answers, {"task_type": version}, names, exposures)
    with pytest.raises(BadInput, match="threat_quality"):
        control(study, VOCABULARY, 5)


def test_a_study_that_is_too_small_is_refused(study: Study) -> None:
    """Ninety people in two conditions are none of fifty of the same."""
    with pytest.raises(BadInput, match="fewer than 50 people"):
        control(study, VOCABULARY, 50)


@pytest.mark.parametrize("few", [9, 10])
def test_a_level_of_which_control_leaves_nobody_is_named_with_the_reason(few: int) -> None:
    """The study is sound: its codebook and its value map are not what is wrong."""
    level = ["core"] * few + ["complementary"] * 200
    scores = {("threat_quality", ""): np.random.default_rng(3).uniform(5, 95, few + 200).tolist()}
    exposures = [{"factor": "task_type", "type": "organisational"}]
    org = ["one-org-a"] * few + [f"one-org-{k // 20}" for k in range(200)]
    made = answer_study("one", scores, {"task_type": level}, ["threat_quality"], exposures, org)
    study = replace(made, report={**made.report, "excluded": {}})
    with pytest.raises(BadInput, match="at the level core of task_type, which") as raised:
        control(study, VOCABULARY, 5)
    (problem,) = raised.value.problems
    assert problem.code == "parcel"
    assert f"which {few} people have: fewer than 10 people" in problem.found
    assert "or than 6 for each outcome and condition" in problem.found
    assert "value map of the factor" not in problem.fix


# --- the participant flow ------------------------------------------------------------------------


def flow(excluded: dict[str, int], left: int = 0) -> dict[str, object]:
    report = {"study": "one", "excluded": excluded, "excluded_by_arm": {"x": 1}, "quality": []}
    found = public_report(report, 100, left, 10)
    assert found["rows_read"] == found["rows_kept"] + sum(found["excluded"].values())
    assert not {"excluded_by_arm", "quality"} & set(found)
    return {name: found[name] for name in ("rows_read", "excluded", "few_left")}


def test_rules_by_which_few_left_are_one_or_are_not_counted_at_all() -> None:
    assert flow({"a": 30, "b": 0}) == {
        "rows_read": 130, "excluded": {"a": 30, "b": 0}, "few_left": False,
    }  # fmt: skip
    assert flow({"a": 30, "b": 6, "c": 7}) == {
        "rows_read": 143, "excluded": {"a": 30, "rules_with_few_rows": 13}, "few_left": False,
    }  # fmt: skip
    assert flow({"a": 30, "b": 3}, left=4) == {
        "rows_read": 130, "excluded": {"a": 30}, "few_left": True,
    }  # fmt: skip


def counts_that_give(difference: float, digits: int, n: tuple[int, int]) -> int:
    """Pairs of counts, under twenty each, whose shares differ by so much."""
    return sum(
        round(a / n[0] - b / n[1], digits) == difference for a in range(20) for b in range(20)
    )


def test_a_difference_of_shares_as_it_may_go_tells_no_counts_and_in_more_digits_does() -> None:
    """Three of 230 people in one condition and eight of 227 in the other."""
    exact = 3 / 230 - 8 / 227
    assert counts_that_give(round(exact, 4), 4, (230, 227)) <= 2
    report = {"arms": {"balance": [{"difference": round(exact, 4), "category": "x"}]}, "n": 0.1234}
    told = as_it_may_go(report, 457)
    assert counts_that_give(told["arms"]["balance"][0]["difference"], 2, (230, 227)) > 25
    assert told["n"] == 0.1234, "what is of no person stays"
    assert told["arms"]["balance"][0]["category"] == "x"


# --- no names ------------------------------------------------------------------------------------


def test_no_name_no_id_and_no_free_text_is_in_a_parcel_or_on_its_page(tmp_path: Path) -> None:
    folder = raw_study(tmp_path, "alpha", missing=5)
    raw = (folder / "answers.csv").read_text("utf-8")
    assert all(text in raw for text in PLANTED), "they are in the data file"
    study = harmonized(folder, tmp_path / "alpha")
    controlled = control(study, VOCABULARY, 5)
    inspected = json.loads(inspect(controlled.study, VOCABULARY, 10).to_json())
    inside = documents(controlled, VOCABULARY, inspected)
    manifest = {"study": "alpha", "provenance": "simulated", "least": 10}
    page = owner_page(manifest, inside, 9999, [], Labels(VOCABULARY))
    ids = study.respondents["respondent_id"].tolist()
    text = json.dumps(inside, ensure_ascii=False) + page
    for planted in (*PLANTED, "answers.csv", *ids):
        assert planted not in text
    assert "threat_quality" in text, "what is meant to be in it is"


def test_the_bytes_of_a_parcel_hold_nothing_but_its_documents(study: Study, tmp_path: Path) -> None:
    parcel_of(study, tmp_path / "alpha.parcel")
    content = (tmp_path / "alpha.parcel").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        plain = b"".join(archive.read(name) for name in names).decode()
    assert sorted(names) == sorted(
        [
            *("parcel.json", "study.json", "control.json", "report.json", "estimates.json"),
            *("cells/threat-main.json", "cells/threat-folded.json"),
        ]
    )
    assert str(tmp_path) not in plain
    assert all(text not in plain and text.encode() not in content for text in PLANTED)


def test_the_checksum_of_the_raw_file_can_be_tested_with_the_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(b"nr,q1\n1,5\n")
    found = keyed(path, KEY)
    assert found == keyed(path, KEY)
    assert found != keyed(path, b"another key of tests")
    guesses = [f"nr,q1\n1,{answer}\n".encode() for answer in range(1, 8)]
    tried = {hashlib.sha256(guess).hexdigest() for guess in guesses}
    tried |= {hmac.digest(b"", guess, "sha256").hex() for guess in guesses}
    assert found not in tried, "a bare checksum would give the answer away"


def test_data_report_and_cells_are_of_the_same_people(uneven: Study) -> None:
    """So no difference of the two is a few people."""
    controlled = control(uneven, VOCABULARY, 5)
    found = inspect(controlled.study, VOCABULARY, 10)
    cells = documents(controlled, VOCABULARY, report_of(controlled))
    for variant in ("main", "folded"):
        people = sum(cells[f"cells/threat-{variant}.json"]["numbers"]["n"])
        assert people == sum(place.n for place in found.places if isinstance(place.n, int))
        assert people == cells["study.json"]["rows_kept"]
