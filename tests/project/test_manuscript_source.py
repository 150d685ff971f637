"""The source of article and supplement: no number in prose that the workflow did not make."""

from __future__ import annotations

import re

import pytest

from helpers.repository import ROOT

ARTICLE, SUPPLEMENT = (ROOT / "manuscript" / f"{name}.qmd" for name in ("manuscript", "supplement"))
DOCUMENTS = pytest.mark.parametrize("path", [ARTICLE, SUPPLEMENT], ids=lambda path: path.stem)


def prose(text: str) -> str:
    """A document's text without variables, formulas, code, addresses, figures' paths and dates."""
    for pattern in (
        r"\{\{<.*?>\}\}",
        r"\$\$.*?\$\$",
        r"\$[^$\n]*\$",
        r"`[^`]*`",
        r"@[\w:-]+",
        r"\{#[^}]*\}",
        r"^date: [^\n]*$",
    ):
        text = re.sub(pattern, " ", text, flags=re.S | re.M)
    return text


@DOCUMENTS
def test_no_digit_stands_in_the_prose(path) -> None:
    assert re.findall(r".{0,30}\d.{0,30}", prose(path.read_text("utf-8"))) == []


@DOCUMENTS
def test_no_digit_stands_in_an_alternative_text(path) -> None:
    texts = re.findall(r'fig-alt="([^"]*)"', path.read_text("utf-8"))
    assert len(texts) > 5
    own = [re.sub(r"\{\{<.*?>\}\}", " ", text) for text in texts]
    assert [text for text in own if re.search(r"\d", text)] == []


@DOCUMENTS
def test_no_count_is_a_word_that_was_typed(path) -> None:
    """Up to five a number may belong to the design, as the three kinds of threat; no more."""
    counts = r"\b(six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty)\b"
    text = prose(path.read_text("utf-8"))
    assert re.findall(rf"[^.]*{counts}[^.]*", text, re.I) == []


def test_no_verdict_is_written_by_hand() -> None:
    # A direction is in a variable, or in the report of what a cited article found.
    article, supplement = (prose(path.read_text("utf-8")) for path in (ARTICLE, SUPPLEMENT))
    results = article.partition("## Results")[2].partition("## Discussion")[0]
    more = supplement.partition("## Threat")[2]
    assert results
    assert more
    # what a missing significance does not show is no verdict
    said = (results + more).replace("is not significant", " ")
    said = re.sub(r"whatever their significance", " ", said)
    verdicts = r"\b(raises?|lowers?|increases?|decreases?|significant\w*|stronger|weaker)\b"
    assert re.findall(rf"[^.]*{verdicts}[^.]*", said) == []


def test_a_result_of_the_article_begins_with_its_frame() -> None:
    text = ARTICLE.read_text("utf-8")
    results = text.partition("## Results")[2].partition("## Discussion")[0]
    frame = "{{< var provenance.frame >}}"
    assert text.index(frame) < text.index("keywords:")  # in the abstract
    for section in ("sec-threat", "sec-coping", "sec-strain"):
        assert frame in results.partition(f"{{#{section}}}")[2].partition("\n###")[0], section


def test_figures_and_tables_are_enough_and_each_is_spoken_of() -> None:
    texts = [path.read_text("utf-8") for path in (ARTICLE, SUPPLEMENT)]
    figures, tables = [], []
    for text in texts:
        figures.append(re.findall(r"\{#(fig-[\w-]+)", text))
        included = re.findall(r"tables/_tbl-(\w+)\.md", text)
        own = re.findall(r"\{#(tbl-[\w-]+)", text)
        tables.append([f"tbl-{name.replace('_', '-')}" for name in included] + own)
    spoken = set(re.findall(r"@((?:fig|tbl)-[\w-]+)", " ".join(texts)))
    for found in ([*figures[0], *figures[1]], [*tables[0], *tables[1]]):
        assert len(found) == len(set(found))  # each is in one of the two documents
        assert set(found) <= spoken
    assert 2 <= len(figures[0]) <= 8
    assert 4 <= len(tables[0]) <= 5
    assert len(figures[1]) >= 5
    assert len(tables[1]) >= 10


def test_every_figure_and_table_that_is_made_is_in_one_of_the_documents() -> None:
    from metastudy.article import catalogue

    models = {"threat": "answers", "coping": "answers", "strain": "codings"}
    text = "".join(path.read_text("utf-8") for path in (ARTICLE, SUPPLEMENT))
    figures = set(re.findall(r"\(figures/(\w+)\)", text))
    tables = set(re.findall(r"tables/_tbl-(\w+)\.md", text))
    # these are for studies that the shipped data have none of, or are in one with another
    left = {"exploratory", "moderators", "selection", "dependence", "influence", "heterogeneity"}
    left |= {
        "prior_scales",
        "tails",
        "left_out_groups",
        "caterpillar",
        "left_out",
        "entered",
        "moderated_threat",
        "moderated_coping",
    }
    # what a narrow screen shows is beside the figure that a document names
    narrow = {name for name in catalogue.figures(models) if name.startswith("narrow_")}
    assert {name.removeprefix("narrow_") for name in narrow} <= figures
    # one picture of a module's effects is enough, and a family of few outcomes needs no tiles
    assert set(catalogue.figures(models)) - figures <= left | narrow | {"tiles_threat"}
    assert set(catalogue.tables(models)) - tables <= left | {"levels_threat"}


def test_the_body_of_the_pdf_is_at_least_ten_points() -> None:
    template = (ROOT / "manuscript" / "assets" / "typst-template.typ").read_text("utf-8")
    size = re.search(r'set text\(font: "Libertinus Serif", size: ([\d.]+)pt', template)
    assert size
    assert float(size[1]) >= 10
