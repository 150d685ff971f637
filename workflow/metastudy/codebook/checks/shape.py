"""Checks of the shape of a codebook against its schema, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from metastudy.common.json_schema import validator

__all__ = ["SCHEMA", "Sound", "finding_fields", "role_keys"]

__resources__ = ("../../../schemas/codebook.schema.yaml",)
SCHEMA = Path(__file__).parents[3] / "schemas" / "codebook.schema.yaml"


@cache
def role_keys() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each kind of variable the keys that it needs, and those it may have besides."""
    schema: Any = validator(SCHEMA).schema
    entry = schema["properties"]["variables"]["items"]["properties"]

    def keys(role: str, mark: str) -> tuple[str, ...]:
        return tuple(key for key, of in entry.items() if role in of.get(mark, ()))

    return {
        role: (keys(role, "x-needed-with"), keys(role, "x-allowed-with"))
        for role in entry["as"]["enum"]
    }


@cache
def finding_fields() -> tuple[str, ...]:
    """The fields that a published finding may have."""
    schema: Any = validator(SCHEMA).schema
    return tuple(schema["properties"]["variables"]["items"]["properties"]["field"]["enum"])


@dataclass(frozen=True)
class Sound:
    """The parts of a raw codebook that have the right shape, so that the rest can be checked."""

    raw: Mapping[str, Any]
    wrong: set[tuple[str | int, ...]]

    def section(self, name: str) -> bool:
        """Whether a section is in the codebook and nothing in it has a wrong shape."""
        return name in self.raw and not any(place[:1] == (name,) for place in self.wrong)

    def study(self) -> Mapping[str, Any]:
        """The section ``study``; empty where it is missing or has a wrong shape."""
        return self.raw["study"] if self.section("study") else {}

    def entries(self, name: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Give place and content of each well-shaped entry of a list or mapping."""
        section = self.raw.get(name)
        if isinstance(section, list):
            pairs: Any = enumerate(section)
        else:
            pairs = section.items() if isinstance(section, dict) else ()
        for key, entry in pairs:
            if not {(name,), (name, key)} & self.wrong:
                yield (name, key), entry

    def complete(self, name: str) -> bool:
        """Whether nothing in a section has a wrong shape; true also where it is missing."""
        return all(place[:1] != (name,) for place in self.wrong)

    def variables(self, *roles: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
        """Give place and content of each well-shaped variable; without roles, of all of them."""
        for place, entry in self.entries("variables"):
            if not roles or entry["as"] in roles:
                yield place, entry
