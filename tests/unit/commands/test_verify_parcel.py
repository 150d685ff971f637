"""The owner's check of a parcel, and the certificate that says which part was checked by whom."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from helpers.parcel_studies import harmonized, raw_study
from helpers.repository import ROOT
from metastudy.commands import parcel as making
from metastudy.commands import request as asking
from metastudy.commands import verify_parcel as verifying
from metastudy.common.problems import BadInput, MetastudyError
from metastudy.parcels import container
from metastudy.parcels.parcel import read, sealed
from metastudy.record.certificate import certificate_page, of_build


def arguments(folder: Path, code: str = "c" * 64, request: str = "") -> list[str]:
    given = {
        "--study": "alpha", "--studies": "alpha", "--data": folder / "raw",
        "--tables": folder / "rows" / "alpha", "--vocabulary": ROOT / "config/vocabulary.yaml",
        "--manifest": folder / "raw" / "manifest.yaml", "--pseudonyms": '{"key": "for tests only"}',
        "--smallest-cell": 5, "--code": code, "--lock": "d" * 64, "--out": folder / "parcels",
        "--request": request, "--scratch": folder / "staged",
    }  # fmt: skip
    return [str(word) for pair in given.items() for word in pair]


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An owner's folder with a study and the parcel that was made of it."""
    folder = tmp_path_factory.mktemp("owner")
    harmonized(raw_study(folder / "raw", "alpha", sites=1), folder / "rows" / "alpha")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["parcel", *arguments(folder)])
        making.main()
    return folder


@pytest.fixture
def mine(owner: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(owner, tmp_path / "mine"))


