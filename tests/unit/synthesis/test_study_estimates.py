"""Unpooled estimates: least squares with a dummy per site, and log-odds by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import answer_study, coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.estimates import blocks
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import OF_METRIC
from metastudy.synthesis.eligibility import refused
from metastudy.synthesis.pooling import average_vignettes, explore, plans
from metastudy.synthesis.stages import gather, stages
from metastudy.synthesis.study_estimates import estimates, positive_definite


def answered(*studies: Study) -> tuple[pd.DataFrame, np.ndarray]:
    return estimates(answer_cells(studies, "threat", VOCABULARY), VOCABULARY)


def standard(wide: pd.DataFrame, column: object) -> tuple[np.ndarray, int]:
    """An outcome in standard deviations of the reference arms, and their degrees of freedom.

    Hedges' correction is in the standard deviation, so the effects in its units are unbiased.
    """
    y = wide[column].to_numpy()
    reference = y[(wide["x1"] < 0) & (wide["x2"] < 0)]
    df = int((~np.isnan(reference)).sum()) - 1
    assert df >= 20, "or it is that of all arms"
    sd = np.nanstd(reference, ddof=1) / (1 - 3 / (4 * df - 1))
    return (y - np.nanmean(reference)) / sd, df


def of_standardiser(
    slopes: np.ndarray, df: np.ndarray, correlation: np.ndarray, exposures: int
) -> np.ndarray:
    """What the errors of the standard deviations add to the covariance of slopes."""
    relative = slopes / np.sqrt(2 * df)
    return np.outer(relative, relative) * np.kron(correlation**2, np.ones((exposures, exposures)))


def least_squares(
    x: np.ndarray, site: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes, residual covariance and inverse cross-product, with a dummy per site."""
    dummies = (site[:, None] == np.unique(site)).astype(float)
    full = np.column_stack([x, dummies])
    b, _, rank, _ = np.linalg.lstsq(full, y, rcond=None)
    residual = y - full @ b
    inverse = np.linalg.inv(full.T @ full)[: x.shape[1], : x.shape[1]]
    return b[: x.shape[1]], residual.T @ residual / (len(y) - rank), inverse


@pytest.mark.parametrize("sites", [1, 2, 7])
def test_complete_answers_give_least_squares_with_site_dummies_and_its_covariance(
    sites: int,
) -> None:
    study, wide = experiment("s", 90, seed=5, sites=sites)
    table, covariance = answered(study)
    found = [standard(wide, column) for column in wide.columns[3:]]
    y = np.column_stack([values for values, _ in found])
    x, site = wide[["x1", "x2"]].to_numpy(), wide["site"].to_numpy()
    slopes, residual, inverse = least_squares(x, site, y)
    assert table["outcome"].tolist() == ["threat_quality"] * 2 + ["threat_job"] * 2
    assert (
        table["exposure"].tolist() == ["task_type_randomised", "involvement_degree_randomised"] * 2
    )
    np.testing.assert_allclose(table["estimate"], slopes.T.ravel(), rtol=1e-9)
    sd = np.sqrt(np.diag(residual))
    df = np.repeat([df for _, df in found], 2)
    more = of_standardiser(slopes.T.ravel(), df, residual / np.outer(sd, sd), 2)
    np.testing.assert_allclose(covariance, np.kron(residual, inverse) + more, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(table["se"] ** 2, np.diag(covariance))
    assert table["n"].tolist() == [90] * 4


def test_with_missing_answers_each_outcome_is_regressed_on_the_rows_that_have_it() -> None:
    study, wide = experiment("s", 130, seed=6, sites=3, missing=0.3)
    table, covariance = answered(study)
    for outcome, mine in table.groupby("outcome"):
        column = next(c for c in wide.columns[3:] if c[0] == outcome)
        y, df = standard(wide, column)
        has = ~np.isnan(y)
        slopes, residual, inverse = least_squares(
            wide.loc[has, ["x1", "x2"]].to_numpy(), wide.loc[has, "site"].to_numpy(), y[has, None]
        )
        np.testing.assert_allclose(mine["estimate"], slopes[:, 0], rtol=1e-9)
        own = covariance[np.ix_(mine.index, mine.index)]
        more = of_standardiser(slopes[:, 0], np.array([df, df]), np.ones((1, 1)), 2)
        np.testing.assert_allclose(own, residual * inverse + more, rtol=1e-9)
        assert set(mine["n"]) == {has.sum()}
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_correlations_that_contradict_each_other_are_moved_and_the_estimates_say_so() -> None:
    """Each pair of three outcomes is answered by other people, and pairs of pairs disagree."""
    found = []
    for seed in range(12):
        outcomes = ["threat_quality", "threat_job", "threat_profession"]
        study, _ = experiment("tiny", 15, seed=seed, missing=0.4, outcomes=outcomes)
        table, covariance = answered(study)
        (rows, estimated), *_ = blocks(answer_cells([study], "threat", VOCABULARY), VOCABULARY)
        found.append(smallest_eigenvalue(estimated) < 1e-8)
        said = set(table["note"]) - {""}
        assert bool(said) == found[-1]
        np.testing.assert_array_equal(table["estimate"], rows["estimate"])
        np.testing.assert_allclose(np.diag(covariance), np.diag(estimated))
        if found[-1]:
            assert said == {
                "correlations of the estimates of tiny moved to ones that can be: its people are "
                "few"
            }
            assert smallest_eigenvalue(covariance) > 0.005
            assert np.abs(correlations(covariance) - correlations(estimated)).max() < 0.5
        else:
            np.testing.assert_array_equal(covariance, estimated)
    assert 0 < sum(found) < len(found)


def correlations(covariance: np.ndarray) -> np.ndarray:
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)


def smallest_eigenvalue(covariance: np.ndarray) -> float:
    return float(np.linalg.eigvalsh(correlations(covariance)).min())


def test_more_estimates_than_organisations_have_a_covariance_that_is_positive_definite() -> None:
    """Their influences on three estimates span two dimensions, so a combination has no error."""
    influence = np.array([[0.3, 0.1], [0.2, -0.4], [0.1, 0.2]])
    singular = influence @ influence.T
    assert smallest_eigenvalue(singular) == pytest.approx(0, abs=1e-12)
    found, changed = positive_definite(singular)
    assert changed
    assert smallest_eigenvalue(found) > 0.005
    np.testing.assert_allclose(np.diag(found), np.diag(singular))
    np.testing.assert_allclose(correlations(found), correlations(singular), atol=0.02)
    again, changed = positive_definite(found)
    assert not changed
    np.testing.assert_array_equal(again, found)


def test_an_outcome_of_as_many_people_as_coefficients_has_no_estimate() -> None:
    """The line through them leaves no error, which would pass for certainty."""
    answers = np.random.default_rng(2).normal(50, 10, (2, 40))
    answers[0, 30:33], answers[1, 30:] = np.nan, np.nan
    country = ["DK"] * 30 + ["FI"] * 10
    answers[0, 35:] = np.nan  # two people in Finland answered
    study = answer_study(
        "s",
        {("threat_quality", None): answers[0], ("threat_job", None): answers[1]},
        {"task_type": np.resize(["complementary", "core"], 40)},
        ["threat_quality", "threat_job"],
        [{"factor": "task_type", "type": "randomised"}],
        country=country,
    )
    table, covariance = answered(study)
    assert sorted(zip(table["country"], table["outcome"], strict=True)) == [
        ("DK", "threat_job"),
        ("DK", "threat_quality"),
    ]
    assert covariance.shape == (2, 2)


