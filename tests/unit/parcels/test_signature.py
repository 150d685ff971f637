"""A signature by OpenSSH beside a parcel is checked with the real program, or refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from metastudy.common.problems import BadInput
from metastudy.parcels.signature import NAMESPACE, check_signature, files_of_signature

KEYGEN = shutil.which("ssh-keygen")
needs_openssh = pytest.mark.skipif(KEYGEN is None, reason="ssh-keygen is not installed")


def keygen(*words: str | Path) -> None:
    subprocess.run([str(KEYGEN), *map(str, words)], check=True, capture_output=True, timeout=60)


def signed(folder: Path, namespace: str = NAMESPACE, study: str = "alpha") -> Path:
    """A file called as a parcel, signed with a new key that its list of signers has."""
    folder.mkdir(parents=True)
    parcel, key = folder / "alpha.parcel", folder / "key"
    parcel.write_bytes(b"the bytes of a parcel")
    keygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
    keygen("-Y", "sign", "-n", namespace, "-f", key, parcel)
    public = key.with_suffix(".pub").read_text("utf-8").strip()
    line = f'{study} namespaces="{NAMESPACE}" {public}\n'
    (folder / "allowed_signers").write_text(line, "utf-8")
    return parcel


def test_without_a_signature_and_a_list_nothing_is_asked_for(tmp_path: Path) -> None:
    parcel = tmp_path / "alpha.parcel"
    parcel.write_bytes(b"x")
    assert not check_signature(parcel, "alpha")
    assert files_of_signature(parcel) == []


@needs_openssh
def test_the_owners_signature_is_taken(tmp_path: Path) -> None:
    parcel = signed(tmp_path / "alpha")
    assert check_signature(parcel, "alpha")
    assert len(files_of_signature(parcel)) == 2


@needs_openssh
@pytest.mark.parametrize("case", ["changed", "other key", "other study", "other kind", "garbage"])
def test_a_signature_that_is_not_the_owners_of_this_file_is_refused(
    tmp_path: Path, case: str
) -> None:
    namespace = "file" if case == "other kind" else NAMESPACE
    study = "beta" if case == "other study" else "alpha"
    parcel = signed(tmp_path / "alpha", namespace, study)
    if case == "changed":
        parcel.write_bytes(b"the bytes of a parceL")
    elif case == "other key":
        other = signed(tmp_path / "other")
        shutil.copy(other.with_name("alpha.parcel.sig"), parcel.parent)
    elif case == "garbage":
        parcel.with_name("alpha.parcel.sig").write_bytes(b"\x00 no signature")
    with pytest.raises(BadInput, match="not of this file by a key of the list") as error:
        check_signature(parcel, "alpha")
    assert len(error.value.problems) == 1


@needs_openssh
def test_a_signature_without_a_list_and_a_list_without_a_signature_are_refused(
    tmp_path: Path,
) -> None:
    parcel = signed(tmp_path / "alpha")
    (tmp_path / "alpha" / "allowed_signers").unlink()
    with pytest.raises(BadInput, match="no allowed_signers"):
        check_signature(parcel, "alpha")
    other = signed(tmp_path / "other")
    other.with_name("alpha.parcel.sig").unlink()
    with pytest.raises(BadInput, match="no signature"):
        check_signature(other, "alpha")


def test_a_signature_that_cannot_be_checked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel = tmp_path / "alpha.parcel"
    for name in ("alpha.parcel", "alpha.parcel.sig", "allowed_signers"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="no ssh-keygen"):
        check_signature(parcel, "alpha")
