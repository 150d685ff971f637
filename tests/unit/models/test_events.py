"""Events: 0/1 outcomes in their own right, from counts that say all that the rows say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import bernoulli

from helpers.event_studies import PRIORS, event_study, exact, of_counts, two_outcomes
from helpers.raw_studies import VOCABULARY
from metastudy.article import make
from metastudy.article.results import Modelled, Results
from metastudy.article.topics import events
from metastudy.common.problems import BadInput
from metastudy.inference.fit import fit
from metastudy.models.data_vector import pack
from metastudy.models.events.cells import event_cells
from metastudy.models.events.design import both_kinds
from metastudy.models.events.kind import EVENTS
from metastudy.models.events.observations import average, log_odds, observe_events
from metastudy.models.events.patterns import TABLE
from metastudy.models.events.regressions import firth, within_sites
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.posterior.contrasts import contrasts
from metastudy.synthesis.study_estimates import estimates

COUNTS = ((30, 80), (47, 75))
OTHERS = ((12, 60), (20, 58))
SAMPLING = {"chains": 4, "tune": 800, "draws": 1500, "target_accept": 0.9, "seed": 3}


def cells_of(*studies: object) -> xr.Dataset:
    return event_cells(studies, "threat", VOCABULARY)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sited() -> xr.Dataset:
    """Two studies with sites in one of them, and two outcomes, of which some are missing."""
    rng = np.random.default_rng(1)
    arm = rng.integers(2, size=160)
    there = {c: (rng.random(160) < 0.4).astype(float) for c in ("threat_job", "threat_quality")}
    there["threat_quality"][:20] = np.nan
    org = [f"o{i % 4}" for i in range(160)]
    return cells_of(event_study("a", list(arm), there, org), of_counts("b", COUNTS, country="FI"))


def test_cells_are_the_people_of_a_site_with_the_same_exposures() -> None:
    cells = cells_of(of_counts("a", COUNTS))
    assert cells.attrs["model"] == "events"
    np.testing.assert_array_equal(cells.n.values[:, 0], [80, 75])
    np.testing.assert_array_equal(cells.events.values[:, 0], [30, 47])
    np.testing.assert_array_equal(cells.x.values[cells.combination_of_group, 0], [-0.5, 0.5])


def test_counts_have_the_log_density_of_the_rows_up_to_a_constant(sited: xr.Dataset) -> None:
    model = EVENTS.build(sited, PRIORS)
    density, given = (
        log_likelihood(
            model,
        ),
        pack(sited, PRIORS),
    )
    drawn = parameters(model, 5, seed=1)
    rows = observe_events([], sited, VOCABULARY)
    assert len(rows.y) == 160 + 155
    found = []
    for at in range(5):
        one = drawn.isel(simulation=at)
        chance = 1 / (1 + np.exp(-log_odds(sited, one.expand_dims("sample"))[0]))[rows.group]
        each = np.where(np.isnan(rows.y), 0.0, bernoulli.logpmf(np.nan_to_num(rows.y), chance))
        each = each.sum(axis=1)
        both = ~np.isnan(rows.y).any(axis=1)  # all at the first study, which has one association
        of_pair = float(one["association"].values[0])
        each[both] = np.log(two_outcomes(*chance[both].T, of_pair, rows.y[both].astype(int)))
        np.testing.assert_allclose(EVENTS.log_lik(rows, sited, one.expand_dims("sample"))[0], each)
        found.append((density(one, given), each.sum()))
    counted, rowwise = np.array(found).T
    assert np.ptp(rowwise) > 1, "parameters that differ"
    np.testing.assert_allclose(counted - counted[0], rowwise - rowwise[0], rtol=1e-9, atol=1e-9)


def test_a_thousand_times_the_respondents_are_as_many_numbers(sited: xr.Dataset) -> None:
    many = EVENTS.weigh(sited, np.full(sited.sizes["group"], 1000.0))
    assert many.n.values.sum() == 1000 * sited.n.values.sum()
    model = EVENTS.build(sited, PRIORS)
    density, point = log_likelihood(model), parameters(model, 2, seed=1).isel(simulation=0)
    few, more = pack(sited, PRIORS), pack(many, PRIORS)
    assert few.shape == more.shape
    assert density(point, more) == pytest.approx(1000 * density(point, few))


@pytest.mark.fit
@pytest.mark.ci
@pytest.mark.parametrize("settings", [(COUNTS,), (COUNTS, OTHERS)], ids=["one study", "two"])
def test_posterior_is_that_of_an_integral(settings: tuple) -> None:
    studies = [of_counts(f"s{i}", counts) for i, counts in enumerate(settings)]
    draws = fit(cells_of(*studies), PRIORS, SAMPLING)["posterior"].to_dataset()
    mean, sd = exact(settings)
    found = {"mu": draws["mu"].isel(estimand=0)}
    if len(settings) > 1:
        found["tau"] = draws["total_tau"].isel(total_of=0)
    assert set(found) == set(mean.index)
    for name, values in found.items():
        # Errors of some 1,500 effective draws: four of them in the mean, and as much in the SD.
        assert float(values.mean()) == pytest.approx(mean[name], abs=4 * sd[name] / 1500**0.5)
        assert float(values.std()) == pytest.approx(sd[name], rel=0.1)


@pytest.fixture(scope="module")
def table(sited: xr.Dataset) -> pd.DataFrame:
    """The contrasts of draws, those of the priors: what is said of them needs no fit."""
    drawn = parameters(EVENTS.build(sited, PRIORS), 200, seed=4).rename(simulation="draw")
    halves = [drawn.isel(draw=slice(at, at + 100)) for at in (0, 100)]
    tree = xr.DataTree.from_dict({"posterior": xr.concat(halves, "chain")})
    return contrasts(sited, tree).table(0.95, {"log_odds": 0.18})


def test_contrasts_are_log_odds_ratios_with_their_shares(table: pd.DataFrame) -> None:
    effects = table[table["estimand"] == "effect"]
    mean = effects[effects["level"] == "population"]
    assert set(mean["metric"]) == {"log_odds", "probability"}
    assert mean.groupby("outcome")["metric"].nunique().eq(2).all()
    judged = mean.set_index(["outcome", "metric"])["rope"].notna()
    assert judged.xs("log_odds", level="metric").all()
    assert not judged.xs("probability", level="metric").any()
    assert {"new_study", "new_site", "country", "study"} <= set(effects["level"])
    apart = table[table["estimand"] == "difference"]
    assert set(apart["level"]) == {"outcome"}, "of one family, and known together"
    job, quality = (
        mean[mean["outcome"].eq(c) & mean["metric"].eq("log_odds")]["mean"].iloc[0]
        for c in ("threat_job", "threat_quality")
    )
    assert apart.set_index("outcome").loc["threat_job", "mean"] == pytest.approx(job - quality)

    arms = table[table["level"] == "arm"].set_index(["outcome", "group"])["mean"]
    job = mean[mean["outcome"].eq("threat_job") & mean["metric"].eq("probability")].iloc[0]
    assert arms["threat_job", "core"] - arms["threat_job", "complementary"] == pytest.approx(
        job["mean"]
    )
    own = effects[effects["level"].eq("study") & effects["metric"].eq("probability")]
    of_job = own[own["outcome"].eq("threat_job")]
    assert of_job["mean"].mean() == pytest.approx(job["mean"]), "each setting counts alike"


def test_the_article_shows_log_odds_ratios_beside_percentage_points(table: pd.DataFrame) -> None:
    sections = {name: dict(VOCABULARY[name]) for name in VOCABULARY.sections}
    threat = {**sections["modules"]["threat"], "model": "events"}
    modules = {**sections["modules"], "threat": threat}
    words = replace(VOCABULARY, sections={**sections, "modules": modules})
    report = {"interval": 0.95, "rope_logit": 0.18, "direction": 0.975}
    evidence = Results(words, contrasts={"threat": table}, settings={"report": report})

    marks, plot = make.figure(evidence, "module_threat")
    assert plot(marks) is not None
    assert {"log-odds" in axis or "%" in axis for axis in marks["axis"]} == {True}
    effects = make.table(evidence, "effects_threat")
    of_all = effects.shown[effects.shown["Of"].eq("Mean")]
    assert len(of_all) == 2, "a mean of each outcome"
    points = effects.full[effects.full["metric"].eq("probability")]
    job = points[points["level"].eq("population") & points["outcome"].eq("threat_job")].iloc[0]
    assert f"{100 * job['mean']:.0f}" in of_all["Difference, points"].iloc[-1]
    shares = make.table(evidence, "shares_threat").shown
    assert shares["People with it"].str.endswith("%").all()

    tree = make.TOPICS["events"].variables(evidence, "threat")
    found = tree["task_type_randomised"]["threat_job"]
    assert found["difference"] == f"{100 * job['mean']:.1f}".replace("-", "−")
    assert set(found["arms"]) == {"complementary", "core"}
    assert "log-odds" in found["text"]
    assert found["difference"] in tree["task_type_randomised"]["points"]["sentence"]
    assert "log-odds" in tree["task_type_randomised"]["elsewhere"]["sentence"]
    assert "apart" not in tree
    between = make.table(evidence, "differences_threat")
    assert list(between.shown["Difference"]) == ["Against the others of its family"] * 2
    assert "in log-odds" in between.caption
    own = tree["task_type_randomised"]["differences"]
    assert "log-odds" in own["threat_job"]["against_family"]["text"]
    assert own["outcomes"].startswith("Against the mean of the other outcomes of the family")
    apart = table[table["estimand"] != "difference"]
    refused = events.variables(replace(evidence, contrasts={"threat": apart}), "threat")
    said = refused["apart"]["sentence"]
    assert "threat to service quality and threat to one's own job: which of these one" in said
    assert "differences" not in refused["task_type_randomised"]
    own_cells = {"threat": Modelled({}, (), joint=True)}
    joint = replace(evidence, contrasts={"threat": apart}, cells=own_cells)
    assert "of different families" in events.variables(joint, "threat")["apart"]["sentence"]
    one = replace(evidence, contrasts={"threat": apart[apart["outcome"] == "threat_job"]})
    assert "apart" not in events.variables(one, "threat")


def test_the_article_says_which_of_two_odds_ratios_it_has_where_there_are_both(
    sited: xr.Dataset, table: pd.DataFrame
) -> None:
    kinds = both_kinds(sited)
    assert kinds == (("a",), ("b",))
    rows = {"a": 160, "b": 155}
    own = Modelled(rows, (), within_sites=kinds[0], over_sites=kinds[1])
    sections = {name: dict(VOCABULARY[name]) for name in VOCABULARY.sections}
    sections["modules"]["threat"] = {**sections["modules"]["threat"], "model": "events"}
    words = replace(VOCABULARY, sections=sections)
    report = {"interval": 0.95, "clear": 0.975, "too_small": 0.95, "direction": 0.975}
    both = Results(
        words, cells={"threat": own}, contrasts={"threat": table}, settings={"report": report}
    )
    said = events.variables(both, "threat")["sites"]["sentence"]
    assert "People of a have known sites, and those of b have not" in said
    assert "All log-odds ratios here are conditional" in said
    assert "the quantity that both have in common" in said
    one = replace(both, cells={"threat": replace(own, within_sites=(), over_sites=())})
    assert "sites" not in events.variables(one, "threat")


def test_of_one_kind_of_evidence_nothing_is_said_of_the_other() -> None:
    arm, there = [0, 1] * 40, {"threat_job": [0, 1, 1, 1, 0, 0, 1, 0] * 10}
    all_known = event_study("a", arm, there, [f"o{i % 4}" for i in range(80)])
    none_known = event_study("b", arm, there, country="FI")
    assert both_kinds(cells_of(all_known)) == both_kinds(cells_of(none_known)) == ((), ())
    assert both_kinds(cells_of(all_known, none_known)) == (("a",), ("b",))


def test_bias_reduced_log_odds_ratio_of_two_arms_has_half_a_person_more_in_each_count() -> None:
    x = np.array([[1, -0.5], [1, 0.5]])
    for (k, n), (h, m) in [COUNTS, ((0, 20), (5, 20)), ((0, 20), (20, 20))]:
        b, covariance = firth(np.array([n, m]), np.array([k, h]), x)
        odds = (h + 0.5) / (m - h + 0.5) / ((k + 0.5) / (n - k + 0.5))
        assert b[1] == pytest.approx(np.log(odds), abs=1e-6)
        assert np.isfinite(covariance).all()


def test_within_sites_the_odds_ratio_is_larger_than_over_them_and_the_one_that_was_simulated() -> (
    None
):
    rng = np.random.default_rng(5)
    site, level = np.repeat(np.arange(200), 2), np.repeat(rng.normal(0, 1.5, 200), 2)
    x = np.column_stack([np.ones(400), np.tile([-0.5, 0.5], 200)])
    n = np.full(400, 30.0)
    events = rng.binomial(30, 1 / (1 + np.exp(-(level + x[:, 1] * 1.0)))).astype(float)
    b, covariance, sd = within_sites(n, events, x, site)
    assert sd == pytest.approx(1.5, abs=0.25)
    se = np.sqrt(covariance[1, 1])
    assert abs(b[1] - 1.0) < 3 * se
    assert se < 0.08
    over = firth(n, events, x)[0][1]
    assert over < b[1] - 3 * se


def test_people_whose_site_nobody_knows_are_an_average_over_sites() -> None:
    rng = np.random.default_rng(6)
    level = rng.normal(0, 1, (400_000, 2))
    x, tau = np.array([[1, -0.5], [1, 0.5]]), np.array([[1.2, 0.6]])
    chance = (1 / (1 + np.exp(-(0.4 + (level * tau) @ x.T)))).mean(axis=0)
    found = average(np.full((1, 2), 0.4), x, tau)[0]
    np.testing.assert_allclose(found, np.log(chance / (1 - chance)), atol=0.01)
    assert (found < 0.4 - 0.03).all(), "nearer to an even chance"


def test_an_estimate_without_sites_is_of_the_same_kind_as_those_with_sites() -> None:
    rng = np.random.default_rng(7)
    site = np.repeat(np.arange(40), 50)
    arm = np.tile([0, 1], 1000)
    level = rng.normal(0, 1.5, 40)[site]
    there = rng.random(2000) < 1 / (1 + np.exp(-(level + 1.2 * (arm - 0.5))))
    outcome = {"threat_job": there.astype(float)}
    known = event_study("a", list(arm), outcome, [f"o{s}" for s in site])
    unknown = event_study("b", list(arm), outcome, country="FI")
    alone = estimates(cells_of(unknown), VOCABULARY)[0]["estimate"].iloc[0]
    together = estimates(cells_of(known, unknown), VOCABULARY)[0].set_index("study")
    assert alone < together.loc["a", "estimate"] - together.loc["a", "se"]
    assert together.loc["b", "estimate"] == pytest.approx(together.loc["a", "estimate"], rel=0.05)


def test_estimates_of_two_outcomes_of_the_same_people_hang_together() -> None:
    rng = np.random.default_rng(2)
    arm = list(np.arange(400) % 2)
    one = (rng.random(400) < 0.5).astype(float)
    same = np.where(rng.random(400) < 0.8, one, 1 - one)
    cells = cells_of(event_study("a", arm, {"threat_job": one, "threat_quality": same}))
    table, covariance = estimates(cells, VOCABULARY)
    assert list(table["metric"]) == ["log_odds"] * 2
    r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert r == pytest.approx(0.6, abs=0.12)  # of the two outcomes: 2 x 0.8 - 1


def test_folded_an_outcome_is_there_where_a_part_of_it_is() -> None:
    sections = {name: dict(VOCABULARY[name]) for name in VOCABULARY.sections}
    parts = dict(sections["constructs"])
    parts["threat_quality"] = {**parts["threat_quality"], "parent": "threat_job"}
    words = replace(VOCABULARY, sections={**sections, "constructs": parts})
    there = {"threat_job": [0, 0, 1, np.nan], "threat_quality": [0, 1, 0, 1]}
    study = event_study("a", [0, 1, 0, 1], there)
    cells = event_cells([study], "threat", words, folded=True)
    assert list(cells.construct.values) == ["threat_job"]
    np.testing.assert_array_equal(cells.events.values[:, 0], [1, 2])


@pytest.mark.parametrize(
    ("low", "high", "items", "said"),
    [
        (0.0, 4.0, 1, "the item q_threat_job from 0 to 4"),
        (0.0, 1.0, 2, "items q_threat_job from 0 to 1, again from 0 to 1"),
    ],
)
def test_an_outcome_that_is_no_single_item_of_two_values_is_one_clear_error(
    low: float, high: float, items: int, said: str
) -> None:
    study = of_counts("a", COUNTS)
    table = study.measurements.assign(scale_min=low, scale_max=high)
    if items > 1:
        table = pd.concat([table, table.assign(item_id="again")], ignore_index=True)
    with pytest.raises(BadInput) as bad:
        cells_of(study.with_tables(measurements=table))
    (problem,) = bad.value.problems
    assert (problem.code, problem.study, problem.column) == ("no-event", "a", "threat_job")
    assert problem.found == said
    assert "answers" in problem.fix


def test_simulated_events_are_of_as_many_people(sited: xr.Dataset) -> None:
    model = EVENTS.build(sited, PRIORS)
    drawn = parameters(model, 200, seed=2)
    rng = np.random.default_rng(3)
    shares = []
    for at in range(200):
        one = drawn.isel(simulation=at)
        made = EVENTS.simulate(sited, one, rng)
        np.testing.assert_array_equal(made.n.values, sited.n.values)
        assert (made.events.values <= made.n.values).all()
        assert made["count"].values.sum() == made[TABLE].values.sum() == 160 + 155
        assert made[TABLE].shape == sited[TABLE].shape
        known = made.answer.values >= 0
        n = np.zeros_like(made.n.values)
        np.add.at(n, made.group_of_pattern.values, known * made["count"].values[:, None])
        np.testing.assert_array_equal(n, sited.n.values)
        chance = 1 / (1 + np.exp(-log_odds(sited, one.expand_dims("sample"))[0]))
        shares.append((made.events.values - made.n.values * chance).sum() / made.n.values.sum())
    assert abs(np.mean(shares)) < 4 * np.std(shares) / 200**0.5
    assert np.std(shares) > 0
