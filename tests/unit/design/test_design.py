"""What a design identifies: components of variance, fixed terms, aliases, and the joint design."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
from scipy import stats

from metastudy.design.effects import EffectDesign, Part, effect_design
from metastudy.design.identification import ALIKE, SETTING, Identification, identify
from metastudy.models.priors import Prior
from metastudy.models.terms import levels, sums

GROUPINGS = ["study", "country", "sector"]
SETTINGS = [*GROUPINGS, SETTING]


def crossed(countries: int, sectors: int, each: int = 1) -> pd.DataFrame:
    """One row per study; this many studies in each country and sector."""
    rows = [
        (f"study-{c}-{s}-{k}", f"country-{c}", f"sector-{s}")
        for c, s, k in itertools.product(range(countries), range(sectors), range(each))
    ]
    return settings(rows)


def settings(rows: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    """A row per setting: study, country, sector, and the setting's own name."""
    table = pd.DataFrame(rows, columns=GROUPINGS)
    table[SETTING] = ["setting " + "/".join(row) for row in rows]
    return table


def used(found: Identification) -> dict[str, str]:
    return found.table.set_index("grouping")["used_as"].to_dict()


def aliased(found: Identification) -> dict[str, str]:
    return found.table.set_index("grouping")["aliased_with"].to_dict()


def names(found: Identification) -> list[str]:
    return [component.name for component in found.components]


# --- random effects from two levels on ------------------------------------------------------------


@pytest.mark.parametrize(("count", "kind"), [(1, "left out"), (2, "varying"), (9, "varying")])
def test_a_grouping_varies_from_two_levels_on(count: int, kind: str) -> None:
    units = pd.DataFrame({"site": [f"level-{k}" for k in range(count)] * 2})
    found = identify(units, ["site"])
    assert used(found) == {"site": kind}
    assert found.table["levels"].tolist() == [count]
    assert [len(component.levels) for component in found.components] == [count] * (count > 1)
    if count == 1:
        assert found.table["reason"].item() == "one level only: level-0"


def test_a_component_holds_the_level_of_each_unit() -> None:
    found = identify(pd.DataFrame({"two": ["b", "a", "b", "a"]}), ["two"])
    (component,) = found.components
    assert component.levels == ("a", "b")
    assert component.index.tolist() == [1, 0, 1, 0]
    assert found.units == 4


def test_two_settings_have_one_component_with_all_names() -> None:
    found = identify(settings([("a", "x", "p"), ("b", "y", "q")]), SETTINGS)
    assert names(found) == ["study+country+sector+setting"]
    assert used(found) == dict.fromkeys(SETTINGS, "varying")
    assert aliased(found) == {"study": "", "country": "study", "sector": "study", SETTING: "study"}
    for grouping in SETTINGS:
        assert found.component(grouping) is found.components[0]


def test_five_studies_in_two_countries_have_two_components() -> None:
    rows = [(f"study-{k}", "one" if k < 3 else "two", "p") for k in range(5)]
    found = identify(settings(rows), SETTINGS)
    assert names(found) == ["study+setting", "country"]
    assert used(found)["sector"] == "left out"
    assert found.component("sector") is None
    assert found.components[0].index.tolist() == [0, 1, 2, 3, 4]
    assert found.components[1].index.tolist() == [0, 0, 0, 1, 1]


def test_crossed_groupings_and_the_settings_residual_are_told_apart() -> None:
    units = pd.concat([crossed(4, 3), crossed(4, 3).assign(sector="sector-9")])
    units[SETTING] = units["study"] + units["sector"]
    assert names(identify(units, SETTINGS)) == SETTINGS
    assert names(identify(crossed(4, 3), SETTINGS)) == ["study+setting", "country", "sector"]


def test_nested_groupings_are_told_apart_where_groups_hold_several_units() -> None:
    assert names(identify(crossed(6, 1, each=2), ["study", "country"])) == ["study", "country"]
    assert names(identify(crossed(6, 1), ["study", "country"])) == ["study+country"]


