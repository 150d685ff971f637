"""Studies that came as parcels, in the article: people are counted, what needs rows says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from helpers.parcel_studies import harmonized, parcel_of, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import parcels, pooling_comparison, predictive_checks, studies
from metastudy.display.labels import Labels
from metastudy.harmonize.parcel import save_parcel
from metastudy.harmonized.study import Study, load_study
from metastudy.record import inputs

SETTINGS = {"privacy": {"smallest_cell": 5}, "report": {"interval": 0.95}}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study, Study]:
    """One study as a parcel and another as rows, and the folder of the two."""
    folder = tmp_path_factory.mktemp("both")
    first = harmonized(raw_study(folder / "owner", "alpha"), folder / "rows" / "alpha")
    path = folder / "data" / "alpha" / "alpha.parcel"
    parcel_of(first, path)
    save_parcel(path, VOCABULARY, folder / "out" / "alpha")
    second = harmonized(raw_study(folder / "data", "beta", country="FI"), folder / "out" / "beta")
    return folder / "data", load_study(folder / "out" / "alpha"), second


def evidence(*of: Study) -> Results:
    rows = Modelled({study.id: study.people for study in of}, ())
    return Results(
        vocabulary=VOCABULARY,
        studies=of,
        cells={"threat": rows},
        contrasts={"threat": pd.DataFrame()},
        settings=SETTINGS,
    )


def test_people_and_places_of_a_parcel_are_in_the_article(both: tuple[Path, Study, Study]) -> None:
    _, parcel, rows = both
    grid = studies.study_grid(evidence(parcel, rows))
    assert grid.set_index("study")["n"].to_dict() == {"alpha": 90, "beta": 90}
    assert grid["country"].tolist() == ["DK", "FI"]
    tree = studies.variables(evidence(parcel, rows))
    assert tree["alpha"]["sites"] == tree["beta"]["sites"] == "3"
    assert tree["alpha"]["file"] == "alpha.parcel"
    flow = studies.participant_flow(evidence(parcel, rows))
    assert flow.groupby("study")["rows"].last().to_dict() == {"alpha": 90, "beta": 90}


def test_what_needs_rows_says_that_there_are_none(both: tuple[Path, Study, Study]) -> None:
    _, parcel, rows = both
    alone = evidence(parcel)
    none = {
        predictive_checks: "are no predictive checks",
        pooling_comparison: "is no leave-one-out comparison",
    }
    for topic, what in none.items():
        assert topic.variables(evidence(rows)) == {}
        said = topic.variables(alone)["threat"]["sentence"]
        assert said == f"Of alpha there {what}: not from a parcel."
    assert predictive_checks.variables(alone)["threat"]["worst"] == "not from a parcel"
    beside = predictive_checks.without("All lie inside.", ["Alpha"], "are none")
    assert beside == "All lie inside. This is without Alpha, of which there are no rows."


def test_a_parcel_is_raw_data_of_the_record_and_has_its_codebook_in_it(
    both: tuple[Path, Study, Study],
) -> None:
    data, _, _ = both
    names = ["alpha", "beta"]
    assert set(inputs.raw(data, names)["alpha"]) == {"alpha.parcel"}
    assert set(inputs.codebooks(data, names, [])) == {"beta"}
    assert inputs.provenance(data, names) == {"alpha": "simulated", "beta": "simulated"}


# --- what disclosure control cost ----------------------------------------------------------------


def told(study: Study, **did: object) -> Study:
    """A study whose parcel says other things of disclosure control."""
    inside = study.report["parcel"]
    control = {**inside["control"], **did}
    return replace(study, report={**study.report, "parcel": {**inside, "control": control}})


def test_without_parcels_the_article_has_nothing_of_them(both: tuple[Path, Study, Study]) -> None:
    _, _, rows = both
    assert parcels.part(evidence(rows)) == ""


def test_of_untouched_cells_the_article_says_that_they_tell_what_rows_would(
    both: tuple[Path, Study, Study],
) -> None:
    _, parcel, rows = both
    said = parcels.part(evidence(parcel, rows))
    assert "One study came as a parcel of sums over people (alpha; @tbl-parcels)" in said
    assert "touched no cell" in said
    (line,) = [line for line in said.splitlines() if line.startswith("| Alpha")]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        *("Alpha", "90", "0", "0", "0", "3", "3", "as rows"),
    ]
    assert "{#tbl-parcels}" in said


def test_what_control_cost_is_in_table_and_sentence_and_silence_is_said(
    both: tuple[Path, Study, Study],
) -> None:
    _, parcel, _ = both
    intervals = {"estimates": 4, "lost": 1, "median": 1.1, "largest": 1.35}
    wider = told(parcel, untouched=False, people_left=20, intervals=intervals)
    found = parcels.table(evidence(wider))
    assert found.shown["Standard errors"].tolist() == ["1.10 (1.35); 1 of 4 lost"]
    assert found.full["intervals_largest"].tolist() == [1.35]
    assert "at others of the setting, which are one of the sites after" in found.caption
    assert "no estimate that is left is more than 1.35 times" in parcels.part(evidence(wider))
    silent = told(parcel, untouched=False, people_left="<10", intervals=None)
    said = parcels.part(evidence(silent))
    assert "made its cells coarser; the parcel does not say what that cost" in said
    other = replace(wider, report={**wider.report, "study": "beta"})
    said = parcels.part(evidence(silent, other))
    assert "made cells of each of them coarser" in said
    assert "is, where a parcel says it, more than 1.35 times" in said
    assert "; of one of them the parcel does not say what that cost" in said
    assert parcels.table(evidence(silent)).shown["Standard errors"].tolist() == ["not said"]


def test_of_interviews_the_article_says_which_counts_and_readings_were_left_out(
    both: tuple[Path, Study, Study],
) -> None:
    _, parcel, rows = both
    plain = evidence(told(parcel, untouched=False), rows)
    assert "interviews" not in parcels.part(plain)
    of_codes = {
        "alike": 5,
        "read_twice": 36,
        "second_readings_left": 30,
        "codes_of_settings": 96,
        "codes_of_settings_left": 8,
        "codes_left": [],
    }
    smaller = {"estimates": 2, "lost": 0, "median": 0.8, "largest": 0.95}
    coded = told(parcel, untouched=False, interviews=of_codes, intervals=smaller)
    said = parcels.part(evidence(coded, rows))
    assert "In alpha 8 of 96 counts of a code in a setting are left out" in said
    assert "In alpha two coders read 36 interviews; of these 30 count as read once" in said
    assert "no estimate that is left is larger than that of all rows" in said
    assert "standard errors may be smaller" in parcels.table(evidence(coded)).caption
    nothing = {**of_codes, "second_readings_left": 0, "codes_of_settings_left": 0}
    whole = told(parcel, untouched=False, interviews=nothing, intervals=smaller)
    assert "left out, as" not in parcels.part(evidence(whole))
    assert "read once" not in parcels.part(evidence(whole))


def test_of_people_who_lost_sites_the_caption_says_which_associations_are_between_sites_too(
    both: tuple[Path, Study, Study],
) -> None:
    _, parcel, rows = both
    went = told(
        parcel, untouched=False, people_moved=40, between_sites=["trust_government_measured"]
    )
    chosen = {**went.report, "exposures": [{"construct": "trust_government", "type": "measured"}]}
    went = replace(went, report=chosen)
    found = parcels.table(evidence(went, rows))
    assert "hold differences between sites as well as within them" in found.caption
    label = Labels(VOCABULARY).exposure_by_id("trust_government_measured").label
    assert f": in alpha of {label[0].lower()}{label[1:]}." in found.caption
    assert found.full["between_sites"].tolist() == ["trust_government_measured"]
    none = parcels.table(evidence(told(went, between_sites=[])))
    assert "between sites" not in none.caption


def test_a_parcel_of_an_older_version_that_cannot_say_it_is_named(
    both: tuple[Path, Study, Study],
) -> None:
    _, parcel, rows = both
    inside = parcel.report["parcel"]
    did = {key: one for key, one in inside["control"].items() if key != "between_sites"}
    did |= {"untouched": False, "people_moved": 40}
    older = replace(parcel, report={**parcel.report, "parcel": {**inside, "control": did}})
    assert {e["type"] for e in older.report["exposures"]} == {"randomised"}, "by site, it may be"
    caption = parcels.table(evidence(older, rows)).caption
    assert "Of alpha, whose people lost sites, the parcel is too old to say" in caption
    stayed = told(older, people_moved=0)
    assert "too old" not in parcels.table(evidence(stayed, rows)).caption
