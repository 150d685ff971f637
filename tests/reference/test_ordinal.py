"""The model of single items against an independent maximum likelihood, with categories left empty.

statsmodels' ordered probit knows only the categories that occur. The model here has all that the
items declare, and must say the same, whichever of them nobody chose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
import xarray as xr
import yaml
from scipy.stats import norm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from helpers.hand_made import item_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.convergence import gates
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.data_vector import pack
from metastudy.models.ordinal.cells import item_cells
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS
from metastudy.posterior.contrasts import contrasts

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
WIDE = PRIORS | {name: PRIORS[name].scaled(40) for name in ("effect", "baseline", "outcomes")}
SAMPLING = {"chains": 2, "tune": 500, "draws": 1000, "target_accept": 0.9, "seed": 3}
N = 600
EFFECT = {"threat_quality": 0.6, "threat_job": -0.3}
# Lowest and highest answer and thresholds of each item. Of the first one nobody chooses the fourth
# of seven categories, nor the seventh; the lowest is left empty in one arm.
ITEMS = {
    "q1": ("threat_quality", 1, 7, [-2.0, -0.8, 0.0, 0.0, 0.9, np.inf]),
    "j1": ("threat_job", 0, 3, [-0.9, 0.1, 1.2]),
    "j2": ("threat_job", 1, 5, [-1.2, -0.4, 0.5, 1.1]),
}
X = np.repeat([-0.5, 0.5], N // 2)


def answered() -> dict[str, np.ndarray]:
    """The answers to each item, the latent ones being normal around the effects."""
    rng = np.random.default_rng(20)
    found = {}
    for item, (construct, low, _, thresholds) in ITEMS.items():
        latent = EFFECT[construct] * X + rng.standard_normal(N)
        found[item] = low + np.searchsorted(thresholds, latent).astype(float)
    found["q1"][X > 0] = np.maximum(found["q1"][X > 0], 2)
    return found


def cells_of(*names: str) -> xr.Dataset:
    """The counts of some items."""
    answers = answered()
    items = {name: (*ITEMS[name][:3], answers[name]) for name in names}
    study = item_study(items, task=list(np.where(X > 0, "core", "complementary")))
    return item_cells([study], "threat", VOCABULARY)


@pytest.fixture(scope="module")
def independent() -> Any:
    """The ordered probit of the first item by statsmodels, on the categories that occur."""
    y = pd.Series(pd.Categorical(answered()["q1"], ordered=True))
    return OrderedModel(y, X[:, None], distr="probit").fit(method="bfgs", disp=False, gtol=1e-7)


@pytest.fixture(scope="module")
def compiled() -> Any:
    return compile_model(MODELS["ordinal"].build(cells_of(*ITEMS), PRIORS))


def effect(tree: xr.DataTree) -> xr.DataArray:
    """Draws of the population means of the one exposure, by construct."""
    mu = tree["posterior"].to_dataset()["mu"]
    names = [str(name).split(", ")[1] for name in mu.estimand.values]
    return mu.rename(estimand="construct").assign_coords(construct=names)


def test_the_categories_are_as_empty_as_they_were_made() -> None:
    counts = cells_of("q1")["count"].values.reshape(2, 7)
    assert counts[1, 0] == 0 < counts[0, 0]
    assert (counts[:, [3, 6]] == 0).all()
    assert (counts[:, [1, 2, 4, 5]] > 0).all()


def test_the_log_likelihood_is_that_of_the_rows(independent: Any) -> None:
    """At the other's estimates, where an empty category is a point, or begins far away."""
    model = MODELS["ordinal"].build(cells_of("q1"), PRIORS)
    likelihood = pytensor.function(
        [model["mu"], model["threshold_7"]],
        model["log_likelihood"],
        mode=pytensor.Mode("py", "fast_run"),
    )
    slope, *steps = independent.params
    inner = independent.model.transform_threshold_params(np.array(steps))[1:-1]
    edges = np.array([[*inner[:3], inner[2], inner[3], 30.0]])
    assert float(likelihood([slope], edges)) == pytest.approx(independent.llf, rel=1e-9)


