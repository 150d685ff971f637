"""Pseudonyms: the same raw id gives the same pseudonym under the same key, and none without it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from metastudy.codebook import Codebook
from metastudy.errors import BadInput, Problem
from metastudy.texts import shown

__all__ = ["KEY_FILE_VARIABLE", "coders", "key", "organisations", "persons"]

KEY_FILE_VARIABLE = "METASTUDY_PSEUDONYM_KEY_FILE"
SHORTEST_KEY = 16  # bytes; a key that can be guessed protects nobody


def key(
    codebook: Codebook, settings: Mapping[str, str | None], repository: Path | None = None
) -> bytes:
    """Give the key for a study's pseudonyms.

    Parameters
    ----------
    codebook : its provenance decides. Simulated persons need no protection, so their key is
        public and every build agrees to the byte; observed ones need a secret. So it is with
        published findings, in which there are no persons.
    settings : the config's section: ``key`` (public), ``key_file`` (path of the secret).
    repository : folder in which the secret may not lie; found from the study's folder if not
        given. The environment variable :data:`KEY_FILE_VARIABLE` goes before ``key_file``.

    Returns
    -------
    The key.

    Raises
    ------
    BadInput
        ``pseudonyms`` if the key is missing, too short, or lies inside the repository.
    """

    def refused(found: str, expected: str, mend: str) -> BadInput:
        return BadInput(
            Problem(
                "config/config.yaml",
                found,
                expected,
                mend,
                codebook.study.id,
                None,
                "pseudonyms",
                "pseudonyms",
            )
        )

    if codebook.study.provenance == "simulated" or codebook.study.design == "published":
        public = settings.get("key")
        if not public:
            raise refused(
                "no 'key'",
                "a public key for simulated studies and published findings",
                "set pseudonyms.key",
            )
        return public.encode()

    advice = f"write a secret of {SHORTEST_KEY} bytes or more to a file outside the repository and "
    advice += f"name it in the environment variable {KEY_FILE_VARIABLE} or in pseudonyms.key_file"
    expected = "a key file for the pseudonyms of an observed study"
    name = os.environ.get(KEY_FILE_VARIABLE) or settings.get("key_file")
    if not name:
        raise refused("no key file", expected, advice)
    path = Path(name).expanduser().resolve()
    root = (repository or _repository(codebook.path)).resolve()
    if path.is_relative_to(root):
        raise refused(f"the key file inside the repository ({shown(path)})", expected, advice)
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise refused(
            f"a key file that cannot be read: {error.strerror}", expected, advice
        ) from None
    if len(secret) < SHORTEST_KEY:
        raise refused(f"a key of {len(secret)} bytes", expected, advice)
    return secret


def _repository(path: Path) -> Path:
    folders = path.resolve().parents
    marks = (".git", "Snakefile")
    return next(
        (folder for folder in folders if any((folder / mark).exists() for mark in marks)),
        folders[min(3, len(folders) - 1)],
    )


def _keyed(secret: bytes) -> Callable[[str], str]:
    """Make the function from a text to its HMAC-SHA-256 in hexadecimal digits (RFC 2104).

    It is that of :mod:`hmac`, but takes the key in once and not for each of a million texts.
    """
    start = hashlib.sha256()
    block = secret if len(secret) <= start.block_size else hashlib.sha256(secret).digest()
    block = block.ljust(start.block_size, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(text: str) -> str:
        within, around = inner.copy(), outer.copy()
        within.update(text.encode())
        around.update(within.digest())
        return around.hexdigest()

    return digest


def persons(study: str, ids: Iterable[str], secret: bytes) -> list[str | None]:
    """Give each raw id its pseudonym ``<study>-<16 digits>``; no id, no pseudonym."""
    digest = _keyed(secret)
    return [f"{study}-{digest(f'{study}:{one}')[:16]}" if one else None for one in ids]


def organisations(
    study: str, names: Iterable[str], secret: bytes, kind: str = "org"
) -> dict[str, str]:
    """Give each different organisation or cluster its pseudonym ``<study>-<kind>-<8 digits>``."""
    digest = _keyed(secret)
    return {
        name: f"{study}-{kind}-{digest(f'{study}:{kind}:{name}')[:8]}"
        for name in set(names)
        if name
    }


def coders(study: str, names: Iterable[str], secret: bytes) -> dict[str, str]:
    """Number the coders ``coder-1``, ``coder-2`` ... in the order of their keyed digests."""
    digest = _keyed(secret)
    order = sorted(set(names), key=lambda name: digest(f"{study}:coder:{name}"))
    return {name: f"coder-{number}" for number, name in enumerate(order, start=1)}
