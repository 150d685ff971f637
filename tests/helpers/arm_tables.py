"""One study of arms in every shape of its table and every kind of file, from the same people."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from helpers.raw_studies import harmonized
from helpers.raw_studies import study as study_of
from helpers.scored_arms import TAIL, TWO, arms_of, correlation, of_arms, people
from metastudy.harmonize.harmonize import Harmonized

LABELS = {TWO[0]: "Own job", TWO[1]: "Service"}
OUTCOMES = f"outcomes: [{', '.join(TWO)}]\n"
SITE = "variables:\n  - {name: nr, as: id}\n  - {name: home, as: site}\n"
FACTOR = (
    "  - {name: arm, as: factor, randomised: true,"
    " factors: {task_type: {1: complementary, 2: core}}}\n"
)
SCALES = ", ".join(
    f"{LABELS[c]}: {{construct: {c}, min: 1, max: 7{key}}}"
    for c, key in zip(TWO, ("", ", keying: reverse"), strict=True)
)
OUTCOME = f"  - {{name: outcome, as: outcome, scales: {{{SCALES}}}}}\n"
LEVELS = {1: "complementary", 2: "core"}
COLUMNS = [f"{name}_{construct}" for construct in TWO for name in ("m", "sd")]


def a_row_an_arm() -> tuple[pd.DataFrame, str]:
    book = of_arms(TWO, correlation())
    name = f"m_{TWO[1]}, as: mean, construct: {TWO[1]}, min: 1, max: 7"
    assert name in book
    return arms_of(people()), book.replace(name, name + ", keying: reverse")


def a_row_a_place() -> tuple[pd.DataFrame, str]:
    table = arms_of(people())
    wide = table.pivot(index="home", columns="arm", values=["n", "r", *COLUMNS])
    wide.columns = [f"{name}_{arm}" for name, arm in wide.columns]
    wide = wide.reset_index().astype({f"n_{arm}": int for arm in LEVELS})
    wide.insert(0, "nr", range(1, len(wide) + 1))
    book = SITE
    for arm, level in LEVELS.items():
        of = f", arm: {{task_type: {level}}}}}\n"
        book += f"  - {{name: n_{arm}, as: people{of}"
        book += f"  - {{name: r_{arm}, as: correlation, constructs: [{', '.join(TWO)}]{of}"
        for c, key in zip(TWO, ("", ", keying: reverse"), strict=True):
            book += f"  - {{name: m_{c}_{arm}, as: mean, construct: {c}, min: 1, max: 7{key}{of}"
            book += f"  - {{name: sd_{c}_{arm}, as: sd, construct: {c}{of}"
    return wide, book + OUTCOMES + TAIL


def a_row_an_outcome() -> tuple[pd.DataFrame, str]:
    rows = [
        {
            "home": row["home"], "arm": row["arm"], "outcome": LABELS[c], "n": row["n"],
            "m": row[f"m_{c}"], "sd": row[f"sd_{c}"], "r": row["r"] if c == TWO[0] else "",
        }
        for row in arms_of(people()).to_dict("records")
        for c in TWO
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(0, "nr", range(1, len(table) + 1))
    book = SITE + FACTOR + OUTCOME + "  - {name: n, as: people}\n  - {name: m, as: mean}\n"
    return table, book + "  - {name: sd, as: sd}\n" + correlation() + OUTCOMES + TAIL


def a_row_a_place_and_outcome() -> tuple[pd.DataFrame, str]:
    table, _ = a_row_an_outcome()
    wide = table.pivot(index=["home", "outcome"], columns="arm", values=["n", "m", "sd", "r"])
    wide.columns = [f"{name} {arm}" for name, arm in wide.columns]
    wide = wide.reset_index()
    wide.insert(0, "nr", range(1, len(wide) + 1))
    book = SITE + OUTCOME
    for arm, level in LEVELS.items():
        of = f", arm: {{task_type: {level}}}}}\n"
        for name, role in (("n", "people"), ("m", "mean"), ("sd", "sd")):
            book += f"  - {{name: {name} {arm}, as: {role}{of}"
        book += f"  - {{name: r {arm}, as: correlation, constructs: [{', '.join(TWO)}]{of}"
    return wide, book + OUTCOMES + TAIL


SHAPES = {
    "wide": a_row_a_place,
    "outcomes": a_row_an_outcome,
    "wide outcomes": a_row_a_place_and_outcome,
}


def workbook(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_excel(stream, index=False)
    return stream.getvalue()


def readme(table: pd.DataFrame) -> bytes:
    lines = [list(map(str, table.columns)), ["---"] * table.shape[1]]
    lines += table.astype("str").to_numpy().tolist()
    rows = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return f"# The study\n\nIts arms:\n\n{rows}".encode()


def text(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


FILES = {
    "csv": ("arms.csv", text),
    "xlsx": ("arms.xlsx", workbook),
    "markdown": ("README.md", readme),
}


def made(
    folder: Path, table: pd.DataFrame, book: str, form: str = "csv", keys: str = ""
) -> Harmonized:
    name, write = FILES[form]
    head = f"file: {{name: {name}, format: {form}{keys}}}\n"
    where = study_of(folder / "small", name, write(table), head + book)
    path = where / "codebook.yaml"
    said = path.read_text("utf-8")
    said = said.replace("provenance: simulated", "provenance: simulated\n  clustered: false")
    path.write_text(said, "utf-8")
    return harmonized(where)
