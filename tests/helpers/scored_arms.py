"""A study of scores as rows of people and as the arms that would be published of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from helpers.raw_studies import VOCABULARY, harmonized, table_study
from metastudy.harmonize.harmonize import Harmonized, save
from metastudy.harmonized.study import load_study
from metastudy.models.aggregate import cells_of_one

TWO = ("threat_job", "threat_quality")
HEAD = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
"""
TAIL = """\
exposures:
  - {factor: task_type, type: randomised}
"""
ICC = "  - {name: icc, as: icc}\n  - {name: m, as: cluster_size}\n"


def people(constructs: tuple[str, ...] = TWO, seed: int = 3) -> pd.DataFrame:
    """People of two sites with both arms, whose scores are not all on one line."""
    rng = np.random.default_rng(seed)
    rows = [(site, arm) for site, n in (("Aa", 31), ("Bb", 24)) for arm in (1, 2) for _ in range(n)]
    table = pd.DataFrame(rows, columns=["home", "arm"])
    shared = rng.normal(size=len(table)) + 0.5 * (table["arm"] == 2) + 0.3 * (table["home"] == "Aa")
    for at, name in enumerate(constructs):
        own = 4 + 0.7 * shared + (0.6 + 0.2 * at) * rng.normal(size=len(table))
        table[name] = own.clip(1, 7)
    table.insert(0, "nr", range(1, len(table) + 1))
    return table


def arms_of(table: pd.DataFrame, constructs: tuple[str, ...] = TWO) -> pd.DataFrame:
    """The arms of people as they would be published, not rounded."""
    rows = []
    for (home, arm), own in table.groupby(["home", "arm"]):
        row: dict[str, object] = {"home": home, "arm": arm, "n": len(own)}
        for name in constructs:
            row |= {f"m_{name}": own[name].mean(), f"sd_{name}": own[name].std(ddof=1)}
        if len(constructs) > 1:
            row["r"] = own[constructs[0]].corr(own[constructs[1]])
        rows.append(row)
    found = pd.DataFrame(rows)
    found.insert(0, "nr", range(1, len(found) + 1))
    return found


def correlation(constructs: tuple[str, ...] = TWO) -> str:
    return f"  - {{name: r, as: correlation, constructs: [{', '.join(constructs)}]}}\n"


def of_rows(constructs: tuple[str, ...] = TWO, keying: str = "") -> str:
    items = "".join(
        f"  - {{name: {c}, as: item, construct: {c}, min: 1.0, max: 7.0{keying}}}\n"
        for c in constructs
    )
    return HEAD + items + f"outcomes: [{', '.join(constructs)}]\n" + TAIL


def of_arms(constructs: tuple[str, ...] = TWO, more: str = "", keying: str = "") -> str:
    means = "  - {name: n, as: people}\n" + "".join(
        f"  - {{name: m_{c}, as: mean, construct: {c}, min: 1, max: 7{keying}}}\n"
        f"  - {{name: sd_{c}, as: sd, construct: {c}}}\n"
        for c in constructs
    )
    return HEAD + means + more + f"outcomes: [{', '.join(constructs)}]\n" + TAIL


def study(
    folder: Path, table: pd.DataFrame, codebook: str, clustered: str | None = "false"
) -> Harmonized:
    made = table_study(folder, table.to_csv(index=False), codebook)
    if clustered:
        book = made / "codebook.yaml"
        text = book.read_text("utf-8").replace(
            "provenance: simulated", f"provenance: simulated\n  clustered: {clustered}"
        )
        book.write_text(text, "utf-8")
    return harmonized(made)


def cells(
    folder: Path, found: Harmonized, variant: str = "main", module: str = "threat"
) -> xr.Dataset:
    save(found, folder / "out")
    return cells_of_one(load_study(folder / "out"), module, VOCABULARY, variant)


def both(
    folder: Path,
    constructs: tuple[str, ...] = TWO,
    keying: str = "",
    variant: str = "main",
    module: str = "threat",
) -> tuple[xr.Dataset, xr.Dataset]:
    table = people(constructs)
    more = correlation(constructs) if len(constructs) > 1 else ""
    arms = study(folder / "arms", arms_of(table, constructs), of_arms(constructs, more, keying))
    rows = study(folder / "rows", table, of_rows(constructs, keying), None)
    return (
        cells(folder / "arms", arms, variant, module),
        cells(folder / "rows", rows, variant, module),
    )
