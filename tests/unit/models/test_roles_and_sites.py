"""Settings by role, estimands and families of outcomes, and sites that vary wherever they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized.study import Study
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design, clustered, estimands, families
from metastudy.models.answers.kind import covered, pools_outcomes
from metastudy.models.base import NOT_STATED
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.design import levels_of_codes, organisation_design
from metastudy.models.codings.estimates import blocks
from metastudy.models.codings.kind import covered as covered_codes
from metastudy.models.codings.kind import population_effects
from metastudy.models.codings.roles import role_terms, slopes
from metastudy.models.prior_simulation import parameters
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts

JOB, QUALITY = "threat_job", "threat_quality"
TASK, DEGREE = "task_type_randomised", "involvement_degree_randomised"
ROLES = ["professional", "citizen_coproducer"]
MODE = pytensor.Mode("py", "fast_compile")
PRIORS = priors_of(
    {
        "baseline": 1.0,
        "effect": 0.5,
        "tau": 0.3,
        "outcomes": 0.2,
        "sigma": 0.5,
        "correlation": 2.0,
        "prevalence": 1.5,
        "effect_logit": 1.0,
        "tau_logit": 0.5,
        "accuracy_a": 6.0,
        "accuracy_b": 2.0,
    }
)


def cells_of(*studies: Study) -> xr.Dataset:
    return answer_cells(studies, "threat", VOCABULARY)


def one(name: str, n: int, seed: int, **more: Any) -> Study:
    return experiment(name, n, seed, **{"outcomes": [JOB], **more})[0]


# --- role -----------------------------------------------------------------------------------------


def test_a_questionnaire_that_two_roles_answered_gives_two_settings_and_means_by_role() -> None:
    study = one("both", 120, 1, role=ROLES * 60)
    cells = cells_of(study)
    assert set(cells.setting.values) == {f"both:{role}" for role in ROLES}
    assert set(cells.role.values) == set(ROLES)
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    assert np.bincount(setting, cells.n.values).tolist() == [60, 60]
    table = estimands(cells)
    assert set(table.index) == {
        f"{exposure}, {JOB}, {role}" for exposure in (TASK, DEGREE) for role in ROLES
    }
    design = answer_design(cells)
    means = np.array([*design.means, ""])[design.mean_of].reshape(2, 2, 1)
    for j, role in enumerate(cells.role.values):
        assert means[j, :, 0].tolist() == [
            f"{name}, {JOB}, {role}" for name in cells.exposure.values
        ]
    assert design.components == (), "the roles' own means take up all that two settings differ by"


def test_each_role_is_centred_at_its_own_reference_mean() -> None:
    role = np.array(ROLES)[np.arange(120) % 2]
    study = one("both", 120, 1, role=list(role))
    measurements = study.measurements.assign(
        value_pomp=study.measurements["value_pomp"] + 30 * (role == ROLES[1])
    )
    plain, moved = cells_of(study), cells_of(study.with_tables(measurements=measurements))
    for name in ("xx", "xy", "yy", "scale"):
        np.testing.assert_allclose(plain[name], moved[name], atol=1e-9, err_msg=name)
    shift = (moved.centre - plain.centre).values[:, 0]
    np.testing.assert_allclose(shift, 30 * (plain.role.values == ROLES[1]))


def test_roles_share_their_spreads() -> None:
    """Three countries with both roles in each: one component of countries for all of them."""
    studies = [
        one(f"s{k}", 60, k, role=ROLES * 30, country=country)
        for k, country in enumerate(("DK", "FI", "US"))
    ]
    cells = cells_of(*studies)
    design = answer_design(cells)
    assert design.totals == (f"{TASK}, {JOB}", f"{DEGREE}, {JOB}")
    mine = [name for name in design.levels if name.startswith(TASK)]
    assert mine[:3] == [f"{TASK} study+country, {JOB}: s{k}" for k in range(3)]
    assert len(mine) == 3 + 6, "and each setting has its residual"
    assert [name for name in design.components if TASK in name] == [
        *(f"{TASK} study+country, {JOB}", f"{TASK} setting, {JOB}")
    ]


def test_a_study_without_roles_is_not_stated_and_pools_with_no_other() -> None:
    cells = cells_of(one("a", 40, 1, role=None), one("b", 40, 2))
    role = dict(zip(cells.study.values, cells.role.values, strict=True))
    assert role == {"a": NOT_STATED, "b": "professional"}
    assert NOT_STATED == "not_stated"
    assert set(estimands(cells)["role"]) == {NOT_STATED, "professional"}
    assert len(estimands(cells)) == 4


def test_an_effect_on_people_of_a_role_needs_rows_of_that_role() -> None:
    cells = cells_of(one("a", 40, 1, role=ROLES[0]), one("b", 40, 2, role=ROLES[1]))
    has = covered(cells)
    assert has.values.all()
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    here = cells.study.values[setting] == "a"
    rest = cells.assign({n: cells[n] * xr.DataArray(~here, dims="cell") for n in ("n", "xx")})
    left = covered(rest)
    assert dict(zip(left.role.values, left.values, strict=True)) == {
        ROLES[0]: False,
        ROLES[1]: True,
    }


# --- families of outcomes -------------------------------------------------------------------------


def test_an_outcome_that_no_study_of_an_exposure_asked_for_has_no_effect_of_it() -> None:
    """One study has only the first factor and only the second outcome."""
    other = one("other", 30, 2, outcomes=["work_motivation"])
    report = {**other.report, "exposures": other.report["exposures"][:1]}
    cells = cells_of(one("all", 40, 1), replace(other, report=report))
    pairs = set(zip(estimands(cells)["exposure"], estimands(cells)["outcome"], strict=True))
    assert pairs == {(TASK, JOB), (DEGREE, JOB), (TASK, "work_motivation")}


def test_outcomes_of_a_family_are_pooled_by_exposure_and_role_and_one_alone_is_not() -> None:
    outcomes = [QUALITY, JOB]
    cells = cells_of(
        one("a", 40, 1, outcomes=outcomes), one("b", 40, 2, outcomes=[JOB], role=ROLES[1])
    )
    found = families(estimands(cells))
    both = {
        f"{exposure}, {outcome}, {ROLES[0]}": f"{exposure}, perceived_threat, {ROLES[0]}"
        for exposure in (TASK, DEGREE)
        for outcome in outcomes
    }
    assert found.to_dict() == both | {f"{e}, {JOB}, {ROLES[1]}": "" for e in (TASK, DEGREE)}
    assert pools_outcomes(cells)
    assert not pools_outcomes(cells_of(one("a", 40, 1)))


@pytest.mark.parametrize("directed", [True, False], ids=["one way", "no direction"])
def test_outcomes_that_point_one_way_share_a_mean_and_others_are_around_zero(
    directed: bool,
) -> None:
    """Prior covariance of two outcomes: 0.5 squared where they share a mean, else zero."""
    cells = cells_of(one("a", 40, 1, outcomes=[QUALITY, JOB]))
    sign = [1, -1] if directed else [0, 0]
    cells = cells.assign(family_sign=("construct", sign))
    model = answers_model.build(cells, PRIORS)
    mu = pm.draw(model["mu"], 6000, random_seed=2, mode=MODE)
    names = list(model.coords["estimand"])
    one_, other = (
        mu[:, names.index(f"{TASK}, {construct}, professional")]
        for construct in cells.construct.values
    )
    error = 4 * np.var(one_) / np.sqrt(6000)
    assert np.mean(one_ * other) == pytest.approx(-(0.5**2) if directed else 0.0, abs=error)
    assert np.var(one_) == pytest.approx(0.2**2 + 0.5**2 * directed, rel=0.1)


def test_outcomes_apart_have_one_prior_each_as_wide_as_what_is_given() -> None:
    from metastudy.models.data_vector import pack

    cells = cells_of(one("a", 40, 1, outcomes=[QUALITY, JOB]))
    model = answers_model.build(cells, PRIORS)
    model["given"].set_value(pack(cells, PRIORS, fixed_outcomes=0.7))
    mu = pm.draw(model["mu"], 6000, random_seed=2, mode=MODE)
    np.testing.assert_allclose(np.cov(mu.T), 0.49 * np.eye(4), atol=4 * 0.49 / np.sqrt(6000))


# --- sites ----------------------------------------------------------------------------------------


def with_sites(name: str, sites: list[str | None], seed: int, **more: Any) -> Study:
    """A study whose people are at these sites in turn."""
    study = one(name, 40, seed, **more)
    org = np.resize(np.array(sites, dtype=object), 40)
    return study.with_tables(respondents=study.respondents.assign(org_id=org))


def test_sites_vary_in_settings_of_one_site_where_another_has_two() -> None:
    studies = [
        with_sites("two", ["two-1", "two-2"], 1),
        with_sites("one", ["one-1"], 2, country="FI"),
        with_sites("none", [None], 3, country="US"),
    ]
    cells = cells_of(*studies)
    assert set(cells.site.values[clustered(cells)]) == {"two-1", "two-2", "one-1"}
    assert dict(zip(cells.study.values, cells.sited.values, strict=True)) == {
        "two": 1,
        "one": 1,
        "none": 0,
    }
    model = answers_model.build(cells, PRIORS)
    assert "site_tau" in {v.name for v in model.free_RVs}


def test_where_no_setting_has_two_sites_they_are_their_settings() -> None:
    studies = [with_sites(f"s{k}", [f"org-{k}"], k, country=c) for k, c in enumerate(("DK", "FI"))]
    cells = cells_of(*studies)
    assert len(clustered(cells)) == 0
    assert "site_tau" not in {v.name for v in answers_model.build(cells, PRIORS).free_RVs}


def test_a_setting_has_sites_if_anybody_in_it_has_one() -> None:
    """In one country they were written down, in the other they were not."""
    study = one("a", 40, 1, country=["DK", "FI"] * 20)
    org = np.resize(np.array(["org-1", None, "org-2", None], dtype=object), 40)
    cells = cells_of(study.with_tables(respondents=study.respondents.assign(org_id=org)))
    sited = dict(zip(cells.country.values, cells.sited.values, strict=True))
    assert sited == {"DK": 1, "FI": 0}
    assert set(cells.site.values[clustered(cells)]) == {"org-1", "org-2"}


# --- codings: prior of presence between units -----------------------------------------------------


def test_codes_of_a_family_move_together_and_each_by_itself() -> None:
    """In the prior two codes of one unit share its country's shift, and not their own parts."""
    codes = ["role_change", "uncertainty"]
    country = ["DK", "DK", "FI", "FI", "US", "US"]
    talks = [(f"org-{k}", {"coder-1": []}) for k in range(6)]
    cells = code_cells(
        [coding_study("talks", talks, codes, country=country, sector=["social_care"] * 6)],
        "strain",
        VOCABULARY,
    )
    design = organisation_design(cells)
    assert design.components == ("country",)
    level, code = levels_of_codes(cells)
    assert sorted(zip(level, code, strict=True)) == [(t, c) for t in range(3) for c in range(2)]
    model = codings_model.build(cells, PRIORS)
    wanted = ("level", "own", "tau", "own_tau")
    values = pm.draw([model[name] for name in wanted], 4000, random_seed=1, mode=MODE)
    drawn = dict(zip(wanted, values, strict=True))
    own = drawn["own"].reshape(4000, -1) / drawn["own_tau"]
    np.testing.assert_allclose(np.cov(own.T), np.eye(6), atol=0.1)
    shift = drawn["level"][..., 0] / drawn["tau"]
    np.testing.assert_allclose(np.cov(shift.T), np.eye(3), atol=0.1)


