"""The model of single items against an independent maximum likelihood, with categories left empty.

statsmodels' ordered probit knows only the categories that occur. The model here has all that the
items declare, and must say the same, whichever of them nobody chose. With an effect of the person
and of the site it is that of the rows, integrated on a fine grid.
"""

from __future__ import annotations

from typing import Any

import arviz as az
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
from metastudy.models.ordinal.model import DEGREES, NODES, build
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


FAMILY, OWN = 0.2, 0.3  # shares of the person in a latent answer, on the family and on the outcome


def answered() -> dict[str, np.ndarray]:
    """The answers to each item, the latent ones being normal around the effects, with variance one.

    Only the second outcome has two items, and so an effect of the person of its own.
    """
    rng = np.random.default_rng(20)
    found, family = {}, np.sqrt(FAMILY) * rng.standard_normal(N)
    own = {construct: np.sqrt(OWN) * rng.standard_normal(N) for construct in EFFECT}
    for item, (construct, low, _, thresholds) in ITEMS.items():
        person = family + (own[construct] if construct == "threat_job" else 0.0)
        rest = 1 - FAMILY - (OWN if construct == "threat_job" else 0.0)
        latent = EFFECT[construct] * X + person + np.sqrt(rest) * rng.standard_normal(N)
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


@pytest.fixture(scope="module")
def sampled(compiled: Any) -> xr.DataTree:
    return draw(compiled, SAMPLING, 2, noise=True)


def effect(tree: xr.DataTree) -> xr.DataArray:
    """Draws of the population means of the one exposure, by construct, of the latent answers."""
    draws = tree["posterior"].to_dataset()
    names = [str(name).split(", ")[1] for name in draws["mu"].estimand.values]
    mu = draws["mu"].rename(estimand="construct").assign_coords(construct=names)
    unit = draws["latent_unit"].isel(setting=0, drop=True)
    unit = unit.assign_coords(construct=("outcome", [o.split("|")[0] for o in unit.outcome.values]))
    return mu * unit.swap_dims(outcome="construct").drop_vars("outcome")


def test_the_categories_are_as_empty_as_they_were_made() -> None:
    cells = cells_of("q1")
    counts = np.zeros((2, 7))
    np.add.at(
        counts,
        (cells.combination_of_cell.values, cells.category_of_answer.values),
        cells["count"].values,
    )
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
    assert float(likelihood([slope], edges)) == pytest.approx(independent.llf, rel=1e-8)