def test_studies_share_no_covariance_and_outcomes_of_one_study_do() -> None:
    parts = [experiment(name, 80, seed=seed)[0] for seed, name in enumerate(("a", "b"))]
    table, covariance = answered(*parts)
    same = table["study"].to_numpy()[:, None] == table["study"].to_numpy()
    assert (covariance[~same] == 0).all()
    exposure = table["exposure"].to_numpy()
    assert (covariance[same & (exposure[:, None] == exposure)] != 0).all()
    for part, study in zip(parts, ("a", "b"), strict=True):
        alone, own = answered(part)
        mine = (table["study"] == study).to_numpy()
        np.testing.assert_allclose(table.loc[mine, "estimate"], alone["estimate"])
        np.testing.assert_allclose(covariance[np.ix_(mine, mine)], own)


def test_the_settings_of_a_study_share_their_standardiser() -> None:
    """Estimates of two countries are correlated by it, and by nothing else."""
    study, _ = experiment("s", 120, seed=7, outcomes=["threat_job"])
    people = study.respondents.assign(country=np.resize(["DK", "FI"], 120))
    cells = answer_cells([study.with_tables(respondents=people)], "threat", VOCABULARY)
    table, covariance = estimates(cells, VOCABULARY)
    assert table["country"].tolist() == ["DK", "DK", "FI", "FI"]
    df = cells.scale_df.values[0, 0]
    level = study.assignments.pivot(index="respondent_id", columns="factor", values="level")
    both = level["task_type"].eq("complementary") & level["involvement_degree"].eq("low")
    assert df == both.sum() - 2, "one degree of freedom for the mean of each country"
    relative = table["estimate"].to_numpy() / np.sqrt(2 * df)
    np.testing.assert_allclose(covariance[:2, 2:], np.outer(relative[:2], relative[2:]))


def arms(n: tuple[int, int], effect: float, seed: int, country: list[str] | str = "DK") -> Study:
    """An experiment with one factor: two arms of people, answers normal with an SD of 10."""
    rng = np.random.default_rng(seed)
    task = np.repeat([0, 1], n)
    return answer_study(
        "s",
        {("threat_job", None): 50 + 10 * (effect * task + rng.standard_normal(len(task)))},
        {"task_type": np.array(["complementary", "core"])[task]},
        ["threat_job"],
        [{"factor": "task_type", "type": "randomised"}],
        country=country,
    )


@pytest.mark.parametrize("n", [(150, 150), (120, 240), (400, 90)])
def test_rows_and_the_effect_computed_from_their_arms_are_one(n: tuple[int, int]) -> None:
    """A standardised difference by the reference arm's SD, as metafor computes it (SMD1)."""
    study = arms(n, 0.8, seed=sum(n))
    table, _ = answered(study)
    level = study.assignments["level"].to_numpy()
    value = study.measurements["value_pomp"].to_numpy()
    reference, other = (value[level == name] for name in ("complementary", "core"))
    exact = (other.mean() - reference.mean()) / reference.std(ddof=1)
    d = exact * (1 - 3 / (4 * (n[0] - 1) - 1))
    se = np.sqrt(
        1 / n[0] + other.var(ddof=1) / reference.var(ddof=1) / n[1] + d**2 / 2 / (n[0] - 1)
    )
    row = table.squeeze()
    assert row["estimate"] == pytest.approx(d, rel=1e-9)
    if n[0] == n[1]:
        assert row["se"] == pytest.approx(se, rel=0.01)
    else:  # the regression has one residual variance for both arms: metafor's SMD1 has as well
        pooled = ((n[0] - 1) * reference.var(ddof=1) + (n[1] - 1) * other.var(ddof=1)) / (
            sum(n) - 2
        )
        of_means = pooled / reference.var(ddof=1) * (1 / n[0] + 1 / n[1])
        assert row["se"] == pytest.approx(np.sqrt(of_means + d**2 / 2 / (n[0] - 1)), rel=0.01)


