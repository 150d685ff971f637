"""Counts of people by their answers to items: what the ordinal model sees in place of rows."""

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
    """Counts of people by all that they answered to the items of a family of outcomes.

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
        ``count`` (cell), a cell being people of a site with the same exposures and the same answers
        to a family's items, ``site_of_cell`` and ``combination_of_cell``; ``x`` (combination,
        exposure). What they answered: ``cell_of_answer``, ``item_of_answer`` and
        ``category_of_answer`` (answer), counted from zero at the lower end of the aligned item,
        sorted by cell, outcome and item. ``setting_of_item``, ``outcome_of_item`` and
        ``categories`` (item), how many there are; settings, sites, exposures and outcomes as in the
        cross-products.

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
    sites = places.iloc[frame.setting_of_site.values].assign(
        setting=frame.setting_of_site.values, site=frame.site.values
    )
    keys_of_site = [*KEYS_OF_SETTING, "site"]
    found = where[keys_of_site].merge(sites.reset_index(drop=True).reset_index(names="at"), "left")
    combinations, combination = np.unique(x.to_numpy(), axis=0, return_inverse=True)
    people = pd.DataFrame(
        {
            "setting": found["setting"].to_numpy(),
            "place": found["at"].to_numpy(),
            "combination": combination.ravel(),
        },
        index=x.index,
    )

    answers = pd.concat([_answers(study, r) for study, r in zip(studies, rows, strict=True)])
    answers = answers.join(people, on="respondent_id", how="inner")
    outcome = answers["construct"] + "|" + answers["vignette"]
    answers["outcome"] = pd.Index(frame.outcome.values).get_indexer(outcome)
    kinds = answers[[*_ITEM, "outcome", "categories"]].drop_duplicates(_ITEM)
    items = kinds.sort_values(["setting", "outcome", "item_id"], ignore_index=True)
    answers["item"] = answers[_ITEM].merge(items.reset_index(names="at"), how="left")["at"].values
    family = dict(zip(frame.construct.values, frame.family_of.values, strict=True))
    answers["family"] = answers["construct"].map(family)

    cells, count, which = _patterns(answers, len(items))
    asked = np.zeros((frame.sizes["setting"], frame.sizes["outcome"]), dtype=np.int8)
    asked[items["setting"], items["outcome"]] = 1
    labels = [f"{frame.setting.values[row.setting]}|{row.item_id}" for row in items.itertuples()]
    return (
        frame.drop_dims(["cell", "coefficient", "pattern"])
        .drop_vars(["centre", "scale", "scale_df", "scale_of_all_arms"])
        .assign(
            asked=(("setting", "outcome"), asked),
            count=("cell", count),
            site_of_cell=("cell", cells["place"].to_numpy()),
            combination_of_cell=("cell", cells["combination"].to_numpy()),
            cell_of_answer=("answer", which[0]),
            item_of_answer=("answer", which[1]),
            category_of_answer=("answer", which[2]),
            x=(("combination", "exposure"), combinations),
            setting_of_item=("item", items["setting"].to_numpy()),
            outcome_of_item=("item", items["outcome"].to_numpy()),
            categories=("item", items["categories"].to_numpy()),
        )
        .assign_coords(item=np.array(labels, dtype=str))
        .assign_attrs(
            variant="ordinal",
            model="ordinal",
            data="count estimates_of_categories estimates_of_sites",
        )
    )


def _patterns(
    answers: pd.DataFrame, items: int
) -> tuple[pd.DataFrame, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """People with the same answers to the items of a family, taken together.

    Returns
    -------
    The cells (``place`` and ``combination``), how many people each has, and of all answers the
    cell, the item and the category.
    """
    keys = ["family", "respondent_id"]
    person = answers.groupby(keys, sort=True).ngroup().to_numpy()
    number = person.max() + 1
    chosen = np.full((number, items), -1, dtype=np.int64)
    chosen[person, answers["item"]] = answers["category"]
    about = np.zeros((number, 2), dtype=np.int64)
    about[person] = answers[["place", "combination"]].to_numpy()
    found, count = np.unique(np.column_stack([about, chosen]), axis=0, return_counts=True)
    cell, item = np.nonzero(found[:, 2:] >= 0)
    cells = pd.DataFrame(found[:, :2], columns=["place", "combination"])
    return cells, count.astype(float), (cell, item, found[cell, 2 + item])


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
