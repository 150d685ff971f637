"""The numbers of a finished build: each with its kind, its value and what is beside it."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
import yaml

from metastudy.common import made_files
from metastudy.common.problems import MetastudyError
from metastudy.posterior.verdicts import ERRORS, judge
from metastudy.record.kinds import FILES, NUMBERS, Number, schema_of, without_kind

__all__ = ["is_primary", "tables", "texts"]

# What tells the rows of a table apart where its `id` alone does not, of the columns that it has.
KEYS = (
    *(
        "id",
        "candidate",
        "variant",
        "parameter",
        "study",
        "exposure",
        "exposure_name",
        "exposure_type",
    ),
    *("outcome", "vignette", "weighted", "pooling", "kind", "level", "group", "role", "country"),
    *("sector", "other", "other_vignette", "statistic", "moderator", "category", "x"),
    *("module_or_family", "grouping", "prior_key", "factor", "analysis"),
)
DIGITS = 3  # of an error; a value has all of its own
POWERS = {"prior": 0.05, "likelihood": 0.05}  # sensitive from here on (Kallioinen et al. 2024)


def tables(results: Path, cuts: Mapping[str, float]) -> dict[str, Any]:
    """The numbers of record of a build.

    Parameters
    ----------
    results : the folder ``results`` of the build.
    cuts : ``clear``, ``too_small`` and ``direction``, from the configuration.

    Returns
    -------
    dict
        By file below ``results`` without its ending: ``columns``, ``kinds`` of the columns,
        ``sources`` of their errors, and ``rows`` by key, each a pair of lists. The first has the
        values in full precision, ``None`` where there is none. The second has beside each what is
        needed to compare it: of an estimate or a derived number its Monte Carlo standard error in
        the same units, of a word the other words within two errors, of a diagnostic the side of
        its gate, and ``None`` of what is exact or has no gate.

    Raises
    ------
    MetastudyError
        If a number has no kind, two rows have the same key, or nothing is there.
    """
    patterns = {f"{Path(pattern).parent}/*.parquet" for pattern in FILES}
    paths = sorted(path for pattern in patterns for path in results.glob(pattern))
    if not paths:
        raise MetastudyError(f"{results} has no tables of results; finish the build first")
    found = {}
    for path in paths:
        name = path.relative_to(results).with_suffix("").as_posix()
        rows = made_files.table(path).infer_objects()
        schema = schema_of(f"{name}.parquet")
        if missing := without_kind(schema, rows):
            raise MetastudyError(
                f"{name}: {', '.join(missing)} has no kind; name it in metastudy.record.kinds"
            )
        if len(rows):
            found[name] = _table(name, rows, NUMBERS[schema], cuts, _draws(path))
    return found | dict(_diagnostics(results))


def texts(results: Path) -> dict[str, dict[str, str]]:
    """The printed text of every variable of the article, by group and name."""
    path = results / "variables" / "_variables.yml"
    if not path.is_file():
        raise MetastudyError(f"{path} is not there; finish the build first")
    return dict(_groups(yaml.safe_load(path.read_text("utf-8"))))


def is_primary(rows: pd.DataFrame) -> list[bool]:
    """Which rows are an effect in the population by a module's main fit or the second stage."""
    if "level" not in rows or "mean" not in rows:
        return [False] * len(rows)
    population = rows["level"] == "population"
    if "estimand" in rows:
        population &= rows["estimand"] == "effect"
    if "variant" in rows:
        population &= rows["variant"] == "main"
    return [bool(found) for found in population]


def _table(
    name: str,
    rows: pd.DataFrame,
    numbers: Mapping[str, Number],
    cuts: Mapping[str, float],
    draws: xr.DataArray | None,
) -> dict[str, Any]:
    columns = [column for column in numbers if column in rows or column == "verdict"]
    values: dict[str, list[Any]] = {}
    beside: dict[str, list[Any]] = {}
    sources = {column: numbers[column].source for column in columns if numbers[column].source}
    for column in columns:
        kind, error = numbers[column].kind, numbers[column].error
        if column == "verdict":
            values[column], beside[column] = _verdicts(rows, cuts)
            continue
        values[column] = [_value(value) for value in rows[column]]
        beside[column] = [None] * len(rows)
        if kind == "word":
            beside[column] = _other_words(rows, column)
        if error is not None:
            beside[column] = [_rounded(e) for e in pd.Series(error(rows), index=rows.index)]
    if draws is not None and "sd" in columns:
        beside["sd"] = [_rounded(e) for e in _of_sd(draws, rows["id"])]
        sources["sd"] = "draws"
    keys = _keys(rows, name)
    return {
        "columns": columns,
        "kinds": [numbers[column].kind for column in columns],
        "sources": sources,
        "primary": sorted(k for k, first in zip(keys, is_primary(rows), strict=True) if first),
        "rows": {
            key: [[values[c][i] for c in columns], [beside[c][i] for c in columns]]
            for i, key in enumerate(keys)
        },
    }


