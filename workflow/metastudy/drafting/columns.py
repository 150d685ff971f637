"""The columns of a data file, each with what can be guessed of it."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import pandas as pd
import pyreadstat

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.text import numeral
from metastudy.drafting.copies import Copy, copies
from metastudy.drafting.keying import Keying, keyings, stem
from metastudy.drafting.roles import TODO, Guess, guess, reason
from metastudy.readers.delimited import head
from metastudy.readers.detect import form
from metastudy.readers.raw import RawTable
from metastudy.readers.refi_cases import CASE, OWN_NAMES
from metastudy.readers.signatures import PORTABLE, what_it_is

__all__ = ["Column", "columns", "numbering", "plausible"]

# A column that numbers rows is called so, alone or as a part of its name.
_NUMBER = re.compile(r"(?:^|[\W_])(?:id|nr|no|number)(?:$|[\W_])|id$", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A raw column with what is guessed of it."""

    name: str
    title: str
    guess: Guess
    labels: Mapping[str, str]
    keying: Keying | None = None
    copy: Copy | None = None


def _titles(codebook: Codebook, table: RawTable) -> dict[str, str]:
    """Find what the file says of its columns: labels of variables, or the questions."""
    path, kind = codebook.data_path, form(codebook)
    if kind in ("sav", "dta"):
        read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
        if what_it_is(path.read_bytes()[:4096]) == PORTABLE:
            read = pyreadstat.read_por
        _, meta = read(str(path), metadataonly=True)
        labels = meta.column_names_to_labels
        return {name_of(name): label for name, label in labels.items() if label}
    if kind == "qualtrics":
        tags, questions = head(codebook, 2)
        by_tag = dict(zip(tags, questions, strict=False))
        return {
            name: by_tag.get(tag, tag)
            for name in table.names
            if (tag := table.titles.get(name, name)) in by_tag
        }
    return dict(table.titles)


def columns(codebook: Codebook, table: RawTable) -> list[Column]:
    """Guess what each column of a file is.

    A role or trait that a study has once goes to the first column that seems to be it. A later
    one is an open point, or ignored if it is an id. Without an id, the first column that is not
    clear and has a different value in every row becomes it.
    """
    titles = _titles(codebook, table)
    found: list[Column] = []
    taken: set[str] = set()
    own = OWN_NAMES if form(codebook) == "qdpx" else ()
    for variable in codebook.variables:
        name = variable.name
        if name in own:
            continue
        labels = table.labels.get(name, {})
        known = guess(
            name,
            table.data[name],
            titles.get(name, ""),
            labels,
            table.declared_missing.get(name, ()),
        )
        single = known.trait or known.role
        if single not in ("item", "factor", "ignore", TODO):
            if single == "id" and single in taken:
                known = Guess("ignore", "another id")
            elif single in taken:
                known = Guess(TODO, f"'{single}', but another column seems to be it")
            taken.add(single)
        found.append(Column(name, titles.get(name, ""), known, labels))
    if "id" not in taken and own:
        found = [_own_id(table), *found]
    elif "id" not in taken:
        found = _with_id(found, table)
    found = _with_answers(found)
    data = {column.name: table.data[column.name] for column in found}
    known_copies = copies({column.name: column.guess for column in found}, titles, data)
    found = [replace(column, copy=known_copies.get(column.name)) for column in found]
    return _with_keying(found, table)


def _own_id(table: RawTable) -> Column:
    """Take for the id of a project the name of the case, of the source, or what is never twice."""
    for name, what in ((CASE, "case"), ("name", "source")):
        texts = table.data[name].astype("str")
        if (texts != "").all() and not texts.duplicated().any():
            return Column(name, "", Guess("id", f"the {what}'s own name, another in every row"), {})
        if name == CASE and (texts != "").all():
            why = "cases with several sources: as id each case is one row, with 'name' each source"
            return Column(CASE, "", Guess(TODO, why), {})
    return Column("guid", "", Guess("id", "names of sources occur twice; this never does"), {})


