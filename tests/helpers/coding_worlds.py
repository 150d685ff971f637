"""Cells of codings from a world of one study, whose contrast within an organisation is known."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from scipy.special import expit

__all__ = ["one_study"]


def one_study(
    organisations: int,
    interviews: int,
    seed: int,
    sd: float = 1.0,
    contrast: float = 1.0,
    mean: float = -1.0,
    codes: int = 2,
    accuracy: tuple[float, float] = (0.85, 0.92),
    twice: float = 0.5,
) -> xr.Dataset:
    """Cells of one study: half of its organisations on each side of an exposure.

    Parameters
    ----------
    organisations, interviews : their number, and that of the interviews in each.
    sd : standard deviation of the log-odds of a code between organisations of a side.
    contrast, mean : log-odds ratio of each code within an organisation, and log-odds in the middle.
    accuracy : sensitivity and specificity of coders.
    twice : share of the interviews that a second coder read.
    """
    rng = np.random.default_rng(seed)
    x = np.where(np.arange(organisations) % 2, 0.5, -0.5)
    log_odds = mean + contrast * x[:, None] + sd * rng.standard_normal((organisations, codes))
    there = rng.random((organisations, codes, interviews)) < expit(log_odds)[..., None]
    chance = np.where(there, accuracy[0], 1 - accuracy[1])
    first, second = (rng.random(there.shape) < chance for _ in range(2))
    both = np.arange(interviews) < round(twice * interviews)
    single = [(first & ~both).sum(-1), (~first & ~both).sum(-1)]
    pairs = ((first & second), (first & ~second), (~first & second), (~first & ~second))
    double = [(pair & both).sum(-1) for pair in pairs]
    names = [f"org-{o:05d}" for o in range(organisations)]

    def same(value: str) -> tuple[str, np.ndarray]:
        return "organisation", np.full(organisations, value)

    return xr.Dataset(
        {
            "single": (("organisation", "code", "reading"), np.stack(single, -1).astype(float)),
            "double": (("organisation", "code", "agreement"), np.stack(double, -1).astype(float)),
            "x": (("organisation", "exposure"), x[:, None]),
            "study": same("one"),
            "country": same("DK"),
            "sector": same("social_care"),
            "role": same("professional"),
            "arrangement": ("organisation", np.where(x > 0, "org_mission", "state_policy")),
            "site": ("organisation", np.array(names)),
            "family_of": ("code", np.full(codes, "strain_coded")),
            "exposure_name": ("exposure", ["arrangement"]),
            "exposure_type": ("exposure", ["organisational"]),
        },
        coords={
            "organisation": np.array(names),
            "code": np.array(["role_change", "uncertainty", "value_conflict", "morale"][:codes]),
            "family": ["strain_coded"],
            "reading": ["applied", "not_applied"],
            "agreement": ["both", "only_first", "only_second", "none"],
            "exposure": ["arrangement_organisational"],
        },
        attrs={
            "model": "codings",
            "data": "single double",
            "module": "strain",
            "variant": "main",
            "studies": json.dumps(
                {
                    "one": {
                        "citation": "nobody2026",
                        "response_mode": "coded_narrative",
                        "provenance": "simulated",
                    }
                }
            ),
            "dropped": "[]",
            "vocabulary": "{}",
        },
    )
