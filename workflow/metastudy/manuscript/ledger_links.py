"""Numbers that lead to the ledger where Quarto renders.

Quarto puts variables in by itself, and what they were is lost in its page. So in the copy of the
sources that it is given each variable of running text is in a span that names it, and a filter that
runs after Quarto's own (``assets/ledger-quarto.lua``) makes the spans of web pages the links that
our own renderer writes (``from_the_ledger`` in ``qmd.lua``). The sources that a reader is given
have no spans.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from metastudy.manuscript.ledger import is_number

__all__ = ["FILTER", "name_numbers", "named"]

__resources__ = ("assets/ledger-quarto.lua",)
FILTER = Path(__file__).with_name("assets") / "ledger-quarto.lua"
TEXTS = ("*.qmd", "tables/_part-*.md")  # what has variables in it
# What holds variables that are no running text: code, formulas, links, and attributes in braces.
ASIDE = (
    r"`[^`]*`|\$[^$]+\$|(?<!!)\[[^\[\]]*\]\([^)]*\)|\]\([^)]*\)"
    r"|(?<!\{)\{(?!\{)(?:\{\{<.*?>\}\}|[^{}])*\}"
)
VARIABLE = re.compile(rf"{ASIDE}|(?P<use>\{{\{{<\s*var\s+(?P<name>\S+)\s*>\}}\}})")
HEADING = re.compile(r"#{1,6} ")
KEY = re.compile(r"[^\s#:-][^:]*:")


def named(text: str, variables: Mapping[str, str]) -> str:
    """A document in which every number of running text is in a span that names its variable.

    Parameters
    ----------
    text : a document or a part of one, as it is written.
    variables : all variables by dotted path.

    Returns
    -------
    str
        The text; headings, whose ids come from their words, and front matter but the abstract are
        as they were.
    """

    def replace(found: re.Match[str]) -> str:
        name = found["name"]
        if not name or not is_number(variables.get(name, "")):
            return found[0]
        return f'[{found["use"]}]{{.from-ledger variable="{name}"}}'

    out, front, inside, formula, code = [], False, False, False, False
    for at, line in enumerate(text.split("\n")):
        plain = line.strip()
        if at == 0 and plain == "---":
            front = True
        elif front and plain in ("---", "..."):
            front = inside = False
        elif front:
            inside = line.startswith("abstract:") or (inside and not KEY.match(line))
        elif plain.startswith("```"):
            code = not code
        elif plain.count("$$") == 1:
            formula = not formula
        running = inside if front else not (code or formula or HEADING.match(line))
        out.append(VARIABLE.sub(replace, line) if running else line)
    return "\n".join(out)


def name_numbers(folder: Path, variables: Mapping[str, str]) -> None:
    """Name the numbers of a folder that Quarto is to render, and have its filter make them links.

    Parameters
    ----------
    folder : a copy of the staged manuscript; its files are changed.
    variables : all variables by dotted path.
    """
    for path in sorted(file for pattern in TEXTS for file in folder.glob(pattern)):
        path.write_text(named(path.read_text("utf-8"), variables), "utf-8")
    (folder / "assets").mkdir(exist_ok=True)
    shutil.copy(FILTER, folder / "assets" / FILTER.name)
    file = folder / "_quarto.yml"
    config = yaml.safe_load(file.read_text("utf-8"))
    filters = list(config.get("filters") or [])
    filters += ["quarto"] * ("quarto" not in filters)
    config["filters"] = [*filters, f"assets/{FILTER.name}"]
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")
