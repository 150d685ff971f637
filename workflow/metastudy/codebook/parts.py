"""The parts of a codebook: study, data file, variables, rules, exposures, dependence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metastudy.codebook.checks.terms import IGNORE

__all__ = [
    "ROW_NUMBER",
    "DataFile",
    "Dependence",
    "Exposure",
    "Quality",
    "Rule",
    "Study",
    "Variable",
]

ROW_NUMBER = "(row number)"  # the variable that is the id where the codebook takes row numbers


def may_be_shared(said: Mapping[str, Any]) -> bool:
    """Whether files with a study's data may be given away, by what its codebook says of it."""
    share = str(said.get("share", "no")).lower()
    return said.get("provenance") == "simulated" or share in ("yes", "true")


@dataclass(frozen=True)
class Study:
    """What the codebook says of the study as a whole.

    A study of published findings may leave the places empty: each finding has its own. ``licence``
    and ``availability`` are of its data file, and ``share`` says whether it may be given away.
    ``published_size`` is that of the study for which a simulated one stands in.
    """

    id: str
    title: str
    citation: str
    design: str
    provenance: str
    response_mode: str = ""
    country: str = ""
    sector: str = ""
    role: str = ""
    arrangement: str = ""
    language: str | None = None
    label: str | None = None
    share: bool | str = "no"
    licence: str = ""
    availability: str = ""
    published_size: str = ""
    clustered: bool | None = None

    @property
    def shareable(self) -> bool:
        """Whether files with its data may be given away: of a simulated study, always."""
        return may_be_shared({"provenance": self.provenance, "share": self.share})


@dataclass(frozen=True)
class DataFile:
    """The data file and how it is written.

    ``format`` is ``None`` where the codebook does not declare it: the reader then recognises it.
    ``cases`` is a second file, of the cases of a list of segments.
    """

    name: str
    format: str | None = None
    encoding: str | None = None
    delimiter: str = ","
    decimal: str = "."
    sheet: str | None = None
    heading: str | None = None
    ids: str | None = None
    present: tuple[str, ...] = ("1",)
    cases: str | None = None
    cases_sheet: str | None = None


@dataclass(frozen=True)
class Variable:
    """One raw variable; ``role`` is the codebook's ``as``, raw codes are in canonical text."""

    name: str
    role: str = IGNORE
    accept: tuple[str, ...] = ()
    trait: str | None = None
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    randomised: bool = False
    construct: str | None = None
    constructs: tuple[str, ...] = ()
    item: str | None = None
    vignette: str | None = None
    min: float | None = None
    max: float | None = None
    keying: str = "positive"
    missing: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str | float | bool] = field(default_factory=dict)
    arm: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answer: float | None = None
    separator: str = ";"
    dimension: str | None = None
    evidence: str | None = None
    field: str | None = None
    moderator: str | None = None
    nesting: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule of exclusion; exactly one of the last four says which rows leave."""

    rule: str
    variable: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    duplicates: str | None = None
    unanswered: str | None = None

    @property
    def acts(self) -> bool:
        """Whether the rule itself says which rows leave."""
        return bool(self.drop or self.keep or self.duplicates or self.unanswered)


@dataclass(frozen=True)
class Quality:
    """One rule that marks rows and drops none; exactly one of the last three says which."""

    rule: str
    variable: str | None = None
    below_share_of_median: float | None = None
    constant_over: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exposure:
    """What outcomes are compared by: exactly one of a factor, a construct or an attribute."""

    type: str
    factor: str | None = None
    construct: str | None = None
    attribute: str | None = None

    @property
    def name(self) -> str:
        """The factor, construct or attribute."""
        return self.factor or self.construct or str(self.attribute)


@dataclass(frozen=True)
class PublishedTable:
    """A public table of a construct, by factors of the study and columns of its people."""

    construct: str
    vignette: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dependence:
    """How estimates hang together: of two findings, of a publication, or of all in the file.

    Exactly one of ``covariance`` and ``correlation`` is given.
    """

    findings: tuple[str, ...] = ()
    citation: str | None = None
    covariance: float | None = None
    correlation: float | None = None
