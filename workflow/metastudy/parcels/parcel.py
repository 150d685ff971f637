"""A parcel: the documents of one study, read from a file and checked, or written to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.json_schema import validator, violations
from metastudy.common.yaml_document import Document, yaml_path
from metastudy.parcels import container
from metastudy.parcels.container import MANIFEST
from metastudy.parcels.control_words import check_control
from metastudy.parcels.refusals import AGAIN, Refusal, refused
from metastudy.parcels.study_words import check_study

__all__ = ["SUFFIX", "VERSION", "Parcel", "parcel_in", "read", "sealed", "vocabulary_with", "write"]

__resources__ = ("../../schemas/parcel.schema.yaml",)
SCHEMA = Path(__file__).parents[2] / "schemas" / "parcel.schema.yaml"
FORMAT = "metastudy-parcel"
VERSION = 5
# Version 1 has no `request`, neither 1 nor 2 says how much wider intervals are, and before 4 there
# are no counts of codes. Before 5 nothing says which estimates hold differences between sites, and
# others could be of several levels of an exposure that is the same for all of a site.
READS = (1, 2, 3, 4, 5)
SUFFIX = ".parcel"
_PLAIN = ("study", "control", "report", "estimates")


@dataclass(frozen=True)
class Parcel:
    """The documents of a parcel: its manifest, and the others by their names."""

    manifest: Mapping[str, Any]
    documents: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The study's key."""
        return str(self.manifest["study"])

    @property
    def request(self) -> Mapping[str, Any] | None:
        """What it was made for: digest of the request and fits that were not asked for, if any."""
        found: Mapping[str, Any] | None = self.manifest.get("request")
        return found

    @property
    def study(self) -> Mapping[str, Any]:
        """The public part of the codebook, and the participant flow."""
        found: Mapping[str, Any] = self.documents["study.json"]
        return found

    @property
    def fits(self) -> dict[tuple[str, str], Any]:
        """Cells by module and variant."""
        found = {}
        for name, document in self.documents.items():
            if name.startswith("cells/"):
                module, _, variant = (
                    name.removeprefix("cells/").removesuffix(".json").rpartition("-")
                )
                found[module, variant] = document
        return found


def parcel_in(folder: Path) -> Path | None:
    """The parcel in a study's folder, if it holds one in place of a codebook and a data file.

    Raises
    ------
    BadInput
        For a folder with two parcels, or with a parcel beside a codebook.
    """
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if not found:
        return None
    if len(found) > 1:
        said = Refusal(
            f"{len(found)} parcels: {', '.join(path.name for path in found)}",
            "one parcel in a study's folder",
            "keep the newest; a new parcel takes the place of the old one",
        )
        raise refused(found[0], said)
    if (folder / "codebook.yaml").exists():
        said = Refusal(
            "a parcel beside a codebook",
            "either rows with their codebook, or a parcel",
            "take one of them out: the people would be counted twice",
            "two-forms",
        )
        raise refused(found[0], said)
    return found[0]


def vocabulary_with(parcel: Parcel, path: Path, common: Vocabulary) -> Vocabulary:
    """The common vocabulary with what a parcel adds to it.

    Raises
    ------
    BadInput
        For additions that are not whole, and for a ``study.json`` that speaks of what there is
        not.
    """
    added = parcel.study["vocabulary"]
    document = Document(path, {"vocabulary": added}, {})
    whole, problems = vocabularies.extend(common, document, added)
    if problems:
        said = problems[0]
        place = f"study.json {said.column}"
        raise refused(path, Refusal(said.found, said.expected, AGAIN, "vocabulary", place))
    try:
        check_study(parcel.study, parcel.fits, whole)
    except Refusal as wrong:
        raise refused(path, wrong, parcel.id) from None
    return whole


def sealed(manifest: Mapping[str, Any], documents: Mapping[str, Any]) -> dict[str, bytes]:
    """Spell all documents, and the manifest with a digest of each and its seal.

    The digests show damage and careless edits. Who edits with care can make them anew: against
    that only the owner's keyed checksum helps, or a signature beside the file.
    """
    spelt = {name: container.canonical(document) for name, document in documents.items()}
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "request": None,
        **manifest,
        "files": {name: container.digest(text) for name, text in spelt.items()},
    }
    whole["seal"] = container.digest(container.canonical(whole))
    return {**spelt, MANIFEST: container.canonical(whole)}


