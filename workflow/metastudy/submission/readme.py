"""README of a submission, after the template of the social science data editors.

The headings are those of https://social-science-data-editors.github.io/template_README/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from metastudy.article.catalogue import Item
from metastudy.manuscript.checks.document import Document, attr
from metastudy.sharing.data import DataFile

__all__ = ["exhibits", "readme"]


def exhibits(
    documents: Mapping[str, Document], figures: Mapping[str, Item], tables: Mapping[str, Item]
) -> list[tuple[str, str, str]]:
    """Each figure and table as it is printed, the rule that makes it, and its program."""
    found = []
    for document in documents.values():
        for kind, nodes, items, rule in (
            ("Figure", document.all("Figure"), figures, "draw"),
            ("Table", document.all("Table"), tables, "tabulate"),
        ):
            by_id = {name.replace("_", "-"): item for name, item in items.items()}
            for node in nodes:
                name = attr(node)[0]
                if kind == "Figure":
                    stem = PurePosixPath(_image(node)).stem
                    item = figures.get(stem)
                else:
                    item = by_id.get(name.removeprefix("tbl-"))
                program = (
                    f"workflow/metastudy/article/topics/{item.topic}.py, `{item.function}`"
                    if item
                    else "written in the text, with numbers from the rule `variables`"
                )
                number = f"{kind} {document.numbers[name]}"
                found.append((number, f"`{rule}`" if item else "`render`", program))
    return found


def _image(node: object) -> str:
    from metastudy.manuscript.checks.document import walk

    return next((n["c"][2][0] for n in walk(node) if n["t"] == "Image"), "")


def readme(
    title: str,
    files: Sequence[DataFile],
    shown: Sequence[tuple[str, str, str]],
    versions: Mapping[str, str],
    seed: int,
    code_licence: str,
) -> str:
    """The README in Markdown.

    Parameters
    ----------
    shown : as :func:`exhibits` gives them.
    versions : of programs, by name.
    seed : of all chains.
    """
    kept = [file for file in files if not file.shareable]
    which = "the one study" if len(files) == 1 else f"{len(kept)} of {len(files)} studies"
    summary = (
        "All data are in this folder."
        if not kept
        else f"Data of {which} cannot go with this folder; see below."
    )
    simulated = [file.study for file in files if file.provenance == "simulated"]
    lines = [
        f"# README: {title}",
        "",
        "## Overview",
        "",
        "A Snakemake workflow goes from the data files to the rendered article. One command runs",
        "all of it, and another one (`snakemake verify`) says whether every number came out again.",
        "",
        "## Data Availability and Provenance Statements",
        "",
        *([f"Simulated stand-ins, not data: {', '.join(simulated)}.", ""] if simulated else []),
        "### Statement about Rights",
        "",
        "The right to use and to pass on each file is what its codebook states; see the licences.",
        "",
        "### License for Data",
        "",
        *(f"- {file.study}: {file.licence}" for file in files),
        "",
        "### Summary of Availability",
        "",
        summary,
        "",
        "### Details on each Data Source",
        "",
    ]
    for file in files:
        lines += [
            f"**{file.study}**: {file.title} ({file.provenance}; citation {file.citation}).",
            f"File `{file.file}`"
            + (f", SHA-256 `{file.sha256}`" if file.shareable else "")
            + f". {file.availability}",
            ""
            if file.shareable
            else "Not in this folder; its size and a keyed checksum are in `data_and_code.md`.",
            "",
        ]
    lines += [
        "## Dataset list",
        "",
        "| File | Source | Provided |",
        "|---|---|---|",
        *(
            f"| `data/raw/{file.study}/{file.file}` | {file.study} | "
            f"{'yes' if file.shareable else 'no'} |"
            for file in files
        ),
        "",
        "## Computational requirements",
        "",
        "### Software Requirements",
        "",
        *(f"- {name} {version}" for name, version in versions.items()),
        "- all other packages in the versions and with the hashes of `envs/requirements.txt`",
        "",
        "### Controlled Randomness",
        "",
        f"The seed {seed} (`sampling.seed` of the configuration) sets all chains.",
        "",
        "### Memory, Runtime, Storage Requirements",
        "",
        "Not measured for this folder. The README of the code has what was measured for the data",
        "that ship with it; `benchmarks/` measures anew.",
        "",
        "## Description of programs/code",
        "",
        "`workflow/rules/` has one file a stage, `workflow/metastudy/` the library: one package a",
        "stage, and one module a rule in `commands/`.",
        "",
        "### License for Code",
        "",
        code_licence,
        "",
        "## Instructions to Replicators",
        "",
        "1. `make` installs the locked packages and runs the whole workflow.",
        "2. A data file that is not provided goes into `data/raw/<study>/`; its SHA-256 is above.",
        "3. `snakemake --cores 2 verify` builds again and compares with the numbers of record.",
        "",
        "## List of tables and programs",
        "",
        "| Exhibit | Rule | Program |",
        "|---|---|---|",
        *(f"| {number} | {rule} | {program} |" for number, rule, program in shown),
        "",
        "## References",
        "",
        "The data are cited in the list of references of the article.",
        "",
    ]
    return "\n".join(lines)
