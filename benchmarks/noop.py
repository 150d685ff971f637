"""What it costs to find that nothing is to be done, against an empty Snakefile.

    python benchmarks/noop.py [--project FOLDER] [--repeats 5]

The folder (by default the project itself) must be up to date; a copy will do. Printed are seconds
of CPU and of clock, the least of the repeats, and the ratios.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def cost(folder: Path, targets: list[str], repeats: int) -> tuple[float, float]:
    """Least seconds of CPU and of clock of ``snakemake --cores 2`` in a folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *targets]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = []
    for _ in range(repeats):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        after, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
        if "Nothing to be done" not in done.stdout:
            raise SystemExit(f"{folder} is not up to date:\n{done.stdout}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append((cpu, clock))
    return min(cpu for cpu, _ in found), min(clock for _, clock in found)


def main() -> None:
    """Read the command line and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--targets", nargs="*", default=[], help="other than all")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(f"load {os.getloadavg()}")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        made.touch()
        for name, text in (
            ("empty", "rule all:\n    input:\n        'made'\n"),
            # Snakemake imports pandas, where it is installed, as soon as a job has a param.
            ("one param", "rule all:\n    input:\n        'made'\n    params:\n        1\n"),
        ):
            (Path(folder) / "Snakefile").write_text(text)
            base = cost(Path(folder), [], args.repeats)
            print(f"{name:10} {base[0]:.2f} s CPU, {base[1]:.2f} s clock")
            if name == "empty":
                empty = base
    ours = cost(args.project, args.targets, args.repeats)
    print(f"{'ours':10} {ours[0]:.2f} s CPU, {ours[1]:.2f} s clock")
    for name, other in (("empty", empty), ("one param", base)):
        print(f"ours against {name}: {ours[0] / other[0]:.2f} CPU, {ours[1] / other[1]:.2f} clock")


if __name__ == "__main__":
    main()
