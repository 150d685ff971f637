"""The folder of a submission, made whole beside its place and then put there."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.article import catalogue
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.manuscript.checks import check
from metastudy.manuscript.checks.document import Document
from metastudy.manuscript.pandoc import SUFFIX, syntax_tree, tool_versions
from metastudy.manuscript.render import render
from metastudy.manuscript.source import read_sources, unmarked
from metastudy.sharing import data
from metastudy.sharing.citation import citation_of
from metastudy.sharing.withheld import keys_of, withheld
from metastudy.submission import blind, checklists, pictures, readme
from metastudy.submission.statement import statement

__all__ = ["Inputs", "addresses_of", "made"]

WANTED = ("docx", "typst")  # what journals take; else what the project has


@dataclass(frozen=True)
class Inputs:
    """What a submission is made from.

    ``source`` is the staged manuscript, ``harmonized`` has a folder for each study, ``fits`` says
    of each fit its studies, ``models`` of each module its kind of model; ``pseudonyms`` is that
    section of the configuration, whose key names the files that stay.
    """

    source: Path
    harmonized: tuple[Path, ...]
    data: Path
    results: Path
    repository: Path
    project: Path
    fits: Mapping[str, Mapping[str, Any]]
    models: Mapping[str, str]
    seed: int
    pseudonyms: Mapping[str, str | None]


def addresses_of(*folders: Path) -> list[str]:
    """Addresses of the remotes of Git repositories; none without Git."""
    found = []
    for folder in folders:
        git = ["git", "-C", str(folder), "config", "--get-regexp", r"^remote\..*\.url$"]
        try:
            said = subprocess.run(git, capture_output=True, text=True, check=False).stdout
        except OSError:
            return []
        found += [line.split(maxsplit=1)[1] for line in said.splitlines() if " " in line]
    return list(dict.fromkeys(found))


def made(inputs: Inputs, target: Path) -> list[str]:
    """Make the folder.

    Returns
    -------
    list of str
        All files in it, in order.

    Raises
    ------
    BadInput
        With what is wrong in the manuscript, the citation file or a report.
    MetastudyError
        If a blinded document still names an author or an address.
    """
    sources = read_sources(inputs.source)
    if problems := check(sources):
        raise BadInput(problems)
    documents = {s.document: Document(s, syntax_tree(s)[0]) for s in sources}
    numbers = {name: n for d in documents.values() for name, n in d.numbers.items()}
    front = unmarked(sources[0].front)
    citation = citation_of(inputs.project, inputs.repository)
    names = blind.names_of(front, citation, addresses_of(inputs.project, inputs.repository))
    target.mkdir(parents=True, exist_ok=True)
    formats = [to for to in WANTED if to in sources[0].formats] or list(sources[0].formats)
    _render_blinded(inputs.source, target, formats, names)
    (target / "figures").mkdir()
    for number, _, image in pictures.figures_of(documents):
        svg = (inputs.source / image).with_suffix(".svg")
        pictures.written(svg, target / "figures", f"Figure_{number}")
    files = data.files_of(inputs.harmonized)
    data.copied(files, inputs.fits, inputs.data, inputs.results, target / "data")
    kept = data.divided(files, inputs.fits, inputs.data, inputs.results).kept
    named = withheld(kept, keys_of(files, inputs.data, inputs.pseudonyms))
    licence = str(citation.get("license", "")) or "licence not stated"
    shown = readme.exhibits(
        documents, catalogue.figures(inputs.models), catalogue.tables(inputs.models)
    )
    title = str(front.get("title", ""))
    texts = {
        "README.md": readme.readme(title, files, shown, tool_versions(), inputs.seed, licence),
        "data_and_code.md": statement(files, licence, named),
        "title_page.md": _title_page(title, front),
        **{f"checklists/{name}.md": checklists.filled(name, numbers) for name in checklists.LISTS},
    }
    (target / "checklists").mkdir()
    for name, text in texts.items():
        (target / name).write_text(text, "utf-8")
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())


def _render_blinded(source: Path, target: Path, formats: list[str], names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "source")
        blind.blinded(source, folder, names)
        render(folder, Path(scratch, "out"), formats)
        for path in sorted(Path(scratch, "out").glob("*.*")):
            if path.suffix[1:] not in SUFFIX.values():
                continue
            if found := blind.revealed(path, names):
                raise MetastudyError(
                    f"the blinded {path.name} still holds {', '.join(map(repr, found))}; "
                    "take it out of the manuscript, its figures or its bibliography"
                )
            (target / f"blinded_{path.name}").write_bytes(path.read_bytes())


def _title_page(title: str, front: Mapping[str, Any]) -> str:
    """What the blinded documents do not say, for the editors alone."""
    places = {p.get("id"): p.get("name", "") for p in front.get("affiliations", [])}
    lines = [f"# {title}", ""]
    for person in front.get("author", []):
        at = [str(places.get(item.get("ref"), "")) for item in person.get("affiliations", [])]
        more = [str(person[k]) for k in ("email", "orcid") if person.get(k)]
        lines.append("- " + ", ".join([str(person["name"]), *filter(None, at), *more]))
    return "\n".join(lines) + "\n"
