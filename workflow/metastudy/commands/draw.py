"""Draw figures: of each its table as CSV, and the drawing of that table as SVG and PNG.

Snakemake removes all outputs of a job before it begins, also those of figures that nothing of what
changed is in. So each figure has a key of its own in the store, of what it alone is made from; and
its drawing has one of its table, as most tables come out the same after most changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from metastudy.article import catalogue, make
from metastudy.article.catalogue import Item
from metastudy.commands import _results
from metastudy.commands._run import run
from metastudy.common import stored_outputs
from metastudy.common.problems import MetastudyError
from metastudy.display.plots import canvas
from metastudy.models.backend import flags_in_force

NAME = "metastudy.commands.draw"


def main() -> None:
    """Entry point of the rules ``draw`` and ``draw_<kind of model>``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--figures", nargs="+", required=True, help="names in the catalogue of the article"
    )
    parser.add_argument(
        "--models", type=json.loads, default={}, help="JSON: kinds of the modules they are of"
    )
    _results.arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for <figure>.{csv,svg,png}")
    parser.add_argument("--store", type=Path, help="where what was made is kept; none if left out")
    parser.add_argument("--code", default="", help="digest of this code")
    parser.add_argument("--lock", default="", help="digest of the locked packages")
    args = parser.parse_args()
    items = catalogue.figures(args.models)
    wanted = {name: catalogue.item_named(items, name, "figure") for name in args.figures}
    failed: dict[str, list[str]] = {}
    for name, item in wanted.items():
        try:
            print(f"{name}: {_figure(args, name, item)}", flush=True)
        except MetastudyError as error:
            failed.setdefault(str(error), []).append(name)
        except Exception as error:  # a fault of one figure costs no other
            traceback.print_exc()
            failed.setdefault(f"{type(error).__name__}: {error}", []).append(name)
    if failed:
        raise MetastudyError(_said(failed, len(args.figures), bool(args.store)))


def _figure(args: argparse.Namespace, name: str, item: Item) -> str:
    """Make the files of one figure from its own results and nothing else; how it came about."""
    given = {kind: list(map(str, getattr(args, kind))) for kind in catalogue.RESULTS}
    files = catalogue.files_of(item, given)
    own = argparse.Namespace(
        vocabulary=args.vocabulary,
        settings=args.settings,
        **{kind: list(map(Path, files.get(kind, ()))) for kind in given},
    )
    csv, *pictures = (args.out / f"{name}.{suffix}" for suffix in ("csv", "svg", "png"))
    how = "drawn"

    def made() -> None:
        nonlocal how
        table, plot = make.figure(_results.gather(own), name)
        table.to_csv(csv, index=False)
        words = [NAME, "--plot", item.plot, "--types", _types(table), "--table", str(csv)]
        if _once(args, words, [csv], pictures, lambda: canvas.save(plot(table), *pictures)):
            how = "of the same table as before"

    words = [NAME, "--figure", name, "--model", args.models.get(item.module, "")]
    words += ["--settings", json.dumps(args.settings, sort_keys=True)]
    words += ["--vocabulary", str(args.vocabulary)]
    words += [word for kind, paths in files.items() for word in (f"--{kind}", *paths)]
    inputs = [args.vocabulary, *(Path(path) for paths in files.values() for path in paths)]
    return "as before" if _once(args, words, inputs, [csv, *pictures], made) else how


def _once(
    args: argparse.Namespace,
    words: Sequence[str],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    make_them: Callable[[], None],
) -> bool:
    """Take outputs from the store or make them; whether they were taken."""
    if args.store is None:
        make_them()
        return False
    depends = {"code": args.code, "flags": flags_in_force(), "lock": args.lock}
    return stored_outputs.take_or_make(args.store, words, inputs, outputs, depends, make_them)[1]


def _types(table: pd.DataFrame) -> str:
    """Digest of what a CSV file does not say of a table: the types of its columns and cells."""
    cells = [[type(value).__name__ for value in column] for _, column in table.items()]
    said = [table.dtypes.astype(str).to_list(), cells, repr(table.attrs)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _said(failed: dict[str, list[str]], figures: int, kept: bool) -> str:
    """What failed, each fault once, and where the other figures of the job are."""
    bad = sum(map(len, failed.values()))
    others = "taken from the store" if kept else "drawn again"
    lines = [f"{', '.join(names)}: {fault}" for fault, names in failed.items()]
    rest = f"; the others are {others} in the next run" if bad < figures else ""
    return "\n".join([f"{bad} of {figures} figures could not be drawn{rest}", *lines])


if __name__ == "__main__":
    run(main)
