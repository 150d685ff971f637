"""A damaged file in numba's cache of compiled code counts as missing, so the code is compiled anew.

numba keeps what it compiled as pickles and takes an unreadable one for an error of the program: a
cache that a full disk or a killed machine cut short would stop every fit until somebody deletes it.
"""

from __future__ import annotations

import sys
from typing import Any

from numba.core.caching import IndexDataCacheFile

__all__ = ["compile_anew_where_damaged"]


class _Tolerant:
    """The reading methods of numba's cache files, with what they were before."""

    index = IndexDataCacheFile._load_index
    data = IndexDataCacheFile._load_data


def _load_index(self: Any) -> Any:
    try:
        return _Tolerant.index(self)
    except OSError:
        raise
    except Exception as error:  # a pickle of other bytes may raise anything
        _note(self._index_path, error)
        return {}


def _load_data(self: Any, name: str) -> Any:
    try:
        return _Tolerant.data(self, name)
    except OSError:
        raise
    except Exception as error:
        _note(self._data_path(name), error)
        raise FileNotFoundError(name) from error  # which numba takes for code not yet compiled


def _note(path: str, error: Exception) -> None:
    print(f"cache: {path} is damaged ({error}); its code is compiled anew", file=sys.stderr)


def compile_anew_where_damaged() -> None:
    """Let numba take damaged files of its cache for missing ones, in this process."""
    IndexDataCacheFile._load_index = _load_index
    IndexDataCacheFile._load_data = _load_data
