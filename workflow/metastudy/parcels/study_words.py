"""Whether ``study.json`` of a parcel speaks of what there is: words of the vocabulary, and cells.

Its schema says which fields and types there are; a text of the right type may still be the name of
nothing, and would end in an error of the first rule that looks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metastudy.codebook.interactions import parts_of
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.parcels.refusals import AGAIN, Refusal
from metastudy.parcels.words import SECTION_OF, check_word, says_nothing

__all__ = ["check_study"]

OF_CODEBOOK = {**SECTION_OF, "response_mode": "response_modes"}
OF_PEOPLE = ("country", "sector", "role")  # of each line of `places`, before the number

Named = tuple[str, str, tuple[str, ...]]  # a name, its place in study.json, sections it may be in


def check_study(
    study: Mapping[str, Any], fits: Mapping[tuple[str, str], Any], vocabulary: Vocabulary
) -> None:
    """Check the words and numbers of a ``study.json`` that keeps its schema.

    Parameters
    ----------
    study : the document.
    fits : the documents of cells by module and variant, not yet checked themselves.
    vocabulary : the common one with what the study adds to it.

    Raises
    ------
    Refusal
        For the first name that the vocabulary lacks, or the first thing that others contradict.
    """
    for name, place, sections in _names(study):
        check_word(name, sections, vocabulary, f"study.json {place}")
    modules = sorted({module for module, _ in fits})
    for at, outcome in enumerate(study["outcomes"]):
        if (module := vocabulary.module(outcome)) not in modules:
            found = f"the outcome '{outcome}' of {module or 'no module'} without cells"
            raise _wrong(found, f"outcomes of {', '.join(modules)}", f"outcomes[{at}]")
    named = {e.get("factor", e.get("attribute")) for e in study["exposures"]}
    if unlike := sorted((named & set(vocabulary["factors"])) ^ set(study["factors"])):
        found = f"'{unlike[0][:80]}' in only one of exposures and factors"
        raise _wrong(found, "levels of the factors that are exposures, and of no other", "factors")
    _agree_with_cells(study, fits)


def _names(study: Mapping[str, Any]) -> Iterator[Named]:
    """Names of the vocabulary, each with its place."""
    for key, section in OF_CODEBOOK.items():
        name = study["codebook"].get(key)
        if name is not None and not says_nothing(name):
            yield name, f"codebook.{key}", (section,)
    for at, (*place, _) in enumerate(study["places"]):
        for k, (name, key) in enumerate(zip(place, OF_PEOPLE, strict=True)):
            if not says_nothing(name):
                yield name, f"places[{at}][{k}]", (SECTION_OF[key],)
    for at, name in enumerate(study["outcomes"]):
        yield name, f"outcomes[{at}]", ("constructs", "codes")
    for name in study["factors"]:
        yield name, f"factors.{name[:80]}", ("factors",)
    for at, exposure in enumerate(study["exposures"]):
        yield exposure["type"], f"exposures[{at}].type", ("exposure_types",)
        if "factor" in exposure:
            yield exposure["factor"], f"exposures[{at}].factor", ("factors",)
        if "construct" in exposure:
            yield exposure["construct"], f"exposures[{at}].construct", ("constructs",)
    for at, one in enumerate(study["attributes"]):
        if one["kind"] == "moderator":
            yield one["name"], f"attributes[{at}].name", ("moderators",)
    for name in study.get("reliabilities", {}):
        yield name, f"reliabilities.{name[:80]}", ("constructs",)


def _agree_with_cells(study: Mapping[str, Any], fits: Mapping[tuple[str, str], Any]) -> None:
    """Check that the outcomes and exposures of the main cells are those of the study."""
    exposures = {name for e in study["exposures"] for key, name in e.items() if key != "type"}
    for (module, variant), document in fits.items():
        if variant != "main":  # a folded fit has an outcome in place of its parts
            continue
        outcomes = (*_texts(document, "coordinates", "construct"),
                    *_texts(document, "coordinates", "code"))  # fmt: skip
        for name in outcomes:
            if name not in study["outcomes"]:
                found = f"no outcome '{name[:80]}', which cells of {module} have"
                raise _wrong(found, "all outcomes of the cells", "outcomes")
        for name in _texts(document, "texts", "exposure_name"):
            if not set(parts_of(name)) <= exposures:
                found = f"no exposure '{name[:80]}', which cells of {module} have"
                raise _wrong(found, "all exposures of the cells", "exposures")


def _texts(document: Any, part: str, name: str) -> Iterable[str]:
    """Texts of a document of cells that may be of any form."""
    found = document.get(part) if isinstance(document, dict) else None
    values = found.get(name) if isinstance(found, dict) else None
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []


def _wrong(found: str, expected: str, place: str) -> Refusal:
    return Refusal(found, expected, AGAIN, place=f"study.json {place}")
