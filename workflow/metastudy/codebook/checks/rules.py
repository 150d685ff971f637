"""Checks of the rules of a codebook: exclusions, quality flags and weights."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import ACTIONS, DESIGN_BASED, MARKS, NO_CONSENT, listed
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean
from metastudy.common.yaml_document import Document

__all__ = ["quality_problems", "rule_problems", "weight_problems"]


def quality_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check the rules that mark rows: one test each, on constructs that can tell."""
    keyings: dict[str, set[str]] = {}
    for _place, entry in sound.variables("item"):
        if "construct" in entry:
            keyings.setdefault(entry["construct"], set()).add(entry.get("keying", "positive"))
    seen = {"ok"}
    for place, entry in sound.entries("quality"):
        if entry["rule"] in seen:
            yield document.problem(
                (*place, "rule"),
                f"the rule '{entry['rule']}'" + (" twice" if entry["rule"] != "ok" else ""),
                "each rule once, and none called 'ok'",
            )
        seen.add(entry["rule"])
        marks = [key for key in MARKS if key in entry]
        if len(marks) != 1:
            yield document.problem(
                place, f"{listed(marks) or 'none'} of them", f"exactly one of {listed(MARKS)}"
            )
            continue
        if ("variable" in entry) == (marks == ["constant_over"]):
            yield document.problem(
                place,
                "'variable' " + ("given" if "variable" in entry else "not given"),
                "'variable' with below_share_of_median and keep, and not with constant_over",
            )
        constructs = entry.get("constant_over", ()) if sound.complete("variables") else ()
        for index, construct in enumerate(constructs):
            if construct not in keyings:
                yield document.problem(
                    (*place, "constant_over", index),
                    f"'{construct}'.{did_you_mean(construct, keyings)}",
                    f"a construct of the items: {listed(sorted(keyings)) or 'there is none'}",
                )
        found = {keying for one in constructs for keying in keyings.get(one, ())}
        if found and found != {"positive", "reverse"}:
            yield document.problem(
                (*place, "constant_over"),
                f"only items with 'keying: {listed(found)}' in {listed(constructs)}",
                "items of both keyings: without, the same answer everywhere may be honest",
            )


def weight_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that weights are used and that what uses them has them."""
    if not sound.complete("variables") or not sound.complete("sensitivity"):
        return
    weights = [place for place, _ in sound.variables("weight")]
    wanted = DESIGN_BASED in sound.raw.get("sensitivity", ())
    if weights and not wanted:
        yield document.problem(
            weights[0],
            "weights that are declared but used in no analysis",
            f"'sensitivity: [{DESIGN_BASED}]' beside them, or no weights",
        )
    if wanted and not weights:
        yield document.problem(
            ("sensitivity",),
            f"'{DESIGN_BASED}' without a variable of weights",
            "a variable with 'as: weight'",
        )


def rule_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check the rules of exclusion: each once, with one action and the variable that it needs."""
    consents = {entry["name"] for _, entry in sound.variables("consent")}
    seen = {NO_CONSENT} if consents else set()
    for place, entry in sound.entries("exclude"):
        actions = [key for key in ACTIONS if key in entry]
        places_consent = not actions and entry.get("variable") in consents
        if entry["rule"] in seen and not places_consent:
            yield document.problem(
                (*place, "rule"), f"the rule '{entry['rule']}' twice", "each rule once"
            )
        seen.add(entry["rule"])
        if places_consent:
            continue
        if len(actions) != 1:
            yield document.problem(
                place,
                f"{listed(actions) or 'none'} of them",
                f"exactly one of {listed(ACTIONS)}",
            )
        elif ("variable" in entry) == (actions == ["unanswered"]):
            yield document.problem(
                place,
                "'variable' " + ("given" if "variable" in entry else "not given"),
                "'variable' with drop, keep and duplicates, and not with unanswered",
            )
        if "unanswered" in actions and not sound.raw.get("outcomes"):
            yield document.problem(place, "no 'outcomes'", "'outcomes' for a rule about them")
