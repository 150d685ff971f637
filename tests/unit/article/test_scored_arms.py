"""Studies that came as arms with means, in the article: people are counted, and no rows made up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.scored_arms import TWO, arms_of, of_arms, people, study
from metastudy import config
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import pooling_comparison, predictive_checks, studies
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import Study, load_study
from metastudy.models.aggregate import aggregate, observed_rows

SETTINGS = {"privacy": {"smallest_cell": 5}, "report": {"interval": 0.95}}
WORDS = ROOT / "config" / "vocabulary.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of arms in `small`, and what it is harmonized to in `out`."""
    made = tmp_path_factory.mktemp("arms")
    found = study(made, arms_of(people(TWO[:1]), TWO[:1]), of_arms(TWO[:1]))
    save(found, made / "out")
    return made


@pytest.fixture(scope="module")
def arms(folder: Path) -> Study:
    return load_study(folder / "out")


def evidence(of: Study) -> Results:
    return Results(
        vocabulary=VOCABULARY,
        studies=(of,),
        cells={"threat": Modelled({of.id: of.people}, ())},
        contrasts={"threat": pd.DataFrame()},
        settings=SETTINGS,
    )


def test_people_of_arms_are_in_the_grid_and_the_flow(arms: Study) -> None:
    found = evidence(arms)
    assert studies.study_grid(found)["n"].tolist() == [len(people())]
    flow = studies.participant_flow(found).set_index("step")["rows"]
    assert flow.to_dict() == dict.fromkeys(
        ("Rows read", "Rows kept", "Rows in the model"), len(people())
    )
    assert studies.variables(found)["small"]["sites"] == "2"


def test_what_needs_rows_says_that_there_are_none(folder: Path, arms: Study) -> None:
    none = {
        predictive_checks: "are no predictive checks",
        pooling_comparison: "is no leave-one-out comparison",
    }
    for topic, what in none.items():
        said = topic.variables(evidence(arms))["threat"]["sentence"]
        assert said == f"Of small there {what}: not without rows of people."
    cells = aggregate([folder / "out"], "threat", WORDS)
    assert observed_rows([folder / "out"], cells, WORDS) is None


def test_analyses_of_single_answers_are_without_arms_and_say_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    said = {
        "data": ".",
        "vocabulary": str(WORDS),
        "studies": ["small"],
        "sensitivity": {"folded": [], "ordinal": ["threat"], "interviews": []},
    }
    whole = config.completed(said, ROOT / "config" / "config.yaml")
    found = config.discover(config.checked(whole))
    assert list(found.fits) == ["threat"]
    assert any("small in threat-ordinal: not from" in reason for reason in found.left_out)
