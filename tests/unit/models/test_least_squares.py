"""Rough estimates for the sampler are least squares, and there are none where data say nothing."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from helpers.hand_made import experiment, item_study
from helpers.raw_studies import VOCABULARY
from helpers.standard_units import in_standard_units
from metastudy.model_checks.leave_group_out import without
from metastudy.models.answers.cells import answer_cells
from metastudy.models.item_layout import alike
from metastudy.models.least_squares import NOTHING, of_categories, of_scores, of_sites
from metastudy.models.ordinal.cells import item_cells

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
    """Two items of one outcome: the effect is in standard deviations of a person's mean of them."""
    rng = np.random.default_rng(4)
    x, effect = np.repeat([-0.5, 0.5], 20_000), 0.5
    person = effect * x + np.sqrt(0.5) * rng.standard_normal(len(x))
    latent = person[:, None] + np.sqrt(0.5) * rng.standard_normal((len(x), 2))
    category = np.digitize(latent, [-0.8, 0.2, 1.0]) + 1.0
    items = {f"q{m}": ("threat_quality", 1, 4, category[:, m]) for m in range(2)}
    study = item_study(items, task=list(np.where(x > 0, "core", "complementary")))
    found = of_categories(item_cells([study], "threat", VOCABULARY))
    unit = np.sqrt(0.5 + 0.5 / 2)
    assert found[0].ravel() == pytest.approx(effect / unit, rel=0.12)
    rest = 1 - found[0].ravel() ** 2 / 4  # what the effect leaves of a variance of one
    assert found[1].ravel() == pytest.approx(4 * rest / len(x), rel=0.01)


def test_sites_have_levels_and_effects_of_their_own() -> None:
    """Means and differences of arms of what people score, from those of the whole setting."""
    rng = np.random.default_rng(8)
    x, site = np.tile([-0.5, 0.5], 6000), np.repeat([0, 1, 2], 4000)
    level, slope = np.array([0.5, -0.5, 0.0])[site], np.array([0.6, 0.0, -0.6])[site]
    category = np.digitize(level + slope * x + rng.standard_normal(len(x)), [-0.8, 0.2, 1.0]) + 1.0
    study = item_study(
        {"q": ("threat_quality", 1, 4, category)},
        task=list(np.where(x > 0, "core", "complementary")),
        org=[f"site-{s}" for s in site],
    )
    cells = item_cells([study], "threat", VOCABULARY)
    found = of_sites(cells)[..., 0]
    mean, sd = category.mean(), category.std()  # the categories are nearly as far apart as scores
    for at, name in enumerate(cells.site.values):
        mine = site == int(str(name)[-1])
        y = (category[mine] - mean) / sd
        up, down = (y[x[mine] == side].mean() for side in (0.5, -0.5))
        np.testing.assert_allclose(found[0, at], [y.mean(), up - down], atol=0.04)
        np.testing.assert_allclose(found[1, at], [1 / 4000, 4 / 4000], rtol=0.01)


def test_items_are_as_alike_as_their_scores_in_those_who_answered_both() -> None:
    """Three items, one of which nobody answers who answers the third."""
    rng = np.random.default_rng(9)
    n = 3000
    person = rng.standard_normal(n)
    answer = [np.digitize(person + rng.standard_normal(n), [-1.5, 0.0, 1.5]) + 1.0 for _ in "abc"]
    answer[1][: n // 2], answer[2][n // 2 :] = np.nan, np.nan
    items = {f"q{m}": ("threat_quality", 1, 4, values) for m, values in enumerate(answer)}
    study = item_study(items, task=["core", "complementary"] * (n // 2))
    found = alike(item_cells([study], "threat", VOCABULARY))
    for other, mine in ((1, slice(n // 2, n)), (2, slice(0, n // 2))):
        there = np.corrcoef(answer[0][mine], answer[other][mine])[0, 1]
        assert found[0, other] == pytest.approx(0.9 * there, abs=0.03)
    assert found[1, 2] == pytest.approx(0.0, abs=1e-12)
    assert np.linalg.eigvalsh(found).min() > 0.05