@pytest.mark.ci
@pytest.mark.slow
def test_the_standard_error_of_a_large_effect_is_its_spread_over_many_samples() -> None:
    """Without the standardiser's own error it is a fifth too small, and countries independent."""
    found = []
    for seed in range(200):
        country = np.resize(["DK", "FI"], 60).tolist()
        table, covariance = answered(arms((30, 30), 1.9, seed, country))
        found.append((table["estimate"].to_numpy(), covariance))
    estimate, covariance = map(np.array, zip(*found, strict=True))
    spread, said = np.cov(estimate.T), covariance.mean(axis=0)
    assert np.sqrt(np.diag(said)) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.12)
    correlation = spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])
    expected = said[0, 1] / np.sqrt(said[0, 0] * said[1, 1])
    assert abs(correlation - expected) < 3 / np.sqrt(200)
    assert expected > 0.2
    assert estimate.mean() == pytest.approx(1.9, abs=3 * estimate.mean(axis=1).std() / np.sqrt(200))


def survey(n: int, slope: float, seed: int, outcomes: int = 1) -> Study:
    """A survey of one trait, and outcomes that correlate by so much with it."""
    rng = np.random.default_rng(seed)
    trait, rest = rng.standard_normal(n), rng.standard_normal((2, n))
    rest[1] = 0.6 * rest[0] + 0.8 * rest[1]
    names = ["coping_balancing", "coping_avoidance"][:outcomes]
    answers = {("self_efficacy", None): 50 + 9 * trait} | {
        (name, None): 50 + 10 * (slope * trait + np.sqrt(1 - slope**2) * own)
        for name, own in zip(names, rest, strict=False)
    }
    return answer_study(
        "s", answers, {}, names, [{"construct": "self_efficacy", "type": "measured"}]
    )


@pytest.mark.parametrize("slope", [0.0, 0.3, 0.6])
def test_the_standard_error_of_an_association_is_that_of_a_correlation(slope: float) -> None:
    """Trait and outcome are both in standard deviations of the sample: what is left is r."""
    cells = answer_cells([survey(400, slope, seed=3)], "coping", VOCABULARY)
    row = estimates(cells, VOCABULARY)[0].squeeze()
    r = row["estimate"]
    assert r == pytest.approx(slope, abs=0.1)
    assert row["se"] == pytest.approx((1 - r**2) / np.sqrt(400), rel=0.01)


@pytest.mark.ci
@pytest.mark.slow
def test_the_covariance_of_associations_is_their_spread_over_many_samples() -> None:
    """With the error of the outcome's standard deviation alone it is a quarter too large."""
    found = []
    for seed in range(200):
        cells = answer_cells([survey(80, 0.5, seed, outcomes=2)], "coping", VOCABULARY)
        table, covariance = estimates(cells, VOCABULARY)
        found.append((table["estimate"].to_numpy(), covariance))
    estimate, covariance = map(np.array, zip(*found, strict=True))
    spread, said = np.cov(estimate.T), covariance.mean(axis=0)
    assert np.sqrt(np.diag(said)) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.12)
    plain = (1 - 0.5**2 + 0.5**2 / 2) / 80  # with the error of the outcome's alone
    assert np.sqrt(plain) > 1.14 * np.sqrt(np.diag(spread)).max()
    assert correlations(said)[0, 1] == pytest.approx(correlations(spread)[0, 1], abs=0.12)


def test_an_exposure_that_does_not_vary_within_sites_has_no_estimate() -> None:
    study, _ = experiment("s", 60, seed=8, sites=4)
    sites = study.respondents.set_index("respondent_id")["org_id"]
    level = np.where(sites.str[-1].astype(int) < 2, "low", "high")
    assignments = study.assignments.copy()
    degree = assignments["factor"] == "involvement_degree"
    assignments.loc[degree, "level"] = level
    table, covariance = answered(study.with_tables(assignments=assignments))
    assert set(table["exposure"]) == {"task_type_randomised"}
    assert covariance.shape == (2, 2)
    assert (table["se"] > 0).all()


