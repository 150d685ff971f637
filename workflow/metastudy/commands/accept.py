"""Accept: write down every number of a finished build, as the record of the next verdict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common import made_files
from metastudy.record import history
from metastudy.record.record_file import dumped, made


def main() -> None:
    """Entry point of the rule ``accept``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the build")
    parser.add_argument("--project", type=Path, default=Path(), help="what paths are relative to")
    parser.add_argument("--repository", type=Path, required=True, help="holds workflow and envs")
    parser.add_argument("--out", type=Path, required=True, help="record.json")
    parser.add_argument("--history", type=Path, help="CSV that the primary contrasts are added to")
    parser.add_argument("--primary", type=json.loads, default={}, help="JSON: names by place")
    args = parser.parse_args()
    record = made(args.results, args.repository, args.project)
    written = {args.out: dumped(record)}
    if args.history:
        sources = args.results / "variables" / "sources.json"
        made_of = made_files.report(sources)["variables"]
        names = [name for place in args.primary.values() for name in place]
        new = history.entries(record, made_of, names)
        written[args.history] = history.dump(history.with_new(history.read(args.history), new))
    # Whole or not at all: what is there is the only record of the numbers before.
    for path, text in written.items():
        path.with_name(f".{path.name}.new").write_text(text, "utf-8")
    for path in written:
        path.with_name(f".{path.name}.new").replace(path)
    print(f"{args.out}: {len(written[args.out])} characters")


if __name__ == "__main__":
    run(main)
