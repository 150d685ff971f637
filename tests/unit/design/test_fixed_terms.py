"""Aliases of a contrast: where the levels of a grouping say on which side a unit is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metastudy.design.fixed_terms import aliases

PLACES = ["country", "sector"]


def units(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["study", *PLACES])


def test_a_contrast_that_follows_a_place_is_one_with_it_until_one_unit_crosses_them() -> None:
    design = units(("a", "X", "s"), ("a", "X", "t"), ("a", "Y", "s"))
    side = np.array([-0.5, -0.5, 0.5])
    assert aliases(side, design, PLACES) == ["country"]
    crossed = pd.concat([design, units(("a", "X", "s"))])
    assert aliases(np.append(side, 0.5), crossed, PLACES) == []


def test_a_difference_between_studies_is_one_with_every_place() -> None:
    design = units(("a", "X", "s"), ("b", "X", "s"))
    assert aliases(np.array([-0.5, 0.5]), design, ["study", *PLACES]) == ["study", *PLACES]


def test_a_second_study_that_crosses_frees_the_contrast_of_the_first() -> None:
    design = units(("a", "X", "s"), ("a", "Y", "s"), ("b", "X", "s"), ("b", "X", "s"))
    assert aliases(np.array([-0.5, 0.5, -0.5, 0.5]), design, PLACES) == []


def test_a_second_study_with_the_same_places_on_the_same_sides_frees_nothing() -> None:
    design = units(("a", "X", "s"), ("a", "Y", "s"), ("b", "X", "s"), ("b", "Y", "s"))
    assert aliases(np.array([-0.5, 0.5, -0.5, 0.5]), design, PLACES) == ["country"]


def test_a_combination_of_levels_makes_up_a_contrast_as_the_rank_of_the_design_says() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        design = units(*(tuple(rng.choice(["1", "2", "3"], 3)) for _ in range(7)))
        side = rng.choice([-0.5, 0.5], 7)
        for name in PLACES:
            dummies = pd.get_dummies(design[["study", name]], dtype=float).to_numpy()
            span = np.hstack([np.ones((7, 1)), dummies])
            rank = np.linalg.matrix_rank(span)
            same = np.linalg.matrix_rank(np.column_stack([span, side])) == rank
            assert (name in aliases(side, design, PLACES)) == same


def test_nobody_on_a_side_is_no_contrast() -> None:
    assert aliases(np.zeros(2), units(("a", "X", "s"), ("b", "Y", "s")), PLACES) == []
