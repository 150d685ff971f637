"""The owner's page: all that is in the file, in words, and what is the same is said once."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from helpers.parcel_studies import harmonized, raw_study, report_of
from helpers.raw_studies import VOCABULARY
from metastudy.display.labels import Labels
from metastudy.parcelling.control import control
from metastudy.parcelling.loss import Loss, losses
from metastudy.parcelling.make import documents
from metastudy.parcelling.page import owner_page

MANIFEST = {"study": "alpha", "provenance": "simulated", "least": 10}
LABELS = Labels(VOCABULARY)
CELL = r"<t[hd].*?</t[hd]>"
PLACES = (("DK", "elderly_care", "professional"), ("FI", "elderly_care", "professional"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[Loss]]:
    folder = tmp_path_factory.mktemp("page")
    study = harmonized(raw_study(folder, "alpha", each=30, missing=12), folder / "rows")
    controlled = control(study, VOCABULARY, 5)
    inside = documents(controlled, VOCABULARY, report_of(controlled))
    return inside, losses(study, controlled, VOCABULARY)


def tables(page: str) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Columns and rows of each table by its caption."""
    found = {}
    for text in re.findall(r"<table.*?</table>", page, re.S):
        caption = re.search(r"<caption>(.*?)</caption>", text, re.S)
        rows = [
            [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(CELL, row, re.S)]
            for row in re.findall(r"<tr.*?</tr>", text, re.S)
        ]
        head, *body = rows
        found[caption[1].strip() if caption else ""] = head, body
    return found


def test_names_of_the_page_are_labels_and_no_ids(
    made: tuple[dict[str, Any], list[Loss]],
) -> None:
    page = owner_page(MANIFEST, made[0], 9999, made[1], LABELS)
    words = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", page, flags=re.S)))
    for section, names in (
        ("constructs", ("threat_quality", "threat_job")),
        ("factors", ("task_type",)),
        ("countries", ("DK",)),
    ):
        for name in names:
            assert VOCABULARY.label(section, name) in words
            for spelt in (name, name.replace("_", " ").capitalize()):
                assert not re.search(rf"\b{spelt}\b", words), spelt
    assert VOCABULARY.label("modules", "threat") in words


def test_every_estimate_of_the_file_is_on_its_page(
    made: tuple[dict[str, Any], list[Loss]],
) -> None:
    inside, found = made
    shown = tables(owner_page(MANIFEST, inside, 9999, found, LABELS))
    (caption,) = [name for name in shown if name.startswith("Estimates of this study alone")]
    head, rows = shown[caption]
    assert head == ["Fit", "Exposure", "Outcome", "People", "Estimate", "Standard error"]
    assert [row[3] for row in rows] == [str(one["n"]) for one in inside["estimates.json"]]
    assert VOCABULARY.label("modules", "threat") in caption, "all are of one, so it is said once"


def test_estimates_of_several_places_and_situations_are_told_apart(
    made: tuple[dict[str, Any], list[Loss]],
) -> None:
    known = next(iter(VOCABULARY["vignettes"]))
    several = [
        Loss("threat", "task_type_randomised", "threat_job", 0.1, 1.0, place=place, vignette=about)
        for place in (
            ("DK", "elderly_care", "professional"),
            ("FI", "elderly_care", "professional"),
        )
        for about in ("", known)
    ]
    shown = tables(owner_page(MANIFEST, made[0], 9999, several, LABELS))
    (caption,) = [name for name in shown if name.startswith("What this did")]
    head, rows = shown[caption]
    assert head[:4] == ["Country", "Exposure", "Outcome", "Situation"]
    assert len({tuple(row[:4]) for row in rows}) == 4


def test_what_is_to_be_known_comes_first(made: tuple[dict[str, Any], list[Loss]]) -> None:
    page = owner_page(MANIFEST, made[0], 9999, made[1], LABELS)
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert headings[:2] == ["In short", "Not in the file"]
    people = made[0]["control.json"]["people"]
    assert f"Sums over {people} people, none of fewer than 10" in page
