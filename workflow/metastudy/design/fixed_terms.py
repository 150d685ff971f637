"""Fixed terms: with which groupings a contrast of the design is one and the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metastudy.design.identification import DEPENDENT

__all__ = ["aliases"]


def aliases(
    contrast: np.ndarray, units: pd.DataFrame, groupings: Sequence[str], within: str = "study"
) -> list[str]:
    """The groupings whose levels say, within studies, on which side of a contrast a unit is.

    A contrast is aliased with a grouping where it is a linear combination of the indicators of the
    grouping's levels and of the studies: no data tell the two apart, whatever the outcomes are.

    Parameters
    ----------
    contrast : the columns of a fixed term, shape (units,) or (units, columns).
    units : a row for each unit, with a column for each grouping and for ``within``.

    Returns
    -------
    Those of ``groupings``, in their order; none where no unit is on a side. Where units of one
    study are all on one side, that is aliased with ``within`` and so with everything.
    """
    x = np.asarray(contrast, dtype=float).reshape(len(units), -1)
    size = float(np.square(x).sum())
    if not size:
        return []
    found = []
    for name in groupings:
        columns = [pd.get_dummies(units[one].astype(str), dtype=float) for one in {name, within}]
        span = np.hstack([np.ones((len(units), 1)), *(one.to_numpy() for one in columns)])
        rest = x - span @ np.linalg.lstsq(span, x, rcond=None)[0]
        if float(np.square(rest).sum()) <= DEPENDENT * size:
            found.append(name)
    return found
