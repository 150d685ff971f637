"""What codebooks declare of estimates, as columns beside them: moderators and groupings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import made_files
from metastudy.design.moderators import MODERATED, Moderator
from metastudy.harmonized import schema
from metastudy.synthesis.nesting import NESTED

__all__ = ["FILES", "NOTHING", "TERMS", "Declared", "read", "with_attributes"]

# What the rule ``declare`` writes: tables, and the terms of the vocabulary beside them.
FILES = ("effects", "attributes", "dependence")
TERMS = "terms.json"


@dataclass(frozen=True)
class Declared:
    """What codebooks and publications declare of estimates.

    ``attributes`` and ``dependence`` are these harmonized tables of all studies; ``reliabilities``
    are by study and construct.
    """

    attributes: pd.DataFrame = field(default_factory=lambda: schema.empty("attributes"))
    dependence: pd.DataFrame = field(default_factory=lambda: schema.empty("dependence"))
    reliabilities: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Declared()


def read(folder: Path) -> tuple[Vocabulary, pd.DataFrame, Declared]:
    """Read what the rule ``declare`` made: the terms, published findings, and what is declared.

    Raises
    ------
    MetastudyError
        If a file is not there or is damaged.
    """
    terms = made_files.report(folder / TERMS)
    effects, attributes, dependence = (made_files.table(folder / f"{n}.parquet") for n in FILES)
    declared = Declared(attributes, dependence, terms["reliabilities"])
    return Vocabulary(terms["vocabulary"]), effects, declared


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
