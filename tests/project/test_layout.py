"""The layout keeps what it promises; the layers themselves are contracts in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import architecture_page
from helpers.repository import ROOT

PACKAGE = ROOT / "workflow" / "metastudy"
UNIT = ROOT / "tests" / "unit"
HELPERS = ROOT / "tests" / "helpers"
LONGEST, SHORTEST = 400, 25


def test_every_rule_that_runs_python_has_a_command_of_its_name_and_every_command_a_rule() -> None:
    commands = {p.stem for p in (PACKAGE / "commands").glob("*.py") if p.name[0] != "_"}
    rules = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for name, body in re.findall(
            r"^rule (\w+):\n(.*?)(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S
        ):
            for module in re.findall(r"python -m ([\w.]+)", body):
                rules[name] = module
    assert rules == {name: f"metastudy.commands.{name}" for name in commands}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_is_neither_too_long_nor_a_crumb(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= LONGEST
    if path.name != "__init__.py" and path.parent.name != "commands":
        assert lines >= SHORTEST


def test_every_package_says_what_it_is() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert path.read_text("utf-8").startswith('"""'), path


def test_the_drawing_of_the_layers_is_what_the_contract_says() -> None:
    assert (ROOT / "docs" / "architecture.md").read_text("utf-8") == architecture_page.page(), (
        "run: python tools/architecture_page.py --out docs/architecture.md"
    )


def test_the_folders_of_the_unit_tests_are_the_packages_of_the_library() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    tested = {path.parent.name for path in UNIT.glob("*/test_*.py")}
    assert tested == packages
    assert not list(UNIT.glob("*.py")), "a test of the library is with its package"


def test_no_helper_has_a_name_that_pytest_collects_or_is_without_a_user() -> None:
    texts = [path.read_text("utf-8") for path in HELPERS.parent.rglob("*.py")]
    for path in HELPERS.glob("*.py"):
        assert not path.name.startswith("test_"), path
        if path.stem != "__init__":
            assert any(f"from helpers.{path.stem} import" in text for text in texts), path
