"""From rows to cells: every number by hand, and no number lost on the way."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.hand_made import answer_study, coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.standard_units import in_standard_units
from metastudy.common.problems import BadInput
from metastudy.harmonized.scale_scores import scores
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import observed
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.readings import first_readings, interviews, studies_of_codes

TASK = [{"factor": "task_type", "type": "randomised"}]
WORK = "volunteers_at_work"
NAN = math.nan


def cells_of(*studies, module: str = "threat") -> xr.Dataset:
    return answer_cells(studies, module, VOCABULARY)


def totals(cells: xr.Dataset, name: str) -> np.ndarray:
    return cells[name].sum("cell").values


# Six people; the reference arm (the first three) has mean 20. Within both arms the squares sum to
# 400 with three degrees of freedom, of which Hedges' correction is 1 - 3 / (4 * 3 - 1) = 8 / 11.
QUALITY = [10.0, 20.0, 30.0, 40.0, 60.0, NAN]
ARM = ["complementary"] * 3 + ["core"] * 3
SCALE = math.sqrt(400 / 3) * 11 / 8


def small(quality: list[float] = QUALITY, arm: list[str | None] = ARM, **more):
    answers = {("threat_quality", WORK): quality}
    return answer_study("small", answers, {"task_type": arm}, ["threat_quality"], TASK, **more)


# --- answers -------------------------------------------------------------------------------------


def test_an_outcome_is_in_standard_deviations_within_arms_around_the_reference_mean() -> None:
    cells = cells_of(small())
    assert cells.centre.values.tolist() == [[20.0]]
    assert cells.scale.item() == pytest.approx(SCALE)
    assert cells.scale_df.item() == 3
    assert cells.scale_of_all_arms.item(), "two degrees of freedom in the reference arm are too few"
    standard = np.array([-10, 0, 10, 20, 40]) / SCALE
    np.testing.assert_allclose(totals(cells, "yy"), [[standard @ standard]])


def test_a_factor_of_two_levels_is_coded_minus_and_plus_one_half() -> None:
    cells = cells_of(small())
    assert cells.coefficient.values.tolist() == ["intercept", "task_type_randomised"]
    np.testing.assert_allclose(totals(cells, "xx"), [[5, -0.5], [-0.5, 1.25]])
    want = np.array([[60], [0.5 * (20 + 40) - 0.5 * (-10 + 0 + 10)]])
    np.testing.assert_allclose(totals(cells, "xy"), want / SCALE)


def test_who_answers_no_outcome_or_has_no_condition_is_counted_and_left_out() -> None:
    arm: list[str | None] = ["complementary", "complementary", None, "core", "core", "core"]
    cells = cells_of(small(arm=arm))
    dropped = {d["rule"]: d["rows"] for d in json.loads(cells.attrs["dropped"])}
    assert dropped == {"exposure_missing": 1, "no_outcome_scored": 1}
    assert totals(cells, "n") == 4 == len(QUALITY) - sum(dropped.values())
    assert cells.centre.item() == 15.0, "who is left out is not in the reference group either"


def test_a_score_needs_two_thirds_of_its_items() -> None:
    items = pd.DataFrame(
        {
            "study_id": "s",
            "respondent_id": np.repeat(["a", "b", "c"], 3),
            "vignette": None,
            "construct": "threat_job",
            "value_pomp": [10, 20, 60, 10, 40, NAN, 10, NAN, NAN],
        }
    )
    assert scores(items)["score"].fillna(-1).tolist() == [30.0, 25.0, -1.0]


def test_a_measured_trait_is_in_standard_deviations_within_the_setting() -> None:
    trait, rating = [10.0, 30.0, 50.0, 70.0], [1.0, 5.0, 2.0, 8.0]
    study = answer_study(
        "small",
        {("self_efficacy", None): trait, ("coping_balancing", "inclusion_vs_quality"): rating},
        {},
        ["coping_balancing"],
        [{"construct": "self_efficacy", "type": "measured"}],
    )
    cells = cells_of(study, module="coping")
    assert cells.exposure.values.tolist() == ["self_efficacy_measured"]
    assert cells.exposure_type.values.tolist() == ["measured"]
    x = (np.array(trait) - 40) / np.std(trait, ddof=1)
    y = (np.array(rating) - 4) / np.std(rating, ddof=1) * 8 / 11  # three degrees of freedom
    np.testing.assert_allclose(totals(cells, "xx"), [[4, 0], [0, 3]], atol=1e-12)
    np.testing.assert_allclose(totals(cells, "xy"), [[0], [x @ y]], atol=1e-12)


def test_a_randomised_and_a_measured_exposure_of_one_name_are_two() -> None:
    rng = np.random.default_rng(0)
    outcome = {("coping_balancing", "inclusion_vs_quality"): rng.random(8) * 100}
    measured = answer_study(
        "survey",
        {**outcome, ("external_efficacy", None): rng.random(8) * 100},
        {},
        ["coping_balancing"],
        [{"construct": "external_efficacy", "type": "measured"}],
    )
    randomised = answer_study(
        "trial",
        outcome,
        {"external_efficacy": ["low", "high"] * 4},
        ["coping_balancing"],
        [{"factor": "external_efficacy", "type": "randomised"}],
    )
    cells = cells_of(measured, randomised, module="coping")
    assert set(cells.exposure.values) == {
        "external_efficacy_measured",
        "external_efficacy_randomised",
    }
    present = pd.DataFrame(cells.present.values, cells.setting.values, cells.exposure.values)
    assert present.loc["survey"].to_dict() == {
        "external_efficacy_measured": 1,
        "external_efficacy_randomised": 0,
    }
    assert present.to_numpy().sum() == 2


def test_cross_products_equal_those_of_the_rows_site_by_site_and_pattern_by_pattern() -> None:
    study, wide = experiment(
        "s", 60, seed=4, missing=0.3, sites=3, vignettes=("volunteers_at_work", None)
    )
    cells = cells_of(study)
    outcomes = [(c, v or "") for c, v in wide.columns[3:]]
    names = [f"{c}|{v}" for c, v in outcomes]
    y = wide.iloc[:, 3:].to_numpy()
    kept = ~np.isnan(y).all(axis=1)
    y = y[kept]
    x = np.column_stack([np.ones(kept.sum()), wide.loc[kept, ["x1", "x2"]]])
    y = np.column_stack([in_standard_units(column, x[:, 1:]) for column in y.T])
    order = [list(cells.outcome.values).index(name) for name in names]
    cells = cells.isel(outcome=order, outcome_=order)
    found = 0
    for c in range(cells.sizes["cell"]):
        seen = cells.observed.values[cells.pattern_of_cell.values[c]].astype(bool)
        site = int(str(cells.site.values[cells.site_of_cell.values[c]])[-1])
        mine = (wide.loc[kept, "site"].to_numpy() == site) & (~np.isnan(y) == seen).all(axis=1)
        own = np.nan_to_num(y[mine])
        assert cells.n.values[c] == mine.sum() > 0
        np.testing.assert_allclose(cells.xx.values[c], x[mine].T @ x[mine], atol=1e-9)
        np.testing.assert_allclose(cells.xy.values[c], x[mine].T @ own, atol=1e-9)
        np.testing.assert_allclose(cells.yy.values[c], own.T @ own, atol=1e-9)
        found += mine.sum()
    assert found == kept.sum()


def test_a_person_without_a_site_is_at_the_site_of_the_study() -> None:
    cells = cells_of(small(org=["a", "a", None, "a", None, "a"]))
    assert set(cells.site.values) == {"a", "small"}


def test_country_sector_and_role_of_every_site_are_kept_and_studies_with_several_are_split() -> (
    None
):
    one, _ = experiment("one", 30, seed=1)
    country = ["DK"] * 20 + ["FI"] * 20
    two, _ = experiment("two", 40, seed=2, country=country, sector="social_care", role="volunteer")
    cells = cells_of(one, two)
    where = pd.DataFrame(
        {name: cells[name].values for name in ("study", "country", "sector", "role")},
        index=cells.setting.values,
    )
    assert where.loc["one"].tolist() == ["one", "DK", "elderly_care", "professional"]
    assert where.loc["two:FI:social_care"].tolist() == ["two", "FI", "social_care", "volunteer"]
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    n = pd.Series(cells.n.values).groupby(cells.setting.values[setting]).sum().to_dict()
    assert n == {"one": 30, "two:DK:social_care": 20, "two:FI:social_care": 20}


def test_which_outcomes_a_study_observed_is_kept() -> None:
    one, _ = experiment("one", 30, seed=1, outcomes=["threat_quality"])
    two, _ = experiment("two", 30, seed=2, outcomes=["threat_job"])
    cells = cells_of(one, two)
    seen = pd.DataFrame(observed(cells), cells.setting.values, cells.construct_of.values)
    assert seen.loc["one"].to_dict() == {"threat_quality": True, "threat_job": False}
    assert seen.loc["two"].to_dict() == {"threat_quality": False, "threat_job": True}
    assert np.isnan(cells.scale.values).sum() == 2


def test_only_outcomes_of_the_module_are_in_its_cells() -> None:
    study, _ = experiment("one", 30, seed=1, outcomes=["threat_quality", "coping_avoidance"])
    assert cells_of(study).construct.values.tolist() == ["threat_quality"]


def test_the_sums_of_a_study_are_the_same_bytes_whatever_other_studies_there_are() -> None:
    """So they are where a study comes as cells of its own: products of another width round anew."""
    rng = np.random.default_rng(2)
    answers = {
        ("threat_job", WORK): rng.uniform(0, 100, 302),
        ("threat_profession", WORK): rng.uniform(0, 100, 302),
    }
    names, levels = (
        ["threat_job", "threat_profession"],
        {"involvement_degree": ["low", "high"] * 151},
    )
    exposures = [{"factor": "involvement_degree", "type": "randomised"}]
    one = answer_study("b", answers, levels, names, exposures)
    alone, both = cells_of(one), cells_of(one, experiment("a", 60, seed=1)[0])
    assert both.sizes["coefficient"] > alone.sizes["coefficient"]
    assert both.sizes["outcome"] > alone.sizes["outcome"]
    mine = both.study.values[both.setting_of_site.values[both.site_of_cell.values]] == "b"
    x, y = (
        [both[dim].values.tolist().index(name) for name in alone[dim].values]
        for dim in ("coefficient", "outcome")
    )
    for name, rows, columns in (("xx", x, x), ("xy", x, y), ("yy", y, y)):
        found = both[name].values[mine][:, rows][:, :, columns]
        assert found.tobytes() == alone[name].values.tobytes(), name


def test_the_order_of_studies_changes_neither_sites_nor_sums() -> None:
    one, two = (experiment(name, 30, seed=s, sites=2)[0] for s, name in enumerate(("a", "b")))
    first, second = cells_of(one, two), cells_of(two, one)
    for name in ("n", "xx", "xy", "yy", "site_of_cell", "setting_of_site", "centre", "scale"):
        np.testing.assert_allclose(first[name], second[name], err_msg=name)
    assert first.site.values.tolist() == second.site.values.tolist()
    assert first.study.values.tolist() == second.study.values.tolist()


# --- what is refused -----------------------------------------------------------------------------


def refused(code: str, *studies, module: str = "threat", make=answer_cells) -> list[str]:
    with pytest.raises(BadInput) as caught:
        make(studies, module, VOCABULARY)
    assert {problem.code for problem in caught.value.problems} == {code}
    for problem in caught.value.problems:
        assert problem.study == "small"
        assert problem.file
        assert problem.column
        assert problem.found
        assert problem.expected
        assert problem.fix
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "quality",
    [[5.0] * 6, [5.0, NAN, NAN, 1.0, NAN, NAN], [5.0] * 3 + [9.0] * 3],
    ids=["everybody answers the same", "one person in each arm", "the same within each arm"],
)
def test_an_outcome_that_does_not_vary_is_refused(quality: list[float]) -> None:
    (text,) = refused("constant-outcome", small(quality))
    assert "threat_quality" in text
    assert "an outcome that varies within settings" in text


def test_one_person_in_the_reference_arm_leaves_the_deviation_within_the_other() -> None:
    cells = cells_of(small([5.0, NAN, NAN, 1.0, 2.0, 3.0]))
    assert cells.scale_of_all_arms.item()
    assert cells.scale_df.item() == 2
    assert cells.scale.item() == pytest.approx(1.0 * 7 / 4), "the correction is 1 - 3 / 7"


def test_an_arm_without_anybody_is_refused() -> None:
    (text,) = refused("empty-arm", small(arm=["core"] * 6))
    assert "nobody in: complementary" in text
    assert "factor task_type" in text


def test_an_arm_in_which_nobody_answers_is_refused() -> None:
    (text,) = refused("empty-arm", small([10.0, 20.0, 30.0, NAN, NAN, NAN]))
    assert "nobody in: core" in text


def test_a_trait_that_does_not_vary_is_refused() -> None:
    study = answer_study(
        "small",
        {
            ("self_efficacy", None): [3.0] * 4,
            ("coping_balancing", "inclusion_vs_quality"): [1.0, 5.0, 2.0, 8.0],
        },
        {},
        ["coping_balancing"],
        [{"construct": "self_efficacy", "type": "measured"}],
    )
    (text,) = refused("constant-exposure", study, module="coping")
    assert "self_efficacy" in text


def test_a_condition_that_differs_between_a_persons_vignettes_is_refused() -> None:
    study = small()
    again = study.assignments.iloc[:1].assign(level="core")
    assignments = pd.concat([study.assignments, again])
    (text,) = refused("varying-exposure", study.with_tables(assignments=assignments))
    assert "task_type" in text


# --- codings -------------------------------------------------------------------------------------

CODES = ["role_change", "uncertainty"]
INTERVIEWS: list[tuple[str, dict[str, list[str]]]] = [
    ("org-a", {"coder-1": ["role_change"]}),
    ("org-a", {"coder-1": []}),
    ("org-a", {"coder-2": ["role_change", "role_change", "uncertainty"]}),
    ("org-a", {"coder-1": ["role_change"], "coder-2": ["role_change", "uncertainty"]}),
    ("org-b", {"coder-2": ["uncertainty"], "coder-1": []}),
    ("org-b", {"coder-1": ["role_change"], "coder-2": []}),
]


def test_codings_are_counted_by_hand() -> None:
    cells = code_cells([coding_study("small", INTERVIEWS, CODES)], "strain", VOCABULARY)
    single, double = cells.single, cells.double
    at = {"organisation": "org-a", "code": "role_change"}
    assert single.sel(at).values.tolist() == [2, 1], "a code applied twice is present once"
    assert double.sel(at).values.tolist() == [1, 0, 0, 0]
    at = {"organisation": "org-a", "code": "uncertainty"}
    assert single.sel(at).values.tolist() == [1, 2]
    assert double.sel(at).values.tolist() == [0, 0, 1, 0], "the first coder is the first by name"
    at = {"organisation": "org-b", "code": "role_change"}
    assert single.sel(at).values.tolist() == [0, 0]
    assert double.sel(at).values.tolist() == [0, 1, 0, 1]
    at = {"organisation": "org-b", "code": "uncertainty"}
    assert double.sel(at).values.tolist() == [0, 0, 1, 1]


def test_a_coder_who_applied_nothing_has_read_all_the_same() -> None:
    cells = code_cells([coding_study("small", INTERVIEWS, CODES)], "strain", VOCABULARY)
    total = cells.single.sum("reading") + cells.double.sum("agreement")
    assert total.values.tolist() == [[4, 4], [2, 2]]


def test_without_coders_errors_the_first_reading_counts() -> None:
    cells = code_cells([coding_study("small", INTERVIEWS, CODES)], "strain", VOCABULARY)
    first = first_readings(cells)
    assert first.single.values.tolist() == [[[3, 1], [1, 3]], [[1, 1], [0, 2]]]
    assert first.double.values.sum() == 0


def test_the_arrangement_of_an_organisation_is_coded_minus_and_plus_one_half() -> None:
    study = coding_study(
        "small",
        INTERVIEWS,
        CODES,
        [{"attribute": "arrangement", "type": "organisational"}],
        arrangement=["state_policy"] * 4 + ["org_mission"] * 2,
        country=["GB-SCT"] * 4 + ["US"] * 2,
    )
    cells = code_cells([study], "strain", VOCABULARY)
    assert cells.x.values.tolist() == [[-0.5], [0.5]]
    assert cells.country.values.tolist() == ["GB-SCT", "US"]
    assert cells.arrangement.values.tolist() == ["state_policy", "org_mission"]


def test_interviews_without_an_organisation_are_at_that_of_the_study() -> None:
    interviews = [*INTERVIEWS, (None, {"coder-1": ["role_change"]})]
    cells = code_cells([coding_study("small", interviews, CODES)], "strain", VOCABULARY)
    assert cells.organisation.values.tolist() == ["org-a", "org-b", "small"]
    assert cells.single.sel(organisation="small", code="role_change").values.tolist() == [1, 0]


def test_a_study_that_did_not_look_for_a_code_says_nothing_about_it() -> None:
    one = coding_study("one", [("org-1", {"coder-1": ["role_change"]})], ["role_change"])
    two = coding_study("two", [("org-2", {"coder-1": ["uncertainty"]})], ["uncertainty"])
    cells = code_cells([one, two], "strain", VOCABULARY)
    assert cells.single.sel(organisation="org-1", code="uncertainty").values.tolist() == [0, 0]
    assert cells.single.sel(organisation="org-2", code="uncertainty").values.tolist() == [1, 0]


def test_an_organisation_in_two_countries_is_refused() -> None:
    study = coding_study("small", INTERVIEWS, CODES, country=["GB-SCT", "US"] * 3)
    texts = refused("varying-organisation", study, module="strain", make=code_cells)
    assert len(texts) == 2
    assert "org-a" in texts[0]
    assert "column country" in texts[0]


def test_an_organisation_with_people_of_two_roles_is_two_units_of_one_site() -> None:
    study = coding_study(
        "small",
        INTERVIEWS,
        CODES,
        [{"attribute": "role", "type": "measured"}],
        role=["professional", "citizen_coproducer"] * 2 + ["professional"] * 2,
    )
    cells = code_cells([study], "strain", VOCABULARY)
    assert cells.organisation.values.tolist() == [
        "org-a:citizen_coproducer",
        "org-a:professional",
        "org-b",
    ]
    assert cells.site.values.tolist() == ["org-a", "org-a", "org-b"]
    assert cells.x.values.ravel().tolist() == [0.5, -0.5, -0.5]
    assert interviews(cells).sel(code="role_change").values.tolist() == [2, 2, 2]


def test_only_a_study_that_declares_an_exposure_is_compared_by_it() -> None:
    roles = ["professional", "citizen_coproducer"] * 3
    declared = [{"attribute": "role", "type": "measured"}]
    one = coding_study("one", INTERVIEWS, CODES, declared, role=roles)
    two = coding_study("two", [("org-z", {"coder-1": []})], CODES)
    cells = code_cells([one, two], "strain", VOCABULARY)
    assert cells.x.sel(organisation="org-z").values.tolist() == [0.0]
    assert studies_of_codes(cells).values.tolist() == [[True, True], [True, True]]
