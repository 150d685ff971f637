"""What another engine rendered is taken only if it has our words, the mark, and no dead link."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path

import pytest

from helpers.small_manuscript import staged
from metastudy.manuscript.quarto_checks import failings, words_of
from metastudy.manuscript.render import render

FILES = ("manuscript.html", "manuscript.docx")
ARTICLE = """---
title: A page
author: [{name: nobody in particular}]
date: 2026-02-03
abstract: A text.
provenance: Every number here is made up.
provenance-mark: Simulated data
---

## Results {#sec-results}

Rendered by {{< var build.renderer >}}. As @sec-results says, of the words in a long sentence every single one must still be there.
"""  # noqa: E501
# Gives back what it finds in `held`: what our own renderer made, or that with something done to it.
HELD = """#!{python}
import pathlib, shutil, sys
if sys.argv[1:] == ["--version"]:
    print("1.9.38")
if "--version" in sys.argv:
    raise SystemExit(0)
made = pathlib.Path("_manuscript")
made.mkdir()
for path in pathlib.Path({held!r}).glob("manuscript.*"):
    shutil.copy(path, made / path.name)
assert "Quarto 1.9.38" in pathlib.Path("_variables.yml").read_text("utf-8")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    variables = 'build:\n  renderer: "pandoc 3.9"\n'
    return staged(tmp_path / "source", ARTICLE, variables)


