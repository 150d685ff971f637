"""Figures of the article: who was asked where, codes by place, and estimates beside truths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd
import pytest
from matplotlib.lines import Line2D

from helpers.drawings import artists, ends
from helpers.evidence import evidence
from metastudy.article import catalogue
from metastudy.article.topics import figure_answers, identification, pooling, prevalence
from metastudy.common.tables import JOINT
from metastudy.common.unsaid import NOT_SAID
from metastudy.display.formatting import inline
from metastudy.display.plots import code_places, effect_directions, evidence_map, truths


def test_the_evidence_map_has_a_mark_for_each_place_and_its_area_grows_with_the_people() -> None:
    table = pooling.evidence_map(evidence("mixed", 3)).reset_index(drop=True)
    table["n"] = [10 * (at + 1) for at in range(len(table))]
    found = artists(evidence_map.evidence_map(table))
    sizes = []
    for row in table.itertuples():
        artist = found[f"{row.study}-{row.country}-{row.sector}-{row.role}"]
        assert isinstance(artist, Line2D)
        sizes.append(artist.get_markersize())
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(table)
    assert evidence_map.evidence_map(table.head(0)) is not None  # no study, no error


def test_the_map_says_with_which_studies_each_is_pooled() -> None:
    world = evidence("mixed", 3)
    assert pooling.partners(world) == {
        "first": ["second", "fourth"],
        "second": ["first", "fourth"],
        "fourth": ["first", "second"],
    }
    grid = pooling.evidence_map(world)
    assert {len(mark.split(JOINT)) for mark in grid["pools_with"] if mark} == {2}
    found = artists(evidence_map.evidence_map(grid))
    assert found["pools-first"].get_text() == "Pools with 2 studies"  # type: ignore[attr-defined]
    alone = evidence("mixed", 1)
    assert pooling.partners(alone) == {}
    assert set(pooling.evidence_map(alone)["pools_with"]) == {""}
    found = artists(evidence_map.evidence_map(pooling.evidence_map(alone)))
    assert found["pools-first"].get_text() == "Pools with none"  # type: ignore[attr-defined]
    # estimates of another metric are not among what a mean is of
    estimates = world.synthesis["estimates"].copy()
    estimates.loc[estimates["study"].eq("fourth"), "metric"] = "log_odds"
    other = replace(world, synthesis={**world.synthesis, "estimates": estimates})
    assert pooling.partners(other) == {"first": ["second"], "second": ["first"]}
    named = artists(evidence_map.evidence_map(pooling.evidence_map(other)))["pools-first"]
    assert named.get_text().startswith("Pools with ")  # type: ignore[attr-defined]
    assert "studies" not in named.get_text()  # type: ignore[attr-defined]


def test_codes_are_by_place_on_one_scale_with_the_most_frequent_first() -> None:
    rows = [
        {"family": "Strain", "code": code, "place": place, "role": "Professional"}
        | {"mean": mean, "lower": mean - 0.1, "upper": mean + 0.1, "provenance": "simulated"}
        for code, means in {"One": (0.6, 0.3), "Two": (0.4, None)}.items()
        for place, mean in zip(("Here", "There"), means, strict=True)
        if mean is not None
    ]
    found = artists(code_places.code_places(pd.DataFrame(rows)))
    for row in rows:
        name = f"{row['place']}-{row['code']}"
        assert ends(found[f"share-{name}"]) == [pytest.approx(100 * row["mean"])]
        assert ends(found[f"interval-{name}"]) == pytest.approx(
            [100 * row["lower"], 100 * row["upper"]]
        )
        assert found[f"share-{name}"].axes.get_xlim() == (0, 80)  # type: ignore[union-attr]
    assert "share-There-Two" not in found


def test_codes_of_a_place_are_those_of_its_interviews() -> None:
    world = evidence("mixed")
    table = world.contrasts["strain"]
    mine = table[table["estimand"].eq("mean") & table["variant"].eq("main")]
    one = mine[mine["level"].eq("population")].head(3)
    places = [one.assign(level="country", group=g, mean=m) for g, m in (("DK", 0.2), ("FI", 0.4))]
    alone = mine[mine["level"].eq("population")].iloc[3:4].assign(level="country", group="DK")
    rest = table[~table["level"].eq("country")]
    changed = {**world.contrasts, "strain": pd.concat([rest, *places, alone])}
    found = prevalence.places_figure(replace(world, contrasts=changed), "strain")
    assert len(found) == 2 * one["outcome"].nunique()
    assert dict(zip(found["place"], found["mean"], strict=False)) == {
        "Denmark": 0.2,
        "Finland": 0.4,
    }


def test_estimates_stand_at_their_true_values() -> None:
    row = {"metric": "sd", "covered": True, "word": "undecided", "claim": False, "rope": 0.1}
    row |= {"provenance": "simulated"}
    values = [(0.3, 0.2, 0.0, 0.4), (-0.2, -0.1, -0.3, 0.1), (0.0, 0.01, -0.1, 0.1)]
    table = pd.DataFrame(
        [row | dict(zip(("truth", "mean", "lower", "upper"), v, strict=True)) for v in values]
    )
    table.loc[0, ["word", "claim"]] = "higher", True
    found = artists(truths.truths(table))
    for at, (truth, mean, _, _) in enumerate(values):
        artist = found[f"effect-sd-{at}"]
        assert isinstance(artist, Line2D)
        if truth:
            assert ends(artist) == [truth]
        else:  # in a band of their own, left of all others
            assert ends(artist)[0] < -0.2
        assert list(artist.get_ydata()) == [mean]
        assert artist.get_marker() == ("D" if at == 0 else "o")
    assert ends(found["identity"])[0] == -0.2
    assert truths.truths(table.head(0)) is not None


def test_an_outcome_with_some_pooled_estimates_is_pooled_and_its_reason_is_said_once() -> None:
    """A refusal may be of other estimates of an outcome, such as those in another metric."""
    world = evidence("mixed", 3)
    before = pooling.table(world).full
    structure = world.synthesis["structure"]
    exposure = before["exposure"][0]
    of = world.synthesis["estimates"].query("exposure == @exposure")["outcome"].iloc[0]
    why = {"exposure": exposure, "outcome": of, "grouping": "study", "used_as": "refused"}
    why |= {"reason": "metric sd: not pooled with metric log_odds", "levels": 2}
    more = pd.concat([structure, pd.DataFrame([why, why])], ignore_index=True)
    after = pooling.table(replace(world, synthesis={**world.synthesis, "structure": more})).full
    assert after["pooled"].tolist() == before["pooled"].tolist()
    assert before["pooled"][0] == before["outcomes"][0] > 1
    label = inline(world.labels.outcome(of))
    assert after["reason"][0] == f"metric sd: not pooled with metric log odds ({label})"
    alone = pooling.table(evidence("mixed", 1)).full
    assert set(alone["pooled"]) == {0}


def test_what_no_study_says_has_a_sign_of_its_own_and_an_exposure_of_two_modules_is_one() -> None:
    world = evidence("null")
    module, table = next(iter(world.contrasts.items()))
    effect = table[table["estimand"].eq("effect")].iloc[0]
    same = {"exposure": effect["exposure"], "outcome": effect["outcome"], "aliased_with": ""}
    rows = [
        same | {"grouping": "country", "levels": 2, "used_as": "varying", "reason": ""},
        same | {"grouping": "sector", "levels": 1, "used_as": NOT_SAID, "reason": ""},
        same | {"grouping": "role", "levels": 1, "used_as": "left out", "reason": "one level"},
    ]
    structure = pd.DataFrame(
        [r | {"module_or_family": m} for m in (module, "coping") for r in rows]
    )
    own = table[table["exposure"].eq(effect["exposure"])]
    both = replace(
        world,
        synthesis={**world.synthesis, "structure": structure},
        contrasts={module: own, "coping": own},
    )
    shown = identification.figure(both)
    signs = dict(zip(shown["outcome"], shown["direction"], strict=True))
    assert (signs["country"], signs["sector"], signs["role"]) == ("varying", "unsaid", "single")
    legend = effect_directions.SIGNS
    assert len({sign[:2] for sign in legend.values()}) > 1
    assert legend["unsaid"][2] != legend["single"][2]
    said = figure_answers.variables(both)["aliases"]["answer"]
    assert said == "Of one exposure, these groupings have a spread of their own: country for one."


def test_only_figures_of_all_studies_read_their_folders() -> None:
    """All others take names: a changed answer, title or citation changes nothing of these."""
    found = catalogue.figures({"threat": "answers", "strain": "codings", "harm": "events"})
    assert {name for name, item in found.items() if "studies" in item.needs} == {
        *("study_grid", "evidence_map", "participant_flow"),
        *("directions", "record", "recovery", "truths", "comparison"),
    }


def test_a_figure_of_a_module_is_drawn_from_no_file_of_another() -> None:
    models = {"threat": "answers", "strain": "codings", "harm": "events"}
    files = catalogue.result_files(["a", "b"], [*models], [*models], "appraisal.csv")
    for name, item in catalogue.figures(models).items():
        taken = [path for paths in catalogue.files_of(item, files).values() for path in paths]
        if item.module:
            assert {PurePosixPath(p).stem for p in taken} == {item.module}, name
