"""Variables: formatted, quoted, named after what they are, and true in every world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml

from helpers.evidence import WORLDS, coping, evidence
from metastudy.article.make import variables
from metastudy.article.variable_tree import flat
from metastudy.article.variables_file import dump
from metastudy.display import plain_markdown
from metastudy.inference.netcdf import save


def of(world: str, studies: int = 1, **more: object) -> dict[str, str]:
    return flat(variables(evidence(world, studies, **more), {"python": "3"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("world", WORLDS)
def test_every_value_is_a_text_and_stays_one_in_the_file(world: str) -> None:
    tree = variables(evidence(world), {"python": "3.13"})
    assert all(isinstance(value, str) for value in flat(tree).values())
    kept = flat(yaml.safe_load(dump(tree)))
    assert kept == {key: plain_markdown.value(text) for key, text in flat(tree).items()}


def test_values_are_quoted_in_the_file() -> None:
    assert dump({"a": {"b": "0.50"}}) == 'a:\n  b: "0.50"\n'


@pytest.mark.parametrize("world", WORLDS)
def test_keys_are_the_same_in_every_world(world: str) -> None:
    assert of(world).keys() == of("null").keys()


def test_keys_hold_what_a_shortcode_can_hold() -> None:
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
               for key in of("mixed", 3))  # fmt: skip


def test_a_mixed_world_is_told_as_it_is() -> None:
    found = of("mixed")
    stem = "threat.task_type_randomised"
    assert found[f"{stem}.threat_quality.estimate"] == "0.30"
    assert found[f"{stem}.threat_quality.interval"] == "0.10 to 0.50"
    assert found[f"{stem}.threat_quality.pomp"] == "5.4"
    assert found[f"{stem}.threat_quality.effect"] == "raises"
    assert found[f"{stem}.threat_profession.effect_plural"] == "lower"
    assert found[f"{stem}.threat_job.direction"] == "too small to matter"
    assert found[f"{stem}.work_motivation.verdict"] == "undecided"
    assert found[f"{stem}.summary"] == (
        "A change from complementary tasks to core tasks raises threat to service quality (0.30 "
        "SD, 95% interval 0.10 to 0.50; clear) and lowers threat to the profession (−0.30 SD, 95% "
        "interval −0.50 to −0.10; clear); the effect on threat to one's own job (0.00 SD, 95% "
        "interval −0.04 to 0.04) is too small to matter; the effect on work motivation is "
        "undecided."
    )
    assert found[f"{stem}.any_higher.outcomes"] == "threat to service quality"
    assert found[f"{stem}.higher.outcomes"] == "none of the outcomes"
    assert found[f"{stem}.differences.outcomes"] == (
        "Against the mean of the other outcomes of the family, the effect is higher on threat to "
        "service quality (0.30 SD, 95% interval 0.10 to 0.50; clear) and lower on threat to the "
        "profession (−0.30 SD, 95% interval −0.50 to −0.10; clear); one difference is too small to "
        "matter."
    )
    assert found[f"{stem}.differences.vignettes"].startswith("It was in one vignette only")
    assert found[f"{stem}.threat_quality.kept"] == "3 of 3"
    assert found[f"{stem}.threat_quality.apart"] == "0.30 SD, 95% interval 0.10 to 0.50"


def test_a_size_that_is_open_is_said_and_so_is_the_border() -> None:
    found = of("open")
    stem = "threat.task_type_randomised"
    assert (
        "threat to service quality (0.22 SD, 95% interval 0.02 to 0.42; size open)"
        in found[f"{stem}.summary"]
    )
    assert "0.0002 to 0.39; size open; on the border)" in found[f"{stem}.summary"]
    assert found[f"{stem}.work_motivation.verdict_text"] == "higher, size open (on the border)"
    assert found[f"{stem}.work_motivation.beyond"] == "0.832"


def test_claims_and_the_signs_that_may_be_wrong_are_counted() -> None:
    found = of("open")
    # Three of the four effects on threat have a sign: twice P(Z > 2.2), once P(Z > 1.962).
    wrong = 2 * 0.013903 + 0.024881
    assert (found["claims.threat.count"], found["claims.threat.total"]) == ("3", "4")
    assert found["claims.threat.wrong"] == f"{wrong:.2f}"
    assert found["claims.threat.border"] == "1"
    assert found["claims.threat.sentence"] == (
        "Of 4 effects three are claimed to have a sign; the expected number of wrong signs among "
        "them is 0.05. Of 3 differences two are claimed to have a sign; the expected number of "
        "wrong signs among them is 0.03."
    )
    # Of coping: two of three outcomes for two exposures; differences between studies claim nothing.
    assert (found["claims.coping.count"], found["claims.coping.total"]) == ("4", "6")
    assert found["claims.coping.differences.total"] == "3"
    modules = [int(found[f"claims.{name}.count"]) for name in ("threat", "coping", "strain")]
    assert int(found["claims.count"]) == sum(modules)
    assert of("null")["claims.sentence"].startswith("Of 16 effects none is claimed")


def test_a_null_world_is_undecided_and_never_zero() -> None:
    found = of("null")
    stem = "threat.task_type_randomised"
    assert found[f"{stem}.comparison"] == "None of the four outcomes has a decided sign."
    assert found[f"{stem}.higher.outcomes"] == "none of the outcomes"
    assert found[f"{stem}.undecided.count"] == "four"
    assert not [key for key, text in found.items() if "no effect" in text or "imprecise" in text]


def test_a_reversed_world_turns_the_verbs() -> None:
    found = of("reversed")
    assert found["threat.task_type_randomised.threat_quality.effect"] == "lowers"
    assert "lowers threat to service quality" in found["threat.task_type_randomised.summary"]
    organisational = "strain.arrangement_organisational.role_change"
    assert found[f"{organisational}.effect"] == "goes with a lower prevalence of"


def test_measured_exposures_go_with_and_randomised_ones_raise() -> None:
    found = of("all")
    assert "goes with higher" in found["coping.external_efficacy_measured.summary"]
    assert "raises" in found["coping.external_efficacy_randomised.summary"]
    assert "raises" not in found["coping.external_efficacy_measured.summary"]


def test_a_vignette_has_a_key_of_its_own() -> None:
    found = of("all")
    stem = "coping.external_efficacy_measured.coping_avoidance"
    assert found[f"{stem}.inclusion_vs_quality.estimate"] == "0.41"
    assert found[f"{stem}.second.inclusion_vs_quality.estimate"] == "0.41"
    by_vignette = found["coping.external_efficacy_measured.by_vignette.comparison"]
    assert by_vignette.startswith("All six associations have a decided sign: avoidance in “user")
    assert "coping.self_efficacy_measured.by_vignette.comparison" not in found
    assert f"{stem}.pomp" not in found  # two vignettes: no one share of the scale
    assert found["coping.level.second.inclusion_vs_quality.coping_avoidance.mean"] == "44.0"


def test_the_highest_outcome_comes_from_the_draws(tmp_path: Path) -> None:
    world = evidence("null")
    levels = coping("null")
    levels = levels[levels["estimand"] == "mean"]
    rng = np.random.default_rng(1)
    means = np.where(levels["outcome"] == "coping_help_seeking", 60.0, 40.0)
    draws = xr.DataArray(
        rng.normal(means, 1.0, (2, 500, len(levels))),
        dims=("chain", "draw", "contrast"),
        coords={"contrast": levels["id"].to_list()},
    )
    save(xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}), tmp_path / "d.nc")
    world.contrasts["coping"].loc[levels.index, "mean"] = means  # type: ignore[index]
    object.__setattr__(world, "draws", {"coping": tmp_path / "d.nc"})
    found = flat(variables(world, {}))
    stem = "coping.level.second.inclusion_vs_quality.top"
    assert found[f"{stem}.label"] == "Help-seeking"
    assert found[f"{stem}.probability"] == "above 0.999"
    assert found[f"{stem}.sentence"].startswith("Help-seeking has the highest mean (60.0%")


def test_the_most_prevalent_codes_are_named_in_order() -> None:
    found = of("null")
    assert found["strain.level.top.labels"] == "role change, uncertainty and accountability ties"
    assert found["strain.level.top.prevalence_1"] == "30%"
    assert found["strain.level.org_mission.role_change.prevalence"] == "30%"
    assert found["strain.accuracy.sensitivity.prior"] == "0.88"


def test_the_marks_follow_the_data() -> None:
    assert of("null")["provenance.mark"] == "Simulated data"
    mixed = of("null", observed=("first",))
    assert mixed["provenance.mark"] == "Simulated and observed data"
    assert mixed["studies.first.mark"] == ""
    assert mixed["studies.second.mark"] == "Simulated data"
    observed = of("null", observed=("first", "second", "fourth"))
    assert observed["provenance.mark"] == observed["provenance.sentence"] == ""
    assert observed["provenance.caption"] == ""
    assert observed["provenance.frame"] == "In these data"
    assert mixed["provenance.caption"] == "Simulated and observed data."
    assert mixed["provenance.frame"] == "In the stand-in data"


def test_rows_add_up() -> None:
    found = of("null")
    for study in ("first", "second", "fourth"):
        read, kept, out = (int(found[f"studies.{study}.{k}"]) for k in ("read", "kept", "excluded"))
        assert read == kept + out
    assert found["studies.first.n_model"] == "9"


def test_the_synthesis_says_whether_it_pools() -> None:
    alone, several = of("all", 1), of("all", 3)
    assert "none is pooled" in alone["synthesis.sentence"]
    assert several["synthesis.pooled_count"] == "3"
    stem = "synthesis.effects.task_type_randomised.threat_quality"
    assert several[f"{stem}.verdict"] == "clear_higher"
    assert several[f"{stem}.pull"] == "pulled by its prior (−0.40 posterior SD)"
    assert f"{stem}.new_country.interval" in several
    assert f"{stem}.next_in_country.DK.interval" in several
    assert f"{stem}.verdict" not in alone


def test_the_number_of_cells_stands_beside_that_of_the_respondents() -> None:
    said = flat(variables(evidence("null"), {}))
    assert said["threat.cells.sentence"] == (
        "9 respondents at 2 sites with 3 patterns of observed outcomes are 4 cells"
    )
    assert said["threat.cells.all_arms"] == "threat to one's own job in First", "too few in one arm"
    assert "strain.cells.sentence" not in said, "interviews have no patterns of answers"