def test_two_exposures_that_are_one_have_no_estimate() -> None:
    study, _ = experiment("s", 60, seed=8)
    task = study.assignments[study.assignments["factor"] == "task_type"]
    level = task["level"].map({"complementary": "low", "core": "high"})
    again = task.assign(factor="involvement_degree", level=level)
    table, covariance = answered(study.with_tables(assignments=pd.concat([task, again])))
    assert table.empty
    assert covariance.shape == (0, 0)


# --- codings -------------------------------------------------------------------------------------

ARRANGEMENT = [{"attribute": "arrangement", "type": "organisational"}]
CODES = ["role_change", "uncertainty", "management_support"]  # two strains and an enabler
# For each organisation its arrangement, and how many of its interviews hold each code. Those of a
# side differ by no more than chance, so log-odds within one are those over all of them.
COUNTS = {
    "a": ("state_policy", 10, (5, 4, 3)),
    "b": ("state_policy", 4, (2, 2, 1)),
    "c": ("org_mission", 8, (2, 5, 3)),
    "d": ("org_mission", 5, (1, 3, 2)),
    "e": ("org_mission", 6, (1, 4, 2)),
}


def interviews(counts: dict = COUNTS, name: str = "talks", codes: list[str] = CODES) -> Study:
    talks, arrangement = [], []
    for org, (kind, n, applied) in counts.items():
        for i in range(n):
            hits = [code for code, k in zip(codes, applied, strict=True) if i < k]
            by = {"coder-1": hits}
            if i in (0, n - 1):  # a second coder who agrees on all codes and on none: nobody errs
                by["coder-2"] = hits
            talks.append((f"{name}-{org}", by))
            arrangement.append(kind)
    return coding_study(name, talks, codes, ARRANGEMENT, arrangement=arrangement)


def coded(*studies: Study) -> tuple[pd.DataFrame, np.ndarray]:
    return estimates(code_cells(studies, "strain", VOCABULARY), VOCABULARY)


def test_log_odds_of_codings_are_those_by_hand() -> None:
    table, _ = coded(interviews())
    assert table["outcome"].tolist() == ["strain_coded", "enabler_coded"]
    assert set(table["metric"]) == {"log_odds"}
    # Half a count is added on both sides: 7 and 6 of 14 against 4 and 12 of 19; 4 against 7.
    odds = {
        "role_change": np.log((4.5 / 15.5) / (7.5 / 7.5)),
        "uncertainty": np.log((12.5 / 7.5) / (6.5 / 8.5)),
        "management_support": np.log((7.5 / 12.5) / (4.5 / 10.5)),
    }
    want = [(odds["role_change"] + odds["uncertainty"]) / 2, odds["management_support"]]
    np.testing.assert_allclose(table["estimate"], want, rtol=1e-4)  # an accuracy is below one
    assert table["n"].tolist() == [33, 33]


def test_the_log_odds_of_codings_are_of_what_is_there_and_not_of_what_coders_applied() -> None:
    """Many interviews, all read twice, by coders who miss a quarter and see what is not there."""
    rng = np.random.default_rng(5)
    sides = {"state_policy": 0.3, "org_mission": 0.6}
    talks, arrangement = [], []
    for at in range(3000):
        kind = ("state_policy", "org_mission")[at % 2]
        there = rng.random(2) < sides[kind]
        read = {
            coder: [
                code
                for code, is_there in zip(CODES[:2], there, strict=True)
                if rng.random() < (0.75 if is_there else 0.1)
            ]
            for coder in ("coder-1", "coder-2")
        }
        talks.append((f"org-{at % 40}", read))
        arrangement.append(kind)
    table, _ = coded(coding_study("twice", talks, CODES[:2], ARRANGEMENT, arrangement=arrangement))
    truth = np.log(0.6 / 0.4) - np.log(0.3 / 0.7)
    raw = {kind: 0.75 * p + 0.1 * (1 - p) for kind, p in sides.items()}
    applied = np.subtract(*(np.log(raw[k] / (1 - raw[k])) for k in ("org_mission", "state_policy")))
    row = table.iloc[0]
    assert abs(row["estimate"] - truth) < 3 * row["se"]
    assert row["estimate"] - applied > 3 * row["se"], "raw shares say too little"


