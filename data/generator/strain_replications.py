"""Interviews about strain in several countries and sectors: study folders with their codebooks.

Each study looks for some of the codes, in several countries and sectors, and one of them speaks
with people of two roles. How often a code is there differs by sector, country and study, in all
codes of a family together and in each code by itself. The latter have no normal distribution: a
code is common in one sector in five and a little rarer in the others, a few countries stand far
out, and studies spread evenly. Organisations differ in size, and coders err in some codes more than
in others. Every other study is a REFI-QDA project, the others are a matrix of source by code.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

import interviews
from draw import expit, logit, stream
from formats import QDA, guid, write_delimited, write_qdpx
from transcripts import transcript

__all__ = ["LIKE", "NONE", "SECTION", "accuracy", "asked", "codebook", "codes", "hold"]
__all__ += ["level", "part", "role_effect", "truth", "units", "write"]

LIKE = "frontline_interviews"  # whose codes these studies look for, under the same names
SECTION = "strain_replications"
NONE: dict[str, Any] = {  # the section in a world that does not speak of them
    "studies": 0,  # each place, a country and a sector, belongs to one of them, in turn
    "countries": [],  # keys of config/vocabulary.yaml
    "sectors": [],
    "organisations": 0,  # of all places, which get them in turn
    "interviews": 40,  # of a study with people of one role
    "roles": ["professional"],  # in every study
    "more_roles": [],  # in the first study as well
    "coders": ["Coder 1", "Coder 2", "Coder 3"],
    "double_coded": 0.25,  # share of interviews that two coders read
    "left_out": 3,  # a study does not look for every third code; the next study for other ones
    "true_prevalence": {},  # by family and code: share of interviews in an organisation like any
    "true_effect_role": {},  # by family: what people of more_roles have beyond others, in logits
    "true_effect_role_code_sd": 0.0,  # of a code's own part in it
    "true_family_sd": {},  # by grouping: of what all codes of a family have in common, in logits
    "true_code_sd": {},  # by grouping: of a code's own part
    "true_organisation_sd": 0.0,  # of an organisation's level over all codes
    "true_organisation_code_sd": 0.0,
    "true_sensitivity": 0.85,
    "true_specificity": 0.95,
    "true_accuracy_code_sd": 0.0,  # of either between codes, in logits
}
GROUPINGS = ("study", "country", "sector")
ONE_IN = 5  # sectors in which a code is common


def common_in_few(rng: np.random.Generator, n: int) -> np.ndarray:
    """Two values with mean zero and standard deviation one, the higher one time in five."""
    high = np.sqrt(ONE_IN - 1)
    return np.where(rng.random(n) < 1 / ONE_IN, high, -1 / high)


def far_out(rng: np.random.Generator, n: int) -> np.ndarray:
    """Student-t with five degrees of freedom and standard deviation one."""
    return rng.standard_t(5, n) * np.sqrt(3 / 5)


def evenly(rng: np.random.Generator, n: int) -> np.ndarray:
    """Uniform with mean zero and standard deviation one."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), n)


SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "sector": common_in_few,
    "country": far_out,
    "study": evenly,
}


def codes(world: dict[str, Any]) -> dict[str, str]:
    """The codes in their order, each with its family."""
    of_family = world[SECTION]["true_prevalence"].items()
    return {code: family for family, shares in of_family for code in shares}


def asked(world: dict[str, Any], study: str) -> list[str]:
    """The codes that a study looks for: not for every third, and the next one not for others."""
    number, step = number_of(study), world[SECTION]["left_out"]
    return [code for i, code in enumerate(codes(world)) if (i + number) % step]


def name_of(study: int) -> str:
    """Name of a study, which is its folder's."""
    return f"strain_replication_{study + 1}"


def number_of(study: str) -> int:
    """Its number, from one on."""
    return int(study.rpartition("_")[2])


def units(world: dict[str, Any]) -> pd.DataFrame:
    """The organisations, a row for each role in them, with their numbers of interviews.

    Returns `study`, `country`, `sector`, `organisation`, `role` and `interviews`, at least two.
    """
    mine = world[SECTION]
    columns = ["study", "country", "sector", "organisation", "role"]
    places = list(itertools.product(mine["countries"], mine["sectors"]))
    rows = []
    for organisation in range(mine["organisations"] if places else 0):
        at = organisation % len(places)
        study = name_of(at % mine["studies"])
        for role in roles(world, study):
            rows.append((study, *places[at], f"Organisation {organisation + 1}", role))
    table = pd.DataFrame(rows, columns=columns).sort_values("study", kind="stable")
    sizes = [
        2 + rng.multinomial(
            mine["interviews"] * len(roles(world, str(study))) - 2 * len(own),
            rng.dirichlet(np.full(len(own), 3.0)),
        )
        for study, own in table.groupby("study", sort=False)
        for rng in [stream(world["seed"], f"{study} sizes")]
    ]  # fmt: skip
    return table.assign(interviews=np.concatenate([*sizes, []]).astype(int)).reset_index(drop=True)