@pytest.fixture
def held(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of Quarto, and what it will give; it says nothing on the real one."""
    own = tmp_path / "held"
    render(project, own, ["html", "docx"], asked="pandoc")
    program = tmp_path / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(HELD.format(python=sys.executable, held=str(own)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return own


def test_what_passes_is_taken_and_names_itself(held: Path, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    record = render(project, out, ["html", "docx"], asked="auto")
    assert record["engine"] == "quarto"
    assert "not_quarto" not in record
    assert "Quarto 1.9.38" in (project / "_variables.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("every single one must still be there", "and so on", "words are not there"),
        ("Simulated data", "Data", "the mark 'Simulated data' is not there (simulated)"),
        ('href="#sec-results"', 'href="figures/x.svg"', "a dead link to figures/x.svg"),
        ('href="#sec-results"', 'href="#sec-gone"', "a dead link to #sec-gone"),
    ],
)
def test_what_fails_is_not_taken_and_the_record_says_why(
    old: str, new: str, why: str, held: Path, project: Path, tmp_path: Path
) -> None:
    page = held / "manuscript.html"
    text = page.read_text("utf-8")
    spaced = re.compile(r"\s+".join(map(re.escape, old.split())))
    assert spaced.search(text)
    page.write_text(spaced.sub(new, text), "utf-8")
    out = tmp_path / "out"
    render(project, out, ["html", "docx"], asked="auto")
    record = json.loads((out / "render.json").read_text("utf-8"))
    assert record["engine"] == "pandoc"
    assert f"manuscript.html: {why}" in record["not_quarto"] or why in record["not_quarto"]
    assert spaced.search((out / "manuscript.html").read_text("utf-8"))
    assert "pandoc 3.9" in (project / "_variables.yml").read_text("utf-8")


def test_a_file_that_cannot_be_read_is_not_taken(held: Path, tmp_path: Path) -> None:
    other = shutil.copytree(held, tmp_path / "other")
    assert failings(held, other, FILES, "Simulated data") == []
    (other / "manuscript.docx").write_bytes(b"half")
    assert words_of(other / "manuscript.docx") is None
    (said,) = failings(held, other, FILES, "Simulated data")
    assert said == "manuscript.docx: its words cannot be read, so they are not compared"


LONG = (
    ARTICLE
    + """
As the rows say, the words of one are few among many. WORDS

| place | estimate |
|:--|--:|
| first | 1.25 |
| second | 2.25 |

: Simulated data, some words of a caption. {#tbl-one}
"""
)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"<tr[^>]*>\s*<td[^>]*>second</td>.*?</tr>", "manuscript.html: 2 of 3 rows of tables"),
        (r"(?<=<title>).*?(?=</title>)", "the mark 'Simulated data' is not in the title"),
        (r"Simulated data(?=, some words)", "the mark 'Simulated data' is not there (simulated"),
    ],
    ids=["a row", "the title", "one of several marks"],
)  # fmt: skip
def test_little_that_is_lost_in_a_long_document_is_found(
    pattern: str, why: str, tmp_path: Path
) -> None:
    words = " ".join(f"word{k}" for k in range(4000))
    own = tmp_path / "own"
    source = staged(
        tmp_path / "long", LONG.replace("WORDS", words), 'build:\n  renderer: "pandoc"\n'
    )
    render(source, own, ["html"], asked="pandoc")
    other = shutil.copytree(own, tmp_path / "other")
    assert failings(own, other, ["manuscript.html"], "Simulated data") == []
    page = other / "manuscript.html"
    text, times = re.subn(pattern, "", page.read_text("utf-8"), count=1, flags=re.DOTALL)
    assert times == 1
    page.write_text(text, "utf-8")
    found = failings(own, other, ["manuscript.html"], "Simulated data")
    assert any(why in one for one in found), found


def test_without_quarto_the_record_says_so(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    record = render(project, tmp_path / "out", ["html"], asked="auto")
    assert (record["engine"], record["not_quarto"]) == ("pandoc", "no quarto on PATH")


# --- with a ledger --------------------------------------------------------------------------------
NUMBERED = ARTICLE.replace("Rendered by", "The effect is {{< var effect.mean >}}. Rendered by")
MADE_OF = {
    "variables": {
        name: {
            **{key: [] for key in ("estimands", "modules", "fits", "tables", "studies")},
            "rules": ["variables"],
        }
        for name in ("effect.mean", "build.renderer")
    },
    "studies": {},
}
NAMED = """
text = pathlib.Path("manuscript.qmd").read_text("utf-8")
assert '[{{< var effect.mean >}}]{.from-ledger variable="effect.mean"}' in text
assert "ledger-quarto.lua" in pathlib.Path("_quarto.yml").read_text("utf-8")
"""


@pytest.fixture
def numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """A project with a number, the file of its sources, and what stands in for Quarto gives."""
    variables = 'build:\n  renderer: "pandoc 3.9"\neffect:\n  mean: "0.26"\n'
    folder = staged(tmp_path / "source", NUMBERED, variables)
    sources, own = tmp_path / "sources.json", tmp_path / "held"
    sources.write_text(json.dumps(MADE_OF), "utf-8")
    render(folder, own, ["html", "docx"], asked="pandoc", ledger=sources)
    program = tmp_path / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(HELD.format(python=sys.executable, held=str(own)) + NAMED)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return folder, sources, own


def test_pages_whose_numbers_lead_to_the_ledger_are_taken(
    numbered: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder, sources, _ = numbered
    before = (folder / "manuscript.qmd").read_text("utf-8")
    out = tmp_path / "out"
    record = render(folder, out, ["html", "docx"], asked="auto", ledger=sources)
    assert record["engine"] == "quarto", record.get("not_quarto")
    assert (out / "ledger.html").is_file()
    assert 'href="ledger.html#effect.mean"' in (out / "manuscript.html").read_text("utf-8")
    # what a reader is given has no spans
    assert (folder / "manuscript.qmd").read_text("utf-8") == before
    assert "ledger-quarto" not in (folder / "_quarto.yml").read_text("utf-8")
    asked = render(folder, tmp_path / "asked", ["html", "docx"], "quarto", "quarto", ledger=sources)
    assert asked["engine"] == "quarto"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            'href="ledger.html#effect.mean"',
            'href="#sec-results"',
            "manuscript.html: 1 of 2 numbers do not lead to the ledger (effect.mean)",
        ),
        (
            'href="ledger.html#effect.mean"',
            'href="ledger.html#effect.gone"',
            "manuscript.html: a dead link to ledger.html#effect.gone",
        ),
        (
            'id="of-effect.mean"',
            'id="elsewhere"',
            "ledger.html: a dead link to manuscript.html#of-effect.mean",
        ),
    ],
)
def test_pages_whose_numbers_lead_nowhere_are_not_taken(
    old: str, new: str, why: str, numbered: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder, sources, held = numbered
    page = held / "manuscript.html"
    text = page.read_text("utf-8")
    assert text.count(old) == 1
    page.write_text(text.replace(old, new), "utf-8")
    out = tmp_path / "out"
    record = render(folder, out, ["html", "docx"], asked="auto", ledger=sources)
    assert record["engine"] == "pandoc"
    assert why in str(record["not_quarto"])
    assert old in (out / "manuscript.html").read_text("utf-8")
    assert "pandoc 3.9" in (folder / "_variables.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("print('1.8.27')", "Quarto 1.8.27 is older than 1.9"),
        ("raise SystemExit(1)", "no quarto on PATH"),
        (
            "print('1.9.38' if sys.argv[1] == '--version' else 'ERROR: no Deno', end='')\n"
            "raise SystemExit(sys.argv[1] != '--version')",
            "Quarto failed: quarto render (status 1) said: ERROR: no Deno",
        ),
        ("print('1.9.38')", "Quarto failed: quarto render wrote no index.html"),
    ],
)
def test_an_old_quarto_and_one_that_fails_leave_our_own_documents(
    program: str, why: str, numbered: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    folder, sources, _ = numbered
    quarto = tmp_path / "bin" / "quarto"
    quarto.write_text(f"#!{sys.executable}\nimport sys\n{program}\n")
    out = tmp_path / "out"
    record = render(folder, out, ["html", "docx"], asked="auto", ledger=sources)
    assert record["engine"] == "pandoc"
    assert str(record["not_quarto"]).startswith(why)
    assert {path.name for path in out.iterdir()} == {
        *FILES, "ledger.html", "ledger.csv", "render.json"
    }  # fmt: skip
