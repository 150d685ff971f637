"""A table of effects is drafted as one, under the names that programs and papers give columns."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.drafting.draft import draft, open_points
from metastudy.drafting.findings import fields
from metastudy.harmonize.harmonize import harmonize_file

ARMS = ["mean_treatment", "sd_treatment", "n_treatment", "mean_control", "sd_control", "n_control"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["author", "yi", "vi"], ["citation", "estimate", "variance"]),
        (["Study", "TE", "seTE"], ["citation", "estimate", "se"]),
        (["m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"], ARMS),
        (["mean.e", "sd.e", "n.e", "mean.c", "sd.c", "n.c"], ARMS),
        (
            ["ai", "n1i", "ci", "n2i"],
            ["events_treatment", "n_treatment", "events_control", "n_control"],
        ),
        (
            ["Study", "Estimate", "CI lower", "CI upper"],
            ["citation", "estimate", "ci_lower", "ci_upper"],
        ),
        (["slab", "ri", "ni"], ["citation", "r", "n"]),
        (ARMS, ARMS),
        (["Study", "OR", "95% CI lower", "95% CI upper"],
         ["citation", "estimate", "ci_lower", "ci_upper"]),
        (["paper", "log OR", "SE"], ["citation", "estimate", "se"]),
        (["paper", "d", "var"], ["citation", "estimate", "variance"]),
        (["paper", "Hedges' g", "se"], ["citation", "estimate", "se"]),
        (["paper", "RR", "ci_lower", "ci_upper"],
         ["citation", "estimate", "ci_lower", "ci_upper"]),
        (["events_1", "total_1", "events_2", "total_2"],
         ["events_treatment", "n_treatment", "events_control", "n_control"]),
        (["study", "t", "n1", "n2"], ["citation", "t", "n_treatment", "n_control"]),
        (["study", "p", "n"], ["citation", "p", "n"]),
        (["log_or", "se"], ["estimate", "se"]),
        (["estimate", "p"], ["estimate", "p"]),
        (["id", "yi", "vi", "age"], ["estimate", "variance"]),
        (["study", "or", "se", "age"], ["citation", "estimate", "se"]),
        # Words, or letters, and no publication.
        (["id", "or", "se", "age"], []),
        (["es", "se", "te"], []),
        (["id", "effect", "p", "q1"], []),
        # Arms, each in a row.
        (["study", "arm", "n", "mean", "sd"], []),
        # Columns of surveys and experiments, of which none is an effect.
        (["id", "condition", "item_1", "age", "n"], []),
        (["respondent", "t", "p", "m1", "m2"], []),
        (["study", "estimate", "year"], []),
        (["a", "b", "c", "d", "f", "g", "p", "t", "n"], []),
    ],
)  # fmt: skip
def test_columns_are_known_by_the_names_that_programs_give_them(
    names: list[str], expected: list[str]
) -> None:
    assert list(fields(names).values()) == expected


@pytest.mark.parametrize(("values", "asked"), [((0.4, 2.5), True), ((0, 4), False)])
def test_names_that_are_words_are_effects_or_answers_for_a_person_to_say(
    tmp_path: Path, values: tuple[float, float], asked: bool
) -> None:
    """Errors are above zero: a column of answers from nought is none, and nothing is asked."""
    numbers = [values[at % 2] for at in range(30)]
    table = pd.DataFrame({"id": range(30), "or": numbers, "se": numbers[1:] + numbers[:1]})
    table["age"] = [20 + at for at in range(30)]
    table.loc[:20, "se"] = values[0]
    table.to_csv(tmp_path / "file.csv", index=False)
    text = draft("small", tmp_path / "file.csv", VOCABULARY)
    points = [point.partition(": ")[2] for point in open_points(text)]
    assert "design: published" not in text
    assert ("design: TODO" in points) == asked
    assert ("or finding, with field: estimate" in text) == asked
    assert ("or finding, with field: se" in text) == asked
    assert ("design: survey # guess" in text) != asked


def effects_of(folder: Path, text: str, decided: dict[str, str]) -> pd.DataFrame:
    """The effects of a study whose draft has its open points decided."""
    for key, value in decided.items():
        text = re.sub(rf"({key}: )TODO", rf"\g<1>{value}", text)
    assert not open_points(text)
    (folder / "codebook.yaml").write_text(text, encoding="utf-8")
    manifest = folder.with_name("manifest.yaml")
    manifest.write_text("{}\n", encoding="utf-8")
    return harmonize_file(load(folder, VOCABULARY, manifest), b"").tables["effects"]


def test_a_draft_of_findings_reads_once_its_open_points_are_decided(tmp_path: Path) -> None:
    folder = tmp_path / "trials"
    folder.mkdir()
    table = pd.DataFrame(
        {"author": ["one", "two"], "yi": [0.2, -0.1], "vi": [0.01, 0.04], "year": [2001, 2009]}
    )
    table.to_csv(folder / "effects.csv", index=False)
    text = draft("trials", folder / "effects.csv", VOCABULARY)
    assert "design: published # guess" in text
    decided = {
        "title": "Trials", "contrast": "asked against not", "exposure_type": "randomised",
        "outcome": "turnout", "metric": "pomp", "verification": "published_numeric",
        "as": "ignore", "citation": "trials",
    }  # fmt: skip
    effects = effects_of(folder, text, decided)
    assert effects["estimate"].tolist() == [0.2, -0.1]
    assert effects["se"].tolist() == pytest.approx([0.1, 0.2])
    assert effects["direction"].tolist() == ["positive", "negative"]


@pytest.mark.parametrize(
    ("estimate", "said", "open_"),
    [
        ("OR", {"metric": "log_odds", "reported_as": "odds_ratio"}, ()),
        ("log OR", {"metric": "log_odds"}, ()),
        ("RR", {}, ("metric", "reported_as")),
        ("log RR", {}, ("metric",)),
        ("g", {"metric": "sd", "standardiser": "pooled_sd", "small_sample": "corrected"}, ()),
        ("d", {"metric": "sd", "small_sample": "not_corrected"}, ("standardiser",)),
        ("SMD", {"metric": "sd"}, ("standardiser", "small_sample")),
        ("estimate", {}, ("metric",)),
    ],
)
def test_what_the_name_of_an_estimate_says_is_a_guess_and_what_it_does_not_say_is_open(
    tmp_path: Path, estimate: str, said: dict[str, str], open_: tuple[str, ...]
) -> None:
    table = pd.DataFrame({"study": ["a"], estimate: [1.5], "95% CI low": [1], "95% CI up": [2]})
    table.to_csv(tmp_path / "effects.csv", index=False)
    text = draft("trials", tmp_path / "effects.csv", VOCABULARY)
    constants = text.partition("constants:")[2].partition("variables:")[0]
    for name, value in {**said, "ci_level": "95"}.items():
        assert f"  {name}: {value} # guess" in constants
    for name in open_:
        assert f"  {name}: TODO" in constants
    rest = {"reported_as", "standardiser", "small_sample"} - {*said, *open_}
    assert not any(f"  {name}:" in constants for name in rest)


def test_an_odds_ratio_is_read_as_its_logarithm_once_the_draft_is_decided(tmp_path: Path) -> None:
    folder = tmp_path / "trials"
    folder.mkdir()
    table = pd.DataFrame(
        {"study": ["a", "b"], "OR": [1.5, 0.8], "95% CI low": [1.1, 0.5], "95% CI up": [2.05, 1.28]}
    )
    table.to_csv(folder / "effects.csv", index=False)
    text = draft("trials", folder / "effects.csv", VOCABULARY)
    decided = {
        "title": "Trials", "contrast": "asked", "exposure_type": "randomised",
        "outcome": "turnout", "verification": "published_numeric", "citation": "trials",
    }  # fmt: skip
    effects = effects_of(folder, text, decided)
    assert effects["estimate"].tolist() == pytest.approx([0.405465, -0.223144], abs=1e-6)
    # (log 2.05 - log 1.1) / (2 * 1.959964)
    assert effects["se"].tolist() == pytest.approx([0.158811, 0.239802], abs=1e-6)
