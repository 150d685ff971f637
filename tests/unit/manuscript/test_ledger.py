"""The ledger: each number of the prose leads to what it is made of, and the text stays the same."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT
from helpers.small_manuscript import PNG
from metastudy.common.problems import BadInput
from metastudy.manuscript.ledger import COLUMNS, Entry, entries, labels_linked, read
from metastudy.manuscript.ledger_links import FILTER, name_numbers, named
from metastudy.manuscript.pandoc import pandoc_path
from metastudy.manuscript.render import render
from metastudy.manuscript.source import read_sources

ARTICLE = """---
title: "A page of {{< var n.two >}}"
author: [{name: nobody in particular}]
date: 2026-02-03
abstract: |
  **{{< var frame >}}** The effect is {{< var effect.mean >}} SD.
provenance: Every number here is made up.
provenance-mark: Simulated data
---

## Results of {{< var n.two >}} {#sec-results}

The *effect* is {{< var effect.mean >}} ({{< var effect.interval >}}), "{{< var effect.mean >}}", of
{{< var n.word >}} studies [@one2001]. {{< var effect.summary >}} As {{< var who >}} say.

![Dots, {{< var effect.mean >}}.](figures/dots){#fig-dots fig-alt="Two at {{< var effect.mean >}}."}

::: {.callout-note title="Of {{< var n.two >}}"}
Again {{< var effect.mean >}}.
:::

## References {.unnumbered}

::: {#refs}
:::
"""
SUMMARY = "One raises it (0.50 SD, 95% interval \\u22120.10 to 1.10; open), and 3 of them do not."
VARIABLES = f"""n: {{two: "2", word: "two"}}
frame: "In 7 made-up studies"
who: "@one2001"
effect: {{mean: "0.50", interval: "\\u22120.10 to 1.10", summary: "{SUMMARY}"}}
"""
BIBLIOGRAPHY = "@article{one2001, author={One, A.}, title={A}, journal={J}, year={2001}}\n"
OF_A_FIT = {
    "estimands": ["main|effect|pay"],
    "modules": ["threat"],
    "fits": ["fits/threat.nc"],
    "tables": ["contrasts/threat.parquet"],
    "rules": ["harmonize", "fit", "contrast", "variables"],
    "studies": ["first"],
}
OF_NOTHING = {**{key: [] for key in OF_A_FIT}, "rules": ["variables"]}
MADE_OF = {
    "variables": {
        **dict.fromkeys(("effect.mean", "effect.interval", "effect.summary"), OF_A_FIT),
        **dict.fromkeys(("n.two", "n.word", "frame", "who"), OF_NOTHING),
    },
    "shown": {"figures/dots": {**OF_A_FIT, "rules": ["draw"], "rows": "figures/dots.csv"}},
    "studies": {
        "first": {
            "label": "First <b>survey</b>", "provenance": "simulated", "file": "answers.csv",
            "sha256": "ab" * 32, "tables": ["respondents"], "people": "<5",
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger") / "source"
    (folder / "figures").mkdir(parents=True)
    shutil.copytree(ROOT / "manuscript" / "assets", folder / "assets")
    text = (ROOT / "manuscript" / "_quarto.yml").read_text("utf-8")
    (folder / "_quarto.yml").write_text(re.sub(r"(?m)^  render:.*\n", "", text), "utf-8")
    (folder / "references.bib").write_text(BIBLIOGRAPHY, "utf-8")
    (folder / "_variables.yml").write_text(VARIABLES, "utf-8")
    (folder / "manuscript.qmd").write_text(ARTICLE, "utf-8")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    (folder / "figures" / "dots.svg").write_text(svg, "utf-8")
    (folder / "figures" / "dots.png").write_bytes(PNG)
    (folder.parent / "sources.json").write_text(json.dumps(MADE_OF), "utf-8")
    return folder


@pytest.fixture(scope="module")
def made(project: Path) -> Path:
    out = project.parent / "out"
    render(project, out, ["html"], ledger=project.parent / "sources.json")
    return out


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.partition("<body>")[2])).split())


def test_every_number_of_the_prose_is_a_link_to_its_row(made: Path) -> None:
    page = (made / "manuscript.html").read_text("utf-8")
    ledger = (made / "ledger.html").read_text("utf-8")
    links = re.findall(r'<a\s[^>]*href="ledger.html#([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    said = [(name, re.sub(r"<[^>]+>|\s+", " ", text).strip()) for name, text in links]
    rows = set(re.findall(r'<tr id="([^"]+)"', ledger))
    assert {name for name, _ in links} == {
        *("frame", "fig-dots"),
        *(n for n in rows if n.startswith("effect")),
    }
    assert [text.replace("\u00a0", " ") for name, text in said if name == "fig-dots"] == [
        "Figure 1"
    ]
    assert ("effect.interval", "−0.10 to 1.10") in said
    assert said.count(("effect.mean", "0.50")) == 5
    long = [text for name, text in said if name == "effect.summary"]
    assert long == ["0.50", "95%", "−0.10", "1.10", "3"]
    # the keyboard stops once at each use
    assert len(re.findall(r'tabindex="-1"[^>]*>|<a[^>]*tabindex="-1"', page)) == len(long) - 1
    assert "n.two" in rows  # used in a heading and a title, where nothing is a link


def test_the_way_back_leads_to_a_place_on_the_page(made: Path) -> None:
    page = (made / "manuscript.html").read_text("utf-8")
    back = re.findall(
        r'href="manuscript.html#of-([^"]+)"', (made / "ledger.html").read_text("utf-8")
    )
    there = re.findall(r'id="of-([^"]+)"', page)
    assert len(there) == len(set(there))
    # a number that is only in a title or a heading has no place on the page, and no way back
    assert set(there) == set(back)
    assert "n.two" not in back


def test_the_text_is_that_of_a_page_without_a_ledger(
    made: Path, project: Path, tmp_path: Path
) -> None:
    render(project, tmp_path, ["html"])
    plain = (tmp_path / "manuscript.html").read_text("utf-8")
    linked = (made / "manuscript.html").read_text("utf-8")
    assert words(linked) == words(plain)
    assert not re.search("[\ue000-\ue002]", linked)
    assert re.findall(r'alt="([^"]*)"', linked) == re.findall(r'alt="([^"]*)"', plain)
    assert not (tmp_path / "ledger.html").exists()
    assert "ledger" not in plain.partition("<body>")[2]


def test_the_table_has_the_files_and_digests_of_each_number(made: Path) -> None:
    with open(made / "ledger.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    found = {row["variable"]: row for row in rows}
    effects = {"effect.mean", "effect.interval", "effect.summary"}
    assert set(found) == {"n.two", "frame", "fig-dots", *effects}
    assert found["fig-dots"]["text"] == "results/figures/dots.csv"
    assert found["fig-dots"]["rules"] == "draw"
    mean = found["effect.mean"]
    assert mean["estimand"] == "main|effect|pay"
    assert mean["raw"] == f"first/answers.csv sha256:{'ab' * 32}"
    assert mean["harmonized"] == "results/harmonized/first/respondents.parquet"
    assert mean["fit"] == "results/fits/threat.nc"
    assert mean["rules"] == "harmonize > fit > contrast > variables"
    assert mean["places"].split("; ")[0] == "manuscript.qmd:5"  # of the key


def test_the_label_of_a_caption_leads_to_its_row_on_either_renderers_page() -> None:
    made_of = {"estimands": [], "modules": [], "fits": [], "tables": [], "rules": [], "studies": []}
    rows = [Entry(name, "", (), (), made_of) for name in ("fig-a", "tbl-b", "tbl-none", "fig-c")]
    quarto = (
        '<div id="fig-a" class="quarto-float"><figure><img><figcaption id="fig-a-caption-01">\n'
    )
    ours = '<figure class="table" id="tbl-b"><figcaption id="tbl-b-caption"><span>'
    bare = '<figure id="fig-c"></figure><figure id="tbl-d"><figcaption>'
    page = f"{quarto}Figure 1: x</figcaption>{ours}Table S2: y</figcaption>{bare}Table 3: z"
    found = labels_linked(page, rows, "ledger.html")
    assert links(found) == [("fig-a", "Figure 1"), ("tbl-b", "Table S2")]
    assert re.sub(r"</?a\b[^>]*>", "", found) == page


def test_the_page_asks_for_nothing_and_shows_labels_as_they_are(made: Path) -> None:
    page = (made / "ledger.html").read_text("utf-8")
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "<script" not in page
    assert "First &lt;b&gt;survey&lt;/b&gt;" in page
    assert "&lt;5" in page
    assert "Simulated data" in page.partition("<title>")[2].partition("</title>")[0]


def test_a_number_without_a_source_and_a_half_written_file_are_one_clear_error(
    project: Path, tmp_path: Path
) -> None:
    less = {**MADE_OF, "variables": {k: v for k, v in MADE_OF["variables"].items() if k != "frame"}}
    with pytest.raises(BadInput, match=r"nothing on frame, which is used at manuscript\.qmd:5"):
        entries(read_sources(project), less)
    half = tmp_path / "sources.json"
    half.write_text(json.dumps(MADE_OF)[:50], "utf-8")
    with pytest.raises(BadInput, match=r"(?s)sources\.json.*JSONDecodeError"):
        read(half)


def links(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<a\s[^>]*href="ledger.html#([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [(name, re.sub(r"<[^>]+>|\s+", " ", text).strip()) for name, text in found]


def by_the_filter(folder: Path, to: str) -> str:
    """What pandoc makes of named numbers with the filter that Quarto runs, variables put in."""
    values = read_sources(folder)[0].variables
    text = (folder / "manuscript.qmd").read_text("utf-8")
    text = re.sub(r"\{\{< var (\S+) >\}\}", lambda use: values[use[1]], text)
    command = [pandoc_path(), "--from=markdown", f"--to={to}", "--standalone", "--citeproc"]
    command += [f"--lua-filter={FILTER}", f"--bibliography={folder / 'references.bib'}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def test_the_filter_of_quarto_makes_the_links_of_our_own_page(
    made: Path, project: Path, tmp_path: Path
) -> None:
    own = (made / "manuscript.html").read_text("utf-8")
    copy = Path(shutil.copytree(project, tmp_path / "source"))
    name_numbers(copy, read_sources(project)[0].variables)
    page = by_the_filter(copy, "html")
    assert sorted(links(page)) == sorted(link for link in links(own) if link[0] != "fig-dots")
    ids = re.findall(r'id="(of-[^"]+)"', page)
    assert sorted(ids) == sorted(re.findall(r'id="(of-[^"]+)"', own))
    assert "from-ledger" not in page
    word = by_the_filter(copy, "plain")
    assert "ledger" not in word
    assert "of 0.50 SD" not in word
    assert "−0.10 to 1.10" in word
    filters = yaml.safe_load((copy / "_quarto.yml").read_text("utf-8"))["filters"]
    assert filters.index("quarto") < filters.index("assets/ledger-quarto.lua")
    assert (copy / "assets" / "ledger-quarto.lua").is_file()


def test_only_numbers_of_running_text_are_named_for_quarto() -> None:
    variables = {"n": "2", "word": "two", "who": "@one2001"}
    use = "{{< var n >}}"
    span = f'[{use}]{{.from-ledger variable="n"}}'
    for text, expected in (
        (f"There are {use}, {use}.", f"There are {span}, {span}."),
        (f"| {use} | 3 |", f"| {span} | 3 |"),
        (f": Of {use} {{#tbl-a}}", f": Of {span} {{#tbl-a}}"),
        (
            f'![{use}](figures/x){{#fig-x fig-alt="{use}"}}',
            f'![{span}](figures/x){{#fig-x fig-alt="{use}"}}',
        ),
    ):
        assert named(text, variables) == expected
    same = (
        "{{< var word >}} and {{< var who >}} and {{< var unknown >}}",
        f"## Results of {use} {{#sec-a}}",
        f'::: {{.callout-note title="Of {use}"}}',
        f"`{use}` and ${use}$",
        f"$$\nx = {use}\n$$ {{#eq-a}}",
        f"```\n{use}\n```",
        f"[of {use}](page.html)",
        f"---\ntitle: {use}\nabstract: none\nkeywords: [{use}]\n---",
    )
    for text in same:
        assert named(text, variables) == text
    front = f"---\nabstract: |\n  Of {use}.\ndate: {use}\n---\n{use}"
    assert named(front, variables) == f"---\nabstract: |\n  Of {span}.\ndate: {use}\n---\n{span}"


def test_both_filters_make_the_same_links_of_a_number() -> None:
    """Quarto loads a filter from a program of its own, so it cannot share a file with ours."""
    assets = ROOT / "workflow" / "metastudy" / "manuscript" / "assets"
    both = [(assets / name).read_text("utf-8") for name in ("qmd.lua", "ledger-quarto.lua")]
    for name in ("to_ledger", "parted", "each_number"):
        found = [
            re.search(rf"^local function {name}\(.*?^end$", text, re.MULTILINE | re.DOTALL)
            for text in both
        ]
        ours, theirs = (match[0] if match else None for match in found)
        assert ours is not None
        assert ours == theirs, name
