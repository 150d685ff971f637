"""What a rendered article of an own project must be, whatever it is about."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from helpers.repository import ROOT

__all__ = ["faults", "figures", "with_skeleton"]

SKELETON = ROOT / "workflow" / "skeleton" / "manuscript"
NUMBERS = r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|none|no|nothing|each|every)\b"


def with_skeleton(project: Path) -> None:
    """Give a project the article that a new folder has, in place of its own."""
    folder = project / "manuscript"
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(SKELETON, folder)
    if not (folder / "assets").exists():
        shutil.copytree(ROOT / "manuscript" / "assets", folder / "assets")


def figures(html: str) -> list[tuple[str, str]]:
    """Caption and alternative text of each figure, without markup."""
    found = []
    for figure in re.findall(r'<figure id="fig-.*?</figure>', html, re.S):
        caption = re.search(r"<figcaption.*?>(.*?)</figcaption>", figure, re.S)
        alt = re.search(r'<img\b[^>]*?\b(?:alt|aria-label)="([^"]*)"', figure)
        if caption:
            text = " ".join(re.sub(r"<[^>]+>", "", caption[1]).split())
            found.append((text, alt[1] if alt else ""))
    return found


def faults(results: Path) -> list[str]:
    """What is wrong with a rendered article; nothing of one that is right.

    Parameters
    ----------
    results : the folder ``results`` of a project.
    """
    html = (results / "manuscript" / "manuscript.html").read_text("utf-8")
    body = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S)
    found = [f"unresolved: {text}" for text in re.findall(r"\{\{.{0,40}|\?var:\S*", body)]
    found += [f"no target: {text}" for text in re.findall(r"\?@?(?:fig|tbl|sec|eq)-[\w-]+", body)]
    ids = set(re.findall(r'id="([^"]+)"', body))
    links = set(re.findall(r'href="#([^"]+)"', body))
    found += [f"dead link: {name}" for name in sorted(links - ids)]
    shown = figures(body)
    if not shown:
        found.append("no figure")
    for caption, alt in shown:
        question, _, answer = caption.partition("?")
        if "Published effects by their standard errors" in caption:
            continue  # the funnel's sentences are in the text around it
        if not answer or not re.search(NUMBERS, answer, re.I):
            found.append(f"no question that is answered: {question}")
        if not re.search(NUMBERS, alt, re.I):
            found.append(f"no numbers in the alternative text: {question}")
    words = re.sub(r"<[^>]+>", " ", body)
    found += [f"a count that is wrong: {text}" for text in re.findall(r"\b1 \w+s are\b", words)]
    return found
