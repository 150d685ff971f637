"""Inspect codings: prevalence, agreement of coders, ratings of cases, published findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.disclosure import count, divided, ends, shares
from metastudy.data_report.agreement import agreement, alpha, kappa
from metastudy.data_report.inspection.beside_places import by_group
from metastudy.data_report.inspection.values import (
    Code,
    Coding,
    Dimension,
    FindingCount,
    Organisation,
    Part,
    Published,
    Ratings,
    number_or_none,
)
from metastudy.harmonized.study import Study

__all__ = ["coding", "coding_of_counts", "findings_of", "ratings"]


def _part(n: int, total: int, least: int) -> Part | None:
    """Show how many of a total, and their share where the number is shown."""
    if total < least:
        return None
    shown = ends(n, total, least)
    return Part(shown, total, 100 * n / total if isinstance(shown, int) else None)


def coding(study: Study, vocabulary: Vocabulary, least: int) -> Coding | None:
    """Inspect readings of sources: codes with their agreement, coders and organisations.

    Parameters
    ----------
    study : with its tables of readings, codings and respondents.
    vocabulary : the common one with what the study adds to it.
    least : the smallest cell that is shown.

    Returns
    -------
    None if nothing was read.
    """
    readings, codings = study["readings"], study["codings"]
    if not len(readings):
        return None
    known = [
        code
        for code in vocabulary["codes"]
        if code in set(study.report["outcomes"]) or code in set(codings["code_id"])
    ]
    sources = readings["source_id"].nunique()
    rows: list[Code] = []
    for one in agreement(codings, readings, known):
        few = one.double < least
        rows.append(
            Code(
                code=one.code,
                sources=_part(one.sources, one.read, least),
                double=None if few else _part(one.double_found, one.double_read, least),
                alpha=None if few else number_or_none(one.alpha),
                kappa=None if few else number_or_none(one.kappa),
                pairs=one.pairs,
            )
        )
    double = int(readings.groupby("source_id")["coder_id"].nunique().gt(1).sum())
    # By name: in the order of their sizes, those that are hidden would tell which has more.
    people = study.respondents.drop_duplicates("respondent_id").set_index("respondent_id")
    per_organisation = by_group(study, people["org_id"], least)
    return Coding(
        read=count(sources, least),
        double=ends(double, sources, least),
        enough_double=double >= least,
        coders=int(readings["coder_id"].nunique()),
        organisations=tuple(
            Organisation(str(name).removeprefix(f"{study.id}-"), n) for name, n in per_organisation
        ),
        codes=tuple(rows),
    )


def coding_of_counts(
    cells: Sequence[xr.Dataset], study: str, coders: int, least: int
) -> Coding | None:
    """What can be said of codings by counts alone, as a parcel holds them.

    Parameters
    ----------
    cells : of codings of one study, a module each
        (:func:`metastudy.models.codings.cells.code_cells`).
    study : id, which pseudonyms begin with.
    coders : how many coders there are.
    least : the smallest cell that is shown.

    Returns
    -------
    None without codes. Organisations are those of the code that most interviews were read for, and
    of such codes the one that tells most organisations apart. Agreement is of all pairs of coders
    together, as counts do not tell who they were.
    """
    rows: list[Code] = []
    of_units: dict[str, int] = {}
    read = double = 0
    for one in cells:
        for code in one.code.values:
            single, pair = one.single.sel(code=code).values, one.double.sel(code=code).values
            n = single.sum(-1) + pair.sum(-1)
            mine = {str(u): int(k) for u, k in zip(one.organisation.values, n, strict=True) if k}
            if (sum(mine.values()), len(mine)) > (sum(of_units.values()), len(of_units)):
                of_units = mine
            read, double = max(read, int(n.sum())), max(double, int(pair.sum()))
            rows.append(_of_counts(str(code), single.sum(0), pair.sum(0), least))
    if not rows:
        return None
    units = sorted(of_units)
    shown = divided([of_units[unit] for unit in units], least)
    named = zip(units, shown, strict=True)
    return Coding(
        read=count(read, least),
        double=ends(double, read, least),
        enough_double=double >= least,
        coders=coders,
        organisations=tuple(Organisation(unit.removeprefix(f"{study}-"), n) for unit, n in named),
        codes=tuple(rows),
    )


def _of_counts(code: str, single: np.ndarray, pair: np.ndarray, least: int) -> Code:
    """One code, from counts of interviews of one coder (2,) and of two (4,)."""
    total, twice = int(single.sum() + pair.sum()), int(pair.sum())
    both, first, second, none = (int(n) for n in pair)
    found = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, none], axis=0)
    few = twice < least
    return Code(
        code=code,
        sources=_part(int(single[0]) + twice - none, total, least),
        double=None if few else _part(2 * both + first + second, 2 * twice, least),
        alpha=None if few else number_or_none(alpha(pd.DataFrame(found))),
        kappa=None if few else number_or_none(kappa(found[:, 0], found[:, 1])),
        pairs=0 if few else 1,
    )


def ratings(study: Study, vocabulary: Vocabulary, least: int) -> Ratings | None:
    """List the ratings of few cases one by one, sorted, so that no case can be followed."""
    rated = study["case_ratings"]
    if not len(rated):
        return None
    cases = rated["respondent_id"].nunique()
    rows: list[Dimension] = []
    for dimension in (d for d in vocabulary["dimensions"] if d in set(rated["dimension"])):
        own = rated[rated["dimension"] == dimension]
        values = own["rating"].dropna().sort_values(ascending=False)
        unrated = int(own["rating"].isna().sum())
        if cases < least:
            rows.append(Dimension(dimension, tuple(int(value) for value in values), None, unrated))
        else:
            counts = [int(values.eq(pole).sum()) for pole in (1, 0, -1)]
            shown = tuple(shares(counts, least))
            rows.append(Dimension(dimension, None, shown, count(unrated, least)))
    return Ratings(few=cases < least, cases=count(cases, least), dimensions=tuple(rows))


def findings_of(study: Study) -> Published | None:
    """Count findings of the literature; they are public, so no count is hidden."""
    found = study["effects"]
    if not len(found):
        return None
    return Published(
        findings=len(found),
        publications=int(found["citation"].nunique()),
        counts=tuple(
            FindingCount(str(direction), str(verification), n)
            for (direction, verification), n in Counter(
                zip(found["direction"], found["verification"], strict=True)
            ).items()
        ),
        exposure_types=tuple(sorted(set(found["exposure_type"]))),
    )
