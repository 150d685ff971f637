"""Checks of the shape of a codebook against its schema, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from metastudy.codebook.checks.terms import listed
from metastudy.common.problems import Problem
from metastudy.common.text import did_you_mean
from metastudy.common.yaml_document import Document, read_yaml

__all__ = ["SCHEMA", "Sound", "codebook_schema", "from_schema", "role_keys"]

__resources__ = ("../../../schemas/codebook.schema.yaml",)
SCHEMA = Path(__file__).parents[3] / "schemas" / "codebook.schema.yaml"


@cache
def codebook_schema() -> Draft202012Validator:
    return Draft202012Validator(read_yaml(SCHEMA).data)


@cache
def role_keys() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each kind of variable the keys that it needs, and those it may have besides."""
    schema: Any = codebook_schema().schema
    entry = schema["properties"]["variables"]["items"]["properties"]

    def keys(role: str, mark: str) -> tuple[str, ...]:
        return tuple(key for key, of in entry.items() if role in of.get(mark, ()))

    return {
        role: (keys(role, "x-needed-with"), keys(role, "x-allowed-with"))
        for role in entry["as"]["enum"]
    }


def from_schema(document: Document, error: ValidationError) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    value: Any = error.instance
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in value:
            if key not in known:
                yield document.problem(
                    (*place, key),
                    f"the key '{key}'.{did_you_mean(key, known)}",
                    f"one of {', '.join(known)}",
                )
        return
    if error.validator == "required":
        key = error.message.split("'")[1]
        yield document.problem((*place, key), f"no '{key}'", f"'{key}' is needed here")
        return
    description = schema.get("description", "")
    found = f"{value!r}" if len(f"{value!r}") <= 60 else f"{value!r}"[:57] + "..."
    if error.validator == "enum":
        options = [str(option) for option in schema["enum"]]
        near = did_you_mean(str(value), options)
        yield document.problem(
            place, found + (f".{near}" if near else ""), f"one of {listed(options)}"
        )
        return
    wanted = {
        "type": lambda limit: f"a value of type {listed([limit] if _is_text(limit) else limit)}",
        "pattern": lambda limit: f"a text like {limit}",
        "minItems": lambda limit: f"at least {limit} in the list",
        "minProperties": lambda limit: f"at least {limit} entry",
        "minLength": lambda limit: f"at least {limit} character",
        "maxLength": lambda limit: f"at most {limit} character",
        "uniqueItems": lambda _: "each value once",
    }.get(str(error.validator), lambda _: error.message)(error.validator_value)
    yield document.problem(place, found, wanted + (f" ({description})" if description else ""))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True)
class Sound:
    """The parts of a raw codebook that have the right shape, so that the rest can be checked."""

    raw: Mapping[str, Any]
    wrong: set[tuple[str | int, ...]]

    def section(self, name: str) -> bool:
        return name in self.raw and not any(place[:1] == (name,) for place in self.wrong)

    def study(self) -> Mapping[str, Any]:
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
        return all(place[:1] != (name,) for place in self.wrong)

    def variables(self, *roles: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
        for place, entry in self.entries("variables"):
            if not roles or entry["as"] in roles:
                yield place, entry
