"""What the article says of other priors of the second stage follows from their table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.sections import sections
from metastudy.article.topics import prior_scales
from metastudy.common import result_tables

# Key of the prior, factor, mean, standard deviation and the gate that is missed.
Refit = tuple[str, float, float, float, str]
MISSED = "R-hat 1.5 (gate 1.02)"
CLEAR, OPEN = (0.4, 0.1), (0.25, 0.12)  # mean and standard deviation


def results(*refits: Refit, family: bool = False) -> Results:
    """Three pooled means, clear ones, of which the first was refitted."""
    base = evidence("all", 3)
    pooled = base.synthesis["pooled"].copy()
    whole = pooled.query("level == 'population'").iloc[0].to_dict()
    if family:
        own = {"level": "family", "id": "f", "outcome": whole["family"], "group": whole["family"]}
        whole |= own
        pooled = pd.concat([pooled, pd.DataFrame([whole])], ignore_index=True)
    rows = [_row(whole, refit) for refit in refits]
    made = pd.DataFrame(rows)[result_tables.columns("prior_scales")]
    found = result_tables.checked("prior_scales", made)
    return replace(base, synthesis={**base.synthesis, "pooled": pooled, "prior_scales": found})


def _row(whole: dict[str, Any], refit: Refit) -> dict[str, Any]:
    key, factor, mean, sd, missed = refit
    law = norm(mean, sd)
    return whole | {
        "kind": whole["level"], "prior_key": key, "factor": factor, "missed": missed,
        "mean": mean, "sd": sd, "lower": law.ppf(0.025), "upper": law.ppf(0.975),
        "positive": law.sf(0), "pd": law.sf(0), "above": law.sf(0.1), "below": law.cdf(-0.1),
        "rope": law.cdf(0.1) - law.cdf(-0.1), "shift": (mean - whole["mean"]) / whole["sd"],
        "scaled_prior": 0.06, "scaled_likelihood": 0.04, "rhat": 1.0, "ess": 500.0,
        "note": "half-normal, scale 0.6",
    }  # fmt: skip


def said(found: Results) -> str:
    return str(prior_scales.variables(found)["sentence"])


def test_the_sentence_has_the_largest_shift_and_the_changed_verdicts() -> None:
    found = results(("tau", 0.5, 0.41, 0.1, ""), ("tau", 2.0, *OPEN, ""), ("all", 2.0, *CLEAR, ""))
    text = said(found)
    assert text.startswith("With each prior scale of the second stage halved and doubled, and all")
    assert "more than 1.50 posterior standard deviations" in text
    assert "spreads between groups doubled), intervals are 1.00 to 1.20 times as wide" in text
    assert "times as wide, and the one verdict changes. Power-scaling finds the pooled" in text
    assert text.endswith("sensitive to the prior, but not to the likelihood.")
    none = results(("effect", 0.5, 0.39, 0.1, ""), ("effect", 2.0, 0.41, 0.1, ""))
    assert "times as wide, and the one verdict does not change." in said(none)


def test_a_refit_that_misses_a_gate_is_shown_and_not_counted() -> None:
    found = results(("tau", 0.5, 0.41, 0.1, ""), ("tau", 2.0, *OPEN, MISSED))
    assert "more than 0.10 posterior" in said(found)
    assert "the one verdict does not change; 1 of 2 means is of a refit that misses a gate" in said(
        found
    )
    shown = prior_scales.table(found).shown
    assert shown["Gate missed"].tolist() == ["–", MISSED]
    every = results(("tau", 2.0, *OPEN, MISSED))
    assert said(every).endswith("halved and doubled: the one mean is of a refit that misses a gate "
                                "and is not counted.")  # fmt: skip


def test_the_table_has_the_mean_before_and_after_and_another_verdict() -> None:
    found = results(("tau", 0.5, 0.41, 0.1, ""), ("effect_correlation", 2.0, *OPEN, ""))
    shown = prior_scales.table(found).shown
    assert shown["Priors"].tolist() == [
        "Spreads between groups halved",
        "Correlations between effects doubled",
    ]
    assert (shown["Pooled"] != "").tolist() == [True, False]  # said once
    assert shown["Pooled with it"].tolist()[1] == "0.25 (0.01 to 0.49)"
    assert shown["Other verdict"].tolist() == ["–", "higher, size open"]


def test_the_mean_of_a_family_is_called_so() -> None:
    found = results(("outcomes", 2.0, *OPEN, ""), family=True)
    (name,) = prior_scales.table(found).shown["Mean"]
    assert ": mean of " in name
    assert name in said(found)


def test_without_several_studies_there_is_neither_table_nor_claim() -> None:
    base = evidence("all", 1)
    assert said(base) == prior_scales.FEW
    assert prior_scales.table(base).shown.empty
    assert prior_scales.variables(replace(base, synthesis={})) == {}


def test_an_article_that_grows_has_it_where_something_is_pooled() -> None:
    found = results(("tau", 2.0, *OPEN, ""))
    written = sections(found)["synthesis"]
    assert "tbl-prior-scales" in written
    assert "prior_scales.sentence" in written
    assert "prior_scales" not in sections(evidence("all", 1))["synthesis"]
    assert not np.isnan(found.synthesis["prior_scales"]["shift"]).any()
