"""What it costs to read and to harmonize a large CSV, against pandas.read_csv alone.

    PYTHONPATH=workflow python benchmarks/reading.py [--rows 1000000] [--folder FOLDER]

A survey is written as survey software exports it, 25 columns: response id, start and end,
duration in seconds, status, consent, arm, site, gender, age band, region, ten items on a scale of
seven (two reverse-keyed, with missing codes and blanks), a comment that half of the people leave
blank and the others fill with up to 24 words, and three columns that nobody uses, as nobody uses
the comment, start and end. The codebook has every kind of rule: of exclusion by status, consent
and breaking off, and of quality by duration and straight-lining.

Each step runs in a process of its own. ``harmonize`` is the whole way, from the CSV to the files
under results/harmonized; ``scores`` reads those and scores them, as the models do. Printed are
seconds of processor and of clock, the peak of memory, its growth over what the process takes once
everything is imported, and both as ratios: time to that of pandas, memory to the size of the CSV. A
step is first taken with a small study, because some libraries import when they are first used. The
steps take turns, several rounds of them, because the time of one and the same step differs by a
third from one minute to the next on a virtual machine; each ratio is of one round.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook import vocabulary
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize, save
from metastudy.harmonized.scale_scores import scores
from metastudy.harmonized.study import load_study
from metastudy.readers import read

ROOT = Path(__file__).parents[1]
STEPS = ("pandas", "read", "harmonize", "scores")
ITEMS = 10
REVERSED = (3, 8)
WORDS = ["the", "a", "it", "work", "home", "they", "volunteers,", '"good"', "because", "always"]
LETTERS = np.array(list("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))

CODEBOOK = """\
study:
  id: {id}
  title: A large survey
  citation: nobody2026
  design: experiment
  response_mode: vignette_hypothetical
  country: DK
  sector: elderly_care
  role: professional
  arrangement: volunteer_scheme
  provenance: simulated
