"""What breaks a schema is said in the words of its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from metastudy.common.json_schema import validator, violations
from metastudy.common.yaml_document import parse_yaml

SCHEMA = """
properties:
  name: {type: string, description: The raw name.}
  codes: {type: array, items: {type: string}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: 1", "a text, so in quotes: name: '1'"),
        ("name: 2.5", "a text, so in quotes: name: '2.5'"),
        ("name: true", "a text, so in quotes: name: 'true'"),
        ("codes: [a, 7]", "a text, so in quotes: '7'"),
        ("name: [a]", "a value of type string (The raw name.)"),
        ("name: ", "a value of type string (The raw name.)"),
    ],
)
def test_a_number_where_a_text_is_needed_is_told_with_its_quotes(
    tmp_path: Path, text: str, expected: str
) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text(SCHEMA, "utf-8")
    (error,) = validator(schema).iter_errors(parse_yaml(text).data)
    (found,) = violations(error)
    assert found.expected == expected
    if "quotes" in expected:
        mended = text.replace(text.split()[-1].rstrip("]"), expected.split()[-1])
        assert not list(validator(schema).iter_errors(parse_yaml(mended).data))


def test_a_key_with_no_value_is_nothing_and_not_none(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text(SCHEMA, "utf-8")
    (error,) = validator(schema).iter_errors(parse_yaml("name: ").data)
    (found,) = violations(error)
    assert found.found == "nothing"
