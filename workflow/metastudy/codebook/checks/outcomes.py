"""Checks of what a codebook measures: outcomes, exposures, interactions, and how they are used."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.codebook.checks.arms import of_outcomes
from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import (
    ATTRIBUTE_TYPES,
    IGNORE,
    PLACE_SECTIONS,
    known_terms,
    listed,
)
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean
from metastudy.common.yaml_document import Document

__all__ = ["interaction_problems", "use_problems"]


def use_problems(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that outcomes and exposures are among the variables."""
    if not sound.complete("variables") or not sound.complete("codes"):
        return  # what is misspelt above would be reported again here
    answers = [e for _, e in of_outcomes(sound) if e["as"] in ("item", "events", "count", "mean")]
    items = {entry.get("construct") for entry in answers}
    # Of arms only means are known, or several counts: nobody is at a place of a trait.
    counted = {e.get("construct") for e in answers if e["as"] in ("events", "count")}
    summed = {e.get("construct") for e in answers if e["as"] == "mean"}
    summed |= counted if len(counted) > 1 else set()
    codes = set(sound.raw.get("codes", {}).values()) - {IGNORE}
    factors: dict[str, bool] = {}
    for _, entry in sound.variables("factor"):
        for factor in entry.get("factors", {}):
            factors[factor] = factors.get(factor, True) and entry.get("randomised", False)
    measured = {name for name in items | codes if name}
    for _, entry in sound.variables():  # the kind of such a factor is that of its exposure
        for factor in entry.get("arm", {}):
            kind = next((e["type"] for _, e in sound.entries("exposures")
                         if e.get("factor") == factor), None)  # fmt: skip
            factors[factor] = kind == "randomised"
    for place, outcome in sound.entries("outcomes"):
        if outcome not in measured:
            yield document.problem(
                place,
                f"'{outcome}'.{did_you_mean(outcome, measured)}",
                f"a construct of the items or a code: {listed(sorted(measured))}",
            )
        elif outcome in {*vocabulary["constructs"], *vocabulary["codes"]} and (
            vocabulary["families"].get(vocabulary.family(outcome), {}).get("module") is None
        ):
            yield document.problem(
                place,
                f"'{outcome}', of the family '{vocabulary.family(outcome)}'",
                "an outcome whose family belongs to a module",
            )
    for place, entry in sound.entries("exposures"):
        named = [key for key in ("factor", "construct", "attribute") if key in entry]
        if len(named) != 1:
            yield document.problem(
                place,
                f"{listed(named) or 'none'} of them",
                "exactly one of factor, construct, attribute",
            )
            continue
        key, value = named[0], entry[named[0]]
        among = {"factor": set(factors), "construct": {name for name in items - summed if name}}
        options = among.get(key)
        if options is None:
            yield from known_terms(document, vocabulary, "factors", value, (*place, key))
        elif value not in options:
            yield document.problem(
                (*place, key),
                f"'{value}'.{did_you_mean(value, options)}",
                f"a {key} among the variables: {listed(sorted(options)) or 'there is none'}",
            )
        if key == "attribute" and value in PLACE_SECTIONS and not _said(sound, value):
            yield document.problem(
                (*place, key),
                f"'{value}', of which neither a variable nor `study` says anything",
                f"a variable with 'as: {value}', by which people are compared",
                f"map the column of the {value}, or take the exposure out",
            )
        kinds = {"construct": "measured", "attribute": ATTRIBUTE_TYPES.get(value, "")}
        if key == "factor":
            kinds[key] = "randomised" if factors.get(value) else "organisational"
        if (options is None or value in options) and entry["type"] != kinds[key]:
            yield document.problem(
                (*place, "type"),
                f"type '{entry['type']}' for {key} '{value}'",
                f"'{kinds[key]}': a factor is randomised if its variable says 'randomised: true', "
                "a construct is measured, as are the attributes role and sector; the attribute "
                "arrangement is organisational",
            )


def _said(sound: Sound, attribute: str) -> bool:
    """Whether a study says a country, sector, role or arrangement of its rows."""
    whole = not sound.complete("study") or attribute in sound.study()
    return whole or not sound.complete("variables") or any(sound.variables(attribute))


def interaction_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that an interaction is of two exposures of the study, one of them a factor, once."""
    if not sound.complete("exposures"):
        return  # what is wrong there would be reported again here
    kinds: dict[str, list[str]] = {}
    for _place, entry in sound.entries("exposures"):
        for kind in ("factor", "construct"):
            if kind in entry:
                kinds.setdefault(str(entry[kind]), []).append(kind)
    seen: set[frozenset[str]] = set()
    for place, pair in sound.entries("interactions"):
        if pair[0] == pair[1]:
            yield document.problem(
                place, f"an interaction of '{pair[0]}' with itself", "two different exposures"
            )
            continue
        if unknown := [name for name in pair if name not in kinds]:
            near = did_you_mean(unknown[0], kinds)
            yield document.problem(
                place,
                f"'{unknown[0]}', which is no factor and no construct of `exposures`"
                + (f".{near}" if near else ""),
                f"two of the exposures: {listed(kinds) or 'there is none'}",
            )
        elif twice := [name for name in pair if len(kinds[name]) > 1]:
            yield document.problem(
                place,
                f"'{twice[0]}', which is both a factor and a construct of `exposures`",
                "a name that one exposure of the study has",
            )
        elif all(kinds[name] == ["construct"] for name in pair):
            yield document.problem(
                place,
                f"{listed(pair)}: two measured constructs",
                "two factors, or a factor and a construct",
            )
        elif frozenset(pair) in seen:
            yield document.problem(place, f"{listed(pair)} a second time", "each interaction once")
        seen.add(frozenset(pair))
