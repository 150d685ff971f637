"""Convergence: the gates of every fit, as table and variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import study_marks
from metastudy.article.topics import sensitivity
from metastudy.article.variable_tree import Tree, shortcode_key
from metastudy.display.formatting import count, joined, number, words
from metastudy.display.pipe_table import Table

__all__ = ["table", "variables"]


def table(evidence: Results) -> Table:
    """The gates of each fit, with the worst value over its parameters; the file has all gates."""
    rows, full = [], []
    for check in evidence.checks:
        fit = str(check["fit"])
        name = sensitivity.fit_label(evidence, fit)
        for draws in dict.fromkeys(g["draws"] for g in check["gates"]):
            gates = {g["gate"]: g for g in check["gates"] if g["draws"] == draws}
            variant = words(draws.removesuffix("posterior").strip("_"))
            cells = {"Fit": f"{name} ({variant.lower()})" if variant else name}
            for gate, heading in GATES.items():
                if gate in gates:
                    digits = {"rhat": 3, "ebfmi": 2}.get(gate, 0)
                    cells[heading] = number(gates[gate]["value"], digits)
            cells["Target acceptance"] = number(next(iter(gates.values()))["target_accept"], 3)
            cells["Gates"] = "passed" if all(g["passed"] for g in gates.values()) else "missed"
            rows.append(cells)
        full += [{"fit": fit, **gate} for gate in check["gates"]]
    limits = {g["gate"]: g["threshold"] for g in full}
    said = joined(
        f"{heading} {'at most' if gate in ('rhat', 'divergences') else 'at least'} {limits[gate]:g}"
        for gate, heading in GATES.items()
        if gate in limits
    )
    caption = f"Convergence of each fit: the worst value over all its parameters. Gates: {said}."
    return Table(pd.DataFrame(rows), pd.DataFrame(full), caption, study_marks(evidence))


GATES = {
    "rhat": "R-hat",
    "ess_bulk": "Bulk ESS",
    "ess_tail": "Tail ESS",
    "divergences": "Divergences",
    "ebfmi": "E-BFMI",
}


SAMPLING = ("chains", "draws", "tune", "target_accept", "seed")


def variables(evidence: Results) -> Tree:
    """The worst values of each fit and of all fits, and the settings of the sampler.

    A second stage that has nothing to pool has no draws, and is no fit.
    """
    tree: Tree = {}
    everything: list[Mapping[str, Any]] = []
    drawn = [check for check in evidence.checks if check["gates"]]
    for check in drawn:
        tree[shortcode_key(str(check["fit"]))] = _gates(check["gates"])
        everything += check["gates"]
    sampling = evidence.settings.get("sampling", {})
    if everything:
        tree |= _gates(everything)
        tree["anew"] = _anew(drawn, float(sampling.get("target_accept", 0.0)))
    tree |= {k: str(sampling[k]) for k in SAMPLING if k in sampling}
    if "chains" in sampling and "draws" in sampling:
        tree["total_draws"] = str(sampling["chains"] * sampling["draws"])
    return tree


def _anew(checks: Sequence[Mapping[str, Any]], asked: float) -> str:
    """How many fits the sampler made anew, because draws had diverged."""
    again = sum(any(gate["target_accept"] > asked for gate in check["gates"]) for check in checks)
    which = f"{count(again, capital=True)} of the {len(checks)} fits"
    if again == len(checks):
        which = "Both fits" if again == 2 else f"All {again} fits"
    done = (
        f"{which} {'was' if again == 1 else 'were'} made anew" if again else "No fit was made anew"
    )
    if len(checks) == 1:
        done = f"The fit was {'' if again else 'not '}made anew"
    return f"{done} after a divergence, with a higher target acceptance."


def _gates(gates: Sequence[Mapping[str, Any]]) -> Tree:
    def of(*names: str) -> list[float]:
        return [float(g["value"]) for g in gates if g["gate"] in names]

    missed = [g for g in gates if not g["passed"]]
    return {
        "rhat_max": number(max(of("rhat")), 3),
        "ess_min": number(min(of("ess_bulk", "ess_tail")), 0),
        "ess_bulk_min": number(min(of("ess_bulk")), 0),
        "ess_tail_min": number(min(of("ess_tail")), 0),
        "divergences": number(sum(of("divergences")), 0),
        "ebfmi_min": number(min(of("ebfmi"))),
        "verdict": "missed" if missed else "passed",
        "sentence": _missed(len(missed), len(gates)),
    }


def _missed(missed: int, total: int) -> str:
    """How many gates were missed."""
    if total == 1:
        return f"The one gate was {'missed' if missed else 'passed'}."
    if not missed:
        return f"All {total} gates were passed."
    which = f"{count(missed, capital=True)} of the {total} gates"
    return f"{which} {'was' if missed == 1 else 'were'} missed."
