"""The data report: its numbers against known answers, its pages against what they must hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.raw_studies import (
    CASES,
    INTERVIEWS,
    VOCABULARY,
    case_study,
    harmonized,
    interview_study,
    published_study,
    table_study,
)
from helpers.repository import ROOT
from metastudy.codebook.vocabulary import merge
from metastudy.common import disclosure
from metastudy.common.people_flow import Bounds
from metastudy.data_report import comparability
from metastudy.data_report.agreement import agreement, kappa
from metastudy.data_report.alerts import ALARM, alerts
from metastudy.data_report.balance import differs, standardised
from metastudy.data_report.inspection.study import _flagged, inspect
from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages import pages, write
from metastudy.data_report.reliability import cronbach_alpha, item_rest, omega, reliability
from metastudy.display.labels import Labels
from metastudy.display.page import Page, render
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import Study, load_study

LEAST = 5
SECRET = "Q7-PRIVATE-WORDS"

CODEBOOK = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: sex, as: trait, trait: gender, values: {f: woman, m: man}}
  - {name: years, as: trait, trait: tenure_yrs}
  - {name: status, as: ignore}
  - {name: remark, as: ignore}
  - &item {name: q1, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know, 99: refused}}
  - {<<: *item, name: q2, keying: reverse}
  - {<<: *item, name: q3}
exclude:
  - {rule: test_rows, variable: status, drop: [test]}
  - {rule: preview, variable: status, drop: [preview]}
  - {rule: broke_off, unanswered: all_outcomes}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
"""  # noqa: E501


def rows(n: int = 240, seed: int = 3, wrong_keying: bool = False) -> str:
    """Draw a data file: a scale of three items, two rows of a test, three previews, some gaps."""
    rng = np.random.default_rng(seed)
    lines = ["nr,home,arm,sex,years,status,remark,q1,q2,q3,extra"]
    for i in range(n):
        mood = rng.normal()
        q = np.clip(np.round(4 + 1.2 * mood + rng.normal(size=3)), 1, 7).astype(int)
        q[1] = q[1] if wrong_keying else 8 - q[1]
        texts = [str(one) for one in q]
        if i % 60 == 7:
            texts[0] = "98"
        if i % 20 == 4:
            texts[2] = "99"
        if i % 21 == 5:
            texts = ["", "", ""]
        status = "test" if i < 2 else "preview" if i < 5 else "real"
        person = [rng.choice(["f", "m"]), f"{rng.uniform(0, 30):.1f}"]
        lines.append(
            ",".join([str(i), f"h{i % 9}", str(1 + i % 2), *person, status, SECRET, *texts, SECRET])
        )
    return "\n".join(lines) + "\n"


def inspected(folder: Path, least: int = LEAST) -> Inspection:
    """Harmonize a study and inspect it."""
    found = harmonized(folder)
    vocabulary = merge(VOCABULARY, [found.report["vocabulary"]])
    return inspect(Study(found.report, found.tables), vocabulary, least)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return inspected(table_study(tmp_path_factory.mktemp("answers"), rows(), CODEBOOK))


@pytest.fixture(scope="module")
def made(answers: Inspection) -> dict[str, Page]:
    return {page.name: page for page in pages([answers], VOCABULARY)}


def cells(page: Page) -> list[str]:
    """Give all texts of a page's tables."""
    tables = [part for section in page.sections for part in section.parts if part.kind == "table"]
    return [cell for table in tables for row in table.rows for cell in row]


# --- small cells ---------------------------------------------------------------------------------


def possible(shown: Any, least: int, most: int, total: int) -> range:
    """Numbers that a shown cell may stand for; a rounded share covers half a step on each side."""
    if shown == f"<{least}":
        return range(1, least)
    if shown == f"≥{least}":
        return range(least, most + 1)
    if shown is None:
        return range(most + 1)
    return range(int(shown), int(shown) + 1) if total == 0 else _around(shown, least, total)


