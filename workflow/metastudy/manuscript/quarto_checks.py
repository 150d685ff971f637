"""Whether what Quarto rendered may be taken in place of our own: words, mark, links, ledger."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

__all__ = ["failings", "words_of"]

LOST, MOST = 0.002, 10  # of our own words, at most: headings and running heads differ by a few
SHOWN = 8  # words that a message names
WORD = re.compile(r"\w+(?:[.,]\d+)*")
LINK = re.compile(r'<a\s[^>]*?href="([^"]+)"')
PLACE = re.compile(r'\s(?:id|name)="([^"]+)"')


def words_of(path: Path) -> Counter[str] | None:
    """The words of a rendered document, each as often as it is there.

    Parameters
    ----------
    path : a web page, a Word file, a PDF or JATS.

    Returns
    -------
    Counter or None
        ``None`` of a PDF where no ``pdftotext`` is installed, and of a file that cannot be read.
    """
    try:
        if path.suffix == ".pdf":
            if not shutil.which("pdftotext"):
                return None
            command = ["pdftotext", "-layout", str(path), "-"]
            done = subprocess.run(command, capture_output=True, check=False)
            text = done.stdout.decode("utf-8", "replace")
            if done.returncode:
                return None
        elif path.suffix == ".docx":
            with zipfile.ZipFile(path) as parts:
                text = parts.read("word/document.xml").decode("utf-8")
            text = re.sub(r"</w:p>|<w:br\b|<w:tab\b", " \\g<0>", text)
            text = re.sub(r"<[^>]+>", "", text)
        else:
            text = path.read_text("utf-8")
            text = re.sub(r"<(script|style|svg|head)\b.*?</\1>", " ", text, flags=re.DOTALL)
            text = re.sub(r"<(?!/?(?:a|em|strong|span|sup|sub|i|b)\b)[^>]+>", " ", text)
            text = re.sub(r"<[^>]+>", "", text)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return Counter(word.lower() for word in WORD.findall(html.unescape(text)))


def failings(
    own: Path,
    other: Path,
    files: Iterable[str],
    mark: str = "",
    renderer: str = "",
    ledger: str = "",
) -> list[str]:
    """Why what another engine rendered may not be taken; empty where it may.

    Parameters
    ----------
    own, other : folders with the documents of both engines.
    files : names of the documents.
    mark : of simulated data; empty where there are none.
    renderer : the name of our own engine in the text, which the other does not print.
    ledger : the page of the ledger, beside the documents of ``other``; empty without one.
    """
    found = []
    for name in files:
        ours, theirs = words_of(own / name), words_of(other / name)
        if ours is None or theirs is None:
            found.append(f"{name}: its words cannot be read, so they are not compared")
            continue
        ours = ours - Counter(word.lower() for word in WORD.findall(renderer))
        lost = ours - theirs
        if lost.total() > min(LOST * ours.total(), MOST):
            some = ", ".join(word for word, _ in lost.most_common(SHOWN))
            found.append(f"{name}: {lost.total()} of {ours.total()} words are not there ({some})")
        found += [f"{name}: {why}" for why in _unmarked(own / name, other / name, mark)]
        if (rows := _rows(other / name)) < (all_rows := _rows(own / name)):
            found.append(f"{name}: {rows} of {all_rows} rows of tables are there")
        if name.endswith(".html"):
            found += [f"{name}: {why}" for why in _dead(other / name)]
            if ledger:
                found += [f"{name}: {why}" for why in _unled(own / name, other / name, ledger)]
    if ledger:
        found += [f"{ledger}: {why}" for why in _dead(other / ledger)]
    return found


def _unmarked(own: Path, other: Path, mark: str) -> list[str]:
    """Where the mark is in our document and not in the other; pages of a PDF may be fewer."""
    said = Counter(word.lower() for word in WORD.findall(mark))
    ours, theirs = words_of(own) or Counter(), words_of(other) or Counter()
    if own.suffix != ".pdf":
        said |= Counter({word: ours[word] for word in said})
    found = []
    if missing := said - theirs:
        found.append(f"the mark {mark!r} is not there ({', '.join(missing)})")
    if mark in _title(own) and mark not in _title(other):
        found.append(f"the mark {mark!r} is not in the title")
    return found


def _title(path: Path) -> str:
    """The title in a document's head; empty of what has none that is read here."""
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            text = parts.read("docProps/core.xml").decode("utf-8")
    else:
        text = path.read_text("utf-8", "replace") if path.suffix == ".html" else ""
    found = re.search(r"<(?:dc:)?title\b[^>]*>(.*?)</", text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def _rows(path: Path) -> int:
    """How many rows the tables of a web page or Word file have; 0 of another file."""
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            return len(re.findall(r"<w:tr\b", parts.read("word/document.xml").decode("utf-8")))
    text = path.read_text("utf-8", "replace") if path.suffix == ".html" else ""
    return len(re.findall(r"<tr\b", text))


def _unled(own: Path, other: Path, ledger: str) -> list[str]:
    """Numbers of a page of ours that lead to the ledger, and of the other page do not."""

    def leading(page: Path) -> Counter[str]:
        links = (
            html.unescape(link).partition("#")
            for link in LINK.findall(page.read_text("utf-8", "replace"))
        )
        return Counter(place for file, _, place in links if file == ledger)

    ours = leading(own)
    lost = ours - leading(other)
    if not lost:
        return []
    some = ", ".join(name for name, _ in lost.most_common(SHOWN))
    return [f"{lost.total()} of {ours.total()} numbers do not lead to the ledger ({some})"]


def _dead(page: Path) -> list[str]:
    """Links of a page to what is neither in it nor beside it, or not in the page beside it."""
    dead, places = [], {}
    for link in dict.fromkeys(LINK.findall(page.read_text("utf-8", "replace"))):
        file, _, place = html.unescape(link).partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:|//", file):
            continue
        target = page.parent / file if file else page
        there = target.is_file()
        if there and place and target.suffix == ".html":
            if target not in places:
                found = PLACE.findall(target.read_text("utf-8", "replace"))
                places[target] = set(map(html.unescape, found))
            there = place in places[target]
        if not there:
            dead.append(f"a dead link to {link}")
    return dead
