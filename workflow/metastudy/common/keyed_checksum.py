"""Checksum of a file that may not be given away: only who has the key can compute or test it."""

from __future__ import annotations

import hmac
from pathlib import Path

__all__ = ["ALGORITHM", "keyed"]

ALGORITHM = "HMAC-SHA-256"
PURPOSE = b"metastudy parcel checksum"  # so that pseudonyms and checksums have different keys


def keyed(content: Path | bytes, secret: bytes) -> str:
    """Checksum that only who has the key can compute or test.

    A bare checksum would let anybody try guesses of the one answer that they do not know.

    Parameters
    ----------
    content : a file, or its bytes.
    secret : the key for pseudonyms of the study (:func:`metastudy.harmonize.pseudonyms.key`).

    Returns
    -------
    64 hexadecimal digits.
    """
    key = hmac.digest(secret, PURPOSE, "sha256")
    given = content.read_bytes() if isinstance(content, Path) else content
    return hmac.digest(key, given, "sha256").hex()
