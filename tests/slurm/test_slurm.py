"""On a cluster the same bits are made in few submissions; what was killed is submitted with more.

A real Slurm of two nodes is started on this machine (`cluster.sh`), and a small project goes
through it with the profile that ships. Skipped where Slurm is not installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from helpers import small_project
from helpers.repository import ROOT

CLUSTER = ROOT / "tests" / "slurm" / "cluster.sh"
PROFILE = ROOT / "profiles" / "slurm" / "profile.yaml"
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "unshare", "ip")

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.fit]

TARGETS = ["results/contrasts/threat.parquet", "results/data_report/index.html"]
# A sandbox has no accounts and no database of them; its jobs are short, its nodes have two cores.
HERE = {
    "cores": 2,
    "slurm-no-account": True,
    "slurm-status-command": "squeue",
    "slurm-init-seconds-before-status-checks": 2,
    "slurm-keep-successful-logs": True,
    "latency-wait": 5,
}


@dataclass(frozen=True)
class Submission:
    """A line of squeue: what became of a submission."""

    number: int
    node: str
    state: str
    memory: str
    limit: str
    began: str  # local time, to the second
    comment: str


def missing() -> str:
    """Why no cluster can be started here, or nothing."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if lacking := [name for name in NEEDED if shutil.which(name, path=path) is None]:
        return f"not installed: {', '.join(lacking)} (apt-get install slurm-wlm munge)"
    words = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true"]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        return "no namespaces may be made here, as by root"
    return ""


