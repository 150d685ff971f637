"""What the article is made from: the results of all phases, read once, in one object.

Figures, tables and variables take from it what they need; what was not given is empty.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy import vocabulary as vocabularies
from metastudy.cells import interviews
from metastudy.errors import MetastudyError
from metastudy.verdicts import ROPES, Kind, judge
from metastudy.vocabulary import Vocabulary
from metastudy.wording import Labels, study_label

__all__ = [
    "SYNTHESIS",
    "Evidence",
    "Modelled",
    "StudyEvidence",
    "arguments",
    "drawn",
    "fit_name",
    "gather",
    "records",
]

SYNTHESIS = ("estimates", "pooled", "structure", "heterogeneity", "exploratory")


@dataclass(frozen=True)
class StudyEvidence:
    """A study's report, and of its tables those that are shown as they are."""

    report: Mapping[str, Any]
    respondents: pd.DataFrame
    ratings: pd.DataFrame = field(default_factory=pd.DataFrame)
    findings: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def id(self) -> str:
        """The study's key."""
        return str(self.report["study"])

    @property
    def label(self) -> str:
        """The study's short name."""
        return study_label(self.report["codebook"])

    @property
    def provenance(self) -> str:
        """Whether its data are simulated or observed."""
        return str(self.report["provenance"])


@dataclass(frozen=True)
class Modelled:
    """What a module's cells say of their rows: how many each study has, and which were left out.

    ``sites``, ``patterns`` of observed outcomes and ``cells`` are those of answers; nought else.
    """

    rows: Mapping[str, int]
    dropped: tuple[Mapping[str, Any], ...]
    sites: int = 0
    patterns: int = 0
    cells: int = 0


