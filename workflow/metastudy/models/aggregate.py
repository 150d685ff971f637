"""Aggregate the harmonized tables of a module's studies to the cells of a fit."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.common.unsaid import NOT_SAID
from metastudy.harmonized.study import Study, load_study
from metastudy.models.answers.scored_arms import assuming
from metastudy.models.kind import Model
from metastudy.models.registry import MODELS, model_named, model_of
from metastudy.parcels import cells as cells_of_parcels
from metastudy.parcels import parcel as parcels
from metastudy.parcels.refusals import Refusal, refused

__all__ = ["aggregate", "cells_of_one", "check_required", "kind_of", "observed_rows"]


OF_MODELS = ("response_mode", "provenance")  # what fits and their tables take from codebooks


def kind_of(module: str, vocabulary: Vocabulary, variant: str = "main") -> Model:
    """The kind of model of a module; a variant that is a kind of its own takes its place."""
    return MODELS[variant] if variant in MODELS else model_named(vocabulary.model(module))


def aggregate(
    folders: list[Path],
    module: str,
    path_to_vocabulary: Path,
    variant: str = "main",
    correlation_of_arms: float | None = None,
) -> xr.Dataset:
    """Cells of a module from the harmonized folders of its studies.

    The order of the folders does not matter; the vocabulary decides which kind of cells it is.

    Parameters
    ----------
    variant : ``main``, or a sensitivity analysis: ``folded``, what is a part of another outcome
        counted as that one, ``ordinal``, answers counted item by item, or ``interviews``, patterns
        of codes counted interview by interview.
    correlation_of_arms : that of two outcomes of a family, of arms of which no correlations are
        known; ``None`` leaves such outcomes apart.
    """
    opened = [load_study(folder) for folder in folders]
    vocabulary = vocabularies.of_studies(path_to_vocabulary, [s.vocabulary for s in opened])
    model = kind_of(module, vocabulary, variant)
    opened = [load_study(path, model.measured) for path in folders]
    studies = sorted((assuming(s, correlation_of_arms) for s in opened), key=lambda s: s.id)
    if not any(study.parcel for study in studies):
        cells = model.cells(studies, module, vocabulary, variant == "folded")
    else:
        parts = [cells_of_one(s, module, vocabulary, variant) for s in studies]
        cells = model.join(parts, vocabulary)
    return _without_words(model.moderate(cells, studies, vocabulary))


def _without_words(cells: xr.Dataset) -> xr.Dataset:
    """Cells without what readers alone need, so that another label or title refits nothing."""
    about = json.loads(cells.attrs["studies"])
    kept = {
        study: {k: v for k, v in said.items() if k in OF_MODELS} for study, said in about.items()
    }
    attrs = {name: value for name, value in cells.attrs.items() if name != "vocabulary"}
    found = cells.copy()
    found.attrs = attrs | {"studies": json.dumps(kept, sort_keys=True)}
    return found


def cells_of_one(
    study: Study, module: str, vocabulary: Vocabulary, variant: str = "main"
) -> xr.Dataset:
    """Cells of one study, from its rows or from the parcel that it came as."""
    if study.parcel is None:
        model = kind_of(module, vocabulary, variant)
        return model.cells([study], module, vocabulary, variant == "folded")
    try:
        parcel = parcels.read(study.parcel, study.id)
        cells_of_parcels.check_vocabulary(parcel, vocabulary)
        return cells_of_parcels.cells_of(parcel, module, variant)
    except Refusal as said:
        raise refused(study.parcel, said, study.id) from None


def observed_rows(folders: Sequence[Path], cells: xr.Dataset, path_to_vocabulary: Path) -> Any:
    """The rows behind cells, from the harmonized folders of their studies in any order.

    A study that came as a parcel or as arms with means has none; where all did, there are no rows
    at all, and ``None``.
    """
    model = model_of(cells)
    studies = sorted((load_study(path, model.measured) for path in folders), key=lambda s: s.id)
    vocabulary = vocabularies.of_studies(path_to_vocabulary, [s.vocabulary for s in studies])
    with_rows = [study for study in studies if study.has_rows]
    return model.observe(with_rows, cells, vocabulary) if with_rows else None


def check_required(cells: xr.Dataset, required: Collection[str]) -> None:
    """Check that the design identifies the terms that the configuration asks for.

    Parameters
    ----------
    cells : of a module.
    required : names of groupings, such as ``country``.

    Raises
    ------
    BadInput
        ``aliased-term`` for each term and exposure whose model would do without the term for every
        outcome: one level only, or the name of what it cannot be distinguished from.
    """
    module, problems = str(cells.attrs["module"]), []
    found: dict[tuple[str, str], list[str]] = {}
    for exposure, _, one in model_of(cells).structures(cells):
        for row in one.table[one.table["grouping"].isin(list(required))].itertuples():
            there = row.used_as not in ("left out", NOT_SAID) and not row.aliased_with
            found.setdefault((exposure, str(row.grouping)), []).append(
                "" if there else str(row.reason)
            )
    for (exposure, grouping), reasons in found.items():
        if all(reasons):  # of some outcome it may be missing: not everybody asked about it
            problems.append(
                Problem(
                    file="config/config.yaml or --config",
                    found=f"'{grouping}', which the design does not identify for {exposure}: "
                    f"{reasons[0]}",
                    expected="a term that the studies of the module can tell from the others",
                    fix="take it out of `require`, or add studies that cross the two",
                    column=f"require.{module}",
                    code="aliased-term",
                )
            )
    if problems:
        raise BadInput(problems)
