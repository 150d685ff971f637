"""A label, a title or a citation that is spelt otherwise changes nothing that models read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from helpers import small_project
from helpers.raw_studies import harmonized, study
from helpers.repository import ROOT
from metastudy.commands import aggregate, declare, name_studies
from metastudy.harmonize.harmonize import save

ARMS, PAY = ["core", "complementary"] * 12, [1, 4, 6, 7, 2, 3, 5, 4] * 3
ROWS = "person,ward,arm,pay\n" + "".join(
    f"{k},{k % 3},{arm},{pay}\n" for k, (arm, pay) in enumerate(zip(ARMS, PAY, strict=True))
)
WORDS = {
    "title": ("Experiment on", "An experiment on"),
    "citation": ("citation: none", "citation: nobody2026"),
    "label": ("Threat to the pay", "A threat to the pay"),
    "definition": ("The respondent fears", "They fear"),
    "direction": ("more threat", "a stronger threat"),
    "country": ("label: Norway", "label: The kingdom"),
}
SHOWN = ("pay", "fears", "threat", "Norway")  # by figures, so they are drawn anew


def made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, old: str = "", new: str = "", in_common: str = ""
) -> dict[str, bytes]:
    """What the two commands write, by name, of a study with a text in its codebook replaced."""
    book = small_project.CODEBOOK.format(study="small", country="XX", place="Norway")
    assert old in book
    source = study(folder / "small", "answers.csv", ROWS.encode(), "")
    (source / "codebook.yaml").write_text(book.replace(old, new), "utf-8")
    save(harmonized(source), folder / "tables")
    words = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text("utf-8"))
    if in_common:
        words["factors"]["task_type"]["label"] = in_common
        first = next(iter(words["factors"]["task_type"]["levels"]))
        words["factors"]["task_type"]["levels"][first] = in_common
    small_project.write(folder / "vocabulary.yaml", words)
    given = ["--studies", folder / "tables", "--vocabulary", folder / "vocabulary.yaml"]
    cells = ["--module", "threat", "--cells", folder / "cells.nc"]
    for command, more in ((aggregate, cells), (declare, ["--out", folder / "declared"])):
        monkeypatch.setattr(sys, "argv", ["command", *map(str, [*given, *more])])
        command.main()
    files = [folder / "cells.nc", *sorted((folder / "declared").iterdir())]
    monkeypatch.setattr(
        sys,
        "argv",
        ["command", "--studies", str(folder / "tables"), "--out", str(folder / "names")],
    )
    name_studies.main()
    files.append(folder / "names")
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize(("old", "new"), WORDS.values(), ids=WORDS)
def test_a_word_of_a_codebook_leaves_cells_and_terms_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    before = made(tmp_path / "a", monkeypatch)
    assert set(before) == {
        *("cells.nc", "attributes.parquet", "dependence.parquet", "effects.parquet", "terms.json"),
        "names",
    }
    after = made(tmp_path / "b", monkeypatch, old, new)
    if any(said in old for said in SHOWN):
        assert after.pop("names") != before.pop("names")
    assert after == before


def test_a_label_of_the_vocabulary_leaves_cells_and_terms_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made(tmp_path / "a", monkeypatch)
    assert made(tmp_path / "b", monkeypatch, in_common="Another label") == before


def test_a_sign_of_the_exploratory_model_changes_the_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made(tmp_path / "a", monkeypatch)
    after = made(tmp_path / "b", monkeypatch, "burden: 1", "burden: -1")
    assert before["terms.json"] != after["terms.json"]
    assert before["cells.nc"] == after["cells.nc"]


def test_a_module_has_the_names_of_its_own_studies_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a label of a study of another module draws none of its figures."""
    tables = [tmp_path / "small" / "tables", tmp_path / "large" / "tables"]
    for folder in tables:
        book = small_project.CODEBOOK.format(study=folder.parent.name, country="XX", place="Norway")
        source = study(folder.parent / folder.parent.name, "answers.csv", ROWS.encode(), "")
        (source / "codebook.yaml").write_text(book, "utf-8")
        save(harmonized(source), folder)
    own = [tmp_path / "one.json", tmp_path / "both.json", tmp_path / "none.json"]
    members = {"one": ["small"], "both": ["small", "large"], "none": []}
    words = ["--studies", *tables, "--out", tmp_path / "all.json", "--own", *own]
    monkeypatch.setattr(
        sys, "argv", ["command", *map(str, words), "--members", json.dumps(members)]
    )
    name_studies.main()
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")}
    called = {name: [one["study"] for one in entries] for name, entries in found.items()}
    assert called == {
        "all": ["large", "small"],
        "both": ["large", "small"],
        "one": ["small"],
        "none": [],
    }
    assert found["both"] == found["all"]
    assert found["one"] == [found["all"][1]]
