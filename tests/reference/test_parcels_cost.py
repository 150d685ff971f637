"""What disclosure control moves where there is something to coarsen, in units of posterior SD.

Six studies like the experiment that ships, whose homes have six people of each version and whose
people left out answers: all homes are lost, and so are some answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.six_experiments import six_experiments
from metastudy.harmonized.study import Study
from metastudy.inference.fit import fit
from metastudy.models.aggregate import cells_of_one
from metastudy.models.answers.rows import rows_of
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of
from metastudy.parcelling.control import control
from metastudy.posterior.contrasts import contrasts

pytestmark = [
    pytest.mark.fit,
    pytest.mark.slow,
    pytest.mark.long(of=("metastudy.parcelling.control", "metastudy.models.answers.kind")),
]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
CHAINS = {**CONFIG["sampling"], "chains": 2, "tune": 500, "draws": 1500}
MOST = 0.2  # of a posterior SD, by which the mean of an effect on all places may move
OF_ONE = 0.5  # of an effect in one study, which has its own people alone
PLACES = ("study", "country", "setting")
KEYS = ["estimand", "level", "group", "exposure", "outcome", "metric", "study", "country"]


def effects(parts: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Means and standard deviations of all effects, from cells of one study each."""
    cells = model_of(parts[0]).join(parts, VOCABULARY)
    found = contrasts(cells, fit(cells, priors_of(CONFIG["priors"]), CHAINS, 2)).table(0.95)
    found = found[(found["estimand"] == "effect") & (found["metric"] == "sd")]
    return found.set_index(KEYS)[["mean", "sd"]]


def shares_lost(rows: Study, parcel: Study) -> pd.Series:
    """Share of the answers to each outcome that control took out."""
    before, after = (rows_of(one, "threat", VOCABULARY).y.notna().sum() for one in (rows, parcel))
    return 1 - after / before


def moves_by_chance(lost: np.ndarray) -> np.ndarray:
    """Drawn moves of estimates from which a share ``lost`` of answers is taken out at random.

    Of all answers the estimate is T = (1 - f) A + f B, A of those that stay and B of those that
    leave, independent, of variances s / (1 - f) and s / f where that of T is s. So A - T is
    f (A - B), of variance f^2 (s / (1 - f) + s / f) = s f / (1 - f).

    Returns
    -------
    Shape (draw, estimate), in standard deviations of the estimate of all answers.
    """
    drawn = np.random.default_rng(1).normal(size=(20_000, len(lost)))
    return np.abs(drawn) * np.sqrt(lost / (1 - lost))


def test_six_studies_like_the_one_that_ships_move_no_effect_on_all_places_by_much(
    tmp_path: Path, figures: Callable[..., None]
) -> None:
    studies = six_experiments(tmp_path)
    controlled = [control(study, VOCABULARY, 5) for study in studies]
    assert not any(one.did["untouched"] for one in controlled), "there is something to lose"
    rows = effects([cells_of_one(study, "threat", VOCABULARY) for study in studies])
    parcels = effects([one.cells("threat", VOCABULARY) for one in controlled])
    both = rows.add_suffix("_rows").join(parcels.add_suffix("_parcels"))
    lost = both["mean_parcels"].isna()
    print(both[lost].to_string())
    assert not set(both[lost].index.get_level_values("level")) & {"population", *PLACES}
    both = both[~lost]
    both["moved"] = (both["mean_parcels"] - both["mean_rows"]).abs() / both["sd_rows"]
    both["wider"] = both["sd_parcels"] / both["sd_rows"]
    level = both.index.get_level_values("level")
    population, places = both[level == "population"], both[level.isin(PLACES)]
    assert len(population)
    assert len(places) >= 6
    print(both.sort_values("moved").tail(12).to_string())
    lost_answers = pd.concat(
        [shares_lost(s, one.study) for s, one in zip(studies, controlled, strict=True)]
    ).to_numpy()
    chance = moves_by_chance(np.repeat(lost_answers, len(places) // len(lost_answers)))
    print(f"answers lost: {np.sort(lost_answers)}")
    figures(
        lost=float(lost_answers.max()),
        chance_largest=float(chance.max(axis=1).mean()),
        chance_median=float(np.median(chance)),
        chance_above=float(np.mean(chance > MOST)),
        population=float(population["moved"].max()),
        study=float(places["moved"].max()),
        study_median=float(places["moved"].median()),
        study_above=float(np.mean(places["moved"] > MOST)),
        widest=float(both["wider"].max()),
        narrowest=float(both["wider"].min()),
    )
    assert population["moved"].max() <= MOST
    assert places["moved"].max() <= OF_ONE, "docs/parcels.md says so of effects in one study"
    assert np.mean(places["moved"] > MOST) <= 0.25
    assert chance.shape[1] == len(places)
    largest = np.quantile(chance.max(axis=1), 0.95)
    assert places["moved"].max() <= largest, "no further than answers lost at random"
