"""What a fit needs of each kind of model, and nothing else.

A fit runs again when its code changes, and what it imports is its code. So it asks here and not the
registry, where contrasts, replicates and checks are as well: an edit of those refits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pymc as pm
import xarray as xr

from metastudy.models.answers.model import build as build_answers
from metastudy.models.codings.model import build as build_codings
from metastudy.models.codings.model import error_free
from metastudy.models.events.model import build as build_events
from metastudy.models.interviews.model import build as build_interviews
from metastudy.models.ordinal.model import build as build_ordinal
from metastudy.models.priors import Prior

__all__ = ["BUILD", "SECOND_FITS"]

Priors = Mapping[str, Prior]
BUILD: dict[str, Callable[[xr.Dataset, Priors], pm.Model]] = {
    "answers": build_answers,
    "codings": build_codings,
    "events": build_events,
    "ordinal": build_ordinal,
    "interviews": build_interviews,
}
# By name, other data for the compiled model of the main analysis.
SECOND_FITS: dict[str, Callable[[xr.Dataset, Priors], Mapping[str, np.ndarray]]] = {
    "codings": error_free,
}
