"""Studies that came as parcels, in the article: people are counted, what needs rows says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.parcel_studies import harmonized, parcel_of, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import pooling_comparison, predictive_checks, studies
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
    for topic in (predictive_checks, pooling_comparison):
        assert topic.variables(evidence(rows)) == {}
        said = topic.variables(alone)["threat"]["sentence"]
        assert said == "Not from a parcel: Alpha came without rows."
    assert predictive_checks.variables(alone)["threat"]["worst"] == "not from a parcel"
    beside = predictive_checks.without("All lie inside.", ["Alpha"])
    assert beside == "All lie inside. This is without Alpha, of which there are no rows."


def test_a_parcel_is_raw_data_of_the_record_and_has_its_codebook_in_it(
    both: tuple[Path, Study, Study],
) -> None:
    data, _, _ = both
    names = ["alpha", "beta"]
    assert set(inputs.raw(data, names)["alpha"]) == {"alpha.parcel"}
    assert set(inputs.codebooks(data, names, [])) == {"beta"}
    assert inputs.provenance(data, names) == {"alpha": "simulated", "beta": "simulated"}
