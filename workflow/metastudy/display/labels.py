"""Labels: what a reader calls a study, an outcome, an exposure or a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from metastudy.codebook.interactions import INTERACTION, TIMES, is_interaction, parts_of
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import split_values
from metastudy.common.unsaid import NOT_SAID, UNSAID, is_unsaid
from metastudy.display.formatting import inline, joined, words

__all__ = ["Exposure", "Labels", "study_label"]

# What the names of a component are made of; one that cannot be distinguished from another has both.
GROUPINGS = {"study", "country", "sector", "setting", "vignette", "organisation"}
GROUPINGS |= {"family", "exposure_type", "response_mode", "estimate", "effect"}
# Between name and year of a key of the bibliography, which is what a publication is called by.
_UNSAID_BY = re.compile(r"(?<=not said by )[^;]+?(?= and \d+ more|, each a level|;|$)")
_YEAR = re.compile(r"(?<=[a-z])_?(?=(?:19|20)\d\d(?!\d))")


@dataclass(frozen=True)
class Exposure:
    """What an exposure's id says: ``<name>_<type>``, with ``_<level>`` where there are several."""

    id: str
    type: str
    name: str
    label: str
    change: str  # what one unit of it is, as the subject of a sentence
    level: str = ""  # of a factor with more than two levels: the one beside the reference
    arms: tuple[str, str] = ("", "")  # labels of a factor's reference level and of the other one


