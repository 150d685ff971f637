"""What the configuration selects; and what is left out has a line that names it and says why."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.repository import ROOT
from metastudy import config
from metastudy.common.problems import BadInput, MetastudyError

EXAMPLE = ROOT / "workflow" / "schemas" / "codebook.example.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """The configuration of the repository for a folder with the example of the documentation."""
    own = tmp_path / "raw" / "my_survey"
    own.mkdir(parents=True)
    shutil.copy(EXAMPLE, own / "codebook.yaml")
    (own / "answers.csv").write_text("person\n1\n")
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    vocabulary = str(ROOT / "config" / "vocabulary.yaml")
    asked = {"data": str(tmp_path / "raw"), "vocabulary": vocabulary, "sensitivity": {}}
    asked |= {"candidates": []}
    return config.checked(shipped | asked)


def test_a_module_of_a_codebook_counts_as_one_of_the_vocabulary(settings: dict[str, Any]) -> None:
    for asked in ("all", "gardens", ["gardens"]):
        found = config.discover(settings | {"modules": asked})
        assert found.modules == {"gardens": config.Module("answers", ("my_survey",))}
        assert found.studies["my_survey"].modules == ("gardens",)
        assert not found.left_out
    assert not config.discover(settings).complete  # the modules of the vocabulary are not in it
    found = config.discover(settings | {"sensitivity": {"ordinal": ["gardens"]}})
    assert list(found.fits) == ["gardens", "gardens-ordinal"]
    with pytest.raises(BadInput, match="gardens"):
        config.discover(settings | {"modules": "garden"})


def test_whatever_is_not_taken_has_a_line_with_its_name_and_the_reason(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shipped = ROOT / "data" / "raw"
    for name in ("coping_cases", "coping_survey"):
        shutil.copytree(shipped / name, raw / name)
    (raw / "misspelt").mkdir()
    (raw / "misspelt" / "codebook.yml").touch()
    (raw / "lost.csv").touch()
    (raw / "manifest.yaml").touch()
    (raw / "README.md").touch()
    asked = settings | {"studies": ["my_survey", "coping_survey"], "modules": ["coping"]}
    found = config.discover(asked)
    lines = "\n".join(found.left_out)
    assert list(found.studies) == ["coping_survey"]
    assert len(found.left_out) == 4
    assert f"{raw / 'misspelt'}: it has no codebook.yaml" in lines
    assert "Did you mean 'codebook.yml'?" in lines
    assert f"{raw / 'lost.csv'}: it is not in the folder of a study" in lines
    assert "the studies coping_cases: `studies` is my_survey, coping_survey" in lines
    assert "the study my_survey: it has outcomes of gardens only, and `modules` is coping" in lines


def test_outcomes_of_modules_that_are_not_selected_are_named(settings: dict[str, Any]) -> None:
    path = Path(settings["data"]) / "my_survey" / "codebook.yaml"
    text = path.read_text("utf-8")
    more = "  - {name: q3, as: item, construct: threat_job, min: 1, max: 5}\n\n  - {name: remark"
    text = text.replace("  - {name: remark", more)
    path.write_text(text.replace("outcomes: [patience]", "outcomes: [patience, threat_job]"))
    found = config.discover(settings | {"modules": "gardens"})
    assert found.left_out == ("outcomes of the study my_survey in threat: `modules` is gardens",)


def test_two_studies_that_mean_different_things_by_one_name_are_refused(
    settings: dict[str, Any],
) -> None:
    raw = Path(settings["data"])
    text = (raw / "my_survey" / "codebook.yaml").read_text("utf-8")
    (raw / "other").mkdir()
    (raw / "other" / "answers.csv").touch()
    other = text.replace("id: my_survey", "id: other").replace("label: Gardens,", "label: Yards,")
    (raw / "other" / "codebook.yaml").write_text(other)
    with pytest.raises(MetastudyError, match=r"modules.gardens.*different entries"):
        config.discover(settings)


def test_the_problems_of_all_codebooks_are_given_at_once(settings: dict[str, Any]) -> None:
    raw = Path(settings["data"])
    text = (raw / "my_survey" / "codebook.yaml").read_text("utf-8")
    for name in ("one", "two"):
        (raw / name).mkdir()
        (raw / name / "codebook.yaml").write_text(text.replace("id: my_survey", f"idd: {name}"))
    with pytest.raises(BadInput) as bad:
        config.discover(settings)
    assert {problem.study for problem in bad.value.problems} == {"one", "two"}
