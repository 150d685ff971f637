"""Options for the estimates that are pooled, and the estimates made from what they name."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import made_files
from metastudy.harmonized import schema
from metastudy.harmonized.study import Study, load_study
from metastudy.synthesis.declared import Declared
from metastudy.synthesis.stages import gather

__all__ = ["arguments", "estimates", "read"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is pooled: cells of modules, folders of published findings."""
    parser.add_argument("--cells", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--published",
        type=Path,
        nargs="*",
        default=[],
        help="harmonized folders of published effects, and of studies that declare something",
    )
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--standardisers", nargs="*", default=[], help="that pool as they are")
    parser.add_argument("--correlation", type=float, required=True, help="where none is known")


def read(
    args: argparse.Namespace,
) -> tuple[list[xr.Dataset], Vocabulary, pd.DataFrame, Declared]:
    """Read what :func:`arguments` names.

    Returns
    -------
    Cells, vocabulary, published findings, and what codebooks declare of estimates.
    """
    cells = [made_files.arrays(path) for path in args.cells]
    studies = [load_study(folder) for folder in args.published]
    vocabulary = vocabularies.of_studies(
        args.vocabulary,
        [json.loads(c.attrs["vocabulary"]) for c in cells] + [s.vocabulary for s in studies],
    )
    declared = Declared(_joined(studies, "attributes"), _joined(studies, "dependence"))
    return cells, vocabulary, _joined(studies, "effects"), declared


def estimates(
    args: argparse.Namespace,
) -> tuple[list[xr.Dataset], Vocabulary, pd.DataFrame, np.ndarray, Declared]:
    """Cells, vocabulary, the estimates of both with their covariance, and what is declared."""
    cells, vocabulary, effects, declared = read(args)
    given = (args.standardisers, declared, args.correlation)
    return cells, vocabulary, *gather(cells, effects, vocabulary, *given), declared


def _joined(studies: list[Study], name: str) -> pd.DataFrame:
    return pd.concat([schema.empty(name), *(study[name] for study in studies)], ignore_index=True)
