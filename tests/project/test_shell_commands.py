"""Nothing that a user names is read by the shell: neither a file, a folder, nor a setting."""

from __future__ import annotations

import re

import pytest

from helpers.repository import ROOT

RULES = [ROOT / "workflow" / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
SHELL = re.compile(r"^    shell:\n((?:        .*\n)+)", re.MULTILINE)
IN_PLACE = re.compile(r"\{([^{}]+)\}")
# Numbers of Snakemake's own, and words that are quoted where they are made.
SAFE = {"threads", "LIBRARY", "STORED", "KEEP", "GENERATOR"}


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_whatever_a_rule_puts_into_its_command_is_quoted(path) -> None:
    text = path.read_text("utf-8")
    found = {one for command in SHELL.findall(text) for one in IN_PLACE.findall(command)}
    assert len(SHELL.findall(text)) == text.count("    shell:")
    assert {one for one in found if not one.endswith(":q")} <= SAFE


def test_what_is_asked_of_the_store_is_quoted_too() -> None:
    text = (ROOT / "workflow" / "rules" / "common.smk").read_text("utf-8")
    stored = re.search(r"^STORED = \(\n(.+?)^\)", text, re.MULTILINE | re.DOTALL)
    assert stored
    found = set(IN_PLACE.findall(stored[1]))
    assert {one for one in found if not one.endswith(":q")} == {"LIBRARY", "KEEP"}
    assert "KEEP = f\" --store {in_words(config['store'])}\"" in text


def test_no_name_is_read_as_a_regular_expression() -> None:
    text = "".join(path.read_text("utf-8") for path in RULES)
    constraints = re.findall(
        r"^ +(?:study|module|fit)=(.+),$",
        "".join(re.findall(r"wildcard_constraints:\n((?:\s+\w+=.+\n)+)", text)),
        re.MULTILINE,
    )
    assert len(constraints) == 7
    assert all(one.startswith("one_of(") for one in constraints)


def test_make_puts_no_name_of_a_folder_into_a_command() -> None:
    assert "CURDIR" not in (ROOT / "Makefile").read_text("utf-8")
