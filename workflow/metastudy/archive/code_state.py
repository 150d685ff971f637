"""The state of the code: its commit, what differs from it, and the files that belong to it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from metastudy.codebook.parts import may_be_shared

__all__ = ["CodeState", "files_of_code", "state_of"]

# What a build needs, and what says how: tests, benchmarks and examples are in the repository.
ROOTS = (
    *("workflow", "envs", "config", "manuscript", "profiles", "tools", "docs", "data/generator"),
    *("Snakefile", "Makefile", "README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md"),
    *("CONTRIBUTING.md", "pyproject.toml", ".gitattributes", "data/README.md"),
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class CodeState:
    """A commit, empty where there is none; and the files that differ from it or are new."""

    commit: str
    changed: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in a sentence."""
        if not self.commit:
            return "The code is in no Git repository, so it has no commit: its files are here."
        if not self.changed:
            return f"The code is that of commit {self.commit}, without a change."
        return (
            f"The code is that of commit {self.commit} with {len(self.changed)} changed or new "
            f"files, which are here as they were: {', '.join(self.changed)}."
        )


def state_of(repository: Path) -> CodeState:
    """The commit of the code, and its files that are not as in that commit.

    Parameters
    ----------
    repository : holds ``workflow``. A hosted module is unpacked in a folder called after its
        commit, and nobody works in that.
    """
    if not _is_top(repository):
        named = _COMMIT.fullmatch(repository.name)
        return CodeState(repository.name if named else "", ())
    commit = _git(repository, "rev-parse", "HEAD") or ""
    said = _git(repository, "status", "--porcelain", "-z", "--no-renames", "-uall", "--", *ROOTS)
    changed = sorted(line[3:] for line in (said or "").split("\0") if line)
    return CodeState(commit.strip(), tuple(changed))


def files_of_code(folder: Path) -> list[Path]:
    """The files of code, configuration and text, in order; what Git ignores is none.

    Files of a study's folder are none either, wherever it is, unless they may be given away.

    Parameters
    ----------
    folder : of the repository, or of a project apart from it.
    """
    if _is_top(folder):
        listed = _git(
            folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *ROOTS
        )
        names = [name for name in (listed or "").split("\0") if name]
        found = {folder / name for name in names}
    else:
        found = set()
        for root in ROOTS:
            place = folder / root
            found |= set(place.rglob("*")) if place.is_dir() else {place}
        found = {
            path
            for path in found
            if not any(p.startswith(".") or p == "__pycache__" for p in _parents(path, folder))
        }
    return sorted(
        path for path in found if path.is_file() and not path.is_symlink() and _may_go(path, folder)
    )


def _parents(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts[:-1]


def _may_go(path: Path, folder: Path) -> bool:
    """Whether a file is in no study's folder, or in one whose codebook gives it away."""
    for place in path.parents:
        if place == folder:
            return True
        if any(place.glob("*.parcel")):
            return False
        codebook = place / "codebook.yaml"
        if codebook.is_file():
            try:
                return may_be_shared(yaml.safe_load(codebook.read_text("utf-8-sig"))["study"])
            except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
                return False
    return True


def _is_top(folder: Path) -> bool:
    """Whether a folder is the top of a Git repository: one around it says nothing of its files."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return bool(top) and Path(str(top).strip()).resolve() == folder.resolve()


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None
    return done.stdout
