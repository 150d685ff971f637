"""A finished build written by hand: three studies, their cells, a few results, and its records."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from metastudy.archive.contents import Inputs

SECRET = "Zaphod-4711-was-here"  # an answer of a person of the observed study
KEY = b"a secret of the tests, long enough"
# Simulated; observed and kept; observed and given away.
STUDIES = {
    "stand_in": {"provenance": "simulated"},
    "kept": {"provenance": "observed", "availability": "On request."},
    "given": {"provenance": "observed", "share": "yes", "licence": "CC-BY-4.0"},
}
FITS = {"open": ["given", "stand_in"], "mixed": ["kept", "stand_in"]}
BUILT = 1_790_000_000.0  # seconds UTC
COMMAND = "python -m metastudy.commands"


def answers(study: str) -> bytes:
    """The data file of a study; that of the one that is kept has its secret in it."""
    return f"id;answer\r\n1;{SECRET if study == 'kept' else study}\r\n".encode()


def record(
    project: Path, output: str, rule: str, inputs: list[str], command: str, at: float
) -> None:
    """What Snakemake notes of an output that it made."""
    folder = project / ".snakemake" / "metadata"
    folder.mkdir(parents=True, exist_ok=True)
    said = {"rule": rule, "input": inputs, "shellcmd": command}
    said |= {"starttime": at, "endtime": at + 2.5, "incomplete": False}
    name = base64.b64encode(output.encode(), altchars=b"-_").decode()
    (folder / name).write_text(json.dumps(said), "utf-8")


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _study(project: Path, study: str, said: dict[str, str]) -> None:
    raw, tables = project / "data/raw" / study, project / "results/harmonized" / study
    book = {"id": study, "title": f"Study {study}", "citation": "one2001", "design": "survey"}
    _write(raw / "answers.csv", answers(study))
    _write(raw / "codebook.yaml", yaml.safe_dump({"study": {**book, **said}}))
    _write(tables / "respondents.parquet", b"PAR1\0" + answers(study))
    _write(tables / "effects.parquet", b"PAR1\0no rows")
    report = {"study": study, "provenance": said["provenance"], "file": "answers.csv"}
    report |= {"sha256": hashlib.sha256(answers(study)).hexdigest(), "codebook": {**book, **said}}
    _write(tables / "report.json", json.dumps(report))
    _write(project / "results/staged" / study / "respondents.parquet", answers(study))


def finished_project(folder: Path, studies: dict[str, dict[str, str]] | None = None) -> Path:
    """A project that is its own repository, built whole; Git knows nothing of it yet."""
    studies = STUDIES if studies is None else studies
    project = folder / "project"
    for name in ("archive", "harmonize", "fit", "aggregate"):
        _write(project / f"workflow/metastudy/commands/{name}.py", f'"""{name}"""\n')
    _write(project / "workflow/Snakefile", "rule all:\n")
    _write(project / "envs/requirements.txt", "pymc==6\n")
    _write(project / "envs/set-up.sh", "#!/bin/sh\n")
    (project / "envs/set-up.sh").chmod(0o755)
    cff = {"title": "A small meta-study", "license": "MIT", "authors": [{"name": "a group"}]}
    _write(project / "CITATION.cff", yaml.safe_dump(cff))
    key_file = str(folder / "key")
    _write(folder / "key", KEY)
    run = {"data": "data/raw", "pseudonyms": {"key": "public", "key_file": key_file}}
    _write(project / "config/config.yaml", yaml.safe_dump(run))
    _write(project / "config/vocabulary.yaml", "modules: {}\n")
    _write(project / "results/run_config.yaml", yaml.safe_dump(run))
    digests = {study: hashlib.sha256(answers(study)).hexdigest() for study in studies}
    at = BUILT
    for study, said in studies.items():
        _study(project, study, said)
        tables, raw = f"results/harmonized/{study}", f"data/raw/{study}/answers.csv"
        words = f"PYTHONPATH={project}/workflow {COMMAND}.harmonize --key {key_file} --out {tables}"
        record(project, tables, "harmonize", [raw, "config/vocabulary.yaml"], words, at)
        at += 10
    for fit in FITS:
        cells, posterior = f"results/cells/{fit}.nc", f"results/fits/{fit}.nc"
        _write(project / cells, f"cells of {fit}\0{SECRET if fit == 'mixed' else ''}")
        _write(project / posterior, f"draws of {fit}")
        tables = [f"results/harmonized/{study}" for study in FITS[fit]]
        record(project, cells, "aggregate", tables, f"{COMMAND}.aggregate {cells}", at)
        record(project, posterior, "fit", [cells], f"{COMMAND}.fit {posterior}", at + 3)
        at += 10
    _write(project / "results/variables/sources.json", json.dumps(digests))
    _write(project / "results/logs/fit.log", f"in {project}\n")
    _write(project / "results/tables/numbers.csv", "a,b\n1,2\n")
    inputs = [f"results/fits/{fit}.nc" for fit in FITS]
    record(project, "results/tables", "tabulate", inputs, f"{COMMAND}.tabulate", at)
    return project


def verdict(project: Path, commit: str) -> None:
    """The last verdict of `snakemake verify`."""
    said = {"date": "2026-09-21", "commit": commit, "verdict": "reproduced", "why": "All agree."}
    _write(project / "results/verdict/verdict.json", json.dumps(said))
    _write(project / "results/verdict/rebuild.log", f"in {project}\n")


def inputs_of(project: Path, **others: Any) -> Inputs:
    """What the rule gives the archive of such a project."""
    run = yaml.safe_load((project / "results/run_config.yaml").read_text("utf-8"))
    given: dict[str, Any] = {
        "project": project,
        "repository": project,
        "data": Path("data/raw"),
        "results": Path("results"),
        "files": (Path("config/vocabulary.yaml"), Path("data/none.csv")),
        "fits": {name: {"studies": studies} for name, studies in FITS.items()},
        "pseudonyms": run["pseudonyms"],
    }
    return Inputs(**(given | others))
