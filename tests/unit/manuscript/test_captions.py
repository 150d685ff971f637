"""Captions for the report of Snakemake: figures' from the pages, tables' from their Markdown."""

from pathlib import Path

from helpers.small_manuscript import staged
from metastudy.manuscript.captions import FigureCaptions, TableCaptions, captions, lines
from metastudy.manuscript.source import read_sources

ARTICLE = """---
title: One
---

Text.

![What is it? It is {{< var n >}}.](figures/one_dot){#fig-first fig-alt="A dot." width=100%}

![Not in the page.](figures/other){#fig-other fig-alt="A dot."}
"""
PAGE = """<figure class="table" id="tbl-x"><figcaption>A table.</figcaption></figure>
<figure id="fig-first"><svg><text>drawn</text></svg><figcaption><strong>Figure 1:</strong>
What is it?
It is <a href="#tbl-x">1 &amp; more</a>, <math><mi>x</mi></math>.</figcaption></figure>
<div id="fig-second" class="quarto-figure"><figure><figcaption id="fig-second-caption">Two.
</figcaption></figure></div>"""


def test_the_caption_of_a_figure_is_that_of_the_page(tmp_path: Path) -> None:
    sources = read_sources(staged(tmp_path / "made", ARTICLE))
    found = captions(sources, {"manuscript": PAGE})
    assert found == {"one_dot": "Figure 1: What is it? It is 1 & more, ."}
    assert captions(sources, {}) == {}


def test_a_page_of_quarto_has_the_id_around_the_figure(tmp_path: Path) -> None:
    sources = read_sources(staged(tmp_path / "made", ARTICLE.replace("fig-first", "fig-second")))
    assert captions(sources, {"manuscript": PAGE}) == {"one_dot": "Two."}


def test_a_template_asks_a_path_for_a_caption_that_is_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "captions.tsv"
    asked = FigureCaptions(str(path))
    assert asked == str(path)
    assert asked.of("one_dot") == "one\\_dot: in neither of the documents."
    path.write_text("one_d", "utf-8")  # a file that was cut off
    assert asked.of("one_dot") == "one\\_dot: in neither of the documents."
    path.write_text(lines({"one_dot": "A *star* and `code`, 95% of a|b."}), "utf-8")
    assert asked.of("one_dot") == r"A \*star\* and \`code\`, 95% of a\|b."


def test_the_caption_of_a_table_is_that_of_its_markdown(tmp_path: Path) -> None:
    text = "| a |\n|:--|\n| 1 |\n\n: By \\<hand\\>: all of it. Simulated data. {#tbl-made-up}\n"
    (tmp_path / "_tbl-made_up.md").write_text(text, "utf-8")
    asked = TableCaptions(str(tmp_path))
    assert asked.of("made_up") == "By <hand>: all of it. Simulated data."
    assert asked.of("none") == "none."
