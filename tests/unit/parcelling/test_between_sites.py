"""What sites tell apart: exposures that are the same for all of a site, and associations within.

People of two levels of such an exposure are never at one site of others, so it has no estimate of
its own, and its effect is no better known than from the rows. That is computed here exactly: of a
random intercept of sites with a half-normal standard deviation on a grid, a normal in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, chi2_contingency, norm

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonized.study import Study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcelling import people
from metastudy.parcelling.between_sites import alike
from metastudy.parcelling.control import control
from metastudy.parcelling.controlled import LEAST
from metastudy.parcelling.loss import Loss, losses, said_of
from metastudy.parcelling.make import documents, estimates_of
from metastudy.parcelling.older import check_against_older
from metastudy.parcels.parcel import Parcel

SITES = 40  # of six people to eleven or twelve, of whom twelve may stay; every second has a scheme
EFFECT = 0.3
LEVELS = ("complementary", "core")
Numbers = tuple[np.ndarray, np.ndarray, np.ndarray]  # answers, exposure and site of each person


def world(seed: Sequence[int], icc: float, large: int = 0, most: int = 11) -> Numbers:
    """Answers with a standard deviation of one, at small sites and at ``large`` ones of forty."""
    rng = np.random.default_rng(seed)
    sizes = np.concatenate([np.full(large, 40), rng.integers(6, most + 1, SITES)])
    site = np.repeat(np.arange(len(sizes)), sizes)
    x = site % 2 - 0.5
    of_site = np.sqrt(icc) * rng.normal(size=len(sizes))
    y = EFFECT * x + of_site[site] + np.sqrt(1 - icc) * rng.normal(size=len(site))
    return y, x, site


def study_of(
    y: np.ndarray, x: np.ndarray, site: np.ndarray, kind: str = "organisational", **more: object
) -> Study:
    score = {("threat_quality", ""): (50 + 8 * y).tolist()}
    arm = np.where(x > 0, *reversed(LEVELS)).tolist()
    exposures = [{"factor": "task_type", "type": kind}]
    org = [f"one-org-{s}" for s in site]
    made = answer_study(
        "one", score, {"task_type": arm}, ["threat_quality"], exposures, org, **more
    )
    return replace(made, report={**made.report, "excluded": {}})


def after(study: Study) -> pd.Series:
    """The site of each person after control, by id; an empty text for none."""
    people = control(study, VOCABULARY, 5).study.respondents
    return people.set_index("respondent_id")["org_id"].astype("str").fillna("")


@pytest.mark.parametrize("large", [0, 16])
def test_people_of_two_levels_of_a_site_are_never_at_one_site_of_others(large: int) -> None:
    y, x, site = world([1, large], 0.15, large)
    study = study_of(y, x, site)
    controlled = control(study, VOCABULARY, 5)
    table = pd.DataFrame({"site": after(study).to_numpy(), "x": x})
    assert table.groupby("site")["x"].nunique().max() == 1
    others = {name for name in table["site"] if "-org-others" in name}
    assert others == {"one-org-others-1", "one-org-others-2"}
    did = controlled.did
    assert did["people"] == len(y)
    assert did["people_left"] == 0
    assert did["sites_after"] == table["site"].nunique()
    assert did["settings_without_sites"] == (0 if large else 1), "none has a site of its own"
    assert did["between_sites"] == []
    for cells in (
        cells_of_one(study, "threat", VOCABULARY),
        controlled.cells("threat", VOCABULARY),
    ):
        assert cells.sited.values.tolist() == [1]
        assert estimates_of(cells, VOCABULARY, "main") == []
    assert losses(study, controlled, VOCABULARY) == []


def test_a_level_keeps_its_others_while_the_other_level_keeps_its_sites() -> None:
    """Forty at each site with a scheme, eight at each one without."""
    sizes = np.where(np.arange(20) % 2 == 0, 40, 8)
    site = np.repeat(np.arange(20), sizes)
    y = np.random.default_rng(4).normal(size=len(site))
    found = after(study_of(y, site % 2 - 0.5, site))
    assert found.nunique() == 11
    assert found[found.str.contains("others")].value_counts().tolist() == [80]


def test_levels_are_looked_at_in_each_place_by_itself() -> None:
    """In one country each site has one level, in the other each has both: there nothing changes."""
    y, x, site = world([2], 0.15)
    rng = np.random.default_rng(3)
    mixed = np.where(rng.random(len(y)) < 0.5, -0.5, 0.5)
    both = [np.concatenate(one) for one in ((y, y), (x, mixed), (site, SITES + site))]
    study = study_of(*both, country=["DK"] * len(y) + ["FI"] * len(y))
    found = after(study).to_numpy()
    assert set(found[: len(y)]) == {"one-org-others-1-1", "one-org-others-1-2"}
    assert set(found[len(y) :]) == {""}


@pytest.mark.parametrize("pairs", [0, 4, 5])
def test_where_sites_are_of_one_person_each_no_exposure_is_one_of_sites(pairs: int) -> None:
    """A survey of managers, of whom few have a colleague in it: then rows know nothing of sites."""
    site = np.r_[np.arange(200), np.arange(pairs)]
    x = np.random.default_rng(5).integers(0, 2, 200)[site] - 0.5
    y = np.random.default_rng(6).normal(size=len(site))
    study = study_of(y, x, site)
    assert set(after(study)) == ({""} if pairs < 5 else {"one-org-others-1", "one-org-others-2"})
    if pairs < 5:
        cells = control(study, VOCABULARY, 5).cells("threat", VOCABULARY)
        assert len(estimates_of(cells, VOCABULARY, "main")) == 1


def few_mixed(seed: Sequence[int], mixed: int) -> Numbers:
    """Forty sites of eight of one arm each, but for one person, or for four sites of both."""
    rng, site = np.random.default_rng(seed), np.repeat(np.arange(40), 8)
    x = site % 2 - 0.5
    both = site < (mixed if mixed > 1 else 0)
    x[both] = np.arange(both.sum()) % 2 - 0.5
    x[: int(mixed == 1)] = 0.5
    return EFFECT * x + 0.4 * rng.normal(size=40)[site] + 0.9 * rng.normal(size=320), x, site


@pytest.mark.parametrize("kind", ["randomised", "organisational"])
@pytest.mark.parametrize("mixed", [0, 1, 4])
def test_few_who_are_not_as_their_site_is_do_not_make_an_exposure_of_sites_one_of_persons(
    kind: str, mixed: int
) -> None:
    """Rows give the effect within sites: of few people, so with a large standard error."""
    y, x, site = few_mixed([12], mixed)
    study = study_of(y, x, site, kind)
    controlled = control(study, VOCABULARY, 5)
    found = after(study)
    assert (
        pd.DataFrame({"site": found.to_numpy(), "x": x}).groupby("site")["x"].nunique().max() == 1
    )
    assert set(found) == {"one-org-others-1", "one-org-others-2"}
    assert controlled.did["between_sites"] == []
    assert estimates_of(controlled.cells("threat", VOCABULARY), VOCABULARY, "main") == []
    told = losses(study, controlled, VOCABULARY)
    assert [loss.wider for loss in told] == [None] * bool(mixed), "no ratio tells how few they are"


def test_who_has_no_site_does_not_hide_that_sites_have_one_level() -> None:
    """Thirty people of both levels said no site: rows have them at one, and so has the parcel."""
    y, x, site = world([5], 0.15)
    rng = np.random.default_rng(6)
    more = np.where(np.arange(30) < 15, -0.5, 0.5)
    org = [*(f"one-org-{s}" for s in site), *[None] * 30]
    whole = study_of(np.r_[y, rng.normal(size=30)], np.r_[x, more], np.r_[site, [0] * 30])
    study = whole.with_tables(respondents=whole.respondents.assign(org_id=org))
    found = after(study).to_numpy()
    assert set(found[: len(y)]) == {"one-org-others-1", "one-org-others-2"}
    assert set(found[len(y) :]) == {""}
    did = control(study, VOCABULARY, 5).did
    assert (did["sites_before"], did["sites_after"]) == (SITES, 2), "to have none is no site"
    assert did["settings_without_sites"] == 1


def test_a_measured_exposure_that_is_the_same_for_all_of_a_site_is_refused_by_name() -> None:
    """Whoever knows the cell of a site knows each person's answer; of others of a value as well."""
    y, x, site = world([3], 0.15, 4)
    study = study_of(y, x, site)
    of_site = np.random.default_rng(3).uniform(10, 90, site.max() + 1)[site]
    more = study.measurements.assign(construct="trust_government", value_pomp=of_site)
    exposures = [{"construct": "trust_government", "type": "measured"}]
    study = replace(study, report={**study.report, "exposures": exposures})
    study = study.with_tables(measurements=pd.concat([study.measurements, more]))
    with pytest.raises(
        BadInput, match=r"(?s)'trust_government', to which.*`exposures` where it is"
    ):
        control(study, VOCABULARY, 5)


