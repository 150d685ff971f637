"""Candidate studies of the configuration: whether the vocabulary has all that they name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean

__all__ = ["absent_candidates", "wrong_candidates"]

SECTIONS = {  # of the vocabulary, by key
    "module": "modules",
    "exposure_type": "exposure_types",
    "country": "countries",
    "sector": "sectors",
    "role": "roles",
    "response_mode": "response_modes",
}


def wrong_candidates(
    candidates: Iterable[Mapping[str, Any]], vocabulary: Vocabulary
) -> Iterator[Problem]:
    """All that candidates name and nobody knows, with a likely spelling.

    Parameters
    ----------
    candidates : that keep the schema of the configuration.
    vocabulary : with what the studies add to it.

    Notes
    -----
    A study that is not here is no error: it may have been removed, or the configuration is that of
    a larger project (:func:`absent_candidates`).
    """
    names: list[str] = []
    for at, candidate in enumerate(candidates):
        place = f"candidates[{at}]"
        if candidate["name"] in names:
            yield _wrong(f"{place}.name", candidate["name"], "a name that no other candidate has")
        names.append(candidate["name"])
        for key, value, known, what in _named(candidate, vocabulary):
            if value not in known:
                yield _wrong(f"{place}.{key}", value, what, known)


def absent_candidates(
    candidates: Iterable[Mapping[str, Any]], studies: Collection[str], modules: Collection[str]
) -> dict[str, str]:
    """Candidates that have no place here: by name the reason.

    Parameters
    ----------
    candidates : as for :func:`wrong_candidates`.
    studies, modules : what is in the build.
    """
    found = {}
    for candidate in candidates:
        study = candidate.get("within")
        if candidate["module"] not in modules:
            found[candidate["name"]] = f"no study here has an outcome of {candidate['module']}"
        elif study and study not in studies:
            why = f"it would be part of the study {study}, which is not here."
            found[candidate["name"]] = why + did_you_mean(study, studies)
    return found


def _named(
    candidate: Mapping[str, Any], vocabulary: Vocabulary
) -> Iterator[tuple[str, str, Collection[str], str]]:
    """Each name that a candidate gives: its key, the name, which there are, what they are."""
    for key, section in SECTIONS.items():
        yield key, candidate[key], list(vocabulary[section]), f"one of the {section}"
    exposures = [*vocabulary["factors"], *vocabulary["constructs"]]
    for name in candidate["exposures"]:
        yield "exposures", name, exposures, "a factor or a construct"
    module = candidate["module"]
    families = [f for f, own in vocabulary["families"].items() if own.get("module") == module]
    every = [*vocabulary["constructs"], *vocabulary["codes"]]
    outcomes = [*families, *(name for name in every if vocabulary.family(name) in families)]
    for name in candidate["outcomes"] if module in vocabulary["modules"] else ():
        yield "outcomes", name, outcomes, f"an outcome or a family of the module {module}"
    if "level" in candidate:
        one = candidate["exposures"][0]
        levels = list(vocabulary.levels(one)) if one in vocabulary["factors"] else []
        known = levels[:2] if len(candidate["exposures"]) == 1 else []
        what = "a level of its only exposure, which is compared between organisations"
        between = candidate["exposure_type"] != "randomised"
        yield "level", candidate["level"], known if between else [], what


def _wrong(column: str, found: str, expected: str, known: Collection[str] = ()) -> Problem:
    there = f": {', '.join(known)}" if known else ""
    return Problem(
        file="config/config.yaml or --config",
        column=column,
        found=repr(found),
        expected=expected + there + did_you_mean(found, list(known)),
        fix="correct the candidate, or take it out of `candidates`",
        code="candidate",
    )
