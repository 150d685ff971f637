"""The topic of selection: there where published effects are pooled, absent elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from matplotlib.lines import Line2D

from helpers.evidence import evidence, selection
from metastudy.article.make import part
from metastudy.article.results import Results
from metastudy.article.topics.selection import figure, table, variables
from metastudy.display.plots.funnel import funnel


@cache
def world(number: int) -> Results:
    return replace(evidence("mixed"), selection=selection(number))


def test_without_pooled_published_effects_the_topic_is_absent() -> None:
    for empty in (evidence("mixed"), world(1)):
        assert part(empty, "selection") == ""
        assert variables(empty) == {}
        assert figure(empty).empty
        assert table(empty).shown.empty


def test_below_ten_effects_it_says_what_is_not_done_and_why() -> None:
    said = variables(world(6))["sentence"]
    assert (
        "Step-function selection, PET and PEESE are not done, because there are 6 effects" in said
    )
    assert "In the worst case" in said
    assert "published" not in said.partition("Without selection")[2].partition("In the worst")[0]
    shown = table(world(6)).shown
    assert shown["Remark"].str.startswith("not done, because").sum() == 3


def test_from_ten_effects_on_every_analysis_is_in_text_table_and_funnel() -> None:
    found = world(12)
    said = part(found, "selection")
    assert "not done" not in said
    for name in ("With step-function selection", "By PET", "By PEESE", "In the worst case"):
        assert name in said
    assert "{#fig-selection" in said
    assert "{#tbl-selection" in said
    assert "@fig-selection" in said
    assert "@tbl-selection" in said
    assert "Simulated data" in said, "the effects are simulated, and the table says so"
    assert len(table(found).shown) == 5


def test_the_unit_is_in_the_head_where_it_is_one_and_beside_each_name_where_it_is_not() -> None:
    one = world(12)
    assert "Mean, SD (95% interval)" in table(one).shown
    found = one.selection["analyses"]
    other = found.assign(metric="log_odds", outcome="volunteering")
    both = {"analyses": pd.concat([found, other], ignore_index=True)}
    shown = table(replace(one, selection=one.selection | both)).shown
    assert "Mean (95% interval)" in shown
    heads = shown.iloc[:, 0][shown.iloc[:, 1] == ""].tolist()
    assert ["SD" in heads[0], "log-odds" in heads[1].lower()] == [True, True]


@pytest.mark.parametrize(
    ("mean", "ends", "said"),
    [
        (3.0, 2.0, "For a mean of zero significant effects would have to be published 3.0 times"),
        (3.0, 1.0, "the interval holds zero without selection"),
        (float("inf"), 2.0, "significant effects would have to be published 2.0 times as often"),
        (float("inf"), float("inf"), "to zero, nor its interval."),
        (1.0, 1.0, "No selection is needed to explain the mean"),
    ],
)
def test_how_much_selection_it_would_take_is_said(mean: float, ends: float, said: str) -> None:
    found = world(12)
    own = {"ratio_mean": mean, "ratio_interval": ends}
    analyses = found.selection["analyses"].assign(**own)
    changed = replace(found, selection=found.selection | {"analyses": analyses})
    assert said in variables(changed)["sentence"]


@pytest.mark.parametrize("number", [6, 12])
def test_every_effect_and_mean_is_where_its_row_says(number: int) -> None:
    rows = figure(world(number))
    drawn = {a.get_gid(): a for a in funnel(rows).findobj(Line2D) if a.get_gid()}
    assert len(drawn) == len(rows)
    for at, row in rows.iterrows():
        kind = row["kind"]
        artist = drawn[f"{kind}-{at}"]
        assert set(artist.get_xdata()) == {row["estimate"]}  # type: ignore[arg-type]
        if kind == "effect":
            assert list(artist.get_ydata()) == [row["se"]]  # type: ignore[arg-type]
            filled = artist.get_markerfacecolor() != "white"
            assert filled == row["affirmative"]
            assert filled == (row["estimate"] / row["se"] > 1.96)
