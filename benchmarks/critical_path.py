"""The critical path of the last build, and how busy the cores were.

    python benchmarks/critical_path.py [--project FOLDER] [--cores 2]

Read from what Snakemake remembers of each output: which job made it, from what, when it began and
ended. A clean build (`make clean`, an empty store, then `make`) is what this says most about. The
critical path is the chain of jobs that the end of the build waited for: each one is the last to end
among those whose outputs the next one reads.
"""

from __future__ import annotations

import argparse
import base64
import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path


@dataclass
class Job:
    """One run of a rule: what it read and made, and its seconds on the clock."""

    rule: str
    start: float
    end: float
    inputs: set[str]
    outputs: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The rule and the first of its outputs."""
        return f"{self.rule} ({sorted(self.outputs)[0]})"


def jobs(project: Path) -> list[Job]:
    """All jobs of the records under ``.snakemake/metadata``, in the order of their ends."""
    found: dict[tuple[str, float], Job] = {}
    for path in (project / ".snakemake" / "metadata").rglob("*"):
        if not path.is_file():
            continue
        record = json.loads(path.read_text("utf-8"))
        if not record.get("starttime") or record.get("incomplete"):
            continue
        key = (record["rule"], tuple(record["input"]), record.get("shellcmd"))
        job = Job(record["rule"], record["starttime"], record["endtime"], set(record["input"]))
        found.setdefault(key, job).outputs.append(_output(path))
    return sorted(found.values(), key=lambda job: job.end)


def _output(path: Path) -> str:
    """The output that a record is about: its name is the path in base 64, parted where long."""
    parts = path.parts[path.parts.index("metadata") + 1 :]
    return base64.b64decode("".join(part.removeprefix("@") for part in parts)).decode()


def critical(found: list[Job]) -> list[Job]:
    """The chain of jobs that ends with the last one."""
    maker = {output: job for job in found for output in job.outputs}
    chain = [found[-1]]
    while makers := [maker[i] for i in chain[-1].inputs if i in maker]:
        chain.append(max(makers, key=lambda job: job.end))
    return chain[::-1]


def main() -> None:
    """Print the path and the share of the time that the cores were in use."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    found = jobs(args.project)
    begin, end = min(job.start for job in found), found[-1].end
    chain = critical(found)
    print(f"{len(found)} jobs in {end - begin:.0f} s; critical path:")
    for job in chain:
        print(f"  {job.start - begin:7.1f} s  {job.end - job.start:7.1f} s  {job.name}")
    inside = sum(job.end - job.start for job in chain)
    print(f"its jobs take {inside:.0f} s, {100 * inside / (end - begin):.0f}% of the build")
    edges = sorted({t for job in found for t in (job.start, job.end)})
    busy = dict.fromkeys(range(args.cores + 1), 0.0)
    for a, b in pairwise(edges):
        running = sum(job.start <= a and job.end >= b for job in found)
        busy[min(running, args.cores)] += b - a
    for running, seconds in busy.items():
        print(f"{running} of {args.cores} cores with a job: {seconds:6.0f} s")


if __name__ == "__main__":
    main()