@dataclass(frozen=True)
class Evidence:
    """Results by what they are and by module.

    ``studies`` have people in them; ``published`` has those that hold published findings alone.
    """

    vocabulary: Vocabulary
    studies: tuple[StudyEvidence, ...] = ()
    published: tuple[StudyEvidence, ...] = ()
    appraisal: pd.DataFrame = field(default_factory=pd.DataFrame)
    design_based: pd.DataFrame = field(default_factory=pd.DataFrame)
    sensitivity: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: Mapping[str, Modelled] = field(default_factory=dict)
    contrasts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    draws: Mapping[str, Path] = field(default_factory=dict)
    heterogeneity: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    refits: pd.DataFrame = field(default_factory=pd.DataFrame)
    power: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictive: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparison: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: tuple[Mapping[str, Any], ...] = ()
    synthesis: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def labels(self) -> Labels:
        """Names for the reader."""
        everyone = (*self.studies, *self.published)
        return Labels(self.vocabulary, {study.id: study.label for study in everyone})

    @property
    def interval(self) -> float:
        """Probability of the intervals."""
        return float(self.settings["report"]["interval"])

    def rope(self, metric: str) -> float:
        """Half-width of the region of practical equivalence in a metric."""
        return float(self.settings["report"][ROPES[metric]])

    def verdict(self, row: Mapping[str, Any]) -> Kind:
        """Verdict on a row of contrasts in standard deviations or log-odds."""
        direction = float(self.settings["report"]["direction"])
        rope = self.rope(str(row["metric"]))
        return judge(float(row["lower"]), float(row["upper"]), float(row["pd"]), rope, direction)

    def model(self, module: str) -> str:
        """Kind of model of a module."""
        return str(self.vocabulary["modules"][module]["model"])


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table by name of column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def drawn(evidence: Evidence, module: str, ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Draws of some contrasts of a module, each as one row of numbers, as far as they are given."""
    wanted = set(ids)
    if not wanted or module not in evidence.draws:
        return {}
    import xarray as xr

    with xr.open_dataset(evidence.draws[module], group="contrasts") as found:
        value = found["value"]
        known = [i for i in map(str, value["contrast"].values) if i in wanted]
        values = value.sel(contrast=known).transpose("contrast", "chain", "draw").to_numpy()
    return {i: v.ravel() for i, v in zip(known, values, strict=True)}


def fit_name(check: Mapping[str, Any]) -> str:
    """What a fit is called: its module, or the synthesis, whose file is named after no module."""
    return "synthesis" if check["fit"] == "posterior" else str(check["fit"])


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name results; each may be left out where it is not needed."""
    add = parser.add_argument
    add("--vocabulary", type=Path, required=True)
    add("--settings", type=json.loads, required=True, help="JSON: the config's sections")
    add("--studies", type=Path, nargs="*", default=[], help="folders of harmonized tables")
    add("--cells", type=Path, nargs="*", default=[], help="<module>.nc")
    add("--contrasts", type=Path, nargs="*", default=[], help="<module>.parquet")
    add("--draws", type=Path, nargs="*", default=[], help="<module>.nc, draws of the contrasts")
    add("--heterogeneity", type=Path, nargs="*", default=[], help="<module>-heterogeneity.parquet")
    add("--refits", type=Path, nargs="*", default=[], help="<module>.parquet, effects of refits")
    add("--power", type=Path, nargs="*", default=[], help="<module>-power.parquet")
    add("--predictive", type=Path, nargs="*", default=[], help="<module>.parquet, replicates")
    add("--comparison", type=Path, nargs="*", default=[], help="<module>.parquet, of pooling")
    add("--checks", type=Path, nargs="*", default=[])
    add("--appraisal", type=Path, nargs="*", default=[], help="risk of bias and certainty, CSV")
    add("--design_based", type=Path, nargs="*", default=[], help="design-based estimates")
    add("--sensitivity", type=Path, nargs="*", default=[], help="<module>-<variant>.parquet")
    add(
        "--synthesis",
        type=Path,
        nargs="*",
        default=[],
        help=", ".join(f"{s}.parquet" for s in SYNTHESIS),
    )


def gather(args: argparse.Namespace) -> Evidence:
    """Read the results that :func:`arguments` names; their order does not matter."""
    studies = sorted((_study(folder) for folder in args.studies), key=lambda study: study.id)
    vocabulary = vocabularies.merge(
        vocabularies.load(args.vocabulary), [s.report.get("vocabulary", {}) for s in studies]
    )
    by_module = {
        kind: _by_module(getattr(args, kind), vocabulary)
        for kind in ("cells", "contrasts", "draws", "heterogeneity")
    }
    checks = [json.loads(path.read_text("utf-8")) for path in sorted(args.checks)]
    return Evidence(
        vocabulary=vocabulary,
        studies=tuple(study for study in studies if len(study.respondents)),
        published=tuple(study for study in studies if not len(study.respondents)),
        appraisal=_joined(pd.read_csv(path, dtype="str") for path in args.appraisal),
        design_based=_joined(pd.read_parquet(path) for path in args.design_based),
        sensitivity=_joined(pd.read_parquet(path) for path in sorted(args.sensitivity)),
        cells={name: _modelled(path) for name, path in by_module["cells"].items()},
        contrasts={n: pd.read_parquet(path) for n, path in by_module["contrasts"].items()},
        draws=by_module["draws"],
        heterogeneity={n: pd.read_parquet(p) for n, p in by_module["heterogeneity"].items()},
        refits=_joined(pd.read_parquet(path) for path in args.refits),
        power=_joined(pd.read_parquet(path) for path in args.power),
        predictive=_joined(pd.read_parquet(path) for path in args.predictive),
        comparison=_joined(pd.read_parquet(path) for path in args.comparison),
        checks=tuple(
            c for found in checks for c in (found if isinstance(found, list) else [found])
        ),
        synthesis={path.stem: pd.read_parquet(path) for path in args.synthesis},
        settings=args.settings,
    )


def _by_module(paths: list[Path], vocabulary: Vocabulary) -> dict[str, Path]:
    """Files by the module in their names, in the vocabulary's order."""
    found = {path.stem.removesuffix("-heterogeneity"): path for path in paths}
    if unknown := [str(path) for name, path in found.items() if name not in vocabulary["modules"]]:
        raise MetastudyError(f"named after no module of the vocabulary: {', '.join(unknown)}")
    return {name: found[name] for name in vocabulary["modules"] if name in found}


def _study(folder: Path) -> StudyEvidence:
    names = ("respondents", "case_ratings", "effects")
    return StudyEvidence(
        json.loads((folder / "report.json").read_text("utf-8")),
        *(pd.read_parquet(folder / f"{name}.parquet") for name in names),
    )


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    found = list(tables)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _modelled(path: Path) -> Modelled:
    import xarray as xr

    with xr.open_dataset(path) as cells:
        if "cell" in cells.dims:
            site = cells.site_of_cell.values
            study = cells.study.values[cells.setting_of_site.values[site]]
            n = cells.n.values
        else:
            study = cells.study.values
            n = interviews(cells).max("code").values
        dropped = json.loads(cells.attrs["dropped"])
        sizes = [cells.sizes.get(name, 0) for name in ("site", "pattern", "cell")]
    rows = pd.Series(n).groupby(study.astype(str)).sum()
    return Modelled({str(k): round(v) for k, v in rows.items()}, tuple(dropped), *sizes)
