"""Compare two builds file by file: which are the same bytes, which only after a list of renames.

``python tools/compare_builds.py OLD NEW [--renames tools/renames.yaml]`` takes two folders
`results/`. Logs are left out. Where bytes differ, the contents are compared after the renames:
tables by column and row, draws bit by bit, texts line by line. It prints what it mapped and each
file that still differs, and ends with 1 if there is one.

The list of renames has a section each for ``files`` (the start of a path), ``columns`` and
``values`` of tables, ``variables`` of netCDF files, and ``texts`` (old text: new text).
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
import yaml

TEXTS = (".json", ".md", ".yml", ".yaml", ".html", ".qmd", ".svg", ".csv", ".bib", ".css", ".lua")
LEFT_OUT = ("logs/", "README.md")


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but logs, by its path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(LEFT_OUT) and not path.name.startswith("."):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def renamed(name: str, renames: Mapping[str, str]) -> str:
    """A path, with the longest start that was renamed replaced."""
    for old in sorted(renames, key=len, reverse=True):
        if name.startswith(old):
            return renames[old] + name[len(old) :]
    return name


def same(old: Path, new: Path, renames: Mapping[str, Mapping[str, str]]) -> str:
    """How two files differ after the renames; an empty text if they do not."""
    if old.suffix == ".parquet":
        return _tables(pd.read_parquet(old), pd.read_parquet(new), renames)
    if old.suffix == ".nc":
        return _draws(old, new, renames)
    if old.suffix in TEXTS:
        return _lines(old, new, renames)
    return "bytes differ"


def _tables(old: pd.DataFrame, new: pd.DataFrame, renames: Mapping[str, Mapping[str, str]]) -> str:
    old = old.rename(columns=dict(renames.get("columns", {})))
    values = dict(renames.get("values", {}))
    for name in old.select_dtypes(include=["object", "string", "category"]):
        old[name] = old[name].map(lambda value: values.get(value, value))
        new[name] = new[name].astype(object) if name in new else None
    try:
        pd.testing.assert_frame_equal(old, new, check_exact=True, check_dtype=False)
    except AssertionError as error:
        return str(error).splitlines()[0]
    return ""


def _draws(old: Path, new: Path, renames: Mapping[str, Mapping[str, str]]) -> str:
    names = renames.get("variables", {})
    with xr.open_datatree(old) as before, xr.open_datatree(new) as after:
        if before.groups != after.groups:
            return f"groups {before.groups} and {after.groups}"
        for group in before.groups:
            one, two = before[group].to_dataset(), after[group].to_dataset()
            known = {*one.variables, *one.dims}
            one = one.rename({k: v for k, v in names.items() if k in known})
            if not one.drop_attrs().identical(two.drop_attrs()):
                apart = [k for k in one.variables if k not in two or not one[k].equals(two[k])]
                return f"group {group}: {', '.join(map(str, apart)) or 'other variables'}"
    return ""


def _lines(old: Path, new: Path, renames: Mapping[str, Mapping[str, str]]) -> str:
    text, other = old.read_text("utf-8"), new.read_text("utf-8")
    for before, after in renames.get("texts", {}).items():
        text = re.sub(before, after, text)
    pairs = zip(text.splitlines(), other.splitlines(), strict=False)
    apart = [(a, b) for a, b in pairs if a != b]
    lengths = len(text.splitlines()) - len(other.splitlines())
    if not apart and not lengths:
        return ""
    first = f"first: {apart[0][0].strip()[:90]!r} -> {apart[0][1].strip()[:90]!r}" if apart else ""
    return f"{len(apart)} lines differ, {abs(lengths)} more or fewer; {first}"


def main() -> None:
    """Print what is the same, what was mapped and what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--renames", type=Path)
    args = parser.parse_args()
    listed: dict[str, Any] = yaml.safe_load(args.renames.read_text("utf-8")) if args.renames else {}
    renames = {key: value or {} for key, value in (listed or {}).items()}
    before, after = checksums(args.old), checksums(args.new)
    paths = {name: renamed(name, renames.get("files", {})) for name in before}
    count: Counter[str] = Counter()
    apart = []
    for name, path in paths.items():
        if path not in after:
            apart.append(f"gone     {name}")
        elif before[name] == after[path]:
            count["the same bytes"] += 1
        elif why := same(args.old / name, args.new / path, renames):
            apart.append(f"differs  {path}: {why}")
        else:
            count["the same after the renames"] += 1
    apart += [f"new      {path}" for path in sorted(set(after) - set(paths.values()))]
    for section, pairs in renames.items():
        for old, new in pairs.items():
            print(f"mapped   {section}: {old} -> {new}")
    for line in apart:
        print(line)
    print(f"{len(before)} files before, {len(after)} after;", end=" ")
    print(", ".join(f"{number} {what}" for what, number in count.items()), end="; ")
    print(f"{len(apart)} to explain")
    sys.exit(bool(apart))


if __name__ == "__main__":
    main()
