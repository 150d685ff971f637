"""Organisations left out by weights: the exact density where it is known, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from helpers.evidence import evidence
from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.article.topics import pooling_comparison
from metastudy.common.result_tables import checked, columns
from metastudy.model_checks.leave_group_out import FIXED
from metastudy.model_checks.left_out_organisations import (
    densities,
    left_out_organisations,
    rows_of_sites,
    why_not,
)
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.observations import observe_answers
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import priors_of

PRIORS = priors_of({"effect": 0.5, "tau": 0.3})
SITES, CHAINS, DRAWS = 12, 4, 1000
PLAIN = "simulated"


def world() -> xr.Dataset:
    study, _ = experiment("a", 180, seed=3, sites=SITES, outcomes=["threat_job"])
    return answer_cells([study], "threat", VOCABULARY)


def posterior_of(cells: xr.Dataset, baseline: np.ndarray, tau: float = 0.3) -> xr.Dataset:
    """Draws of a level alone; the sizes of effects and all spreads are known."""
    one = np.ones(baseline.shape)[..., None, None]
    dims = ("chain", "draw")
    exposures, coefficients = cells.sizes["exposure"], cells.sizes["coefficient"]
    beta = np.full((exposures, 1), 0.2)
    return xr.Dataset(
        {
            "baseline": ((*dims, "setting", "outcome"), baseline[..., None, None]),
            "beta": ((*dims, "setting", "exposure", "outcome"), one[..., None] * beta),
            "standardiser": ((*dims, "study", "outcome"), one),
            "sigma": ((*dims, "setting", "outcome"), one),
            "site_tau": ((*dims, "coefficient", "outcome"), one * np.full((coefficients, 1), tau)),
        },
        coords={"chain": range(baseline.shape[0]), "draw": range(baseline.shape[1])},
    )


def quadratic(cells: xr.Dataset, pooling: str = "partial") -> np.ndarray:
    """Each site's log-density is c + h b - q b² / 2 in the level b; columns c, h and q."""
    at = densities(cells, posterior_of(cells, np.array([[-1.0, 0.0, 1.0]])), pooling, PRIORS)
    low, middle, high = at.values[0]
    return np.column_stack([middle, (high - low) / 2, 2 * middle - high - low])


def exact(cells: xr.Dataset, pooling: str = "partial") -> np.ndarray:
    """Log-density of each site given the others, the level having a standard normal prior."""
    c, h, q = quadratic(cells, pooling).T
    rest_h, rest_q = h.sum() - h, 1 + q.sum() - q
    fit = (rest_h + h) ** 2 / (rest_q + q) - rest_h**2 / rest_q
    return np.asarray(c + 0.5 * (fit + np.log(rest_q) - np.log(rest_q + q)))


def drawn(cells: xr.Dataset, pooling: str = "partial", seed: int = 1) -> xr.DataArray:
    _, h, q = quadratic(cells, pooling).T
    precision = 1 + q.sum()
    noise = np.random.default_rng(seed).standard_normal((CHAINS, DRAWS))
    level = h.sum() / precision + noise / np.sqrt(precision)
    return densities(cells, posterior_of(cells, level), pooling, PRIORS)


def test_the_elpd_is_the_exact_density_of_each_organisation_given_the_others() -> None:
    cells = world()
    ways = ("pooled", "partial", "unpooled")
    table = left_out_organisations(cells, {w: drawn(cells, w) for w in ways}, {}, PLAIN)
    table = checked("organisations", table).set_index("pooling")
    assert table.index.tolist() == list(ways)
    for way in ways:
        error = np.sqrt(5 * table.loc[way, "p_loo"] / table.loc[way, "draws"])
        assert table.loc[way, "elpd"] == pytest.approx(exact(cells, way).sum(), abs=3 * error)
        assert table.loc[way, "p_loo"] > 6 * error, "the density with the site would be seen"
    assert table["organisations"].eq(SITES).all()
    assert table["people"].eq(180).all()
    assert table["reason"].eq("").all()
    assert table["elpd_rows"].isna().all()
    best = table["elpd"].idxmax()
    assert table.loc[best, "difference"] == 0
    other = next(way for way in ways if way != best)
    apart = exact(cells, other) - exact(cells, best)
    assert table.loc[other, "difference"] == pytest.approx(apart.sum(), abs=0.3)
    assert table.loc[other, "se_difference"] == pytest.approx(
        np.sqrt(SITES * apart.var(ddof=1)), rel=0.05
    )