def test_the_covariance_of_codings_counts_organisations_not_interviews() -> None:
    _, covariance = coded(interviews())
    influence = {}
    for k, code in enumerate(CODES):
        for sign, kind in ((-1, "state_policy"), (1, "org_mission")):
            mine = {o: (n, hits[k]) for o, (a, n, hits) in COUNTS.items() if a == kind}
            n = sum(size for size, _ in mine.values())
            p = (sum(hit for _, hit in mine.values()) + 0.5) / (n + 1)
            for org, (size, hit) in mine.items():
                few = np.sqrt(len(mine) / (len(mine) - 1))
                influence[code, org] = sign * few * (hit - size * p) / (n * p * (1 - p))
    strain = [(influence["role_change", o] + influence["uncertainty", o]) / 2 for o in COUNTS]
    enabler = [influence["management_support", o] for o in COUNTS]
    np.testing.assert_allclose(
        covariance, np.array([strain, enabler]) @ np.array([strain, enabler]).T, rtol=1e-4
    )


def test_the_same_interviews_in_one_organisation_say_less_than_in_many() -> None:
    """An organisation of one opinion counts once, however many interviews it holds."""
    alike = {
        o: ("state_policy" if i < 4 else "org_mission", 2, (2 * (i % 2),))
        for i, o in enumerate("abcdefgh")
    }
    often = {o: (a, 20, (10 * k[0],)) for o, (a, _, k) in alike.items()}
    one, ten = (coded(interviews(c, codes=["role_change"]))[0]["se"].item() for c in (alike, often))
    assert ten == pytest.approx(one, rel=0.15)


def test_one_organisation_on_a_side_gives_no_estimate() -> None:
    few = {org: COUNTS[org] for org in "acd"}
    table, covariance = coded(interviews(few))
    assert table.empty
    assert covariance.shape == (0, 0)


def test_codes_that_a_study_did_not_look_for_do_not_enter_its_estimate() -> None:
    one = {org: (kind, n, hits[:1]) for org, (kind, n, hits) in COUNTS.items()}
    two = {org: (kind, n, hits[1:]) for org, (kind, n, hits) in COUNTS.items()}
    alone, own = coded(interviews(one, "one", CODES[:1]))
    beside, covariance = coded(interviews(one, "one", CODES[:1]), interviews(two, "two", CODES[1:]))
    assert beside["study"].tolist() == ["one", "two", "two"]
    # The spread between organisations is found by search, to ten digits.
    assert beside["estimate"].iloc[0] == pytest.approx(alone["estimate"].item(), rel=1e-8)
    assert covariance[0, 0] == pytest.approx(own.item(), rel=1e-8)
    assert np.isfinite(covariance).all()
    assert beside["n"].tolist() == [33] * 3


# --- towards the second stage --------------------------------------------------------------------


def test_vignettes_of_a_study_are_averaged_with_their_covariance() -> None:
    study, _ = experiment(
        "s", 90, seed=5, outcomes=["threat_job"], vignettes=["volunteers_at_work", None]
    )
    table, covariance = answered(study)
    averaged, less = average_vignettes(table, covariance)
    assert len(table) == 4
    assert averaged["exposure"].tolist() == [
        "task_type_randomised",
        "involvement_degree_randomised",
    ]
    for i, exposure in enumerate(averaged["exposure"]):
        at = np.flatnonzero(table["exposure"] == exposure)
        assert averaged["estimate"][i] == pytest.approx(table["estimate"][at].mean())
        assert less[i, i] == pytest.approx(covariance[np.ix_(at, at)].sum() / 4)


