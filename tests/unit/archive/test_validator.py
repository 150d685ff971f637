"""An archive is what its profile says, by a validator that is not ours; and a broken one is not.

The validator needs a `rich` below 14 and the lock has a newer one, so it is installed by hash into
an environment of its own. Where nothing can be installed the tests are skipped.
"""

from __future__ import annotations

import json
import subprocess
import venv
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from helpers.finished_project import finished_project, inputs_of, verdict
from helpers.repository import ROOT
from metastudy.archive.make import made

pytestmark = [pytest.mark.slow, pytest.mark.ci]

PROFILE = "provenance-run-crate"
CONTEXT = str(files("rocrate").joinpath("data", "ro-crate.jsonld"))
Entity = dict[str, Any]


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], tuple[int, str]]:
    """Run the validator on a crate: how it ended, and what it said."""
    place = tmp_path_factory.mktemp("validator")
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    lock = str(ROOT / "envs" / "validator.txt")
    done = subprocess.run([python, *pip, "-r", lock], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("the validator cannot be installed here: " + done.stderr.strip()[-200:])

    def run(crate: Path) -> tuple[int, str]:
        script = str(ROOT / "tests" / "crate" / "validate.py")
        command = [python, script, str(crate), CONTEXT, PROFILE]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.returncode, ended.stdout

    return run


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    project = finished_project(tmp_path)
    verdict(project, "0" * 40)
    made(inputs_of(project), tmp_path / "ro-crate", tmp_path / "ro-crate.zip")
    return tmp_path / "ro-crate"


def without_instrument(graph: list[Entity]) -> None:
    next(e for e in graph if e["@type"] == "CreateAction" and "instrument" in e).pop("instrument")


def without_licence(graph: list[Entity]) -> None:
    next(e for e in graph if e["@id"] == "./").pop("license")


def without_a_workflow(graph: list[Entity]) -> None:
    main = next(e for e in graph if "ComputationalWorkflow" in e["@type"])
    main["@type"] = ["File", "SoftwareSourceCode"]


def test_an_archive_passes_all_that_its_profile_requires(
    validated: Callable[[Path], tuple[int, str]], crate: Path
) -> None:
    code, said = validated(crate)
    assert (code, said.strip().count("\n")) == (0, 0), said
    assert int(said.split()[0]) > 80  # checks; none would pass anything


@pytest.mark.parametrize("damage", [without_instrument, without_licence, without_a_workflow])
def test_a_crate_that_lacks_something_required_does_not_pass(
    damage: Callable[[list[Entity]], None],
    validated: Callable[[Path], tuple[int, str]],
    crate: Path,
) -> None:
    path = crate / "ro-crate-metadata.json"
    said = json.loads(path.read_text("utf-8"))
    damage(said["@graph"])
    path.write_text(json.dumps(said), "utf-8")
    code, printed = validated(crate)
    assert code == 1, printed
