"""Draft a codebook from a data file: what can be guessed is marked as a guess."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown
from metastudy.drafting import arms, findings, probe, segments
from metastudy.drafting import columns as drafting_columns
from metastudy.drafting.keying import Keying
from metastudy.drafting.roles import TODO
from metastudy.drafting.spelling import file_lines, flow, opening, raw_code, remark
from metastudy.readers.raw import RawProject

__all__ = ["NAME", "draft", "open_points", "refused"]

NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {"title", "citation", "response_mode", "country", "sector", "role", "arrangement"}
_KEYS |= {"as", "cases", "separator", "construct", "ids", "item", "decimal", "accept"}
_KEYS |= {
    "design",
    "randomised",
    "clustered",
    "outcomes",
    "factor",
    "type",
    "min",
    "max",
    *findings.CONSTANTS,
    *findings.OF_ESTIMATES,
}
LEFT_OUT = "or take the line out: it is not said"
NONE_YET = "none yet: add one to the vocabulary, in its file or in a section `vocabulary:` here"


def refused(path: Path, found: str, expected: str, fix: str, code: str = "draft") -> BadInput:
    """The error that refuses a draft: what was found, what was expected, and how to fix it."""
    return BadInput(Problem(file=shown(path), found=found, expected=expected, fix=fix, code=code))


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
    on, and where a person has to decide is ``TODO``.

    Raises
    ------
    BadInput
        What the reader of the file's format refuses.
    """
    codebook, raw = probe.read(probe.opened(study, path, vocabulary))
    table = raw.cases if isinstance(raw, RawProject) else raw
    known = findings.fields(table.names)
    if not isinstance(raw, RawProject) and known and drafting_columns.plausible(table, known):
        return findings.draft(study, path.name, codebook, table, known, vocabulary)
    of_arms = arms.parts(table.names)
    numbers = {name: part.role for name, part in of_arms.items()}
    if not isinstance(raw, RawProject) and of_arms and drafting_columns.plausible(table, numbers):
        head = _head(study, {"factor", "arm"}, False, vocabulary)
        return arms.draft(path.name, codebook, table, of_arms, head, vocabulary)
    if not isinstance(raw, RawProject) and (roles := segments.roles(table.names)):
        head = _head(study, (), True, vocabulary)
        return segments.draft(path.name, codebook, table, roles, head, vocabulary)
    columns = drafting_columns.columns(codebook, table)
    effects = {} if isinstance(raw, RawProject) else findings.perhaps(table.names)
    if not drafting_columns.plausible(table, effects):
        effects = {}
    lines = [
        *opening(
            f"{path.name}: {len(table.data)} rows, {len(table.names)} columns",
            "docs/codebook.md has all keys",
        ),
        *_head(
            study, {c.guess.role for c in columns}, isinstance(raw, RawProject), vocabulary, effects
        ),
        *file_lines(codebook),
        *([] if isinstance(raw, RawProject) else _without_id(columns)),
        "",
        "variables:",
        f"  # constructs: {', '.join(vocabulary['constructs']) or NONE_YET}",
    ]
    twice = [name for name in dict.fromkeys(table.names) if table.names.count(name) > 1]
    lines += [f"  {remark(f'several columns are called {name}: rename them')}" for name in twice]
    for column in columns:
        lines += (f"  {line}" for line in _entry(column, vocabulary, effects.get(column.name, "")))
    for name in (one for one in dict.fromkeys(table.names) if one not in table.data):
        if name not in twice and not isinstance(raw, RawProject):
            lines += [f"  - name: {flow(name)}", "    as: ignore # guess: it cannot be read"]
    if isinstance(raw, RawProject):
        lines += ["", f"codes: # codes of the vocabulary: {', '.join(vocabulary['codes'])}"]
        branches = {way[:-1] for way in raw.codes.values()}
        applied = set(raw.codings["code"])
        leaves = [way for one, way in raw.codes.items() if way not in branches or one in applied]
        ends = [way[-1] for way in leaves]
        spelt = (way[-1] if ends.count(way[-1]) == 1 else "/".join(way) for way in leaves)
        lines += [f"  {flow(name)}: {TODO}" for name in dict.fromkeys(spelt)]
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
    study: str,
    roles: Collection[str],
    coded: bool,
    vocabulary: Vocabulary,
    effects: Collection[str] = (),
) -> Iterator[str]:
    """The study. ``effects`` are columns that may be estimates and their errors, or answers."""
    if coded:
        design, why = "interviews", "coded texts; or cases"
    elif "factor" in roles:
        design, why = "experiment", "a column looks like a condition"
    else:
        design, why = "survey", "no column looks like a condition"
    yield "study:"
    yield f"  id: {study}"
    yield f"  title: {TODO}"
    yield f"  citation: {TODO} # key in manuscript/references.bib"
    if effects:
        yield f"  design: {TODO} # {design}; or published, if {' and '.join(effects)} are an effect"
        yield "  # and its error: docs/published_effects.md has the forms of effects"
    else:
        yield f"  design: {design} # guess: {why}"
    for key, section in (
        ("response_mode", "response_modes"),
        ("country", "countries"),
        ("sector", "sectors"),
        ("role", "roles"),
        ("arrangement", "arrangements"),
    ):
        known = ", ".join(vocabulary[section])
        free = "" if key == "response_mode" else f"; {LEFT_OUT}"
        yield f"  {key}: {TODO} # {f'one of {known}' if known else NONE_YET}{free}"
    yield "  provenance: observed # guess: whoever drafts a codebook has a real file"
    if "arm" in roles:
        yield f"  clustered: {TODO} # true or false: whether groups were assigned or drawn"
    yield ""


