"""A kind of model that the library has never seen goes the whole way, registered from outside.

It counts who feels threatened at all, by study and arm: a logistic regression with an intercept for
each study. What it takes here is what "Add a model" in CONTRIBUTING lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.special import expit, logsumexp, softmax
from scipy.stats import binom, norm

from helpers.raw_studies import harmonized, table_study
from helpers.repository import ROOT
from metastudy.article import catalogue, figure_rows, make
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import MetastudyError
from metastudy.common.tables import records
from metastudy.design.effects import EffectDesign, effect_design
from metastudy.design.identification import Identification, identify
from metastudy.display.pipe_table import Table, markdown
from metastudy.display.plots.canvas import save as save_plot
from metastudy.harmonize.harmonize import save
from metastudy.harmonized import scale_scores
from metastudy.harmonized.study import Study
from metastudy.inference.convergence import gates
from metastudy.inference.fit import fit
from metastudy.model_checks.predictive_checks import REPLICATES, predict
from metastudy.model_checks.refits import Settings, refit
from metastudy.models import builders, registry
from metastudy.models.aggregate import aggregate, observed_rows
from metastudy.models.answers.rows import rows_of
from metastudy.models.base import (
    GROUPINGS,
    Check,
    Group,
    Row,
    Value,
    attributes_of,
    place_of,
    provenance_mark,
)
from metastudy.models.kind import EFFECT, Model, effect_coords
from metastudy.models.priors import Prior, priors_of
from metastudy.posterior.contrasts import contrasts

PRIORS = priors_of({"effect_logit": 1.0, "tau_logit": 0.5})
SAMPLING = {"chains": 2, "tune": 300, "draws": 400, "target_accept": 0.9, "seed": 1}
THRESHOLDS = {"rhat": 1.05, "ess_bulk": 100, "ess_tail": 100, "divergences": 0, "ebfmi": 0.3}
PEOPLE, TRUTH = 400, 1.0  # of each study; log-odds ratio of the arms
MODULE, OUTCOME, EXPOSURE = "threat", "threat_job", "task_type:core"


# --- its own folder -------------------------------------------------------------------------------


def cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts by study and arm: ``n`` asked, and ``yes`` at or above the middle of the scale."""
    rows = people(studies, module, vocabulary)
    counts = rows.groupby(["study", "x"])["yes"].agg(["size", "sum"]).reset_index()
    place = rows.drop_duplicates("study").set_index("study").loc[counts["study"]]
    return xr.Dataset(
        {
            "n": ("cell", counts["size"].to_numpy(float)),
            "yes": ("cell", counts["sum"].to_numpy(float)),
            "x": ("cell", counts["x"].to_numpy(float)),
            "study": ("cell", counts["study"].to_numpy(str)),
            **{c: ("cell", place[c].to_numpy(str)) for c in ("country", "sector", "role")},
            "exposure_type": ("exposure", ["randomised"]),
        },
        coords={"exposure": [EXPOSURE], "construct": [OUTCOME]},
        attrs=attributes_of("toy", ("n", "yes"), studies, module, folded, []),
    )


def people(studies: Sequence[Study], module: str, vocabulary: Vocabulary) -> pd.DataFrame:
    found = []
    for study in studies:
        rows = rows_of(study, module, vocabulary)
        score = rows.centre.iloc[0, 0] + rows.scale["scale"].iloc[0] * rows.y.iloc[:, 0]
        found.append(rows.site.assign(x=rows.x.iloc[:, 0], yes=(score >= 50).astype(float)))
    return pd.concat(found, ignore_index=True)


def build(cells: xr.Dataset, priors: Mapping[str, Prior]) -> Any:
    import pymc as pm

    from metastudy.models.data_vector import given
    from metastudy.models.terms import likelihood

    studies, at = np.unique(cells.study.values, return_inverse=True)
    coords = {"mu_of": [EXPOSURE], "study": studies}
    with pm.Model(coords=coords) as model:
        (n, yes), own, _ = given(cells, priors)
        mu = own["effect_logit"].variable("mu", dims="mu_of")
        baseline = pm.Normal("baseline", 0, 1.5, dims="study")
        linear = baseline[at] + mu[0] * cells.x.values
        chance = pm.Deterministic("chance", pm.math.sigmoid(linear))
        log_odds = pm.math.log(chance) * yes + pm.math.log1p(-chance) * (n - yes)
        likelihood(log_odds.sum())
    return model


