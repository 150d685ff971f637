"""Checks of a codebook of a list of coded segments: what tells a case, a code and a place."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import Document

__all__ = ["segment_problems"]

FORM = "segments"
OF_SEGMENTS = ("code", "start", "end")  # what a variable is in a list of segments alone
OF_ROWS = (*OF_SEGMENTS, "coder")  # what belongs to a segment, and not to its case


def segment_problems(document: Document, sound: Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that a list of segments has the variables that it needs, and no other file has them."""
    file = sound.raw["file"] if sound.section("file") else {}
    roles = {entry["as"]: place for place, entry in sound.variables()}
    form = file.get("format", FORM if "code" in roles else None)
    if not file or not sound.complete("variables"):
        return
    if form != FORM:
        for role in OF_SEGMENTS:
            if role in roles:
                yield document.problem(
                    (*roles[role], "as"),
                    f"'as: {role}' with format '{form or 'not declared'}'",
                    f"'as: {role}' with format {FORM} only",
                )
        return
    if "code" not in roles:
        yield document.problem(
            ("variables",),
            "no variable with 'as: code'",
            f"the column that holds the code of each segment, with format {FORM}",
        )
    for role, other in (("end", "start"), ("coders", "coder")):
        if role in roles and other not in roles:
            yield document.problem(
                (*roles[role], "as"),
                f"'as: {role}' without 'as: {other}'",
                "the column where a segment starts, beside that where it ends"
                if role == "end"
                else "the column that says who coded a segment, beside who read the case",
            )
    if "ids" in file:
        yield document.problem(
            ("file", "ids"),
            "'ids: row_numbers' in a list of segments, whose rows are no cases",
            "a variable with 'as: id', the case or document of the segment",
        )
    names = {entry["name"]: entry["as"] for _, entry in sound.variables(*OF_ROWS)}
    for place, rule in (*sound.entries("exclude"), *sound.entries("quality")):
        if rule.get("variable") in names:
            yield document.problem(
                (*place, "variable"),
                f"'{rule['variable']}', which is the {names[rule['variable']]} of a segment",
                "a variable of the case: by a rule whole cases leave or are marked",
            )
    yield from _cases_problems(document, file)


def _cases_problems(document: Document, file: dict[str, str]) -> Iterator[Problem]:
    """Check that the file of cases is another table than the list."""
    if "cases_sheet" in file and "cases" not in file:
        yield document.problem(
            ("file", "cases_sheet"), "'cases_sheet' without 'cases'", "the workbook that has it"
        )
    own = (file.get("name"), file.get("sheet"))
    sheet = file.get("cases_sheet")
    if file.get("cases") == own[0] and (own[1] is None or sheet in (None, own[1])):
        yield document.problem(
            ("file", "cases"),
            f"'{own[0]}', which is the list of segments too",
            "another file; or the same workbook, with 'sheet' and 'cases_sheet' for its two sheets",
        )
