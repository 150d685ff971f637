"""Counts by arm: of answers the cells of their rows, of several 0/1 outcomes each by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit
from scipy.stats import binom

from helpers.event_studies import PRIORS, event_study, exact
from helpers.raw_studies import VOCABULARY, harmonized, table_study
from helpers.scored_arms import HEAD, TAIL
from metastudy.article.results import Modelled, Results
from metastudy.article.topics.events import _not_compared
from metastudy.codebook.vocabulary import merge
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import Harmonized, save
from metastudy.harmonized.study import Study, load_study
from metastudy.inference.fit import fit
from metastudy.models.aggregate import cells_of_one
from metastudy.models.answers.assumed import studies_apart
from metastudy.models.events.cells import event_cells
from metastudy.models.events.kind import EVENTS
from metastudy.models.events.patterns import is_joint
from metastudy.models.ordinal.cells import NEEDED, item_cells
from metastudy.models.prior_simulation import parameters
from metastudy.posterior.contrasts import contrasts

WORDS = """\
vocabulary:
  modules: {joining: {label: Joining, model: events, question: 'Who joins?'}}
  families: {part: {label: Taking part, module: joining}}
  constructs:
    came: {label: Came, definition: Came once., direction: more, family: part}
    stayed: {label: Stayed, definition: Came again., direction: more, family: part}
"""
ANSWERS = range(1, 8)


# --- counts of answers to one item ---------------------------------------------------------------


def people(seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [(home, arm) for home, n in (("Aa", 23), ("Bø", 17)) for arm in (1, 2) for _ in range(n)]
    table = pd.DataFrame(rows, columns=["home", "arm"])
    q = np.clip(np.round(4 + 0.6 * (table["arm"] - 1.5) + 1.3 * rng.normal(size=len(table))), 1, 7)
    table["q"] = q.astype(int)
    table.insert(0, "nr", range(1, len(table) + 1))
    return table


def counts(table: pd.DataFrame) -> pd.DataFrame:
    found = table.groupby(["home", "arm"])["q"].value_counts().unstack(fill_value=0)
    found = found.reindex(columns=ANSWERS, fill_value=0)
    found.columns = [f"q{answer}" for answer in found]
    found = found.reset_index()
    found.insert(0, "nr", range(1, len(found) + 1))
    return found


def of_counts(keying: str = "", more: str = "", bounds: str = "min: 1, max: 7") -> str:
    columns = "".join(
        f"  - {{name: q{answer}, as: count, construct: threat_job, answer: {answer}, {bounds}"
        f"{keying}}}\n"
        for answer in ANSWERS
    )
    return HEAD + columns + more + "outcomes: [threat_job]\n" + TAIL


def of_rows(keying: str = "") -> str:
    item = f"  - {{name: q, as: item, construct: threat_job, min: 1, max: 7{keying}}}\n"
    return HEAD + item + "outcomes: [threat_job]\n" + TAIL


def made(folder: Path, table: pd.DataFrame, book: str) -> Harmonized:
    return harmonized(table_study(folder, table.to_csv(index=False), book))


def saved(folder: Path, found: Harmonized) -> Study:
    save(found, folder / "out")
    return load_study(folder / "out", NEEDED)


@pytest.mark.parametrize("keying", ["", ", keying: reverse"])
def test_counts_of_answers_are_the_cells_of_their_rows_bit_for_bit(
    tmp_path: Path, keying: str
) -> None:
    table = people()
    # Sums of fractions are the same to the last bit in the same order: that of the ids.
    alike = table.sort_values(["home", "arm", "q"])
    arm, at = alike.groupby(["home", "arm"]).ngroup() + 1, alike.groupby(["home", "arm"]).cumcount()
    alike["nr"] = arm.astype(str) + ":" + (at + 1).astype(str)
    one = saved(tmp_path / "arms", made(tmp_path / "arms", counts(table), of_counts(keying)))
    two = saved(tmp_path / "rows", made(tmp_path / "rows", alike, of_rows(keying)))
    any_order = saved(tmp_path / "mixed", made(tmp_path / "mixed", table, of_rows(keying)))
    assert one.people == two.people == len(table)
    arms, rows, mixed = (
        cells_of_one(study, "threat", VOCABULARY, "main") for study in (one, two, any_order)
    )
    xr.testing.assert_identical(arms, rows)
    xr.testing.assert_allclose(arms, mixed, rtol=1e-12)
    arms, rows = (item_cells([study], "threat", VOCABULARY) for study in (one, any_order))
    np.testing.assert_array_equal(arms["count"], rows["count"])
    np.testing.assert_array_equal(arms.category_of_answer, rows.category_of_answer)


def test_counts_that_do_not_add_up_to_the_people_are_refused(tmp_path: Path) -> None:
    table = counts(people())
    table["n"] = table[[f"q{answer}" for answer in ANSWERS]].sum(axis=1)
    book = of_counts(more="  - {name: n, as: people}\n")
    assert made(tmp_path / "right", table, book).report["rows_kept"] == table["n"].sum()
    table.loc[2, "n"] += 3
    with pytest.raises(BadInput) as bad:
        made(tmp_path / "wrong", table, book)
    (problem,) = bad.value.problems
    assert (problem.code, problem.row, problem.column) == ("unequal-total", "4", "q1")
    assert "17 people, of 20 in the arm ('n')" in problem.found


@pytest.mark.parametrize(
    ("value", "said"), [("3.5", "'3.5'"), ("-1", "'-1'"), ("", "nothing"), ("40 %", "'40 %'")]
)
def test_a_count_of_answers_is_a_whole_number(tmp_path: Path, value: str, said: str) -> None:
    table = counts(people()).astype(object)
    table.loc[1, "q4"] = value
    table.loc[3, "q2"] = "x"
    with pytest.raises(BadInput) as bad:
        made(tmp_path, table, of_counts())
    problems = {(p.code, p.row, p.column): p.found for p in bad.value.problems}
    assert problems[("impossible-count", "3", "q4")] == said
    assert set(problems) == {("impossible-count", "3", "q4"), ("impossible-count", "5", "q2")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answer: 7", "answer: 8", "8"),
        ("answer: 7", "answer: 6", "a second 'count' of 'threat_job' for 6"),
        ("answer: 7, min: 1", "answer: 7, min: 0", "counts of 'threat_job' on two scales"),
        ("q7, as: count, construct: threat_job, answer: 7, min: 1, max: 7",
         "q7, as: events, construct: threat_quality", "counts by arm of 2 outcomes"),
    ],
)  # fmt: skip
def test_counts_of_what_is_no_one_item_are_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    book = of_counts()
    assert old in book
    with pytest.raises(BadInput) as bad:
        made(tmp_path, counts(people()), book.replace(old, new))
    assert any(p.found.startswith(said) for p in bad.value.problems), bad.value.problems


# --- several 0/1 outcomes ------------------------------------------------------------------------

EVENTS_OF = """\
  - {name: n, as: people}
  - {name: k1, as: events, construct: came}
  - {name: k2, as: events, construct: stayed}
