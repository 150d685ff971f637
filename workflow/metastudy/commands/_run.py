"""How a command ends: an error that a user can fix is printed as it is, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from metastudy.common.problems import MetastudyError

__all__ = ["run"]


def run(main: Callable[[], None]) -> None:
    """Call a rule's entry point; an error meant for the user ends it without a traceback."""
    try:
        main()
    except MetastudyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
