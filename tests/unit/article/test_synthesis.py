"""The second stage in the article: what is in another metric is apart, and notes are read."""

from __future__ import annotations

import pandas as pd

from helpers.evidence import evidence
from metastudy.article.make import table
from metastudy.article.results import Results
from metastudy.article.section_writer import Writer
from metastudy.article.topics import dependence, pooling, synthesis
from metastudy.article.variable_tree import flat

NAMED = ("adams2014", "brown2016", "clark2018")
NOTE = "in SD within both arms, which the configuration lets pool"


def in_two_metrics() -> Results:
    """Three studies, and what they have once more in the SD within both arms, twice as large."""
    world = evidence("all", 3)
    for name, column in (("estimates", "estimate"), ("pooled", "mean")):
        own = world.synthesis[name]
        other = own.assign(metric="pooled_sd", **{column: 2 * own[column]})
        world.synthesis[name] = pd.concat([own, other], ignore_index=True)  # type: ignore[index]
    return world


def test_an_outcome_in_two_metrics_is_two_rows_two_panels_and_two_variables() -> None:
    world = in_two_metrics()
    shown = table(world, "synthesis").shown
    headings = [text.strip("*") for text in shown["Outcome"] if text.startswith("**")]
    assert [text.rpartition(", ")[2] for text in headings] == ["SD", "SD within both arms"]
    panels = set(synthesis.figure(world)["panel"])
    assert {p.rpartition(", ")[2] for p in panels} == {"SD", "SD within both arms"}
    found = flat(synthesis.variables(world))
    stem = "effects.task_type_randomised.threat_quality"
    assert found[f"{stem}.pooled_sd.estimate"] != found[f"{stem}.sd.estimate"]


def test_in_one_metric_no_panel_and_no_variable_names_it() -> None:
    world = evidence("all", 3)
    assert not any("SD" in panel for panel in synthesis.figure(world)["panel"])
    assert not any(".sd." in name for name in flat(synthesis.variables(world)))


def test_a_note_on_what_was_pooled_is_in_the_table() -> None:
    world = evidence("all", 3)
    pooled = world.synthesis["pooled"]
    whole = pooled["level"].eq("population") & pooled["outcome"].eq("threat_quality")
    pooled.loc[whole, "note"] = NOTE
    remarks = table(world, "synthesis").shown["Remark"]
    assert [NOTE in remark for remark in remarks] == [True, False, False]


def test_an_interval_of_observed_people_is_as_exact_as_in_the_table_and_no_more() -> None:
    """In full it would say of how many people it is, which the table has as a range."""
    world = evidence("all", 3)
    own = world.synthesis["estimates"]
    world.synthesis["estimates"] = own.assign(estimate=0.12345, se=0.05, provenance="observed")  # type: ignore[index]
    alone = synthesis.figure(world).query("level == 'unpooled'")
    assert set(alone["mean" if "mean" in alone else "estimate"]) == {0.12}
    assert set(alone["lower"]) == {0.03}
    world.synthesis["estimates"] = own.assign(module="", estimate=0.12345, provenance="observed")  # type: ignore[index]
    published = synthesis.figure(world).query("level == 'unpooled'")
    assert set(published["mean" if "mean" in published else "estimate"]) == {0.12345}


def test_a_study_that_is_pooled_has_its_weight_beside_its_name_once() -> None:
    world = evidence("all", 3)
    pooled = world.synthesis["pooled"]
    assert not any("%" in row for row in synthesis.figure(world)["row"])
    own = pooled["level"].eq("study") & pooled["outcome"].eq("threat_quality")
    pooled.loc[own, "weight"] = [0.234, 0.5, 0.266]
    rows = [row for row in dict.fromkeys(synthesis.figure(world)["row"]) if "%" in row]
    assert [row.rpartition(", ")[2] for row in rows] == ["23%", "50%", "27%"]
    assert all("quality" in row for row in rows)


def test_the_caption_speaks_of_each_study_s_own_estimates_where_they_are_shown() -> None:
    world = evidence("all", 3)
    _, text = Writer(world, ()).table("synthesis")
    assert "Study estimates" not in text
    assert ": Synthesis: what pools the estimates of several studies or places, with 95%" in text
    assert "unpooled estimates of each study" not in text
    world.synthesis["estimates"] = world.synthesis["estimates"].drop_duplicates("outcome")  # type: ignore[index]
    _, text = Writer(world, ()).table("synthesis")
    assert "Study estimates" in text
    assert ": Synthesis: unpooled estimates of each study (several" in text


def test_publications_are_named_with_a_capital_and_dependence_is_that_of_one_place() -> None:
    world = evidence("all", 3)
    estimates = world.synthesis["estimates"]
    keys = dict(zip(dict.fromkeys(estimates["study"]), NAMED, strict=False))
    world.synthesis["estimates"] = estimates.assign(study=estimates["study"].map(keys))  # type: ignore[index]
    assert "Adams 2014, Brown 2016 and Clark 2018" in set(pooling.table(world).shown["Study"])
    assert "several published estimates of one place" in dependence.NOT_DONE
