"""The web page after pandoc wrote it: smaller and narrow pictures, a script, and a policy.

The policy lets the page load nothing: pictures and the font of formulas are inside it, and the one
script that runs is the one whose SHA-256 the policy holds (Content Security Policy Level 3).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

__all__ = ["NARROW", "finished", "places_of", "smaller_svg"]

__resources__ = ("assets/manuscript.js",)
SCRIPT = Path(__file__).with_name("assets") / "manuscript.js"
PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
DRAWING = re.compile(r'<img\b[^>]*?\sdata-drawing="([^"]*)"[^>]*>')
NARROW, AT = "narrow_", "screen and (max-width: 40rem)"  # as in manuscript.css
PATH = re.compile(r'(?<=\sd=")[^"]*(?=")')
PLACE = re.compile(r'(?<=\s)(x|y|x1|x2|y1|y2|cx|cy)="(-?\d+\.\d{3,})"')
STYLE = re.compile(r'(?<=\sstyle=")[^"]*(?=")')
ALONE = re.compile(r"<g>(<(?:path|use|rect|circle)\b[^>]*/>)</g>")
# A letter moved along its line, as matplotlib writes it; `x` says the same (SVG 2, 5.6).
LETTER = re.compile(r'<use xlink:href="([^"]*)" transform="translate\((-?[\d.]+) 0\)"/>')
LONG = re.compile(r"-?\d+\.\d{3,}")
XLINK = ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # `href` alone does since SVG 2
# What a browser takes as it is in an address between double quotes (URL Standard 4.4).
PLAIN = " =:/;,()!*+-.@?$<>'{}"
TRANSLATED = re.compile(r"(?<=translate\()[^)]*(?=\))")
COLUMNS = ("Study", "Country", "Sector")


def smaller_svg(text: str) -> str:
    """A drawing that looks the same in fewer bytes.

    Comments, metadata, the document type, line breaks, blanks in styles and groups of one shape
    without any property go; names are short; coordinates of paths are given to a hundredth of
    their unit (a point, or for letters a hundredth of a point and less). A letter's place on its
    line is its ``x``.
    """
    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE[^>]*>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = PATH.sub(lambda found: _short_path(found[0]), text)
    text = PLACE.sub(lambda found: f'{found[1]}="{_short(found[2])}"', text)
    text = TRANSLATED.sub(lambda found: LONG.sub(lambda one: _short(one[0]), found[0]), text)
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    names = {name: f"i{at}" for at, name in enumerate(re.findall(r' id="([^"]*)"', text))}
    text = re.sub(r'(?<=#)[\w.-]+(?=[)"])', lambda found: names.get(found[0], found[0]), text)
    text = re.sub(r'(?<= id=")[^"]*', lambda found: names[found[0]], text)
    text = re.sub(r">\s+<", "><", text)
    text = STYLE.sub(lambda found: re.sub(r"\s*([:;])\s*", r"\1", found[0]), text)
    text = ALONE.sub(r"\1", text)
    text = LETTER.sub(lambda found: f'<use href="{found[1]}" x="{_short(found[2], 1)}"/>', text)
    text = text.replace(" xlink:href=", " href=").replace(XLINK, "")
    return re.sub(r"\s+", " ", text).strip()


def _short(number: str, digits: int = 2) -> str:
    short = f"{float(number):.{digits}f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _short_path(path: str) -> str:
    path = LONG.sub(lambda found: _short(found[0]), path)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(path.split()))


def _picture(found: re.Match[str]) -> str:
    return _address(base64.b64decode(found[1]).decode("utf-8"), PLAIN)


def _address(svg: str, safe: str) -> str:
    return "data:image/svg+xml," + quote(smaller_svg(svg).replace('"', "'"), safe=safe)


def _with_narrow(found: re.Match[str], folder: Path) -> str:
    """An image, with the version for narrow screens where the folder has one beside it."""
    image = found[0].replace(f' data-drawing="{found[1]}"', "")
    drawing = folder / unescape(found[1])
    narrow = drawing.with_name(NARROW + drawing.name)
    if drawing.suffix != ".svg" or not narrow.is_file():
        return image
    # a blank ends an address in a list of them
    address = _address(narrow.read_text("utf-8"), PLAIN.replace(" ", "").replace(",", ""))
    return f'<picture><source media="{AT}" srcset="{address}">{image}</picture>'


def places_of(folder: Path) -> list[dict[str, object]]:
    """Countries and sectors of each study, from the table whose columns name all three.

    Parameters
    ----------
    folder : the staged manuscript.

    Returns
    -------
    list of dict
        ``study``, ``countries`` and ``sectors``; empty where no table has such columns.
    """
    found: list[dict[str, object]] = []
    for file in sorted((folder / "tables").glob("_tbl-*.md")):
        rows = [_cells(line) for line in file.read_text("utf-8").splitlines() if line[:1] == "|"]
        if not rows or not set(COLUMNS) <= set(rows[0]):
            continue
        at = [rows[0].index(column) for column in COLUMNS]
        for row in rows[2:]:
            if len(row) > max(at) and row[at[0]]:
                study, countries, sectors = (row[i] for i in at)
                found.append(
                    {"study": study, "countries": _listed(countries), "sectors": _listed(sectors)}
                )
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _listed(text: str) -> list[str]:
    """The items of "a, b and c", each with a capital."""
    parts = [part.strip() for part in re.split(r", | and ", text)]
    return [part[:1].upper() + part[1:] for part in parts if any(map(str.isalnum, part))]


def finished(page: str, folder: Path) -> str:
    """A page of pandoc with smaller pictures, the script, and the policy.

    Parameters
    ----------
    page : the page as pandoc wrote it, with everything embedded.
    folder : the staged manuscript; the script reads from its tables which study was where, and
        beside a figure there may be another for narrow screens, ``narrow_<name>.svg``.

    Returns
    -------
    str
        The page.
    """
    page = DRAWING.sub(lambda found: _with_narrow(found, folder), page)
    page = PICTURE.sub(_picture, page)
    script = SCRIPT.read_text("utf-8")
    if "</" in script:
        raise ValueError(f"{SCRIPT.name} may not hold </, which ends a script in a page")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    charset = '<meta charset="utf-8">'
    meta = f'{charset}\n<meta http-equiv="Content-Security-Policy" content="{policy}">'
    # "<" is escaped, so that no name of a study can end the element
    facts = json.dumps(places_of(folder), ensure_ascii=False).replace("<", "\\u003c")
    data = f'<script type="application/json" id="places">{facts}</script>\n'
    end = page.rindex("</body>")
    page = f"{page[:end]}{data}<script>{script}</script>\n{page[end:]}"
    return page.replace(charset, meta, 1)
