"""Draft a codebook from a data file: what can be guessed is marked as a guess."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.common.text import shown
from metastudy.drafting.draft import NAME, draft, open_points, refused
from metastudy.drafting.project import rules_of

__all__ = ["main"]


def main() -> None:
    """Draft the codebook of a study: the entry point of the rule ``codebook``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    usage = "snakemake codebook --config study=NAME file=PATH"
    if not NAME.fullmatch(args.study):
        raise refused(
            args.out,
            f"the study '{args.study}'" if args.study else "no study",
            "a name of small letters, digits and underscores, a letter first",
            usage,
        )
    if not args.file.is_file():
        found = f"no such file: {args.file}" if args.file.name else "no file"
        raise refused(args.out, found, "a data file", usage, "missing-file")
    if args.out.exists():
        raise refused(
            args.out,
            "a codebook that is there already",
            "no codebook: a draft never takes the place of one",
            "move it away first, or choose another study",
        )
    text = draft(args.study, args.file, vocabularies.load(args.vocabulary))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("x", encoding="utf-8") as stream:
        stream.write(text)
    points = open_points(text)
    inside = args.file.resolve().parent == args.out.resolve().parent
    print(f"Drafted {shown(args.out)} from {args.file}; {len(points)} points to decide:")
    print("\n".join(f"  {point}" for point in points))
    print("Next:")
    if not inside:
        print(f"  put {args.file.name} into {shown(args.out.parent)}/")
    print(f"  decide each TODO, and check each '# guess:', in {shown(args.out)}")
    print("  name the outcomes and exposures; docs/codebook.md describes every key")
    print(f"  write {shown(args.out.parent)}/README.md: where the data are from")
    print(f"  run: snakemake {rules_of(Path.cwd())}--cores 2 check")


if __name__ == "__main__":
    run(main)