def test_several_settings_have_the_likelihood_of_their_respondents() -> None:
    """Person by person: own effects of settings and sites, own thresholds, effects of the person.

    The third study asks one item of each outcome, so that its people have no own effects.
    """
    rng = np.random.default_rng(4)
    scales = {
        "j1": ("threat_job", 0, 3),
        "q1": ("threat_quality", 1, 5),
        "q2": ("threat_quality", 2, 6),
    }
    people, studies = {}, []
    for name, country in (("a", "DK"), ("b", "FI"), ("c", "US")):
        x = rng.permutation(np.resize([-0.5, 0.5], 12))
        asked = list(scales)[: 3 if name != "c" else 2]
        people[name] = x, {i: rng.integers(scales[i][1], scales[i][2] + 1, 12) for i in asked}
        items = {i: (*scales[i], people[name][1][i].astype(float)) for i in asked}
        task = list(np.where(x > 0, "core", "complementary"))
        org = np.resize([f"{name}-one", f"{name}-two"], 12) if name != "b" else None
        studies.append(item_study(items, task=task, name=name, country=country, org=org))
    cells = item_cells(studies, "threat", VOCABULARY)
    model = build(cells, PRIORS, 41, 41)  # so few people say little of where to take nodes
    assert list(model.coords["tau_of"]) == [
        f"task_type_randomised study+country+setting, {c}" for c in ("threat_quality", "threat_job")
    ]
    outcomes = list(cells.construct_of.values)
    sites = list(model.coords["clustered_site"])
    assert sites == ["a-one", "a-two", "c-one", "c-two"]
    assert list(model.coords["people_of"]) == [f"{name}, perceived_threat" for name in "abc"]
    assert list(model.coords["own_of"]) == ["a, threat_quality", "b, threat_quality"]
    beta = rng.normal(size=(3, 1, 2))  # (setting, exposure, outcome)
    at_site = rng.normal(size=(4, 2, 2))  # (site, coefficient, outcome)
    tau = np.abs(rng.normal(size=(2, 2)))
    family, own = np.array([0.3, 0.45, 0.2]), np.array([0.5, 0.25])
    names = {h: list(model.coords[f"item_{h}"]) for h in (4, 5)}
    edges = {h: np.sort(rng.normal(size=(len(n), h - 1))) for h, n in names.items()}
    variables = ("beta", "site_effect", "site_tau", "person_share", "own_share")
    likelihood = pytensor.function(
        [model[name] for name in (*variables, "threshold_4", "threshold_5")],
        model["log_likelihood"],
        mode=pytensor.Mode("py", "fast_run"),
    )
    grid = np.linspace(-7, 7, 281)
    mass = norm.pdf(grid) * (grid[1] - grid[0])
    direct = 0.0
    for j, (name, (x, answers)) in enumerate(people.items()):
        for i in range(len(x)):
            of_family = np.ones(len(grid))
            for k, construct in enumerate(outcomes):
                mine = [item for item in answers if scales[item][0] == construct]
                alone = own["ab".index(name)] if len(mine) == 2 else 0.0
                share = family[j] + (1 - family[j]) * alone
                rest = 1 - share  # of a variance of one within a site
                score = share + rest / len(mine)
                ratio = tau[0, k] ** 2 if name != "b" else 0.0
                total, unit = np.sqrt(1 + ratio * score), np.sqrt((1 + ratio) * score)
                b = np.array([0.0, beta[j, 0, k]])
                if name != "b":
                    b = at_site[sites.index(f"{name}-{('one', 'two')[i % 2]}"), :, k]
                mean = unit * (b[0] + b[1] * x[i])
                f, t = np.sqrt(family[j]) * grid[:, None], np.sqrt(share - family[j]) * grid
                both = np.ones((len(grid), len(grid)))
                for item in mine:
                    _, low, high = scales[item]
                    h = high - low + 1
                    ends = total * edges[h][names[h].index(f"{name}|{item}")]
                    ends = (np.array([-np.inf, *ends, np.inf]) - mean)[:, None, None] - f - t
                    at = answers[item][i] - low
                    scaled = ends[at : at + 2] / np.sqrt(rest)
                    both *= norm.cdf(scaled[1]) - norm.cdf(scaled[0])
                of_family *= both @ mass
            direct += np.log(of_family @ mass)
    found = likelihood(beta, at_site, tau, family, own, edges[4], edges[5])
    assert float(found) == pytest.approx(direct, abs=1e-4)


def test_what_is_asked_about_a_construct_in_two_vignettes_has_one_effect_of_the_person() -> None:
    """Whoever threat strikes in one vignette it strikes in the other; outcomes are two, and units.

    One item for each outcome but one, which has two; the means differ by vignette.
    """
    rng = np.random.default_rng(11)
    low, high = 1, 4
    asked = {"q1": ("quality", 0), "q2": ("quality", 1), "j1": ("job", 0), "j2": ("job", 1)}
    asked |= {"j3": ("job", 1)}
    x = np.resize([-0.5, 0.5], 10)
    answers = {item: rng.integers(low, high + 1, len(x)).astype(float) for item in asked}
    vignettes = ("volunteers_at_work", "user_vs_collective_value")
    study = item_study(
        {item: (f"threat_{c}", low, high, answers[item]) for item, (c, _) in asked.items()},
        task=list(np.where(x > 0, "core", "complementary")),
        vignettes={item: vignettes[v] for item, (_, v) in asked.items()},
    )
    cells = item_cells([study], "threat", VOCABULARY)
    model = build(cells, PRIORS, 41, 41)
    constructs = list(cells.construct.values)
    assert list(model.coords["own_of"]) == [f"a, {name}" for name in constructs]
    place = {name: at for at, name in enumerate(cells.outcome.values)}
    beta = rng.normal(size=(1, 1, 4))
    family, own = np.array([0.3]), np.array([0.5, 0.25])
    names = [str(name).split("|")[1] for name in model.coords["item_4"]]
    edges = np.sort(rng.normal(size=(5, 3)))
    variables = ("beta", "person_share", "own_share", "threshold_4")
    likelihood = pytensor.function(
        [model[name] for name in variables],
        model["log_likelihood"],
        mode=pytensor.Mode("py", "fast_run"),
    )
    grid = np.linspace(-7, 7, 281)
    mass = norm.pdf(grid) * (grid[1] - grid[0])
    direct = 0.0
    for i in range(len(x)):
        of_family = np.ones(len(grid))
        for c, construct in enumerate(constructs):
            share = family[0] + (1 - family[0]) * own[c]
            f, t = np.sqrt(family[0]) * grid[:, None], np.sqrt(share - family[0]) * grid
            both = np.ones((len(grid), len(grid)))
            for item, (about, v) in asked.items():
                if f"threat_{about}" != construct:
                    continue
                many = [o for o in asked.values() if o == (about, v)]
                unit = np.sqrt(share + (1 - share) / len(many))
                mean = unit * beta[0, 0, place[f"{construct}|{vignettes[v]}"]] * x[i]
                ends = np.array([-np.inf, *edges[names.index(item)], np.inf])
                at = int(answers[item][i]) - low
                scaled = (ends[at : at + 2, None, None] - mean - f - t) / np.sqrt(1 - share)
                both *= norm.cdf(scaled[1]) - norm.cdf(scaled[0])
            of_family *= both @ mass
        direct += np.log(of_family @ mass)
    assert float(likelihood(beta, family, own, edges)) == pytest.approx(direct, abs=1e-4)