def test_the_names_of_a_component_are_in_the_order_of_preference() -> None:
    assert names(identify(crossed(7, 1), ["country", "study"])) == ["country+study"]


# --- components that nobody can tell apart --------------------------------------------------------


def correlation(one: pd.Series, other: pd.Series, fixed: pd.Series | float = 1.0) -> float:
    """Of the two matrices M Z Z' M, made in full, M taking away the mean and a fixed column."""
    x = np.column_stack([np.ones(len(one)), np.broadcast_to(fixed, len(one))])
    m = np.eye(len(one)) - x @ np.linalg.pinv(x)
    full = []
    for column in (one, other):
        z = pd.get_dummies(column).to_numpy(float)
        full.append(m @ z @ z.T @ m)
    a, b = full
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def one_study_in_two_countries(studies: int) -> pd.DataFrame:
    """All studies in a country of their own but the first, which is in two."""
    rows = [(f"study-{max(k, 1):03d}", f"country-{k:03d}", "p") for k in range(studies + 1)]
    return settings(rows)


@pytest.mark.parametrize(("studies", "one"), [(4, False), (20, False), (300, True)])
def test_groupings_that_correlate_above_the_limit_are_one(studies: int, one: bool) -> None:
    units = one_study_in_two_countries(studies)
    assert (correlation(units["study"], units["country"]) > ALIKE) == one
    found = identify(units, ["study", "country"])
    assert names(found) == (["study+country"] if one else ["study", "country"])
    if one:  # the levels are those of the finer grouping
        assert len(found.components[0].levels) == studies + 1


