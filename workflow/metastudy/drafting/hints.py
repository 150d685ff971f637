"""What the name of a column suggests, and whether the name says no more than that."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NO_HINT", "Hint", "hint_of"]

SENTENCE = 4  # words of a name that is a question, as form services write them
# What a name or label suggests, in this order. Where a word is the end or the beginning of others
# (candidate, website, agency, alarm), it has to stand by itself: words are parted by _.
_NAMES = (
    ("event", r"^redcap_(event_name|repeat_instrument|repeat_instance)$|^wave$"),
    ("private", r"e-?mail|ip_?address|^ip$|phone|telefo|address|adresse|latitude|longitude|"
     r"^name$|_name$|(first|last|full|sur|fore|nick)_?name|^na[av][mn]$|fornavn|efternavn|voornaam|"
     r"achternaam|birth|f.dsels"),
    ("date", r"(?<![a-z])date|date$|datum|dato$|(?<![a-z])dato|^start$|^end$|time_?stamp"),
    ("consent", r"consent|samtyk|toestemming|suostumus|^i?_?agreed?$"),
    ("weight", r"weight|v.gt$|gewicht|paino|^w$|^wt"),
    ("id", r"^id$|_id$|^id_|record_?id|response_?id|^nr$|number$|nummer|token|"
     r"respondent(_?(id|nr|no|number|code))?$|^case(_?(id|nr|no|number|code))?\d*$"),
    ("coder", r"^coders?$|coded_by|koder"),
    ("site", r"home$|(?<![a-z])site|organi[sz]ation|institution|institute|(?<![a-z])school|"
     r"municip|data_access_group|kommune|gemeente|hospital|hjem$"),
    ("gender", r"gender|geslacht|^sex$|^k.n$|koen|sukupuoli"),
    ("age_band", r"^age(?![a-z])|^age_?(band|group|cat|class)|alder|leeftijd|^ik.$"),
    ("tenure_yrs", r"tenure|seniority|anciennit|years_(in|at)|ervaring"),
    ("region", r"region|regio|province|landsdel|maakunta"),
    ("occupation", r"occupation|profession|job_?title|stilling|beroep|ammatti"),
    ("arm", r"(?<![a-z])cond(?![a-z])|conditi|(?<![a-z])arm$|(?<![a-z])treat|vignet|"
     r"(?<![a-z])version|group$|_do_|random|manip|framing"),
    ("country", r"^country|^land$|^maa$"),
    ("sector", r"^sector|sektor"),
    ("duration", r"duration|seconds|minutes|varighed|duur"),
)  # fmt: skip
# Parts of a name that say nothing of what a column is about.
_FILLERS = re.compile(
    r"\d*|[a-z]|\d*[a-z]\d*|id|nr|no|num|number|code|name|type|of|in|at|the|my|your|exp|study|"
    r"survey|main|own|band|group|cat|category|class|years?|yrs"
)


@dataclass(frozen=True)
class Hint:
    """What a name suggests.

    Parameters
    ----------
    kind : a kind of :data:`_NAMES`, or ``""``.
    alone : whether the name says no more than that: ``organisation_id`` does not, and
        ``organisation_commitment`` does; a number at its end makes it one of a block.
    """

    kind: str
    alone: bool


NO_HINT = Hint("", True)


def hint_of(name: str, title: str) -> Hint:
    """Tell what a name suggests; of a title, a whole sentence, only what protects a person.

    >>> hint_of("organisation_id", ""), hint_of("Organisation commitment 1", "")
    (Hint(kind='site', alone=True), Hint(kind='site', alone=False))
    """
    if len(name.split()) >= SENTENCE:  # a question: what it asks is not what the column is
        name, title = "", f"{name} {title}"
    spelt = re.sub(r"[\s.-]+", "_", name.lower())
    of = spelt.removesuffix("_id")
    if of != spelt and (whose := hint_of(of, "")).kind not in ("", "id"):
        return whose  # of a site, a region
    for kind, pattern in _NAMES:
        if found := re.search(pattern, spelt):
            start = spelt.rfind("_", 0, found.start() + 1) + 1
            end = spelt.find("_", max(found.end() - 1, found.start()))
            rest = [spelt[:start].strip("_"), spelt[end:].strip("_") if end >= 0 else ""]
            words = [word for part in rest for word in part.split("_")]
            numbered = bool(re.fullmatch(r"\d+", words[-1])) if words else False
            return Hint(kind, not numbered and all(map(_FILLERS.fullmatch, words)))
    private = re.search(dict(_NAMES)["private"], title.lower().replace(" ", "_"))
    return Hint("private", False) if private else NO_HINT
