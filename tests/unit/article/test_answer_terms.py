"""Interactions and moderators of a module: their rows in table and forest, and their sentences."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from helpers.evidence import evidence, row
from metastudy.article.make import table, variables
from metastudy.article.results import Results
from metastudy.article.topics import answer_figures
from metastudy.article.variable_tree import flat
from metastudy.codebook.vocabulary import Vocabulary

BOTH = "involvement_degree_randomised:task_type_randomised"
AT = "at the mean of latitude: 25 degrees"
PER = "per SD, 14.7 degrees; a comparison between studies"


def made() -> Results:
    """Two studies with an effect, its interaction, and a moderator of it."""
    rows = []
    for exposure, kind in (("task_type_randomised", "randomised"), (BOTH, "interaction")):
        same = {
            "module": "threat", "estimand": "effect", "exposure": exposure, "metric": "sd",
            "exposure_type": kind, "outcome": "threat_job", "role": "professional",
        }  # fmt: skip
        note = AT if kind == "randomised" else ""
        rows.append(row(0.4, 0.05, **same, level="population", note=note))
        for name in ("one", "two"):
            own = {"level": "study", "group": name, "vignette": "volunteers_at_work"}
            rows.append(row(0.4, 0.1, **same, **own, study=name))
        if note:
            more = {"estimand": "moderator", "level": "moderator", "group": "latitude"}
            rows.append(row(0.2, 0.05, **{**same, **more}, note=PER))
    usual = evidence("mixed")
    words = dict(usual.vocabulary.sections)
    words["moderators"] = {"latitude": {"label": "Latitude", "unit": "degrees"}}
    contrasts = {**usual.contrasts, "threat": pd.DataFrame(rows)}
    return replace(usual, contrasts=contrasts, vocabulary=Vocabulary(words))


def test_the_table_has_the_moderator_and_says_where_the_mean_is() -> None:
    found = table(made(), "effects_threat")
    text = found.shown.to_csv()
    assert f"Latitude ({PER})" in text
    assert f"Mean ({AT})" in text
    assert "× core against complementary tasks (interaction)" in text
    assert "each level counted alike" in found.caption


def test_the_forest_has_interactions_in_a_block_of_their_own_and_no_moderators() -> None:
    found = answer_figures.figure(made(), "threat")
    blocks = list(dict.fromkeys(found["block"]))
    assert any(block.startswith("Interactions") for block in blocks)
    mine = found[found["exposure"] == BOTH]
    assert set(mine["axis"]) == {"Difference between effects, SD"}
    assert "moderator" not in set(found["level"])


def test_sentences_name_what_is_compared_between_studies() -> None:
    said = flat(variables(made(), {"python": "3"}))
    text = said["threat.task_type_randomised.moderators.sentence"]
    assert text.startswith(f"Change of its effects by moderators: latitude ({PER}), on ")
    assert "larger, 0.20 SD" in text
    assert text.endswith(f"Its means are {AT}.")
    key = BOTH.replace(":", "_")
    assert said[f"threat.{key}.summary"].startswith("The effect of a change from low degree")
    assert "is higher on threat to one's own job" in said[f"threat.{key}.summary"].lower()
    assert f"threat.{key}.moderators.sentence" not in said
