"""The page of the calibration counts and shows the quantities and simulations that went wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.raw_studies import VOCABULARY
from metastudy.calibration.rank_bands import END_TO_END, INTERVALS, POSTERIOR
from metastudy.calibration.synthesis import QUANTITIES
from metastudy.calibration_report.figures import kind_of
from metastudy.calibration_report.page import calibration_page
from metastudy.display.page import render
from metastudy.models.answers.simulation import OF_ANSWERS
from metastudy.models.codings.simulation import OF_CODINGS

SIMULATIONS, KEPT = 60, 49


def tables(biased: bool, part: str = "module") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three quantities, one of them perhaps always overestimated; two simulations missed a gate."""
    rng = np.random.default_rng(3)
    rows = []
    for name in ("mu[a]", "mu[b]", "log_likelihood"):
        for at in range(SIMULATIONS):
            rank = rng.integers(0, 5 if biased and name == "mu[b]" else KEPT + 1)
            rows.append(
                {"part": part, "simulation": at, "parameter": name.split("[")[0]}
                | {"quantity": name, "truth": 0.0, "mean": 0.1, "sd": 1.0, "rank": rank}
                | {"ranked": KEPT, "passed": at > 1, "provenance": "simulated"}
                | {f"covered_{share}": at % 100 < share for share in INTERVALS}
            )
    checks = [
        {"part": part, "simulation": at, "gate": gate, "value": value, "threshold": limit}
        | {"quantity": "mu[a]", "passed": passed, "provenance": "simulated"}
        for at in range(SIMULATIONS)
        for gate, value, limit, passed in (
            ("rhat", 1.3 if at < 2 else 1.01, 1.08, at > 1),
            ("ess_bulk", 70.0 + at, 50.0, True),
            ("divergences", 0.0, 0.0, True),
        )
    ]
    return pd.DataFrame(rows), pd.DataFrame(checks)


def written(biased: bool) -> dict[str, str]:
    ranked, checks = tables(biased)
    return render(calibration_page({"threat": ranked}, {"threat": checks}, VOCABULARY))


def test_a_quantity_that_is_not_uniform_is_counted_and_named() -> None:
    text = written(biased=True)["md"]
    assert "1 leave the band of one quantity" in text
    assert "Quantities outside the band of all" in text
    assert "| Population means | mu\\[b\\] |" in text
    assert "Quantities outside the band of all" not in written(biased=False)["md"]


def test_missed_gates_are_counted_with_the_worst_value_and_stay() -> None:
    text = written(biased=False)["md"]
    assert "Of the simulations 2 missed a gate; all stay among the ranks." in text
    assert "| Largest R-hat | mu\\[a\\] | 1.08 | 2 | 1.30 |" in text
    assert "| Smallest bulk sample size | mu\\[a\\] | 50 | 0 | 70 |" in text


def test_the_page_is_marked_as_simulated_and_has_its_drawing() -> None:
    for suffix, text in written(biased=False).items():
        assert "Simulated data" in text, suffix
        assert VOCABULARY.label("modules", "threat") in text, suffix
    assert "<svg" in written(biased=False)["html"]


def test_both_calibrations_have_a_section_with_their_name() -> None:
    """The second stage has several models of a metric, each with both."""
    name = VOCABULARY.label("modules", "threat")
    parts = {
        "threat": ["module", f"module{POSTERIOR}"],
        "synthesis": ["pooled_2", f"pooled_2{POSTERIOR}", f"pooled_score{POSTERIOR}", END_TO_END],
    }
    both = {
        model: [pd.concat(each) for each in zip(*(tables(False, p) for p in of), strict=True)]
        for model, of in parts.items()
    }
    ranked, checks = ({model: two[at] for model, two in both.items()} for at in (0, 1))
    text = render(calibration_page(ranked, checks, VOCABULARY))["md"]
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("## ")]
    second = "Second stage, given the covariance"
    assert headings == [
        "How to read this page",
        f"{name} (prior SBC)",
        f"{name} (posterior SBC)",
        f"{second}: standard deviations (prior SBC)",
        f"{second}: standard deviations (posterior SBC)",
        f"{second}: score (posterior SBC)",
        "From rows to the pooled mean",
    ]
    assert "Prior SBC: " in text
    assert "Posterior SBC: " in text


def test_every_quantity_that_is_ranked_has_a_name() -> None:
    of_answers = (*OF_ANSWERS, "construct_correlation", "vignette_correlation")
    ranked = {*of_answers, *OF_CODINGS, *QUANTITIES}
    assert not [name for name in ranked if kind_of(name) == name]