def roles(world: dict[str, Any], study: str) -> list[str]:
    """The roles of the people that a study speaks with."""
    mine = world[SECTION]
    return [*mine["roles"], *(mine["more_roles"] if number_of(study) == 1 else ())]


def part(world: dict[str, Any], grouping: str, level: str) -> np.ndarray:
    """What one level of a grouping adds to each code, in log-odds; shape (code,).

    It depends on nothing but the seed and the names, so a level that no study has can be asked for.
    """
    mine, of = world[SECTION], list(codes(world).values())
    rng = stream(world["seed"], f"{SECTION} {grouping} {level}")
    families = list(mine["true_prevalence"])
    shift = mine["true_family_sd"].get(grouping, 0.0) * rng.standard_normal(len(families))
    own = mine["true_code_sd"].get(grouping, 0.0) * SHAPES[grouping](rng, len(of))
    return np.array([shift[families.index(family)] for family in of]) + own


def role_effect(world: dict[str, Any]) -> np.ndarray:
    """What the second role has in each code beyond the first, in log-odds; shape (code,)."""
    mine, of = world[SECTION], list(codes(world).values())
    rng = stream(world["seed"], f"{SECTION} role")
    mean = np.array([mine["true_effect_role"].get(family, 0.0) for family in of])
    return mean + mine["true_effect_role_code_sd"] * rng.standard_normal(len(of))


def between_organisations(world: dict[str, Any], organisation: str) -> np.ndarray:
    """What an organisation adds to each code, in log-odds; shape (code,)."""
    mine = world[SECTION]
    rng = stream(world["seed"], f"{SECTION} {organisation}")
    own = mine["true_organisation_code_sd"] * rng.standard_normal(len(codes(world)))
    return mine["true_organisation_sd"] * rng.standard_normal() + own


def level(world: dict[str, Any], places: pd.DataFrame) -> np.ndarray:
    """Log-odds of each code in an organisation like any of each place; shape (place, code).

    `places` has `study`, `country`, `sector` and `role`, which may be new ones.
    """
    shares = world[SECTION]["true_prevalence"].values()
    base = np.array([logit(share) for family in shares for share in family.values()])
    found = np.tile(base, (len(places), 1))
    for grouping in GROUPINGS:
        own = {name: part(world, grouping, name) for name in places[grouping].unique()}
        found += np.stack([own[name] for name in places[grouping]])
    second = places["role"].isin(world[SECTION]["more_roles"]).to_numpy()
    return found + second[:, None] * role_effect(world)


def truth(world: dict[str, Any]) -> pd.DataFrame:
    """The rows of :func:`units` with a column for each code.

    It holds the share of interviews in which the code is truly present, whether or not the study
    looks for it.
    """
    table = units(world)
    if table.empty:
        return table
    own = {o: between_organisations(world, o) for o in table["organisation"].unique()}
    log_odds = level(world, table) + np.stack([own[o] for o in table["organisation"]])
    return table.assign(**dict(zip(codes(world), expit(log_odds).T, strict=True)))


