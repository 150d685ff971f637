"""Intervals of the model of codings cover what is true in several countries and sectors.

Codes differ by sector, country and study, each by itself and with other distributions than the
model has, organisations differ in size, and coders err in some codes more than in others. Beside
the model is the wrong one that the test must catch: one shift for all codes of a family. Coverage
is counted by replicate, whose cells are one cluster, and the band follows from their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.stats import t as student

from helpers.repository import ROOT
from helpers.strain_worlds import beside_truth, cells_of, truths, unpooled, world
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.design import between_organisations
from metastudy.models.codings.priors import OF_PARAMETER
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of

pytestmark = [pytest.mark.fit, pytest.mark.slow]

PRIORS = priors_of(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"])
SHORT = {"chains": 2, "tune": 400, "draws": 400, "target_accept": 0.9}
LEVEL = 0.95
BAND = 0.995  # quantile of the mean over replicates: a right model misses one time in a hundred
LONG = pytest.mark.long(
    of=(
        "metastudy.models.registry",
        "metastudy.inference.sampling",
        "metastudy.posterior.contrasts",
    )
)
# What is covered, and whether it rests on six levels or more: only then may it not be too often.
ROWS = {
    "prevalence overall": (("mean", "population"), True),
    "prevalence by country": (("mean", "country"), True),
    "prevalence by sector": (("mean", "sector"), False),
    "new country": (("mean", "new_country"), True),
    "new sector": (("mean", "new_sector"), False),
    "effect on a family": (("effect", "population"), False),
    "hyper-mean": (("effect", "hyper_mean"), False),
    "effect on a code": (("effect", "code"), False),
}


class Models:
    """One compiled model, fitted as it is and as the wrong one: codes have no part of their own.

    The spread of codes' own parts has a prior by itself here, so that it can be next to zero.
    """

    def __init__(self, cells: xr.Dataset) -> None:
        usual = {**PRIORS, "own_part": PRIORS["tau_logit"]}
        self.priors = {
            "right": usual,
            "wrong": {**usual, "own_part": usual["own_part"].scaled(1e-3)},
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(OF_PARAMETER, "own_tau", "own_part")
            self.compiled = compile_model(codings_model.build(cells, usual))

    def fits(self, cells: xr.Dataset, seed: int) -> Iterator[tuple[str, xr.DataTree]]:
        for name, priors in self.priors.items():
            yield name, draw(self.compiled, {**SHORT, "seed": seed}, 1, pack(cells, priors))


def replicates(number: int, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rows with a truth of all replicates by model, and what is said of each fit."""
    models, found, fits = None, [], []
    for at in range(number):
        made = world(at)
        cells = cells_of(made, folder / f"{at}")
        if models is None:
            components = between_organisations(cells).components
            assert [c.name for c in components] == ["study", "country", "sector"]
            models = Models(cells)
        known = truths(made).join(unpooled(cells, made))
        for name, tree in models.fits(cells, at + 1):
            posterior = tree["posterior"].to_dataset()
            table = beside_truth(cells, posterior, known, LEVEL, at)
            assert table[["truth", "mean"]].notna().all(axis=None), "each row has both"
            found.append(table.assign(model=name, replicate=at))
            fits.append({"model": name, "divergent": float(tree["sample_stats"].diverging.mean())})
    return pd.concat(found), pd.DataFrame(fits)


def shares(rows: pd.DataFrame, truth: str = "truth") -> pd.DataFrame:
    """Of one model, the share of rows that hold the truth, and half the band around it."""
    inside = (rows["lower"] <= rows[truth]) & (rows[truth] <= rows["upper"])
    number = rows["replicate"].nunique()
    table = {}
    for name, ((estimand, level), _) in ROWS.items():
        mine = rows.xs((estimand, level), level=("estimand", "level"))
        hits = inside.xs((estimand, level), level=("estimand", "level"))
        by = hits.groupby(mine["replicate"].to_numpy()).mean()
        # Where all replicates agree there is no spread: what it would be for as many cells.
        least = np.sqrt(LEVEL * (1 - LEVEL) / len(hits))
        half = student.ppf(BAND, number - 1) * max(by.std(ddof=1) / np.sqrt(number), least)
        width = (mine["upper"] - mine["lower"]).mean()
        table[name] = {"covered": by.mean(), "half": half, "width": width}
    return pd.DataFrame(table).T


def errors(rows: pd.DataFrame) -> dict[str, float]:
    """Roots of the mean squared errors over the countries and sectors."""
    cells = rows.dropna(subset="unpooled")
    return {
        name: float(np.sqrt(((cells[name] - cells["truth"]) ** 2).mean()))
        for name in ("mean", "unpooled")
    }


def check(number: int, folder: Path, figures: Callable[..., None]) -> None:
    rows, fits = replicates(number, folder)
    of = dict(iter(rows.groupby("model")))
    right, wrong = shares(of["right"]), shares(of["wrong"])
    levels = of["right"][of["right"]["everybody"].notna()]
    everybody = shares_of_everybody(levels)
    error, of_wrong = errors(of["right"]), errors(of["wrong"])
    print(right.round(3), wrong.round(3), everybody, error, of_wrong, sep="\n")
    print(fits.groupby("model")["divergent"].mean())
    figures(
        replicates=number,
        **{
            name.replace(" ", "_").replace("-", "_"): value
            for name, value in right["covered"].items()
        },
        wrong_by_sector=wrong.loc["prevalence by sector", "covered"],
        wrong_by_country=wrong.loc["prevalence by country", "covered"],
        rmse=error["mean"],
        rmse_wrong=of_wrong["mean"],
        rmse_unpooled=error["unpooled"],
    )
    low = right["covered"] + right["half"]
    assert (low >= LEVEL).all(), "too few: the intervals are too short"
    several = [name for name, (_, two_sided) in ROWS.items() if two_sided]
    high = (right["covered"] - right["half"])[several]
    assert (high <= LEVEL).all(), "too many: the intervals are too long"
    caught = wrong["covered"] + wrong["half"] < LEVEL
    assert caught["prevalence by sector"], "no code by sector"
    assert error["mean"] < min(error["unpooled"], of_wrong["mean"])


def shares_of_everybody(rows: pd.DataFrame) -> dict[str, float]:
    """How often the same intervals hold the prevalence among all people of a place."""
    inside = (rows["lower"] <= rows["everybody"]) & (rows["everybody"] <= rows["upper"])
    return inside.groupby(level="level").mean().to_dict()


@LONG
def test_intervals_of_codings_cover_in_worlds_of_several_sectors(
    figures: Callable[..., None], tmp_path: Path
) -> None:
    check(100, tmp_path, figures)