def _with_answers(columns: list[Column]) -> list[Column]:
    """Take columns of one block with the same few texts for items whose answers are texts."""
    blocks: dict[str, list[Column]] = {}
    for column in columns:
        if column.guess.role == TODO and column.guess.values:
            blocks.setdefault(stem(column.name), []).append(column)
    items: dict[str, Guess] = {}
    for block in blocks.values():
        texts = dict.fromkeys(text for column in block for text in column.guess.values)
        alike = all(2 * len(column.guess.values) >= len(texts) for column in block)
        if len(block) < 2 or not alike or any(numeral(text) is not None for text in texts):
            continue
        missing = {text: why for text in texts if (why := reason(text))}
        answers = tuple(text for text in texts if text not in missing)
        for column in block:
            items[column.name] = Guess(
                "item",
                f"the same few texts as in {len(block) - 1} more columns of the block",
                min=1,
                max=len(answers),
                missing=missing,
                values=answers,
            )
    return [replace(one, guess=items.get(one.name, one.guess)) for one in columns]


def _with_id(columns: list[Column], table: RawTable) -> list[Column]:
    """Take the first column with a different value in every row for the id."""
    for position, column in enumerate(columns):
        texts = table.data[column.name]
        open_ = column.guess.role == TODO or column.guess.why.startswith("many different")
        given = len(texts) > 1 and (texts != "").all() and not texts.duplicated().any()
        if open_ and given and _names_rows(texts):
            found = replace(column, guess=Guess("id", "a different value in every row"))
            return [*columns[:position], found, *columns[position + 1 :]]
    return columns


def _names_rows(texts: pd.Series) -> bool:
    """Tell whether different texts may name rows: numbers do where they count the rows."""
    numbers = [numeral(text) for text in texts.astype("str")]
    whole = [number for number in numbers if number is not None]
    return len(whole) < len(numbers) or max(whole) - min(whole) == len(whole) - 1


def _with_keying(columns: list[Column], table: RawTable) -> list[Column]:
    """Guess the keying of items in blocks: the same stem of the name, the same bounds."""
    blocks: dict[tuple[object, ...], list[str]] = {}
    for column in columns:
        if column.guess.role == "item" and not column.guess.values:
            key = (stem(column.name), column.guess.min, column.guess.max)
            blocks.setdefault(key, []).append(column.name)
    missing = {column.name: column.guess.missing for column in columns}
    known: dict[str, Keying] = {}
    for names in blocks.values():
        answers = {
            name: pd.to_numeric(
                table.data[name].astype("str").where(~table.data[name].isin(list(missing[name]))),
                errors="coerce",
            )
            for name in names
        }
        known |= keyings(pd.DataFrame(answers))
    return [replace(column, keying=known.get(column.name)) for column in columns]


def numbering(table: RawTable, known: Container[str]) -> str | None:
    """Find the column that numbers the rows of arms or effects, if there is one.

    It is full, has another value in every row, is not otherwise known, and is called a number.
    """
    for name in dict.fromkeys(table.names):
        if name in known or name not in table.data or not _NUMBER.search(name):
            continue
        if len(table.data) and table.data[name].ne("").all() and table.data[name].is_unique:
            return name
    return None


_POSITIVE, _LEAST_PEOPLE = 1e-12, 8
_RANGES = (  # of what a table of arms or effects has: the least, the most, whether whole
    (r"se|variance|sd(_.*)?|cluster_size", (_POSITIVE, math.inf, False)),
    (r"people|n(_.*)?", (_LEAST_PEOPLE, math.inf, True)),
    (r"events(_.*)?", (0, math.inf, True)),
    (r"r|correlation|paired_correlation", (-1, 1, False)),
    (r"p|icc", (0, 1, False)),
)


def plausible(table: RawTable, roles: Mapping[str, str]) -> bool:
    """Whether most numbers of each column are such as a table of arms or effects has.

    So a survey whose items are called ``n``, ``p`` or ``sd`` is not taken for one. A column without
    numbers says nothing.
    """
    return all(
        _mostly(table, name, *limits)
        for name, role in roles.items()
        for pattern, limits in _RANGES
        if re.fullmatch(pattern, role)
    )


def _mostly(table: RawTable, name: str, least: float, most: float, whole: bool) -> bool:
    if name not in table.data:
        return True
    texts = table.data[name].astype("str").str.replace(",", ".").str.strip("<>=* ")
    numbers = pd.to_numeric(texts, errors="coerce").dropna()
    inside = numbers.between(least, most) & (numbers.mod(1).eq(0) if whole else True)
    return bool(not len(numbers) or inside.mean() > 0.5)
