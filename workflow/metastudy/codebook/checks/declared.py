"""Checks of what a codebook declares beside its data: moderators, reliabilities and others."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import known_terms, listed
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean
from metastudy.common.yaml_document import Document, YamlPath

__all__ = [
    "dependence_problems",
    "moderator_problems",
    "published_table_problems",
    "reliability_problems",
]

GROUPINGS = ("study", "country", "sector", "role", "setting", "effect", "estimate", "vignette")
OF_PEOPLE = (
    *("site", "country", "sector", "role", "arrangement"),
    *("region", "occupation", "age_band", "gender", "lang"),
)
ONE_OF = ("covariance", "correlation")


def moderator_problems(
    document: Document, sound: Sound, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """Check that moderators are known, and are numbers or levels, and the names of groupings."""
    named = [(place, str(place[1])) for place, _ in sound.entries("nestings")]
    named += [
        ((*place, "nesting"), str(v.get("nesting"))) for place, v in sound.variables("nesting")
    ]
    for place, name in named:
        if name in GROUPINGS:
            yield document.problem(
                place, f"'{name}'", f"another name than {listed(GROUPINGS)}, which there are anyway"
            )
    for place, value in sound.entries("moderators"):
        name = str(place[1])
        unknown = list(known_terms(document, vocabulary, "moderators", name, place))
        yield from unknown
        if unknown:
            continue
        levels = vocabulary["moderators"][name].get("levels")
        if levels and str(value) not in levels:
            yield document.problem(
                place,
                f"'{value}'.{did_you_mean(str(value), levels)}",
                f"a level of '{name}': {listed(levels)}",
            )
        elif not levels and isinstance(value, str):
            yield document.problem(
                place, f"'{value}'", f"a number: '{name}' has no levels in the vocabulary"
            )


def dependence_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that each entry says one thing, of findings, of a publication or of all of them."""
    if "dependence" in sound.raw and sound.study().get("design", "published") != "published":
        yield document.problem(
            ("dependence",),
            "'dependence'",
            "it with design published only: of rows it is estimated",
        )
    seen: dict[object, int] = {}
    for place, entry in sound.entries("dependence"):
        said = [key for key in ONE_OF if key in entry]
        if len(said) != 1:
            yield document.problem(
                place, f"{listed(said) or 'none'} of them", f"exactly one of {listed(ONE_OF)}"
            )
        if "findings" in entry and "citation" in entry:
            yield document.problem(
                (*place, "citation"), "'findings' and 'citation'", "one of them, or neither"
            )
        if "covariance" in entry and "findings" not in entry:
            yield document.problem(
                (*place, "covariance"),
                "a covariance without 'findings'",
                "the two findings that it is of: others have other errors",
            )
        about = frozenset(map(str, entry.get("findings", (entry.get("citation", ""),))))
        if seen.setdefault(about, int(place[1])) != place[1]:
            yield document.problem(
                place, f"a second entry for {listed(sorted(about)) or 'all'}", "one entry for each"
            )


def reliability_problems(
    document: Document, sound: Sound, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """Check that a reliability is that of an outcome or of a measured exposure of the study."""
    for place, _ in sound.entries("reliabilities"):
        yield from _not_measured(document, sound, vocabulary, str(place[1]), place)


def published_table_problems(
    document: Document, sound: Sound, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """Check that a table is of a construct of the study, by what there is of its people."""
    factors = {str(name) for _, v in sound.variables() for name in v.get("factors", {})}
    there = [*sorted(factors), *OF_PEOPLE]
    for place, entry in sound.entries("published_tables"):
        name = str(entry["construct"])
        yield from _not_measured(document, sound, vocabulary, name, (*place, "construct"))
        if "vignette" in entry:
            said = str(entry["vignette"])
            yield from known_terms(document, vocabulary, "vignettes", said, (*place, "vignette"))
        for at, of in enumerate(entry.get("by", ())):
            if of not in there:
                yield document.problem(
                    (*place, "by", at),
                    f"'{of}'.{did_you_mean(str(of), there)}",
                    f"a factor of the study or a property of people: {listed(there)}",
                )


def _not_measured(
    document: Document, sound: Sound, vocabulary: Vocabulary, name: str, place: YamlPath
) -> Iterator[Problem]:
    """Say that a construct is neither an outcome nor a measured exposure of the study."""
    if not sound.complete("outcomes") or not sound.complete("exposures"):
        return  # what is wrong there would be reported again here
    measured = {str(outcome) for _, outcome in sound.entries("outcomes")}
    measured |= {str(e["construct"]) for _, e in sound.entries("exposures") if "construct" in e}
    unknown = list(known_terms(document, vocabulary, "constructs", name, place))
    yield from unknown
    if not unknown and name not in measured:
        yield document.problem(
            place,
            f"'{name}', which is neither an outcome nor an exposure here",
            "a construct of `outcomes` or `exposures`: "
            f"{listed(sorted(measured)) or 'there is none'}",
        )
