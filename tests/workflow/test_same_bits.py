"""The same data, code and lock give the same bytes, whether compiled code is in a cache or not.

Caches are folders of the test's own: cold is an empty one, warm is the same one in the next run.
`docs/verify.md` lists what of a build may differ all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from helpers import small_project
from helpers.grown_article import with_skeleton
from helpers.repository import copy_of_the_repository

pytestmark = [pytest.mark.slow, pytest.mark.fit]

STORES = (".store", "results/fits", "results/refits", "results/synthesis")
DIFFER = {"logs"}  # folders of `results/` that docs/verify.md lists


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for all caches: of PyTensor with numba, of numba by itself, and of fonts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PYTENSOR_FLAGS", f"base_compiledir={folder / 'pytensor'}")
    for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    return folder


def compiled(cache: Path) -> dict[str, int]:
    """Files of numba's code in a cache, with the time at which each was written."""
    return {str(path): path.stat().st_mtime_ns for path in cache.rglob("*.nb[ci]")}


def made(project: Path, targets: list[str]) -> dict[str, str]:
    """Digests of what a run makes that finds none of it, neither in results nor in the store."""
    for name in STORES:
        shutil.rmtree(project / name, ignore_errors=True)
    done = small_project.snakemake(project, *targets)
    assert done.returncode == 0, done.stdout[-6000:]
    return {name: sha256((project / name).read_bytes()).hexdigest() for name in targets}


def same_with_both_caches(project: Path, cache: Path, targets: list[str]) -> int:
    """Make targets twice and compare; how many files of code the first run left in the cache."""
    assert not compiled(cache)
    cold = made(project, targets)
    code = compiled(cache)
    assert code, "the first run compiled into this cache"
    warm = made(project, targets)
    assert compiled(cache) == code, "the second run compiled nothing"
    assert warm == cold
    return len(code)


KINDS = ["fits/threat.nc", "fits/strain.nc", "fits/threat-ordinal.nc", "refits/strain.nc"]


@pytest.mark.long(of=("metastudy.inference.fit", "metastudy.models.builders"))
def test_posteriors_of_all_kinds_that_ship_are_the_same_with_both_caches(
    tmp_path: Path, cache: Path, figures: Callable[..., None]
) -> None:
    """With short chains: other code gives other bits in the first steps, or never."""
    project = copy_of_the_repository(tmp_path / "project")
    path = project / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    for section in ("sampling", "refits"):
        settings[section] |= small_project.CHAINS
    for section in ("gates", "refit_gates"):
        settings[section] |= small_project.LOOSE
    small_project.write(path, settings)
    targets = [f"results/{name}" for name in (*KINDS, "synthesis/posterior.nc")]
    figures(compiled=same_with_both_caches(project, cache, targets))


@pytest.mark.long(of=("metastudy.inference.fit", "metastudy.article.make"))
def test_two_clean_builds_differ_in_logs_alone(
    tmp_path: Path, cache: Path, figures: Callable[..., None]
) -> None:
    """In folders of other names, from cold and from warm caches, with one core and with two."""
    first = small_project.make(tmp_path / "first")
    path = first / "config" / "config.yaml"
    settings = yaml.safe_load(path.read_text("utf-8"))
    settings["manuscript"]["formats"] = ["html", "typst", "docx"]
    small_project.write(path, settings)
    with_skeleton(first)  # it declares all three
    second = tmp_path / "a folder with a longer name" / "second"
    shutil.copytree(first, second, symlinks=True)
    for cores, project in enumerate((first, second), 1):
        done = small_project.snakemake(project, cores=cores)
        assert done.returncode == 0, done.stdout[-6000:]
    one, two = (contents(project / "results") for project in (first, second))
    assert one.keys() == two.keys()
    other = {name for name in one if one[name] != two[name]}
    assert {name.partition("/")[0] for name in other} <= DIFFER
    article = {f"manuscript/manuscript.{suffix}" for suffix in ("html", "pdf", "docx")}
    assert article <= one.keys() - other
    figures(files=len(one), other=len(other))


def contents(results: Path) -> dict[str, bytes]:
    """Whatever is in a folder of results, logs as well."""
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }
