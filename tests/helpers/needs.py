"""Items of the article made as a job makes them: from the results that the catalogue gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.article import catalogue, make
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.commands.name_studies import NAMED
from metastudy.harmonized.study import Study

__all__ = ["as_given", "made"]

ALWAYS = {"vocabulary", "settings"}  # options of every command


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
