"""Quarto, where it is installed: which engine to use, and one run of it."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

from metastudy.common.problems import MetastudyError
from metastudy.manuscript.pandoc import SUFFIX
from metastudy.manuscript.source import Source

__all__ = [
    *("OLDEST", "choose_engine", "quarto_tools", "quarto_version", "run_quarto", "usable_quarto"),
    "write_references",
]

# Before 1.9 callouts in PDFs need the network, and alternative texts are lost in them.
OLDEST = (1, 9)
COMPLAINT = re.compile(r"^.*\b(?:WARN(?:ING)?|ERROR)\b.*$", re.MULTILINE)
VERSION = re.compile(r"\d+(?:\.\d+)+")
LEFTOVERS = (".quarto", "_manuscript", "manuscript_files", "supplement_files")


def quarto_version() -> str | None:
    """The version of the ``quarto`` on PATH; None without one that answers."""
    return _answer("--version")


def quarto_tools() -> dict[str, str]:
    """Versions of the pandoc and the Typst that Quarto brings; what does not answer is left out."""
    said = {tool: _answer(tool, "--version") for tool in ("pandoc", "typst")}
    found = {tool: VERSION.search(text) for tool, text in said.items() if text}
    return {tool: match[0] for tool, match in found.items() if match}


def _answer(*words: str) -> str | None:
    program = shutil.which("quarto")
    if not program:
        return None
    try:
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def choose_engine(asked: str) -> str:
    """Settle which engine renders.

    Parameters
    ----------
    asked : ``quarto``, ``pandoc``, or ``auto``, which begins with pandoc whatever is installed:
        Quarto's documents are taken only where they pass the same checks (``render``).

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


def usable_quarto() -> str:
    """Why the Quarto on PATH cannot be tried; empty where it can."""
    version = quarto_version()
    if version is None:
        return "no quarto on PATH"
    if _number(version) < OLDEST:
        return f"Quarto {version} is older than {'.'.join(map(str, OLDEST))}"
    return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def write_references(folder: Path, sources: list[Source]) -> None:
    """Write what each document calls the things of the other, where there are two.

    Quarto resolves references within a document. ``assets/references-quarto.lua`` reads this file,
    ``_references.json``, and puts the others in before.
    """
    if len(sources) > 1:
        known = {s.article: {k: asdict(v) for k, v in s.elsewhere.items()} for s in sources}
        (folder / "_references.json").write_text(json.dumps(known, indent=1) + "\n", "utf-8")


def run_quarto(
    folder: Path, stems: dict[str, str], formats: list[str], out: Path, epoch: int
) -> None:
    """Render a folder with Quarto and fetch the files.

    All formats are rendered in one call, because ``--to`` would empty the folder of the others.

    Parameters
    ----------
    folder : the staged manuscript; what Quarto leaves in it is removed.
    stems : for each document to make the name of its source without the ending.
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
        for (document, stem), to in itertools.product(stems.items(), formats):
            made = _made(folder / "_manuscript", stem, to, only=len(stems) == 1)
            shutil.copy(made, out / f"{document}.{SUFFIX[to]}")
    finally:
        for name in LEFTOVERS:
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / ".gitignore").unlink(missing_ok=True)  # staging copies none


def _made(folder: Path, stem: str, to: str, *, only: bool) -> Path:
    """The file of one format: the web page of a project of one manuscript is called index.html."""
    names = [f"{stem}.{SUFFIX[to]}"]
    names = ["index.html", *names] if only and to == "html" else names
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise MetastudyError(f"quarto render wrote no {' or '.join(names)} in {folder.name}.")
