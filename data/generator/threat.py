"""Volunteers as a threat: a vignette experiment among the staff of Danish nursing homes (SPSS).

One vignette in four versions (core or complementary tasks, low or high degree of involvement),
three items on each of three threats, four on work motivation. Persons work in homes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from draw import answers, balanced, correlated, lapses
from formats import write_sav

ARMS = {  # code of the version: core tasks?, high degree?, label
    1: (0, 0, "Supplerende opgaver, lav grad"),
    2: (1, 0, "Kerneopgaver, lav grad"),
    3: (0, 1, "Supplerende opgaver, høj grad"),
    4: (1, 1, "Kerneopgaver, høj grad"),
}

AGREE = {7: {1: "Helt uenig", 7: "Helt enig"}, 5: {1: "Helt uenig", 5: "Helt enig"}}
DECLARED = {97: "Ikke relevant", 98: "Ved ikke", 99: "Uoplyst"}  # user-missing in the SPSS file
UNDECLARED = {9: "Ved ikke", 99: "Uoplyst"}  # labelled only: SPSS takes them for answers

BATTERIES = {  # in the order of the questionnaire: variable: (reverse-keyed?, text)
    "threat_quality": {
        "kval_1": (False, "Kvaliteten af plejen bliver ringere, når frivillige hjælper"),
        "kval_2": (True, "Plejen er lige så god, når frivillige løser opgaverne"),
        "kval_3": (False, "Jeg er bekymret for beboernes sikkerhed, når frivillige hjælper"),
    },
    "threat_profession": {
        "fag_1": (False, "Frivillige svækker vores fags anseelse"),
        "fag_2": (True, "Vores fag står lige så stærkt, selv om frivillige hjælper til"),
        "fag_3": (False, "Frivillige løser opgaver, som bør være forbeholdt vores fag"),
    },
    "threat_job": {
        "job_1": (False, "Frivillige overtager på sigt mine arbejdsopgaver"),
        "job_2": (True, "Jeg er tryg i min ansættelse, selv om der kommer frivillige"),
        "job_3": (False, "Jeg er bekymret for at miste mit arbejde på grund af frivillige"),
    },
    "work_motivation": {
        "mot_1": (False, "Jeg glæder mig til at gå på arbejde"),
        "mot_2": (False, "Mit arbejde giver mig energi"),
        "mot_3": (True, "Jeg har svært ved at finde lysten til mit arbejde"),
        "mot_4": (False, "Jeg yder gerne en ekstra indsats på mit arbejde"),
    },
}
HIGH = {"threat_quality": 7, "threat_profession": 7, "threat_job": 7, "work_motivation": 5}
DECLARES = ("threat_quality", "threat_profession")  # batteries with declared missing codes
LAPSES = ("dont_know", "not_stated", "not_relevant", "left_blank")

LABELS = {  # background variables: text, value labels
    "lbnr": ("Løbenummer", {}),
    "dato": ("Dato for besvarelsen", {}),
    "samtykke": ("Samtykke til at deltage", {1: "Ja", 2: "Nej"}),
    "hjem": ("Kommune og plejehjem", {}),
    "region": (
        "Region",
        {1: "Hovedstaden", 2: "Sjælland", 3: "Syddanmark", 4: "Midtjylland", 5: "Nordjylland"},
    ),
    "stilling": (
        "Stilling",
        {1: "Social- og sundhedsassistent", 2: "Social- og sundhedshjælper"},
    ),
    "koen": ("Køn", {1: "Kvinde", 2: "Mand", 9: "Uoplyst"}),
    "alder": (
        "Aldersgruppe",
        {1: "18-29 år", 2: "30-44 år", 3: "45-59 år", 4: "60 år og derover", 99: "Uoplyst"},
    ),
    "anciennitet": ("Anciennitet på plejehjemmet (år)", {999: "Uoplyst"}),
    "version": ("Vignettens version", {code: text for code, (*_, text) in ARMS.items()}),
    "version_txt": ("Vignettens version (tekst)", {}),
    **{f"version_{code}": (f"Version: {ARMS[code][2]}", {0: "Nej", 1: "Ja"}) for code in ARMS},
}


def write(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the experiment and write it as an SPSS file to `path`."""
    people = respondents(world, rng)
    data = pd.concat([people, answer_batteries(world, rng, people)], axis=1)
    data = leave_early(world, rng, data)
    items = {name: text for battery in BATTERIES.values() for name, (_, text) in battery.items()}
    write_sav(
        path,
        data,
        file_label="Simulerede data: frivillige på plejehjem",
        column_labels={name: text for name, (text, _) in LABELS.items()} | items,
        variable_value_labels={name: labels for name, (_, labels) in LABELS.items() if labels}
        | {
            name: AGREE[HIGH[construct]] | (DECLARED if construct in DECLARES else UNDECLARED)
            for construct, battery in BATTERIES.items()
            for name in battery
        },
        missing_ranges={
            name: [{"lo": min(DECLARED), "hi": max(DECLARED)}]
            for construct in DECLARES
            for name in BATTERIES[construct]
        },
        variable_measure=dict.fromkeys(LABELS, "nominal") | {"anciennitet": "scale"},
        variable_format={"lbnr": "F6.0", "anciennitet": "F6.1"},
    )


