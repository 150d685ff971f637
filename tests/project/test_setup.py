"""The set-up of `make`: which interpreter it takes, and when it installs and when it does not."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from helpers.repository import ROOT

FIND = ROOT / "envs" / "find-python.sh"
TOOLS = ("cat", "grep", "ls", "mv", "readlink", "sh", "sort")


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def python(path: Path, version: str, kind: str = "cpython", able: str = "able") -> Path:
    """A stand-in for an interpreter: it answers what find-python.sh asks about a real one."""
    return executable(
        path,
        f'case "$*" in\n*version_info*) echo "{version} {kind} {able} {path}" ;;\n'
        f'*) echo "{path}" ;;\nesac',
    )


class Machine:
    """A made-up machine: a folder of programs that is all of PATH, and a home."""

    def __init__(self, folder: Path):
        self.bin = folder / "bin"
        self.home = folder / "home"
        self.elsewhere = folder / "elsewhere"
        self.path = [self.bin]
        self.settings: dict[str, str] = {}
        for made in (self.bin, self.home):
            made.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))

    def find(self) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join(map(str, self.path))
        return subprocess.run(
            [str(FIND)],
            env={"PATH": paths, "HOME": str(self.home)} | self.settings,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def found(self) -> Path:
        made = self.find()
        assert made.returncode == 0, made.stderr
        return Path(made.stdout.removesuffix("\n"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_python3_that_is_new_enough_is_taken(machine: Machine):
    first = python(machine.bin / "python3", "3.12")
    python(machine.bin / "python3.13", "3.13")
    assert machine.found() == first


@pytest.mark.parametrize("version", ["2.7", "3.9", "3.11"])
def test_an_older_python3_first_on_path_is_passed_over(machine: Machine, version: str):
    python(machine.bin / "python3", version)
    assert python(machine.bin / "python3.12", "3.12") == machine.found()
    assert python(machine.bin / "python3.13", "3.13") == machine.found()


def test_a_tested_version_is_taken_before_a_newer_one(machine: Machine):
    newest = python(machine.bin / "python3", "3.14")
    assert machine.found() == newest
    assert python(machine.home / ".pyenv/versions/3.12.7/bin/python3", "3.12") == machine.found()


@pytest.mark.parametrize("version", ["3.15", "4.0"])
def test_a_version_beyond_the_lock_is_not_taken(machine: Machine, version: str):
    python(machine.bin / "python3", version)
    assert machine.find().returncode == 1


def test_a_shim_that_does_not_run_is_passed_over(machine: Machine):
    executable(
        machine.bin / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127"
    )
    assert python(machine.bin / "python3.12", "3.12") == machine.found()


@pytest.mark.parametrize(("kind", "able"), [("pypy", "able"), ("cpython-free-threaded", "able")])
def test_another_kind_of_python_is_passed_over(machine: Machine, kind: str, able: str):
    python(machine.bin / "python3", "3.13", kind, able)
    assert python(machine.bin / "python3.12", "3.12") == machine.found()


def test_a_python_without_venv_is_passed_over_and_told(machine: Machine):
    python(machine.bin / "python3", "3.12", able="unable")
    made = machine.find()
    assert made.returncode == 1
    assert "python3.12-venv" in made.stderr
    assert python(machine.bin / "python3.13", "3.13") == machine.found()


def test_the_newest_tested_version_of_pyenv_is_taken(machine: Machine):
    python(machine.bin / "python3", "3.11")
    for version in ("3.11.7", "3.12.11", "3.13.9", "3.13.10", "3.14.0"):
        minor = version.rpartition(".")[0]
        python(machine.home / f".pyenv/versions/{version}/bin/python3", minor)
    (machine.home / ".pyenv/versions/3.13.10t").mkdir()
    assert machine.found() == machine.home / ".pyenv/versions/3.13.10/bin/python3"


@pytest.mark.parametrize("clue", ["PYENV_ROOT", "pyenv", "shims", "python3"])
def test_pyenv_is_found_where_home_is_empty(machine: Machine, clue: str):
    """Its folder is given by PYENV_ROOT, or by where pyenv, its shims or its python3 stand."""
    root = machine.elsewhere / "pyenv"
    wanted = python(root / "versions/3.13.0/bin/python3", "3.13")
    if clue == "PYENV_ROOT":
        machine.settings[clue] = str(root)
    elif clue == "pyenv":
        executable(root / "libexec/pyenv", "exit 1")
        (machine.bin / "pyenv").symlink_to(root / "libexec/pyenv")
    elif clue == "shims":
        executable(root / "shims/python3", "exit 127")
        machine.path.insert(0, root / "shims")
    else:
        older = python(root / "versions/3.11.7/bin/python3", "3.11")
        (machine.bin / "python3").symlink_to(older)
    assert machine.found() == wanted


def test_an_interpreter_of_uv_is_taken_where_there_is_no_other(machine: Machine):
    wanted = python(machine.elsewhere / "python3.12", "3.12")
    executable(machine.bin / "uv", f'case "$*" in *find*3.12) echo {wanted} ;; *) exit 2 ;; esac')
    assert machine.found() == wanted
    assert python(machine.bin / "python3.13", "3.13") == machine.found()


def test_uv_fetches_an_interpreter_as_the_last_way(machine: Machine):
    fetched = machine.elsewhere / "python3.13"
    executable(machine.elsewhere / "source", f'echo "3.13 cpython able {fetched}"')
    executable(
        machine.bin / "uv",
        f'case "$*" in\n*install*3.13) mv {machine.elsewhere}/source {fetched} ;;\n'
        f"*find*3.13) [ -e {fetched} ] && echo {fetched} ;;\n*) exit 2 ;;\nesac",
    )
    made = machine.find()
    assert made.stdout.strip() == str(fetched)
    assert "uv fetches" in made.stderr


def test_without_any_interpreter_the_ways_to_get_one_are_told(machine: Machine):
    python(machine.bin / "python3", "3.11")
    executable(machine.bin / "uv", "exit 2")
    made = machine.find()
    assert made.returncode == 1
    assert not made.stdout
    assert f"{machine.bin}/python3 is Python 3.11" in made.stderr
    assert "uv could not fetch" in made.stderr
    for way in (
        "apt install",
        "pyenv install",
        "uv python install",
        "conda create",
        "make PYTHON=",
    ):
        assert way in made.stderr


def test_the_interpreter_that_the_user_names_is_taken_or_refused(machine: Machine):
    python(machine.bin / "python3", "3.13")
    machine.settings["PYTHON"] = str(python(machine.elsewhere / "mine", "3.12"))
    assert machine.found() == machine.elsewhere / "mine"
    machine.settings["PYTHON"] = str(python(machine.elsewhere / "old", "3.11"))
    made = machine.find()
    assert made.returncode == 1
    assert "is Python 3.11" in made.stderr
    machine.settings["PYTHON"] = str(machine.elsewhere / "nothing")
    assert "does not run" in machine.find().stderr


def test_this_machine_has_an_interpreter_also_with_an_empty_home(tmp_path: Path):
    made = subprocess.run(
        [str(FIND)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    interpreter = made.stdout.strip()
    program = (
        "import sys, venv, ensurepip\n"
        "print(sys.version_info[:2] >= (3, 12), sys.prefix == sys.base_prefix)"
    )
    answer = subprocess.run([interpreter, "-c", program], capture_output=True, text=True)
    assert answer.stdout.split() == ["True", "True"]


class Project:
    """A copy of the set-up with locks that name wheels made here, so that no index is asked."""

    def __init__(self, folder: Path):
        self.folder = folder / "project"
        self.wheels = folder / "wheels"
        (self.folder / "envs").mkdir(parents=True)
        self.wheels.mkdir()
        for script in ("find-python.sh", "set-up.sh"):
            shutil.copy(ROOT / "envs" / script, self.folder / "envs")
        self.lock("build.txt", "tool")
        self.lock("requirements.txt", "runs")
        self.lock("requirements-dev.txt", "tests")

    def lock(self, name: str, *packages: str, version: str = "1.0") -> None:
        lines = []
        for package in packages:
            wheel = self.wheel(package, version)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{package}=={version} \\\n    --hash=sha256:{digest}\n")
        (self.folder / "envs" / name).write_text("".join(lines))

    def wheel(self, name: str, version: str, text: str = "") -> Path:
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n{text}")
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return path

    def set_up(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "envs" / "set-up.sh"), *args],
            cwd=self.folder.parent,
            env=os.environ
            | {
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self.wheels),
                "PIP_CONFIG_FILE": os.devnull,
            }
            | {"PYTHON": os.path.realpath(sys._base_executable), "PYTHONDONTWRITEBYTECODE": "1"}
            | settings,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def done(self, *args: str, **settings: str) -> str:
        made = self.set_up(*args, **settings)
        assert made.returncode == 0, made.stdout + made.stderr
        return made.stdout

    def has(self, package: str) -> str | None:
        found = list(self.folder.glob(f".venv/lib/python*/site-packages/{package}-*.dist-info"))
        return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else None


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_set_up_installs_the_locks_compiled_and_the_second_time_nothing(project: Project):
    said = project.done()
    assert "creating .venv" in said
    assert project.has("runs") == "1.0"
    assert not project.has("tests")
    assert list(project.folder.glob(".venv/lib/python*/site-packages/__pycache__/runs.*.pyc"))
    assert project.done() == ""

    said = project.done("dev")
    assert "requirements-dev.txt" in said
    assert "requirements.txt" not in said
    assert project.has("tests") == "1.0"
    assert project.done("dev") == ""
    assert project.done() == ""


def test_a_touch_installs_nothing_and_a_changed_lock_exactly_what_it_says(project: Project):
    project.lock("requirements.txt", "runs", "leaves")
    project.done()
    for lock in (project.folder / "envs").iterdir():
        os.utime(lock, (time.time() + 60,) * 2)
    assert project.done() == ""

    project.lock("requirements.txt", "runs", version="2.0")
    os.utime(project.folder / "envs/requirements.txt", (1, 1))
    said = project.done()
    assert "removing what no lock names any more: leaves" in said
    assert (project.has("runs"), project.has("leaves"), project.has("tool")) == ("2.0", None, "1.0")


def test_an_install_that_fails_does_not_count_as_done(project: Project):
    project.done()
    project.lock("requirements.txt", "runs", version="2.0")
    project.wheel("runs", "2.0", text="TAMPERED = True\n")
    made = project.set_up()
    assert made.returncode != 0
    assert "HASHES" in made.stderr
    assert project.has("runs") == "1.0"
    assert project.set_up().returncode != 0

    project.lock("requirements.txt", "runs", version="2.0")
    assert "installing envs/requirements.txt" in project.done()
    assert project.has("runs") == "2.0"


def test_an_interrupted_install_is_made_good_also_when_the_lock_goes_back(project: Project):
    project.done()
    before = (project.folder / "envs/requirements.txt").read_text()
    project.lock("requirements.txt", "runs", "gone", version="2.0")
    next(project.wheels.glob("gone-*")).unlink()
    offline = project.set_up()
    assert offline.returncode != 0
    assert "No matching distribution" in offline.stderr
    assert "it may have no network: check the connection" in offline.stderr
    (project.folder / "envs/requirements.txt").write_text(before)
    assert "installing envs/requirements.txt" in project.done()
    assert project.done() == ""


@pytest.mark.ci
def test_an_environment_that_cannot_serve_is_made_anew(project: Project):
    project.done()
    interpreter = project.folder / ".venv/bin/python"
    interpreter.unlink()
    interpreter.symlink_to("/nowhere/python3")
    assert "its interpreter does not run" in project.done()

    moved = project.folder.parent / "moved"
    project.folder.rename(moved)
    project.folder = moved
    assert "it was made in another folder" in project.done()

    shutil.rmtree(next(moved.glob(".venv/lib/python*/site-packages/pip")))
    assert "it is without pip" in project.done()
    assert project.done() == ""


def test_settings_that_send_packages_elsewhere_do_no_harm(project: Project, tmp_path: Path):
    project.done(PIP_USER="1", PIP_TARGET=str(tmp_path / "target"), PYTHONPATH=str(tmp_path))
    assert project.has("runs") == "1.0"
    assert not (tmp_path / "target").exists()


def test_make_runs_everything_without_the_modules_that_a_user_has_elsewhere(tmp_path: Path):
    """A foreign yaml.py would be taken for PyYAML, and Snakemake itself would stop at it."""
    rule = "shown:\n\t@$(IN_VENV) sh -c 'echo found $${PYTHONPATH-nothing}'"
    done = subprocess.run(
        ["make", "--silent", "--eval", rule, "shown"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "found nothing\n"


def test_quarto_that_cannot_be_fetched_is_told_and_is_no_error(project: Project):
    for file in ("quarto.sh", "quarto.txt"):
        shutil.copy(ROOT / "envs" / file, project.folder / "envs")
    project.done()
    made = subprocess.run(
        [str(project.folder / "envs/quarto.sh")],
        env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "nothing to install" in made.stdout:
        pytest.skip("this machine has a Quarto of its own")
    assert made.returncode == 0
    assert "not installed: ERROR" in made.stdout
    assert "rendered with pandoc instead" in made.stdout
    assert project.done() == ""


@pytest.mark.parametrize("lock", ["build.txt", "requirements.txt", "requirements-dev.txt"])
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str):
    text = (ROOT / "envs" / lock).read_text()
    pins = text.replace("\\\n", " ").splitlines()
    pins = [line for line in pins if line and not line.lstrip().startswith("#")]
    assert pins
    for line in pins:
        assert "==" in line
        assert "--hash=sha256:" in line
    for address in ("://", "index-url", "find-links", " @ "):
        assert address not in text


def test_a_package_in_two_locks_has_one_version():
    versions: dict[str, set[str]] = {}
    for lock in ("build.txt", "requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / "envs" / lock).read_text().splitlines():
            if "==" in line and not line.startswith((" ", "#")):
                name, _, version = line.partition(" ")[0].partition("==")
                versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