def test_other_response_modes_exposure_types_roles_and_outcomes_are_never_one_estimand() -> None:
    table, covariance = answered(*(experiment(n, 80, seed=s)[0] for s, n in enumerate("abcd")))
    (both,) = plans(table, covariance)
    assert len(both.estimands) == 4
    for column in ("response_mode", "exposure_type", "outcome", "role"):
        other = table.copy()
        other.loc[table["study"].isin(["c", "d"]), column] = "another"
        found = pd.concat([p.estimands for p in plans(other, covariance)])
        assert found["id"].is_unique, column
        assert len(found) >= 6, column
        lone = table.copy()
        lone.loc[table["study"].ne("a"), column] = lone.loc[table["study"].ne("a"), "study"]
        assert not [*plans(lone, covariance)], column
        assert len(refused(lone)) >= 6, column


def test_what_is_refused_says_of_which_role_and_metric_it_is() -> None:
    table, _ = answered(*(experiment(n, 80, seed=s)[0] for s, n in enumerate("ab")))
    table.loc[table["study"] == "b", ["role", "metric"]] = ["not_stated", "pomp"]
    said = refused(table)["reason"]
    assert set(said) == {
        "one study only; its own estimate is shown; role professional, metric sd: not pooled with "
        "metric pomp, role not stated",
        "one study only; its own estimate is shown; role not stated, metric pomp: not pooled with "
        "metric sd, role professional",
    }


def test_estimands_that_no_study_links_are_models_of_their_own() -> None:
    parts = [experiment(n, 80, seed=s)[0] for s, n in enumerate("abcd")]
    table, covariance = answered(*parts)
    apart = table["study"].isin(["a", "b"]).to_numpy()
    table.loc[apart, "response_mode"] = "another"
    found = [*plans(table, covariance)]
    assert [sorted(set(p.table["study"])) for p in found] == [["a", "b"], ["c", "d"]]
    for p in found:
        at = [table.index[table["id"] == i].item() for i in p.table["id"]]
        np.testing.assert_allclose(p.covariance, covariance[np.ix_(at, at)])


def test_log_odds_and_standard_deviations_have_each_a_second_stage_with_priors_of_its_own() -> None:
    talks = [interviews(name=name) for name in ("one", "two")]
    trials = [experiment(name, 80, seed=s)[0] for s, name in enumerate(("three", "four"))]
    cells = [
        answer_cells(trials, "threat", VOCABULARY),
        code_cells(talks, "strain", VOCABULARY),
    ]
    table, covariance = gather(cells, schema.empty("effects"), VOCABULARY)
    found = [(name, metric, p) for name, metric, p in stages(table, covariance, VOCABULARY)]
    assert [(name, metric) for name, metric, _ in found] == [
        *(("pooled", "sd"), ("pooled", "log_odds"), ("exploratory", "sd"))
    ]
    assert set(found[0][2].table["study"]) == {"three", "four"}
    assert set(found[1][2].table["study"]) == {"one", "two"}
    for _, metric, p in found[:2]:
        assert set(p.estimands["metric"]) == {metric}
        at = [table.index[table["id"] == i].item() for i in p.table["id"]]
        np.testing.assert_allclose(p.covariance, covariance[np.ix_(at, at)])
    assert OF_METRIC["log_odds"] != OF_METRIC["sd"]


def test_where_nothing_can_be_estimated_nothing_is_pooled() -> None:
    talks = interviews({org: COUNTS[org] for org in "ab"})
    cells = code_cells([talks], "strain", VOCABULARY)
    table, covariance = gather([cells], schema.empty("effects"), VOCABULARY)
    assert table.empty
    assert not [*plans(table, covariance)]
    assert explore(table, covariance, {"strain_coded": 1}) is None
    assert refused(table).empty
