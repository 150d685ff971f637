"""What the article says of convergence: also with which target acceptance draws were made."""

from __future__ import annotations

from dataclasses import replace

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics.convergence import table, variables


def made_anew(*fits: str) -> Results:
    """Two fits, of which some were made with another target acceptance than was asked for."""
    found = evidence("null")
    (one,) = found.checks
    both = [{**one, "fit": name} for name in ("threat", "coping")]
    for check in both:
        if check["fit"] in fits:
            check["gates"] = [{**gate, "target_accept": 0.967} for gate in check["gates"]]
    return replace(found, checks=tuple(both))


def test_the_article_says_how_many_fits_were_made_anew() -> None:
    ends = "after a divergence, with a higher target acceptance."
    assert variables(made_anew())["anew"] == f"No fit was made anew {ends}"
    assert variables(made_anew("coping"))["anew"] == f"One of the 2 fits was made anew {ends}"
    both = variables(made_anew("threat", "coping"))
    assert both["anew"] == f"Both fits were made anew {ends}"
    assert both["target_accept"] == "0.9"


def test_the_table_has_the_target_acceptance_of_each_fit() -> None:
    shown = table(made_anew("coping")).shown
    assert shown["Target acceptance"].tolist() == ["0.900", "0.967"]


def test_a_second_stage_that_has_nothing_to_pool_is_no_fit() -> None:
    found = made_anew("coping")
    with_none = replace(found, checks=(*found.checks, {"fit": "synthesis", "gates": []}))
    assert variables(with_none) == variables(found)
    assert table(with_none).shown.equals(table(found).shown)
