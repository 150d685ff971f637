"""Moderators of a module in the article: the figure, its caption and its alternative text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text

from helpers.evidence import evidence, row
from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from metastudy.article.make import figure, variables
from metastudy.article.results import Modelled, Results
from metastudy.article.sections import sections
from metastudy.article.topics.moderated import MOST_PANELS
from metastudy.article.variable_tree import flat
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.display.formatting import number
from metastudy.harmonized.schema import empty
from metastudy.harmonized.study import Study
from metastudy.inference.netcdf import save
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.moderated import Moderated, moderated
from metastudy.models.answers.moderators import with_moderators

TASK, JOB = "task_type_randomised", "threat_job"
PLACES = {"a": 10.0, "b": 20.0, "c": 25.0, "d": 45.0}
MODES = dict(zip("abcd", ("paper", "online", "paper", "online"), strict=True))
MODERATORS = {
    "latitude": {"label": "Latitude", "unit": "degrees"},
    "mode": {"label": "Mode", "levels": {"paper": "On paper", "online": "Online"}},
    "year": {"label": "Year"},
}
KNOWN = Vocabulary({**VOCABULARY.sections, "moderators": MODERATORS})
POOLING = {"pooling": {"standardisers": [], "correlation": 0.6}}


def study(name: str, said: dict[str, Any]) -> Study:
    made, _ = experiment(name, 40, seed=ord(name), outcomes=[JOB])
    rows = [
        {"study_id": name, "finding_id": None, "kind": "moderator", "name": k, "value": str(v)}
        for k, v in said.items()
    ]
    return made.with_tables(attributes=pd.DataFrame(rows, columns=list(empty("attributes"))))


def cells(year: int | None = None) -> xr.Dataset:
    more = {} if year is None else {"year": year}
    studies = [study(s, {"latitude": x, "mode": MODES[s]} | more) for s, x in PLACES.items()]
    return with_moderators(answer_cells(studies, "threat", KNOWN), studies, KNOWN)


@pytest.fixture(scope="module")
def of_task() -> tuple[Moderated, ...]:
    return tuple(one for one in moderated(cells()) if one.exposure == TASK)


def results(
    folder: Path, known: tuple[Moderated, ...], change: float = 0.3, by_mode: float = 0.0
) -> Results:
    """Effects of one exposure on one outcome in four settings, with draws of all of them."""
    same = {
        "module": "threat", "estimand": "effect", "exposure": TASK, "metric": "sd",
        "exposure_type": "randomised", "outcome": JOB, "role": "professional",
    }  # fmt: skip
    of = {"estimand": "moderator", "level": "moderator"}
    rows = [
        row(0.5, 0.05, **same, level="population"),
        row(change, 0.05, **{**same, **of, "group": "latitude"}),
        row(by_mode, 0.05, **{**same, **of, "group": "mode", "against": "online"}),
    ]
    for at, name in enumerate(PLACES):
        own = {"level": "study", "group": name, "vignette": "volunteers_at_work"}
        rows.append(row(0.1 * at, 0.05 + 0.02 * at, **same, **own, study=name))
    rng = np.random.default_rng(4)
    draws = [r["mean"] + r["sd"] * rng.standard_normal((2, 500)) for r in rows]
    value = xr.DataArray(
        draws, {"contrast": [r["id"] for r in rows]}, ("contrast", "chain", "draw")
    )
    path = folder / "threat.nc"
    save(xr.DataTree.from_dict({"contrasts": value.to_dataset(name="value")}), path)
    usual = evidence("mixed")
    return replace(
        usual,
        vocabulary=KNOWN,
        contrasts={"threat": pd.DataFrame(rows)},
        draws={"threat": path},
        cells={"threat": replace(usual.cells["threat"], moderated=known)},
        settings={**usual.settings, **POOLING},
    )


def draws_of(found: Results) -> list[np.ndarray]:
    with xr.open_dataset(found.draws["threat"], group="contrasts") as stored:
        return [values.ravel() for values in stored["value"].values]


def test_every_setting_is_where_its_study_says_and_what_is_refused_is_not_there() -> None:
    latitude, mode = (one for one in moderated(cells(year=2020)) if one.exposure == TASK)
    assert latitude.values == PLACES, "and no year, which all studies have alike"
    assert latitude.numeric
    (slope,) = latitude.coefficients
    assert (slope.at, slope.scale) == (25.0, pytest.approx(np.std([10, 20, 25, 45], ddof=1)))
    assert (mode.name, mode.numeric, mode.values) == ("mode", False, MODES)
    plain = [study(s, {}) for s in "ab"]
    assert moderated(answer_cells(plain, "threat", KNOWN)) == ()


def test_the_line_and_its_bands_are_of_the_draws_of_mean_and_change(
    tmp_path: Path, of_task: tuple[Moderated, ...]
) -> None:
    found = results(tmp_path, of_task)
    mean, change, by_mode, *effects = draws_of(found)
    table, _ = figure(found, "moderated_threat")
    along = table[table["along"] == "Latitude (degrees)"]
    line = along[along["kind"] == "mean"]
    assert (line["x"].min(), line["x"].max()) == (10, 45)
    scale = np.std(list(PLACES.values()), ddof=1)
    values = mean + (line["x"].to_numpy()[:, None] - 25) / scale * change
    np.testing.assert_allclose(line["estimate"], values.mean(axis=1))
    for name, tail in (("lower", 0.025), ("upper", 0.975), ("inner_lower", 0.17)):
        np.testing.assert_allclose(line[name], np.quantile(values, tail, axis=1))
    marks = along[along["kind"] == "estimate"]
    assert marks["x"].tolist() == list(PLACES.values())
    np.testing.assert_allclose(marks["estimate"], [0.0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(marks["weight"], np.array([0.05, 0.07, 0.09, 0.11]) ** -2)
    np.testing.assert_allclose(marks["inner_upper"], [np.quantile(e, 0.83) for e in effects])
    modes = table[table["along"].eq("Mode") & table["kind"].eq("mean")]
    assert modes["position"].tolist() == ["On paper", "Online"]
    np.testing.assert_allclose(modes["estimate"], [mean.mean(), (mean + by_mode).mean()])


def test_the_drawing_has_both_intervals_of_every_setting(
    tmp_path: Path, of_task: tuple[Moderated, ...]
) -> None:
    table, draw = figure(results(tmp_path, of_task), "moderated_threat")
    drawing = draw(table)
    drawn = {a.get_gid(): a for a in drawing.findobj() if a.get_gid()}
    marks = table[(table["kind"] == "estimate") & table["x"].notna()]
    assert len(marks) == 4
    sizes = []
    for at, own in marks.iterrows():
        for name in ("", "inner_"):
            ends = drawn[f"{name}interval-{at}"].get_ydata()
            np.testing.assert_allclose(list(ends), [own[f"{name}lower"], own[f"{name}upper"]])
        sizes.append(drawn[f"estimate-{at}"].get_markersize())
    assert sizes == sorted(sizes, reverse=True), "the larger, the surer"
    texts = {text.get_text() for text in drawing.findobj(Text)}
    assert {"Latitude (degrees)", "Mode", "Effect, SD"} <= texts


@pytest.mark.parametrize(
    ("change", "words"),
    [(0.3, "is higher with a higher latitude"), (-0.3, "is lower with"), (0, "")],
)
def test_the_sentence_answers_and_the_alternative_text_has_the_numbers(
    tmp_path: Path, of_task: tuple[Moderated, ...], change: float, words: str
) -> None:
    found = results(tmp_path, of_task, change)
    said = flat(variables(found, {}))
    text = said["threat.moderated.sentence"]
    if words:
        assert text.startswith("Of two changes of effects by moderators, one is decided")
        assert words in text
        assert "one standard deviation, 14.7 degrees: " in text
    else:
        assert text == "Of two changes of effects by moderators, none is decided in direction."
    alt = said["threat.moderated.alt"]
    mean, by_latitude, *_ = draws_of(found)
    scale = np.std(list(PLACES.values()), ddof=1)
    low, high = (float((mean + (x - 25) / scale * by_latitude).mean()) for x in (10, 45))
    ends = f"the mean is {number(low)} at 10 degrees and {number(high)} at 45 degrees"
    assert f"by latitude: 4 settings; {ends}; its change is {number(change)} (" in alt
    assert "at on paper and" in alt
    assert "against the reference" in alt


def test_of_many_effects_the_surest_are_shown_and_it_says_so(
    tmp_path: Path, of_task: tuple[Moderated, ...]
) -> None:
    found = results(tmp_path, of_task * 6)
    table, _ = figure(found, "moderated_threat")
    assert len(table[table["kind"] == "estimate"]) == MOST_PANELS * len(PLACES)
    text = variables(found, {})["threat"]["moderated"]["sentence"]
    assert "Of 12 pairs of an effect and a moderator the eight are shown" in text


def test_the_article_that_grows_has_it_where_there_are_moderators_alone(
    tmp_path: Path, of_task: tuple[Moderated, ...]
) -> None:
    found = results(tmp_path, of_task)
    text = sections(found)["results"]
    assert "(figures/moderated_threat){#fig-moderated-threat" in text
    for name in ("sentence", "alt"):
        assert f"{{{{< var threat.moderated.{name} >}}}}" in text
    bare = replace(found, cells={"threat": Modelled({}, ())})
    assert "moderated" not in sections(bare)["results"]
    assert "moderated" not in variables(bare, {})["threat"]
    assert figure(bare, "moderated_threat")[0].empty
    without = replace(found, draws={})
    assert figure(without, "moderated_threat")[0].empty
