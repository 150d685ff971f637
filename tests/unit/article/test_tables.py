"""Tables: what is shown agrees with what is kept in full, and carries its mark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import WORLDS, evidence
from metastudy.article.catalogue import tables
from metastudy.article.figure_rows import MOST_PLACES
from metastudy.article.make import table
from metastudy.article.topics import studies as topic
from metastudy.article.topics import synthesis
from metastudy.common.problems import MetastudyError
from metastudy.display.pipe_table import markdown

MODELS = {"threat": "answers", "coping": "answers", "strain": "codings"}
ALL = list(tables(MODELS))


@pytest.mark.parametrize("studies", [1, 3])
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", ALL)
def test_every_table_is_a_pipe_table_with_id_and_mark(name: str, world: str, studies: int) -> None:
    text = markdown(name, table(evidence(world, studies), name))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) >= 3
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    caption = text.splitlines()[-1]
    assert caption.startswith(": ")
    assert f"{{#tbl-{name.replace('_', '-')}" in caption
    assert caption.endswith("}")
    published = name in ("entered", "findings", "bounds", "appraisal", "outcomes", "certainty")
    # What was published is real, whatever the data are; without true values nothing is recovered.
    # Nothing to show, so no mark.
    nothing = name in ("recovery", "moderators", "dependence", "influence", "selection")
    nothing |= name == "prior_scales"
    nothing |= name == "primary"  # none is named in these settings
    nothing |= name in ("tails", "associations", "missing_outcomes", "left_out_groups")
    assert (" Simulated " in caption) != (published or nothing)
    assert "nan" not in text
    assert "-0." not in text  # a real minus


def test_observed_data_have_no_mark() -> None:
    found = table(evidence("null", observed=("first",)), "effects_threat")
    assert "imulated" not in markdown("effects_threat", found)


def test_sizes_that_were_published_are_beside_those_that_are_invented() -> None:
    world = evidence("mixed")
    world.studies[0].report["codebook"]["published_size"] = "300 volunteers"
    found = table(world, "studies")
    assert "These numbers are invented" in found.caption
    assert list(found.shown["Published size"])[:2] == ["300 volunteers", "not seen"]
    assert "Source" not in found.shown
    real = table(evidence("mixed", observed=("first",)), "studies")
    assert "invented" not in real.caption
    assert not {"Published size", "Stands in for"} & set(real.shown)


def test_shown_numbers_are_the_full_ones_rounded() -> None:
    found = table(evidence("mixed"), "effects_threat")
    first = found.full.iloc[0]
    shown = found.shown.iloc[0]
    assert shown["SD"] == f"{first['mean']:.2f}"
    assert shown["95% interval"] == f"{first['lower']:.2f} to {first['upper']:.2f}"
    assert list(found.shown["Verdict"]) == [
        "clear, higher",
        "clear, lower",
        "too small to matter",
        "undecided",
    ]


def test_a_prediction_is_called_one_and_has_no_verdict() -> None:
    shown = table(evidence("all"), "effects_coping").shown
    shown = shown[(shown == "New country (its prior decides)").any(axis=1)]
    assert len(shown) == 3
    assert set(shown["Verdict"]) == {"–"}
    assert shown["95% interval"].iloc[0] == "−0.19 to 0.99"


def test_a_word_on_the_border_has_a_mark_that_the_caption_explains() -> None:
    found = table(evidence("open"), "effects_threat")
    assert list(found.shown["Verdict"]) == [
        "higher, size open",
        "lower, size open",
        "too small to matter",
        "higher, size open†",
    ]
    assert "†: on the border" in found.caption


def test_each_claim_says_in_how_many_refits_it_is_kept_and_what_it_is_without_pooling() -> None:
    world = evidence("mixed")
    refits = world.refits
    mine = refits["outcome"].eq("threat_quality") & refits["kind"].eq("without_organisation")
    refits.loc[mine, "positive"] = 0.9  # below 0.95: not kept
    lost = refits["outcome"].eq("threat_profession") & refits["kind"].eq("prior")
    refits.loc[lost, "positive"] = 0.5
    apart = refits["outcome"].eq("threat_job") & refits["kind"].eq("outcomes")
    refits.loc[apart, ["mean", "lower", "upper"]] = 0.07, -0.01, 0.15
    refits.loc[apart, ["above", "below", "rope"]] = 0.3, 0.0, 0.7
    shown = table(world, "effects_threat").shown
    assert list(shown["Kept"]) == ["2 of 3", "2 of 3", "–", "–"], "what is no claim is not kept"
    assert shown["Not shrunk"].iloc[2] == "0.07 (−0.01 to 0.15): undecided"
    gone = world.refits[~(lost | apart)]
    object.__setattr__(world, "refits", gone[gone["outcome"] != "threat_quality"])
    shown = table(world, "effects_threat").shown
    assert list(shown["Kept"]) == ["–", "2 of 2", "–", "–"], "a refit without data is not counted"


def test_a_family_of_codes_is_in_the_refits_and_a_single_code_is_not() -> None:
    shown = table(evidence("mixed"), "effects_strain").shown.set_index("Code")
    assert shown.loc["Coded strain (mean of the codes asked)", "Kept"] == "2 of 2"
    assert shown.loc["Role change", "Kept"] == "–"
    assert shown.loc["Role change", "Verdict"].startswith("clear") is False


def test_a_difference_between_studies_is_printed_without_a_verdict() -> None:
    found = table(evidence("mixed"), "differences_coping")
    mine = found.full[found.full["level"] == "exposure_type"]
    assert set(mine["verdict"]) == {""}
    shown = found.shown[found.shown["Difference"] == "Randomised against measured"]
    assert list(shown["Verdict"]) == ["other studies"] * 3
    assert list(shown["SD"]) == ["0.30", "−0.30", "0.00"]
    within = found.full[found.full["level"] == "vignette"]
    assert list(within["verdict"]) == ["clear_higher", "clear_lower", "too_small"]
    assert table(evidence("mixed"), "differences_threat").shown["Outcome"].nunique() == 3


def test_people_of_two_roles_have_rows_of_their_own_that_say_so() -> None:
    world = evidence("mixed")
    own = world.contrasts["threat"]
    both = pd.concat([own, own.assign(role="citizen_coproducer")], ignore_index=True)
    found = replace(world, contrasts={**world.contrasts, "threat": both})
    shown = table(found, "effects_threat").shown
    assert len(shown) == 2 * len(table(world, "effects_threat").shown)
    assert set(shown["Outcome"].str.rpartition(", ")[2]) == {"professional", "citizen co-producer"}


def test_what_its_prior_decides_says_so() -> None:
    shown = table(evidence("mixed"), "heterogeneity").shown
    decided = shown["Remark"] == "decided by its prior"
    assert (decided == (shown["Ratio of SDs"].astype(float) > 0.7)).all()
    assert decided.any()
    assert not decided.all()


def test_without_any_spread_there_is_a_table_without_rows() -> None:
    world = replace(evidence("mixed"), heterogeneity={}, synthesis={})
    found = table(world, "heterogeneity")
    assert found.full.empty
    assert "Nothing to show" in markdown("heterogeneity", found)


def test_of_baselines_of_sites_the_share_of_variance_between_them_is_shown() -> None:
    """Its mean and ends against those of the squares of draws."""
    world = evidence("mixed")
    draws = np.random.default_rng(1).gamma(9, 0.03, 100_000)
    low, high = np.quantile(draws, [0.025, 0.975])
    own = world.heterogeneity["threat"]
    own = own[~own["parameter"].str.startswith("site_tau")]
    alone = replace(world, heterogeneity={"threat": own})
    assert "ICC" not in table(alone, "heterogeneity").shown
    values = {"mean": draws.mean(), "sd": draws.std(), "lower": low, "upper": high}
    names = ("site_tau[intercept, threat_job]", "site_tau[task_type_randomised, threat_job]")
    sites = [own.iloc[[0]].assign(parameter=name, **values) for name in names]
    both = pd.concat([own, *sites], ignore_index=True)
    shown = table(replace(world, heterogeneity={"threat": both}), "heterogeneity").shown
    ends = np.quantile(draws**2, [0.025, 0.975])
    expected = f"{(draws**2).mean():.2f} ({ends[0]:.2f} to {ends[1]:.2f})"
    assert shown.loc[shown["ICC"].ne("–"), "ICC"].tolist() == [expected]


def test_a_pooled_mean_that_its_prior_pulls_says_so() -> None:
    world = evidence("all", 3)
    shown = table(world, "synthesis").shown
    assert set(shown["Remark"]) == {"pulled by its prior (−0.40 posterior SD)"}
    world.synthesis["pooled"]["prior_pull"] = 0.2
    assert "Remark" not in table(world, "synthesis").shown.columns
    assert "next study in Denmark: " in shown["Prediction"].iloc[0]


def test_a_mean_in_a_family_has_itself_without_it_beside_it_and_the_familys_mean_below() -> None:
    world = evidence("all", 3)
    before = table(world, "synthesis")
    assert "Not shrunk" not in before.shown
    assert "Not shrunk" not in before.caption
    pooled = world.synthesis["pooled"]
    mean = pooled["level"] == "population"
    pooled.loc[mean, "prior_pull"] = np.nan
    for name, value in (("mean", 0.5), ("sd", 0.1), ("lower", 0.3), ("upper", 0.7)):
        pooled.loc[mean, f"{name}_apart"] = value
    own = {"level": "family", "group": "perceived_threat", "outcome": "perceived_threat"}
    family = pooled[mean].iloc[[0]].assign(**own, id="of_family", mean_apart=np.nan)
    world.synthesis["pooled"] = pd.concat([pooled, family], ignore_index=True)
    found = table(world, "synthesis")
    assert list(found.shown["Not shrunk"]) == ["0.50 (0.30 to 0.70)"] * 3 + ["–"]
    assert found.shown["Outcome"].iloc[-1] == "Mean of perceived threat"
    assert found.shown["Study estimates"].iloc[-1] == "–"
    assert "without that" in found.caption
    effects = synthesis.variables(world)["effects"]["task_type_randomised"]
    assert effects["threat_quality"]["apart"] == "0.50 (0.30 to 0.70)"
    assert effects["threat_quality"]["pull"] == "shrunk with the outcomes of its family"
    assert "apart" not in effects["perceived_threat"]["family_mean"]
    assert "estimate" in effects["perceived_threat"]["family_mean"]


def test_of_predictions_in_many_places_the_printed_table_has_the_outermost_ends() -> None:
    world = evidence("all", 3)
    pooled = world.synthesis["pooled"]
    row = pooled[pooled["level"] == "next_in_country"].iloc[[0]]
    many = pd.concat(
        [row.assign(lower=-0.1 - k / 100, upper=0.3 + k / 100) for k in range(MOST_PLACES + 1)],
        ignore_index=True,
    )
    rest = pooled[pooled["level"] != "next_in_country"]
    for own, said in (
        (many, "next study in one country of 7: within −0.16 to 0.36"),
        (many[:MOST_PLACES], "next study in Denmark: −0.15 to 0.35"),
    ):
        synthesis = {**world.synthesis, "pooled": pd.concat([rest, own], ignore_index=True)}
        shown = table(replace(world, synthesis=synthesis), "synthesis").shown
        assert sum(said in text for text in shown["Prediction"]) == 1


def test_prevalences_stand_by_country_and_of_many_sectors_the_ends() -> None:
    shown = table(evidence("all"), "places_strain").shown
    assert list(shown.columns) == [
        "Code",
        "Scotland",
        "United States",
        "Sector, lowest to highest",
        "New sector",
    ]
    assert shown.loc[0, "Scotland"] == "20% (10% to 30%)"
    ends = "20% (Elderly care) to 28% (Temporary use of vacant spaces)"
    assert set(shown["Sector, lowest to highest"]) == {ends}
    assert "Scotland" not in table(evidence("all"), "prevalence_strain").shown.columns


def test_inconsistency_has_a_column_only_where_it_means_something() -> None:
    world = evidence("all")
    assert "I²" not in table(world, "heterogeneity").shown.columns
    spread = world.synthesis["heterogeneity"]
    shares = {"i2": 0.921, "i2_lower": 0.85, "i2_upper": 0.97}
    world.synthesis["heterogeneity"] = spread.assign(**shares)  # type: ignore[index]
    found = table(world, "heterogeneity")
    assert found.shown["I²"].iloc[-1] == "92% (85% to 97%)"
    assert set(found.shown["I²"].iloc[:-1]) == {"–"}
    assert "I²" in found.caption


def test_several_exposures_stand_under_headings() -> None:
    shown = table(evidence("mixed"), "effects_coping").shown
    heads = shown[shown["SD"] == ""]
    assert list(heads["Outcome"]) == [
        "**External efficacy (measured)**",
        "**External efficacy (randomised)**",
    ]
    assert (heads.drop(columns="Outcome") == "").all(axis=None)


def test_where_a_study_was_is_not_said_where_nobody_said_it() -> None:
    found = evidence("null", 3)
    first, *others = found.studies
    nowhere = dict.fromkeys(("country", "sector", "role"))
    lost = first.with_tables(respondents=first.respondents.assign(**nowhere))
    made = replace(found, studies=(lost, *others))
    row = table(made, "studies").shown.iloc[0]
    assert (row["Country"], row["Sector"]) == ("Not said", "Not said")
    assert row["Who and how"].startswith("Not said")
    countries = str(topic.variables(made)["countries"])
    assert "ot said" not in countries, "it is no country"


def test_exclusions_add_up() -> None:
    full = table(evidence("null"), "exclusions").full
    for _, own in full.groupby("study"):
        rows = own.groupby("kind")["rows"].sum()
        assert rows["read"] == rows["kept"] + rows["excluded"]


def test_an_unknown_table_names_those_there_are() -> None:
    with pytest.raises(MetastudyError, match="effects_threat"):
        table(evidence("null"), "effects_of_nothing")


def test_a_weighted_estimate_stands_beside_the_unweighted_one() -> None:
    shown = table(evidence("mixed"), "design_based").shown
    assert len(shown) == 1
    assert shown.loc[0, ["Weighted, SD", "Unweighted, SD"]].tolist() == ["−0.21", "−0.20"]


def test_what_can_be_pooled_is_a_row_for_each_exposure_with_its_reason() -> None:
    alone = table(evidence("mixed", 1), "pooling")
    assert alone.shown.to_dict("records") == [
        {
            "Exposure": "Core against complementary tasks (randomised)",
            "Study": "First",
            "Place": "Denmark",
            "Outcomes": "3",
            "Pooled": "none",
            "Why not": "one study only",
        }
    ]
    several = table(evidence("mixed", 3), "pooling")
    assert several.shown["Study"].item() == "First, Second and Fourth"
    assert several.shown[["Outcomes", "Pooled", "Why not"]].iloc[0].to_list() == ["3", "3", "–"]
    # one of the three is of one study alone, for a reason that the others do not share
    world = evidence("mixed", 3)
    refused = evidence("mixed", 1).synthesis["structure"].head(1).assign(reason="aliased")
    estimates = world.synthesis["estimates"]
    lone = estimates["outcome"].eq(refused["outcome"].item()) & estimates["study"].ne("first")
    world.synthesis["structure"] = refused  # type: ignore[index]
    world.synthesis["estimates"] = estimates[~lone].reset_index(drop=True)  # type: ignore[index]
    assert table(world, "pooling").shown[["Pooled", "Why not"]].iloc[0].to_list() == [
        "2",
        "aliased (threat to service quality)",
    ]
    assert several.provenance == ("simulated", "observed", "observed") * 3
    world.synthesis["estimates"] = world.synthesis["estimates"].head(0)  # type: ignore[index]
    assert list(table(world, "pooling").shown.columns) == list(alone.shown.columns)
