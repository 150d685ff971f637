"""Bring the manuscript together in one folder: a complete Quarto project for a reader to open."""

from __future__ import annotations

import shutil
from pathlib import Path

from metastudy.common.problems import BadInput, Problem
from metastudy.manuscript.yaml_rows import Names

__all__ = ["stage"]

# What Quarto leaves behind, what only `verify` reads, and what programs keep for themselves.
LEFT_OUT = shutil.ignore_patterns(
    *(".*", "_manuscript", "*_files", "record*.json", "record_history.csv", "__pycache__")
)
FIGURES, TABLES, VARIABLES = ("*.svg", "*.png"), ("_tbl-*.md", "_part-*.md"), "_variables.yml"


def stage(manuscript: Path, figures: Path, tables: Path, variables: Path, target: Path) -> Names:
    """Copy the sources, figures, tables and variables into a new folder.

    Parameters
    ----------
    manuscript : folder with ``_quarto.yml``, the article, bibliography and ``assets/``.
    figures : folder with the figures, SVG and PNG of each; they go to ``figures/``.
    tables : folder with tables, ``_tbl-*.md``, and parts, ``_part-*.md``; they go to ``tables/``.
    variables : the file of variables; it becomes ``_variables.yml``.
    target : the folder to make; one that is there is replaced.

    Returns
    -------
    dict
        For every file of the folder (relative path) the file that it was copied from.

    Raises
    ------
    BadInput
        When one of the four is missing, or two of them bring a file of the same name.
    """
    _check_inputs(manuscript, figures, tables, variables)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(manuscript, target, ignore=LEFT_OUT)
    names = {
        str(path.relative_to(target)): str(manuscript / path.relative_to(target))
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    copies = [(variables, VARIABLES)]
    copies += [(file, f"figures/{file.name}") for file in _matching(figures, FIGURES)]
    copies += [(file, f"tables/{file.name}") for file in _matching(tables, TABLES)]
    _check_collisions(names, copies)
    for origin, name in copies:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin, target / name)
        names[name] = str(origin)
    return names


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return sorted(file for pattern in patterns for file in folder.glob(pattern))


def _check_inputs(manuscript: Path, figures: Path, tables: Path, variables: Path) -> None:
    """Fail before anything is replaced."""
    missing = [folder for folder in (manuscript, figures, tables) if not folder.is_dir()]
    missing += [] if variables.is_file() else [variables]
    if missing:
        raise BadInput(
            Problem(
                file=str(path),
                found="nothing there",
                expected="what the workflow made",
                fix="make it",
                code="no-file",
            )
            for path in missing
        )


def _check_collisions(names: Names, copies: list[tuple[Path, str]]) -> None:
    twice = [(origin, names[name]) for origin, name in copies if name in names]
    if twice:
        raise BadInput(
            Problem(
                file=mine,
                found=f"a file that the workflow makes too, as {origin}",
                expected="figures, tables and variables from the workflow alone",
                fix=f"remove {mine}",
                code="collision",
            )
            for origin, mine in twice
        )
