"""A project of one's own: made whole in a new folder, and never over what is there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT
from metastudy import config
from metastudy.codebook import vocabulary as vocabularies
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.drafting.draft import draft
from metastudy.drafting.project import rules_of, start

SKELETON = ROOT / "workflow" / "skeleton"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new project, in a folder with what a shell would stumble over."""
    made = tmp_path / "somebody's $(touch ran)"
    start(str(made), SKELETON, ROOT)
    return made


def settings(folder: Path) -> dict:
    own = yaml.safe_load((folder / "config" / "config.yaml").read_text("utf-8"))
    return config.checked(config.completed(own, ROOT / "config" / "config.yaml"))


def test_a_project_has_all_that_a_first_study_needs(folder: Path) -> None:
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert made >= {
        "README.md",
        "config/config.yaml",
        "config/vocabulary.yaml",
        "data/appraisal.csv",
        "data/raw/README.md",
        "data/raw/manifest.yaml",
        "manuscript/_quarto.yml",
        "manuscript/manuscript.qmd",
        "manuscript/references.bib",
        "manuscript/assets/tables.lua",
    }
    assert not any(path.is_symlink() for path in folder.rglob("*")), "it can be moved elsewhere"


def test_the_commands_of_its_pages_are_about_it_whatever_it_is_called(folder: Path) -> None:
    pages = [folder / "README.md", folder / "data" / "raw" / "README.md"]
    lines = [row for page in pages for row in page.read_text("utf-8").splitlines()]
    commands = [shlex.split(row) for row in lines if row.startswith("snakemake ")]
    assert len(commands) == 3
    for words in commands:
        assert words[words.index("--snakefile") + 1] == str(ROOT / "workflow" / "Snakefile")
        assert words[words.index("--directory") + 1] == str(folder)


def test_what_it_leaves_out_of_the_configuration_is_as_it_ships(folder: Path) -> None:
    shipped = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    found = settings(folder)
    assert found["sampling"] == shipped["sampling"]
    assert found["priors"] == shipped["priors"]
    # What the shipped one says of its own modules is no default for others.
    assert found["sensitivity"] == {"ordinal": [], "folded": [], "interviews": []}
    assert shipped["sensitivity"] != found["sensitivity"]


def test_of_a_section_one_key_can_be_given() -> None:
    found = config.completed({"sampling": {"seed": 3}}, ROOT / "config" / "config.yaml")
    assert found["sampling"]["seed"] == 3
    assert found["sampling"]["draws"] == 2000
    with pytest.raises(BadInput, match="seeds"):
        config.checked(
            config.completed({"sampling": {"seeds": 3}}, ROOT / "config" / "config.yaml")
        )


def test_the_commented_example_of_the_vocabulary_is_right_once_it_is_not_commented(
    folder: Path,
) -> None:
    path = folder / "config" / "vocabulary.yaml"
    assert not vocabularies.load(path)["constructs"]
    rows = path.read_text("utf-8").splitlines()
    examples = [i for i, row in enumerate(rows) if row.startswith("#  ")]
    assert examples
    for i in examples:
        rows[i] = rows[i][1:]
        if rows[i - 1].partition(" #")[0].endswith(": {}"):
            rows[i - 1] = rows[i - 1].replace(": {}", ":")
    path.write_text("\n".join(rows), "utf-8")
    found = vocabularies.load(path)
    assert found.module("life_satisfaction") == "wellbeing"
    assert list(found.levels("programme")) == ["none", "programme"]


def test_without_a_study_one_sentence_says_what_comes_next(folder: Path) -> None:
    own = settings(folder) | {
        "data": str(folder / "data" / "raw"),
        "vocabulary": str(folder / "config" / "vocabulary.yaml"),
    }
    with pytest.raises(MetastudyError, match="there is no study yet") as caught:
        config.discover(own)
    assert "snakemake codebook --config study=NAME file=PATH" in str(caught.value)


def test_the_first_study_can_be_drafted_with_a_vocabulary_that_is_empty(
    folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "answers.csv"
    data.write_text("person,arm,happy\n1,a,3\n2,b,5\n3,a,4\n", "utf-8")
    text = draft("first", data, vocabularies.load(folder / "config" / "vocabulary.yaml"))
    assert "happy" in text
    assert "country: TODO # none yet: add one to the vocabulary" in text
    assert "one of \n" not in text


@pytest.mark.parametrize("there", ["nothing said", "a file", "a folder with a file"])
def test_nothing_is_written_over(tmp_path: Path, there: str) -> None:
    target = tmp_path / "mine"
    if there == "a file":
        target.write_text("mine", "utf-8")
    elif there == "a folder with a file":
        target.mkdir()
        (target / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(BadInput) as caught:
        start("" if there == "nothing said" else str(target), SKELETON, ROOT)
    (problem,) = caught.value.problems
    assert problem.code == "start"
    assert "snakemake start --config to=PATH" in problem.fix
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.read_text("utf-8") == "mine" for path in left)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert start(str(tmp_path / "mine"), SKELETON, ROOT)


def test_a_call_names_the_rules_where_the_folder_has_none(tmp_path: Path) -> None:
    assert rules_of(ROOT) == ""
    words = shlex.split(rules_of(tmp_path))
    assert words == [
        *("--snakefile", str(ROOT / "workflow" / "Snakefile")),
        *("--directory", str(tmp_path)),
    ]
