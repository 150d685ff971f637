"""Cells of a parcel as documents, and back to the same bytes; those of answers are checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.unsaid import is_unsaid
from metastudy.parcels import codes
from metastudy.parcels.form import Form, Wrong, agree, opened, spelt
from metastudy.parcels.parcel import Parcel
from metastudy.parcels.refusals import AGAIN, Refusal
from metastudy.parcels.words import NOT_IN_VOCABULARY, NOT_STATED, SECTION_OF, check_word

__all__ = ["cells_of", "check_vocabulary", "document_of"]

_NUMBERS: Mapping[str, tuple[tuple[str, ...], type]] = {
    "n": (("cell",), np.float64),
    "xx": (("cell", "coefficient", "coefficient_"), np.float64),
    "xy": (("cell", "coefficient", "outcome"), np.float64),
    "yy": (("cell", "outcome", "outcome_"), np.float64),
    "site_of_cell": (("cell",), np.int64),
    "pattern_of_cell": (("cell",), np.int64),
    "observed": (("pattern", "outcome"), np.int8),
    "setting_of_site": (("site",), np.int64),
    "asked": (("setting", "outcome"), np.int8),
    "present": (("setting", "exposure"), np.int8),
    "sited": (("setting",), np.int8),
    "centre": (("setting", "outcome"), np.float64),
    "scale": (("setting", "outcome"), np.float64),
    "scale_df": (("setting", "outcome"), np.float64),
    "scale_of_all_arms": (("setting", "outcome"), np.bool_),
    "family_sign": (("construct",), np.int64),
}
_TEXTS: Mapping[str, str] = {
    **dict.fromkeys(("study", "country", "sector", "role"), "setting"),
    **dict.fromkeys(("exposure_type", "exposure_name", "exposure_level"), "exposure"),
    **dict.fromkeys(("construct_of", "vignette_of"), "outcome"),
    "family_of": "construct",
}
ANSWERS = Form(
    coordinates=("setting", "site", "coefficient", "exposure", "construct", "vignette", "outcome"),
    numbers=_NUMBERS,
    texts=_TEXTS,
    may_miss=("centre", "scale", "scale_df"),  # null where nobody was asked
    same={"coefficient_": "coefficient", "outcome_": "outcome"},
)
_FORMS = {"answers": ANSWERS, "codings": codes.CODES}
_SLACK = 1e-8  # of rounding, relative to the largest number


def document_of(cells: xr.Dataset) -> dict[str, Any]:
    """The cells of one study as a document."""
    return spelt(cells, _FORMS[str(cells.attrs["model"])])


def cells_of(parcel: Parcel, module: str, variant: str) -> xr.Dataset:
    """The cells of a parcel, checked number by number.

    Raises
    ------
    Refusal
        For cells that are not there, are of other types or sizes than they say, or that no data of
        people could have.
    """
    place = f"cells/{module}-{variant}.json"
    document = parcel.fits.get((module, variant))
    if document is None:
        raise Refusal(f"no cells of {module}, {variant}", "cells of each module of its outcomes")

    def wrong(found: str, expected: str) -> Refusal:
        return Refusal(found, expected, AGAIN, place=place)

    kind = _kind(document)
    cells = opened(document, _FORMS[kind], wrong)
    agree(cells, parcel, kind, module, variant, wrong)
    (codes.check_sound if kind == codes.KIND else _sound)(cells, parcel, wrong)
    return cells


def _kind(document: Any) -> str:
    """The kind of model that a document has the form of."""
    names = document.get("coordinates") if isinstance(document, dict) else None
    return codes.KIND if isinstance(names, dict) and "organisation" in names else "answers"


def _sound(cells: xr.Dataset, parcel: Parcel, wrong: Wrong) -> None:
    """What holds of all cells that people's answers can give."""
    least = int(parcel.manifest["least"])
    sizes = cells.sizes
    for name, size in (("site_of_cell", "site"), ("pattern_of_cell", "pattern"),
                       ("setting_of_site", "setting")):  # fmt: skip
        values = cells[name].values
        if values.size == 0 or set(values.tolist()) != set(range(sizes[size])):
            raise wrong(f"places in '{name}' that are not those of {size}s", "each, and no other")
    for name in ("observed", "asked", "present", "sited"):
        if not np.isin(cells[name].values, (0, 1)).all():
            raise wrong(f"a value in '{name}' that is neither 0 nor 1", "0 and 1")
    keys = list(
        zip(cells.site_of_cell.values.tolist(), cells.pattern_of_cell.values.tolist(), strict=True)
    )
    if keys != sorted(set(keys)):
        raise wrong("cells that are out of order or twice", "one cell a site and pattern, in order")
    constructs, vignettes = cells.construct.values, cells.vignette.values
    pairs = [(c, v) for c in constructs for v in vignettes]
    named = [
        (c, v) for c, v in zip(cells.construct_of.values, cells.vignette_of.values, strict=True)
    ]
    if named != pairs or cells.outcome.values.tolist() != [f"{c}|{v}" for c, v in pairs]:
        raise wrong("outcomes that are not its constructs in its vignettes", "all pairs, in order")
    if cells.coefficient.values.tolist() != ["intercept", *cells.exposure.values]:
        raise wrong("coefficients that are not its exposures", "the intercept and each exposure")
    for name in ANSWERS.coordinates:
        of = cells[name].values.tolist()
        if len(set(of)) < len(of) and name != "site":
            raise wrong(f"the same name twice in '{name}'", "each once")
    _crossed(cells, least, wrong)
    asked = cells.asked.values == 1
    if not (cells.scale.values[asked] > 0).all():
        raise wrong("a standardiser that is not above zero", "standard deviations")


