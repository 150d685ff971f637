"""Sentences from verdicts: they follow from the numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metastudy.display.formatting import count, joined
from metastudy.posterior.verdicts import KINDS, Kind

__all__ = ["Finding", "Phrases", "comparison", "phrases", "summary"]

NAMED = 6  # so many labels are listed in a sentence; of more, only their number is told


@dataclass(frozen=True)
class Phrases:
    """Words for each verdict; verbs in the singular, then in the plural."""

    verb: Mapping[Kind, tuple[str, str]]
    noun: str  # what the contrast is: an effect, an association

    adjective: Mapping[Kind, str]


_ADJECTIVES: Mapping[Kind, str] = {
    "higher": "higher",
    "lower": "lower",
    "equivalent": "practically equal",
    "imprecise": "not clearly different",
}


def phrases(exposure_type: str, codes: bool = False) -> Phrases:
    """Choose words: only what was assigned at random raises or lowers anything.

    Parameters
    ----------
    exposure_type : ``randomised``, or any other.
    codes : whether outcomes are codes, of which the prevalence is compared.
    """
    what = " prevalence of" if codes else ""
    if exposure_type == "randomised":
        the = f" the{what}" if codes else ""
        return Phrases(
            {
                "higher": (f"raises{the}", f"raise{the}"),
                "lower": (f"lowers{the}", f"lower{the}"),
                "equivalent": (
                    "has an effect within the region of practical equivalence on",
                    "have effects within the region of practical equivalence on",
                ),
                "imprecise": (
                    "has no clearly signed effect on",
                    "have no clearly signed effect on",
                ),
            },
            "effect",
            _ADJECTIVES,
        )
    a = " a" if codes else ""
    return Phrases(
        {
            "higher": (f"goes with{a} higher{what}", f"go with{a} higher{what}"),
            "lower": (f"goes with{a} lower{what}", f"go with{a} lower{what}"),
            "equivalent": (
                "has an association within the region of practical equivalence with",
                "have associations within the region of practical equivalence with",
            ),
            "imprecise": (
                "has no clearly signed association with",
                "have no clearly signed association with",
            ),
        },
        "association",
        _ADJECTIVES,
    )


@dataclass(frozen=True)
class Finding:
    """One outcome's verdict, with its name inside a sentence and its numbers in words."""

    label: str
    kind: Kind
    numbers: str


def _subject(found: Sequence[Finding], everything: int, plural: str, numbers: bool) -> str:
    """Name outcomes; of many only how many they are."""
    if len(found) <= NAMED:
        return joined(f"{f.label} ({f.numbers})" if numbers else f.label for f in found)
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
    One sentence. Directions come first, with their numbers; imprecise outcomes are called so.

    Examples
    --------
    >>> one = Finding("x", "higher", "0.24 SD, 95% interval 0.11 to 0.38")
    >>> summary("a change", [one, Finding("y", "imprecise", "")], phrases("randomised"))
    'A change raises x (0.24 SD, 95% interval 0.11 to 0.38); the effect on y is imprecise.'
    """
    of = {kind: [f for f in findings if f.kind == kind] for kind in KINDS}
    preposition = "on" if words.noun == "effect" else "with"
    signed = [
        f"{words.verb[kind][0]} {joined(f'{f.label} ({f.numbers})' for f in of[kind])}"
        for kind in KINDS[:2]
        if of[kind]
    ]
    clauses = [f"{subject} {' and '.join(signed)}"] if signed else []
    for kind, singular, several in (
        ("equivalent", "lies", "lie"),
        ("imprecise", "is", "are"),
    ):
        if not (found := of[kind]):  # type: ignore[index]
            continue
        one = len(found) == 1
        owner = "" if clauses else f" of {subject}"
        says = "within the region of practical equivalence" if kind == "equivalent" else "imprecise"
        clauses.append(
            f"the {words.noun}{'' if one else 's'}{owner} {preposition} "
            f"{_subject(found, len(findings), plural, kind == 'equivalent')} "
            f"{singular if one else several} {says}"
        )
    text = "; ".join(clauses)
    return text[:1].upper() + text[1:] + "."


def comparison(findings: Sequence[Finding], plural: str = "outcomes") -> str:
    """Say which outcomes have a clear sign. That is no test of a difference between outcomes.

    >>> comparison([Finding("a", "higher", ""), Finding("b", "imprecise", "")])
    'Of the two outcomes, only a has a clear sign (higher).'
    """
    signed = [f for f in findings if f.kind in ("higher", "lower")]
    total = count(len(findings))
    if len(findings) == 1:
        only = findings[0]
        state = f"has a clear sign ({only.kind})" if signed else "has no clear sign"
        return f"The one {plural.removesuffix('s')}, {only.label}, {state}."
    if not signed:
        return f"None of the {total} {plural} has a clear sign."
    listed = joined(f"{f.label} ({f.kind})" for f in signed)
    if len(signed) == len(findings):
        return f"All {total} {plural} have a clear sign: {listed}."
    if len(signed) == 1:
        return (
            f"Of the {total} {plural}, only {signed[0].label} has a clear sign ({signed[0].kind})."
        )
    return f"Of the {total} {plural}, {count(len(signed))} have a clear sign: {listed}."
