"""Effective draws per second of every module, in this checkout and in an earlier one.

    python benchmarks/before_and_after.py --before ../earlier   # a checkout with its results/cells

Each module is compiled once in a process of its own and sampled with its checkout's configuration,
the two checkouts in turn, so that other work on the machine meets both. Counted is the least bulk
effective sample size over all parameters of the posterior, and that over the population effects
alone, per second of processor time without compiling. The earlier checkout may be of the time when
the library had other packages (until 66bb096).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]

# What runs in either checkout, with its own library on the path.
PROBE = """
import json, sys, time
import yaml
config = yaml.safe_load(open("config/config.yaml"))
module, rounds = sys.argv[1], int(sys.argv[2])
try:
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.builders import BUILD
    from metastudy.models.priors import priors_of
    priors = priors_of(config["priors"])
except ModuleNotFoundError:
    from metastudy.models import answers, codings
    from metastudy.sampling import compile_model, draw
    BUILD, priors = {"answers": answers.build, "codings": codings.build}, config["priors"]
import arviz as az
import xarray as xr
cells = xr.load_dataset(f"results/cells/{module}.nc")
kind = "answers" if "xx" in cells else "codings"
compiled = compile_model(BUILD[kind](cells, priors))
effects = {"answers": ("mu",), "codings": ("contrast",)}[kind]
for at in range(rounds):
    start = time.process_time()
    tree = draw(compiled, {**config["sampling"], "seed": at + 1})
    seconds = time.process_time() - start
    posterior = tree["posterior"].to_dataset()
    ess = {name: float(az.ess(posterior[[name]])[name].min()) for name in posterior}
    least = min(value for value in ess.values() if value == value)
    mine = min(ess[name] for name in effects)
    divergent = int(tree["sample_stats"]["diverging"].sum())
    print(json.dumps([seconds, least / seconds, mine / seconds, divergent]), flush=True)
"""


def started(root: Path, module: str, rounds: int) -> subprocess.Popen[str]:
    """The probe in a checkout."""
    env = os.environ | {"PYTHONPATH": "workflow", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", PROBE, module, str(rounds)]
    return subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print a row for each module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--modules", nargs="+", default=["threat", "coping", "strain"])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print("effective draws per second, least of all parameters (of population effects)")
    for module in args.modules:
        # Side by side, so that both have the same machine.
        probes = [started(root, module, args.rounds) for root in (args.before, ROOT)]
        printed = [probe.communicate()[0].splitlines() for probe in probes]
        found = [[json.loads(row) for row in rows] for rows in printed]
        least, effects = ([median(row[k] for row in rows) for rows in found] for k in (1, 2))
        divergent = [sum(row[3] for row in rows) for rows in found]
        print(
            f"{module}: before {least[0]:.0f} ({effects[0]:.0f}), now {least[1]:.0f} "
            f"({effects[1]:.0f}), ratio {least[1] / least[0]:.2f} ({effects[1] / effects[0]:.2f}); "
            f"divergent {divergent[0]} and {divergent[1]}; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
