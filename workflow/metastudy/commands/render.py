"""Entry of the rule that renders the manuscript: ``python -m metastudy.commands.render --help``."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.commands._run import run
from metastudy.manuscript.quarto import choose_engine
from metastudy.manuscript.render import FORMATS, render
from metastudy.manuscript.staging import stage


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m metastudy.commands.render", description=__doc__
    )
    parser.add_argument("--project", type=Path, help="a folder that is staged already")
    parser.add_argument("--manuscript", type=Path, help="folder of the sources, to be staged")
    parser.add_argument("--figures", type=Path, help="folder of the figures")
    parser.add_argument("--tables", type=Path, help="folder of the tables (_tbl-*.md)")
    parser.add_argument("--variables", type=Path, help="the file _variables.yml")
    parser.add_argument("--ledger", type=Path, help="what each variable is made of, JSON")
    parser.add_argument("--engine", choices=["auto", "quarto", "pandoc"], default="auto")
    parser.add_argument("--asked", choices=["auto", "quarto", "pandoc"], help="default: the engine")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["html", "typst", "docx"])
    parser.add_argument("--out", type=Path, required=True, help="folder of the documents")
    args = parser.parse_args()
    parts = [args.manuscript, args.figures, args.tables, args.variables]
    if any(parts) if args.project else not all(parts):
        parser.error("give --project, or all of --manuscript --figures --tables --variables")
    return args


def main() -> None:
    """Stage the manuscript where that was asked for, then check and render it."""
    args = arguments()
    project, names = args.project, None
    if project is None:
        project = args.out / "source"
        names = stage(args.manuscript, args.figures, args.tables, args.variables, project)
    engine = choose_engine(args.engine)
    record = render(
        project, args.out, args.formats, engine, args.asked or args.engine, names, args.ledger
    )
    print(f"rendered by {record['engine']}: {record['tools']}")
    if "not_quarto" in record:
        print(f"not by Quarto: {record['not_quarto']}")


if __name__ == "__main__":
    run(main)
