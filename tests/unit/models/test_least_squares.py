"""Rough estimates for the sampler are least squares, and there are none where data say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr

from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from helpers.standard_units import in_standard_units
from metastudy.model_checks.leave_group_out import without
from metastudy.models.answers.cells import answer_cells
from metastudy.models.least_squares import NOTHING, of_categories, of_scores

OUTCOMES = ["threat_quality", "threat_job"]


def test_they_are_the_regression_of_each_setting() -> None:
    study, wide = experiment("a", 60, seed=3, missing=0.2, sites=2, outcomes=OUTCOMES)
    cells = answer_cells([study], "threat", VOCABULARY)
    x = sm.add_constant(wide[["x1", "x2"]].to_numpy())
    found = of_scores(cells)
    for column in wide.columns[3:]:
        answers = wide[[column]].to_numpy()[:, 0]
        y = in_standard_units(answers, x[:, 1:])
        seen = ~np.isnan(y)
        fit = sm.OLS(y[seen], x[seen]).fit()
        k = list(cells.construct_of.values).index(column[0])
        np.testing.assert_allclose(found[0, 0, :, k], fit.params[1:], atol=1e-8)
        np.testing.assert_allclose(found[1, 0, :, k], fit.bse[1:] ** 2, rtol=1e-8)


def test_without_a_study_s_rows_it_has_none() -> None:
    made = [experiment(name, 40, seed=at, outcomes=OUTCOMES)[0] for at, name in enumerate("ab")]
    cells = answer_cells(made, "threat", VOCABULARY)
    left = of_scores(without(cells, "study", "a"))
    assert (left[1, 0] == NOTHING).all()
    assert not left[0, 0].any()
    np.testing.assert_array_equal(left[:, 1], of_scores(cells)[:, 1])


def test_categories_count_as_their_normal_scores() -> None:
    rng = np.random.default_rng(4)
    x, effect = np.repeat([0.0, 1.0], 4000), 0.5
    latent = effect * x + rng.standard_normal(len(x))
    category = np.digitize(latent, [-0.8, 0.2, 1.0])
    counts = pd.crosstab(x, category)
    cells = _counted(counts.to_numpy(dtype=float))
    found = of_categories(cells)
    # Mid-ranks of four categories vary less than what is behind them: a little too small.
    assert 0.75 * effect < found[0, 0, 0, 0] < effect
    # In units of its error it is the effect all the same.
    ratio = found[0, 0, 0, 0] / np.sqrt(found[1, 0, 0, 0])
    assert ratio == pytest.approx(effect / np.sqrt(4 / len(x)), rel=0.05)


def _counted(counts: np.ndarray) -> xr.Dataset:
    """One item of one setting: how often each category was chosen in each arm (arm, category)."""
    arms, categories = counts.shape
    arm, category = np.meshgrid(range(arms), range(categories), indexing="ij")
    return xr.Dataset(
        {
            "count": ("cell", counts.ravel()),
            "item_of_cell": ("cell", np.zeros(counts.size, dtype=int)),
            "combination_of_cell": ("cell", arm.ravel()),
            "category_of_cell": ("cell", category.ravel()),
            "x": (("combination", "exposure"), np.arange(float(arms))[:, None]),
            "setting_of_item": ("item", [0]),
            "outcome_of_item": ("item", [0]),
            "categories": ("item", [categories]),
        },
        coords={"setting": ["s"], "exposure": ["e"], "outcome": ["o"], "item": ["i"]},
    )
