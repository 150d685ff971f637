"""Unpooled estimates: least squares with a dummy per site, and log-odds by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import OF_METRIC
from metastudy.synthesis.eligibility import refused
from metastudy.synthesis.pooling import average_vignettes, explore, plan
from metastudy.synthesis.stages import gather, stages
from metastudy.synthesis.study_estimates import estimates


def answered(*studies: Study) -> tuple[pd.DataFrame, np.ndarray]:
    return estimates(answer_cells(studies, "threat", VOCABULARY), VOCABULARY)


def standard(wide: pd.DataFrame, column: object) -> np.ndarray:
    """An outcome in standard deviations of the reference arm."""
    y = wide[column].to_numpy()
    reference = y[wide["x1"] < 0]
    return (y - np.nanmean(reference)) / np.nanstd(reference, ddof=1)


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
    y = np.column_stack([standard(wide, column) for column in wide.columns[3:]])
    x, site = wide[["x1", "x2"]].to_numpy(), wide["site"].to_numpy()
    slopes, residual, inverse = least_squares(x, site, y)
    assert table["outcome"].tolist() == ["threat_quality"] * 2 + ["threat_job"] * 2
    assert (
        table["exposure"].tolist() == ["task_type_randomised", "involvement_degree_randomised"] * 2
    )
    np.testing.assert_allclose(table["estimate"], slopes.T.ravel(), rtol=1e-9)
    np.testing.assert_allclose(covariance, np.kron(residual, inverse), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(table["se"] ** 2, np.diag(covariance))
    assert table["n"].tolist() == [90] * 4


def test_with_missing_answers_each_outcome_is_regressed_on_the_rows_that_have_it() -> None:
    study, wide = experiment("s", 90, seed=6, sites=3, missing=0.3)
    table, covariance = answered(study)
    for outcome, mine in table.groupby("outcome"):
        column = next(c for c in wide.columns[3:] if c[0] == outcome)
        y = standard(wide, column)
        has = ~np.isnan(y)
        slopes, residual, inverse = least_squares(
            wide.loc[has, ["x1", "x2"]].to_numpy(), wide.loc[has, "site"].to_numpy(), y[has, None]
        )
        np.testing.assert_allclose(mine["estimate"], slopes[:, 0], rtol=1e-9)
        own = covariance[np.ix_(mine.index, mine.index)]
        np.testing.assert_allclose(own, residual * inverse, rtol=1e-9)
        assert set(mine["n"]) == {has.sum()}
    assert np.linalg.eigvalsh(covariance).min() > 0


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
# For each organisation its arrangement, and how many of its interviews hold each code.
COUNTS = {
    "a": ("state_policy", 10, (6, 3, 1)),
    "b": ("state_policy", 4, (1, 2, 3)),
    "c": ("org_mission", 8, (2, 6, 4)),
    "d": ("org_mission", 5, (1, 4, 0)),
    "e": ("org_mission", 6, (0, 3, 3)),
}


def interviews(counts: dict = COUNTS, name: str = "talks", codes: list[str] = CODES) -> Study:
    talks, arrangement = [], []
    for org, (kind, n, applied) in counts.items():
        for i in range(n):
            hits = [code for code, k in zip(codes, applied, strict=True) if i < k]
            by = {"coder-1": hits}
            if i == 0:  # the second coder's reading does not enter
                by["coder-2"] = []
            talks.append((f"{name}-{org}", by))
            arrangement.append(kind)
    return coding_study(name, talks, codes, ARRANGEMENT, arrangement=arrangement)


def coded(*studies: Study) -> tuple[pd.DataFrame, np.ndarray]:
    return estimates(code_cells(studies, "strain", VOCABULARY), VOCABULARY)


def test_log_odds_of_codings_are_those_by_hand() -> None:
    table, _ = coded(interviews())
    assert table["outcome"].tolist() == ["strain_coded", "enabler_coded"]
    assert set(table["metric"]) == {"log_odds"}
    # Half a count is added on both sides: 7 and 5 of 14 against 3 and 13 of 19; 4 against 7.
    odds = {
        "role_change": np.log((3.5 / 16.5) / (7.5 / 7.5)),
        "uncertainty": np.log((13.5 / 6.5) / (5.5 / 9.5)),
        "management_support": np.log((7.5 / 12.5) / (4.5 / 10.5)),
    }
    want = [(odds["role_change"] + odds["uncertainty"]) / 2, odds["management_support"]]
    np.testing.assert_allclose(table["estimate"], want)
    assert table["n"].tolist() == [33, 33]


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
        covariance, np.array([strain, enabler]) @ np.array([strain, enabler]).T
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
    assert beside["estimate"].iloc[0] == alone["estimate"].item()
    assert covariance[0, 0] == own.item()
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


def test_other_response_modes_exposure_types_and_outcomes_are_never_one_estimand() -> None:
    table, covariance = answered(*(experiment(n, 80, seed=s)[0] for s, n in enumerate("abcd")))
    both = plan(table, covariance)
    assert both is not None
    assert len(both.estimands) == 4
    for column in ("response_mode", "exposure_type", "outcome"):
        other = table.copy()
        other.loc[table["study"].isin(["c", "d"]), column] = "another"
        split = plan(other, covariance)
        assert split is not None
        assert split.estimands["id"].is_unique, column
        assert len(split.design.means) == len(split.estimands) >= 6, column
        lone = table.copy()
        lone.loc[table["study"].ne("a"), column] = lone.loc[table["study"].ne("a"), "study"]
        assert plan(lone, covariance) is None, column
        assert len(refused(lone)) >= 6, column


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
    assert plan(table, covariance) is None
    assert explore(table, covariance, {"strain_coded": 1}) is None
    assert refused(table).empty
