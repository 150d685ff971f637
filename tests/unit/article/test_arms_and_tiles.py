"""The arms of experiments, and effects as tiles: each mark is what the contrasts say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from helpers.drawings import artists, ends
from helpers.evidence import evidence, row
from metastudy.article.results import Results
from metastudy.article.topics import answers
from metastudy.article.topics import arms as arms_topic
from metastudy.article.topics import tiles as tiles_topic
from metastudy.article.variable_tree import flat
from metastudy.display.plots import arms, canvas, style, tiles
from metastudy.inference.netcdf import save

STEM = "task_type_randomised"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, dict[str, np.ndarray]]:
    """Draws in which the mean of a setting and an effect of it depend on each other."""
    world = evidence("mixed")
    table = world.contrasts["threat"]
    values = np.random.default_rng(3).normal(table["mean"], table["sd"], (2, 400, len(table)))
    values += 0.5 * values[..., :1] * table["estimand"].eq("mean").to_numpy()
    draws = xr.DataArray(values, dims=("chain", "draw", "contrast"),
                         coords={"contrast": table["id"].to_list()})  # fmt: skip
    path = tmp_path_factory.mktemp("draws") / "threat.nc"
    save(xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}), path)
    by_id = {i: values[..., k].ravel() for k, i in enumerate(table["id"])}
    return replace(world, draws={"threat": path}), by_id


def test_arms_lie_half_an_effect_around_the_mean_and_their_intervals_are_of_joint_draws(
    drawn: tuple[Results, dict[str, np.ndarray]],
) -> None:
    world, draws = drawn
    table = world.contrasts["threat"]
    found = arms_topic.figure(world, "threat").set_index("outcome")
    assert list(found["reference"].unique()) == ["Complementary tasks"]
    assert list(found["treatment"].unique()) == ["Core tasks"]
    for outcome in found.index:
        mine = table[table["outcome"].eq(outcome)]
        mean = mine[mine["estimand"].eq("mean")].iloc[0]
        effect = mine[mine["metric"].eq("pomp") & mine["estimand"].eq("effect")].iloc[0]
        for name, half in (("low", -0.5), ("high", 0.5)):
            middle = mean["mean"] + half * effect["mean"]
            assert found.loc[outcome, name] == pytest.approx(middle, rel=1e-12)
            joint = draws[mean["id"]] + half * draws[effect["id"]]
            bounds = found.loc[outcome, [f"{name}_lower", f"{name}_upper"]].astype(float)
            assert list(bounds) == pytest.approx(np.quantile(joint, [0.025, 0.975]), rel=1e-12)
        assert found.loc[outcome, "points"] == effect["mean"]
        apart = mine[mine["estimand"].eq("difference")]
        if len(apart):
            one = apart.iloc[0]
            same = ["lower", "upper", "positive"]
            assert found.loc[outcome, "difference"] == one["mean"]
            assert list(found.loc[outcome, same]) == list(one[same])
            inner = np.quantile(draws[one["id"]], [0.17, 0.83])
            bounds = found.loc[outcome, ["inner_lower", "inner_upper"]].astype(float)
            assert list(bounds) == pytest.approx(inner, rel=1e-12)
    assert found["difference"].isna().sum() == 1  # the one without others in its family


def test_families_are_together_and_the_highest_mean_is_first() -> None:
    world = evidence("mixed")
    found = arms_topic.figure(world, "threat")
    means = (found["low"] + found["high"]) / 2
    assert list(found["family"]) == ["Perceived threat"] * 3 + ["Work motivation"]
    assert list(means[:3]) == sorted(means[:3], reverse=True)
    turned = replace(world, contrasts={"threat": world.contrasts["threat"].iloc[::-1]})
    again = arms_topic.figure(turned, "threat")
    assert list(again["outcome"]) == list(found["outcome"])


def test_measured_exposures_have_no_arms() -> None:
    found = arms_topic.figure(evidence("mixed"), "coping")
    assert set(found["exposure_type"]) == {"randomised"}
    table = evidence("mixed").contrasts["coping"]
    alone = replace(
        evidence("mixed"), contrasts={"coping": table[table["exposure_type"].ne("randomised")]}
    )
    empty = arms_topic.figure(alone, "coping")
    assert empty.empty
    assert any("Nothing to show" in t.get_text() for t in arms.arms(empty).findobj(Text))


def test_more_places_than_a_figure_holds_have_none() -> None:
    world = evidence("mixed")
    table = world.contrasts["threat"]
    own = table[table["level"].eq("study")]
    many = pd.concat([table, *(own.assign(group=f"place-{k}") for k in range(7))])
    assert arms_topic.figure(replace(world, contrasts={"threat": many}), "threat").empty


@pytest.mark.parametrize(
    ("draw", "wide", "tall"), [(arms.arms, 6.3, 3.4), (arms.narrow_arms, 3.5, 6.5)]
)
def test_every_mark_of_an_arm_and_of_a_difference_is_where_its_row_says(
    draw: Callable[[pd.DataFrame], Figure],
    wide: float,
    tall: float,
    drawn: tuple[Results, dict[str, np.ndarray]],
) -> None:
    table = arms_topic.figure(drawn[0], "threat")
    figure = draw(table)
    found = artists(figure)
    for at, one in table.iterrows():
        assert ends(found[f"low-{at}"]) == [one["low"]]
        assert ends(found[f"high-{at}"]) == [one["high"]]
        assert ends(found[f"change-{at}"]) == [one["low"], one["high"]]
        assert ends(found[f"low-interval-{at}"]) == [one["low_lower"], one["low_upper"]]
        assert ends(found[f"high-interval-{at}"]) == [one["high_lower"], one["high_upper"]]
        assert found[f"low-{at}"].get_markerfacecolor() == "white"  # type: ignore[attr-defined]
        assert found[f"high-{at}"].get_markerfacecolor() != "white"  # type: ignore[attr-defined]
        if pd.isna(one["difference"]):
            assert f"difference-{at}" not in found
            continue
        assert ends(found[f"difference-{at}"]) == [one["difference"]]
        assert ends(found[f"difference-interval-{at}"]) == [one["lower"], one["upper"]]
        assert ends(found[f"difference-inner-{at}"]) == [one["inner_lower"], one["inner_upper"]]
    axes = found["low-0"].axes
    assert axes.get_xlim() == (0, 100)  # type: ignore[union-attr]
    band = found["rope"]
    assert isinstance(band, Rectangle)
    assert (band.get_x(), band.get_width()) == pytest.approx((-0.1, 0.2))
    assert figure.get_figwidth() == wide
    assert figure.get_figheight() <= tall
    below = found["difference-0"].axes.get_position().y1 <= axes.get_position().y0  # type: ignore[union-attr]
    assert below == (draw is arms.narrow_arms)


def test_variables_have_the_means_of_arms(drawn: tuple[Results, dict[str, np.ndarray]]) -> None:
    found = flat({"threat": answers.variables(drawn[0], "threat")})
    table = arms_topic.figure(drawn[0], "threat").set_index("outcome")
    stem = f"threat.{STEM}.threat_quality.arms"
    for name, arm in (("reference", "low"), ("treatment", "high")):
        assert found[f"{stem}.{name}"] == f"{table.loc['threat_quality', arm]:.1f}"
        low, high = table.loc["threat_quality", [f"{arm}_lower", f"{arm}_upper"]]
        assert found[f"{stem}.{name}_interval"] == f"{low:.1f} to {high:.1f}"


@pytest.fixture(scope="module")
def tiled() -> Results:
    """Effects of every size, on three outcomes, of which the middle one has the highest level."""
    world = evidence("mixed")
    table = world.contrasts["coping"].copy()
    own = table["estimand"].eq("effect") & table["level"].eq("study") & table["metric"].eq("sd")
    sizes = iter([0.3, -0.3, 0.02, -0.02, 0.12, -0.12, 0.2, -0.25, 0.0])
    for at in table.index[own]:
        made = row(next(sizes), 0.04, metric="sd")
        numbers = ["mean", "sd", "lower", "upper", "above", "below", "rope", "pd", "positive"]
        table.loc[at, numbers] = [made[name] for name in numbers]
    top = table["estimand"].eq("mean") & table["outcome"].eq("coping_escalation")
    table.loc[top, "mean"] = 80.0
    return replace(world, contrasts={**world.contrasts, "coping": table})


def test_a_tile_is_as_large_as_its_probability_on_the_likelier_side(tiled: Results) -> None:
    table = tiles_topic.figure(tiled, "coping")
    found = artists(tiles.tiles(table))
    effects = table[table["part"].eq("effect")]
    contrasts = tiled.contrasts["coping"]
    own = contrasts[contrasts["level"].eq("study") & contrasts["metric"].eq("sd")]
    assert len(effects) == len(own) == 9
    sides = {}
    for at, one in effects.iterrows():
        same = own["exposure"].eq(one["exposure"]) & own["vignette"].eq(one["vignette"])
        source = own[same & own["outcome"].eq(one["outcome"])].iloc[0]
        assert one["beyond"] == max(source["above"], source["below"])
        assert one["mean"] == source["mean"]
        tile, cell = found[f"tile-{at}"], found[f"cell-{at}"]
        assert isinstance(cell, Rectangle)
        assert cell.get_edgecolor() != "none"
        assert (f"number-{at}" in found) == one["printed"]
        claimed = tiled.judged(source.to_dict()).claim
        assert one["printed"] == (one["beyond"] >= 0.8 or claimed)
        if one["beyond"] < tiles.DOT:
            assert isinstance(tile, Line2D)
            continue
        assert isinstance(tile, Rectangle)
        room = [side - 2 * tiles.INSET for side in (cell.get_width(), cell.get_height())]
        shares = [tile.get_width() / room[0], tile.get_height() / room[1]]
        assert shares == pytest.approx([one["beyond"]] * 2)
        assert to_hex(tile.get_facecolor()) == tiles.colour(one["mean"], 0.3)
        sides[one["mean"]] = tile.get_width()
    # an effect that is as probably above as below the region is not large for that
    assert sides[0.3] == pytest.approx(sides[-0.3])
    assert 0.3 in sides
    assert len(sides) == 6


def test_colours_are_symmetric_and_the_sign_is_seen_without_them(tiled: Results) -> None:
    for size in (0.05, 0.3, 0.5):
        teal, brown = tiles.colour(size, 0.5), tiles.colour(-size, 0.5)
        assert int(teal[3:5], 16) > int(teal[1:3], 16)
        assert int(brown[3:5], 16) < int(brown[1:3], 16)
    assert tiles.colour(0.0, 0.5) == "#ffffff"
    table = tiles_topic.figure(tiled, "coping")
    found = artists(tiles.tiles(table))
    for at, one in table[table["part"].eq("effect") & table["printed"]].iterrows():
        text = found[f"number-{at}"].get_text()  # type: ignore[attr-defined]
        assert text.startswith("+" if one["mean"] > 0 else "−")
    table = table.assign(printed=False)
    found = artists(tiles.tiles(table))
    drawn = table[table["part"].eq("effect") & table["beyond"].ge(tiles.DOT)]
    signs = {int(name[5:]) for name in found if name.startswith("sign-")}
    assert signs == {*drawn.index}
    for at in signs:
        text = found[f"sign-{at}"].get_text()  # type: ignore[attr-defined]
        assert text == ("+" if table.loc[at, "mean"] > 0 else "−")
    assert signs


def test_columns_are_in_the_order_of_their_levels_and_each_has_its_marks(tiled: Results) -> None:
    table = tiles_topic.figure(tiled, "coping")
    levels = table[table["part"].eq("level")]
    order = ["coping_help_seeking", "coping_avoidance", "coping_escalation"]
    means = levels.groupby("outcome")["mean"].mean().sort_values()
    assert list(means.index)[-1] == "coping_escalation"
    assert list(dict.fromkeys(levels["outcome"])) == list(means.index)
    assert set(order) == set(means.index)
    found = artists(tiles.tiles(table))
    assert levels["group"].nunique() == 3  # two vignettes of one study, and another study
    for at, one in levels.iterrows():
        mark = found[f"level-{at}"]
        assert isinstance(mark, Line2D)
        assert list(mark.get_ydata()) == [one["mean"]]
        assert int(ends(mark)[0]) == list(means.index).index(one["outcome"])
        bounds = found[f"level-interval-{at}"]
        assert list(bounds.get_ydata()) == [one["lower"], one["upper"]]  # type: ignore[attr-defined]
    places = {}
    for at, one in table[table["part"].eq("effect")].iterrows():
        cell = found[f"cell-{at}"]
        assert isinstance(cell, Rectangle)
        places.setdefault(one["outcome"], set()).add(round(cell.get_x(), 6))
    assert all(len(x) == 1 for x in places.values())
    assert sorted(places, key=lambda key: min(places[key])) == list(means.index)


def test_randomised_exposures_come_first_and_are_framed(tiled: Results) -> None:
    table = tiles_topic.figure(tiled, "coping")
    effects = table[table["part"].eq("effect")]
    kinds = list(dict.fromkeys(effects["exposure_type"]))
    assert kinds == ["randomised", "measured"]
    assert effects["group"].nunique() == 3
    found = artists(tiles.tiles(table))
    edges = {kind: set() for kind in kinds}
    for at, one in effects.iterrows():
        edges[one["exposure_type"]].add(to_hex(found[f"cell-{at}"].get_edgecolor()))  # type: ignore[attr-defined]
    assert edges["randomised"].isdisjoint(edges["measured"])


def test_the_sentence_counts_and_lists_the_printed_tiles(tiled: Results) -> None:
    found = flat({"coping": tiles_topic.variables(tiled, "coping")})
    table = tiles_topic.figure(tiled, "coping")
    printed = table[table["beyond"].ge(0.8)]
    assert len(printed) == 4
    assert found["coping.tiles.count"] == "four"
    assert found["coping.tiles.total"] == "9"
    assert found["coping.tiles.largest"].count(";") == 3
    assert found["coping.tiles.sentence"].startswith("Of 9 contrasts four lie beyond")
    none = tiles_topic.variables(evidence("equivalence"), "coping")["tiles"]
    assert none["count"] == "no"
    assert none["sentence"].startswith("Of 9 contrasts none lies beyond")


def test_one_outcome_in_each_family_has_no_tiles() -> None:
    world = evidence("mixed")
    table = world.contrasts["coping"]
    alone = table[table["outcome"].eq("coping_avoidance")]
    empty = tiles_topic.figure(replace(world, contrasts={"coping": alone}), "coping")
    assert empty.empty
    assert any("Nothing to show" in t.get_text() for t in tiles.tiles(empty).findobj(Text))


@pytest.mark.parametrize(("topic", "plot"), [(arms_topic, arms.arms), (tiles_topic, tiles.tiles)])
def test_orange_is_the_mark_of_simulated_data_alone(topic, plot) -> None:
    figure = plot(topic.figure(evidence("mixed"), "coping").assign(provenance="observed"))
    used = set()
    for artist in figure.findobj():
        for name in ("get_color", "get_facecolor", "get_edgecolor", "get_markerfacecolor"):
            try:
                used.add(to_hex(getattr(artist, name)()))
            except (AttributeError, ValueError, TypeError):
                continue
    assert style.WARNING.lower() not in used
    assert len(used) > 3


def test_a_picture_is_a_small_file(tiled: Results, tmp_path: Path) -> None:
    svg, png = (tmp_path / f"a.{kind}" for kind in ("svg", "png"))
    canvas.save(tiles.tiles(tiles_topic.figure(tiled, "coping")), svg, png)
    assert svg.stat().st_size < 150_000
