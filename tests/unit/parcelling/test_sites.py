"""Small cells at sites: what is kept of people, answers and sites, counted from tables alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from helpers.hand_made import answer_study
from helpers.parcel_studies import harmonized, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import PublishedTable
from metastudy.harmonized.study import Study
from metastudy.parcelling.control import control
from metastudy.parcelling.people import People
from metastudy.parcelling.sites import BETWEEN, OTHERS, information, placed

LEAST = 10


@dataclass
class NothingTold:
    """Control without a look at sums: counts alone decide."""

    least: int = LEAST

    def of(self, people: np.ndarray, pattern: np.ndarray) -> str:
        return ""


def people_of(seen: np.ndarray, site: np.ndarray, version: np.ndarray) -> People:
    n, none = len(seen), np.zeros(len(seen), dtype=int)
    names = [(f"o{k}", "") for k in range(seen.shape[1])]
    y = pd.DataFrame(np.where(seen, 0.0, np.nan), columns=pd.MultiIndex.from_tuples(names))
    return People(
        ids=np.arange(n).astype(str), y=y, x=pd.DataFrame(index=y.index), place=none, level=none,
        setting=none, site=site.astype(object), sited=site != "", version=version,
        needed=np.zeros(seen.shape[1], dtype=bool), traits=[],
    )  # fmt: skip


def smallest(kept: np.ndarray, site: np.ndarray, version: np.ndarray) -> int:
    """People of the smallest site, pattern and condition, by pandas."""
    table = pd.DataFrame(kept).assign(site=site.astype(str), version=version)
    return int(table.value_counts().min())


def put(
    seen: np.ndarray, site: np.ndarray, version: np.ndarray, whole: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    people = people_of(seen, site, version)
    return placed(people, NothingTold(), np.arange(len(seen)), seen, whole)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """5,000 people at 100 sites, of whom 400 lack the second outcome, four at each site."""
    folder = tmp_path_factory.mktemp("large")
    raw = raw_study(folder, "alpha", each=25, sites=100, missing=400, between=0.3)
    return harmonized(raw, folder / "rows")


def test_people_who_lack_an_outcome_at_each_site_cost_no_site_and_no_answer(large: Study) -> None:
    changed = control(large, VOCABULARY, 5).study
    pd.testing.assert_frame_equal(changed.measurements, large.measurements)
    where = [one.respondents.set_index("respondent_id")["org_id"] for one in (large, changed)]
    before, after = (one.astype(str) for one in where)
    moved = after == "alpha-org-others"
    answers = large.measurements.assign(known=large.measurements["value_pomp"].notna())
    second = answers[answers["construct"].astype("str") == "threat_job"]
    lacks = ~second.groupby("respondent_id")["known"].any().reindex(after.index, fill_value=False)
    assert moved.sum() == 400
    assert (moved == lacks).all(), "they keep their other answers, at one site of all who lack it"
    assert (after[~moved] == before[~moved]).all()
    assert after[~moved].nunique() == 100
    assert (after[~moved].value_counts() == 46).all()


@pytest.mark.parametrize("public", [False, True])
def test_beside_a_public_table_by_site_no_site_is_split(public: bool) -> None:
    """The table has all 64 of the last site: less the 60 of its cell it tells of four."""
    lacks = [(9, 20)] * 3 + [(2, 2)]  # of each site and condition; 30 more answered both
    site, arm, second = [], [], []
    rng = np.random.default_rng(3)
    for s, parts in enumerate(lacks):
        for condition, few in zip(("complementary", "core"), parts, strict=True):
            site += [f"s{s}"] * (30 + few)
            arm += [condition] * (30 + few)
            second += [*rng.uniform(0, 100, 30), *[float("nan")] * few]
    scores = {
        ("threat_quality", ""): rng.uniform(0, 100, len(site)).tolist(),
        ("threat_job", ""): second,
    }
    exposures = [{"factor": "task_type", "type": "randomised"}]
    names = ["threat_quality", "threat_job"]
    study = answer_study("one", scores, {"task_type": arm}, names, exposures, site)
    study = replace(study, report={**study.report, "excluded": {}})
    tables = [PublishedTable("threat_quality", by=("site",))] if public else []
    changed = control(study, VOCABULARY, 5, tables).study
    after = changed.respondents.set_index("respondent_id")["org_id"].astype("str").fillna("")
    before = study.respondents.set_index("respondent_id")["org_id"].astype("str")
    split = [name for name in after.unique() if 0 < (after == name).sum() < (before == name).sum()]
    assert len(split) == (0 if public else 4)
    assert len(after) == len(before), "and nobody leaves"


def test_an_outcome_that_half_of_each_site_lacks_is_not_given_up_for_the_sites() -> None:
    """With fewer outcomes all 40 sites would stay, and no answer to the third outcome."""
    site = np.repeat([f"s{k}" for k in range(40)], 18)
    seen = np.ones((len(site), 3), dtype=bool)
    seen[np.tile(np.arange(18) >= 9, 40), 2] = False
    kept, _ = put(seen, site, np.zeros(len(site), dtype=int))
    assert kept[:, 2].sum() == seen[:, 2].sum()


def test_where_people_are_many_and_patterns_small_fewer_outcomes_keep_the_sites() -> None:
    """Eight outcomes, of which each quarter of a site lacks another one.

    To keep all answers each site would go, as its cells are of eight people. Two quarters that both
    lack the same two outcomes are sixteen.
    """
    site = np.repeat(np.arange(60), 32)
    seen = np.ones((len(site), 8), dtype=bool)
    seen[np.arange(len(site)), np.arange(len(site)) % 4] = False
    version = np.zeros(len(site), dtype=int)
    kept, where = put(seen, site, version)
    assert (where == site.astype(object)).all()
    assert smallest(kept, where, version) == 16
    assert (kept.sum(axis=1) == 6).all(), "of seven that they answered"


def test_where_many_would_lose_an_outcome_the_sites_go() -> None:
    """Two outcomes: at each site as many have both as have one, and too few of either to stay."""
    site = np.repeat(np.arange(60), 16)
    seen = np.ones((len(site), 2), dtype=bool)
    seen[::2, 1] = False
    version = np.zeros(len(site), dtype=int)
    kept, where = put(seen, site, version)
    assert (kept == seen).all()
    assert (where == "").all()


@pytest.mark.parametrize("whole", [False, True])
def test_no_cell_is_small_nobody_leaves_and_sites_are_own_or_others(whole: bool) -> None:
    rng = np.random.default_rng(7)
    kinds = set()
    for _ in range(60):
        sites, outcomes = int(rng.integers(2, 12)), int(rng.integers(1, 5))
        n = sites * int(rng.integers(12, 70))
        site = rng.integers(0, sites, n).astype(str)
        version = rng.integers(0, int(rng.integers(1, 3)), n)
        seen = rng.random((n, outcomes)) < rng.uniform(0.7, 1)
        seen[~seen.any(axis=1), 0] = True
        _, at = np.unique(np.column_stack([version, seen]), axis=0, return_inverse=True)
        enough = np.bincount(at.ravel())[at.ravel()] >= LEAST  # as after the first step of control
        seen, site, version = seen[enough], site[enough], version[enough]
        kept, where = put(seen, site, version, whole)
        assert kept.any(axis=1).all()
        assert not (kept & ~seen).any()
        assert smallest(kept, where, version) >= LEAST
        own = where == site.astype(object)
        assert set(where[~own]) <= {OTHERS} or (where == "").all()
        if whole:
            for name in np.unique(site):
                assert len(set(where[site == name])) == 1
        kinds.add((bool(own.all()), bool(own.any()), bool((kept == seen).all())))
    assert len(kinds) >= 4, "sites stayed, went in part and went as wholes"


def test_what_is_known_of_sites_is_the_fisher_information_of_the_persons_answers() -> None:
    """By the covariance of all answers around a mean that is not known: the restricted one."""
    rng = np.random.default_rng(2)
    site = rng.integers(0, 7, 150).astype(str)

    def by_persons(where: np.ndarray) -> float:
        same = (where[:, None] == where).astype(float)
        inverse = np.linalg.inv((1 - BETWEEN) * np.eye(len(where)) + BETWEEN * same)
        around = inverse - np.outer(inverse.sum(axis=1), inverse.sum(axis=0)) / inverse.sum()
        change = around @ same * BETWEEN
        return 0.5 * float(np.trace(change @ change))

    had = np.ones((150, 1), dtype=bool)
    stays = rng.random(150) < 0.7
    where = np.where(stays, site, OTHERS).astype(object)
    expected = 1 + by_persons(site[stays]) / by_persons(site)
    assert information((had, where), (had, site.astype(object))) == pytest.approx(expected)
    fewer = had & stays[:, None]
    expected = stays.mean() + by_persons(site[stays]) / by_persons(site)
    same = site.astype(object)
    assert information((fewer, same), (had, same)) == pytest.approx(expected)


def posterior_sd(sizes: np.ndarray) -> float:
    """SD of the log of the standard deviation between sites, which has a flat prior, on a grid.

    With the likelihood that is expected of sites of these sizes, their mean integrated out.
    """
    log = np.linspace(np.log(0.003), np.log(60), 1200)
    within = (1 - BETWEEN) / sizes
    of_site = np.exp(2 * log)[:, None] + within
    weight, true = 1 / of_site, BETWEEN + within
    square = (weight * true).sum(axis=1) - (weight**2 * true).sum(axis=1) / weight.sum(axis=1)
    found = -0.5 * (np.log(of_site).sum(axis=1) + np.log(weight.sum(axis=1)) + square) + log
    p = np.exp(found - found.max())
    p /= p.sum()
    return float(np.sqrt(p @ (log - p @ log) ** 2))


def said_of_sites(sizes: np.ndarray) -> float:
    """What is said to be known of the spread between sites, as a share of that of a thousand."""
    site = np.repeat(np.arange(len(sizes)), sizes).astype(object)
    large = np.repeat(np.arange(1000), 90).astype(object)
    one, many = np.ones((len(site), 1), dtype=bool), np.ones((len(large), 1), dtype=bool)
    return information((one, site), (many, large)) - len(site) / len(large)


def test_what_is_known_of_sites_orders_them_as_their_posterior_does() -> None:
    """From three sites to forty, of ten people to a hundred, and of unlike sizes."""
    rng = np.random.default_rng(1)
    made = [np.full(k, n) for k in (3, 4, 5, 7, 10, 20, 40) for n in (10, 12, 16, 25, 50, 100)]
    made += [rng.integers(10, 80, k) for k in (3, 4, 6, 9, 15, 30) for _ in range(5)]
    known = np.array([posterior_sd(sizes) for sizes in made])
    said = np.array([said_of_sites(sizes) for sizes in made])
    without_the_mean = np.array([((n / (n + (1 - BETWEEN) / BETWEEN)) ** 2).sum() for n in made])
    one, other = np.triu_indices(len(made), 1)

    def against(values: np.ndarray) -> int:
        """Pairs that differ by a quarter or more, in another order than their posterior SDs."""
        far = np.abs(np.log(values[one] / values[other])) > np.log(1.25)
        less = (values[one] - values[other]) * (known[one] - known[other])
        return int((less[far] > 0).sum())

    assert against(said) < 0.01 * len(one)
    assert against(said) < 0.7 * against(without_the_mean), "of k sites, k - 1 count"


@pytest.mark.parametrize(("sites", "known"), [(1, False), (2, False), (3, True)])
def test_fewer_than_three_sites_say_nothing_of_their_spread(sites: int, known: bool) -> None:
    """However many people are there."""
    assert (said_of_sites(np.full(sites, 400)) > 1e-6) == known


# --- what it moves: the posterior of rows, exact --------------------------------------------------


def exact(y: np.ndarray, x: np.ndarray, site: np.ndarray) -> dict[str, tuple[float, float]]:
    """Mean and SD of an effect and of the SD between sites, of a random intercept, on a grid.

    The residual variance is that within sites and conditions; intercept and effect have flat priors
    and are integrated out (the restricted likelihood), and the SD between sites has a flat one.
    """
    table = pd.DataFrame({"y": y, "x": x, "site": site})
    within = table.groupby(["site", "x"])["y"]
    sigma2 = float((within.var(ddof=1) * (within.count() - 1)).sum() / (within.count() - 1).sum())
    design = np.column_stack([np.ones(len(x)), x])
    parts = []
    for rows in table.groupby("site").indices.values():
        d, own = design[rows], y[rows]
        parts.append((len(rows), d.T @ d, d.T @ own, own @ own, d.sum(axis=0), own.sum()))
    grid, log, means, sds = np.linspace(0.1, 15, 150), [], [], []
    for tau in grid:
        xx, xy, yy, det = np.zeros((2, 2)), np.zeros(2), 0.0, 0.0
        for n, dd, dy, own2, ds, ys in parts:
            k = tau**2 / (sigma2 + n * tau**2)
            xx += (dd - k * np.outer(ds, ds)) / sigma2
            xy += (dy - k * ds * ys) / sigma2
            yy += (own2 - k * ys**2) / sigma2
            det += np.log1p(n * tau**2 / sigma2)
        b = np.linalg.solve(xx, xy)
        log.append(-0.5 * (det + np.linalg.slogdet(xx)[1] + yy - xy @ b))
        means.append(b[1])
        sds.append(np.linalg.inv(xx)[1, 1])
    p = np.exp(np.array(log) - max(log))
    p /= p.sum()
    of_tau, mean = float(p @ grid), float(p @ means)
    spread = float(np.sqrt(p @ (grid - of_tau) ** 2))
    return {
        "effect": (mean, float(np.sqrt(p @ (np.array(sds) + (np.array(means) - mean) ** 2)))),
        "between": (of_tau, spread),
    }


def test_effects_and_the_spread_of_sites_are_those_of_the_rows(large: Study) -> None:
    changed = control(large, VOCABULARY, 5).study
    answers = large.measurements[large.measurements["construct"].astype("str") == "threat_quality"]
    y = answers.groupby("respondent_id")["value_pomp"].mean()
    arm = large.assignments.set_index("respondent_id")["level"].astype("str").reindex(y.index)
    x = (arm == "core").to_numpy().astype(float) - 0.5
    rows, parcel = (
        exact(
            y.to_numpy(),
            x,
            one.respondents.set_index("respondent_id")["org_id"]
            .astype("str")
            .reindex(y.index)
            .to_numpy(),
        )
        for one in (large, changed)
    )
    assert rows["between"][0] > 5 * rows["between"][1], "there is a spread between sites to lose"
    for name, moved, wider in (("effect", 0, 1), ("between", 0.12, 1.02)):  # as the docs say
        (mean, sd), (other, after) = rows[name], parcel[name]
        assert abs(other - mean) / sd == pytest.approx(moved, abs=0.005)
        assert after / sd == pytest.approx(wider, abs=0.005)
