"""Studies of coded interviews for parcels: as many interviews in each organisation as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.hand_made import coding_study
from metastudy.harmonized.study import Study

CODES = ("role_change", "uncertainty", "job_insecurity", "management_support")
SIDES = ("state_policy", "org_mission")
# What must be nowhere in a parcel: an id, a coder and a name of an organisation.
PLANTED = ("Jane Q. Citizen", "coder Joan Doe", "Nursing home Sundbakken")


def coded_study(
    name: str,
    size: Mapping[str, tuple[int, int]],
    share: float | Mapping[str, float] = 0.5,
    codes: Sequence[str] = CODES,
    seed: int = 1,
    sector: Mapping[str, str] | None = None,
    spread: int = 0,
) -> Study:
    """A study whose organisations are on two sides of an exposure in turn.

    Parameters
    ----------
    size : of each organisation, interviews of one coder and of two.
    share : of the interviews in which a code is there; by code, or the same for all. Whole numbers
        of interviews have it, apart for those of one coder and of two.
    sector : of organisations that are not in elderly care.
    spread : so many interviews more or fewer have a code in an organisation.
    """
    rng = np.random.default_rng(seed)
    interviews, about = [], []
    for o, (site, parts) in enumerate(size.items()):
        for twice, n in enumerate(parts):
            there = np.zeros((n, len(codes)), dtype=bool)
            for c, code in enumerate(codes):
                part = share if isinstance(share, float) else share[code]
                there[: round(part * n) + rng.integers(-spread, spread + 1), c] = True
                there[:, c] = rng.permutation(there[:, c])
            for row in there:
                first = [code for code, is_there in zip(codes, row, strict=True) if is_there]
                missed = [code for code in first if rng.random() > 0.1]
                by = {f"{PLANTED[1]} 1": first}
                interviews.append((site, by | ({f"{PLANTED[1]} 2": missed} if twice else {})))
                about.append((SIDES[o % 2], (sector or {}).get(site, "elderly_care")))
    exposures = [{"attribute": "arrangement", "type": "organisational"}]
    study = coding_study(name, interviews, list(codes), exposures)
    people = study.respondents.assign(
        arrangement=[side for side, _ in about],
        sector=[of for _, of in about],
        weight=np.nan,
        provenance="simulated",
    )
    said = {
        "id": name,
        "title": "Made for parcels",
        "design": "interviews",
        **study.report["codebook"],
        "response_mode": "coded_narrative",
    }
    study.report.update(codebook=said, excluded={}, provenance="simulated", quality=[])
    study.report.update(rows_read=len(people), rows_kept=len(people), reliabilities={})
    nothing = {
        "case_ratings": pd.DataFrame(columns=["respondent_id", "dimension", "rating"]),
        "arms": pd.DataFrame(),
        "effects": pd.DataFrame(),
        "attributes": pd.DataFrame(columns=["kind", "name", "value", "finding_id"]),
    }
    return study.with_tables(respondents=people, **nothing)


def even(name: str, each: int = 30, sites: int = 4, seed: int = 1, share: float = 0.5) -> Study:
    """A study with so many interviews of one coder and of two in each site, and nothing to do."""
    size = {f"{name}-org-{s}": (each, each) for s in range(sites)}
    return coded_study(name, size, share, seed=seed, spread=4)


def uneven(name: str, seed: int = 1) -> Study:
    """A study with small organisations, few second readings, a rare code and a frequent one."""
    rng = np.random.default_rng(seed)
    size = {
        f"{name}-org-{s:02d}": (int(rng.integers(3, 22)), int(rng.integers(0, 6)))
        for s in range(24)
    }
    sector = dict.fromkeys(list(size)[:9], "social_care")
    share = dict(zip(CODES, (0.5, 0.3, 0.06, 0.9), strict=True))
    return coded_study(name, size, share, seed=seed, sector=sector)
