"""An archive, made whole in a new folder: copies, their description, and a page to read first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metastudy.archive import crate, page
from metastudy.archive.contents import Contents, Inputs, gathered
from metastudy.archive.copies import copied
from metastudy.archive.packed import packed
from metastudy.archive.provenance import CODE, jobs_of
from metastudy.archive.verdict import last
from metastudy.common.problems import MetastudyError
from metastudy.record.rebuild_folder import leads_out
from metastudy.sharing.citation import citation_of

__all__ = ["made"]

WITHOUT_A_TITLE = "A meta-study"


def made(inputs: Inputs, folder: Path, zipped: Path) -> Contents:
    """Make the archive of a finished build.

    The same build gives the same bytes: all times in it are those at which the build was made.

    Parameters
    ----------
    inputs : what it is made from.
    folder : the RO-Crate, a new folder.
    zipped : the same as one file.

    Returns
    -------
    Contents
        What is in it, and what stayed.

    Raises
    ------
    MetastudyError
        If there is no finished build, no record of what made it, or something in it may not be
        given away.
    BadInput
        If the key is missing that stands for files of observed studies, or if the citation file, a
        report or the verdict is of another form.
    """
    contents = gathered(inputs)
    results = inputs.project / inputs.results
    jobs = jobs_of(inputs.project, results, _spoken(inputs, contents))
    if not jobs:
        raise MetastudyError(
            f"there is no record of what made {inputs.results}: build it with `snakemake --cores "
            "2`, or copy the folder .snakemake/metadata from where it was built"
        )
    verdict, about = last(results), _about(inputs)
    copied(contents, inputs.pseudonyms.get("key_file"), folder)
    said = page.page(about, contents, jobs, verdict)
    (folder / page.NAME).write_text(said, "utf-8")
    crate.write(about, contents, jobs, verdict, folder)
    packed(folder, zipped, max(job.ended for job in jobs))
    return contents


def _spoken(inputs: Inputs, contents: Contents) -> dict[str, str]:
    """Paths of this machine, as they are in commands, by places in the archive."""
    found = {f"{inputs.project.absolute()}/": "", f"{inputs.repository.absolute()}/": contents.code}
    if leads_out(inputs.data):
        found[f"{inputs.data}/"] = f"{contents.data}/"
    found |= contents.elsewhere
    if key := inputs.pseudonyms.get("key_file"):
        found[str(key)] = "outside-of-this-archive"
    return {old: new for old, new in found.items() if len(old) > 1} | {CODE: contents.code}


def _about(inputs: Inputs) -> Mapping[str, Any]:
    """What the citation file of the project says of it, or that of the repository."""
    return {"title": WITHOUT_A_TITLE} | citation_of(inputs.project, inputs.repository)
