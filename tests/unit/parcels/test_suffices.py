"""A parcel of before is taken where it holds what is wanted; else one error says what to run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.parcel_studies import parcel_of, raw_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonize.parcel import save_parcel
from metastudy.harmonized.study import load_study
from metastudy.models.aggregate import cells_of_one
from metastudy.parcels import container
from metastudy.parcels.folders import said_in
from metastudy.parcels.parcel import VERSION, read, sealed
from metastudy.parcels.request import Request, of_config

KEPT = ROOT / "tests" / "kept" / "88e2fc7" / "alpha"  # of version 1, made by the code of its day
PUBLIC = b"simulated data hold no secrets"  # the key of the configuration that ships
CONFIG: Mapping[str, Any] = {"modules": "all", "sensitivity": {}, "privacy": {"smallest_cell": 5}}


def wanted(**settings: Any) -> Request:
    return of_config({**CONFIG, **settings}, VOCABULARY)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the kept study as its data file, and the harmonized rows beside it."""
    folder = tmp_path_factory.mktemp("made")
    raw = raw_study(folder / "raw", "alpha", sites=2)
    save(harmonize_file(load(raw, VOCABULARY), PUBLIC), folder / "rows" / "alpha")
    study = load_study(folder / "rows" / "alpha", measured=None)
    (folder / "now" / "alpha").mkdir(parents=True)
    parcel_of(study, folder / "now" / "alpha" / "alpha.parcel")
    return folder


def test_a_parcel_of_version_1_is_read_and_gives_the_cells_that_its_rows_give_now(
    made: Path, tmp_path: Path
) -> None:
    old = read(KEPT / "alpha.parcel")
    assert (old.manifest["version"], old.request) == (1, None)
    save_parcel(KEPT / "alpha.parcel", VOCABULARY, tmp_path / "alpha", wanted().digest)
    study = load_study(tmp_path / "alpha")
    assert "another request" not in " ".join(study.report["notes"])
    now = read(made / "now" / "alpha" / "alpha.parcel")
    assert now.manifest["version"] == VERSION == 5
    for variant in ("main", "folded"):
        assert cells_of_one(study, "threat", VOCABULARY, variant).n.sum() == 60
        name = f"cells/threat-{variant}.json"
        kept, new = (one.documents[name] for one in (old, now))
        assert {k: v for k, v in kept.items() if k != "numbers"} == {
            k: v for k, v in new.items() if k != "numbers"
        }
        for variable, values in kept["numbers"].items():
            # To the last digits but one: another processor may add up in another order.
            np.testing.assert_allclose(values, new["numbers"][variable], rtol=1e-12)
    assert said_in(KEPT, VOCABULARY, wanted(sensitivity={"folded": ["threat"]})).parcel


def test_a_parcel_of_version_1_with_counts_too_small_for_now_says_what_to_run() -> None:
    with pytest.raises(BadInput, match="counts of 10 people") as bad:
        said_in(KEPT, VOCABULARY, wanted(privacy={"smallest_cell": 11}))
    (problem,) = bad.value.problems
    assert "snakemake request" in problem.fix
    assert "--config study=alpha request=FILE" in problem.fix
    assert problem.study == "alpha"


def test_a_version_1_that_says_what_it_was_asked_for_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the key 'request'"):
        read(changed(KEPT / "alpha.parcel", tmp_path, version=1, request=None))


def changed(path: Path, folder: Path, **keys: Any) -> Path:
    """A parcel with other keys in its manifest, sealed again."""
    parsed, _ = container.unpack(path)
    manifest = parsed.pop(container.MANIFEST)
    for name in ("version", "files", "seal"):
        manifest.pop(name)
    new = folder / "alpha" / "alpha.parcel"
    new.parent.mkdir(parents=True, exist_ok=True)
    new.write_bytes(container.pack(sealed({**manifest, **keys}, parsed)))
    return new


def for_request(made: Path, folder: Path, digest: str, **not_asked: list[str]) -> Path:
    """The parcel of now as if it were made for a request."""
    asked = {"digest": digest, "not_asked": not_asked}
    return changed(made / "now" / "alpha" / "alpha.parcel", folder, request=asked)


def test_a_parcel_for_the_present_request_is_taken_without_a_word(
    made: Path, tmp_path: Path
) -> None:
    path = for_request(made, tmp_path, wanted().digest, coping=["main", "folded"])
    with pytest.raises(BadInput, match="did not ask for coping, main"):
        said_in(path.parent, VOCABULARY, wanted())  # the study has coping, and it stayed at home
    threat = wanted(modules="threat")
    path = for_request(made, tmp_path, threat.digest, coping=["main", "folded"])
    assert said_in(path.parent, VOCABULARY, threat).note is None


def test_a_parcel_for_another_request_that_suffices_is_taken_with_a_note(
    made: Path, tmp_path: Path
) -> None:
    path = for_request(made, tmp_path, wanted(privacy={"smallest_cell": 7}).digest)
    note = said_in(path.parent, VOCABULARY, wanted()).note
    assert note is not None
    assert "made for another request" in note
    report = save_parcel(path, VOCABULARY, tmp_path / "out" / "alpha", wanted().digest)
    assert note in report["notes"]


def test_a_parcel_that_lacks_a_fit_says_what_to_run(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "now", tmp_path, dirs_exist_ok=True)
    parsed, _ = container.unpack(tmp_path / "alpha" / "alpha.parcel")
    manifest = parsed.pop(container.MANIFEST)
    parsed.pop("cells/threat-folded.json")
    asked = {"digest": wanted().digest, "not_asked": {"threat": ["folded"]}}
    del manifest["seal"], manifest["files"]
    whole = sealed({**manifest, "request": asked}, parsed)
    (tmp_path / "alpha" / "alpha.parcel").write_bytes(container.pack(whole))
    assert said_in(tmp_path / "alpha", VOCABULARY, wanted()).note is None
    with pytest.raises(BadInput, match="did not ask for threat, folded") as bad:
        said_in(tmp_path / "alpha", VOCABULARY, wanted(sensitivity={"folded": ["threat"]}))
    assert "snakemake request" in bad.value.problems[0].fix


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"digest": "a" * 64, "not_asked": {"threat": ["folded"]}}, "which the request did not"),
        ({"digest": "a" * 64}, "no 'not_asked'"),
        ({"digest": "a" * 63, "not_asked": {}}, "request.digest"),
        ({"digest": "a" * 64, "not_asked": {"threat": ["rows"]}}, "not_asked"),
        ({"digest": "a" * 64, "not_asked": {"threat": []}}, "not_asked"),
        ({"digest": "a" * 64, "not_asked": {}, "vocabulary": {}}, "the key 'vocabulary'"),
        ("a" * 64, "request"),
        ([], "request"),
    ],
)
def test_what_a_parcel_says_of_its_request_is_checked(
    made: Path, tmp_path: Path, asked: Any, word: str
) -> None:
    with pytest.raises(BadInput, match=word) as bad:
        read(changed(made / "now" / "alpha" / "alpha.parcel", tmp_path, request=asked))
    assert len(bad.value.problems) == 1
