"""The statement on data and code that goes with a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metastudy.sharing.data import DataFile
from metastudy.sharing.withheld import Withheld

__all__ = ["statement"]


def statement(files: Sequence[DataFile], code_licence: str, kept: Mapping[str, Withheld]) -> str:
    """The statement on data and code, in Markdown.

    Parameters
    ----------
    kept : of :func:`metastudy.sharing.withheld.withheld`. These files have a keyed checksum: with
        a bare one anybody could try guesses of an answer.
    """
    lines = [
        "# Data and code",
        "",
        "Each data file, with the licence and the availability that its codebook states. What a",
        "codebook does not state is not stated here either; it has to be before submission.",
        "",
        "| Study | Data file | Data | Licence | Availability | In this folder |",
        "|---|---|---|---|---|---|",
    ]
    for file in files:
        cells = (
            *(file.title, f"`{file.file}`", file.provenance, file.licence, file.availability),
            "yes" if file.shareable else "no: observed, and the codebook does not say `share: yes`",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += [
        "",
        f"Code: {code_licence}. The address of the repository is withheld for review.",
        "",
        "SHA-256 of the data files in this folder:",
        "",
        *(f"- `{f.study}/{f.file}`: `{f.sha256}`" for f in files if f.shareable),
        "",
    ]
    if kept:
        lines += [
            "Files that are not in this folder. Whoever holds the key of pseudonyms can show that",
            "a file is this one; without the key nobody can try guesses of what is in it.",
            "",
            "| File | Bytes | HMAC-SHA-256 |",
            "|---|---|---|",
            *(f"| `{place}` | {of.size} | `{of.checksum}` |" for place, of in kept.items()),
            "",
        ]
    return "\n".join(lines)
