"""Pseudonyms: the same raw id gives the same pseudonym under the same key, and none without it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown

__all__ = [
    "KEY_FILE_VARIABLE",
    "coders",
    "digests",
    "has_persons",
    "key",
    "key_of",
    "organisations",
    "persons",
    "spelt",
]

KEY_FILE_VARIABLE = "METASTUDY_PSEUDONYM_KEY_FILE"
SHORTEST_KEY = 16  # bytes; a key that can be guessed protects nobody
TEXTS_AT_A_TIME = 2**14  # texts that are objects of Python's at a time
PAIRS = np.frombuffer(bytes(range(256)).hex().encode(), dtype=np.uint16)  # digits of each byte
DIGITS = 16  # of a digest: among a million persons two share one once in 37 million studies


def key(
    codebook: Codebook, settings: Mapping[str, str | None], repository: Path | None = None
) -> bytes:
    """Give the key for a study's pseudonyms.

    Parameters
    ----------
    codebook : its provenance decides. Simulated persons need no protection, so their key is
        public and every build agrees to the byte; observed ones need a secret. Published findings
        have no persons in them and need none, nor do arms whose file may be given away: it has
        no person in it, and its sites in plain words.
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
    study = codebook.study
    open_arms = codebook.only("people") is not None and study.shareable
    persons = has_persons(study.provenance, study.design) and not open_arms
    return key_of(study.id, persons, codebook.path, settings, repository)


def has_persons(provenance: str, design: str) -> bool:
    """Whether a study is of people who were observed, so that its key is a secret."""
    return provenance != "simulated" and design != "published"


def key_of(
    study: str,
    persons: bool,
    near: Path,
    settings: Mapping[str, str | None],
    repository: Path | None = None,
) -> bytes:
    """Give the key of a study of which no codebook is read, as of one that came as a parcel.

    Parameters
    ----------
    study : its id.
    persons : of :func:`has_persons`.
    near : a file in the study's folder.
    settings, repository : as for :func:`key`.

    Raises
    ------
    BadInput
        As :func:`key`.
    """

    def refused(found: str, expected: str, fix: str) -> BadInput:
        return BadInput(
            Problem(
                file="config/config.yaml",
                found=found,
                expected=expected,
                fix=fix,
                study=study,
                column="pseudonyms",
                code="pseudonyms",
            )
        )

    if not persons:
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
    roots = [repository] if repository else _repositories(near)
    if any(path.is_relative_to(root.resolve()) for root in roots):
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


def _repositories(path: Path) -> list[Path]:
    """The projects that a study is in: where it is linked from, and where its files are.

    A project is the nearest folder with a mark of one; where there is none it is the one that the
    workflow runs in.
    """
    marks = (".git", "Snakefile", "config/config.yaml")
    nearest = [
        next((f for f in one.parents if any((f / mark).exists() for mark in marks)), None)
        for one in (path.absolute(), path.resolve())
    ]
    return [folder for folder in nearest if folder] or [Path.cwd()]


def digests(start: str, texts: Sequence[str] | pd.Series, secret: bytes) -> np.ndarray:
    """Give each text its keyed digest, an unsigned integer of 64 bits; shape (texts,).

    The digest is SipHash-2-4, made to be keyed and fast on short texts (Aumasson and Bernstein
    2012), as pandas has it in C. Its key is the secret's BLAKE2b of what the digests are of, in
    the ASCII that pandas takes for a key: 112 bits. In order of the digests :func:`spelt` gives
    texts in order of the alphabet, and integers are sorted in a tenth of the time.

    Parameters
    ----------
    start : the study, and what else should tell digests of the same text apart.
    """
    longest = hashlib.blake2b.MAX_KEY_SIZE
    secret = secret if len(secret) <= longest else hashlib.blake2b(secret).digest()
    own = hashlib.blake2b(start.encode(), key=secret, digest_size=16).digest()
    key = "".join(chr(byte & 127) for byte in own)
    blocks = (texts[at : at + TEXTS_AT_A_TIME] for at in range(0, len(texts), TEXTS_AT_A_TIME))
    found = [
        pd.util.hash_array(np.asarray(block, dtype=object), hash_key=key, categorize=False)
        for block in blocks
    ]
    return np.concatenate([np.empty(0, dtype=np.uint64), *found])


def spelt(study: str, numbers: np.ndarray) -> pd.Series:
    """Give each of :func:`digests` as the pseudonym ``<study>-<16 digits>``; shape (ids,)."""
    start, count = f"{study}-".encode(), len(numbers)
    letters = np.empty((count, len(start) + DIGITS), dtype=np.uint8)
    letters[:, : len(start)] = np.frombuffer(start, dtype=np.uint8)
    each = numbers.astype(">u8").view(np.uint8).reshape(count, DIGITS // 2)
    letters[:, len(start) :] = PAIRS[each].view(np.uint8)
    ends = np.arange(count + 1, dtype=np.int64) * letters.shape[1]
    buffers = [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(letters)]
    texts = pyarrow.Array.from_buffers(pyarrow.large_string(), count, buffers)
    return pd.Series(texts.to_pandas(), dtype="str")


def persons(study: str, ids: Sequence[str], secret: bytes) -> list[str | None]:
    """Give each raw id its pseudonym ``<study>-<16 digits>``; no id, no pseudonym."""
    known = spelt(study, digests(study, ids, secret))
    return [text if one else None for one, text in zip(ids, known, strict=True)]


def organisations(
    study: str, names: Iterable[str], secret: bytes, kind: str = "org"
) -> dict[str, str]:
    """Give each different organisation or cluster its pseudonym ``<study>-<kind>-<8 digits>``."""
    different = sorted(set(filter(None, names)))
    found = digests(f"{study}:{kind}", different, secret)
    return {
        name: f"{study}-{kind}-{digest >> 32:08x}"
        for name, digest in zip(different, found.tolist(), strict=True)
    }


def coders(study: str, names: Iterable[str], secret: bytes) -> dict[str, str]:
    """Number the coders ``coder-1``, ``coder-2`` ... in the order of their keyed digests."""
    different = sorted(set(names))
    order = np.argsort(digests(f"{study}:coder", different, secret))
    return {different[place]: f"coder-{number}" for number, place in enumerate(order, start=1)}
