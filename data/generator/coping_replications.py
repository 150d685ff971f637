"""The coping study in other countries and sectors: study folders with codebooks of their own.

Survey and experiment in one, reduced to numbers in plain text: external efficacy is drawn at
random, trust in government is measured, and the five strategies are rated in both conflicts. Places
differ in all that a model must not take for an effect: how they rate on the whole, how far people
lie apart, how many there are, and the length of the answer scale. The effects differ by a
country's, a sector's, a study's and the place's own share, the spread of each being known, and in
some studies people of two roles answer.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import coping
from draw import answers, balanced, correlated, lapses, stream
from formats import write_delimited
from replications import spread

__all__ = ["CITIZENS", "EXPOSURES", "LIKE", "NONE", "PROFESSIONALS", "SECTION", "write"]
__all__ += ["codebook", "column", "effect_in", "truth"]

LIKE = "coping_experiment"  # whose codebook says what is known of the study
SECTION = "coping_replications"
RANDOMISED, MEASURED = EXPOSURES = ("external_efficacy", "trust_government")
CITIZENS, PROFESSIONALS = "citizen_coproducer", "professional"
DONT_KNOW = 99
NONE: dict[str, Any] = {  # the section in a world that does not speak of them
    "studies": 0,  # each place, a country and a sector, belongs to one of them, in turn
    "countries": [],  # keys of config/vocabulary.yaml
    "sectors": [],
    "two_roles": [],  # numbers of the studies in which professionals answer beside citizens
    "respondents": [40, 600],  # of one role in the smallest and the largest place
    "scales": [[1, 5]],  # lowest and highest answer, of the studies in turn
    "true_effect_mean": {},  # by exposure and strategy: mean over all places, in SDs of a rating
    "true_effect_in_conflict": {},  # by conflict, exposure and strategy: what it has beyond that
    "true_effect_of_professionals": {},  # by exposure and strategy: what they have beyond citizens
    "true_effect_country_sd": {},  # by exposure: spread of its effects between countries
    "true_effect_sector_sd": {},
    "true_effect_study_sd": {},
    "true_effect_place_sd": {},  # of the place's own part, which no grouping has: interaction
    "true_level_country_sd": 0.0,  # how countries rate on the whole, in shares of the scale
    "true_dispersion_place_sd": 0.0,  # of the logarithm of the SD between people
    "dont_know": 0.01,
    "left_blank": 0.005,
}


def column(exposure: str, strategy: str) -> str:
    """Name of an effect among the columns of :func:`truth`."""
    return f"{exposure} on {strategy}"


def truth(world: dict[str, Any]) -> pd.DataFrame:
    """What is true in each place.

    Returns one row per place with its `study`, `country`, `sector`, `respondents`, `low` and `high`
    (of the scale), `level` (shift in shares of the scale), `dispersion` (SD between people) and a
    column per exposure and strategy (:func:`column`): the effect among citizens, over the
    conflicts, in standard deviations of a rating among people of dispersion one.
    """
    mine, seed = world[SECTION], world["seed"]
    places = list(itertools.product(mine["countries"], mine["sectors"]))
    table = pd.DataFrame(places, columns=["country", "sector"])
    number = np.arange(len(table)) % max(mine["studies"], 1)
    table.insert(0, "study", [name_of(k) for k in number])
    table["place"] = table["country"] + " " + table["sector"]
    fewest, most = mine["respondents"]
    sizes = np.rint(np.geomspace(fewest, most, len(table))).astype(int)
    table["respondents"] = stream(seed, f"{SECTION} sizes").permutation(sizes)
    for i, name in enumerate(("low", "high")):
        table[name] = [mine["scales"][k % len(mine["scales"])][i] for k in number]

    def shares(name: str, grouping: str, sd: float) -> pd.Series:
        rng = stream(seed, f"{SECTION} {grouping} {name}")
        return table[grouping].map(spread(rng, list(table[grouping].unique()), sd))

    table["level"] = shares("level", "country", mine["true_level_country_sd"])
    table["dispersion"] = np.exp(shares("dispersion", "place", mine["true_dispersion_place_sd"]))
    for exposure, strategy in itertools.product(EXPOSURES, coping.STRATEGIES):
        name = column(exposure, strategy)
        table[name] = mine["true_effect_mean"].get(exposure, {}).get(strategy, 0.0)
        for grouping in ("country", "sector", "study", "place"):
            sd = mine[f"true_effect_{grouping}_sd"].get(exposure, 0.0)
            table[name] += shares(name, grouping, sd)
    return table.drop(columns="place")


def effect_in(
    world: dict[str, Any],
    place: dict[str, Any],
    exposure: str,
    strategy: str,
    conflict: str,
    role: str,
) -> float:
    """The effect in a place (a row of :func:`truth`) in one conflict, among people of a role."""
    mine = world[SECTION]
    more = mine["true_effect_in_conflict"].get(conflict, {}).get(exposure, {}).get(strategy, 0.0)
    if role == PROFESSIONALS:
        more += mine["true_effect_of_professionals"].get(exposure, {}).get(strategy, 0.0)
    return place[column(exposure, strategy)] + more


def name_of(study: int) -> str:
    """Name of a replication, which is its folder's."""
    return f"coping_replication_{study + 1}"


