"""Figures of one job: each is drawn from its own results, and only where its table changed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from metastudy.article import catalogue
from metastudy.commands import draw
from metastudy.common.problems import MetastudyError
from metastudy.display.plots import canvas

MODELS = {"threat": "answers"}
WHOLE = ("caterpillar", "left_out", "unlock", "selection")  # of names, and of other files each
OWN = ("tiles_threat", "arms_threat", "moderated_threat", "predictive_threat")
GIVEN = {
    "names": ["studies.json"],
    "own_names": ["threat.json"],
    "cells": ["cells/threat.nc"],
    "contrasts": ["contrasts/threat.parquet"],
    "draws": ["draws/threat.nc"],
    "predictive": ["predictive/threat.parquet"],
    "synthesis": ["pooled.parquet", "estimates.parquet"],
    "left_out": ["left_out.csv"],
    "unlock": ["estimands.parquet"],
    "selection": ["analyses.parquet"],
}


class Job:
    """A job in a folder of its own; what a figure shows are the first letters of what it is of."""

    def __init__(self, folder: Path, store: bool = True) -> None:
        self.folder, self.store = folder, store
        self.said: dict[str, str] = {}
        self.broken: set[str] = set()
        self.drawn: list[str] = []
        for path in ("vocabulary.yaml", *(p for paths in GIVEN.values() for p in paths)):
            self.write(path, f"{path}: 1")

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def figure(
        self, own: argparse.Namespace, name: str
    ) -> tuple[pd.DataFrame, Callable[[pd.DataFrame], Figure]]:
        needs = catalogue.figures(MODELS)[name].needs
        assert {kind for kind in GIVEN if getattr(own, kind)} == set(needs), name
        if name in self.broken:
            raise {True: MetastudyError, False: ZeroDivisionError}[name in WHOLE]("no such thing")
        texts = [path.read_text() for kind in needs for path in getattr(own, kind)]

        def plot(table: pd.DataFrame) -> Figure:
            self.drawn.append(name)
            found = Figure()
            found.text(0.5, 0.5, "".join(table["text"]))
            return found

        return pd.DataFrame({"text": [text.split("#")[0] for text in texts]}), plot

    def run(self, *figures: str, **more: str) -> list[str]:
        """The figures that were drawn."""
        self.drawn = []
        words = ["draw", "--figures", *figures, "--models", json.dumps(MODELS)]
        words += ["--vocabulary", "vocabulary.yaml", "--settings", "{}", "--out", "figures"]
        words += [word for kind, paths in GIVEN.items() for word in (f"--{kind}", *paths)]
        words += ["--store", "store"] if self.store else []
        words += [word for name, value in more.items() for word in (f"--{name}", value)]
        (self.folder / "figures").mkdir(exist_ok=True)
        for path in (self.folder / "figures").iterdir():
            path.unlink()  # as Snakemake does
        sys.argv = words
        draw.main()
        return self.drawn

    def made(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in sorted((self.folder / "figures").iterdir())}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    found = Job(tmp_path)
    monkeypatch.setattr(draw._results, "gather", lambda own: own)
    monkeypatch.setattr(draw.make, "figure", found.figure)
    return found


def how(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("changed", "figures", "drawn"),
    [
        ("estimands.parquet", WHOLE, ["unlock"]),
        ("left_out.csv", WHOLE, ["left_out"]),
        ("pooled.parquet", WHOLE, ["caterpillar", "left_out"]),
        ("studies.json", WHOLE, [*WHOLE]),
        ("cells/threat.nc", WHOLE, []),
        ("cells/threat.nc", OWN, ["moderated_threat"]),
        ("predictive/threat.parquet", OWN, ["predictive_threat"]),
        ("draws/threat.nc", OWN, ["arms_threat", "moderated_threat"]),
        ("threat.json", OWN, [*OWN]),
        ("studies.json", OWN, []),
    ],
)
def test_a_changed_result_draws_the_figures_that_read_it_and_no_others(
    job: Job, changed: str, figures: tuple[str, ...], drawn: list[str]
) -> None:
    assert job.run(*figures) == [*figures]
    before = job.made()
    assert len(before) == 3 * len(figures)
    assert job.run(*figures) == []
    assert job.made() == before
    job.write(changed, "other")
    assert job.run(*figures) == drawn
    after = job.made()
    assert {name.split(".")[0] for name in after if after[name] != before[name]} == set(drawn)


def test_what_ends_in_the_same_table_is_not_drawn_again(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.run(*WHOLE)
    before = job.made()
    assert set(how(capsys).values()) == {"drawn"}
    job.write("estimands.parquet", "estimands.parquet: 1# which no figure shows")
    assert job.run(*WHOLE) == []
    assert job.made() == before
    said = how(capsys)
    assert said.pop("unlock") == "of the same table as before"
    assert set(said.values()) == {"as before"}


def test_tables_that_look_alike_in_csv_are_told_apart() -> None:
    tables = [
        pd.DataFrame({"a": pd.Series([value], dtype=kind)})
        for value, kind in [("1", object), (1, object), (1, "int64"), (1, "int32"), ("1", "str")]
    ]
    tables += [pd.DataFrame({"a": pd.Series([v], dtype=object)}) for v in ("", None, float("nan"))]
    assert len({table.to_csv(index=False) for table in tables}) < len(tables)
    assert len({table.to_csv(index=False) + draw._types(table) for table in tables}) == len(tables)
    assert draw._types(tables[0]) == draw._types(tables[0].copy())


@pytest.mark.parametrize("name", ["code", "lock"])
def test_other_code_or_packages_draw_all(job: Job, name: str) -> None:
    job.run(*WHOLE)
    assert job.run(*WHOLE, **{name: "another"}) == [*WHOLE]


def test_a_figure_that_cannot_be_drawn_is_named_and_costs_no_other(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.broken = {"caterpillar", "selection", "tiles_threat"}
    with pytest.raises(MetastudyError) as error:
        job.run(*WHOLE, "tiles_threat")
    assert str(error.value).splitlines() == [
        "3 of 5 figures could not be drawn; the others are taken from the store in the next run",
        "caterpillar, selection: no such thing",
        "tiles_threat: ZeroDivisionError: no such thing",
    ]
    assert "Traceback" in capsys.readouterr().err, "a fault of the code says where"
    assert job.drawn == ["left_out", "unlock"]
    others = job.made()
    job.broken = set()
    assert job.run(*WHOLE, "tiles_threat") == ["caterpillar", "selection", "tiles_threat"]
    assert others.items() <= job.made().items()


def test_without_a_store_all_are_drawn(job: Job) -> None:
    job.store = False
    for _ in range(2):
        assert job.run(*WHOLE) == [*WHOLE]
    assert not (job.folder / "store").exists()


def test_a_name_that_is_no_figure_is_told_with_those_that_are(job: Job) -> None:
    with pytest.raises(MetastudyError, match="no figure 'tile_threat'; there are study_grid"):
        job.run("tile_threat")


def test_a_drawing_is_of_its_table_and_nothing_else() -> None:
    """So one of the same table may be taken: each goes by the table alone, in a look of its own."""
    plots = draw.make.PLOTS
    assert {item.plot for item in catalogue.figures(MODELS).values()} <= set(plots)
    inside = canvas.drawn(lambda table: Figure()).__code__
    for name, plot in plots.items():
        assert getattr(plot, "__code__", None) is inside, name
