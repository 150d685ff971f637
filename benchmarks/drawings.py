"""What the jobs that draw figures cost: all drawn, all tables as before, and no input changed.

    python benchmarks/drawings.py --project FINISHED

The jobs of the last build are run as Snakemake ran them, in a copy and with a store of its own:
with nothing in the store; with a setting more that nothing reads, so that all tables are made anew
and come out the same; and once more as they are. Printed are seconds of
processor and, at the end, the most memory of a job. Files that differ from the first row end it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STORE = "store_of_drawings"
STATES = ("nothing in the store", "other results, the same tables", "every input of the job equal")


def jobs(project: Path) -> dict[str, str]:
    """The shell command of each job that draws, by its module, the whole first."""
    found: dict[str, tuple[float, str]] = {}
    for path in (project / ".snakemake" / "metadata").rglob("*"):
        record = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        if not str(record.get("rule") or "").startswith("draw") or record.get("incomplete"):
            continue
        command = str(record["shellcmd"])
        log = re.search(r"> results/logs/draw(?:_\w+/(\w+))?\.log", command)
        name = (log[1] if log else "") or "whole"
        found[name] = max(found.get(name, (0.0, "")), (float(record["endtime"]), command))
    if "whole" not in found:
        raise SystemExit(f"{project} is no finished build: no job of it drew the figures")
    return {name: found[name][1] for name in sorted(found, key=lambda n: (n != "whole", n))}


def ours(command: str, project: Path, more: str) -> str:
    """A command with the library of the copy, the store of this benchmark, and more settings."""
    changed = re.sub(r"^PYTHONPATH=\S+", f"PYTHONPATH={project / 'workflow'}", command)
    for old, new in ((r" --store \S+", f" --store {STORE}"), (" --settings '{", f"\\g<0>{more}")):
        changed, found = re.subn(old, new, changed)
        if not found:
            raise SystemExit(f"a job of the build has no{old[:-3]}: {command}")
    return changed


def seconds(command: str, project: Path) -> float:
    """Seconds of processor of one job."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, env=os.environ | {"PATH": path}, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        log = command.rpartition("> ")[2].split()[0]
        raise SystemExit((project / log).read_text("utf-8")[-4000:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def digests(figures: Path) -> dict[str, str]:
    """SHA-256 of each file of the figures."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(figures.iterdir())
    }


def main() -> None:
    """Run the jobs in each state and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, required=True, help="a finished build")
    args = parser.parse_args()
    commands = jobs(args.project)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()}")
    print("| |", " | ".join([*commands, "in all"]), "|\n|" + "---|" * (len(commands) + 2))
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        leave = shutil.ignore_patterns(".git", ".store", ".snakemake")
        shutil.copytree(args.project, project, symlinks=True, ignore=leave)
        figures, first = project / "results" / "figures", {}
        for state in STATES:
            more = "" if state == STATES[0] else '"unread": 0, '
            shutil.rmtree(figures)
            figures.mkdir()
            spent = [seconds(ours(job, project, more), project) for job in commands.values()]
            print(f"| {state} |", " | ".join(f"{s:.2f}" for s in [*spent, sum(spent)]), "|")
            found = digests(figures)
            if found != (first := first or found):
                raise SystemExit(f"the {len(first)} files are not those of the first row")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"{len(first)} files, the same in each row; a job needs at most {memory:.2f} GB")
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
