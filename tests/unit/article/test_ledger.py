"""What each variable is made of: the row that it is of, its fit, its studies, its rules."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from helpers.evidence import evidence
from helpers.repository import ROOT
from metastudy.article.catalogue import RESULTS, figures, tables
from metastudy.article.ledger import MADE_BY, sources
from metastudy.article.make import variables
from metastudy.article.variable_tree import Traced, flat, put
from metastudy.common.problems import MetastudyError

FITS = {
    "threat": {"module": "threat", "studies": ["first"]},
    "threat-ordinal": {"module": "threat", "studies": ["first"]},
}


def test_an_estimate_is_of_the_row_that_it_was_written_from() -> None:
    world = evidence("mixed")
    found = sources(world, variables(world, {}), FITS)["variables"]
    name = "threat.task_type_randomised.threat_quality"
    table = world.contrasts["threat"]
    row = table[
        table["level"].eq("population")
        & table["outcome"].eq("threat_quality")
        & table["estimand"].eq("effect")
    ]
    assert found[f"{name}.estimate"]["estimands"] == [row["id"].iloc[0]]
    assert found[f"{name}.estimate"]["tables"] == ["contrasts/threat.parquet"]
    assert found[f"{name}.estimate"]["fits"] == ["fits/threat.nc"]
    assert found[f"{name}.estimate"]["studies"] == ["first"]
    assert found[f"{name}.estimate"]["rules"][:2] == ["harmonize", "validate"]
    assert found[f"{name}.estimate"]["rules"][-2:] == ["contrast", "variables"]
    # a sentence is of all rows that it speaks of, in their order
    several = found["threat.task_type_randomised.summary"]["estimands"]
    assert len(several) == 4
    assert several[0] == row["id"].iloc[0]
    difference = found["threat.task_type_randomised.differences.threat_quality.against_family.text"]
    assert "difference" in difference["estimands"][0]


def test_every_variable_has_a_source_and_every_effect_its_estimand() -> None:
    world = evidence("mixed", 3)
    tree = variables(world, {"python": "3"})
    found = sources(world, tree, {m: {"module": m, "studies": []} for m in world.contrasts})
    assert set(found["variables"]) == set(flat(tree))
    effects = [n for n in found["variables"] if n.endswith((".estimate", ".text", ".pd"))]
    own = [n for n in effects if n.split(".")[0] in world.contrasts and ".accuracy." not in n]
    assert own
    assert [n for n in own if not found["variables"][n]["estimands"]] == []
    assert found["variables"]["build.python"]["studies"] == []
    assert set(found["studies"]) == {s.id for s in (*world.studies, *world.published)}


def test_a_row_that_is_in_no_table_is_an_error() -> None:
    world = evidence("mixed")
    tree = variables(world, {})
    tree["threat"]["made_up"] = Traced("0.5", ["main|effect|made up"])
    with pytest.raises(MetastudyError, match=r"threat\.made_up is of 'main\|effect\|made up'"):
        sources(world, tree, FITS)


def test_every_table_and_figure_has_its_rows_rules_and_studies() -> None:
    world = evidence("mixed")
    found = sources(world, {}, FITS)["shown"]
    models = {m: world.model(m) for m in world.contrasts}
    assert set(found) == {
        *(f"tables/{name}" for name in tables(models)),
        *(f"figures/{name}" for name in figures(models)),
    }
    effects = found["tables/effects_threat"]
    assert effects["rows"] == "tables/effects_threat.csv"
    assert effects["modules"] == ["threat"]
    assert effects["rules"][-1] == "tabulate"
    assert "refits" in effects["rules"]
    assert found["figures/study_grid"]["rules"] == ["harmonize", "validate", "promote", "draw"]
    arms = found["figures/arms_threat"]
    assert arms["rules"][-1] == "draw_answers"
    assert arms["tables"] == [
        *("names/modules/threat.json", "contrasts/threat.parquet", "contrasts/threat.nc"),
    ]
    assert {one["rules"][-1] for one in found.values()} <= named_rules()


def test_few_people_are_not_counted() -> None:
    world = evidence("mixed")
    first, *others = world.studies
    observed = replace(first, report={**first.report, "provenance": "observed"})
    settings = {**world.settings, "privacy": {"smallest_cell": 1 + first.people}}
    world = replace(world, studies=(observed, *others), settings=settings)
    found = sources(world, {}, FITS)["studies"]
    assert found[first.id]["people"] == f"<{1 + first.people}"
    assert [found[s.id]["people"] for s in others] == [str(s.people) for s in others]


def test_leaves_keep_the_rows_that_they_know() -> None:
    tree: dict[str, object] = {}
    put(tree, ["a"], {"own": Traced("1", ["x"]), "more": {"other": "2"}}, {"id": "y"}, {"id": "y"})
    leaves = flat(tree)
    assert {n: v.ids for n, v in leaves.items()} == {"a.own": ("x",), "a.more.other": ("y",)}  # type: ignore[attr-defined]
    put(tree, ["b"], {"none": "3"})
    assert type(flat(tree)["b.none"]) is str


def named_rules() -> set[str]:
    text = "".join(p.read_text("utf-8") for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    return set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)\b", text, re.MULTILINE))


def test_the_rules_that_are_named_are_there() -> None:
    assert set(MADE_BY) == set(RESULTS)
    assert {rule for chain in MADE_BY.values() for rule in chain} <= named_rules()
