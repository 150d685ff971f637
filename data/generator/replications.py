"""The threat experiment in other countries and sectors: study folders with codebooks of their own.

The vignette is that of the experiment, and so are the people and the three threats; the degree of
involvement is not analysed, and motivation not asked. The effect of core tasks differs from place
to place by a country's, a sector's and a study's share, the spread of each being known.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import yaml

import threat
from draw import stream
from formats import write_delimited

__all__ = ["ASKED", "LIKE", "codebook", "truth", "write"]

LIKE = "threat_experiment"
ASKED = tuple(name for name in threat.BATTERIES if name != "work_motivation")
ANALYSED = "task_type"
KEPT = ("lbnr", "samtykke", "version")  # beside the items
ONE_SITE = {"homes": 1, "municipalities": 1, "true_home_icc": 0.0}


def truth(world: dict[str, Any]) -> pd.DataFrame:
    """The true effects of core tasks.

    Returns one row per place with its `study`, `country` and `sector`, and a column per construct,
    in standard deviations of what people feel.
    """
    mine = world["threat_replications"]
    places = list(itertools.product(mine["countries"], mine["sectors"]))
    table = pd.DataFrame(places, columns=["country", "sector"])
    table.insert(0, "study", [name_of(k % mine["studies"]) for k in range(len(places))])
    for construct in ASKED:
        mean = mine["true_effect_task_type"][construct]
        special = mine["true_effect_in_country"].get(construct, {})
        table[construct] = mean + table["country"].map(dict(special)).fillna(0.0)
        for grouping in ("country", "sector", "study"):
            sd = mine[f"true_effect_{grouping}_sd"].get(construct, 0.0)
            rng = stream(world["seed"], f"{grouping} {construct}")
            table[construct] += table[grouping].map(spread(rng, list(table[grouping].unique()), sd))
    return table


def spread(rng: np.random.Generator, levels: list[str], sd: float) -> dict[str, float]:
    """Normal quantiles in random order, with mean zero and exactly the standard deviation `sd`.

    Drawn at random, a few countries could have any mean, and what is known would hang on the seed.
    """
    z = np.array([NormalDist().inv_cdf((k + 0.5) / len(levels)) for k in range(len(levels))])
    z = z / z.std(ddof=1) if len(levels) > 1 else z
    return dict(zip(levels, sd * rng.permutation(z), strict=True))


def name_of(study: int) -> str:
    """Name of a replication, which is its folder's."""
    return f"threat_replication_{study + 1}"


def write(world: dict[str, Any], raw: Path, original: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Simulate the replications, each into its folder under `raw`, with its codebook.

    `original` is the codebook of the experiment. Returns study: file: SHA-256.
    """
    made = {}
    for study, places in truth(world).groupby("study", sort=False):
        rows: list[dict[str, object]] = []
        for place in places.to_dict("records"):
            where = {name: place[name] for name in ("country", "sector")}
            people = answered(world, place, f"{study} {' '.join(where.values())}")
            rows += [{**person, **where, "lbnr": len(rows) + k} for k, person in enumerate(people)]
        folder = raw / str(study)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{study}.csv"
        write_delimited(file, rows, delimiter=",", encoding="utf-8")
        text = yaml.safe_dump(codebook(original, str(study), places), sort_keys=False)
        (folder / "codebook.yaml").write_text(text, encoding="utf-8")
        made[str(study)] = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    return made


def answered(world: dict[str, Any], effect: dict[str, Any], name: str) -> list[dict[str, object]]:
    """The answers in one place, as whole numbers; what is missing is empty."""
    own = world[LIKE] | ONE_SITE | {"respondents": world["threat_replications"]["respondents"]}
    own["true_effect_task_type"] = own["true_effect_task_type"] | {c: effect[c] for c in ASKED}
    rng = stream(world["seed"], name)
    people = threat.respondents(own, rng)
    data = pd.concat([people, threat.answer_batteries(own, rng, people)], axis=1)
    data = threat.leave_early(own, rng, data)
    items = [item for construct in ASKED for item in threat.BATTERIES[construct]]
    whole = data[[*KEPT, *items]].astype("Int64").astype("string").fillna("")
    return whole.to_dict("records")


def codebook(original: dict[str, Any], study: str, places: pd.DataFrame) -> dict[str, Any]:
    """The codebook of a replication, from that of the experiment.

    `original` is the experiment's codebook and `places` are the rows of :func:`truth` of the study.
    """
    made = copy.deepcopy(original)
    number = study.rpartition("_")[2]
    countries, sectors = list(places["country"].unique()), list(places["sector"].unique())
    made["study"] |= {
        "id": study,
        "title": f"Simulated replication {number} of the experiment in several countries",
        "label": f"Replication {number}",
        "country": countries[0],
        "sector": sectors[0],
    }
    del made["study"]["language"]
    made["file"] = {"name": f"{study}.csv", "format": "csv"}
    used = [v for v in made["variables"] if v["as"] in ("id", "consent", "factor")]
    used += [v for v in made["variables"] if v.get("construct") in ASKED]
    made["variables"] = used + [{"name": name, "as": name} for name in ("country", "sector")]
    made["outcomes"] = list(ASKED)
    made["exposures"] = [e for e in made["exposures"] if e["factor"] == ANALYSED]
    return made
