"""Moderators: which a design identifies, and what is said of those that it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metastudy.design.moderators import MODERATED, Moderation, Moderator, moderate

LATITUDE = Moderator("latitude", (), "degrees")
SOUTH = Moderator("south")
MODE = Moderator("mode", ("online", "paper", "phone"))


def units(**columns: object) -> pd.DataFrame:
    """Eight studies with one estimate each."""
    return pd.DataFrame({"study": list("abcdefgh"), **columns})


def found_in(rows: pd.DataFrame, declared: list[Moderator]) -> Moderation:
    """What becomes of moderators that are columns called after them."""
    named = rows.rename(columns=lambda name: name if name == "study" else f"{MODERATED}{name}")
    return moderate(named, declared, rows["study"])


def became(found: Moderation) -> dict[str, tuple[str, str]]:
    return {r.grouping: (r.used_as, r.aliased_with) for r in found.table.itertuples()}


def test_a_number_is_centred_at_the_mean_of_the_studies_and_in_its_own_deviations() -> None:
    rows = pd.DataFrame({"study": list("aaab"), "latitude": [10.0, 20.0, 30.0, 60.0]})
    found = found_in(rows, [LATITUDE])
    (one,) = found.coefficients
    assert one.at == 40.0, "the mean of 20 and 60, not that of the four estimates"
    np.testing.assert_allclose(found.columns[:, 0] * one.scale, [-30.0, -20.0, -10.0, 20.0])
    assert one.scale == pytest.approx(np.std([10, 20, 30, 60], ddof=1))


def test_a_category_is_against_the_first_of_its_levels_that_has_estimates() -> None:
    found = found_in(units(mode=["phone", "paper"] * 4), [MODE])
    (one,) = found.coefficients
    assert (one.at, one.level) == ("paper", "phone")
    assert found.columns[:, 0].tolist() == [1.0, 0.0] * 4


def test_what_is_the_same_in_all_estimates_is_refused_and_said() -> None:
    found = found_in(units(latitude=50.0), [LATITUDE])
    assert found.columns.shape == (8, 0)
    (row,) = found.table.to_dict("records")
    assert row["used_as"] == "refused"
    assert row["reason"] == "the same in all 8 estimates: 50"


def test_an_alias_is_refused_and_named_with_what_makes_it_up_and_nothing_else() -> None:
    x = np.arange(8.0)
    rows = units(latitude=x**2, mode=["online"] * 4 + ["paper"] * 4, south=-3 * (x > 3) + 1.0)
    found = found_in(rows, [LATITUDE, MODE, SOUTH])
    assert became(found) == {
        "latitude": ("fixed", ""),
        "mode": ("fixed", ""),
        "south": ("refused", "mode"),
    }
    kept = found_in(rows.assign(south=x), [LATITUDE, MODE, SOUTH])
    assert became(kept)["south"] == ("fixed", ""), "another number is no alias"


def test_two_studies_with_a_moderator_each_of_their_own_are_no_comparison() -> None:
    rows = pd.DataFrame({"study": ["a", "b"], "latitude": [10.0, 20.0]})
    found = found_in(rows, [LATITUDE])
    assert became(found) == {"latitude": ("refused", "study")}
    assert not found.decided


def test_a_moderator_that_is_not_known_of_every_study_is_refused_and_names_the_others() -> None:
    latitude = [1.0, 2.0, np.nan, 4.0, np.nan, 6.0, 7.0, 8.0]
    found = found_in(units(latitude=latitude), [LATITUDE])
    assert found.table["reason"].tolist() == ["not known of c, e"]
    assert found_in(units(), [LATITUDE]).table.empty


@pytest.mark.parametrize(("studies", "decided"), [(3, True), (4, False)])
def test_fewer_than_four_studies_for_each_coefficient_are_decided_by_its_prior(
    studies: int, decided: bool
) -> None:
    rows = units(latitude=np.arange(8.0)).head(studies)
    found = found_in(rows, [LATITUDE])
    assert len(found.coefficients) == 1, "it is fitted"
    assert found.decided == decided


def test_what_varies_between_studies_only_is_a_comparison_between_studies() -> None:
    rows = pd.DataFrame({"study": list("aabbcc"), "latitude": [1.0, 1, 2, 2, 3, 3]})
    (between,) = found_in(rows, [LATITUDE]).coefficients
    (within,) = found_in(rows.assign(latitude=[1.0, 2] * 3), [LATITUDE]).coefficients
    assert between.between
    assert not within.between