@dataclass(frozen=True)
class Labels:
    """Names for the reader of everything that has a key.

    Parameters
    ----------
    vocabulary : the common vocabulary with what the studies add to it.
    studies : label of each study.
    """

    vocabulary: Vocabulary
    studies: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: str, *sections: str) -> str:
        """The label of a key in the first of these sections that has it, else the key as words."""
        if is_unsaid(key):
            return f"{words(NOT_SAID)} ({self.study(key.removeprefix(UNSAID))})"
        for section in sections or tuple(self.vocabulary.sections):
            if key in self.vocabulary[section]:
                return self.vocabulary.label(section, key)
        return self.studies.get(key) or words(_YEAR.sub(" ", key))

    @cached_property
    def _positions(self) -> dict[str, int]:
        listed = (*self.vocabulary["countries"], *self.vocabulary["sectors"])
        return {place: at for at, place in enumerate(listed)}

    def position(self, key: str) -> int:
        """Where a country or sector stands: readers look for places in the vocabulary's order.

        Several in one cell stand where the first does; what is no place stands before all.
        """
        return self._positions.get(next(iter(split_values(key)), ""), -1)

    def position_in_study(self, key: str) -> tuple[int, ...]:
        """Where a setting stands among those of its study, by its country and then its sector.

        A key that names no study, as that of a country, stands where the country does.
        """
        study, *places = key.split(":")
        return tuple(map(self.position, places or [study]))

    def country_in_sentence(self, key: str) -> str:
        """A country as a sentence has it: with the article that some names take."""
        entry = self.vocabulary["countries"].get(key, {})
        return str(entry.get("in_sentence") or self.of(key, "countries"))

    def outcome(self, key: str) -> str:
        """Label of a construct, code or family."""
        return self.of(key, "constructs", "codes", "families")

    def study(self, key: str) -> str:
        """Label of a study."""
        return self.studies.get(key) or words(_YEAR.sub(" ", key))

    def of_reason(self, reason: str) -> str:
        """A reason of the design, with the labels of the studies that do not say where they are."""
        return _UNSAID_BY.sub(lambda by: ", ".join(map(self.study, by[0].split(", "))), reason)

    def setting(self, key: str) -> str:
        """Label of a setting: a study, with its country, sector and role where it has several."""
        study, *places = key.split(":")
        named = (self.of(place, "countries", "sectors", "roles") for place in places)
        return ", ".join([self.study(study), *named])

    def many(self, keys: str, *sections: str) -> list[str]:
        """Labels of the keys that a cell joins."""
        return [self.of(key, *sections) for key in split_values(keys)]

    def exposure(self, key: str, kind: str) -> Exposure:
        """Read an exposure's id, with the words for its label and for one unit of it."""
        if kind == INTERACTION:
            return self._interaction(key)
        factors, constructs = self.vocabulary["factors"], self.vocabulary["constructs"]
        stem, _, level = key.rpartition(f"_{kind}")
        name = stem or key
        if name in factors and (kind != "measured" or name not in constructs):
            levels = self.vocabulary.levels(name)
            reference, second = list(levels)[:2]
            other = level.lstrip("_") or second
            label = self.of(name, "factors")
            low, high = inline(levels[reference]), inline(levels[other])
            if level:
                label = f"{label}: {levels[other]}"
            change = f"a change from {low} to {high}"
            if kind != "randomised":
                change = f"the {inline(words(name))} “{high}” rather than “{low}”"
            arms = (levels[reference], levels[other])
            return Exposure(key, kind, name, label, change, level.lstrip("_"), arms)
        label = self.of(name, *(("constructs",) if name in constructs else ("factors",)))
        # A published contrast that the vocabulary does not have says itself what it compares.
        change = f"one standard deviation more of {inline(label)}"
        change = change if name in constructs else inline(label)
        return Exposure(key, kind, name, label, change)

    def _interaction(self, key: str) -> Exposure:
        """An interaction: of what the effect differs, and by what."""
        one, other = (self.exposure_by_id(part) for part in parts_of(key))
        what = "effect" if one.type == "randomised" else "association"
        label = f"{one.label} × {inline(other.label)}"
        change = f"the {what} of {one.change}, with {other.change},"
        return Exposure(key, INTERACTION, f"{one.name}{TIMES}{other.name}", label, change)

    def exposure_by_id(self, key: str) -> Exposure:
        """An exposure by its id alone, which ends in its type or in its type and level."""
        found = [
            (f"{name}_{kind}", kind)
            for kind in self.vocabulary["exposure_types"]
            for name in (*self.vocabulary["factors"], *self.vocabulary["constructs"])
            if key == f"{name}_{kind}" or key.startswith(f"{name}_{kind}_")
        ]
        kind = max(found, key=lambda one: len(one[0]), default=("", ""))[1]
        return self.exposure(key, kind) if kind else Exposure(key, "", key, words(key), words(key))

    def exposure_with_type(self, key: str, kind: str) -> str:
        """Label of an exposure, with its type in brackets."""
        return f"{self.exposure(key, kind).label} ({inline(self.of(kind, 'exposure_types'))})"

    def parameter(self, name: str) -> list[str]:
        """Words for each part of a parameter's name, ``name[part, part]``.

        Known keys become their labels, exposures too; ``tau`` says only that the parameter is a
        standard deviation, and goes.
        """
        head, _, inside = name.partition("[")
        parts = [head, *inside.rstrip("]").split(", ")] if inside else [head]
        return [self._part(part) for part in parts]

    def _part(self, part: str) -> str:
        if part == "intercept":
            return "Baseline"
        known = {
            f"{name}_{kind}": self.exposure(f"{name}_{kind}", kind)
            for kind in self.vocabulary["exposure_types"]
            for name in (*self.vocabulary["factors"], *self.vocabulary["constructs"])
        }
        found = []
        for piece in self._pieces(part):
            if piece in ("tau", "all") or piece in self.vocabulary["exposure_types"]:
                continue
            if "+" in piece and set(piece.split("+")) & GROUPINGS:
                found.append(f"{words(joined(piece.split('+')))} in one")
                continue
            if is_interaction(piece):
                found.append(self._interaction(piece).label)
                continue
            if " " in piece:  # a published contrast that the vocabulary does not have
                contrast, _, kind = piece.rpartition("_")
                found.append(self.exposure_with_type(contrast, kind))
                continue
            ours = [key for key in known if piece == key or piece.startswith(f"{key}_")]
            if ours:
                best = known[max(ours, key=len)]
                found.append(self.exposure_with_type(best.id, best.type))
            elif any(piece in entries for entries in self.vocabulary.sections.values()):
                found.append(self.of(piece))
            else:
                found.append(words(piece.removesuffix("_tau")))
        first, *rest = found or [""]
        return ", ".join([first, *map(inline, rest)])

    def _pieces(self, part: str) -> list[str]:
        """Keys in a part of a parameter's name: between bars and blanks, but a contrast is one."""
        found = []
        for between in part.split("|"):
            kinds = "|".join(map(re.escape, self.vocabulary["exposure_types"]))
            contrast = re.match(rf"(\S+ .*_(?:{kinds}))(?: (.*))?$", between) if kinds else None
            if contrast:
                found += [contrast[1], *(contrast[2] or "").split()]
            else:
                found += between.split()
        return found


def study_label(study: Mapping[str, Any]) -> str:
    """A study's short name: what its codebook says, else its id as words."""
    return str(study.get("label") or words(str(study["id"])))
