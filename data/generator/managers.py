"""Three top managers and what they make of co-production: a small matrix coded by hand.

Semicolons, the Windows code page of Western Europe, decimal commas, Danish names. One row is a
manager: ratings with the id of the quote that supports each, codes, and remarks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from formats import write_delimited

NOT_COVERED = "ikke belyst"


def write(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the managers and write the matrix to `path`."""
    n, shares = world["managers"], world["true_rating"]
    rating = {
        dimension: rng.choice(list(share), n, p=list(share.values()))
        for dimension, share in shares.items()
    }
    _, *others = shares  # the first dimension is what the study asks; it is always covered
    open_cells = [(i, dimension) for i in range(n) for dimension in others]
    hidden = [open_cells[k] for k in rng.permutation(len(open_cells))[: world["not_covered"]]]
    quotes = iter(rng.permutation(np.arange(1, 60))[: n * len(shares)])
    rows = []
    for i in range(n):
        row: dict[str, object] = {
            "leder": f"Leder {i + 1}",
            "organisation": f"Organisation {i + 1}",
            "år_i_stillingen": f"{rng.gamma(4, 2):.1f}".replace(".", ","),
        }
        for dimension, marks in rating.items():
            covered = (i, dimension) not in hidden
            quote = f"C{next(quotes):02d}"
            row[dimension] = str(marks[i]) if covered else NOT_COVERED
            row[f"citat_{dimension}"] = quote if covered else ""
        for code, share in world["true_prevalence"].items():
            row[code] = int(rng.random() < share)
        row["bemærkning"] = "Udfyldningstekst uden indhold; ingen har sagt dette."
        rows.append(row)
    write_delimited(path, rows, delimiter=";", encoding="cp1252", line_end="\r\n")
