"""Candidate studies of the configuration: their names, and whether the vocabulary has the rest."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean

__all__ = ["LONGEST", "MOST", "absent_candidates", "unshown_candidates", "wrong_candidates"]

MOST = 30  # candidates, each a row of one figure
LONGEST = 100  # characters of a name, which is beside its row
SHOWN = 40  # characters of a longer name that a message shows
# Control characters, ends of lines and halves of characters, which no figure can show.
UNSHOWN = ("Cc", "Zl", "Zp", "Cs")
FILE = "config/config.yaml or --config"
SECTIONS = {  # of the vocabulary, by key
    "module": "modules",
    "exposure_type": "exposure_types",
    "country": "countries",
    "sector": "sectors",
    "role": "roles",
    "response_mode": "response_modes",
}


def unshown_candidates(candidates: object) -> Iterator[Problem]:
    """Names of candidates that a figure cannot show, and more candidates than it has room for.

    Parameters
    ----------
    candidates : as the configuration has them; what breaks its schema is said elsewhere.
    """
    if not isinstance(candidates, list):
        return
    if len(candidates) > MOST:
        yield Problem(
            file=FILE,
            column="candidates",
            found=f"{len(candidates)} candidates",
            expected=f"at most {MOST}, for which the figure has room",
            fix=f"take {len(candidates) - MOST} of them out of `candidates`",
            code="candidate",
        )
    for at, candidate in enumerate(candidates):
        name = candidate.get("name") if isinstance(candidate, Mapping) else None
        if not isinstance(name, str) or not name:
            continue
        if unseen := [sign for sign in name if unicodedata.category(sign) in UNSHOWN]:
            found = f"{_start(name)} with {unseen[0]!a} in it"
            expected = "one line, without control characters"
        elif not name.strip():
            found, expected = "a blank name", "at least one character that can be seen"
        elif len(name) > LONGEST:
            found = f"{_start(name)}, {len(name)} characters"
            expected = f"at most {LONGEST} characters"
        else:
            continue
        yield Problem(
            file=FILE,
            column=f"candidates[{at}].name",
            found=found,
            expected=expected,
            fix="give the candidate a short name on one line, as the figure is to show it",
            code="candidate",
        )


def _start(name: str) -> str:
    return ascii(name) if len(name) <= SHOWN else f"{name[:SHOWN]!a}..."


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
        file=FILE,
        column=column,
        found=repr(found),
        expected=expected + there + did_you_mean(found, list(known)),
        fix="correct the candidate, or take it out of `candidates`",
        code="candidate",
    )
