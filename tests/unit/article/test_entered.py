"""The effects that are entered: each with its estimate, its error and how it came about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.evidence import evidence, published
from metastudy.article.results import Results
from metastudy.article.sections import sections
from metastudy.article.topics.entered import AS_GIVEN, table, variables
from metastudy.harmonized.study import Study

SETTINGS = {"pooling": {"standardisers": [], "correlation": 0.6}}


def entering(times: int) -> Results:
    """Findings with estimates: two of each three as given or computed, the third without error."""
    import pandas as pd

    whole, source = evidence("mixed", studies=1), published()
    rows = pd.concat([source.effects.iloc[[0]]] * 3 * times, ignore_index=True)
    rows["finding_id"] = [f"F{at}" for at in range(len(rows))]
    rows["estimate"] = [0.25, -1.5, 0.4] * times
    rows["se"] = [0.05, 0.5, np.nan] * times
    rows["metric"] = ["sd", "scale_points", "sd"] * times
    rows["method"] = [None, "difference of means", None] * times
    study = Study(source.report, {**source.tables, "effects": rows})
    settings = {**whole.settings, **SETTINGS}
    return replace(Results(whole.vocabulary, published=(study,), settings=settings))


def test_each_effect_with_an_error_has_a_row_that_says_how_it_came_about() -> None:
    shown = table(entering(1)).shown
    assert shown["Estimate"].tolist() == ["0.250", "−1.50"]
    assert shown["Standard error"].tolist() == ["0.050", "0.50"]
    assert shown["Metric"].tolist() == ["SD", "scale points"]
    assert shown["How it came about"].tolist() == [AS_GIVEN, "a"]
    assert table(entering(1)).caption.endswith(" a: difference of means.")
    assert variables(entering(1))["sentence"] == (
        "Two effects with their standard errors are entered, one as published and one computed "
        "from what was published (in SD and scale points)."
    )


@pytest.mark.parametrize(("times", "in_article"), [(10, True), (11, False)])
def test_twenty_effects_are_in_the_article_and_more_in_their_file(
    times: int, in_article: bool
) -> None:
    data = sections(entering(times))["data"]
    assert ("{#tbl-entered" in data) == in_article
    assert ("results/tables/entered.csv" in data) != in_article


def test_findings_without_errors_are_no_effects_that_are_entered() -> None:
    found = evidence("mixed", studies=1)
    assert table(found).shown.empty
    assert variables(found) == {}
