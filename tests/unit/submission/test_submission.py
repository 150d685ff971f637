"""A submission: blinded, with figures for print, data that may go, statements and checklists."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml
from PIL import Image

from helpers.repository import ROOT
from helpers.small_manuscript import staged
from metastudy.common.keyed_checksum import keyed
from metastudy.common.problems import MetastudyError
from metastudy.submission import blind, checklists
from metastudy.submission.make import Inputs, made

AUTHOR, ADDRESS = "Ada Example-Person", "https://forge.example.org/ada/repository"
ARTICLE = f"""---
title: "A page"
author:
  - name: {AUTHOR}
    email: ada@example.org
date: 2026-02-03
abstract: A text by {AUTHOR}.
provenance: Every number here is made up.
provenance-mark: Simulated data
---

## Results {{#sec-results}}

The code is at {ADDRESS}. As @fig-dots and @tbl-studies show.

![Dots.](figures/evidence_map){{#fig-dots fig-alt="Two dots."}}

{{{{< include tables/_tbl-studies.md >}}}}
"""
TABLE = "| Study | n |\n|:--|--:|\n| First | 10 |\n\n: Studies. {#tbl-studies}\n"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36">'
    '<rect width="72" height="36" fill="#0072b2"/></svg>'
)
STUDIES = {
    "stand_in": {"provenance": "simulated"},
    "kept": {"provenance": "observed", "availability": "On request.", "licence": "none given"},
    "given": {"provenance": "observed", "share": "yes", "licence": "CC-BY-4.0"},
    "refused": {"provenance": "observed", "share": "no"},
}
KEY = b"a secret of the tests, long enough"
FITS = {"open": ["stand_in", "given"], "mixed": ["stand_in", "kept"]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("submission")
    source, results = folder / "source", folder / "results"
    (results / "cells").mkdir(parents=True)
    more = {"tables/_tbl-studies.md": TABLE, "figures/evidence_map.svg": SVG}
    staged(source, ARTICLE, more=more)
    picture = Image.new("RGB", (9, 9))
    picture.save(source / "figures" / "evidence_map.png")
    for study, said in STUDIES.items():
        raw, tables = folder / "data" / study, results / "harmonized" / study
        for place in (raw, tables):
            place.mkdir(parents=True)
        (raw / "answers.csv").write_text(f"secret of {study}\n", "utf-8")
        (raw / "codebook.yaml").write_text("study: {}\n", "utf-8")
        (tables / "respondents.parquet").write_text(f"rows of {study}", "utf-8")
        book = {**said, "title": f"Study {study}", "citation": "one2001"}
        report = {"study": study, "provenance": said["provenance"], "file": "answers.csv"}
        digest = hashlib.sha256((raw / "answers.csv").read_bytes()).hexdigest()
        whole = report | {"sha256": digest, "codebook": book}
        (tables / "report.json").write_text(json.dumps(whole), "utf-8")
    for fit in FITS:
        (results / "cells" / f"{fit}.nc").write_text("cells", "utf-8")
    (key := tmp_path_factory.mktemp("elsewhere") / "key").write_bytes(KEY)
    cff = {"license": "MIT", "repository-code": ADDRESS, "authors": [{"name": AUTHOR}]}
    (folder / "CITATION.cff").write_text(yaml.safe_dump(cff), "utf-8")
    return Inputs(
        source=source,
        harmonized=tuple(results / "harmonized" / study for study in STUDIES),
        data=folder / "data",
        results=results,
        repository=folder,
        project=folder,
        fits={name: {"studies": studies} for name, studies in FITS.items()},
        models={},
        seed=7,
        pseudonyms={"key": "public", "key_file": str(key)},
    )


@pytest.fixture(scope="module")
def folder(inputs: Inputs) -> Path:
    target = inputs.source.parent / "submission"
    made(inputs, target)
    return target


def test_no_author_and_no_address_is_in_the_blinded_manuscript(folder: Path) -> None:
    assert (folder / "blinded_manuscript.pdf").read_bytes()[:5] == b"%PDF-"
    with zipfile.ZipFile(folder / "blinded_manuscript.docx") as parts:
        whole = " ".join(parts.read(n).decode("utf-8", "replace") for n in parts.namelist())
    said = re.sub(r"<[^>]+>", "", whole)
    for hidden in (AUTHOR, "Ada", "forge.example.org", "ada@example.org"):
        assert hidden not in whole
        assert hidden not in said
    assert blind.BLINDED in said
    assert blind.ADDRESS in said
    assert AUTHOR in (folder / "title_page.md").read_text("utf-8")


def test_a_name_that_is_left_stops_it(inputs: Inputs, tmp_path: Path) -> None:
    source = shutil.copytree(inputs.source, tmp_path / "source")
    bib = "@article{one2001, author={Example-Person, Ada}, title={By Ada Example-Person}, "
    (source / "references.bib").write_text(bib + "journal={J}, year={2001}}\n", "utf-8")
    text = (source / "manuscript.qmd").read_text("utf-8") + "\n[@one2001]\n\n::: {#refs}\n:::\n"
    (source / "manuscript.qmd").write_text(text, "utf-8")
    with pytest.raises(MetastudyError, match=f"still holds '{AUTHOR}'"):
        made(Inputs(**{**vars(inputs), "source": source}), tmp_path / "out")


def test_a_figure_has_600_dots_an_inch_and_two_vector_formats(folder: Path) -> None:
    with Image.open(folder / "figures" / "Figure_1.png") as picture:
        assert picture.size == (600, 300)  # an inch by half an inch
        assert picture.info["dpi"] == pytest.approx((600, 600), abs=0.1)
        assert picture.getpixel((300, 150)) == (0, 0x72, 0xB2)
    assert (folder / "figures" / "Figure_1.svg").read_text("utf-8") == SVG
    assert (folder / "figures" / "Figure_1.pdf").read_bytes()[:5] == b"%PDF-"


def test_files_of_observed_studies_stay_unless_their_codebook_shares_them(folder: Path) -> None:
    there = {p.relative_to(folder / "data").as_posix() for p in (folder / "data").rglob("*.*")}
    assert there == {
        *(f"raw/{s}/{n}" for s in ("stand_in", "given") for n in ("answers.csv", "codebook.yaml")),
        *(f"harmonized/{s}/respondents.parquet" for s in ("stand_in", "given")),
        *(f"harmonized/{s}/report.json" for s in ("stand_in", "given")),
        "cells/open.nc",
    }
    everything = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    for study in ("kept", "refused"):
        assert f"secret of {study}".encode() not in everything
        assert f"rows of {study}".encode() not in everything


def test_statement_and_readme_have_licence_and_availability_of_each_file(folder: Path) -> None:
    said = (folder / "data_and_code.md").read_text("utf-8")
    rows = {
        line.split(" | ")[0].strip("| "): line for line in said.splitlines() if "Study " in line
    }
    assert "CC-BY-4.0 | not stated | yes" in rows["Study given"]
    assert "none given | On request. | no: observed" in rows["Study kept"]
    assert "not stated | not stated | no" in rows["Study refused"]
    assert "that of the code" in rows["Study stand_in"]
    readme = (folder / "README.md").read_text("utf-8")
    heads = re.findall(r"^## (.+)$", readme, re.MULTILINE)
    assert heads[1:3] == ["Data Availability and Provenance Statements", "Dataset list"]
    assert "| Figure 1 | `draw` | workflow/metastudy/article/topics/pooling.py" in readme
    assert "| Table 1 | `tabulate` | workflow/metastudy/article/topics/studies.py" in readme
    assert "Data of 2 of 4 studies cannot go" in readme


def test_a_file_that_stays_has_name_size_and_keyed_checksum_and_no_bare_one(
    inputs: Inputs, folder: Path
) -> None:
    said = (folder / "data_and_code.md").read_text("utf-8")
    whole = said + (folder / "README.md").read_text("utf-8")
    for study, may in (("given", True), ("stand_in", True), ("kept", False), ("refused", False)):
        path = inputs.data / study / "answers.csv"
        content = path.read_bytes()
        assert (hashlib.sha256(content).hexdigest() in whole) is may
        row = f"| `raw/{study}/answers.csv` | {len(content)} | `{keyed(content, KEY)}` |"
        assert (row in said.splitlines()) is not may
    assert "| `cells/mixed.nc` | 5 |" in said


@pytest.mark.parametrize("name", checklists.LISTS)
def test_an_item_has_its_place_or_says_that_it_has_none(name: str, folder: Path) -> None:
    text = (folder / "checklists" / f"{name}.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert all(len(row) >= 3 for row in rows)
    assert any("Section 1" in row[2] for row in rows)
    assert any(checklists.NOT_THERE in row[2] for row in rows)  # of what this small article lacks
    assert all(row[3:] for row in rows if row[2] == "not applicable")


@pytest.mark.parametrize("name", checklists.LISTS)
def test_the_places_of_the_lists_are_in_the_shipped_documents(name: str) -> None:
    said = yaml.safe_load((checklists.FOLDER / f"{name}.yaml").read_text("utf-8"))
    text = "".join((ROOT / "manuscript" / f"{n}.qmd").read_text("utf-8") for n in
                   ("manuscript", "supplement"))  # fmt: skip
    known = set(re.findall(r"\{#([\w-]+)", text))
    known |= {f"tbl-{n.replace('_', '-')}" for n in re.findall(r"tables/_tbl-([\w-]+)\.md", text)}
    asked = {place for item in said["items"] for place in item.get("places", ())}
    assert asked
    assert [place for place in asked if not fnmatch.filter(known, place)] == []
    assert len({item["item"] for item in said["items"]}) == len(said["items"])
