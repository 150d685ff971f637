"""A project of a test's own: studies of its choice through the rules of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from helpers.repository import ROOT

KEY = "a key for the tests alone, of no worth to anybody"


def snakemake(
    folder: Path, targets: list[str], config: dict[str, dict[str, Any]]
) -> subprocess.CompletedProcess[str]:
    """Run the project's Snakefile in a folder with its own data and results.

    The sensitivity analyses are left out: they are fits of their own, and tested on their own.

    Parameters
    ----------
    folder : holds ``data/raw/<study>/`` and ``data/raw/manifest.yaml``; results go there.
    targets : files below ``results``.
    config : settings other than those of ``config/config.yaml``, section by section.
    """
    shutil.copytree(ROOT / "config", folder / "config", dirs_exist_ok=True)
    key = folder.with_suffix(".key")  # outside the project's folder, as it must be
    key.write_text(KEY, encoding="utf-8")
    path = folder / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings |= {"primary": {}, "candidates": []}  # they name what only the data that ship have
    none = {"ordinal": [], "folded": [], "interviews": []}
    here = {"pseudonyms": {"key_file": str(key)}, "sensitivity": none}
    for section, values in (here | config).items():
        settings[section] |= values
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", *targets, "--cores", "2", "--directory", folder),
            *("--snakefile", ROOT / "Snakefile"),
        ],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
