"""The registry of models: what can be done with each kind, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from metastudy.codebook import vocabulary as vocabularies
from metastudy.design.identification import Structure
from metastudy.harmonized.study import load_study
from metastudy.models.answers import design as answers_design
from metastudy.models.answers import model as answers_model
from metastudy.models.answers import observations as answers_observations
from metastudy.models.answers import simulation as answers_simulation
from metastudy.models.base import labelled
from metastudy.models.codings import design as codings_design
from metastudy.models.codings import model as codings_model
from metastudy.models.codings import observations as codings_observations
from metastudy.models.codings import simulation as codings_simulation
from metastudy.models.ordinal import model as ordinal_model

__all__ = ["BUILD", "PARAMETERS", "SIMULATE", "identified", "load_rows", "structures_of"]


def structures_of(cells: xr.Dataset) -> list[tuple[str, Structure]]:
    """What the design identifies around each exposure: between settings, vignettes, units."""
    if "code" in cells.dims:
        return [
            (str(e), codings_design.between_organisations(cells)) for e in cells.exposure.values
        ]
    return [
        (str(e), around(cells, str(e))[0])
        for e in cells.exposure.values
        for around in (answers_design.between_settings, answers_design.between_vignettes)
    ]


# What the density of a row needs of a posterior; what a model does not have, it does without.
PARAMETERS = {
    "answers": (
        *("baseline", "beta", "site_effect"),
        *("sigma", "construct_chol", "vignette_chol"),
    ),
    "codings": ("presence", "sensitivity", "specificity"),
}


def load_rows(
    folders: Sequence[Path], cells: xr.Dataset, model: str, path_to_vocabulary: Path
) -> answers_observations.Answers | codings_observations.Interviews:
    """Rows of a module from the harmonized folders of its studies; their order does not matter.

    Parameters
    ----------
    model : kind of model, ``answers`` or ``codings``.
    """
    studies = sorted((load_study(folder) for folder in folders), key=lambda study: study.id)
    if model == "codings":
        return codings_observations.observe_interviews(studies, cells)
    vocabulary = vocabularies.merge(
        vocabularies.load(path_to_vocabulary), [s.report["vocabulary"] for s in studies]
    )
    return answers_observations.observe_answers(studies, cells, vocabulary)


def identified(values: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """All quantities of a module that its data speak about, and the joint log-likelihood.

    Parameters
    ----------
    values : draws of a posterior, or parameters; ``log_likelihood`` among them.
    cells : what the module's design is read from; no outcome is.

    Returns
    -------
    xarray.DataArray
        The dims of the draws, then ``quantity``, with its label and as ``parameter`` its name.
    """
    if "code" in cells.dims:
        return labelled(
            values,
            (*codings_simulation.OF_CODINGS, "log_likelihood"),
            codings_simulation.identified(cells),
        )
    correlations = {
        "construct_correlation": answers_simulation.correlations(values, cells, "construct"),
        "vignette_correlation": answers_simulation.correlations(values, cells, "vignette"),
    }
    found = values.assign({name: array for name, array in correlations.items() if array.size})
    names = (*answers_simulation.OF_ANSWERS, *correlations, "log_likelihood")
    return labelled(found, names, answers_simulation.identified(values, cells))


SIMULATE: Mapping[str, Callable[[xr.Dataset, xr.Dataset, np.random.Generator], xr.Dataset]] = {
    "answers": answers_simulation.simulate_answers,
    "codings": codings_simulation.simulate_codings,
}
BUILD = {
    "answers": answers_model.build,
    "codings": codings_model.build,
    "ordinal": ordinal_model.build,
}  # by the kind of a module's model
