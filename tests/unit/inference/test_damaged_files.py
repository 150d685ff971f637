"""What a full disk or a killed machine leaves behind is said, and made anew where that is cheap."""

from __future__ import annotations

import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numba.core.caching import IndexDataCacheFile

from metastudy.common.problems import MetastudyError
from metastudy.inference import compile_cache, netcdf


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"], ids=["index", "code"])
def test_a_damaged_cache_of_compiled_code_counts_as_missing(
    tmp_path: Path, monkeypatch, capsys, suffix: str
) -> None:
    monkeypatch.setattr(IndexDataCacheFile, "_load_index", compile_cache._Tolerant.index)
    monkeypatch.setattr(IndexDataCacheFile, "_load_data", compile_cache._Tolerant.data)
    cache = IndexDataCacheFile(str(tmp_path), "model", source_stamp=0)
    cache.save("signature", ["machine code"] * 100)
    (damaged,) = tmp_path.glob(f"*{suffix}")
    half(damaged)
    with pytest.raises((pickle.UnpicklingError, EOFError)):  # what numba alone makes of it
        cache.load("signature")
    compile_cache.compile_anew_where_damaged()
    assert cache.load("signature") is None
    assert "is damaged" in capsys.readouterr().err
    cache.save("signature", "compiled anew")
    assert cache.load("signature") == "compiled anew"


def test_a_posterior_that_does_not_fit_on_the_disk_is_said_in_one_line(tmp_path: Path) -> None:
    draws = xr.Dataset({"a": ("draw", np.random.default_rng(1).normal(size=50_000))})
    tree = xr.DataTree.from_dict({"posterior": draws})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(MetastudyError, match=r"fit\.part cannot be written: .* MB are free"):
            netcdf.save(tree, tmp_path / "fit.part")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
    netcdf.save(tree, tmp_path / "fit.part")
