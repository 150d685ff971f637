"""What one fit job costs beside its sampling: importing, building and compiling, cold and warm.

    PYTHONPATH=workflow python benchmarks/job.py [--module threat] [--refits 5]

A process of its own for each: *cold* with an empty cache of compiled models, *warm* with the one
that the cold run left, *new data* warm with other cells. The refits show what one more costs in the
same process, against a cold job; their number is scaled to 200.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PARTS = ("import", "build", "compile", "sample", "save")


def job(cells_path: Path, refits: int, target: Path) -> dict[str, float]:
    """One fit, its parts timed by the clock; refits with halved priors after it."""
    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        seconds[name], clock = now - clock, now

    import xarray as xr
    import yaml

    from metastudy.inference.netcdf import save
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.data_vector import pack
    from metastudy.models.priors import priors_of
    from metastudy.models.registry import model_of

    lap("import")
    settings: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8"))
    cells, priors = xr.load_dataset(cells_path), priors_of(settings["priors"])
    model = model_of(cells).build(cells, priors)
    lap("build")
    compiled = compile_model(model)
    lap("compile")
    tree = draw(compiled, settings["sampling"])
    lap("sample")
    save(tree, target)
    lap("save")
    short = settings["refits"] | {"seed": 1}
    for at in range(refits):
        narrow = priors | {"effect": priors["effect"].scaled(1 / (at + 2))}
        draw(compiled, short, 1, pack(cells, narrow))
    lap("refits")
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--module", default="threat")
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--refits", type=int, default=5)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    cells = args.results / "cells" / f"{args.module}.nc"
    if args.job:
        print(json.dumps(job(cells, args.refits, args.job)))
        return
    print(f"{args.module}, {os.cpu_count()} cores, load {os.getloadavg()}; seconds on the clock")
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name in ("cold", "warm"):
            flags = f"base_compiledir={folder}/cache,{os.environ.get('PYTENSOR_FLAGS', '')}"
            done = subprocess.run(
                [sys.executable, __file__, "--module", args.module, "--results", args.results,
                 "--refits", str(args.refits), "--job", f"{folder}/{name}.nc"],
                env=os.environ | {"PYTENSOR_FLAGS": flags.rstrip(",")},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )  # fmt: skip
            found[name] = json.loads(done.stdout)
            listed = ", ".join(f"{part} {found[name][part]:.1f}" for part in PARTS)
            fixed = sum(found[name][part] for part in ("import", "build", "compile"))
            print(f"{name}: {listed}; fixed {fixed:.1f}", flush=True)
    fixed = {name: sum(t[p] for p in ("import", "build", "compile")) for name, t in found.items()}
    cold = sum(found["cold"][part] for part in PARTS)
    each = found["warm"]["refits"] / max(args.refits, 1)
    print(f"warm fixed cost is {fixed['warm'] / fixed['cold']:.2f} of cold")
    print(f"a refit takes {each:.2f} s; 200 refits are {200 * each / cold:.1f} cold fits")
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
