"""The closed vocabularies: which constructs, codes, factors, places and reasons there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.common.text import did_you_mean, shown
from metastudy.common.yaml_document import Document, read_yaml

__all__ = [
    "DIRECTIONS",
    "METRICS",
    "MODELS",
    "POLES",
    "PRIORITIES",
    "REPORTED",
    "SD_ERRORS",
    "SECTIONS",
    "SMALL_SAMPLES",
    "STANDARDISERS",
    "TERMS",
    "VERIFICATIONS",
    "Vocabulary",
    "extend",
    "load",
    "merge",
    "of_studies",
]

MODELS = ("answers", "codings", "events")
_TEXTS = ("label",)
# For each section: the keys an entry must have, and those it may have besides.
SECTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "modules": ((*_TEXTS, "model", "question"), ()),
        "families": (_TEXTS, ("module", "burden")),
        "constructs": (
            (*_TEXTS, "definition", "direction", "family"),
            ("parent", "burden", "checks", "family_sign"),
        ),
        "codes": ((*_TEXTS, "branch", "family"), ("definition",)),
        "factors": ((*_TEXTS, "levels"), ("definition",)),
        "vignettes": (_TEXTS, ("definition", "tradeoff_towards")),
        "countries": (_TEXTS, ("definition", "in_sentence")),
        "sectors": (_TEXTS, ("definition",)),
        "roles": (_TEXTS, ("definition",)),
        "arrangements": (_TEXTS, ("definition",)),
        "exposure_types": (_TEXTS, ("definition",)),
        "response_modes": (_TEXTS, ("definition",)),
        "missing_reasons": (_TEXTS, ("definition",)),
        "dimensions": ((*_TEXTS, "poles"), ("definition",)),
        "moderators": (_TEXTS, ("definition", "levels", "unit")),
    }
)
# Sections that a vocabulary may do without: not every set has them.
OPTIONAL = ("dimensions", "moderators")
POLES = ("-1", "0", "1")  # what a case may be rated
# What a published finding may say; the codebook's schema describes each.
DIRECTIONS = ("positive", "negative", "null_result", "not_supported")
TERMS = ("main_effect", "interaction")
METRICS = (
    *("sd", "pomp", "log_odds", "log_risk_ratio", "percentage_points", "scale_points"),
    *("log_rate_ratio", "log_response_ratio", "fisher_z"),
)
# What a publication reports in place of a metric; only what is declared so is converted.
REPORTED = (
    *("odds_ratio", "risk_ratio", "rate_ratio", "response_ratio", "correlation"),
    *("log_odds", "sd"),
)
# The standard deviation that a standardised difference is in: of the reference arm, within both
# arms, of everybody; and what is in its estimate and in its standard error.
STANDARDISERS = ("control_sd", "pooled_sd", "total_sd")
SMALL_SAMPLES = ("corrected", "not_corrected")
SD_ERRORS = ("included", "not_included")
PRIORITIES = ("primary", "secondary")  # of a finding among those of its publication
VERIFICATIONS = ("micro", "published_numeric", "published_direction", "derived_bound")
# Which key of an entry names an entry of another section.
_REFERENCES = (
    ("families", "module", "modules"),
    ("constructs", "family", "families"),
    ("constructs", "parent", "constructs"),
    ("constructs", "checks", "factors"),  # the manipulation that it checks
    ("codes", "family", "families"),
)


@dataclass(frozen=True)
class Vocabulary:
    """The vocabularies, section by section, checked: ``vocabulary["constructs"]["name"]``."""

    sections: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def __getitem__(self, section: str) -> Mapping[str, Mapping[str, Any]]:
        return self.sections[section]

    def label(self, section: str, key: str) -> str:
        """Give an entry's label for the reader."""
        return str(self.sections[section][key]["label"])

    def levels(self, factor: str) -> Mapping[str, str]:
        """Give a factor's levels and their labels; the first is the reference."""
        levels: Mapping[str, str] = self.sections["factors"][factor]["levels"]
        return levels

    def family(self, name: str) -> str:
        """Give the family of a construct or of a code."""
        entry = self.sections["constructs"].get(name) or self.sections["codes"][name]
        return str(entry["family"])

    def family_of(self, name: str) -> str | None:
        """Give the family of what may be no construct, code or family; ``None`` if it is none."""
        if name in self.sections["constructs"] or name in self.sections["codes"]:
            return self.family(name)
        return name if name in self.sections["families"] else None

    def module(self, name: str) -> str | None:
        """Give the module that a construct or code belongs to; ``None`` if it is no outcome."""
        return self.sections["families"][self.family(name)].get("module")

    def model(self, module: str) -> str:
        """Give the kind of model of a module."""
        return str(self.sections["modules"][module]["model"])

    def folding(self, outcomes: Collection[str]) -> dict[str, str]:
        """Say for each outcome which of them it is a part of, as a whole: itself if of none.

        A part has a ``parent`` (of constructs) or a ``branch`` (of codes) among the outcomes and is
        of its family; the parts of parts belong to the outermost.
        """
        whole = {}
        for name in outcomes:
            chain = [name]
            while (above := self._above(chain[-1])) in outcomes and above not in chain:
                chain.append(above)
            whole[name] = chain[-1]
        return whole

    def _above(self, name: str) -> str:
        construct, code = self.sections["constructs"].get(name), self.sections["codes"].get(name)
        above = str(construct.get("parent", "") if construct else (code or {}).get("branch", ""))
        known = above in self.sections["constructs"] or above in self.sections["codes"]
        return above if known and self.family(above) == self.family(name) else ""


