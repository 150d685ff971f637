"""A job's outputs in the store: what the same command made from the same contents is taken again.

Snakemake runs every job below one that ran, also where its inputs came out the same. Such a job
asks here first. The key of a job holds the words of its command, in them each input by its content
and each output by its number, the digest of its code, the lock and the flags in force. It leads to
a list of the job's files, and each of these is in the store by its content.

Nothing heavy is imported here: most jobs of an update end with this.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from metastudy.common import result_store
from metastudy.common.yaml_digest import yaml_digest

__all__ = ["key_of", "put", "take", "take_or_make"]

NO_MATTER = ("--cores", "--store")  # options without which a command makes the same bytes
TIMESTAMP = ".snakemake_timestamp"  # Snakemake's own, in folders that are outputs


def key_of(
    command: Sequence[str],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    depends: Mapping[str, str],
) -> str:
    """The key of a job.

    An input counts where the command is given it, or a folder that it is in: what a command is not
    given it cannot read. So what a rule only waits for, such as the gates, does not count. A YAML
    file that it is given counts by what it says, and by its bytes in a folder, which may be copied.

    Parameters
    ----------
    command : the module and its arguments.
    inputs, outputs : files and folders of the job, as they are written in the command.
    depends : what else the outputs depend on, by name, such as digests of the code and the lock.

    Raises
    ------
    OSError
        If an input cannot be read.
    """
    words, given, skip = [], set(), False
    numbers = {str(path): f"output {i}" for i, path in enumerate(outputs)}
    asked = {str(path): path for path in inputs}
    for word in command:
        if skip or word in NO_MATTER:
            skip = not skip
            continue
        if word in asked:
            words.append(f"input {yaml_digest(asked[word]) or _content(asked[word])}")
            given.add(word)
        else:
            words.append(f"word {numbers.get(word, word)}")
    folders = set(command)
    inside = {
        name: _content(path)
        for name, path in sorted(asked.items())
        if name not in given and folders & {str(parent) for parent in path.parents}
    }
    parts = {"command": json.dumps(words), "inside": json.dumps(inside)}
    return result_store.key({**depends, **parts})


def take(store: Path, key: str, outputs: Sequence[Path]) -> bool:
    """Write all outputs of a job from the store, or none.

    Parameters
    ----------
    store : folder of the store; it need not exist.
    key : of :func:`key_of`.
    outputs : files and folders, in the order in which they were put.

    Returns
    -------
    Whether all of them were there and whole.

    Raises
    ------
    MetastudyError
        If an output is there and cannot be written (:func:`metastudy.common.result_store.fetch`).
    """
    listed = _listed(store, key, len(outputs))
    written: list[Path] = []
    for number, name, content in listed or ():
        path = outputs[number] / name if name else outputs[number]
        path.parent.mkdir(parents=True, exist_ok=True)
        if not result_store.fetch(store, _of_content(content), path):
            for each in written:
                each.unlink()
            return False
        written.append(path)
    return listed is not None


def put(store: Path, key: str, outputs: Sequence[Path]) -> bool:
    """Put all outputs of a job into the store, after :func:`take` found none.

    Returns
    -------
    Whether they are in the store now; a store that cannot be written costs only a note.
    """
    listed = [
        (number, name, digest)
        for number, path in enumerate(outputs)
        for name, digest in _files(path).items()
    ]
    for number, name, digest in listed:
        path = outputs[number] / name if name else outputs[number]
        if not result_store.keep(store, _of_content(digest), path):
            return False
    if _listed(store, key, len(outputs)) not in (None, listed):
        # It leads to files that are gone, or they would have been taken.
        result_store.forget(store, key)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.json")
        path.write_text(json.dumps(listed), "utf-8")
        return result_store.keep(store, key, path)


def take_or_make(
    store: Path,
    command: Sequence[str],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    depends: Mapping[str, str],
    make: Callable[[], None],
) -> tuple[str, bool]:
    """Take outputs from the store, or make them and put them there.

    Parameters
    ----------
    store : folder of the store; it need not exist.
    command, inputs, outputs, depends : of :func:`key_of`.
    make : makes the outputs. What it raises is passed on, and nothing is put.

    Returns
    -------
    The key, and whether they were taken. Where an input changed while they were made, they are not
    kept, and stderr says so.
    """
    key = key_of(command, inputs, outputs, depends)
    if take(store, key, outputs):
        return key, True
    make()
    if key_of(command, inputs, outputs, depends) == key:
        put(store, key, outputs)
    else:
        print("store: an input changed while the job ran; nothing is kept", file=sys.stderr)
    return key, False


def _listed(store: Path, key: str, outputs: int) -> list[tuple[int, str, str]] | None:
    """Number of the output, name in it and digest of each file of a job."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.json")
        if not result_store.fetch(store, key, path):
            return None
        try:
            found = [(int(n), str(name), str(d)) for n, name, d in json.loads(path.read_bytes())]
        except (ValueError, TypeError):
            return None
    inside = all(
        0 <= n < outputs and not {"..", "/"} & set(PurePosixPath(name).parts)
        for n, name, _ in found
    )
    return found if inside else None


def _of_content(digest: str) -> str:
    return result_store.key({"content": digest})


def _content(path: Path) -> str:
    """Digest of a file, or of all files in a folder with their names."""
    found = _files(path)
    return found[""] if "" in found else hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _files(path: Path) -> dict[str, str]:
    """Digest of each file by its name in a folder; a file by itself has the name ''."""
    if not path.is_dir():
        return {"": _digest(path)}
    return {
        each.relative_to(path).as_posix(): _digest(each)
        for each in sorted(path.rglob("*"))
        if each.is_file() and each.name != TIMESTAMP
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
