"""Write the true values of the simulated world's effects: data/truth.csv.

``python tools/true_values.py --out data/truth.csv [--people 1000000]`` generates the shipped world
(data/generator/world.yaml) with many more people than the studies have and takes each effect from
their answers as the article defines it: scores in SDs of the people at the reference level of every
randomised factor, slopes of measured traits from one regression on all of them. So a truth is the
value of what is estimated, never a number of the world file, which is about what people feel. Codes
have closed forms: means over organisations of the probabilities with which they are present.

The same people answer in a world without effects as well. Each effect there is zero by
construction, so what is found there is sampling error alone and is taken away: what has no effect
comes out as exactly zero, and the rest with a fraction of its error (a control variate).

The seed is the world's own. Nothing is read from the workflow, so that neither can hide a mistake
of the other.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
GENERATOR = ROOT / "data" / "generator"
sys.path.insert(0, str(GENERATOR))

import cases  # noqa: E402
import coping  # noqa: E402
import interviews  # noqa: E402
import threat  # noqa: E402
from draw import logit, stream  # noqa: E402
from generate import load_world  # noqa: E402

__all__ = [
    "COLUMNS",
    "digest",
    "effects",
    "main",
    "of_answers",
    "of_codes",
    "probabilities",
    "scores",
    "true_values",
]

COLUMNS = [
    "module",
    "study",
    "data",  # SHA-256 of the study's data file, which the truth is about
    "exposure",
    "level",  # population, study (in one vignette) or code
    "outcome",
    "vignette",
    "metric",
    "truth",
    "se",  # Monte Carlo error of the truth; zero for a closed form
]
BATCH = 50_000  # people generated at once, at most
LEAST_BATCHES = 10  # whose spread is the Monte Carlo error
LEAST = 2 / 3  # share of a construct's items that must be answered
WORLD = GENERATOR / "world.yaml"

Answers = Callable[[dict, np.random.Generator, int], pd.DataFrame]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def true_values(people: int, world: Path = WORLD) -> pd.DataFrame:
    """The truth of each effect of the world, columns :data:`COLUMNS`.

    Parameters
    ----------
    people : respondents generated for each study of answers, in batches of at most 50,000.
    world : the world file.
    """
    real, null = load_world(world), load_world(world, ["true_effect_scale=0"])
    found = [of_answers(study, make, real, null, people) for study, make in ANSWERS.items()]
    found += [of_codes(study, real) for study in CODES]
    table = pd.concat(found, ignore_index=True)
    files = yaml.safe_load((ROOT / "data/raw/manifest.yaml").read_text("utf-8"))
    table["data"] = [next(iter(files[study].values())) for study in table["study"]]
    return table[COLUMNS]


# Answers: each study's people, as its data file would have them before anything is left out.


def _experiment_on_threat(world: dict, rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Homes are as large as in the study, so that there are many more of them."""
    more = n / world["respondents"]
    sizes = {name: round(world[name] * more) for name in ("homes", "municipalities")}
    own = world | sizes | {"respondents": n}
    people = threat.respondents(own, rng)
    return pd.concat([people, threat.answer_batteries(own, rng, people)], axis=1)


def _exported(write: Callable[[dict, np.random.Generator, Path], None]) -> Answers:
    """The rows that an export to Qualtrics is given, without those who leave and come again."""

    def made(world: dict, rng: np.random.Generator, n: int) -> pd.DataFrame:
        rows: list[dict] = []
        leave_out = dict.fromkeys(coping.LEAVING, 0) | {"analysable": n}
        kept = {
            "blemish": lambda world, rng, rows, words, **_: rows,
            "care": lambda *_, **__: None,
            "weigh": lambda *_, **__: None,
            "write_qualtrics": lambda path, questions, given, **_: rows.extend(given),
        }
        with _instead(coping, **kept):
            write(world | leave_out, rng, Path())
        return pd.DataFrame(rows)

    return made


ANSWERS: Mapping[str, Answers] = {
    "threat_experiment": _experiment_on_threat,
    "coping_survey": _exported(coping.write_survey),
    "coping_experiment": _exported(coping.write_experiment),
}


