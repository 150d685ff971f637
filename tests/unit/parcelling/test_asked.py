"""A parcel by a request: the analyst's words and threshold, no more than asked, what misfits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.parcel_studies import harmonized, raw_study, report_of
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.display.labels import Labels
from metastudy.parcelling.asked import Asked, study_asked_for
from metastudy.parcelling.control import control
from metastudy.parcelling.make import documents
from metastudy.parcelling.page import asked_for, owner_page
from metastudy.parcels.request import Request, of_config

KEYS = {"key": "the owner's key for tests"}
LABELS = Labels(VOCABULARY)
SECOND = "coping_avoidance"  # of another module than the first outcome


def request_of(vocabulary: Vocabulary = VOCABULARY, **settings: Any) -> Request:
    config = {"modules": "all", "sensitivity": {}, "privacy": {"smallest_cell": 5}, **settings}
    return of_config(config, vocabulary, {"code": "c" * 64, "lock": "d" * 64})


def asked(folder: Path, request: Request, own: Path = ROOT / "config/vocabulary.yaml") -> Asked:
    scratch = folder / "staged"
    found = study_asked_for(
        folder / "raw" / "alpha", request, own, folder / "raw" / "manifest.yaml", KEYS, scratch
    )
    assert not list(scratch.iterdir()), "no row of a person stays"
    return found


def inside(asked: Asked, request: Request | None) -> dict[str, Any]:
    controlled = control(asked.study, asked.vocabulary, 5)
    fits = request.fits if request else None
    return documents(controlled, asked.vocabulary, report_of(controlled), fits)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study with an outcome of each of two modules."""
    raw_study(tmp_path / "raw", "alpha", sites=2)
    codebook(tmp_path, lambda text: text.replace("construct: threat_job", f"construct: {SECOND}")
             .replace("outcomes: [threat_quality, threat_job]",
                      f"outcomes: [threat_quality, {SECOND}]"))  # fmt: skip
    return tmp_path


def codebook(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "raw" / "alpha" / "codebook.yaml"
    text = path.read_text("utf-8")
    assert change(text) != text
    path.write_text(change(text), "utf-8")


def test_a_request_in_the_owners_words_gives_the_documents_of_now(folder: Path) -> None:
    request = request_of(sensitivity={"folded": ["threat", "coping"]})
    found = asked(folder, request)
    assert found.not_asked == {}
    rows = harmonized(folder / "raw" / "alpha", folder / "rows")
    without = Asked(rows, found.codebook, VOCABULARY, {})
    assert inside(found, request) == inside(without, None)


def test_what_is_not_asked_for_stays_at_home(folder: Path) -> None:
    request = request_of(modules="threat")
    found = asked(folder, request)
    assert found.not_asked == {"threat": ["folded"], "coping": ["main", "folded"]}
    made = inside(found, request)
    assert [name for name in made if name.startswith("cells/")] == ["cells/threat-main.json"]
    assert SECOND not in str(made)
    assert set(found.study.measurements["construct"].astype(str)) == {"threat_quality"}
    whole = inside(asked(folder, request_of()), request_of())
    assert whole["cells/threat-main.json"] == made["cells/threat-main.json"]


def test_the_page_of_the_owner_shows_what_was_asked_for(folder: Path) -> None:
    request = request_of(modules="threat", privacy={"smallest_cell": 14})
    found = asked(folder, request)
    made = inside(found, request)
    manifest = {"study": "alpha", "provenance": "simulated", "least": 14, "code": "c" * 64,
                "lock": "e" * 64}  # fmt: skip
    told = asked_for(request, found.not_asked, manifest)
    page = owner_page(manifest, made, 5000, [], LABELS, told)
    for word in (
        "Asked for",
        request.digest,
        "Coping with value conflicts: main and folded",
        "not those of the ana",
    ):
        assert word in page
    assert "Asked for" not in owner_page(manifest, made, 5000, [], LABELS)


def changed(section: str, name: str, **entry: Any) -> Vocabulary:
    """The vocabulary with keys of an entry changed; without the entry if nothing is given."""
    entries = dict(VOCABULARY[section])
    old = entries.pop(name)
    if entry:
        entries[name] = {**old, **entry}
    return Vocabulary({**VOCABULARY.sections, section: entries})


TURNED = {"levels": dict(reversed(VOCABULARY.levels("task_type").items()))}
MISFITS: dict[str, tuple[Vocabulary, str]] = {
    "unknown construct": (changed("constructs", "threat_quality"), "'threat_quality'"),
    "unknown country": (changed("countries", "DK"), "'DK'"),
    "unknown factor": (changed("factors", "task_type"), "'task_type'"),
    "unknown level": (
        changed("factors", "task_type", levels={"complementary": "One", "other": "Two"}),
        "'core'",
    ),
    "other order of levels": (changed("factors", "task_type", **TURNED), "core, complementary"),
}


def one_clear_error(folder: Path, request: Request, word: str, own: Path | None = None) -> str:
    with pytest.raises(BadInput) as bad:
        asked(folder, request, *([own] if own else []))
    (problem,) = bad.value.problems
    assert problem.code == "request"
    assert problem.study == "alpha"
    assert problem.file.endswith("codebook.yaml")
    assert word in str(problem)
    return problem.fix


@pytest.mark.parametrize("name", MISFITS)
def test_a_request_that_does_not_fit_the_codebook_is_refused(folder: Path, name: str) -> None:
    vocabulary, word = MISFITS[name]
    assert "agree with the analyst" in one_clear_error(folder, request_of(vocabulary), word)


def test_levels_that_the_codebook_adds_are_compared_as_well(folder: Path) -> None:
    levels = {"core": "Core tasks", "complementary": "Complementary tasks"}
    entry = {**VOCABULARY["factors"]["task_type"], **TURNED}
    assert list(entry["levels"]) == list(levels)
    added = yaml.safe_dump({"vocabulary": {"factors": {"task_type": entry}}}, sort_keys=False)
    codebook(folder, lambda text: text + added)
    one_clear_error(folder, request_of(), "the levels of 'task_type' as core, complementary")


def test_a_study_without_anything_that_is_asked_for_is_refused(folder: Path) -> None:
    codebook(folder, lambda text: text.replace(f"[threat_quality, {SECOND}]", "[threat_quality]"))
    fix = one_clear_error(folder, request_of(modules="coping"), "outcomes of threat alone")
    assert "tell the analyst" in fix


def test_what_the_analyst_alone_has_a_word_for_can_be_asked_for(folder: Path) -> None:
    """The owner's own vocabulary lacks the construct; the request brings it."""
    known = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text("utf-8"))
    del known["constructs"][SECOND]
    own = folder / "vocabulary.yaml"
    own.write_text(yaml.safe_dump(known, sort_keys=False), "utf-8")
    assert asked(folder, request_of(), own).study.report["outcomes"] == ["threat_quality", SECOND]


def test_a_codebook_that_is_wrong_by_itself_is_no_fault_of_the_request(folder: Path) -> None:
    codebook(folder, lambda text: text.replace("country: DK", "country: ZZ"))
    with pytest.raises(BadInput) as bad:
        asked(folder, request_of())
    assert {problem.code for problem in bad.value.problems} == {"codebook"}
