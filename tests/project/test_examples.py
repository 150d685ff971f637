"""An example is a folder of its own that differs from what ships only in what it says it does."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers.repository import ROOT
from metastudy import config as settings

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
OWN = {  # keys of the section `report`
    "integrity": {"prior_decides"},
    "wallets": set(),
    "wallets_one_stage": set(),
}
ONE_STAGE = {"wallets_one_stage": ("honesty",)}  # the modules of counts by arm


def read(folder: Path) -> dict:
    return yaml.safe_load((folder / "config" / "config.yaml").read_text("utf-8"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_the_configuration_says_only_what_differs(folder: Path) -> None:
    own, shipped = read(folder), read(ROOT)
    assert set(own) - {"report"} == {"data", "vocabulary", "appraisal"}
    assert all(own[key] == shipped[key] for key in own if key != "report")
    said = own.get("report", {})
    assert {key for key, value in said.items() if value != shipped["report"][key]} == set(said)
    assert set(said) == OWN[folder.name]


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_every_citation_and_every_study_of_the_appraisal_is_in_the_bibliography(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    whole = settings.completed(read(folder), ROOT / "config" / "config.yaml")
    (study,) = settings.discover(settings.checked(whole)).studies.values()
    assert study.modules == ONE_STAGE.get(folder.name, ())
    assert study.published == (folder.name not in ONE_STAGE)
    cited = {
        line.split("{")[1].rstrip(",")
        for line in (folder / "manuscript" / "references.bib").read_text("utf-8").splitlines()
        if line.startswith("@")
    }
    appraised = (folder / "data" / "appraisal.csv").read_text("utf-8").splitlines()[1:]
    own = {line.split(",")[0] for line in appraised}
    assert own < cited  # the others are those of methods and software
    text = Path(study.files[0]).read_text("utf-8") + Path(study.files[1]).read_text("utf-8")
    assert all(key in text for key in own)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_a_readme_says_where_the_facts_are_from_and_what_they_are_not_about(folder: Path) -> None:
    (readme,) = folder.glob("data/raw/*/README.md")
    text = readme.read_text("utf-8")
    for said in ("doi 10.", "icence", "not about"):
        assert said in text
    assert f"make example NAME={folder.name}" in (folder / "README.md").read_text("utf-8")


def test_the_arms_of_the_wallets_are_the_counts_of_the_other_example() -> None:
    counts, arms = (
        pd.read_csv(ROOT / "examples" / name / "data/raw/lost_wallets/lost_wallets.csv")
        for name in ("wallets", "wallets_one_stage")
    )
    place = ["country", "sector"]
    for money, arm in ((0, "control"), (1, "treatment")):
        own = arms[arms["money"] == money].set_index(place)
        other = counts.set_index(place).loc[own.index]
        assert (own["wallets"] == other[f"n_{arm}"]).all()
        assert (own["reported"] == other[f"events_{arm}"]).all()
    assert len(arms) == 2 * len(counts)
