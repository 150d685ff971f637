"""What is said of effects that a study measures together: a correlation, or why it is zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from metastudy.article.topics import dependence
from metastudy.common import result_tables
from metastudy.models.priors import Prior
from metastudy.synthesis.correlated import correlated
from metastudy.synthesis.pooling import ESTIMAND, SecondStage, plans

PRIORS = {"effect_correlation": Prior("lkj", {"shape": 2.0})}
MEASURED = {"s0": "ab", "s1": "ab", "s2": "ac", "s3": "c", "s4": "d", "s5": "d"}


def fits(measured: dict[str, str]) -> list[tuple[SecondStage, xr.Dataset]]:
    rows = [{"study": study, "outcome": one} for study, own in measured.items() for one in own]
    table = pd.DataFrame(rows).assign(
        **dict.fromkeys(ESTIMAND, "x") | {"metric": "sd", "outcome": [r["outcome"] for r in rows]},
        country="c", sector="s", vignette="", estimate=0.1, se=0.1, n=50, provenance="observed",
    )  # fmt: skip
    found = []
    for plan in plans(table, np.diag(table["se"] ** 2)):
        pairs = len(plan.design.joint.pairs) if plan.design.joint else 0
        drawn = np.linspace(0.1, 0.5, 200).reshape(2, 100, 1).repeat(pairs, axis=2)
        draws = xr.Dataset({"correlation": (("chain", "draw", "pair_of"), drawn)})
        found.append((plan, draws))
    return found


def test_each_two_effects_that_a_study_measures_together_have_a_row_across_plans() -> None:
    found = correlated(fits(MEASURED), PRIORS, 0.95)
    assert found[["outcome", "other_outcome", "studies"]].to_numpy().tolist() == [
        ["a", "b", 2],
        ["a", "c", 1],
    ]
    free, zero = found.iloc[0], found.iloc[1]
    assert free["mean"] == pytest.approx(0.3)
    assert free["lower"] == pytest.approx(0.11, abs=0.002)
    assert (free["prior"], free["reason"]) == ("LKJ, shape 2", "")
    assert np.isnan(zero["mean"])
    assert zero["reason"] == "one study only measures both"
    result_tables.checked("correlations", found)


def test_nothing_measured_together_has_no_row() -> None:
    assert correlated([], PRIORS, 0.95).empty
    none = correlated(fits({"s4": "d", "s5": "d"}), PRIORS, 0.95)
    result_tables.checked("correlations", none)
    assert none.empty


def test_the_article_says_which_effects_are_pooled_jointly_and_which_are_not() -> None:
    found = correlated(fits(MEASURED), PRIORS, 0.95)
    assert dependence._joint(found) == (
        " The deviations of two effects that two or more studies measure together are correlated, "
        "with a posterior mean of 0.30 (0.11 to 0.49); for 1 more the correlation is taken as "
        "zero, as one study only measures both."
    )
    assert dependence._joint(found.iloc[1:]) == (
        " No two effects are pooled jointly: for 1 that are measured together the correlation is "
        "taken as zero, as one study only measures both."
    )
    assert dependence._joint(found.iloc[:0]) == ""
