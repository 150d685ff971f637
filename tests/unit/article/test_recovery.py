"""Recovery: effects beside their true values, and the file that these values come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

import true_values
from helpers.evidence import OUTCOMES, evidence
from helpers.repository import ROOT
from metastudy.article.make import figure, table
from metastudy.article.results import Results
from metastudy.article.topics.recovery import (
    RECOVERED,
    differences,
    in_vignettes,
    recovered,
    variables,
)
from metastudy.models.answers.standardisers import standardisers

TRUTH = ROOT / "data" / "truth.csv"
FILE = "0" * 64  # the digest of all data files of the small worlds
KEY = ["module", "study", "exposure", "level", "outcome", "vignette", "metric"]


def truths(values: tuple[float, ...], **more: object) -> pd.DataFrame:
    """True effects on the threats of the small worlds."""
    same = {
        "module": "threat", "study": "first", "data": FILE, "exposure": "task_type_randomised",
        "level": "population", "vignette": np.nan, "metric": "sd", "se": 0.0,
    }  # fmt: skip
    return pd.DataFrame(
        [same | {"outcome": o, "truth": t} | more for o, t in zip(OUTCOMES, values, strict=True)]
    )


def knowing(values: tuple[float, ...], world: str = "mixed", **more: object) -> Results:
    return replace(evidence(world), truth=truths(values, **more))


def test_each_effect_is_judged_against_its_own_truth() -> None:
    # The world has means of 0.3, -0.3, 0.0 and 0.1, and SDs of 0.1, 0.1, 0.02 and 0.1.
    found = recovered(knowing((0.35, 0.25, 0.0, 0.31)))
    assert list(found.columns) == RECOVERED
    assert found["outcome"].tolist() == list(OUTCOMES)
    assert found["covered"].tolist() == [True, False, True, False]
    assert found["word"].tolist() == ["clear_higher", "clear_lower", "too_small", "undecided"]
    assert found["sign"].tolist() == ["right", "wrong", "", ""]
    assert found["trivial"].tolist() == [False, False, True, False]


def test_a_claim_about_what_is_zero_is_neither_right_nor_wrong() -> None:
    found = recovered(knowing((0.0, -0.05, 0.0, 0.0)))
    assert found["sign"].tolist() == ["none", "right", "", ""]
    assert found["trivial"].all()


def test_table_and_variables_count_what_is_recovered() -> None:
    world = knowing((0.35, 0.25, 0.0, 0.31))
    shown = table(world, "recovery").shown.set_index("Verdict")
    assert shown.loc["All words"].to_dict() == {
        "Effects": "4", "Inside": "2 of 4", "Right sign": "1", "Wrong sign": "1",
        "True zero": "0", "Trivial": "1",
    }  # fmt: skip
    assert shown.loc["Clear, lower", "Inside"] == "0 of 1"
    assert shown.loc["Undecided", "Right sign"] == "–", "it claims no sign"
    said = variables(world)
    assert (said["effects"], said["covered"], said["claims"]) == ("4", "2", "two")
    assert (said["claims_right"], said["claims_wrong"]) == ("one", "one")
    assert (said["substantial"], said["substantial_undecided"]) == ("three", "one")
    assert "Two signs are claimed: one right and one wrong." in said["sentence"]
    assert said["answer"] == (
        "Mostly: of three true values outside the region of practical equivalence two get a sign "
        "and one stays undecided."
    )
    assert "threat to the profession (estimate −0.30, truth 0.25)" in said["missed"]
    assert said["abstract"].endswith(
        "Of four signs that are claimed, two are right and two are wrong; of three true effects "
        "beyond the region of practical equivalence, one stays undecided."
    )


def test_differences_and_single_vignettes_have_truths_of_their_own() -> None:
    found = differences(knowing((0.35, 0.25, 0.05, 0.31))).set_index("outcome")
    quality, profession, job = OUTCOMES[:3]  # a family; the last outcome is in another
    by_hand = {quality: 0.35 - 0.15, profession: 0.25 - 0.2, job: 0.05 - 0.3}
    assert found["truth"].to_dict() == pytest.approx(by_hand)
    world = evidence("mixed")
    contrasts = world.contrasts["threat"]
    own = contrasts["estimand"].eq("effect") & contrasts["level"].eq("study")
    one = contrasts[own & contrasts["metric"].eq("sd")].iloc[0]
    both = [one.to_dict() | {"vignette": name, "id": name} for name in ("first", "second")]
    table = pd.concat([contrasts[~own], pd.DataFrame(both)])
    known = [
        truths((0.0,) * 4, level="study", vignette="first").iloc[0].to_dict()
        | {"outcome": one["outcome"], "exposure": one["exposure"], "study": one["study"]}
        | {"vignette": name, "truth": value}
        for name, value in (("first", one["mean"]), ("second", one["upper"] + 1))
    ]
    several = replace(
        world, contrasts={**world.contrasts, "threat": table}, truth=pd.DataFrame(known)
    )
    assert in_vignettes(several)["covered"].tolist() == [True, False]
    alone = replace(several, contrasts={**world.contrasts, "threat": table.iloc[:-1]})
    assert in_vignettes(alone).empty, "the mean over one vignette is that vignette"


def test_the_figure_has_each_truth_as_a_point_beside_its_interval() -> None:
    shown, _ = figure(knowing((0.35, 0.25, 0.0, 0.31)), "recovery")
    true = shown[shown["series"] == "True value"]
    assert true["estimate"].tolist() == [0.35, 0.25, 0.0, 0.31]
    assert true[["lower", "upper"]].eq(true["estimate"], axis=0).all(axis=None)
    posterior = shown[shown["series"] == "Posterior"]
    np.testing.assert_allclose(posterior["estimate"], [0.3, -0.3, 0.0, 0.1])


@pytest.mark.parametrize(
    "world",
    [
        evidence("mixed"),
        knowing((0.0,) * 4, data="1" * 64),
        knowing((0.0,) * 4, vignette="volunteers_at_work", level="study"),
        replace(evidence("mixed", observed=("first",)), truth=truths((0.0,) * 4)),
    ],
    ids=["no truth", "another data file", "one vignette", "observed data"],
)
def test_without_a_known_truth_nothing_is_shown(world: Results) -> None:
    assert recovered(world).empty
    assert variables(world).keys() == {"sentence", "abstract"}
    assert variables(world)["abstract"] == ""
    assert table(world, "recovery").shown.empty


def committed() -> pd.DataFrame:
    return pd.read_csv(TRUTH, comment="#", keep_default_na=False)


def test_the_file_is_about_the_world_and_the_data_that_ship() -> None:
    head = [line for line in TRUTH.read_text("utf-8").splitlines() if line.startswith("#")]
    assert f"# world {true_values.digest(true_values.WORLD)}" in head, (
        "run: python tools/true_values.py --out data/truth.csv"
    )
    found = committed()
    assert list(found.columns) == true_values.COLUMNS
    assert not found.duplicated(KEY).any()
    made = yaml.safe_load((ROOT / "data/raw/manifest.yaml").read_text("utf-8"))
    for study, data in found[["study", "data"]].drop_duplicates().itertuples(index=False):
        assert data in made[study].values()


def test_fewer_people_agree_with_the_file_within_monte_carlo_error() -> None:
    known = committed().set_index(KEY)
    found = true_values.true_values(40_000).set_index(KEY)
    assert list(found.index) == list(known.index)
    zero = known["truth"] == 0
    assert zero.any()
    assert (found.loc[zero, "truth"] == 0).all()
    error = np.hypot(known["se"], found["se"])
    drawn = ~zero & (error > 0)
    z = (found["truth"] - known["truth"])[drawn] / error[drawn]
    assert drawn.sum() >= 20
    assert np.abs(z).max() < 4
    closed = ~zero & (error == 0)
    np.testing.assert_allclose(found.loc[closed, "truth"], known.loc[closed, "truth"], rtol=1e-5)


def test_a_truth_is_the_value_of_the_estimand_and_no_number_of_the_world_file() -> None:
    known = committed().query("study == 'threat_experiment' and level == 'population'")
    world = yaml.safe_load(true_values.WORLD.read_text("utf-8"))["threat_experiment"]
    row = known.set_index(["exposure", "outcome"]).loc["task_type_randomised", "threat_quality"]
    number = world["true_effect_task_type"]["threat_quality"]
    assert abs(row["truth"] - number) > 5 * row["se"], "answers are rounded, and items have errors"


def test_the_scale_is_the_standardiser_of_the_models() -> None:
    study = "threat_experiment"
    world = true_values.load_world(true_values.WORLD)
    rng = true_values.stream(world["seed"], "a test")
    book = yaml.safe_load((ROOT / f"data/raw/{study}/codebook.yaml").read_text("utf-8"))
    data = true_values.ANSWERS[study](world[study], rng, 20_000)
    score = true_values.scores(book, data)
    version = data["version"].astype(int)
    x = pd.DataFrame({"core": version.isin([2, 4]) - 0.5, "high": version.isin([3, 4]) - 0.5})
    place = [pd.Series("one place", index=score.index)]
    scale = standardisers(score, place, x)["scale"]
    vocabulary = yaml.safe_load((ROOT / "config/vocabulary.yaml").read_text("utf-8"))
    found = true_values.effects(book, vocabulary, data)
    for outcome in score:
        own = found.xs(outcome, level=["outcome", "vignette"]).unstack("metric")
        np.testing.assert_allclose(own["pomp"] / own["sd"], scale[outcome], rtol=1e-3)
    # Arms are balanced, so the slope is the difference of the arms' means.
    y = score["threat_quality", "volunteers_at_work"]
    core = y[version.isin([2, 4])].mean() - y[version.isin([1, 3])].mean()
    slope = found["task_type_randomised", "threat_quality", "volunteers_at_work", "pomp"]
    assert slope == pytest.approx(core, abs=0.02)


@pytest.mark.parametrize("study", true_values.CODES)
def test_shares_of_codes_are_those_that_presence_is_drawn_from(study: str) -> None:
    _, attribute, _ = true_values.CODES[study]
    world = true_values.load_world(true_values.WORLD)
    sharp = {study: world[study] | {"true_sensitivity": 1.0, "true_specificity": 1.0}}
    held, p = true_values.probabilities(study, world | sharp)
    present = np.array(
        [
            [code in interview.applied for code in world[study]["true_prevalence"]]
            for interview in held
        ]
    )
    known = committed().query("study == @study and metric == 'probability'")["truth"].to_numpy()
    place = np.array([getattr(interview, attribute) for interview in held])
    other = np.isin(place, ["United States", "Burger"])
    found = present[other].mean(axis=0) - present[~other].mean(axis=0)
    variance = sum(
        (p[side] * (1 - p[side])).sum(axis=0) / side.sum() ** 2 for side in (other, ~other)
    )
    z = (found - known) / np.sqrt(variance)
    assert np.abs(z).max() < 4
    assert np.mean(z**2) < 2.5
