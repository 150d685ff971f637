"""Interactions within a study: columns of the cells that agree with least squares on the rows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.hand_made import answer_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.display.labels import Labels
from metastudy.display.sentences import Finding, phrases, summary
from metastudy.harmonized.study import Study
from metastudy.models.answers import model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design, estimands, families
from metastudy.models.answers.estimates import Setting, blocks
from metastudy.models.answers.observations import observe_answers
from metastudy.models.prior_simulation import parameters
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts

WORK = "volunteers_at_work"
BOTH = "involvement_degree_randomised:task_type_randomised"
N = 360
PRIORS = priors_of(
    {"baseline": 1.0, "effect": 0.5, "tau": 0.3, "outcomes": 0.2, "sigma": 0.5, "correlation": 2.0}
)


def declared(study: Study, *pairs: list[str]) -> Study:
    return replace(study, report=study.report | {"interactions": list(pairs)})


def with_trait(n: int = N, seed: int = 5, sites: int = 3, **more) -> tuple[Study, pd.DataFrame]:
    """Two factors, a trait, and an outcome that depends on their products; and the rows."""
    rng = np.random.default_rng(seed)
    task, degree = rng.integers(0, 2, n), rng.integers(0, 2, n)
    trait, site = rng.normal(50, 12, n), rng.integers(0, sites, n)
    z = (trait - 50) / 12
    mean = 5 * task + 3 * degree + 2 * z + 6 * task * degree + 4 * task * z + 3 * site
    outcome = 40 + mean + rng.normal(0, 12, n)
    study = answer_study(
        "small",
        {("threat_quality", WORK): outcome, ("self_efficacy", None): trait},
        {
            "task_type": np.array(["complementary", "core"])[task],
            "involvement_degree": np.array(["low", "high"])[degree],
        },
        ["threat_quality"],
        [
            {"factor": "task_type", "type": "randomised"},
            {"factor": "involvement_degree", "type": "randomised"},
            {"construct": "self_efficacy", "type": "measured"},
        ],
        org=[f"org-{s}" for s in site],
        **more,
    )
    rows = pd.DataFrame(
        {"a": task - 0.5, "b": degree - 0.5, "t": trait, "site": site, "y": outcome}
    )
    return study, rows


def least_squares(rows: pd.DataFrame, columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of columns beside a mean for each site, and their covariance."""
    sites = pd.get_dummies(rows["site"], dtype=float).to_numpy()
    x = np.column_stack([*columns, sites])
    y = rows["y"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    left = y - x @ b
    k = len(columns)
    return b[:k], (left @ left / (len(y) - x.shape[1]) * inverse)[:k, :k]


def test_an_unpooled_interaction_is_that_of_least_squares_on_the_rows() -> None:
    study, rows = with_trait()
    study = declared(study, ["task_type", "involvement_degree"], ["self_efficacy", "task_type"])
    cells = answer_cells([study], "threat", VOCABULARY)
    trait = "task_type_randomised:self_efficacy_measured"
    assert cells.exposure.values.tolist()[3:] == [BOTH, trait], "what was assigned comes first"
    assert cells.exposure_type.values.tolist()[3:] == ["interaction"] * 2
    assert cells.exposure_name.values.tolist()[3:] == [
        "involvement_degree:task_type",
        "task_type:self_efficacy",
    ]
    t = (rows["t"] - rows["t"].mean()) / rows["t"].std()
    a, b = rows["a"], rows["b"]
    rows["y"] = (rows["y"] - float(cells.centre.item())) / float(cells.scale.item())
    want, covariance = least_squares(rows, [a, b, t, a * b, a * t])
    one = Setting.of(cells, 0, np.array([True]))
    np.testing.assert_allclose(one.estimate, want, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, covariance, rtol=1e-8, atol=1e-14)
    (table, whole) = next(iter(blocks(cells, VOCABULARY)))
    np.testing.assert_allclose(table["estimate"], want, rtol=1e-9)
    assert table["exposure_type"].tolist()[3:] == ["interaction"] * 2
    assert (np.linalg.eigvalsh(whole) > 0).all()


def test_a_difference_of_differences_is_one_unit_of_an_interaction() -> None:
    """The four means of the cells alone: no site, no trait, so nothing else is in the estimate."""
    study, rows = with_trait(sites=1)
    study = replace(study, report=study.report | {"exposures": study.report["exposures"][:2]})
    cells = answer_cells([declared(study, ["task_type", "involvement_degree"])], "threat",
                         VOCABULARY)  # fmt: skip
    y = (rows["y"] - cells.centre.item()) / cells.scale.item()
    mean = y.groupby([rows["a"], rows["b"]]).mean().unstack()
    effect = mean.loc[0.5] - mean.loc[-0.5]
    found = dict(zip(cells.exposure.values, Setting.of(cells, 0, np.array([True])).estimate,
                     strict=True))  # fmt: skip
    assert found[BOTH] == pytest.approx(effect[0.5] - effect[-0.5])
    assert found["task_type_randomised"] == pytest.approx(effect.mean()), "levels count alike"


def three_levels() -> Vocabulary:
    factors = dict(VOCABULARY["factors"])
    factors["dose"] = {"label": "Dose", "levels": {"none": "None", "some": "Some", "much": "Much"}}
    return Vocabulary(dict(VOCABULARY.sections) | {"factors": factors})


def test_beside_a_factor_of_three_levels_a_main_effect_is_the_mean_over_them() -> None:
    rng = np.random.default_rng(8)
    n = 300
    task, dose = rng.integers(0, 2, n), rng.choice(3, n, p=[0.5, 0.3, 0.2])
    y = 50 + 10 * rng.standard_normal(n) + 4 * task * dose
    study = answer_study(
        "small", {("threat_quality", WORK): y},
        {"task_type": np.array(["complementary", "core"])[task],
         "dose": np.array(["none", "some", "much"])[dose]},
        ["threat_quality"],
        [{"factor": "task_type", "type": "randomised"}, {"factor": "dose", "type": "randomised"}],
    )  # fmt: skip
    vocabulary = three_levels()
    cells = answer_cells([declared(study, ["dose", "task_type"])], "threat", vocabulary)
    one = Setting.of(cells, 0, np.array([True]))
    found = dict(zip(cells.exposure.values[one.exposure], one.estimate, strict=True))
    assert cells.exposure_level.values.tolist() == ["", "some", "much", "some", "much"]
    mean = pd.Series(y).groupby([task, dose]).mean().unstack() / cells.scale.item()
    effect = mean.loc[1] - mean.loc[0]
    assert found["dose_randomised_some:task_type_randomised"] == pytest.approx(
        effect[1] - effect[0]
    )
    assert found["dose_randomised_much:task_type_randomised"] == pytest.approx(
        effect[2] - effect[0]
    )
    assert found["task_type_randomised"] == pytest.approx(effect.mean())
    assert found["dose_randomised_much"] == pytest.approx((mean[2] - mean[0]).mean())


def test_the_units_of_outcomes_are_those_without_an_interaction() -> None:
    study, _ = with_trait()
    without, cells = (
        answer_cells([s], "threat", VOCABULARY)
        for s in (study, declared(study, ["task_type", "self_efficacy"]))
    )
    for name in ("centre", "scale", "scale_df", "n", "yy"):
        np.testing.assert_array_equal(without[name], cells[name])
    kept = without.sizes["coefficient"]
    np.testing.assert_array_equal(cells.xx.values[:, :kept, :kept], without.xx.values)


def test_rows_beside_the_cells_have_the_same_columns() -> None:
    study = declared(with_trait()[0], ["task_type", "self_efficacy"])
    cells = answer_cells([study], "threat", VOCABULARY)
    rows = observe_answers([study], cells, VOCABULARY)
    np.testing.assert_allclose(rows.x.T @ rows.x, cells.xx.sum("cell").values, atol=1e-9)


def test_an_interaction_is_an_estimand_with_spreads_and_a_family_of_its_own() -> None:
    pair = ["task_type", "involvement_degree"]
    studies = [declared(experiment(s, 80, seed=i)[0], pair) for i, s in enumerate("ab")]
    plain = experiment("c", 80, seed=9)[0]
    cells = answer_cells([*studies, plain], "threat", VOCABULARY)
    present = pd.DataFrame(cells.present.values, cells.setting.values, cells.exposure.values)
    assert present[BOTH].to_dict() == {"a": 1, "b": 1, "c": 0}
    table = estimands(cells)
    mine = table[table["exposure"] == BOTH]
    assert mine["outcome"].tolist() == ["threat_quality", "threat_job"]
    assert families(table)[mine.index].nunique() == 1
    design = answer_design(cells)
    assert [t for t in design.totals if t.startswith(BOTH)] == [
        f"{BOTH}, threat_quality",
        f"{BOTH}, threat_job",
    ]


def test_contrasts_have_rows_of_an_interaction_and_sentences_name_both_exposures() -> None:
    pair = ["task_type", "involvement_degree"]
    cells = answer_cells(
        [declared(experiment(s, 60, seed=i)[0], pair) for i, s in enumerate("ab")],
        "threat", VOCABULARY,
    )  # fmt: skip
    draws = parameters(model.build(cells, PRIORS), 12, 3)
    tree = xr.DataTree.from_dict(
        {"posterior": draws.rename(simulation="draw").expand_dims("chain")}
    )
    index = contrasts(cells, tree).index
    mine = index[(index["exposure"] == BOTH) & (index["estimand"] == "effect")]
    assert set(mine["exposure_type"]) == {"interaction"}
    assert {"population", "study", "new_study"} <= set(mine["level"])
    assert not mine["id"].duplicated().any()
    said = Labels(VOCABULARY).exposure(BOTH, "interaction")
    assert said.label == (
        "High against low degree of involvement × core against complementary tasks"
    )
    finding = Finding("x", "higher", "0.2 SD")
    text = summary(said.change, [finding, Finding("y", "undecided", "")], phrases("interaction"))
    assert text == (
        "The effect of a change from low degree of involvement to high degree of involvement, with "
        "a change from complementary tasks to core tasks, is higher on x (0.2 SD; size open); the "
        "difference on y is undecided."
    )
    alone = summary(said.change, [Finding("y", "undecided", "")], phrases("interaction"))
    assert alone.startswith("The difference of the effect of a change from low")
    part = Labels(VOCABULARY).parameter(f"tau[{BOTH} study, threat_job]")
    assert part[1] == f"{said.label}, study"


# --- what is refused -----------------------------------------------------------------------------


def refused(study: Study, code: str) -> str:
    with pytest.raises(BadInput) as caught:
        answer_cells([study], "threat", VOCABULARY)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.study == study.id
    assert problem.file.endswith("codebook.yaml")
    assert "interactions" in problem.fix
    return str(problem)


def changed(study: Study, factor: str, level: str, where: np.ndarray) -> Study:
    table = study.assignments.copy()
    people = study.respondents["respondent_id"][where]
    table.loc[(table["factor"] == factor) & table["respondent_id"].isin(people), "level"] = level
    return study.with_tables(assignments=table)


def test_a_combination_of_levels_without_anybody_is_refused_by_name() -> None:
    study, rows = with_trait()
    study = changed(study, "involvement_degree", "low", rows["a"].to_numpy() > 0)
    text = refused(
        declared(study, ["task_type", "involvement_degree"], ["task_type", "self_efficacy"]),
        "empty-interaction",
    )
    assert "nobody in: core with high" in text
    assert "interaction of task_type and involvement_degree" in text


def test_a_product_that_a_third_factor_is_is_refused_with_its_name() -> None:
    study, rows = with_trait()
    level = np.where(rows["a"] * rows["b"] > 0, "high", "low")
    third = pd.DataFrame(
        {"study_id": "small", "respondent_id": study.respondents["respondent_id"],
         "factor": "external_efficacy", "level": level}
    )  # fmt: skip
    exposures = [*study.report["exposures"], {"factor": "external_efficacy", "type": "randomised"}]
    study = replace(
        study.with_tables(assignments=pd.concat([study.assignments, third])),
        report=study.report | {"exposures": exposures},
    )
    text = refused(declared(study, ["task_type", "involvement_degree"]), "aliased-interaction")
    assert "external_efficacy_randomised make up" in text.replace("makes", "make")


def test_people_without_an_answer_do_not_fill_a_combination() -> None:
    study, rows = with_trait()
    answers = study.measurements.copy()
    people = study.respondents["respondent_id"][(rows["a"] > 0) & (rows["b"] < 0)]
    silent = answers["construct"].eq("threat_quality") & answers["respondent_id"].isin(people)
    answers.loc[silent, "value_pomp"] = np.nan
    text = refused(
        declared(study.with_tables(measurements=answers), ["task_type", "involvement_degree"]),
        "empty-interaction",
    )
    assert "nobody in: core with low" in text


def test_without_interactions_the_cells_are_what_they_were() -> None:
    """An empty declaration gives the bytes of none at all, attributes included."""
    study, _ = with_trait()
    one, two = (answer_cells([s], "threat", VOCABULARY) for s in (study, declared(study)))
    for name in one.variables:
        assert one[name].values.tobytes() == two[name].values.tobytes(), name
    assert one.attrs == two.attrs
    assert json.loads(one.attrs["dropped"]) == json.loads(two.attrs["dropped"])
