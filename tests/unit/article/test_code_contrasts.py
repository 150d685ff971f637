"""Contrasts of codes: a panel an exposure, sorted by size, with what the draws say of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.text import Text

from helpers.drawings import artists, ends
from helpers.evidence import evidence, row
from metastudy.article.results import Results
from metastudy.article.topics import code_contrasts, codings
from metastudy.display.plots.code_contrasts import code_contrasts as plot
from metastudy.display.plots.style import WARNING
from metastudy.inference.netcdf import save


def with_draws(world: Results, folder: Path) -> Results:
    """A world with draws of its contrasts that are not symmetric."""
    table = world.contrasts["strain"]
    mine = table[table["estimand"].eq("effect") & table["variant"].eq("main")]
    tail = np.random.default_rng(7).exponential(1.0, (len(mine), 2, 500))
    coords = {"contrast": mine["id"].to_numpy(dtype=str)}
    values = xr.DataArray(tail, coords, ("contrast", "chain", "draw"), name="value")
    save(xr.DataTree.from_dict({"contrasts": values.to_dataset()}), folder / "strain.nc")
    return replace(world, draws={"strain": folder / "strain.nc"})


def test_codes_follow_their_family_from_the_largest_contrast_to_the_smallest() -> None:
    found = code_contrasts.figure(evidence("mixed"), "strain")
    assert found["panel"].nunique() == 1
    for _, mine in found.groupby("family", sort=False):
        codes = mine["level"].eq("code")
        assert codes.tolist() == sorted(codes)  # the family's mean is first
        assert mine.loc[codes, "estimate"].is_monotonic_decreasing
    assert {found["low"].iloc[0], found["high"].iloc[0]} == {
        "state policy",
        "mission of the organisation",
    }


def test_the_mean_of_one_code_is_not_shown_twice() -> None:
    world = evidence("mixed")
    table = world.contrasts["strain"]
    family = world.vocabulary.family
    code = table["outcome"].isin(list(world.vocabulary["codes"]))
    enablers = [o for o in table.loc[code, "outcome"].unique() if family(o) == "enabler_coded"]
    less = table[~table["outcome"].isin(enablers[1:])]
    found = code_contrasts.figure(replace(world, contrasts={"strain": less}), "strain")
    mine = found[found["family"].eq("Coded enablers")]
    assert mine["level"].tolist() == ["code"]


def test_the_inner_interval_is_of_the_draws_and_missing_without_them(tmp_path: Path) -> None:
    world = evidence("mixed")
    assert code_contrasts.figure(world, "strain")["inner_lower"].isna().all()
    found = code_contrasts.figure(with_draws(world, tmp_path), "strain")
    # of an exponential distribution
    np.testing.assert_allclose(found["inner_lower"], -np.log(0.83), atol=0.1)
    np.testing.assert_allclose(found["inner_upper"], -np.log(0.17), atol=0.35)


def test_what_is_beyond_is_the_likelier_side_and_never_both() -> None:
    world = evidence("mixed")
    table = world.contrasts["strain"]
    wide = row(0.0, 1.0, metric="log_odds")
    mine = table["outcome"].eq("strain_coded") & table["metric"].eq("log_odds")
    for name in ("above", "below"):
        table.loc[mine, name] = wide[name]
    found = code_contrasts.figure(world, "strain").query("outcome == 'strain_coded'")
    assert found["beyond"].item() == pytest.approx(max(wide["above"], wide["below"]))
    assert found["beyond"].item() < 0.5


def test_every_mark_is_at_its_number(tmp_path: Path) -> None:
    table = code_contrasts.figure(with_draws(evidence("mixed"), tmp_path), "strain")
    found = artists(plot(table))
    for at in table.index:
        own = table.loc[at]
        assert ends(found[f"estimate-{at}"]) == [own["estimate"]]
        assert ends(found[f"interval-{at}"]) == [own["lower"], own["upper"]]
        assert ends(found[f"inner-{at}"]) == [own["inner_lower"], own["inner_upper"]]
        assert ends(found[f"error_free-{at}"]) == [own["error_free"]]
        mark, free, beyond = (found[f"{n}-{at}"] for n in ("estimate", "error_free", "beyond"))
        assert isinstance(mark, Line2D)
        assert isinstance(free, Line2D)
        assert isinstance(beyond, Text)
        assert mark.get_marker() == ("o" if own["level"] == "code" else "D")
        assert free.get_markerfacecolor() == "white"
        assert beyond.get_text() == f"{own['beyond']:.2f}"
        assert (beyond.get_fontweight() == "bold") == own["claim"]
        assert WARNING not in (mark.get_color(), free.get_color())
    heights = [float(found[f"estimate-{at}"].get_ydata()[0]) for at in table.index]  # type: ignore[attr-defined]
    assert heights == sorted(heights)  # from the top


def test_an_exposure_of_most_codes_is_first_and_each_has_a_panel() -> None:
    world = evidence("mixed")
    table = world.contrasts["strain"]
    few = table[table["estimand"].eq("effect") & table["level"].eq("code")].groupby("variant")
    other = few.head(2).assign(exposure="role_measured", exposure_type="measured")
    other["id"] += "|role"
    both = pd.concat([other, table], ignore_index=True)
    found = code_contrasts.figure(replace(world, contrasts={"strain": both}), "strain")
    assert list(dict.fromkeys(found["exposure"])) == ["arrangement_organisational", "role_measured"]
    figure = plot(found)
    assert len(figure.axes) == 2
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert plot(found.head(0)) is not None


def test_the_article_names_the_largest_contrast() -> None:
    world = evidence("mixed")
    said = codings.variables(world, "strain")["arrangement_organisational"]["largest"]
    table = world.contrasts["strain"]
    codes = table[table["level"].eq("code") & table["metric"].eq("log_odds")]
    codes = codes[codes["variant"].eq("main")]
    top = codes.loc[codes["mean"].abs().idxmax()]
    assert said["code"].lower() == world.labels.outcome(top["outcome"]).lower()
    assert said["estimate"].ids == (top["id"],)
    assert said["sentence"].count(said["estimate"]) == 1
