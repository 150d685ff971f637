"""A study as a request asks for it: read by the analyst's vocabulary, and no more of it than asked.

Tables with rows of people are written for a moment into the folder where harmonizing has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import Codebook, load
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.common.scratch import beside
from metastudy.common.text import shown
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.parcelling.controlled import modules_of
from metastudy.parcelling.make import VARIANTS
from metastudy.parcels.request import Request

__all__ = ["Asked", "study_asked_for"]

NEGOTIATE = (
    "agree with the analyst on the words: they change config/vocabulary.yaml and run `snakemake "
    "request` again, or you change the codebook"
)


@dataclass(frozen=True)
class Asked:
    """A study by a request; ``not_asked`` has the fits that it could enter and that are not in."""

    study: Study
    codebook: Codebook
    vocabulary: Vocabulary
    not_asked: dict[str, list[str]]


def study_asked_for(
    folder: Path,
    request: Request,
    own: Path,
    manifest: Path,
    keys: Mapping[str, str | None],
    scratch: Path,
) -> Asked:
    """Read a study's data file by the vocabulary of a request.

    Parameters
    ----------
    folder : the study's folder, with codebook and data file.
    own : the vocabulary of the owner's project, to compare with.
    manifest, keys : of :func:`metastudy.codebook.codebook.load` and
        :func:`metastudy.harmonize.pseudonyms.key`.
    scratch : folder in which tables are for a moment; made if it is not there.

    Raises
    ------
    BadInput
        ``request`` with one problem, for a codebook whose words the request does not have, for
        levels in another order, and for a study without any outcome that is asked for; else as
        harmonizing does.
    """
    codebook = _codebook(folder, request, own, manifest)
    harmonized = harmonize_file(codebook, pseudonyms.key(codebook, keys))
    with beside(folder, within=scratch) as temporary:
        save(harmonized, temporary / folder.name)
        stored = load_study(temporary / folder.name, measured=None)
        study = replace(stored, tables=dict(stored.tables))
    vocabulary = vocabularies.merge(request.vocabulary, [study.vocabulary])
    _same_order(study, codebook, request, own)
    modules = modules_of(study, vocabulary)
    if modules and not set(modules) & set(request.fits):
        raise _misfit(
            codebook,
            f"outcomes of {', '.join(modules)} alone",
            f"an outcome of {', '.join(request.fits)}, which the request asks for",
            "tell the analyst that this study has nothing of it",
            "outcomes",
        )
    not_asked = {
        module: [variant for variant in VARIANTS if variant not in request.fits.get(module, ())]
        for module in modules
    }
    left = {module: variants for module, variants in not_asked.items() if variants}
    return Asked(_narrowed(study, vocabulary, request), codebook, vocabulary, left)


def _codebook(folder: Path, request: Request, own: Path, manifest: Path) -> Codebook:
    """The codebook by the words of a request.

    What is wrong with it in the owner's own words as well is no fault of the request.
    """
    try:
        return load(folder, request.vocabulary, manifest)
    except BadInput as bad:
        try:
            load(folder, vocabularies.load(own), manifest)
        except BadInput:
            raise bad from None
        first = bad.problems[0]
        more = f", and {len(bad.problems) - 1} more" if len(bad.problems) > 1 else ""
        raise BadInput(
            Problem(
                file=first.file,
                found=f"{first.found} in the words of the request{more}",
                expected=first.expected,
                fix=NEGOTIATE,
                row=first.row,
                column=first.column,
                study=folder.name,
                code="request",
            )
        ) from None


def _same_order(study: Study, codebook: Codebook, request: Request, own: Path) -> None:
    """Check that the levels of the study's factors are in one order everywhere.

    The first level is the reference, so another order would turn effects round without a word.
    """
    try:
        mine = vocabularies.load(own)
    except BadInput:  # a project that is made for this parcel need not have one
        mine = request.vocabulary
    named = [e.get("factor", e.get("attribute")) for e in study.report["exposures"]]
    for factor in dict.fromkeys(name for name in named if name):
        here = codebook.vocabulary if factor in study.vocabulary.get("factors", {}) else mine
        if factor not in here["factors"] or factor not in request.vocabulary["factors"]:
            continue
        found, expected = (list(v.levels(factor)) for v in (here, request.vocabulary))
        if found != expected:
            raise _misfit(
                codebook,
                f"the levels of '{factor}' as {', '.join(found)}",
                f"{', '.join(expected)}, as in the request, the reference first",
                NEGOTIATE,
                f"factors.{factor}",
            )


def _narrowed(study: Study, vocabulary: Vocabulary, request: Request) -> Study:
    """The study without the outcomes of modules that are not asked for, in report and tables."""
    report = study.report
    away = {
        outcome
        for outcome in report["outcomes"]
        if (module := vocabulary.module(outcome)) and module not in request.fits
    }
    if not away:
        return study
    needed = {e["construct"] for e in report["exposures"] if "construct" in e}
    answers = study.measurements
    gone = answers["construct"].astype("str").isin(away - needed)
    reliabilities = report.get("reliabilities", {})
    told = {name: value for name, value in reliabilities.items() if name not in away - needed}
    outcomes = [outcome for outcome in report["outcomes"] if outcome not in away]
    narrowed = replace(study, report={**report, "outcomes": outcomes, "reliabilities": told})
    return narrowed.with_tables(measurements=answers[~gone].reset_index(drop=True))


def _misfit(codebook: Codebook, found: str, expected: str, fix: str, place: str) -> BadInput:
    return BadInput(
        Problem(
            file=shown(codebook.path),
            found=found,
            expected=expected,
            fix=fix,
            column=place,
            study=codebook.study.id,
            code="request",
        )
    )
