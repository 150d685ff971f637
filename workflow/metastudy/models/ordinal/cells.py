"""Counts of answers, item by item: what the ordinal model sees in place of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized import scale_scores
from metastudy.harmonized.study import Study
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.rows import Rows, rows_of
from metastudy.models.base import KEYS_OF_SETTING, NO_VIGNETTE

__all__ = ["NEEDED", "item_cells"]

NEEDED = (*scale_scores.NEEDED, "item_id", "value_aligned", "scale_min", "scale_max")
_WHOLE = 1e-6  # how near to a whole number an answer is one
_ITEM = ["setting", "item_id"]


def item_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts of a module's answers.

    The people are those of :func:`metastudy.models.answers.cells.answer_cells`, and what they
    answered is in the item's own categories: all that its declared bounds allow, whether anybody
    chose them or not.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families, with the columns
        :data:`NEEDED` of their measurements.

    Returns
    -------
    xarray.Dataset
        ``count`` (cell), a cell being an item of a setting, a combination of exposures in which it
        was answered and a category, counted from zero at the lower end of the aligned item: these
        are in ``item_of_cell``, ``combination_of_cell`` and ``category_of_cell``; ``x``
        (combination, exposure); ``setting_of_item``, ``outcome_of_item`` and ``categories`` (item),
        how many there are; settings, exposures and outcomes as in the cross-products.

    Raises
    ------
    BadInput
        ``no-category`` for an answer between two categories, and what the cross-products raise.
    """
    frame = answer_cells(studies, module, vocabulary, folded)
    rows = [rows_of(study, module, vocabulary, folded) for study in studies]
    x = pd.concat([r.x.reindex(columns=frame.exposure.values, fill_value=0.0) for r in rows])
    where = pd.concat([r.site for r in rows])
    places = pd.DataFrame({name: frame[name].values for name in KEYS_OF_SETTING})
    setting = where[[*KEYS_OF_SETTING]].merge(places.reset_index(names="at"), how="left")["at"]
    combinations, combination = np.unique(x.to_numpy(), axis=0, return_inverse=True)
    people = pd.DataFrame(
        {"setting": setting.to_numpy(), "combination": combination.ravel()}, index=x.index
    )

    answers = pd.concat([_answers(study, r) for study, r in zip(studies, rows, strict=True)])
    answers = answers.join(people, on="respondent_id", how="inner")
    outcome = answers["construct"] + "|" + answers["vignette"]
    answers["outcome"] = pd.Index(frame.outcome.values).get_indexer(outcome)
    kinds = answers[[*_ITEM, "outcome", "categories"]].drop_duplicates(_ITEM)
    items = kinds.sort_values(["setting", "outcome", "item_id"], ignore_index=True)
    item = answers[_ITEM].merge(items.reset_index(names="at"), how="left")["at"]

    keys = np.column_stack([item, answers["combination"]])
    keys, group = np.unique(keys, axis=0, return_inverse=True)
    size = items["categories"].to_numpy()[keys[:, 0]]
    start = np.cumsum(size) - size
    cell = start[group.ravel()] + answers["category"].to_numpy()
    asked = np.zeros((frame.sizes["setting"], frame.sizes["outcome"]), dtype=np.int8)
    asked[items["setting"], items["outcome"]] = 1
    labels = [f"{frame.setting.values[row.setting]}|{row.item_id}" for row in items.itertuples()]
    return (
        frame.drop_dims(["cell", "coefficient", "pattern", "site"])
        .drop_vars(["centre", "scale", "scale_df", "scale_of_all_arms"])
        .assign(
            asked=(("setting", "outcome"), asked),
            count=("cell", np.bincount(cell, minlength=size.sum()).astype(float)),
            item_of_cell=("cell", np.repeat(keys[:, 0], size)),
            combination_of_cell=("cell", np.repeat(keys[:, 1], size)),
            category_of_cell=("cell", np.arange(size.sum()) - np.repeat(start, size)),
            x=(("combination", "exposure"), combinations),
            setting_of_item=("item", items["setting"].to_numpy()),
            outcome_of_item=("item", items["outcome"].to_numpy()),
            categories=("item", items["categories"].to_numpy()),
        )
        .assign_coords(item=np.array(labels, dtype=str))
        .assign_attrs(variant="ordinal", model="ordinal", data="count estimates_of_categories")
    )


def _answers(study: Study, rows: Rows) -> pd.DataFrame:
    """The answers to the items of the outcomes, each with its category, from zero on."""
    table = study.measurements
    mine = table["construct"].isin(rows.y.columns.unique("construct"))
    table = table[mine & table["value_aligned"].notna()]
    category = table["value_aligned"] - table["scale_min"]
    last = table["scale_max"] - table["scale_min"]
    for steps in (category, last):
        if (between := (steps - steps.round()).abs() > _WHOLE).any():
            first = table[between].iloc[0]
            raise BadInput(
                Problem(
                    study=study.id,
                    file=f"results/harmonized/{study.id}/measurements.parquet",
                    column=str(first["item_id"]),
                    found=f"{first['value_aligned']:g} on a scale from {first['scale_min']:g} to "
                    f"{first['scale_max']:g}",
                    expected="a whole number of steps from the lower end of the scale",
                    fix="take the module out of `sensitivity.ordinal` in config/config.yaml",
                    code="no-category",
                )
            )
    texts = table[["respondent_id", "construct", "item_id"]].astype("str")
    return texts.assign(
        vignette=table["vignette"].astype("str").fillna(NO_VIGNETTE),
        category=category.round().astype(np.int64),
        categories=last.round().astype(np.int64) + 1,
    )