def test_groupings_that_span_the_same_space_are_one_though_their_matrices_differ() -> None:
    """A fixed contrast takes up what the countries of one study differ by, and no more."""
    units = pd.DataFrame(
        {
            "study": ["a"] * 4 + ["b"] * 2 + ["c"] * 2,
            "country": ["one", "one", "two", "two", "three", "three", "four", "four"],
            "contrast": [-0.5, -0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
        }
    )
    assert correlation(units["study"], units["country"], units["contrast"]) < ALIKE
    for residual in ("organisation", None):
        found = identify(units, ["study", "country"], ["contrast"], residual=residual)
        assert names(found) == ["study+country"]
        assert aliased(found) == {"study": "", "country": "study"}
    assert names(identify(units, ["study", "country"])) == ["study", "country"]


def test_what_others_make_up_together_is_left_out_and_every_one_of_them_named() -> None:
    """Countries and sectors crossed two by two, and whether a setting is on the diagonal."""
    rows = [("a", "x", "p"), ("b", "x", "q"), ("c", "y", "p"), ("d", "y", "q")]
    units = settings(rows).assign(diagonal=["on", "off", "off", "on"])
    found = identify(units, ["country", "sector", "diagonal", "study"])
    assert names(found) == ["country", "sector", "diagonal"]
    assert used(found)["study"] == "left out"
    assert aliased(found)["study"] == "country + sector + diagonal"
    assert found.table["reason"].tolist()[-1] == "aliased with country + sector + diagonal"


def test_a_variance_of_studies_is_not_told_from_that_of_their_only_organisations() -> None:
    one_each = pd.DataFrame({"study": [f"study-{k}" for k in range(6)]})
    several = pd.concat([one_each, one_each.iloc[:2]])
    assert names(identify(one_each, ["study"])) == ["study"]
    found = identify(one_each, ["study"], residual="organisation")
    assert names(found) == [], "the model has that of organisations whatever the design is"
    assert aliased(found) == {"study": "organisation"}
    assert names(identify(several, ["study"], residual="organisation")) == ["study"]


# --- fixed terms ----------------------------------------------------------------------------------


def test_a_fixed_role_is_projected_out() -> None:
    """A grouping that roles determine has no variance; the role's own means take it up."""
    units = crossed(2, 1, each=3).assign(role=["professional"] * 3 + ["citizen"] * 3)
    found = identify(units, SETTINGS, fixed=["role"])
    assert names(found) == ["study+setting"]
    assert used(found) == {
        "role": "fixed",
        "study": "varying",
        "country": "left out",
        "sector": "left out",
        SETTING: "varying",
    }
    assert aliased(found)["country"] == "role"
    assert "country" in names(identify(units, SETTINGS))
    within = units.assign(role=["professional", "citizen"] * 3)
    assert names(identify(within, SETTINGS, fixed=["role"])) == ["study+setting", "country"]


def test_an_arrangement_that_is_country_and_study_is_named_as_their_alias() -> None:
    units = pd.DataFrame(
        {
            "study": ["interviews"] * 12,
            "country": ["c1"] * 6 + ["c2"] * 6,
            "sector": ["s1", "s2", "s3"] * 4,
            "arrangement": ["policy"] * 6 + ["mission"] * 6,
        }
    )
    found = identify(units, GROUPINGS, fixed=["arrangement"])
    assert names(found) == ["sector"]
    assert aliased(found)["country"] == "arrangement"


def test_fixed_terms_that_are_aliased_with_each_other_take_up_no_more_than_one() -> None:
    units = crossed(2, 6).rename(columns={"country": "one"})
    units["again"] = units["one"] + "'"
    alone = identify(units, ["study", "sector"], fixed=["one"])
    double = identify(units, ["study", "sector"], fixed=["one", "again"])
    assert names(alone) == names(double) == ["study", "sector"]


# --- components apart from the total --------------------------------------------------------------


def test_what_varies_apart_comes_last_and_has_no_part_of_the_total() -> None:
    units = pd.concat([crossed(2, 2).assign(vignette=v) for v in ("v", "w")], ignore_index=True)
    found = identify(units, SETTINGS, apart=["vignette"])
    assert names(found) == ["study+setting", "country", "sector", "vignette"]
    assert [component.shared for component in found.components] == [True, True, True, False]


def test_what_varies_apart_and_is_a_grouping_is_part_of_it() -> None:
    units = crossed(4, 1).assign(vignette=[f"v{k}" for k in range(4)])
    found = identify(units, SETTINGS, apart=["vignette"])
    assert names(found) == ["study+country+setting+vignette"]
    assert found.components[0].shared


# --- what plays no part ---------------------------------------------------------------------------


def test_more_units_of_the_same_kind_change_nothing() -> None:
    units = crossed(4, 3)
    often = pd.concat([units] * 50, ignore_index=True)
    pd.testing.assert_frame_equal(
        identify(units, GROUPINGS).table, identify(often, GROUPINGS).table
    )


def test_names_of_levels_and_order_of_units_change_no_verdict() -> None:
    units = crossed(4, 2, each=2)
    turned = units.iloc[::-1].apply(lambda column: column.str[::-1])
    pd.testing.assert_frame_equal(
        identify(units, GROUPINGS).table, identify(turned, GROUPINGS).table
    )


def test_the_design_is_judged_without_any_outcome() -> None:
    """Nothing that holds an outcome is an argument, and columns not asked for play no part."""
    assert list(inspect.signature(identify).parameters) == [
        *("units", "groupings", "fixed", "apart", "residual")
    ]
    units = crossed(4, 3)
    rng = np.random.default_rng(1)
    for outcome in (np.zeros(12), rng.standard_normal(12), np.full(12, np.nan)):
        pd.testing.assert_frame_equal(
            identify(units, GROUPINGS).table,
            identify(units.assign(outcome=outcome), GROUPINGS).table,
        )


# --- the joint design of effects ------------------------------------------------------------------


def test_the_design_names_and_places_means_totals_components_and_levels() -> None:
    places = pd.DataFrame({"country": ["x", "y", "x", "y"], "sector": ["p", "q", "r", "p"]})
    found = identify(places, ["country"], apart=["sector"])
    rows = np.array([1, 2, 4, 5])
    made = effect_design(
        7,
        [
            Part("effect", "outcome", rows, ["m", "n", "m", "n"], found, np.arange(4)),
            Part("", "", np.array([6]), None, found, np.array([3])),
        ],
    )
    assert made.means == ("m", "n")
    assert made.totals == ("effect, outcome", "settings")
    assert made.components == (
        *("effect country, outcome", "effect sector, outcome"),
        *("country", "sector"),
    )
    assert made.levels[:3] == (
        "effect country, outcome: x",
        "effect country, outcome: y",
        "effect sector, outcome: p",
    )
    assert made.levels[5:] == ("country: x", "country: y", "sector: p", "sector: q", "sector: r")
    assert made.component_of.tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3]
    assert made.total_of.tolist() == [0, -1, 1, -1]
    assert dict(made.parts) == dict(zip(made.components, [1, 0, 1, 0], strict=True))
    assert made.mean_of.tolist() == [-1, 0, 1, -1, 0, 1, -1]

    mean, level = np.array([100.0, 200.0]), np.arange(1.0, 11.0)
    want = [0, 100 + 1 + 3, 200 + 2 + 4, 0, 100 + 1 + 5, 200 + 2 + 3, 7 + 8]
    np.testing.assert_array_equal(made.sums(mean, level), want)
    drawn = made.sums(np.stack([mean, 2 * mean]), np.stack([level, 2 * level]))
    np.testing.assert_array_equal(drawn, [want, 2 * np.array(want)])


