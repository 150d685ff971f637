"""Moderators that studies of codings declare: no terms of their model, and it says so by name.

The model has one contrast of all studies, without a spread of it between them. Beside that a
difference between studies would pass for known as well as their interviews are, however few studies
there are. The second stage has such a spread, and takes the contrast of each study for itself: a
moderator is a term there. Of prevalences it is none anywhere, as it is what effects may differ by.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.design.identification import Identification
from metastudy.design.moderators import moderators_of
from metastudy.harmonized.study import Study
from metastudy.models.codings import design

__all__ = ["WHY", "structures", "with_moderators"]

WHY = (
    "the contrasts of its codes have no spread between studies, beside which a moderator would "
    "pass for certain; the second stage has one, and takes it as a term where studies are pooled"
)


def with_moderators(
    cells: xr.Dataset, studies: Sequence[Study], vocabulary: Vocabulary
) -> xr.Dataset:
    """The cells with the names of what their studies declare of moderators.

    Parameters
    ----------
    studies : with the table ``attributes``.

    Returns
    -------
    Cells as they were where no study declares any. Else with the attribute ``moderators``, by name
    in how many values each is declared.
    """
    here = set(map(str, cells.study.values))
    own = [s["attributes"].assign(study=s.id) for s in studies if s.id in here]
    table = pd.concat(own, ignore_index=True)
    said = table[table["kind"].eq("moderator") & table["finding_id"].isna()]
    number = said.groupby("name")["value"].nunique()
    found = {m.name: int(number[m.name]) for m in moderators_of(vocabulary) if m.name in number}
    return cells.assign_attrs(moderators=json.dumps(found)) if found else cells


def structures(cells: xr.Dataset) -> list[tuple[str, str, Identification]]:
    """What the design identifies around each exposure, and the moderators that are left out.

    Without exposures these stand for themselves, of no exposure.
    """
    found = design.structures(cells)
    declared = json.loads(cells.attrs.get("moderators", "{}"))
    if not declared:
        return found
    rows = [(name, number, "left out", "", WHY) for name, number in declared.items()]
    columns = ["grouping", "levels", "used_as", "aliased_with", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    if not found:
        return [("", "", Identification(0, (), table))]
    return [
        (exposure, outcome, replace(one, table=pd.concat([one.table, table], ignore_index=True)))
        for exposure, outcome, one in found
    ]
