"""What the article is made from: the results of all phases, read once, in one object.

Figures, tables and variables take from it what they need; what was not given is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import made_files
from metastudy.display.labels import Labels, study_label
from metastudy.harmonized.study import Study
from metastudy.models.answers.moderated import Moderated
from metastudy.models.kind import Model
from metastudy.models.priors import Prior, priors_of
from metastudy.models.registry import model_named
from metastudy.posterior.verdicts import CUTS, ROPES, Kind, Verdict, judge

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Modelled", "Results", "drawn", "drawn_by_chain", "of_modules"]

DEFAULT_CUTS = {"clear": 0.975, "too_small": 0.95, "direction": 0.975}


@dataclass(frozen=True)
class Modelled:
    """What a module's cells say of their rows: how many each study has, and which were left out.

    ``sites``, ``patterns`` of observed outcomes and ``cells`` are those of answers; zero else.
    ``of_all_arms`` has study and outcome where the standardiser is that of all arms, ``moderated``
    what moderators the effects of answers have. ``apart`` are studies whose outcomes have no known
    correlations, so that each is modelled by itself. Where counts of events of known sites and of
    unknown ones are in one fit, ``within_sites`` and ``over_sites`` are the studies of either.
    ``assumed`` are studies between whose outcomes ``correlation`` is assumed; ``joint`` is whether
    it is modelled which events one person has together.
    """

    rows: Mapping[str, int]
    dropped: tuple[Mapping[str, Any], ...]
    sites: int = 0
    patterns: int = 0
    cells: int = 0
    of_all_arms: tuple[tuple[str, str], ...] = ()
    moderated: tuple[Moderated, ...] = ()
    apart: tuple[str, ...] = ()
    within_sites: tuple[str, ...] = ()
    over_sites: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    correlation: float | None = None
    joint: bool = False


@dataclass(frozen=True)
class Results:
    """Results by what they are and by module.

    ``studies`` have people in them; ``published`` has those that hold published findings alone.
    """

    vocabulary: Vocabulary
    studies: tuple[Study, ...] = ()
    published: tuple[Study, ...] = ()
    appraisal: pd.DataFrame = field(default_factory=pd.DataFrame)
    truth: pd.DataFrame = field(default_factory=pd.DataFrame)
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    design_based: pd.DataFrame = field(default_factory=pd.DataFrame)
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: Mapping[str, Modelled] = field(default_factory=dict)
    contrasts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    draws: Mapping[str, Path] = field(default_factory=dict)
    heterogeneity: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    refits: pd.DataFrame = field(default_factory=pd.DataFrame)
    power: pd.DataFrame = field(default_factory=pd.DataFrame)
    correlations_of_arms: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictive: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparison: pd.DataFrame = field(default_factory=pd.DataFrame)
    organisations: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: tuple[Mapping[str, Any], ...] = ()
    synthesis: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    selection: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    robustness: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    unlock: pd.DataFrame = field(default_factory=pd.DataFrame)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:
        """Names for the reader."""
        everyone = (*self.studies, *self.published)
        return Labels(self.vocabulary, {s.id: study_label(s.report["codebook"]) for s in everyone})

    def parcels(self, module: str) -> tuple[str, ...]:
        """Labels of the module's studies that came without rows, as parcels."""
        rows = self.cells[module].rows if module in self.cells else {}
        return tuple(self.labels.study(s.id) for s in self.studies if s.parcel and s.id in rows)

    def without_rows(self, module: str) -> tuple[str, ...]:
        """Labels of the module's studies that came without rows: as parcels, or arms with means."""
        rows = self.cells[module].rows if module in self.cells else {}
        mine = (s for s in self.studies if s.id in rows and not s.has_rows)
        return tuple(self.labels.study(s.id) for s in mine)

    @property
    def interval(self) -> float:
        """Probability of the intervals."""
        return float(self.settings["report"]["interval"])

    @cached_property
    def priors(self) -> Mapping[str, Prior]:
        """The priors of all models, by the configuration's keys."""
        return priors_of(self.settings.get("priors", {}))

    @property
    def z(self) -> float:
        """Standard errors on either side of an estimate that its interval spans."""
        return NormalDist().inv_cdf(0.5 + self.interval / 2)

    @property
    def cuts(self) -> Mapping[str, float]:
        """The least probabilities of the verdicts' words."""
        report = self.settings.get("report", {})
        return {name: float(report.get(name, DEFAULT_CUTS[name])) for name in CUTS}

    @property
    def prior_decides(self) -> float:
        """Posterior over prior standard deviation from which a spread is decided by its prior."""
        return float(self.settings.get("report", {}).get("prior_decides", 0.7))

    def rope(self, metric: str) -> float:
        """Half-width of the region of practical equivalence in a metric; NaN where it has none."""
        return float(self.settings["report"][ROPES[metric]]) if metric in ROPES else float("nan")

    def judged(self, row: Mapping[str, Any]) -> Verdict:
        """Verdict on an effect or a difference, with its sign and whether it is on the border."""
        return judge(row, self.cuts)

    def verdict(self, row: Mapping[str, Any]) -> Kind:
        """The word of :meth:`judged`."""
        return self.judged(row).kind

    def model(self, module: str) -> str:
        """Kind of model of a module."""
        return self.vocabulary.model(module)

    def kind(self, module: str) -> Model:
        """What a module's kind of model can do, and what its units are called."""
        return model_named(self.model(module))

    def by_role(self, module: str) -> bool:
        """Whether role is part of what a module's population effects are called by.

        Of codes it is where an exposure has contrasts of several roles; elsewhere a row's role only
        says who was compared.
        """
        if self.model(module) != "codings":
            return True
        by_name = self.population(module).groupby(["exposure", "outcome"])
        return bool((by_name["role"].nunique() > 1).any())

    def several_roles(self, module: str) -> bool:
        """Whether a module has population effects of several roles, so that a label says which."""
        return self.by_role(module) and self.population(module)["role"].nunique() > 1

    def population(self, module: str) -> pd.DataFrame:
        """Effects of a module's main model on the population: a row an exposure, outcome, role."""
        table = self.contrasts[module]
        mean = (table["estimand"] == "effect") & (table["level"] == "population")
        return table[mean & (table["variant"] == "main")]

    @property
    def models(self) -> dict[str, str]:
        """Kind of model of each module of the vocabulary."""
        return {module: self.model(module) for module in self.vocabulary["modules"]}


def drawn_by_chain(evidence: Results, module: str, ids: Iterable[str]) -> xr.DataArray | None:
    """Draws of some contrasts of a module, as far as they are given: (chain, draw, contrast)."""
    wanted = set(ids)
    if not wanted or module not in evidence.draws:
        return None
    with made_files.tree(evidence.draws[module]) as found:
        value = found["contrasts"]["value"]
        known = [i for i in map(str, value["contrast"].values) if i in wanted]
        return value.sel(contrast=known).transpose("chain", "draw", "contrast").load()


def drawn(evidence: Results, module: str, ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Draws of some contrasts of a module, each as one row of numbers, as far as they are given."""
    found = drawn_by_chain(evidence, module, ids)
    if found is None:
        return {}
    values = found.transpose("contrast", "chain", "draw").to_numpy()
    return {str(i): v.ravel() for i, v in zip(found["contrast"].values, values, strict=True)}


def of_modules(evidence: Results, table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each module that has some; a table that was not given has none."""
    for module in evidence.contrasts:
        mine = table[table["module"] == module] if len(table) else table
        if len(mine):
            yield module, mine
