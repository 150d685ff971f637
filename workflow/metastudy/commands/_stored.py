"""Run a command, unless the store has what it makes: then its outputs come from there.

What follows ``--`` is the command as it would be called without this, ``python -m MODULE ...``. It
runs in this process, after its outputs were not found; nothing that it imports is imported before.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from metastudy.commands._run import run
from metastudy.common import stored_outputs
from metastudy.models.backend import flags_in_force

__all__ = ["main"]

OPTIONS = ("--store", "--code", "--lock", "--inputs", "--outputs")


def main() -> None:
    """Take a job's outputs from the store, or make them and keep them there."""
    options, command = _arguments(sys.argv[1:])
    inputs, outputs = (list(map(Path, options[name])) for name in ("--inputs", "--outputs"))
    depends = {
        "code": " ".join(options["--code"]),
        "flags": flags_in_force(),
        "lock": " ".join(options["--lock"]),
    }
    store = Path(options["--store"][0]) if options["--store"] else None
    if store is None:
        _run(command)
        return
    key, taken = stored_outputs.take_or_make(
        store, command, inputs, outputs, depends, lambda: _run(command)
    )
    print(f"{'taken from the store' if taken else 'not in the store before'}: {key}")


def _arguments(words: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Options with their values, and the command: its module and arguments."""
    end = words.index("--")
    options: dict[str, list[str]] = {name: [] for name in OPTIONS}
    name = ""
    for word in words[:end]:
        if word in OPTIONS:
            name = word
        else:
            options[name].append(word)
    python, dash, *command = words[end + 1 :]
    if (python, dash) != ("python", "-m"):
        raise ValueError(f"no command: {python} {dash}")
    return options, command


def _run(command: Sequence[str]) -> None:
    """Run a module as ``python -m`` would; a command that fails ends this process as well."""
    module, *arguments = command
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    run(main)
