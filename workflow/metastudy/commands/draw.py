"""Draw one figure: its table as CSV, the drawing of that table as SVG and PNG."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.article import make
from metastudy.commands import _results
from metastudy.commands._run import run
from metastudy.display.plots import canvas


def main() -> None:
    """Entry point of the rule ``draw``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", required=True, help="its name in the catalogue of the article")
    _results.arguments(parser)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    parser.add_argument("--png", type=Path, required=True)
    args = parser.parse_args()
    table, plot = make.figure(_results.gather(args), args.figure)
    table.to_csv(args.csv, index=False)
    canvas.save(plot(table), args.svg, args.png)


if __name__ == "__main__":
    run(main)