def test_several_settings_have_the_likelihood_of_their_respondents() -> None:
    """Answer by answer, with each setting's own effects and each item's own thresholds in it."""
    rng = np.random.default_rng(4)
    scales = {
        "q1": ("threat_quality", 1, 5),
        "j1": ("threat_job", 0, 3),
        "j2": ("threat_job", 2, 6),
    }
    people, studies = {}, []
    for name, country in (("a", "DK"), ("b", "FI"), ("c", "US")):
        x = rng.permutation(np.resize([-0.5, 0.5], 30))
        asked = list(scales)[: 3 if name != "c" else 2]
        people[name] = x, {i: rng.integers(scales[i][1], scales[i][2] + 1, 30) for i in asked}
        items = {i: (*scales[i], people[name][1][i].astype(float)) for i in asked}
        task = list(np.where(x > 0, "core", "complementary"))
        studies.append(item_study(items, task=task, name=name, country=country))
    cells = item_cells(studies, "threat", VOCABULARY)
    model = MODELS["ordinal"].build(cells, PRIORS)
    assert list(model.coords["tau_of"]) == [
        f"task_type_randomised study+country+setting, {c}" for c in ("threat_quality", "threat_job")
    ]
    beta = rng.normal(size=(3, 1, 2))  # (setting, exposure, outcome)
    names = {h: list(model.coords[f"item_{h}"]) for h in (4, 5)}
    edges = {h: np.sort(rng.normal(size=(len(n), h - 1))) for h, n in names.items()}
    likelihood = pytensor.function(
        [model["beta"], model["threshold_4"], model["threshold_5"]],
        model["log_likelihood"],
        mode=pytensor.Mode("py", "fast_run"),
    )
    direct = 0.0
    for j, (name, (x, answers)) in enumerate(people.items()):
        for item, values in answers.items():
            construct, low, high = scales[item]
            h = high - low + 1
            own = edges[h][names[h].index(f"{name}|{item}")]
            ends = np.array([-np.inf, *own, np.inf])
            eta = beta[j, 0, ["threat_quality", "threat_job"].index(construct)] * x
            p = norm.cdf(ends[values - low + 1] - eta) - norm.cdf(ends[values - low] - eta)
            direct += np.log(p).sum()
    assert float(likelihood(beta, edges[4], edges[5])) == pytest.approx(direct, rel=1e-9)


def test_with_wide_priors_the_answer_is_maximum_likelihood(compiled: Any, independent: Any) -> None:
    tree = draw(compiled, SAMPLING, 2, pack(cells_of(*ITEMS), WIDE))
    found = effect(tree).sel(construct="threat_quality")
    slope, error = independent.params.iloc[0], independent.bse.iloc[0]
    assert abs(float(found.mean()) - slope) < 0.15 * error
    assert float(found.std()) == pytest.approx(error, rel=0.1)


def test_known_effects_come_back_and_the_contrasts_say_what_they_are(compiled: Any) -> None:
    cells = cells_of(*ITEMS)
    tree = draw(compiled, SAMPLING, 2)
    found = effect(tree)
    for construct, true in EFFECT.items():
        mine = found.sel(construct=construct)
        assert abs(float(mine.mean()) - true) < 2.5 * float(mine.std())
        assert float(mine.std()) < 0.12
    checks = gates(
        tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset(), CONFIG["gates"]
    )
    assert [c["gate"] for c in checks if not c["passed"]] == []
    table = contrasts(cells, tree).table(0.95)
    assert set(table["variant"]) == {"ordinal"}
    assert set(table["metric"]) == {"latent_sd"}
    assert set(table["estimand"]) == {"effect", "difference"}
    table = table[table["estimand"] == "effect"]
    population = table[table["level"] == "population"].set_index("outcome")["mean"]
    for construct in EFFECT:
        assert population[construct] == pytest.approx(float(found.sel(construct=construct).mean()))