outcomes: [came, stayed]
"""
TABLE = pd.DataFrame(
    {
        "nr": [1, 2, 3, 4],
        "home": ["Aa", "Aa", "Bø", "Bø"],
        "arm": [1, 2, 1, 2],
        "n": [40, 41, 25, 30],
        "k1": [12, 20, 9, 18],
        "k2": [5, 6, 9, 4],
    }
)


def joined(folder: Path, sites: bool = True) -> tuple[Study, xr.Dataset]:
    table, head = TABLE, HEAD
    if not sites:
        table = TABLE.groupby("arm", as_index=False)[["n", "k1", "k2"]].sum().assign(nr=[1, 2])
        head = HEAD.replace("  - {name: home, as: site}\n", "")
    study = saved(folder, made(folder, table, head + EVENTS_OF + TAIL + WORDS))
    words = merge(VOCABULARY, [study.vocabulary])
    return study, event_cells([study], "joining", words)


def test_of_several_counted_outcomes_each_has_its_counts_and_none_is_compared(
    tmp_path: Path,
) -> None:
    study, cells = joined(tmp_path)
    assert study.people == TABLE["n"].sum()
    assert any("2 outcomes (came, stayed)" in note for note in study.report["notes"])
    for k, name in enumerate(("k1", "k2")):
        found = sorted(zip(cells.n.values[:, k], cells.events.values[:, k], strict=True))
        assert found == sorted(zip(TABLE["n"], TABLE[name], strict=True))
    assert (cells.answer.values >= 0).sum(axis=1).max() == 1
    assert EVENTS.sizes(cells)[1].sum() == TABLE["n"].sum()
    assert not is_joint(cells)
    assert studies_apart(cells) == ("small",)
    drawn = parameters(EVENTS.build(cells, PRIORS), 40, seed=4).rename(simulation="draw")
    halves = [drawn.isel(draw=slice(at, at + 20)) for at in (0, 20)]
    tree = xr.DataTree.from_dict({"posterior": xr.concat(halves, "chain")})
    assert "difference" not in set(
        contrasts(cells, tree).table(0.95, {"log_odds": 0.18})["estimand"]
    )


def test_the_likelihood_of_several_counted_outcomes_is_a_product_of_binomials(
    tmp_path: Path,
) -> None:
    _, cells = joined(tmp_path, sites=False)
    model = EVENTS.build(cells, PRIORS)
    named = [model[name] for name in ("baseline", "beta", "log_likelihood")]
    value = model.compile_fn(model.replace_rvs_by_values(named), on_unused_input="ignore")
    found, plain = [], []
    for shift in (0.0, 0.4, -0.7):
        point = {name: of + shift for name, of in model.initial_point().items()}
        baseline, beta, log_likelihood = value(point)
        found.append(float(log_likelihood))
        total = TABLE.groupby("arm")[["n", "k1", "k2"]].sum()
        plain.append(0.0)
        for k, name in enumerate(cells.construct_of.values):
            events = total[{"came": "k1", "stayed": "k2"}[str(name)]]
            for x, n, y in zip((-0.5, 0.5), total["n"], events, strict=True):
                eta = baseline[0, k] + x * beta[0, 0, k]
                plain[-1] += float(binom.logpmf(y, n, expit(eta)))
    np.testing.assert_allclose(np.diff(found), np.diff(plain), rtol=1e-9)


def test_study_estimates_of_counted_outcomes_are_those_of_their_tables(tmp_path: Path) -> None:
    """Firth's correction of a two by two table adds a half to each of its numbers."""
    study, cells = joined(tmp_path, sites=False)
    words = merge(VOCABULARY, [study.vocabulary])
    ((table, covariance),) = [*EVENTS.estimates(cells, words)]
    assert list(table["outcome"]) == ["came", "stayed"]
    assert covariance[0, 1] == covariance[1, 0] == 0
    total = TABLE.groupby("arm")[["n", "k1", "k2"]].sum() + np.array([1, 0.5, 0.5])
    for at, name in enumerate(("k1", "k2")):
        odds = total[name] / (total["n"] - total[name])
        assert table["estimate"].iloc[at] == pytest.approx(np.log(odds[2] / odds[1]), rel=1e-4)


