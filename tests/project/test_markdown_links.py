"""Every link in a Markdown file leads to a file and a heading that exist, as GitHub reads it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from helpers.repository import ROOT

# Templates: what they hold is Markdown only when it is filled in.
TEMPLATES = ("workflow/report/", "workflow/metastudy/article/texts/")
READER = MarkdownIt("gfm-like", {"linkify": False})
WEB = re.compile(r"https?://[^\s<>`\"')\]]+")
NAMED = re.compile(r"(docs|tests|tools|workflow|envs|benchmarks)/[\w./-]+\.\w+")
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}")


def pages() -> list[str]:
    """All Markdown files that git holds or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = sorted(set(filter(None, listed.split("\0"))))
    return [name for name in names if not name.startswith(TEMPLATES) and (ROOT / name).is_file()]


def tokens(text: str) -> list[Token]:
    """The blocks of a page, and what is inside their lines."""
    return [inner for block in READER.parse(text) for inner in (block, *(block.children or ()))]


def anchors_in(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page, and those that it sets itself."""
    found: set[str] = set()
    times: Counter[str] = Counter()
    blocks = READER.parse(text)
    for block, inside in pairwise(blocks):
        if block.type == "heading_open":
            said = "".join(
                each.content
                for each in inside.children or ()
                if each.type in ("text", "code_inline")
            )
            slug = re.sub(r"[^\w\- ]", "", said.strip().lower()).replace(" ", "-")
            found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
            times[slug] += 1
    for token in tokens(text):
        if token.type.startswith("html"):
            found |= set(re.findall(r"\b(?:id|name)=[\"']([^\"']+)", token.content))
    return found


@cache
def anchors_of(page: Path) -> set[str]:
    return anchors_in(page.read_text("utf-8"))


def links_in(text: str) -> list[str]:
    """Where the links and images of a page lead, written as Markdown or as HTML."""
    found = []
    for token in tokens(text):
        if target := token.attrGet("href") or token.attrGet("src"):
            found.append(str(target))
        if token.type.startswith("html"):
            found += re.findall(r"\b(?:href|src)=[\"']([^\"']+)", token.content)
        # A reference without its definition stays in the text, brackets and all.
        if token.type == "text":
            found += re.findall(r"\[[^\]]+\](\[[^\]]+\])", token.content)
    return found


def fault(link: str, page: Path) -> str:
    """What is wrong with a link, or nothing."""
    if link.startswith("["):
        return f"{link} is defined nowhere"
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return "" if link.startswith("mailto:") else fault_of_address(link)
    path, anchor = unquote(parts.path), unquote(parts.fragment)
    target = page.parent / path if path else page
    if path.startswith("/") or not target.resolve().is_relative_to(ROOT):
        return f"{link} leads out of the repository"
    if not target.exists():
        return f"{link} leads to no file"
    if not spelt_alike(target):
        return f"{link} is spelt otherwise than its file"
    if anchor and (target.suffix != ".md" or anchor not in anchors_of(target.resolve())):
        return f"{link} leads to no heading"
    return ""


def spelt_alike(target: Path) -> bool:
    """Whether the name has the case of the file: a disk may not care, GitHub does."""
    real = target.resolve()
    return all(
        each.name in {other.name for other in each.parent.iterdir()}
        for each in (real, *real.parents)
        if each != ROOT and each.is_relative_to(ROOT)
    )


def fault_of_address(address: str) -> str:
    """Whether an address on the web can be one; whether it answers cannot be tried here."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 # reading it is what checks it
    except ValueError as problem:
        return f"{address}: {problem}"
    if parts.scheme != "https" or not HOST.fullmatch(parts.hostname or ""):
        return f"{address} is no address with https"
    if re.search(r"[\s<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})", address):
        return f"{address} has a sign that no address may have"
    return ""


@pytest.mark.parametrize("name", pages())
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    text = page.read_text("utf-8")
    faults = [fault(link, page) for link in links_in(text)]
    faults += [fault_of_address(found.rstrip(".,;:")) for found in WEB.findall(text)]
    assert not [each for each in faults if each]


@pytest.mark.parametrize("name", pages())
def test_every_file_of_the_repository_that_a_page_names_is_there(name: str) -> None:
    """A path in code, such as `docs/codebook.md`, is a link to those who read."""
    named = []
    for token in tokens((ROOT / name).read_text("utf-8")):
        if token.type == "code_inline" and NAMED.fullmatch(token.content):
            named.append(token.content)
        if token.type == "text":
            named += re.findall(r"\bdocs/\w+\.md\b", token.content)
    near = (ROOT / name).parent
    assert not [each for each in named if not (ROOT / each).exists() | (near / each).exists()]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nowhere.md", "no file"),
        ("README.md#nowhere", "no heading"),
        ("#nowhere", "no heading"),
        ("../../elsewhere.md", "out of the repository"),
        ("/docs/README.md", "out of the repository"),
        ("[lost]", "defined nowhere"),
        ("http://example.org", "no address with https"),
        ("https://example", "no address with https"),
        ("https://example.org:port/", "Port could not be cast"),
        ("https://example.org/100%", "no address may have"),
        ("README.md#two-commands", ""),
        ("docs/codebook.md#the-codebook-of-a-study", ""),
        ("docs", ""),
        ("https://example.org/a%20b?c=d#e", ""),
        ("mailto:nobody@example.org", ""),
    ],
)
def test_a_broken_link_is_found_and_a_good_one_is_not(link: str, said: str) -> None:
    found = fault(link, ROOT / "README.md")
    assert said in found
    assert bool(said) == bool(found)


def test_anchors_are_those_of_github() -> None:
    text = "# What's `new` in 2.0?\n\n## A_b - c\n\n## A_b - c\n\n<a id='mine'></a>\n"
    assert anchors_in(text) == {"whats-new-in-20", "a_b---c", "a_b---c-1", "mine"}


def test_links_in_code_are_none_and_every_other_form_is_one() -> None:
    text = "[a](b) ![c](d.png) [e][f] <g@h.i> `[j](k)` [l][m]\n\n<a href='n'>o</a>\n\n[f]: p\n"
    assert links_in(text) == ["b", "d.png", "p", "mailto:g@h.i", "[m]", "n"]
