"""What kinds of models share: groupings, rows of contrasts, blocks of estimates, checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common.tables import join_values
from metastudy.common.unsaid import UNSAID
from metastudy.harmonized.study import Study

__all__ = [
    "AT",
    "COLUMNS",
    "GROUPINGS",
    "HIGHEST",
    "KEYS_OF_SETTING",
    "LOWEST",
    "NOT_STATED",
    "NO_VIGNETTE",
    "OTHER_STUDIES",
    "ROUNDING",
    "SAMPLE",
    "Block",
    "Check",
    "Group",
    "Label",
    "Row",
    "Value",
    "attributes_of",
    "between",
    "in_order",
    "is_few",
    "labelled",
    "own_place",
    "place_of",
    "provenance_mark",
]

GROUPINGS = ("study", "country", "sector")
KEYS_OF_SETTING = (*GROUPINGS, "role")  # people of one role of a study in a country and a sector
NOT_STATED = "not_stated"  # the role of people whose study does not say it
OTHER_STUDIES = "other studies"  # a difference between studies, of which nothing is claimed
NO_VIGNETTE = ""  # an answer that is about no particular situation


def in_order(names: set[str], vocabulary: Mapping[str, Any]) -> list[str]:
    """The names in the order of the vocabulary, after ``NO_VIGNETTE``; others are left out."""
    return [name for name in (NO_VIGNETTE, *vocabulary) if name in names]


def own_place(values: pd.Series, study: str) -> pd.Series:
    """The countries or sectors of a study's rows as texts; one that is missing is the study's own.

    Parameters
    ----------
    values : shape (rows,), missing where nothing is said.
    """
    return values.astype("str").fillna(f"{UNSAID}{study}").astype(str)


def attributes_of(
    model: str,
    data: Sequence[str],
    studies: Sequence[Study],
    module: str,
    folded: bool,
    dropped: list[dict[str, Any]],
) -> dict[str, str]:
    """Attributes of cells: which model they are for, and what they were made from.

    Parameters
    ----------
    model : kind of model.
    data : names of the numbers that a refit may change (:mod:`metastudy.models.data_vector`).
    dropped : rows that no cell counts, with the rule and the study.
    """
    described = {
        s.id: {k: s.report["codebook"][k] for k in ("citation", "response_mode", "provenance")}
        for s in studies
    }
    return {
        "model": model,
        "data": " ".join(data),
        "module": module,
        "variant": "folded" if folded else "main",
        "studies": json.dumps(described, sort_keys=True),
        "dropped": json.dumps(dropped, sort_keys=True),
        "vocabulary": json.dumps(_additions(studies), sort_keys=True),
    }


def _additions(studies: Sequence[Study]) -> dict[str, Any]:
    """What the studies add to the vocabulary, section by section; they are known to agree."""
    added: dict[str, Any] = {}
    for study in studies:
        for section, entries in study.report["vocabulary"].items():
            added.setdefault(section, {}).update(entries)
    return added


AT = (0.3, 0.9)  # correlations that a result is shown at, beside one that is assumed
LOWEST, HIGHEST = 0.0, 100.0  # of a score in per cent of the scale
ROUNDING = 1e-9
Label = dict[str, str]
Value = tuple[Label, float, float]  # what it is, the statistic, how many people it speaks of


@dataclass(frozen=True)
class Check:
    """Rows as they are, as draws would have them, and what is asked of both."""

    observed: Any
    replicates: Iterator[Any]
    statistics: Callable[[Any, Group], Iterator[Value]]
    places: Sequence[np.ndarray]  # study, country and sector of each row


@dataclass(frozen=True)
class Group:
    """Rows of a study, or those of a country or sector."""

    label: Label
    rows: np.ndarray
    whole: bool


def is_few(count: np.ndarray, smallest: int) -> np.ndarray:
    """Whether a count is small, and not zero, which is nobody."""
    return (np.round(count) > 0) & (np.round(count) < smallest)


def between(known: np.ndarray, seen: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Standard deviation between the means of sites, per outcome."""
    at, places = np.unique(sites, return_inverse=True)
    total, count = (np.zeros((len(at), known.shape[1])) for _ in range(2))
    np.add.at(total, places, known)
    np.add.at(count, places, seen)
    means = np.where(count > 0, total / count, np.nan)
    there = count > 0
    number = there.sum(axis=0)
    centre = np.where(there, means, 0.0).sum(axis=0) / number
    square = (np.where(there, means - centre, 0.0) ** 2).sum(axis=0)
    return np.where(number > 2, np.sqrt(square / (number - 1)), np.nan)


Row = tuple[dict[str, Any], xr.DataArray]


def place_of(cells: xr.Dataset, mask: np.ndarray) -> dict[str, str]:
    """Study, country, sector and role of some units, joined where there are several."""
    return {
        name: join_values(cells[name].values[mask])
        for name in ("study", "country", "sector", "role")
    }


def provenance_mark(studies: dict[str, Any], names: list[str]) -> str:
    """The mark that follows a number: simulated, observed, or both."""
    return join_values(studies[name]["provenance"] for name in names)


Block = tuple[pd.DataFrame, np.ndarray]  # rows of one study, and their covariance
COLUMNS = [
    *("module", "study", "country", "sector", "role", "exposure", "exposure_name"),
    *("exposure_type", "outcome", "family", "vignette", "response_mode", "metric", "estimate"),
    *("n", "provenance"),
]
SAMPLE = ("chain", "draw", "simulation")


def labelled(
    values: xr.Dataset, names: tuple[str, ...], kept: Mapping[str, xr.DataArray]
) -> xr.DataArray:
    """Quantities side by side: those of these names that there are, where they are kept.

    Parameters
    ----------
    kept : by name, which entries are kept; all of what is not named.
    """
    parts = []
    for name in names:
        if name not in values or not values[name].size:
            continue
        array = values[name]
        sample = [d for d in array.dims if d in SAMPLE]
        own = [d for d in array.dims if d not in SAMPLE]
        labels = [name]
        if own:
            keys = np.meshgrid(*(array[d].astype(str).values for d in own), indexing="ij")
            inner = zip(*(k.ravel() for k in keys), strict=True)
            labels = [f"{name}[{', '.join(key)}]" for key in inner]
        flat = array.transpose(*sample, *own).values
        flat = flat.reshape(*(array.sizes[d] for d in sample), len(labels))
        keep = np.full(len(labels), True)
        if name in kept:
            keep = kept[name].transpose(*own).values.astype(bool).ravel()
        coords = {
            "quantity": np.array(labels)[keep],
            "parameter": ("quantity", [name] * keep.sum()),
        }
        parts.append(xr.DataArray(flat[..., keep], coords, (*sample, "quantity")))
    return xr.concat(parts, "quantity")
