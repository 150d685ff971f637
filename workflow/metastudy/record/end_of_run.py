"""What a run says at its end, in five lines: what was built, how it stands, and where to look.

Light, for the Snakefile imports it; what it says is read from logs and results.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from metastudy.common.problems import BadInput
from metastudy.record.verdict_file import read_verdict

__all__ = ["jobs_since", "said_at_the_end", "say_the_end"]

TAKEN = "taken from the store: "  # in the log of a job whose outputs were there
FORMATS = (".html", ".pdf", ".docx")


def jobs_since(logs: Path, began: float) -> tuple[int, int]:
    """Jobs with a log since a time, and how many of them took their outputs from the store.

    Parameters
    ----------
    logs : ``results/logs``; a job writes its own.
    began : seconds since the epoch.
    """
    found = [path for path in logs.rglob("*.log") if path.stat().st_mtime >= began]
    return len(found), sum(TAKEN in path.read_text("utf-8", "replace") for path in found)


def said_at_the_end(
    targets: Collection[str], results: Path = Path("results"), began: float | None = None
) -> list[str]:
    """Five lines about a run of all that there is; none of a run with other targets.

    Parameters
    ----------
    targets : that were asked for; none means all.
    results : folder of the results.
    began : seconds since the epoch; when this process began, if left out.
    """
    if set(targets) - {"all"}:
        return []
    if began is None:
        import psutil  # type: ignore[import-untyped]

        began = psutil.Process().create_time()
    jobs, taken = jobs_since(results / "logs", began)
    manuscript = results / "manuscript"
    article = [path.name for path in sorted(manuscript.glob("*")) if path.suffix in FORMATS]
    shown = f"{manuscript}/: {', '.join(article)}" if article else f"none; see {results}/figures"
    return [
        f"built:   {_span(time.time() - began)}, {jobs} jobs, {taken} of them from the store",
        f"gates:   {_gates(results / 'diagnostics' / 'gates.json')}",
        f"record:  {_verdict(results / 'verdict' / 'verdict.json')}",
        f"article: {shown}",
        f"look at: {results}/data_report/index.html for the data, {_else(results)} for all else",
    ]


def say_the_end(targets: Collection[str]) -> None:
    """Print the lines of :func:`said_at_the_end` where Snakemake prints its own."""
    for line in said_at_the_end(targets):
        print(line, file=sys.stderr)


def _else(results: Path) -> str:
    """The page on the results, or the folder itself where it is one of the user's own."""
    page = results / "README.md"
    return f"{page}" if page.is_file() else f"{results}/"


def _gates(path: Path) -> str:
    if not path.is_file():
        return "not asked"
    # A run that is done does not fail of a damaged file.
    try:
        fits = json.loads(path.read_text("utf-8"))
        failed = [one["fit"] for one in fits if not all(gate["passed"] for gate in one["gates"])]
        named = ", ".join(failed)
    except (ValueError, OSError, TypeError, KeyError, AttributeError, RecursionError):
        return f"{path} cannot be read"
    return (
        f"missed by {named}"
        if failed
        else "the one fit passed"
        if len(fits) == 1
        else f"all {len(fits)} fits passed"
    )


def _verdict(path: Path) -> str:
    if not path.is_file():
        return "not compared yet; `snakemake verify` builds again and compares"
    try:
        found = read_verdict(path)
    except BadInput:
        return f"{path} cannot be read"
    when = found.get("date") or str(datetime.fromtimestamp(path.stat().st_mtime, UTC).date())
    commit = f", commit {found['commit'][:10]}" if found.get("commit") else ""
    return f"the last verdict, of {when}{commit}: {found['verdict']}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
