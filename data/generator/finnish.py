"""Co-production in a neighbourhood pilot and a conciliation service: a matrix of source by code.

Tab separated with a byte order mark and Finnish names. One row is an interview as one coder read
it; rows of a second coder were added below. One coder writes 0 for a code that is absent, the other
leaves the cell empty.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from draw import codes_found, expit, logit
from formats import write_delimited

JOBS = ["sosiaaliohjaaja", "kirjastonhoitaja", "nuorisotyöntekijä", "sovittelun ohjaaja"]

Row = dict[str, object]


def write(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the interviews and write the matrix to `path`."""
    first, second = [], []
    interviews = hold(world, rng)
    double = set(rng.permutation(len(interviews))[: world["double_coded"]].tolist())
    for i, (about, present) in enumerate(interviews):
        coders = [str(coder) for coder in rng.permutation(world["coders"])]
        first.append(as_coded(world, rng, about, coders[0], present))
        if i in double:
            second.append(as_coded(world, rng, about, coders[1], present))
    write_delimited(path, first + second, delimiter="\t", encoding="utf-8-sig")


def hold(world: dict, rng: np.random.Generator) -> list[tuple[Row, np.ndarray]]:
    """The interviews, at least two in each unit: what is known of each, and what is in it."""
    found: list[tuple[Row, np.ndarray]] = []
    unit = 0
    for case, size in world["cases"].items():
        k, n = size["units"], size["interviews"]
        prevalence = list(world["true_prevalence"][case].values())
        level = np.array([logit(share) for share in prevalence])
        for count in 2 + rng.multinomial(n - 2 * k, np.full(k, 1 / k)):
            unit += 1
            own = world["true_unit_sd"] * rng.standard_normal()
            for _ in range(count):
                number = len(found) + 1
                about: Row = {
                    "haastattelu": f"H{number:02d}",
                    "tapaus": case,
                    "perusta": size["basis"],
                    "yksikkö": f"Yksikkö {unit}",
                    "ammatti": JOBS[rng.integers(len(JOBS))],
                    "päivämäärä": f"{1 + number % 28}.{1 + number % 12}.2013",
                }
                found.append((about, rng.random(len(level)) < expit(level + own)))
    return found


def as_coded(
    world: dict, rng: np.random.Generator, about: Row, coder: str, present: np.ndarray
) -> Row:
    """One row: what is known of the interview, the coder, and the codes that the coder found."""
    codes = next(iter(world["true_prevalence"].values()))
    absent: object = 0 if coder == world["coders"][0] else ""
    cells = [1 if hit else absent for hit in codes_found(rng, present, world)]
    note = "Muistiinpano, täytetekstiä" if rng.random() < 0.2 else ""
    return {**about, "koodaaja": coder, **dict(zip(codes, cells, strict=True)), "huomio": note}