def of_answers(study: str, make: Answers, real: dict, null: dict, people: int) -> pd.DataFrame:
    """The true effects of a study of answers, by batches of people.

    Parameters
    ----------
    study : its name in the world.
    make : generates so many people of it.
    real, null : the world, and the same without effects.
    people : how many.
    """
    book, vocabulary = _codebook(study), _vocabulary()
    batches = max(LEAST_BATCHES, round(people / BATCH))
    found = []
    for batch in range(batches):
        with_effects, without = (
            effects(
                book,
                vocabulary,
                make(
                    world[study], stream(world["seed"], f"truth {study} {batch}"), people // batches
                ),
            )
            for world in (real, null)
        )
        found.append(with_effects - without)
    values = pd.concat(found, axis=1)  # a row per exposure, outcome, vignette and metric
    mean_over_vignettes = values.groupby(level=["exposure", "outcome", "metric"], sort=False).mean()
    mean_over_vignettes = mean_over_vignettes.xs("sd", level="metric", drop_level=False)
    tables = []
    for level, mine in (("population", mean_over_vignettes), ("study", values)):
        table = mine.mean(axis=1).rename("truth").to_frame()
        table["se"] = mine.std(axis=1, ddof=1) / np.sqrt(batches)
        tables.append(table.reset_index().assign(level=level))
    table = pd.concat(tables, ignore_index=True).fillna({"vignette": ""})
    module = [_module(vocabulary, "constructs", name) for name in table["outcome"]]
    return table.assign(study=study, module=module)


def effects(book: dict, vocabulary: dict, data: pd.DataFrame) -> pd.Series:
    """Effects in SDs and in per cent of the scale, by exposure, outcome, vignette and metric."""
    score = scores(book, data)
    columns, at_reference = {}, np.ones(len(data), dtype=bool)
    for exposure in book["exposures"]:
        if "construct" in exposure:
            name = exposure["construct"]
            trait = score[[c for c in score if c[0] == name]].mean(axis=1)
            values = (trait - trait.mean()) / trait.std(ddof=1)
        else:
            name = exposure["factor"]
            reference, other = vocabulary["factors"][name]["levels"]
            level = _levels(book, name, data)
            values = (level == other) * 1.0 - 0.5
            at_reference &= np.asarray(level == reference)
        columns[f"{name}_{exposure['type']}"] = values.to_numpy()
    x = pd.DataFrame(columns)
    known = x.notna().all(axis=1).to_numpy()
    found = {}
    for outcome in [c for c in score if c[0] in book["outcomes"]]:
        y = score[outcome].to_numpy()
        use = known & ~np.isnan(y)
        design = np.column_stack([np.ones(use.sum()), x[use]])
        slopes = np.linalg.lstsq(design, y[use], rcond=None)[0][1:]
        sd = y[use & at_reference].std(ddof=1)
        for name, slope in zip(x, slopes, strict=True):
            found[(name, *outcome, "sd")] = slope / sd
            found[(name, *outcome, "pomp")] = slope
    names = ["exposure", "outcome", "vignette", "metric"]
    return pd.Series(found).rename_axis(index=names)


def scores(book: dict, data: pd.DataFrame) -> pd.DataFrame:
    """Scores of people on each construct in each vignette, in per cent of the scale.

    Parameters
    ----------
    book : a codebook, whose variables say what an answer means.
    data : answers as they were given, a column per variable.

    Returns
    -------
    Columns (construct, vignette); NaN where less than two thirds of the items were answered.
    """
    items: dict[tuple[str, str], list[pd.Series]] = {}
    for variable in book["variables"]:
        if variable["as"] != "item":
            continue
        given = data[variable["name"]]
        number = given.map(variable["values"]) if "values" in variable else given.astype(float)
        number = number.where(number.between(variable["min"], variable["max"]))
        share = 100 * (number - variable["min"]) / (variable["max"] - variable["min"])
        if variable.get("keying") == "reverse":
            share = 100 - share
        items.setdefault((variable["construct"], variable.get("vignette", "")), []).append(share)
    found = {}
    for name, own in items.items():
        table = pd.concat(own, axis=1)
        enough = table.notna().sum(axis=1) >= LEAST * len(own) - 1e-9
        found[name] = table.mean(axis=1).where(enough)
    return pd.DataFrame(found)


def _levels(book: dict, factor: str, data: pd.DataFrame) -> pd.Series:
    for variable in book["variables"]:
        if variable["as"] == "factor" and factor in variable["factors"]:
            return data[variable["name"]].map(variable["factors"][factor])
    raise SystemExit(f"error: no variable of the codebook has the factor `{factor}`")


