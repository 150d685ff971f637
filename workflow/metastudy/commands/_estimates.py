"""Options for the estimates that are pooled, and the estimates made from what they name."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import made_files
from metastudy.synthesis.declared import Declared, read
from metastudy.synthesis.stages import gather

__all__ = ["arguments", "estimates", "of_published"]


def of_published(parser: argparse.ArgumentParser) -> None:
    """Add the options of published effects, and of what codebooks declare."""
    parser.add_argument("--declared", type=Path, required=True, help="what `declare` made")
    parser.add_argument("--standardisers", nargs="*", default=[], help="that pool as they are")
    parser.add_argument("--correlation", type=float, required=True, help="where none is known")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is pooled: cells of modules, and published effects."""
    parser.add_argument("--cells", type=Path, nargs="*", default=[])
    of_published(parser)


def estimates(
    args: argparse.Namespace,
) -> tuple[list[xr.Dataset], Vocabulary, pd.DataFrame, np.ndarray, Declared]:
    """Cells, vocabulary, the estimates of both with their covariance, and what is declared."""
    cells = [made_files.arrays(path) for path in args.cells]
    vocabulary, effects, declared = read(args.declared)
    given = (args.standardisers, declared, args.correlation)
    return cells, vocabulary, *gather(cells, effects, vocabulary, *given), declared
