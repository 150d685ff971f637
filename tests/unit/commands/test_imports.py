"""Jobs of which a build has many, or which only look, import nothing slow that they do not use."""

from __future__ import annotations

import os
import subprocess
import sys

from helpers.repository import ROOT

COMMANDS = ("draw", "variables", "gate", "name_studies", "inspect", "render", "tabulate")
SLOW = ("arviz", "scipy.stats", "pymc", "pytensor", "numba", "nutpie")


def test_a_figure_costs_no_import_of_what_samples_or_checks() -> None:
    code = (
        f"import sys, {', '.join(f'metastudy.commands.{name}' for name in COMMANDS)}; "
        f"print(*(name for name in {SLOW} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
