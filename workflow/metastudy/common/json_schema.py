"""What breaks a JSON schema, said in the words of its user: place, what was found, what may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from metastudy.common.text import did_you_mean
from metastudy.common.yaml_document import YamlPath, read_yaml

__all__ = ["Violation", "validator", "violations"]

MAX_SHOWN = 60  # characters of a value that a message shows
# For each keyword of a schema what its limit asks for; of others jsonschema's own message is given.
_EXPECTED: Mapping[str, Callable[[Any], str]] = {
    "type": lambda limit: f"a value of type {_listed([limit] if _is_text(limit) else limit)}",
    "pattern": lambda limit: f"a text like {limit}",
    "minimum": lambda limit: f"a number of at least {limit:g}",
    "maximum": lambda limit: f"a number of at most {limit:g}",
    "exclusiveMinimum": lambda limit: f"a number above {limit:g}",
    "exclusiveMaximum": lambda limit: f"a number below {limit:g}",
    "minItems": lambda limit: f"at least {limit} in the list",
    "maxItems": lambda limit: f"at most {limit} in the list",
    "minProperties": lambda limit: f"at least {limit} entry",
    "maxProperties": lambda limit: f"at most {limit} entries",
    "minLength": lambda limit: f"at least {limit} character{'s' * (limit > 1)}",
    "maxLength": lambda limit: f"at most {limit} character{'s' * (limit > 1)}",
    "uniqueItems": lambda _: "each value once",
}


@dataclass(frozen=True)
class Violation:
    """One place that breaks a schema.

    Parameters
    ----------
    place : keys and positions from the top down to it.
    found, expected : what is there, and what may be there.
    unknown_key : whether it is a key that the schema does not have.
    """

    place: YamlPath
    found: str
    expected: str
    unknown_key: bool = False


@cache
def validator(path: Path, part: str | None = None, strict: bool = False) -> Draft202012Validator:
    """Read a schema, closed and with formats (``date``, ``email``) checked.

    Parameters
    ----------
    path : the schema, a YAML file.
    part : a name in its ``$defs``, to validate against that part alone.
    strict : a number with a decimal point is no whole one; to a schema 2.0 is.
    """
    schema = read_yaml(path).data
    if part:
        schema = {**schema, "$ref": f"#/$defs/{part}"}
    kind = Draft202012Validator
    if strict:
        types = kind.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
        kind = extend(kind, type_checker=types)
    return kind(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def violations(error: ValidationError) -> Iterator[Violation]:
    """Translate an error of a validator: one violation for each unknown key, else one."""
    place: YamlPath = tuple(error.absolute_path)
    value: Any = error.instance
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in map(str, value):
            if key not in known:
                found = f"the key '{key}'.{did_you_mean(key, known)}"
                yield Violation((*place, key), found, f"one of {', '.join(known)}", True)
        return
    if error.validator == "required":
        key = error.message.split("'")[1]
        yield Violation((*place, key), f"no '{key}'", f"'{key}' is needed here")
        return
    if error.validator == "dependentRequired":
        missing, key = error.message.split("'")[1::2]
        yield Violation((*place, key), f"'{key}' without '{missing}'", "both, or neither")
        return
    description = schema.get("description", "")
    found = "nothing" if value is None else f"{value!r}"
    found = found if len(found) <= MAX_SHOWN else found[: MAX_SHOWN - 3] + "..."
    if error.validator == "enum":
        options = [str(option) for option in schema["enum"]]
        near = did_you_mean(str(value), options)
        yield Violation(place, found + (f".{near}" if near else ""), f"one of {_listed(options)}")
        return
    if (error.validator, error.validator_value) == ("type", "string") and isinstance(
        value, bool | int | float
    ):
        yield Violation(place, found, f"a text, so in quotes: {_quoted(place, value)}")
        return
    wanted = _EXPECTED.get(str(error.validator), lambda _: error.message)(error.validator_value)
    yield Violation(place, found, wanted + (f" ({description})" if description else ""))


def with_defaults(value: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with what it leaves out and its schema has a default for, section by section."""
    found = dict(value)
    for name, own in schema.get("properties", {}).items():
        if name not in found and "default" in own:
            found[name] = own["default"]
        elif isinstance(found.get(name), dict):
            found[name] = with_defaults(found[name], own)
    return found


def _quoted(place: YamlPath, value: bool | int | float) -> str:
    """How a value is written as a text of YAML, after its key if it has one."""
    text = f"'{value}'".lower() if isinstance(value, bool) else f"'{value}'"
    return f"{place[-1]}: {text}" if place and isinstance(place[-1], str) else text


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))


def _is_text(value: object) -> bool:
    return isinstance(value, str)
