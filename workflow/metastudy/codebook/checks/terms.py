"""Terms that the checks share: which keys go together, with which designs and formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean, shown
from metastudy.common.yaml_document import Document

__all__ = [
    "ACTIONS",
    "ANY_ROLE",
    "ARM_ROLES",
    "ATTRIBUTE_TYPES",
    "CODED_DESIGNS",
    "CODED_FORMATS",
    "DESIGN_BASED",
    "FIELD_OPTIONS",
    "FIELD_SECTIONS",
    "IGNORE",
    "KEYS_OF_FORMATS",
    "MARKS",
    "NEEDED_FIELDS",
    "NO_CONSENT",
    "OF_OUTCOME",
    "PLACE_SECTIONS",
    "PUBLISHED_ROLES",
    "ROLE_DESIGNS",
    "SIGNED_FIELDS",
    "SINGLE",
    "known_terms",
    "listed",
]

IGNORE = "ignore"
NO_CONSENT = "no_consent"  # the rule that the consent variable stands for
ANY_ROLE = ("name", "as", "note")
SINGLE = (
    *("id", "consent", "site", "cluster", "country", "sector", "arrangement", "role"),
    *("coders", "coder", "weight", "code", "start", "end", "people", "total", "outcome"),
    *("icc", "cluster_size"),
)
ARM_ROLES = (
    *("people", "total", "events", "count", "mean", "sd", "correlation", "icc", "cluster_size"),
)
OF_OUTCOME = ("events", "mean", "sd")  # what a row has of its outcome, where it is one of an arm
PLACE_SECTIONS = {
    "country": "countries",
    "sector": "sectors",
    "arrangement": "arrangements",
    "role": "roles",
}
CODED_DESIGNS = ("interviews", "cases")
CODED_FORMATS = ("qdpx", "matrix", "segments")
KEYS_OF_FORMATS = {  # keys of `file`, and the formats in which they mean something
    "encoding": ("csv", "qualtrics", "markdown", "matrix", "segments", "sav", "dta"),
    "delimiter": ("csv", "qualtrics", "matrix", "segments"),
    "sheet": ("xlsx", "matrix", "segments"),
    "heading": ("markdown",),
    "present": ("matrix",),
    "cases": ("segments",),
    "cases_sheet": ("segments",),
}
# Kinds of variable that go with some designs only.
ROLE_DESIGNS = {
    **dict.fromkeys(("finding", "moderator", "nesting"), ("published",)),
    "rating": CODED_DESIGNS,
    **dict.fromkeys(("coder", "code", "start", "end"), CODED_DESIGNS),
    **dict.fromkeys((*ARM_ROLES, "outcome"), ("experiment", "survey")),
}
PUBLISHED_ROLES = ("id", "finding", "moderator", "nesting", IGNORE)
# With one of these a direction is computed; the others of an effect have no sign.
SIGNED_FIELDS = ("estimate", "mean_treatment", "events_treatment", "r", "t", "z")
NEEDED_FIELDS = ("citation", "contrast", "exposure_type", "outcome", "direction", "verification")
FIELD_SECTIONS = {
    "exposure_type": "exposure_types",
    "response_mode": "response_modes",
    "vignette": "vignettes",
    "family": "families",
    "role": "roles",
    "country": "countries",
    "sector": "sectors",
}
FIELD_OPTIONS = {
    "direction": vocabularies.DIRECTIONS,
    "term": vocabularies.TERMS,
    "priority": vocabularies.PRIORITIES,
    "metric": vocabularies.METRICS,
    "reported_as": vocabularies.REPORTED,
    "standardiser": vocabularies.STANDARDISERS,
    "small_sample": vocabularies.SMALL_SAMPLES,
    "sd_error": vocabularies.SD_ERRORS,
    "verification": vocabularies.VERIFICATIONS,
}
MARKS = ("below_share_of_median", "constant_over", "keep")
ATTRIBUTE_TYPES = {"arrangement": "organisational", "role": "measured", "sector": "measured"}
DESIGN_BASED = "design_based"
ACTIONS = ("drop", "keep", "duplicates", "unanswered")


def listed(values: Any) -> str:
    """The values with commas between them."""
    return ", ".join(map(str, values))


def known_terms(
    document: Document,
    vocabulary: Vocabulary,
    section: str,
    value: str,
    place: tuple[str | int, ...],
    code: str = "codebook",
) -> Iterator[Problem]:
    """Give a problem at ``place`` if a value is no entry of this section of the vocabulary."""
    if value not in vocabulary[section]:
        known = listed(vocabulary[section])
        near = did_you_mean(value, vocabulary[section])
        yield document.problem(
            place,
            f"'{value}'" + (f".{near}" if near else ""),
            f"an entry of the vocabulary's {section}: {known or 'it has none yet'}",
            f"correct line {document.line(place)} of {shown(document.path)}, or define '{value}' "
            f"under vocabulary.{section} there",
            code=code,
        )
