"""Draft a codebook from a data file: what the file says, what can be guessed, and what is to do."""

from __future__ import annotations

import argparse
import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import yaml

from metastudy import vocabulary as vocabularies
from metastudy.codebook import Codebook, DataFile, Study, Variable
from metastudy.errors import BadInput, Problem, run
from metastudy.guesses import TODO, Guess, Keying, guess, keyings, reason, stem
from metastudy.readers import READERS, RawProject, RawTable, form
from metastudy.readers.delimited import head
from metastudy.readers.raw import what_it_is
from metastudy.texts import Document, numeral, shown
from metastudy.vocabulary import Vocabulary

__all__ = ["draft", "main", "open_points"]

_TEXTS = ("csv", "qualtrics")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COMMA = re.compile(r"[-+]?\d+,\d+")
_KEYS = {"title", "citation", "response_mode", "country", "sector", "role", "arrangement"}
_KEYS |= {"as", "construct"}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WIDTH = 100


@dataclass(frozen=True)
class _Column:
    """A raw column with what is guessed of it."""

    name: str
    title: str
    guess: Guess
    labels: Mapping[str, str]
    keying: Keying | None = None


# --- reading -------------------------------------------------------------------------------------


def _refused(path: Path, found: str, expected: str, mend: str, code: str = "draft") -> BadInput:
    return BadInput(Problem(shown(path), found, expected, mend, code=code))


def _opened(study: str, path: Path, vocabulary: Vocabulary) -> Codebook:
    """Make a codebook that says nothing of a data file but how it is written."""
    return Codebook(
        path=path.with_name("codebook.yaml"),
        study=Study(study, "", "", "", ""),
        file=_written(path),
        variables=(),
        codes={},
        exclude=(),
        quality=(),
        sensitivity=(),
        outcomes=(),
        exposures=(),
        vocabulary=vocabulary,
        document=Document(path, {}, {}),
    )


def _written(path: Path) -> DataFile:
    """Find the encoding and the delimiter of a text file."""
    with path.open("rb") as file:
        start = file.read(2**20)
    encoding = None
    if what_it_is(start) != "a text file" and not start.startswith(_WIDE):
        return DataFile(path.name)
    if start.startswith(_WIDE):
        encoding = "utf-16"
    else:
        try:
            codecs.getincrementaldecoder("utf-8")().decode(start)
        except UnicodeDecodeError:
            encoding = "cp1252"
    first = start.decode(encoding or "utf-8", "ignore").partition("\n")[0]
    marks = sorted(",;\t|", key=first.count, reverse=True)
    return DataFile(path.name, None, encoding, marks[0] if first.count(marks[0]) else ",")


def _read(codebook: Codebook) -> tuple[Codebook, RawTable | RawProject]:
    """Read every column; a name that several columns have is left out, for it cannot be used."""
    reader = READERS[form(codebook)]
    empty = reader(codebook)
    names = (empty.cases if isinstance(empty, RawProject) else empty).names
    if isinstance(empty, RawProject):
        names = tuple(name for name in names if name not in ("guid", "name"))
    once = [name for name in dict.fromkeys(names) if names.count(name) == 1]
    codebook = replace(codebook, variables=tuple(Variable(name, "trait") for name in once))
    raw = reader(codebook)
    table = raw.cases if isinstance(raw, RawProject) else raw
    if form(codebook) in _TEXTS and any(_comma(table.data[name]) for name in once):
        codebook = replace(codebook, file=replace(codebook.file, decimal=","))
        raw = reader(codebook)
    return codebook, raw


def _comma(texts: pd.Series) -> bool:
    """Tell whether a column holds numbers, some of them with a decimal comma."""
    given = texts[texts != ""].astype("str").unique()
    commas = [text for text in given if _COMMA.fullmatch(text)]
    return bool(commas) and len(commas) + sum(numeral(one) is not None for one in given) == len(
        given
    )