def _around(share: int, least: int, total: int) -> range:
    if share == 0 and total < 100 * least:  # nothing but zero is rounded to zero here
        return range(1)
    half = disclosure.step(total, least) / 2
    low = np.ceil((share - half) * total / 100 - 1e-9)
    high = np.ceil((share + half) * total / 100 - 1e-9) - 1
    return range(int(max(low, least)), int(min(high, total)) + 1)


def values_of_small(counts: list[int], choices: list[range], least: int) -> list[set[int]]:
    """Search all numbers that add up to the total: what could each small cell be?"""
    total, found = sum(counts), [set() for _ in counts]
    small = [at for at, n in enumerate(counts) if 0 < n < least]
    *first, last = choices
    for numbers in product(*first):
        rest = total - sum(numbers)
        if rest in last:
            for at in small:
                found[at].add((*numbers, rest)[at])
    return [found[at] for at in small]


counts_of_people = st.lists(st.integers(0, 14), min_size=1, max_size=4)


@given(counts_of_people)
@settings(max_examples=150, deadline=None)
def test_no_hidden_count_follows_from_the_others_and_the_total(counts: list[int]):
    found = disclosure.protect(counts, LEAST)
    for n, shown in zip(counts, found.cells, strict=True):
        assert shown == n or isinstance(shown, str)
        assert not 0 < n < LEAST or shown == "<5"
    if found.total:
        choices = [possible(cell, LEAST, sum(counts), 0) for cell in found.cells]
        assert all(len(v) > 1 for v in values_of_small(counts, choices, LEAST))
    else:
        assert any(0 < n < LEAST for n in counts)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=4))
@example([5, 16])
@settings(max_examples=150, deadline=None)
def test_no_hidden_count_follows_from_the_rounded_shares_and_the_total(counts: list[int]):
    total = sum(counts)
    shown = disclosure.shares(counts, LEAST)
    assert not any(0 < n < LEAST and isinstance(s, int) for n, s in zip(counts, shown, strict=True))
    if any(cell is not None for cell in shown):
        choices = [possible(cell, LEAST, total, total) for cell in shown]
        assert all(n in choice for n, choice in zip(counts, choices, strict=True))
        assert all(len(v) > 1 for v in values_of_small(counts, choices, LEAST))


def test_a_single_small_rule_takes_the_total_with_it():
    assert disclosure.protect([3], LEAST) == disclosure.Protected(("<5",), False, (1, 4))
    assert disclosure.protect([4, 4], LEAST).total is False  # eight in two cells below five


def test_a_threshold_of_one_hides_nothing():
    assert disclosure.protect([1, 2, 3], 1) == disclosure.Protected((1, 2, 3), True, (6, 6))


# --- reliability ---------------------------------------------------------------------------------


def exact(correlations: np.ndarray, n: int = 60) -> pd.DataFrame:
    """Make answers whose correlations are exactly these."""
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(n, len(correlations)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(raw.T))).T)
    names = [f"i{k}" for k in range(len(correlations))]
    return pd.DataFrame(white @ np.linalg.cholesky(correlations).T, columns=names)


LOADINGS = np.array([0.9, 0.7, 0.5, 0.6])
ONE_FACTOR = np.outer(LOADINGS, LOADINGS) + np.diag(1 - LOADINGS**2)


@pytest.mark.parametrize(("items", "people"), [(2, 20), (3, 57), (8, 400)])
def test_alpha_and_its_interval_are_those_of_another_package(items: int, people: int):
    rng = np.random.default_rng(items)
    answers = pd.DataFrame(rng.normal(size=(people, 1)) + rng.normal(size=(people, items)))
    alpha, interval = pingouin.cronbach_alpha(answers)
    found = cronbach_alpha(answers)
    assert found[0] == pytest.approx(alpha, rel=1e-12)
    assert np.round(found[1:], 3) == pytest.approx(interval), "it rounds to three digits"


