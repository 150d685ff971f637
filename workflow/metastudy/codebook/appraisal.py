"""The appraisal: risk of bias of publications by domain, and certainty, beside any evidence.

A row is about a publication and a domain of the risk of bias, or about an outcome over all of its
publications and a domain of GRADE (Guyatt et al. 2008).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from metastudy.common.problems import BadInput, Problem, place_of_rows
from metastudy.common.text import did_you_mean, shown
from metastudy.common.user_files import NotReadable, read_whole

__all__ = [
    "COLUMNS",
    "DOMAINS",
    "GRADE",
    "JUDGEMENTS",
    "LEAST_JUDGED",
    "NOT_ASSESSED",
    "NOT_RATED",
    "judged",
    "read",
    "strangers",
]

COLUMNS = ("study", "domain", "judgement", "certainty", "reason", "source")
OUTCOME = "outcome"  # a column that may be left out
# Those of RoB 2 (Sterne et al. 2019) and ROBINS-I (Sterne et al. 2016), and of coded texts.
DOMAINS = (
    *("randomisation", "confounding", "selection", "classification", "deviations"),
    *("missing_data", "measurement", "reporting", "coding"),
)
GRADE = ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
NOT_ASSESSED, NOT_APPLICABLE, NOT_RATED = "not_assessed", "not_applicable", "not_rated"
JUDGEMENTS = ("low", "some_concerns", "high", NOT_ASSESSED, NOT_APPLICABLE)
SERIOUS = ("not_serious", "serious", "very_serious", NOT_ASSESSED)
CERTAINTIES = ("high", "moderate", "low", "very_low", NOT_ASSESSED)
LEAST_JUDGED = 2  # domains from which on a certainty rests on more than one impression
MOST_BYTES = 10**8
QUOTED = "put texts with a comma in quotation marks"
ONE_OF_TWO = f"fill in study or {OUTCOME}, and not both"


def read(path: Path) -> pd.DataFrame:
    """Read an appraisal: texts, empty ones missing; of a file with a header alone no rows.

    Raises
    ------
    BadInput
        With all that is wrong in it: columns, words, a row about nothing or about two things, a
        domain twice, two certainties of one publication or outcome.
    """
    head, rows = _rows(path)
    problems = list(_of_columns(path, head)) or list(_of_rows(path, rows))
    if problems:
        raise BadInput(problems)
    return pd.DataFrame(list(rows.values()), columns=head, dtype="str").replace("", None)


def judged(table: pd.DataFrame, by: str = "study") -> frozenset[str]:
    """The publications (or outcomes, ``by`` them) of which enough domains were judged to rate them.

    Fewer than :data:`LEAST_JUDGED` are one impression of a study that was not looked at.
    """
    seen = table[~table["judgement"].isin([NOT_ASSESSED, NOT_APPLICABLE])]
    number = seen.groupby(by)["domain"].nunique()
    return frozenset(map(str, number.index[number >= LEAST_JUDGED]))


def strangers(
    path: Path, table: pd.DataFrame, citations: Collection[str], outcomes: Collection[str]
) -> Iterator[Problem]:
    """What is appraised and not here.

    Parameters
    ----------
    citations : of all codebooks, of all published findings, and keys of the bibliography: what is
        appraised there and gave no data yet is shown.
    outcomes : of the vocabulary, and of published findings.
    """
    kinds = (("study", citations, "a key of a codebook, a finding or the bibliography"),
             (OUTCOME, outcomes, "an outcome of the vocabulary or of a finding"))  # fmt: skip
    for column, known, expected in kinds:
        if column not in table:
            continue
        for name, own in table.groupby(column, sort=False):
            if str(name) not in known:
                near = did_you_mean(str(name), sorted(known))
                yield _problem(
                    path, [int(at) + 2 for at in own.index], column, f"'{name}'.{near}", expected,
                    "correct the name, or take its rows out")  # fmt: skip


def _rows(path: Path) -> tuple[list[str], dict[int, dict[str, str]]]:
    """The header, and the rows by the number that a spreadsheet gives them; empty ones are none."""
    try:
        text = read_whole(path, MOST_BYTES).decode("utf-8-sig")
    except (OSError, NotReadable, UnicodeDecodeError) as unread:
        said = "not in UTF-8" if isinstance(unread, UnicodeDecodeError) else "no file that is read"
        raise BadInput(_problem(path, [], None, said, "a file of text, CSV in UTF-8",
                                "put it there, or correct `appraisal` in the configuration; one "
                                "without rows has a header alone")) from None  # fmt: skip
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text))]
    head = lines[0] if lines else []
    found = {
        at: dict(zip(head, [*line, *[""] * (len(head) - len(line))], strict=False))
        | ({"": "more"} if any(line[len(head) :]) else {})
        for at, line in enumerate(lines[1:], start=2)
        if any(line)
    }
    return head, found


def _of_columns(path: Path, head: list[str]) -> Iterator[Problem]:
    expected = f"the columns {', '.join(COLUMNS)}, and `{OUTCOME}` where outcomes are rated"
    for name in COLUMNS[:4]:
        if name not in head:
            yield _problem(path, [], name, "no such column", expected, "put it into the header")
    for name in dict.fromkeys(head):
        if name not in (*COLUMNS, OUTCOME) or head.count(name) > 1:
            near = did_you_mean(name, [*COLUMNS, OUTCOME])
            found = "the column twice" if head.count(name) > 1 else f"a column '{name}'.{near}"
            yield _problem(path, [1], name, found, expected, "correct the header")


def _of_rows(path: Path, rows: Mapping[int, Mapping[str, str]]) -> Iterator[Problem]:
    wrong: dict[tuple[str | None, str, str, str], list[int]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    rated: dict[tuple[str, str], tuple[str, int]] = {}
    for at, row in rows.items():
        study, outcome = row["study"], row.get(OUTCOME, "")
        kind, name = (OUTCOME, outcome) if outcome else ("study", study)
        domains, words = (GRADE, SERIOUS) if outcome else (DOMAINS, JUDGEMENTS)
        if "" in row:
            said = "more cells than the header has", "a cell a column"
            wrong.setdefault((None, *said, QUOTED), []).append(at)
            continue
        if bool(study) == bool(outcome):
            found = "a study and an outcome in one row" if study else "no study"
            said = found, "a publication, or an outcome over publications"
            wrong.setdefault(("study", *said, ONE_OF_TWO), []).append(at)
            continue
        for column, known in (("domain", domains), ("judgement", words),
                              ("certainty", CERTAINTIES)):  # fmt: skip
            if row[column] not in known:
                near = did_you_mean(row[column], known) if row[column] else ""
                found = f"'{row[column]}'.{near}" if row[column] else "an empty cell"
                wrong.setdefault((column, found, f"of a {kind} one of {', '.join(known)}",
                                  "correct the word"), []).append(at)  # fmt: skip
        if (first := seen.setdefault((kind, name, row["domain"]), at)) != at:
            wrong.setdefault(("domain", f"'{row['domain']}' of '{name}' a second time, after row "
                              f"{first}", f"each domain of a {kind} once",
                              "take one of the rows out"), []).append(at)  # fmt: skip
        if row["certainty"] not in CERTAINTIES:
            continue
        before, first = rated.setdefault((kind, name), (row["certainty"], at))
        if before != row["certainty"]:
            wrong.setdefault(("certainty", f"'{row['certainty']}' of '{name}', which is '{before}' "
                              f"in row {first}", f"one certainty of a {kind}, in all of its rows",
                              "correct the one or the other"), []).append(at)  # fmt: skip
    for (place, *what), positions in wrong.items():
        yield _problem(path, positions, place, *what)


def _problem(path: Path, rows: Iterable[int], column: str | None, *said: str) -> Problem:
    found, expected, fix = said
    at = list(rows)
    return Problem(file=shown(path), found=found, expected=expected, fix=fix,
                   row=place_of_rows(at) if at else None, column=column,
                   code="appraisal")  # fmt: skip
