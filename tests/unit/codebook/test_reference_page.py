"""The page on the codebook language says what the schema and the code say, and its example runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers.raw_studies import VOCABULARY, harmonized, study
from helpers.repository import ROOT
from metastudy.codebook import reference_page, vocabulary
from metastudy.common.problem_codes import CODES
from metastudy.common.yaml_document import read_yaml

PACKAGE = ROOT / "workflow" / "metastudy"
# Modules that read data files and codebooks, and what is summed up from them.
READING = ("codebook", "common", "commands", "drafting", "harmonize", "harmonized", "models")
READING += ("readers", "synthesis")


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "codebook_reference.py", *map(str, arguments)],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_page_is_what_the_schema_gives() -> None:
    assert (ROOT / "docs" / "codebook.md").read_text("utf-8") == reference_page.page()


def test_a_page_that_drifted_is_told_with_the_cure_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "page.md"
    assert command("--out", out).returncode == 0
    assert command("--out", out, "--check").returncode == 0
    out.write_text(out.read_text("utf-8").replace("keying", "keyring"), "utf-8")
    before = out.read_text("utf-8")
    done = command("--out", out, "--check")
    assert done.returncode == 1
    assert "[drift]" in done.stderr
    assert "tools/codebook_reference.py --out" in done.stderr
    assert out.read_text("utf-8") == before


def keys(schema: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    """Every key of the schema, with what it says."""
    for name, of in schema.get("properties", {}).items():
        yield prefix + name, of
        yield from keys(of, f"{prefix}{name}.")
        yield from keys(of.get("items", {}), f"{prefix}{name}[].")


SCHEMA = read_yaml(PACKAGE.parent / "schemas" / "codebook.schema.yaml").data


@pytest.mark.parametrize(("name", "of"), list(keys(SCHEMA)), ids=lambda one: str(one)[:40])
def test_every_key_has_a_description_and_an_example_on_the_page(name: str, of: dict) -> None:
    text = reference_page.page()
    assert f"`{name}`" in text
    first = " ".join(of["description"].split()).split(". ")[0]
    assert first in text
    if "properties" not in of and "properties" not in of.get("items", {}):
        assert of["examples"]
    assert len(of.get("enumDescriptions", of.get("enum", ()))) == len(of.get("enum", ()))


DATA = (
    "person;agreed;garden;street;w;letter;age;q1;q2;remark;mode;seconds\n"
    "1;1;A;x;0,5;1;1;5;5;-;;100\n2;1;A;y;1,5;2;9;2;4;-;;90\n3;2;A;y;1;2;2;2;4;-;;90\n"
    "4;1;A;y;1;2;2;8;9;-;;90\n5;1;A;y;1;2;2;8;3;-;test;90\n6;1;B;y;2;2;2;1;3;-;;10\n"
)


def test_the_example_on_the_page_is_a_codebook_that_works(tmp_path: Path) -> None:
    folder = study(tmp_path / "my_survey", "answers.csv", DATA.encode("cp1252"), "")
    text = reference_page.EXAMPLE.read_text("utf-8")
    text = text.replace("provenance: observed", "provenance: simulated")
    (folder / "codebook.yaml").write_text(text.replace("name: answers.csv", CSV), "utf-8")
    report = harmonized(folder).report
    assert report["excluded"] == {"no_consent": 1, "test_row": 1, "breakoff": 1}
    assert report["quality"] == [
        {"rule": "too_fast", "rows": 1},
        {"rule": "same_answer", "rows": 1},
    ]


CSV = "name: answers.csv\n  format: csv"


def test_the_first_line_for_editors_leads_from_a_study_to_the_schema() -> None:
    first = reference_page.EXAMPLE.read_text("utf-8").splitlines()[0]
    path = ROOT / "data" / "raw" / "any_study" / first.partition("$schema=")[2]
    assert Path(os.path.normpath(path)) == PACKAGE.parent / "schemas" / "codebook.schema.yaml"


def test_the_example_needs_nothing_but_its_own_additions_to_the_vocabulary() -> None:
    added = yaml.safe_load(reference_page.EXAMPLE.read_text("utf-8"))["vocabulary"]
    assert set(added) <= set(vocabulary.SECTIONS)
    assert not any(set(added[section]) & set(VOCABULARY[section]) for section in added)


# --- error codes ---------------------------------------------------------------------------------


def codes(path: Path) -> Iterator[str]:
    """The codes of problems that a module gives, wherever it makes one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [one.value for one in node.keywords if one.arg in ("code", "kind")]
            last = {"Problem": 7, "InvalidValue": 0, "report": 5}.get(called)
            given += node.args[last : last + 1] if last is not None else []
            given = given if called not in ("sort_values", "argsort") else []
        elif isinstance(node, ast.FunctionDef):
            names = [one.arg for one in [*node.args.args, *node.args.kwonlyargs]]
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            pairs = zip(reversed(names), reversed(defaults), strict=False)
            given = [value for name, value in pairs if name == "code"]
        else:
            continue
        for one in given:
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value


def used() -> dict[str, str]:
    """Each code with one module that gives it."""
    paths = sorted(path for name in READING for path in (PACKAGE / name).rglob("*.py"))
    return {code: path.name for path in paths for code in codes(path)}


def test_every_error_code_of_data_and_codebooks_is_documented() -> None:
    lost = {code: module for code, module in used().items() if code not in CODES}
    assert not lost, "describe them in common/problem_codes.py and make docs/codebook.md again"


def test_every_documented_error_code_is_given_somewhere() -> None:
    text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    for code in CODES:
        assert len(re.findall(rf'"{code}"', text)) > 1, code