def test_alpha_and_omega_of_a_known_correlation_matrix():
    found = reliability(exact(ONE_FACTOR))
    assert found.alpha == pytest.approx(4 / 3 * (1 - 4 / ONE_FACTOR.sum()))
    common = LOADINGS.sum() ** 2
    assert found.omega == pytest.approx(common / (common + (1 - LOADINGS**2).sum()), abs=1e-4)
    assert found.low < found.alpha < found.high


def test_omega_weighs_items_by_their_spread():
    spreads = np.array([2.0, 1.0, 1.0, 0.5])
    common = (spreads * LOADINGS).sum() ** 2
    expected = common / (common + (spreads**2 * (1 - LOADINGS**2)).sum())
    assert omega(ONE_FACTOR, spreads) == pytest.approx(expected, abs=1e-4)
    assert len({omega(ONE_FACTOR, spreads) for _ in range(5)}) == 1  # no start at random


def test_what_is_not_computed_says_why():
    one = reliability(exact(np.eye(1)))
    two = reliability(exact(np.array([[1, 0.5], [0.5, 1]])))
    few = reliability(exact(ONE_FACTOR, n=60).head(10))
    assert (one.alpha, one.why_alpha) == (None, "one item")
    assert two.alpha == pytest.approx(2 / 3)
    assert (two.omega, two.why_omega) == (None, "fewer than 3 items")
    assert few.alpha is None
    assert "fewer than 20" in few.why_alpha


def test_an_item_against_the_rest():
    data = exact(np.array([[1, 0.5], [0.5, 1]]))
    assert item_rest(data).to_list() == pytest.approx([0.5, 0.5])
    assert item_rest(data.assign(i1=-data["i1"])).to_list() == pytest.approx([-0.5, -0.5])


# --- agreement -----------------------------------------------------------------------------------


