"""Lines in a job's log that say how far it is, and the newest of them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PREFIX", "newest"]

PREFIX = "draws: "  # how such a line begins
END = 2000  # bytes at the end of a log that are looked at


def newest(log: Path) -> str:
    """The last such line of a log without its beginning; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - END, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    said = [line for line in text.splitlines() if line.startswith(PREFIX)]
    return said[-1].removeprefix(PREFIX) if said else ""
