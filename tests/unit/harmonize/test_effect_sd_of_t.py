"""A t in another SD than that of its arms is told, and one that agrees with them is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metastudy.harmonize.effect_forms import computed
from metastudy.harmonize.effect_rows import Row
from metastudy.harmonize.effect_sd_of_t import OTHER_SD, TAKEN_SD, said_of_t
from metastudy.harmonize.findings import notes_on

# The SD within both arms is root((5.5^2 + 4.5^2) / 2) = 5.02, and the t of 3 points is 2.985.
SDS = {"sd_treatment": 5.5, "n_treatment": 50.0, "sd_control": 4.5, "n_control": 50.0}
MEANS: dict[str, Any] = {
    "mean_treatment": 103.0,
    "mean_control": 100.0,
    "metric": "sd",
    "standardiser": "pooled_sd",
}


def said(**values: Any) -> str:
    return said_of_t(Row({**SDS, **values}))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("equal", [True, False], ids=["student", "welch"])
def test_the_t_of_drawn_arms_says_nothing(seed: int, equal: bool) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(1, 1, 60), rng.normal(0, 1.1, 55)
    t = float(stats.ttest_ind(one, other, equal_var=equal).statistic)
    values: dict[str, Any] = {"metric": "sd", "standardiser": "pooled_sd", "t": round(t, 2)}
    for name, arm in (("treatment", one), ("control", other)):
        values |= {f"mean_{name}": round(float(arm.mean()), 2), f"n_{name}": float(len(arm))}
        values |= {f"sd_{name}": round(float(arm.std(ddof=1)), 2)}
    assert said_of_t(Row(values)) == ""


def test_a_t_in_another_sd_is_told_with_both() -> None:
    # 3 / (4.2 * root(2 / 50)) = 3.571
    assert said(**MEANS, t=2.98) == ""
    assert said(**MEANS, t=4.2) == ""  # means without decimals: 3 may be 2 or 4
    exact = MEANS | {"mean_treatment": 103.01, "mean_control": 100.01}
    assert said(**exact, t=4.2) == f"{OTHER_SD}: 3.57 against 5.02"
    assert said(estimate=3.01, metric="scale_points", t=4.2) == f"{OTHER_SD}: 3.58 against 5.02"
    assert said(estimate=3.01, metric="scale_points", t=2.98) == ""


def test_where_nothing_can_be_compared_nothing_is_said_but_what_is_taken() -> None:
    assert said(metric="sd", t=2.1) == TAKEN_SD
    assert said(metric="fisher_z", t=2.1) == ""
    assert said(**MEANS) == ""
    assert said_of_t(Row({"metric": "sd", "t": 2.1, "n": 40.0})) == ""


def test_the_note_names_the_findings() -> None:
    fields, problems = computed(Row({**SDS, "metric": "sd", "t": 2.1}))
    assert not problems
    methods = [fields["method"], None, ""]
    effects = pd.DataFrame(
        {"finding_id": ["f1", "f2", "f3"], "exposure": "letter", "method": methods}
    )
    (note,) = notes_on(effects)
    assert note.startswith(f"{TAKEN_SD} (f1): with a t of an adjusted model")
