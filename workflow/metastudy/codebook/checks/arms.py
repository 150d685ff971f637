"""Checks of a codebook whose rows are arms: counts of answers, or means with deviations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import (
    ARM_ROLES,
    IGNORE,
    OF_OUTCOME,
    PLACE_SECTIONS,
    listed,
)
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import Document, YamlPath

__all__ = ["arm_problems", "of_outcomes"]

MODEL, COUNTED_MODEL = "answers", "events"  # kinds of model that take means, and counts apart
# All that a row with means may have beside them: of its people nothing else is known.
BESIDE_MEANS = ("id", "site", "cluster", "factor", *PLACE_SECTIONS, *ARM_ROLES, "outcome", IGNORE)
COUNTS = ("events", "count")


def of_outcomes(sound: Sound) -> Iterator[tuple[YamlPath, Mapping[str, Any]]]:
    """Each well-shaped variable; one of each outcome where outcomes are rows, and it is of them."""
    scales: dict[str, Any] = {}
    for _, entry in sound.variables("outcome"):
        scales |= entry.get("scales", {})
    for place, entry in sound.variables():
        if entry["as"] in OF_OUTCOME and scales:
            for scale in scales.values():
                yield place, {**entry, **scale}
        else:
            yield place, entry


def arm_problems(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that arms have what they need, and that a design in clusters says how it is one."""
    if not sound.complete("variables"):
        return  # what is misspelt above would be reported again here
    names = {
        role: [e["name"] for _, e in sound.variables(role)] for role in (*ARM_ROLES, "outcome")
    }
    for one, others in (("people", ("events", "count", "mean")), ("events", ("people",)),
                        ("mean", ("people",)), ("sd", ("mean",)), ("correlation", ("mean",)),
                        ("icc", ("cluster_size",)), ("cluster_size", ("icc",)),
                        ("icc", ("mean",)), ("total", ("people", "count")),
                        ("outcome", ("mean", "events"))):  # fmt: skip
        if names[one] and not any(names[other] for other in others):
            wanted = " or ".join(f"'as: {other}'" for other in others)
            yield document.problem(
                ("variables",),
                f"'{names[one][0]}' with 'as: {one}', and no variable with {wanted}",
                "both, where a row is an arm: how many people, and how many of them have the "
                "event, or their mean and standard deviation",
            )
    if not any(names.values()):
        return
    yield from _rules(document, sound)
    yield from _side_by_side(document, sound)
    yield from _counts(document, sound, vocabulary)
    if names["mean"]:
        yield from _means(document, sound, vocabulary)
    if names["events"] or names["count"] or names["mean"]:
        yield from _clusters(document, sound, bool(names["mean"]), bool(names["icc"]))


def _rules(document: Document, sound: Sound) -> Iterator[Problem]:
    """A row that is an arm leaves by what is in it: it answers nothing, and is nobody's second."""
    for place, rule in sound.entries("exclude"):
        for key in ("duplicates", "unanswered"):
            if key in rule:
                yield document.problem(
                    (*place, key),
                    f"'{key}' where rows are arms",
                    "with arms only rules with 'drop' or 'keep'",
                )


def _side_by_side(document: Document, sound: Sound) -> Iterator[Problem]:
    """Arms beside each other are two at least, of the same factors, and have the same columns."""
    arms: dict[str, tuple[YamlPath, dict[str, str]]] = {}
    of: dict[tuple[str, ...], dict[str, str]] = {}
    for place, entry in sound.variables():
        if "arm" in entry:
            arms.setdefault(str(entry["arm"]), (place, entry["arm"]))
            constructs = map(str, entry.get("constructs", [entry.get("construct", "")]))
            what = (entry["as"], *constructs, str(entry.get("answer", "")))
            of.setdefault(what, {})[str(entry["arm"])] = str(entry["name"])
    if not arms:
        return
    (place, first), *others = arms.values()
    if not others:
        yield document.problem(
            (*place, "arm"), f"columns of one arm only, {first}", "columns of two arms at least"
        )
    for place, arm in others:
        if arm.keys() != first.keys():
            yield document.problem(
                (*place, "arm"),
                f"an arm of {listed(sorted(arm))}, and one of {listed(sorted(first))}",
                "the level of the same factors for each arm",
            )
    for what, by in of.items():
        if lost := [arm for key, (_, arm) in arms.items() if key not in by]:
            yield document.problem(
                ("variables",),
                f"'as: {what[0]}' for '{next(iter(by.values()))}', and none for the arm {lost[0]}",
                "a column of each arm, or one without 'arm' for all of them",
            )
    for place, entry in sound.variables("factor"):
        for factor in set(entry.get("factors", {})) & set(first):
            yield document.problem(
                (*place, "factors", factor),
                f"'{factor}', which the arms of other columns say already",
                "a column of the factor where a row is an arm, or 'arm' where it has several",
            )


