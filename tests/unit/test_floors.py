"""Modules import only from their own floor or from below; CONTRIBUTING.md lists the floors."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow" / "metastudy"


def floors() -> dict[str, int]:
    """Floor of each module, as the table in CONTRIBUTING.md has it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d) \| (.*?) \|", text, re.M)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


def imported(path: Path) -> set[str]:
    """Top modules of the library that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "metastudy":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("metastudy."):
            found.add(str(node.module).split(".")[1])
    return found


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


def test_every_module_stands_on_a_floor() -> None:
    assert {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in modules()} == set(floors())


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_from_no_floor_above(path: Path) -> None:
    at = floors()
    own = at[path.relative_to(PACKAGE).parts[0].removesuffix(".py")]
    above = {name for name in imported(path) if at[name] > own}
    assert above == set()
