"""Make a project of one's own: configuration, vocabulary, data and article to fill."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown

__all__ = ["rules_of", "start"]

# In the texts of the skeleton: the clone of the workflow, and the new folder.
CLONE, HERE = "CLONE", "HERE"
WITH_PATHS = (".md", ".yaml")


def start(to: str, skeleton: Path, clone: Path) -> list[Path]:
    """Copy the skeleton to a new folder and put the paths of this machine into its texts.

    Parameters
    ----------
    to : path of the folder to make. It may be there, if it is empty.
    skeleton : what every project begins with.
    clone : the workflow's own folder.

    Returns
    -------
    The new files, in order.

    Raises
    ------
    BadInput
        If there is no path, or something is there already: nothing is ever written over.
    """
    target = Path(to).expanduser()
    found = ""
    if not to.strip():
        found = "no path"
    elif target.exists() and not target.is_dir():
        found = "a file of this name"
    elif target.is_dir() and any(target.iterdir()):
        found = f"a folder with {len(list(target.iterdir()))} things in it"
    if found:
        raise BadInput(
            Problem(
                file=shown(target) if to.strip() else "--config to=PATH",
                found=found,
                expected="the path of a new folder, or of an empty one",
                fix="name another: snakemake start --config to=PATH",
                code="start",
            )
        )
    shutil.copytree(skeleton, target, dirs_exist_ok=True)
    paths = {CLONE: str(clone.resolve()), HERE: str(target.resolve())}
    files = sorted(path for path in target.rglob("*") if path.is_file())
    for path in files:
        if path.suffix in WITH_PATHS:
            _fill(path, paths)
    return files


def _fill(path: Path, paths: dict[str, str]) -> None:
    """Put paths in place of their names; in a command they are words of the shell."""
    lines = []
    for line in path.read_text("utf-8").splitlines():
        command = line.startswith("snakemake ")
        for name, where in paths.items():
            if command:
                # The rest of a path stays outside of the quotes.
                line = line.replace(name, shlex.quote(where))
            else:
                line = line.replace(name, where)
        lines.append(line)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def rules_of(folder: Path) -> str:
    """What a call of Snakemake in ``folder`` has to say to find the rules, with a blank after it.

    Empty where the folder has rules of its own, as the repository does.
    """
    if any((folder / name).is_file() for name in ("Snakefile", "workflow/Snakefile")):
        return ""
    snakefile = Path(__file__).parents[2] / "Snakefile"
    where = f"--snakefile {shlex.quote(str(snakefile.resolve()))}"
    return f"{where} --directory {shlex.quote(str(folder.resolve()))} "