def accuracy(world: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Sensitivity and specificity of the coders in each code; shape (code,) each."""
    mine = world[SECTION]
    rng = stream(world["seed"], f"{SECTION} accuracy")
    own = mine["true_accuracy_code_sd"] * rng.standard_normal((2, len(codes(world))))
    sensitivity, specificity = logit(mine["true_sensitivity"]), logit(mine["true_specificity"])
    return expit(sensitivity + own[0]), expit(specificity + own[1])


def write(world: dict[str, Any], raw: Path, original: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Simulate the studies, each into its folder under `raw`, with its codebook.

    `original` is the codebook of the study whose codes they look for. Returns study: file: SHA-256.
    """
    made: dict[str, dict[str, str]] = {}
    known = truth(world)
    for study, own in known.groupby("study", sort=False) if len(known) else ():
        name = str(study)
        held = hold(world, name, own)
        book = codebook(original, world, name, own)
        path = raw / name / book["file"]["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        (as_matrix if book["file"]["format"] == "matrix" else as_project)(world, name, held, path)
        text = yaml.safe_dump(book, sort_keys=False)
        (path.parent / "codebook.yaml").write_text(text, encoding="utf-8")
        made[name] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    return made


def hold(
    world: dict[str, Any], study: str, own: pd.DataFrame
) -> list[tuple[dict[str, str], interviews.Interview]]:
    """The interviews of a study, read by their coders, each with what is known of it."""
    mine, looked_for = world[SECTION], asked(world, study)
    rng = stream(world["seed"], study)
    at = [list(codes(world)).index(code) for code in looked_for]
    sensitivity, specificity = (errors[at] for errors in accuracy(world))
    total, pairs = int(own["interviews"].sum()), list(combinations(mine["coders"], 2))
    double = rng.permutation(total)[: round(mine["double_coded"] * total)]
    pair_of = {int(i): pairs[k % len(pairs)] for k, i in enumerate(double)}
    found = []
    for unit in own.to_dict("records"):
        about = {name: unit[name] for name in ("organisation", "country", "sector", "role")}
        shares = np.array([unit[code] for code in looked_for])
        for _ in range(unit["interviews"]):
            number = len(found)
            coders = pair_of.get(number, (mine["coders"][rng.integers(len(mine["coders"]))],))
            present = rng.random(len(shares)) < shares
            applied: dict[str, set[str]] = {}
            for coder in coders:
                chance = np.where(present, sensitivity, 1 - specificity)
                for i in np.flatnonzero(rng.random(len(shares)) < chance):
                    applied.setdefault(looked_for[i], set()).add(coder)
            where = (about["country"], about["sector"], 0)
            found.append((about, interviews.Interview(number + 1, *where, coders, applied)))
    return found


Held = Sequence[tuple[dict[str, str], interviews.Interview]]


def as_matrix(world: dict[str, Any], study: str, held: Held, path: Path) -> None:
    """Write a row for each interview and coder, and a column for each code."""
    rows: list[dict[str, object]] = [
        {"interview": one.id, **about, "coder": coder}
        | {code: int(coder in one.applied.get(code, ())) for code in asked(world, study)}
        for about, one in held
        for coder in one.coders
    ]
    write_delimited(path, rows, delimiter=",", encoding="utf-8")


def as_project(world: dict[str, Any], study: str, held: Held, path: Path) -> None:
    """Write a REFI-QDA project: a case for each interview, and its text with coded passages."""
    rng = stream(world["seed"], f"{study} texts")
    head = {"xmlns": QDA, "name": f"{study} (simulated)", "origin": "data/generator"}
    project = ET.Element("Project", head | {"creationDateTime": interviews.STAMP})
    users = ET.SubElement(project, "Users")
    for coder in world[SECTION]["coders"]:
        ET.SubElement(users, "User", guid=guid("user", coder), name=coder)
    tree = ET.SubElement(ET.SubElement(project, "CodeBook"), "Codes")
    for code in asked(world, study):
        ET.SubElement(tree, "Code", guid=guid("code", code), name=code, isCodable="true")
    parents = [ET.SubElement(project, name) for name in ("Variables", "Cases", "Sources")]
    variables, cases, sources = parents
    names = ["Interview", "Organisation", "Country", "Sector", "Role", "Coders"]
    for name in names:
        key = guid("variable", name)
        ET.SubElement(variables, "Variable", guid=key, name=name, typeOfVariable="Text")
    texts = {}
    for about, one in held:
        case = ET.SubElement(cases, "Case", guid=guid("case", one.id), name=one.id)
        values = [one.id, *about.values(), "; ".join(one.coders)]
        for name, value in zip(names, values, strict=True):
            holder = ET.SubElement(case, "VariableValue")
            ET.SubElement(holder, "VariableRef", targetGUID=guid("variable", name))
            ET.SubElement(holder, "TextValue").text = value
        ET.SubElement(case, "SourceRef", targetGUID=guid("source", one.id))
        file = f"{guid('text', one.id)}.txt"
        source = ET.SubElement(
            sources,
            "TextSource",
            guid=guid("source", one.id),
            name=one.id,
            plainTextPath=f"internal://{file}",
            creationDateTime=interviews.STAMP,
        )
        text, sentences = transcript(rng, interviews.FILLER, windows=False)
        interviews.add_selections(rng, source, one, text, sentences)
        texts[file] = text.encode()
    write_qdpx(path, project, texts)


def codebook(
    original: dict[str, Any], world: dict[str, Any], study: str, own: pd.DataFrame
) -> dict[str, Any]:
    """The codebook of a study; `own` are its units."""
    made, looked_for = copy.deepcopy(original), asked(world, study)
    project = number_of(study) % 2 == 1
    made["study"] |= {
        "id": study,
        "title": f"Simulated interviews {number_of(study)} in several countries and sectors",
        "label": f"Strain {number_of(study)}",
        "country": own["country"].iloc[0],
        "sector": own["sector"].iloc[0],
        "role": own["role"].iloc[0],
    }
    names = ["interview", "organisation", "country", "sector", "role"]
    variables = [
        {"name": name.capitalize() if project else name, "as": kind}
        for name, kind in zip(names, ["id", "site", *names[2:]], strict=True)
    ]
    if project:
        made["file"] = {"name": f"{study}.qdpx", "format": "qdpx"}
        variables.append({"name": "Coders", "as": "coders", "separator": ";"})
    else:
        made["file"] = {"name": f"{study}.csv", "format": "matrix"}
        variables.append({"name": "coder", "as": "coder"})
    made["variables"] = variables
    made["codes"] = {code: original["codes"][code] for code in looked_for}
    made["outcomes"] = list(made["codes"].values())
    several = len(roles(world, study)) > 1
    made["exposures"] = [{"attribute": "role", "type": "measured"}] if several else []
    return made
