"""Concordance: published findings beside the contrasts here; mass only from observed data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.evidence import evidence, finding
from metastudy.article.make import table
from metastudy.article.results import Results
from metastudy.article.topics.concordance import CONCORDANCE, concordance, variables
from metastudy.inference.netcdf import save

KEYS = ["finding_id", "outcome"]


def observed(tmp_path: Path, *found: dict) -> tuple[Results, dict[str, np.ndarray]]:
    """A world in which the first study's data were observed, with draws of its contrasts."""
    world = evidence("mixed", observed=("first",))
    effects = world.contrasts["threat"]
    rng = np.random.default_rng(7)
    values = rng.normal(effects["mean"], effects["sd"], (2, 1000, len(effects)))
    draws = xr.DataArray(
        values, dims=("chain", "draw", "contrast"), coords={"contrast": effects["id"].to_list()}
    )
    save(xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}), tmp_path / "d.nc")
    object.__setattr__(world, "draws", {"threat": tmp_path / "d.nc"})
    if found:
        given = pd.DataFrame([{"term": "main_effect"} | one for one in found])
        own = world.published[0]
        named = own.with_tables(effects=given)
        object.__setattr__(world, "published", (named,))
    return world, {i: values[..., k].ravel() for k, i in enumerate(effects["id"])}


def task(name: str, direction: str, outcome: str, **more: object) -> dict:
    about = {"exposure": "task_type", "outcome": outcome} | more
    return finding(name, direction, 100.0, "perceived_threat", **about)


def test_the_mass_is_that_of_the_draws_on_the_side_of_the_finding(tmp_path: Path) -> None:
    world, draws = observed(
        tmp_path,
        task("up", "positive", "threat_quality"),
        task("down", "negative", "threat_quality"),
        task("null", "null_result", "threat_job"),
        task("not", "not_supported", "threat_profession"),
    )
    found = concordance(world).set_index("finding_id")
    assert list(found.reset_index().columns) == CONCORDANCE
    assert set(found["level"]) == {"population"}
    own = {name: draws[row["contrast"]] for name, row in found.iterrows()}
    assert found.loc["up", "mass"] == (own["up"] > 0).mean()
    assert found.loc["down", "mass"] == (own["down"] < 0).mean()
    assert found.loc["null", "mass"] == (np.abs(own["null"]) <= 0.1).mean()
    assert found.loc["not", "mass"] == (np.abs(own["not"]) <= 0.1).mean()
    assert found.loc["up", "mass"] > 0.99 > 0.01 > found.loc["down", "mass"]
    assert found.loc["null", "mass"] > 0.99 > 0.05 > found.loc["not", "mass"]
    shown = table(world, "concordance").shown
    assert shown["Posterior mass"].str.contains("construction").sum() == 0
    assert shown.loc[0, "Posterior mass"].endswith("(direction)")
    assert shown.loc[2, "Posterior mass"].endswith("(equivalence)")
    assert shown.loc[0, ["Estimate", "95% interval"]].tolist() == ["0.30 SD", "0.10 to 0.50"]


def test_what_rests_on_simulated_data_is_by_construction_and_has_no_probability(
    tmp_path: Path,
) -> None:
    world, _ = observed(tmp_path)
    world.contrasts["threat"]["provenance"] = "simulated + observed"
    full = concordance(world)
    assert len(full) >= 3
    assert full["mass"].isna().all()
    found = table(world, "concordance")
    assert set(found.shown["Posterior mass"]) == {"by construction"}
    said = variables(world)["concordance"]
    assert said["sentence"].startswith("All of these contrasts rest on simulated data")
    assert said["by_construction"] == said["matched"] == "three"
    assert said["unmatched"] == "three"


def test_a_world_of_both_says_which_part_is_no_evidence(tmp_path: Path) -> None:
    world, _ = observed(tmp_path)
    shown = table(world, "concordance").shown
    built = shown["Posterior mass"] == "by construction"
    assert built.sum() == 3, "a finding about a family as a whole, in the module of simulated data"
    said = variables(world)["concordance"]
    assert said["sentence"].startswith("Of these, one rests on simulated data")


def test_a_finding_stands_beside_people_of_its_role_only(tmp_path: Path) -> None:
    world, _ = observed(
        tmp_path,
        task("own", "positive", "threat_quality", role="professional"),
        task("other", "positive", "threat_quality", role="citizen_coproducer"),
        task("unknown", "positive", "threat_quality", role=None),
    )
    world.contrasts["threat"]["role"] = ""
    assert set(concordance(world)["finding_id"]) == {"own", "other", "unknown"}, "none is stated"
    world.contrasts["threat"]["role"] = "manager + professional"
    assert set(concordance(world)["finding_id"]) == {"own", "unknown"}


def test_findings_are_counted_by_outcome_and_never_in_total(tmp_path: Path) -> None:
    world, _ = observed(tmp_path)
    said = variables(world)
    assert not {"positive", "negative", "null_result", "not_supported"} & set(said)
    assert (said["oriented"], said["tested"]) == ("two", "no")


def test_a_finding_about_a_family_stands_beside_each_of_its_outcomes(tmp_path: Path) -> None:
    world, _ = observed(tmp_path)
    found = concordance(world).query("finding_id == 'B'")
    assert sorted(found["outcome"]) == [
        "coping_avoidance",
        "coping_escalation",
        "coping_help_seeking",
    ]
    assert set(found["level"]) == {"study"}, "it is about one vignette alone"
    assert set(found["vignette"]) == {"user_vs_collective_value"}
    shown = table(world, "concordance").shown
    assert (shown["Finding"] == "Contrast B").sum() == 1, "and is listed once"


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("an interaction", {"term": "interaction"}),
        ("another exposure type", {"exposure_type": "measured"}),
        ("another exposure", {"exposure": "involvement_degree"}),
        ("another vignette", {"vignette": "inclusion_vs_quality"}),
        ("an outcome that is not here", {"outcome": "competence_judgement"}),
        ("no exposure that is known", {"exposure": None}),
    ],
)
def test_a_finding_about_something_else_has_no_contrast_here(
    tmp_path: Path, what: str, more: dict
) -> None:
    world, _ = observed(tmp_path, task("A", "positive", "threat_quality"), {
        **task("other", "positive", "threat_quality"), **more,
    })  # fmt: skip
    assert set(concordance(world)["finding_id"]) == {"A"}, what
    said = variables(world)["concordance"]
    assert (said["matched"], said["unmatched"]) == ("one", "one")
