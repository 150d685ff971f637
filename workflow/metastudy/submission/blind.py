"""A manuscript without its authors and without the address of its repository."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from metastudy.common.problems import MetastudyError

__all__ = ["ADDRESS", "BLINDED", "blinded", "names_of", "revealed"]

BLINDED = "Blinded for review"
ADDRESS = "[address withheld for review]"
OF_AUTHORS = ("author", "affiliations", "funding", "copyright")
SHORTEST = 5  # letters of a name that is looked for in the text


def names_of(
    front: Mapping[str, Any], citation: Mapping[str, Any], addresses: Iterable[str]
) -> list[str]:
    """Names, addresses and identifiers that a blinded text may not hold, the longest first.

    Parameters
    ----------
    front : front matter of the article.
    citation : what ``CITATION.cff`` says; empty without one.
    addresses : of the repository, such as that of Git's remote.
    """
    found = [str(a) for a in addresses]
    found += [str(citation.get(k, "")) for k in ("repository-code", "url", "repository", "doi")]
    for person in front.get("author", []):
        found += [str(person.get(k, "")) for k in ("name", "orcid", "email")]
    found += [str(place.get("name", "")) for place in front.get("affiliations", [])]
    for person in citation.get("authors", []):
        whole = f"{person.get('given-names', '')} {person.get('family-names', '')}".strip()
        found += [whole, *(str(person.get(k, "")) for k in ("name", "orcid", "email"))]
    bare = [re.sub(r"^(https?://|git@)|\.git$", "", name) for name in found]
    kept = {name.strip() for name in (*found, *bare) if len(name.strip()) >= SHORTEST}
    return sorted(kept, key=lambda name: (-len(name), name))


def blinded(source: Path, target: Path, names: Iterable[str]) -> None:
    """Copy a staged manuscript into a new folder without its authors and addresses.

    Raises
    ------
    MetastudyError
        If a document has no front matter.
    """
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in sorted(target.glob("*.qmd")):
        parts = re.split(r"(?m)^---[ \t]*$", path.read_text("utf-8"), maxsplit=2)
        if len(parts) < 3:
            raise MetastudyError(f"{path.name} has no front matter, so it cannot be blinded")
        front = yaml.safe_load(parts[1])
        front = {k: v for k, v in front.items() if k not in OF_AUTHORS}
        front = {k: str(v) if k == "date" else v for k, v in front.items()}
        front = {"title": front.pop("title"), "author": [{"name": BLINDED}], **front}
        text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10**6)
        path.write_text(f"---\n{_without(text, names)}---{_without(parts[2], names)}", "utf-8")
    for path in sorted((target / "tables").glob("*.md")):
        path.write_text(_without(path.read_text("utf-8"), names), "utf-8")


def _is_address(name: str) -> bool:
    return "/" in name or "@" in name


def _pattern(name: str) -> re.Pattern[str]:
    """A name as a whole, as it is written; an address in whatever letters."""
    flags = re.IGNORECASE if _is_address(name) else 0
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", flags)


def _without(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = _pattern(name).sub(ADDRESS if _is_address(name) else BLINDED, text)
    return text


def revealed(path: Path, names: Iterable[str]) -> list[str]:
    """Names that a finished document still holds, in its text or its metadata.

    Parameters
    ----------
    path : a Word file, a web page, or another text; of a PDF what is not compressed is read.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            texts = [parts.read(name).decode("utf-8", "replace") for name in parts.namelist()]
        # Word parts a text into runs.
        text = " ".join(texts + [re.sub(r"<[^>]+>", "", one) for one in texts])
    else:
        text = path.read_bytes().decode("utf-8", "replace")
    return [name for name in names if _pattern(name).search(text)]