def structures(cells: xr.Dataset) -> list[tuple[str, str, Identification]]:
    units = pd.DataFrame({name: cells[name].values for name in GROUPINGS}).drop_duplicates()
    return [(EXPOSURE, "", identify(units, GROUPINGS))]


def design(cells: xr.Dataset) -> EffectDesign:
    """Nothing varies in this model."""
    return effect_design(1, [])


def toy_contrasts(
    cells: xr.Dataset,
    posterior: xr.DataTree,
    rng: np.random.Generator,
    smallest: int,
    decided: Collection[str],
) -> Iterator[Row]:
    everyone = np.ones(cells.sizes["cell"], dtype=bool)
    yield (
        {
            "module": MODULE,
            "variant": "main",
            "estimand": "effect",
            "exposure": EXPOSURE,
            "exposure_type": "randomised",
            "outcome": OUTCOME,
            "level": "population",
            "metric": "log_odds",
            **place_of(cells, everyone),
            "provenance": provenance_mark(
                yaml.safe_load(cells.attrs["studies"]), list(map(str, cells.study.values))
            ),
        },
        posterior["posterior"]["mu"].sel(mu_of=EXPOSURE),
    )


def observe(studies: Sequence[Study], cells: xr.Dataset, vocabulary: Vocabulary) -> pd.DataFrame:
    keys = pd.DataFrame({"study": cells.study.values, "x": cells.x.values}).reset_index(names="at")
    return people(studies, MODULE, vocabulary).merge(keys, how="left")


def check(rows: pd.DataFrame, cells: xr.Dataset, draws: xr.Dataset, rng: Any) -> Check:
    def replicates() -> Iterator[np.ndarray]:
        for chance in draws["chance"].values:
            yield (rng.random(len(rows)) < chance[rows["at"]]).astype(float)

    def share(yes: np.ndarray, group: Group) -> Iterator[Value]:
        label = group.label | {"outcome": OUTCOME, "statistic": "prevalence"}
        yield label, float(yes[group.rows].mean()), float(len(group.rows))

    places = [rows[name].to_numpy(str) for name in GROUPINGS]
    return Check(rows["yes"].to_numpy(), replicates(), share, places)


