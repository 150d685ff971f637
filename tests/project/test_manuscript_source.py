"""The source of the article: no number in prose that the workflow did not make."""

from __future__ import annotations

import re

from helpers.repository import ROOT

SOURCE = ROOT / "manuscript" / "manuscript.qmd"


def prose() -> str:
    """The article's text without variables, formulas, code, addresses, figures' paths and dates."""
    text = SOURCE.read_text("utf-8")
    for pattern in (
        r"\{\{<.*?>\}\}",
        r"\$\$.*?\$\$",
        r"\$[^$\n]*\$",
        r"`[^`]*`",
        r"@[\w:-]+",
        r"\{#[^}]*\}",
        r"^date: [^\n]*$",
    ):
        text = re.sub(pattern, " ", text, flags=re.S | re.M)
    return text


def test_no_digit_stands_in_the_prose() -> None:
    assert re.findall(r".{0,30}\d.{0,30}", prose()) == []


def test_no_verdict_is_written_by_hand() -> None:
    # A direction is in a variable, or in the report of what a cited article found.
    results = prose().partition("## Results")[2].partition("## Limitations")[0]
    assert results
    verdicts = r"\b(raises?|lowers?|increases?|decreases?|significant\w*|stronger|weaker)\b"
    assert re.findall(verdicts, results) == []


def test_figures_and_tables_are_enough_and_each_is_spoken_of() -> None:
    text = SOURCE.read_text("utf-8")
    figures = set(re.findall(r"\{#(fig-[\w-]+)", text))
    included = re.findall(r"tables/_tbl-(\w+)\.md", text)
    tables = {f"tbl-{name.replace('_', '-')}" for name in included}
    assert len(figures) >= 5
    assert len(tables) >= 4
    spoken = set(re.findall(r"@((?:fig|tbl)-[\w-]+)", text))
    assert figures | tables <= spoken
