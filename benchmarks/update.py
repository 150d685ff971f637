"""What one changed answer costs until the article is there, as ratios to the fit that it needs.

    python benchmarks/update.py --project FINISHED [--study coping_survey] [--cores 2]

The finished build is copied, one answer of the study is changed in its CSV file, and a plain call
of Snakemake builds the article again. Printed are seconds on the clock, their ratio to the one fit
and to the fits and refits of the same run, and processor time by rule. Each job's shell writes its
own times down, so time is counted wherever it is spent, and a rule's jobs may run side by side.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

# Sourced by the shell of every job. `times` prints what the shell took, and what it ran.
AT_THE_END = """\
began=$EPOCHREALTIME
written() {
    echo "${BASH_EXECUTION_STRING//$'\\n'/ }"
    echo "$began $EPOCHREALTIME"
    times
}
trap 'code=$?; written > "$UPDATE_TIMES/$$"; exit $code' EXIT
"""
FITS, REFITS = ("fit", "synthesize"), ("refits",)


def change(project: Path, study: str, column: str) -> str:
    """Give the last of those who answered most another answer that others gave; say which.

    Who broke off may be in no model, and then the change would need no fit.
    """
    (path,) = (project / "data" / "raw" / study).glob("*.csv")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = rows[0].index(column)
    row = max((sum(map(bool, cells)), i) for i, cells in enumerate(rows) if cells[at])[1]
    old = rows[row][at]
    rows[row][at] = next(
        w for w, _ in Counter(cells[at] for cells in rows).most_common() if w != old
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    manifest = project / "data" / "raw" / "manifest.yaml"
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text("utf-8").replace(before, after), "utf-8")
    return f"{path.name}, row {row + 1}, {column}: {old} is {rows[row][at]}"


def seconds(text: str) -> float:
    """Seconds of one word of ``times``, such as ``0m1.250s``."""
    minutes, _, rest = text.partition("m")
    return 60 * int(minutes) + float(rest.removesuffix("s").replace(",", "."))


def jobs(folder: Path) -> list[tuple[str, float, float]]:
    """Rule, seconds on the clock and seconds of processor of each job."""
    found = []
    for path in folder.iterdir():
        command, clock, own, children = path.read_text("utf-8").splitlines()
        rule = re.search(r"metastudy\.commands\.(?!_)(\w+)", command)
        began, ended = (float(t.replace(",", ".")) for t in clock.split())
        spent = sum(map(seconds, f"{own} {children}".split()))
        found.append((rule[1] if rule else "other", ended - began, spent))
    return found


def run(project: Path, cores: int, times: Path) -> float:
    """Build a project; seconds on the clock."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", str(cores)],
        cwd=project,
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        | {"BASH_ENV": str(times.with_suffix(".sh")), "UPDATE_TIMES": str(times)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-4000:])
    return time.perf_counter() - begin


def main() -> None:
    """Change, build and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, required=True, help="a finished build")
    parser.add_argument("--study", default="coping_survey", help="with a data file in CSV")
    parser.add_argument("--column", default="Q5_1", help="whose last answer is changed")
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()}")
    with tempfile.TemporaryDirectory() as folder:
        project, times = Path(folder, "project"), Path(folder, "times")
        shutil.copytree(args.project, project, symlinks=True)
        times.mkdir()
        times.with_suffix(".sh").write_text(AT_THE_END, "utf-8")
        run(project, args.cores, times)
        if not_finished := list(times.iterdir()):
            raise SystemExit(f"{args.project} was not finished: {len(not_finished)} jobs ran")
        print(change(project, args.study, args.column), flush=True)
        clock = run(project, args.cores, times)
        found = jobs(times)
        logs = (project / "results" / "logs" / "fit").glob("*.log")
        if all("taken from the store" in log.read_text("utf-8") for log in logs):
            raise SystemExit("the answer changed no fit: all came from the store")
    by_rule: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for rule, elapsed, spent in found:
        by_rule[rule].append((elapsed, spent))
    needed = [t for rule, t, _ in found if rule in FITS + REFITS]
    fits = [t for rule, t, _ in found if rule == "fit"]
    if not fits:
        raise SystemExit("the answer changed no fit")
    longest, total = max(fits), sum(spent for _, _, spent in found)
    print(f"{clock:.0f} s on the clock for {len(found)} jobs, {total:.0f} s of processor")
    print(f"the longest fit takes {longest:.0f} s: the update is {clock / longest:.1f} of it")
    print(f"fits and refits one after the other: {sum(needed):.0f} s, {clock / sum(needed):.2f}")
    print(f"{'rule':<20}{'jobs':>6}{'clock s':>10}{'processor s':>13}{'share':>8}")
    for rule, each in sorted(by_rule.items(), key=lambda pair: -sum(p for _, p in pair[1])):
        elapsed, spent = (sum(column) for column in zip(*each, strict=True))
        print(f"{rule:<20}{len(each):>6}{elapsed:>10.1f}{spent:>13.1f}{spent / total:>8.0%}")
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
