"""Options for the results that the article is made from, and the results read from them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from metastudy.article.catalogue import RESULTS
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import left_out as left_out_places
from metastudy.codebook import appraisal as appraisals
from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import made_files
from metastudy.common.problems import MetastudyError
from metastudy.harmonized.study import Study, load_study
from metastudy.models.answers.assumed import assumed_correlation, studies_apart, studies_assumed
from metastudy.models.answers.moderated import moderated
from metastudy.models.events.design import both_kinds
from metastudy.models.events.patterns import is_joint
from metastudy.models.registry import model_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["arguments", "gather"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that name results; each may be left out where it is not needed."""
    add = parser.add_argument
    add("--vocabulary", type=Path, required=True)
    add("--settings", type=json.loads, required=True, help="JSON: the config's sections")
    for name, files in RESULTS.items():
        add(f"--{name}", type=Path, nargs="*", default=[], help=files)


def gather(args: argparse.Namespace) -> Results:
    """Read the results that :func:`arguments` names; their order does not matter."""
    studies = sorted((load_study(folder) for folder in args.studies), key=lambda study: study.id)
    people = [study for study in studies if study.people]
    published = [study for study in studies if not study.people]
    named = [*args.names, *args.own_names]
    for entry in [] if studies else [one for path in named for one in _read(path)]:
        studies.append(Study(entry, {}))
        (people if entry["people"] else published).append(studies[-1])
    vocabulary = vocabularies.of_studies(args.vocabulary, [study.vocabulary for study in studies])
    by_module = {
        kind: _by_module(getattr(args, kind), vocabulary)
        for kind in ("cells", "contrasts", "draws", "heterogeneity")
    }
    checks = [_read(path) for path in sorted(args.checks)]
    return Results(
        vocabulary=vocabulary,
        studies=tuple(people),
        published=tuple(published),
        appraisal=_joined(appraisals.read(path) for path in args.appraisal),
        truth=_joined(pd.read_csv(path, comment="#") for path in args.truth),
        left_out=_joined(left_out_places.read(path) for path in args.left_out),
        design_based=_joined(made_files.table(path) for path in args.design_based),
        sensitivity=_joined(made_files.table(path) for path in sorted(args.sensitivity)),
        cells={name: _modelled(path) for name, path in by_module["cells"].items()},
        contrasts={n: made_files.table(path) for n, path in by_module["contrasts"].items()},
        draws=by_module["draws"],
        heterogeneity={n: made_files.table(p) for n, p in by_module["heterogeneity"].items()},
        refits=_joined(made_files.table(path) for path in args.refits),
        power=_joined(made_files.table(path) for path in args.power),
        correlations_of_arms=_joined(made_files.table(p) for p in args.correlations_of_arms),
        predictive=_joined(made_files.table(path) for path in args.predictive),
        comparison=_joined(made_files.table(path) for path in args.comparison),
        organisations=_joined(made_files.table(path) for path in args.organisations),
        checks=tuple(
            c for found in checks for c in (found if isinstance(found, list) else [found])
        ),
        selection={path.stem: made_files.table(path) for path in args.selection},
        robustness={path.stem: made_files.table(path) for path in args.robustness},
        unlock=_joined(made_files.table(path) for path in args.unlock),
        synthesis={path.stem: made_files.table(path) for path in args.synthesis},
        settings=args.settings,
    )


def _by_module(paths: list[Path], vocabulary: Vocabulary) -> dict[str, Path]:
    """Files by the module in their names, in the vocabulary's order."""
    found = {path.stem.removesuffix("-heterogeneity"): path for path in paths}
    if unknown := [str(path) for name, path in found.items() if name not in vocabulary["modules"]]:
        raise MetastudyError(f"named after no module of the vocabulary: {', '.join(unknown)}")
    return {name: found[name] for name in vocabulary["modules"] if name in found}


def _read(path: Path) -> Any:
    with made_files.reading(path):
        return json.loads(path.read_text("utf-8"))


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    found = list(tables)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _modelled(path: Path) -> Modelled:
    cells = made_files.arrays(path)
    study, n = model_of(cells).sizes(cells)
    dropped = json.loads(cells.attrs["dropped"])
    site, pattern, cell = (cells.sizes.get(name, 0) for name in ("site", "pattern", "cell"))
    arms = _of_all_arms(cells) if "scale_of_all_arms" in cells else ()
    by = moderated(cells)
    kinds = both_kinds(cells) if cells.attrs["model"] == "events" else ((), ())
    rows = pd.Series(n).groupby(study.astype(str)).sum()
    own = {str(k): round(v) for k, v in rows.items()}
    assumed = (studies_assumed(cells), assumed_correlation(cells))
    more = (studies_apart(cells), *kinds, *assumed, is_joint(cells))
    return Modelled(own, tuple(dropped), site, pattern, cell, arms, by, *more)


def _of_all_arms(cells: xr.Dataset) -> tuple[tuple[str, str], ...]:
    """Study and outcome of each standardiser that is that of all arms, once each."""
    places = zip(*(cells.scale_of_all_arms & (cells.asked == 1)).values.nonzero(), strict=True)
    found = ((str(cells.study.values[j]), str(cells.construct_of.values[k])) for j, k in places)
    return tuple(dict.fromkeys(found))
