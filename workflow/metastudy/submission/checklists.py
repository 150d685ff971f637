"""Reporting checklists: each item with its place in the two documents, or why it has none.

The items are in ``checklists/*.yaml``, in words of our own, with the ids of sections, tables and
figures where the shipped article has them. A place is printed only where the document has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

__all__ = ["LISTS", "filled", "places"]

__resources__ = ("checklists/*.yaml",)
FOLDER = Path(__file__).with_name("checklists")
LISTS = ("prisma_2020", "mars", "barg")
WORDS = {"sec": "Section", "tbl": "Table", "fig": "Figure", "eq": "Equation"}
NOT_THERE = "not reported in these documents"


def places(ids: Sequence[str], numbers: Mapping[str, str]) -> str:
    """Ids as they are printed; those that the documents do not have are left out."""
    found = [f"{WORDS[name.partition('-')[0]]} {numbers[name]}" for name in ids if name in numbers]
    return ", ".join(found)


def filled(name: str, numbers: Mapping[str, str]) -> str:
    """One checklist in Markdown.

    Parameters
    ----------
    name : one of :data:`LISTS`.
    numbers : by id the printed number of each section, table, figure and equation of both
        documents.
    """
    said: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    lines = [f"# {said['title']}", "", said["source"], "", said["note"], ""]
    lines += ["| Item | What is asked for | Where | Remark |", "|---|---|---|---|"]
    for item in said["items"]:
        if why := item.get("not_applicable"):
            where, remark = "not applicable", why
        else:
            where = places(item.get("places", ()), numbers) or item.get("where", NOT_THERE)
            remark = item.get("remark", "")
        lines.append(f"| {item['item']} | {item['topic']} | {where} | {remark} |")
    return "\n".join(lines) + "\n"
