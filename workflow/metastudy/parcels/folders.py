"""A study's folder: what its codebook or its parcel says, as far as the rules have to know it.

Read while the Snakefile is read, so nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metastudy.codebook import codebook as codebooks
from metastudy.codebook.codebook import Codebook
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.parcels import parcel as parcels
from metastudy.parcels.parcel import SUFFIX, Parcel
from metastudy.parcels.request import Request
from metastudy.parcels.signature import files_of_signature
from metastudy.parcels.suffices import check_suffices, note_on

__all__ = ["SUFFIX", "StudyFolder", "said_in", "said_in_each", "studies_in"]

PUBLISHED = "published"  # the design of a study that holds findings and no people


@dataclass(frozen=True)
class StudyFolder:
    """What is said of a study, whichever way it came.

    ``vocabulary`` is the common one with the study's ``additions``; ``missing`` is what is wrong
    with its data file; ``declared`` says whether it has moderators, groupings or reliabilities,
    ``summed`` whether its rows are arms with means; ``note`` is what is said of a parcel that
    suffices and was made for something else.
    """

    outcomes: Sequence[str]
    vocabulary: Vocabulary
    additions: Mapping[str, Any]
    files: tuple[str, ...]
    missing: Sequence[Problem] = ()
    published: bool = False
    declared: bool = False
    parcel: bool = False
    summed: bool = False
    note: str | None = None


def studies_in(data: Path) -> list[str]:
    """The names of all studies in a folder of studies: folders with a codebook or a parcel."""
    found = (*data.glob("*/codebook.yaml"), *data.glob(f"*/*{SUFFIX}"))
    return sorted({path.parent.name for path in found})


def said_in(folder: Path, common: Vocabulary, wanted: Request | None = None) -> StudyFolder:
    """Read the codebook, or the parcel, of a study.

    Parameters
    ----------
    wanted : what a parcel has to suffice for; nothing if not given.

    Raises
    ------
    BadInput
        For a codebook or a parcel that is wrong, for both in one folder, or for a parcel that does
        not hold what is wanted.
    """
    if path := parcels.parcel_in(folder):
        parcel = parcels.read(path)
        if wanted:
            check_suffices(parcel, path, wanted)
        note = note_on(parcel, wanted.digest) if wanted else None
        return replace(_of_parcel(path, parcel, common), note=note)
    return _of_codebook(codebooks.load(folder, common))


def said_in_each(
    data: Path, names: Iterable[str], common: Vocabulary, wanted: Request | None = None
) -> dict[str, StudyFolder]:
    """What is said of each study of a folder, as :func:`said_in`.

    Raises
    ------
    BadInput
        With what is wrong with any of them, all at once.
    """
    books: dict[str, StudyFolder] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            books[name] = said_in(data / name, common, wanted)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return books


def _of_codebook(book: Codebook) -> StudyFolder:
    return StudyFolder(
        outcomes=book.outcomes,
        vocabulary=book.vocabulary,
        additions=book.document.data.get("vocabulary") or {},
        files=(*map(str, book.paths), str(book.path)),
        missing=codebooks.missing_file(book),
        published=book.study.design == PUBLISHED,
        declared=bool(book.moderators or book.nestings or book.reliabilities),
        summed=bool(book.having("mean")),
    )


def _of_parcel(path: Path, parcel: Parcel, common: Vocabulary) -> StudyFolder:
    said = parcel.study
    return StudyFolder(
        outcomes=said["outcomes"],
        vocabulary=parcels.vocabulary_with(parcel, path, common),
        additions=said["vocabulary"],
        files=(str(path), *map(str, files_of_signature(path))),
        declared=bool(said["attributes"] or said.get("reliabilities")),
        parcel=True,
    )
