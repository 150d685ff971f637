"""A label is text: pandoc finds no markup in it, in a table, a variable or a page of the report."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pandas as pd
import pytest
import yaml

from metastudy.article.variables_file import dump
from metastudy.display import plain_markdown
from metastudy.display.page import Page, Section, Text, render
from metastudy.display.page import Table as PageTable
from metastudy.display.pipe_table import Table, markdown
from metastudy.manuscript.pandoc import READER, pandoc_path
from metastudy.manuscript.source import SHORTCODE

HOSTILE = [
    "[x](javascript:alert(1))",
    "![x](https://example.org/p.png)",
    "a note^[of its own]",
    "<script>alert(1)</script>",
    "<https://example.org>",
    "`<b>x</b>`{=html}",
    "`code`",
    "$x^2$ and $$y$$",
    "@fig-threat",
    "see [@nobody2020]",
    "{{< include /etc/passwd >}}",
    "*a* **b** __c__ ~~d~~ H~2~O x^2^",
    "[x]{.class onclick=y}",
    'a "quoted" | cell & &lt;b&gt;',
    r"\[x\](y) \newpage",
    "# no heading\n\n- nor a list",
    "**half a heading",
    "@fig-a; @sec-b",
]
# What plain text consists of in pandoc's tree.
PLAIN = {"Str", "Space", "SoftBreak", "Quoted", "DoubleQuote", "SingleQuote"}


def tree(text: str) -> list[Any]:
    done = subprocess.run(
        [pandoc_path(), f"--from={READER}", "--to=json"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)["blocks"]


def kinds(node: Any) -> set[str]:
    if isinstance(node, dict):
        return {str(node["t"])} | kinds(node.get("c")) if "t" in node else set()
    return set().union(*map(kinds, node)) if isinstance(node, list) else set()


def words(node: Any) -> str:
    if isinstance(node, dict):
        return str(node["c"]) if node["t"] == "Str" else " " + words(node.get("c"))
    return "".join(map(words, node)) if isinstance(node, list) else ""


def test_pandoc_finds_markup_in_each_of_these_labels_where_they_are_not_escaped() -> None:
    # But for what is markup only at the start of a line, in a table, or to a reader of shortcodes.
    rest = [one for one in HOSTILE if not one.startswith(("{{<", "**", "#", 'a "'))]
    assert [one for one in rest if kinds(tree(f"A {one}.")) <= PLAIN | {"Para"}] == []


def test_no_label_is_markup_in_a_variable() -> None:
    named = {f"v{number}": one for number, one in enumerate(HOSTILE)}
    values = yaml.safe_load(dump(named))
    text = "\n\n".join(f"A {one}." for one in values.values())
    assert not SHORTCODE.search(text)
    paragraphs = tree(text)
    assert len(paragraphs) == len(HOSTILE)
    for paragraph, one in zip(paragraphs, HOSTILE, strict=True):
        assert kinds(paragraph["c"]) <= PLAIN, one
        assert re.sub(r"\W", "", words(paragraph)) == re.sub(r"\W", "", f"A{one}"), one


def test_no_label_is_markup_in_a_table_its_head_or_its_caption() -> None:
    shown = pd.DataFrame({one.replace("\n", " "): HOSTILE for one in HOSTILE[:4]})
    text = markdown("hostile", Table(shown, shown, "A caption [x](y).", ()))
    assert not SHORTCODE.search(text)
    (found,) = tree(text)
    assert found["t"] == "Table"
    assert not kinds(found) & {"Link", "Image", "Note", "RawInline", "Math", "Cite", "Code", "Span"}
    assert not kinds(found) & {"Emph", "Strong", "Strikeout", "Subscript", "Superscript"}


def test_citations_headings_and_our_own_formulas_stay() -> None:
    shown = pd.DataFrame({"Of": ["**A heading [x](y)**", "@nobody2020; @a_b"]})
    (found,) = tree(markdown("kept", Table(shown, shown, "A caption.", ())))
    assert {"Strong", "Cite"} <= kinds(found)
    assert "Link" not in kinds(found)
    kept = yaml.safe_load(dump({"law": plain_markdown.Markdown("$x$"), "source": "@nobody2020"}))
    assert kept == {"law": "$x$", "source": "@nobody2020"}


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_no_label_is_markup_in_the_data_report(suffix: str) -> None:
    parts = [Text("A [x](javascript:y) <script>z</script>"), PageTable("C", ["a"], [[HOSTILE[0]]])]
    sections = [Section("Title [x](y)", parts)]
    made = render(Page("p", HOSTILE[0], HOSTILE[2], "Mark", "marked", sections))[suffix]
    if suffix == "md":
        assert not kinds(tree(made)) & {"Link", "Note", "RawInline"}
    else:
        assert "<script" not in made
        assert 'href="javascript' not in made
