"""What counts as a change of code: nothing that cannot change a result, all that can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.common.code_digest import closure, code_digest, file_digest
from metastudy.common.problems import MetastudyError

LIBRARY = ROOT / "workflow"

MODULES = {
    "__init__.py": '"""A package."""\n',
    "fit.py": '"""Fits."""\nfrom lib.draw import sample\n\n\ndef main():\n    return sample(2)\n',
    "draw.py": "from . import units\n\n\ndef sample(n):\n    return n * units.SCALE\n",
    "units.py": "SCALE = 3\n",
    "figures.py": "import lib.units\n\n\ndef plot():\n    return lib.units.SCALE\n",
    "render/__init__.py": '__resources__ = ("../../schemas/*.yaml", "style.css")\n',
    "render/__main__.py": "from ..units import SCALE\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small package: fit imports draw, draw imports units; figures is apart."""
    for name, text in MODULES.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "config.yaml").write_text("type: object\n")
    (tmp_path / "lib" / "render" / "style.css").write_text("body {}\n")
    return tmp_path


def changed(root: Path, file: str, text: str, module: str = "lib.fit") -> bool:
    """Whether the module's digest changes when a file gets another text."""
    before = code_digest(module, root)
    (root / file).write_text(text)
    return code_digest(module, root) != before


def test_a_digest_is_the_same_twice_and_wherever_the_project_stands(root: Path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "moved").symlink_to(root)
    here = code_digest("lib.render", root)
    assert len(here) == 64
    assert code_digest("lib.render", root) == here
    assert code_digest("lib.render", elsewhere / "moved") == here
    assert code_digest("lib.render", str(root)) == here


@pytest.mark.parametrize(
    "text",
    [
        MODULES["draw.py"] + "# a remark\n",
        MODULES["draw.py"].replace("return", "return  (").replace("SCALE", "SCALE\n    )"),
        MODULES["draw.py"].replace("    return", '    """Says what it does."""\n    return'),
        '"""A module, explained."""\n' + MODULES["draw.py"],
    ],
    ids=["comment", "formatting", "docstring of a function", "docstring of the module"],
)
def test_what_cannot_change_a_result_keeps_the_digest(root: Path, text: str):
    assert not changed(root, "lib/draw.py", text)


def test_a_docstring_of_a_class_does_not_count_but_a_string_that_is_used_does(root: Path):
    (root / "lib/units.py").write_text("class Unit:\n    name = 'm'\n")
    assert not changed(root, "lib/units.py", 'class Unit:\n    """A unit."""\n    name = "m"\n')
    assert changed(root, "lib/units.py", "class Unit:\n    name = 'km'\n")


@pytest.mark.parametrize("file", ["lib/fit.py", "lib/draw.py"])
def test_a_touch_keeps_the_digest(root: Path, file: str):
    before = code_digest("lib.fit", root)
    os.utime(root / file, (1, 1))
    assert code_digest("lib.fit", root) == before


def test_a_change_in_a_helper_of_a_helper_changes_the_digest(root: Path):
    assert changed(root, "lib/units.py", "SCALE = 4\n")


def test_a_change_in_the_package_itself_changes_the_digest(root: Path):
    assert changed(root, "lib/__init__.py", "import warnings\n")


def test_a_renamed_function_changes_the_digest(root: Path):
    before = code_digest("lib.fit", root)
    for file in ("lib/fit.py", "lib/draw.py"):
        path = root / file
        path.write_text(path.read_text().replace("sample", "draws"))
    assert code_digest("lib.fit", root) != before


def test_a_module_that_is_not_imported_does_not_count(root: Path):
    assert not changed(root, "lib/figures.py", "def plot():\n    return 1\n")
    assert not changed(root, "lib/new.py", "1\n")


def test_a_new_import_enters_the_closure(root: Path):
    assert "lib.figures" not in closure("lib.fit", root)
    late = MODULES["draw.py"] + "\n\ndef late():\n    from .figures import plot\n\n    plot()\n"
    assert changed(root, "lib/draw.py", late)
    assert changed(root, "lib/figures.py", "def plot():\n    return 1\n")


def test_the_closure_follows_every_way_to_import(root: Path):
    assert list(closure("lib.fit", root)) == ["lib", "lib.draw", "lib.fit", "lib.units"]
    assert list(closure("lib.figures", root)) == ["lib", "lib.figures", "lib.units"]
    assert list(closure("lib.render", root)) == [
        "lib",
        "lib.render",
        "lib.render.__main__",
        "lib.units",
    ]


def test_a_circle_of_imports_ends(root: Path):
    assert changed(root, "lib/units.py", "import lib.fit\n\nSCALE = 3\n")


