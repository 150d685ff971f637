"""Checks of a codebook whose rows are arms: counts of events, or means with standard deviations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import ARM_ROLES, IGNORE, PLACE_SECTIONS, listed
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import Document

__all__ = ["arm_problems"]

MODEL = "answers"  # the kind of model that takes means
# All that a row with means may have beside them: of its people nothing else is known.
BESIDE_MEANS = ("id", "site", "cluster", "factor", *PLACE_SECTIONS, *ARM_ROLES, IGNORE)


def arm_problems(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that arms have what they need, and that a design in clusters says how it is one."""
    if not sound.complete("variables"):
        return  # what is misspelt above would be reported again here
    names = {role: [e["name"] for _, e in sound.variables(role)] for role in ARM_ROLES}
    for one, others in (("people", ("events", "mean")), ("events", ("people",)),
                        ("mean", ("people",)), ("sd", ("mean",)), ("correlation", ("mean",)),
                        ("icc", ("cluster_size",)), ("cluster_size", ("icc",)),
                        ("icc", ("mean",))):  # fmt: skip
        if names[one] and not any(names[other] for other in others):
            wanted = " or ".join(f"'as: {other}'" for other in others)
            yield document.problem(
                ("variables",),
                f"'{names[one][0]}' with 'as: {one}', and no variable with {wanted}",
                "both, where a row is an arm: how many people, and how many of them have the "
                "event, or their mean and standard deviation",
            )
    if names["mean"]:
        yield from _means(document, sound, vocabulary)
    if names["events"] or names["mean"]:
        yield from _clusters(document, sound, bool(names["mean"]), bool(names["icc"]))


def _means(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """A mean has one standard deviation; correlations are of two means, of all pairs or none."""
    seen: dict[str, set[str]] = {"mean": set(), "sd": set()}
    for place, entry in sound.variables():
        role, construct = entry["as"], str(entry.get("construct"))
        if role not in BESIDE_MEANS or role == "events":
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' for '{entry['name']}' beside 'as: mean'",
                f"where rows are arms with means only {listed(BESIDE_MEANS)}, and no events",
            )
        if role in seen:
            if construct in seen[role]:
                yield document.problem(
                    (*place, "construct"),
                    f"a second '{role}' of '{construct}'",
                    "one mean and one standard deviation of each construct",
                )
            seen[role].add(construct)
        module = vocabulary.module(construct) if construct in vocabulary["constructs"] else None
        if role == "mean" and module and vocabulary.model(module) != MODEL:
            yield document.problem(
                (*place, "construct"),
                f"a mean of '{construct}', whose module '{module}' is a model of "
                f"'{vocabulary.model(module)}'",
                f"a construct of a module of the model '{MODEL}'",
            )
    means = seen["mean"]
    for role, lacking in (("sd", means - seen["sd"]), ("mean", seen["sd"] - means)):
        for construct in sorted(lacking):
            yield document.problem(
                ("variables",),
                f"no '{role}' of '{construct}'",
                "the mean and the standard deviation of each construct",
            )
    pairs = {frozenset(pair): 0 for pair in combinations(sorted(means), 2)}
    given = list(sound.variables("correlation"))
    for place, entry in given:
        pair = frozenset(map(str, entry.get("constructs", ())))
        if pair not in pairs or pairs[pair]:
            yield document.problem(
                (*place, "constructs"),
                f"a correlation of {listed(sorted(pair))}" + " a second time" * (pair in pairs),
                f"each pair of the means once: {listed(sorted(means))}",
            )
        else:
            pairs[pair] += 1
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
