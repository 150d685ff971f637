"""Draw one figure: its table as CSV, the drawing of that table as SVG and PNG."""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.errors import MetastudyError, run

__all__ = ["NEEDS", "main"]

# What each figure is drawn from, beside the vocabulary and the settings; `module_<module>` takes
# that module's contrasts. Where several are named, one option takes the files of all modules.
NEEDS = {
    "study_grid": ("studies",),
    "participant_flow": ("studies", "cells"),
    "module": ("studies", "contrasts"),
    "synthesis": ("studies", "contrasts", "synthesis"),
    "heterogeneity": ("studies", "contrasts", "heterogeneity", "synthesis"),
    "exploratory": ("studies", "synthesis"),
    "directions": ("studies", "contrasts"),
    "aliases": ("studies", "contrasts", "synthesis"),
    "refits": ("studies", "contrasts", "refits"),
    "predictive": ("studies", "predictive"),
    "comparison": ("studies", "comparison"),
}


def main() -> None:
    """Entry point of the rule ``draw``."""
    from metastudy import criticism, evidence, figures, look, plotted, robustness

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", required=True, help=f"{', '.join(NEEDS)}_<module>")
    evidence.arguments(parser)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    parser.add_argument("--png", type=Path, required=True)
    args = parser.parse_args()
    found = evidence.gather(args)

    of_its_own = {"refits": robustness.refits, "comparison": criticism.comparison}
    of_modules = {"module": plotted.module, "predictive": criticism.predictive}
    kind, _, module = args.figure.partition("_")
    if kind in of_modules and module:
        table, drawing = of_modules[kind](found, module), figures.forest
    elif (kind := args.figure) in NEEDS and kind not in of_modules:
        table = (of_its_own[kind] if kind in of_its_own else getattr(plotted, kind))(found)
        drawing = getattr(figures, {"aliases": "directions"}.get(kind, kind), figures.forest)
    else:
        raise MetastudyError(f"no figure '{args.figure}'; there are {', '.join(NEEDS)}_<module>")
    table.to_csv(args.csv, index=False)
    look.save(drawing(table), args.svg, args.png)


if __name__ == "__main__":
    run(main)
