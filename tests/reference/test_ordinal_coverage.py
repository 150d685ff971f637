"""Intervals of effects on single items hold the truth as often as they say.

People differ, in what they answer to all and to the items of one outcome, and so do their sites.
What they do to all answers is skewed, as the model does not take it to be. All patterns of answers
are cells from the start, most of them of nobody, so that every data set is other counts for one
compiled model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy import stats

from helpers.families_exact import directed
from helpers.hand_made import item_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.data_vector import pack
from metastudy.models.ordinal.cells import item_cells
from metastudy.models.ordinal.model import build
from metastudy.models.priors import priors_of

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
SAMPLING = {"chains": 2, "tune": 200, "draws": 250, "target_accept": 0.9, "retries": 1}
ITEMS = {
    "q1": ("threat_quality", 1, 3),
    "q2": ("threat_quality", 1, 3),
    "j1": ("threat_job", 1, 3),
    "j2": ("threat_job", 1, 3),
}
CONSTRUCTS = ("threat_quality", "threat_job")
EFFECT = np.array([0.4, -0.2])  # in standard deviations of scores
THRESHOLDS = np.array([[-0.9, 0.4], [-0.3, 0.8], [0.1, 0.9], [-0.7, 0.2]])
SITES, EACH = 8, 14
FAMILY, OWN = 0.25, 0.35  # shares of the person in what is not the site's
BETWEEN, SLOPES = 0.25, 0.1  # standard deviations of sites, in those of scores


@pytest.fixture(scope="module")
def cells() -> xr.Dataset:
    """One person for every pattern of answers, arm and site."""
    rows = list(product(*([1, 2, 3] for _ in ITEMS), ("complementary", "core"), range(SITES)))
    *answers, task, site = zip(*rows, strict=True)
    items = {
        name: (*about, np.array(values, dtype=float))
        for (name, about), values in zip(ITEMS.items(), answers, strict=True)
    }
    study = item_study(items, task=list(task), org=[f"site-{s}" for s in site])
    return item_cells([study], "threat", VOCABULARY)


def simulated(
    cells: xr.Dataset, rng: np.random.Generator, each: int = EACH
) -> tuple[np.ndarray, np.ndarray]:
    """People of each cell, half of every site in each arm, and the plain effects on their scores.

    A plain effect is the difference of two means of a person's mean of an outcome's categories, in
    standard deviations of it.
    """
    site = np.repeat(np.arange(SITES), each)
    x = np.tile([-0.5, 0.5], len(site) // 2)
    rest = 1 - FAMILY - OWN
    score = np.sqrt(FAMILY + OWN + rest / 2)  # of people at a site
    unit = score * np.sqrt(1 + BETWEEN**2)  # of people in the setting
    family = np.sqrt(FAMILY) * (rng.exponential(size=len(site)) - 1)
    sites = rng.standard_normal((2, SITES, len(CONSTRUCTS)))
    key = {}
    item, cell = cells.item_of_answer.values, cells.cell_of_answer.values
    pattern = np.zeros((cells.sizes["cell"], len(ITEMS)), dtype=int)
    names = [str(name).split("|")[1] for name in cells.item.values]
    places = [list(ITEMS).index(name) for name in names]
    pattern[cell, np.array(places)[item]] = cells.category_of_answer.values
    of_site = [int(str(s).split("-")[1]) for s in cells.site.values]
    for at in range(cells.sizes["cell"]):
        where = of_site[int(cells.site_of_cell[at])]
        arm = float(cells.x.values[int(cells.combination_of_cell[at]), 0])
        key[where, arm, *pattern[at]] = at
    category = np.zeros((len(site), len(ITEMS)), dtype=int)
    for k, construct in enumerate(CONSTRUCTS):
        own = np.sqrt(OWN) * rng.standard_normal(len(site))
        level = BETWEEN * score * sites[0, site, k]
        slope = unit * (EFFECT[k] + SLOPES * sites[1, site, k])
        for m, (about, *_) in enumerate(ITEMS.values()):
            if about == construct:
                noise = np.sqrt(rest) * rng.standard_normal(len(site))
                latent = level + slope * x + family + own + noise
                category[:, m] = np.searchsorted(THRESHOLDS[m], latent)
    found = np.zeros(cells.sizes["cell"])
    for where, arm, answers in zip(site, x, category, strict=True):
        found[key[int(where), float(arm), *answers]] += 1
    about = np.array([construct for construct, *_ in ITEMS.values()])
    scores = np.stack([category[:, about == construct].mean(axis=1) for construct in CONSTRUCTS])
    plain = (scores[:, x > 0].mean(axis=1) - scores[:, x < 0].mean(axis=1)) / scores.std(axis=1)
    return found, plain


def fitted(cells: xr.Dataset, number: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Ends of 95 % intervals, posterior means and SDs of the two effects, and the plain effects.

    The shape is (2, construct) of the first, and (construct,) of the others, for each data set.
    """
    rng = np.random.default_rng(7)
    # The nodes are placed by answers as people give them.
    many = cells.assign(count=("cell", simulated(cells, rng, 1000)[0]))
    compiled: Any = compile_model(build(many, PRIORS))
    for at in range(number):
        count, plain = simulated(cells, rng)
        data = cells.assign(count=("cell", count))
        tree = draw(compiled, SAMPLING | {"seed": at + 1}, 2, pack(data, PRIORS))
        mu = tree["posterior"].to_dataset()["mu"]
        names = [str(name).split(", ")[1] for name in mu.estimand.values]
        mu = mu.isel(estimand=[names.index(construct) for construct in CONSTRUCTS])
        over = ("chain", "draw")
        ends = mu.quantile([0.025, 0.975], over).values
        yield ends, mu.mean(over).values, mu.std(over).values, plain


@pytest.mark.slow
@pytest.mark.fit
@pytest.mark.long(of=("metastudy.models.ordinal.kind", "metastudy.inference.sampling"))
def test_intervals_hold_the_truth_in_two_hundred_data_sets(
    cells: xr.Dataset, figures: Callable[..., None]
) -> None:
    """As often as they say, within three standard errors of a share of 95 % of 200.

    Both effects are shrunk to the mean of their family, so their means are not the truth. They are
    what exact integration makes of the plain effects, which have no such mean, within a tenth of a
    posterior standard deviation.
    Reported too: how much the difference from the plain effects on scores varies, over what it
    would vary if both came from answers of their own. That is how much too wide its interval is.
    """
    ends, mean, sd, plain = map(np.array, zip(*fitted(cells, 200), strict=True))
    held = ((ends[:, 0] < EFFECT) & (ends[:, 1] > EFFECT)).mean(axis=0)
    apart = (mean - plain).std(axis=0) / np.hypot(mean.std(axis=0), plain.std(axis=0))
    family, effect = PRIORS["outcomes"], PRIORS["effect"]
    law = stats.t(effect.numbers["df"], scale=effect.scale)
    exact = [directed(one, np.cov(plain.T), family.scale, law).moments()[0] for one in plain]
    off = (mean - exact).mean(axis=0)
    figures(
        **{name: float(share) for name, share in zip(CONSTRUCTS, held, strict=True)},
        shrunk_by=float(np.abs((mean - EFFECT).mean(axis=0)).max()),
        off=float(np.abs(off).max()),
        sd=float(sd.mean()),
        apart=float(apart.max()),
    )
    assert (held >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)).all()
    assert (np.abs(off) < 0.1 * sd.mean(axis=0)).all()
    assert (apart < 0.5).all()
