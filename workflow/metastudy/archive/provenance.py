"""What made each result: Snakemake's records of a build as jobs, without places of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from metastudy.common.snakemake_records import records

__all__ = ["Job", "jobs_of", "moment"]

CODE = "the code"  # in what is spoken: the place of the code in the archive
_LIBRARY = re.compile(r"PYTHONPATH='?(?P<folder>/.*?)/workflow'? ")
NOT_BUILT = ("archive", "submission")  # made of a build, and no part of it


@dataclass(frozen=True)
class Job:
    """One command that was run: its rule, words, inputs and outputs, and when, in seconds UTC.

    Inputs and outputs are places: paths below the project's folder, or below that of the code.
    """

    rule: str
    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    started: float
    ended: float


def moment(seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the second.

    >>> moment(1.5e9)
    '2017-07-14T02:40:00+00:00'
    """
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def jobs_of(project: Path, results: Path, spoken: Mapping[str, str]) -> list[Job]:
    """The jobs whose outputs are there, in the order in which they ended.

    Parameters
    ----------
    project : the working directory, which holds ``.snakemake``.
    results : folder of the results; what was made elsewhere is no part of the build.
    spoken : texts of this machine, such as absolute paths, by what is said in their place; and as
        :data:`CODE` the place of the code.
    """
    found: dict[tuple[str, str], list[Job]] = {}
    for record in records(project):
        said = record.said
        if not record.output.exists() or not said.get("rule"):
            continue
        if not record.output.is_relative_to(results):
            continue
        if record.output.relative_to(results).parts[0] in NOT_BUILT:
            continue
        output = record.output.relative_to(project).as_posix()
        job = Job(
            rule=str(said["rule"]),
            command=_replaced(str(said.get("shellcmd") or "").strip(), spoken),
            inputs=tuple(_replaced(name, spoken).rstrip("/") for name in record.inputs),
            outputs=(output,),
            started=float(said.get("starttime") or 0),
            ended=float(said.get("endtime") or 0),
        )
        found.setdefault((job.rule, job.command), []).append(job)
    whole = [
        Job(
            rule=parts[0].rule,
            command=parts[0].command,
            inputs=tuple(dict.fromkeys(name for part in parts for name in part.inputs)),
            outputs=tuple(sorted(name for part in parts for name in part.outputs)),
            started=min(part.started for part in parts),
            ended=max(part.ended for part in parts),
        )
        for parts in found.values()
    ]
    return sorted(whole, key=lambda job: (job.ended, job.outputs))


def _replaced(text: str, spoken: Mapping[str, str]) -> str:
    """A text without what is of this machine, the longest first: one path may begin another.

    A build that was copied names the folder of the code where it was made, which each command has
    as its ``PYTHONPATH``.
    """
    if built := _LIBRARY.match(text):
        spoken = {f"{built['folder']}/": spoken.get(CODE, ""), **spoken}
    for old in sorted(spoken.keys() - {CODE}, key=len, reverse=True):
        text = text.replace(old, spoken[old])
        if old.endswith("/") and len(old) > 1:
            # The folder itself, as a word of its own.
            text = re.sub(rf"(?<![^\s'\"]){re.escape(old[:-1])}(?=[\s'\"]|$)", ".", text)
    return text