def verify(folder: Path, monkeypatch: pytest.MonkeyPatch, **how: str) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["verify_parcel", *arguments(folder, **how)])
    verifying.main()
    path = folder / "parcels" / "alpha.certificate.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def changed(path: Path) -> None:
    """The parcel with a number of an estimate changed, and sealed again with care."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        documents = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    manifest = documents.pop(container.MANIFEST)
    for made in ("format", "version", "files", "seal"):
        manifest.pop(made)
    documents["estimates.json"][0]["estimate"] += 0.01
    path.write_bytes(container.pack(sealed(manifest, documents)))


def test_the_owner_shows_that_a_parcel_comes_from_its_file_and_a_build_says_so(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = verify(mine, monkeypatch)
    assert certificate["same_code"]
    assert {(one["by"], one["result"]) for one in certificate["checked"]} == {("owner", "agrees")}
    assert (mine / "parcels" / "alpha.certificate.html").is_file()

    data = mine / "analyst"
    (data / "alpha").mkdir(parents=True)
    (data / "beta").mkdir()
    shutil.copy(mine / "parcels" / "alpha.parcel", data / "alpha")
    verdict = {"verdict": "reproduced"}
    whole = of_build(data, ["alpha", "beta"], verdict)
    assert [(one["study"], one["by"]) for one in whole["checked"]] == [
        ("alpha", "nobody"), ("alpha", "reviewer"), ("beta", "reviewer"),
    ]  # fmt: skip
    shutil.copy(mine / "parcels" / "alpha.certificate.json", data / "alpha")
    whole = of_build(data, ["alpha"], verdict)
    assert [one["by"] for one in whole["checked"]] == ["owner"] * 3 + ["reviewer"]
    page = certificate_page(whole, ["simulated"])
    assert page.name == "certificate"

    changed(data / "alpha" / "alpha.parcel")
    first = of_build(data, ["alpha"], verdict)["checked"][0]
    assert first["result"] == "not shown: a certificate of another parcel"
    (data / "alpha" / "alpha.certificate.json").write_text("{", "utf-8")
    assert "cannot be read" in of_build(data, ["alpha"], verdict)["checked"][0]["result"]


def test_a_parcel_that_was_edited_with_care_is_found_by_its_owner(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(mine / "parcels" / "alpha.parcel")
    with pytest.raises(MetastudyError, match=r"estimates\.json is different, though data, code"):
        verify(mine, monkeypatch)
    with pytest.raises(MetastudyError, match=r"estimates\.json is different, and so are code"):
        verify(mine, monkeypatch, code="e" * 64)
    assert not (mine / "parcels" / "alpha.certificate.json").exists()


def test_a_parcel_of_another_file_is_found_by_its_owner(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mine / "raw" / "alpha" / "codebook.yaml"
    path.write_text(path.read_text("utf-8") + "# another byte\n", "utf-8")
    with pytest.raises(MetastudyError, match="does not come from the codebook"):
        verify(mine, monkeypatch)
    (mine / "parcels" / "alpha.parcel").unlink()
    with pytest.raises(MetastudyError, match="there is no"):
        verify(mine, monkeypatch)


def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Path:
    """The request of an analyst in ``folder``."""
    told = {"modules": "all", "sensitivity": {}, "privacy": {"smallest_cell": 5}, **settings}
    given = {
        "--vocabulary": ROOT / "config/vocabulary.yaml", "--settings": json.dumps(told),
        "--code": "c" * 64, "--lock": "d" * 64, "--out": folder / "parcels" / "request.json",
    }  # fmt: skip
    words = [str(word) for pair in given.items() for word in pair]
    monkeypatch.setattr(sys, "argv", ["request", *words])
    asking.main()
    return folder / "parcels" / "request.json"


def test_a_parcel_for_a_request_says_so_and_is_verified_with_it_alone(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ask(mine / "analyst", monkeypatch, privacy={"smallest_cell": 13})
    (mine / "parcels" / "alpha.parcel").unlink()
    monkeypatch.setattr(sys, "argv", ["parcel", *arguments(mine, request=str(request))])
    making.main()
    parcel = read(mine / "parcels" / "alpha.parcel", "alpha")
    digest = json.loads(request.read_text("utf-8"))["digest"]
    assert parcel.request == {"digest": digest, "not_asked": {"threat": ["folded"]}}
    assert parcel.manifest["least"] == 13, "the larger of both"
    assert digest in capsys.readouterr().out
    assert digest in (mine / "parcels" / "alpha.html").read_text("utf-8")

    with pytest.raises(MetastudyError, match=r"was made for the request .* not for none"):
        verify(mine, monkeypatch)
    certificate = verify(mine, monkeypatch, request=str(request))
    assert certificate["request"] == digest
    assert digest[:12] in certificate["checked"][-1]["part"]
    assert digest in (mine / "parcels" / "alpha.certificate.html").read_text("utf-8")
    other = ask(mine / "other", monkeypatch)
    with pytest.raises(MetastudyError, match="and not for the request"):
        verify(mine, monkeypatch, request=str(other))


def test_a_module_that_is_misspelt_is_not_left_out_of_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MetastudyError, match="'thret', which is no module"):
        ask(tmp_path, monkeypatch, modules=["coping", "thret"])
    assert not (tmp_path / "parcels").exists()


def make(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: Any = making, **changed: object
) -> None:
    words = arguments(folder)
    for option, value in changed.items():
        at = words.index(f"--{option.replace('_', '-')}")
        words[at + 1 : at + 2] = [] if value is None else [str(value)]
    monkeypatch.setattr(sys, "argv", ["parcel", *words])
    command.main()


def test_a_certificate_and_a_signature_stay_with_their_parcel_when_a_new_one_is_made(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parcels = mine / "parcels"
    verify(mine, monkeypatch)
    (parcels / "alpha.parcel.sig").write_text("signed", "utf-8")
    make(mine, monkeypatch)
    assert (parcels / "alpha.certificate.json").is_file(), "the same parcel again"
    before = (parcels / "alpha.parcel").read_bytes()
    capsys.readouterr()
    make(mine, monkeypatch, smallest_cell=12)
    said = capsys.readouterr().out
    here = {one.name for one in parcels.iterdir()}
    assert here == {"alpha.parcel", "alpha.html", "older"}
    kept = {one.name.partition(".")[2]: one for one in (parcels / "older").iterdir()}
    words = {"certificate.json", "certificate.html", "certificate.md", "parcel.sig"}
    assert set(kept) == {"parcel", *words}
    assert kept["parcel"].read_bytes() == before
    for name in words:
        assert f"alpha.{name} was of the parcel before this one, and is kept beside it" in said
    # of a parcel that is no longer here
    make(mine, monkeypatch, verifying, smallest_cell=12)
    text = (parcels / "alpha.certificate.json").read_text("utf-8")
    (parcels / "alpha.parcel").unlink()
    make(mine, monkeypatch, smallest_cell=12)
    assert (parcels / "alpha.certificate.json").read_text("utf-8") == text, "it is of this one"
    (parcels / "alpha.parcel").unlink()
    make(mine, monkeypatch, smallest_cell=13)
    assert not (parcels / "alpha.certificate.json").exists()
    assert "and is removed" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["alpha.parcel", "older/alpha-0123456789ab.parcel"])
def test_of_an_earlier_parcel_that_is_damaged_the_error_says_which_and_what_to_do(
    mine: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = mine / "parcels" / name
    whole = (mine / "parcels" / "alpha.parcel").read_bytes()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(whole[:-100])
    with pytest.raises(BadInput) as caught:
        make(mine, monkeypatch)
    (problem,) = caught.value.problems
    assert problem.file is not None
    assert problem.file.endswith(name)
    assert "in an earlier parcel of this study" in problem.found
    assert f"move {problem.file} out of the folder" in problem.fix
    assert "what is not here is not compared" in problem.fix
    assert path.read_bytes() == whole[:-100], "nothing was written"
    path.unlink()
    make(mine, monkeypatch)


def test_where_a_codebook_does_not_load_it_is_the_last_error_and_not_the_name_of_the_study(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules name no tables then, as the data as a whole could not be looked at."""
    with pytest.raises(MetastudyError, match="the tables of alpha cannot be made while something"):
        make(mine, monkeypatch, tables=None)
    path = mine / "raw" / "alpha" / "codebook.yaml"
    path.write_text(path.read_text("utf-8").replace("outcomes:", "outcmes:"), "utf-8")
    with pytest.raises(BadInput, match="outcmes"):
        make(mine, monkeypatch, tables=None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alpa", "being one of alpha. Did you mean 'alpha'?"),
        (" ", "no study is named: give --config study=NAME, NAME being one of alpha"),
        ("zzz", "'zzz' is no study with rows of people: give --config study=NAME, NAME being one "
                "of alpha"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_studys_is_one_error(
    mine: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    with pytest.raises(MetastudyError) as caught:
        make(mine, monkeypatch, study=name)
    assert str(caught.value).endswith(said)
