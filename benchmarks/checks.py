"""What all model checks of a build take: processor time of each, and of the main fits beside it.

    PYTHONPATH=workflow python benchmarks/checks.py [--results results]

The build must be there; its checks are made once more in a temporary folder, on one core.
The bound is six minutes of processor time, or twice the main fits where those take longer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

BOUND = 360.0  # seconds of processor time


def seconds(command: str, *options: object) -> float:
    """Processor time of one command of the workflow, with all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", f"metastudy.commands.{command}", *map(str, options)],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def module(name: str, results: Path, config: dict[str, Any], made: Path) -> dict[str, float]:
    """The main fit and the checks of one module."""
    cells, fit = results / f"cells/{name}.nc", results / f"fits/{name}.nc"
    priors, report = json.dumps(config["priors"]), config["report"]
    sampling, seed = config["sampling"], config["sampling"]["seed"]
    took = {}
    took["fit"] = seconds(
        *("fit", "--cells", cells, "--priors", priors, "--sampling", json.dumps(sampling)),
        *("--cores", 1, "--posterior", made / "fit"),
    )
    took["refits"] = seconds(
        *("refits", "--cells", cells, "--posterior", fit, "--priors", priors),
        *("--sampling", json.dumps({**config["refits"], "seed": seed})),
        *("--gates", json.dumps(config["refit_gates"]), "--interval", report["interval"]),
        *("--rope_sd", report["rope_sd"], "--rope_logit", report["rope_logit"]),
        *("--table", made / "table", "--power", made / "power", "--pooling", made / "pooling"),
        *("--correlations", made / "correlations"),
    )
    described = json.loads(subprocess.check_output([sys.executable, "-c", STUDIES, str(cells)]))
    rows = ("--cells", cells, "--studies", *(results / "harmonized" / s for s in described))
    rows += ("--vocabulary", config["vocabulary"])
    took["predictive"] = seconds(
        *("predictive_checks", *rows, "--posterior", fit, "--priors", priors, "--seed", seed),
        *("--smallest_cell", config["privacy"]["smallest_cell"], "--out", made / "predictive"),
    )
    took["comparison"] = seconds(
        *("loo_comparison", *rows, "--fits", fit, made / "pooling", "--priors", priors),
        *("--out", made / "comparison", "--organisations", made / "organisations"),
    )
    return took


STUDIES = "import sys, xarray as x; print(x.open_dataset(sys.argv[1]).attrs['studies'])"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    args = parser.parse_args()
    config = yaml.safe_load(Path("config/config.yaml").read_text("utf-8"))
    fits = checks = 0.0
    print("| module | fit | refits | predictive | comparison |\n|---|---|---|---|---|")
    for path in sorted((args.results / "refits").glob("*-power.parquet")):
        name = path.stem.removesuffix("-power")
        with tempfile.TemporaryDirectory() as made:
            took = module(name, args.results, config, Path(made))
        print(f"| {name} | " + " | ".join(f"{s:.0f}" for s in took.values()) + " |", flush=True)
        fits += took.pop("fit")
        checks += sum(took.values())
    bound = max(BOUND, 2 * fits)
    word = "within" if checks <= bound else "BEYOND"
    print(f"checks {checks:.0f} s of processor time, {word} the bound of {bound:.0f} s")


if __name__ == "__main__":
    main()