def _entry_problems(
    document: Document, base: tuple[str, ...], section: str, key: str, entry: Any
) -> Iterator[Problem]:
    place = (*base, section, key)
    required, optional = SECTIONS[section]
    if not isinstance(entry, dict):
        yield document.problem(
            place, f"{entry!r}", f"an entry with {', '.join(required)}", code="vocabulary"
        )
        return
    for name in entry:
        if name not in required + optional:
            yield document.problem(
                (*place, name),
                f"the key '{name}'.{did_you_mean(name, required + optional)}",
                f"one of {', '.join(required + optional)}",
                code="vocabulary",
            )
    for name in required:
        if name not in entry:
            yield document.problem(place, f"no '{name}'", f"'{name}' is needed", code="vocabulary")
    for name, value in entry.items():
        if name == "levels":
            good = isinstance(value, dict) and len(value) > 1
            good = good and all(isinstance(label, str) for label in value.values())
            expected = "at least two levels, each with a label"
        elif name == "poles":
            good = isinstance(value, dict) and sorted(value) == sorted(POLES)
            good = good and all(isinstance(label, str) for label in value.values())
            expected = f"a label for each of {', '.join(POLES)}"
        elif name in ("burden", "family_sign"):
            good, expected = value in (1, -1) and not isinstance(value, bool), "1 or -1"
        elif name == "model":
            good, expected = value in MODELS, f"one of {', '.join(MODELS)}"
        else:
            good, expected = isinstance(value, str) and bool(value.strip()), "a text"
        if not good:
            yield document.problem((*place, name), f"{value!r}", expected, code="vocabulary")