def _titles(codebook: Codebook, table: RawTable) -> dict[str, str]:
    """Find what the file says of its columns: labels of variables, or the questions."""
    path, kind = codebook.data_path, form(codebook)
    if kind in ("sav", "dta"):
        read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
        _, meta = read(str(path), metadataonly=True)
        return {name: label for name, label in meta.column_names_to_labels.items() if label}
    if kind == "qualtrics":
        tags, questions = head(codebook, 2)
        by_tag = dict(zip(tags, questions, strict=False))
        return {
            name: by_tag.get(tag, tag)
            for name in table.names
            if (tag := table.titles.get(name, name)) in by_tag
        }
    return dict(table.titles)


# --- guessing ------------------------------------------------------------------------------------


def _columns(codebook: Codebook, table: RawTable) -> list[_Column]:
    titles = _titles(codebook, table)
    found: list[_Column] = []
    taken: set[str] = set()
    for variable in codebook.variables:
        name = variable.name
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
        found.append(_Column(name, titles.get(name, ""), known, labels))
    if "id" not in taken:
        found = _with_id(found, table)
    return _with_keying(_with_answers(found), table)


def _with_answers(columns: list[_Column]) -> list[_Column]:
    """Take columns of one block with the same few texts for items whose answers are texts."""
    blocks: dict[str, list[_Column]] = {}
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


def _with_id(columns: list[_Column], table: RawTable) -> list[_Column]:
    """Take the first column with a different value in every row for the id."""
    for position, column in enumerate(columns):
        texts = table.data[column.name]
        open_ = column.guess.role == TODO or column.guess.why.startswith("many different")
        if open_ and len(texts) > 1 and (texts != "").all() and not texts.duplicated().any():
            found = replace(column, guess=Guess("id", "a different value in every row"))
            return [*columns[:position], found, *columns[position + 1 :]]
    return columns


def _with_keying(columns: list[_Column], table: RawTable) -> list[_Column]:
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


# --- writing -------------------------------------------------------------------------------------


def _flow(value: Any) -> str:
    """Spell a value as YAML on one line."""
    text: str = yaml.safe_dump([value], allow_unicode=True, width=100_000, default_flow_style=True)
    return text.strip()[1:-1]


def _code(text: str) -> Any:
    """Give a raw code as people write it: a whole number as a number."""
    return int(text) if re.fullmatch(r"-?(0|[1-9]\d*)", text) else text


def _remark(text: str) -> str:
    """Make a comment of one line."""
    short = " ".join(text.split())
    return "# " + (short if len(short) <= _WIDTH else short[: _WIDTH - 3] + "...")


def draft(study: str, path: Path, vocabulary: Vocabulary) -> str:
    """Draft a codebook.

    Parameters
    ----------
    study : the study's id.
    path : a data file in any format that has a reader; of delimited text, the encoding, the
        delimiter and the decimal mark are found.
    vocabulary : what there is to choose from.

    Returns
    -------
    YAML. Every column of the file is in it. Guesses are marked by ``# guess:`` with what they rest
    on, and where a person has to decide stands ``TODO``.

    Raises
    ------
    BadInput
        What the reader of the file's format refuses.
    """
    codebook, raw = _read(_opened(study, path, vocabulary))
    table = raw.cases if isinstance(raw, RawProject) else raw
    kind = form(codebook)
    columns = _columns(codebook, table)
    lines = [
        "# yaml-language-server: $schema=../../../workflow/schemas/codebook.schema.yaml",
        f"# Drafted from {path.name}: {len(table.data)} rows, {len(table.names)} columns. Decide "
        "each TODO, and",
        "# check each guess: nothing here was understood, only counted. docs/codebook.md has all "
        "keys.",
        *_head(study, columns, isinstance(raw, RawProject), vocabulary),
        *_file(codebook, kind),
        "",
        "variables:",
        f"  # constructs: {', '.join(vocabulary['constructs'])}",
    ]
    twice = [name for name in dict.fromkeys(table.names) if table.names.count(name) > 1]
    lines += [f"  {_remark(f'several columns are called {name}: rename them')}" for name in twice]
    for column in columns:
        lines += (f"  {line}" for line in _entry(column, vocabulary))
    if isinstance(raw, RawProject):
        lines += ["", f"codes: # codes of the vocabulary: {', '.join(vocabulary['codes'])}"]
        branches = {way[:-1] for way in raw.codes.values()}
        leaves = [way for way in raw.codes.values() if way not in branches]
        ends = [way[-1] for way in leaves]
        spelt = (way[-1] if ends.count(way[-1]) == 1 else "/".join(way) for way in leaves)
        lines += [f"  {_flow(name)}: {TODO}" for name in dict.fromkeys(spelt)]
    if any(column.guess.role == "weight" for column in columns):
        lines += ["", "sensitivity: [design_based] # guess: weights are there to be used"]
    lines += [
        "",
        "# Then, as docs/codebook.md says: exclude, quality, outcomes, exposures. For instance",
        "# exclude:",
        "#   - {rule: breakoff, unanswered: all_outcomes}",
        "# outcomes: [...]",
    ]
    return "\n".join(lines) + "\n"


