"""Lists of coded segments: delimited text or Excel, one row a segment of a case with its code.

Programs for coding export such lists: retrieved segments, quotations, excerpts, coding summaries.
The text of a segment is a person's words. It is no variable, so it is never looked at. A document
without a segment has no row; it is a case where a file of cases has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import of_a_person, shown
from metastudy.readers import csv, segment_codes, xlsx
from metastudy.readers.raw import UNKNOWN_CODER, RawProject, RawTable
from metastudy.readers.refusals import endless_cells, refuse, unknown_columns
from metastudy.readers.segment_cases import Cases, cases_of
from metastudy.readers.sources import row_problem, texts_of

__all__ = ["read"]

OF_SEGMENTS = ("id", "code", "coder", "start", "end")  # what the list itself has to tell
WORKBOOKS = (b"PK\x03\x04", xlsx.OLD_OFFICE)
MOST_DIGITS = 15  # of a place in a text
MOST_KINDS = 3  # of texts that a message names


def read(codebook: Codebook) -> RawProject:
    """Read a list of coded segments.

    Parameters
    ----------
    codebook : names the file and the variables that are the id of the case, the code and, where
        the list has them, the coder and the start and end of the segment; and the file of cases if
        there is one.

    Returns
    -------
    RawProject with one row a case, numbered as in the file of cases, or else by its first segment.
    Without a start, codings start and end at 0, as those of a matrix. Rows that cannot be read are
    in ``problems``: ``missing-id`` for a row without its case, code or coder, ``off-scale`` for a
    place that is no whole number, ``unknown-label`` for a case that is not declared,
    ``duplicate-id`` and ``contradiction`` for cases.

    Raises
    ------
    BadInput
        ``unknown-column`` where a column of the segments is not there; ``wrong-format`` for a list
        without rows; and as the readers of delimited text and Excel workbooks.
    """
    listed = _table(codebook)
    declared = _table(codebook.of_cases) if codebook.file.cases else None
    _check_columns(codebook, listed, declared)
    rows = _Rows(codebook, listed)
    problems = rows.problems
    cases = cases_of(codebook, listed, rows.ids, declared)
    problems += cases.problems
    place = rows.ids.map(cases.place).fillna(-1).astype("int64")
    unknown = rows.ids.ne("") & place.lt(0)
    if declared is not None:
        for text in rows.ids[unknown].unique():
            rows.report(
                unknown & rows.ids.eq(text),
                "id",
                f"a segment of a case ({of_a_person(text)}) that is not declared",
                f"a case of {shown(codebook.of_cases.data_path)}",
                "add the case there, or correct one of the two ids",
                "unknown-label",
            )
    spelt = segment_codes.parts(codebook, rows.codes.where(rows.good & place.ge(0), ""))
    table = pd.DataFrame(
        {
            "case": place,
            "start": rows.places["start"],
            "end": rows.places["end"],
            "coder": rows.coders,
            "code": spelt,
            "row": rows.numbers,
        }
    )[rows.good & place.ge(0)]
    table = table.explode("code").dropna(subset="code")
    codes = segment_codes.paths(codebook, table["code"].unique())
    ways = {text: "/".join(path) for text, path in codes.items()}
    kinds = {"case": "int64", "start": "int64", "end": "int64", "coder": "str", "code": "str"}
    codings = table.assign(code=table["code"].map(ways)).astype(kinds).reset_index(drop=True)
    unseen = segment_codes.unseen(codebook, codes.values())
    return RawProject(
        cases=cases.table,
        codings=codings,
        coders={name: name for name in rows.coders.unique() if name},
        codes={ways[text]: path for text, path in codes.items()} | {one: (one,) for one in unseen},
        readings=_readings(codebook, codings, cases, place, problems),
        notes=(*_notes(codebook, codings, cases), *segment_codes.notes(unseen)),
        problems=tuple(problems),
    )


def _table(codebook: Codebook) -> RawTable:
    """Read a table by what its bytes are."""
    try:
        with codebook.data_path.open("rb") as file:
            book = file.read(8).startswith(WORKBOOKS)
    except OSError:
        book = False  # its reader says so
    table = xlsx.read(codebook) if book else csv.read(codebook)
    if problems := list(endless_cells(codebook, table)):
        raise BadInput(problems)
    if not len(table.rows):
        raise refuse(
            codebook,
            "a header and no rows",
            "at least one row of data",
            "put the whole file in again",
        )
    return table


def _check_columns(codebook: Codebook, listed: RawTable, declared: RawTable | None) -> None:
    """Refuse files without the columns that tell segments and cases.

    What else is missing is reported with them; alone it is for :func:`metastudy.readers.attempt`.
    """
    own = {variable.name for role in OF_SEGMENTS for variable in codebook.having(role)}
    problems = [one for one in unknown_columns(codebook, listed.names, {}) if one.column in own]
    if declared is not None:
        identity = {variable.name for variable in codebook.having("id")}
        lost = unknown_columns(codebook.of_cases, declared.names, {})
        problems += [one for one in lost if one.column in identity]
    if problems:
        known = {one.column for one in problems}
        # Without a header the first row is in its place, and with it a person's words.
        tables = [one for one in (listed, declared) if one and set(codebook.named) & {*one.names}]
        others = unknown_columns(codebook, [name for one in tables for name in one.names], {})
        raise BadInput([*problems, *(one for one in others if one.column not in known)])


@dataclass
class _Rows:
    """The rows of a list: their texts, and which of them are whole."""

    codebook: Codebook
    listed: RawTable
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = pd.Series(self.listed.rows)
        self.names: Mapping[str, str] = {
            role: variable.name for role in OF_SEGMENTS if (variable := self.codebook.only(role))
        }
        texts = {role: texts_of(self.listed, name) for role, name in self.names.items()}
        self.ids, self.codes = texts["id"], texts["code"]
        self.coders = texts.get("coder", pd.Series(UNKNOWN_CODER, index=self.ids.index))
        again = self.ids.eq(self.names["id"]) & self.codes.eq(self.names["code"])
        self.report(
            again,
            None,
            "the header again",
            "the header once, above all rows",
            "take the row out; two files may have been put together",
            "wrong-format",
        )
        neither = self.ids.eq("") & self.codes.eq("")
        self.report(
            neither,
            "id",
            "a row with neither a case nor a code, such as a comment alone",
            "a case and a code in every row",
            "take the row out, or join it with the segment that it belongs to",
            "missing-id",
        )
        self.good = ~(again | neither)
        self.ids = self.ids.where(~again, "")
        for role, what in (("id", "case"), ("code", "code"), ("coder", "coder")):
            if role in texts:
                empty = self.good & texts[role].eq("")
                self.report(
                    empty,
                    role,
                    f"a segment without its {what}",
                    f"'{self.names[role]}' in every row",
                    "fill the cell, where it is empty because it is that of the row above; or take "
                    "the row out",
                    "missing-id",
                )
        for role in ("id", "code", "coder"):
            self.good &= texts[role].ne("") if role in texts else True
        self.places = self._places(texts)

    def report(
        self, hits: pd.Series, role: str | None, found: str, expected: str, fix: str, code: str
    ) -> None:
        """Note one problem of the rows that ``hits`` marks, if it marks any."""
        if hits.any():
            name = self.names[role] if role else None
            rows = self.numbers[hits]
            self.problems.append(row_problem(self.codebook, rows, found, expected, fix, code, name))

    def _places(self, texts: Mapping[str, pd.Series]) -> Mapping[str, pd.Series]:
        """Read starts and ends: 0 where none is given, and an end at its start where it is not."""
        found: dict[str, pd.Series] = {}
        for role in ("start", "end"):
            given = texts.get(role, pd.Series("", index=self.ids.index))
            whole = given.str.fullmatch(rf"[0-9]{{1,{MOST_DIGITS}}}")
            odd = self.good & given.ne("") & ~whole
            kinds = given[odd].map(of_a_person).unique()
            self.report(
                odd,
                role,
                " or ".join(kinds[:MOST_KINDS]),
                "a whole number of at least 0, such as that of a character or a paragraph",
                "correct the cell, or declare the column with 'as: ignore': places tell "
                "segments apart, and nothing is counted by them",
                "off-scale",
            )
            numbers = pd.to_numeric(given.where(whole), errors="coerce")
            found[role] = numbers.fillna(found["start"] if found else 0).astype("int64")
        before = self.good & found["end"].lt(found["start"])
        if "end" in self.names:
            self.report(
                before,
                "end",
                "an end before the start",
                "an end at the start of the segment or after it",
                "correct the two cells",
                "off-scale",
            )
        return found


def _readings(
    codebook: Codebook,
    codings: pd.DataFrame,
    cases: Cases,
    place: pd.Series,
    problems: list[Problem],
) -> pd.DataFrame | None:
    """Tell who read the cases of which no variable says it: the only coder, if there is but one."""
    coders = codings["coder"].unique()
    if codebook.only("coders"):
        return None
    if codebook.only("coder") is None or len(coders) == 1:
        only = coders[0] if len(coders) else UNKNOWN_CODER
        return pd.DataFrame({"case": np.arange(len(cases.table.data)), "coder": only})
    without = cases.without(place)
    if without.any():
        problems.append(
            row_problem(
                codebook.of_cases,
                pd.Series(cases.table.rows[without]),
                "a case without a segment, of which nothing says who read it",
                "a variable with 'as: coders' among the cases, as there are several coders",
                "add a column with the names of all who coded the case, and declare it",
                "missing-id",
                None,
            )
        )
    return None


def _notes(codebook: Codebook, codings: pd.DataFrame, cases: Cases) -> list[str]:
    """Say what a list does not tell, or tells twice."""
    notes = []
    if codebook.only("start"):
        key = ["case", "start", "end", "coder", "code"]
        if again := int(codings.duplicated(key).sum()):
            notes.append(f"{again} rows repeat a segment with its code and coder: it counts once")
    count = len(cases.table.data)
    if codebook.file.cases is None:
        notes.append(
            f"a list of segments tells nothing of documents without one: the {count} that have "
            "one are the cases; name a file of all cases under file.cases"
        )
    elif (without := cases.without(codings["case"])).any():
        notes.append(
            f"{without.sum()} of {count} cases have no segment: no code was applied to them"
        )
        readers = codebook.only("coders")
        if readers and readers.name in cases.table.data:
            unread = without & cases.table.data[readers.name].eq("").to_numpy()
            if unread.any():
                notes.append(f"{unread.sum()} of them have no reader: they count for no code")
    return notes
