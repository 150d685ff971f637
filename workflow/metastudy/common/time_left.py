"""What remains of a run, by recorded times of the same rules.

Snakemake says how many jobs are done, and a fit takes as long as fifty other jobs. So the time of
each job that did its work is kept, the last few of each rule, and after a job that ended a line
says how long the others will take. On a terminal a line now and then says how far the fits are
that run. Light, for the Snakefile imports it.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from metastudy.common.progress_lines import newest

__all__ = ["TimeLeft", "recorded"]

KEPT = 5  # times of a rule
EVERY, LEAST = 15.0, 20.0  # seconds between two lines, and of what is worth one
TAKEN = "taken from the store: "  # in the log of a job whose outputs were there: no time to go by
Times = dict[str, dict[str, Any]]


def recorded(path: Path) -> Times:
    """Times by rule: ``seconds`` of its last jobs and ``threads`` of each.

    A file that is damaged counts as none: it is only there to guess with.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        return {
            str(rule): {
                "seconds": [float(s) for s in one["seconds"]][-KEPT:],
                "threads": max(int(one["threads"]), 1),
            }
            for rule, one in found.items()
            if one["seconds"]
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


class TimeLeft(logging.Handler):
    """Follows a run by the events that Snakemake logs.

    Parameters
    ----------
    path : file that the times are kept in.
    cores : of the run.
    say : takes a line.
    clock : gives seconds.
    """

    def __init__(
        self,
        path: Path,
        cores: int,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.path, self.cores, self.say, self.clock = path, max(cores, 1), say, clock
        self.times = recorded(path)
        self.waiting: Counter[str] = Counter()
        self.running: dict[Any, tuple[str, float, int, list[str]]] = {}
        self.said = -EVERY

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event; others are none of ours."""
        event = str(getattr(record, "event", ""))
        if event == "run_info":
            self.waiting = Counter(getattr(record, "stats", {}))
            del self.waiting["total"]
        elif event == "job_info":
            self._begin(record)
        elif event == "job_finished":
            self._end(getattr(record, "job_id", None))
        elif event == "progress":
            self._tell()

    def watch(self, every: float = EVERY) -> None:
        """Say from now on, until the process ends, how far the jobs at work are.

        Parameters
        ----------
        every : seconds between two looks.
        """

        def look() -> None:
            told: list[str] = []
            while True:
                time.sleep(every)
                now = self.at_work()
                for line in (line for line in now if line not in told):
                    self.say(line)
                told = now

        threading.Thread(target=look, name="progress of fits", daemon=True).start()

    def at_work(self) -> list[str]:
        """How far each running job is that says so in its log, a line each."""
        jobs = [(rule, log) for rule, _, _, logs in [*self.running.values()] for log in logs]
        far = [(f"{rule} {Path(log).stem}".strip(), newest(Path(log))) for rule, log in jobs]
        return [f"{job}: {line}" for job, line in far if line]

    def _begin(self, record: Any) -> None:
        rule, threads = str(record.rule_name), int(record.threads or 1)
        logs = [str(path) for path in record.log or ()]
        self.waiting[rule] -= 1
        self.running[record.jobid] = (rule, self.clock(), threads, logs)

    def _end(self, job: Any) -> None:
        if job not in self.running:
            return
        rule, began, threads, logs = self.running.pop(job)
        if any(_taken(Path(log)) for log in logs):
            return
        one = self.times.setdefault(rule, {"seconds": [], "threads": threads})
        one["seconds"] = [*one["seconds"], round(self.clock() - began, 2)][-KEPT:]
        one["threads"] = threads
        try:
            new = self.path.with_name(f".{self.path.name}.new")
            new.write_text(json.dumps(self.times, indent=1) + "\n", "utf-8")
            new.replace(self.path)
        except OSError:
            pass  # a run does not fail of a guess that cannot be kept

    def left(self) -> tuple[float, int, int]:
        """Seconds that remain, of how many jobs, and how many of these have no time on record."""
        parts = [(rule, 0.0) for rule, count in self.waiting.items() for _ in range(max(count, 0))]
        now = self.clock()
        parts += [(rule, now - began) for rule, began, _, _ in self.running.values()]
        known = [(self.times[rule], gone) for rule, gone in parts if rule in self.times]
        each = [max(median(one["seconds"]) - gone, 0.0) for one, gone in known]
        work = sum(
            seconds * min(one["threads"], self.cores)
            for seconds, (one, _) in zip(each, known, strict=True)
        )
        return max([work / self.cores, *each], default=0.0), len(parts), len(parts) - len(known)

    def _tell(self) -> None:
        seconds, jobs, unknown = self.left()
        now = self.clock()
        if not jobs or seconds < LEAST or now - self.said < EVERY or 2 * unknown > jobs:
            return
        self.said = now
        some = (
            f"; {unknown} of {jobs} jobs {'has' if unknown == 1 else 'have'} no time on record"
            if unknown
            else ""
        )
        self.say(f"about {_span(seconds)} left{some}")


def _taken(log: Path) -> bool:
    try:
        return TAKEN in log.read_text("utf-8", "replace")
    except OSError:
        return False


def _span(seconds: float) -> str:
    return f"{round(seconds / 60)} min" if seconds >= 90 else f"{round(seconds, -1):.0f} s"
