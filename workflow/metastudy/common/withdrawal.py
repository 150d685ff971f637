"""Remove a study from a working directory: its raw files, and all that was made from them.

What was made from what is read from Snakemake's own records, so a new rule needs no line here. An
output without a record counts as made from the study: a reader of data protection law would too.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from metastudy.common.own_folder import is_own
from metastudy.common.problems import MetastudyError
from metastudy.common.scratch import made_for
from metastudy.common.snakemake_records import Record, records

__all__ = ["mentions", "withdraw"]

PER_STUDY = ("harmonized", "staged", "data_report")  # folders of results with a place for each
_NAME = re.compile(r"[a-z][a-z0-9_]*")  # of a study, as in the schema of codebooks
_ENTRY = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{64}")  # of the store of fits
LARGEST = 20_000_000  # bytes of a file that is searched for the name
NOT_SEARCHED = (
    *(".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"),
    *(".hypothesis", "node_modules"),
)


def withdraw(
    study: str, project: Path, data: Path, results: Path, store: Path | None, rebuild: Path
) -> list[str]:
    """Remove a study's raw files and everything that was made from them.

    Parameters
    ----------
    study : name of its folder.
    project : the working directory, which holds ``.snakemake``.
    data : folder of the studies. A study's folder that is a link loses the link only.
    results : folder of the results.
    store : of fits, if there is one. All its entries are removed, for they do not say what they
        came from; nothing else in that folder is.
    rebuild : folder of ``verify``, which copies all studies to it; removed if ``verify`` made it.

    Returns
    -------
    What was removed, a line for each place.

    Raises
    ------
    MetastudyError
        If the name is none of a study, or nothing of that name was found.
    """
    if not _NAME.fullmatch(study):
        raise MetastudyError(
            f"{study!r} is no name of a study: give the name of its folder, as in "
            "`snakemake withdraw --config study=NAME`"
        )
    raw = data / study
    noted = records(project)
    doomed = _made_from(study, raw, noted, results, project)
    made = _of_parcels(study, project / "parcels")
    known = raw.exists() or raw.is_symlink() or any(doomed) or bool(made)
    if not known:
        folders = {
            p.parent.name for kind in ("codebook.yaml", "*.parcel") for p in data.glob(f"*/{kind}")
        }
        there = ", ".join(sorted(folders)) or "none"
        raise MetastudyError(
            f"there is nothing of a study {study!r}, neither in {data} nor in {results}; the "
            f"studies are {there}"
        )
    linked = f"the link {raw}; {raw.resolve()} itself stays" if raw.is_symlink() else f"{raw}"
    removed = [linked] if _remove(raw) else []
    gone = [path for path in doomed if _remove(path)]
    _remove_empty(results, {path.parent for path in gone})
    logs = [path for path in _files(results / "logs") if _names(path, study)]
    logs += _files(project / ".snakemake" / "log") + _files(project / ".snakemake" / "slurm_logs")
    for record in noted:
        if record.output in doomed or not record.output.exists():
            record.path.unlink(missing_ok=True)
    gone_logs = sum(map(_remove, logs))
    if gone:
        removed.append(f"{len(gone)} results that were made from it, under {results}")
    if sum(map(_remove, made)):
        removed.append("its parcels, the owner's page and certificates, under parcels")
    if gone_logs:
        removed.append(f"{gone_logs} logs, under {results / 'logs'} and .snakemake")
    entries = [path for path in store.glob("*/*") if _ENTRY.fullmatch(path.name)] if store else []
    if sum(map(_remove, entries)):
        removed.append(f"{len(entries)} entries of all studies, in the store {store}")
    if is_own(rebuild) and _remove(rebuild):
        removed.append(f"{rebuild}, with its copy of the data")
    return removed


def mentions(study: str, project: Path) -> list[str]:
    """Name the files of a project that still bear a study's name, or hold it.

    Parameters
    ----------
    study : name of its folder.
    project : the folder that is searched; git's history, caches and files that are very large or
        packed are not.

    Returns
    -------
    Paths with the numbers of their lines, where they are text.
    """
    found = []
    for path in _files(project):
        inside = path.relative_to(project)
        if any(part in NOT_SEARCHED for part in inside.parts) or inside.parts[0] == ".snakemake":
            continue
        if study in map(_study_of, inside.parts):
            found.append(f"{inside}")
        elif lines := _lines(path, study):
            found.append(f"{inside}, line {', '.join(map(str, lines[:5]))}")
    return found


def _made_from(
    study: str, raw: Path, noted: list[Record], results: Path, project: Path
) -> set[Path]:
    """All outputs that are of a study, or made from one that is."""
    doomed = {
        path
        for folder in PER_STUDY
        for path in (results / folder).glob("*")
        if _study_of(path.name) == study
    }
    inputs = {one.output: [project / name for name in one.inputs] for one in noted}
    made = set(_outputs(results))
    recorded = {path for path in made if any(output in (path, *path.parents) for output in inputs)}
    doomed |= made - recorded - {p for p in made if _of_another(p, study, results)}
    size = -1
    while size < len(doomed):
        size = len(doomed)
        doomed |= {
            output
            for output, needed in inputs.items()
            if any(one in doomed or raw in (one, *one.parents) for one in needed)
        }
    return doomed


def _of_parcels(study: str, folder: Path) -> list[Path]:
    """A study's parcels, those that newer ones took the place of as well, pages, certificates."""
    own = [path for path in folder.glob(f"{study}.*") if path.is_file()]
    return sorted([*own, *folder.glob(f"older/{study}-*.parcel")])


def _of_another(path: Path, study: str, results: Path) -> bool:
    """Whether a file is of the tables of one study, and of another one."""
    folder, name = path.relative_to(results).parts[:2]
    return folder in ("harmonized", "staged") and _study_of(name) != study


def _study_of(name: str) -> str:
    """The study that a file or folder is of, or a temporary one that a killed run left."""
    return made_for(name) or name.split(".")[0]


def _outputs(results: Path) -> Iterator[Path]:
    for path in _files(results):
        inside = path.relative_to(results).parts
        if len(inside) > 1 and inside[0] not in ("logs", "worlds"):
            yield path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _names(path: Path, study: str) -> bool:
    return study in path.name.split(".") or bool(_lines(path, study))


def _lines(path: Path, study: str) -> list[int]:
    """Numbers of the lines of a text file that hold a name as a word of its own."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return []
        content = path.read_bytes()
    except OSError:
        return []
    if b"\0" in content:
        return []
    word = re.compile(rb"(?<![a-z0-9_])" + study.encode() + rb"(?![a-z0-9_])")
    return [n for n, line in enumerate(content.splitlines(), 1) if word.search(line)]


def _remove_empty(results: Path, folders: set[Path]) -> None:
    """Remove folders below the results in which nothing is left: their names may be the study's."""
    for folder in folders:
        while results in folder.parents and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _remove(path: Path) -> bool:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        return False
    return True
