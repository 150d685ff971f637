"""Places in order: pooled beside alone, by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from helpers.evidence import evidence
from metastudy.article import section_captions
from metastudy.article.results import Results
from metastudy.article.topics import caterpillar

PLACES = {"DK": 0.5, "SE": 0.1, "FI": 0.3}


def in_countries(places: dict[str, float], grouping: str = "country") -> Results:
    """Two estimates in each place, of standard errors 0.1 and 0.2, and what pools the places."""
    found = evidence("mixed", studies=3)
    estimate = found.synthesis["estimates"].iloc[0]
    pooled = found.synthesis["pooled"]
    mean = pooled[
        (pooled["level"] == "population") & (pooled["outcome"] == estimate["outcome"])
    ].iloc[0]
    estimates = [
        estimate.to_dict() | {"estimate": value + add, "se": se, grouping: name, "study": f"s{at}"}
        for at, (name, value) in enumerate(places.items())
        for add, se in ((0.1, 0.1), (-0.4, 0.2))
    ]
    rows = [
        mean.to_dict()
        | {"level": grouping, "group": name, "mean": 0.3 + (value - 0.3) / 2}
        | {"lower": 0.0, "upper": 1.0}
        for name, value in places.items()
    ]
    own = {"estimates": pd.DataFrame(estimates), "pooled": pd.DataFrame([mean.to_dict(), *rows])}
    return replace(found, synthesis=found.synthesis | own)


def test_places_are_sorted_and_each_is_beside_its_weighted_mean() -> None:
    found = in_countries(PLACES)
    table = caterpillar.figure(found)
    labels = [found.labels.of(name) for name in ("DK", "FI", "SE")]
    assert list(dict.fromkeys(table["row"])) == labels
    alone = table[table["series"] == "Place alone"].set_index("row")
    # weights 100 and 25: 0.8 * 0.1 - 0.2 * 0.4 = 0
    assert alone["estimate"].tolist() == pytest.approx([0.5, 0.3, 0.1])
    half = found.z / 125**0.5
    assert alone["upper"].tolist() == pytest.approx([0.5 + half, 0.3 + half, 0.1 + half])
    pooled = table[table["series"] == "Pooled"]
    assert pooled["estimate"].tolist() == pytest.approx([0.4, 0.3, 0.2])
    assert table["block"].str.endswith("by country").all()
    said = caterpillar.variables(found)["sentence"]
    assert "three effects" in said
    assert said.endswith("have 50% of the standard deviation of the estimates alone.")


def test_caption_and_sentence_claim_nothing_that_is_not_measured() -> None:
    of = section_captions.FIGURES["caterpillar"]
    caption = " ".join((of.question, of.marks, of.picture))
    said = caterpillar.variables(in_countries(PLACES))["sentence"]
    for claim in ("few people", "drawn to", "noise"):
        assert claim not in caption + said


def test_two_places_or_another_grouping_are_no_caterpillar() -> None:
    assert caterpillar.figure(in_countries({"DK": 0.5, "SE": 0.1})).empty
    assert caterpillar.variables(in_countries({"DK": 0.5, "SE": 0.1})) == {}
    assert caterpillar.figure(evidence("mixed", studies=1)).empty
    as_sectors = in_countries({"schools": 0.1, "elderly_care": 0.2, "social_care": 0.3}, "sector")
    assert len(caterpillar.figure(as_sectors)) == 6
