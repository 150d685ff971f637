"""Check fits against the gates, and stop what comes after where one is missed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from metastudy.errors import MetastudyError, run

__all__ = ["diagnose", "verdict"]


def diagnose(posterior: Path, thresholds: dict[str, float]) -> dict[str, Any]:
    """Gates of every set of draws in a fit: ``{"fit": name, "gates": [...]}``."""
    import xarray as xr

    from metastudy.diagnostics import gates

    rows = []
    with xr.open_datatree(posterior) as tree:
        for name in [g for g in tree.children if g.endswith("posterior")]:
            stats = tree[name.removesuffix("posterior") + "sample_stats"].to_dataset()
            found = gates(tree[name].to_dataset(), stats, thresholds)
            rows += [{"draws": name, **gate} for gate in found]
    return {"fit": posterior.stem, "gates": rows}


def verdict(checks: list[dict[str, Any]]) -> None:
    """Raise a readable table where a gate was missed.

    Raises
    ------
    MetastudyError
        Names fit, gate, parameter, value and threshold, and what to try.
    """
    missed = [(c["fit"], g) for c in checks for g in c["gates"] if not g["passed"]]
    if missed:
        lines = [
            f"  {fit} ({g['draws']}): {g['gate']} of {g['parameter']} is {g['value']:.5g}, "
            f"the gate is {g['threshold']:.5g}; try {g['remedy']}"
            for fit, g in missed
        ]
        raise MetastudyError(
            "a fit missed a gate, so nothing is reported from it.\n"
            + "\n".join(lines)
            + "\n  The gates stand in config/config.yaml under `gates`."
        )


def main() -> None:
    """Entry point of the rules ``diagnose`` (one fit) and ``gate`` (all of them)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posterior", type=Path, help="a fit to check")
    parser.add_argument("--thresholds", type=json.loads)
    parser.add_argument("--checks", type=Path, nargs="+", help="checks to pass judgement on")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.posterior:
        result: Any = diagnose(args.posterior, args.thresholds)
    else:
        result = [json.loads(path.read_text("utf-8")) for path in args.checks]
        verdict(result)
    args.out.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