def roles(world: dict[str, Any], study: str) -> list[str]:
    """Roles of the people who answer in a study."""
    two = int(study.rpartition("_")[2]) in world[SECTION]["two_roles"]
    return [CITIZENS, PROFESSIONALS] if two else [CITIZENS]


def write(world: dict[str, Any], raw: Path, original: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Simulate the replications, each into its folder under `raw`, with its codebook.

    `original` is the codebook of the experiment. Returns study: file: SHA-256.
    """
    made = {}
    for name, places in truth(world).groupby("study", sort=False):
        study, rows = str(name), []
        for place in places.to_dict("records"):
            for role in roles(world, study):
                rows += answered(world, place, role)
        rows = [{"nr": k, **row} for k, row in enumerate(rows, start=1)]
        folder = raw / study
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{study}.csv"
        write_delimited(file, rows, delimiter=",", encoding="utf-8")
        text = yaml.safe_dump(codebook(original, world, study, places), sort_keys=False)
        (folder / "codebook.yaml").write_text(text, encoding="utf-8")
        made[study] = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    return made


def answered(world: dict[str, Any], place: dict[str, Any], role: str) -> list[dict[str, object]]:
    """The answers of people of one role in one place, as whole numbers."""
    survey, n = world["coping_survey"], int(place["respondents"])
    where = {name: place[name] for name in ("country", "sector")}
    rng = stream(world["seed"], f"{place['study']} {' '.join(where.values())} {role}")
    low, high = int(place["low"]), int(place["high"])
    loading, dispersion = survey["true_item_loading"], place["dispersion"]
    arm = balanced(rng, ["low", "high"], n)
    trust = rng.standard_normal(n)

    def on_scale(latent: np.ndarray, level: float, reverse: bool = False) -> list[object]:
        """Tick on the study's scale, of a level on that from 1 to 5; some give no answer."""
        share = (level - 1) / 4 + place["level"]
        ticked = answers(latent, low + share * (high - low), low, high, reverse)
        lapse = lapses(rng, n, [world[SECTION][why] for why in ("dont_know", "left_blank")])
        return [(int(t), DONT_KNOW, "")[kind] for t, kind in zip(ticked, lapse, strict=True)]

    columns: dict[str, Any] = {name: [value] * n for name, value in where.items()}
    columns |= {"role": [role] * n, "efficacy": list(arm)}
    for name, (reverse, _) in zip(items_of_trait(), coping.TRAITS[MEASURED], strict=True):
        latent = loading * trust + np.sqrt(1 - loading**2) * rng.standard_normal(n)
        columns[name] = on_scale(dispersion * latent, 3.2, reverse)
    same = coping.exchangeable(len(coping.STRATEGIES), survey["true_rating_correlation"])
    for number, conflict in enumerate(coping.CONFLICTS, start=1):
        noise = dispersion * correlated(rng, n, same)
        for k, strategy in enumerate(coping.STRATEGIES):
            drawn, measured = (
                effect_in(world, place, exposure, strategy, conflict, role)
                for exposure in EXPOSURES
            )
            latent = noise[:, k] + drawn * (arm == "high") + measured * trust
            columns[f"c{number}_{k + 1}"] = on_scale(latent, survey["true_level"][strategy])
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def items_of_trait() -> list[str]:
    """The columns of the items on trust."""
    return [f"trust_{k}" for k in range(1, len(coping.TRAITS[MEASURED]) + 1)]


def codebook(
    original: dict[str, Any], world: dict[str, Any], study: str, places: pd.DataFrame
) -> dict[str, Any]:
    """The codebook of a replication, from that of the experiment.

    `original` is the experiment's codebook and `places` are the rows of :func:`truth` of the study.
    """
    first, number = places.iloc[0], study.rpartition("_")[2]
    about = copy.deepcopy(original["study"]) | {
        "id": study,
        "title": f"Simulated replication {number} of the coping study in several countries",
        "label": f"Coping replication {number}",
        "country": str(first["country"]),
        "sector": str(first["sector"]),
        "role": CITIZENS,
    }
    del about["language"]

    def item(name: str, **about: str) -> dict[str, Any]:
        scale = {"min": int(first["low"]), "max": int(first["high"])}
        return {"name": name, "as": "item", **about, **scale, "missing": {DONT_KNOW: "dont_know"}}

    variables: list[dict[str, Any]] = [{"name": "nr", "as": "id"}]
    variables += [{"name": name, "as": name} for name in ("country", "sector", "role")]
    factors = {RANDOMISED: {"low": "low", "high": "high"}}
    variables += [{"name": "efficacy", "as": "factor", "randomised": True, "factors": factors}]
    for name, (reverse, _) in zip(items_of_trait(), coping.TRAITS[MEASURED], strict=True):
        keying = {"keying": "reverse"} if reverse else {}
        variables.append(item(name, construct=MEASURED, **keying))
    for c, conflict in enumerate(coping.CONFLICTS, start=1):
        for k, strategy in enumerate(coping.STRATEGIES, start=1):
            variables.append(item(f"c{c}_{k}", construct=strategy, vignette=conflict))
    return {
        "study": about,
        "file": {"name": f"{study}.csv", "format": "csv"},
        "variables": variables,
        "outcomes": list(coping.STRATEGIES),
        "exposures": [
            {"factor": RANDOMISED, "type": "randomised"},
            {"construct": MEASURED, "type": "measured"},
        ],
    }
