"""The log-likelihood of rows is that of the cells, row by row; and what it says of pooling."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.stats import multivariate_normal, norm

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.prior_draws import draw_prior
from metastudy.model_checks.loo_comparison import comparison, log_likelihood, notes
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.observations import (
    Answers,
    coefficients,
    observe_answers,
    residual_factors,
)
from metastudy.models.answers.predictive import of_answers
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.observations import Interviews, observe_interviews
from metastudy.models.codings.predictive import of_interviews
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
DRAWS = 6


def answered() -> tuple[Answers, xr.Dataset, xr.Dataset]:
    """Two studies, one of them with several sites, vignettes and patterns of missing answers."""
    vignettes = ["volunteers_at_work", None]
    studies = [
        experiment("a", 40, 1, missing=0.3, sites=4, vignettes=vignettes)[0],
        experiment("b", 25, 2, missing=0.2, sites=1, country="FI")[0],
    ]
    cells = answer_cells(studies, "threat", VOCABULARY)
    names = [*MODELS["answers"].row_parameters, "log_likelihood"]
    model = MODELS["answers"].build(cells, PRIORS)
    draws = draw_prior(model, names, DRAWS, 1)
    return observe_answers(studies, cells, VOCABULARY), cells, draws


def coded() -> tuple[Interviews, xr.Dataset, xr.Dataset]:
    """Two studies that looked for different codes; some interviews have two coders."""
    rng = np.random.default_rng(4)
    codes = {"c": ["role_change", "uncertainty"], "d": ["uncertainty", "value_conflict"]}
    studies = []
    for name, own in codes.items():
        found = [
            (
                f"{name}-{i % 3}",
                {
                    f"coder-{c}": [code for code in own if rng.random() < 0.4]
                    for c in range(1 + i % 2)
                },
            )
            for i in range(14)
        ]
        studies.append(coding_study(name, found, own, country="FI" if name == "c" else "DK"))
    cells = code_cells(studies, "strain", VOCABULARY)
    names = [*MODELS["codings"].row_parameters, "log_likelihood"]
    return (
        observe_interviews(studies, cells),
        cells,
        draw_prior(MODELS["codings"].build(cells, PRIORS), names, DRAWS, 1),
    )


def test_the_answers_of_all_rows_have_the_log_likelihood_of_their_cells() -> None:
    """Cells drop the constant of the normal density, one for each observed answer."""
    rows, cells, draws = answered()
    assert np.isnan(rows.y).any()
    constant = -0.5 * np.log(2 * np.pi) * (~np.isnan(rows.y)).sum()
    total = of_answers(rows, cells, draws).sum(axis=1)
    assert np.ptp(total) > 1
    np.testing.assert_allclose(total, draws["log_likelihood"] + constant, rtol=1e-10)


def test_the_codings_of_all_interviews_have_the_log_likelihood_of_their_cells() -> None:
    rows, cells, draws = coded()
    assert np.isnan(rows.first).any()
    assert (~np.isnan(rows.second)).any()
    total = of_interviews(rows, cells, draws).sum(axis=1)
    assert np.ptp(total) > 1
    np.testing.assert_allclose(total, draws["log_likelihood"], rtol=1e-10)


def test_a_person_has_the_density_of_the_outcomes_that_the_person_answered() -> None:
    rows, cells, draws = answered()
    found = of_answers(rows, cells, draws)
    b, chol = coefficients(cells, draws), residual_factors(draws)
    for at in (0, 17, len(rows.y) - 1):
        seen = ~np.isnan(rows.y[at])
        for s in range(DRAWS):
            mean = rows.x[at] @ b[s, rows.site[at]]
            cov = chol[s, rows.setting[at]] @ chol[s, rows.setting[at]].T
            density = multivariate_normal(mean[seen], cov[np.ix_(seen, seen)])
            assert found[s, at] == pytest.approx(density.logpdf(rows.y[at, seen]), rel=1e-9)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, cells, draws = answered()
    whole = of_answers(rows, cells, draws)
    monkeypatch.setattr("metastudy.models.answers.predictive.AT_ONCE", 1)
    np.testing.assert_allclose(of_answers(rows, cells, draws), whole, rtol=1e-12)


def test_chains_and_draws_keep_their_places() -> None:
    rows, cells, draws = answered()
    chains = xr.Dataset(
        {
            name: (("chain", "draw", *array.dims[1:]), array.values.reshape(2, 3, *array.shape[1:]))
            for name, array in draws.items()
        },
        coords={"chain": [0, 1], "draw": [0, 1, 2]},
    )
    found = log_likelihood(rows, cells, chains)
    assert found.dims == ("chain", "draw", "row")
    np.testing.assert_allclose(
        found.values.reshape(DRAWS, -1), of_answers(rows, cells, draws), rtol=1e-12
    )


# --- leave-one-out ------------------------------------------------------------------------------

N = 60


def normal_mean(y: np.ndarray, prior: float, seed: int) -> xr.DataArray:
    """Log-likelihoods of draws of a normal mean with unit variance and a normal prior."""
    precision = len(y) + prior**-2
    rng = np.random.default_rng(seed)
    mean = y.sum() / precision + rng.standard_normal((4, 500, 1)) / np.sqrt(precision)
    return xr.DataArray(norm.logpdf(y, mean, 1), dims=("chain", "draw", "row"))


def test_leave_one_out_is_the_exact_predictive_density_of_a_normal_mean() -> None:
    y = 0.8 + np.random.default_rng(1).standard_normal(N)
    table = comparison({"wide": normal_mean(y, 10.0, 2), "narrow": normal_mean(y, 0.02, 3)})
    elpd = dict(zip(table["pooling"], table["elpd_loo"], strict=True))
    table = table.set_index("pooling")
    for name, prior in (("wide", 10.0), ("narrow", 0.02)):
        precision = N - 1 + prior**-2
        left_out = (y.sum() - y) / precision
        exact = norm.logpdf(y, left_out, np.sqrt(1 + 1 / precision)).sum()
        assert elpd[name] == pytest.approx(exact, abs=0.1)
    assert table.loc["wide", "difference"] == 0
    assert table.loc["narrow", "difference"] == pytest.approx(elpd["narrow"] - elpd["wide"])
    assert table.loc["wide", "weight"] > 0.9
    assert table["p_loo"].between(0, 1.6).all()
    assert list(table["high_k"]) == [0, 0]
    assert notes(table.reset_index()) == ["", ""]


def test_rows_that_importance_sampling_cannot_leave_out_are_counted_and_said() -> None:
    """With a parameter of its own for each row, a row left out leaves nothing to sample from."""
    rng = np.random.default_rng(5)
    y = rng.standard_normal(N)
    own = y + 0.05 * rng.standard_normal((4, 500, N))  # each row's parameter, at the row
    hard = xr.DataArray(norm.logpdf(y, own, 0.05), dims=("chain", "draw", "row"))
    table = comparison({"hard": hard, "good": normal_mean(y, 1.0, 6)}).set_index("pooling")
    assert table.loc["good", "high_k"] == 0
    assert table.loc["hard", "high_k"] > 5
    said = dict(zip(table.index, notes(table.reset_index()), strict=True))
    assert said["good"] == ""
    slow = notes(table.reset_index(), {"good": "bulk ESS 20 (gate 200)"})[1]
    assert slow == "its draws miss a gate (bulk ESS 20 (gate 200))"
    assert f"for {table.loc['hard', 'high_k']} rows" in said["hard"]
