"""Quarto, where it is installed: which engine to use, and one run of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from metastudy.common.problems import MetastudyError
from metastudy.manuscript.pandoc import SUFFIX

__all__ = ["OLDEST", "choose_engine", "quarto_version", "run_quarto"]

# Before 1.9 callouts in PDFs need the network, and alternative texts are lost in them.
OLDEST = (1, 9)
COMPLAINT = re.compile(r"^.*\b(?:WARN(?:ING)?|ERROR)\b.*$", re.MULTILINE)
LEFTOVERS = (".quarto", "_manuscript", "manuscript_files")


def quarto_version() -> str | None:
    """The version of the ``quarto`` on PATH; None without one that answers."""
    program = shutil.which("quarto")
    if not program:
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def choose_engine(asked: str) -> str:
    """Settle which engine renders.

    Parameters
    ----------
    asked : ``quarto``, ``pandoc``, or ``auto``, which is pandoc whatever is installed: by a real
        Quarto the PDF lacks rows of tables, and HTML and Word lack the mark of simulated data.

    Returns
    -------
    str
        ``quarto`` or ``pandoc``.

    Raises
    ------
    MetastudyError
        When Quarto was asked for and there is none, or an older one than is supported.
    """
    if asked != "quarto":
        return "pandoc"
    version = quarto_version()
    if version is None or _number(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise MetastudyError(
            f"the engine quarto was asked for, but there is {version or 'no quarto on PATH'}; "
            f"install Quarto {oldest} or later, or set the engine to auto or pandoc."
        )
    return "quarto"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def run_quarto(folder: Path, stem: str, formats: list[str], out: Path, epoch: int) -> None:
    """Render a folder with Quarto and fetch the files.

    All formats are rendered in one call, because ``--to`` would empty the folder of the others.

    Parameters
    ----------
    folder : the staged manuscript; what Quarto leaves in it is removed.
    stem : name of the article without its ending.
    formats : the formats to fetch.
    out : folder for ``manuscript.html`` and so on.
    epoch : clock of the outputs, in seconds since 1970.

    Raises
    ------
    MetastudyError
        When Quarto fails, warns, or does not write a format.
    """
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch), "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            ["quarto", "render"], cwd=folder, env=environment, text=True, capture_output=True
        )
        said = done.stdout + done.stderr
        if done.returncode or COMPLAINT.search(said):
            first = "\n".join(COMPLAINT.findall(said))  # among hundreds of lines
            raise MetastudyError(
                f"quarto render (status {done.returncode}) said:\n{first}\n\n"
                f"All of it:\n{said.strip()}"
            )
        for to in formats:
            shutil.copy(_made(folder / "_manuscript", stem, to), out / f"manuscript.{SUFFIX[to]}")
    finally:
        for name in LEFTOVERS:
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / ".gitignore").unlink(missing_ok=True)  # staging copies none


def _made(folder: Path, stem: str, to: str) -> Path:
    """The file of one format: a manuscript's web page is called index.html."""
    names = [f"{stem}.{SUFFIX[to]}"]
    names = ["index.html", *names] if to == "html" else names
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise MetastudyError(f"quarto render wrote no {' or '.join(names)} in {folder.name}.")