def coded(by_coder: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make codings and readings from a line per coder: 1 found it, 0 did not, . did not read."""
    marks = [
        (f"s{at}", coder, mark)
        for coder, line in by_coder.items()
        for at, mark in enumerate(line)
        if mark != "."
    ]
    readings = pd.DataFrame([m[:2] for m in marks], columns=["source_id", "coder_id"])
    codings = pd.DataFrame(
        [m[:2] for m in marks if m[2] == "1"], columns=["source_id", "coder_id"]
    ).assign(code_id="a")
    return codings, readings


def test_kappa_by_hand():
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert kappa(first, second) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert kappa(np.ones(9), np.ones(9)) is None


def test_alpha_of_krippendorffs_own_example():
    (found,) = agreement(*coded({"x": "0100000010", "y": "1110010000"}), ["a"])
    assert found.alpha == pytest.approx(0.095, abs=0.001)  # Krippendorff 2011, example A
    assert (found.double, found.sources) == (10, 5)


def test_a_source_that_one_coder_read_says_nothing_about_agreement():
    codings, readings = coded({"x": "0100000010....11", "y": "1110010000.1...."})
    (found,) = agreement(codings, readings, ["a"])
    assert found.alpha == pytest.approx(0.095, abs=0.001)
    assert (found.read, found.double, found.sources) == (13, 10, 8)


def test_kappa_of_several_pairs_is_weighted_by_the_sources_they_share():
    first, second = "11001100", "11001010"
    codings, readings = coded({"x": first + "....", "y": second + "1100", "z": "." * 8 + "1100"})
    (found,) = agreement(codings, readings, ["a"])
    own = kappa(np.array(list(first), int), np.array(list(second), int))
    assert found.pairs == 2
    assert found.kappa == pytest.approx((own * 8 + 1.0 * 4) / 12)


# --- arms ----------------------------------------------------------------------------------------


def test_a_standardised_difference_by_hand():
    first, second = pd.Series([1.0, 1, 1, 0]), pd.Series([1.0, 0, 0, 0])
    assert standardised(first, second) == pytest.approx(0.5 / np.sqrt(0.75 * 0.25))


def test_leaving_one_arm_more_often_is_told():
    assert differs({"a": 40, "b": 10}, {"a": 200, "b": 200})
    assert not differs({"a": 20, "b": 22}, {"a": 200, "b": 200})


def test_who_left_by_arm_is_shown_where_it_was_recorded(answers: Inspection):
    left = {(r.rule, r.level): r for r in answers.arms.left}
    assert [left["broke_off", level].n for level in ("complementary", "core")] == [6, 6]
    # two rows of a test, one in each arm: hidden, and so is each share of these levels
    assert left["test_rows", "core"].n is None
    assert all(row.share is None for row in left.values())


def test_shares_of_who_left_stand_where_no_count_is_hidden(tmp_path: Path):
    found = inspected(table_study(tmp_path, rows(), CODEBOOK), least=1)
    left = {(r.rule, r.level): r.share for r in found.arms.left}
    assert left["broke_off", "core"] == 5.0  # 6 of 120


def test_a_check_of_a_manipulation_is_compared_between_its_levels(tmp_path: Path):
    own = """\
vocabulary:
  constructs:
    noticed: {label: Noticed, definition: The tasks., direction: more, family: trait, checks: task_type}
"""  # noqa: E501
    book = CODEBOOK.replace("name: q3}", "name: q3, construct: noticed}") + own
    checks = inspected(table_study(tmp_path, rows(), book)).arms.checks
    assert [(c.construct, c.level, c.difference is None) for c in checks] == [
        ("noticed", "complementary", True),
        ("noticed", "core", False),
    ]


# --- studies and their pages ---------------------------------------------------------------------


def test_every_exclusion_stands_on_the_page(answers: Inspection, made: dict[str, Page]):
    table = [(c.rule, c.rows) for c in answers.reading.excluded]
    assert table == [("test_rows", "<5"), ("preview", "<5"), ("broke_off", 12)]
    texts = render(made["small"])
    for rule in ("Test rows", "Preview", "Broke off"):
        assert rule in texts["html"]
        assert rule in texts["md"]
    read, kept = answers.reading.rows_read, answers.reading.rows_kept
    left = "12 left (broke off) and 5 left (2 rules with few rows)"
    (flow,) = [picture for picture in made["small"].pictures if picture.name == "flow"]
    assert f"{read} read, {left}, {kept} kept" in flow.alt


def test_no_small_count_leaves_the_inspection(tmp_path: Path):
    found = inspected(table_study(tmp_path, rows(60), CODEBOOK))
    shares = [s for i in found.answers.items for s in (*i.shares, *i.missing.values())]
    step = disclosure.step(60, LEAST)
    assert all(s is None or isinstance(s, str) or s % step == 0 for s in shares)
    excluded = {e.rule: e.rows for e in found.reading.excluded}
    assert set(excluded.values()) == {"<5"}  # of 60 rows: 2, 3 and 3


def test_wrong_keying_raises_an_alarm(tmp_path: Path, answers: Inspection):
    labels = Labels(VOCABULARY)
    wrong = inspected(table_study(tmp_path, rows(wrong_keying=True), CODEBOOK))
    told = [one.text for one in alerts(wrong, labels) if one.level == ALARM]
    assert any(text.startswith("q2 ") and "keying" in text for text in told)
    assert not [one for one in alerts(answers, labels) if one.level == ALARM]


def test_what_was_not_recorded_is_said(tmp_path: Path):
    found = harmonized(table_study(tmp_path, rows(), CODEBOOK))
    later = ("quality", "excluded_by_arm", "read_by_arm", "format")
    report = {key: value for key, value in found.report.items() if key not in later}
    old = inspect(Study(report, found.tables), VOCABULARY, LEAST)
    text = render(pages([old], VOCABULARY)[1])["md"]
    assert "Quality flags: not recorded." in text
    assert "Who left from which arm: not recorded." in text
    assert "Manipulation checks: none declared." in text


def test_private_words_of_the_raw_file_stand_nowhere(tmp_path: Path, answers: Inspection):
    assert SECRET in rows()
    assert SECRET not in answers.to_json()
    written = write(pages([answers], VOCABULARY), tmp_path)
    assert not [path for path in written if SECRET in path.read_text("utf-8")]


def test_few_cases_are_listed_and_never_a_share(tmp_path: Path):
    found = inspected(case_study(tmp_path))
    assert found.ratings.few
    (page,) = [p for p in pages([found], VOCABULARY) if p.name == "small"]
    assert "Open; Closed; not rated; not rated" in cells(page)
    assert "%" not in render(page)["md"]
    assert found.reading.rows_read is None


def test_many_cases_are_shares_that_hide_small_ones(tmp_path: Path):
    poles = ["open"] * 30 + ["closed"] * 27 + ["between"] * 2
    text = "case,town,open,quote\n" + "".join(f"{i},Aa,{p},\n" for i, p in enumerate(poles))
    found = inspected(case_study(tmp_path, text, CASES))
    (row,) = found.ratings.dimensions
    assert row.listed is None
    assert row.shares == (50, "<5", 50)


def test_published_findings_are_counted_by_direction_and_verification(tmp_path: Path):
    found = inspected(published_study(tmp_path))
    assert found.published.findings == 2
    (page,) = [p for p in pages([found], VOCABULARY) if p.name == "small"]
    assert page.mark == ""  # observed
    assert "Null result" in cells(page)
    assert "Published direction" in render(page)["html"]


def test_few_sources_have_neither_prevalence_nor_agreement(tmp_path: Path):
    found = inspected(interview_study(tmp_path, codebook=INTERVIEWS))
    assert all(row.sources is None for row in found.coding.codes)
    assert all(row.alpha is None for row in found.coding.codes)
    assert not re.search(r"\d%", render(pages([found], VOCABULARY)[1])["md"])


def test_pages_are_well_formed_and_stand_alone(made: dict[str, Page]):
    for page in made.values():
        html = render(page)["html"]
        tree = ElementTree.fromstring(html.removeprefix("<!DOCTYPE html>"))
        assert not re.search(r"https?:", html), "nothing is asked of another host"
        assert not {e.tag for e in tree.iter()} & {"script", "link", "img", "iframe", "object"}
        assert not re.search(r"url\((?!#)", html)
        names = [e.get("id") for e in tree.iter() if e.get("id")]
        assert len(names) == len(set(names))
        for svg in tree.iter("svg"):
            assert svg.get("role") == "img"
            assert len(svg.get("aria-label", "")) > 20
        for table in tree.iter("table"):
            assert len(table.find("caption").text) > 5
            assert all(th.get("scope") in ("col", "row") for th in table.iter("th"))
        for link in tree.iter("a"):
            target = link.get("href")
            assert target[1:] in [*names, "page"] if target[0] == "#" else target[:-5] in made


def test_markdown_says_what_the_page_says(made: dict[str, Page], tmp_path: Path):
    for page in made.values():
        text = render(page)["md"].replace("\\", "")
        for cell in cells(page):
            assert " ".join(cell.split()) in text
        for section in page.sections:
            assert f"## {section.title}" in text
    write(list(made.values()), tmp_path)
    for path in tmp_path.glob("*.md"):
        for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
            assert (tmp_path / target).is_file()


def test_simulated_data_are_marked_on_every_page_and_picture(made: dict[str, Page]):
    for page in made.values():
        assert page.mark == "Simulated data"
        assert "<strong>Simulated data.</strong>" in render(page)["html"]
        assert "**Simulated data.**" in render(page)["md"]
        assert page.pictures
        assert all('id="mark"' in p.svg for p in page.pictures)


def test_the_same_data_are_the_same_bytes(answers: Inspection, made: dict[str, Page]):
    again = {
        page.name: page for page in pages([Inspection.from_json(answers.to_json())], VOCABULARY)
    }
    assert {n: render(p) for n, p in again.items()} == {n: render(p) for n, p in made.items()}


# --- over all ------------------------------------------------------------------------------------


def in_language(study: Inspection, name: str, language: str) -> Inspection:
    return replace(study, study=name, about={**study.about, "language": language})


def test_items_compare_across_languages_only_where_they_overlap(answers: Inspection):
    same = [in_language(answers, "a", "da"), in_language(answers, "b", "nl")]
    (row,) = comparability.comparability(same)
    assert (row.shared, row.verdict) == (3, "comparable")
    assert row.congruence == pytest.approx(1)
    scale = answers.answers.scales[0]
    renamed = replace(
        scale,
        names=("x", "y", "z"),
        loadings=dict(zip("xyz", scale.loadings.values(), strict=True)),
    )
    other = replace(same[1], answers=replace(answers.answers, scales=(renamed,)))
    assert comparability.comparability([same[0], other])[0].verdict.startswith("not testable")
    alike = in_language(answers, "b", "da")
    assert comparability.comparability([same[0], alike])[0].verdict.startswith("one language")


def test_congruence_by_hand():
    assert comparability.congruence({"a": 1, "b": 1, "c": 0}, {"a": 1, "b": 0, "c": 1}) == 0.5
    assert comparability.congruence({"a": 1, "b": 1}, {"a": 1, "b": 1}) is None


def test_two_studies_in_two_countries_are_aliased(answers: Inspection):
    place = answers.places[0]
    other = replace(answers, study="other", places=(replace(place, country="FI"),))
    table = comparability.aliases([answers, other], VOCABULARY)
    whole = table[table["module"] == ""].set_index("grouping")
    assert whole.loc["study", "used_as"] == "varying"
    assert whole.loc["country", "aliased_with"] == "study"
    text = render(pages([answers, other], VOCABULARY)[0])["md"]
    assert "cannot be distinguished from study" in text


def test_the_page_over_all_tells_all_warnings_and_links_all_pages(answers: Inspection):
    index, *rest = pages([answers, in_language(answers, "b", "nl")], VOCABULARY)
    text = render(index)["html"]
    for page in rest:
        assert f'href="{page.name}.html"' in text
    for one in alerts(answers, Labels(VOCABULARY)):
        assert text.count(one.text) == 2


def test_the_commands_write_the_report(tmp_path: Path):
    folder, out = tmp_path / "harmonized", tmp_path / "report"
    save(harmonized(table_study(tmp_path, rows(), CODEBOOK)), folder)
    vocabulary = ["--vocabulary", str(ROOT / "config" / "vocabulary.yaml")]
    numbers = out / "small" / "inspected.json"
    inspecting = ["inspect", "--study", str(folder), "--smallest-cell", "5"]
    writing = ["report_data", "--inspected", str(numbers), "--out", str(out)]
    for module, *arguments in ([*inspecting, "--out", str(numbers)], writing):
        subprocess.run(
            [sys.executable, "-m", f"metastudy.commands.{module}", *arguments, *vocabulary],
            env={"PYTHONPATH": str(ROOT / "workflow")},
            check=True,
            timeout=300,
        )
    assert Inspection.from_json(numbers.read_text("utf-8")) == inspect(
        load_study(folder, measured=None), VOCABULARY, LEAST
    )
    assert {p.name for p in out.glob("*.*")} == {"index.html", "index.md", "small.html", "small.md"}
    assert (out / "figures" / "small" / "answers.svg").is_file()


def test_flagged_rows_do_not_tell_how_many_are_kept_where_that_is_a_range() -> None:
    """Two places of four people each are told as 2 to 8; eight flagged would tell that all are."""
    assert _flagged(8, Bounds(2, 8), 5) == "≥5"
    assert _flagged(3, Bounds(2, 8), 5) == "<5"
    assert [_flagged(n, Bounds(40, 40), 5) for n in (38, 12, 40)] == [">35", 12, 40]