def _crossed(cells: xr.Dataset, least: int, wrong: Wrong) -> None:
    """Counts and cross-products that belong together."""
    n, xx, xy, yy = (cells[name].values for name in ("n", "xx", "xy", "yy"))
    if not (n == np.round(n)).all() or (n < least).any():
        raise wrong(f"a cell of {n.min():g} people", f"whole numbers of at least {least} people")
    if not np.array_equal(xx[:, 0, 0], n):
        raise wrong("cross-products whose intercept is not the count", "xx[0][0] = n")
    if not (
        np.array_equal(xx, xx.transpose(0, 2, 1)) and np.array_equal(yy, yy.transpose(0, 2, 1))
    ):
        raise wrong("cross-products that are not symmetric", "symmetric ones")
    seen = cells.observed.values[cells.pattern_of_cell.values] == 1
    if not seen.any(axis=1).all():
        raise wrong("a pattern without an outcome", "people who answered")
    if xy.transpose(0, 2, 1)[~seen].any() or yy[~seen].any():
        raise wrong("cross-products of an outcome that was not observed", "zeros there")
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    there = np.zeros((cells.sizes["setting"], cells.sizes["outcome"]), dtype=bool)
    np.logical_or.at(there, setting, seen)
    if not np.array_equal(there, cells.asked.values == 1):
        raise wrong("'asked' that is not what was observed", "1 where some cell has the outcome")
    whole = np.concatenate(
        [np.concatenate([xx, xy], axis=2), np.concatenate([xy.transpose(0, 2, 1), yy], axis=2)],
        axis=1,
    )
    largest = np.abs(whole).max(axis=(1, 2))
    if (np.linalg.eigvalsh(whole).min(axis=1) < -_SLACK * largest).any():
        raise wrong("cross-products that no data have", "positive semidefinite ones")


def check_vocabulary(parcel: Parcel, vocabulary: Vocabulary) -> None:
    """Check that a parcel means by its words what the vocabulary of this project means.

    Raises
    ------
    Refusal
        For a construct, vignette, place or level that the vocabulary lacks or has elsewhere.
    """
    for (module, variant), document in parcel.fits.items():
        coordinates, texts = document["coordinates"], document["texts"]
        if _kind(document) == codes.KIND:
            codes.check_words(document, module, variant, vocabulary)
            continue
        for construct in coordinates["construct"]:
            known = construct in vocabulary["constructs"]
            if not known or vocabulary.module(construct) != module:
                raise Refusal(
                    f"the outcome '{construct}' in cells of {module}, {variant}",
                    f"an outcome of {module} in the vocabulary",
                    NOT_IN_VOCABULARY,
                    "vocabulary",
                )
        for name in filter(None, coordinates["vignette"]):
            check_word(name, ("vignettes",), vocabulary)
        for place in ("country", "sector", "role"):
            for name in texts[place]:
                if not (name == NOT_STATED if place == "role" else is_unsaid(name)):
                    check_word(name, (SECTION_OF[place],), vocabulary)
    for factor, levels in parcel.study["factors"].items():
        if factor not in vocabulary["factors"] or list(vocabulary.levels(factor)) != levels:
            raise Refusal(
                f"the levels {', '.join(levels)} of '{factor}'",
                "the levels of the vocabulary, the reference first",
                NOT_IN_VOCABULARY,
                "vocabulary",
            )
