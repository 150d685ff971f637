"""What goes into a parcel, from a study's tables after disclosure control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.models.base import NOT_STATED
from metastudy.models.registry import model_of
from metastudy.parcelling.control import Controlled, modules_of
from metastudy.parcels.cells import document_of

__all__ = ["VARIANTS", "documents", "estimates_of"]

VARIANTS = ("main", "folded")


def documents(
    controlled: Controlled,
    vocabulary: Vocabulary,
    inspected: Mapping[str, Any],
    fits: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The documents of a parcel by their names, but for its manifest.

    Parameters
    ----------
    controlled : the study after :func:`metastudy.parcelling.control.control`.
    vocabulary : with the study's additions.
    inspected : what the data report says of the controlled study, small counts hidden.
    fits : the variants of each module that are asked for; all of each if not given.
    """
    study = controlled.study
    modules = modules_of(study, vocabulary)
    found: dict[str, Any] = {
        "study.json": _study(controlled, vocabulary, modules),
        "control.json": controlled.did,
        "report.json": dict(inspected),
    }
    rows: list[dict[str, Any]] = []
    for module in modules:
        for variant in VARIANTS if fits is None else fits[module]:
            cells = cells_of_one(study, module, vocabulary, variant)
            found[f"cells/{module}-{variant}.json"] = document_of(cells)
            rows += estimates_of(cells, vocabulary, variant)
    return {**found, "estimates.json": rows}


def estimates_of(cells: Any, vocabulary: Vocabulary, variant: str) -> list[dict[str, Any]]:
    """Unpooled estimates of one study's cells, each with its standard error."""
    blocks = list(model_of(cells).estimates(cells, vocabulary))
    names = ["module", "country", "sector", "role", "exposure", "outcome", "vignette"]
    return [
        {
            **{name: str(row[name]) for name in names},
            "variant": variant,
            "estimate": float(row["estimate"]),
            "se": float(se),
            "n": int(row["n"]),
        }
        for table, covariance in blocks
        for row, se in zip(
            table.to_dict("records"), np.sqrt(np.diag(covariance)).tolist(), strict=True
        )
    ]


def _study(
    controlled: Controlled, vocabulary: Vocabulary, modules: Sequence[str]
) -> dict[str, Any]:
    study, report = controlled.study, controlled.study.report
    outcomes = [o for o in report["outcomes"] if vocabulary.module(o) in modules]
    factors = dict.fromkeys(e["factor"] for e in report["exposures"] if "factor" in e)
    return {
        "codebook": {key: str(value) for key, value in report["codebook"].items()},
        "outcomes": outcomes,
        "exposures": [{k: str(v) for k, v in e.items()} for e in report["exposures"]],
        "factors": {name: list(vocabulary.levels(name)) for name in factors},
        "vocabulary": dict(study.vocabulary),
        "attributes": _attributes(study),
        "reliabilities": dict(report.get("reliabilities", {})),
        **{name: report[name] for name in ("rows_read", "rows_kept", "excluded", "few_left")},
        "places": _places(study.respondents),
        "sites": controlled.did["sites_after"],
    }


def _places(people: pd.DataFrame) -> list[list[Any]]:
    where = [
        people[name].astype("str").fillna(NOT_STATED) for name in ("country", "sector", "role")
    ]
    counts = Counter(zip(*where, strict=True))
    return [[*place, counts[place]] for place in sorted(counts)]


def _attributes(study: Study) -> list[dict[str, str]]:
    table = study["attributes"]
    own = table[table["finding_id"].isna()]
    return [
        {name: str(row[name]) for name in ("kind", "name", "value")}
        for row in own.to_dict("records")
    ]
