"""Write down every number of the article, and compare it with what was written down before.

    python tools/record_numbers.py [--results results] [--raw data/raw] [--out FILE]
    python tools/record_numbers.py --compare OLD [--new FILE] [--moved-by POINT]

FILE is manuscript/record.json unless it is given. The first makes the record from a finished
build: the printed text of every variable, the rows of contrasts, heterogeneity, synthesis and
design-based estimates in full precision with their Monte Carlo errors, and the SHA-256 of each data
file. It has no date and no path in it, so the same build gives the same bytes. Of refits and
replicates it has what the variables say of them. The second prints a table of the primary
estimates before and after, in Markdown: for the message of a commit that moves a number.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

__all__ = ["compare", "dumped", "main", "record"]

PROJECT = Path(__file__).parents[1]
RECORD = PROJECT / "manuscript" / "record.json"
TABLES = (
    *("contrasts/*.parquet", "synthesis/*.parquet", "design_based/*.parquet"),
    *("comparison/*.parquet", "refits/*-power.parquet"),
)
NUMBERS = (
    *("estimate", "se", "low", "high", "mean", "sd", "lower", "upper", "pd"),
    *("ess", "positive", "rope", "above", "below", "prior_pull"),
    *("mcse", "mcse_lower", "mcse_upper", "i2", "i2_lower", "i2_upper", "i2_mcse"),
    *("elpd_loo", "difference", "se_difference", "weight", "prior", "likelihood"),
)
# What tells the rows of a table apart, of the columns that it has, where its `id` alone does not.
KEYS = (
    *("id", "variant", "parameter", "study", "exposure", "outcome", "vignette", "weighted"),
    *("pooling", "level", "group", "role"),
)
NO_DATA = ("codebook.yaml", "README.md")  # in a study's folder


def record(results: Path, raw: Path) -> dict[str, Any]:
    """What is written down of a finished build.

    Parameters
    ----------
    results : the folder ``results`` of the build.
    raw : the folder with a folder for each study.

    Returns
    -------
    dict
        ``raw``: study, data file, SHA-256. ``variables``: group of variables by its dotted key,
        then the printed text of each. ``tables``: by file below ``results``, the names of its
        columns of numbers and the numbers of each row by its key; units are those of its metric.
        ``primary``: table and key of each primary estimate, an effect in the population by a
        module's main fit, or one of the second stage.

    Raises
    ------
    SystemExit
        If the build is not finished, or two rows of a table have the same key.
    """
    variables = results / "variables" / "_variables.yml"
    if not variables.is_file():
        raise SystemExit(f"error: {variables} is not there; finish the build first")
    tables, primary = {}, []
    for path in sorted(found for pattern in TABLES for found in results.glob(pattern)):
        rows = pd.read_parquet(path)
        is_number = pd.api.types.is_numeric_dtype
        columns = [name for name in NUMBERS if name in rows and is_number(rows[name])]
        if not columns:
            continue  # the structure of the synthesis has words only
        name = path.relative_to(results).with_suffix("").as_posix()
        keys = _keys(rows, name)
        numbers = rows[columns].astype(object).to_numpy().tolist()
        tables[name] = {
            "columns": columns,
            "rows": {k: [_number(v) for v in line] for k, line in zip(keys, numbers, strict=True)},
        }
        primary += [[name, key] for key, first in zip(keys, _primary(rows), strict=True) if first]
    return {
        "raw": {path.name: _digests(path) for path in sorted(raw.iterdir()) if path.is_dir()},
        "primary": sorted(primary),
        "tables": tables,
        "variables": dict(_groups(yaml.safe_load(variables.read_text("utf-8")))),
    }


def _keys(rows: pd.DataFrame, name: str) -> list[str]:
    wanted = ["id"] if "id" in rows and rows["id"].is_unique else [k for k in KEYS if k in rows]
    lines = rows[wanted].astype(str).to_numpy().tolist()
    keys = ["|".join(filter(None, line)) for line in lines]
    if len(set(keys)) < len(keys):
        raise SystemExit(f"error: {name} has rows that {', '.join(wanted)} do not tell apart")
    return keys


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _primary(rows: pd.DataFrame) -> list[bool]:
    if "level" not in rows:
        return [False] * len(rows)
    population = rows["level"] == "population"
    if "estimand" in rows:
        population &= rows["estimand"] == "effect"
    if "variant" in rows:
        population &= rows["variant"] == "main"
    return [bool(found) for found in population]


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in NO_DATA
    }


def _groups(node: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    own = {str(key): str(value) for key, value in node.items() if not isinstance(value, Mapping)}
    if own:
        yield above, own
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _groups(value, f"{above}.{key}" if above else str(key))


def dumped(found: Mapping[str, Any]) -> str:
    """A record as JSON with sorted keys, a row or a group on a line: a `diff` can be read."""
    return _lines(found, 0) + "\n"


def _lines(node: Any, depth: int) -> str:
    if not isinstance(node, dict | list) or not _deep(node):
        return json.dumps(node, ensure_ascii=False, sort_keys=True)
    if isinstance(node, list):
        opened, closed = "[", "]"
        parts = [_lines(value, depth + 1) for value in node]
    else:
        opened, closed = "{", "}"
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_lines(node[key], depth + 1)}"
            for key in sorted(node)
        ]
    inner = ",\n".join(" " * (depth + 1) + part for part in parts)
    return f"{opened}\n{inner}\n{' ' * depth}{closed}"


def _deep(node: dict[str, Any] | list[Any]) -> bool:
    """Whether a node has several lines: a row of numbers and a group of variables have one."""
    values = node.values() if isinstance(node, dict) else node
    return any(isinstance(value, dict | list) for value in values)


def compare(old: Mapping[str, Any], new: Mapping[str, Any], moved_by: str = "") -> str:
    """A table in Markdown of the primary estimates of two records, and how many texts differ.

    The difference is also given in Monte Carlo errors: over the root of the sum of the two squared
    errors. Where an estimate is in one record only, a dash is in place of the other.
    """
    head = ["estimand", "before", "after", "difference", "in Monte Carlo errors"]
    head += ["moved by"] if moved_by else []
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    places = {tuple(place) for each in (old, new) for place in each["primary"]}
    for table, key in sorted(places):
        one, two = (_estimate(each, table, key) for each in (old, new))
        cells = [f"{table}: {key.replace('|', ', ')}", _shown(one), _shown(two), "–", "–"]
        if one and two:
            difference, error = two[0] - one[0], math.hypot(one[1], two[1])
            cells[3] = f"{difference:+.4f}" if difference else "0"
            cells[4] = f"{difference / error:+.1f}" if difference and error else cells[3]
        cells += [moved_by if cells[3] != "0" else ""] if moved_by else []
        lines.append(f"| {' | '.join(cells)} |")
    before, after = (_texts(each) for each in (old, new))
    keys = before.keys() | after.keys()
    other = sum(before.get(key) != after.get(key) for key in keys)
    return "\n".join([*lines, "", f"{other} of {len(keys)} variables have another text."])


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    groups = found["variables"].items()
    return {f"{group}.{name}": text for group, own in groups for name, text in own.items()}


def _estimate(found: Mapping[str, Any], table: str, key: str) -> tuple[float, float] | None:
    """Mean and Monte Carlo standard error of an estimate; None where the record has it not."""
    where = found["tables"].get(table)
    if where is None or key not in where["rows"]:
        return None
    row = dict(zip(where["columns"], where["rows"][key], strict=True))
    mean = row.get("mean", row.get("estimate"))
    return None if mean is None else (mean, row.get("mcse") or 0.0)


def _shown(estimate: tuple[float, float] | None) -> str:
    return "–" if estimate is None else f"{estimate[0]:.4f} ({estimate[1]:.4f})"


def main() -> None:
    """Read the command line; write the record or print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=PROJECT / "results")
    parser.add_argument("--raw", type=Path, default=PROJECT / "data" / "raw")
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--compare", type=Path, metavar="OLD", help="a record; nothing is written")
    parser.add_argument("--new", type=Path, default=RECORD, help="what OLD is compared with")
    parser.add_argument("--moved-by", default="", help="the point that moved the numbers")
    args = parser.parse_args()
    if args.compare:
        old, new = (json.loads(path.read_text("utf-8")) for path in (args.compare, args.new))
        print(compare(old, new, args.moved_by))
    else:
        args.out.write_text(dumped(record(args.results, args.raw)), "utf-8")


if __name__ == "__main__":
    main()