def _head(
    study: str, columns: Iterable[_Column], coded: bool, vocabulary: Vocabulary
) -> Iterator[str]:
    roles = {column.guess.role for column in columns}
    if coded:
        design, why = "interviews", "a project of coded texts; or cases"
    elif "factor" in roles:
        design, why = "experiment", "a column looks like a condition"
    else:
        design, why = "survey", "no column looks like a condition"
    yield "study:"
    yield f"  id: {study}"
    yield f"  title: {TODO}"
    yield f"  citation: {TODO} # key in manuscript/references.bib"
    yield f"  design: {design} # guess: {why}"
    for key, section in (
        ("response_mode", "response_modes"),
        ("country", "countries"),
        ("sector", "sectors"),
        ("role", "roles"),
        ("arrangement", "arrangements"),
    ):
        yield f"  {key}: {TODO} # one of {', '.join(vocabulary[section])}"
    yield "  provenance: observed # guess: whoever drafts a codebook has a real file"
    yield ""


def _file(codebook: Codebook, kind: str) -> Iterator[str]:
    yield "file:"
    yield f"  name: {_flow(codebook.file.name)}"
    yield f"  format: {kind}" + (
        " # a table of 1 and 0 for codes is a 'matrix'" if kind == "csv" else ""
    )
    if kind in _TEXTS:
        if codebook.file.encoding:
            yield f"  encoding: {codebook.file.encoding} # guess: the bytes are not UTF-8"
        yield f"  delimiter: {_flow(codebook.file.delimiter)}"
        if codebook.file.decimal != ".":
            yield f"  decimal: {_flow(codebook.file.decimal)} # guess: numbers like 1,5"


def _entry(column: _Column, vocabulary: Vocabulary) -> Iterator[str]:
    known = column.guess
    if column.title and column.title != column.name:
        yield _remark(column.title)
    yield f"- name: {_flow(column.name)}"
    yield f"  as: {known.role} # guess: {known.why}"
    labelled = {text: column.labels.get(text, "") for text in known.values}
    if known.role == "consent":
        yield f"  accept: [{_flow(_code(_first_yes(labelled)))}] # guess: check which means yes"
    elif known.role == "trait":
        yield f"  trait: {known.trait}"
        if known.trait != "tenure_yrs":
            yield from _mapped("values", labelled)
    elif known.role in ("country", "sector"):
        yield from _mapped("values", labelled)
    elif known.role == "factor":
        yield "  randomised: true # guess"
        yield f"  factors: # factors of the vocabulary: {', '.join(vocabulary['factors'])}"
        yield from (f"  {line}" for line in _mapped(TODO, labelled))
    elif known.role == "item":
        yield f"  construct: {TODO}"
        yield f"  min: {known.min:g} # guess"
        yield f"  max: {known.max:g} # guess"
        yield from _keying(column.keying)
        if labelled:
            yield from _mapped("values", labelled)
    if known.missing:
        yield "  missing: # guess: codes apart from the others, or labelled so"
        for code, reason in known.missing.items():
            asked = reason if reason in vocabulary["missing_reasons"] else TODO
            label = column.labels.get(code, "")
            yield f"    {_flow(_code(code))}: {asked}" + (f" {_remark(label)}" if label else "")


