"""The record that is committed, and the tool that says what moved, in Monte Carlo errors."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from helpers.records import small_record
from helpers.repository import ROOT
from metastudy.record.inputs import content_digest
from metastudy.record.record_file import dumped, load
from record_numbers import compare, main

RECORD = ROOT / "manuscript" / "record.json"
NAME = "contrasts/threat: row 0"


def rows_of(text: str) -> dict[str, list[str]]:
    """Cells of a Markdown table, by the first of each row."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| c")]
    return {line[0]: line[1:] for line in lines}


def test_a_comparison_gives_differences_in_monte_carlo_errors() -> None:
    old = small_record()
    old["tables"]["contrasts/threat"]["rows"]["row 0"] = [[-0.25, 30.0, ""], [0.004, None, None]]
    new = copy.deepcopy(old)
    new["tables"]["contrasts/threat"]["rows"]["row 0"][0][0] = -0.20
    new["texts"]["threat.quality"]["estimate"] = "0.23"
    text = compare(old, new, moved_by="point 3")
    assert rows_of(text)[NAME] == [
        *("-0.2500 (0.0040)", "-0.2000 (0.0040)", "+0.0500", "+8.8", "point 3")
    ]
    assert "1 of 2 variables have another text." in text
    assert rows_of(compare(old, old))[NAME][2:] == ["0", "0"]


def test_an_estimate_of_one_record_only_is_shown_with_a_dash() -> None:
    old, new = small_record(), small_record()
    new["tables"]["contrasts/threat"]["primary"] = []
    del new["tables"]["contrasts/threat"]["rows"]["row 0"]
    assert rows_of(compare(old, new))[NAME][1:] == ["–", "–", "–"]


def test_a_record_of_the_first_version_can_still_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = {
        "primary": [["contrasts/threat", "row 0"]],
        "raw": {},
        "tables": {
            "contrasts/threat": {
                "columns": ["mean", "sd", "mcse"],
                "rows": {"row 0": [0.5, 0.1, 0.003]},
            }
        },
        "variables": {"threat.a": {"estimate": "0.50"}},
    }
    path = tmp_path / "old.json"
    path.write_text(json.dumps(first), "utf-8")
    monkeypatch.setattr("sys.argv", ["x", "--compare", str(path), "--new", str(path)])
    assert main() == 0
    assert rows_of(capsys.readouterr().out)[NAME][:2] == ["0.5000 (0.0030)", "0.5000 (0.0030)"]


def test_the_committed_record_has_every_variable_that_the_article_prints() -> None:
    source = (ROOT / "manuscript" / "manuscript.qmd").read_text("utf-8")
    used = set(re.findall(r"\{\{<\s*var\s+(\S+)\s*>\}\}", source))
    groups = load(RECORD)["texts"].items()
    known = {f"{group}.{name}" for group, own in groups for name in own}
    assert used
    assert used - known == set()


def test_every_gate_of_the_committed_record_is_passed() -> None:
    """Of the shipped chains; the whole way of a landing samples short ones."""
    fits = {
        name: table["rows"]
        for name, table in load(RECORD)["tables"].items()
        if name.startswith("diagnostics/")
    }
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    assert len(fits) == 8
    for name, rows in fits.items():
        # Answers item by item have the chains of refits, and their gates where these are others.
        gates = config["gates"] | (config["refit_gates"] if name.endswith("-ordinal") else {})
        assert {row.rpartition("|")[2] for row in rows} == gates.keys(), name
        for row, ((_, limit), (passed, _)) in rows.items():
            assert passed is True, (name, row)
            assert limit == gates[row.rpartition("|")[2]]


def test_the_committed_record_is_of_the_data_that_ship() -> None:
    found = load(RECORD)["raw"]
    raw = ROOT / "data" / "raw"
    manifest = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    for study, files in manifest.items():
        assert found[study].keys() == files.keys()
        for name in files:
            assert found[study][name] == content_digest((raw / study / name).read_bytes())


def test_the_committed_record_is_written_as_the_workflow_writes_it() -> None:
    assert dumped(load(RECORD)) == RECORD.read_text("utf-8")
