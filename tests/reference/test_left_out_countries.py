"""Each country of the wallets left out: how often its estimate is where the others say.

The interval is that of the country's estimate: a new country, what its kinds of institution differ
by there, and the error of the estimate itself. One that is wide enough to hold everything is no
merit, so its width is held against that of crossed REML, whose spreads are taken as known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import yaml

from helpers.crossed_exact import Crossed
from helpers.exact_pooling import law_of
from helpers.repository import ROOT
from metastudy.codebook import codebook, vocabulary
from metastudy.config import completed
from metastudy.harmonize.harmonize import harmonize_file
from metastudy.models.priors import priors_of
from metastudy.synthesis.influence import SAYS_NOTHING
from metastudy.synthesis.stages import fitter, gather, stages

FOLDER = ROOT / "examples" / "wallets"
NORMAL = 1.959964
INSIDE, WIDER = 35, 1.25  # of 40 at least, and of the width of REML at most
CHECKED = 13  # each so many countries the prediction is integrated as well


@pytest.mark.fit
@pytest.mark.long(of=("metastudy.synthesis.stages", "metastudy.harmonize.harmonize"))
def test_countries_left_out_are_where_the_others_say_by_intervals_as_wide_as_they_must_be(
    figures: Callable[..., None],
) -> None:
    said = yaml.safe_load((FOLDER / "config" / "config.yaml").read_text("utf-8"))
    settings = completed(said, ROOT / "config" / "config.yaml")
    words = vocabulary.load(FOLDER / "config" / "vocabulary.yaml")
    book = codebook.load(FOLDER / "data" / "raw" / "lost_wallets", words)
    effects = harmonize_file(book, b"no people are here").tables["effects"]
    table, covariance = gather([], effects, words)
    ((_, metric, found),) = stages(table, covariance, words)
    fit = fitter(found, priors_of(settings["priors"]), metric)
    estimates = found.table
    (name,) = found.estimands["id"]
    sampling = settings["refits"] | {"seed": settings["sampling"]["seed"]}
    rng = np.random.default_rng(1)

    order = estimates.sort_values(["country", "sector"])
    countries, sectors = (list(dict.fromkeys(order[c])) for c in ("country", "sector"))
    y = order["estimate"].to_numpy().reshape(len(countries), len(sectors))
    v = order["se"].to_numpy().reshape(y.shape) ** 2
    prior = settings["priors"]["effect"]
    effect = law_of(prior | {"scale": prior["scale"] * found.unit})

    inside, widths, of_reml = [], [], []
    for at, country in enumerate(countries):
        scale = np.where(estimates["country"] == country, SAYS_NOTHING, 1.0)
        draws = fit(found.covariance * np.outer(scale, scale), sampling)["posterior"].to_dataset()
        a = (1 / v[at]) / (1 / v[at]).sum()
        tau = {g: draws["tau"].sel(tau_of=f"{name} {g}") for g in ("country", "sector", "setting")}
        new = draws["mu"].sel(mu_of=name, drop=True)
        for weight, sector in zip(a, sectors, strict=True):
            new = new + weight * draws["level"].sel(level_of=f"{name} sector: {sector}", drop=True)
        own = tau["country"] ** 2 + tau["setting"] ** 2 * (a**2).sum() + (a**2 * v[at]).sum()
        drawn = (new + np.sqrt(own) * rng.standard_normal(new.shape)).to_numpy()
        low, high = np.quantile(drawn, [0.025, 0.975])
        inside.append(bool(low < a @ y[at] < high))
        widths.append(high - low)
        rest = Crossed(np.delete(y, at, 0), np.delete(v, at, 0))
        of_reml.append(2 * NORMAL * rest.predicted_by_reml(v[at])[1])
        if at % CHECKED == 0:
            total = settings["priors"]["tau"] * found.unit
            exact = rest.posterior(effect, total, v[at]).country
            assert exact is not None
            assert drawn.mean() == pytest.approx(exact[0], abs=5 * exact[1] / np.sqrt(drawn.size))
            assert drawn.std() == pytest.approx(exact[1], rel=0.1)
    ratio = float(np.mean(widths) / np.mean(of_reml))
    figures(countries=len(countries), inside=sum(inside), width=np.mean(widths), of_reml=ratio)
    assert sum(inside) >= INSIDE
    assert ratio <= WIDER