file: {name: answers.csv, format: csv}
variables:
  - {name: ResponseId, as: id}
  - {name: Status, as: ignore}
  - {name: Duration, as: ignore}
  - {name: Consent, as: consent, accept: [I agree]}
  - {name: Site, as: site}
  - {name: Arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - name: Gender
    as: trait
    trait: gender
    values: {Woman: woman, Man: man, Other: other}
    missing: {Prefer not to say: refused}
  - name: Age
    as: trait
    trait: age_band
    values: {18-29: 18-29, 30-44: 30-44, 45-59: 45-59, 60+: 60+}
  - name: Region
    as: trait
    trait: region
    values: {North: North, South: South, East: East, West: West, Centre: Centre}
"""
ITEM = """\
  - name: Q{number}
    as: item
    construct: {construct}
    min: 1
    max: 7
    keying: {keying}
    missing: {{98: dont_know, 99: refused}}
"""
TAIL = """\
exclude:
  - {rule: preview, variable: Status, drop: [Survey Preview]}
  - {rule: breakoff, unanswered: all_outcomes}
quality:
  - {rule: too_fast, variable: Duration, below_share_of_median: 0.333}
  - {rule: straight_lining, constant_over: [threat_quality, threat_job]}
outcomes: [threat_quality, threat_job]
exposures:
  - {factor: task_type, type: randomised}
"""


def write(folder: Path, rows: int) -> None:
    """Write the data file and its codebook."""
    chance = np.random.default_rng(1)

    def among(options: list[Any], shares: list[float] | None = None) -> np.ndarray:
        return np.array(options, dtype=object)[chance.choice(len(options), rows, p=shares)]

    begun = pd.Timestamp("2020-03-02") + pd.to_timedelta(chance.integers(0, 10**7, rows), "s")
    seconds = chance.lognormal(6, 0.6, rows).astype(int)
    words = chance.integers(1, 25, rows) * chance.integers(0, 2, rows)
    comments = (" ".join(chance.choice(WORDS, count)) for count in words)
    data: dict[str, Any] = {
        "StartDate": begun,
        "EndDate": begun + pd.to_timedelta(seconds, "s"),
        "Status": among(["IP Address", "Survey Preview"], [0.999, 0.001]),
        "IPAddress": chance.integers(0, 256, (rows, 4)).astype(str).tolist(),
        "Duration": seconds,
        "ResponseId": LETTERS[chance.integers(0, len(LETTERS), (rows, 15))].tolist(),
        "UserLanguage": among(["EN", "DA", "FI"]),
        "Progress": among([100, 47], [0.95, 0.05]),
        "Consent": among(["I agree", "I do not agree"], [0.98, 0.02]),
        "Arm": among([1, 2]),
        "Site": among([f"Home {site}" for site in range(300)]),
        "Gender": among(["Woman", "Man", "Other", "Prefer not to say", ""]),
        "Age": among(["18-29", "30-44", "45-59", "60+"]),
        "Region": among(["North", "South", "East", "West", "Centre"]),
    }
    data["IPAddress"] = map(".".join, data["IPAddress"])
    data["ResponseId"] = ("R_" + "".join(letters) for letters in data["ResponseId"])
    answers = [*range(1, 8), 98, 99, ""]
    shares = [0.1, 0.15, 0.15, 0.15, 0.15, 0.1, 0.1, 0.03, 0.02, 0.05]
    data |= {f"Q{number}": among(answers, shares) for number in range(1, ITEMS + 1)}
    pd.DataFrame(data | {"Comment": comments}).to_csv(folder / "answers.csv", index=False)
    items = [
        ITEM.format(
            number=number,
            construct="threat_quality" if number <= ITEMS // 2 else "threat_job",
            keying="reverse" if number in REVERSED else "positive",
        )
        for number in range(1, ITEMS + 1)
    ]
    head = CODEBOOK.replace("{id}", folder.name)
    (folder / "codebook.yaml").write_text(head + "".join(items) + TAIL, encoding="utf-8")


def memory(of: str) -> int:
    """Give VmRSS or VmHWM, its peak, in bytes (``ru_maxrss`` would be inherited)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{of}:\s+(\d+)", status)[1]) * 1024


def step(name: str, folder: Path) -> dict[str, float]:
    """Run one step in this process and give its cost."""
    words = vocabulary.load(ROOT / "config" / "vocabulary.yaml")

    codebooks = {study: load(folder / study, words) for study in ("small", "large")}

    def whole(study: str) -> None:
        harmonized = harmonize(codebooks[study], read(codebooks[study]), b"a public key")
        save(harmonized, folder / study / "out")

    steps: dict[str, Callable[[str], object]] = {
        "pandas": lambda study: pd.read_csv(folder / study / "answers.csv"),
        "read": lambda study: read(codebooks[study]),
        "harmonize": whole,
        "scores": lambda study: scores(load_study(folder / study / "out").measurements),
    }

    def used() -> tuple[float, float]:
        now = resource.getrusage(resource.RUSAGE_SELF)
        return now.ru_utime + now.ru_stime, time.perf_counter()

    steps[name]("small")
    footprint, before = memory("VmRSS"), used()
    steps[name]("large")
    after, peak = used(), memory("VmHWM")
    return {
        "cpu": after[0] - before[0],
        "clock": after[1] - before[1],
        "peak": peak,
        "growth": peak - footprint,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the file is written, and stays")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(step(args.step, args.folder)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        for study, rows in (("small", 1000), ("large", args.rows)):
            (folder / study).mkdir(parents=True, exist_ok=True)
            write(folder / study, rows)
        size = (folder / "large" / "answers.csv").stat().st_size
        print(f"{args.rows} rows, {size / 2**20:.0f} MB")
        costs: dict[str, list[dict[str, float]]] = {name: [] for name in STEPS}
        for _ in range(args.rounds):
            for name in STEPS:
                command = [sys.executable, __file__, "--step", name, "--folder", str(folder)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                costs[name].append(json.loads(done.stdout))
        print(
            f"medians of {args.rounds} rounds, load {os.getloadavg()[0]:.1f}; of the ratios of "
            "processor time also the least and the greatest\n"
            "step        cpu s  ratio  (range)    clock s  ratio  peak MB of file growth MB of file"
        )
        for name, found in costs.items():
            middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
            cpu, clock = (
                sorted(one[key] / of[key] for one, of in zip(found, costs["pandas"], strict=True))
                for key in ("cpu", "clock")
            )
            print(
                f"{name:10} {middle['cpu']:6.2f} {statistics.median(cpu):6.1f} "
                f"({cpu[0]:.1f} to {cpu[-1]:.1f}) {middle['clock']:8.2f} "
                f"{statistics.median(clock):6.1f} "
                f"{middle['peak'] / 2**20:8.0f} {middle['peak'] / size:7.1f} "
                f"{middle['growth'] / 2**20:9.0f} {middle['growth'] / size:7.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