@pytest.mark.parametrize("same", [True, False])
def test_an_older_parcel_in_which_others_were_of_both_levels_does_not_stop_a_newer_one(
    monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """Its others are those of both levels together; and who is gone since is still found."""
    y, x, site = world([1], 0.15)
    with monkeypatch.context() as before:
        before.setattr(people, "_levels", lambda x, place, site: np.zeros(len(x), dtype=int))
        old = documents(control(study_of(y, x, site), VOCABULARY, 5), VOCABULARY, {})
    assert len(old["cells/threat-main.json"]["coordinates"]["site"]) == 1
    here = slice(None if same else -1)
    new = documents(control(study_of(y[here], x[here], site[here]), VOCABULARY, 5), VOCABULARY, {})
    older = Parcel({"study": "one"}, old)
    if same:
        check_against_older(new, older, LEAST, Path("older.parcel"))
    else:
        with pytest.raises(BadInput, match="by few people, 1"):
            check_against_older(new, older, LEAST, Path("older.parcel"))


# --- associations within sites, and between them ------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "between", "told"),
    [("organisational", 0.4, True), ("organisational", 0.0, True), ("randomised", 0.0, False),
     ("randomised", 0.4, True)],
)  # fmt: skip
def test_an_estimate_within_sites_that_holds_differences_between_them_is_told(
    kind: str, between: float, told: bool
) -> None:
    """Sites go, and exposures vary between them too: by chance alone if all are drawn alike."""
    y, _, site = world([7], 0.15)
    rng = np.random.default_rng(8)
    x = np.where(rng.random(len(y)) < 0.5 + between * (site % 2 - 0.5), 0.5, -0.5)
    study = study_of(y, x, site, kind)
    did = control(study, VOCABULARY, 5).did
    assert did["settings_without_sites"] == 1
    assert did["between_sites"] == ([f"task_type_{kind}"] if told else [])
    large = study_of(y, x, site // 8, kind)  # five sites of seventy: all stay
    kept = control(large, VOCABULARY, 5).did
    assert kept["untouched"]
    assert kept["between_sites"] == []


def test_what_chance_makes_of_sites_is_that_of_tables_and_of_levels_dealt_out_anew() -> None:
    """By the chi-squared test of a table in scipy, and by how often shuffled levels differ more."""
    rng = np.random.default_rng(11)
    site, x = np.repeat(np.arange(12), 9), rng.integers(0, 2, 108) - 0.5
    x[:20] = 0.5
    _, below, freedom, _ = chi2_contingency(pd.crosstab(site, x), correction=False)[:4]
    statistic = chi2_contingency(pd.crosstab(site, x), correction=False)[0] * 107 / 108
    assert (freedom, below < 0.5) == (11, True)
    assert alike(x, site) == pytest.approx(chi2.sf(statistic, 11))
    more = sum(alike(rng.permutation(x), site) <= alike(x, site) for _ in range(4000))
    assert more / 4000 == pytest.approx(alike(x, site), abs=0.02)
    assert alike(np.arange(40) % 2, np.arange(40)) > 0.3, "one person at each site says nothing"


def test_an_estimate_that_the_rows_do_not_give_is_told() -> None:
    """Two people at the first site, of both conditions, and one at each other: nobody to spare."""
    site = np.array([0, 0, *range(1, 60)])
    y, x = np.random.default_rng(9).normal(size=len(site)), np.arange(len(site)) % 2 - 0.5
    (found,) = losses_of(study_of(y, x, site, "randomised"))
    assert found.added
    assert (found.moved, found.wider) == (None, None)
    assert said_of([found], {"least": LEAST}) is None
    (found,) = losses_of(study_of(y, x, site // 10, "randomised"))
    assert not found.added


def losses_of(study: Study) -> list[Loss]:
    return losses(study, control(study, VOCABULARY, 5), VOCABULARY)


# --- what is then known of an effect of the site ------------------------------------------------

TAU = np.linspace(0.01, 1.21, 41)  # standard deviations between sites, in those of answers


def posterior(y: np.ndarray, x: np.ndarray, site: np.ndarray, scale: float = 0.3) -> np.ndarray:
    """Mean, SD, and limits of the central 95 % of an effect, of a random intercept of sites.

    Intercept and effect have flat priors and are integrated out; the standard deviation between
    sites has the half-normal prior of the configuration. The variance within sites is estimated.
    """
    names, at = np.unique(site, return_inverse=True)
    design = np.column_stack([np.ones(len(x)), x])
    n, sums, of_y = np.bincount(at), np.zeros((len(names), 2)), np.bincount(at, y)
    np.add.at(sums, at, design)
    group = np.unique(np.column_stack([at, x]), axis=0, return_inverse=True)[1].ravel()
    mean = np.bincount(group, y) / np.bincount(group)
    sigma2 = ((y - mean[group]) ** 2).sum() / (len(y) - len(mean))
    k = TAU[:, None] ** 2 / (sigma2 + n * TAU[:, None] ** 2)  # (grid, site)
    xx = (design.T @ design - np.einsum("gs,si,sj->gij", k, sums, sums)) / sigma2
    xy = (design.T @ y - np.einsum("gs,si,s->gi", k, sums, of_y)) / sigma2
    b = np.linalg.solve(xx, xy[..., None])[..., 0]
    square = (y @ y - k @ of_y**2) / sigma2
    log = np.log1p(n * TAU[:, None] ** 2 / sigma2).sum(axis=1) + np.linalg.slogdet(xx)[1] + square
    log = -0.5 * (log - (xy * b).sum(axis=1) + (TAU / scale) ** 2)
    p = np.exp(log - log.max())
    p /= p.sum()
    variance = np.linalg.inv(xx)[:, 1, 1]
    mean_of = p @ b[:, 1]
    sd = np.sqrt(p @ (variance + (b[:, 1] - mean_of) ** 2))
    grid = np.linspace(mean_of - 8 * sd, mean_of + 8 * sd, 401)
    below = p @ norm.cdf((grid - b[:, 1:]) / np.sqrt(variance)[:, None])
    return np.array([mean_of, sd, *np.interp([0.025, 0.975], below, grid)])


def simple(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same as if all people were independent of each other."""
    design = np.column_stack([np.ones(len(x)), x])
    b, rest, *_ = np.linalg.lstsq(design, y)
    sd = np.sqrt(rest[0] / (len(y) - 2) * np.linalg.inv(design.T @ design)[1, 1])
    return np.array([b[1], sd, b[1] - 1.96 * sd, b[1] + 1.96 * sd])


@pytest.mark.parametrize(("icc", "large", "most"), [(0.2, 0, 11), (0.1, 0, 12), (0.15, 16, 12)])
def test_an_effect_of_the_site_is_no_better_known_from_a_parcel_than_from_the_rows(
    icc: float, large: int, most: int
) -> None:
    """In 200 made studies. Before, people of others were as if independent of each other."""
    found: dict[str, list[np.ndarray]] = {"rows": [], "parcel": [], "before": []}
    for replicate in range(200):
        y, x, site = world([replicate, int(100 * icc), large], icc, large, most)
        stays = np.bincount(site)[site] >= 12
        if not replicate:  # counts of people decide who is where, whatever the answers are
            names = after(study_of(y, x, site))
            assert (~names.str.contains("others") == stays).all()
        found["rows"].append(posterior(y, x, site))
        found["parcel"].append(posterior(y, x, np.where(stays, site, np.where(x > 0, -1, -2))))
        mixed = np.where(stays, site, -1)
        found["before"].append(posterior(y, x, mixed) if stays.any() else simple(y, x))
    low, high, width, covered = {}, {}, {}, {}
    for name, of in found.items():
        low[name], high[name] = np.array(of)[:, 2:].T
        width[name] = ((high[name] - low[name]) / (high["rows"] - low["rows"])).mean()
        covered[name] = ((low[name] <= EFFECT) & (high[name] >= EFFECT)).mean()
    assert width["parcel"] > 1.1
    assert width["before"] < 0.93
    assert covered["parcel"] >= 0.94
    assert covered["rows"] >= 0.92
    assert covered["before"] <= 0.92


@pytest.mark.parametrize("mixed", [1, 4])
def test_so_it_is_where_few_are_not_as_their_site_is(mixed: int) -> None:
    """In 200 made studies. Before, all were independent of each other, as in a trial of persons."""
    found = []
    for replicate in range(200):
        y, x, site = few_mixed([replicate, mixed], mixed)
        ways = (posterior(y, x, site), posterior(y, x, x), simple(y, x))
        found.append([(way[3] - way[2], way[2] <= EFFECT <= way[3]) for way in ways])
    (rows, in_rows), (parcel, in_parcel), (before, in_before) = np.mean(found, axis=0)
    assert parcel > rows > 1.2 * before
    assert in_rows >= 0.9
    assert in_parcel >= 0.94
    assert in_before <= 0.85