def _keying(keying: Keying | None) -> Iterator[str]:
    if keying is None:
        return
    numbers = (
        f"correlation with the other items of the block {keying.correlation:.2f} "
        f"(95 % interval {keying.low:.2f} to {keying.high:.2f}, n = {keying.people})"
    )
    if keying.reverse:
        yield f"  keying: reverse # guess: {numbers}; read the wording"
    elif keying.high < 0 or keying.correlation < 0:
        yield f"  # guess: positive keying, but {numbers}; read the wording"


def _first_yes(labelled: Mapping[str, str]) -> str:
    yes = re.compile(r"^(y|yes|ja|kyll.|true|agree|jeg samtykker.*|ja,.*)$", re.IGNORECASE)
    wanted = (text for text, label in labelled.items() if yes.match(label or text))
    return next(wanted, "1" if "1" in labelled else next(iter(labelled)))


def _mapped(key: str, labelled: Mapping[str, str]) -> Iterator[str]:
    """List raw values, each to be mapped, with the file's own labels beside them."""
    yield f"  {key}:"
    for text, label in labelled.items():
        yield f"    {_flow(_code(text))}: {TODO}" + (f" {_remark(label)}" if label else "")


def open_points(text: str) -> list[str]:
    """List the lines of a draft that a person has to decide, with their numbers.

    They name keys and no raw value.
    """
    points = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition(" #")[0].strip()
        if re.search(rf"\b{TODO}\b", said) and not said.startswith("#"):
            # A raw value may be a name; the list of points is printed, and kept in a log.
            known = re.match(r"(\w+): ", said) and said.partition(":")[0] in _KEYS
            points.append(f"line {number}: " + (said if known else f"a raw value: {TODO}"))
    return points


def main() -> None:
    """Draft the codebook of a study: the entry point of the rule ``codebook``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    usage = "snakemake codebook --config study=NAME file=PATH"
    if not _NAME.fullmatch(args.study):
        raise _refused(
            args.out,
            f"the study '{args.study}'" if args.study else "no study",
            "a name of small letters, digits and underscores, a letter first",
            usage,
        )
    if not args.file.is_file():
        found = f"no such file: {args.file}" if args.file.name else "no file"
        raise _refused(args.out, found, "a data file", usage, "missing-file")
    if args.out.exists():
        raise _refused(
            args.out,
            "a codebook that is there already",
            "no codebook: a draft never takes the place of one",
            "move it away first, or choose another study",
        )
    text = draft(args.study, args.file, vocabularies.load(args.vocabulary))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("x", encoding="utf-8") as stream:
        stream.write(text)
    points = open_points(text)
    inside = args.file.resolve().parent == args.out.resolve().parent
    print(f"Drafted {shown(args.out)} from {args.file}; {len(points)} points to decide:")
    print("\n".join(f"  {point}" for point in points))
    print("Next:")
    if not inside:
        print(f"  put {args.file.name} into {shown(args.out.parent)}/")
    print(f"  decide each TODO, and check each '# guess:', in {shown(args.out)}")
    print("  name the outcomes and exposures; docs/codebook.md describes every key")
    print(f"  write {shown(args.out.parent)}/README.md: where the data are from")
    print("  run: snakemake check --cores 2")


if __name__ == "__main__":
    run(main)