def _problems(
    document: Document, data: Any, base: tuple[str, ...], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Find what is wrong with the sections in ``data``, given what is already ``known``."""
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"{data!r}"[:60]
        yield document.problem(base, found, "sections of vocabulary entries", code="vocabulary")
        return
    for section, entries in data.items():
        if section not in SECTIONS:
            yield document.problem(
                (*base, section),
                f"the section '{section}'.{did_you_mean(section, SECTIONS)}",
                f"one of {', '.join(SECTIONS)}",
                code="vocabulary",
            )
        elif not isinstance(entries, dict):
            yield document.problem(
                (*base, section), f"{entries!r}"[:60], "entries by name", code="vocabulary"
            )
        else:
            for key, entry in entries.items():
                if known.get(section, {}).get(key, entry) != entry:  # the same once more is no harm
                    yield document.problem(
                        (*base, section, key),
                        f"'{key}', which the vocabulary has already, and says otherwise",
                        "a new name, or the same entry: an addition may not redefine one",
                        code="vocabulary",
                    )
                yield from _entry_problems(document, base, section, key, entry)
    for section, key, target in _REFERENCES:
        added = data.get(section)
        more = data.get(target)
        names = {*known.get(target, {}), *(more if isinstance(more, dict) else {})}
        for name, entry in added.items() if isinstance(added, dict) else ():
            value = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(value, str) and value not in names:
                yield document.problem(
                    (*base, section, name, key),
                    f"'{value}'.{did_you_mean(value, names)}",
                    f"an entry of {target}",
                    code="vocabulary",
                )


def load(path: Path) -> Vocabulary:
    """Load the vocabulary file and check it.

    Parameters
    ----------
    path : ``config/vocabulary.yaml``.

    Returns
    -------
    Vocabulary with every section of :data:`SECTIONS`.

    Raises
    ------
    BadInput
        With every problem of the file: unknown sections or keys, missing keys, names of
        families, modules or parents that do not exist.
    """
    document = read_yaml(Path(path), code="vocabulary")
    problems = list(_problems(document, document.data, (), {}))
    if isinstance(document.data, dict):
        problems += [
            Problem(
                file=shown(document.path),
                found=f"no section '{section}'",
                expected=f"the sections {', '.join(SECTIONS)}",
                fix=f"add '{section}:' to {shown(document.path)}",
                code="vocabulary",
            )
            for section in SECTIONS
            if section not in document.data and section not in OPTIONAL
        ]
    if problems:
        raise BadInput(problems)
    return Vocabulary({section: dict(document.data.get(section, {})) for section in SECTIONS})


def extend(
    vocabulary: Vocabulary, document: Document, additions: Any
) -> tuple[Vocabulary, list[Problem]]:
    """Add a study's own entries, given under ``vocabulary:`` in its codebook.

    Parameters
    ----------
    vocabulary : what there is.
    document : the codebook, for the places of problems.
    additions : the codebook's ``vocabulary`` section; nothing adds nothing.

    Returns
    -------
    The larger vocabulary and no problems, or the unchanged one and every problem.
    """
    if additions is None:
        return vocabulary, []
    problems = list(_problems(document, additions, ("vocabulary",), vocabulary.sections))
    if problems:
        return vocabulary, problems
    merged = {
        section: {**vocabulary[section], **additions.get(section, {})} for section in SECTIONS
    }
    return Vocabulary(merged), []


def merge(vocabulary: Vocabulary, additions: Iterable[Mapping[str, Any]]) -> Vocabulary:
    """Join what several studies added, each checked before by :func:`extend`.

    Raises
    ------
    MetastudyError
        Where two studies mean different things by one name.
    """
    sections = {section: dict(vocabulary[section]) for section in SECTIONS}
    for added in additions:
        for section, entries in added.items():
            for key, entry in entries.items():
                if sections[section].setdefault(key, entry) != entry:
                    raise MetastudyError(
                        f"two studies extend the vocabulary by {section}.{key}, with different "
                        "entries; give one of them another name, or move the entry to the "
                        "common vocabulary"
                    )
    return Vocabulary(sections)


def of_studies(path: Path, additions: Iterable[Mapping[str, Any]]) -> Vocabulary:
    """Load the common vocabulary with what each of some studies added to it.

    Parameters
    ----------
    path : ``config/vocabulary.yaml``.
    additions : the entries of each study, by section; a report and cells carry them as
        ``vocabulary``.

    Raises
    ------
    BadInput, MetastudyError
        As :func:`load` and :func:`merge`.
    """
    return merge(load(path), additions)