def through_slurm(
    project: Path, scratch: Path, targets: list[str], *without: str, beside: str = "true"
) -> str:
    """Run a project in a cluster of its own; what Snakemake and squeue say, if all went well.

    ``without`` are keys of the profile that are left out, ``beside`` is a command that goes on
    while Snakemake does.
    """
    scratch.mkdir()
    most = 2400  # seconds; without an end a fault of the cluster would wait for ever
    profile = project / "profiles" / "sandbox"
    profile.mkdir(parents=True)
    settings = yaml.safe_load(PROFILE.read_text("utf-8")) | HERE
    kept = {key: value for key, value in settings.items() if key not in without}
    small_project.write(profile / "profile.yaml", kept)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"
    command = (
        f"({beside}) & timeout --signal=INT {most} "
        "python -m snakemake --workflow-profile profiles/sandbox "
        f"{' '.join(targets)}; code=$?; echo; "
        "squeue --noheader --states=all --format='submitted|%i|%N|%T|%m|%l|%S|%k'; exit $code"
    )
    done = subprocess.run(
        [CLUSTER, scratch, "bash", "-c", command],
        cwd=project,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=most + 60,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def submissions(said: str) -> list[Submission]:
    words = r"\|(.*?)" * 5
    lines = re.findall(rf"^submitted\|(\d+){words}\|(.*)$", said, re.MULTILINE)
    found = [Submission(int(number), *words) for number, *words in lines]
    return sorted(found, key=lambda one: one.number)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A project as a local run makes it, and as the cluster does, and what that said."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("slurm")
    local = small_project.make(folder / "local")
    on_cluster = folder / "cluster"
    shutil.copytree(local, on_cluster, symlinks=True)
    done = small_project.snakemake(local, *TARGETS)
    assert done.returncode == 0, done.stdout[-6000:]
    said = through_slurm(on_cluster, folder / "slurm", TARGETS)
    return local, on_cluster, said


@pytest.mark.ci
def test_the_cluster_makes_the_same_bits_as_a_local_run(ran: tuple[Path, Path, str]) -> None:
    local, on_cluster, _ = ran
    here, there = (small_project.digests(folder / "results") for folder in (local, on_cluster))
    assert "fits/threat.nc" in here
    assert there == here


@pytest.mark.ci
def test_both_nodes_work_and_small_jobs_share_submissions(ran: tuple[Path, Path, str]) -> None:
    said = ran[2]
    made = submissions(said)
    assert {one.node for one in made} == {"n1", "n2"}
    assert all(one.state == "COMPLETED" for one in made)
    jobs = int(re.findall(r"^total +(\d+)$", said, re.MULTILINE)[0])
    assert len(made) * 3 <= jobs, "fewer than a third as many submissions as jobs"


# Jobs that need more than they ask for at first, each of what the profile lets grow.
TOO_LITTLE = """\
rule all:
    input:
        "memory.txt",
        "time.txt",

rule memory:
    output:
        "memory.txt",
    resources:
        mem_mb=lambda wildcards, attempt: attempt * 400,
    shell:
        "python -c 'import time; some = bytearray(300_000_000); time.sleep(5)' && touch {output}"

rule time:
    output:
        "time.txt",
    resources:
        runtime=lambda wildcards, attempt: attempt * 1,
    shell:
        "sleep 95 && touch {output}"
"""


# It waits for minutes of a job that sleeps, so it is no test of each landing.
@pytest.mark.long(of="metastudy.commands.fit")
def test_a_job_that_was_killed_for_memory_or_time_is_submitted_again_with_more(
    tmp_path: Path,
) -> None:
    if why := missing():
        pytest.skip(why)
    project = tmp_path / "project"
    project.mkdir()
    (project / "Snakefile").write_text(TOO_LITTLE, "utf-8")
    said = through_slurm(project, tmp_path / "slurm", [], "groups", "group-components")
    made = submissions(said)
    memory, time = ([one for one in made if rule in one.comment] for rule in ("memory", "time"))
    assert [one.memory for one in memory] == ["400M", "800M"]
    assert [one.state == "COMPLETED" for one in memory] == [False, True]
    assert [one.limit for one in time] == ["1:00", "2:00"]
    assert [one.state for one in time] == ["TIMEOUT", "COMPLETED"]


@pytest.mark.long(of="metastudy.commands.fit")
def test_the_whole_way_to_the_article_is_the_same_on_a_cluster(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    local, on_cluster = small_project.make(tmp_path / "local"), tmp_path / "cluster"
    shutil.copytree(local, on_cluster, symlinks=True)
    done = small_project.snakemake(local)
    assert done.returncode == 0, done.stdout[-6000:]
    said = through_slurm(on_cluster, tmp_path / "slurm", [])
    here, there = (small_project.digests(folder / "results") for folder in (local, on_cluster))
    assert "manuscript/manuscript.html" in here
    assert there == here
    assert {one.node for one in submissions(said)} == {"n1", "n2"}


# As soon as a node has jobs it takes no other one, or it is gone with what it has.
HAS_JOBS = "until squeue --noheader --nodelist=n2 --states=running | grep -q .; do sleep 0.5; done"
DRAIN = "scontrol update nodename=n2 state=drain reason=test && date '+drained|%FT%T'"
# As a power cut: its daemon ends, and what it started. These know their node by their environment,
# and their parent is the daemon's own process of the job.
CUT = """\
sleep 5
squeue --noheader --nodelist=n2 --states=running --format='lost|%i'
kill -KILL $(cat {scratch}/slurmd.n2.pid)
of_node() {{ tr '\\0' '\\n' <$1/environ | grep -qx SLURMD_NODENAME=n2; }}
for each in /proc/[0-9]*; do
    of_node $each || continue
    parent=$(awk '/^PPid/ {{print $2}}' $each/status)
    grep -q slurmstepd /proc/$parent/comm && kill -KILL $parent
    kill -KILL ${{each#/proc/}}
done 2>/dev/null
scontrol update nodename=n2 state=down reason=test"""


@pytest.mark.long(of="metastudy.commands.fit")
def test_a_node_that_is_drained_ends_what_it_has_and_gets_nothing_more(tmp_path: Path) -> None:
    made, said = after_a_loss(tmp_path, DRAIN)
    assert {one.state for one in made} == {"COMPLETED"}
    assert any(one.node == "n2" for one in made), "it had something"
    drained = re.findall(r"^drained\|(\S+)$", said, re.MULTILINE)
    assert len(drained) == 1
    after = [one for one in made if one.began > drained[0]]
    assert after, "some submissions began after the drain"
    assert {one.node for one in after} == {"n1"}


@pytest.mark.long(of="metastudy.commands.fit")
@pytest.mark.parametrize("requeue", [True, False])
def test_what_a_node_had_when_its_power_was_cut_is_made_on_the_other(
    requeue: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Slurm, under the number that it had, or where the cluster does not, by Snakemake."""
    monkeypatch.setenv("CLUSTER_SETTINGS", f"JobRequeue={int(requeue)}")
    made, said = after_a_loss(tmp_path, CUT.format(scratch=tmp_path / "slurm"))
    numbers = set(map(int, re.findall(r"^lost\|(\d+)$", said, re.MULTILINE)))
    lost = [one for one in made if one.number in numbers]
    assert lost, "the node had jobs"
    where = {(one.node, one.state) for one in lost}
    assert where == ({("n1", "COMPLETED")} if requeue else {("n2", "NODE_FAIL")})
    others = {one for one in made if one not in lost}
    assert {(one.node, one.state) for one in others} == {("n1", "COMPLETED")}
    if not requeue:
        rules = {one.comment for one in others}
        assert {one.comment for one in lost} <= rules, "submitted again"


def after_a_loss(tmp_path: Path, loss: str) -> tuple[list[Submission], str]:
    """Build the article while the second node is lost; the submissions, and what was said."""
    if why := missing():
        pytest.skip(why)
    project = small_project.make(tmp_path / "project")
    said = through_slurm(project, tmp_path / "slurm", [], beside=f"{HAS_JOBS}\n{loss}")
    assert (project / "results" / "manuscript" / "manuscript.html").is_file()
    made = submissions(said)
    assert any(one.node == "n1" for one in made)
    return made, said