def write(path: Path, manifest: Mapping[str, Any], documents: Mapping[str, Any]) -> None:
    """Write a parcel, and read it back as whoever gets it does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(container.pack(sealed(manifest, documents)))
    read(part, path.stem)
    part.replace(path)


def read(path: Path, study: str | None = None) -> Parcel:
    """Read a parcel and check everything that can be checked without a vocabulary and arrays.

    Parameters
    ----------
    study : id that it must have; the name of its folder if not given.

    Raises
    ------
    BadInput
        With one problem: the first that was found, in the order file, version, seal, documents.
    """
    study = study or path.parent.name
    try:
        parsed, digests = container.unpack(path)
        return _checked(parsed, digests, study)
    except Refusal as said:
        raise refused(path, said, study) from None


def _checked(parsed: Mapping[str, Any], digests: Mapping[str, str], study: str) -> Parcel:
    manifest = parsed.get(MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refusal(f"an archive whose {MANIFEST} does not say that it is a parcel", "a parcel")
    version = manifest.get("version")
    if type(version) is not int or version not in READS:
        newer = type(version) is int and version > VERSION
        fix = "update this workflow" if newer else AGAIN
        expected = f"version {' or '.join(map(str, READS))} of the format"
        raise Refusal(f"version {str(version)[:20]}", expected, fix)
    _keeps(manifest, "parcel_1" if version == 1 else "parcel", MANIFEST)
    unsealed = {key: value for key, value in manifest.items() if key != "seal"}
    if container.digest(container.canonical(unsealed)) != manifest["seal"]:
        raise Refusal(f"a {MANIFEST} that was changed after it was sealed", "the parcel as made")
    others = {name: d for name, d in digests.items() if name != MANIFEST}
    if unlike := sorted(set(others) ^ set(manifest["files"])):
        raise Refusal(
            f"'{unlike[0]}', which is in only one of the archive and its {MANIFEST}",
            "the documents that the parcel was made with",
        )
    if changed := [name for name, found in others.items() if found != manifest["files"][name]]:
        raise Refusal(
            f"'{changed[0]}', which was changed after it was sealed", "the parcel as made"
        )
    for name in _PLAIN:
        if f"{name}.json" not in parsed:
            raise Refusal(f"no '{name}.json'", "all documents of the format")
        _keeps(parsed[f"{name}.json"], name, f"{name}.json")
    _in_order(parsed["study.json"])
    found = Parcel(manifest, {name: parsed[name] for name in others})
    about = found.study["codebook"]
    for what, said in (
        ("the study", (found.id, about["id"], found.documents["report.json"]["study"])),
        ("the provenance", (manifest["provenance"], about["provenance"])),
        ("the smallest cell", (manifest["least"], found.documents["control.json"]["least"])),
    ):
        if len(set(map(str, said))) > 1:
            raise Refusal(f"{what} as {' and as '.join(map(str, said))}", "documents that agree")
    if found.id != study:
        raise Refusal(
            f"a parcel of the study {found.id}",
            f"one of the study {study}, after which its folder is called",
            f"put it into a folder called {found.id}",
        )
    if not found.fits:
        raise Refusal("no cells", "cells of one module at least")
    not_asked = (found.request or {}).get("not_asked", {})
    if both := [(m, v) for m, v in found.fits if v in not_asked.get(m, ())]:
        raise Refusal(f"cells of {', '.join(both[0])}, which the request did not ask for",
                      "the fits of the request alone", place="request")  # fmt: skip
    _adds_up(found)
    check_control(found.documents, found.fits)
    return found


def _in_order(study: Mapping[str, Any]) -> None:
    """Bring levels that a study adds into their order, in place: in the file keys are sorted."""
    added = study["vocabulary"].get("factors")
    for factor, levels in study["factors"].items():
        entry = added.get(factor) if isinstance(added, dict) else None
        if not isinstance(entry, dict):
            continue
        labels = entry.get("levels")
        if isinstance(labels, dict) and set(labels) == set(levels):
            entry["levels"] = {level: labels[level] for level in levels}


def _keeps(document: Any, part: str, name: str) -> None:
    """Check a document against its part of the schema."""
    for error in validator(SCHEMA, part, strict=True).iter_errors(document):
        for one in violations(error):
            place = yaml_path(one.place) if one.place else ""
            raise Refusal(one.found, one.expected, place=f"{name} {place}".strip())


def _adds_up(found: Parcel) -> None:
    study = found.study
    left, least = sum(study["excluded"].values()), int(found.manifest["least"])
    if study["rows_read"] != study["rows_kept"] + left:
        raise Refusal(
            f"{study['rows_read']} rows read, {study['rows_kept']} kept and {left} excluded",
            "numbers that add up",
            place="study.json",
        )
    if small := [
        n for n in (*study["excluded"].values(), *(p[3] for p in study["places"])) if 0 < n < least
    ]:
        raise Refusal(
            f"a count of {small[0]}",
            f"no count of people from 1 to {least - 1}",
            place="study.json",
        )
    people = sum(n for *_, n in study["places"])
    if people != study["rows_kept"]:
        raise Refusal(f"{people} people in places and {study['rows_kept']} kept",
                      "numbers that add up", place="study.json places")  # fmt: skip
    if len({tuple(place) for *place, _ in study["places"]}) < len(study["places"]):
        raise Refusal("a place twice", "each place once", place="study.json places")
