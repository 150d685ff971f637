"""Draft the codebook of a table of arms, by the names that its columns have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from metastudy.codebook.codebook import Codebook
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.text import private
from metastudy.drafting.columns import numbering
from metastudy.drafting.roles import LABEL_LENGTH, TODO
from metastudy.drafting.spelling import SEVERAL, file_lines, flow, opening, raw_code, remark
from metastudy.readers.raw import RawTable

__all__ = ["Part", "draft", "parts"]

MOST_VALUES = 20  # of arms, outcomes and places that are listed
# What is of one arm or outcome: the name may have its own before or behind, as mean_trust.
_NUMBERS = {
    "people": r"n|total|sample(_?size)?|participants|respondents|n_?total|total_?n",
    "mean": r"m|mean|average|avg",
    "sd": r"sd|s_d|std(_?dev(iation)?)?|standard_deviation",
    "events": r"events?|successes",
    "correlation": r"r|cor(relation)?",
    "icc": r"icc",
    "cluster_size": r"cluster_?size",
}
_PLACES = {
    "factor": r"arm|group|condition|treatment|intervention|(experimental|treatment)_(group|arm)",
    "outcome": r"outcome(_?name)?|measure|dv|question|scale",
    "site": r"site|centre|center|school|ward|town|place|hospital|location",
    "country": r"country",
    "sector": r"sector",
    "study": r"study(_?(id|name|label))?|author(s|_year)?|paper|publication|citation|reference",
}
_NEEDS = {"mean": ("construct", "min", "max"), "sd": ("construct",), "events": ("construct",)}


@dataclass(frozen=True)
class Part:
    """What a column of a table of arms seems to be, and the rest of its name: an arm or outcome."""

    role: str
    of: str = ""


def parts(names: Sequence[str]) -> dict[str, Part]:
    """The parts of a table of arms that columns seem to be; nothing for other tables.

    Such a table has numbers of people with means and their standard deviations; or with events, and
    then a column of the arms, or several columns of people, each of an arm.

    >>> [part.role for part in parts(["arm", "n", "mean", "sd"]).values()]
    ['factor', 'people', 'mean', 'sd']
    """
    found = {name: part for name in names if (part := _part(name))}
    have = {(part.role, part.of) for part in found.values()}
    roles = [part.role for part in found.values()]
    people = {part.of for part in found.values() if part.role == "people"}
    scored = any(("sd", of) in have for role, of in have if role == "mean")
    arms = "factor" in roles or len(people - {""}) > 1
    return found if people and (scored or (arms and "events" in roles)) else {}


def _part(name: str) -> Part | None:
    spelt = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    for role, pattern in _PLACES.items():
        if re.fullmatch(pattern, spelt):
            return Part(role)
    for role, pattern in _NUMBERS.items():
        if re.fullmatch(pattern, spelt):
            return Part(role)
    for role, pattern in _NUMBERS.items():
        for form in (rf"(?:{pattern})_(?P<of>.+)", rf"(?P<of>.+)_(?:{pattern})"):
            if known := re.fullmatch(form, spelt):
                return Part(role, known["of"])
    return None


def draft(
    name: str,
    codebook: Codebook,
    table: RawTable,
    known: Mapping[str, Part],
    head: Iterable[str],
    vocabulary: Vocabulary,
) -> str:
    """Draft a codebook of arms.

    Parameters
    ----------
    name : of the file.
    codebook : what was found out of the file.
    known : parts by column (:func:`parts`).
    head : the lines of the study as a whole.
    vocabulary : what there is to choose from.

    Returns
    -------
    YAML, as :func:`metastudy.drafting.draft.draft` gives it. Of the cells, the names of arms and
    outcomes are in it.
    """
    identity = numbering(table, known)
    seen = ", ".join(dict.fromkeys(part.role for part in known.values()))
    lines = [
        *opening(
            f"{name}, which seems to be a table of arms ({seen}): {len(table.data)} rows",
            "docs/arms.md has all shapes of such tables",
        ),
        *head,
        *file_lines(codebook),
        *([] if identity else ["  ids: row_numbers # guess: no column numbers the rows"]),
        "",
        f"outcomes: [{TODO}] # constructs of the vocabulary: {', '.join(vocabulary['constructs'])}",
        "exposures:",
        f"  - factor: {TODO} # of the vocabulary: {', '.join(vocabulary['factors'])}",
        f"    type: {TODO} # one of {', '.join(vocabulary['exposure_types'])}",
        "",
        "variables:",
    ]
    apart = len({p.of for p in known.values() if p.role == "people"} - {""}) > 1
    by_outcome = any(part.role == "outcome" for part in known.values())
    for text in dict.fromkeys(table.names):
        lines.append(f"  - name: {flow(text)}")
        if text not in table.data:
            lines.append(SEVERAL)
        elif text == identity:
            lines.append("    as: id # guess: another value in every row")
        elif text not in known:
            lines.append(f"    as: {TODO} # factor, site, total or ignore, say: docs/arms.md")
        else:
            values = [str(one) for one in dict.fromkeys(table.data[text]) if one != ""]
            entry = _entry(known[text], values, apart, by_outcome, vocabulary)
            lines += (f"    {line}" for line in entry)
    return "\n".join(lines) + "\n"


def _entry(
    part: Part, values: Sequence[str], apart: bool, by_outcome: bool, vocabulary: Vocabulary
) -> Iterator[str]:
    """The lines of one column below its name."""
    if part.role == "study":
        if len(values) > 1:
            yield f"as: {TODO} # a folder is of one study: ignore, and a file for each study"
        else:
            yield "as: ignore # guess: it names one study"
        return
    if part.role in _PLACES and any(private(v) or len(v) > LABEL_LENGTH for v in values):
        yield f"as: {TODO} # long texts, which may identify a person: none of them is here"
        return
    yield f"as: {part.role} # guess: the name"
    if part.role == "factor":
        yield f"randomised: {TODO} # true or false: whether chance assigned it"
        yield f"factors: # factors of the vocabulary: {', '.join(vocabulary['factors'])}"
        yield from (f"  {line}" for line in _mapped(TODO, values, TODO))
    elif part.role == "outcome":
        yield from _mapped("scales", values, f"{{construct: {TODO}, min: {TODO}, max: {TODO}}}")
    elif part.role in ("country", "sector"):
        yield from _mapped("values", values, TODO)
    elif part.role == "correlation":
        yield f"constructs: [{TODO}, {TODO}]"
    if part.role in _NUMBERS and apart:
        yield f"arm: {{{TODO}: {TODO}}} {remark(f'factor and level; the name says {part.of}')}"
    if not by_outcome:
        said = f" {remark(f'the name says {part.of}')}" if part.of and not apart else ""
        for at, key in enumerate(_NEEDS.get(part.role, ())):
            yield f"{key}: {TODO}{'' if at else said}"


def _mapped(key: str, values: Sequence[str], to: str) -> Iterator[str]:
    yield f"{key}:"
    for value in values[:MOST_VALUES]:
        yield f"  {flow(raw_code(value))}: {to}"
    if len(values) > MOST_VALUES:
        yield f"  # and {len(values) - MOST_VALUES} more"
