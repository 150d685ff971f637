"""Power-scaling: which effects move with the prior, as table and variables."""

from __future__ import annotations

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import effect_label
from metastudy.article.topics.refits import KEY, rows_of_module
from metastudy.article.variable_tree import Tree, put
from metastudy.common.tables import records
from metastudy.display.formatting import number
from metastudy.display.pipe_table import Table
from metastudy.display.sentences import power_scaled

__all__ = ["KEYS", "power", "table", "variables"]


def table(evidence: Results) -> Table:
    """For each module how many effects the prior moves, and how many the likelihood moves too."""
    found, labels = power(evidence), evidence.labels
    shown = pd.DataFrame(
        [
            {
                "Module": labels.of(row["module"], "modules"),
                "Effects": str(row["effects"]),
                "Moved by the prior": str(row["prior"]),
                "Moved by both": str(row["conflict"]),
                "Most sensitive to the prior": effect_label(evidence, row),
                "Sensitivity": number(row["largest"]),
                "Most to the prior of": KEYS.get(row["key"], row["key"]),
            }
            for row in records(found)
        ],
        columns=None if len(found) else ["Nothing to show"],
    )
    caption = (
        "Power-scaling: population effects whose posterior moves when all top-level priors, or "
        "priors and likelihood, are raised to a power near one (sensitivity above 0.05), and the "
        "prior that moves the most sensitive one most by itself."
    )
    return Table(shown, evidence.power, caption, tuple(found["provenance"]))


def variables(evidence: Results) -> Tree:
    """How many effects move with a power of the prior, by module and over all."""
    tree: Tree = {}
    found = power(evidence)
    for row in records(found):
        leaves = {k: str(row[k]) for k in ("effects", "prior", "conflict")}
        put(tree, [row["module"]], leaves | {"largest": number(row["largest"])})
    if len(found):
        total = found[["effects", "prior", "conflict"]].sum()
        prior, both = int(total["prior"]), int(total["conflict"])
        of = int(total["effects"])
        tree["sentence"] = power_scaled(prior, both, of, "population effect", digits=True)
    return tree


# What each prior of the configuration is of.
KEYS = {
    "baseline": "baselines",
    "effect": "effects",
    "effect_logit": "effects",
    "moderator": "moderators",
    "moderator_logit": "moderators",
    "tau": "spreads between groups",
    "tau_logit": "spreads between groups",
    "outcomes": "spreads between outcomes",
    "sigma": "residual spreads",
    "correlation": "correlations",
    "effect_correlation": "correlations between effects",
    "prevalence": "prevalences",
    "association": "associations of a person's outcomes",
    "accuracy": "accuracies of coders",
}
POWER = [
    "module",
    "effects",
    "prior",
    "conflict",
    *KEY,
    "exposure_type",
    "largest",
    "key",
    "provenance",
]


def power(evidence: Results) -> pd.DataFrame:
    """One row per module: effects that move with a power of their prior, and which moves most.

    ``prior`` counts those that the prior moves, ``conflict`` those that the likelihood moves too.
    """
    rows = []
    for name in evidence.contrasts:
        mine = rows_of_module(evidence.power, name)
        if mine.empty:
            continue
        worst = mine.iloc[int(mine["prior"].argmax())]
        counts = {
            "effects": len(mine),
            "prior": int((mine["diagnosis"] != "").sum()),
            "conflict": int((mine["diagnosis"] == "conflict").sum()),
            "largest": worst["prior"],
        }
        about = {c: worst[c] for c in (*KEY, "exposure_type", "key", "provenance")}
        rows.append({"module": name, **counts, **about})
    return pd.DataFrame(rows, columns=POWER)
