"""Worlds of coded interviews: their cells by way of files, and the truth of each row of contrasts.

Truth is the value of what a row speaks of: the share of interviews in which a code is truly there,
in the organisations of a place or among the people of a new one. It follows in closed form from
what the world is made of, and organisations that nobody went to are integrated out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import load_study
from metastudy.models.codings.cells import code_cells
from metastudy.posterior.contrasts import contrasts

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate
import strain_replications as strain

__all__ = ["NEW", "beside_truth", "cells_of", "original", "truths", "unpooled", "world"]

WORLD = ROOT / "data" / "generator" / "world.yaml"
FILE = ROOT / "config" / "worlds" / "strain_countries.yaml"
KEYS = ["estimand", "level", "group", "role", "outcome", "metric"]
PLACES = ("country", "sector")
NEW = "a place that no study has"
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)  # of integration over organisations


def original() -> dict[str, Any]:
    """The codebook of the study whose codes the replications look for."""
    text = (ROOT / "data" / "raw" / strain.LIKE / "codebook.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def world(repeat: int = 0, *settings: str) -> dict[str, Any]:
    """The world of several countries and sectors, its levels and people drawn anew."""
    return generate.load_world(WORLD, [f"seed={repeat + 1}", *settings], FILE)


def cells_of(made: dict[str, Any], folder: Path) -> xr.Dataset:
    """The cells of a world's replications, by way of their files and codebooks."""
    files = strain.write(made, folder / "raw", original())
    generate.write_manifest(folder / "raw" / "manifest.yaml", files)
    studies = []
    for study in files:
        save(harmonize_file(load(folder / "raw" / study, VOCABULARY), KEY), folder / study)
        studies.append(load_study(folder / study))
    return code_cells(studies, "strain", VOCABULARY)


def truths(made: dict[str, Any]) -> pd.DataFrame:
    """What is true of each row of the contrasts: their keys, and `truth`.

    Of prevalences, `everybody` is that of all people of the place, whether or not their
    organisation was in the study: organisations are integrated out.
    """
    rows = [*_prevalences(made), *_effects(made)]
    return pd.DataFrame(rows).fillna({"group": "", "role": ""}).set_index(KEYS)


def _prevalences(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    known = strain.truth(made)
    of = original()["codes"]
    everybody = _integrated(made, strain.level(made, known))
    moved = {}  # a new place has a new study
    for place in PLACES:
        elsewhere = known.assign(**{place: NEW, "study": NEW})
        moved[f"new_{place}"] = _integrated(made, strain.level(made, elsewhere))
    for c, code in enumerate(strain.codes(made)):
        looked = {s for s in known["study"].unique() if code in strain.asked(made, s)}
        asked = known["study"].isin(looked)
        for role in known.loc[asked, "role"].unique():
            own = asked & (known["role"] == role)
            row = {"estimand": "mean", "role": role, "outcome": of[code], "metric": "probability"}
            masks = {("population", ""): own} | {
                (place, group): own & (known[place] == group)
                for place in PLACES
                for group in known.loc[own, place].unique()
            }
            for (level, group), mask in masks.items():
                share = known["interviews"].where(mask, 0) / known.loc[mask, "interviews"].sum()
                yield row | {
                    "level": level,
                    "group": group,
                    "truth": float(share @ known[code]),
                    "everybody": float(share @ everybody[:, c]),
                }
            share = known["interviews"].where(own, 0) / known.loc[own, "interviews"].sum()
            for level, there in moved.items():
                yield row | {"level": level, "truth": float(share @ there[:, c])}


def _effects(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Citizens against professionals in the one study that spoke with both."""
    known = strain.truth(made)
    of, families = original()["codes"], strain.codes(made)
    first, second = made[strain.SECTION]["roles"][0], made[strain.SECTION]["more_roles"][0]
    (study,) = known.loc[known["role"] == second, "study"].unique()
    own = known[known["study"] == study]
    asked = strain.asked(made, study)
    row = {"estimand": "effect"}
    effect = dict(zip(families, strain.role_effect(made), strict=True))
    for family in dict.fromkeys(families[code] for code in asked):
        mine = row | {"outcome": family, "metric": "log_odds"}
        mean = np.mean([effect[code] for code in asked if families[code] == family])
        yield mine | {"level": "population", "truth": float(mean)}
        mean = made[strain.SECTION]["true_effect_role"].get(family, 0.0)
        yield mine | {"level": "hyper_mean", "truth": mean}
    for code in asked:
        by_role = {
            role: np.average(mine[code], weights=mine["interviews"])
            for role, mine in own.groupby("role")
        }
        mine = row | {"level": "code", "outcome": of[code]}
        yield mine | {"metric": "log_odds", "truth": effect[code]}
        yield mine | {"metric": "probability", "truth": by_role[second] - by_role[first]}


def _integrated(made: dict[str, Any], log_odds: np.ndarray) -> np.ndarray:
    """Shares over all organisations, by quadrature; shape of `log_odds`."""
    mine = made[strain.SECTION]
    sd = np.hypot(mine["true_organisation_sd"], mine["true_organisation_code_sd"])
    each = 1 / (1 + np.exp(-(log_odds[..., None] + sd * NODES)))
    return np.asarray(each @ (WEIGHTS / WEIGHTS.sum()))


def beside_truth(
    cells: xr.Dataset, posterior: xr.Dataset, known: pd.DataFrame, interval: float, seed: int
) -> pd.DataFrame:
    """The rows of the contrasts that have a truth: `truth`, `mean`, `lower` and `upper` of each."""
    found = contrasts(cells, xr.DataTree.from_dict({"posterior": posterior}), seed)
    index = found.index.copy()
    effect = index["estimand"] == "effect"
    index.loc[effect, "role"] = ""  # the people of both sides
    index = index[effect | (index["level"] != "role")]  # of one side, they are a prevalence overall
    draws = found.draws.sel(contrast=list(index["id"])).stack(
        sample=("chain", "draw"), create_index=False
    )
    values = draws.transpose("sample", "contrast").to_numpy()
    tail = (1 - interval) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    table = index[KEYS].assign(mean=values.mean(axis=0), lower=lower, upper=upper).set_index(KEYS)
    return known.join(table, how="outer")


def unpooled(cells: xr.Dataset, made: dict[str, Any]) -> pd.Series:
    """The first coder's share in each country and sector, less what coders' errors make of it.

    By role, and with the true mean accuracies, which is in its favour (Rogan and Gladen 1978).
    """
    applied = cells["single"].values[..., 0] + cells["double"].values[..., :2].sum(axis=-1)
    read = cells["single"].values.sum(axis=-1) + cells["double"].values.sum(axis=-1)
    mine = made[strain.SECTION]
    error = 1 - mine["true_specificity"]
    found = {}
    for place in PLACES:
        for group in np.unique(cells[place].values):
            for role in np.unique(cells["role"].values):
                here = (cells[place].values == group) & (cells["role"].values == role)
                total = read[here].sum(axis=0)
                for c in np.flatnonzero(total):
                    share = applied[here, c].sum() / total[c]
                    share = (share - error) / (mine["true_sensitivity"] - error)
                    code = str(cells["code"].values[c])
                    key = ("mean", place, str(group), str(role), code, "probability")
                    found[key] = float(np.clip(share, 0, 1))
    names = pd.MultiIndex.from_tuples(found, names=KEYS)
    return pd.Series(list(found.values()), names, name="unpooled")
