"""The description of an archive: an RO-Crate after the profile Provenance Run Crate.

References
----------
Leo et al. (2024), Recording provenance of workflow runs with RO-Crate. PLoS ONE 19(9): e0309210.
https://w3id.org/ro/wfrun/provenance/0.5
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from rocrate.model import ComputationalWorkflow, ContextEntity, Dataset, Entity, File
from rocrate.rocrate import ROCrate

from metastudy.archive import actions, page
from metastudy.archive.contents import Contents
from metastudy.archive.provenance import Job, moment
from metastudy.archive.verdict import NONE, Verdict
from metastudy.common.code_digest import file_digest
from metastudy.common.keyed_checksum import ALGORITHM

__all__ = ["write"]

VERSION = "1.1"  # of RO-Crate, which the profiles build on
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"sha256": "https://schema.org/sha256"}  # which the context of 1.1 does not have
MEDIA = {
    ".bib": "text/x-bibtex",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nc": "application/x-netcdf",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".sh": "text/x-shellscript",
    ".smk": "text/plain",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
SPDX = re.compile(r"[A-Za-z0-9.+-]+")


def write(
    about: Mapping[str, Any],
    contents: Contents,
    jobs: Sequence[Job],
    verdict: Verdict | None,
    folder: Path,
) -> None:
    """Write ``ro-crate-metadata.json`` beside the files that it describes.

    Parameters
    ----------
    about : what the citation file says.
    contents, jobs, verdict : of the archive.
    folder : holds the copies already.
    """
    crate = ROCrate(version=VERSION)
    crate.metadata.extra_terms.update(TERMS)
    root = crate.root_dataset
    when = moment(max(job.ended for job in jobs))
    verdict_said = verdict.said(contents.state.commit) if verdict else NONE
    title = str(about.get("title", ""))
    root["name"] = f"{title}: archive of a build"
    root["description"] = f"{about.get('abstract', title)} {contents.state} {verdict_said}"
    root["datePublished"] = when
    root["license"] = _licence(crate, str(about.get("license", "")))
    if people := [_author(crate, person) for person in about.get("authors", [])]:
        root["author"] = people if len(people) > 1 else people[0]
    if keywords := about.get("keywords"):
        root["keywords"] = ", ".join(map(str, keywords))
    root["conformsTo"] = [_profile(crate, address, name) for address, name in PROFILES.items()]
    places = _Places(crate, contents, folder)
    for place in (*contents.files, page.NAME):
        places.add_file(place)
    withheld = [places.of(place) for place in contents.kept]
    mentioned = actions.described(crate, contents, jobs, verdict, places.of, title)
    root["mentions"] = [*mentioned, *withheld]
    # What Workflow RO-Crate asks for beside the version of RO-Crate itself.
    crate.metadata["conformsTo"] = [
        {"@id": f"https://w3id.org/ro/crate/{VERSION}"},
        {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
    ]
    crate.metadata.write(folder)


def _profile(crate: ROCrate, address: str, name: str) -> Entity:
    about = {"@type": "CreativeWork", "name": name, "version": address.rpartition("/")[2]}
    return crate.add(ContextEntity(crate, address, properties=about))


def _licence(crate: ROCrate, name: str) -> Entity | str:
    """The licence by its SPDX page, else in the words of the citation file."""
    if not SPDX.fullmatch(name):
        return name or "not stated"
    about = {"@type": "CreativeWork", "name": name}
    return crate.add(ContextEntity(crate, f"https://spdx.org/licenses/{name}", properties=about))


def _author(crate: ROCrate, person: Mapping[str, Any]) -> Entity:
    """A person, or a group, as the citation file names them."""
    whole = f"{person.get('given-names', '')} {person.get('family-names', '')}".strip()
    name = str(person.get("name") or whole)
    about = {"@type": "Person" if whole else "Organization", "name": name}
    address = str(person.get("orcid") or f"#author/{quote(name)}")
    return crate.add(ContextEntity(crate, address, properties=about))


class _Places:
    """Entities of an archive by places: files, folders, what stays, and what is not there."""

    def __init__(self, crate: ROCrate, contents: Contents, folder: Path) -> None:
        self.crate, self.contents, self.folder = crate, contents, folder
        self.known: dict[str, Entity] = {}

    def add_file(self, place: str) -> None:
        """Describe a file that is in the archive."""
        path = self.folder / place
        about: dict[str, Any] = {
            "name": PurePosixPath(place).name,
            "contentSize": str(path.stat().st_size),
            "sha256": file_digest(path),
        }
        if media := MEDIA.get(path.suffix.lower()):
            about["encodingFormat"] = media
        kind = ComputationalWorkflow if place == actions.workflow(self.contents) else File
        entity = kind(self.crate, path, quote(place), properties=about)
        self.known[place] = self.crate.add(entity)

    def of(self, place: str) -> Entity:
        """The entity of a place: a file or folder here, one that stays, or one that is gone."""
        if place not in self.known:
            self.known[place] = self.crate.add(self._new(place))
        return self.known[place]

    def _new(self, place: str) -> Entity:
        if place in self.contents.kept:
            return self._withheld(place)
        inside = f"{place}/"
        about: dict[str, Any] = {"name": place}
        if parts := [p for p in self.contents.files if p.startswith(inside)]:
            inner = [self.known[part] for part in parts]
            about["hasPart"] = inner if len(inner) > 1 else inner[0]
            return Dataset(self.crate, None, quote(inside), properties=about)
        about["@type"] = "CreativeWork"
        if parts := [p for p in self.contents.kept if p.startswith(inside)]:
            about |= {"description": "Withheld.", "hasPart": [self.of(part) for part in parts]}
            return ContextEntity(self.crate, f"#withheld/{quote(inside)}", properties=about)
        about["description"] = "Not in this archive: between two steps, or outside of the project."
        address = f"#not-here/{quote(place.lstrip('/'))}"
        return ContextEntity(self.crate, address, properties=about)

    def _withheld(self, place: str) -> Entity:
        what = self.contents.kept[place]
        checksum = {
            "@type": "PropertyValue",
            "name": f"Keyed checksum of {place}",
            "propertyID": ALGORITHM,
            "value": what.checksum,
        }
        about = {
            "@type": "CreativeWork",
            "name": place,
            "contentSize": str(what.size),
            "conditionsOfAccess": f"Withheld: data of the observed study {what.study}.",
            "identifier": self.crate.add(
                ContextEntity(self.crate, f"#checksum/{quote(place)}", properties=checksum)
            ),
        }
        return ContextEntity(self.crate, f"#withheld/{quote(place)}", properties=about)