def test_prevalence_is_said_of_the_units_at_hand_and_the_population_follows() -> None:
    """The sampled mean is that of the readings; taking the levels away gives the population's."""
    codes = ["role_change", "uncertainty"]
    talks = [(f"org-{k}", {"coder-1": []}) for k in (0, 0, 0, 1, 2, 3)]
    country = ["DK", "DK", "DK", "FI", "US", "US"]
    cells = code_cells(
        [coding_study("talks", talks, codes, country=country, sector=["social_care"] * 6)],
        "strain",
        VOCABULARY,
    )
    model = codings_model.build(cells, PRIORS)
    here, population, level = pm.draw(
        [model[n] for n in ("prevalence_here", "prevalence", "level")], 50, random_seed=1, mode=MODE
    )
    place = pd.Series([str(n).split(": ")[1] for n in model.coords["level_of"]])
    share = place.map({"DK": 3 / 6, "FI": 1 / 6, "US": 2 / 6}).to_numpy()
    np.testing.assert_allclose(here - population, (level[..., 0] @ share)[:, None])


# --- codings: roles -------------------------------------------------------------------------------

CODES = ["role_change", "uncertainty", "management_support"]
ARRANGEMENT = {"attribute": "arrangement", "type": "organisational"}
ROLE = {"attribute": "role", "type": "measured"}


