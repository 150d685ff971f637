"""What cells of several studies that were made apart say together of those studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import xarray as xr

__all__ = ["of_studies"]


def of_studies(parts: Sequence[xr.Dataset]) -> dict[str, str]:
    """Attributes of a whole: studies, what was dropped, and what they add to the vocabulary.

    Parameters
    ----------
    parts : cells of one study each, in the order of the whole; where two say something of the
        same name, the later one holds.

    Returns
    -------
    dict
        ``studies``, ``dropped`` and ``vocabulary``, JSON texts with sorted keys.
    """
    studies: dict[str, Any] = {}
    added: dict[str, Any] = {}
    dropped: list[Any] = []
    for part in parts:
        studies |= json.loads(part.attrs["studies"])
        dropped += json.loads(part.attrs["dropped"])
        for section, entries in json.loads(part.attrs["vocabulary"]).items():
            added.setdefault(section, {}).update(entries)
    return {
        "studies": json.dumps(studies, sort_keys=True),
        "dropped": json.dumps(dropped, sort_keys=True),
        "vocabulary": json.dumps(added, sort_keys=True),
    }
