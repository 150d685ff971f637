"""People: how many are in a model, and what they are called.

A person whose outcomes enter several modules is in several models, and is one person.
"""

from __future__ import annotations

from collections.abc import Iterable

from metastudy.article import shown_people
from metastudy.article.results import Results
from metastudy.common.people_flow import Bounds, total
from metastudy.display.formatting import joined
from metastudy.harmonized.study import Study

__all__ = ["called", "from_the_files", "modelled", "modelled_text", "most"]

CALLED = ("respondent", "interview", "case")  # in the order in which they are named


def from_the_files(evidence: Results) -> tuple[Bounds, Bounds, Bounds]:
    """How many rows of all studies were read, kept and excluded, as it may be said."""
    studies = evidence.studies
    kept = total(shown_people.kept(evidence, study) for study in studies)
    excluded = total(shown_people.excluded(evidence, study).total for study in studies)
    return kept + excluded, kept, excluded


def most(numbers: Iterable[Bounds]) -> Bounds:
    """The largest of some numbers of people."""
    found = [*numbers]
    return Bounds(max(n.low for n in found), max(n.high for n in found))


def modelled(evidence: Results) -> tuple[Bounds, bool]:
    """People in any model, each once, and whether there may be more of them.

    The cells of a module say how many of a study's people it has, and not which ones. So those of a
    study are at least as many as its largest module has. They are exactly as many where it is in
    one module, or where a module has all that were kept.
    """
    people, more = Bounds(0, 0), False
    for study in evidence.studies:
        mine = [cells for cells in evidence.cells.values() if study.id in cells.rows]
        if not mine:
            continue
        people += most(shown_people.used(evidence, study, cells)[1] for cells in mine)
        largest = max(cells.rows[study.id] for cells in mine)
        more |= len(mine) > 1 and largest < int(study.report["rows_kept"])
    return people, more


def modelled_text(evidence: Results) -> str:
    """The number of :func:`modelled` as it may be said: a lower bound is called one."""
    found, more = modelled(evidence)
    return f"at least {found.low}" if more else str(found)


def called(evidence: Results, n: Bounds, studies: Iterable[Study]) -> str:
    """What some studies' people are called: respondents, interviews, cases, or several of them."""
    found = {name for study in studies for name in _names(evidence, study)}
    return joined(name if n.high == 1 else f"{name}s" for name in CALLED if name in found)


def _names(evidence: Results, study: Study) -> set[str]:
    kinds = {evidence.model(m) for m, c in evidence.cells.items() if study.id in c.rows}
    coded = "codings" in kinds or len(study.codings) > 0
    if coded:
        return {"interview", "respondent"} if kinds - {"codings"} else {"interview"}
    return {"respondent"} if kinds or not len(study.case_ratings) else {"case"}
