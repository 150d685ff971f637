"""Aggregate the harmonized tables of a module's studies to the cells of a fit."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import xarray as xr

from metastudy.codebook import vocabulary as vocabularies
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized import scale_scores
from metastudy.harmonized.study import load_study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings.cells import code_cells
from metastudy.models.ordinal import cells as ordinal_cells
from metastudy.models.registry import structures_of

__all__ = ["CELLS", "aggregate", "check_required"]

CELLS = {"answers": answer_cells, "codings": code_cells}  # by the kind of a module's model


def aggregate(
    folders: list[Path], module: str, path_to_vocabulary: Path, variant: str = "main"
) -> xr.Dataset:
    """Cells of a module from the harmonized folders of its studies.

    The order of the folders does not matter; the vocabulary decides which kind of cells it is.

    Parameters
    ----------
    variant : ``main``, or a sensitivity analysis: ``folded``, what is a part of another outcome
        counted as that one, or ``ordinal``, answers counted item by item.
    """
    measured = ordinal_cells.NEEDED if variant == "ordinal" else scale_scores.NEEDED
    studies = sorted((load_study(folder, measured) for folder in folders), key=lambda s: s.id)
    vocabulary = vocabularies.merge(
        vocabularies.load(path_to_vocabulary), [s.report["vocabulary"] for s in studies]
    )
    if variant == "ordinal":
        return ordinal_cells.item_cells(studies, module, vocabulary)
    make = CELLS[vocabulary["modules"][module]["model"]]
    return make(studies, module, vocabulary, folded=variant == "folded")


def check_required(cells: xr.Dataset, required: Collection[str]) -> None:
    """Check that the design identifies the terms that the configuration asks for.

    Parameters
    ----------
    cells : of a module.
    required : names of groupings, such as ``country``.

    Raises
    ------
    BadInput
        ``aliased-term`` for each term and exposure whose model would do without the term: one
        level only, or the name of what it cannot be told from.
    """
    module, problems = str(cells.attrs["module"]), []
    for exposure, found in structures_of(cells):
        for row in found.table[found.table["grouping"].isin(list(required))].itertuples():
            if row.used_as == "left out":
                problems.append(
                    Problem(
                        "config/config.yaml or --config",
                        f"'{row.grouping}', which the design does not identify for {exposure}: "
                        f"{row.reason}",
                        "a term that the studies of the module can tell from the others",
                        "take it out of `require`, or add studies that cross the two",
                        None,
                        None,
                        f"require.{module}",
                        "aliased-term",
                    )
                )
    if problems:
        raise BadInput(problems)
