"""The data report says what is declared, of how many pairs, and how many effects a funnel has."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import (
    FINDINGS,
    TABLE,
    VOCABULARY,
    harmonized,
    published_study,
    table_study,
)
from metastudy.codebook.vocabulary import merge
from metastudy.data_report.inspection.study import inspect
from metastudy.data_report.inspection.values import Attribute, Funnel, Inspection
from metastudy.data_report.pages import pages
from metastudy.data_report.pages.declared import NO_MODERATOR, NO_PAIR
from metastudy.display.page import render
from metastudy.harmonized.study import Study

HEAD = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level,north\n"
ADDED = "vocabulary: {moderators: {latitude: {label: Latitude, unit: degrees}}}\n"
COLUMN = "  - {name: north, as: moderator, moderator: latitude}\n"
PAIRS = """\
dependence:
  - {findings: [f1, f2], covariance: 0.004}
  - {citation: b, correlation: 0.3}
"""


def inspected(folder: Path) -> tuple[Inspection, str]:
    found = harmonized(folder)
    vocabulary = merge(VOCABULARY, [found.report["vocabulary"]])
    study = inspect(Study(found.report, found.tables), vocabulary, 5)
    (page,) = [p for p in pages([study], vocabulary) if p.name == study.study]
    return study, render(page)["html"]


def findings(papers: str) -> str:
    return HEAD + "".join(
        f"f{k},{paper},a to b,assigned,threat_job,+,0.{k},0.1,log_odds,90,DK,published_numeric,"
        f"{10 if paper == 'a' else 20}\n"
        for k, paper in enumerate(papers, start=1)
    )


def test_moderators_pairs_and_effects_of_a_funnel_are_counted(tmp_path: Path) -> None:
    folder = published_study(tmp_path, findings("aabbb"), FINDINGS + COLUMN + PAIRS + ADDED)
    study, html = inspected(folder)
    assert study.declared is not None
    assert study.declared.attributes == (
        Attribute("moderator", "latitude", "10", 2),
        Attribute("moderator", "latitude", "20", 3),
    )
    assert (study.declared.given, study.declared.correlated) == (1, 3)
    assert study.declared.funnels == (Funnel("a to b", "threat_job", "log_odds", 5, 2),)
    for text in ("Latitude", "declared covariance: 1", "fewer than ten publications"):
        assert text in html
    assert NO_MODERATOR not in html
    assert Inspection.from_json(study.to_json()) == study


@pytest.mark.parametrize("papers", ["abcdefghij", "aabbccddee"])
def test_a_selection_model_needs_ten_publications_and_not_ten_effects(
    tmp_path: Path, papers: str
) -> None:
    folder = published_study(tmp_path, findings(papers), FINDINGS + COLUMN + ADDED)
    _, html = inspected(folder)
    assert ("fewer than ten publications" in html) == (len(set(papers)) < 10)
    assert NO_PAIR in html


def test_a_declared_reliability_is_shown_and_no_moderator_is_said(tmp_path: Path) -> None:
    study, html = inspected(
        table_study(tmp_path, codebook=TABLE + "reliabilities: {threat_job: 0.8}\n")
    )
    assert study.declared is not None
    assert study.declared.attributes == (Attribute("reliability", "threat_job", "0.8", None),)
    assert "Reliability" in html
    assert NO_MODERATOR in html


def test_declared_interactions_are_shown_by_the_names_of_both_exposures(tmp_path: Path) -> None:
    more = "  - {construct: self_efficacy, type: measured}\n"
    more += "interactions: [[task_type, self_efficacy]]\n"
    item = "  - {name: q3, as: item, construct: self_efficacy, min: 1, max: 7}\noutcomes:"
    rows = "nr,home,arm,q1,q2,q3\n1,Aa,1,1,7,2\n2,Aa,2,7,1,4\n"
    folder = table_study(tmp_path, rows, TABLE.replace("outcomes:", item) + more)
    study, html = inspected(folder)
    assert study.declared is not None
    assert study.declared.attributes == (
        Attribute("interaction", "task_type", "self_efficacy", None),
    )
    for text in ("Interaction", "Core against complementary tasks", "Self-efficacy"):
        assert text in html


def test_a_study_that_declares_nothing_has_no_such_section(tmp_path: Path) -> None:
    study, html = inspected(table_study(tmp_path))
    assert study.declared is None
    assert "moderators, dependence and funnels" in html, "named among what does not apply"
