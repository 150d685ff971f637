"""What the catalogue says that an item needs is all that it is made from, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

from helpers.needs import made, reads
from helpers.whole_evidence import MODELS, whole_evidence
from metastudy.article import catalogue
from metastudy.article.results import Results
from metastudy.display.pipe_table import Table

KINDS = {
    "figure": catalogue.figures(MODELS),
    "table": catalogue.tables(MODELS),
    "part": catalogue.PARTS,
    "variables": catalogue.variables(MODELS),
}
ITEMS = [(kind, name) for kind, items in KINDS.items() for name in items]
# The same functions, each once: what a kind of module has is one entry of the catalogue.
FUNCTIONS = {(kind, KINDS[kind][name].topic, KINDS[kind][name].function) for kind, name in ITEMS}
NAMES = ("studies", "names", "own_names")  # of studies: all, or what they are called by
Read = Callable[[str, str], tuple[Any, set[str]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return whole_evidence(tmp_path_factory.mktemp("draws"))


@pytest.fixture(scope="module")
def read(world: Results) -> Read:
    """Of a kind and a name the item that all results make, and which of them it read."""
    return cache(lambda kind, name: reads(world, KINDS[kind][name]))


def text(value: Any) -> str:
    """All that an item says."""
    if isinstance(value, Table):
        return text([value.shown, value.full, value.caption, value.provenance])
    if isinstance(value, pd.DataFrame):
        return str(value.astype(str).to_dict("list"))
    return str([text(one) for one in value]) if isinstance(value, list) else str(value)


def size(value: Any) -> int:
    return min(len(value.shown), len(value.full)) if isinstance(value, Table) else len(value)


@pytest.mark.parametrize(("kind", "name"), ITEMS, ids=[f"{k}-{n}" for k, n in ITEMS])
def test_an_item_of_the_article_is_made_from_what_it_needs_alone(
    world: Results, read: Read, kind: str, name: str
) -> None:
    whole, _ = read(kind, name)
    assert text(made(world, KINDS[kind][name])) == text(whole)


@pytest.mark.parametrize(("kind", "topic", "function"), sorted(FUNCTIONS), ids=str)
def test_an_item_reads_what_it_needs_and_nothing_else(
    read: Read, kind: str, topic: str, function: str
) -> None:
    items = {n: i for n, i in KINDS[kind].items() if (i.topic, i.function) == (topic, function)}
    found = [read(kind, name) for name in items]
    assert any(size(value) for value, _ in found), "the world has nothing for it to show"
    seen = set().union(*(seen for _, seen in found))
    needs = set(next(iter(items.values())).needs)
    assert {*seen} - {*NAMES} == needs - {*NAMES}
    of_studies, needed = (next((n for n in NAMES if n in of), "") for of in (seen, needs))
    assert needed.removeprefix("own_") == of_studies


def test_every_result_is_needed_somewhere_and_every_need_is_a_result() -> None:
    needed = {need for items in KINDS.values() for item in items.values() for need in item.needs}
    assert needed == set(catalogue.RESULTS)


LACKING = {name: item for name, item in KINDS["table"].items() if item.without}


@pytest.mark.parametrize("name", LACKING)
def test_a_table_is_made_without_modules_where_it_does_without_what_is_of_them(
    world: Results, name: str
) -> None:
    of_modules = {"contrasts": {}, "cells": {}}
    assert set(LACKING[name].without) <= set(LACKING[name].needs) & set(of_modules)
    assert size(made(replace(world, **of_modules), LACKING[name]))
