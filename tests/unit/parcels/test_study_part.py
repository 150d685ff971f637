"""The part of a parcel that tells of the study: each leaf of a real one is made wrong by rule.

Sealed again after each change, with cells that agree, it is refused with one clear error, whichever
value is in whichever place; but where the change is what another study could say.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from helpers.parcel_studies import harmonized, parcel_of, raw_study
from helpers.raw_studies import VOCABULARY
from metastudy.common.problems import BadInput
from metastudy.harmonize.parcel import save_parcel
from metastudy.parcels import container
from metastudy.parcels.folders import said_in
from metastudy.parcels.parcel import sealed

STUDY, ALPHA = "study.json", "alpha"
Place = tuple[str | int, ...]
Documents = dict[str, Any]

DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]
NAN = "not a number"
WRONG: dict[str, Any] = {
    "negative": -1,
    "of 400 digits": 10**400,
    "of 308 digits": 1e308,
    "half": 0.5,
    "one": 1,
    "empty": "",
    "word": "unheard_of",
    "long": "x" * 5000,
    "null": None,
    "true": True,
    "list": [],
    "words": ["a", "a"],
    "dict": {},
    "deep": DEEP,
    "NaN": NAN,
    "no entries": {"constructs": []},
    "no section": {"planets": {"mars": {"label": "Mars"}}},
}
MORE = {
    "sectors": {"moon": {"label": "Moon", "definition": "Up there."}},
    "factors": {"letter": {"label": "Letter", "levels": {"plain": "Plain", "extra": "Extra"}}},
    "constructs": {
        "luck": {"label": "Luck", "definition": "It.", "direction": "more", "family": "trait"}
    },
}  # fmt: skip
# What other studies could say: their words, numbers that nothing else has, and what may be missing.
MAY_BE: dict[Place, set[str]] = {
    ("attributes",): {"list"},
    ("attributes", 0): {"missing"},
    ("attributes", 0, "name"): {"word"},
    ("attributes", 0, "value"): {"word"},
    ("codebook", "title"): {"word"},
    ("codebook", "citation"): {"word"},
    **{("codebook", key): {"missing"} for key in ("country", "sector", "role", "arrangement")},
    ("few_left",): {"true"},
    ("reliabilities",): {"missing", "dict"},
    ("reliabilities", "threat_job"): {"missing", "half", "one"},
    ("vocabulary",): {"dict"},
}
OF_WORDS = {"missing", "dict", "word", "empty"}  # of what a study adds to the vocabulary


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Documents]:
    """The manifest and documents of a parcel in which every field of the study part is used."""
    folder = tmp_path_factory.mktemp("made")
    study = harmonized(raw_study(folder / "raw", ALPHA, sites=2), folder / "rows" / ALPHA)
    parcel_of(study, folder / "alpha.parcel")
    with zipfile.ZipFile(folder / "alpha.parcel") as archive:
        documents = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    manifest = documents.pop(container.MANIFEST)
    kept = ("study", "provenance", "least", "checksum", "code", "lock")
    said = documents[STUDY]
    said |= {"excluded": {"no_consent": 12}, "rows_read": 72, "vocabulary": deepcopy(MORE)}
    said |= {"attributes": [{"kind": "nesting", "name": "wave", "value": "first"}]}
    said |= {"reliabilities": {"threat_job": 0.8}}
    return {name: manifest[name] for name in kept}, documents


def places(document: Any, above: Place = ()) -> Iterator[Place]:
    """Each place of a document: all fields, and all that is in them."""
    named = document.items() if isinstance(document, dict) else ()
    listed = enumerate(document) if isinstance(document, list) else ()
    for key, value in (*named, *listed):
        yield (*above, key)
        yield from places(value, (*above, key))


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def variants(document: Any) -> Iterator[tuple[Place, str, Any]]:
    """The document made wrong in one place: where, how, and the whole of it."""
    for place in places(document):
        old = at(document, place)
        values = {k: v for k, v in WRONG.items() if type(v) is not type(old) or v != old}
        if type(old) is int:
            values |= {"one more": old + 1, "with a point": float(old)}
        if isinstance(old, dict):
            values |= {"a key more": {**old, "unheard_of": 1}}
        for name, value in values.items():
            changed = deepcopy(document)
            at(changed, place[:-1])[place[-1]] = value
            yield place, name, changed
        changed = deepcopy(document)
        del at(changed, place[:-1])[place[-1]]
        yield place, "missing", changed
    yield (), "a key more", {**document, "unheard_of": 1}


def packed(manifest: dict[str, Any], documents: Documents) -> bytes:
    """The bytes of a parcel whose cells say of their study what its study part says."""
    said = documents[STUDY]
    for name, document in documents.items():
        if name.startswith("cells/"):
            agreed = dict(document["attributes"], vocabulary=json.dumps(said.get("vocabulary")))
            if isinstance(book := said.get("codebook"), dict):
                keys = ("citation", "response_mode", "provenance")
                agreed["studies"] = json.dumps({ALPHA: {key: book.get(key) for key in keys}})
            documents[name] = {**document, "attributes": agreed}
    spelt = sealed(manifest, documents)
    spelt[STUDY] = spelt[STUDY].replace(json.dumps(NAN).encode(), b"NaN")
    return container.pack(spelt)


def taken(folder: Path, content: bytes) -> None:
    """What the rules learn of a parcel, and what is written of it."""
    path = folder / ALPHA / "alpha.parcel"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    said_in(path.parent, VOCABULARY)
    save_parcel(path, VOCABULARY, folder / "out" / ALPHA)


def test_the_parcel_that_is_made_wrong_is_right(
    tmp_path: Path, made: tuple[dict[str, Any], Documents]
) -> None:
    taken(tmp_path, packed(made[0], dict(made[1])))


def test_each_field_that_is_wrong_is_one_clear_error(
    tmp_path: Path, made: tuple[dict[str, Any], Documents]
) -> None:
    manifest, documents = made
    tried, wrong = 0, []
    for place, name, changed in variants(documents[STUDY]):
        tried += 1
        try:
            taken(tmp_path, packed(manifest, {**documents, STUDY: changed}))
        except BadInput as refused:
            (problem,) = refused.problems
            said = str(problem)
            clear = problem.study == ALPHA and problem.found and problem.expected and problem.fix
            if not clear or len(said) > 1500 or "alpha.parcel" not in problem.file:
                wrong.append((place, name, said))
        else:
            others = OF_WORDS if place[:1] == ("vocabulary",) else set()
            if name not in MAY_BE.get(place, others):
                wrong.append((place, name, "taken"))
    assert tried > 700
    assert wrong == []
