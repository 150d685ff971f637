"""Pairs of outcomes: each difference is that of the joint draws, and nothing is claimed without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from helpers.evidence import COPING, OUTCOMES, WORLDS, evidence
from helpers.sentences import contradictions
from metastudy.article import ledger
from metastudy.article.make import table, variables
from metastudy.article.results import Results
from metastudy.article.topics import pairs
from metastudy.article.variable_tree import flat
from metastudy.inference.netcdf import save
from metastudy.models.base import OTHER_STUDIES

CORE = "task_type_randomised"
SHAPE = (4, 500)  # chains, draws
MIXED = {o: m for o, (m, _) in zip(OUTCOMES, WORLDS["mixed"], strict=True)}
Worlds = Callable[..., Results]


def with_draws(world: Results, folder: Path, rho: float = 0.0) -> Results:
    """Normal draws of the main effects, each two of a module correlated by ``rho``."""
    rng, paths = np.random.default_rng(5), {}
    for module in ("threat", "coping"):
        found = world.contrasts[module]
        z = rng.normal(size=(*SHAPE, len(found)))
        shared = rng.normal(size=(*SHAPE, 1))
        values = np.sqrt(1 - rho) * z + np.sqrt(rho) * shared
        values = found["mean"].to_numpy() + found["sd"].to_numpy() * values
        draws = xr.DataArray(values, dims=("chain", "draw", "contrast"),
                             coords={"contrast": found["id"].to_list()})  # fmt: skip
        paths[module] = folder / f"{module}.nc"
        save(xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}), paths[module])
    return replace(world, draws=paths)


@pytest.fixture
def world(tmp_path: Path) -> Worlds:
    def made(name: str = "mixed", rho: float = 0.0, **primary: list[str]) -> Results:
        found = evidence(name)
        found = replace(found, settings={**found.settings, "primary": primary})
        return with_draws(found, tmp_path, rho)

    return made


def threat(world: Results, **columns: list[str]) -> Results:
    """The same with columns of the population effects of threat set, in the order of outcomes."""
    found = world.contrasts["threat"].copy()
    mine = found["estimand"].eq("effect") & found["level"].eq("population")
    for name, values in columns.items():
        found.loc[mine, name] = values
    return replace(world, contrasts={**world.contrasts, "threat": found})


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_a_difference_is_as_wide_as_the_joint_posterior_says(world: Worlds, rho: float) -> None:
    """Two normal effects of one standard deviation s: s sqrt(2 - 2 rho), whatever each is."""
    found = pairs.pairs(world(rho=rho), "threat")
    assert list(zip(found["outcome"], found["against"], strict=True)) == [
        ("threat_quality", "threat_profession"),
        ("threat_quality", "threat_job"),
        ("threat_profession", "threat_job"),
    ]
    sd = {o: s for o, (_, s) in zip(OUTCOMES, WORLDS["mixed"], strict=True)}
    for _, one in found.iterrows():
        s, t = sd[one["outcome"]], sd[one["against"]]
        wide = np.sqrt(s**2 + t**2 - 2 * rho * s * t)
        mean = MIXED[one["outcome"]] - MIXED[one["against"]]
        error = wide / np.sqrt(np.prod(SHAPE))
        assert one["mean"] == pytest.approx(mean, abs=4 * error)
        assert one["sd"] == pytest.approx(wide, rel=0.08)
        true = stats.norm(mean, wide)
        assert [one["lower"], one["upper"]] == pytest.approx(
            true.ppf([0.025, 0.975]), abs=9 * error
        )
        assert one["above"] == pytest.approx(true.sf(0.1), abs=0.05)
        assert one["mcse"] == pytest.approx(error, rel=0.25)


def test_pairs_agree_with_the_differences_from_the_family_draw_by_draw(world: Worlds) -> None:
    """With n outcomes d_i - d_j of what is against the others is n / (n - 1) times the pair."""
    found = world(rho=0.5)
    with xr.open_datatree(found.draws["threat"]) as tree:
        draws = tree["contrasts"]["value"].load()
    rows = found.contrasts["threat"]
    mine = rows[rows["estimand"].eq("effect") & rows["level"].eq("population")]
    mu = draws.sel(contrast=mine["id"].iloc[:3].to_list()).to_numpy()
    against = (3 * mu - mu.sum(axis=-1, keepdims=True)) / 2
    expected = [
        (2 / 3 * (against[..., i] - against[..., j])).mean() for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    assert list(pairs.pairs(found, "threat")["mean"]) == pytest.approx(expected, rel=1e-9)


def test_another_family_and_another_role_are_no_pair(world: Worlds) -> None:
    found = pairs.pairs(world(), "threat")
    assert "work_motivation" not in {*found["outcome"], *found["against"]}
    roles = ["professional", "professional", "citizen_coproducer", "professional"]
    mixed = world()
    table_ = mixed.contrasts["threat"]
    for of in ("effect", "difference"):
        mine = table_["estimand"].eq(of) & table_["level"].isin(["population", "outcome"])
        table_.loc[mine, "role"] = roles[: mine.sum()]
    assert len(pairs.pairs(mixed, "threat")) == 1


def test_between_studies_and_places_nothing_is_claimed(world: Worlds) -> None:
    for columns in (
        {"study": ["first", "first", "second", "first"]},
        {"note": ["", "", "at the mean of a moderator", ""]},
    ):
        found = threat(world(), **columns)
        rows = pairs.pairs(found, "threat")
        assert list(rows["note"]) == ["", OTHER_STUDIES, OTHER_STUDIES]
        assert list(table(found, "pairs_threat").shown["Verdict"])[1:] == [OTHER_STUDIES] * 2
        assert list(table(found, "pairs_threat").full["verdict"])[1:] == ["", ""]
        assert pairs.variables(found, "threat")["pairs"]["primary"]["total"] == "1"
    both = threat(world(), study=["first + second", "first", "second", "first"])
    assert list(pairs.pairs(both, "threat")["note"]) == ["", "", OTHER_STUDIES]


def test_outcomes_that_are_modelled_apart_have_no_pairs(world: Worlds) -> None:
    found = world()
    own = found.contrasts["threat"]
    apart = replace(
        found, contrasts={**found.contrasts, "threat": own[own["estimand"].ne("difference")]}
    )
    assert pairs.pairs(apart, "threat").empty
    assert len(table(apart, "pairs_threat").shown) == 0
    assert pairs.variables(apart, "threat")["pairs"]["primary"]["sentence"].startswith("No two")
    assert pairs.pairs(evidence("mixed"), "threat").empty, "without draws there are none"


def test_the_sentence_counts_what_the_table_says_and_names_the_largest(world: Worlds) -> None:
    found = world(results=[f"threat.{CORE}.threat_quality"])
    said = pairs.variables(found, "threat")["pairs"]["primary"]
    assert (said["total"], said["count"]) == ("3", "3")
    assert said["sentence"].startswith(
        "Of three pairs of outcomes of one family, under core against complementary tasks "
        "(randomised), three have a difference with a decided sign (expected number of wrong "
        "signs: 0.0"
    )
    assert (
        "The largest difference: the effect is higher on threat to service quality than on threat "
        "to the profession (0." in said["sentence"]
    )
    shown = table(found, "pairs_threat")
    claims = shown.full["verdict"].isin(["clear_higher", "clear_lower", "higher", "lower"])
    assert str(claims.sum()) == said["count"]
    assert shown.provenance == ("simulated",) * 3
    null = pairs.variables(world("null"), "threat")["pairs"]["primary"]["sentence"]
    assert "none has a difference with a decided sign" in null
    assert "has an interval that holds zero" in null


@pytest.mark.parametrize("name", WORLDS)
def test_no_sentence_contradicts_its_numbers(world: Worlds, name: str) -> None:
    tree = flat(pairs.variables(world(name), "threat"))
    said = [text for key, text in tree.items() if key.endswith(".sentence")]
    assert len(said) == 2
    for text in said:
        sentences = text.replace(". The", ".\nThe").splitlines()
        assert [c for sentence in sentences for c in contradictions(sentence)] == []


def test_the_exposures_that_the_configuration_names_are_the_primary_ones(world: Worlds) -> None:
    both = 2 * len(COPING)  # with and without an experiment: three pairs each
    every = pd.concat([evidence("mixed").contrasts["coping"]])
    effects = every[every["estimand"].eq("effect") & every["level"].eq("population")]
    among = effects.assign(estimand="difference", level="outcome", against="family")
    among["id"] = among["id"].str.replace("effect", "difference") + "|family"

    def counted(**primary: list[str]) -> str:
        found = world(**primary)
        coping = pd.concat([found.contrasts["coping"], among], ignore_index=True)
        found = replace(found, contrasts={**found.contrasts, "coping": coping})
        return str(pairs.variables(found, "coping")["pairs"]["primary"]["total"])

    assert counted() == str(both)
    assert counted(abstract=["threat.anything.else"]) == str(both)
    assert counted(results=["coping.external_efficacy_measured.coping_avoidance"]) == "3"


def test_a_number_of_a_pair_leads_to_both_effects(world: Worlds) -> None:
    found = world()
    tree = variables(found, {})
    made = ledger.sources(found, tree, {"threat": {"module": "threat", "studies": ["first"]}})
    of = made["variables"]["threat.pairs.primary.sentence"]
    rows = found.contrasts["threat"]
    mine = rows[rows["estimand"].eq("effect") & rows["level"].eq("population")]
    assert set(of["estimands"]) == set(mine["id"].iloc[:3])
    assert of["tables"] == ["contrasts/threat.parquet"]
