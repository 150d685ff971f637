"""Checks of the variables of a codebook: their keys, values, bounds and missing codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.checks.shape import Sound, finding_fields, role_keys
from metastudy.codebook.checks.terms import (
    ANY_ROLE,
    FIELD_OPTIONS,
    FIELD_SECTIONS,
    IGNORE,
    NEEDED_FIELDS,
    OF_OUTCOME,
    PLACE_SECTIONS,
    PUBLISHED_ROLES,
    ROLE_DESIGNS,
    SIGNED_FIELDS,
    SINGLE,
    known_terms,
    listed,
)
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.text import canonical, did_you_mean, numeral, shown
from metastudy.common.yaml_document import Document

__all__ = ["finding_problems", "variable_problems"]


def variable_problems(
    document: Document, sound: Sound, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """Check each variable: names, keys that its role needs or allows, design, content."""
    names: dict[str, int] = {}
    singles: dict[str, str] = {}
    others: dict[str, str] = {}  # traits, dimensions and fields
    scales: dict[tuple[Any, ...], tuple[Any, Any]] = {}  # of the copies of an item
    below = any(sound.variables("outcome"))  # a row is an outcome of an arm
    design = sound.study().get("design")
    file = sound.raw["file"] if sound.section("file") else {}
    form = file.get("format") or ("segments" if any(sound.variables("code")) else None)
    for place, entry in sound.variables():
        name, role = entry["name"], entry["as"]
        if name in names:
            yield document.problem(
                (*place, "name"),
                f"'{name}' a second time (first on line {names[name]})",
                "each raw variable once; one `factor` may carry several factors",
            )
        names.setdefault(name, document.line((*place, "name")))
        own = [entry.get(key) for key in ("trait", "dimension", "field")]
        own += [f"{k} {entry[k]}" for k in ("moderator", "nesting") if k in entry]
        of_arm = f"{role} of {entry['arm']}" if "arm" in entry else role
        pairs = [(of_arm, singles, role in SINGLE), *((one, others, True) for one in own)]
        for key, taken, rule in pairs:
            if key and rule and taken.setdefault(key, name) != name:
                yield document.problem(
                    (*place, "as"),
                    f"'{key}' a second time ('{taken[key]}' is it already)",
                    f"at most one variable for '{key}'",
                )
        copied = (entry.get("construct"), entry.get("vignette"), entry.get("item"))
        scale = (entry.get("min"), entry.get("max"))
        if copied[-1] and scales.setdefault(copied, scale) != scale:
            yield document.problem(
                (*place, "item"),
                f"'{name}' from {scale[0]} to {scale[1]}, and another copy of the item "
                f"'{copied[-1]}' from {scales[copied][0]} to {scales[copied][1]}",
                "the same bounds for all copies of an item",
            )
        needed, allowed = role_keys()[role]
        if below and role in OF_OUTCOME:  # they are in `scales`
            needed, allowed = (), tuple(key for key in allowed if key == "arm")
        for key in needed:
            if key not in entry:
                yield document.problem(
                    (*place, key),
                    f"no '{key}' for '{name}'",
                    f"'{key}' is needed with 'as: {role}'",
                )
        for key in entry:
            if key not in (*ANY_ROLE, *needed, *allowed):
                yield document.problem(
                    (*place, key),
                    f"'{key}' for '{name}', which is '{role}'",
                    f"with 'as: {role}' only {listed((*ANY_ROLE, *needed, *allowed))}",
                )
        wrong_design = design and (
            design not in ROLE_DESIGNS.get(role, (design,))
            or (design == "published" and role not in PUBLISHED_ROLES)
        )
        if wrong_design:
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' for '{name}' with design '{design}'",
                f"with design published only {listed(PUBLISHED_ROLES)}"
                if design == "published"
                else f"'as: {role}' with design {listed(ROLE_DESIGNS[role])} only",
            )
        elif file and (
            (role == "coder" and form not in ("matrix", "segments"))
            or (role == "coders" and form not in (None, "qdpx", "segments"))
        ):
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' with format '{file.get('format', 'not declared')}'",
                "'as: coder' with format matrix or segments, 'as: coders' with qdpx or segments",
            )
        yield from _content_problems(document, vocabulary, place, entry)
    numbered = "ids" in file
    clash = next((one for one in ("id", "coder") if numbered and one in singles), None)
    if sound.complete("variables") and "id" not in singles and not numbered:
        yield document.problem(
            ("variables",),
            "no variable with 'as: id'",
            "exactly one variable with 'as: id', or 'ids: row_numbers' under 'file'",
            "name the variable that tells rows apart; if the file has none, and each row is "
            f"another person, add 'ids: row_numbers' under 'file' in {shown(document.path)}",
        )
    if clash:
        yield document.problem(
            ("file", "ids"),
            f"'ids: row_numbers' beside '{singles[clash]}', which is '{clash}'",
            "row numbers only where no variable tells rows apart, and no row has a coder",
            f"take one of the two out of {shown(document.path)}",
        )


def _content_problems(
    document: Document,
    vocabulary: Vocabulary,
    place: tuple[str | int, ...],
    entry: Mapping[str, Any],
) -> Iterator[Problem]:
    """Check what one variable says: names of the vocabulary, bounds, codes."""
    for key, section in (
        ("construct", "constructs"),
        ("vignette", "vignettes"),
        ("dimension", "dimensions"),
        ("moderator", "moderators"),
    ):
        if key in entry:
            yield from known_terms(document, vocabulary, section, entry[key], (*place, key))
    for raw, scale in entry.get("scales", {}).items():
        spot = (*place, "scales", raw)
        construct = scale.get("construct")
        yield from known_terms(document, vocabulary, "constructs", construct, (*spot, "construct"))
        low, high = scale.get("min"), scale.get("max")
        if low is not None and high is not None and low >= high:
            yield document.problem((*spot, "min"), f"min {low}, max {high}", "min below max")
    for factor, level in entry.get("arm", {}).items():
        yield from _level_problems(document, vocabulary, (*place, "arm"), factor, {factor: level})
    for raw, reason in entry.get("missing", {}).items():
        yield from known_terms(
            document, vocabulary, "missing_reasons", reason, (*place, "missing", raw)
        )
    for factor, levels in entry.get("factors", {}).items():
        spot = (*place, "factors", factor)
        yield from _level_problems(document, vocabulary, spot, factor, levels)
    spots = [("missing",), ("values",), *(("factors", one) for one in entry.get("factors", {}))]
    for keys in spots:
        mapping: Any = entry
        for part in keys:
            mapping = mapping.get(part, {})
        seen: dict[str, str] = {}
        for raw in mapping:
            other = seen.setdefault(canonical(raw), raw)
            if other != raw:
                yield document.problem(
                    (*place, *keys, raw), f"'{other}' and '{raw}', the same raw value", "it once"
                )
    both = {canonical(raw) for raw in entry.get("values", {})}
    for raw in entry.get("missing", {}):
        if canonical(raw) in both:
            yield document.problem(
                (*place, "missing", raw),
                f"'{raw}' both as a value and as missing",
                "a raw code in one of 'values' and 'missing'",
            )
    low, high = entry.get("min"), entry.get("max")
    if low is not None and high is not None:
        if low >= high:
            yield document.problem((*place, "min"), f"min {low}, max {high}", "min below max")
        for raw, value in entry.get("values", {}).items():
            number = value if not isinstance(value, bool | str) else None
            if number is None or not low <= number <= high:
                yield document.problem(
                    (*place, "values", raw), f"{value!r}", f"a number from {low} to {high}"
                )
        for raw in entry.get("missing", {}):
            number = numeral(canonical(raw))
            if "values" not in entry and number is not None and low <= number <= high:
                yield document.problem(
                    (*place, "missing", raw),
                    f"'{raw}' as missing, on a scale from {low} to {high}",
                    "a missing code outside the scale",
                    "correct the bounds or the missing codes; if the code really lies inside the "
                    "scale, list the answers under 'values'",
                )
    yield from _value_problems(document, vocabulary, place, entry)


def _level_problems(
    document: Document,
    vocabulary: Vocabulary,
    spot: tuple[str | int, ...],
    factor: str,
    levels: Mapping[str, str],
) -> Iterator[Problem]:
    """Check that a factor is known, and its levels are; each by its raw name below ``spot``."""
    unknown = list(known_terms(document, vocabulary, "factors", factor, spot))
    yield from unknown
    known = () if unknown else vocabulary.levels(factor)
    for raw, level in levels.items():
        if known and level not in known:
            yield document.problem(
                (*spot, raw),
                f"the level '{level}'.{did_you_mean(level, known)}",
                f"a level of '{factor}': {listed(known)}",
            )


def _value_problems(
    document: Document,
    vocabulary: Vocabulary,
    place: tuple[str | int, ...],
    entry: Mapping[str, Any],
) -> Iterator[Problem]:
    """Check what the values of a variable that is no item are mapped to."""
    role, values, aim = entry["as"], entry.get("values", {}), entry.get("field")
    section = FIELD_SECTIONS.get(str(aim)) if role == "finding" else PLACE_SECTIONS.get(role)
    for raw, value in values.items():
        spot = (*place, "values", raw)
        if section:
            yield from known_terms(document, vocabulary, section, str(value), spot)
        elif role == "rating" and str(value) not in vocabularies.POLES:
            yield document.problem(spot, f"{value!r}", f"one of {listed(vocabularies.POLES)}")
        elif aim in FIELD_OPTIONS and value not in FIELD_OPTIONS[aim]:
            options = FIELD_OPTIONS[aim]
            yield document.problem(
                spot, f"'{value}'.{did_you_mean(str(value), options)}", f"one of {listed(options)}"
            )
    if role == "trait" and not values and entry.get("trait") not in (None, "tenure_yrs"):
        yield document.problem(
            (*place, "values"),
            f"no 'values' for '{entry['name']}', the trait '{entry['trait']}'",
            "each raw value with what it means, so that no free text leaves the raw data",
            f"add 'values' on line {document.line(place)} of {shown(document.path)}, or declare "
            f"the variable with 'as: {IGNORE}'",
            code="free-text",
        )


def finding_problems(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that published findings have all that a finding needs, in a column or as a constant."""
    constants = dict(sound.entries("constants"))
    if constants and sound.study().get("design", "published") != "published":
        yield document.problem(("constants",), "'constants'", "it with design published only")
    if sound.study().get("design") != "published" or not sound.complete("variables"):
        return
    given = {entry.get("field"): place for place, entry in sound.variables("finding")}
    for place, value in constants.items():
        name = str(place[1])
        if name in given:
            yield document.problem(
                place,
                f"'{name}', which has a column too (line {document.line(given[name])})",
                "a column, or the constant",
            )
        if name not in finding_fields() or name == "finding":
            yield document.problem(
                place,
                f"'{name}'.{did_you_mean(name, finding_fields())}",
                f"a field of a finding: {listed(finding_fields()[1:])}",
            )
        elif section := FIELD_SECTIONS.get(name):
            yield from known_terms(document, vocabulary, section, str(value), place)
        elif name in FIELD_OPTIONS and value not in FIELD_OPTIONS[name]:
            options = FIELD_OPTIONS[name]
            yield document.problem(
                place, f"'{value}'.{did_you_mean(str(value), options)}", f"one of {listed(options)}"
            )
    known = {*given, *(str(place[1]) for place in constants)}
    if known.intersection(SIGNED_FIELDS):
        known.add("direction")
    for name in NEEDED_FIELDS:
        if name not in known:
            yield document.problem(
                ("variables",),
                f"no variable with 'field: {name}'",
                f"with design published a variable for each of {listed(NEEDED_FIELDS)}, or a "
                "constant where all findings have the same"
                + ("; or an effect, of which the direction is computed" * (name == "direction")),
            )
