"""The citation file of a project, ``CITATION.cff``, checked before anything of it is passed on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from metastudy.common.json_schema import validator, violations
from metastudy.common.problems import BadInput
from metastudy.common.text import shown
from metastudy.common.yaml_document import read_yaml, yaml_path

__all__ = ["NAME", "citation_of"]

__resources__ = ("../../schemas/citation.schema.yaml",)
SCHEMA = Path(__file__).parents[2] / "schemas" / "citation.schema.yaml"
NAME = "CITATION.cff"


def citation_of(*folders: Path) -> dict[str, Any]:
    """What the citation file says that is in the first of some folders.

    Parameters
    ----------
    folders : of the project, and of the workflow's repository.

    Returns
    -------
    dict
        With a list of licences as one text, each of which holds; empty if no folder has the file.

    Raises
    ------
    BadInput
        If the file is no YAML, or an entry that is read is of another type; all of them at once.
    """
    for folder in folders:
        path = folder / NAME
        if os.path.lexists(path):
            return _checked(path)
    return {}


def _checked(path: Path) -> dict[str, Any]:
    document = read_yaml(path, code="citation")
    problems = [
        document.problem(
            one.place,
            one.found,
            one.expected,
            f"correct {yaml_path(one.place)} in {shown(path)}, or take the key out",
            code="citation",
        )
        for error in validator(SCHEMA).iter_errors(document.data)
        for one in violations(error)
    ]
    if problems:
        raise BadInput(problems)
    said = dict(document.data)
    if isinstance(said.get("license"), list):
        said["license"] = " OR ".join(said["license"])
    return said