def talks(
    name: str,
    roles: list[str | None],
    exposures: Sequence[dict[str, str]] = (),
    kinds: list[str] | None = None,
    **more: Any,
) -> Study:
    """A study of interviews with people of these roles, two in each organisation."""
    rng = np.random.default_rng(len(roles))
    said = [
        (f"{name}-org-{k // 2}", {"coder-1": [c for c in CODES if rng.random() < 0.5]})
        for k in range(len(roles))
    ]
    own = {"arrangement": kinds} if kinds else {}
    return coding_study(name, said, CODES, exposures, role=roles, **own, **more)


def coded(*studies: Study) -> xr.Dataset:
    return code_cells(studies, "strain", VOCABULARY)


SIDES = ["org_mission", "org_mission", "state_policy", "state_policy"] * 2


def test_with_one_role_the_model_of_codings_has_no_term_for_it() -> None:
    """And its contrasts are those of the exposures, one each."""
    cells = coded(talks("a", ["professional"] * 8, [ARRANGEMENT], SIDES))
    assert role_terms(cells)[0] == []
    of = slopes(cells)
    assert of.label == ("arrangement_organisational",)
    assert of.role == ("professional",)
    np.testing.assert_array_equal(of.x, cells.x)
    assert not {"role_mean", "role_tau"} & {
        v.name for v in codings_model.build(cells, PRIORS).free_RVs
    }


