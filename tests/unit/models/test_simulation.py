"""Simulated cells have the distribution of cells made from simulated rows."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.calibration.synthesis import PEOPLE, simulated_studies
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.simulation import simulate_answers
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.simulation import simulate_codings
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.study_estimates import estimates

DRAWS = 800
RNG = np.random.default_rng(6)
OUTCOMES = 2


def of_answers(people: int = 12, sites: int = 1) -> xr.Dataset:
    study, _ = experiment("a", people, 1, missing=0.0, sites=sites)
    return answer_cells([study], "threat", VOCABULARY)


def at(cells: xr.Dataset) -> xr.Dataset:
    """Parameters that are not their priors' means."""
    sizes = cells.sizes
    chol = np.linalg.cholesky(np.array([[1.0, 0.6], [0.6, 1.0]]))
    return xr.Dataset(
        {
            "baseline": (("setting", "outcome"), RNG.normal(size=(sizes["setting"], OUTCOMES))),
            "beta": (
                ("setting", "exposure", "outcome"),
                RNG.normal(size=(sizes["setting"], sizes["exposure"], OUTCOMES)),
            ),
            "sigma": (("setting", "outcome"), np.full((1, OUTCOMES), [0.7, 1.4])),
            "standardiser": (("study", "outcome"), np.full((1, OUTCOMES), [0.8, 1.3])),
            "construct_chol": (("i", "j"), chol),
        }
    )


def by_rows(cells: xr.Dataset, truth: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Cross-products of one cell from rows that have its predictors' cross-products."""
    n, xx = int(cells.n.values[0]), cells.xx.values[0]
    values, vectors = np.linalg.eigh(xx)
    root = vectors * np.sqrt(values.clip(0))
    x = np.zeros((n, len(xx)))
    x[: len(xx)] = root.T
    b = np.concatenate([truth.baseline.values, truth.standardiser.values * truth.beta.values[0]])
    cov_root = truth.sigma.values[0][:, None] * truth.construct_chol.values
    y = x @ b + rng.standard_normal((n, OUTCOMES)) @ cov_root.T
    return np.concatenate([(x.T @ y).ravel(), (y.T @ y).ravel()])


@pytest.mark.parametrize("people", [6, 12])
def test_cross_products_have_the_moments_of_those_from_rows(people: int) -> None:
    """Six people leave fewer residual degrees of freedom than there are outcomes."""
    cells = of_answers(people)
    truth = at(cells)
    drawn, rows = [], []
    for seed in range(DRAWS):
        found = simulate_answers(cells, truth, np.random.default_rng([1, seed]))
        drawn.append(np.concatenate([found.xy.values[0].ravel(), found.yy.values[0].ravel()]))
        rows.append(by_rows(cells, truth, np.random.default_rng([2, seed])))
    one, other = np.array(drawn), np.array(rows)
    error = np.sqrt((one.var(axis=0) + other.var(axis=0)) / DRAWS)
    assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) <= 4.5 * error + 1e-9).all()
    np.testing.assert_allclose(one.std(axis=0), other.std(axis=0), rtol=0.15)
    np.testing.assert_allclose(*(np.corrcoef(found.T) for found in (one, other)), atol=0.15)


def test_what_nobody_was_asked_stays_nothing_and_the_rest_is_drawn() -> None:
    study, _ = experiment("a", 40, 1, missing=0.4, sites=4)
    cells = answer_cells([study], "threat", VOCABULARY)
    truth = at(cells).assign(
        site_effect=(("clustered_site", "coefficient", "outcome"), np.full((4, 3, 2), 3.0))
    )
    found = simulate_answers(cells, truth, np.random.default_rng(1))
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    assert (found.xy.values[~np.broadcast_to(seen[:, None], found.xy.shape)] == 0).all()
    assert (found.yy.values[seen[:, :, None] & seen[:, None, :]] != 0).all()
    for name in ("n", "xx"):
        assert found[name].equals(cells[name])
    # the sites' own coefficients count where they are given, not the setting's
    total = found.xy.values[:, 0].sum(axis=0)
    expected = 3 * (seen * cells.xx.values[:, 0].sum(axis=1)[:, None]).sum(axis=0)
    assert (np.abs(total - expected) < 6 * 1.4 * np.sqrt(cells.n.values.sum())).all()


def test_a_fit_of_one_person_is_simulated_too() -> None:
    cells = of_answers(12, sites=1)
    alone = cells.assign(n=cells.n * 0 + 1, xx=cells.xx * 0 + 1.0)
    found = simulate_answers(alone, at(cells), np.random.default_rng(1))
    assert np.linalg.matrix_rank(found.yy.values[0], tol=1e-8) == 1


def test_every_interview_is_coded_again_by_as_many_coders() -> None:
    interviews_ = [
        ("org-a", {"coder-1": ["role_change"], "coder-2": []}),
        ("org-a", {"coder-1": []}),
        ("org-b", {"coder-1": ["uncertainty"]}),
    ] * 400
    cells = code_cells(
        [coding_study("small", interviews_, ["role_change", "uncertainty"])], "strain", VOCABULARY
    )
    p, s, t = np.array([[0.2, 0.7], [0.5, 0.9]]), 0.9, 0.8
    truth = xr.Dataset(
        {"presence": (("organisation", "code"), p), "sensitivity": s, "specificity": t}
    )
    found = simulate_codings(cells, truth, np.random.default_rng(1))
    assert interviews(found).equals(interviews(cells))
    both = p * s**2 + (1 - p) * (1 - t) ** 2
    one = p * s * (1 - s) + (1 - p) * t * (1 - t)
    none = p * (1 - s) ** 2 + (1 - p) * t**2
    share = found.double.values[0] / found.double.values[0].sum(axis=-1, keepdims=True)
    expected = np.stack([both, one, one, none], axis=-1)[0]
    np.testing.assert_allclose(share, expected, atol=0.09)
    applied = found.single.values[1, :, 0] / found.single.values[1].sum(axis=-1)
    np.testing.assert_allclose(applied, (p * s + (1 - p) * (1 - t))[1], atol=0.1)


def test_simulated_studies_give_back_their_effects_in_order() -> None:
    effects = np.linspace(-2, 2, len(PEOPLE))
    studies = simulated_studies(effects, VOCABULARY, np.random.default_rng(4))
    (found,) = plans(*estimates(answer_cells(studies, "threat", VOCABULARY), VOCABULARY))
    # that an effect is in standard deviations that are estimated is in its error
    assert (np.abs(found.table["estimate"] - effects) < 3.5 * found.table["se"]).all()
    assert found.table["n"].tolist() == list(PEOPLE)
    varying = [component.name for one in found.found.values() for component in one.components]
    assert varying == ["study+setting", "country", "sector"]
