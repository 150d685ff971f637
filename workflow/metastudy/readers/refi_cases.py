"""The units of a REFI-QDA project: cases or sources, with variables and sets as their attributes.

One row is a source of a case; where the codebook takes the case's name for the id, one row is a
case with all its sources. Whatever is coded and gets no row is named in the notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical
from metastudy.readers.raw import RawTable
from metastudy.readers.refi_selections import (
    PROJECT,
    child,
    children,
    guid,
    project_problem,
    tag,
)

__all__ = ["CASE", "OWN_NAMES", "Units", "units"]

CASE = "case"  # the name of the source's case
OWN_NAMES = ("guid", "name", CASE)  # that every source has, beside variables and sets
TEXTS = ("TextSource", "PDFSource")
_VALUED = re.compile(r"(?P<name>[^:]*\S[^:]*):\s*(?P<value>\S.*)")


@dataclass(frozen=True)
class Units:
    """The rows of a project, the rows of each source, and what got none."""

    table: RawTable
    rows: Mapping[str, list[int]]
    notes: list[str]


def units(
    codebook: Codebook, root: Element, sources: Mapping[str, Element], coded: Mapping[str, int]
) -> Units:
    """Make the table of units.

    Parameters
    ----------
    codebook : names the variables; with the id ``case`` each case is one row.
    root : the project.
    sources : by their GUIDs, in the project's order.
    coded : so many codings each source has.
    """
    cases = list(children(child(root, "Cases"), "Case"))
    notes: list[str] = []
    pairs = list(_pairs(cases, sources, coded, notes))
    if not pairs:
        pairs = [(None, one) for one, source in sources.items() if _is_unit(source, coded[one])]
        notes += [
            f"{_called(sources, one)} has neither text nor codings: it is no row"
            for one, source in sources.items()
            if not _is_unit(source, coded[one])
        ]
    else:
        notes += _outside(sources, coded, {one for _, one in pairs})
    variables = _variables(root)
    sets, more = _sets(root, set(variables.values()))
    notes += more
    used = set(codebook.used_names)
    problems: list[Problem] = []
    rows: list[dict[str, str]] = []
    owners: list[Element | None] = []
    for number, (case, one) in enumerate(pairs, start=1):
        source = sources.get(one)
        if source is None:
            found = f"the case {number} refers to no source ({one})"
            problems.append(project_problem(codebook, number, found))
            continue
        row = {"guid": one, "name": canonical(source.get("name"))}
        row[CASE] = canonical(case.get("name")) if case is not None else ""
        for trouble in _values(codebook, row, number, variables, (source, case)):
            if trouble.column in (PROJECT, *used):
                problems.append(replace(trouble, column=PROJECT))
            else:
                notes.append(f"{trouble.found}: the first counts, as nothing uses the variable")
        for name, members in sets.items():
            row[name] = "; ".join(sorted(v for v, of in members.items() if one in of)) or (
                "0" if list(members) == ["1"] else ""
            )
        rows.append(row)
        owners.append(case)
    problems += _twice(codebook, root)
    if problems:
        raise BadInput(problems)
    names = tuple(dict.fromkeys([*OWN_NAMES, *variables.values(), *sets]))
    identity = codebook.only("id")
    by_case = identity is not None and identity.name == CASE and bool(cases)
    several = [c for c in dict.fromkeys(owners) if c is not None and owners.count(c) > 1]
    places = list(range(len(rows)))
    if by_case:
        different = list(dict.fromkeys(owners))
        places = [different.index(owner) for owner in owners]
        rows = _joined(codebook, rows, places, names)
    elif several:
        spelt = ", ".join(f"case {cases.index(c) + 1}" for c in several)
        notes.append(
            f"{spelt}: several sources, each a row of its own; with the variable '{CASE}' as id "
            "a case is one row"
        )
    positions: dict[str, list[int]] = {}
    for (_, one), place in zip(pairs, places, strict=True):
        if place not in positions.setdefault(one, []):
            positions[one].append(place)
    notes += [
        f"{_called(sources, one)} is in {len(of)} cases: its codings count in each"
        for one, of in positions.items()
        if len(of) > 1
    ]
    data = pd.DataFrame(rows, columns=list(names), dtype="str").fillna("")
    table = RawTable(
        data=data[[name for name in codebook.used_names if name in data]],
        rows=np.arange(1, len(data) + 1),
        names=names,
    )
    return Units(table, positions, notes)


def _pairs(
    cases: list[Element],
    sources: Mapping[str, Element],
    coded: Mapping[str, int],
    notes: list[str],
) -> Iterator[tuple[Element | None, str]]:
    """Give each case with each of its sources; beside others, none that holds nothing to code."""
    for number, case in enumerate(cases, start=1):
        references = list(children(case, "SourceRef"))
        if not references:
            others = sorted({tag(one) for one in children(case, "CodeRef", "SelectionRef")})
            why = f"is made of {' and '.join(others)}" if others else "has no source"
            notes.append(f"case {number} {why}, so it is no row; only whole sources of cases are")
        mine = list(dict.fromkeys(guid(reference, "targetGUID") for reference in references))
        empty = [one for one in mine if one in sources and not _is_unit(sources[one], coded[one])]
        if len(empty) < len(mine):
            notes += [
                f"{_called(sources, one)} of case {number} has neither text nor codings: no row"
                for one in empty
            ]
            mine = [one for one in mine if one not in empty]
        for one in mine:
            yield case, one


def _is_unit(source: Element, codings: int) -> bool:
    return tag(source) in TEXTS or codings > 0 or child(source, "Transcript") is not None


def _called(sources: Mapping[str, Element], one: str) -> str:
    """Call a source by its place and kind: its own name may be a person's."""
    return f"source {list(sources).index(one) + 1} ({tag(sources[one])})"


