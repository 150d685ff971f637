"""Inspect codings: prevalence, agreement of coders, ratings of cases, published findings."""

from __future__ import annotations

from collections import Counter

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.disclosure import count, ends, protect, shares
from metastudy.data_report.agreement import agreement
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

__all__ = ["coding", "findings_of", "ratings"]


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
    per_organisation = study["respondents"]["org_id"].dropna().value_counts()
    shown = protect(list(per_organisation), least).cells
    return Coding(
        read=count(sources, least),
        double=ends(double, sources, least),
        enough_double=double >= least,
        coders=int(readings["coder_id"].nunique()),
        organisations=tuple(
            Organisation(str(name).removeprefix(f"{study.id}-"), n)
            for name, n in zip(per_organisation.index, shown, strict=True)
        ),
        codes=tuple(rows),
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