def log_lik(rows: pd.DataFrame, cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    chance = draws["chance"].values[:, rows["at"]]
    return np.log(np.where(rows["yes"].to_numpy() > 0, chance, 1 - chance))


def places(cells: xr.Dataset) -> pd.DataFrame:
    found = {name: cells[name].values for name in GROUPINGS}
    return pd.DataFrame({**found, "organisation": cells.study.values})


def effects(cells: xr.Dataset) -> pd.DataFrame:
    role = str(cells.role.values[0])
    return pd.DataFrame({"exposure": [EXPOSURE], "outcome": [OUTCOME], "role": [role]})


def population_effects(posterior: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    found = posterior["mu"].rename(mu_of=EFFECT).drop_vars(EFFECT)
    return found.transpose("chain", "draw", EFFECT).assign_coords(effect_coords(effects(cells)))


TOY = Model(
    name="toy",
    metric="log_odds",
    cluster="site",
    prior_of=lambda priors, parameter: {"mu": priors["effect_logit"]}[parameter],
    measured=scale_scores.NEEDED,
    cells=cells,
    structures=structures,
    design=design,
    build=build,
    contrasts=toy_contrasts,
    row_parameters=("chance",),
    observe=observe,
    log_lik=log_lik,
    check=check,
    places=places,
    weigh=lambda cells, weights: cells.assign({k: cells[k] * weights for k in ("n", "yes")}),
    sizes=lambda cells: (cells.study.values, cells.n.values),
    about=lambda cells: cells.n.values[:, None] > 0,
    covered=lambda cells: xr.DataArray([True], effect_coords(effects(cells)), (EFFECT,)),
    population_effects=population_effects,
)


# --- its topic ------------------------------------------------------------------------------------


def topic_figure(evidence: Results, module: str) -> pd.DataFrame:
    rows = [
        figure_rows.mark_of(
            row,
            block="Toy",
            panel="Threat",
            axis="Log-odds ratio",
            row="All studies",
            series="Mean",
            style="filled",
            hue="posterior",
            reference=0.0,
        )
        for row in records(evidence.contrasts[module])
    ]
    return pd.DataFrame(rows, columns=figure_rows.FOREST)


def topic_table(evidence: Results, module: str) -> Table:
    full = evidence.contrasts[module]
    means = full["mean"].map("{:.1f}".format)
    shown = pd.DataFrame({"Outcome": full["outcome"], "Log-odds": means})
    return Table(shown, full, "Toy effects.", tuple(full["provenance"]))


def topic_variables(evidence: Results, module: str) -> dict[str, Any]:
    row = records(evidence.contrasts[module])[0]
    return {"sentence": f"Core tasks {'raise' if row['lower'] > 0 else 'may change'} it."}


# --- the whole way --------------------------------------------------------------------------------


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry, the vocabulary's list of kinds, the topic and the catalogue know it."""
    topic = SimpleNamespace(figure=topic_figure, table=topic_table, variables=topic_variables)
    monkeypatch.setitem(registry.MODELS, "toy", TOY)
    monkeypatch.setitem(builders.BUILD, "toy", build)
    monkeypatch.setattr(vocabularies, "MODELS", (*vocabularies.MODELS, "toy"))
    monkeypatch.setitem(make.TOPICS, "toy", cast(ModuleType, topic))
    needs = ("contrasts",)
    for place, items in (
        (catalogue.MODULE_FIGURES, {"module": Item("toy", "figure", needs)}),
        (catalogue.MODULE_TABLES, {"effects": Item("toy", "table", needs)}),
        (catalogue.MODULE_VARIABLES, Item("toy", "variables", needs)),
    ):
        monkeypatch.setitem(cast(dict[str, Any], place), "toy", items)


def a_study(folder: Path, seed: int) -> Path:
    """A study by its codebook, harmonized; who gets core tasks feels threatened more often."""
    rng = np.random.default_rng(seed)
    arm = np.arange(PEOPLE) % 2
    answer = np.where(rng.random(PEOPLE) < 1 / (1 + np.exp(-TRUTH * (arm - 0.5))), 6, 2)
    people = enumerate(zip(arm, answer, strict=True))
    rows = "".join(f"{i},Aa,{a + 1},{q},{8 - q}\n" for i, (a, q) in people)
    out = folder / f"study{seed}"
    found = harmonized(table_study(folder / f"raw{seed}", "nr,home,arm,q1,q2\n" + rows))
    found.report["study"] = out.name
    save(found, out)
    return out


@pytest.mark.ci
def test_a_new_kind_of_model_goes_the_whole_way(registered: None, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.yaml"
    words = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text("utf-8"))
    words["modules"][MODULE]["model"] = "toy"
    path.write_text(yaml.safe_dump(words, sort_keys=False), "utf-8")
    folders = [a_study(tmp_path, seed) for seed in (1, 2)]

    made = aggregate(folders, MODULE, path)
    assert made.attrs["model"] == "toy"
    assert made["n"].sum() == 2 * PEOPLE

    posterior = fit(made, PRIORS, SAMPLING)
    draws = posterior["posterior"].to_dataset()
    stats = posterior["sample_stats"].to_dataset()
    assert all(gate["passed"] for gate in gates(draws, stats, THRESHOLDS))

    table = contrasts(made, posterior).table(0.95, {"log_odds": 0.18})
    (effect,) = records(table)
    assert abs(effect["mean"] - TRUTH) < 4 * effect["sd"]

    rows = observed_rows(folders, made, path)
    checked = predict(rows, made, draws, PRIORS, seed=1, smallest=1)
    after = checked[checked["kind"] == "posterior"]
    assert len(after) == 2, "a share for each study"
    assert ((after["lower"] < after["observed"]) & (after["observed"] < after["upper"])).all()
    assert REPLICATES == 400

    again, _ = refit(made, draws, PRIORS, Settings(SAMPLING, THRESHOLDS, 0.95, 0.18))
    left_out = again[again["kind"] == "without_study"]
    assert set(left_out["group"]) == {"study1", "study2"}
    assert (left_out["sd"] > effect["sd"]).all(), "half of the people know less"
    reweighted = again[again["how"] == "reweighted"].set_index("group")
    assert set(reweighted.index) == {"effect_logit_half", "effect_logit_double"}
    assert (reweighted["k"] < 0.5).all()
    main, _ = on_a_grid(made, 1.0)
    for group, factor in (("effect_logit_half", 0.5), ("effect_logit_double", 2.0)):
        row, (mean, sd) = reweighted.loc[group], on_a_grid(made, factor)
        # Of the weighted mean minus that of the draws most of the Monte Carlo error is gone.
        assert row["mean"] - effect["mean"] == pytest.approx(
            mean - main, abs=0.15 * abs(mean - main)
        )
        assert row["sd"] == pytest.approx(sd, rel=0.1)

    evidence = Results(
        vocabulary=vocabularies.load(path), contrasts={MODULE: table}, settings={"report": {}}
    )
    marks, plot = make.figure(evidence, f"module_{MODULE}")
    save_plot(plot(marks), tmp_path / "toy.svg", tmp_path / "toy.png")
    assert "All studies" in (tmp_path / "toy.svg").read_text("utf-8")
    assert "threat_job" in markdown("effects_threat", make.table(evidence, f"effects_{MODULE}"))
    said = make.TOPICS["toy"].variables(evidence, MODULE)
    assert said == {"sentence": "Core tasks raise it."}
    assert catalogue.variables(evidence.models)[MODULE].topic == "toy"


def on_a_grid(made: xr.Dataset, factor: float) -> tuple[float, float]:
    """Mean and SD of the effect with a prior that many times as wide, without any draw."""
    mu, baseline = np.linspace(-1, 3, 201), np.linspace(-3, 3, 201)
    log = norm.logpdf(mu, 0, factor * PRIORS["effect_logit"].scale)
    for study in set(made.study.values):
        given = norm.logpdf(baseline, 0, 1.5) + np.zeros((len(mu), 1))
        mine = made.isel(cell=made.study.values == study)
        for n, yes, x in zip(mine.n.values, mine.yes.values, mine.x.values, strict=True):
            given = given + binom.logpmf(yes, n, expit(baseline + mu[:, None] * x))
        log = log + logsumexp(given, axis=1)
    weights = softmax(log)
    mean = weights @ mu
    return float(mean), float(np.sqrt(weights @ (mu - mean) ** 2))


@pytest.mark.ci
@pytest.mark.fit
def test_a_refit_that_misses_a_gate_is_sampled_longer_and_marked_where_it_misses_it_still(
    registered: None, tmp_path: Path
) -> None:
    path = tmp_path / "vocabulary.yaml"
    words = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text("utf-8"))
    words["modules"][MODULE]["model"] = "toy"
    path.write_text(yaml.safe_dump(words, sort_keys=False), "utf-8")
    made = aggregate([a_study(tmp_path, seed) for seed in (1, 2)], MODULE, path)
    draws = fit(made, PRIORS, SAMPLING)["posterior"].to_dataset()
    few = {**SAMPLING, "draws": 100}  # of two chains: never 300 that are effective

    passed, _ = refit(
        made, draws, PRIORS, Settings(few, THRESHOLDS | {"ess_tail": 300}, 0.95, 0.18)
    )
    sampled = passed[passed["how"] == "sampled"]
    assert len(sampled)
    assert (sampled["missed"] == "").all()
    assert (sampled["ess"] > 2 * few["draws"]).all(), "more than the shorter chains have"

    gates = THRESHOLDS | {"ess_bulk": 10_000}
    failed, pooling = refit(made, draws, PRIORS, Settings(few, gates, 0.95, 0.18))
    assert set(failed["how"]) == {"sampled"}, "nor are weights of too few draws a refit"
    assert failed["missed"].str.match(r"bulk ESS \d+(\.\d)? \(gate 1e\+04\)").all()
    assert failed.loc[failed["kind"] == "prior", "k"].lt(0.5).all()
    assert all("bulk ESS" in one.attrs["missed"] for one in pooling.values())


def test_what_a_kind_does_not_have_is_an_error_and_no_crash() -> None:
    with pytest.raises(MetastudyError, match="no simulation"):
        registry.MODELS["ordinal"].simulate(xr.Dataset(), xr.Dataset(), np.random.default_rng(1))
    with pytest.raises(MetastudyError, match="no kind of model 'nothing'; there are answers"):
        registry.model_named("nothing")


def test_the_vocabulary_and_the_registry_list_the_same_kinds_of_main_analyses() -> None:
    complete = {name for name, model in registry.MODELS.items() if model.row_parameters}
    assert set(vocabularies.MODELS) == complete
    assert {*catalogue.MODULE_FIGURES} == {*catalogue.MODULE_TABLES} == complete
