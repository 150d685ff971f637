"""Refits: what is left out, what still has data, and how far an effect moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.common.result_tables import checked
from metastudy.harmonized.study import Study
from metastudy.inference.refit_gates import converged, missed
from metastudy.model_checks.leave_group_out import (
    FIXED,
    refits,
    rows_left_out,
    speaks_of,
    without,
)
from metastudy.model_checks.power_scaling import power_scaling
from metastudy.model_checks.refits import _about, summary
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import estimands
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import NOT_FIXED
from metastudy.models.prior_widths import VARIANTS
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of

OVER = ("chain", "draw")
SCALES = {"tau": 0.3, "tau_logit": 0.5, "effect": 0.5, "effect_logit": 1.0, "sigma": 2.0}
PRIORS = priors_of(SCALES)
CODES = ["role_change", "uncertainty", "empowered_citizens"]


def answers() -> xr.Dataset:
    """Two studies in two countries; the first has three sites, and the second one exposure more."""
    first, _ = experiment("a", 60, 1, sites=3, outcomes=["threat_quality"])
    second, _ = experiment("b", 40, 2, sites=1, outcomes=["threat_quality"], country="FI")
    first.report["exposures"] = first.report["exposures"][:1]
    return answer_cells([first, second], "threat", VOCABULARY)


def interviews() -> Study:
    talks = [
        ("org-a", {"coder-1": CODES[:2], "coder-2": CODES[:1]}),
        ("org-a", {"coder-1": []}),
        ("org-b", {"coder-1": CODES}),
        ("org-c", {"coder-1": CODES[1:]}),
    ]
    arrangement = ["org_mission", "org_mission", "state_policy", "state_policy"]
    exposure = [{"attribute": "arrangement", "type": "organisational"}]
    return coding_study("talks", talks, CODES, exposure, arrangement=arrangement)


def covered(cells: xr.Dataset) -> xr.DataArray:
    return model_of(cells).covered(cells)


def test_every_group_is_left_out_once() -> None:
    found = [(one.kind, one.group) for one in refits(answers(), PRIORS, ["tau", "effect"])]
    assert found == [
        *[("without_study", "a"), ("without_study", "b")],
        *[("without_country", "DK"), ("without_country", "FI")],
        *[("without_sector", only) for only in sorted(set(answers().sector.values))],
        *[("without_organisation", f"a-org-{i}") for i in range(3)],
        *[("prior", f"{k}_{v}") for k in ("tau", "effect", "all") for v in ("half", "double")],
        *[("pooling", "pooled"), ("pooling", "unpooled")],
    ], "the second study is one organisation"


def test_leaving_out_a_group_takes_its_rows_and_no_others() -> None:
    cells = answers()
    rest = without(cells, "country", "FI")
    gone = (model_of(cells).places(cells)["country"] == "FI").to_numpy()
    assert gone.any()
    for name in ("n", "xx", "xy", "yy"):
        assert not rest[name].values[gone].any()
        np.testing.assert_array_equal(rest[name].values[~gone], cells[name].values[~gone])
    assert rows_left_out(cells, rest) == pytest.approx(0.4)
    assert rows_left_out(cells, cells) == 0


def test_an_organisation_of_interviews_is_left_out_with_both_of_its_coders() -> None:
    cells = code_cells([interviews()], "strain", VOCABULARY)
    rest = without(cells, "organisation", "org-a")
    assert rest.double.values.sum() == 0
    assert rest.single.values.sum() == 2 * len(CODES)
    assert rows_left_out(cells, rest) == pytest.approx(0.5)


def test_an_effect_that_has_lost_its_data_is_known_as_its_prior() -> None:
    cells = answers()
    both, one = list(cells.exposure.values)
    assert covered(cells).values.all()
    rest = covered(without(cells, "study", "b"))
    left = dict(zip(rest.exposure.values, rest.values, strict=True))
    assert left == {both: True, one: False}, "only b has the other one"
    assert set(rest.outcome.values) == {"threat_quality"}
    assert set(rest.role.values) == {"professional"}
    coded = code_cells([interviews()], "strain", VOCABULARY)
    assert covered(coded).values.all()
    assert not covered(without(coded, "organisation", "org-a")).values.any(), "one side is empty"


def test_prior_variants_scale_one_prior_or_all_of_them_and_nothing_else() -> None:
    keys = ["tau", "effect", "sigma"]
    found = {one.group: one for one in refits(answers(), PRIORS, keys)}
    assert found["tau_half"].priors == priors_of(SCALES | {"tau": 0.15})
    assert found["effect_double"].priors == priors_of(SCALES | {"effect": 1.0})
    twice = {name: 2 * SCALES[name] for name in keys}
    assert found["all_double"].priors == priors_of(SCALES | twice), "not those of other models"
    assert found["pooled"].fixed_tau == pytest.approx(FIXED["pooled"] * SCALES["effect"])
    assert found["unpooled"].fixed_tau == SCALES["effect"]
    assert found["a"].fixed_tau == NOT_FIXED
    varied = [name for name in found if name.endswith(tuple(f"_{v}" for v in VARIANTS))]
    assert all(one.priors is PRIORS for name, one in found.items() if name not in varied)


def test_a_group_is_left_out_for_the_effects_that_it_has_data_about() -> None:
    cells = answers()
    both, _ = cells.exposure.values
    effects = covered(cells)
    for study, about in (("a", {both}), ("b", set(cells.exposure.values))):
        mine = speaks_of(cells, "study", study)
        assert set(effects.exposure.values[mine]) == about
    one = next(r for r in refits(cells, PRIORS, ["tau"]) if r.group == "b")
    counted, rests = _about(model_of(cells), cells, one, effects)
    assert list(effects.exposure.values[counted]) == [both]
    assert list(effects.exposure.values[rests]) == [cells.exposure.values[1]], "only b has it"
    sector = next(r for r in refits(cells, PRIORS, ["tau"]) if r.kind == "without_sector")
    counted, rests = _about(model_of(cells), cells, sector, effects)
    assert not counted.any()
    assert rests.all(), "both rest on the one sector there is"
    coded = code_cells([interviews()], "strain", VOCABULARY)
    assert speaks_of(coded, "organisation", "org-a").any(), "one side of a contrast is enough"


def test_chains_apart_few_draws_and_divergences_are_each_a_missed_gate() -> None:
    gates = {"rhat": 1.02, "ess_bulk": 200, "ess_tail": 200, "divergences": 0}
    good = effects(0.1, 3).drop_vars(["exposure", "outcome", "role"])
    assert missed(converged(good), 0, gates) == ""
    apart = good + xr.DataArray([0.0, 0.1], dims="chain")
    assert "R-hat" in missed(converged(apart), 0, gates)
    slow = good.isel(draw=np.repeat(np.arange(50), 10))
    assert "bulk ESS" in missed(converged(slow), 0, gates)
    assert missed(converged(good), 2, gates) == "2 divergences (gate 0)"


def test_outcomes_of_a_family_are_set_apart_in_a_refit_of_their_own() -> None:
    """Around zero, as wide as the prior of an effect; the variants scale that of the family."""
    study, _ = experiment("a", 60, 1, outcomes=["threat_quality", "threat_job"])
    cells = answer_cells([study], "threat", VOCABULARY)
    priors = priors_of(SCALES | {"outcomes": 0.3})
    found = {(one.kind, one.group): one for one in refits(cells, priors, ["outcomes"])}
    apart = found["outcomes", "apart"]
    assert apart.fixed_outcomes == SCALES["effect"]
    assert apart.fixed_tau == NOT_FIXED
    assert apart.cells is cells
    assert found["prior", "outcomes_double"].priors["outcomes"].scale == pytest.approx(0.6)
    others = [one for key, one in found.items() if key != ("outcomes", "apart")]
    assert {one.fixed_outcomes for one in others} == {NOT_FIXED}
    one_outcome = [one.kind for one in refits(answers(), priors, ["tau"])]
    assert "outcomes" not in one_outcome, "nothing is pooled there"


def effects(mean: float, seed: int) -> xr.DataArray:
    draws = mean + 0.1 * np.random.default_rng(seed).standard_normal((2, 500, 2))
    coords = {
        "exposure": ("effect", ["x", "x"]),
        "outcome": ("effect", ["one", "two"]),
        "role": ("effect", ["professional", "professional"]),
    }
    return xr.DataArray(draws, coords, ("chain", "draw", "effect"))


def test_a_shift_is_in_posterior_standard_deviations_of_the_whole_fit() -> None:
    has_data = xr.DataArray([True, False], dims="effect")
    table = summary(effects(0.3, 1), effects(0.1, 2), has_data, 0.95, 0.25)
    assert list(table["outcome"]) == ["one"]
    row = table.iloc[0]
    assert (row["exposure"], row["role"]) == ("x", "professional")
    assert row["shift"] == pytest.approx(2, abs=0.2)
    assert row["mean"] == pytest.approx(0.3, abs=0.02)
    assert (row["lower"], row["upper"]) == pytest.approx((0.104, 0.496), abs=0.03)
    assert row["pd"] > 0.99
    assert row["rhat"] < 1.02
    # A normal of 0.3 and 0.1 is above 0.25 with a probability of 0.69, and nowhere below -0.25.
    assert row["above"] == pytest.approx(0.69, abs=0.05)
    assert row["below"] == 0
    assert row["above"] + row["rope"] == pytest.approx(1)


def test_a_refit_that_says_nothing_of_any_effect_has_no_rows_and_the_same_columns() -> None:
    """Without the only country on one side of the only exposure, for instance."""
    whole, none = effects(0.1, 2), xr.DataArray([False] * 2, dims="effect")
    some = summary(whole, whole, ~none, 0.95, 0.25)
    empty = summary(whole, whole, none, 0.95, 0.25)
    assert empty.empty
    assert set(empty) == set(some)
    joined = pd.concat([empty, some], ignore_index=True)
    assert joined.dtypes.to_dict() == some[list(joined)].dtypes.to_dict()


@pytest.mark.parametrize("strong", ["prior", "likelihood"])
def test_power_scaling_tells_what_the_posterior_leans_on(strong: str) -> None:
    """A normal mean: precision 1 of the one part and 0.01 of the other, known in closed form."""
    cells = answers()
    names = list(estimands(cells).index)
    mu = np.random.default_rng(3).standard_normal((4, 1000, len(names))) + 2
    wide, narrow = -0.005 * ((mu - 2) ** 2).sum(2), -0.5 * ((mu - 2) ** 2).sum(2)
    prior, likelihood = (narrow, wide) if strong == "prior" else (wide, narrow)
    posterior = xr.Dataset(
        {"mu": (("chain", "draw", "estimand"), mu), "log_likelihood": (OVER, likelihood)},
        {"estimand": names},
    )
    none = np.zeros_like(prior)  # of a flat prior
    slight = 1e-3 * np.random.default_rng(4).standard_normal(prior.shape)
    scaled = xr.Dataset({"tau": (OVER, slight), "lkj": (OVER, none), "effect": (OVER, prior)})
    table = checked("power", power_scaling(cells, posterior, scaled))
    assert set(table["key"]) == {"effect"}
    np.testing.assert_allclose(table["by_key"], table["prior"], rtol=0.05)
    other = {"prior": "likelihood", "likelihood": "prior"}[strong]
    assert len(table) == len(names)
    assert (table[strong] > 10 * table[other]).all()
    assert set(table["diagnosis"]) == ({"strong_prior"} if strong == "prior" else {""})
