"""Words of a parcel that have to be the vocabulary's: where each place is, and how one is refused.

Cells of answers, cells of codes and ``study.json`` all name places.
"""

from __future__ import annotations

from collections.abc import Iterable

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.unsaid import is_unsaid
from metastudy.parcels.refusals import Refusal

__all__ = ["NOT_IN_VOCABULARY", "NOT_STATED", "SECTION_OF", "check_word", "says_nothing"]

NOT_IN_VOCABULARY = (
    "run `snakemake request`, and ask the owner for the parcel made with parcels/request.json"
)
# The part of the vocabulary that each place is in.
SECTION_OF = {
    "country": "countries",
    "sector": "sectors",
    "role": "roles",
    "arrangement": "arrangements",
}
NOT_STATED = "not_stated"  # of a role; a country or sector that nobody said is the study's own


def says_nothing(name: str) -> bool:
    """Whether a place is one that a study does not say, so no vocabulary has it."""
    return name in (NOT_STATED, "not_applicable") or is_unsaid(name)


def check_word(name: str, sections: Iterable[str], vocabulary: Vocabulary, place: str = "") -> None:
    """Check that one of some parts of the vocabulary has a name.

    Parameters
    ----------
    place : where the name is in the parcel, for the error; nothing of cells.

    Raises
    ------
    Refusal
        ``vocabulary`` if none has it.
    """
    if not any(name in vocabulary[section] for section in sections):
        raise Refusal(
            f"'{name[:80]}', which is not among the {' or '.join(sections)}",
            "one of the vocabulary",
            NOT_IN_VOCABULARY,
            "vocabulary",
            place,
        )
