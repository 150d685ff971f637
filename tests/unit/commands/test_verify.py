"""The rebuild of `verify`: a folder of its own, an empty store, another seed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from metastudy.commands.verify import other_settings
from metastudy.common.problems import MetastudyError
from metastudy.record.rebuild import prepare

CONFIG: dict[str, Any] = {
    "data": "data/raw",
    "vocabulary": "config/vocabulary.yaml",
    "appraisal": "data/appraisal.csv",
    "store": ".store/fits",
    "sampling": {"seed": 11, "draws": 500},
    "pseudonyms": {"key": "k", "key_file": "../secret.key"},
    "verify": {"folder": ".verify", "seed": None},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with data, results and a store."""
    project = tmp_path / "project"
    for name in ("data/raw/s/a.csv", "config/vocabulary.yaml", "data/appraisal.csv"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name, "utf-8")
    for name in ("results/fits/threat.nc", ".store/fits/x.nc"):
        (project / name).parent.mkdir(parents=True)
        (project / name).write_text("a wrong posterior", "utf-8")
    return project


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_rebuild_has_another_seed_and_no_store(project: Path) -> None:
    found = other_settings(CONFIG, project)
    assert found["sampling"] == {"seed": 12, "draws": 500}
    assert found["store"] is None
    assert Path(found["pseudonyms"]["key_file"]).is_absolute()
    asked = CONFIG | {"verify": {"folder": ".verify", "seed": 11}}
    assert other_settings(asked, project)["sampling"]["seed"] == 11
    assert CONFIG["store"] == ".store/fits"


def test_nothing_of_results_or_store_is_taken_and_both_are_left_alone(project: Path) -> None:
    before = files(project)
    folder = project / ".verify"
    config = other_settings(CONFIG, project)
    for _ in range(2):  # the second time it empties what it made
        settings = prepare(folder, config, project)
        assert yaml.safe_load(settings.read_text("utf-8")) == config
        (folder / "results").mkdir()
    assert set(files(folder)) == {
        *(".metastudy-verify", "config/config.yaml", "config/vocabulary.yaml"),
        *("data/appraisal.csv", "data/raw/s/a.csv"),
    }
    after = {name: text for name, text in files(project).items() if ".verify/" not in name}
    assert after == before


def test_data_outside_of_the_project_are_read_where_they_are(project: Path) -> None:
    """And not copied to the same path beside the rebuild, which is in the project."""
    (project / "data/raw").rename(project.parent / "raw")
    config = CONFIG | {"data": "../raw", "appraisal": "data/../../appraisal.csv"}
    before = files(project.parent)
    found = other_settings(config, project)
    assert found["data"] == str(project.parent / "raw")
    assert found["appraisal"] == str(project.parent / "appraisal.csv")
    prepare(project / ".verify", found, project)
    after = files(project.parent)
    assert {name for name in after if name not in before} == {
        *(f"project/.verify/{name}" for name in (".metastudy-verify", "config/config.yaml")),
        "project/.verify/config/vocabulary.yaml",
    }
    with pytest.raises(MetastudyError, match="leads out of"):
        prepare(project / ".verify", config, project)
    assert files(project.parent) == after


def test_links_in_the_data_lead_no_copy_round_in_a_circle(project: Path) -> None:
    study, elsewhere = project / "data/raw/s", project.parent / "elsewhere"
    (elsewhere / "sub").mkdir(parents=True)
    (elsewhere / "b.csv").write_text("b", "utf-8")
    (elsewhere / "codebook.yaml").symlink_to("b.csv")
    (project / "data/raw/linked").symlink_to(elsewhere)
    (study / "round").symlink_to(project / "data")
    (study / "out.csv").symlink_to(elsewhere / "b.csv")
    (study / "gone.csv").symlink_to("nowhere")
    os.mkfifo(study / "pipe")
    prepare(project / ".verify", other_settings(CONFIG, project), project)
    copied = project / ".verify/data/raw"
    assert not (copied / "linked").is_symlink()
    assert not (copied / "linked/codebook.yaml").is_symlink()
    assert (copied / "linked/codebook.yaml").read_text("utf-8") == "b"
    assert (copied / "s/round").is_symlink()
    assert (copied / "s/out.csv").is_symlink()
    assert {path.name for path in (copied / "s").iterdir()} == {
        *("a.csv", "round", "out.csv", "gone.csv")
    }


def test_a_folder_of_somebody_else_is_not_emptied(project: Path) -> None:
    with pytest.raises(MetastudyError, match=r"name another folder as verify\.folder"):
        prepare(project / "data", other_settings(CONFIG, project), project)
    assert (project / "data/raw/s/a.csv").is_file()
