"""What a design identifies: levels, contrasts, variance components, aliases, and their matrix."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pandas as pd
import pytest

from metastudy.design import identification
from metastudy.design.identification import Structure, structure
from metastudy.design.matrix import effects


def crossed(countries: int, sectors: int, each: int = 1) -> pd.DataFrame:
    """One row per study; so many studies in each country and sector."""
    rows = [
        (f"study-{c}-{s}-{k}", f"country-{c}", f"sector-{s}")
        for c, s, k in itertools.product(range(countries), range(sectors), range(each))
    ]
    return pd.DataFrame(rows, columns=["study", "country", "sector"])


def used(found: Structure) -> dict[str, str]:
    return found.table.set_index("grouping")["used_as"].to_dict()


def aliased(found: Structure) -> dict[str, str]:
    return found.table.set_index("grouping")["aliased_with"].to_dict()


@pytest.mark.parametrize(
    ("levels", "kind", "dominated", "reason"),
    [
        (1, "left out", None, "one level only: level-0"),
        (2, "contrast", False, "two levels: a contrast, no variance"),
        (3, "varying", True, "dominated by its prior"),
        (5, "varying", True, "dominated by its prior"),
        (6, "varying", False, "six or more levels"),
        (9, "varying", False, "six or more levels"),
    ],
)
def test_the_number_of_levels_decides_what_a_grouping_is(
    levels: int, kind: str, dominated: bool | None, reason: str
) -> None:
    units = pd.DataFrame({"site": [f"level-{k}" for k in range(levels)] * 2})
    found = structure(units, ["site"])
    assert used(found) == {"site": kind}
    assert found.table["levels"].tolist() == [levels]
    assert reason in found.table["reason"].item()
    assert [term.prior_dominated for term in found.terms] == [dominated] * (dominated is not None)


def test_a_contrast_is_minus_and_plus_one_half_and_a_varying_term_has_an_indicator_per_level() -> (
    None
):
    units = pd.DataFrame({"two": ["b", "a", "b", "a"], "three": ["x", "y", "z", "x"]})
    two, three = structure(units, ["two", "three"]).terms
    assert two.levels == ("a", "b")
    assert two.columns.tolist() == [[0.5], [-0.5], [0.5], [-0.5]]
    assert three.columns.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_crossed_groupings_are_told_apart() -> None:
    found = structure(crossed(4, 3), ["study", "country", "sector"])
    assert used(found) == dict.fromkeys(["study", "country", "sector"], "varying")
    dominated = {term.name: term.prior_dominated for term in found.terms}
    assert dominated == {"study": False, "country": True, "sector": True}


def test_nested_groupings_are_told_apart_where_groups_hold_several_units() -> None:
    units = crossed(6, 1, each=2)[["study", "country"]]
    found = structure(units, ["study", "country"])
    assert used(found) == {"study": "varying", "country": "varying"}


def test_a_country_that_is_a_study_by_another_name_is_left_out_with_its_alias() -> None:
    found = structure(crossed(7, 1), ["study", "country", "sector"])
    assert used(found) == {"study": "varying", "country": "left out", "sector": "left out"}
    assert aliased(found) == {"study": "", "country": "study", "sector": ""}
    assert [term.aliases for term in found.terms] == [("country",)]
    assert "aliased with study" in found.table["reason"].tolist()


def test_the_first_of_two_aliased_groupings_stays() -> None:
    found = structure(crossed(7, 1), ["country", "study"])
    assert used(found) == {"country": "varying", "study": "left out"}
    assert list(found.table["grouping"]) == ["country", "study"]


def test_of_two_studies_in_two_countries_one_contrast_is_left() -> None:
    found = structure(crossed(2, 1), ["study", "country", "sector"])
    assert used(found) == {"study": "contrast", "country": "left out", "sector": "left out"}
    assert found.terms[0].aliases == ("country",)


def test_an_arrangement_that_is_country_and_study_is_one_contrast_with_both_aliases_named() -> None:
    units = pd.DataFrame(
        {
            "study": ["interviews"] * 12,
            "country": ["c1"] * 6 + ["c2"] * 6,
            "sector": ["s1", "s2", "s3"] * 4,
            "arrangement": ["policy"] * 6 + ["mission"] * 6,
        }
    )
    found = structure(units, ["study", "country", "sector"], fixed=["arrangement"])
    assert used(found) == {"study": "left out", "country": "left out", "sector": "varying"}
    assert aliased(found)["country"] == "arrangement"


def test_a_variance_that_contrasts_take_up_is_left_out_and_every_one_of_them_named() -> None:
    """Three studies in two countries and two sectors: the contrasts leave nothing to vary."""
    units = pd.DataFrame(
        {"study": ["a", "b", "c"], "country": ["x", "y", "y"], "sector": ["p", "p", "q"]}
    )
    found = structure(units, ["study", "country", "sector"])
    assert used(found) == {"study": "left out", "country": "contrast", "sector": "contrast"}
    assert aliased(found)["study"] == "country + sector"


def test_a_variance_of_studies_is_not_told_from_that_of_their_only_organisations() -> None:
    one_each = pd.DataFrame({"study": [f"study-{k}" for k in range(6)]})
    several = pd.concat([one_each, one_each.iloc[:2]])
    assert used(structure(one_each, ["study"])) == {"study": "varying"}
    found = structure(one_each, ["study"], residual="organisation")
    assert used(found) == {"study": "left out"}
    assert aliased(found) == {"study": "organisation"}
    assert used(structure(several, ["study"], residual="organisation")) == {"study": "varying"}


def test_fixed_terms_that_are_aliased_with_each_other_take_up_no_more_than_one() -> None:
    units = crossed(2, 6).rename(columns={"country": "one"})
    units["again"] = units["one"] + "'"
    alone = structure(units, ["study", "sector"], fixed=["one"])
    double = structure(units, ["study", "sector"], fixed=["one", "again"])
    assert used(alone) == used(double) == {"study": "varying", "sector": "varying"}
    a = np.column_stack([np.ones(4), [0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 0]])
    b = a[:, [0, 1, 3]]
    np.testing.assert_allclose(
        identification._projector(a), identification._projector(b), atol=1e-12
    )


def test_more_units_of_the_same_kind_change_nothing() -> None:
    units = crossed(4, 3)
    often = pd.concat([units] * 50, ignore_index=True)
    pd.testing.assert_frame_equal(
        structure(units, ["study", "country", "sector"]).table,
        structure(often, ["study", "country", "sector"]).table,
    )


def test_names_of_levels_and_order_of_units_change_no_verdict() -> None:
    units = crossed(4, 2, each=2)
    found = structure(units, ["study", "country", "sector"])
    turned = units.iloc[::-1].apply(lambda column: column.str[::-1])
    again = structure(turned, ["study", "country", "sector"])
    pd.testing.assert_frame_equal(found.table, again.table)


def test_the_design_is_judged_without_any_outcome() -> None:
    """Nothing that holds an outcome is an argument, and columns not asked for play no part."""
    assert list(inspect.signature(structure).parameters) == [
        *("units", "groupings", "fixed", "residual")
    ]
    units = crossed(4, 3)
    rng = np.random.default_rng(1)
    for outcome in (np.zeros(12), rng.standard_normal(12), np.full(12, np.nan)):
        with_outcome = units.assign(outcome=outcome)
        pd.testing.assert_frame_equal(
            structure(units, ["study", "country", "sector"]).table,
            structure(with_outcome, ["study", "country", "sector"]).table,
        )


def test_effects_name_and_place_means_differences_and_levels() -> None:
    places = pd.DataFrame({"country": ["x", "y", "x", "y"], "sector": ["p", "q", "r", "p"]})
    found = structure(places, ["country", "sector"])
    rows = np.array([1, 2, 4, 5])
    made = effects(
        7,
        [
            ("first", rows, [(found, np.arange(4))]),
            ("second", np.array([0, 3]), []),
            (None, np.array([6]), [(found, np.array([3]))]),
        ],
    )
    assert made.means == ("first", "second")
    assert made.differences == ("first country", "country")
    assert made.components == ("first sector", "sector")
    assert made.levels == (
        *("first sector p", "first sector q", "first sector r"),
        *("sector p", "sector q", "sector r"),
    )
    assert made.component.tolist() == [0, 0, 0, 1, 1, 1]
    want = np.zeros((7, 10))
    want[rows, 0] = 1
    want[[0, 3], 1] = 1
    want[rows, 2] = [-0.5, 0.5, -0.5, 0.5]
    want[6, 3] = 0.5
    want[rows, [4, 5, 6, 4]] = 1
    want[6, 7] = 1
    np.testing.assert_array_equal(made.matrix, want)


def test_a_design_without_terms_is_an_empty_matrix() -> None:
    assert effects(4, []).matrix.shape == (4, 0)


def test_a_numeric_fixed_term_takes_up_its_own_column_and_no_more() -> None:
    """A contrast of one study, zero in the others, leaves the other studies' differences alone."""
    units = pd.DataFrame(
        {
            "study": ["a"] * 4 + ["b"] * 2 + ["c"] * 2,
            "country": ["one", "one", "two", "two", "three", "three", "four", "four"],
            "contrast": [-0.5, -0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
        }
    )
    found = structure(units, ["study", "country"], ["contrast"], residual="organisation")
    assert used(found) == {"study": "varying", "country": "left out"}
    assert aliased(found)["country"] == "study + contrast", "neither alone determines the country"


def test_an_alias_names_the_fewest_groupings_that_say_the_same() -> None:
    units = crossed(3, 3, 2)
    units["place"] = units["country"] + units["sector"]
    found = structure(units, ["country", "sector", "study", "place"], residual="unit")
    assert used(found) == {
        "country": "varying",
        "sector": "varying",
        "study": "left out",
        "place": "varying",
    }
    assert aliased(found)["study"] == "unit"
    again = structure(units.assign(area=units["place"]), ["study", "place", "area"])
    assert aliased(again)["area"] == "place"
