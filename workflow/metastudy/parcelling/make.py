"""What goes into a parcel, from a study's tables after disclosure control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED
from metastudy.models.registry import model_of
from metastudy.parcelling.controlled import Controlled, modules_of, no_parcel
from metastudy.parcelling.interviews import parts_in
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
        for variant in _variants(controlled, module, vocabulary, fits):
            cells = controlled.cells(module, vocabulary, variant)
            found[f"cells/{module}-{variant}.json"] = document_of(cells)
            rows += estimates_of(cells, vocabulary, variant)
    return {**found, "estimates.json": rows}


def _variants(
    controlled: Controlled,
    module: str,
    vocabulary: Vocabulary,
    fits: Mapping[str, Sequence[str]] | None,
) -> list[str]:
    """The variants of a module that go in.

    Raises
    ------
    BadInput
        ``parcel`` for one that is asked for and would tell of codes of one person together.
    """
    if not controlled.coded:
        return list(VARIANTS if fits is None else fits[module])
    there = [variant for of, variant in controlled.coded if of == module]
    parts = parts_in(controlled.study, module, vocabulary)
    if fits is not None and parts and "folded" in fits[module]:
        named = ", ".join(f"{part} (of {of})" for part, of in parts.items())
        raise no_parcel(
            controlled.study,
            f"the fit {module}, folded, which counts as one code {named}: with the counts of each "
            "it would show how many interviews have both",
            "fits that count each code by itself",
            f"ask the analyst for a request without {module} in `sensitivity.folded`",
        )
    return there if fits is None else [variant for variant in fits[module] if variant in there]


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
    named = [e.get("factor", e.get("attribute")) for e in report["exposures"]]
    factors = dict.fromkeys(name for name in named if name in vocabulary["factors"])
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
