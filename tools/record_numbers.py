"""Write the numbers of record of a finished build, or compare two records.

    python tools/record_numbers.py [--results results] [--out FILE]
    python tools/record_numbers.py --compare OLD [--new FILE] [--moved-by POINT]
    python tools/record_numbers.py --judge OLD [--new FILE] [--page FOLDER]

FILE is manuscript/record.json unless it is given. The first is what `snakemake accept` does, of a
build that is finished. The second prints a table of the primary estimates before and after, in
Markdown, for the message of a commit that moves a number. The third passes the verdict of
`snakemake verify` on two records without a rebuild, and ends with its code: 0 reproduced, 1 not
reproduced, 2 not comparable.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "workflow"))

from metastudy.common.problems import MetastudyError  # noqa: E402
from metastudy.record.record_file import dumped, load, made  # noqa: E402

__all__ = ["compare", "main"]

RECORD = PROJECT / "manuscript" / "record.json"


def compare(old: Mapping[str, Any], new: Mapping[str, Any], moved_by: str = "") -> str:
    """A table in Markdown of the primary estimates of two records, and how many texts differ.

    The difference is also given in Monte Carlo errors: over the root of the sum of the two squared
    errors. Where an estimate is in one record only, a dash is in place of the other.
    """
    head = ["estimand", "before", "after", "difference", "in Monte Carlo errors"]
    head += ["moved by"] if moved_by else []
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    places = {
        (name, key)
        for each in (old, new)
        for name, table in each["tables"].items()
        for key in table["primary"]
    }
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
    groups = found["texts"].items()
    return {f"{group}.{name}": text for group, own in groups for name, text in own.items()}


def _estimate(found: Mapping[str, Any], table: str, key: str) -> tuple[float, float] | None:
    """Mean and Monte Carlo standard error of an estimate; None where the record has it not."""
    where = found["tables"].get(table)
    if where is None or key not in where["rows"]:
        return None
    at = where["columns"].index("mean")
    values, beside = where["rows"][key]
    return None if values[at] is None else (values[at], beside[at] or 0.0)


def _shown(estimate: tuple[float, float] | None) -> str:
    return "–" if estimate is None else f"{estimate[0]:.4f} ({estimate[1]:.4f})"


def _read(path: Path) -> Mapping[str, Any]:
    """A record to compare; of one before version 2, that had no kinds, what a comparison needs."""
    old = json.loads(path.read_text("utf-8"))
    if "schema" in old or "variables" not in old:
        return load(path)
    tables = {}
    for name, table in old["tables"].items():
        if "mean" in table["columns"]:
            at = [table["columns"].index(c) if c in table["columns"] else -1 for c in MEAN]
            tables[name] = {
                "columns": ["mean"],
                "primary": [key for where, key in old["primary"] if where == name],
                "rows": {k: [[v[at[0]]], [v[at[1]]]] for k, v in table["rows"].items()},
            }
    return {"tables": tables, "texts": old["variables"]}


MEAN = ("mean", "mcse")


def _judge(old: Path, new: Path, page: Path | None) -> int:
    from metastudy.data_report.pages import write
    from metastudy.record.page import verdict_page
    from metastudy.record.verdict import judge

    before, after = load(old), load(new)
    found = judge(before, after)
    if page:
        write([verdict_page(found, after["provenance"])], page)
        (page / "verdict.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"{found['verdict']}: {found['why']}")
    return int(found["code"])


def main() -> int:
    """Read the command line; write the record, print the comparison, or pass the verdict."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=PROJECT / "results")
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--compare", type=Path, metavar="OLD", help="a record; nothing is written")
    parser.add_argument("--judge", type=Path, metavar="OLD", help="a record; nothing is written")
    parser.add_argument("--new", type=Path, default=RECORD, help="what OLD is compared with")
    parser.add_argument("--moved-by", default="", help="the point that moved the numbers")
    parser.add_argument("--page", type=Path, help="folder for the page of the verdict")
    args = parser.parse_args()
    if args.judge:
        return _judge(args.judge, args.new, args.page)
    if args.compare:
        print(compare(_read(args.compare), _read(args.new), args.moved_by))
    else:
        args.out.write_text(dumped(made(args.results, PROJECT)), "utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MetastudyError as error:
        sys.exit(f"error: {error}")
