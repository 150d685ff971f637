"""Figures: every mark is where its row says, and simulated data are called simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from helpers.drawings import artists, ends
from helpers.evidence import WORLDS, evidence
from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.topics import (
    answer_figures,
    arms,
    codings,
    effect_directions,
    exploratory,
    heterogeneity,
    identification,
    pooling,
    synthesis,
    tiles,
)
from metastudy.article.topics import studies as topics_studies
from metastudy.common.tables import JOINT
from metastudy.display.plots import arms as plots_arms
from metastudy.display.plots import canvas as plots_canvas
from metastudy.display.plots import effect_directions as plots_effect_directions
from metastudy.display.plots import evidence_map, flow, forest, study_grid, style
from metastudy.display.plots import tiles as plots_tiles

Drawing = Callable[[pd.DataFrame], Figure]
FORESTS: dict[str, Callable[[Results], pd.DataFrame]] = {
    "module_threat": lambda e: answer_figures.figure(e, "threat"),
    "module_coping": lambda e: answer_figures.figure(e, "coping"),
    "module_strain": lambda e: codings.figure(e, "strain"),
    "synthesis": synthesis.figure,
    "heterogeneity": heterogeneity.figure,
    "exploratory": exploratory.figure,
}
ALL: dict[str, tuple[Callable[[Results], pd.DataFrame], Drawing]] = {
    **{name: (table, forest.forest) for name, table in FORESTS.items()},
    "arms_threat": (lambda e: arms.figure(e, "threat"), plots_arms.arms),
    "narrow_arms_threat": (lambda e: arms.figure(e, "threat"), plots_arms.narrow_arms),
    "tiles_coping": (lambda e: tiles.figure(e, "coping"), plots_tiles.tiles),
    "evidence_map": (pooling.evidence_map, evidence_map.evidence_map),
    "study_grid": (topics_studies.grid_figure, study_grid.study_grid),
    "participant_flow": (topics_studies.participant_flow, flow.participant_flow),
    "directions": (effect_directions.figure, plots_effect_directions.directions),
    "aliases": (identification.figure, plots_effect_directions.directions),
}


@pytest.mark.parametrize(
    ("plot", "columns"),
    [
        (flow.participant_flow, topics_studies.FLOW),
        (study_grid.study_grid, topics_studies.GRID),
    ],
)
def test_where_no_study_has_rows_of_people_a_figure_says_so(
    plot: Drawing, columns: list[str]
) -> None:
    texts = [t.get_text() for t in plot(pd.DataFrame(columns=columns)).texts]
    assert texts == ["There are no studies with data of people."]


# One world in each `make test`, the others at each landing: a forest takes seconds to draw.
WORLDS_TO_DRAW = [
    name if name == "mixed" else pytest.param(name, marks=pytest.mark.ci) for name in WORLDS
]


@pytest.mark.parametrize("studies", [1, 3])
@pytest.mark.parametrize("world", WORLDS_TO_DRAW)
@pytest.mark.parametrize("name", FORESTS)
def test_every_interval_and_estimate_stands_where_its_row_says(
    name: str, world: str, studies: int
) -> None:
    table = FORESTS[name](evidence(world, studies))
    found = artists(forest.forest(table))
    assert len(table)
    for at, row in table.iterrows():
        assert ends(found[f"estimate-{at}"]) == [row["estimate"]]
        assert ends(found[f"interval-{at}"]) == [row["lower"], row["upper"]]
    marks = [n for n in found if n.startswith(("estimate-", "interval-"))]
    assert len(marks) == 2 * len(table)


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_a_text_is_as_wide_as_its_curves(weight: str) -> None:
    for text in ("Threat to service quality", "−0.25 (0.02–0.29)", "ß § β “Å” ≥ 95 %", "j", "8"):
        font = FontProperties(family="DejaVu Sans", weight=weight)
        exact = TextPath((0, 0), text, size=7.5, prop=font).get_extents().width / 72
        assert plots_canvas.width(text, 7.5, weight) == pytest.approx(exact, abs=1e-9)


def few(table: pd.DataFrame) -> pd.DataFrame:
    """Two labels of each panel of a forest, with all that is drawn at them: all take seconds."""
    if "panel" not in table:
        return table
    labels = table.drop_duplicates(["block", "panel", "row"])
    kept = labels.groupby(["block", "panel"], sort=False).head(2)[["block", "panel", "row"]]
    return table.merge(kept, on=["block", "panel", "row"])


@pytest.mark.parametrize("name", FORESTS)
def test_every_interval_lies_inside_its_axes(name: str) -> None:
    table = few(FORESTS[name](evidence("mixed", 3)))
    found = artists(forest.forest(table))
    for at, row in table.iterrows():
        low, high = found[f"interval-{at}"].axes.get_xlim()  # type: ignore[union-attr]
        assert low <= row["lower"] <= row["upper"] <= high


@pytest.mark.parametrize("name", FORESTS)
def test_a_mark_stands_at_the_label_of_its_row(name: str) -> None:
    table = few(FORESTS[name](evidence("mixed", 3)))
    found = artists(forest.forest(table))
    for _, mine in table.groupby(["block", "panel", "row"]):
        heights = {round(float(found[f"estimate-{at}"].get_ydata()[0])) for at in mine.index}  # type: ignore[attr-defined]
        assert len(heights) == 1


@pytest.mark.parametrize("name", FORESTS)
@pytest.mark.parametrize("column", ["estimate", "lower", "upper"])
def test_a_changed_number_moves_its_mark(name: str, column: str) -> None:
    table = few(FORESTS[name](evidence("mixed", 3)))
    changed = table.copy()
    changed.loc[1, column] += 0.0123
    before, after = artists(forest.forest(table)), artists(forest.forest(changed))
    mark = "estimate-1" if column == "estimate" else "interval-1"
    assert ends(before[mark]) != ends(after[mark])
    assert ends(before["estimate-0"]) == ends(after["estimate-0"])


def test_randomised_and_measured_exposures_share_no_panel() -> None:
    table = answer_figures.figure(evidence("mixed"), "coping")
    effects = table[table["exposure_type"] != ""]
    assert (effects.groupby("block")["exposure_type"].nunique() == 1).all()
    assert (effects.groupby("exposure_type")["hue"].nunique() == 1).all()
    assert effects["hue"].nunique() == 2


def test_one_study_is_called_one_study_and_is_not_pooled() -> None:
    alone, several = (synthesis.figure(evidence("all", n)) for n in (1, 3))
    assert set(alone["note"]) == {"one study"}
    assert "diamond" not in set(alone["style"])
    assert {"diamond", "prediction", "open"} <= set(several["style"])


def test_heterogeneity_shows_the_prior_beside_the_posterior() -> None:
    table = heterogeneity.figure(evidence("all"))
    keys = ["block", "panel", "row"]
    series = table.groupby(keys)["series"].agg(set)
    assert all({"Prior", "Posterior"} <= found for found in series)
    prior = table[(table["series"] == "Prior") & (table["outcome"] == "organisation_tau")].iloc[0]
    assert prior["upper"] == pytest.approx(0.5 * 2.2414, rel=1e-4)  # half-normal of scale 0.5
    assert prior["estimate"] == pytest.approx(0.5 * (2 / 3.14159265) ** 0.5, rel=1e-3)
    accuracy = table[(table["series"] == "Prior") & (table["outcome"] == "sensitivity")].iloc[0]
    assert 0.5 < accuracy["lower"] < accuracy["upper"] < 1


def test_the_grid_has_a_dot_for_each_property_of_each_study() -> None:
    table = topics_studies.study_grid(evidence("null"))
    figure = study_grid.study_grid(table)
    axes = figure.axes[0]
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    labels = {round(float(at), 6): label.get_text().replace("\n", " ") for at, label in ticks}
    found = artists(figure)
    dots = 0
    for at, row in table.iterrows():
        for name, _ in study_grid.DIMENSIONS:
            for value in row[f"{name}_label"].split(JOINT):
                dot = found[f"{name}-{at}-{value}"]
                assert isinstance(dot, Line2D)
                assert labels[round(float(dot.get_xdata()[0]), 6)] == value  # type: ignore[index,arg-type]
                assert float(dot.get_ydata()[0]) == at  # type: ignore[index,arg-type]
                dots += 1
        assert found[f"n-{at}"].get_text() == str(row["n"])  # type: ignore[attr-defined]
    assert dots == sum("-" in n and n.split("-")[0] in dict(study_grid.DIMENSIONS) for n in found)


def test_a_study_without_exposures_has_a_column_with_a_name_behind_the_others() -> None:
    table = topics_studies.study_grid(evidence("null"))
    table.loc[0, ["exposure_types", "exposure_types_label"]] = ""
    axes = study_grid.study_grid(table).axes[0]
    words = [one.get_text() for one in axes.get_xticklabels()]
    kinds = list(dict.fromkeys(" ".join(table["exposure_types_label"]).split()))
    assert "" not in words
    assert words[words.index("None") - len(kinds) : words.index("None")] == kinds
    assert "exposure_types-0-None" in artists(study_grid.study_grid(table))


def test_the_bars_of_the_flow_are_as_long_as_their_rows() -> None:
    table = topics_studies.participant_flow(evidence("null"))
    found = artists(flow.participant_flow(table))
    for _, own in table.groupby("study"):
        stays = 0
        for at, row in own.iterrows():
            bar = found[f"bar-{at}"]
            assert bar.get_width() == row["rows"]  # type: ignore[attr-defined]
            if row["kind"] in ("excluded", "dropped"):
                stays -= row["rows"]
                assert bar.get_x() == stays  # type: ignore[attr-defined]
            else:
                assert row["kind"] == "read" or stays == row["rows"]  # the counts add up
                stays = row["rows"]
            text = found[f"rows-{at}"].get_text()  # type: ignore[attr-defined]
            assert text.lstrip("−") == str(row["rows"])
    changed = table.copy()
    changed.loc[1, "rows"] += 1
    after = artists(flow.participant_flow(changed))
    assert after["bar-1"].get_width() != found["bar-1"].get_width()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["directions", "aliases"])
def test_every_sign_is_the_mark_of_its_direction_in_its_row_and_column(name: str) -> None:
    table = ALL[name][0](evidence("mixed")).reset_index(drop=True)
    found = artists(plots_effect_directions.directions(table))
    for at, row in table.iterrows():
        mark = found[f"sign-{at}"]
        assert isinstance(mark, Line2D)
        marker, filled, _ = plots_effect_directions.SIGNS[row["direction"]]
        assert mark.get_marker() == marker
        assert (mark.get_markerfacecolor() != "white") == filled
        simulated = mark.get_color() == style.WARNING
        assert simulated == (row["provenance"] == "simulated")
    spots = table.assign(
        x=[ends(found[f"sign-{at}"])[0] for at in table.index],
        y=[found[f"sign-{at}"].get_ydata()[0] for at in table.index],  # type: ignore[attr-defined]
    )
    models = spots[~spots["section"].isin(["published", "cases"])]
    assert models.groupby(["section", "column"])["x"].nunique().eq(1).all()
    assert models.groupby(["section", "row"])["y"].nunique().eq(1).all()
    assert not spots.duplicated(["x", "y"]).any()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("provenance", "said"),
    [("simulated", "Simulated data"), ("observed", ""),
     ("observed + simulated", "Simulated and observed data")],
)  # fmt: skip
def test_the_mark_follows_the_rows(name: str, provenance: str, said: str) -> None:
    table, drawing = ALL[name]
    figure = drawing(few(table(evidence("mixed", 3))).assign(provenance=provenance))
    texts = [t.get_text() for t in figure.findobj(Text) if t.get_gid() == "mark"]
    assert texts == ([said] if said else [])


def test_one_simulated_row_among_observed_ones_is_enough_for_the_mark() -> None:
    table = answer_figures.figure(evidence("mixed"), "threat").assign(provenance="observed")
    table.loc[2, "provenance"] = "simulated"
    assert artists(forest.forest(table))["mark"].get_text() == "Simulated and observed data"  # type: ignore[attr-defined]


def _texts(figure: Figure) -> Iterator[Text]:
    """All texts that are drawn; ticks beyond the limits are not."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high:
                    beyond |= {tick.label1, tick.label2}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in beyond:
            yield text


