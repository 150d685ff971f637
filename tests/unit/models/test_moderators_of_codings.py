"""Moderators of studies of codings: no term of their model, said by name; one where it pools them.

The coefficient of the second stage is that of a weighted regression of the unpooled contrasts, as
statsmodels has it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers.evidence import evidence
from helpers.hand_made import coding_study
from helpers.raw_studies import VOCABULARY
from metastudy.article.topics import identification, moderators
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.design.moderators import moderators_of
from metastudy.harmonized.schema import empty
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import check_required
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.kind import CODINGS
from metastudy.models.codings.moderators import WHY, with_moderators
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.declared import with_attributes
from metastudy.synthesis.eligibility import module_structures
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.stages import pool
from metastudy.synthesis.study_estimates import estimates

CODES = ["role_change", "uncertainty"]
ARRANGEMENT = {"attribute": "arrangement", "type": "organisational"}
KNOWN = Vocabulary(
    dict(VOCABULARY.sections)
    | {"moderators": {"latitude": {"label": "Latitude"}, "year": {"label": "Year"}}}
)
LATITUDES = [36.0, 40.0, 41.0, 55.0, 58.0]


def study(name: str, seed: int, exposures: bool = True, **said: float) -> Study:
    """Eight organisations of five interviews, half of them on each side of the arrangement."""
    rng = np.random.default_rng(seed)
    heard = [
        (f"{name}-org-{o}", {"coder-1": [c for c in CODES if rng.random() < 0.3 + 0.2 * (o % 2)]})
        for o in range(8)
        for _ in range(5)
    ]
    sides = [("state_policy", "org_mission")[o % 2] for o in range(8) for _ in range(5)]
    made = coding_study(name, heard, CODES, [ARRANGEMENT] * exposures, arrangement=sides)
    rows = [
        {"study_id": name, "finding_id": None, "kind": "moderator", "name": k, "value": str(v)}
        for k, v in said.items()
    ]
    return made.with_tables(attributes=pd.DataFrame(rows, columns=list(empty("attributes"))))


def five(**more: bool) -> list[Study]:
    return [study(f"s{k}", k, latitude=x, **more) for k, x in enumerate(LATITUDES)]


def test_cells_without_a_moderator_are_those_that_they_were() -> None:
    studies = [study("a", 1), study("b", 2)]
    plain = code_cells(studies, "strain", KNOWN)
    assert with_moderators(plain, studies, KNOWN) is plain


def test_a_declared_one_is_named_with_the_reason_and_changes_nothing_of_the_model() -> None:
    studies = five()
    plain = code_cells(studies, "strain", KNOWN)
    cells = CODINGS.moderate(plain, studies, KNOWN)
    priors = priors_of({"effect_logit": 0.9, "tau_logit": 0.5, "prevalence": 1.5})
    np.testing.assert_array_equal(pack(cells, priors), pack(plain, priors))
    table, before = module_structures(cells), module_structures(plain)
    own = table[table["grouping"] == "latitude"]
    assert own[["exposure", "levels", "used_as", "aliased_with", "reason"]].to_numpy().tolist() == [
        ["arrangement_organisational", 5, "left out", "", WHY]
    ]
    pd.testing.assert_frame_equal(table[table["grouping"] != "latitude"], before)
    assert [c.names for _, _, one in CODINGS.structures(cells) for c in one.components] == [
        c.names for _, _, one in CODINGS.structures(plain) for c in one.components
    ]


def test_of_another_modules_study_and_of_no_exposure() -> None:
    studies = five(exposures=False)
    cells = code_cells(studies, "strain", KNOWN)
    table = module_structures(with_moderators(cells, studies, KNOWN))
    assert table[["exposure", "outcome", "grouping"]].to_numpy().tolist() == [["", "", "latitude"]]
    other = [study("else", 9, year=2001.0), *studies]
    assert "year" not in with_moderators(cells, other, KNOWN).attrs["moderators"]


def test_to_require_it_is_refused_with_the_reason() -> None:
    studies = five()
    cells = with_moderators(code_cells(studies, "strain", KNOWN), studies, KNOWN)
    with pytest.raises(BadInput, match=r"latitude.*no spread between studies"):
        check_required(cells, ["latitude"])


def test_the_article_says_so_once_for_a_module_and_the_figure_of_the_design_does_not() -> None:
    studies = [study(f"s{k}", k, latitude=x, year=2000.0 + k) for k, x in enumerate(LATITUDES)]
    cells = with_moderators(code_cells(studies, "strain", KNOWN), studies, KNOWN)
    world = evidence("mixed", 2)
    structure = module_structures(cells)
    synthesis = world.synthesis | {"structure": structure}
    sections = {**world.vocabulary.sections, "moderators": KNOWN["moderators"]}
    found = replace(world, vocabulary=Vocabulary(sections), synthesis=synthesis)
    said = moderators.variables(found)["sentence"]
    label = world.vocabulary.label("modules", "strain").lower()
    assert said == f"Latitude and year are no terms of the module {label}: {WHY}."
    shown = identification.table(found).shown
    assert shown.loc[shown["Grouping"] == "Latitude", "Used as"].tolist() == ["left out"]
    assert "Latitude" not in set(identification.figure(found)["column"])


def planned() -> SecondStage:
    studies = five()
    table, covariance = estimates(code_cells(studies, "strain", KNOWN), KNOWN)
    attributes = pd.concat([s["attributes"] for s in studies], ignore_index=True)
    table = with_attributes(table, attributes, moderators_of(KNOWN))
    (found,) = plans(table, covariance, moderators_of(KNOWN))
    return found


def test_the_second_stage_has_the_contrasts_of_the_studies_against_it() -> None:
    found = planned()
    assert set(found.table["metric"]) == {"log_odds"}
    scaled = (np.array(LATITUDES) - np.mean(LATITUDES)) / np.std(LATITUDES, ddof=1)
    assert len(found.slopes.names) == 1
    np.testing.assert_allclose(found.slopes.columns[:, 0], scaled)


@pytest.mark.fit
@pytest.mark.ci
def test_its_coefficient_is_that_of_a_weighted_regression_of_the_unpooled_contrasts() -> None:
    """With flat priors and no heterogeneity, by statsmodels with the variances as known."""
    found = planned()
    flat = priors_of({"effect_logit": 1e3, "tau_logit": 1e-4, "moderator_logit": 1e3})
    sampling = {"chains": 2, "tune": 500, "draws": 2000, "target_accept": 0.9, "seed": 5}
    draws = pool(found, flat, sampling | {"retries": 1}, "log_odds")["posterior"].to_dataset()
    x = sm.add_constant(found.slopes.columns[:, 0])
    fit = sm.WLS(found.table["estimate"], x, weights=found.table["se"] ** -2.0).fit()
    (row,) = summarize(draws["beta"].transpose("chain", "draw", ...), 0.95).to_dict("records")
    assert abs(row["mean"] - fit.params.iloc[1]) < 4 * row["mcse"]
    exact = float(np.sqrt(fit.normalized_cov_params.iloc[1, 1]))
    assert row["sd"] == pytest.approx(exact, rel=0.08)
