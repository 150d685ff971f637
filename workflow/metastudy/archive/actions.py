"""What was run, as actions of an RO-Crate: each job, the whole workflow, and the last verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity, Entity
from rocrate.model.computerlanguage import get_lang
from rocrate.rocrate import ROCrate

from metastudy.archive.contents import Contents
from metastudy.archive.provenance import Job, moment
from metastudy.archive.verdict import PLACE, Verdict

__all__ = ["described", "workflow"]

NO_VERSION = "not in a Git repository"
COMMAND = re.compile(r"metastudy\.commands\.(?!_)(\w+)")  # in the words of a job
DONE = "http://schema.org/CompletedActionStatus"


def workflow(contents: Contents) -> str:
    """The place of the workflow in an archive."""
    return f"{contents.code}workflow/Snakefile"


def described(
    crate: ROCrate,
    contents: Contents,
    jobs: Sequence[Job],
    verdict: Verdict | None,
    entity_of: Callable[[str], Entity],
    title: str,
) -> list[Entity]:
    """Add the workflow, its steps and tools, and one action a job.

    A rule is a tool and a step; a job is an action of the tool, which a control action leads to
    from the step. All control actions are in one organize action of Snakemake.

    Parameters
    ----------
    entity_of : gives the entity of a place.
    title : of the build.

    Returns
    -------
    list of Entity
        The actions that the root mentions.
    """

    def add(address: str, kind: str, **about: Any) -> Entity:
        # RO-Crate asks for one value to be no list of one.
        single = {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in about.items()}
        return crate.add(ContextEntity(crate, address, properties={"@type": kind, **single}))

    whole = entity_of(workflow(contents))
    whole.properties()["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    whole["name"] = f"The workflow of: {title}"
    snakemake = version("snakemake")
    whole["programmingLanguage"] = crate.add(get_lang(crate, "snakemake", snakemake))
    code = contents.state.commit or NO_VERSION
    whole["version"] = code
    crate.mainEntity = whole
    engine = add("#snakemake", "SoftwareApplication", name="Snakemake", softwareVersion=snakemake)

    # Several rules may have one command, as each of the figures has that draws.
    commands = {
        job.rule: f"workflow/metastudy/commands/{run[1]}.py"
        for job in jobs
        if (run := COMMAND.search(job.command))
    }
    tools, steps = {}, {}
    for number, rule in enumerate(dict.fromkeys(job.rule for job in jobs), start=1):
        name, command = quote(rule), f"{contents.code}{commands.get(rule, '')}"
        parts = {"hasPart": [entity_of(command)]} if command in contents.files else {}
        tools[rule] = add(
            f"#rule/{name}", "SoftwareApplication", name=rule, softwareVersion=code, **parts
        )
        steps[rule] = add(
            f"#step/{name}", "HowToStep", name=rule, position=str(number), workExample=tools[rule]
        )
    whole["hasPart"] = list(tools.values())
    whole["step"] = list(steps.values())

    runs, controls = [], []
    for job in jobs:
        name = quote(f"{job.rule}/{job.outputs[0]}")
        runs.append(
            add(
                f"#job/{name}",
                "CreateAction",
                name=f"{job.rule}: {', '.join(job.outputs)}",
                description=job.command or f"Snakemake's own rule {job.rule}.",
                instrument=tools[job.rule],
                object=[entity_of(place) for place in job.inputs],
                result=[entity_of(place) for place in job.outputs],
                startTime=moment(job.started),
                endTime=moment(job.ended),
                actionStatus=DONE,
            )
        )
        controls.append(
            add(
                f"#control/{name}",
                "ControlAction",
                name=f"Run of the step {job.rule}",
                instrument=steps[job.rule],
                object=runs[-1],
            )
        )
    made = {place for job in jobs for place in job.outputs}
    given = dict.fromkeys(place for job in jobs for place in job.inputs if place not in made)
    started, ended = min(job.started for job in jobs), max(job.ended for job in jobs)
    build = add(
        "#build",
        "CreateAction",
        name=f"The build: {len(jobs)} jobs",
        description=f"All jobs of which results are here. {contents.state}",
        instrument=whole,
        object=[entity_of(place) for place in given],
        result=[entity_of(place) for place in sorted(made)],
        startTime=moment(started),
        endTime=moment(ended),
        actionStatus=DONE,
    )
    add(
        "#organize",
        "OrganizeAction",
        name="Snakemake runs the workflow",
        instrument=engine,
        object=controls,
        result=build,
        startTime=moment(started),
        endTime=moment(ended),
    )
    return [build, *runs, *_verdict(add, contents, verdict, entity_of)]


def _verdict(
    add: Callable[..., Entity],
    contents: Contents,
    verdict: Verdict | None,
    entity_of: Callable[[str], Entity],
) -> list[Entity]:
    """The last verdict, with the files in which it is."""
    if verdict is None:
        return []
    folder = str(Path(PLACE).parent)
    return [
        add(
            "#verdict",
            "AssessAction",
            name=f"snakemake verify: {verdict.word}",
            description=verdict.said(contents.state.commit),
            endTime=verdict.date,
            result=[entity_of(place) for place in contents.files if place.startswith(f"{folder}/")],
        )
    ]