def test_with_twice_the_nodes_no_number_moves_by_more_than_its_monte_carlo_error(
    sampled: xr.DataTree,
) -> None:
    """Draws of the model weighted by how much more likely twice the nodes make the answers."""
    draws = sampled["posterior"].to_dataset()
    cells, found = cells_of(*ITEMS), []
    for times in (1, 2):
        model = build(cells, PRIORS, times * NODES, times * DEGREES)
        free = [variable.name for variable in model.free_RVs]
        likelihood = pytensor.function(
            [model[name] for name in free],
            model["log_likelihood"],
            mode=pytensor.Mode("py", "fast_run"),
            on_unused_input="ignore",  # what only the prior has
        )
        flat = draws[free].stack(sample=("chain", "draw"), create_index=False)
        values = [flat[name].transpose("sample", ...).values for name in free]
        found.append([float(likelihood(*point)) for point in zip(*values, strict=True)])
    ratio = np.array(found[1]) - np.array(found[0])
    assert np.ptp(ratio) > 0, "twice the nodes are another rule"
    weight = np.exp(ratio - ratio.max()).reshape(draws.sizes["chain"], -1)
    weights = xr.DataArray(weight / weight.mean(), dims=("chain", "draw"))
    error = az.mcse(draws)
    for name in ("mu", "person_share", "own_share", "latent_unit", "threshold_5", "threshold_7"):
        moved = np.abs((draws[name] * (weights - 1)).mean(("chain", "draw")))
        assert (moved < error[name] + 1e-12).all(), name


def test_with_wide_priors_the_answer_is_maximum_likelihood(compiled: Any, independent: Any) -> None:
    tree = draw(compiled, SAMPLING, 2, pack(cells_of(*ITEMS), WIDE))
    found = effect(tree).sel(construct="threat_quality")
    slope, error = independent.params.iloc[0], independent.bse.iloc[0]
    assert abs(float(found.mean()) - slope) < 0.15 * error
    assert float(found.std()) == pytest.approx(error, rel=0.1)


def test_known_effects_and_shares_come_back_and_the_contrasts_say_what_they_are(
    sampled: xr.DataTree,
) -> None:
    cells, tree = cells_of(*ITEMS), sampled
    found = effect(tree)
    draws = tree["posterior"].to_dataset()
    for name, true in (("person_share", FAMILY), ("own_share", OWN / (1 - FAMILY))):
        lower, upper = draws[name].quantile([0.01, 0.99]).values
        assert lower < true < upper
        assert upper - lower < 0.4
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
    assert set(table["metric"]) == {"sd", "latent_sd"}
    assert set(table["estimand"]) == {"effect", "difference"}
    table = table[table["estimand"] == "effect"]
    table = table[table["level"] == "population"].set_index(["metric", "outcome"])["mean"]
    names = {str(name).split(", ")[1]: str(name) for name in draws.estimand.values}
    for construct in EFFECT:
        latent = float(found.sel(construct=construct).mean())
        assert table["latent_sd", construct] == pytest.approx(latent)
        in_scores = float(draws["mu"].sel(estimand=names[construct]).mean())
        assert table["sd", construct] == pytest.approx(in_scores)
    assert table["sd", "threat_quality"] == pytest.approx(table["latent_sd", "threat_quality"])
    ratio = np.sqrt(FAMILY + OWN + (1 - FAMILY - OWN) / 2)  # two items of the second outcome
    assert table["latent_sd", "threat_job"] / table["sd", "threat_job"] == pytest.approx(
        ratio, rel=0.03
    )
