"""Sentences from verdicts: they follow from the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metastudy.codebook.interactions import INTERACTION
from metastudy.display.formatting import count, joined, numbered
from metastudy.posterior.verdicts import CLAIMS, Kind

__all__ = ["DOWN", "UP", "Finding", "Phrases", "comparison", "differences", "phrases", "summary"]

NAMED = 6  # this many labels are listed in a sentence; of more, only their number is given
UP: tuple[Kind, ...] = ("clear_higher", "higher")
DOWN: tuple[Kind, ...] = ("clear_lower", "lower")


@dataclass(frozen=True)
class Phrases:
    """Words for each verdict; verbs in the singular, then in the plural."""

    verb: Mapping[Kind, tuple[str, str]]
    noun: str  # what the contrast is: an effect, an association, a difference of effects

    adjective: Mapping[Kind, str]


_ADJECTIVES: Mapping[Kind, str] = {
    "clear_higher": "higher",
    "clear_lower": "lower",
    "too_small": "different by too little to matter",
    "higher": "higher",
    "lower": "lower",
    "undecided": "undecided",
}


def phrases(exposure_type: str, codes: bool = False) -> Phrases:
    """Choose words: only what was assigned at random raises or lowers anything.

    Parameters
    ----------
    exposure_type : ``randomised``, ``interaction``, of which effects are compared, or any other.
    codes : whether outcomes are codes, of which the prevalence is compared.
    """
    what = " prevalence of" if codes else ""
    if exposure_type == INTERACTION:
        up, down = ((f"is {way} on", f"are {way} on") for way in ("higher", "lower"))
        noun, before = "difference", "on"
    elif exposure_type == "randomised":
        the = f" the{what}" if codes else ""
        up, down = ((f"{verb}s{the}", f"{verb}{the}") for verb in ("raise", "lower"))
        noun, before = "effect", "on"
    else:
        a = " a" if codes else ""
        up, down = (
            (f"goes with{a} {more}{what}", f"go with{a} {more}{what}")
            for more in ("higher", "lower")
        )
        noun, before = "association", "with"
    verbs: dict[Kind, tuple[str, str]] = {
        "clear_higher": up,
        "clear_lower": down,
        "too_small": (
            f"has {_a(noun)} too small to matter {before}",
            f"have {noun}s too small to matter {before}",
        ),
        "higher": up,
        "lower": down,
        "undecided": (
            f"has {_a(noun)} of undecided sign {before}",
            f"have {noun}s of undecided sign {before}",
        ),
    }
    return Phrases(verbs, noun, _ADJECTIVES)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass(frozen=True)
class Finding:
    """One outcome's verdict, with its name inside a sentence and its numbers in words.

    ``border`` says that more draws might change the verdict.
    """

    label: str
    kind: Kind
    numbers: str
    border: bool = False

    @property
    def named(self) -> str:
        """The label, with a remark on the border."""
        return f"{self.label} (on the border)" if self.border else self.label

    @property
    def told(self) -> str:
        """The label with its numbers, and whether the size is clear where the sign is."""
        size = {True: "clear", False: "size open"}[self.kind.startswith("clear")]
        more = [f"; {size}"] * (self.kind in CLAIMS) + ["; on the border"] * self.border
        return f"{self.label} ({self.numbers}{''.join(more)})"


def _subject(found: Sequence[Finding], everything: int, plural: str, numbers: bool) -> str:
    """Name outcomes; of many only how many they are."""
    if len(found) <= NAMED:
        return joined(f.told if numbers else f.named for f in found)
    return f"{'all' if len(found) == everything else 'the other'} {count(len(found))} {plural}"


def summary(
    subject: str, findings: Sequence[Finding], words: Phrases, plural: str = "outcomes"
) -> str:
    """Compose the sentence that says what an exposure does to each of its outcomes.

    Parameters
    ----------
    subject : one unit of the exposure, in the singular, such as "a change from few to many".
    findings : the outcomes' verdicts.
    words : from :func:`phrases`.
    plural : what the outcomes are called where they are too many to be named.

    Returns
    -------
    One sentence. Directions come first, with their numbers; what is undecided is called so.

    Examples
    --------
    >>> one = Finding("x", "higher", "0.24 SD")
    >>> summary("a change", [one, Finding("y", "undecided", "")], phrases("randomised"))
    'A change raises x (0.24 SD; size open); the effect on y is undecided.'
    """
    preposition = "with" if words.noun == "association" else "on"
    signed = [
        f"{words.verb[kinds[0]][0]} {joined(f.told for f in mine)}"
        for kinds in (UP, DOWN)
        if (mine := [f for f in findings if f.kind in kinds])
    ]
    clauses = [f"{subject} {' and '.join(signed)}"] if signed else []
    for kind, says in (("too_small", "too small to matter"), ("undecided", "undecided")):
        if not (found := [f for f in findings if f.kind == kind]):
            continue
        one = len(found) == 1
        owner = "" if clauses else f" of {subject}"
        clauses.append(
            f"the {words.noun}{'' if one else 's'}{owner} {preposition} "
            f"{_subject(found, len(findings), plural, kind == 'too_small')} "
            f"{'is' if one else 'are'} {says}"
        )
    text = "; ".join(clauses)
    return text[:1].upper() + text[1:] + "."


def comparison(findings: Sequence[Finding], plural: str = "outcomes") -> str:
    """Say which outcomes have a decided sign. That is no statement about differences of outcomes.

    >>> comparison([Finding("a", "higher", ""), Finding("b", "undecided", "")])
    'Of the two outcomes, one has a decided sign: a (higher, size open).'
    """
    signed = [f for f in findings if f.kind in CLAIMS]
    total = count(len(findings))
    said = joined(f"{f.label} ({_verdict(f)})" for f in signed)
    if len(findings) == 1:
        only = findings[0]
        state = f"has a decided sign ({_verdict(only)})" if signed else "has no decided sign"
        return f"The one {plural.removesuffix('s')}, {only.label}, {state}."
    if not signed:
        return f"None of the {total} {plural} has a decided sign."
    if len(signed) == len(findings):
        return f"All {total} {plural} have a decided sign: {said}."
    have = "has" if len(signed) == 1 else "have"
    return f"Of the {total} {plural}, {count(len(signed))} {have} a decided sign: {said}."


def power_scaled(prior: int, both: int, total: int, one: str, digits: bool = False) -> str:
    """Say how many means move with a power of the prior, and how many with one of the data as well.

    Parameters
    ----------
    prior, both : how many are sensitive to the prior, and how many of these to the likelihood.
    total : of how many.
    one : what they are, in the singular.
    digits : whether the total is in digits.

    >>> power_scaled(0, 0, 4, "pooled mean"), power_scaled(1, 0, 1, "pooled mean")
    ... # doctest: +NORMALIZE_WHITESPACE
    ('Power-scaling finds none of four pooled means sensitive to the prior.',
     'Power-scaling finds the pooled mean sensitive to the prior, but not to the likelihood.')
    """
    if total == 1:
        data = ", and to the likelihood as well" if both else ", but not to the likelihood"
        finds = "finds" if prior else "does not find"
        return f"Power-scaling {finds} the {one} sensitive to the prior{data if prior else ''}."
    as_well = f", {count(both) if both else 'none'} of them to the likelihood as well"
    return (
        f"Power-scaling finds {count(prior) if prior else 'none'} of "
        f"{numbered(total, one, digits=digits)} sensitive to the prior{as_well if prior else ''}."
    )


def _verdict(finding: Finding) -> str:
    way = "higher" if finding.kind in UP else "lower"
    size = "clear" if finding.kind.startswith("clear") else "size open"
    return f"{way}, {size}" + ", on the border" * finding.border


def differences(lead: str, findings: Sequence[Finding], noun: str = "effect") -> str:
    """Say which differences have a decided sign, and how many have none.

    Parameters
    ----------
    lead : what the differences are between, such as "Against the mean of the others".
    findings : the differences, each with the outcome that it is of.
    noun : what differs, in the singular.

    >>> found = [Finding("x", "clear_higher", "0.2"), Finding("y", "undecided", "")]
    >>> differences("Against the others", found)
    'Against the others, the effect is higher on x (0.2; clear); one difference is undecided.'
    """
    preposition = "with" if noun == "association" else "on"
    signed = [
        f"{way} {preposition} {joined(f.told for f in mine)}"
        for way, kinds in (("higher", UP), ("lower", DOWN))
        if (mine := [f for f in findings if f.kind in kinds])
    ]
    rest = [
        f"{count(number)} {'difference is' if number == 1 else 'differences are'} {says}"
        for kind, says in (("too_small", "too small to matter"), ("undecided", "undecided"))
        if (number := sum(f.kind == kind for f in findings))
    ]
    first = (
        f"the {noun} is {' and '.join(signed)}" if signed else "no difference has a decided sign"
    )
    return f"{lead}, " + "; ".join([first, joined(rest)] if rest else [first]) + "."