def _keys(rows: pd.DataFrame, name: str) -> list[str]:
    wanted = ["id"] if "id" in rows and rows["id"].is_unique else [k for k in KEYS if k in rows]
    lines = rows[wanted].astype(str).to_numpy().tolist()
    keys = ["|".join(filter(None, line)) for line in lines]
    if len(set(keys)) < len(keys):  # only where it has to, with places for what is empty
        keys = ["|".join(line) for line in lines]
    if len(set(keys)) < len(keys):
        raise MetastudyError(f"{name} has rows that {', '.join(wanted)} do not tell apart")
    return keys


def _draws(path: Path) -> xr.DataArray | None:
    """Draws of the contrasts of a table, dims (chain, draw, contrast), where they are beside it."""
    beside = path.with_suffix(".nc")
    if path.parent.name != "contrasts" or not beside.is_file():
        return None
    return made_files.arrays(beside, group="contrasts")["value"]


def _of_sd(draws: xr.DataArray, ids: pd.Series) -> list[float]:
    import arviz as az  # where there is no record yet, the tables do not pay for it

    error = az.mcse(draws.rename("x").to_dataset(), method="sd")["x"]
    by_id = pd.Series(error.to_numpy(), index=draws["contrast"].to_numpy().astype(str))
    return by_id.reindex(ids.astype(str)).tolist()


def _verdicts(
    rows: pd.DataFrame, cuts: Mapping[str, float]
) -> tuple[list[str | None], list[list[str] | None]]:
    words: list[str | None] = []
    others: list[list[str] | None] = []
    for found_row in rows.to_dict("records"):
        row = {str(name): value for name, value in found_row.items()}
        if row.get("estimand") == "mean" or pd.isna(row["positive"]):
            words.append(None)
            others.append(None)
            continue
        found = judge(row, cuts)
        words.append(found.kind)
        others.append(_candidates(row, cuts, found.kind) if found.border else None)
    return words, others


def _candidates(row: Mapping[str, Any], cuts: Mapping[str, float], word: str) -> list[str] | None:
    """Other words that a row would earn with its probabilities moved by two Monte Carlo errors."""
    n = float(row["ess"])
    names = ("positive", "above", "below", "rope")
    found = set()
    for signs in itertools.product((-1, 0, 1), repeat=len(names)):
        moved = dict(row)
        for name, sign in zip(names, signs, strict=True):
            p = float(row[name])
            smooth = (p * n + 0.5) / (n + 1)
            error = math.sqrt(smooth * (1 - smooth) / n)
            moved[name] = min(max(p + sign * ERRORS * error, 0.0), 1.0)
        found.add(str(judge(moved, cuts).kind))
    return sorted(found - {word}) or None


def _other_words(rows: pd.DataFrame, column: str) -> list[list[str] | None]:
    """What else a diagnosis of power-scaling could be: its sensitivities are good to a tenth.

    Two errors of what the least effective draws that pass the gates give: 2 / sqrt(400).
    """
    if column != "diagnosis":
        return [None] * len(rows)  # of the design, which no draw decides
    near = pd.concat(
        [(rows[name] - cut).abs() <= 0.1 * cut for name, cut in POWERS.items()], axis=1
    )
    every = {"", "strong_prior", "conflict"}
    return [
        sorted(every - {str(word)}) if close else None
        for word, close in zip(rows[column], near.any(axis=1), strict=True)
    ]


def _diagnostics(results: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Convergence of each fit: the value of each gate, and its side."""
    for path in sorted((results / "diagnostics").glob("*.json")):
        if path.stem == "gates":
            continue
        with made_files.reading(path):
            found = json.loads(path.read_text("utf-8"))
        checks = found if isinstance(found, list) else [found]
        gates = [gate for check in checks for gate in check["gates"]]
        yield (
            f"diagnostics/{path.stem}",
            {
                "columns": ["value", "threshold"],
                "kinds": ["diagnostic", "exact"],
                "sources": {},
                "primary": [],
                "rows": {
                    f"{gate['draws']}|{gate['gate']}": [
                        [_value(gate["value"]), _value(gate["threshold"])],
                        [bool(gate["passed"]), None],
                    ]
                    for gate in gates
                },
            },
        )


def _value(value: Any) -> float | str | None:
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else float(value)


def _rounded(value: Any) -> float | None:
    return None if pd.isna(value) else float(f"{float(value):.{DIGITS}g}")


def _groups(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    own = {str(key): str(value) for key, value in node.items() if not isinstance(value, Mapping)}
    if own:
        yield above, own
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _groups(value, f"{above}.{key}" if above else str(key))
