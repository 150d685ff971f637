"""Products are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose

from metastudy.models.algebra import product


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((3, 4), (4, 2)), ((5, 3, 4), (5, 4, 2))])
def test_a_product_is_that_of_numpy(shapes: tuple) -> None:
    a, b = (np.random.default_rng(1).standard_normal(shape) for shape in shapes)
    assert_allclose(product(a, pt.as_tensor(b)).eval(), a @ b, rtol=1e-12)
