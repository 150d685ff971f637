"""The model of single items, whose people are integrated out, against one that samples each person.

The other is written row by row in plain PyMC, with an effect of every person on the family and on
each outcome as a variable of its own, from the equations in the supplement. It shares the priors'
scales with the model and no code.
"""

from __future__ import annotations

from collections.abc import Callable

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
import yaml
from pymc.distributions.transforms import ordered

from helpers.hand_made import item_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.ordinal.cells import item_cells
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.ordinal.kind", "metastudy.inference.sampling")),
]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
SCALE = {name: PRIORS[name].numbers["scale"] for name in ("effect", "tau", "outcomes", "baseline")}
DF = PRIORS["effect"].numbers["df"]
SAMPLING = {"chains": 2, "tune": 800, "draws": 1500, "target_accept": 0.95, "seed": 5}
CONSTRUCTS = ("threat_quality", "threat_job")
ITEMS = {"q1": 0, "q2": 0, "j1": 1, "j2": 1}
SITES, EACH = 6, 10
SITE = np.repeat(np.arange(SITES), EACH)
X = np.tile([-0.5, 0.5], len(SITE) // 2)


def answers() -> np.ndarray:
    """One of three categories of each item, shape (person, item); people's effects are skewed."""
    rng = np.random.default_rng(17)
    n = len(SITE)
    person = 0.7 * (rng.exponential(size=n) - 1)
    own = 0.6 * rng.standard_normal((n, 2))
    level = 0.4 * rng.standard_normal((SITES, 2))
    latent = [
        (0.7, -0.2)[k] * X + person + own[:, k] + level[SITE, k] + 0.6 * rng.standard_normal(n)
        for k in ITEMS.values()
    ]
    return np.stack([np.digitize(one, [-0.5, 0.6]) for one in latent], axis=1)


def by_row(category: np.ndarray) -> pm.Model:
    """The model with every person in it."""
    n, place = len(category), np.array(list(ITEMS.values()))
    with pm.Model() as model:
        mean = pm.StudentT("mean", nu=DF, mu=0, sigma=SCALE["effect"])
        spread = pm.HalfNormal("outcome_tau", SCALE["outcomes"])
        mu = pm.Normal("mu", mean, spread, shape=2)
        tau = pm.HalfNormal("site_tau", SCALE["tau"], shape=(2, 2))  # coefficient, outcome
        phi, o = pm.Uniform("person_share"), pm.Uniform("own_share", shape=2)
        p = phi + (1 - phi) * o
        kappa = pm.Normal(
            "kappa", 0, SCALE["baseline"], shape=(4, 2), transform=ordered,
            initval=np.tile([-0.4, 0.4], (4, 1)),
        )  # fmt: skip
        f = pm.Normal("f", shape=n)
        t = pm.Normal("t", shape=(n, 2))
        of_site = pm.Normal("of_site", shape=(2, SITES, 2))
        # All in units of a latent answer's standard deviation among people at one site.
        score = pt.sqrt(p + (1 - p) / 2)
        setting = pt.sqrt(1 + (tau[0] * score) ** 2)
        level = tau[0] * score * of_site[0]
        slope = score * pt.sqrt(1 + tau[0] ** 2) * (mu + tau[1] * of_site[1])
        person = pt.sqrt(phi) * f[:, None] + pt.sqrt(p - phi) * t
        latent = level[SITE] + slope[SITE] * X[:, None] + person
        ends = pt.concatenate([pt.full((4, 1), -40.0), kappa, pt.full((4, 1), 40.0)], axis=1)
        ends = ends * setting[place][:, None]
        for m, k in enumerate(place):
            up, low = (
                (ends[m][category[:, m] + side] - latent[:, k]) / pt.sqrt(1 - p[k])
                for side in (1, 0)
            )
            share = (pt.erf(up / np.sqrt(2)) - pt.erf(low / np.sqrt(2))) / 2
            pm.Potential(f"answers_{m}", pt.log(share + 1e-300).sum())
    return model


def summary(draws: xr.Dataset) -> dict[str, tuple[np.ndarray, ...]]:
    """Means and standard deviations with their Monte Carlo errors, by parameter."""
    found = {}
    for name in ("mu", "person_share", "own_share", "site_tau"):
        one = draws[[name]]
        parts = one.mean(("chain", "draw")), one.std(("chain", "draw"))
        parts += az.mcse(one), az.mcse(one, method="sd")
        found[name] = tuple(np.asarray(part[name]).ravel() for part in parts)
    return found


def test_the_posterior_is_that_of_the_model_with_every_person_in_it(
    figures: Callable[..., None],
) -> None:
    category = answers()
    items = {
        name: (CONSTRUCTS[k], 1, 3, category[:, m] + 1.0)
        for m, (name, k) in enumerate(ITEMS.items())
    }
    study = item_study(
        items,
        task=list(np.where(X > 0, "core", "complementary")),
        org=[f"site-{s}" for s in SITE],
    )
    cells = item_cells([study], "threat", VOCABULARY)
    order = [list(CONSTRUCTS).index(name) for name in cells.construct.values]
    assert order == [0, 1]
    mine = draw(compile_model(MODELS["ordinal"].build(cells, PRIORS)), SAMPLING, 2)
    other = draw(compile_model(by_row(category)), SAMPLING, 2)
    first, second = (summary(tree["posterior"].to_dataset()) for tree in (mine, other))
    apart = {}  # in Monte Carlo errors
    for name, (mean, sd, error, sd_error) in first.items():
        mean2, sd2, error2, sd_error2 = second[name]
        apart[name] = np.abs(mean - mean2) / np.hypot(error, error2)
        apart[f"{name}, SD"] = np.abs(sd - sd2) / np.hypot(sd_error, sd_error2)
    figures(largest=max(one.max() for one in apart.values()), of=sum(map(np.size, apart.values())))
    for name, (_, sd, error, _) in first.items():
        assert (apart[name] < 3.5).all(), name
        assert (apart[f"{name}, SD"] < 3.5).all(), name
        assert (error < 0.1 * sd).all(), name
