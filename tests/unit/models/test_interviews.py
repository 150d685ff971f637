"""Codes with an effect of the interview: cells, likelihood, and what is said over interviews.

The likelihood is held against one interview after the other, integrated by SciPy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.gradient import verify_grad
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import norm

from helpers.hand_made import coding_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy import config
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.marginal import quadrature
from metastudy.models.interviews import model as interviews_model
from metastudy.models.interviews.cells import CODED, interview_cells
from metastudy.models.interviews.density import Patterns
from metastudy.models.interviews.kind import over_interviews
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS
from metastudy.posterior.contrasts import contrasts

CODES = ["role_change", "uncertainty", "management_support"]
PRIORS = priors_of(
    {"prevalence": 1.5, "effect_logit": 1.0, "tau_logit": 0.5, "accuracy_a": 6.0, "accuracy_b": 2.0}
)
Talk = tuple[str, Mapping[str, list[str]]]
TALKS: list[Talk] = [
    ("org-a", {"coder-1": CODES[:2]}),
    ("org-a", {"coder-1": CODES[:2]}),  # as the one before
    ("org-a", {"coder-1": CODES[:2], "coder-2": CODES[1:]}),
    ("org-a", {"coder-1": CODES[1:], "coder-2": CODES[:2]}),  # the coders change places
    ("org-b", {"coder-1": CODES[:2]}),
    ("org-b", {"coder-1": []}),
]


def talked() -> Study:
    return coding_study("talks", TALKS, CODES)


def other(seed: int = 2) -> Study:
    """A study that looked for another code as well, and not for all of these; two arrangements."""
    rng = np.random.default_rng(seed)
    codes = ["uncertainty", "value_conflict"]
    talks = [
        (
            f"other-{i % 4}",
            {f"coder-{k}": [c for c in codes if rng.random() < 0.5] for k in range(1 + i % 2)},
        )
        for i in range(16)
    ]
    kinds = ["org_mission" if i % 4 < 2 else "state_policy" for i in range(16)]
    exposures = [{"attribute": "arrangement", "type": "organisational"}]
    return coding_study("other", talks, codes, exposures, arrangement=kinds, country=["FI"] * 16)


def cells_of(*studies: Study) -> xr.Dataset:
    return interview_cells(studies, "strain", VOCABULARY)


def readings(studies: tuple[Study, ...], cells: xr.Dataset) -> list[tuple[int, list[tuple]]]:
    """Each interview: its unit, and for each of its codes what each coder said."""
    units, codes, found = list(cells.organisation.values), list(cells.code.values), []
    for study in studies:
        said = set(study.codings[["source_id", "coder_id", "code_id"]].itertuples(index=False))
        said = {tuple(row) for row in said}
        org = study.respondents.set_index("respondent_id")["org_id"]
        for source, coders in study.readings.groupby("source_id")["coder_id"]:
            of = [
                (codes.index(c), tuple((source, coder, c) in said for coder in coders))
                for c in study.report["outcomes"]
            ]
            found.append((units.index(org[source]), of))
    return found


# --- cells ----------------------------------------------------------------------------------------


def test_interviews_of_a_unit_with_one_pattern_share_a_cell() -> None:
    cells = cells_of(talked())
    one, not_one, both, either, none = range(len(CODED))
    found = {
        (str(cells.organisation.values[u]), *map(int, pattern)): int(n)
        for u, pattern, n in zip(
            cells.unit_of_cell.values, cells.coded.values, cells["count"].values, strict=True
        )
    }
    assert found == {
        ("org-a", one, one, not_one): 2,
        ("org-a", either, both, either): 2,
        ("org-b", one, one, not_one): 1,
        ("org-b", not_one, not_one, not_one): 1,
    }
    assert none not in cells.coded.values


def test_a_code_that_a_study_did_not_look_for_is_in_no_pattern_of_it() -> None:
    cells = cells_of(talked(), other())
    study = cells.study.values[cells.unit_of_cell.values]
    asked = pd.DataFrame(cells.coded.values >= 0, columns=cells.code.values).groupby(study).all()
    assert asked.loc["talks"].to_dict() == {c: c in CODES for c in cells.code.values}
    assert asked.loc["other"].sum() == 2
    assert int(cells["count"].sum()) == len(TALKS) + 16
    counts = code_cells([talked(), other()], "strain", VOCABULARY)
    for name in ("single", "double", "x"):
        np.testing.assert_array_equal(cells[name], counts[name])
    assert cells.attrs["model"] == cells.attrs["variant"] == "interviews"
    assert cells.attrs["data"] == "count"


# --- likelihood -----------------------------------------------------------------------------------


def direct(interviews: list[tuple[int, list[tuple]]], at: xr.Dataset) -> float:
    """Log-likelihood of interviews one by one, integrated by SciPy."""
    s, t, tau = (float(at[n]) for n in ("sensitivity", "specificity", "interview_tau"))
    log_odds, total = at["log_odds"].values, 0.0
    for unit, of in interviews:

        def density(z: float, unit: int = unit, of: list[tuple] = of) -> float:
            value = norm.pdf(z)
            for code, said in of:
                p = expit(log_odds[unit, code] + tau * z)
                present = np.prod([s if hit else 1 - s for hit in said])
                absent = np.prod([1 - t if hit else t for hit in said])
                value *= p * present + (1 - p) * absent
            return float(value)

        total += np.log(quad(density, -9, 9, epsabs=0, epsrel=1e-11, limit=400)[0])
    return float(total)


def test_the_likelihood_is_that_of_the_interviews_one_by_one() -> None:
    """With single and double coding, in draws from the prior and at a spread of 1.5."""
    studies = (talked(), other())
    cells = cells_of(*studies)
    model = interviews_model.build(cells, PRIORS, nodes=60)
    density = log_likelihood(model)
    of = readings(studies, cells)
    assert {len(said) for _, codes in of for _, said in codes} == {1, 2}
    given = model["given"].get_value()
    drawn = parameters(model, 4, 5)
    for at in range(4):
        one = drawn.isel(simulation=at)
        if at == 3:
            one = one.assign(interview_tau=1.5)
        want = direct(of, one)
        assert density(one, given) == pytest.approx(want, rel=1e-8)


def test_the_nodes_are_enough() -> None:
    """The error of the integral at shipped nodes, at the ends of what the prior allows."""
    studies = (talked(), other())
    cells = cells_of(*studies)
    few, many = (log_likelihood(interviews_model.build(cells, PRIORS, n)) for n in (15, 60))
    assert interviews_model.NODES == 15
    model = interviews_model.build(cells, PRIORS)
    given, drawn = model["given"].get_value(), parameters(model, 10, 6)
    for tau, limit in ((0.5, 1e-6), (1.0, 1e-4), (2.0, 0.05)):
        for at in range(10):
            one = drawn.isel(simulation=at).assign(interview_tau=tau)
            assert few(one, given) == pytest.approx(many(one, given), abs=limit)


def test_without_a_spread_of_interviews_it_is_the_model_of_codings() -> None:
    studies = (talked(), other())
    model = interviews_model.build(cells_of(*studies), PRIORS)
    main = codings_model.build(code_cells(studies, "strain", VOCABULARY), PRIORS)
    names = {v.name for v in model.free_RVs}
    assert names - {v.name for v in main.free_RVs} == {"interview_tau"}
    drawn = parameters(model, 5, 1).assign(interview_tau=("simulation", np.zeros(5)))
    found, want = (log_likelihood(one) for one in (model, main))
    for at in range(5):
        one = drawn.isel(simulation=at)
        assert found(one, model["given"].get_value()) == pytest.approx(
            want(one, main["given"].get_value()), rel=1e-9
        )


def patterns_of(interviews: int = 5, asked: int = 6, readings_of: int = 4) -> list[np.ndarray]:
    """Counts, patterns and nodes for the loop."""
    rng = np.random.default_rng(3)
    start = np.arange(interviews + 1) * readings_of
    of, what = np.arange(2 * asked) // 2, rng.integers(0, len(CODED), 2 * asked)
    part = np.concatenate([rng.permutation(2 * asked)[:readings_of] for _ in range(interviews)])
    return [start, part, of, what, *quadrature(9)]


@pytest.mark.parametrize("mode", ["NUMBA", pytensor.Mode("py", None)], ids=["numba", "python"])
def test_the_gradient_is_that_of_the_value(mode: object) -> None:
    rest, count = patterns_of(), np.array([1.0, 2.0, 0.0, 3.0, 1.0])
    rng = np.random.default_rng(4)
    at = [
        rng.normal(size=6), np.array(0.8), rng.uniform(0.1, 0.9, 5), rng.uniform(0.1, 0.9, 5),
    ]  # fmt: skip

    def value(*parts: pt.TensorVariable) -> pt.TensorVariable:
        return Patterns()(count, *parts, *rest)[0]

    verify_grad(value, at, rng=np.random.default_rng(5), mode=mode)


def test_an_interview_with_hundreds_of_codes_has_a_density() -> None:
    """A product of so many probabilities is zero in floating point; its logarithm is not."""
    n = 800
    zero = np.zeros(n, dtype=int)
    rest = [np.array([0, n]), np.arange(n), np.arange(n), zero, *quadrature(15)]
    a, b = np.full(5, 0.2), np.full(5, 0.1)
    out = [pt.as_tensor(v) for v in (np.ones(1), np.full(n, -3.0), np.array(1e-9), a, b)]
    value = pytensor.function([], Patterns()(*out, *rest)[0], mode=pytensor.Mode("py", None))
    p = expit(-3.0)
    assert float(value()) == pytest.approx(n * np.log(p * 0.2 + (1 - p) * 0.1), rel=1e-9)


# --- over interviews ------------------------------------------------------------------------------


def drawn_from_prior(cells: xr.Dataset, tau: float, draws: int = 3) -> xr.Dataset:
    found = parameters(interviews_model.build(cells, PRIORS), draws, 8)
    found = found.rename(simulation="draw").expand_dims("chain")
    return found.assign(interview_tau=(("chain", "draw"), np.full((1, draws), tau)))


def test_presence_and_contrasts_are_said_over_interviews() -> None:
    cells = cells_of(talked(), other())
    draws = drawn_from_prior(cells, 1.3)
    found = over_interviews(cells, draws)

    def share(log_odds: float) -> float:
        def at(z: float) -> float:
            return float(expit(log_odds + 1.3 * z) * norm.pdf(z))

        return float(quad(at, -9, 9, epsabs=1e-12)[0])

    within = draws["log_odds"].values
    for o, c in ((0, 0), (2, 1)):
        assert found["presence"].values[0, 1, o, c] == pytest.approx(share(within[0, 1, o, c]))
    c = list(cells.code.values).index("value_conflict")
    x, n = cells.x.values[:, 0], (cells.single.sum("reading") + cells.double.sum("agreement"))
    weight = n.values[:, c] * (x != 0)
    gamma = draws["gamma"].values[0, 2, c, 0]
    middle = np.average(within[0, 2, :, c] - gamma * x, weights=weight)
    want = logit(share(middle + gamma / 2)) - logit(share(middle - gamma / 2))
    assert found["gamma"].values[0, 2, c, 0] == pytest.approx(want, rel=1e-6)
    assert abs(want) < abs(gamma)


def test_where_interviews_do_not_differ_what_is_said_over_them_is_what_is_said_within() -> None:
    cells = cells_of(talked(), other())
    draws = drawn_from_prior(cells, 0.0)
    found = over_interviews(cells, draws)
    np.testing.assert_allclose(found["presence"], expit(draws["log_odds"]), rtol=1e-9)
    c = list(cells.code.values).index("value_conflict")
    np.testing.assert_allclose(found["gamma"][..., c, 0], draws["gamma"][..., c, 0], rtol=1e-7)


def test_its_contrasts_are_rows_of_its_own_variant_without_predictions() -> None:
    cells = cells_of(talked(), other())
    tree = xr.DataTree.from_dict({"posterior": drawn_from_prior(cells, 0.8)})
    table = contrasts(cells, tree).index
    assert set(table["variant"]) == {"interviews"}
    assert set(table["level"]) == {"population", "code", "arrangement"}
    assert set(table.loc[table["estimand"] == "effect", "metric"]) == {"log_odds", "probability"}


# --- as an analysis -------------------------------------------------------------------------------

CONFIG = {
    "vocabulary": "config/vocabulary.yaml",
    "data": "data/raw",
    "studies": "all",
    "modules": "all",
}


def test_it_is_fitted_where_the_configuration_lists_a_module_of_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    found = config.discover(CONFIG | {"sensitivity": {"interviews": ["strain"]}})
    fit = found.fits["strain-interviews"]
    assert (fit.module, fit.variant, fit.model) == ("strain", "interviews", "interviews")
    with pytest.raises(BadInput, match="a module with interviews: strain"):
        config.discover(CONFIG | {"sensitivity": {"interviews": ["threat"]}})


def test_it_is_a_kind_of_model_with_the_design_of_codings() -> None:
    kind: Any = MODELS["interviews"]
    cells = cells_of(talked(), other())
    assert kind.design(cells).components == MODELS["codings"].design(cells).components
    prior: Callable[..., Any] = kind.prior_of
    assert prior(PRIORS, "interview_tau") == PRIORS["tau_logit"]
    assert json.loads(cells.attrs["studies"]).keys() == {"talks", "other"}