def test_where_pooling_fixes_the_spread_sites_have_that_and_not_the_draws_of_a_prior() -> None:
    cells = world()
    level = np.zeros((1, 2))
    for way, fixed in FIXED.items():
        found = densities(cells, posterior_of(cells, level, tau=0.7), way, PRIORS)
        same = posterior_of(cells, level, tau=fixed * 0.5)
        np.testing.assert_allclose(found, densities(cells, same, "partial", PRIORS), rtol=1e-10)


def test_a_way_whose_weights_fail_for_an_organisation_has_no_number_and_says_so() -> None:
    cells = world()
    y = np.random.default_rng(5).standard_normal(SITES)
    own = y + 0.05 * np.random.default_rng(6).standard_normal((CHAINS, DRAWS, SITES))
    hard = xr.DataArray(norm.logpdf(y, own, 0.05), dims=("chain", "draw", "row"))
    found = {"pooled": drawn(cells, "pooled"), "partial": hard}
    table = left_out_organisations(cells, found, {}, PLAIN).set_index("pooling")
    assert np.isnan(table.loc["partial", "elpd"])
    assert table.loc["partial", "high_k"] > 0
    assert table.loc["partial", "reason"].startswith("Pareto k is above 0.7 for ")
    assert table.loc["pooled", "difference"] == 0, "the best of those that have a number"
    table = table.reset_index()[columns("organisations")]
    shown = replace(evidence("mixed"), organisations=checked("organisations", table))
    said = pooling_comparison.variables(shown)["threat"]["organisations"]["sentence"]
    assert said.startswith("All answers of a left-out organisation (12 organisations, 180 people)")
    assert "Without a number: partial pooling: Pareto k is above 0.7" in said
    rows = pooling_comparison.table(shown).shown
    own_rows = rows[rows["Left out"] == "organisation"]
    assert own_rows["elpd"].tolist()[1] == "–"
    assert own_rows["elpd"].tolist()[0] != "–"
    alone = left_out_organisations(cells, {"partial": hard}, {}, PLAIN)
    said = pooling_comparison.variables(replace(shown, organisations=alone))["threat"]
    assert "no way of pooling has a reliable number" in said["organisations"]["sentence"]


def test_the_same_people_by_row_are_beside_it_where_all_have_rows() -> None:
    studies = [experiment("a", 60, seed=1, sites=3)[0], experiment("b", 30, seed=2)[0]]
    cells = answer_cells(studies, "threat", VOCABULARY)
    rows = observe_answers(studies, cells, VOCABULARY)
    mine = rows_of_sites(rows, cells)
    assert mine is not None
    assert mine.sum() == 60
    part = observe_answers(studies[1:], cells, VOCABULARY)
    assert rows_of_sites(part, cells) is None, "the others came as sums"
    assert rows_of_sites(None, cells) is None
    one = world()
    values = drawn(one)
    table = left_out_organisations(one, {"partial": values}, {"partial": values}, PLAIN)
    assert table["elpd_rows"].tolist() == table["elpd"].tolist()
    shown = replace(evidence("mixed"), organisations=table)
    said = pooling_comparison.variables(shown)["threat"]["organisations"]["sentence"]
    assert "by left-out organisation and" in said
    assert "by left-out person" in said


def test_where_nothing_is_left_out_the_reason_is_said() -> None:
    alone = answer_cells([experiment("b", 30, seed=2)[0]], "threat", VOCABULARY)
    assert why_not(alone) == "no setting has two organisations"
    interviews = [(f"org-{k % 3}", {"coder": ["role_change"] * (k % 2)}) for k in range(9)]
    codes = code_cells([coding_study("c", interviews, ["role_change"])], "strain", VOCABULARY)
    assert why_not(codes) == "the density of an organisation's codings has no closed form"
    table = checked("organisations", left_out_organisations(alone, {}, {}, PLAIN))
    assert table["pooling"].tolist() == [""]
    shown = replace(evidence("mixed"), organisations=table)
    said = pooling_comparison.variables(shown)["threat"]["organisations"]["sentence"]
    assert said == (
        "Prediction of left-out organisations: not compared, because no setting has two "
        "organisations."
    )
    assert "Left out" not in pooling_comparison.table(shown).shown
    assert isinstance(pooling_comparison.table(shown).shown, pd.DataFrame)