def respondents(world: dict, rng: np.random.Generator) -> pd.DataFrame:
    """One row a person: homes of unequal size in municipalities, the version drawn at random."""
    n, homes = world["respondents"], world["homes"]
    municipality = np.arange(homes) % world["municipalities"]
    region = rng.integers(1, 6, world["municipalities"])
    home = np.sort(rng.choice(homes, n, p=rng.dirichlet(np.full(homes, 4.0))))
    arm = balanced(rng, list(ARMS), n)
    day = rng.integers(1, 29, n)
    month = rng.integers(2, 5, n)
    tenure = np.round(rng.gamma(1.6, 5.0, n).clip(0.1, 44.5), 1)
    return pd.DataFrame(
        {
            "lbnr": 1001.0 + np.arange(n),
            "dato": [f"{d:02d}-{m:02d}-2018" for d, m in zip(day, month, strict=True)],
            "samtykke": 1.0,
            "hjem": [f"K{municipality[h] + 1:02d}-H{h + 1:02d}" for h in home],
            "region": region[municipality[home]].astype(float),
            "stilling": rng.choice([1.0, 2.0], n, p=[0.6, 0.4]),
            "koen": rng.choice([1.0, 2.0, 9.0], n, p=[0.90, 0.09, 0.01]),
            "alder": rng.choice([1.0, 2.0, 3.0, 4.0, 99.0], n, p=[0.14, 0.30, 0.40, 0.15, 0.01]),
            "anciennitet": np.where(rng.random(n) < 0.01, 999.0, tenure),
            "version": arm.astype(float),
            "version_txt": [ARMS[a][2] for a in arm],
            **{f"version_{code}": (arm == code).astype(float) for code in ARMS},
        }
    )


def constructs(world: dict, rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """What a person feels, in standard deviations: person and home, and the version's effects."""
    names = list(BATTERIES)
    k, icc = len(names), world["true_home_icc"]
    correlation = np.full((k, k), world["true_threat_correlation"])
    correlation[-1, :] = correlation[:, -1] = world["true_motivation_correlation"]
    np.fill_diagonal(correlation, 1.0)
    home, homes = pd.factorize(people["hjem"])
    felt = np.sqrt(1 - icc) * correlated(rng, len(people), correlation)
    felt += np.sqrt(icc) * rng.standard_normal((len(homes), k))[home]
    core, high = (people["version"].map(lambda a, i=i: ARMS[int(a)][i]) for i in (0, 1))
    felt += np.outer(core, [world["true_effect_task_type"][name] for name in names])
    felt += np.outer(high, [world["true_effect_involvement_degree"][name] for name in names])
    return pd.DataFrame(felt, columns=names)


def answer_batteries(world: dict, rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Turn what persons feel into ticked answers, some of which are no answer."""
    felt, loading = constructs(world, rng, people), world["true_item_loading"]
    items = {}
    for construct, battery in BATTERIES.items():
        codes = (98.0, 99.0, 97.0) if construct in DECLARES else (9.0, 99.0, np.nan)
        for name, (reverse, _) in battery.items():
            noise = rng.standard_normal(len(people))
            latent = loading * felt[construct] + np.sqrt(1 - loading**2) * noise
            ticked = answers(latent, world["true_level"][construct], 1, HIGH[construct], reverse)
            lapse = lapses(rng, len(people), [world[why] for why in LAPSES])
            items[name] = np.where(lapse > 0, np.array([np.nan, *codes, np.nan])[lapse], ticked)
    return pd.DataFrame(items)


def leave_early(world: dict, rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Blank what a person never reached: all for want of consent, or all after breaking off."""
    n = len(data)
    shuffled = rng.permutation(n)
    counts = [
        round(world[why] * n)
        for why in ("no_consent", "breakoff_before_outcomes", "breakoff_between_batteries")
    ]
    refused, at_once, halfway, _ = np.split(shuffled, np.cumsum(counts))
    data.loc[refused, "samtykke"] = 2.0
    names = list(data.columns)
    begins = [names.index(next(iter(battery))) for battery in BATTERIES.values()]
    reached = np.full(n, len(names))  # how many columns a person got to
    reached[refused] = names.index("samtykke") + 1
    reached[at_once] = begins[0]
    reached[halfway] = rng.choice(begins[1:], len(halfway))
    for column, name in enumerate(names):
        blank = "" if isinstance(data[name].iloc[0], str) else np.nan
        data[name] = data[name].mask(reached <= column, blank)
    return data
