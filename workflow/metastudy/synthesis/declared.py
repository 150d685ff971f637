"""What codebooks declare of estimates, as columns beside them: moderators and groupings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metastudy.design.moderators import MODERATED, Moderator
from metastudy.harmonized import schema
from metastudy.synthesis.nesting import NESTED

__all__ = ["NOTHING", "Declared", "with_attributes"]


@dataclass(frozen=True)
class Declared:
    """The harmonized tables ``attributes`` and ``dependence`` of all studies."""

    attributes: pd.DataFrame = field(default_factory=lambda: schema.empty("attributes"))
    dependence: pd.DataFrame = field(default_factory=lambda: schema.empty("dependence"))


NOTHING = Declared()


def with_attributes(
    table: pd.DataFrame, attributes: pd.DataFrame, moderators: Sequence[Moderator]
) -> pd.DataFrame:
    """The estimates with a column for each moderator and each declared grouping.

    Parameters
    ----------
    table : estimates; an ``id`` begins with the study's folder or, of a module, its study.
    attributes : of findings, and of studies as a whole where ``finding_id`` is missing; what is
        said of a finding counts before what is said of its study.

    Returns
    -------
    pandas.DataFrame
        Columns of moderators begin with :data:`metastudy.design.moderators.MODERATED` and hold
        numbers or, of a category, levels; those of groupings begin with
        :data:`metastudy.synthesis.nesting.NESTED`. Missing where nothing is said.
    """
    numeric = {m.name for m in moderators if not m.levels}
    folder = table["id"].astype("str").str.split("|").str[0]
    columns = {}
    for (kind, name), own in attributes.groupby(["kind", "name"], sort=False):
        whole = own[own["finding_id"].isna()].set_index("study_id")["value"]
        some = own[own["finding_id"].notna()]
        single = pd.Series(
            some["value"].array, index=[*(some["study_id"] + "|" + some["finding_id"])]
        )
        values = table["id"].map(single).astype(object).fillna(folder.map(whole).astype(object))
        if kind == "nesting":
            columns[f"{NESTED}{name}"] = values
        elif name in numeric:
            columns[f"{MODERATED}{name}"] = values.astype(float)
        else:
            columns[f"{MODERATED}{name}"] = values.astype(object).where(values.notna(), np.nan)
    return table.assign(**columns)
