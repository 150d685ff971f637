"""The past of a record: its code and its data, from Git, and the configuration for them."""

from __future__ import annotations

import copy
import io
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from metastudy.common.problems import MetastudyError
from metastudy.record import inputs
from metastudy.record.inputs import COMMIT
from metastudy.record.rebuild import PLACES
from metastudy.record.rebuild_folder import BESIDE

__all__ = ["code_of", "configuration", "data_of", "shipped"]


def code_of(record: Mapping[str, Any], repository: Path, folder: Path) -> Path:
    """Unpack the code of a record's commit.

    Parameters
    ----------
    record : of an accepted build; its ``commit`` has ``+`` at its end where files differed from it.
    repository : the clone that has the commit.
    folder : is made.

    Raises
    ------
    MetastudyError
        If the history does not have the code, with why.
    """
    commit = _commit_of(record)
    if not commit:
        raise MetastudyError("the record names no commit")
    if record["commit"].endswith("+"):
        raise MetastudyError(f"the record was made by files that differ from commit {commit[:12]}")
    top, prefix = _place(repository)
    _unpack(top, f"{commit}:{prefix}", folder)
    if not (folder / "Snakefile").is_file():
        raise MetastudyError(f"commit {commit[:12]} has no Snakefile")
    return folder


def data_of(
    record: Mapping[str, Any], config: Mapping[str, Any], project: Path, path: Path, folder: Path
) -> Path:
    """Unpack the data of a record, with its codebooks: they are taken if their checksums agree.

    Parameters
    ----------
    record : of an accepted build.
    config : says where data, vocabulary and appraisal are.
    project : the folder that they are in, of a Git history.
    path : of the record, whose last commit has the data of that time; that of the code has them too
        where both are in one repository.
    folder : is made.

    Raises
    ------
    MetastudyError
        If no commit has them, with why.
    """
    own = _commit_of(record)
    names = [config[place] for place in PLACES]
    if outside := [name for name in names if Path(name).is_absolute()]:
        raise MetastudyError(f"{outside[0]} is outside the project, and so is its history")
    top, prefix = _place(project)
    last = _git(project, "log", "-1", "--format=%H", "--", str(path)).decode().strip()
    for commit in dict.fromkeys(filter(None, (last, own))):
        kept = [name for name in (*names, *BESIDE) if _has(top, f"{commit}:{prefix}{name}")]
        if not kept:
            continue
        _unpack(top, f"{commit}:{prefix}", folder / commit, kept)
        if _same(record, config, folder / commit):
            return folder / commit
    raise MetastudyError("no commit of the record or of its code has the raw data of that time")


def _commit_of(record: Mapping[str, Any]) -> str:
    """The commit of a record without its mark, empty if there is none.

    What is in a file reaches Git as a commit or not at all: another text might be an option.
    """
    commit = record["commit"]
    if commit and not COMMIT.fullmatch(commit):
        raise MetastudyError(f"the record names {commit[:40]!a} as its commit, which is none")
    return str(commit).removesuffix("+")


def _same(record: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> bool:
    data, studies = folder / config["data"], sorted(record["raw"])
    if not all((data / study).is_dir() for study in studies):
        return False
    others = [folder / config[place] for place in PLACES[1:]]
    try:
        raw, books = inputs.raw(data, studies), inputs.codebooks(data, studies, others)
    except (OSError, ValueError, yaml.YAMLError):
        return False  # of another time, when a file of these was missing or no YAML
    return bool(raw == record["raw"] and books == record["codebooks"])


def configuration(
    base: Mapping[str, Any],
    today: Mapping[str, Any],
    record: Mapping[str, Any],
    changed: Iterable[str],
    old_code: bool,
) -> dict[str, Any]:
    """The configuration of a build between a record and today.

    Parameters
    ----------
    base : the configuration that ships with the code that builds.
    today : the whole configuration of today, with a store that is absolute or none.
    record : has priors, settings and seed of the record.
    changed : what is as today: ``priors`` (and settings), ``seed``.
    old_code : whether the code is that of the record. It knows the keys of the record; what is new
        since then belongs to the code.

    Returns
    -------
    dict
        Without primary contrasts, which need not be there, and with HTML as the only format.
    """
    found = copy.deepcopy(dict(base if old_code else today))
    for key in (*PLACES, "store", "pseudonyms"):
        if key in found:
            found[key] = copy.deepcopy(today[key])
    if "primary" in found:
        found["primary"] = {}
    if "formats" in found.get("manuscript", {}):
        found["manuscript"]["formats"] = ["html"]
    own_priors, own_settings, own_seed = inputs.settings(today)
    found["sampling"]["seed"] = own_seed if "seed" in changed else record["seed"]
    priors, settings = dict(record["priors"]), dict(record["settings"])
    for mine, own in ((priors, own_priors), (settings, own_settings)):
        known = mine.keys() & own.keys()
        for key in [] if old_code else mine.keys() - known:
            del mine[key]
        if "priors" in changed:
            mine |= {key: own[key] for key in known}
    found["priors"] |= priors
    for key, value in settings.items():
        section, _, name = key.partition(".")
        if name:
            found.setdefault(section, {})[name] = value
        else:
            found[key] = value
    return found


def shipped(code: Path) -> dict[str, Any]:
    """The configuration that ships with a code."""
    found: dict[str, Any] = yaml.safe_load((code / "config" / "config.yaml").read_text("utf-8"))
    return found


def _place(folder: Path) -> tuple[Path, str]:
    """The top of a folder's working tree, and its path in it with a slash, or nothing."""
    top = _git(folder, "rev-parse", "--show-toplevel").decode().strip()
    return Path(top), _git(folder, "rev-parse", "--show-prefix").decode().strip()


def _unpack(repository: Path, tree: str, folder: Path, names: Iterable[str] = ()) -> None:
    """Unpack a commit, or some paths of it."""
    tar = _git(repository, "archive", "--format=tar", tree, "--", *names)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(tar)) as files:
            files.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise MetastudyError(f"{tree[:12]} cannot be unpacked: {error}") from None


def _has(repository: Path, path: str) -> bool:
    try:
        _git(repository, "cat-file", "-e", "--end-of-options", path)
    except MetastudyError:
        return False
    return True


def _git(repository: Path, *words: str) -> bytes:
    try:
        return subprocess.run(
            ["git", "-C", str(repository), "--literal-pathspecs", *words],
            capture_output=True,
            check=True,
        ).stdout
    except FileNotFoundError:
        raise MetastudyError("Git is not installed") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MetastudyError(f"Git says: {said[-1] if said else error}") from None
