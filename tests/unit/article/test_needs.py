"""What the catalogue says that an item needs is all that it is made from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from helpers import evidence as worlds
from helpers.needs import made
from metastudy.article import catalogue, make
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.display.pipe_table import Table

MODELS = {"threat": "answers", "coping": "answers", "strain": "codings"}
KINDS = {
    "figure": catalogue.figures(MODELS),
    "table": catalogue.tables(MODELS),
    "variables": catalogue.variables(MODELS),
}
NO_REPLICATES = "predictive_"  # the world has none, and their figures are never without
ITEMS = [
    (kind, name)
    for kind, items in KINDS.items()
    for name in items
    if not name.startswith(NO_REPLICATES)
]


@pytest.fixture(scope="module")
def world() -> Results:
    found = worlds.evidence("mixed", studies=2, observed=("first", "second"))
    return replace(found, selection=worlds.selection())


def text(value: Any) -> str:
    """All that an item says."""
    if isinstance(value, Table):
        return text([value.shown, value.full, value.caption, value.provenance])
    if isinstance(value, pd.DataFrame):
        return str(value.astype(str).to_dict("list"))
    return str([text(one) for one in value]) if isinstance(value, list) else str(value)


def whole(evidence: Results, item: Item) -> Any:
    function = getattr(make.TOPICS[item.topic], item.function)
    return function(evidence, item.module) if item.module else function(evidence)


@pytest.mark.parametrize(("kind", "name"), ITEMS, ids=[f"{k}-{n}" for k, n in ITEMS])
def test_an_item_of_the_article_is_made_from_what_it_needs_alone(
    world: Results, kind: str, name: str
) -> None:
    item = KINDS[kind][name]
    assert text(made(world, item)) == text(whole(world, item))