def _without_id(columns: Iterable[drafting_columns.Column]) -> Iterator[str]:
    if not any(column.guess.role == "id" for column in columns):
        yield (
            f"  ids: {TODO} # no column seems to be an id: 'row_numbers' if each row is another "
            "person or case;"
        )
        yield "  # else take this line out and write 'as: id' at the column that tells rows apart"


def _entry(
    column: drafting_columns.Column, vocabulary: Vocabulary, field: str = ""
) -> Iterator[str]:
    """What is said of a column; ``field`` is what it may be of an effect."""
    known = column.guess
    if column.title and column.title != column.name:
        yield remark(column.title)
    yield f"- name: {flow(column.name)}"
    if field:
        yield f"  as: {TODO} # {known.role}, by its values; or finding, with field: {field}"
        return
    yield f"  as: {known.role} # guess: {known.why}"
    labelled = {text: column.labels.get(text, "") for text in known.values}
    if known.role == "consent":
        yes = _first_yes(labelled)
        yield (
            f"  accept: [{flow(raw_code(yes))}] # guess: check which means yes"
            if yes
            else f"  accept: {TODO} # which means yes, as a list, of: {', '.join(labelled)}"
        )
    elif known.role == "trait":
        yield f"  trait: {known.trait}"
        if known.trait != "tenure_yrs":
            yield from _mapped("values", labelled)
    elif known.role in ("country", "sector"):
        yield from _mapped("values", labelled)
    elif known.role == "factor":
        yield f"  randomised: {TODO} # true or false: whether chance assigned it"
        yield f"  factors: # factors of the vocabulary: {', '.join(vocabulary['factors'])}"
        yield from (f"  {line}" for line in _mapped(TODO, labelled))
    elif known.role == "item":
        yield f"  construct: {TODO}"
        yield from _copy(column)
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
            yield f"    {flow(raw_code(code))}: {asked}" + (f" {remark(label)}" if label else "")


def _copy(column: drafting_columns.Column) -> Iterator[str]:
    """Say what may be one question in several columns; it is asked where the question is there."""
    if column.copy is None:
        return
    of = f"nobody answered both this and {column.copy.of}"
    if column.copy.same_question:
        yield f"  item: {TODO} {remark(f'{of}, the same question: one name for all its copies;')}"
        yield "  # else take this line out"
    else:
        yield f"  {remark(f'{of}: if they are copies of one question, item: NAME at both')}"


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
    """Give the value that says yes, or 1 where nothing else or 0 is beside it; else nothing."""
    yes = re.compile(r"^(y|yes|ja|kyll.|true|agree|jeg samtykker.*|ja,.*)$", re.IGNORECASE)
    wanted = (text for text, label in labelled.items() if yes.match(label or text))
    plain = "1" if set(labelled) <= {"0", "1"} and "1" in labelled else ""
    return next(wanted, plain)


def _mapped(key: str, labelled: Mapping[str, str]) -> Iterator[str]:
    """List raw values, each to be mapped, with the file's own labels beside them."""
    yield f"  {key}:"
    for text, label in labelled.items():
        yield f"    {flow(raw_code(text))}: {TODO}" + (f" {remark(label)}" if label else "")


def open_points(text: str) -> list[str]:
    """List the lines of a draft that a person has to decide, with their numbers.

    They name keys and no raw value.
    """
    points = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition(" #")[0].strip().removeprefix("- ")
        if re.search(rf"\b{TODO}\b", said) and not said.startswith("#"):
            # A raw value may be a name; the list of points is printed, and kept in a log.
            known = re.match(r"(\w+): ", said) and said.partition(":")[0] in _KEYS
            points.append(f"line {number}: " + (said if known else f"a raw value: {TODO}"))
    return points
