"""How the cost of plan, cells and fit grows with studies, countries, sites and respondents.

    PYTHONPATH=workflow:tests python benchmarks/growth.py                      # all of it, an hour
    PYTHONPATH=workflow:tests python benchmarks/growth.py --only plan --most 200
    PYTHONPATH=workflow:tests python benchmarks/growth.py --only fit --tune 200 --draws 200

Data are generated. *plan* is what Snakemake needs to know what is to do in an empty project of so
many studies, with its memory; *fit* is making the cells of a module of answers, compiling it and
sampling it, each in a process of its own, with one thing larger at a time. Below the numbers is
the exponent of the law `cost = a x size^b` by least squares on the logarithms, from the two largest
sizes of the plan and from all of a fit, with which one may go beyond what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import one_thread as one_thread  # isort: skip  before NumPy is imported

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
PLANS = (8, 50, 200, 1000)  # studies


@dataclass(frozen=True)
class Size:
    """A module of answers: a randomised exposure and one outcome in each study."""

    studies: int = 8
    countries: int = 4
    sites: int = 4  # of a study
    people: int = 40  # of a site


GROWS = {
    "studies": (Size(studies=n) for n in (8, 50, 200, 1000)),
    "countries": (Size(studies=60, countries=n) for n in (4, 12, 60)),
    "sites": (Size(sites=n) for n in (4, 16, 64)),
    "people": (Size(people=n) for n in (40, 400, 4000)),
}


def plan(studies: int, folder: Path) -> dict[str, float]:
    """Seconds and megabytes of ``snakemake --dry-run`` in a project of so many studies."""
    from helpers import small_project

    small_project.make(folder)
    raw = folder / "data" / "raw"
    shutil.rmtree(raw)
    raw.mkdir()
    manifest = {}
    countries = list(small_project.PLACES)
    for at in range(studies):
        name = f"study_{at:04d}"
        small_project.put(folder, name, countries[at % len(countries)], at, people=12)
        listed = raw / "manifest.yaml"
        manifest |= yaml.safe_load(listed.read_text("utf-8"))
        listed.unlink()  # each would read and write all that are before it
    small_project.write(raw / "manifest.yaml", manifest)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--cores", "2"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    jobs = next(
        int(w[1]) for line in done.stdout.splitlines() if (w := line.split())[:1] == ["total"]
    )
    return {"jobs": jobs, "seconds": seconds}


def fit(size: Size, sampling: dict[str, float]) -> dict[str, float]:
    """Seconds of cells, compiling and sampling, and effective draws of the population mean."""
    import arviz as az

    from helpers.hand_made import answer_study
    from helpers.raw_studies import VOCABULARY
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.answers.cells import answer_cells
    from metastudy.models.answers.kind import build
    from metastudy.models.priors import priors_of

    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    rng = np.random.default_rng(1)
    n = size.sites * size.people
    countries = rng.normal(0, 0.1, size.countries)
    names = [f"C{at:02d}" for at in range(size.countries)]
    made = []
    for at in range(size.studies):
        where = at % size.countries
        site = np.repeat(np.arange(size.sites), size.people)
        x = rng.permuted(np.resize([0.0, 1.0], (size.sites, size.people)), axis=1).ravel()
        effect = 0.3 + countries[where] + rng.normal(0, 0.1) + rng.normal(0, 0.1, size.sites)[site]
        y = 50 + 18 * (rng.normal(0, 0.3, size.sites)[site] + effect * x + rng.normal(size=n))
        made.append(
            answer_study(
                f"study-{at:04d}",
                {("threat_job", None): y},
                {"task_type": np.where(x > 0, "core", "complementary").tolist()},
                ["threat_job"],
                [{"factor": "task_type", "type": "randomised"}],
                org=[f"{at}-{one}" for one in site],
                country=names[where],
            )
        )
    start = time.process_time()
    cells = answer_cells(made, "threat", VOCABULARY)
    in_cells = time.process_time() - start
    start = time.process_time()
    compiled = compile_model(build(cells, priors_of(config["priors"])))
    compiling = time.process_time() - start
    start = time.process_time()
    tree = draw(compiled, config["sampling"] | sampling)
    drawn = time.process_time() - start
    least = float(az.ess(tree["posterior"].to_dataset()[["mu"]])["mu"].min())
    return {"cells": in_cells, "compile": compiling, "sample": drawn, "ess": least}


def apart(*words: str) -> dict[str, float]:
    """Run one measurement in a process of its own; its largest memory in megabytes is added."""
    done = subprocess.run(
        [sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def exponent(sizes: Iterable[float], costs: Iterable[float]) -> float:
    """Slope of the logarithm of a cost on that of a size."""
    return float(np.polyfit(np.log([*sizes]), np.log([*costs]), 1)[0])


def rows(title: str, found: list[tuple[int, dict[str, float]]], of: list[str]) -> Iterator[str]:
    """A table of a growth, with its exponents below."""
    columns = list(found[0][1])
    yield f"{title:>10} " + " ".join(f"{name:>9}" for name in columns)
    for size, costs in found:
        yield f"{size:>10} " + " ".join(f"{costs[name]:>9.1f}" for name in columns)
    if len(found) > 1:
        last = found[-2:] if title == "plan" else found
        slopes = {k: exponent((s for s, _ in last), (c[k] for _, c in last)) for k in of}
        yield f"{'exponent':>10} " + ", ".join(f"{k} {slope:.2f}" for k, slope in slopes.items())


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=["plan", *GROWS, "fit"], help="else all")
    parser.add_argument("--most", type=int, default=1000, help="studies")
    parser.add_argument("--tune", type=int, default=300)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--of", type=json.loads, help=argparse.SUPPRESS)  # one measurement
    args = parser.parse_args()
    sampling = {"chains": 2, "tune": args.tune, "draws": args.draws}
    if args.of:
        if args.of["kind"] == "plan":
            with tempfile.TemporaryDirectory() as folder:
                found = plan(args.of["studies"], Path(folder) / "project")
            of = resource.RUSAGE_CHILDREN
        else:
            found = fit(Size(**args.of["size"]), sampling)
            of = resource.RUSAGE_SELF
        print(json.dumps(found | {"MB": resource.getrusage(of).ru_maxrss / 1024}))
        return
    print(f"load {os.getloadavg()}, seconds of the processor ('plan': of the clock)", flush=True)
    if args.only in (None, "plan"):
        plans = [
            (n, apart("--of", json.dumps({"kind": "plan", "studies": n})))
            for n in PLANS
            if n <= args.most
        ]
        print("\n".join(rows("plan", plans, ["seconds", "MB"])), flush=True)
    for name, sizes in GROWS.items():
        if args.only not in (None, "fit", name):
            continue
        chains = ["--tune", str(args.tune), "--draws", str(args.draws)]
        fits = [
            (
                getattr(size, name),
                apart("--of", json.dumps({"kind": "fit", "size": asdict(size)}), *chains),
            )
            for size in sizes
            if size.studies <= args.most
        ]
        print("\n".join(rows(name, fits, ["cells", "compile", "sample", "MB"])), flush=True)


if __name__ == "__main__":
    main()
