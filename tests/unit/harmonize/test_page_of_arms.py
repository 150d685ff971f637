"""The pages on arms and on rows are true: their codebooks read their tables."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import merge
from metastudy.harmonize.harmonize import Harmonized, harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.estimates import blocks
from metastudy.models.events.cells import event_cells
from metastudy.models.ordinal.cells import NEEDED

KEY = b"a key of a page, which is long enough"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MEANS = ("arms.csv", "towns.csv", "outcomes.csv", "README.md")


def examples(page: str) -> dict[str, tuple[dict, str]]:
    """By its data file each example of a page: the whole codebook, and the table."""
    head: dict = {}
    own: dict = {}
    found = {}
    for kind, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        if kind != "yaml":
            said = head | own
            found[said["file"]["name"]] = said, text
        elif "study" in (said := yaml.safe_load(text)):
            head, own = said, {}
        else:
            own = said
    return found


PAGES = {name: examples(f"{name}.md") for name in ("arms", "rows")}
NAMED = [(page, name) for page, found in PAGES.items() for name in found]


def made(folder: Path, book: dict, content: bytes) -> Study:
    where = folder / book["study"]["id"]
    where.mkdir(parents=True)
    (where / book["file"]["name"]).write_bytes(content)
    (where / "codebook.yaml").write_text(yaml.safe_dump(book, sort_keys=False), "utf-8")
    (folder / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    found = harmonize_file(load(where, VOCABULARY, folder / "manifest.yaml"), KEY)
    assert isinstance(found, Harmonized)
    assert found.report["unmapped"] == []
    save(found, folder / "out")
    return load_study(folder / "out", NEEDED)


def of_page(folder: Path, page: str, name: str) -> Study:
    book, text = PAGES[page][name]
    return made(folder, book, text.encode())


def arms_of(study: Study) -> pd.DataFrame:
    """The arms by what they are, whatever their ids."""
    levels = study.assignments.set_index("respondent_id")["level"].astype(str)
    table = study.arms.assign(level=levels.loc[study.arms["respondent_id"]].to_numpy())
    table = table.sort_values(["construct", "people"]).drop(columns=["respondent_id", "study_id"])
    return table.reset_index(drop=True)


def test_the_pages_have_the_examples_that_they_speak_of() -> None:
    assert list(PAGES["arms"]) == [*MEANS, "answers.csv", "counts.csv"]
    assert list(PAGES["rows"]) == ["helpers.csv"]


@pytest.mark.parametrize(("page", "name"), NAMED)
def test_each_example_reaches_the_cells_of_its_models(tmp_path: Path, page: str, name: str) -> None:
    study = of_page(tmp_path, page, name)
    words = merge(VOCABULARY, [study.vocabulary])
    for module in {words.module(outcome) for outcome in study.report["outcomes"]}:
        cells = event_cells if words.model(str(module)) == "events" else answer_cells
        assert cells([study], str(module), words).sizes["setting"] == 1


@pytest.mark.parametrize("name", MEANS[1:])
def test_all_shapes_of_the_page_give_the_same_arms(tmp_path: Path, name: str) -> None:
    expected = arms_of(of_page(tmp_path / "one", "arms", MEANS[0]))
    assert sorted(expected["people"].unique()) == [38, 41, 49, 52]
    found = arms_of(of_page(tmp_path / "other", "arms", name))
    pd.testing.assert_frame_equal(found, expected)


def test_the_tables_of_means_are_read_from_excel_too(tmp_path: Path) -> None:
    expected = arms_of(of_page(tmp_path / "one", "arms", MEANS[0]))
    for name in MEANS[:3]:
        book, text = PAGES["arms"][name]
        stream = io.BytesIO()
        pd.read_csv(io.StringIO(text)).to_excel(stream, index=False)
        book = book | {"file": {"name": "arms.xlsx", "format": "xlsx"}}
        found = arms_of(made(tmp_path / name, book, stream.getvalue()))
        columns = [c for c in expected if not c.endswith("_within")]  # Excel drops zeros at the end
        pd.testing.assert_frame_equal(found[columns], expected[columns])


def test_the_bounds_of_rounding_on_the_page_are_those_of_the_formula(tmp_path: Path) -> None:
    """Means with one decimal and SDs near 1: by 2 h / (s - g), h and g being half a last digit."""
    for decimals, said in ((1, 0.1), (2, 0.01)):
        half = 0.5 * 10.0**-decimals
        assert 2 * half / (1 - half) == pytest.approx(said, rel=0.06)
    notes = of_page(tmp_path, "arms", MEANS[0]).report["notes"]
    assert sum("rounding of the arms moves a difference" in note for note in notes) == 2


def test_counts_of_the_page_are_modelled_apart(tmp_path: Path) -> None:
    study = of_page(tmp_path, "arms", "counts.csv")
    table = pd.read_csv(io.StringIO(PAGES["arms"]["counts.csv"][1]))
    cells = event_cells([study], "joining", merge(VOCABULARY, [study.vocabulary]))
    assert cells.events.sum("group").values.tolist() == table[["came", "stayed"]].sum().tolist()
    assert cells.attrs["apart"] == "letters"
    assert any("modelled apart" in note for note in study.report["notes"])


def test_effects_on_rows_of_the_page_are_those_of_the_table(tmp_path: Path) -> None:
    book, text = PAGES["rows"]["helpers.csv"]
    table = pd.read_csv(io.StringIO(text))
    by = table.groupby("letter")["hours"]
    within = np.sqrt((by.var() * (by.count() - 1)).sum() / (len(table) - 2))
    small = 1 - 3 / (4 * (len(table) - 2) - 1)  # Hedges' correction
    expected = small * (by.mean()["letter"] - by.mean()["none"]) / within
    for bound in (60.0, 31.0):
        item = {"name": "hours", "as": "item", "construct": "hours", "min": 0.0, "max": bound}
        variables = [v for v in book["variables"] if v["name"] != "hours"]
        own = book | {"variables": [*variables, item]}
        study = made(tmp_path / str(bound), own, text.encode())
        words = merge(VOCABULARY, [study.vocabulary])
        ((found, _),) = blocks(answer_cells([study], "time", words), words)
        assert found["estimate"].iloc[0] == pytest.approx(expected, rel=1e-9)
    cells = event_cells([study], "joining", words)
    assert cells.n.sum("group").values.tolist() == [10, 8]
    assert cells.events.sum("group").values.tolist() == [6, 3]
