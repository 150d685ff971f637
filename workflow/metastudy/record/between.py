"""Builds between a record and today: some parts as they were, the others as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.common.own_folder import is_own
from metastudy.common.problems import MetastudyError
from metastudy.record import past
from metastudy.record.rebuild import build, prepare
from metastudy.record.rebuild_folder import emptied
from metastudy.record.record_file import load, made
from metastudy.record.steps import Step, changed_parts, plan

__all__ = ["Between"]

Record = dict[str, Any]


class _NoCodeError(MetastudyError):
    """The code of the record cannot be run."""


class _NoDataError(MetastudyError):
    """The data of the record are not to be had, or the code of today cannot build them."""


@dataclass(frozen=True)
class Between:
    """What the builds of a chain have in common.

    ``config`` is that of today, with a store and a key file that are absolute; ``folder`` is where
    `verify` builds, and only its part ``changes`` is emptied.
    """

    record: Record
    today: Record
    config: dict[str, Any]
    record_path: Path
    project: Path
    repository: Path
    snakefile: Path
    folder: Path
    logs: Path
    cores: int

    def states(self) -> tuple[tuple[Step, ...], list[Record], str]:
        """The chain from the record to today.

        Returns
        -------
        steps, records, why
            One record more than there are steps. What is equal to the first or the last is not
            built. ``why`` says why some steps are not separated.

        Raises
        ------
        MetastudyError
            If today's code and data do not build with the seed of the record.
        """
        if not is_own(self.folder):
            emptied(self.folder)
        emptied(self.folder / "changes")
        self.logs.mkdir(parents=True, exist_ok=True)
        changed = changed_parts(self.record, self.today)
        why: dict[str, str] = {}
        while True:
            steps = plan(changed, no_code="code" in why, no_data="data" in why)
            try:
                between = list(self._between(steps))
            except _NoCodeError as error:
                why["code"] = str(error)
            except _NoDataError as error:
                why["data"] = str(error)
            else:
                ends = [self.today] if steps else []
                return steps, [self.record, *between, *ends], "; ".join(why.values())

    def _between(self, steps: tuple[Step, ...]) -> list[Record]:
        parts: set[str] = set()
        found = []
        for step in steps[:-1]:
            parts |= {*step.parts}
            found.append(self._state(parts))
        return found

    def _state(self, parts: Collection[str]) -> Record:
        """The record of a build in which some parts are as today and the others as they were."""
        changed = changed_parts(self.record, self.today)
        old_code = "code" in changed and "code" not in parts
        old_data = "data" in changed and "data" not in parts
        folder = self.folder / "changes" / "-".join(["with", *sorted(parts)])
        code = self._old_code() if old_code else self.repository
        data = self._old_data() if old_data else self.project
        base = past.shipped(code) if old_code else self.config
        config = past.configuration(base, self.config, self.record, parts, old_code)
        settings = prepare(folder, config, data, parts=())
        snakefile = code / "Snakefile" if old_code else self.snakefile
        log = self.logs / f"{folder.name}.log"
        print(f"building with {' and '.join(sorted(parts))} as today: {log}", flush=True)
        if build(folder, settings, snakefile, self.cores, log, code / "workflow"):
            found = _written(folder, code) if old_code else made(folder / "results", code)
            if found is not None:
                return found
        last = f"a build with {' and '.join(sorted(parts))} as today failed, see {log}"
        if old_code:
            raise _NoCodeError(
                f"the code of the record does not run with the lock of today: {last}"
            )
        if old_data:
            raise _NoDataError(f"the code of today does not build the data of the record: {last}")
        raise MetastudyError(last)

    def _old_code(self) -> Path:
        folder = self.folder / "changes" / "code"
        try:
            return folder if folder.is_dir() else past.code_of(self.record, self.repository, folder)
        except MetastudyError as error:
            raise _NoCodeError(str(error)) from None

    def _old_data(self) -> Path:
        folder = self.folder / "changes" / "data"
        try:
            return past.data_of(self.record, self.config, self.project, self.record_path, folder)
        except MetastudyError as error:
            raise _NoDataError(str(error)) from None


def _written(folder: Path, code: Path) -> Record | None:
    """The record of a build of old code, as that code writes it; none if it fails."""
    path = folder / "record.json"
    words = [sys.executable, "-m", "metastudy.commands.accept", "--results", "results"]
    words += ["--repository", str(code), "--out", str(path)]
    own = os.environ | {"PYTHONPATH": str(code / "workflow")}
    done = subprocess.run(words, cwd=folder, env=own, check=False)
    return load(path) if done.returncode == 0 else None
