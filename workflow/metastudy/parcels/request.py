"""A request for parcels: what an analyst asks owners of data for, in one small file.

Its digest is of what is asked for and not of the code, so an edit of the code makes no other
request. Keys stay in their order, for the first level of a factor is its reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import OPTIONAL, SECTIONS, Vocabulary
from metastudy.common import user_files
from metastudy.common.json_schema import validator, violations
from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.common.text import did_you_mean, shown
from metastudy.common.yaml_document import Document, yaml_path
from metastudy.parcels.container import digest, strict_json
from metastudy.parcels.refusals import Refusal

__all__ = ["AGAIN", "CODINGS", "KINDS", "VERSION", "Request", "of_config", "read", "spelt"]

__resources__ = ("../../schemas/request.schema.yaml",)
SCHEMA = Path(__file__).parents[2] / "schemas" / "request.schema.yaml"
FORMAT = "metastudy-parcel-request"
VERSION = 1
MOST_BYTES = 2**20  # the vocabulary that ships makes 0.02 MB
ANSWERS, CODINGS = KINDS = ("answers", "codings")  # of models whose cells can be a parcel's
CODE = "request"
AGAIN = "ask the analyst for the request again, made with `snakemake request`"


@dataclass(frozen=True)
class Request:
    """What is asked for: the variants of each module, the smallest cell, and the vocabulary.

    ``made_with`` has the digests of the analyst's code and locked packages.
    """

    fits: Mapping[str, tuple[str, ...]]
    smallest_cell: int
    vocabulary: Vocabulary
    made_with: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked for, 64 hexadecimal digits."""
        return digest(_compact(_asks(self)))


def of_config(
    config: Mapping[str, Any], vocabulary: Vocabulary, made_with: Mapping[str, str] | None = None
) -> Request:
    """Give the request that a configuration makes.

    Parameters
    ----------
    config : ``modules``, ``sensitivity`` and ``privacy`` are read. How scores are standardised is
        no setting: always by the reference group of each setting.
    vocabulary : the common one, without what studies add.
    made_with : digests of code and lock.

    Returns
    -------
    The request; without fits where no module of answers on scales or of codes is selected.
    """
    asked = config.get("modules", "all")
    asked = [asked] if isinstance(asked, str) and asked != "all" else asked
    folded = config.get("sensitivity", {}).get("folded", ())
    fits = {
        module: ("main", "folded") if module in folded else ("main",)
        for module in vocabulary["modules"]
        if vocabulary.model(module) in KINDS and (asked == "all" or module in asked)
    }
    least = int(config.get("privacy", {}).get("smallest_cell", 1))
    return Request(fits, least, vocabulary, dict(made_with or {}))


def spelt(request: Request) -> str:
    """Spell a request as its file.

    Raises
    ------
    MetastudyError
        If it asks for nothing.
    """
    if not request.fits:
        raise MetastudyError(
            "there is nothing to ask owners for: `modules` selects no module of answers on scales "
            "or of codes, and parcels hold only those"
        )
    whole = {**_asks(request), "made_with": dict(request.made_with), "digest": request.digest}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _asks(request: Request) -> dict[str, Any]:
    sections = {name: request.vocabulary[name] for name in SECTIONS if request.vocabulary[name]}
    asks = {
        "fits": {module: list(variants) for module, variants in request.fits.items()},
        "smallest_cell": request.smallest_cell,
        "vocabulary": sections,
    }
    return {"format": FORMAT, "version": VERSION, "asks": asks}


def _compact(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read(path: Path) -> Request:
    """Read a request and check all of it.

    Raises
    ------
    BadInput
        With one problem of the code ``request``: a file that is none, is damaged or of another
        version, that asks for what there is not, or whose vocabulary is not whole.
    """
    try:
        return _checked(strict_json(path.name, _bytes(path)), path)
    except Refusal as said:
        fix = said.fix if said.code == CODE else AGAIN
        raise BadInput(
            Problem(
                file=shown(path),
                found=said.found,
                expected=said.expected,
                fix=fix,
                column=said.place or None,
                code=CODE,
            )
        ) from None


def _bytes(path: Path) -> bytes:
    try:
        return user_files.read_whole(path, MOST_BYTES)
    except user_files.NotReadable as error:
        most = user_files.size(MOST_BYTES)
        raise Refusal(str(error), f"the analyst's request, a file of at most {most}") from None
    except OSError as error:
        raise Refusal(
            f"a file that cannot be read: {error.strerror}",
            "the analyst's request",
            "correct the path in `request=FILE`",
            CODE,
        ) from None


def _checked(document: Any, path: Path) -> Request:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Refusal(f"a file that does not say that it is a {FORMAT}", "a request for parcels")
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        newer = type(version) is int and version > VERSION
        fix = "update this workflow" if newer else AGAIN
        raise Refusal(
            f"version {str(version)[:20]}", f"version {VERSION} of the format", fix, CODE, "version"
        )
    for error in validator(SCHEMA).iter_errors(document):
        for one in violations(error):
            place = yaml_path(one.place) if one.place else ""
            raise Refusal(one.found, one.expected, place=place)
    asks = document["asks"]
    about = {name: document[name] for name in ("format", "version", "asks")}
    if digest(_compact(about)) != document["digest"]:
        raise Refusal(
            "a request that was changed after it was made: its digest is another one",
            "the request as `snakemake request` wrote it",
            place="digest",
        )
    vocabulary = _vocabulary(asks["vocabulary"], path)
    known = [m for m in vocabulary["modules"] if vocabulary.model(m) in KINDS]
    for module in asks["fits"]:
        if module not in known:
            raise Refusal(
                f"the fit '{module[:80]}'.{did_you_mean(module, known)}",
                f"modules of answers on scales and of codes in its vocabulary: {', '.join(known)}",
                place="asks.fits",
            )
    fits = {module: tuple(variants) for module, variants in asks["fits"].items()}
    return Request(fits, asks["smallest_cell"], vocabulary, document["made_with"])


def _vocabulary(sections: Mapping[str, Any], path: Path) -> Vocabulary:
    """The vocabulary of a request, checked like the one of a project."""
    for name in SECTIONS:
        if name not in sections and name not in OPTIONAL:
            raise Refusal(f"no section '{name}'", f"the sections {', '.join(SECTIONS)}",
                          place="asks.vocabulary")  # fmt: skip
    nothing = Vocabulary({name: {} for name in SECTIONS})
    document = Document(path, {"vocabulary": sections}, {})
    whole, problems = vocabularies.extend(nothing, document, sections)
    if problems:
        said = problems[0]
        raise Refusal(said.found, said.expected, place=f"asks.{said.column}")
    return whole
