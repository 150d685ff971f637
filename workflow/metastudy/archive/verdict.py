"""The last verdict of `snakemake verify`, as it was passed: nothing is built for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from metastudy.record.verdict_file import read_verdict

__all__ = ["Verdict", "last"]

PLACE = "results/verdict/verdict.json"


@dataclass(frozen=True)
class Verdict:
    """A verdict, why it was passed, its date in UTC, and the commit of the rebuild."""

    word: str
    why: str
    date: str
    commit: str

    def said(self, commit: str) -> str:
        """Say it in sentences.

        Parameters
        ----------
        commit : of the archive's code, with which that of the rebuild is compared.
        """
        of = f", of commit {self.commit}" if self.commit else ""
        same = (
            ""
            if commit and self.commit == commit
            else " That is not the commit of this archive without changes, so read it with care."
        )
        passed = f"The last verdict of `snakemake verify` is of {self.date}{of}: {self.word}."
        return f"{passed} {self.why}{same}"


NONE = (
    "There is no verdict: `snakemake verify`, which builds again and compares every number, was "
    "not run, or did not end."
)


def last(results: Path) -> Verdict | None:
    """The verdict in a folder of results; none where there is none.

    Raises
    ------
    BadInput
        If it cannot be read: an archive that is silent about it would say that there was none.
    """
    path = results / "verdict" / "verdict.json"
    if not path.is_file():
        return None
    said = read_verdict(path, ("verdict", "why"))
    date = said.get("date") or "an unknown date"
    return Verdict(said["verdict"], said["why"], date, said.get("commit", ""))
