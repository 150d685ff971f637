"""What may be given away, and what stands for the rest: the one rule of all that leaves here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from helpers.finished_project import FITS, KEY, answers, finished_project
from metastudy.common.keyed_checksum import keyed
from metastudy.common.problems import BadInput
from metastudy.sharing.data import Places, copied, divided, files_of
from metastudy.sharing.withheld import bare_digests, keys_of, withheld

KEYS = {"kept": KEY}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_project(tmp_path_factory.mktemp("sharing"))


def places(project: Path) -> Places:
    results = project / "results"
    files = files_of((results / "harmonized").iterdir())
    fits = {name: {"studies": studies} for name, studies in FITS.items()}
    return divided(files, fits, project / "data/raw", results)


def test_each_file_is_given_or_kept_and_none_is_both(project: Path) -> None:
    found = places(project)
    assert not set(found.given) & set(found.kept)
    assert {place.split("/")[1] for place in found.given} == {"stand_in", "given", "open.nc"}
    assert {place.split("/")[1] for place in found.kept} == {"kept", "mixed.nc"}
    assert {study for _, study in found.kept.values()} == {"kept"}


def test_links_and_hidden_files_in_a_study_do_not_go(tmp_path: Path) -> None:
    project = finished_project(tmp_path)
    (tmp_path / "secret").write_text("a secret", "utf-8")
    folder = project / "data/raw/stand_in"
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    (folder / ".hidden").write_text("hidden", "utf-8")
    results = project / "results"
    names = copied(
        files_of((results / "harmonized").iterdir()), {}, project / "data/raw", results,
        tmp_path / "out",
    )  # fmt: skip
    assert [n for n in names if "stand_in" in n and n.startswith("raw")] == [
        "raw/stand_in/answers.csv",
        "raw/stand_in/codebook.yaml",
    ]


def test_data_outside_of_the_project_land_inside_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = finished_project(tmp_path)
    (project / "data/raw").rename(tmp_path / "raw")
    monkeypatch.chdir(project)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    results = Path("results")
    copied(
        files_of((results / "harmonized").iterdir()), {}, Path("../raw"), results,
        Path("results/submission/data"),
    )  # fmt: skip
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(project / "results/submission/data") for path in new)
    assert project / "results/submission/data/raw/stand_in/answers.csv" in new


def test_a_file_that_stays_is_named_with_size_and_keyed_checksum(project: Path) -> None:
    found = withheld(places(project).kept, KEYS)["raw/kept/answers.csv"]
    path = project / "data/raw/kept/answers.csv"
    assert (found.study, found.size) == ("kept", path.stat().st_size)
    assert found.checksum == keyed(path, KEY) != keyed(path, b"another key of the tests")


def test_bare_digests_are_of_data_alone(project: Path) -> None:
    """A table without rows is the same in every study, and so may be a README."""
    found = bare_digests(places(project).kept, KEYS)
    content = answers("kept")
    wanted = {content, content.replace(b"\r\n", b"\n")}
    assert set(found) == {hashlib.sha256(one).hexdigest() for one in wanted}
    assert set(found.values()) == {keyed(content, KEY)}


def test_keys_are_asked_for_only_where_something_stays(project: Path, tmp_path: Path) -> None:
    files = files_of((project / "results/harmonized").iterdir())
    settings = {"key": "public", "key_file": str(project.parent / "key")}
    assert keys_of(files, project / "data/raw", settings) == {"kept": KEY}
    may = [file for file in files if file.shareable]
    assert keys_of(may, project / "data/raw", {}) == {}


def test_a_study_without_a_report_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    with pytest.raises(BadInput, match="says whether the data of study may be given away"):
        files_of([tmp_path / "study"])


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"study": "../../outside"}, ["study"]),
    ({"study": 3}, ["study"]),
    ({"file": "../key"}, ["file"]),
    ({"file": "/etc/passwd"}, ["file"]),
    ({"file": ["answers.csv"]}, ["file"]),
    ({"sha256": None}, ["sha256"]),
    ({"provenance": []}, ["provenance"]),
    ({"provenance": "made up"}, ["provenance"]),
    ({"codebook": ["title"]}, ["codebook"]),
    ({"codebook": None, "file": 1}, ["file", "codebook"]),
    ({"codebook": {"title": {}}}, ["codebook.title"]),
    (
        {"codebook": {"title": "a", "share": ["yes"], "licence": 4, "availability": {}}},
        ["codebook.share", "codebook.licence", "codebook.availability"],
    ),
]


@pytest.mark.parametrize(("other", "places"), WRONG)
def test_a_report_of_another_form_is_one_error_with_all_that_is_wrong(
    tmp_path: Path, other: dict[str, Any], places: list[str]
) -> None:
    path = finished_project(tmp_path) / "results/harmonized/stand_in/report.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | other), "utf-8")
    with pytest.raises(BadInput) as bad:
        files_of([path.parent])
    assert [one.column for one in bad.value.problems] == places
    assert {one.code for one in bad.value.problems} == {"report"}


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "null", '{"study": "stand', "\ud800", "[" * 100_000]
)
def test_a_report_that_is_none_is_one_error(tmp_path: Path, text: str) -> None:
    path = finished_project(tmp_path) / "results/harmonized/stand_in/report.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadInput) as bad:
        files_of([path.parent])
    assert len(bad.value.problems) == 1


def test_reports_of_all_studies_are_said_at_once(tmp_path: Path) -> None:
    results = finished_project(tmp_path) / "results"
    for study in ("kept", "given"):
        (results / "harmonized" / study / "report.json").write_text("{}", "utf-8")
    with pytest.raises(BadInput) as bad:
        files_of((results / "harmonized").iterdir())
    assert len({one.file for one in bad.value.problems}) == 2
