"""Cells of coded interviews in a parcel: counts of codes by organisation and pattern of reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.parcels.form import Form, Wrong
from metastudy.parcels.parcel import Parcel
from metastudy.parcels.refusals import Refusal
from metastudy.parcels.words import NOT_IN_VOCABULARY, SECTION_OF, check_word, says_nothing

__all__ = ["ALIKE", "CODES", "KIND", "check_sound", "check_words", "margins"]

KIND = "codings"
ALIKE = 5  # interviews with a code, and without it, at least; see `margins`
PLACES = tuple(SECTION_OF)  # what tells settings of interviews apart

CODES = Form(
    coordinates=("organisation", "code", "family", "exposure"),
    numbers={
        "single": (("organisation", "code", "reading"), np.float64),
        "double": (("organisation", "code", "agreement"), np.float64),
        "x": (("organisation", "exposure"), np.float64),
    },
    texts={
        **dict.fromkeys(("study", *PLACES, "site"), "organisation"),
        "family_of": "code",
        "exposure_name": "exposure",
        "exposure_type": "exposure",
    },
    fixed={
        "reading": ("applied", "not_applied"),
        "agreement": ("both", "only_first", "only_second", "none"),
    },
)


def margins(single: np.ndarray, double: np.ndarray) -> np.ndarray:
    """How often each coder applied a code, and how often not.

    A margin of nobody says of everybody what a coder found. A margin of ``m`` interviews says it of
    those that are left to whoever knows ``m`` of them. So no margin is below :data:`ALIKE`: fewer
    people than that, who know their own codings, cannot work out another's.

    Parameters
    ----------
    single : interviews of one coder with and without the code, shape (..., 2).
    double : interviews of two coders in which both, the first, the second or none applied it,
        shape (..., 4).

    Returns
    -------
    Shape (..., 6): with and without, of one coder; of the first of two; of the second of two.
    """
    both, first, second, none = np.moveaxis(np.asarray(double), -1, 0)
    of_two = np.stack([both + first, second + none, both + second, first + none], axis=-1)
    return np.concatenate([np.asarray(single), of_two], axis=-1)


def check_sound(cells: xr.Dataset, parcel: Parcel, wrong: Wrong) -> None:
    """Check what holds of all counts that coders can give and that control lets out.

    Raises
    ------
    Refusal
        As ``wrong`` makes it, for counts of fewer people, or that no interviews could have.
    """
    least = int(parcel.manifest["least"])
    single, double, x = (cells[name].values for name in ("single", "double", "x"))
    for name in ("organisation", "code", "family", "exposure"):
        of = cells[name].values.tolist()
        if len(set(of)) < len(of) or not (of or name == "exposure"):
            raise wrong(f"no name or the same name twice in '{name}'", "each once")
    if cells.organisation.values.tolist() != sorted(cells.organisation.values.tolist()):
        raise wrong("organisations that are out of order", "in the order of their pseudonyms")
    if list(dict.fromkeys(cells.family_of.values.tolist())) != cells.family.values.tolist():
        raise wrong("families that are not those of the codes", "each, in the order of the codes")
    for values in (single, double):
        if not (values == np.round(values)).all() or (values < 0).any() or (values > 1e9).any():
            raise wrong("a count that is no whole number of interviews", "whole numbers from zero")
    for name, n in (("single", single.sum(-1)), ("double", double.sum(-1))):
        if ((n > 0) & (n < least)).any():
            few = n[(n > 0) & (n < least)].min()
            raise wrong(f"a count in '{name}' over {few:g} interviews", f"over {least} at least")
    told = margins(single, double)
    there = np.repeat(np.stack([single.sum(-1), double.sum(-1), double.sum(-1)], -1) > 0, 2, -1)
    if (there & (told < ALIKE)).any():
        raise wrong("a code that few or nearly all interviews of an organisation have",
                    f"at least {ALIKE} with it and {ALIKE} without it, by each coder")  # fmt: skip
    read = single.sum(-1) + double.sum(-1)
    if not read.any(axis=0).all() or not read.any(axis=1).all():
        raise wrong("a code or an organisation without interviews", "counts of each")
    if not np.isin(x, (-0.5, 0.0, 0.5)).all():
        raise wrong("a contrast that is not -1/2, 0 or 1/2", "those of the exposure's levels")
    _contrasts(cells, parcel, wrong)


def _contrasts(cells: xr.Dataset, parcel: Parcel, wrong: Wrong) -> None:
    """Contrasts that are those of the levels that the parcel names, the reference first."""
    for e, name in enumerate(cells.exposure_name.values.tolist()):
        levels = parcel.study["factors"].get(name)
        if name not in (*PLACES, "site") or not levels or len(levels) < 2:
            raise wrong(f"the exposure '{name[:80]}'", "one that study.json has the levels of")
        value = cells[name].values
        expected = 0.5 * (value == levels[1]) - 0.5 * (value == levels[0])
        if not np.array_equal(cells.x.values[:, e], expected):
            raise wrong(f"contrasts of '{name}' that are not those of its levels",
                        f"-1/2 of {levels[0]}, 1/2 of {levels[1]}")  # fmt: skip


def check_words(
    document: Mapping[str, Any], module: str, variant: str, vocabulary: Vocabulary
) -> None:
    """Check that a document means by its words what the vocabulary of this project means.

    Raises
    ------
    Refusal
        For a code or a place that the vocabulary lacks, or has elsewhere.
    """
    coordinates, texts = document["coordinates"], document["texts"]
    for code, family in zip(coordinates["code"], texts["family_of"], strict=True):
        known = code in vocabulary["codes"]
        if not known or vocabulary.module(code) != module or vocabulary.family(code) != family:
            raise Refusal(f"the code '{code}' in cells of {module}, {variant}",
                          f"a code of {module} in the vocabulary, of the same family",
                          NOT_IN_VOCABULARY, "vocabulary")  # fmt: skip
    order = [code for code in vocabulary["codes"] if code in coordinates["code"]]
    if order != coordinates["code"]:
        raise Refusal("codes in another order", "that of the vocabulary", NOT_IN_VOCABULARY,
                      "vocabulary")  # fmt: skip
    for place, section in SECTION_OF.items():
        for name in texts[place]:
            if not says_nothing(name):
                check_word(name, (section,), vocabulary)
