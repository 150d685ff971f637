"""Variants of whole files: their bytes, the format they are said to have, where they lie."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

from helpers.good_studies import (
    CODED,
    DELIMITED,
    FORM,
    FORMATS,
    Variant,
    dta,
    rezipped,
    sav,
    workbook,
)
from helpers.variants.registry import ANSWERED, BOOK, GRIDS, Maker, broken
from helpers.variants.texts import mark_of


# --- bytes ---------------------------------------------------------------------------------------
@broken("empty file", FORMATS)
def _(v: Variant) -> None:
    v.content = b""


@broken("one byte", FORMATS)
def _(v: Variant) -> None:
    v.content = b"\n"


def cut(share: float) -> Maker:
    def maker(v: Variant) -> None:
        whole = v.bytes()
        keep = int(len(whole) * share)
        while v.kind in DELIMITED and whole[keep - 1 : keep] in b"\n\r":
            keep -= 1
        if v.kind in DELIMITED:  # within a row, so that the row has too few cells
            keep = whole.rindex(mark_of(v).encode(), 0, keep)
        v.content = whole[:keep]

    return maker


broken("cut off at a third", FORMATS)(cut(1 / 3))
broken("cut off at nine tenths", FORMATS)(cut(0.9))
broken("cut off near the end", FORMATS)(cut(0.99))
broken("cut off in the head", ("xlsx", "parquet", "sav", "dta", "qdpx"))(cut(0.02))


@broken("random bytes", FORMATS)
def _(v: Variant) -> None:
    v.content = random.Random(8).randbytes(5000)


@broken("right start, random rest", ("xlsx", "parquet", "sav", "dta", "qdpx"))
def _(v: Variant) -> None:
    v.content = v.bytes()[:200] + random.Random(9).randbytes(5000)


@broken("zeros in the middle", ("xlsx", "parquet", "sav", "dta", "qdpx"))
def _(v: Variant) -> None:
    whole = v.bytes()
    fifth = len(whole) // 5  # the fourth of five, where the data are
    v.content = whole[: 3 * fifth] + bytes(fifth) + whole[4 * fifth :]


@broken("PDF instead", FORMATS)
def _(v: Variant) -> None:
    v.content = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + random.Random(3).randbytes(900)


@broken("gzip instead", FORMATS)
def _(v: Variant) -> None:
    import gzip

    v.content = gzip.compress(v.bytes())


HUGE = "x" * 10_000_000


@broken("cell of 10 MB", [one for one in GRIDS if one not in ("sav", "xlsx", "dta")])
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "home" if v.kind != "matrix" else "place", HUGE)


@broken("cell of 10 MB in a column that is not used", ("csv", "semicolon", "qualtrics", "parquet"))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "remark", HUGE)


@broken("cell of 10 MB", ("xlsx",))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "home", "MARK-OF-A-CELL")
    v.content = rezipped(workbook(v.grid), _stuff)


def _stuff(members: dict[str, bytes]) -> None:
    for name, content in members.items():
        # Repeated words pack too well for an honest file; these do not.
        long = " ".join(f"{i:x}" for i in range(1_600_000)).encode()
        members[name] = content.replace(b"MARK-OF-A-CELL", long)


@broken("cell of 10 MB", ("qdpx",))
def _(v: Variant) -> None:
    v.project.cases[3]["values"]["V1"] = HUGE


@broken("cell of 10 MB", ("segments",))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "passage", HUGE)


@broken("text of 10 MB that is a transcript", ("qdpx",))
def _(v: Variant) -> None:
    long = " ".join(f"{i:x}" for i in range(1_600_000))
    v.project.members["Sources/S2.txt"] = str(v.project.members["Sources/S2.txt"]) + long


@broken("column of numbers with 30000 digits", ("csv", "parquet", "xlsx"))
def _(v: Variant) -> None:
    v.grid.put(ANSWERED, "q1", "4" * 30_000)


# --- SPSS and Stata ------------------------------------------------------------------------------
@broken("value labels swapped", ("sav", "dta"))
def _(v: Variant) -> None:
    labels = {"q1": {1.0: "Agree fully", 7.0: "Do not agree at all"}}
    v.content = {"sav": sav, "dta": dta}[v.kind](v.grid, variable_value_labels=labels)


@broken("declared missing without a reason", ("sav",))
def _(v: Variant) -> None:
    v.content = sav(v.grid, missing_ranges={"q1": [{"lo": 96, "hi": 96}, 98.0, 99.0]})


@broken("declared missing with a reason", ("sav",))
def _(v: Variant) -> None:
    v.content = sav(v.grid, missing_ranges={"q1": [{"lo": 98, "hi": 99}]})


@broken("declared missing without a reason", ("dta",))
def _(v: Variant) -> None:
    data = v.grid
    data.put(ANSWERED, "q1", "a")

    from pyreadstat import write_dta

    from helpers.good_studies import frame, written

    table = frame(data)
    table["q1"] = [None if one == "" else one if one == "a" else float(one) for one in table["q1"]]
    table["q1"] = table["q1"].astype(object)
    v.content = written(
        lambda made, path: write_dta(made, path, missing_user_values={"q1": ["a"]}), table
    )


# --- formats -------------------------------------------------------------------------------------
def declared_as(form: str) -> Maker:
    def maker(v: Variant) -> None:
        other = Variant(v.kind)
        coded = form in CODED
        if coded != (v.kind in CODED):  # the codebook must fit the format that it declares
            v.codebook = Variant(form if coded else "csv").codebook
            v.say(re.search(r"file: .*\n", str(v.codebook)).group(), _file_of(other))  # type: ignore[union-attr]
        if v.kind in CODED and coded:
            v.codebook = Variant(form).codebook
            v.say(re.search(r"file: .*\n", str(v.codebook)).group(), _file_of(other))  # type: ignore[union-attr]
        v.say(f"format: {FORM[v.kind]}", f"format: {form}")
        if form != "segments":
            v.codebook = re.sub(r", cases: \w+\.csv", "", str(v.codebook))
        if form not in ("csv", "qualtrics", "matrix", "segments"):
            v.codebook = re.sub(r", (delimiter|decimal): ('.'|\"..\")", "", str(v.codebook))

    return maker


def _file_of(v: Variant) -> str:
    found = re.search(r"file: .*\n", str(v.codebook))
    assert found
    return found.group()


for form in dict.fromkeys(FORM.values()):
    others = [one for one in FORMATS if FORM[one] != form]
    broken(f"declared as {form}", others)(declared_as(form))

broken("no format declared", [one for one in FORMATS if one not in ("matrix", "legacy")])(
    lambda v: v.say(f", format: {FORM[v.kind]}", "")
)
broken("no format declared where two are plausible", ("matrix", "legacy"))(
    lambda v: v.say(f", format: {FORM[v.kind]}", "")
)


# --- places --------------------------------------------------------------------------------------
@broken("data file missing", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: (folder / v.name).unlink())


@broken("folder instead of the data file", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: ((folder / v.name).unlink(), (folder / v.name).mkdir()))


def _linked(folder: Path, name: str) -> None:
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)


@broken("link to the data file", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _linked(folder, v.name))


def _looped(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(folder / name)


@broken("link to itself", BOOK)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _looped(folder, v.name))


def _piped(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)


@broken("pipe instead of the data file", BOOK)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: _piped(folder, v.name))


@broken("data file may not be read", FORMATS)
def _(v: Variant) -> None:
    v.steps.append(lambda folder: (folder / v.name).chmod(0))


@broken("simulated flag, real file", FORMATS)
def _(v: Variant) -> None:
    v.say("provenance: observed", "provenance: simulated")


@broken("simulated flag, other file in the manifest", BOOK)
def _(v: Variant) -> None:
    v.say("provenance: observed", "provenance: simulated")
    v.manifest = f"small: {{answers.csv: {'0' * 64}}}\n"


@broken("observed flag, simulated file", FORMATS)
def _(v: Variant) -> None:
    v.manifest = f"small: {{{v.name}: DIGEST}}\n"


@broken("observed flag, simulated file of another study", BOOK)
def _(v: Variant) -> None:
    v.manifest = "another: {its.csv: DIGEST}\n"


broken("manifest missing", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder.parent / "manifest.yaml").unlink())
)


@broken("manifest no YAML", BOOK)
def _(v: Variant) -> None:
    v.manifest = "small: {answers.csv: [\n"


broken("codebook missing", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder / "codebook.yaml").unlink())
)
broken("codebook is a folder", BOOK)(
    lambda v: v.steps.append(
        lambda folder: (
            (folder / "codebook.yaml").unlink(),
            (folder / "codebook.yaml").mkdir(),
        )
    )
)
broken("codebook may not be read", BOOK)(
    lambda v: v.steps.append(lambda folder: (folder / "codebook.yaml").chmod(0))
)
