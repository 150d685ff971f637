"""What the article says of moderators and of dependent effects follows from their tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics import dependence, moderators
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import result_tables
from metastudy.design.moderators import MODERATED, Moderator
from metastudy.display.plots import bubbles
from metastudy.synthesis.moderators import coefficients, lines
from metastudy.synthesis.pooling import SecondStage, plans

LATITUDE = Moderator("latitude", (), "degrees")
MODE = Moderator("mode", ("paper", "web"))


def plan(studies: int) -> SecondStage:
    """Studies with a latitude and a mode each."""
    first = evidence("null", 2).synthesis["estimates"].iloc[0].to_dict()
    rows = [
        first | {"study": f"study{k}", "estimate": 0.1 * k, "se": 0.1, "provenance": "observed"}
        | {f"{MODERATED}latitude": float(k**2), f"{MODERATED}mode": ("paper", "web")[k % 2]}
        for k in range(studies)
    ]  # fmt: skip
    (found,) = plans(pd.DataFrame(rows), 0.01 * np.eye(studies), [LATITUDE, MODE])
    return found


def results(slope: float, studies: int = 8) -> Results:
    """A slope of the latitude, and a difference by mode that nobody can tell from zero."""
    found = plan(studies)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((2, 200, 2)) * 0.1
    posterior = xr.Dataset(
        {
            "beta": (("chain", "draw", "beta_of"), np.array([slope, 0.01]) + noise),
            "mu": (("chain", "draw", "mu_of"), rng.standard_normal((2, 200, 1))),
        },
        {"beta_of": list(found.slopes.names), "mu_of": list(found.estimands["id"])},
    )
    base = evidence("null", 2)
    entries = {
        "latitude": {"label": "Latitude", "unit": "degrees"},
        "mode": {"label": "Mode", "levels": {"paper": "On paper", "web": "Online"}},
    }
    return replace(
        base,
        vocabulary=Vocabulary({**base.vocabulary.sections, "moderators": entries}),
        synthesis={
            **base.synthesis,
            "moderators": coefficients(found, posterior, 0.95),
            "moderator_lines": lines(found, posterior, 0.95),
        },
    )


@pytest.mark.parametrize(("slope", "word"), [(0.9, "is higher"), (-0.9, "is lower"), (0.0, "")])
def test_a_direction_is_said_only_where_the_posterior_has_one(slope: float, word: str) -> None:
    said = moderators.variables(results(slope))["sentence"]
    if word:
        assert f"{word} with a higher latitude" in said
    else:
        assert "differs with a higher latitude" in said
        assert "is higher" not in said
    assert "differs with Online rather than On paper is undecided" in said
    assert said.count("a comparison between eight studies") == 2
    assert "the population mean is at the mean, 17.5 degrees" in said
    assert "the population mean is at On paper" in said


def test_few_studies_are_called_decided_by_the_prior() -> None:
    said = moderators.variables(results(0.9, studies=7))["sentence"]
    assert "decided by its prior: fewer than four studies for each coefficient" in said
    assert "decided by its prior" not in moderators.variables(results(0.9))["sentence"]


def test_the_table_has_the_change_per_standard_deviation_and_per_unit() -> None:
    found = moderators.table(results(0.9))
    row = found.full.iloc[0]
    assert row["scale"] == pytest.approx(np.std(np.arange(8) ** 2, ddof=1))
    shown = found.shown.iloc[0]
    assert shown["Per unit"].startswith(f"{row['mean'] / row['scale']:.3f}")
    assert shown["Moderator"] == f"Latitude, per SD ({row['scale']:.3g} degrees)"
    assert found.shown.iloc[1]["Per unit"] == "–"


def test_every_estimate_is_a_bubble_at_its_latitude_and_the_line_is_the_mean() -> None:
    table = moderators.figure(results(0.9))
    figure = bubbles.bubbles(table)
    found = {a.get_gid(): a for a in figure.findobj() if a.get_gid()}
    estimates = table[(table["kind"] == "estimate") & table["x"].notna()]
    assert len(estimates) == 8
    for at, row in estimates.iterrows():
        assert list(found[f"estimate-{at}"].get_xdata()) == [row["x"]]
        assert list(found[f"estimate-{at}"].get_ydata()) == [row["estimate"]]
    line = table[(table["kind"] == "mean") & table["x"].notna()]
    drawn = found[f"mean-{line.index[0]}"]
    np.testing.assert_array_equal(drawn.get_ydata(), line["estimate"])
    categories = table[(table["kind"] == "mean") & table["x"].isna()]
    assert categories["position"].tolist() == ["On paper", "Online"]


def test_without_moderators_and_dependent_effects_it_says_not_done() -> None:
    bare = evidence("null", 2)
    assert moderators.variables(bare)["sentence"] == (
        "Moderators: not done, because no moderator is declared."
    )
    assert moderators.figure(bare).empty
    assert dependence.variables(bare)["sentence"].startswith("Dependent effects: not done, because")


def test_other_correlations_are_columns_of_the_table() -> None:
    base = evidence("null", 2)
    whole = base.synthesis["pooled"].query("level == 'population'").iloc[0].to_dict()
    row = whole | {"effects": 3, "given": 0, "declared": 1, "assumed": 2, "correlation": 0.6}
    row |= {"mean": 0.2, "lower": 0.1, "upper": 0.3, "mean_30": 0.25, "lower_30": 0.11}
    row |= {
        "upper_30": 0.35,
        "mean_90": 0.1,
        "lower_90": 0.0,
        "upper_90": 0.2,
        "id": "x",
        "missed": "",
    }
    made = pd.DataFrame([row])[result_tables.columns("dependence")]
    found = replace(base, synthesis={**base.synthesis, "dependence": made})
    shown = dependence.table(found).shown.iloc[0]
    assert shown["Pairs"] == "1 declared; 2 assumed (0.6)"
    assert shown["At 0.3"].startswith("0.25 (0.11")
    assert shown["At 0.9"].startswith("0.10 (")
    assert "none of the means moves by more than 0.10" in dependence.variables(found)["sentence"]
    assert "Gate missed" not in shown
    missed = made.assign(missed="at 0.9: R-hat 1.4 (gate 1.02)")
    other = replace(base, synthesis={**base.synthesis, "dependence": missed})
    assert dependence.table(other).shown["Gate missed"].iloc[0].startswith("at 0.9: R-hat")
    given = replace(base, synthesis={**base.synthesis, "dependence": made.assign(assumed=0)})
    assert "At 0.3" not in dependence.table(given).shown
    assert "assumed correlations" not in dependence.table(given).caption
