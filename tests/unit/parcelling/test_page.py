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
from metastudy.parcelling.in_short import in_short
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
        for place in PLACES
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


# --- in short: each thing that control did, and only what it did ---------------------------------

NOTHING = {"untouched": False, "people": 480, "people_left": 0, "people_moved": 0,
           "people_with_fewer_outcomes": 0, "sites_before": 0, "sites_after": 0,
           "settings_without_sites": 0}  # fmt: skip
OF_CODES = {"alike": 5, "read_twice": 36, "second_readings_left": 0, "codes_of_settings": 96,
            "codes_of_settings_left": 0, "codes_left": []}  # fmt: skip
NONE_OUT = "Disclosure control took no people out."


def short(cells: dict[str, object] | None = None, **did: object) -> str:
    inside = {"control.json": {**NOTHING, **did}, "estimates.json": [{}] * 12}
    inside |= {"cells/threat-main.json": cells} if cells else {}
    return in_short(inside, 10)[1]


@pytest.mark.parametrize(
    ("did", "said"),
    [
        ({"untouched": True}, "Disclosure control had nothing to do."),
        ({"people_left": 12}, "Disclosure control took 12 people out."),
        ({"people_left": "<10"}, "Disclosure control took fewer than 10 people out."),
        ({"people_with_fewer_outcomes": 40}, f"{NONE_OUT} It left out some answers of 40 people."),
        (
            {"people_left": 12, "people_with_fewer_outcomes": "<10"},
            "Disclosure control took 12 people out. It left out some answers of fewer than 10 "
            "others.",
        ),
        (
            {"people_moved": 400, "sites_before": 100, "sites_after": 101},
            f"{NONE_OUT} There were 100 sites, now there are 101, others of a setting counted as "
            "one; 400 people are at others.",
        ),
        (
            {"people_moved": 480, "sites_before": 40, "sites_after": 0},
            f"{NONE_OUT} There were 40 sites, of which none is left, so the file does not "
            "tell them apart.",
        ),
        (
            {"people_moved": 30, "sites_before": 1, "sites_after": 2},
            f"{NONE_OUT} There was one site, now there are 2, others of a setting counted as one; "
            "30 people are at others.",
        ),
        (
            {"people_left": 30, "sites_before": 9, "sites_after": 8},
            "Disclosure control took 30 people out. Of 9 sites 8 are left.",
        ),
        (
            {"people_left": 12, "sites_before": 9, "sites_after": 9},
            "Disclosure control took 12 people out.",
        ),
    ],
)
def test_in_short_each_thing_is_said_where_it_holds(did: dict[str, object], said: str) -> None:
    assert short(**did) == said


@pytest.mark.parametrize(
    ("others", "sited", "as_one", "where"),
    [
        (["alpha-org-others-1", "alpha-org-others-2"], [1], " (of each level of what is the same "
         "for all of a site)", "at others"),
        (["alpha"], [0], "", "at others or at no site"),
        (["alpha-org-1a", "alpha-org-others"], [1], "", "at others"),
    ],
)  # fmt: skip
def test_in_short_others_are_of_each_level_and_no_site_is_where_there_is_none(
    others: list[str], sited: list[int], as_one: str, where: str
) -> None:
    numbers = {"setting_of_site": [0] * len(others), "sited": sited}
    cells: dict[str, object] = {"numbers": numbers, "coordinates": {"site": others}}
    moved = {"people_moved": 400, "sites_before": 9, "sites_after": 4, "settings_without_sites": 1}
    assert short(cells, **moved) == (
        f"{NONE_OUT} There were 9 sites, now there are 4, others of a setting counted as one"
        f"{as_one}; 400 people are {where}."
    )


def test_in_short_of_interviews_counts_and_second_readings_are_said() -> None:
    out = "Disclosure control took no interviews out."
    left = short(interviews={**OF_CODES, "codes_of_settings_left": 8})
    assert left == f"{out} It left out 8 of 96 counts of a code in a setting."
    twice = short(interviews={**OF_CODES, "second_readings_left": "<10"})
    assert twice == (
        f"{out} Of fewer than 10 interviews that two coders read, some or all codes are counted as "
        "one coder found them."
    )
    moved = short(interviews=OF_CODES, people_moved=56, sites_before=6, sites_after=4)
    assert moved == (
        f"{out} There were 6 organisations, now there are 4, others of a setting counted as one; "
        "56 interviews are with others, for one code at least."
    )


def test_the_page_says_where_estimates_hold_differences_between_sites_and_which_are_new(
    made: tuple[dict[str, Any], list[Loss]],
) -> None:
    inside, found = made
    key = "task_type_organisational"
    label = LABELS.exposure_by_id(key).label
    did = {**inside["control.json"], "untouched": False, "between_sites": [key]}
    added = Loss("threat", key, "threat_job", place=PLACES[0], added=True)
    page = owner_page(MANIFEST, {**inside, "control.json": did}, 9999, [*found, added], LABELS)
    words = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))
    assert f"Exposures whose estimates hold differences between sites too {label}" in words
    assert words.count(f"and between sites too in the file, are estimates of: {label}.") == 2
    assert "not from the rows" in words
    assert "estimates of one exposure hold differences" in words
    plain = {**inside, "control.json": {**did, "between_sites": []}}
    said = owner_page(MANIFEST, plain, 9999, found, LABELS)
    assert "between sites" not in said
    assert "from the rows" not in said
