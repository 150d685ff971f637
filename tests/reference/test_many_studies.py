"""Twelve studies of a world whose effect and heterogeneity are known.

One study per family is no evidence that pooling works. Here the generator of the stand-in data
makes the same experiment in every combination of four countries and three sectors, the true effect
of each being the population's plus a country's, a sector's and its own. The files go through the
project's own rules; all that is new is in codebooks.

True effects are in standard deviations of what people feel. Answers attenuate it: items are noisy,
whole numbers and bounded. So truth is first taken to the scale of the scores, on a very large
sample of the generator, by plain means and standard deviations.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.own_project import snakemake
from helpers.repository import ROOT
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.builders import BUILD
from metastudy.models.data_vector import pack
from metastudy.models.priors import priors_of

sys.path.insert(0, str(ROOT / "data" / "generator"))

from scipy.stats import norm

import generate
import threat
from draw import stream

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.registry", "metastudy.synthesis.stages")),
]

COUNTRIES = ["DK", "FI", "NO", "SE"]
SECTORS = ["elderly_care", "social_care", "schools"]
MEAN = 0.45
SPREAD = {"study": 0.12, "country": 0.20, "sector": 0.15}
NAMES = {"study": "study+setting", "country": "country", "sector": "sector"}  # of components
SEED = 20260
RESPONDENTS = 400
EXPOSURE, OUTCOME = "task_type_randomised", "threat_quality"
NULL = "threat_job"  # no effect anywhere
ADDED = {  # what the vocabulary lacks
    "countries": {"NO": {"label": "Norway"}, "SE": {"label": "Sweden"}},
    "sectors": {"schools": {"label": "Schools"}},
}


def world(effect: float, respondents: int) -> dict:
    """The threat experiment with one effect, without homes of different levels."""
    settings = {
        "true_effect_task_type.threat_quality": effect,
        "true_effect_involvement_degree.threat_quality": 0,
        "true_home_icc": 0,
        "breakoff_between_batteries": 0,  # fewer patterns of missing answers, so less to compute
        "homes": 1,
        "municipalities": 1,
        "respondents": respondents,
    }
    made = [f"threat_experiment.{key}={value}" for key, value in settings.items()]
    return generate.load_world(generate.Path(ROOT / "data" / "generator" / "world.yaml"), made)[
        "threat_experiment"
    ]


def spread(grouping: str, levels: int) -> np.ndarray:
    """Normal quantiles in random order, with mean zero and exactly the spread that they shall have.

    Drawn at random, four countries could have any mean, and a test would hang on the seed.
    """
    z = norm.ppf((np.arange(levels) + 0.5) / levels)
    order = stream(SEED, grouping).permutation(levels)
    return SPREAD[grouping] * (z / z.std(ddof=1))[order]


def on_scores(effect: float, n: int = 300_000) -> float:
    """The difference of mean scores in standard deviations of the reference arm."""
    rng = np.random.default_rng(1)  # the same people each time, so differences are sharp
    people = threat.respondents(world(effect, n), rng)
    items = threat.answer_batteries(world(effect, n), rng, people)[["kval_1", "kval_2", "kval_3"]]
    items = items.where(items <= 7).assign(kval_2=8 - items["kval_2"].where(items["kval_2"] <= 7))
    score = items.mean(axis=1).where(items.notna().sum(axis=1) >= 2)
    core = people["version"].isin([2, 4])
    return (score[core].mean() - score[~core].mean()) / score[~core].std()


@dataclass(frozen=True)
class World:
    folder: Path
    factor: float  # from what is felt to what is scored

    def read(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "results" / name)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("many") / "project"
    raw = folder / "data" / "raw"
    country = dict(zip(COUNTRIES, spread("country", 4), strict=True))
    sector = dict(zip(SECTORS, spread("sector", 3), strict=True))
    own = spread("study", 12)
    text = (ROOT / "data" / "raw" / "threat_experiment" / "codebook.yaml").read_text("utf-8")
    manifest = {}
    places = list(itertools.product(COUNTRIES, SECTORS))
    for k, ((c, s), shift) in enumerate(zip(places, own, strict=True), start=1):
        name = f"experiment_{k:02d}"
        (raw / name).mkdir(parents=True)
        codebook = copy.deepcopy(yaml.safe_load(text))
        codebook["study"] |= {"id": name, "label": f"Experiment {k}", "country": c, "sector": s}
        codebook["file"]["name"] = f"{name}.sav"
        codebook["outcomes"] = [OUTCOME, NULL]
        codebook["exposures"] = codebook["exposures"][:1]
        codebook["vocabulary"] = ADDED
        (raw / name / "codebook.yaml").write_text(yaml.safe_dump(codebook), encoding="utf-8")
        path = raw / name / f"{name}.sav"
        effect = MEAN + country[c] + sector[s] + shift
        threat.write(world(float(effect), RESPONDENTS), stream(SEED, name), path)
        manifest[name] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    (raw / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    targets = ["contrasts/threat.parquet", "diagnostics/gates.json", "synthesis/pooled.parquet"]
    half = {"sampling": {"tune": 700, "draws": 1000}}  # of what is shipped; the gates are the same
    snakemake(folder, [f"results/{target}" for target in targets], half)
    low, high = on_scores(0.0), on_scores(2 * MEAN)
    middle = on_scores(MEAN)
    assert middle - low == pytest.approx(high - middle, abs=0.01), "attenuation is a factor"
    return World(folder, (high - low) / (2 * MEAN))


def pooled(built: World, level: str, outcome: str = OUTCOME) -> pd.DataFrame:
    table = built.read("synthesis/pooled.parquet")
    return table[(table["level"] == level) & (table["outcome"] == outcome)]


def test_studies_countries_and_sectors_each_have_a_variance_and_a_setting_is_its_study(
    built: World,
) -> None:
    table = built.read("synthesis/structure.parquet")
    mine = table[table["outcome"].eq(OUTCOME) & table["module_or_family"].eq("perceived_threat")]
    mine = mine.set_index("grouping")
    assert mine["levels"].to_dict() == {"study": 12, "country": 4, "sector": 3, "setting": 12}
    assert set(mine["used_as"]) == {"varying"}
    for name in ("study", "country", "sector"):
        assert mine.loc[name, "reason"] == "has a variance of its own"
    assert mine.loc["setting", "aliased_with"] == "study", "each study has one setting"


def test_every_estimand_pools_all_twelve_studies(built: World) -> None:
    population = built.read("synthesis/pooled.parquet").query("level == 'population'")
    assert sorted(population["outcome"]) == [NULL, OUTCOME]
    assert set(population["studies"]) == {12}
    assert set(population["provenance"]) == {"simulated"}


def test_unpooled_estimates_scatter_around_the_truth_as_their_errors_say(built: World) -> None:
    table = built.read("synthesis/estimates.parquet")
    null = table[table["outcome"] == NULL]
    chi_square = ((null["estimate"] / null["se"]) ** 2).sum()
    assert 3.5 < chi_square < 26  # between the 1 and 99 per cent points of 12 degrees of freedom


def test_the_known_population_effect_lies_in_its_interval(built: World) -> None:
    for outcome, truth in ((OUTCOME, MEAN * built.factor), (NULL, 0.0)):
        row = pooled(built, "population", outcome).squeeze()
        assert row["lower"] < truth < row["upper"]
    module = built.read("contrasts/threat.parquet")
    population = module[(module["level"] == "population") & (module["outcome"] == OUTCOME)]
    row = population.squeeze()
    assert row["lower"] < MEAN * built.factor < row["upper"]


def test_an_effect_is_found_where_there_is_one(built: World) -> None:
    assert pooled(built, "population")["lower"].item() > 0


def test_the_known_heterogeneities_lie_in_their_intervals(built: World) -> None:
    stages = {
        "synthesis/heterogeneity.parquet": f"tau[{EXPOSURE}|randomised|{OUTCOME}|professional|"
        "vignette_hypothetical {grouping}]",
        "contrasts/threat-heterogeneity.parquet": f"tau[{EXPOSURE} {{grouping}}, {OUTCOME}]",
    }
    for name, label in stages.items():
        table = built.read(name).set_index("parameter")
        for grouping, spread in SPREAD.items():
            row = table.loc[label.replace("{grouping}", NAMES[grouping])]
            assert row["lower"] < spread * built.factor < row["upper"], (name, grouping)


def test_a_spread_of_many_studies_is_learnt_and_one_of_few_places_is_mostly_prior(
    built: World,
) -> None:
    table = built.read("contrasts/threat-heterogeneity.parquet").set_index("parameter")
    ratio = {g: table.loc[f"tau[{EXPOSURE} {NAMES[g]}, {OUTCOME}]", "ratio"] for g in SPREAD}
    # Of a share of the total: its own prior is narrower than the total's, so less is left to learn.
    settings = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    assert ratio["study"] < settings["report"]["prior_decides"]
    assert min(ratio["country"], ratio["sector"]) > ratio["study"]


def test_predictions_for_a_new_study_country_and_sector_are_wider_than_the_population_mean(
    built: World,
) -> None:
    """What is new is in the countries and sectors at hand but for its own grouping.

    The population mean is shrunk to its family's, and their levels make up for that, so a new study
    is around the mean of theirs and not around the population's.
    """
    population = pooled(built, "population").squeeze()
    mean = float(population["mean"])
    country, sector = (pooled(built, g)["mean"].mean() - mean for g in ("country", "sector"))
    expected = {
        "study": mean + country + sector,
        "country": mean + sector,
        "sector": mean + country,
    }
    for grouping in SPREAD:
        new = pooled(built, f"new_{grouping}").squeeze()
        assert new["upper"] - new["lower"] > population["upper"] - population["lower"]
        assert new["sd"] > population["sd"]
        assert new["mean"] == pytest.approx(expected[grouping], abs=0.02)


def test_every_country_and_sector_has_its_shrunken_effect(built: World) -> None:
    assert sorted(pooled(built, "country")["group"]) == COUNTRIES
    assert sorted(pooled(built, "sector")["group"]) == sorted(SECTORS)
    module = built.read("contrasts/threat.parquet").query("outcome == @OUTCOME")
    assert sorted(module.loc[module["level"] == "country", "group"]) == COUNTRIES


def test_studies_shrink_towards_the_population_mean(built: World) -> None:
    estimates = built.read("synthesis/estimates.parquet").query("outcome == @OUTCOME")
    module = built.read("contrasts/threat.parquet")
    at = (module["level"] == "study") & (module["outcome"] == OUTCOME) & (module["metric"] == "sd")
    shrunken = module[at & (module["estimand"] == "effect")]
    assert shrunken["mean"].std() < estimates["estimate"].std()


def test_the_hierarchical_model_and_the_second_stage_agree(built: World) -> None:
    """Where outcomes are not shrunk to their family's mean, in either of them."""
    cells = xr.load_dataset(built.folder / "results/cells/threat.nc")
    settings = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    priors = priors_of(settings["priors"])
    given = pack(cells, priors, fixed_outcomes=float(priors["effect"].scale))
    compiled = compile_model(BUILD["answers"](cells, priors))
    mu = draw(compiled, settings["sampling"], 2, given)["posterior"].to_dataset()["mu"]
    for outcome in (OUTCOME, NULL):
        (name,) = (n for n in mu.estimand.values if f", {outcome}, " in n)
        one, two = mu.sel(estimand=name), pooled(built, "population", outcome).squeeze()
        assert abs(float(one.mean()) - two["mean_apart"]) < 0.15 * two["sd_apart"]
        assert float(one.std()) == pytest.approx(two["sd_apart"], rel=0.15)


def test_all_gates_pass_and_no_study_lost_its_place(built: World) -> None:
    checks = json.loads((built.folder / "results/diagnostics/gates.json").read_text("utf-8"))
    assert {check["fit"] for check in checks} == {"threat", "synthesis"}
    assert all(gate["passed"] for check in checks for gate in check["gates"])
    cells = xr.load_dataset(built.folder / "results/cells/threat.nc")
    places = sorted(zip(cells.country.values, cells.sector.values, strict=True))
    assert places == sorted(itertools.product(COUNTRIES, SECTORS))
