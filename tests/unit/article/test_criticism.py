"""What the article says of the checks follows from their tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics import (
    pooling_comparison,
    predictive_answers,
    predictive_checks,
)
from metastudy.display.plots import forest
from metastudy.model_checks.loo_comparison import COLUMNS as COMPARED
from metastudy.model_checks.predictive_checks import COLUMNS as PREDICTED

Rows = list[dict[str, Any]]


def statistic(name: str, observed: float | None, **more: Any) -> Rows:
    """An observed value beside replicates from the prior and from the posterior around a half."""
    empty = dict.fromkeys(PREDICTED, "")
    same = empty | {
        "module": "threat", "study": "first", "outcome": "threat_quality", "statistic": name,
        "observed": observed, "tail": 0.5, "provenance": "simulated",
    }  # fmt: skip
    prior = {"mean": 0.5, "lower": 0.0, "upper": 1.0, "lower50": 0.25, "upper50": 0.75}
    after = {"mean": 0.5, "lower": 0.4, "upper": 0.6, "lower50": 0.45, "upper50": 0.55}
    return [
        same | prior | {"kind": "prior"} | more,
        same | after | {"kind": "posterior"} | more,
    ]


def checked(*found: Rows) -> Results:
    table = pd.DataFrame([row for rows in found for row in rows], columns=PREDICTED)
    return replace(evidence("mixed", 1), predictive=table)


def compared(components: int = 3, high_k: int = 0, apart: float = 2.0) -> Results:
    """No pooling is clearly worse; complete pooling lies ``apart`` below partial pooling."""
    found = evidence("mixed", 1)
    table = found.comparison.set_index("pooling")
    table["components"] = components
    table.loc["unpooled", "high_k"] = high_k
    table.loc["pooled", ["elpd_loo", "difference", "se_difference"]] = -100 - apart, -apart, 1.5
    return replace(found, comparison=table.reset_index()[COMPARED])


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (0.5, "does not lie outside the 95% interval of its replicates."),
        (0.9, "lies outside the 95% interval of its replicates: the one share at the lowest "
         "value."),
    ],
)  # fmt: skip
def test_of_one_statistic_it_says_whether_it_lies_outside(low: float, said: str) -> None:
    one = predictive_checks.variables(checked(statistic("floor", low)))["threat"]["sentence"]
    assert one == f"The one observed statistic {said}"


def test_the_sentence_counts_what_lies_outside_by_kind_of_statistic() -> None:
    found = checked(
        statistic("mean", 0.5),
        statistic("skewness", 0.7),
        statistic("skewness", 0.5, outcome="threat_job"),
        statistic("floor", 0.9),
        statistic("floor", 0.65, outcome="threat_job"),
        statistic("ceiling", None),
    )
    said = predictive_checks.variables(found)["threat"]
    assert (said["count"], said["outside"]) == ("5", "3")
    assert said["sentence"] == (
        "Of 5 observed statistics, three lie outside the 95% interval of their replicates, where "
        "hardly any would if the model were true: two of the two shares at the lowest value and "
        "one of the two values of skewness."
    )
    assert said["worst"].startswith("the share at the lowest value of threat to")
    assert "90.0% against 40.0% to 60.0%" in said["worst"]
    assert said["prior"] == "5 of 5"
    assert said["off_scale_posterior"] == "100%"  # half of the replicates beyond either end


def test_what_may_not_be_told_has_no_mark_and_an_outlier_has_its_own_colour() -> None:
    found = checked(statistic("mean", 0.9), statistic("skewness", 0.5), statistic("floor", None))
    table = predictive_answers.figure(found, "threat")
    assert set(table["metric"]) == {"mean", "skewness"}
    mean = table[table["metric"] == "mean"]
    after = mean[mean["level"] == "posterior"]
    assert list(after["hue"]) == ["outside", "outside"]
    assert list(after["estimate"]) == [0.9, 0.9]
    assert after[["lower", "upper"]].to_numpy().tolist() == [[0.4, 0.6], [0.45, 0.55]]
    assert set(mean.loc[mean["level"] == "prior", "hue"]) == {"prior"}
    skewness = table[table["metric"] == "skewness"]
    assert set(skewness["hue"]) == {"posterior"}  # the prior says nothing about shape
    drawn = {a.get_gid() for a in forest.forest(table).findobj() if a.get_gid()}
    assert {f"interval-{at}" for at in table.index} <= drawn


def test_the_denominator_of_what_was_observed_cannot_be_read_off_the_figure_s_file() -> None:
    """6 of 297 in full was 2.0202... %: three of 300 had not answered."""
    for provenance, shown in (("observed", 2.0), ("simulated", 100 * 6 / 297)):
        many = statistic("floor", 6 / 297, provenance=provenance, lower=5 / 297)
        table = predictive_answers.figure(checked(many), "threat")
        after = table[table["level"] == "posterior"]
        assert set(after["estimate"]) == {shown}
        assert after["lower"].iloc[0] == pytest.approx(1.7 if shown == 2.0 else 500 / 297, abs=1e-9)


def test_of_many_correlations_the_figure_shows_those_farthest_out() -> None:
    pairs = [
        statistic("correlation", 0.5 + 0.02 * i, other="threat_job", other_vignette=str(i))
        for i in range(9)
    ]
    table = predictive_answers.figure(checked(*pairs), "threat")
    assert table["block"].unique().tolist() == [
        f"Correlations between outcomes: the {'six'} farthest out of 9"
    ]
    assert table["estimate"].min() == pytest.approx(0.56)


def test_of_many_studies_the_figure_shows_those_farthest_out() -> None:
    values = {"a": 0.5, "b": 0.7, "c": 0.5, "d": 0.62}
    shapes = [statistic("skewness", value, study=study) for study, value in values.items()]
    table = predictive_answers.figure(checked(*shapes), "threat")
    assert table["study"].unique().tolist() == ["b", "d"]
    assert table["block"].str.endswith("(of the two farthest out of 4)").all()
    table = predictive_answers.figure(checked(*shapes[:3]), "threat")
    assert table["study"].unique().tolist() == ["a", "b", "c"]


def test_a_small_or_imprecise_difference_is_not_called_clear() -> None:
    said = pooling_comparison.variables(compared(apart=2.0))["threat"]
    assert said["best"] == "partial pooling"
    assert said["verdict"] == "unclear"
    assert "complete pooling cannot be distinguished from it (elpd lower by 2.0" in said["sentence"]
    assert "no pooling predicts clearly worse (elpd lower by 30.0" in said["sentence"]
    assert pooling_comparison.variables(compared(apart=9.0))["threat"]["verdict"] == "clear"
    small_but_precise = pooling_comparison.variables(compared(apart=3.5))["threat"]
    assert small_but_precise["verdict"] == "unclear"


def test_rows_with_a_high_pareto_k_are_told_in_sentence_figure_and_table() -> None:
    found = compared(high_k=7)
    said = pooling_comparison.variables(found)["threat"]["sentence"]
    assert said.endswith(
        "Pareto k is too high for seven of 90 rows under no pooling, whose elpd is therefore not "
        "reliable."
    )
    figure = pooling_comparison.figure(found).set_index("group")
    assert figure["style"].to_dict() == {
        "pooled": "filled",
        "partial": "filled",
        "unpooled": "open",
    }
    assert pooling_comparison.table(found).shown["High k"].tolist() == [
        "0 of 90",
        "0 of 90",
        "7 of 90",
    ]


def test_where_nothing_is_pooled_nothing_is_compared() -> None:
    said = pooling_comparison.variables(compared(components=0))["threat"]["sentence"]
    assert said.startswith("The design has no standard deviation between groups")
    assert "best" not in said


def test_without_checks_there_is_nothing_to_say() -> None:
    nothing = pd.DataFrame()
    found = replace(evidence("mixed", 1), comparison=nothing, organisations=nothing)
    assert predictive_checks.variables(found) == {}
    assert pooling_comparison.variables(found) == {}
    assert len(pooling_comparison.table(found).shown) == 0


def test_where_nothing_is_pooled_one_model_is_shown_and_no_difference() -> None:
    shown = pooling_comparison.table(compared(components=0)).shown
    assert shown["Pooling"].tolist() == ["Nothing to pool"]
    assert set(shown[["Difference", "Its standard error", "Weight"]].to_numpy().ravel()) == {"–"}
    assert pooling_comparison.figure(compared(components=0)).empty
    assert len(pooling_comparison.table(compared()).shown) == 3
