"""What one changed answer costs until the article is there, as ratios to the fit that it needs.

    python benchmarks/update.py --project FINISHED [--change answer] [--study NAME] [--cores 2]

The finished build is copied, one answer of a study is changed in its CSV file (or an interview, a
label, or a study is added), and a plain call of Snakemake builds the article again. Printed are
seconds on the clock, their ratio to the one fit and to the fits and refits of the same run, and
processor time by rule. Each job's shell writes its own times down, so time is counted wherever it
is spent, and a rule's jobs may run side by side.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import changes_of_data

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
STUDY_OF = {  # each change, and the study that it is made to where none is named
    "answer": "coping_survey",
    "interview": "frontline_interviews",
    "label": "coping_survey",
    "study": "coping_survey",
}


def changed(project: Path, change: str, study: str | None, column: str) -> str:
    """Make a change in a project; say which."""
    name = study or STUDY_OF[change]
    if change == "answer":
        return changes_of_data.answer(project, name, column)
    makers = {"interview": "interview", "label": "label", "study": "added"}
    said: str = getattr(changes_of_data, makers[change])(project, name)
    return said


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
    parser.add_argument("--change", choices=STUDY_OF, default="answer")
    parser.add_argument("--study", help="whose; the default depends on the change")
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
        print(changed(project, args.change, args.study, args.column), flush=True)
        clock = run(project, args.cores, times)
        found = jobs(times)
        logs = (project / "results" / "logs" / "fit").glob("*.log")
        taken = all("taken from the store" in log.read_text("utf-8") for log in logs)
        if taken != (args.change == "label"):
            raise SystemExit(
                f"the change of {args.change}: " + ("no" if taken else "a") + " fit ran"
            )
    by_rule: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for rule, elapsed, spent in found:
        by_rule[rule].append((elapsed, spent))
    needed = [t for rule, t, _ in found if rule in FITS + REFITS]
    fits = [t for rule, t, _ in found if rule == "fit"]
    total = sum(spent for _, _, spent in found)
    print(f"{clock:.0f} s on the clock for {len(found)} jobs, {total:.0f} s of processor")
    if not taken:
        longest, whole = max(fits), sum(needed)
        print(f"the longest fit takes {longest:.0f} s: the update is {clock / longest:.1f} of it")
        print(f"fits and refits one after the other: {whole:.0f} s, {clock / whole:.2f}")
    print(f"{'rule':<20}{'jobs':>6}{'clock s':>10}{'processor s':>13}{'share':>8}")
    for rule, each in sorted(by_rule.items(), key=lambda pair: -sum(p for _, p in pair[1])):
        elapsed, spent = (sum(column) for column in zip(*each, strict=True))
        print(f"{rule:<20}{len(each):>6}{elapsed:>10.1f}{spent:>13.1f}{spent / total:>8.0%}")
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
