"""What may be pooled: estimands that share all that matters, and the reason where they do not."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.registry import model_of
from metastudy.synthesis.pooling import ESTIMAND, SecondStage, pooled_rows

__all__ = ["STRUCTURE", "module_structures", "refused", "structures"]

STRUCTURE = result_tables.columns("structure")


def refused(table: pd.DataFrame) -> pd.DataFrame:
    """Why estimates are alone: one study only, and what looks alike but may not be pooled.

    Where a row has something alike, it says of which exposure type, role, response mode and metric
    it is itself, as far as the two differ in them.
    """
    rows = []
    table = table.assign(pooled=pooled_rows(table))
    for key, mine in table.groupby(ESTIMAND, sort=False):
        exposure, kind, outcome, family, role, mode, metric = map(str, key)
        alike = table[
            (table["exposure_name"] == mine["exposure_name"].iloc[0])
            & (table["outcome"] == outcome)
        ]
        own = {"exposure_type": kind, "role": role, "response_mode": mode, "metric": metric}
        differing = {name: set(alike[name]) - {value} for name, value in own.items()}
        others = {_called(name, one) for name, values in differing.items() for one in values}
        if mine["pooled"].all() and not others:
            continue
        why = "" if mine["pooled"].all() else "one study only; its own estimate is shown"
        if others:
            this = [_called(name, own[name]) for name, values in differing.items() if values]
            why += ("; " if why else "") + f"{', '.join(this)}: not pooled with "
            why += ", ".join(sorted(others))
        rows.append(
            (family, exposure, outcome, "study", mine["study"].nunique(), "refused", "", why)
        )
    return pd.DataFrame(rows, columns=STRUCTURE)


def _called(name: str, value: str) -> str:
    return f"{name} {value or 'not stated'}".replace("_", " ")


def structures(found: SecondStage) -> pd.DataFrame:
    """What became of each moderator and each grouping of each pooled estimand."""
    tables = []
    for _, e in found.estimands.iterrows():
        parts = [found.found[e["id"]].table]
        if e["id"] in found.moderation:  # what it says of them says more
            own = found.moderation[e["id"]].table
            parts = [own, parts[0][~parts[0]["used_as"].eq("fixed")]]
        rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
        tables.append(
            rows.assign(module_or_family=e["family"], exposure=e["exposure"], outcome=e["outcome"])
        )
    return pd.concat(tables, ignore_index=True)[STRUCTURE]


def module_structures(cells: xr.Dataset) -> pd.DataFrame:
    """What a module's own design identifies: aliases, contrasts and variances.

    Groupings with one level are left out of the table, but for those of coded interviews, where
    what cannot be distinguished is the point.
    """
    module = str(cells.attrs["module"])
    model = model_of(cells)
    tables = [pd.DataFrame(columns=STRUCTURE)]
    tables += [
        of.table[
            of.table["levels"].ge(model.least_levels) | of.table["used_as"].eq("refused")
        ].assign(module_or_family=module, exposure=exposure, outcome=outcome)
        for exposure, outcome, of in model.structures(cells)
    ]
    return pd.concat(tables, ignore_index=True)[STRUCTURE]
