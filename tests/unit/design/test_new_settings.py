"""Predictions for new settings, each held against a draw by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from metastudy.design.identification import SETTING, Component, Identification, identify
from metastudy.design.new_settings import Draws, is_prediction, next_in, predictions

SETTINGS = ["study", "country", "sector", SETTING]
SHAPE = (4, 5000)
TAU = {"study": 0.1, "country": 0.2, "sector": 0.3, SETTING: 0.4}
# Far apart, so that what is at hand and what is new have laws that nobody takes for each other.
LEVELS = {
    "study": {"a": 1.0, "b": 2.0, "c": 4.0, "d": 8.0},
    "country": {"x": -3.0, "y": 3.0, "z": 0.5},
    "sector": {"p": 20.0, "q": -20.0},
    SETTING: {f"s{k}": 0.1 * k for k in range(8)},
}
UNITS = pd.DataFrame(
    [
        *(("a", "x", "p", "s0"), ("a", "x", "q", "s1"), ("b", "y", "p", "s2")),
        *(("b", "x", "q", "s3"), ("c", "z", "p", "s4"), ("c", "y", "p", "s5")),
        *(("d", "z", "p", "s6"), ("d", "x", "q", "s7")),
    ],
    columns=SETTINGS,
)


def draws(found: Identification, seed: int = 2) -> Draws:
    def tau(component: Component) -> xr.DataArray:
        return xr.DataArray(np.full(SHAPE, TAU[component.names[-1]]), dims=("chain", "draw"))

    def level(component: Component, at: int) -> xr.DataArray:
        value = LEVELS[component.names[-1]][component.levels[at]]
        return xr.DataArray(np.full(SHAPE, value), dims=("chain", "draw"))

    return Draws(found, tau, level, np.random.default_rng(seed))


@dataclass(frozen=True)
class ByHand:
    """A setting at hand, chosen at random, plus a normal number: the law of a prediction."""

    centres: np.ndarray  # one per setting at hand
    sd: float

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(stats.norm.cdf(x[:, None], self.centres, self.sd).mean(axis=1))

    @property
    def mean(self) -> float:
        return float(self.centres.mean())

    @property
    def spread(self) -> float:
        return float(np.hypot(self.centres.std(), self.sd))


def by_hand(new: list[str], old: list[str], given: Mapping[str, str] | None = None) -> ByHand:
    centres = sum(UNITS[name].map(LEVELS[name]).to_numpy() for name in old) + np.zeros(len(UNITS))
    fixed = sum(LEVELS[name][level] for name, level in (given or {}).items())
    return ByHand(centres + fixed, float(np.sqrt(sum(TAU[name] ** 2 for name in new))))


def agree(found: xr.DataArray, want: ByHand) -> bool:
    return bool(stats.kstest(found.values.ravel(), want.cdf).pvalue > 0.001)


ALL = identify(UNITS, SETTINGS)
EVERY = {
    "new_study": (["study", SETTING], ["country", "sector"]),
    "new_country": (["study", "country", SETTING], ["sector"]),
    "new_sector": (["study", "sector", SETTING], ["country"]),
}


def test_the_four_groupings_are_apart_here() -> None:
    assert [component.name for component in ALL.components] == SETTINGS


@pytest.mark.parametrize("level", EVERY)
def test_a_prediction_is_one_new_setting_in_what_is_at_hand(level: str) -> None:
    found = {name: (value, new) for name, value, new in predictions(ALL, draws(ALL))}
    assert list(found) == list(EVERY)
    new, old = EVERY[level]
    value, fresh = found[level]
    assert fresh == new
    want = by_hand(new, old)
    assert float(value.mean()) == pytest.approx(
        want.mean, abs=4 * want.spread / np.sqrt(value.size)
    )
    assert float(value.std()) == pytest.approx(want.spread, rel=0.03)
    assert agree(value, want)
    for other in EVERY:
        if other != level:
            assert not agree(value, by_hand(*EVERY[other])), "the laws differ"
    assert not agree(value, by_hand([n for n in new if n != SETTING], old)), "its own residual"


def test_country_and_sector_at_hand_are_those_of_one_setting() -> None:
    """Places go together: the mixture has the settings' pairs, not all pairs of margins."""
    value = next(v for name, v, _ in predictions(ALL, draws(ALL)) if name == "new_study")
    pairs = {(r.country, r.sector) for r in UNITS.itertuples()}
    centre = {(c, s): LEVELS["country"][c] + LEVELS["sector"][s] for c in "xyz" for s in "pq"}
    near = {pair: np.abs(value.values - at) < 1 for pair, at in centre.items()}
    assert {pair for pair, hit in near.items() if hit.any()} == pairs


@pytest.mark.parametrize(
    ("place", "at", "other"), [("country", "y", "sector"), ("sector", "q", "country")]
)
def test_the_next_setting_in_a_place_at_hand_keeps_the_place(
    place: str, at: str, other: str
) -> None:
    component = ALL.component(place)
    assert component is not None
    value, fresh = next_in(component, component.levels.index(at), draws(ALL))
    assert fresh == ["study", SETTING]
    want = by_hand(["study", SETTING], [other], {place: at})
    assert float(value.std()) == pytest.approx(want.spread, rel=0.03)
    assert agree(value, want)
    assert not agree(value, by_hand(["study"], [other], {place: at})), "its own residual"


def test_a_component_of_two_names_is_new_if_either_is() -> None:
    """Each study in a country of its own, so a new study is in a new country."""
    units = UNITS.assign(country=UNITS["study"].map(dict(zip("abcd", "wxyz", strict=True))))
    units = units.drop(columns=SETTING)
    found = identify(units, ["study", "country", "sector"])
    assert [component.name for component in found.components] == ["study+country", "sector"]
    levels = {**LEVELS, "country": LEVELS["study"]}
    some = Draws(
        found,
        lambda c: xr.DataArray(np.full(SHAPE, TAU[c.names[-1]]), dims=("chain", "draw")),
        lambda c, at: xr.DataArray(
            np.full(SHAPE, levels[c.names[-1]][c.levels[at]]), dims=("chain", "draw")
        ) if c.name == "sector" else pytest.fail("no level at hand of what is new"),
        np.random.default_rng(1),
    )  # fmt: skip
    made = {name: (value, new) for name, value, new in predictions(found, some)}
    want = by_hand(["country"], ["sector"])
    for level in ("new_study", "new_country"):
        value, fresh = made[level]
        assert fresh == ["study+country"]
        assert agree(value, want)
    assert made["new_sector"][1] == ["study+country", "sector"], "with a study, so a country"


def test_without_a_component_there_is_no_prediction_and_a_grouping_without_one_has_none() -> None:
    nothing = identify(UNITS.iloc[:1], SETTINGS)
    assert list(predictions(nothing, draws(nothing))) == []
    some = identify(UNITS[UNITS["sector"] == "p"], SETTINGS)
    assert [name for name, *_ in predictions(some, draws(some))] == ["new_study", "new_country"]


def test_what_varies_apart_is_in_no_prediction() -> None:
    units = pd.concat([UNITS.assign(vignette=v) for v in ("v", "w")], ignore_index=True)
    found = identify(units, SETTINGS, apart=["vignette"])
    assert found.component("vignette") is not None
    assert [c.name for c in draws(found).components] == SETTINGS


def test_a_predictions_level_says_that_it_is_one() -> None:
    assert all(map(is_prediction, ("new_study", "new_site", "next_in_country")))
    assert not any(map(is_prediction, ("population", "study", "country", "code")))
