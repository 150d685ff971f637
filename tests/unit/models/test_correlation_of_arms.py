"""A correlation that is assumed between outcomes of arms: in the cells, and what it moves."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.scored_arms import TWO, arms_of, correlation, of_arms, people, study
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.result_tables import checked
from metastudy.common.yaml_document import read_yaml
from metastudy.harmonize.harmonize import save
from metastudy.harmonized.study import load_study
from metastudy.inference.sampling import compile_model, draw
from metastudy.model_checks.correlations_of_arms import correlations_of_arms
from metastudy.model_checks.leave_group_out import CORRELATION, refits
from metastudy.models.aggregate import aggregate
from metastudy.models.answers.assumed import (
    assumed_correlation,
    studies_apart,
    studies_assumed,
    studies_in_parts,
    with_correlation,
)
from metastudy.models.answers.design import estimands, families
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.kind import build, sizes
from metastudy.models.answers.scored_arms import assuming, within_of
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of

WORDS = ROOT / "config" / "vocabulary.yaml"
OTHERS = ("threat_job", "work_motivation")  # of two families
PRIORS = read_yaml(ROOT / "config" / "config.yaml").data["priors"]


def saved(folder: Path, table: pd.DataFrame, codebook: str) -> Path:
    """The harmonized folder of a study of arms."""
    save(study(folder, table, codebook), folder / "out")
    return folder / "out"


def cells(folder: Path, assumed: float | None) -> xr.Dataset:
    return aggregate([folder], "threat", WORDS, "main", assumed)


def the_same(one: xr.Dataset, other: xr.Dataset) -> None:
    for name in other.data_vars:
        if other[name].dtype.kind == "f":
            np.testing.assert_allclose(one[name], other[name], rtol=1e-12, atol=1e-12, err_msg=name)
        else:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_cells_with_an_assumed_correlation_are_those_with_the_same_one_given(
    tmp_path: Path,
) -> None:
    arms = arms_of(people())
    without = saved(tmp_path / "without", arms.drop(columns="r"), of_arms())
    for value in (0.3, 0.6):
        known = saved(tmp_path / f"known{value}", arms.assign(r=value), of_arms(TWO, correlation()))
        found = cells(without, value)
        the_same(found, cells(known, None))
        assert studies_assumed(found) == ("small",)
        assert not studies_apart(found)
        assert families(estimands(found)).ne("").all()
        assert sizes(found)[1].sum() == len(people())
        # And the estimates of the second stage have the covariance that this correlation gives.
        ((_, own),), ((_, given),) = (blocks(c, VOCABULARY) for c in (found, cells(known, None)))
        np.testing.assert_allclose(own, given)
        assert own[0, 1] > 0
    the_same(with_correlation(cells(without, 0.6), 0.3), cells(without, 0.3))
    assert assumed_correlation(with_correlation(cells(without, 0.6), 0.3)) == 0.3


def test_without_the_setting_and_with_given_correlations_nothing_is_assumed(
    tmp_path: Path,
) -> None:
    arms = arms_of(people())
    without = saved(tmp_path / "without", arms.drop(columns="r"), of_arms())
    assert studies_apart(cells(without, None)) == ("small",)
    known = saved(tmp_path / "known", arms, of_arms(TWO, correlation()))
    assert cells(known, 0.6).identical(cells(known, None))
    assert assumed_correlation(cells(known, 0.6)) is None


def test_between_families_nothing_is_assumed_and_within_them_pooling_goes_on(
    tmp_path: Path,
) -> None:
    three = ("threat_job", "threat_quality", "work_motivation")
    table = people(three)
    arms = arms_of(table, three).drop(columns="r")
    found = cells(saved(tmp_path, arms, of_arms(three)), 0.6)
    together = found.observed.values[found.pattern_of_cell.values].astype(bool)
    names = [{str(c) for c in found.construct_of.values[row]} for row in together]
    assert {frozenset(n) for n in names} == {frozenset(three[:2]), frozenset(three[2:])}
    assert studies_in_parts(found) == ("small",)
    assert not studies_apart(found)
    family = families(estimands(found))
    assert family[[c in three[:2] for c in estimands(found)["outcome"]]].ne("").all()
    assert sizes(found)[1].sum() == len(table)


def test_an_outcome_that_points_the_other_way_has_the_other_sign(tmp_path: Path) -> None:
    folder = saved(tmp_path, arms_of(people()).drop(columns="r"), of_arms())
    sections = deepcopy(dict(VOCABULARY.sections))
    for sign, expected in ((1, 0.6), (-1, -0.6), (0, 0.6)):
        sections["constructs"][TWO[1]]["family_sign"] = sign
        one = assuming(load_study(folder), 0.6)
        arms = pd.Index(one.arms["respondent_id"].unique())
        within = within_of(one, arms, TWO, Vocabulary(sections))
        sd = np.sqrt(within.variance)
        np.testing.assert_allclose(within.covariance[:, 0, 1], expected * sd.prod(axis=1))


@pytest.mark.ci
@pytest.mark.slow
@pytest.mark.fit
def test_differences_are_as_certain_as_the_correlation_says_and_refits_share_one_model(
    tmp_path: Path,
) -> None:
    """Of n people in each of two arms a difference of two effects has 2 (1 - r) times the variance
    of one of them, 2 / n, and the errors of the two units, where priors are wide.
    """
    n, effect, other = 3000, 0.5, 0.1
    arms = pd.DataFrame({"nr": [1, 2], "arm": [1, 2], "n": n})
    for name, d in zip(TWO, (effect, other), strict=True):
        arms[f"m_{name}"], arms[f"sd_{name}"] = [4.0, 4.0 + d], 1.0
    codebook = of_arms().replace("  - {name: home, as: site}\n", "")
    found = cells(saved(tmp_path, arms, codebook), 0.6)
    priors = priors_of({**PRIORS, "outcomes": 2.0})
    compiled = compile_model(build(found, priors))
    chains = {"chains": 2, "tune": 500, "draws": 1000, "target_accept": 0.9, "retries": 0}
    given = {one.group: one for one in refits(found, priors, []) if one.kind == CORRELATION}
    assert list(given) == ["0.3", "0.9"]
    drawn = {
        name: draw(compiled, {**chains, "seed": 1}, 1, pack(one, priors))["posterior"]
        .to_dataset()
        .assign_attrs(missed="")
        for name, one in {"": found, **{k: g.cells for k, g in given.items()}}.items()
    }
    table = checked(
        "correlations_of_arms", correlations_of_arms(found, drawn[""], drawn, 0.95)
    ).set_index("id")
    between = table[table.index.str.contains("difference")]
    assert len(between) == 2
    for r, end in ((0.3, "_30"), (0.6, ""), (0.9, "_90")):
        width = between[f"upper{end}"] - between[f"lower{end}"]
        units = (effect**2 + other**2) / (2 * (n - 1))
        sd = np.sqrt(2 * (1 - r) * 2 / n + units)
        np.testing.assert_allclose(width / (2 * 1.96), sd, rtol=0.1)
        np.testing.assert_allclose(between[f"mean{end}"].abs(), effect - other, atol=0.02)
    missed = correlations_of_arms(
        found, drawn[""], drawn | {"0.3": drawn["0.3"].assign_attrs(missed="R-hat")}, 0.95
    )
    assert missed["mean_30"].isna().all()
    assert missed["mean_90"].notna().all()
    assert missed["missed"].eq("at 0.3: R-hat; ").all()
