"""Tables: what is shown agrees with what is kept in full, and carries its mark."""

from __future__ import annotations

import pytest

from helpers.evidence import WORLDS, evidence
from metastudy.article.catalogue import tables
from metastudy.article.make import table
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
    published = name in ("findings", "bounds", "appraisal")  # real, whatever the data are
    assert (" Simulated " in caption) != published
    assert "nan" not in text
    assert "-0." not in text  # a real minus


def test_observed_data_have_no_mark() -> None:
    found = table(evidence("null", observed=("first",)), "effects_threat")
    assert "imulated" not in markdown("effects_threat", found)


def test_shown_numbers_are_the_full_ones_rounded() -> None:
    found = table(evidence("mixed"), "effects_threat")
    first = found.full.iloc[0]
    shown = found.shown.iloc[0]
    assert shown["SD"] == f"{first['mean']:.2f}"
    assert shown["95% interval"] == f"{first['lower']:.2f} to {first['upper']:.2f}"
    assert list(found.shown["Verdict"]) == ["higher", "lower", "practically none", "imprecise"]


def test_a_prediction_is_called_one_and_has_no_verdict() -> None:
    shown = table(evidence("all"), "effects_coping").shown
    shown = shown[(shown == "New country (mostly prior)").any(axis=1)]
    assert len(shown) == 3
    assert set(shown["Verdict"]) == {"–"}
    assert shown["95% interval"].iloc[0] == "−0.19 to 0.99"


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
