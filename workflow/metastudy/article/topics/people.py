"""People: how many are in a model, and what they are called.

A person whose outcomes enter several modules is in several models, and is one person.
"""

from __future__ import annotations

from collections.abc import Iterable

from metastudy.article.results import Results
from metastudy.display.formatting import joined
from metastudy.harmonized.study import Study

__all__ = ["called", "modelled", "modelled_text"]

CALLED = ("respondent", "interview", "case")  # in the order in which they are named


def modelled(evidence: Results) -> tuple[int, bool]:
    """People in any model, each once, and whether there may be more of them.

    The cells of a module say how many of a study's people it has, and not which ones. So those of a
    study are at least as many as its largest module has. They are exactly as many where it is in
    one module, or where a module has all that were kept.
    """
    total, more = 0, False
    for study in evidence.studies:
        mine = [c.rows[study.id] for c in evidence.cells.values() if study.id in c.rows]
        most = max(mine, default=0)
        total += most
        more |= len(mine) > 1 and most < int(study.report["rows_kept"])
    return total, more


def modelled_text(evidence: Results) -> str:
    """The number of :func:`modelled` as it may be said: a lower bound is called one."""
    total, more = modelled(evidence)
    return f"at least {total}" if more else str(total)


def called(evidence: Results, n: int, studies: Iterable[Study]) -> str:
    """What some studies' people are called: respondents, interviews, cases, or several of them."""
    found = {name for study in studies for name in _names(evidence, study)}
    return joined(name if n == 1 else f"{name}s" for name in CALLED if name in found)


def _names(evidence: Results, study: Study) -> set[str]:
    kinds = {evidence.model(m) for m, c in evidence.cells.items() if study.id in c.rows}
    coded = "codings" in kinds or len(study.codings) > 0
    if coded:
        return {"interview", "respondent"} if kinds - {"codings"} else {"interview"}
    return {"respondent"} if kinds or not len(study.case_ratings) else {"case"}
