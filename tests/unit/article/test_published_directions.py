"""Published directions: an arrow a finding whatever its significance, and contrasts beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.topics import published_directions
from metastudy.article.topics.concordance import concordance
from metastudy.article.topics.published import findings
from metastudy.display.plots.published_directions import ARROWS
from metastudy.display.plots.published_directions import published_directions as plot
from metastudy.display.plots.style import WARNING


def estimated(world: Results, direction: str, estimate: float) -> Results:
    """A world in which all published findings have one direction and an estimate."""
    (study,) = world.published
    changed = study["effects"].assign(direction=direction, estimate=estimate)
    return replace(world, published=(study.with_tables(effects=changed),))


def test_findings_about_the_modules_have_a_direction_or_say_that_they_have_none() -> None:
    found = published_directions.figure(evidence("mixed"))
    assert sorted(found["exposure"]) == ["Contrast A", "Contrast B", "Contrast C"]
    by_name = found.set_index("exposure")["direction"]
    assert by_name["Contrast A"] == "up"
    assert by_name["Contrast B"] == by_name["Contrast C"] == "unreported"
    assert found.set_index("exposure")["n"]["Contrast B"] == 400
    assert set(found["provenance"]) == {"observed"}


@pytest.mark.parametrize(
    ("estimate", "sign"), [(0.2, "up"), (-0.2, "down"), (np.nan, "unreported")]
)
def test_a_result_that_is_not_significant_points_where_its_estimate_does(
    estimate: float, sign: str
) -> None:
    world = estimated(evidence("mixed"), "null_result", estimate)
    assert set(published_directions.figure(world)["direction"]) == {sign}


@pytest.mark.parametrize("world", ["mixed", "reversed", "equivalence"])
def test_a_contrast_points_where_its_mean_does_and_sideways_where_it_is_too_small(
    world: str,
) -> None:
    results = evidence(world)
    beside = concordance(results)
    assert len(beside)
    rows = findings(results).set_index("contrast")["finding_id"]
    found = published_directions.figure(results)
    table = results.contrasts
    for row in found.itertuples():
        mine = beside[beside["finding_id"].eq(rows[str(row.exposure)])]
        want = []
        for one in mine.itertuples():
            own = table[one.module].set_index("id", drop=False).loc[one.contrast].to_dict()
            flat = results.verdict(own) == "too_small"
            want.append("sideways" if flat else "up" if one.mean > 0 else "down")
        assert row.here == " + ".join(want)


def test_the_drawing_has_an_arrow_for_each_and_orange_only_for_what_is_simulated() -> None:
    table = published_directions.figure(evidence("mixed"))
    figure = plot(table)
    marks = {str(a.get_gid()): a for a in figure.findobj(Line2D) if a.get_gid()}
    for at, row in enumerate(table.itertuples()):
        published = marks[f"published-{at}"]
        assert published.get_marker() == ARROWS[str(row.direction)][0]
        assert published.get_color() != WARNING
        for k, sign in enumerate(filter(None, str(row.here).split(" + "))):
            here = marks[f"here-{at}-{k}"]
            assert here.get_marker() == ARROWS[sign][0]
            assert here.get_markerfacecolor() == "white"
            assert here.get_color() == WARNING
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"400", "Simulated", "direction not reported"} <= texts
    assert plot(table.head(0)) is not None


def test_the_sentence_counts_only_findings_with_a_direction() -> None:
    said = published_directions.variables(evidence("mixed"))
    assert (said["shown"], said["with_direction"]) == ("3", "1")
    assert published_directions.variables(replace(evidence("mixed"), published=())) == {}
