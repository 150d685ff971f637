"""What the long tests found, and whether the code that they test is still the same.

`make test-long` runs them before a change is done, not at each landing. What they found is kept in
`tests/long.csv`, a row a test, and each run of any tests ends with the rows that no longer speak of
the code as it is. A test says which modules it is about::

    @pytest.mark.long(of="metastudy.calibration.simulation_based")
    def test_...(figures):
        figures(covered=0.94, simulations=200)

A row holds the digest of those modules with all that they import, as rules do. A digest is one of
a minor version of Python; a row of another is named as such, not called old.
"""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.repository import ROOT
from metastudy.common.code_digest import code_digest
from metastudy.common.problems import MetastudyError

COLUMNS = ("test", "of", "commit", "date", "seconds", "result", "figures", "code")
FILE = ROOT / "tests" / "long.csv"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OF, FIGURE = "long of", "figure "  # names among a report's properties
Row = dict[str, str]


def code_of(modules: str) -> str:
    """Digest of the code of modules, whose names are with a blank between them."""
    library = ROOT / "workflow"
    digests = [code_digest(module, library) for module in modules.split()]
    return f"{PYTHON}-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:16]}"


def read(path: Path) -> dict[str, Row]:
    """The rows of a file by their test; none where there is no file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["test"]: row for row in csv.DictReader(file)}


def write(path: Path, rows: Mapping[str, Row]) -> None:
    """Write rows in the order of their tests, at once or not at all."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))
    part.replace(path)


def said_of(rows: Mapping[str, Row], tests: Iterable[str] = ()) -> list[str]:
    """What is to be said of the rows: old ones, failed ones, tests that have none."""
    listed = []
    for name, row in sorted(rows.items()):
        when = f"of {row['date']}, {row['commit']}"
        try:
            now = code_of(row["of"])
        except MetastudyError as error:
            listed.append(f"{name}: what it tests is no more ({error})")
            continue
        if row["result"] != "passed":
            listed.append(f"{name}: {row['result']} ({when})")
        elif row["code"].partition("-")[0] != PYTHON:
            listed.append(f"{name}: run with another Python than {PYTHON} ({when})")
        elif row["code"] != now:
            listed.append(f"{name}: older than {row['of'].replace(' ', ', ')} ({when})")
    return together([*listed, *(f"{name}: never run" for name in sorted(set(tests) - set(rows)))])


def together(listed: Iterable[str]) -> list[str]:
    """One line for the cases of a test of which the same is said."""
    cases: dict[tuple[str, str], list[str]] = {}
    for line in listed:
        name, _, said = line.partition(": ")
        test, _, case = name.partition("[")
        cases.setdefault((test, said), []).append(case.removesuffix("]"))
    return [
        f"{test} [{', '.join(found)}]: {said}" if any(found) else f"{test}: {said}"
        for (test, said), found in cases.items()
    ]


def commit() -> str:
    """The commit that the tests run on; with a plus where something is not committed."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!tests/long.csv")
    return (git("rev-parse", "--short=10", "HEAD") or "none") + ("+" if changed else "")


class LongRecord:
    """The plugin. With workers, each tests and the process that started them writes."""

    def __init__(self, config: pytest.Config, path: Path = FILE) -> None:
        self.config, self.path = config, path
        self.known: set[str] = set()  # long tests that there are, as far as was looked
        self.running: dict[str, dict[str, Any]] = {}
        self.worker = hasattr(config, "workerinput")

    @pytest.hookimpl(tryfirst=True)  # before those that are not asked for are taken out
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            mark = item.get_closest_marker("long")
            if mark is None:
                continue
            of = mark.kwargs["of"]
            item.user_properties.append((OF, of if isinstance(of, str) else " ".join(of)))
            self.known.add(item.nodeid)

    def pytest_sessionfinish(self) -> None:
        if self.worker:
            self.config.workeroutput["long"] = sorted(self.known)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.known |= set(getattr(node, "workeroutput", {}).get("long", ()))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if self.worker or OF not in properties:
            return
        row = self.running.setdefault(report.nodeid, {"seconds": 0.0, "result": "passed"})
        row["seconds"] += report.duration
        if report.outcome != "passed" and row["result"] == "passed":
            row["result"] = report.outcome
        if report.when == "teardown":
            self.keep(report.nodeid, properties, **self.running.pop(report.nodeid))

    def keep(self, name: str, properties: dict[str, Any], seconds: float, result: str) -> None:
        """Write a test's row as soon as it is over: what was found stays if a later one hangs."""
        rows = read(self.path)
        figures = [
            f"{key.removeprefix(FIGURE)}={value}"
            for key, value in properties.items()
            if key.startswith(FIGURE)
        ]
        rows[name] = {
            "test": name,
            "of": properties[OF],
            "commit": commit(),
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": f"{seconds:.0f}",
            "result": result,
            "figures": "; ".join(figures),
            "code": code_of(properties[OF]),
        }
        write(self.path, rows)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        listed = said_of(read(self.path), self.known)
        if listed:
            terminalreporter.section("long tests to run again")
            for line in listed:
                terminalreporter.write_line(line)
            terminalreporter.write_line("make test-long ARGS='-k ...' runs them")