# Codes: the module that generates them, what an interview's side is called, its organisation.
CODES: Mapping[str, tuple[ModuleType, str, str]] = {
    "frontline_interviews": (interviews, "country", "organisation"),
    "coping_cases": (cases, "role", "initiative"),
}


def of_codes(study: str, world: dict) -> pd.DataFrame:
    """The true effects on codes, from the probabilities that the generator draws presence from.

    In log-odds an effect is a code's mean difference, over organisations, between its log-odds on
    one side of the exposure and on the other, as if every interview were on that side; a family has
    the mean of its codes. As a difference of shares it is that between the organisations at hand.
    """
    book, vocabulary = _codebook(study), _vocabulary()
    module, attribute, unit = CODES[study]
    (exposure,) = book["exposures"]
    name = exposure["attribute"]
    variable = next(v for v in book["variables"] if v["as"] == name)
    if name == attribute:
        side_of = dict(variable["values"])
    else:  # the exposure follows from another variable, as an arrangement does from a country
        side_of = {place: variable["values"][text] for place, text in module.ARRANGEMENT.items()}
    reference, other = vocabulary["factors"][name]["levels"]
    held = probabilities(study, world)
    side = np.array([side_of[getattr(interview, attribute)] for interview in held[0]])
    shares = held[1][side == other].mean(axis=0) - held[1][side == reference].mean(axis=0)

    def moved(level: str) -> pd.DataFrame:
        place = next(place for place, of in side_of.items() if of == level)
        people, p = probabilities(study, world, lambda i: setattr(i, attribute, place))
        units = [getattr(interview, unit) for interview in people]
        return pd.DataFrame(np.vectorize(logit)(p)).groupby(units).mean()

    contrast = (moved(other) - moved(reference)).mean()
    codes = [book["codes"][code] for code in world[study]["true_prevalence"]]
    table = pd.DataFrame({"outcome": codes, "log_odds": contrast, "probability": shares})
    # Zero but for rounding is zero.
    table["log_odds"] = table["log_odds"].where(table["log_odds"].abs() > 1e-12, 0.0)
    family = table["outcome"].map(lambda code: vocabulary["codes"][code]["family"])
    means = table.groupby(family, sort=False)["log_odds"].mean().rename_axis("outcome")
    rows = [
        means.rename("truth").reset_index().assign(level="population", metric="log_odds"),
        table.melt("outcome", var_name="metric", value_name="truth").assign(level="code"),
    ]
    found = pd.concat(rows, ignore_index=True)
    (of_module,) = {_module(vocabulary, "codes", code) for code in codes}
    return found.assign(
        module=of_module, study=study, exposure=f"{name}_{exposure['type']}", vignette="", se=0.0
    )


def probabilities(
    study: str, world: dict, change: Callable[[Any], None] = lambda interview: None
) -> tuple[list[Any], np.ndarray]:
    """The shipped interviews of a study, and the probability of each code in each of them."""
    module = CODES[study][0]
    rng = stream(world["seed"], study)
    held = module.hold(world[study], rng)
    for interview in held:
        change(interview)
    seen: list[np.ndarray] = []
    expit = module.expit

    def listening(x: np.ndarray) -> np.ndarray:
        seen.append(expit(x))
        return seen[-1]

    with _instead(module, expit=listening):
        module.read(world[study], rng, held)
    return held, np.array(seen)


def _codebook(study: str) -> dict:
    path = ROOT / "data" / "raw" / study / "codebook.yaml"
    return yaml.safe_load(path.read_text("utf-8"))


def _vocabulary() -> dict:
    return yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text("utf-8"))


def _module(vocabulary: dict, section: str, name: str) -> str:
    return vocabulary["families"][vocabulary[section][name]["family"]]["module"]


@contextmanager
def _instead(module: ModuleType, **functions: Any) -> Iterator[None]:
    """Put other functions in place of those of a module, and put them back."""
    own = {name: getattr(module, name) for name in functions}
    try:
        for name, function in functions.items():
            setattr(module, name, function)
        yield
    finally:
        for name, function in own.items():
            setattr(module, name, function)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Write the true values of the simulated world.")
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "truth.csv")
    parser.add_argument("--people", type=int, default=1_000_000, help="per study of answers")
    options = parser.parse_args()
    table = true_values(options.people)
    head = (
        "# Written by tools/true_values.py: the true value of each effect in the simulated world.\n"
        f"# world {digest(WORLD)}\n"
        f"# people {options.people}\n"
    )
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    options.out.write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
