"""Items of the article made as a job makes them: from the results that the catalogue gives them.

And made while it is written down which results they read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.article import catalogue, make
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.commands.name_studies import NAMED
from metastudy.harmonized.study import Study

__all__ = ["as_given", "made", "reads"]

ALWAYS = {"vocabulary", "settings"}  # options of every command
NAMES, STUDIES = "names", "studies"
OF_STUDIES = {"studies", "published", "vocabulary"}  # codebooks add words to the vocabulary


def as_given(evidence: Results, item: Item) -> Results:
    """The results that an item's own files have, and nothing else."""
    people, published = evidence.studies, evidence.published
    ids, modules = [s.id for s in (*people, *published)], list(evidence.contrasts)
    files = catalogue.result_files(ids, modules, modules, "appraisal.csv")
    given = catalogue.files_of(item, files)
    kept = {f.name for f in fields(Results)} - given.keys() - ALWAYS
    less: dict[str, Any] = {name: _nothing(getattr(evidence, name)) for name in kept}
    for kind, paths in given.items():
        if item.module and isinstance(by_module := getattr(evidence, kind, None), Mapping):
            names = {Path(path).stem for path in paths}
            if names <= set(modules):
                less[kind] = {name: v for name, v in by_module.items() if name in names}
    if "studies" in given:
        less["published"] = published
    elif {"names", "own_names"} & given.keys():
        less |= {"studies": tuple(map(_named, people)), "published": tuple(map(_named, published))}
    return replace(evidence, **less)


def made(evidence: Results, item: Item) -> Any:
    """An item from its own files alone."""
    function = getattr(make.TOPICS[item.topic], item.function)
    found = as_given(evidence, item)
    return function(found, item.module) if item.module else function(found)


def reads(evidence: Results, item: Item) -> tuple[Any, set[str]]:
    """An item from all results, and which of them were read for it.

    Returns
    -------
    The item, and keys of :data:`metastudy.article.catalogue.RESULTS`. Of studies that is ``names``
    where nothing else of them is read than what their names have, and ``studies`` else.
    """
    seen: set[str] = set()
    watched = _Watched(**{f.name: getattr(evidence, f.name) for f in fields(Results)})
    for name in ("studies", "published"):
        studies = tuple(
            _WatchedStudy(s.report, s.tables, s.parcel) for s in getattr(evidence, name)
        )
        for study in studies:
            object.__setattr__(study, "seen", seen)
        object.__setattr__(watched, name, studies)
    object.__setattr__(watched, "seen", seen)
    function = getattr(make.TOPICS[item.topic], item.function)
    return (function(watched, item.module) if item.module else function(watched)), seen


class _Watched(Results):
    """Results that write down which of them are read, in ``seen``."""

    def __getattribute__(self, name: str) -> Any:
        seen = object.__getattribute__(self, "__dict__").get("seen")
        if name in _FIELDS and seen is not None:
            seen.add(NAMES if name in OF_STUDIES else name)
        return object.__getattribute__(self, name)


_FIELDS = {f.name for f in fields(Results)} - {"settings"}


class _WatchedStudy(Study):
    """A study that writes down whether more is read of it than its names have."""

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if name in ("tables", "parcel"):
            object.__getattribute__(self, "seen").add(STUDIES)
        if name == "report":
            return _Report(value, object.__getattribute__(self, "seen"))
        return value


class _Report(Mapping[str, Any]):
    """A report, or the codebook in it, that writes down whether more is read than names have."""

    known = ("study", "provenance", "vocabulary")

    def __init__(self, of: Mapping[str, Any], seen: set[str]) -> None:
        self.of, self.seen = of, seen

    def __getitem__(self, key: str) -> Any:
        if key == "codebook":
            return _Book(self.of[key], self.seen)
        if key not in self.known:
            self.seen.add(STUDIES)
        return self.of[key]

    def __iter__(self) -> Iterator[str]:
        self.seen.add(STUDIES)
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)


class _Book(_Report):
    known = NAMED


def _named(study: Study) -> Study:
    """A study as its names have it."""
    book = {key: value for key, value in study.report["codebook"].items() if key in NAMED}
    return Study(
        {"study": study.id, "provenance": study.provenance, "codebook": book}
        | {"vocabulary": study.vocabulary, "people": bool(study.people)},
        {},
    )


def _nothing(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return pd.DataFrame()
    return () if isinstance(value, tuple) else {}