def _outside(
    sources: Mapping[str, Element], coded: Mapping[str, int], within: set[str]
) -> Iterator[str]:
    for one, source in sources.items():
        if one not in within and (coded[one] or tag(source) in TEXTS):
            count = f"its {coded[one]} codings are" if coded[one] != 1 else "its coding is"
            yield f"{_called(sources, one)} is in no case: {count} left out"


def _variables(root: Element) -> dict[str, str]:
    """The names of variables; those of one name are told apart by their order."""
    listed = [
        (guid(one), name_of(one.get("name", "")))
        for one in children(child(root, "Variables"), "Variable")
    ]
    counts = Counter(name for _, name in listed)
    seen: Counter[str] = Counter()
    names = {}
    for one, name in listed:
        seen[name] += 1
        names[one] = f"{name} ({seen[name]})" if counts[name] > 1 else name
        names[one] += " (variable)" if names[one] in OWN_NAMES else ""
    return names


def _twice(codebook: Codebook, root: Element) -> Iterator[Problem]:
    counts = Counter(
        name_of(one.get("name", "")) for one in children(child(root, "Variables"), "Variable")
    )
    for name in codebook.named:
        if counts[name] > 1:
            apart = " or ".join(f"'{name} ({k + 1})'" for k in range(counts[name]))
            yield project_problem(
                codebook,
                None,
                f"{counts[name]} variables called '{name}'",
                "one variable for each name that is used",
                f"write {apart} in the codebook, as they follow each other in the project",
            )


def _sets(root: Element, taken: set[str]) -> tuple[dict[str, dict[str, set[str]]], list[str]]:
    """Attributes from sets of sources: by name, for each value the sources that have it.

    ``role: staff`` is the value staff of role; any other set is 1 for its members and 0 for others.
    """
    found: dict[str, dict[str, set[str]]] = {}
    notes = []
    for number, one in enumerate(children(child(root, "Sets"), "Set"), start=1):
        members = {guid(member, "targetGUID") for member in children(one, "MemberSource")}
        spelt = name_of(one.get("name", ""))
        if not members:
            notes.append(f"set {number} holds no sources: it is not read")
            continue
        valued = _VALUED.fullmatch(spelt)
        name, value = (valued["name"].strip(), valued["value"]) if valued else (spelt, "1")
        name += " (set)" if name in taken or name in OWN_NAMES else ""
        found.setdefault(name, {}).setdefault(canonical(value), set()).update(members)
    return found, notes


def _values(
    codebook: Codebook,
    row: dict[str, str],
    number: int,
    names: Mapping[str, str],
    holders: tuple[Element | None, ...],
) -> Iterator[Problem]:
    """Put the values of a source and its case into a row; a problem has the variable as column."""
    for holder in holders:
        for value in children(holder, "VariableValue"):
            name = names.get(guid(child(value, "VariableRef"), "targetGUID"))
            content = next((one for one in value if tag(one) != "VariableRef"), None)
            if name is None:
                found = f"a value of no variable, case {number}"
                yield project_problem(codebook, number, found)
            elif content is not None and content.text:
                text = canonical(content.text)
                if row.setdefault(name, text) != text:
                    problem = project_problem(
                        codebook,
                        number,
                        f"two values of the variable '{name}', case {number}",
                        "one value of a variable for a source and its case",
                        "correct one of them in the program that made it, and export it again",
                    )
                    yield replace(problem, column=name)


def _joined(
    codebook: Codebook, rows: list[dict[str, str]], places: list[int], names: tuple[str, ...]
) -> list[dict[str, str]]:
    """Make one row of the rows of a case; what its sources have of their own is listed."""
    found: list[dict[str, str]] = []
    problems = []
    used = set(codebook.used_names)
    for place in dict.fromkeys(places):
        mine = [row for row, at in zip(rows, places, strict=True) if at == place]
        joined = {}
        for name in names:
            texts = list(dict.fromkeys(row.get(name, "") for row in mine))
            given = [text for text in texts if text]
            if len(given) > 1 and name in used and name not in OWN_NAMES:
                problems.append(
                    project_problem(
                        codebook,
                        place + 1,
                        f"{len(given)} values of '{name}' for the sources of case {place + 1}",
                        "one value, as a case is one row here",
                        f"correct the project, or take '{names[1]}' for the id: then each source "
                        "is a row",
                    )
                )
            joined[name] = "; ".join(given)
        found.append(joined)
    if problems:
        raise BadInput(problems)
    return found
