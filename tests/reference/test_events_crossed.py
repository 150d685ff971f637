"""Counts of an experiment in 40 countries and five kinds of institution, in one model.

The same model without any of the project's code: each cell's log-odds ratio has its likelihood with
the intercept integrated over its prior, taken as normal, and all that varies between cells is
integrated on a grid (`helpers/crossed_exact.py`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp

from helpers.crossed_exact import Crossed
from helpers.event_studies import PRIORS, event_study, profile
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.fit import fit
from metastudy.models.events.cells import event_cells
from metastudy.models.events.standardised import Standardised

pytestmark = [pytest.mark.ci, pytest.mark.fit]

COUNTS = ROOT / "examples" / "wallets" / "data" / "raw" / "lost_wallets" / "lost_wallets.csv"
SAMPLING = {"chains": 4, "tune": 800, "draws": 1000, "target_accept": 0.9, "seed": 11}
UNIT = 20.0  # the grid is for numbers of some tens: twentieths of a log-odds
EFFECT = np.linspace(-5, 6, 1101)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    table = pd.read_csv(COUNTS, keep_default_na=False)
    return table.sort_values(["country", "sector"], ignore_index=True)


@pytest.fixture(scope="module")
def exact(counts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Means and SDs: of the mean, and of the spreads of country, sector and both."""
    moments = []
    for row in counts.itertuples():
        arms = ((row.events_control, row.n_control), (row.events_treatment, row.n_treatment))
        log = profile(arms, EFFECT)
        weight = np.exp(log - logsumexp(log))
        mean = weight @ EFFECT
        moments.append((mean, weight @ (EFFECT - mean) ** 2))
    y, v = np.array(moments).T
    crossed = Crossed(UNIT * y.reshape(40, 5), UNIT**2 * v.reshape(40, 5))
    found = crossed.posterior(stats.t(2.5, scale=UNIT * 0.9), UNIT * 0.5)
    return found.mean / UNIT, found.sd / UNIT


def test_one_model_of_all_counts_is_the_independent_fit_of_it(
    counts: pd.DataFrame, exact: tuple[np.ndarray, np.ndarray]
) -> None:
    arm, there, where = [], [], []
    for row in counts.itertuples():
        for level, n, k in (
            (0, row.n_control, row.events_control),
            (1, row.n_treatment, row.events_treatment),
        ):
            arm += [level] * n
            there += [1] * k + [0] * (n - k)
            where += [(row.country, row.sector)] * n
    country, sector = zip(*where, strict=True)
    study = event_study("all", arm, {"threat_job": there}, country=country, sector=sector)
    cells = event_cells([study], "threat", VOCABULARY)
    assert (cells.sizes["group"], cells.n.values.sum()) == (400, len(arm))
    draws = fit(cells, PRIORS, SAMPLING)["posterior"].to_dataset()
    tau = draws["tau"]
    names = [str(name) for name in tau["tau_of"].values]
    own = [next(n for n in names if f" {of}," in n) for of in ("country", "sector", "setting")]
    values = [draws["mu"].isel(estimand=0), *(tau.sel(tau_of=name) for name in own)]
    mean, sd = exact
    for found, one, spread in zip(values, mean, sd, strict=True):
        # Of some 500 effective draws, and of counts whose likelihood is not quite normal.
        assert float(found.mean()) == pytest.approx(one, abs=0.25 * spread)
        assert float(found.std()) == pytest.approx(spread, rel=0.2)

    # In percentage points: the mean of the 200 cells by their own shares, without any model.
    raw = counts.events_treatment / counts.n_treatment - counts.events_control / counts.n_control
    se = np.sqrt(
        sum(
            (k / n * (1 - k / n) / n).sum()
            for k, n in (
                (counts.events_treatment, counts.n_treatment),
                (counts.events_control, counts.n_control),
            )
        )
    ) / len(counts)
    shares = Standardised.of(cells, draws)
    sides = [shares.sides(j, 0, 0) for j in range(cells.sizes["setting"])]
    difference = np.mean([high - low for low, high in sides], axis=0)
    assert abs(difference.mean() - raw.mean()) < se
    assert difference.std() == pytest.approx(se, rel=0.15)
