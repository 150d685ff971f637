"""Tables: what is shown agrees with what is kept in full, and carries its mark."""

from __future__ import annotations

import pytest
from worlds import WORLDS, evidence

from metastudy.errors import MetastudyError
from metastudy.tabulate import markdown, names, table

MODELS = {"threat": "answers", "coping": "answers", "strain": "codings"}
ALL = names(MODELS)


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
