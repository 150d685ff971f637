"""The people of a study who are in some module, and all that control looks at of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import Rows
from metastudy.models.base import KEYS_OF_SETTING, NO_VIGNETTE

__all__ = ["People", "people_of"]


@dataclass
class People:
    """The people of a study in some module, in the order of their ids."""

    ids: np.ndarray
    y: pd.DataFrame  # all outcomes of all modules, in standard units
    setting: np.ndarray
    site: np.ndarray
    sited: np.ndarray
    version: np.ndarray  # conditions and other exposures of two values, together
    needed: np.ndarray  # outcomes that exposures are made of
    traits: list[tuple[str, str]]  # measured exposures: construct and vignette


def people_of(study: Study, rows: dict[str, Rows]) -> People:
    """The people of a study, from the rows of its modules."""
    y = pd.concat([r.y for r in rows.values()], axis=1)
    x = pd.concat([r.x for r in rows.values()]).groupby(level=0, sort=False).first().loc[y.index]
    where = pd.concat([r.site for r in rows.values()])
    where = where[~where.index.duplicated()].loc[y.index]
    two = [name for name in x if x[name].nunique() <= 2]
    version = np.unique(x[two].to_numpy(), axis=0, return_inverse=True)[1].ravel()
    keys = where[list(KEYS_OF_SETTING)].astype(str).agg("\x1f".join, axis=1)
    made_of = {e["construct"] for e in study.report["exposures"] if "construct" in e}
    return People(
        ids=y.index.to_numpy(dtype=str),
        y=y,
        setting=np.unique(keys, return_inverse=True)[1],
        site=where["site"].where(where["sited"], "").to_numpy(dtype=object),
        sited=where["sited"].to_numpy(dtype=bool),
        version=version if two else np.zeros(len(y), dtype=int),
        needed=y.columns.get_level_values("construct").isin(made_of),
        traits=_traits(study, made_of),
    )


def _traits(study: Study, made_of: set[str]) -> list[tuple[str, str]]:
    table = study.measurements
    own = table[table["construct"].astype("str").isin(made_of)]
    found = zip(own["construct"].astype("str"), own["vignette"].astype("str").fillna(NO_VIGNETTE),
                strict=True)  # fmt: skip
    return sorted(set(found))
