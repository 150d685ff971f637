"""Options that the two commands of calibration share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metastudy.calibration.simulation_based import for_short_chains
from metastudy.models.priors import priors_of

__all__ = ["add_options", "options"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that every calibration has: sections of the configuration, and its outputs."""
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--ranks", type=Path, required=True)
    parser.add_argument("--gates", type=Path, required=True)


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`calibrate` takes beside what it calibrates, from the configuration."""
    return {
        "priors": priors_of(settings["priors"]),
        "number": settings["calibration"]["simulations"],
        "number_posterior": settings["calibration"]["posterior_simulations"],
        "kept": settings["calibration"]["ranked"],
        "sampling": settings["sampling"],
        "short": settings["sampling"] | settings["refits"],
        "thresholds": for_short_chains(settings["gates"], settings["sampling"], settings["refits"]),
    }
