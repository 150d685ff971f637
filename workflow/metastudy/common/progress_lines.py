"""Lines in a job's log that say how far it is, and the newest of them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PREFIX", "newest"]

PREFIX = "draws: "  # how such a line begins
END = 2000  # bytes at the end of a log that are looked at


def newest(log: Path) -> str:
    """Give the last such line of a log without its beginning.

    Parameters
    ----------
    log : of a job that may be at work; it need not be there yet.

    Returns
    -------
    What is behind :data:`PREFIX`; empty where there is no such line.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - END, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    said = [line for line in text.splitlines() if line.startswith(PREFIX)]
    return said[-1].removeprefix(PREFIX) if said else ""
