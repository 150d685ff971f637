"""How Snakemake ends after `snakemake verify`: with the code of the verdict.

A job that fails always ends Snakemake with 1. So the job of `verify` ends well whatever the verdict
is, and a hook of the Snakefile that was run ends Snakemake itself. Hooks of a Snakefile that is
used as a module are not called, so a Snakefile of somebody's own has these two lines as well.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from metastudy.common.problems import BadInput
from metastudy.record.verdict_file import read_verdict

__all__ = ["VERDICT", "end_with_the_verdict"]

VERDICT = Path("results/verdict/verdict.json")


def end_with_the_verdict(targets: Collection[str], verdict: Path = VERDICT) -> None:
    """End with 0, 1 or 2, if ``verify`` is among the targets that were asked for.

    Raises
    ------
    SystemExit
        0: reproduced, 1: not reproduced, 2: not comparable. Also 1 if the verdict is damaged.
    """
    if "verify" in targets:
        try:
            found = read_verdict(verdict, ("verdict", "why", "code"))
        except BadInput as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        page = verdict.with_suffix(".html")
        print(f"{found['verdict']}: {found['why']} See {page}.", file=sys.stderr)
        raise SystemExit(found["code"])
