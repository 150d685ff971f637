"""A parcel's signature, made and checked by OpenSSH: who sent it, and that nothing was changed.

The seal of a parcel can be made anew by whoever edits it. A signature cannot: it needs the owner's
private key, and is checked with the public one, which the analyst got another way.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from metastudy.parcels.refusals import Refusal, refused

__all__ = ["NAMESPACE", "check_signature", "files_of_signature"]

NAMESPACE = "metastudy-parcel"  # so that a signature of another kind of file is none of a parcel
SIGNERS = "allowed_signers"  # beside the parcel: one line, the study, and the owner's public key
SECONDS = 60


def files_of_signature(parcel: Path) -> list[Path]:
    """The signature of a parcel and the list of who may sign, as far as they are beside it."""
    found = (parcel.with_name(parcel.name + ".sig"), parcel.with_name(SIGNERS))
    return [path for path in found if path.is_file()]


def check_signature(parcel: Path, study: str) -> bool:
    """Check the signature of a parcel; whether there is one.

    It is asked for where a list of signers is beside the parcel.

    Raises
    ------
    BadInput
        For a signature that is not the owner's or not of this file, or without a list of signers;
        for a list without a signature; and where ``ssh-keygen`` is not installed.
    """
    there = {path.name for path in files_of_signature(parcel)}
    if not there:
        return False
    signature, signers = parcel.with_name(parcel.name + ".sig"), parcel.with_name(SIGNERS)
    if signers.name not in there:
        raise refused(parcel, _no_list(study), study)
    if signature.name not in there:
        said = Refusal(
            "no signature, though there is a list of who may sign",
            f"{signature.name} beside it",
            f"ask the owner for `ssh-keygen -Y sign -n {NAMESPACE} -f KEY {parcel.name}`",
        )
        raise refused(parcel, said, study)
    program = shutil.which("ssh-keygen")
    if program is None:
        said = Refusal("a signature that cannot be checked: there is no ssh-keygen", "OpenSSH",
                       "install OpenSSH")  # fmt: skip
        raise refused(parcel, said, study)
    words = [program, "-Y", "verify", "-f", str(signers), "-I", study, "-n", NAMESPACE]
    with parcel.open("rb") as content:
        done = subprocess.run(
            [*words, "-s", str(signature)],
            stdin=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=SECONDS,
        )
    if done.returncode:
        said = Refusal(
            "a signature that is not of this file by a key of the list",
            f"a signature by a key that {signers.name} gives the study {study}",
            "ask the owner for parcel and signature again, and compare the key with them",
        )
        raise refused(parcel, said, study)
    return True


def _no_list(study: str) -> Refusal:
    return Refusal(
        f"a signature, but no {SIGNERS}",
        "the owner's public key beside it, to check the signature with",
        f'write {SIGNERS} beside it, one line: {study} namespaces="{NAMESPACE}" ssh-ed25519 ...',
    )
