"""An interaction the whole way: from a codebook over a fit to a sentence and row of the article."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from matplotlib.text import Text

from helpers.evidence import refits
from helpers.raw_studies import VOCABULARY, command, table_study
from helpers.repository import ROOT
from metastudy.article.make import figure, table, variables
from metastudy.article.results import Results
from metastudy.article.sections import sections
from metastudy.article.variable_tree import flat
from metastudy.harmonized.study import load_study
from metastudy.inference.fit import fit
from metastudy.inference.netcdf import save
from metastudy.models.answers.cells import answer_cells
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts
from metastudy.posterior.verdicts import ROPES

pytestmark = [pytest.mark.fit, pytest.mark.slow, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SHORT = CONFIG["refits"] | {"seed": 3}
CODEBOOK = """\
variables:
  - {name: nr, as: id}
  - {name: a, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: b, as: factor, randomised: true, factors: {involvement_degree: {1: low, 2: high}}}
  - {name: t, as: item, construct: self_efficacy, min: 1, max: 101}
  - {name: y, as: item, construct: threat_job, min: 1, max: 101}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
  - {factor: involvement_degree, type: randomised}
  - {construct: self_efficacy, type: measured}
interactions: [[task_type, involvement_degree], [self_efficacy, task_type]]
"""
FACTORS, TRAIT = (
    "involvement_degree_randomised:task_type_randomised",
    "task_type_randomised:self_efficacy_measured",
)


def answers(n: int = 400) -> str:
    """Core tasks threaten with a high degree of involvement alone, and whoever feels able less."""
    rng = np.random.default_rng(12)
    a, b = rng.permutation(np.resize([1, 2], n)), rng.permutation(np.resize([1, 1, 2, 2], n))
    z = rng.standard_normal(n)
    y = 50 + 16 * (a == 2) * (b == 2) - 12 * (a - 1.5) * z + 10 * rng.standard_normal(n)
    columns = {"a": a, "b": b, "t": np.rint(51 + 15 * z), "y": np.rint(y)}
    return pd.DataFrame(columns).clip(1, 101).astype(int).to_csv(index_label="nr")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the article is made from, of one study that a command harmonized."""
    folder = tmp_path_factory.mktemp("interaction")
    raw = table_study(folder, rows=answers(), codebook=CODEBOOK)
    done = command(raw, folder / "harmonized")
    assert done.returncode == 0, done.stderr
    study = load_study(folder / "harmonized")
    cells = answer_cells([study], "threat", VOCABULARY)
    found = contrasts(cells, fit(cells, priors_of(CONFIG["priors"]), SHORT))
    ropes = {metric: CONFIG["report"][name] for metric, name in ROPES.items()}
    draws = folder / "threat.nc"
    save(xr.DataTree.from_dict({"contrasts": found.draws.to_dataset(name="value")}), draws)
    shown = {"threat": found.table(CONFIG["report"]["interval"], ropes)}
    return Results(
        VOCABULARY,
        studies=(study,),
        contrasts=shown,
        refits=refits(shown),
        draws={"threat": draws},
        settings={name: CONFIG[name] for name in ("report", "priors", "privacy", "pooling")},
    )


def test_the_contrasts_have_the_difference_that_the_answers_were_made_with(grown: Results) -> None:
    found = grown.contrasts["threat"]
    points = found[found["metric"].eq("pomp")].set_index("exposure")
    assert abs(points.loc[FACTORS, "mean"] - 16) < 3 * points.loc[FACTORS, "sd"]
    assert abs(points.loc[TRAIT, "mean"] + 12) < 3 * points.loc[TRAIT, "sd"]
    assert points.loc[[FACTORS, TRAIT], "exposure_type"].eq("interaction").all()


def test_the_article_has_a_row_and_a_sentence_of_each_interaction(grown: Results) -> None:
    said = flat(variables(grown, {"python": "3"}))
    text = said[f"threat.{FACTORS.replace(':', '_')}.summary"]
    assert text.startswith(
        "The effect of a change from low degree of involvement to high degree of involvement, with "
        "a change from complementary tasks to core tasks, is higher on threat to one's own job ("
    )
    text = said[f"threat.{TRAIT.replace(':', '_')}.summary"]
    assert "with one standard deviation more of self-efficacy, is lower on threat" in text
    shown = table(grown, "effects_threat").shown
    heads = shown.index[shown["Outcome"].str.contains("×")]
    assert shown.loc[heads, "Outcome"].str.endswith("(interaction)**").tolist() == [True, True]
    assert shown.loc[heads + 1, "Verdict"].tolist() == ["clear, higher", "clear, lower"]


def test_the_article_that_grows_says_both_and_every_name_in_it_is_a_variable(
    grown: Results,
) -> None:
    text = sections(grown)["results"]
    known = {key.replace(":", "_") for key in flat(variables(grown, {"python": "3"}))}
    named = re.findall(r"\{\{< var ([\w.:-]+) >\}\}", text)
    for key in (FACTORS, TRAIT):
        assert f"threat.{key.replace(':', '_')}.summary" in named
    assert set(named) <= known, "a variable with another name would stop the article"
    assert text.count("× core against complementary tasks") >= 1
    assert "An interaction (×) is the difference of the effect" in text


def test_the_forest_has_both_as_differences_between_effects(grown: Results) -> None:
    rows, draw = figure(grown, "module_threat")
    mine = rows[rows["exposure"].isin([FACTORS, TRAIT])]
    assert mine["block"].str.startswith("Interactions").all()
    assert set(mine["axis"]) == {"Difference between effects, SD"}
    texts = [text.get_text() for text in draw(rows).findobj(Text)]
    assert sum("×" in text for text in texts) == 2
    assert "Interactions" in texts
