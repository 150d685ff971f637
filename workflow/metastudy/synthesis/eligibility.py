"""What may be pooled: estimands that share all that matters, and the reason where they do not."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.registry import model_of
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["STRUCTURE", "module_structures", "refused", "structures"]

STRUCTURE = result_tables.columns("structure")


def refused(table: pd.DataFrame) -> pd.DataFrame:
    """Why estimates stand alone: one study only, and what looks alike but may not be pooled."""
    rows = []
    for key, mine in table.groupby(ESTIMAND, sort=False):
        exposure, kind, outcome, family, mode, _ = key
        alike = table[
            (table["exposure_name"] == mine["exposure_name"].iloc[0])
            & (table["outcome"] == outcome)
        ]
        others = {f"exposure type {t}" for t in alike["exposure_type"].unique() if t != kind} | {
            f"response mode {m}" for m in alike["response_mode"].unique() if m != mode
        }
        if mine["study"].nunique() > 1 and not others:
            continue
        why = "one study only; its own estimate is shown" if mine["study"].nunique() == 1 else ""
        if others:
            why += ("; " if why else "") + f"not pooled with {', '.join(sorted(others))}"
        rows.append(
            (family, exposure, outcome, "study", mine["study"].nunique(), "refused", "", why)
        )
    return pd.DataFrame(rows, columns=STRUCTURE)


def structures(found: SecondStage) -> pd.DataFrame:
    """What became of each grouping of each pooled estimand, predictions included."""
    tables = []
    for _, e in found.estimands.iterrows():
        rows = found.structures[e["id"]].table
        tables.append(
            rows.assign(module_or_family=e["family"], exposure=e["exposure"], outcome=e["outcome"])
        )
    return pd.concat(tables, ignore_index=True)[STRUCTURE]


def module_structures(cells: xr.Dataset) -> pd.DataFrame:
    """What a module's own design identifies: aliases, contrasts and variances.

    Groupings with one level are left out of the table, but for those of coded interviews, where
    what cannot be told apart is the point.
    """
    module = str(cells.attrs["module"])
    model = model_of(cells)
    found = [
        (e, of.table[of.table["levels"] >= model.least_levels]) for e, of in model.structures(cells)
    ]
    tables = [pd.DataFrame(columns=STRUCTURE)]
    tables += [
        table.assign(module_or_family=module, exposure=exposure, outcome="")
        for exposure, table in found
    ]
    return pd.concat(tables, ignore_index=True)[STRUCTURE]
