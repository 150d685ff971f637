"""The matrix of candidate studies: a sign for each group of effects, and a sentence."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.text import Text

from helpers.evidence import evidence
from metastudy.article import make, sections
from metastudy.article.results import Results
from metastudy.display.plots.style import WARNING
from metastudy.display.plots.unlock import MARKS

SIGNS = {  # by candidate: what becomes of four effects, two of each type
    "A second place": ["pooled", "aliased", "nothing", "nothing"],
    "Another role": ["nothing", "nothing", "contrast", "contrast"],
    "Neither": ["nothing"] * 4,
}


def world() -> Results:
    same = {"module": "coping", "family": "coping_rated", "role": "citizen_coproducer"}
    same |= {"response_mode": "vignette_hypothetical", "metric": "sd", "studies": 1}
    rows = [
        {"candidate": candidate, **same, "exposure": f"external_efficacy_{kind}"}
        | {"exposure_type": kind, "outcome": outcome, "sign": sign}
        | {"reason": "2 studies; spread: study" if sign == "pooled" else sign}
        for candidate, signs in SIGNS.items()
        for sign, (kind, outcome) in zip(
            signs,
            [
                (k, o)
                for k in ("measured", "randomised")
                for o in ("coping_avoidance", "coping_balancing")
            ],
            strict=True,
        )
    ]
    return replace(evidence("mixed"), unlock=pd.DataFrame(rows))


def test_a_cell_has_the_most_that_becomes_of_one_of_its_effects() -> None:
    found, _ = make.figure(world(), "unlock")
    assert found["exposure_type"].tolist() == ["randomised", "measured"] * 3
    assert found["candidate"].tolist() == [name for name in SIGNS for _ in range(2)]
    assert found["sign"].tolist() == ["nothing", "pooled", "contrast", *["nothing"] * 3]
    assert found["number"].tolist() == [0, 1, 2, 0, 0, 0]
    assert set(found["estimands"]) == {2}


def test_the_drawing_has_a_sign_for_each_cell_and_orange_for_the_mark_alone() -> None:
    table, plot = make.figure(world(), "unlock")
    figure = plot(table)
    marks = {str(a.get_gid()): a for a in figure.findobj(Line2D) if a.get_gid()}
    for at, sign in enumerate(table["sign"]):
        own = marks[f"sign-{at}"]
        marker, filled, *_ = MARKS[sign]
        assert own.get_marker() == marker
        assert (own.get_markerfacecolor() != "white") == filled
        assert own.get_color() != WARNING
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"1 of 2", "2 of 2", "spread: study", "Simulated data"} <= texts
    assert plot(table.head(0)) is not None


def test_the_sentence_says_what_each_would_do_and_the_table_leaves_out_the_rest() -> None:
    found = make.TOPICS["unlock"].variables(world())
    assert found["sentence"] == (
        "Of four effects that stand alone: a second place (one) would bring another study or place "
        "to pool with; another role (two) would separate what is one with a role or a place "
        "today; neither would reach none of them."
    )
    assert found["candidates"]["study_1"]["alone"] == "one"
    shown = make.table(world(), "unlock").shown
    assert shown["Candidate study"].tolist() == ["A second place", "", "Another role"]
    assert "nothing" not in shown.to_string()


def test_without_candidates_nothing_of_it_is_in_an_article_that_grows() -> None:
    assert "@fig-unlock" in sections.sections(world())["synthesis"]
    without = replace(world(), unlock=pd.DataFrame())
    assert "unlock" not in "".join(sections.sections(without).values())
    assert make.table(without, "unlock").shown.empty
    assert "No candidate" in make.TOPICS["unlock"].variables(without)["sentence"]
