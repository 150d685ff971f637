"""JATS: what its DTD requires of the elements that are in the file, and nothing that leads nowhere.

No package brings the DTD of Journal Publishing 1.2, so the file is not validated against it. What
it requires of the elements that the renderer writes is written down here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.small_manuscript import PNG, staged
from metastudy.manuscript.render import render

HREF = "{http://www.w3.org/1999/xlink}href"
# Of an element, children of which it has one at least, and attributes that it has to have.
CHILDREN = {
    "article": ["front"],
    "front": ["article-meta"],
    "article-meta": ["title-group"],
    "title-group": ["article-title"],
    "journal-meta": ["journal-id"],
    "publisher": ["publisher-name"],
    "contrib-group": ["contrib"],
    "pub-date": ["year"],
    "kwd-group": ["kwd"],
    "tbody": ["tr"],
    "table": ["tbody"],
    "ref-list": ["ref"],
    "ref": ["mixed-citation"],
    "list": ["list-item"],
}
ATTRIBUTES = {
    "graphic": [HREF],
    "inline-graphic": [HREF],
    "xref": ["rid"],
    "ref": ["id"],
    "article": ["article-type", "dtd-version"],
}
META = ["title-group", "contrib-group", "pub-date", "permissions", "abstract", "kwd-group"]


def lacks(root: ET.Element) -> list[str]:
    """What a JATS document lacks, a line each."""
    found = []
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    found += [f"id {name} twice" for name in {*ids} if ids.count(name) > 1]
    for node in root.iter():
        inside = [child.tag for child in node]
        found += [f"{node.tag} without {n}" for n in CHILDREN.get(node.tag, ()) if n not in inside]
        found += [
            f"{node.tag} without {n}" for n in ATTRIBUTES.get(node.tag, ()) if not node.get(n)
        ]
        if node.tag == "xref" and node.get("rid") not in ids:
            found.append(f"xref to {node.get('rid')}, which is nowhere")
        if node.tag == "graphic" and node.find("alt-text") is None:
            found.append("graphic without alt-text")
        if node.tag == "sec" and inside[:1] != ["title"]:
            found.append("sec that does not begin with its title")
    if [child.tag for child in root] != ["front", "body", "back"]:
        found.append("article without front, body and back in this order")
    order = [child.tag for child in root.findall("front/article-meta/*") if child.tag in META]
    if order != sorted(order, key=META.index):
        found.append("article-meta in another order")
    return found


ARTICLE = """\
---
title: "A small study"
author:
  - name: nobody
date: 2026-01-01
abstract: |
  Of little.
keywords: [little]
---

## First {#sec-first}

As one said [@one2001], see @fig-one, @tbl-one and @sec-first.

![A drawing.](figures/one){#fig-one fig-alt="One line."}

| a | b |
|:--|--:|
| 1 | 2 |

: A table. {#tbl-one}
"""
MORE = {
    "figures/one.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "references.bib": "@article{one2001, author={One, A.}, title={Of one}, year={2001}}\n",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jats")
    source = staged(folder / "source", ARTICLE, more=MORE)
    (source / "figures/one.png").write_bytes(PNG)  # of formats that take no vectors
    render(source, folder / "out", ["jats"])
    return folder / "out" / "manuscript.xml"


def test_the_file_has_what_its_dtd_requires(path: Path) -> None:
    text = path.read_text("utf-8")
    assert 'DTD JATS (Z39.96) Journal Publishing DTD v1.2 20190208//EN"' in text
    root = ET.fromstring(text)
    assert lacks(root) == []
    assert {"fig", "table", "xref", "ref", "sec"} <= {node.tag for node in root.iter()}


def without(place: str, child: str) -> Callable[[ET.Element], None]:
    def damage(root: ET.Element) -> None:
        parent = root if place == "." else root.find(place)
        assert parent is not None
        node = parent.find(child)
        assert node is not None
        parent.remove(node)

    return damage


def without_attribute(tag: str, name: str) -> Callable[[ET.Element], None]:
    return lambda root: next(root.iter(tag)).attrib.pop(name)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without("front/article-meta", "title-group"), "article-meta without title-group"),
        (without(".", "back"), "article without front, body and back"),
        (without(".//sec", "title"), "sec that does not begin"),
        (without_attribute("graphic", HREF), "graphic without"),
        (without_attribute("xref", "rid"), "xref without rid"),
        (without_attribute("ref", "id"), "xref to"),
    ],
)
def test_a_file_that_lacks_something_is_found_out(
    path: Path, damage: Callable[[ET.Element], None], said: str
) -> None:
    root = ET.fromstring(path.read_text("utf-8"))
    damage(root)
    assert any(line.startswith(said) for line in lacks(root)), lacks(root)
