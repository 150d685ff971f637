"""What ran before runs now: the codebooks, vocabulary and configuration of earlier commits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT
from metastudy import config as settings
from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file

RAW = ROOT / "data" / "raw"
KEPT = sorted(path.parent for path in (ROOT / "tests" / "kept").glob("*/config.yaml"))
CODEBOOKS = [path for kept in KEPT for path in sorted(kept.glob("*/codebook.yaml"))]


def as_it_was(codebook: Path, data: Path) -> Path:
    """A study's folder with a codebook of before and the data file that ships."""
    folder = data / codebook.parent.name
    shutil.copytree(RAW / folder.name, folder)
    shutil.copy(codebook, folder)
    return folder


def test_every_study_that_ships_has_a_codebook_of_before() -> None:
    before = {path.parent.name for path in CODEBOOKS}
    assert {path.parent.name for path in RAW.glob("*/codebook.yaml")} >= before
    assert len(before) == 8


@pytest.mark.parametrize("now", [False, True], ids=["vocabulary of before", "vocabulary of now"])
@pytest.mark.parametrize(
    "codebook", CODEBOOKS, ids=lambda path: path.relative_to(ROOT / "tests/kept").parent.as_posix()
)
def test_a_codebook_of_before_harmonizes_the_file_that_ships(
    codebook: Path, now: bool, tmp_path: Path
) -> None:
    folder = as_it_was(codebook, tmp_path)
    vocabulary = ROOT / "config" if now else codebook.parents[1]
    book = load(folder, vocabularies.load(vocabulary / "vocabulary.yaml"), RAW / "manifest.yaml")
    report = harmonize_file(book, b"a public key").report
    assert report["rows_kept"] > 0


def still(before: object, now: object) -> bool:
    """Whether all that a configuration of before says is in one of now, section by section."""
    if not isinstance(before, dict):
        return before == now
    return isinstance(now, dict) and all(k in now and still(v, now[k]) for k, v in before.items())


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_a_configuration_of_before_is_accepted_and_selects_what_it_selected(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load((kept / "config.yaml").read_text("utf-8"))
    for codebook in kept.glob("*/codebook.yaml"):
        as_it_was(codebook, tmp_path / config["data"])
    (tmp_path / "config").mkdir()
    shutil.copy(kept / "vocabulary.yaml", tmp_path / config["vocabulary"])
    monkeypatch.chdir(tmp_path)
    checked = settings.checked(config)
    assert still(config, checked), "what was said means what it meant; new settings have defaults"
    found = settings.discover(checked)
    assert list(found.modules) == ["threat", "coping", "strain"]
    assert len(found.studies) == 8
    assert found.complete
