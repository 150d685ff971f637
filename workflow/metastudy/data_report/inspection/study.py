"""Inspect a study: the numbers of its page, with small counts hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import people_flow
from metastudy.common.disclosure import Count, count, ends, protect
from metastudy.common.people_flow import Bounds
from metastudy.data_report.inspection import answers, arms, codings, declared
from metastudy.data_report.inspection.beside_places import least_within
from metastudy.data_report.inspection.values import (
    Inspection,
    Place,
    Reading,
    RuleRows,
)
from metastudy.harmonized.study import PLACE, Study

__all__ = ["inspect"]


def _reading(study: Study, least: int) -> Reading:
    """Tell what was read and who left; the rules and those who stay add up to the rows read."""
    report = study.report
    excluded = {str(rule): int(rows) for rule, rows in report["excluded"].items()}
    read, kept, rules = _flow(study, excluded, least)
    name = str(report["file"])
    return Reading(
        file=name,
        format=report.get("format") or Path(name).suffix.lstrip(".").lower(),
        sha256=report["sha256"],
        rows_read=read,
        rows_kept=kept,
        excluded=tuple(map(RuleRows, excluded, rules)),
        unmapped=tuple(str(name) for name in report["unmapped"]),
        ignored=tuple(str(name) for name in report["ignored"]),
        notes=tuple(str(note) for note in report.get("notes", ())),
    )


def _of_people(study: Study) -> bool:
    return study.provenance == "observed" and study.has_rows and not len(study["effects"])


def _kept(study: Study, least: int) -> Bounds:
    """How many people a study kept, beside how many it has in each of its places."""
    people = int(study.report["rows_kept"])
    return people_flow.kept(people, [*study.places.values()], least)


def _flow(
    study: Study, excluded: Mapping[str, int], least: int
) -> tuple[int | None, Count, Sequence[Count]]:
    """Rows read, kept and left by rule; of observed people told from the kept, as in the article.

    Two ways to hide the few of the same people would tell them together.
    """
    people = int(study.report["rows_kept"])
    if _of_people(study):
        stays = _kept(study, least)
        left = people_flow.left(excluded, least)
        read = stays + left.total
        rules = [n.low if n.exact else n.short for n in left.steps.values()]
        return read.low if read.exact else None, stays.low if stays.exact else stays.short, rules
    # Findings of the literature are no people.
    parts = protect([*excluded.values(), people], 1 if len(study["effects"]) else least)
    shown = int(study.report["rows_read"]) if parts.total else None
    return shown, parts.cells[-1], parts.cells[:-1]


def _quality(study: Study, least: int) -> tuple[RuleRows, ...] | None:
    rules = study.report.get("quality")
    if rules is None:
        return None
    kept = int(study.report["rows_kept"])
    said = _kept(study, least) if _of_people(study) else Bounds(kept, kept)
    return tuple(RuleRows(str(r["rule"]), _flagged(int(r["rows"]), said, least)) for r in rules)


def _flagged(n: int, kept: Bounds, least: int) -> Count:
    """How many of the kept are flagged; more than are surely kept would tell how many are kept."""
    if kept.exact:
        return ends(n, kept.low, least)
    return f"≥{least}" if n >= least and n > kept.low else count(n, least)


def _places(study: Study, least: int) -> tuple[Place, ...]:
    """Count people by place, or findings where the study is of published ones."""
    effects = study["effects"]
    if len(effects):
        own = effects[["country", "sector", "role"]].astype("str").fillna("").assign(arrangement="")
        counts, least = Counter(own.itertuples(index=False, name=None)), 1
    else:
        counts = study.places
    places = sorted(counts)
    shown = protect([counts[place] for place in places], least).cells
    return tuple(
        Place(**dict(zip(PLACE, (name or None for name in place), strict=True)), n=n)
        for place, n in zip(places, shown, strict=True)
    )


def inspect(study: Study, vocabulary: Vocabulary, least: int) -> Inspection:
    """Inspect one study.

    Parameters
    ----------
    study : what :func:`metastudy.harmonized.study.load_study` gives, with all measurements.
    vocabulary : the common one with what the study adds to it.
    least : the smallest cell that is shown.

    Returns
    -------
    What is shown of it; nothing else leaves the harmonized tables for the data report.
    """
    report = study.report
    published = codings.findings_of(study)
    types = [str(entry["type"]) for entry in report.get("exposures", [])]
    types += published.exposure_types if published else []
    measured = len(study["measurements"]) > 0
    return Inspection(
        study=study.id,
        about={key: value for key, value in report["codebook"].items() if key != "id"},
        provenance=study.provenance,
        vocabulary=study.vocabulary,
        outcomes=tuple(report.get("outcomes", [])),
        exposure_types=tuple(dict.fromkeys(types)),
        smallest_cell=least,
        reading=_reading(study, least),
        quality=_quality(study, least),
        weights=bool(study["respondents"]["weight"].notna().any()),
        places=_places(study, least),
        answers=answers.answers(study, vocabulary, least) if measured else None,
        arms=arms.arms_of(study, vocabulary, least_within(study, least)),
        coding=codings.coding(study, vocabulary, least_within(study, least)),
        ratings=codings.ratings(study, vocabulary, least),
        published=published,
        declared=declared.declared_of(study),
    )
