"""The manuscript: every mistake is named, and one without mistakes gives the same files twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import typst
import yaml

from helpers.repository import ROOT
from helpers.small_manuscript import PNG
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.manuscript.checks import check
from metastudy.manuscript.checks.references import cited_by_variables
from metastudy.manuscript.pandoc import pandoc_path, typst_text
from metastudy.manuscript.quarto import choose_engine, run_quarto
from metastudy.manuscript.render import FORMATS, render
from metastudy.manuscript.source import read_source, read_sources
from metastudy.manuscript.staging import stage
from reference_docx import reference_document

MANUSCRIPT = ROOT / "manuscript"

ARTICLE = """---
title: "A small study of {{< var n.studies >}} folders"
author:
  - name: co-production meta-study contributors
date: 2026-02-03
provenance-mark: Simulated data
provenance: "Every number here is *made up*."
abstract: |
  The effect is {{< var effect.mean >}} [@one2001].
keywords: [testing, rendering]
---

## Introduction {#sec-intro}

As @one2001 said, see @sec-model, @fig-effects, @tbl-effects and @eq-line.

## Model {#sec-model}

$$ y = a + b x $$ {#eq-line}

::: {.callout-note title="Aside"}
A box about @eq-line.
:::

## Results {#sec-results}

The effect is {{< var effect.mean >}}.

![Effects by folder.](figures/effects){#fig-effects fig-alt="Two dots on a line." width=80%}

{{< include tables/_tbl-effects.md >}}

## References {.unnumbered}

::: {#refs}
:::
"""
TABLE = """| Name | Mean |
|:-----|-----:|
| left | {{< var effect.mean >}} |

: Effects. Simulated data. {#tbl-effects}
"""
BIBLIOGRAPHY = (
    "@article{one2001, author={One, A.}, title={A title}, journal={Journal}, year={2001}}\n"
)
VARIABLES = 'n: {studies: "two"}\neffect:\n  mean: "0.50"\n'
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60">'
    '<rect width="9" height="9"/></svg>'
)


SUPPLEMENT = """---
title: "Supplement"
author:
  - name: co-production meta-study contributors
date: 2026-02-03
provenance-mark: Simulated data
provenance: "Every number here is *made up*."
---

## Details {#sec-details}

### More of it {#sec-more}

$$ y = a $$ {#eq-more}

As @sec-model, @fig-effects and @eq-line of the article say, and @one2001.
See @tbl-more and @fig-more.

![More of it.](figures/effects){#fig-more fig-alt="Two dots again."}

{{< include tables/_tbl-more.md >}}

## References {.unnumbered}

::: {#refs}
:::
"""
ACROSS = "See [@tbl-more; @fig-effects], @fig-more, @sec-more, @eq-more and [-@tbl-more]."
PROJECT = re.compile(r"^project:.*?(?=^lang:)", re.DOTALL | re.MULTILINE)
ALONE = """project:
  type: manuscript
  output-dir: _manuscript

manuscript:
  article: manuscript.qmd

"""
BOTH = """project:
  type: default
  output-dir: _manuscript
  render: [manuscript.qmd, supplement.qmd]

"""


def _parts(tmp_path: Path) -> dict[str, Path]:
    places = {name: tmp_path / name for name in ("manuscript", "figures", "tables")}
    for place in places.values():
        place.mkdir()
    shutil.copytree(MANUSCRIPT / "assets", places["manuscript"] / "assets")
    project = PROJECT.sub(ALONE, (MANUSCRIPT / "_quarto.yml").read_text("utf-8"))
    (places["manuscript"] / "_quarto.yml").write_text(project, "utf-8")
    (places["manuscript"] / "manuscript.qmd").write_text(ARTICLE, "utf-8")
    (places["manuscript"] / "references.bib").write_text(BIBLIOGRAPHY, "utf-8")
    (places["tables"] / "_tbl-effects.md").write_text(TABLE, "utf-8")
    (places["figures"] / "effects.svg").write_text(SVG, "utf-8")
    (places["figures"] / "effects.png").write_bytes(PNG)
    variables = tmp_path / "_variables.yml"
    variables.write_text(VARIABLES, "utf-8")
    return {**places, "variables": variables}


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    """The four places that a manuscript is staged from."""
    return _parts(tmp_path)


@pytest.fixture
def project(parts: dict[str, Path], tmp_path: Path) -> Path:
    """A staged manuscript without mistakes."""
    folder = tmp_path / "source"
    stage(*parts.values(), folder)
    return folder


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small manuscript in all formats."""
    folder = tmp_path_factory.mktemp("rendered")
    stage(*_parts(folder).values(), folder / "source")
    render(folder / "source", folder / "out", list(FORMATS))
    return folder / "out"


def _with_supplement(project: Path) -> None:
    """Put a supplement beside the article, and references from each to the other."""
    (project / "supplement.qmd").write_text(SUPPLEMENT, "utf-8")
    more = TABLE.replace("#tbl-effects", "#tbl-more")
    (project / "tables" / "_tbl-more.md").write_text(more, "utf-8")
    _config(ALONE, BOTH)(project)
    _add(ACROSS)(project)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small manuscript and its supplement in all formats."""
    folder = tmp_path_factory.mktemp("both")
    stage(*_parts(folder).values(), folder / "source")
    _with_supplement(folder / "source")
    render(folder / "source", folder / "out", list(FORMATS))
    return folder / "out"


def _edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """A change of one place in one file of the staged folder."""

    def change(project: Path) -> None:
        text = (project / file).read_text("utf-8")
        assert old in text, f"the test's own text is gone: {old}"
        (project / file).write_text(text.replace(old, new, 1), "utf-8")

    return change


def _article(old: str, new: str) -> Callable[[Path], None]:
    return _edit("manuscript.qmd", old, new)


def _add(text: str) -> Callable[[Path], None]:
    """A paragraph more, before the results."""
    return _article("## Results", f"{text}\n\n## Results")


def _config(old: str, new: str) -> Callable[[Path], None]:
    return _edit("_quarto.yml", old, new)


# what is done to the manuscript, the code of the problem, and words that the message must hold
def _bomb() -> str:
    """A list of some hundred bytes that stands for a billion entries."""
    parts = ["&a0 [x, x, x, x, x, x, x, x, x, x]"]
    parts += [f"&a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    return f"[{', '.join(parts)}]"


MISTAKES = {
    "unknown variable": (_add("{{< var effect.men >}}"), "unknown-variable", "effect.mean"),
    "unknown variable in the abstract": (
        _article("is {{< var effect.mean >}} [", "is {{< var nothing >}} ["),
        "unknown-variable",
        "nothing",
    ),
    "unknown shortcode": (_add("{{< video x.mp4 >}}"), "shortcode", "video"),
    "shortcode that is not closed": (_add("{{< var effect.mean"), "shortcode", "one line"),
    "include inside a line": (_add("see {{< include a.md >}}"), "shortcode", "alone"),
    "include in an include": (
        _edit("tables/_tbl-effects.md", ": Eff", "{{< include x.md >}}\n\n: Eff"),
        "shortcode",
        "article itself",
    ),
    "missing include": (
        _article("_tbl-effects.md", "_tbl-efects.md"),
        "no-include",
        "_tbl-effects",
    ),
    "include from outside": (_add("{{< include ../secret.md >}}"), "shortcode", "inside"),
    "variable in a formula": (
        _add("$x = {{< var effect.mean >}}$"),
        "misplaced-variable",
        "formula",
    ),
    "variable in code": (_add("`{{< var effect.mean >}}`"), "misplaced-variable", "code"),
    "number without quotes": (_edit("_variables.yml", '"0.50"', "0.50"), "variable-type", "0.5"),
    "missing value": (_edit("_variables.yml", '"0.50"', ""), "variable-type", "NoneType"),
    "variable file that is no YAML": (
        _edit("_variables.yml", "n: {", "n: }{"),
        "yaml",
        "_variables",
    ),
    "missing figure": (_article("figures/effects)", "figures/efects)"), "no-figure", "efects.svg"),
    "missing figure of one format": (
        lambda project: (project / "figures/effects.png").unlink(),
        "no-figure",
        "effects.png",
    ),
    "drawing that was cut off": (
        lambda project: (project / "figures/effects.svg").write_text(SVG[:-9], "utf-8"),
        "half-figure",
        "effects.svg: no whole SVG",
    ),
    "picture that was cut off": (
        lambda project: (project / "figures/effects.png").write_bytes(PNG[:-1]),
        "half-figure",
        "effects.png: no whole PNG",
    ),
    "picture that is empty": (
        lambda project: (project / "figures/effects.png").write_bytes(b""),
        "half-figure",
        "no whole PNG (0 bytes)",
    ),
    "variable file that was cut off": (
        lambda project: (project / "_variables.yml").write_text(VARIABLES[:24], "utf-8"),
        "yaml",
        "_variables",
    ),
    "table that was cut off": (
        _edit("tables/_tbl-effects.md", ": Effects. Simulated data. {#tbl-effects}", ": Eff"),
        "unknown-reference",
        "no table of this id",
    ),
    "drawing for narrow screens that was cut off": (
        lambda project: (project / "figures/narrow_effects.svg").write_text(SVG[:-9], "utf-8"),
        "half-figure",
        "narrow_effects.svg: no whole SVG",
    ),
    "no alternative text": (_article(' fig-alt="Two dots on a line."', ""), "fig-alt", "fig-alt"),
    "empty alternative text": (_article("Two dots on a line.", ""), "fig-alt", "fig-alt"),
    "figure with an extension": (_article("effects)", "effects.svg)"), "figure", "extension"),
    "figure without an id": (_article("{#fig-effects ", "{"), "figure", "id"),
    "picture in a line": (_add("see ![x](figures/effects) here"), "figure", "running text"),
    "unknown figure": (_article("@fig-effects", "@fig-efects"), "unknown-reference", "fig-effects"),
    "unknown table": (_add("@tbl-nothing"), "unknown-reference", "tbl-effects"),
    "unknown section": (_add("@sec-nothing"), "unknown-reference", "sec-intro"),
    "unknown equation": (_add("@eq-nothing"), "unknown-reference", "eq-line"),
    "unknown citation": (_add("[see @two2002, p. 3]"), "unknown-citation", "two2002"),
    "reference with a prefix": (_add("[Figures @fig-effects]"), "reference", "by themselves"),
    "duplicate id": (_article("{#sec-model}", "{#sec-intro}"), "duplicate-id", "sec-intro"),
    "duplicate equation": (_add("$$ z $$ {#eq-line}"), "duplicate-id", "eq-line"),
    "id of another kind": (_article("{#sec-model}", "{#fig-model}"), "id-kind", "fig-model"),
    "code cell": (_add("```{python}\n1 + 1\n```"), "code-cell", "```{python}"),
    "code in a line": (_add("`{python} 1 + 1`"), "code-cell", "python"),
    "unknown callout": (
        _article(".callout-note", ".callout-notes"),
        "unknown-class",
        "callout-note,",
    ),
    "div of no class": (_add("::: {#x}\ntext\n:::"), "unknown-class", "callout"),
    "tabset": (_add("::: {.panel-tabset}\ntext\n:::"), "unknown-class", "panel-tabset"),
    "conditional content": (
        _add('::: {.content-visible when-format="html"}\ntext\n:::'),
        "unknown-attribute",
        "when-format",
    ),
    "div that is not closed": (
        _add('::: {.callout-tip title="x"}\ntext'),
        "pandoc-warning",
        "unclosed",
    ),
    "raw HTML": (_add("<b>bold</b>"), "raw", "<b>"),
    "raw TeX": (_add("\\newpage"), "raw", "newpage"),
    "heading of the first level": (_article("## Model", "# Model"), "heading", "Model"),
    "heading that skips a level": (_article("## Model", "#### Model"), "heading", "2 to 3"),
    "table without a caption": (
        _edit("tables/_tbl-effects.md", ": Effects. Simulated data. {#tbl-effects}", ""),
        "table",
        "caption",
    ),
    "widths that do not fit": (
        _edit("tables/_tbl-effects.md", "{#tbl-effects}", '{#tbl-effects tbl-colwidths="[1]"}'),
        "table",
        "2 numbers",
    ),
    "table glued to a paragraph": (
        _add("text\n| a | b |\n|---|---|\n| 1 | 2 |"),
        "markup",
        "blank line",
    ),
    "id that belongs to nothing": (_add("text {#eq-x}"), "markup", "{#eq-x}"),
    "formula that is no TeX": (_add("$\\frac{1}{$"), "pandoc-warning", "frac"),
    "misspelt key of the project": (_config("lang:", "langs:"), "unknown-key", "langs"),
    "misspelt key of a format": (_config("toc-depth", "toc-dept"), "unknown-key", "toc-depth"),
    "wrong type in the project": (_config("toc: true", "toc: maybe"), "schema", "toc"),
    "another kind of project": (
        _config("type: manuscript", "type: website"),
        "schema",
        "manuscript",
    ),
    "missing bibliography": (
        _config("references.bib", "reference.bib"),
        "no-file",
        "reference.bib",
    ),
    "misspelt key of the article": (_article("keywords:", "keyword:"), "unknown-key", "keyword"),
    "key that is there twice": (_article("date:", "title: again\ndate:"), "duplicate-key", "title"),
    "aliases of aliases": (
        _article("keywords:", f"bomb: {_bomb()}\nkeywords:"),
        "yaml",
        "aliases that stand for more",
    ),
    "date that is none": (_article("2026-02-03", "2026-02-31"), "schema", "2026-02-31"),
    "mark without its text": (_article("provenance: ", "subtitle: "), "schema", "provenance"),
    "unknown affiliation": (
        _article("contributors\n", "contributors\n    affiliations: [{ref: uni}]\n"),
        "affiliation",
        "uni",
    ),
    "no front matter": (_article("---\n", ""), "front-matter", "---"),
    "bibliography with a key twice": (
        lambda project: (project / "references.bib").write_text(BIBLIOGRAPHY * 2, "utf-8"),
        "bib",
        "one2001",
    ),
    "broken bibliography": (
        lambda project: (project / "references.bib").write_text("@article{one2001, a", "utf-8"),
        "pandoc",
        "references.bib",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_stops_the_manuscript_and_is_named(name: str, project: Path) -> None:
    change, code, words = MISTAKES[name]
    change(project)
    with pytest.raises(BadInput) as caught:
        render(project, project.parent / "out", ["html", "typst", "docx"])
    assert code in {problem.code for problem in caught.value.problems}, str(caught.value)
    assert words in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "\ue000" not in str(caught.value)
    assert not (project.parent / "out").exists()


def test_a_citation_in_an_unused_variable_matters_to_quarto_alone(project: Path) -> None:
    _edit("_variables.yml", "n: {", 'cited: "see [@two2002]"\nn: {')(project)
    render(project, project.parent / "out", ["html"])
    with pytest.raises(BadInput, match="cited, which cites @two2002"):
        render(project, project.parent / "out", ["html"], engine="quarto")


def test_what_is_no_citation_may_be_in_a_variable(project: Path) -> None:
    text = r'cited: "a@two.org, \\@two2002, @fig-x and @one2001."' + "\n"
    _edit("_variables.yml", "n: {", f"{text}n: {{")(project)
    assert not list(cited_by_variables(read_sources(project)[0]))


def test_all_mistakes_are_reported_together_with_file_and_row(project: Path) -> None:
    _add("{{< var a >}} @fig-x @nobody1900 {{< var b >}}\n\n<hr>")(project)
    _config("toc: true", "tok: true")(project)
    _edit("_variables.yml", '"two"', "2")(project)
    with pytest.raises(BadInput) as caught:
        render(project, project.parent / "out", ["html"])
    found = {(p.file, p.row, p.code) for p in caught.value.problems}
    row = ARTICLE[: ARTICLE.index("## Results")].count("\n") + 1
    assert {
        ("manuscript.qmd", row, "unknown-variable"),
        ("manuscript.qmd", row, "unknown-reference"),
        ("manuscript.qmd", row, "unknown-citation"),
        ("manuscript.qmd", row + 2, "raw"),
        ("_variables.yml", 1, "variable-type"),
    } <= found
    assert sum(code == "unknown-variable" for _, _, code in found) == 1
    assert len([p for p in caught.value.problems if p.code == "unknown-variable"]) == 2
    assert ("_quarto.yml", "unknown-key") in {(file, code) for file, _, code in found}


def test_a_mistake_in_a_table_names_the_file_that_the_workflow_wrote(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    (parts["tables"] / "_tbl-effects.md").write_text(TABLE.replace("effect.mean", "no.such"))
    names = stage(*parts.values(), tmp_path / "source")
    with pytest.raises(BadInput) as caught:
        render(tmp_path / "source", tmp_path / "out", ["html"], names=names)
    problem = caught.value.problems[0]
    assert problem.file == str(parts["tables"] / "_tbl-effects.md")
    assert problem.row == 3


def test_a_format_that_is_not_declared_is_refused(project: Path) -> None:
    _config("  jats:\n    default-image-extension: svg\n", "")(project)
    with pytest.raises(BadInput, match="no format jats"):
        render(project, project.parent / "out", ["jats"])


def test_an_error_of_the_filter_is_a_message(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metastudy.manuscript.render.check", lambda source: [])
    _article("@fig-effects", "@fig-efects")(project)
    with pytest.raises(BadInput, match="unknown cross-reference @fig-efects") as caught:
        render(project, project.parent / "out", ["html"])
    assert "qmd.lua" not in str(caught.value)


def test_a_failed_render_leaves_the_earlier_files(project: Path) -> None:
    out = project.parent / "out"
    render(project, out, ["html"])
    before = (out / "manuscript.html").read_bytes()
    _add("@fig-x")(project)
    with pytest.raises(BadInput):
        render(project, out, ["html"])
    assert (out / "manuscript.html").read_bytes() == before


@pytest.mark.parametrize("lost", ["effects.svg", "effects.png"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"<svg")])
def test_a_figure_that_is_lost_between_two_runs_costs_nothing_that_was_rendered(
    damage: Callable[[Path], object], lost: str, parts: dict[str, Path], tmp_path: Path
) -> None:
    options = ("--engine", "pandoc", "--formats", "html", "docx")
    assert _command(parts, tmp_path, *options).returncode == 0
    out = tmp_path / "out"
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert before.keys() == {"manuscript.html", "manuscript.docx", "render.json"}
    damage(parts["figures"] / lost)
    done = _command(parts, tmp_path, *options)
    assert done.returncode == 1
    assert lost in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


WITHOUT_FONTS = """
import sys
from pathlib import Path
import matplotlib.font_manager as fonts
own_fonts = fonts.findSystemFonts
def findSystemFonts(fontpaths=None, fontext="ttf"):
    return own_fonts(fontpaths, fontext) if fontpaths else []
fonts.findSystemFonts = findSystemFonts
fonts.fontManager = fonts._load_fontmanager(try_read_cache=False)
import matplotlib
assert all(f.fname.startswith(matplotlib.get_data_path()) for f in fonts.fontManager.ttflist)
import numpy as np, pandas as pd
from metastudy.display.plots import canvas
page = canvas.drawn(lambda table: canvas.Page(1.0, ["simulated"]).figure)(pd.DataFrame())
project, out = map(Path, sys.argv[1:])
canvas.save(page, out / "drawn.svg", out / "drawn.png")
from metastudy.manuscript.render import render
render(project, out, ["html", "typst", "docx"], asked="pandoc")
"""


def test_a_machine_without_fonts_makes_the_same_bytes(project: Path, tmp_path: Path) -> None:
    """Letters are those of matplotlib's and Typst's own packages, whatever is installed."""
    with_fonts, without = tmp_path / "with", tmp_path / "without"
    for folder in (with_fonts, without):
        folder.mkdir()
    empty = tmp_path / "fonts.conf"
    empty.write_text("<fontconfig></fontconfig>", "utf-8")
    lost = {"FONTCONFIG_FILE": str(empty), "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path)}
    here = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    program = WITHOUT_FONTS.splitlines()
    system = "\n".join(row for row in program if "font" not in row.lower())
    for text, folder, more in ((system, with_fonts, {}), (WITHOUT_FONTS, without, lost)):
        command = [sys.executable, "-c", text, str(project), str(folder)]
        done = subprocess.run(command, env=here | more, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    for path in with_fonts.iterdir():
        assert (without / path.name).read_bytes() == path.read_bytes(), path.name
    names = {path.name for path in with_fonts.iterdir()}
    assert names >= {"drawn.svg", "drawn.png", "manuscript.pdf", "manuscript.html"}


def test_two_runs_give_the_same_bytes(documents: Path, project: Path, tmp_path: Path) -> None:
    render(project, tmp_path / "again", list(FORMATS))
    for name in ("manuscript.html", "manuscript.pdf", "manuscript.docx", "manuscript.xml"):
        assert (tmp_path / "again" / name).read_bytes() == (documents / name).read_bytes(), name


def test_the_record_names_engine_tools_and_outputs(documents: Path) -> None:
    record = json.loads((documents / "render.json").read_text("utf-8"))
    assert record["engine"] == "pandoc"
    assert record["asked"] == "auto"
    assert record["tools"].keys() == {"pandoc", "typst"}
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in documents.glob("manuscript.*")
    }
    assert record["files"] == files
    assert len(files) == len(FORMATS)


def test_references_print_the_number_of_what_they_mean(documents: Path) -> None:
    page = _page(documents)
    page = re.sub("<script.*?</script>", "", page, flags=re.DOTALL)
    for text in ("Section 2", "Figure 1", "Table 1", "Equation 1"):
        assert re.search(rf'class="xref"[^>]*>{spaced(text)}</a>', page), text
    for name in ("sec-model", "fig-effects", "tbl-effects", "eq-line"):
        assert page.count(f'id="{name}"') == 1
    assert "@" not in re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)


def test_the_page_has_alternative_texts_and_makes_no_request(documents: Path) -> None:
    page = _page(documents)
    assert 'alt="Two dots on a line."' in page
    assert not re.findall(r'(?:src|<link[^>]*href)="(?!data:)[^"#]+"', page)
    assert "url(http" not in page


def test_variables_and_captions_are_in_the_page(documents: Path) -> None:
    page = _page(documents)
    assert page.count("0.50") == 3
    assert "Figure 1:" in page
    assert "Table 1:" in page
    assert "3 February 2026" in page
    assert "<h1>A small study of two folders</h1>" in page


def test_the_pdf_claims_pdf_ua_and_is_tagged(documents: Path) -> None:
    pdf = (documents / "manuscript.pdf").read_bytes()
    assert b"pdfuaid" in pdf
    assert b"/StructTreeRoot" in pdf
    assert b"<</Marked true" in pdf.replace(b" <<", b"<<") or b"/Marked true" in pdf


def test_alternative_text_reaches_pdf_and_word(documents: Path, project: Path) -> None:
    text, problems = typst_text(read_source(project))
    assert not problems
    assert 'alt: "Two dots on a line."' in text
    assert 'alt: "y = a + b x"' in text
    assert 'descr="Two dots on a line."' in _word(documents)


def test_the_mark_of_simulated_data_is_in_every_format(documents: Path, project: Path) -> None:
    page = _page(documents)
    assert page.index('<aside class="provenance"') < page.index("<h1>")
    assert "<strong>Simulated data.</strong> Every number here is <em>made up</em>." in page
    assert "<title>[Simulated data]" in page
    typst, _ = typst_text(read_source(project))
    assert "provenance: [Every number here is #emph[made up].]" in typst
    assert "provenance-mark: [Simulated data]" in typst
    word = re.sub(r"<[^>]+>", "", _word(documents))
    assert "Simulated data. Every number here is made up." in word
    if shutil.which("pdftotext"):
        command = ["pdftotext", str(documents / "manuscript.pdf"), "-"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        pages = printed.rstrip("\f").split("\f")
        assert all("Simulated data" in page for page in pages)
        assert "Every number here is made up." in pages[0]


def test_the_mark_is_where_machines_look(documents: Path) -> None:
    marked = "[Simulated data] A small study of two folders"
    page = _page(documents)
    assert f'<meta name="citation_title" content="{marked}">' in page
    assert '<meta name="citation_keywords" content="Simulated data">' in page
    assert '<meta name="robots" content="noindex">' in page
    with zipfile.ZipFile(documents / "manuscript.docx") as archive:
        properties = ET.fromstring(archive.read("docProps/core.xml"))
    dublin = "{http://purl.org/dc/elements/1.1/}"
    assert properties.findtext(f"{dublin}title") == marked
    assert properties.findtext(f"{dublin}description") == "Every number here is made up."
    space = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
    assert (properties.findtext(f"{space}keywords") or "").startswith("Simulated data, ")
    # what is printed as the title is the title, and so with the keywords
    printed = re.sub(r"<[^>]+>", "", _word(documents))
    assert marked not in printed
    assert "Keywords: Simulated data" not in printed
    article = ET.parse(documents / "manuscript.xml").getroot()
    titles = ["".join(node.itertext()) for node in article.iter("article-title")]
    assert titles[0] == marked
    assert next(node.text for node in article.iter("kwd")) == "Simulated data"
    pdf = (documents / "manuscript.pdf").read_bytes()
    metadata = pdf[pdf.index(b"<x:xmpmeta") : pdf.index(b"</x:xmpmeta>")].decode()
    assert marked in metadata
    assert "Every number here is made up." in metadata


def test_an_empty_provenance_gives_no_mark(project: Path) -> None:
    _article("provenance-mark: Simulated data", 'provenance-mark: ""')(project)
    _article('"Every number here is *made up*."', '""')(project)
    render(project, project.parent / "out", ["html", "typst", "docx"])
    assert "<aside" not in _page(project.parent / "out")
    title = "A small study of two folders"
    assert f'<meta name="citation_title" content="{title}">' in _page(project.parent / "out")
    with zipfile.ZipFile(project.parent / "out" / "manuscript.docx") as archive:
        assert f"<dc:title>{title}</dc:title>" in archive.read("docProps/core.xml").decode()
    assert '"Provenance"' not in _word(project.parent / "out")
    assert "provenance-mark: [" not in typst_text(read_source(project))[0]


def test_authors_may_have_affiliations(project: Path) -> None:
    _article(
        "contributors\n",
        "contributors\n    affiliations: [{ref: uni}]\n"
        "affiliations:\n  - {id: uni, name: A Place}\n",
    )(project)
    render(project, project.parent / "out", ["html", "typst", "docx"])
    assert "contributors<sup>1</sup>" in _page(project.parent / "out")


def test_word_gets_styles_numbers_at_the_foot_and_well_formed_parts(documents: Path) -> None:
    with zipfile.ZipFile(documents / "manuscript.docx") as archive:
        names = archive.namelist()
        for name in names:
            if name.endswith((".xml", ".rels")):
                ET.fromstring(archive.read(name))
        styles = archive.read("word/styles.xml").decode()
    assert any("footer" in name for name in names)
    for style in ("Provenance", "TableText", "CalloutTitle"):
        assert f'w:styleId="{style}"' in styles
        assert f'w:val="{style}"' in _word(documents)


def test_the_reference_document_is_the_one_that_its_module_makes() -> None:
    assert (MANUSCRIPT / "assets" / "reference.docx").read_bytes() == reference_document()


def test_wide_tables_get_shares_where_a_line_does_not_fit(project: Path) -> None:
    cells = [f"a rather long cell number {i}" for i in range(9)]
    rows = [" | ".join(cells), " | ".join(["---"] * 9), " | ".join(cells)]
    wide = "\n".join(f"| {row} |" for row in rows) + "\n\n: Wide. {#tbl-wide}"
    _add(wide)(project)
    text, problems = typst_text(read_source(project))
    assert not problems
    columns = re.findall(r"#table\(\s*columns: ([^\n]*),\n", text)
    assert columns[0].count("%") == 9
    assert "%" not in columns[1]


@pytest.mark.parametrize("floats", [False, True])
def test_tables_of_the_pdf_go_where_there_is_room_if_the_article_says_so(
    floats: bool, project: Path
) -> None:
    if floats:
        _article("author:\n", "float-tables: true\nauthor:\n")(project)
    text, problems = typst_text(read_source(project))
    assert not problems
    asked = typst.query(text.encode(), "figure.where(kind: table)", root=str(project))
    tables = json.loads(asked)
    assert tables
    assert {table.get("placement") for table in tables} == {"auto" if floats else None}


def test_the_mark_reaches_quartos_page_through_its_filter(tmp_path: Path) -> None:
    source = "---\nprovenance-mark: Simulated data\nprovenance: All *made up*.\n---\n\nText.\n"
    lua = MANUSCRIPT / "assets" / "provenance-quarto.lua"
    command = [pandoc_path(), "--from=markdown", "--to=html", f"--lua-filter={lua}"]
    page = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    assert '<div class="provenance"' in page
    assert "<strong>Simulated data</strong>. All <em>made up</em>." in page


def test_the_mark_is_in_quartos_titles_where_machines_look(tmp_path: Path) -> None:
    source = "---\ntitle: A study\nprovenance-mark: Simulated data\n"
    source += "provenance: All made up.\n---\n\nText.\n"
    lua = MANUSCRIPT / "assets" / "provenance-quarto.lua"
    for to, name in (("jats", "a.xml"), ("docx", "a.docx")):
        out = tmp_path / name
        command = [pandoc_path(), "--from=markdown", "--standalone", f"--lua-filter={lua}"]
        command += [f"--to={to}", f"--output={out}"]
        subprocess.run(command, input=source, text=True, check=True)
        text = out.read_text("utf-8") if to == "jats" else ""
        if to == "docx":
            with zipfile.ZipFile(out) as parts:
                text = "".join(
                    parts.read(f"{n}.xml").decode() for n in ("docProps/core", "word/document")
                )
        assert "[Simulated data] A study</" in text
        assert "All made up." in re.sub(r"<[^>]+>", "", text)


def _filtered(name: str, to: str, source: str) -> str:
    """What a filter for Quarto makes of a text, in plain pandoc."""
    lua = MANUSCRIPT / "assets" / name
    command = [pandoc_path(), "--from=markdown", f"--to={to}", f"--lua-filter={lua}"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def test_quartos_filters_run_where_they_find_what_they_need() -> None:
    filters = yaml.safe_load((MANUSCRIPT / "_quarto.yml").read_text("utf-8"))["filters"]
    at = {Path(name).name: place for place, name in enumerate(filters)}
    # variables are put in by Quarto; alternative texts are gone after it
    assert at["alt-quarto.lua"] < at["quarto"] < at["provenance-quarto.lua"]
    assert at["quarto"] < at["formulas-quarto.lua"]
    assert at["quarto"] < at["page-quarto.lua"]


def test_quarto_is_given_the_keys_without_which_its_output_loses_something() -> None:
    """Of all that come with the workflow: the shipped article, the skeleton, the examples."""
    folders = (MANUSCRIPT, ROOT / "workflow" / "skeleton" / "manuscript")
    folders += tuple(sorted(ROOT.glob("examples/*/manuscript")))
    assert len(folders) >= 4
    for file in (folder / "_quarto.yml" for folder in folders):
        config = yaml.safe_load(file.read_text("utf-8"))
        formats = config["format"]
        page = {
            "title-block-style": "default",  # with it the mark and the abstract are in the head
            "lightbox": False,  # else pictures lose their alternative texts
            "google-scholar": False,  # else citation tags lack the mark
            "embed-resources": True,
            "html-math-method": "mathml",
        }
        assert page.items() <= formats["html"].items(), file
        # a book's links to formats that nobody rendered would be dead
        assert set(formats["html"]["format-links"]) <= {"typst", "docx"}
        assert formats["docx"]["shift-heading-level-by"] == -1, "headings of Word begin at 1"
        assert len(formats["typst"]["template-partials"]) == 2


def test_what_is_too_wide_scrolls_on_quartos_page(tmp_path: Path) -> None:
    source = (MANUSCRIPT / "assets" / "page-quarto.lua").read_text("utf-8")
    said = (
        'quarto = { doc = { include_text = function(at, text) print(at .. ": " .. text) end } }\n'
    )
    for to, printed in (("html", True), ("docx", False)):
        filtered = tmp_path / f"{to}.lua"
        filtered.write_text(said + source, "utf-8")
        command = [pandoc_path(), "--from=markdown", f"--to={to}", f"--lua-filter={filtered}"]
        command += ["--output", str(tmp_path / "out")]
        done = subprocess.run(command, input="Text.", capture_output=True, text=True, check=True)
        wanted = "in-header: <style>.scroll { overflow-x: auto; }"
        assert done.stdout.startswith(wanted) is printed
    plain = "Text with $b$ in it."
    assert _filtered("page-quarto.lua", "html", plain).startswith("<p>Text with")
    table = _filtered("page-quarto.lua", "html", "| a |\n|:--|\n| 1 |\n")
    box = '<div class="scroll" role="region" tabindex="0" aria-label="{}">'
    assert table.startswith(box.format("Table") + "\n<table")
    assert table.count("<div") == 1
    formula = _filtered("page-quarto.lua", "html", "$$b$$")
    assert formula.startswith(box.format("Formula"))
    assert "scroll" not in _filtered("page-quarto.lua", "docbook", "| a |\n|:--|\n| 1 |\n")


def test_formulas_of_quartos_pdf_get_their_source_as_text() -> None:
    text = _filtered("formulas-quarto.lua", "typst", 'A $b_1$ and $$\\text{"x"}$$.')
    assert '#math.equation(alt: "b_1", $b_1$)' in text
    assert '#math.equation(block: true, alt: "\\\\text{\\"x\\"}", ' in text


def test_the_look_of_tables_and_figures_holds_for_quartos_kinds() -> None:
    template = (MANUSCRIPT / "assets" / "typst-template.typ").read_text("utf-8")
    rules = re.findall(r"show figure\.where\(kind: ([^)]*)\): (.*?)(?:\s*//.*)?$", template, re.M)
    ours: dict[str, set[str]] = {"image": set(), "table": set()}
    theirs: dict[str, set[str]] = {"image": set(), "table": set()}
    for kind, rule in rules:
        if kind in ours:
            ours[kind].add(rule)
        else:
            theirs[{'"quarto-float-fig"': "image", '"quarto-float-tbl"': "table"}[kind]].add(rule)
    assert ours == theirs
    assert len(ours["table"]) == 4
    assert len(ours["image"]) == 1


def test_staging_makes_a_complete_project_and_leaves_the_rest_out(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    (parts["manuscript"] / "record.json").write_text("{}")
    (parts["manuscript"] / ".quarto").mkdir()
    (parts["tables"] / "effects.csv").write_text("a\n")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "old.txt").write_text("from an earlier run")
    names = stage(*parts.values(), tmp_path / "source")
    files = {
        str(p.relative_to(tmp_path / "source"))
        for p in (tmp_path / "source").rglob("*")
        if p.is_file() and "assets" not in p.parts
    }
    assert files == {
        "_quarto.yml",
        "_variables.yml",
        "manuscript.qmd",
        "references.bib",
        "figures/effects.svg",
        "figures/effects.png",
        "tables/_tbl-effects.md",
    }
    assert files <= names.keys()


def test_staging_refuses_what_is_missing_or_stands_twice(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="nothing there"):
        stage(parts["manuscript"], tmp_path / "no", *list(parts.values())[2:], tmp_path / "source")
    (parts["manuscript"] / "_variables.yml").write_text("{}")
    with pytest.raises(BadInput, match="a file that the workflow makes too"):
        stage(*parts.values(), tmp_path / "source")


def test_the_command_line_stages_and_renders(parts: dict[str, Path], tmp_path: Path) -> None:
    done = _command(parts, tmp_path, "--engine", "pandoc", "--asked", "auto", "--formats", "html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "source" / "_quarto.yml").is_file()
    assert (tmp_path / "out" / "manuscript.html").is_file()


def test_the_command_line_ends_with_a_message_and_no_traceback(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    article = parts["manuscript"] / "manuscript.qmd"
    article.write_text(
        ARTICLE.replace("@eq-line and", "@eq-none and", 1).replace("@fig-", "@fig-x")
    )
    done = _command(parts, tmp_path, "--engine", "pandoc", "--formats", "html")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(article) in done.stderr
    assert "unknown-reference" in done.stderr


FAKE_QUARTO = """#!{python}
import pathlib, sys
if sys.argv[1:] == ["--version"]:
    print("{version}")
    raise SystemExit(0)
if sys.argv[1:] == ["pandoc", "--version"]:
    print("pandoc 3.8.2\\nFeatures: +server +lua")
    raise SystemExit(0)
if sys.argv[1:] == ["typst", "--version"]:
    raise SystemExit(1)
assert sys.argv[1:] == ["render"], sys.argv
print({said!r}, file=sys.stderr)
made = pathlib.Path("_manuscript")
made.mkdir()
pathlib.Path(".quarto").mkdir()
for name in ("index.html", "manuscript.pdf", "manuscript.docx"):
    (made / name).write_text("by quarto: " + name)
for name in ("manuscript.html", "supplement.html", "supplement.pdf"):
    if not pathlib.Path("supplement.qmd").exists(): break
    (made / name).write_text("by quarto: " + name)
raise SystemExit({status})
"""


@pytest.fixture
def quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A program named quarto that writes what Quarto would write.

    It stands in for Quarto, because none is installed where these tests run: it shows that the
    right program is called, judged and recorded, and says nothing on how Quarto renders.
    """

    def install(version: str = "1.9.38", said: str = "Output created", status: int = 0) -> None:
        place = tmp_path / "bin"
        place.mkdir(exist_ok=True)
        program = place / "quarto"
        program.write_text(
            FAKE_QUARTO.format(python=sys.executable, version=version, said=said, status=status)
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)

    return install


@pytest.fixture
def no_quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH without Quarto."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def test_without_quarto_auto_takes_pandoc_and_quarto_is_an_error(no_quarto: None) -> None:
    assert choose_engine("auto") == "pandoc"
    assert choose_engine("pandoc") == "pandoc"
    with pytest.raises(MetastudyError, match="no quarto on PATH"):
        choose_engine("quarto")


def test_quarto_is_taken_only_where_it_is_asked_for(quarto: Callable[..., None]) -> None:
    quarto()
    assert choose_engine("auto") == "pandoc"
    assert choose_engine("quarto") == "quarto"
    assert choose_engine("pandoc") == "pandoc"


def test_an_old_quarto_is_an_error_where_it_is_asked_for(quarto: Callable[..., None]) -> None:
    quarto(version="1.8.27")
    assert choose_engine("auto") == "pandoc"
    with pytest.raises(MetastudyError, match=r"1\.8\.27.*1\.9"):
        choose_engine("quarto")


def test_quartos_files_get_the_same_names_and_a_record(
    quarto: Callable[..., None], project: Path
) -> None:
    quarto()
    out = project.parent / "out"
    record = render(project, out, ["html", "typst", "docx"], engine="quarto", asked="auto")
    assert (out / "manuscript.html").read_text() == "by quarto: index.html"
    assert (out / "manuscript.pdf").read_text() == "by quarto: manuscript.pdf"
    assert record["engine"] == "quarto"
    tools = record["tools"]
    # the pandoc that Quarto brings; its Typst does not answer, and is not taken for ours
    assert (tools["quarto"], tools["pandoc"]) == ("1.9.38", "3.8.2")
    checks = {"pandoc of the checks", "typst of the checks"}
    assert tools.keys() == {"quarto", "pandoc", *checks}
    assert not (project / "_manuscript").exists()
    assert not (project / ".quarto").exists()


@pytest.mark.parametrize(
    ("said", "status"), [("WARN: Unable to resolve link", 0), ("ERROR: no", 0), ("all well", 1)]
)
def test_a_warning_of_quarto_is_a_failure(
    said: str, status: int, quarto: Callable[..., None], project: Path
) -> None:
    quarto(said=said, status=status)
    with pytest.raises(MetastudyError, match=said):
        render(project, project.parent / "out", ["html"], engine="quarto")
    assert not (project.parent / "out").exists()


def test_the_strict_check_runs_before_quarto(quarto: Callable[..., None], project: Path) -> None:
    quarto()
    _add("@fig-x")(project)
    with pytest.raises(BadInput, match="fig-x"):
        render(project, project.parent / "out", ["html"], engine="quarto")


def test_a_format_that_quarto_did_not_write_is_an_error(
    quarto: Callable[..., None], project: Path, tmp_path: Path
) -> None:
    quarto()
    with pytest.raises(MetastudyError, match=r"manuscript\.xml"):
        run_quarto(project, {"manuscript": "manuscript"}, ["jats"], tmp_path, 0)


# what is done to a manuscript with a supplement, the code of the problem, and words of the message
MISTAKES_OF_TWO = {
    "unknown reference in the supplement": (
        _edit("supplement.qmd", "@fig-effects and", "@fig-efects and"),
        "unknown-reference",
        "one of: fig-effects, fig-more",
    ),
    "unknown reference to the supplement": (
        _article("@fig-more", "@fig-mere"),
        "unknown-reference",
        "one of: fig-effects, fig-more",
    ),
    "unknown citation": (_edit("supplement.qmd", "@one2001", "@two"), "unknown-citation", "@two"),
    "unknown variable": (
        _edit("supplement.qmd", "Details", "{{< var a.b >}}"),
        "unknown-variable",
        "a.b",
    ),
    "no alternative text": (
        _edit("supplement.qmd", ' fig-alt="Two dots again."', ""),
        "fig-alt",
        "fig-alt",
    ),
    "an id of both": (
        _edit("supplement.qmd", "#sec-details", "#sec-model"),
        "duplicate-id",
        "sec-model",
    ),
    "a misspelt key": (_edit("supplement.qmd", "date:", "dates:"), "unknown-key", "dates"),
    "not listed": (_config(BOTH, ALONE), "documents", "render: [manuscript.qmd, supplement.qmd]"),
    "listed and not there": (
        lambda project: (project / "supplement.qmd").unlink(),
        "documents",
        "no supplement.qmd in the folder",
    ),
}


@pytest.mark.parametrize("name", MISTAKES_OF_TWO)
def test_a_mistake_in_either_document_stops_both(name: str, project: Path) -> None:
    change, code, words = MISTAKES_OF_TWO[name]
    _with_supplement(project)
    change(project)
    with pytest.raises(BadInput) as caught:
        render(project, project.parent / "out", ["html"])
    assert code in {problem.code for problem in caught.value.problems}, str(caught.value)
    assert words in str(caught.value)
    assert not (project.parent / "out").exists()


def test_two_documents_refer_to_each_other_in_every_format(both: Path) -> None:
    article, supplement = ((both / f"{d}.html").read_text("utf-8") for d in DOCUMENTS)
    for name, text in (
        ("tbl-more", "Table S1"),
        ("fig-more", "Figure S1"),
        ("sec-more", "Section S1.1"),
        ("eq-more", "Equation S1"),
    ):
        link = rf'<a href="supplement.html#{name}"\s+class="xref"[^>]*>{spaced(text)}</a>'
        assert re.search(link, article), name
        assert f'id="{name}"' in supplement
    assert "and S1" in re.sub(r"<[^>]+>", "", article).replace("\n", " ")
    for name, text in (("sec-model", "Section 2"), ("fig-effects", "Figure 1")):
        assert re.search(rf'href="manuscript.html#{name}"[^>]*>{spaced(text)}<', supplement)
    assert "Figure S1:" in supplement
    assert "Table S1:" in supplement
    assert "(S1)" in supplement
    assert "@" not in re.sub(r"<style.*?</style>", "", article + supplement, flags=re.DOTALL)
    printed = {"docx": _words_of_word, "xml": _words_of_xml}
    if shutil.which("pdftotext"):
        printed["pdf"] = _words_of_pdf
    for suffix, words in printed.items():
        first, second = (words(both / f"{document}.{suffix}") for document in DOCUMENTS)
        assert "See Table S1, Figure 1, Figure S1, Section S1.1, Equation S1 and S1." in first, (
            suffix
        )
        assert "As Section 2, Figure 1 and Equation 1 of the article say" in second, suffix
        assert "Figure S1: More of it." in second, suffix
        assert "S1.1 More of it" in second, suffix


def test_numbers_of_both_documents_are_the_ones_that_are_printed(both: Path, project: Path) -> None:
    _with_supplement(project)
    sources = read_sources(project)
    assert check(sources) == []
    assert [source.document for source in sources] == list(DOCUMENTS)
    for source, other in zip(sources, reversed(DOCUMENTS), strict=True):
        page = (both / f"{other}.html").read_text("utf-8")
        assert len(source.elsewhere) >= 4
        for name, label in source.elsewhere.items():
            assert label.document == other
            own = page[page.index(f'id="{name}"') :]
            first = re.search(r"\bS?\d+(\.\d+)*(?=[:)<])", own)
            assert first
            assert first[0] == label.number, name


def test_both_documents_are_recorded_and_the_same_bytes_again(both: Path, project: Path) -> None:
    record = json.loads((both / "render.json").read_text("utf-8"))
    assert set(record["files"]) == {
        f"{document}.{suffix}"
        for document in DOCUMENTS
        for suffix in ("html", "pdf", "docx", "xml")
    }
    _with_supplement(project)
    again = render(project, project.parent / "again", list(FORMATS))
    assert again["files"] == record["files"]


def test_the_mark_of_simulated_data_is_in_the_supplement(both: Path) -> None:
    page = (both / "supplement.html").read_text("utf-8")
    assert "<title>[Simulated data]" in page
    assert '<aside class="provenance"' in page
    assert '<section class="abstract"' not in page
    text = "Simulated data. Every number here is made up."
    assert text in _words_of_word(both / "supplement.docx")
    if shutil.which("pdftotext"):
        assert text in _words_of_pdf(both / "supplement.pdf")


def test_quarto_is_given_the_numbers_of_the_other_document(
    quarto: Callable[..., None], project: Path
) -> None:
    _with_supplement(project)
    quarto()
    out = project.parent / "out"
    render(project, out, ["html", "typst"], engine="quarto", asked="quarto")
    assert (out / "supplement.pdf").read_text() == "by quarto: supplement.pdf"
    assert (out / "supplement.html").read_text() == "by quarto: supplement.html"
    assert (out / "manuscript.html").read_text() == "by quarto: manuscript.html"
    lua = MANUSCRIPT / "assets" / "references-quarto.lua"
    command = [pandoc_path(), "manuscript.qmd", "--to=html", "--wrap=none", f"--lua-filter={lua}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=project)
    assert f'<a href="supplement.html#tbl-more">Table{chr(160)}S1</a>, <span' in done.stdout
    assert '<a href="supplement.html#tbl-more">S1</a>.' in done.stdout
    assert 'data-cites="sec-model"' in done.stdout  # its own are left to Quarto


def test_every_key_of_the_schema_is_described() -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/manuscript.schema.yaml").read_text("utf-8"))

    def bare(node: object, path: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        missing = []
        for key, value in node.get("properties", {}).items():
            if not ({"description", "$ref"} & value.keys()):
                missing.append(f"{path}.{key}")
            missing += bare(value, f"{path}.{key}")
        return missing + bare(node.get("items"), f"{path}[]")

    assert not [name for key, part in schema["$defs"].items() for name in bare(part, key)]


DOCUMENTS = ("manuscript", "supplement")


def spaced(text: str) -> str:
    """A reference as it is printed: word and number never part at the end of a line."""
    return text.replace(" ", chr(160))


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\xa0", " "))


def _words_of_word(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        text = archive.read("word/document.xml").decode()
    return _flat(re.sub(r"<[^>]+>", "", re.sub(r"</w:p>|<w:tab/>", " ", text)))


def _words_of_pdf(path: Path) -> str:
    command = ["pdftotext", str(path), "-"]
    return _flat(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _words_of_xml(path: Path) -> str:
    text = re.sub(r"</(title|label|p)>", " ", path.read_text("utf-8"))
    return _flat(re.sub(r"<[^>]+>", "", text))


def _page(documents: Path) -> str:
    return (documents / "manuscript.html").read_text("utf-8")


def _word(documents: Path) -> str:
    with zipfile.ZipFile(documents / "manuscript.docx") as archive:
        return archive.read("word/document.xml").decode()


def _command(parts: dict[str, Path], out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The command line, as the rule calls it."""
    places = [word for name, path in parts.items() for word in (f"--{name}", str(path))]
    command = [
        sys.executable,
        "-m",
        "metastudy.commands.render",
        *places,
        "--out",
        str(out / "out"),
        *more,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_where_typst_fails_of_itself_rows_stay_whole_and_the_pdf_is_made(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, seen = typst.compile, []

    def fails_at_first(text: bytes, **options: object) -> object:
        seen.append(text)
        if len(seen) == 1:
            raise typst.TypstError("internal error: parent group")
        return compiled(text, **options)

    monkeypatch.setattr(typst, "compile", fails_at_first)
    out = project.parent / "out"
    render(project, out, ["typst"])
    assert (out / "manuscript.pdf").read_bytes().startswith(b"%PDF")
    assert seen[1] == b"#set table.cell(breakable: false)\n" + seen[0]