@pytest.mark.fit
@pytest.mark.ci
def test_effects_on_counted_outcomes_have_the_posteriors_that_each_has_alone(
    tmp_path: Path,
) -> None:
    """Against the integral over the counts of one outcome, which knows of no other."""
    _, cells = joined(tmp_path, sites=False)
    sampling = {"chains": 4, "tune": 800, "draws": 1500, "target_accept": 0.9, "seed": 3}
    draws = fit(cells, PRIORS, sampling)["posterior"].to_dataset()
    total = TABLE.groupby("arm")[["n", "k1", "k2"]].sum()
    found = draws["mu"].values.reshape(-1, 2)
    for at, name in enumerate(("k1", "k2")):
        counted = [(int(total[name][arm]), int(total["n"][arm])) for arm in (1, 2)]
        mean, sd = exact([counted])
        # Four Monte Carlo errors of 3,000 effective draws.
        assert found[:, at].mean() == pytest.approx(mean["mu"], abs=4 * sd["mu"] / 3000**0.5)
        assert found[:, at].std() == pytest.approx(sd["mu"], rel=0.06)
    assert abs(np.corrcoef(found.T)[0, 1]) < 4 / 3000**0.5


def test_beside_such_a_study_rows_of_another_are_counted_apart_too(tmp_path: Path) -> None:
    study, _ = joined(tmp_path)
    words = merge(VOCABULARY, [study.vocabulary])
    rng = np.random.default_rng(1)
    there = {name: (rng.random(60) < 0.4).astype(float) for name in ("came", "stayed")}
    rows = event_study("rows", list(np.arange(60) % 2), there)
    assert is_joint(event_cells([rows], "joining", words))
    both = event_cells([rows, study], "joining", words)
    assert not is_joint(both)
    assert both.n.values.sum() == 2 * (60 + TABLE["n"].sum())


def test_the_article_says_of_which_study_only_counts_are_known() -> None:
    own = Modelled({"small": 136}, (), apart=("small",))
    said = variables_apart(own)
    assert said.startswith("No difference is made between effects on ")
    assert "of small only counts by arm are known" in said


def variables_apart(own: Modelled) -> str:
    evidence = Results(vocabulary=VOCABULARY, cells={"joining": own})
    table = pd.DataFrame({"outcome": ["threat_job", "threat_quality"]})
    return _not_compared(evidence, "joining", table)


def test_a_part_of_a_counted_outcome_is_refused_beside_it(tmp_path: Path) -> None:
    words = WORDS.replace("stayed: {", "stayed: {parent: came, ")
    with pytest.raises(BadInput) as bad:
        made(tmp_path, TABLE, HEAD + EVENTS_OF + TAIL + words)
    (problem,) = bad.value.problems
    assert problem.found == "'stayed', which is a part of 'came', and counts by arm of both"
