"""The site of the documentation: it is built without a warning, is whole, and asks nobody."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs_site import mermaid
from helpers.browser import chromium, open_browser
from helpers.repository import ROOT, copy_of_the_repository

TOOLS = ("sphinx", "myst_parser", "furo")
needs_sphinx = pytest.mark.skipif(
    not all(map(find_spec, TOOLS)), reason="no Sphinx here: `make set-up-dev` installs it"
)
LOADING = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src")}


def built(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does."""
    (line,) = re.findall(r"\$\(IN_VENV\) sphinx-build (.*)", (ROOT / "Makefile").read_text("utf-8"))
    assert line.endswith(" -d site/.doctrees . site")
    options = line.removesuffix(" -d site/.doctrees . site").split()
    places = ["-d", str(folder / "doctrees"), str(source), str(folder / "site")]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, *places],
        cwd=source,
        capture_output=True,
        text=True,
    )


class Html(HTMLParser):
    """What a page loads, where its links lead, and what they may lead to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.menu: list[str] = []
        self.ids: set[str] = set()
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self.loaded += [value for name, value in given.items() if (tag, name) in LOADING]
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            if given.get("class") in ("reference internal", "current reference internal"):
                self.menu.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs_site")
    done = built(ROOT, folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    return {file: Html(file) for file in sorted(site.rglob("*.html"))}


@needs_sphinx
def test_every_page_of_docs_is_in_the_menu_in_the_order_of_its_readme(
    site: Path, pages: dict[Path, Html]
) -> None:
    listed = re.findall(r"\]\((\w+)\.md\)", (ROOT / "docs" / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(
        path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "README"
    )
    menu = pages[site / "README.html"].menu
    shown = [link for link in menu if re.fullmatch(r"docs/\w+\.html", link)]
    wanted = ["docs/README.html", *(f"docs/{name}.html" for name in listed)]
    assert shown[: len(wanted)] == wanted
    assert {
        path.relative_to(ROOT).parts[1] for path in (ROOT / "examples").glob("*/README.md")
    } == {link.split("/")[1] for link in menu if link.startswith("examples/")}


@needs_sphinx
def test_every_link_of_the_site_leads_to_a_page_and_a_place_in_it(
    site: Path, pages: dict[Path, Html]
) -> None:
    lost = []
    for file, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme in ("https", "mailto") or link == "#":
                continue
            path = unquote(parts.path)
            target = (file.parent / path).resolve() if path else file
            there = target.is_file() and target.is_relative_to(site.resolve())
            known = pages.get(target)
            if not there or (parts.fragment and known and parts.fragment not in known.ids):
                lost.append(f"{file.name}: {link}")
    assert not lost
    assert 'url=README.html"' in (site / "index.html").read_text("utf-8")


@needs_sphinx
def test_the_site_loads_nothing_from_another_host(site: Path, pages: dict[Path, Html]) -> None:
    for page in pages.values():
        assert not [each for each in page.loaded if urlsplit(each).netloc]
    for sheet in site.rglob("*.css"):
        text = sheet.read_text("utf-8")
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//", text), sheet


@needs_sphinx
@pytest.mark.skipif(chromium() is None, reason="no Chromium on PATH")
@pytest.mark.ci
def test_no_page_asks_for_anything_or_is_wider_than_a_telephone(
    site: Path, pages: dict[Path, Html], tmp_path: Path
) -> None:
    with open_browser(tmp_path) as page:
        for file in pages:
            page.show(file, width=390, dark=True)
            assert not [each for each in page.addresses() if not each.startswith("file:")], file
            assert not page.complaints(), file
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.run(wide) <= 0, file


@needs_sphinx
def test_what_would_not_work_in_the_site_stops_its_build(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path / "copy")
    with (copy / "docs" / "cluster.md").open("a", encoding="utf-8") as page:
        page.write(
            "\n[a](nowhere.md) [b](codebook.md#nowhere) [c](#nowhere) [d](../config/no.yaml)\n"
        )
        page.write("\n```mermaid\npie\n```\n")
    (copy / "docs" / "forgotten.md").write_text("# A page without a line in docs/README.md\n")
    done = built(copy, tmp_path)
    assert done.returncode != 0
    for said in (
        "'nowhere.md'",
        "'codebook.md#nowhere'|'nowhere'",
        "'../config/no.yaml'",
        "a drawing begins with",
        "forgotten.md: WARNING: document isn't included in any toctree",
    ):
        assert re.search(said, done.stderr), done.stderr
    assert len(re.findall(r"WARNING|ERROR", done.stderr)) == 6, done.stderr


def test_a_flowchart_is_drawn_with_every_box_label_and_edge() -> None:
    svg = mermaid.drawn(
        ["flowchart LR", '  a["one<br/>& two"] -->|then| b --> |at last| c', "  a --> c"]
    )
    assert svg.count("<rect") == 3
    assert svg.count('class="drawn-edge"') == 3
    for said in (">one<", ">&amp; two<", ">then<", ">at last<", "one &amp; two to b by then"):
        assert said in svg


def test_subgraphs_that_lead_to_each_other_are_a_pile_from_the_top_down() -> None:
    names = ["flowchart TB", 'subgraph x[" "]', "direction LR", 'a["a"]; b["b"]', "end"]
    names += ['subgraph y[" "]', 'c["c"]', "end", "x --> y"]
    pile = mermaid.drawn(names)
    assert re.findall(r"<span>(\w)</span>|(</li>)", pile) == [
        ("a", ""),
        ("b", ""),
        ("", "</li>"),
        ("c", ""),
        ("", "</li>"),
    ]
    with pytest.raises(ValueError, match="each leads to the next"):
        mermaid.drawn(names[:-1])


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["pie"],
        ["flowchart LR", "a ==> b"],
        ["flowchart LR", "a --> b", "b --> a"],
        ["flowchart LR", "a{b}"],
        ["flowchart LR", "classDef a fill:red"],
    ],
)
def test_a_form_of_mermaid_that_is_not_drawn_is_an_error(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"draw"):
        mermaid.drawn(lines)
