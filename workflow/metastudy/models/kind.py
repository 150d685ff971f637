"""What a kind of model can do: the one face that the rest of the library sees of it.

A kind is a folder of :mod:`metastudy.models` whose module `kind` makes its :class:`Model`; the
registry knows all of them. Cells say in their attribute ``model`` which kind they are for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import MetastudyError
from metastudy.design.effects import EffectDesign
from metastudy.design.identification import Identification
from metastudy.harmonized.study import Study
from metastudy.models.base import Block, Check, Row
from metastudy.models.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["EFFECT", "KEY_OF_EFFECT", "Model", "effect_coords"]

EFFECT = "effect"  # dim of population effects
KEY_OF_EFFECT = ("exposure", "outcome", "role")  # what tells them apart


def effect_coords(table: pd.DataFrame) -> dict[str, Any]:
    """Coordinates of population effects, from a table with the columns :data:`KEY_OF_EFFECT`."""
    return {name: (EFFECT, table[name].to_numpy(dtype=str)) for name in KEY_OF_EFFECT}


def _none(what: str) -> Callable[..., Any]:
    """An operation that a kind does not have; it is an error to ask for it."""

    def refuse(*_: Any) -> Any:
        raise MetastudyError(f"this kind of model has no {what}; its main analysis does")

    return refuse


def _as_they_are(cells: xr.Dataset, *_: Any) -> xr.Dataset:
    return cells


def _never(_: xr.Dataset) -> bool:
    return False


def _nothing(_: xr.Dataset) -> None:
    return None


def _no_table(*_: Any) -> pd.DataFrame:
    return pd.DataFrame()


_NO_ROWS = _none("rows")
_NO_DENSITY = _none("density of rows")
_NO_REPLICATES = _none("replicates")
_NO_SIMULATION = _none("simulation")
_NO_ESTIMATES = _none("unpooled estimates")
_NO_REFITS = _none("refits")
_NO_PARCELS = _none("cells of parcels")


@dataclass(frozen=True, kw_only=True)
class Model:
    """All operations of a kind of model; a sensitivity analysis may do without some of them.

    Attributes
    ----------
    name : of the kind, as the vocabulary's modules name it.
    metric : unit of its population effects, such as ``sd`` or ``log_odds``.
    cluster : what its rows are clustered in, such as ``site``.
    prior_of : (priors by the configuration's keys, name of a parameter) -> its prior.
    measured : columns of the measurements that its cells are made from.
    cells : (studies, module, vocabulary, folded) -> sufficient statistics, with the attributes
        :func:`metastudy.models.base.attributes_of`.
    join : (cells of one study each, vocabulary) -> cells of all of them; kinds without it take rows
        and no parcels.
    structures : cells -> what the design identifies around each exposure: (exposure, outcome,
        identification); the outcome is empty where it is the same for all of them.
    design : cells -> the design of what varies between settings.
    moderate : (cells, studies, vocabulary) -> the cells with the moderators that studies declare;
        they stay as they are where the kind has no such terms.
    least_levels : groupings with fewer levels are left out where structures are listed.
    build : (cells, priors) -> the PyMC model; it alone imports PyMC.
    row_parameters : what the density of a row needs of a posterior, as far as the model has it.
    observe : (studies, cells, vocabulary) -> the rows behind the cells.
    log_lik : (rows, cells, draws) -> log-density of each row, shape (S, N).
    check : (rows, cells, draws, rng) -> rows beside replicates of them, for predictive checks.
    simulate : (cells, parameters, rng) -> the same cells with simulated outcomes.
    identified : (values, cells) -> all quantities that the data speak about (..., quantity).
    contrasts : (cells, posterior, rng, smallest, decided) -> rows of the table of contrasts with
        draws; ``decided`` has the parameters that their prior decides.
    estimates : (cells, vocabulary) -> unpooled estimates, a block with covariance for each study.
    associations : (cells, vocabulary, reliabilities by study and construct, tail) -> measured
        associations of single settings, as estimates, with what a confounder and errors of
        measurement could make of them; without rows where the kind has none.
    shifted : (cells, vocabulary, shift in standard deviations) -> effects of single settings, as
        estimates, with their missing outcomes shifted; without rows where the kind has none.
    places : cells -> study, country, sector and organisation of each unit that can be left out.
    sides : cells -> units that an exposure puts on one side of a contrast, as a whole: study,
        country, sector, role, exposure and side (-1/2 or +1/2); without rows where exposures differ
        within units.
    weigh : (cells, weights of those units) -> the same cells, each unit counted that many times.
    sizes : cells -> study of each group of rows, and how many rows it has.
    assumed_correlation : cells -> the correlation that is assumed between outcomes of people of
        whom only sums are known; ``None`` where none is.
    with_correlation : (cells, correlation) -> the same cells with another one assumed.
    pools_outcomes : cells -> whether outcomes of a family are pooled.
    about : cells -> which units have data about which population effects, shape (unit, effect);
        units as in ``places``. Of a contrast between units one side is enough.
    covered : cells -> which population effects the cells have data about (effect).
    population_effects : (posterior, cells) -> draws of the population effects (chain, draw,
        effect), with the coordinates :data:`KEY_OF_EFFECT`.
    """

    name: str
    metric: str
    cluster: str
    prior_of: Callable[[Mapping[str, Prior], str], Prior]
    measured: tuple[str, ...]
    cells: Callable[[Sequence[Study], str, Vocabulary, bool], xr.Dataset]
    structures: Callable[[xr.Dataset], list[tuple[str, str, Identification]]]
    design: Callable[[xr.Dataset], EffectDesign]
    build: Callable[[xr.Dataset, Mapping[str, Prior]], pm.Model]
    contrasts: Callable[
        [xr.Dataset, xr.DataTree, np.random.Generator, int, Collection[str]], Iterator[Row]
    ]
    moderate: Callable[[xr.Dataset, Sequence[Study], Vocabulary], xr.Dataset] = _as_they_are
    least_levels: int = 2
    join: Callable[[Sequence[xr.Dataset], Vocabulary], xr.Dataset] = _NO_PARCELS
    row_parameters: tuple[str, ...] = ()
    observe: Callable[[Sequence[Study], xr.Dataset, Vocabulary], Any] = _NO_ROWS
    log_lik: Callable[[Any, xr.Dataset, xr.Dataset], np.ndarray] = _NO_DENSITY
    check: Callable[[Any, xr.Dataset, xr.Dataset, np.random.Generator], Check] = _NO_REPLICATES
    simulate: Callable[[xr.Dataset, xr.Dataset, np.random.Generator], xr.Dataset] = _NO_SIMULATION
    identified: Callable[[xr.Dataset, xr.Dataset], xr.DataArray] = _NO_SIMULATION
    estimates: Callable[[xr.Dataset, Vocabulary], Iterator[Block]] = _NO_ESTIMATES
    associations: Callable[
        [xr.Dataset, Vocabulary, Mapping[str, Mapping[str, float]], float], pd.DataFrame
    ] = _no_table
    shifted: Callable[[xr.Dataset, Vocabulary, float], pd.DataFrame] = _no_table
    places: Callable[[xr.Dataset], pd.DataFrame] = _NO_REFITS
    sides: Callable[[xr.Dataset], pd.DataFrame] = _no_table
    weigh: Callable[[xr.Dataset, np.ndarray], xr.Dataset] = _NO_REFITS
    sizes: Callable[[xr.Dataset], tuple[np.ndarray, np.ndarray]] = _NO_ROWS
    assumed_correlation: Callable[[xr.Dataset], float | None] = _nothing
    with_correlation: Callable[[xr.Dataset, float], xr.Dataset] = _as_they_are
    pools_outcomes: Callable[[xr.Dataset], bool] = _never
    about: Callable[[xr.Dataset], np.ndarray] = _NO_REFITS
    covered: Callable[[xr.Dataset], xr.DataArray] = _NO_REFITS
    population_effects: Callable[[xr.Dataset, xr.Dataset], xr.DataArray] = _NO_REFITS