def test_a_design_without_terms_is_nothing_in_every_row() -> None:
    made = effect_design(4, [])
    assert made.level_of.shape == (4, 0)
    assert made.sums(np.zeros(0), np.zeros(0)).tolist() == [0, 0, 0, 0]


# --- the prior of the total -----------------------------------------------------------------------

SIX = settings(
    [
        *(("a", "x", "p"), ("a", "y", "p"), ("b", "x", "q")),
        *(("b", "z", "p"), ("c", "z", "q"), ("c", "y", "q")),
    ]
)
DECLARED = [[SETTING], ["study", SETTING], SETTINGS]
TOTAL, DRAWS = 0.3, 4000


def prior_draws(design: EffectDesign) -> dict[str, np.ndarray]:
    """Draws from the prior: standard deviations and the effects of all settings."""
    prior = Prior("half_normal", {"scale": TOTAL})
    with pm.Model() as model:
        rough = np.zeros((2, len(design.mean_of))) + np.array([[0.2], [0.04]])
        level = levels(design, prior, prior, pytensor.tensor.zeros(()), None, rough)
        effect = sums(design, None, level)
        wanted = {"effect": effect, "tau": model["tau"], "total": model["total_tau"]}
        mode = pytensor.Mode("py", "fast_compile")
        drawn = pm.draw(list(wanted.values()), DRAWS, random_seed=5, mode=mode)
    return dict(zip(wanted, drawn, strict=True))


@pytest.mark.parametrize("groupings", DECLARED, ids=lambda g: f"{len(g)} declared")
def test_the_prior_of_the_total_is_the_same_with_one_two_and_four_groupings(
    groupings: list[str],
) -> None:
    found = identify(SIX, groupings)
    assert names(found) == groupings, "every one of them is identified"
    design = effect_design(6, [Part("", "", np.arange(6), None, found, np.arange(6))])
    drawn = prior_draws(design)
    np.testing.assert_allclose(np.sqrt((drawn["tau"] ** 2).sum(1)), drawn["total"][:, 0])
    # The effect of a setting is T z. Its SD is the scale of T; its law is a product's, by a grid.
    for effect in drawn["effect"].T:
        assert effect.std() == pytest.approx(TOTAL, rel=0.1)
        assert stats.kstest(effect, _product_cdf).pvalue > 0.001
    if len(groupings) > 1:  # uniform shares: of two a share is uniform, of k it is beta(1, k - 1)
        share = (drawn["tau"][:, 0] / drawn["total"][:, 0]) ** 2
        assert stats.kstest(share, stats.beta(1, len(groupings) - 1).cdf).pvalue > 0.001


def _product_cdf(x: np.ndarray) -> np.ndarray:
    """Distribution of T z, T half-normal and z normal, by the midpoint rule over T."""
    t = stats.halfnorm(scale=TOTAL).ppf((np.arange(2000) + 0.5) / 2000)
    return np.asarray([stats.norm.cdf(one / t).mean() for one in np.atleast_1d(x)])
