"""The numbers of record: one build gives one record, and two records a table of what moved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from helpers.repository import ROOT
from record_numbers import compare, dumped, main, record

RECORD = ROOT / "manuscript" / "record.json"


@pytest.fixture
def build(tmp_path: Path) -> tuple[Path, Path]:
    """A finished build of two effects and a level, and the raw data it came from."""
    results, raw = tmp_path / "results", tmp_path / "raw"
    for folder in ("variables", "contrasts", "synthesis"):
        (results / folder).mkdir(parents=True)
    rows = pd.DataFrame(
        {
            "id": ["main|effect|b|population", "main|effect|a|population", "main|level|a"],
            "estimand": ["effect", "effect", "mean"],
            "variant": "main",
            "level": ["population", "population", "study"],
            "mean": [0.1 + 0.2, -0.25, float("nan")],
            "sd": [0.1, 0.2, 0.3],
            "mcse": [0.003, 0.004, 0.005],
        }
    )
    rows.to_parquet(results / "contrasts" / "threat.parquet")
    words = pd.DataFrame({"exposure": ["a"], "reason": ["one study only"]})
    words.to_parquet(results / "synthesis" / "structure.parquet")
    texts = {"threat": {"b": {"estimate": "0.30"}, "a": {"estimate": "−0.25", "pd": "0.9"}}}
    (results / "variables" / "_variables.yml").write_text(yaml.safe_dump(texts), "utf-8")
    (raw / "study").mkdir(parents=True)
    for name in ("answers.csv", "codebook.yaml", "README.md"):
        (raw / "study" / name).write_text("abc", "utf-8")
    return results, raw


def test_the_record_has_every_number_in_full_precision(build: tuple[Path, Path]) -> None:
    found = record(*build)
    assert found["variables"]["threat.a"] == {"estimate": "−0.25", "pd": "0.9"}
    assert found["tables"].keys() == {"contrasts/threat"}
    table = found["tables"]["contrasts/threat"]
    assert table["columns"] == ["mean", "sd", "mcse"]
    assert table["rows"]["main|effect|b|population"] == [0.1 + 0.2, 0.1, 0.003]
    assert table["rows"]["main|level|a"] == [None, 0.3, 0.005]
    assert json.loads(dumped(found)) == found


def test_the_record_knows_the_data_that_the_numbers_came_from(build: tuple[Path, Path]) -> None:
    of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert record(*build)["raw"] == {"study": {"answers.csv": of_abc}}


def test_the_same_build_gives_the_same_bytes_in_another_folder(
    build: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, raw = build
    made = []
    for name in ("one", "two"):
        moved = results.rename(tmp_path / f"results of {name}")
        out = tmp_path / f"{name}.json"
        words = ["record_numbers.py", "--results", moved, "--raw", raw, "--out", out]
        monkeypatch.setattr("sys.argv", [str(word) for word in words])
        main()
        made.append(out.read_bytes())
        results = moved
    assert made[0] == made[1]


def test_rows_that_cannot_be_told_apart_are_an_error(build: tuple[Path, Path]) -> None:
    path = build[0] / "contrasts" / "threat.parquet"
    rows = pd.read_parquet(path)
    pd.concat([rows, rows]).to_parquet(path)
    with pytest.raises(SystemExit, match="contrasts/threat"):
        record(*build)


def test_an_unfinished_build_is_an_error(build: tuple[Path, Path]) -> None:
    (build[0] / "variables" / "_variables.yml").unlink()
    with pytest.raises(SystemExit, match="finish the build first"):
        record(*build)


def rows_of(text: str) -> dict[str, list[str]]:
    """Cells of a Markdown table, by the first of each row."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| c")]
    return {line[0]: line[1:] for line in lines}


def test_a_comparison_gives_differences_in_monte_carlo_errors(build: tuple[Path, Path]) -> None:
    old = record(*build)
    new: dict[str, Any] = json.loads(dumped(old))
    new["tables"]["contrasts/threat"]["rows"]["main|effect|a|population"][0] = -0.20
    new["variables"]["threat.a"]["estimate"] = "−0.20"
    text = compare(old, new, moved_by="point 3")
    rows = rows_of(text)
    moved = rows["contrasts/threat: main, effect, a, population"]
    assert moved == ["-0.2500 (0.0040)", "-0.2000 (0.0040)", "+0.0500", "+8.8", "point 3"]
    same = rows["contrasts/threat: main, effect, b, population"]
    assert same[2:4] == ["0", "0"]
    assert "point 3" not in same
    assert "1 of 3 variables have another text." in text


def test_an_estimate_of_one_record_only_is_shown_with_a_dash(build: tuple[Path, Path]) -> None:
    old = record(*build)
    new = json.loads(dumped(old))
    new["primary"] = [place for place in new["primary"] if "|a|" not in place[1]]
    del new["tables"]["contrasts/threat"]["rows"]["main|effect|a|population"]
    found = rows_of(compare(old, new))["contrasts/threat: main, effect, a, population"]
    assert found == ["-0.2500 (0.0040)", "–", "–", "–"]


def test_the_committed_record_has_every_variable_that_the_article_prints() -> None:
    source = (ROOT / "manuscript" / "manuscript.qmd").read_text("utf-8")
    used = set(re.findall(r"\{\{<\s*var\s+(\S+)\s*>\}\}", source))
    groups = json.loads(RECORD.read_text("utf-8"))["variables"].items()
    known = {f"{group}.{name}" for group, own in groups for name in own}
    assert used
    assert used - known == set()


def test_the_committed_record_is_of_the_data_that_ship() -> None:
    found = json.loads(RECORD.read_text("utf-8"))["raw"]
    manifest = yaml.safe_load((ROOT / "data" / "raw" / "manifest.yaml").read_text("utf-8"))
    assert {study: found[study] for study in manifest} == manifest


def test_the_committed_record_is_written_as_the_tool_writes_it() -> None:
    text = RECORD.read_text("utf-8")
    assert dumped(json.loads(text)) == text
