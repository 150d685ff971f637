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
from metastudy.synthesis.left_out_places import left_out_places
from metastudy.synthesis.stages import fitter, gather, stages

FOLDER = ROOT / "examples" / "wallets"
NORMAL = 1.959964
INSIDE, WIDER = 35, 1.25  # of 40 at least, and of the width of REML at most
CHECKED = 13  # each so many countries the prediction is integrated as well


@pytest.mark.fit
@pytest.mark.long(
    of=(
        "metastudy.synthesis.left_out_places",
        "metastudy.synthesis.stages",
        "metastudy.harmonize.harmonize",
    )
)
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
    sampling = settings["refits"] | {"seed": settings["sampling"]["seed"]}
    rows = left_out_places(found, fit, sampling, settings["refit_gates"], 0.95)
    rows = rows[rows["grouping"] == "country"].set_index("group")

    order = estimates.sort_values(["country", "sector"])
    countries, sectors = (list(dict.fromkeys(order[c])) for c in ("country", "sector"))
    y = order["estimate"].to_numpy().reshape(len(countries), len(sectors))
    v = order["se"].to_numpy().reshape(y.shape) ** 2
    prior = settings["priors"]["effect"]
    effect = law_of(prior | {"scale": prior["scale"] * found.unit})

    inside, widths, of_reml = [], [], []
    for at, country in enumerate(countries):
        a, row = (1 / v[at]) / (1 / v[at]).sum(), rows.loc[country]
        assert row["missed"] == ""
        assert row["estimate"] == pytest.approx(a @ y[at])
        inside.append(bool(row["lower"] < row["estimate"] < row["upper"]))
        widths.append(row["upper"] - row["lower"])
        rest = Crossed(np.delete(y, at, 0), np.delete(v, at, 0))
        of_reml.append(2 * NORMAL * rest.predicted_by_reml(v[at])[1])
        if at % CHECKED == 0:
            total = settings["priors"]["tau"] * found.unit
            exact = rest.posterior(effect, total, v[at]).country
            assert exact is not None
            draws = sampling["chains"] * sampling["draws"]
            assert row["mean"] == pytest.approx(exact[0], abs=5 * exact[1] / np.sqrt(draws))
            # tails that are not quite normal, and ends that few draws decide
            assert widths[-1] == pytest.approx(2 * NORMAL * exact[1], rel=0.15)
    ratio = float(np.mean(widths) / np.mean(of_reml))
    figures(countries=len(countries), inside=sum(inside), width=np.mean(widths), of_reml=ratio)
    assert sum(inside) >= INSIDE
    assert ratio <= WIDER
