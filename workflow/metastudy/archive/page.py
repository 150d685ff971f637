"""The page of an archive that is read first: what is in it, what is not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metastudy.archive.contents import Contents
from metastudy.archive.provenance import Job, moment
from metastudy.archive.verdict import NONE, Verdict
from metastudy.common.keyed_checksum import ALGORITHM

__all__ = ["NAME", "page"]

NAME = "ARCHIVE.md"


def page(
    about: Mapping[str, Any], contents: Contents, jobs: Sequence[Job], verdict: Verdict | None
) -> str:
    """The page in Markdown.

    Parameters
    ----------
    about : what the citation file says.
    contents, jobs, verdict : of the archive.
    """
    state = contents.state
    lines = [
        f"# Archive of a build: {about.get('title', '')}",
        "",
        "An RO-Crate: `ro-crate-metadata.json` describes every file here, and which command made",
        "each result from which inputs (Provenance Run Crate).",
        "",
        f"- Built until {moment(max(job.ended for job in jobs))}, in {len(jobs)} jobs.",
        f"- {state}",
        f"- {verdict.said(state.commit) if verdict else NONE}",
        f"- Licence of the code: {about.get('license', 'not stated')}. Data have their own, below.",
        "",
        "| place | what is there |",
        "|---|---|",
        f"| `{contents.data}/` | raw data that may be given away |",
        f"| `{contents.code or './'}` | code, locked packages (`envs/`) and documentation |",
        "| `config/`, `results/run_config.yaml` | the configuration, and what was run of it |",
        "| `results/` | what the build made |",
        "",
        "Not in here: logs, tables between two steps, tests and examples of the repository.",
        "",
        "## Data",
        "",
        "| study | data | licence | availability | in this archive |",
        "|---|---|---|---|---|",
    ]
    for file in contents.studies:
        here = "yes" if file.shareable else "no: observed, and not `share: yes`"
        cells = (file.study, file.provenance, file.licence, file.availability, here)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    if contents.kept:
        lines += [
            "",
            "## Withheld",
            "",
            f"In place of each file its name, size and {ALGORITHM} under the key of the study, so",
            "that who holds the key can show that a file is this one, and nobody else can try",
            "guesses of an answer.",
            "",
            "| file | study | bytes | checksum |",
            "|---|---|---|---|",
            *(
                f"| `{place}` | {what.study} | {what.size} | `{what.checksum}` |"
                for place, what in contents.kept.items()
            ),
        ]
    lines += [
        "",
        "## Build it again",
        "",
        f"`make` in `{contents.code or './'}` installs the locked packages and runs the workflow;",
        "`snakemake --cores 2 verify` compares with the numbers of record. Without the withheld",
        "files only studies that are here are built.",
        "",
    ]
    return "\n".join(lines)
