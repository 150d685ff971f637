"""From codebook to second stage: moderators, groupings and dependence arrive, or are an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import (
    FINDINGS,
    TABLE,
    codebook_of,
    harmonized,
    published_study,
    table_study,
)
from metastudy.common.problems import BadInput, Problem
from metastudy.design.moderators import MODERATED, moderators_of
from metastudy.synthesis.declared import Declared, with_attributes
from metastudy.synthesis.nesting import NESTED
from metastudy.synthesis.stages import gather, stages

COLUMNS = """\
  - {name: north, as: moderator, moderator: latitude, missing: {NA: not_asked}}
  - {name: how, as: moderator, moderator: mode, values: {w: web, p: paper}}
  - {name: lab, as: nesting, nesting: laboratory}
"""
MODERATORS = """\
  moderators:
    latitude: {label: Latitude, unit: degrees}
    mode: {label: Mode, levels: {paper: On paper, web: Online}}
"""
VOCABULARY = "vocabulary:\n" + MODERATORS
BOOK = FINDINGS + COLUMNS
START = "assigned,threat_job,+"
ALL = [f"{MODERATED}latitude", f"{MODERATED}mode", f"{NESTED}laboratory"]
HEAD = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level,north,how,lab\n"


def rows(*own: str) -> str:
    """Findings on one outcome: paper, estimate, and the declared columns."""
    return HEAD + "".join(
        f"f{k},{paper},a to b,{START},{d},0.1,log_odds,90,DK,published_numeric,{rest}\n"
        for k, (paper, d, rest) in enumerate((line.split(",", 2) for line in own), start=1)
    )


FOUND = rows("a,0.1,10,w,x", "a,0.2,20,p,x", "b,0.3,30,w,x", "c,0.4,40,p,y", "d,0.5,50,w,y")


def published(tmp_path: Path, text: str = FOUND, more: str = "") -> dict[str, pd.DataFrame]:
    folder = published_study(tmp_path, text, BOOK + more + VOCABULARY)
    return dict(harmonized(folder).tables)


def problems(tmp_path: Path, text: str = FOUND, more: str = "", book: str = BOOK) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        harmonized(published_study(tmp_path, text, book + more + VOCABULARY))
    return caught.value.problems


def gathered(tmp_path: Path, more: str = "", correlation: float = 0.6):
    folder = published_study(tmp_path, FOUND, BOOK + more + VOCABULARY)
    tables, vocabulary = harmonized(folder).tables, codebook_of(folder).vocabulary
    declared = Declared(tables["attributes"], tables["dependence"])
    found = gather([], tables["effects"], vocabulary, (), declared, correlation)
    return *found, vocabulary


def test_columns_of_findings_become_moderators_and_groupings_of_the_second_stage(
    tmp_path: Path,
) -> None:
    table, covariance, vocabulary = gathered(tmp_path)
    assert table[f"{MODERATED}latitude"].tolist() == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert table[f"{MODERATED}mode"].tolist() == ["web", "paper", "web", "paper", "web"]
    assert table[f"{NESTED}laboratory"].tolist() == ["x", "x", "x", "y", "y"]
    assert covariance[0, 1] == pytest.approx(0.6 * 0.01)
    (part, metric, found), (last, _, _) = stages(table, covariance, vocabulary)
    assert last == "exploratory"
    assert (part, metric) == ("pooled", "log_odds")
    (moderation,) = found.moderation.values()
    assert [c.moderator for c in moderation.coefficients] == ["latitude", "mode"]
    assert [c.between for c in moderation.coefficients] == [False, False]
    (nested,) = found.nested.values()
    assert (nested.above, nested.below) == (("laboratory",), ("effect",))


def test_a_study_as_a_whole_has_moderators_and_groupings_for_all_its_estimates(
    tmp_path: Path,
) -> None:
    more = "moderators: {latitude: 55.7, mode: web}\nnestings: {laboratory: 1}\n"
    folder = table_study(tmp_path, codebook=TABLE + more + VOCABULARY)
    own = harmonized(folder).tables["attributes"]
    assert own["finding_id"].isna().all()
    estimates = pd.DataFrame({"id": ["small|DK|s|e|o|v", "other|DK|s|e|o|v"]})
    table = with_attributes(estimates, own, moderators_of(codebook_of(folder).vocabulary))
    assert table.loc[0, ALL].tolist() == [55.7, "web", "1"]
    assert table.loc[1, ALL].isna().all()


def test_what_is_said_of_two_findings_counts_before_what_is_said_of_a_publication(
    tmp_path: Path,
) -> None:
    more = "dependence:\n  - {correlation: 0.2}\n  - {citation: a, correlation: 0.3}\n"
    _, covariance, _ = gathered(tmp_path / "one", more)
    assert covariance[0, 1] == pytest.approx(0.3 * 0.01)
    more += "  - {findings: [f2, f1], covariance: 0.0042}\n"
    _, covariance, _ = gathered(tmp_path / "two", more)
    assert covariance[0, 1] == 0.0042
    np.testing.assert_allclose(np.diag(covariance), 0.01)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("{findings: [f1, f2], covariance: 0.02}", "a covariance of 0.02 of f1 and f2, whose"),
        ("{findings: [f1, f9], covariance: 0.002}", "the finding 'f9'"),
        ("{findings: [f1, f3], covariance: 0.002}", "'f1 and f3', of two publications"),
        ("{citation: e, correlation: 0.2}", "the publication 'e'"),
        ("{correlation: 1.2}", "1.2"),
        ("{covariance: 0.001}", "a covariance without 'findings'"),
        ("{findings: [f1, f2], covariance: 0.001, correlation: 0.1}", "covariance, correlation"),
    ],
)
def test_a_dependence_that_cannot_be_is_one_error(tmp_path: Path, entry: str, found: str) -> None:
    (problem,) = problems(tmp_path, more=f"dependence: [{entry}]\n")
    assert found in problem.found
    assert problem.study == "small"


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        ("a,0.1,north,w,x", "north", "a number"),
        ("a,0.1,10,q,x", "q", "a value listed under 'values'"),
    ],
)
def test_a_moderator_that_is_no_number_or_no_level_names_row_and_column(
    tmp_path: Path, line: str, found: str, expected: str
) -> None:
    (problem,) = problems(tmp_path, rows(line, "b,0.2,20,p,x"))
    assert found in problem.found
    assert problem.expected.startswith(expected)
    assert problem.row == 2
    assert problem.code in ("off-scale", "unknown-label")


def test_a_moderator_that_the_vocabulary_does_not_have_is_an_error_with_a_likely_name(
    tmp_path: Path,
) -> None:
    (problem,) = problems(tmp_path, book=BOOK.replace("moderator: latitude", "moderator: latitud"))
    assert "'latitud'. Did you mean 'latitude'?" in problem.found


def test_a_level_or_a_text_in_the_wrong_place_of_a_study_is_an_error(tmp_path: Path) -> None:
    more = "moderators: {latitude: north, mode: phone}\n"
    folder = table_study(tmp_path, codebook=TABLE + more + VOCABULARY)
    with pytest.raises(BadInput) as caught:
        codebook_of(folder)
    number, level = caught.value.problems
    assert "a number: 'latitude' has no levels" in number.expected
    assert "a level of 'mode': paper, web" in level.expected


def test_a_grouping_has_a_name_of_its_own(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, book=BOOK.replace("nesting: laboratory", "nesting: study"))
    assert "another name than study, country" in problem.expected
