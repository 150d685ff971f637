"""A try in a process of its own: damaged bytes can kill the C library that reads them."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["MEMORY", "SECONDS", "survives"]

SECONDS = 600  # a reader that has not come back by then will not
MEMORY = 32 * 2**30  # bytes of addresses; a damaged header may ask for any number of rows
_OUT_OF_MEMORY = 77
# The limit is set in the new process; what is tried runs under it.
_PRELUDE = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
code = sys.argv.pop(1)
try:
    exec(code)
except MemoryError:
    os._exit({_OUT_OF_MEMORY})
"""


def survives(code: str, *arguments: str) -> bool:
    """Tell whether a piece of Python comes to an end, be it with an error.

    Parameters
    ----------
    code : what to run; it finds ``arguments`` in ``sys.argv[1:]``.

    Returns
    -------
    False if a signal killed the process, as after a segmentation fault, if it asked for more than
    :data:`MEMORY`, or if it hung for :data:`SECONDS`.
    """
    command = [sys.executable, "-c", _PRELUDE, code, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode >= 0 and done.returncode != _OUT_OF_MEMORY
