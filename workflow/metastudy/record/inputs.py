"""What a build was made from: data, codebooks, priors, settings, code, lock, machine, by digest."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from metastudy.common import made_files
from metastudy.common.code_digest import code_digest
from metastudy.common.data_file import is_data
from metastudy.parcels.parcel import parcel_in, read

__all__ = [
    "COMMIT",
    *("codebooks", "code", "commit_of", "content_digest", "machine", "provenance", "raw"),
    *("settings", "stages"),
]

# Of the configuration: where things are, how the article is rendered, and what is compared on its
# own. What leads moves no number. The key of pseudonyms changes names of people and no number.
NO_SETTINGS = (
    *("data", "vocabulary", "appraisal", "store", "manuscript", "pseudonyms", "verify"),
    *("priors", "calibration", "primary"),
)

OWN_KEYS = ("require", "sensitivity")


def content_digest(content: bytes) -> str:
    """SHA-256 of a file; of a text whatever the ends of its lines are.

    A checkout may turn ``LF`` into ``CRLF`` or back. What has a zero byte is no text, and is taken
    as it is.
    """
    if b"\0" not in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return hashlib.sha256(content).hexdigest()


def raw(data: Path, studies: Iterable[str]) -> dict[str, dict[str, str]]:
    """Digest of each data file of each study."""
    return {
        study: {
            path.relative_to(data / study).as_posix(): content_digest(path.read_bytes())
            for path in sorted((data / study).rglob("*"))
            if path.is_file() and is_data(path)
        }
        for study in sorted(studies)
    }


def codebooks(data: Path, studies: Iterable[str], others: Iterable[Path]) -> dict[str, str]:
    """Digest of what each codebook says, and of the vocabulary and other files beside them.

    Comments, order of keys and ends of lines do not count. A parcel has its codebook in it, and is
    among the data.
    """
    paths = {s: data / s / "codebook.yaml" for s in studies if not parcel_in(data / s)}
    paths |= {path.name: path for path in others if path.is_file()}
    return {name: _said(path) for name, path in sorted(paths.items())}


def _said(path: Path) -> str:
    if path.suffix != ".yaml":
        return content_digest(path.read_bytes())
    said = yaml.safe_load(path.read_text("utf-8-sig"))
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def settings(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Priors, all other settings that a number may depend on, and the seed.

    Settings are by section and key; what is below a key is one setting, and so is a section whose
    keys are the user's own.
    """
    flat: dict[str, Any] = {}
    for section, value in config.items():
        if section in NO_SETTINGS:
            continue
        if isinstance(value, Mapping) and section not in OWN_KEYS:
            flat |= {f"{section}.{key}": one for key, one in value.items()}
        else:
            flat[section] = value
    seed = int(flat.pop("sampling.seed"))
    return dict(config["priors"]), flat, seed


def code(library: Path) -> dict[str, str]:
    """Digest of each command and all that it imports; comments and layout do not count.

    Parameters
    ----------
    library : the folder that holds the package ``metastudy``.
    """
    commands = sorted((library / "metastudy" / "commands").glob("[a-z]*.py"))
    return {path.stem: code_digest(f"metastudy.commands.{path.stem}", library) for path in commands}


def provenance(data: Path, studies: Iterable[str]) -> dict[str, str]:
    """Whether each study's data are simulated or observed, as its codebook or its parcel says."""
    found = {}
    for study in sorted(studies):
        if parcel := parcel_in(data / study):
            found[study] = str(read(parcel).manifest["provenance"])
        else:
            said = yaml.safe_load((data / study / "codebook.yaml").read_text("utf-8-sig"))
            found[study] = str(said["study"]["provenance"])
    return found


# A commit as records name it, with ``+`` after it where files differed; that of SHA-256 is longer.
COMMIT = re.compile(r"(?:[0-9a-f]{7,40}|[0-9a-f]{64})\+?")


def commit_of(repository: Path) -> str:
    """The commit of the code, ``+`` after it where files differ from it; empty without Git."""
    git = ["git", "-C", str(repository)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "workflow"], check=False)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.returncode else "")


def machine() -> dict[str, str]:
    """Kind of machine and Python: what bits may depend on."""
    processor = ""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text("utf-8", "replace").splitlines()
        processor = next((x.partition(":")[2].strip() for x in lines if "model name" in x), "")
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": processor or platform.processor(),
        "python": platform.python_version(),
    }


def stages(results: Path) -> dict[str, dict[str, str]]:
    """Digests of what is between data and draws, to say where a difference begins.

    Returns
    -------
    dict
        ``harmonized``: of the values of each table of each study; ``cells``: of the values of each
        variable of each fit. A column or variable that is new does not change the others.
    """
    harmonized: dict[str, str] = {}
    for path in sorted((results / "harmonized").glob("*/*.parquet")):
        table = made_files.table(path)
        name = f"{path.parent.name}/{path.stem}"
        for column in table:
            harmonized[f"{name}/{column}"] = _values(table[column])
    cells: dict[str, str] = {}
    for path in sorted((results / "cells").glob("*.nc")):
        found = made_files.arrays(path)
        for name in found.variables:
            cells[f"{path.stem}/{name}"] = _values(pd.Series(found[name].to_numpy().ravel()))
    return {"harmonized": harmonized, "cells": cells}


def _values(column: pd.Series) -> str:
    """Digest of values in their order, whatever the type that holds them.

    Numbers count with twelve digits: the last bits of a sum depend on the processor.
    """
    if pd.api.types.is_float_dtype(column):
        texts = [f"{value:.12g}" for value in column]
    else:
        texts = ["" if pd.isna(value) else str(value) for value in column]
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