@pytest.mark.parametrize("studies", [1, 3])
@pytest.mark.parametrize("name", ALL)
def test_texts_are_large_enough_inside_the_page_and_apart(name: str, studies: int) -> None:
    table, drawing = ALL[name]
    figure = drawing(table(evidence("mixed", studies, observed=("first",))))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    page = figure.bbox
    boxes = []
    for text in _texts(figure):
        assert text.get_fontsize() >= 7
        box = text.get_window_extent(renderer)
        assert box.x0 >= page.x0 - 1, text.get_text()
        assert box.x1 <= page.x1 + 1, text.get_text()
        assert box.y0 >= page.y0 - 1, text.get_text()
        assert box.y1 <= page.y1 + 1, text.get_text()
        boxes.append((text.get_text(), box.padded(-0.6)))
    for at, (one, box) in enumerate(boxes):
        for other, beside in boxes[at + 1 :]:
            assert not box.overlaps(beside), f"{one!r} and {other!r} overlap"


@pytest.mark.parametrize("name", ALL)
def test_a_figure_has_the_same_bytes_each_time_and_text_as_paths(name: str, tmp_path: Path) -> None:
    table, drawing = ALL[name]
    shown = table(evidence("mixed"))
    for run in ("a", "b"):
        plots_canvas.save(drawing(shown), tmp_path / f"{run}.svg", tmp_path / f"{run}.png")
    for suffix in ("svg", "png"):
        one, two = ((tmp_path / f"{run}.{suffix}").read_bytes() for run in "ab")
        assert one == two
    svg = (tmp_path / "a.svg").read_text("utf-8")
    assert "<text" not in svg
    assert "<dc:date>" not in svg


def test_nothing_to_show_is_said() -> None:
    empty = pd.DataFrame(columns=figure_rows.FOREST)
    assert any("Nothing to show" in t.get_text() for t in forest.forest(empty).findobj(Text))
