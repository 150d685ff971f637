"""The registry of models: each kind by its name, with all that can be done with it."""

from __future__ import annotations

import xarray as xr

from metastudy.common.problems import MetastudyError
from metastudy.models.answers.kind import ANSWERS
from metastudy.models.codings.kind import CODINGS
from metastudy.models.events.kind import EVENTS
from metastudy.models.interviews.kind import INTERVIEWS
from metastudy.models.kind import Model
from metastudy.models.ordinal.kind import ORDINAL

__all__ = ["MODELS", "model_named", "model_of"]

MODELS: dict[str, Model] = {
    model.name: model for model in (ANSWERS, CODINGS, EVENTS, ORDINAL, INTERVIEWS)
}


def model_named(name: str) -> Model:
    """The kind of a name.

    Raises
    ------
    MetastudyError
        Where there is none; the message names all.
    """
    if name not in MODELS:
        raise MetastudyError(f"no kind of model '{name}'; there are {', '.join(MODELS)}")
    return MODELS[name]


def model_of(cells: xr.Dataset) -> Model:
    """The kind that cells are for, which they say in their attribute ``model``."""
    return model_named(str(cells.attrs.get("model", "")))
