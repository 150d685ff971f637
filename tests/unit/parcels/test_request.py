"""A request says what is wanted; what is no request is refused with one clear error.

Most hostile variants have a new digest after the change, so that a check of the contents has to
find them and not the digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.parcels import container, request
from metastudy.parcels.request import MOST_BYTES, VERSION, of_config, read, spelt

CONFIG = {"modules": "all", "sensitivity": {"folded": ["coping"]}, "privacy": {"smallest_cell": 12}}
MADE_WITH = {"code": "c" * 64, "lock": "d" * 64}
Document = dict[str, Any]


def text() -> str:
    return spelt(of_config(CONFIG, VOCABULARY, MADE_WITH))


def put(folder: Path, content: bytes | str) -> Path:
    path = folder / "request.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_request_is_read_back_as_it_was_with_the_order_of_levels(tmp_path: Path) -> None:
    found = read(put(tmp_path, text()))
    assert found.fits == {"threat": ("main",), "coping": ("main", "folded"), "strain": ("main",)}
    assert found.smallest_cell == 12
    assert found.vocabulary.sections == VOCABULARY.sections
    for factor in VOCABULARY["factors"]:
        assert list(found.vocabulary.levels(factor)) == list(VOCABULARY.levels(factor))
    assert spelt(found) == text()
    assert len(text()) < 30_000, "small enough to be read"


def test_one_module_is_asked_for_alone_and_nothing_is_no_request() -> None:
    assert set(of_config(CONFIG | {"modules": "coping"}, VOCABULARY).fits) == {"coping"}
    both = of_config(CONFIG | {"modules": ["threat", "strain"]}, VOCABULARY)
    assert set(both.fits) == {"threat", "strain"}, "answers on scales, and codes of interviews"
    with pytest.raises(MetastudyError, match="nothing to ask"):
        spelt(of_config(CONFIG | {"modules": "strain"}, of_events(), MADE_WITH))


def of_events() -> Vocabulary:
    """The vocabulary with a module of patterns of answers, which no parcel holds."""
    modules = dict(VOCABULARY["modules"])
    modules["strain"] = {**modules["strain"], "model": "events"}
    return Vocabulary({**VOCABULARY.sections, "modules": modules})


def turned() -> Vocabulary:
    """The vocabulary with the levels of one factor the other way round."""
    factors = dict(VOCABULARY["factors"])
    levels = dict(reversed(VOCABULARY.levels("task_type").items()))
    factors["task_type"] = {**factors["task_type"], "levels": levels}
    return Vocabulary({**VOCABULARY.sections, "factors": factors})


def test_the_digest_is_of_what_is_asked_for_and_of_nothing_else() -> None:
    one = of_config(CONFIG, VOCABULARY, MADE_WITH).digest
    assert of_config(CONFIG, VOCABULARY).digest == one, "code and packages ask for nothing"
    others = [
        of_config(CONFIG | {"privacy": {"smallest_cell": 13}}, VOCABULARY),
        of_config(CONFIG | {"sensitivity": {}}, VOCABULARY),
        of_config(CONFIG | {"modules": "threat"}, VOCABULARY),
        of_config(CONFIG, turned()),
    ]
    assert len({one, *(other.digest for other in others)}) == 5


def at(document: Any, *place: Any) -> Any:
    for key in place:
        document = document[key]
    return document


def set_to(*place: Any, to: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        at(document, *place[:-1])[place[-1]] = to

    return change


def without(*place: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        del at(document, *place[:-1])[place[-1]]

    return change


def with_new_digest(change: Callable[[Document], None]) -> str:
    document = json.loads(text())
    change(document)
    about = {name: document.get(name) for name in ("format", "version", "asks")}
    document["digest"] = container.digest(request._compact(about))
    return json.dumps(document)


WORDS = ("asks", "vocabulary")
CONTENTS: dict[str, tuple[Callable[[Document], None], str]] = {
    "another format": (set_to("format", to="metastudy-parcel"), "does not say"),
    "newer version": (set_to("version", to=VERSION + 1), "update this workflow"),
    "older version": (set_to("version", to=0), "version 0"),
    "version is true": (set_to("version", to=True), "version True"),
    "no fits": (without("asks", "fits"), "no 'fits'"),
    "fits of nothing": (set_to("asks", "fits", to={}), "asks.fits"),
    "fits are a list": (set_to("asks", "fits", to=["threat"]), "asks.fits"),
    "a fit of events": (
        set_to(*WORDS, "modules", "strain", "model", to="events"),
        "the fit 'strain'",
    ),
    "a fit of no module": (set_to("asks", "fits", "thret", to=["main"]), "Did you mean 'threat'"),
    "a variant of no kind": (set_to("asks", "fits", "threat", to=["main", "rows"]), "rows"),
    "a variant twice": (set_to("asks", "fits", "threat", to=["main", "main"]), "threat"),
    "a variant without main": (set_to("asks", "fits", "threat", to=["folded"]), "threat"),
    "rows are asked for": (set_to("asks", "rows", to=True), "the key 'rows'"),
    "a command": (set_to("run", to="rm -r"), "the key 'run'"),
    "threshold of zero": (set_to("asks", "smallest_cell", to=0), "at least 1"),
    "threshold below zero": (set_to("asks", "smallest_cell", to=-5), "at least 1"),
    "threshold as text": (set_to("asks", "smallest_cell", to="5"), "smallest_cell"),
    "threshold as a fraction": (set_to("asks", "smallest_cell", to=5.5), "smallest_cell"),
    "threshold is huge": (set_to("asks", "smallest_cell", to=10**30), "at most"),
    "no vocabulary": (without(*WORDS), "no 'vocabulary'"),
    "a section less": (without(*WORDS, "factors"), "no section 'factors'"),
    "a section more": (set_to(*WORDS, "planets", to={}), "the section 'planets'"),
    "a section is a list": (set_to(*WORDS, "factors", to=[]), "factors"),
    "a factor of one level": (
        set_to(*WORDS, "factors", "task_type", "levels", to={"core": "Core"}),
        "at least two levels",
    ),
    "an outcome of no family": (
        set_to(*WORDS, "constructs", "threat_job", "family", to="luck"),
        "an entry of families",
    ),
    "an entry is a text": (set_to(*WORDS, "countries", "DK", to="Denmark"), "an entry with"),
    "code is a path": (set_to("made_with", "code", to="../../etc/passwd"), "made_with.code"),
}


def one_clear_error(path: Path, word: str) -> None:
    with pytest.raises(BadInput) as error:
        read(path)
    (problem,) = error.value.problems
    assert problem.code == "request"
    assert word in str(problem)
    assert problem.file.endswith(path.name)
    assert problem.found
    assert problem.expected
    assert problem.fix
    assert len(str(problem)) < 1500, "a message, not the file"


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_wrong_in_a_request_is_refused_though_its_digest_is_right(
    tmp_path: Path, name: str
) -> None:
    change, word = CONTENTS[name]
    one_clear_error(put(tmp_path, with_new_digest(change)), word)


def test_these_are_refused_for_the_change_and_not_for_being_written_again(tmp_path: Path) -> None:
    assert read(put(tmp_path, with_new_digest(lambda _: None))).smallest_cell == 12


def edited(old: str, new: str) -> str:
    assert old in text()
    return text().replace(old, new, 1)


FILES: dict[str, tuple[Callable[[], bytes | str], str]] = {
    "empty": (lambda: b"", "no strict JSON"),
    "a parcel": (lambda: b"PK\x03\x04\xff", "no strict JSON"),
    "YAML": (lambda: "format: metastudy-parcel-request\n", "no strict JSON"),
    "cut off": (lambda: text()[:-20], "no strict JSON"),
    "not UTF-8": (lambda: text().encode("utf-16"), "no strict JSON"),
    "a key twice": (lambda: edited('"version": 1', '"version": 1, "version": 1'), "key twice"),
    "NaN": (lambda: edited('"smallest_cell": 12', '"smallest_cell": NaN'), "no strict JSON"),
    "nested": (lambda: "[" * 200_000, "nested without end"),
    "too large": (lambda: text() + " " * MOST_BYTES, "a file of"),
    "a list": (lambda: "[]", "does not say"),
    "threshold lowered": (lambda: edited('"smallest_cell": 12', '"smallest_cell": 2'), "changed"),
    "levels turned": (
        lambda: json.dumps(json.loads(text()), sort_keys=True),
        "changed after it was made",
    ),
    "a digest of nothing": (lambda: edited('"digest": "', '"digest": "0'), "digest"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_sound_request_are_refused(tmp_path: Path, name: str) -> None:
    content, word = FILES[name]
    one_clear_error(put(tmp_path, content()), word)


def test_a_request_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    one_clear_error(tmp_path / "request.json", "request=FILE")
    (tmp_path / "folder").mkdir()
    one_clear_error(tmp_path / "folder", "a folder")