def test_the_files_that_a_module_declares_count(root: Path):
    assert changed(root, "schemas/config.yaml", "type: array\n", "lib.render")
    assert changed(root, "lib/render/style.css", "body { color: black }\n", "lib.render")
    assert changed(root, "schemas/codebook.yaml", "type: object\n", "lib.render")
    assert not changed(root, "schemas/readme.md", "not declared\n", "lib.render")


def test_the_files_of_an_imported_module_count_too(root: Path):
    assert changed(root, "lib/draw.py", MODULES["draw.py"] + "\nimport lib.render\n")
    assert changed(root, "schemas/config.yaml", "type: array\n")


def test_files_of_the_same_name_in_two_folders_both_count(root: Path):
    (root / "lib/style.css").write_text("p {}\n")
    (root / "lib/fit.py").write_text('import lib.render\n\n__resources__ = ("style.css",)\n')
    assert changed(root, "lib/style.css", "p { margin: 0 }\n")
    assert changed(root, "lib/render/style.css", "p { margin: 1 }\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('__resources__ = ("gone.lua",)\n', "gone.lua"),
        ("__resources__ = tuple(sorted('ab'))\n", "literal tuple"),
        ("from lib.gone import x\n", "imports lib.gone"),
        ("def f(:\n", "cannot be read as Python"),
    ],
    ids=["missing file", "computed list", "missing module", "syntax error"],
)
def test_what_cannot_be_digested_is_named(root: Path, text: str, said: str):
    (root / "lib/draw.py").write_text(text)
    with pytest.raises(MetastudyError, match=said) as error:
        code_digest("lib.fit", root)
    assert "draw.py" in str(error.value)


def _data_files(library: Path) -> list[Path]:
    """What modules read and is no Python; pages for readers and licences change no result."""
    own = [path for path in (library / "metastudy").rglob("*") if path.is_file()]
    own = [path for path in own if path.suffix not in (".py", ".pyc", ".json", ".md", ".txt")]
    return [*own, *(library / "schemas").iterdir(), *(library / "report" / "data").iterdir()]


def test_whatever_the_library_reads_is_declared(tmp_path: Path):
    """A style sheet that no module declares would be changed and nothing rendered anew."""
    copy = tmp_path / "workflow"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    commands = (copy / "metastudy" / "commands").glob("*.py")
    modules = ["metastudy.config", *(f"metastudy.commands.{path.stem}" for path in commands)]
    modules.append("metastudy.codebook.reference_page")
    files = _data_files(copy)
    assert {"manuscript.css", "config.schema.yaml", "page.html"} <= {path.name for path in files}
    before = [code_digest(module, copy) for module in modules]
    for path in files:
        path.write_bytes(path.read_bytes() + b"\n")
        after = [code_digest(module, copy) for module in modules]
        assert after != before, f"no module declares {path.relative_to(copy)} in __resources__"
        before = after


def test_the_library_itself_is_parsed_once_and_then_remembered():
    """All commands with their closures: each reading of the Snakefile digests them."""
    program = (
        "import ast, sys; from pathlib import Path\n"
        "from metastudy.common.code_digest import code_digest\n"
        "parse, parsed = ast.parse, []\n"
        "ast.parse = lambda source: parsed.append(1) or parse(source)\n"
        "root = Path(sys.argv[1])\n"
        "for path in sorted(root.glob('metastudy/commands/*.py')):\n"
        "    code_digest('metastudy.commands.' + path.stem, root)\n"
        "print(len(parsed))"
    )
    for _ in ("the first time in a new clone", "a memory that became full", "from then on"):
        made = subprocess.run(
            [sys.executable, "-c", program, str(LIBRARY)],
            env=os.environ | {"PYTHONPATH": str(LIBRARY)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert int(made.stdout) == 0


def test_a_file_digest_is_the_sha256_of_the_bytes(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a").startswith("ba7816bf8f01cfea")


def fresh_digest(root: Path) -> str:
    """The digest as a new process makes it."""
    code = (
        "from metastudy.common.code_digest import code_digest as d; import sys; "
        "print(d('pkg.a', sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        env={"PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("damage", ["", "{", '{"x": 1}', "[]"], ids=["whole", "cut", "odd", "list"])
def test_what_is_remembered_of_files_changes_no_digest(tmp_path: Path, damage: str) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from pkg import b\n")
    (package / "b.py").write_text("X = 1\n")
    first = fresh_digest(tmp_path)
    (memory,) = (package / "__pycache__").glob("digests-*.json")
    assert len(json.loads(memory.read_text())) == 3
    if damage:
        memory.write_text(damage)
    assert fresh_digest(tmp_path) == first
    (package / "b.py").write_text("X = 2\n")
    second = fresh_digest(tmp_path)
    assert second != first
    memory.unlink()
    assert fresh_digest(tmp_path) == second