def test_a_role_that_one_study_has_and_the_other_has_not_has_a_mean_of_its_own() -> None:
    """What the studies differ by is the roles', and no variance of studies is left."""
    cells = coded(
        talks("a", ["professional"] * 6), talks("b", ["politician"] * 4, country=["FI"] * 4)
    )
    names, own = role_terms(cells)
    assert names == ["politician"], "the others' mean is that of the role of most units"
    np.testing.assert_array_equal(own[:, 0], cells.role.values == "politician")
    assert organisation_design(cells).components == ()
    one_role = coded(
        talks("a", ["professional"] * 6), talks("b", ["professional"] * 4, country=["FI"] * 4)
    )
    assert organisation_design(one_role).components == ("study+country",)


def test_roles_of_two_studies_do_not_pool() -> None:
    """In the prior their prevalences of a code share less than those of two studies of one role."""

    def correlation(role: str) -> float:
        cells = coded(talks("a", ["professional"] * 2), talks("b", [role] * 2))
        model = codings_model.build(cells, PRIORS)
        presence = pm.draw(model["presence"], draws, random_seed=3, mode=MODE)[:, :, 0]
        return float(np.corrcoef(np.log(presence / (1 - presence)).T)[0, 1])

    draws = 3000
    apart, same = correlation("politician"), correlation("professional")
    error = np.hypot(1 - apart**2, 1 - same**2) / np.sqrt(draws)
    assert apart < same - 5 * error


def test_roles_that_a_study_compares_are_told_apart_by_it_and_a_third_by_its_own_mean() -> None:
    cells = coded(
        talks("a", ["professional", "citizen_coproducer"] * 3, [ROLE]),
        talks("b", ["politician"] * 2),
    )
    assert role_terms(cells)[0] == ["politician"]
    of = slopes(cells)
    assert of.label == ("role_measured",)
    assert of.role == ("citizen_coproducer + professional",)
    assert not of.split


def test_a_study_of_codings_without_roles_is_not_stated_and_pools_with_no_other() -> None:
    cells = coded(talks("a", [None] * 2), talks("b", ["professional"] * 4))
    role = dict(zip(cells.study.values, cells.role.values, strict=True))
    assert role == {"a": NOT_STATED, "b": "professional"}
    assert role_terms(cells)[0] == [NOT_STATED]


def two_roles() -> xr.Dataset:
    """Both roles were interviewed on both sides of an arrangement, in studies of their own."""
    return coded(
        talks("a", ["professional"] * 8, [ARRANGEMENT], SIDES),
        talks("b", ["citizen_coproducer"] * 8, [ARRANGEMENT], SIDES, country=["FI"] * 8),
    )


