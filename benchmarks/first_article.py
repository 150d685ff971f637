"""What the first article costs: of an example, or of 1,000 published effects of 400 publications.

    python benchmarks/first_article.py                       # 1,000 effects
    python benchmarks/first_article.py --example integrity

The folder is new and its store empty; compiled models are kept between runs, so the second run is
with warm caches. Seconds are on the clock and of the processor, from plan to rendered article.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
LIKE = "wallets"  # whose vocabulary and codebook the made-up effects have
SPREADS = {"publication": 4.0, "country": 5.0, "sector": 3.0}  # SDs, percentage points
ENTRY = "@article{{{key},\n  title = {{A study}},\n  author = {{Nobody}},\n  year = {{2000}}\n}}\n"


def copied(example: str, folder: Path) -> None:
    """An example without what was made of it."""
    made = shutil.ignore_patterns("results", ".*")
    shutil.copytree(ROOT / "examples" / example, folder, ignore=made)


def many(folder: Path, effects: int, publications: int) -> None:
    """Published risk differences of many publications, in place of those of the example."""
    copied(LIKE, folder)
    (folder / "data" / "left_out_places.csv").unlink(missing_ok=True)
    (path,) = folder.glob("data/raw/*/*.csv")
    rows = pd.read_csv(path)
    rng = np.random.default_rng(1)
    names = [f"author{at}_2000" for at in range(publications)]
    found = pd.DataFrame(
        {
            "finding_id": [f"F{at}" for at in range(effects)],
            "citation": names + list(rng.choice(names, effects - publications)),
            "country": rng.choice(rows["country"].unique(), effects),
            "sector": rng.choice(rows["sector"].unique(), effects),
            "se": rng.uniform(2, 8, effects).round(3),
        }
    )
    found = found.drop_duplicates(["citation", "country", "sector"])
    mean = 10 + rng.normal(0, found["se"])
    for column, spread in zip(("citation", "country", "sector"), SPREADS.values(), strict=True):
        levels = found[column].unique()
        mean += found[column].map(
            dict(zip(levels, rng.normal(0, spread, len(levels)), strict=True))
        )
    found["estimate"] = mean.round(3)
    found["n"] = (
        (1e4 / found["se"] ** 2).round().astype(int)
    )  # of two arms of equal size, near one half
    found.to_csv(path, index=False)
    book = path.with_name("codebook.yaml").read_text("utf-8")
    head, _, rest = book.partition("variables:")
    fields = "".join(
        f"  - {{name: {name}, as: finding, field: {name}}}\n"
        for name in ("citation", "country", "sector", "estimate", "se", "n")
    )
    constants = "constants:" + rest.partition("constants:")[2].replace("  citation: cohn2019\n", "")
    variables = f"variables:\n  - {{name: finding_id, as: id}}\n{fields}\n"
    path.with_name("codebook.yaml").write_text(head + variables + constants, "utf-8")
    with (folder / "manuscript" / "references.bib").open("a", encoding="utf-8") as out:
        out.write("\n" + "\n".join(ENTRY.format(key=name) for name in names))


def main() -> None:
    """Read the command line, build once and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--example", help="a folder of examples/ in place of many effects")
    parser.add_argument("--effects", type=int, default=1000)
    parser.add_argument("--publications", type=int, default=400)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        if options.example:
            copied(options.example, folder)
        else:
            many(folder, options.effects, options.publications)
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(folder), "--cores", str(options.cores), "--quiet", "all"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        begun = time.perf_counter()
        subprocess.run(command, check=True, cwd=folder, env=os.environ | {"PATH": path})
        clock = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (folder / "results" / "manuscript" / "manuscript.html").is_file()
    load = os.getloadavg()[1]
    cpu = used.ru_utime + used.ru_stime
    print(f"{clock:.0f} s on the clock, {cpu:.0f} s of processor, load {load:.1f}")


if __name__ == "__main__":
    main()
