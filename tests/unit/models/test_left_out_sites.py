"""The density of a site whose effects are integrated out is that of one large normal vector."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.linalg import block_diag
from scipy.stats import multivariate_normal

from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.prior_draws import draw_prior
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import clustered
from metastudy.models.answers.left_out_sites import several_sites, site_densities
from metastudy.models.answers.model import build
from metastudy.models.answers.observations import (
    Answers,
    coefficients,
    observe_answers,
    residual_factors,
)
from metastudy.models.answers.predictive import of_answers
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
DRAWS = 5
Made = tuple[Answers, xr.Dataset, xr.Dataset]


@pytest.fixture(scope="module")
def made() -> Made:
    """A study with four sites, vignettes and missing answers, and two with one site each."""
    vignettes = ["volunteers_at_work", None]
    studies = [
        experiment("a", 36, 1, missing=0.3, sites=4, vignettes=vignettes)[0],
        experiment("b", 20, 2, missing=0.2, sites=1, country="FI")[0],
        experiment("c", 20, 3, sites=2, outcomes=["threat_job"], country="SE")[0],
    ]
    cells = answer_cells(studies, "threat", VOCABULARY)
    names = [*MODELS["answers"].row_parameters, "site_tau"]
    draws = draw_prior(build(cells, priors_of(CONFIG["priors"])), names, DRAWS, 1)
    return observe_answers(studies, cells, VOCABULARY), cells, draws


def test_sites_are_those_of_settings_with_two_or_more(made: Made) -> None:
    _, cells, _ = made
    names = cells.site.values[several_sites(cells)]
    assert sorted(names) == [*(f"a-org-{k}" for k in range(4)), "c-org-0", "c-org-1"]
    one = answer_cells([experiment("b", 20, 2)[0]], "threat", VOCABULARY)
    assert len(several_sites(one)) == 0


@pytest.mark.parametrize("spread", [None, 0.4])
def test_the_density_is_that_of_the_rows_with_the_effects_of_the_site_in_their_covariance(
    made: Made, spread: float | None
) -> None:
    rows, cells, draws = made
    found = site_densities(cells, draws, spread)
    study = np.unique(cells.study.values, return_inverse=True)[1]
    root = residual_factors(draws)
    for at, site in enumerate(several_sites(cells)):
        mine = np.flatnonzero(rows.site == site)
        j = int(cells.setting_of_site.values[site])
        for s in range(DRAWS):
            unit = draws["standardiser"].values[s, study[j]]
            slopes = draws["beta"].values[s, j] * unit
            mean = np.vstack([draws["baseline"].values[s, j], slopes])
            tau = draws["site_tau"].values[s] if spread is None else np.full(mean.shape, spread)
            sd = (unit * tau).ravel()  # coefficient by outcome
            each = root[s, j] @ root[s, j].T
            seen = ~np.isnan(rows.y[mine])
            design = np.vstack(
                [np.kron(x, np.eye(len(unit)))[k] for x, k in zip(rows.x[mine], seen, strict=True)]
            )
            noise = block_diag(*(each[np.ix_(k, k)] for k in seen))
            whole = multivariate_normal(
                design @ mean.ravel(), noise + (design * sd**2) @ design.T, allow_singular=True
            )
            expected = whole.logpdf(rows.y[mine][seen])
            assert found[s, at] == pytest.approx(expected, rel=1e-8), cells.site.values[site]


def test_sites_that_do_not_differ_have_the_density_of_their_rows_added_up(made: Made) -> None:
    rows, cells, draws = made
    by_row = of_answers(rows, cells, draws.assign(site_effect=_no_effects(cells, draws)))
    found = site_densities(cells, draws, 1e-9)
    for at, site in enumerate(several_sites(cells)):
        total = by_row[:, rows.site == site].sum(axis=1)
        np.testing.assert_allclose(found[:, at], total, rtol=1e-8)


def _no_effects(cells: xr.Dataset, draws: xr.Dataset) -> xr.DataArray:
    """The effects of sites where each has the coefficients of its setting."""
    plain = cells.assign(sited=cells.sited * 0)
    return draws["site_effect"].copy(data=coefficients(plain, draws)[:, clustered(cells)])


def test_blocks_of_draws_change_nothing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cells, draws = made
    whole = site_densities(cells, draws)
    monkeypatch.setattr("metastudy.models.answers.left_out_sites.AT_ONCE", 1)
    np.testing.assert_allclose(site_densities(cells, draws), whole, rtol=1e-12)