def test_each_role_has_its_own_contrast_of_an_exposure_and_they_share_the_spread_of_codes() -> None:
    cells = two_roles()
    of = slopes(cells)
    label = "arrangement_organisational"
    assert of.label == tuple(f"{label}, {role}" for role in sorted(ROLES))
    assert of.role == tuple(sorted(ROLES))
    for at, role in enumerate(of.role):
        own = cells.role.values == role
        np.testing.assert_array_equal(of.x[:, at], np.where(own, cells.x.values[:, 0], 0))
    model = codings_model.build(cells, PRIORS)
    assert list(model.coords["exposure"]) == list(of.label)
    assert list(model.coords["of_exposure"]) == [label]
    mu, gamma, tau = pm.draw(
        [model[n] for n in ("contrast", "gamma", "code_tau")], 4000, random_seed=1, mode=MODE
    )
    assert mu.shape[1:] == (2, 2)
    assert tau.shape[1:] == (1,)
    assert abs(np.corrcoef(mu[:, 0].T)[0, 1]) < 4 / np.sqrt(4000), "no role's mean says another's"
    apart = (gamma[:, :2] - mu[:, [0]]) / tau[:, :, None]
    np.testing.assert_allclose(apart.std(axis=0), 1, atol=0.05)


def test_contrasts_of_codings_are_by_role_and_what_roles_differ_by_is_a_row_of_its_own() -> None:
    cells = two_roles()
    draws = parameters(codings_model.build(cells, PRIORS), 40, 2)
    tree = xr.DataTree.from_dict(
        {"posterior": draws.rename(simulation="draw").expand_dims("chain")}
    )
    found = contrasts(cells, tree)
    table = found.index
    effects = table[table["estimand"] == "effect"]
    assert set(effects["role"]) == set(ROLES), "no mean over roles"
    assert not effects.duplicated(["outcome", "level", "metric", "role"]).any()
    levels = table[(table["estimand"] == "mean") & (table["level"] == "population")]
    assert set(levels["role"]) == set(ROLES)
    apart = table[table["estimand"] == "difference"]
    assert set(apart["level"]) == {"role"}
    assert set(zip(apart["role"], apart["against"], strict=True)) == {tuple(sorted(ROLES))}
    assert set(apart["note"]) == {"other studies"}, "nothing is claimed of it"
    value = found.draws.sel(contrast=list(apart["id"])).isel(chain=0)
    mean = population_effects(tree["posterior"].to_dataset(), cells).isel(chain=0)
    for at, outcome in enumerate(apart["outcome"]):
        one, other = (
            mean.values[:, (mean.outcome.values == outcome) & (mean.role.values == role)]
            for role in sorted(ROLES)
        )
        np.testing.assert_allclose(value.isel(contrast=at), (one - other)[:, 0])
    assert covered_codes(cells).values.all()


def test_a_studys_own_estimates_of_codings_are_by_role() -> None:
    cells = two_roles()
    rows = pd.concat([table for table, _ in blocks(cells, VOCABULARY)])
    assert set(zip(rows["study"], rows["role"], strict=True)) == {
        ("a", "professional"),
        ("b", "citizen_coproducer"),
    }
    assert set(rows["exposure"]) == {"arrangement_organisational"}


def test_the_mean_of_a_family_is_that_of_its_codes_and_the_hyper_mean_is_called_so() -> None:
    cells = coded(talks("a", ["professional"] * 8, [ARRANGEMENT], SIDES))
    draws = parameters(codings_model.build(cells, PRIORS), 30, 2)
    draws = draws.rename(simulation="draw").expand_dims("chain")
    found = contrasts(cells, xr.DataTree.from_dict({"posterior": draws}))
    rows = found.index[found.index["estimand"].eq("effect") & found.index["metric"].eq("log_odds")]
    value = {
        (row.level, row.outcome): found.draws.sel(contrast=row.id).values
        for row in rows.itertuples()
    }
    gamma = draws["gamma"].isel(exposure=0)
    np.testing.assert_allclose(
        value["population", "strain_coded"], gamma.sel(code=CODES[:2]).mean("code")
    )
    np.testing.assert_allclose(
        value["hyper_mean", "strain_coded"], draws["contrast"].values[..., 0, 0]
    )
    effects = population_effects(draws, cells)
    np.testing.assert_allclose(effects.values[..., 0], value["population", "strain_coded"])