def _counts(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Of one outcome counts are of the same scale; of several nobody knows what comes together."""
    seen: set[tuple[str, ...]] = set()
    scales: dict[str, tuple[Any, ...]] = {}
    for place, entry in of_outcomes(sound):
        if (role := entry["as"]) not in COUNTS or "construct" not in entry:
            continue
        construct, answer = str(entry["construct"]), entry.get("answer")
        scale = (role, *(entry.get(key) for key in ("min", "max", "keying", "item")))
        scale = scale if role == "count" else (role,)
        if scales.setdefault(construct, scale) != scale:
            yield document.problem(
                (*place, "construct"),
                f"counts of '{construct}' on two scales",
                "one item: counts of all of its answers, with the same bounds and keying",
            )
        if (what := (construct, str(answer), str(entry.get("arm", "")))) in seen:
            yield document.problem(
                (*place, "answer" if role == "count" else "as"),
                f"a second '{role}' of '{construct}'" + f" for {answer}" * (role == "count"),
                "one column for each answer to each outcome",
            )
        seen.add(what)
        low, high = entry.get("min"), entry.get("max")
        if answer is not None and low is not None and not low <= answer <= high:
            yield document.problem(
                (*place, "answer"), f"{answer}", f"a number from {low} to {high}"
            )
    modules = {name: _module(name, vocabulary) for name in scales}
    apart = [n for n, of in modules.items() if of and vocabulary.model(of) != COUNTED_MODEL]
    if len(scales) > 1 and apart:
        yield document.problem(
            ("variables",),
            f"counts by arm of {len(scales)} outcomes ({listed(sorted(scales))}), and "
            f"'{apart[0]}' in a module that is no model of '{COUNTED_MODEL}'",
            "counts of one outcome, or of several 0/1 outcomes in such a module: nobody knows "
            "which answers one person gave together",
            "give number, mean and standard deviation of each outcome ('as: mean' and 'as: sd'), "
            "which the counts tell, with their correlation where it is known",
        )
    if len(scales) > 1:
        wholes = vocabulary.folding([str(name) for _, name in sound.entries("outcomes")])
        for part in scales:
            if (whole := wholes.get(part, part)) != part and whole in scales:
                yield document.problem(
                    ("outcomes",),
                    f"'{part}', which is a part of '{whole}', and counts by arm of both",
                    "one of them: an analysis counts who has either, which counts do not tell",
                    "leave one of the two out of `outcomes`",
                )


def _module(construct: str, vocabulary: Vocabulary) -> str | None:
    return vocabulary.module(construct) if construct in vocabulary["constructs"] else None


def _means(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """A mean has one standard deviation; correlations are of two means, of all pairs or none."""
    seen: dict[str, set[str]] = {"mean": set(), "sd": set()}
    columns: set[tuple[str, ...]] = set()
    for place, entry in of_outcomes(sound):
        role, construct = entry["as"], str(entry.get("construct"))
        if role not in BESIDE_MEANS or role in COUNTS:
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' for '{entry['name']}' beside 'as: mean'",
                f"where rows are arms with means only {listed(BESIDE_MEANS)}, and no events",
            )
        if role in seen:
            if (what := (role, construct, str(entry.get("arm", "")))) in columns:
                yield document.problem(
                    (*place, "construct"),
                    f"a second '{role}' of '{construct}'",
                    "one mean and one standard deviation of each construct",
                )
            columns.add(what)
            seen[role].add(construct)
        module = _module(construct, vocabulary)
        if role == "mean" and module and vocabulary.model(module) != MODEL:
            yield document.problem(
                (*place, "construct"),
                f"a mean of '{construct}', whose module '{module}' is a model of "
                f"'{vocabulary.model(module)}'",
                f"a construct of a module of the model '{MODEL}'",
            )
        if role == "mean" and not {"min", "max"} <= entry.keys():
            yield document.problem(
                place,
                f"no bounds of '{construct}'",
                "'min' and 'max' of the scale of each mean",
            )
    means = seen["mean"]
    for role, lacking in (("sd", means - seen["sd"]), ("mean", seen["sd"] - means)):
        for construct in sorted(lacking):
            yield document.problem(
                ("variables",),
                f"no '{role}' of '{construct}'",
                "the mean and the standard deviation of each construct",
            )
    yield from _correlations(document, sound, vocabulary, means)


def _correlations(
    document: Document, sound: Sound, vocabulary: Vocabulary, means: set[str]
) -> Iterator[Problem]:
    """Correlations are of all pairs of the means or of none, once an arm."""
    pairs = {frozenset(pair): 0 for pair in combinations(sorted(means), 2)}
    given = list(sound.variables("correlation"))
    arms: set[tuple[frozenset[str], str]] = set()
    for place, entry in given:
        pair = frozenset(map(str, entry.get("constructs", ())))
        twice = (pair, str(entry.get("arm", ""))) in arms
        if pair not in pairs or twice:
            yield document.problem(
                (*place, "constructs"),
                f"a correlation of {listed(sorted(pair))}" + " a second time" * (pair in pairs),
                f"each pair of the means once: {listed(sorted(means))}",
            )
        else:
            pairs[pair] += 1
        arms.add((pair, str(entry.get("arm", ""))))
    missing = [" and ".join(sorted(pair)) for pair, times in pairs.items() if not times]
    if given and missing:
        yield document.problem(
            ("variables",),
            f"no correlation of {listed(missing)}",
            "the correlation of each pair of outcomes, or of none",
            "add the columns, or leave the correlations out: then the outcomes are modelled apart",
        )
    wholes = vocabulary.folding([str(name) for _, name in sound.entries("outcomes")])
    for part, whole in wholes.items() if not given else ():
        if part != whole and {part, whole} <= means:
            yield document.problem(
                ("outcomes",),
                f"'{part}', which is a part of '{whole}', and no correlation of the two",
                "their correlation, as an analysis takes the mean of the two",
                "add a column with 'as: correlation', or leave one of the two out of `outcomes`",
            )


def _clusters(document: Document, sound: Sound, means: bool, icc: bool) -> Iterator[Problem]:
    """Refuse arms of a design in clusters where nothing says how much less they tell."""
    said = sound.study().get("clustered")
    if means and said is None and sound.section("study"):
        yield document.problem(
            ("study", "clustered"),
            "no 'clustered' for arms with means",
            "'clustered: false' where people were assigned and drawn one by one, else true",
        )
    declared = any(sound.variables("cluster"))
    if (said or declared) and not (any(sound.variables("site")) or icc):
        yield document.problem(
            ("study", "clustered") if said else ("variables",),
            "arms of a design in clusters, "
            + ("neither by cluster nor with icc and cluster_size" if means else "not by cluster"),
            "arms by cluster, with the cluster as `site`"
            + (", or intraclass correlation and mean cluster size of each arm" * means),
            "give the arms by cluster"
            + (
                ", or add columns with 'as: icc' and 'as: cluster_size'"
                if means
                else "; of counts without clusters enter the effect with its ICC, design published"
            ),
            code="clustered-arms",
        )
    if said is False and icc:
        yield document.problem(
            ("study", "clustered"), "'clustered: false' beside 'as: icc'", "'clustered: true'"
        )
