"""The code names no study, construct, code, vignette, country or sector: those are data.

A new study, or another set of studies, then needs no edit of the code. What the code may branch on
are the closed kinds of the vocabulary: types of exposure, modes of response, reasons of missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT

SECTIONS = (
    "modules",
    "families",
    "constructs",
    "codes",
    "factors",
    "vignettes",
    "countries",
    "sectors",
)

# Words that the vocabulary shares with plain language or with a part of every codebook.
ALLOWED = {
    "arrangement": "a column of every table of respondents, and a factor of that name",
    "role": "a column of every table of respondents, and a factor of that name",
    "trait": "what a variable of a codebook can be, and the family of such variables",
    "core": "a level of a factor, and what lies at the heart of something",
    "high": "a level of a factor, and the upper bound of a scale",
    "low": "a level of a factor, and the lower bound of a scale",
}


def of_vocabulary(vocabulary: dict) -> Iterator[str]:
    """Ids and labels of all entries, and of the levels of factors."""
    for section in SECTIONS:
        for name, entry in vocabulary.get(section, {}).items():
            yield name
            yield entry["label"]
            for level, label in entry.get("levels", {}).items():
                yield level
                yield label


@cache
def names() -> set[str]:
    """All that belongs to a study: from the vocabularies and from the folders of the studies."""
    vocabulary = yaml.safe_load((ROOT / "config/vocabulary.yaml").read_text("utf-8"))
    found = set(of_vocabulary(vocabulary))
    for path in (ROOT / "data/raw").glob("*/codebook.yaml"):
        codebook = yaml.safe_load(path.read_text("utf-8"))
        study = codebook["study"]
        found |= {path.parent.name, study["id"], study["title"], study["citation"]}
        # Published findings say country and sector row by row.
        found |= {study[key] for key in ("country", "sector") if key in study}
        found.add(codebook["file"]["name"])
        found |= set(of_vocabulary(codebook.get("vocabulary", {})))
    return found


def mentions(text: str, words: set[str]) -> set[str]:
    """The words that are in a text by themselves or as a part of a longer identifier."""
    longest_first = sorted(words, key=len, reverse=True)
    either = "|".join(map(re.escape, longest_first))
    return set(re.findall(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", text))


def texts() -> list[Path]:
    """Every file of the code that is text."""
    files = [ROOT / "Snakefile"]
    for path in (ROOT / "workflow").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and b"\0" not in path.read_bytes():
            files.append(path)
    return sorted(files)


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_names_nothing_that_belongs_to_a_study(path: Path):
    assert mentions(path.read_text("utf-8"), names() - ALLOWED.keys()) == set()


def test_the_search_finds_what_it_looks_for():
    words = names()
    assert {"threat_experiment", "DK", "Denmark", "morale", "threat", "elderly_care"} <= words
    found = mentions("a module_threat, restraint, DK. Unthreatened and morales", words)
    assert found == {"threat", "DK"}


def test_every_word_that_is_allowed_is_in_use():
    assert ALLOWED.keys() <= names()
    code = "\n".join(path.read_text("utf-8") for path in texts())
    assert mentions(code, set(ALLOWED)) == ALLOWED.keys()
