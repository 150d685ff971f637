"""A publication that is here twice: its own data, and effects on its people that would pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from metastudy.common.problems import Problem
from metastudy.common.text import some_of
from metastudy.harmonized.study import Study

__all__ = ["MAX_NAMED", "twice"]

MAX_NAMED = 8  # findings of one publication


def twice(studies: Iterable[Study], published: Iterable[Study]) -> Iterator[Problem]:
    """Effects of publications whose people are in a model already, one problem a publication.

    A direction, which has no estimate and standard error, pools with nothing and is no problem.

    Parameters
    ----------
    studies : with cells in a module: rows, arms or a parcel.
    published : with published effects.
    """
    own = {str(study.report["codebook"]["citation"]): study for study in studies}
    for found in published:
        table = found.effects
        pools = table["estimate"].notna() & table["se"].notna() & table["metric"].notna()
        for citation, mine in table[pools].groupby("citation", sort=True):
            if (study := own.get(str(citation))) is None:
                continue
            yield Problem(
                file=_file(found),
                found=f"effects that pool of '{citation}', whose own data are in {_file(study)}",
                expected="a publication once: the same people would count twice",
                fix="empty estimate and error of these findings, which stay as directions, or take "
                "their rows out; or leave the other out of `studies` in the configuration. Effects "
                "on other people than those of the file need a citation of their own",
                study=found.id,
                row=f"finding {some_of(list(mine['finding_id']), MAX_NAMED)}",
                column="citation",
                code="study-twice",
            )


def _file(study: Study) -> str:
    return f"data/raw/{study.id}/{study.report['file']}"
