"""Tabulate: the article's tables as Markdown, the same numbers in full as CSV, and its parts."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from metastudy.article import catalogue, make, sections
from metastudy.commands import _results
from metastudy.commands._run import run
from metastudy.display.pipe_table import markdown

KEY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,]+)", re.M)  # of an entry of a bibliography


def main() -> None:
    """Entry point of the rule ``tabulate``: all tables, or one with ``--table``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", nargs="*", help="names; all that the inputs allow if left out")
    _results.arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for _tbl-<name>.md, <name>.csv and _part-<name>.md",
    )
    parser.add_argument("--bibliography", type=Path, nargs="*", default=[], help="its .bib files")
    parser.add_argument("--done", type=Path, help="where to write what was made")
    args = parser.parse_args()
    evidence = _results.gather(args)
    items = catalogue.tables({m: evidence.model(m) for m in evidence.contrasts})
    wanted = args.table or [
        name
        for name, item in items.items()
        if all(getattr(args, need) for need in item.needs if need not in catalogue.OPTIONAL)
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name in wanted:
        found = make.table(evidence, name)
        (args.out / f"_tbl-{name}.md").write_text(markdown(name, found), "utf-8")
        found.full.to_csv(args.out / f"{name}.csv", index=False)
        captions[name] = found.caption
    for name, item in () if args.table else catalogue.PARTS.items():
        if all(getattr(args, need) for need in item.needs):
            (args.out / f"_part-{name}.md").write_text(make.part(evidence, name), "utf-8")
    known = {key for path in args.bibliography for key in KEY.findall(path.read_text("utf-8"))}
    for name, text in {} if args.table else sections.sections(evidence, known).items():
        (args.out / f"_part-{name}.md").write_text(text, "utf-8")
    if args.done:
        args.done.write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
