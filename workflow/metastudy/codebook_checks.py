"""What a codebook must say and may not say: its shape, its names, its agreement with itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from metastudy import vocabulary as vocabularies
from metastudy.errors import Problem
from metastudy.texts import Document, canonical, did_you_mean, numeral, read_yaml, shown
from metastudy.vocabulary import Vocabulary

__all__ = ["DESIGN_BASED", "IGNORE", "NO_CONSENT", "SCHEMA", "check"]

__resources__ = ("../schemas/codebook.schema.yaml",)

SCHEMA = Path(__file__).parents[1] / "schemas" / "codebook.schema.yaml"

IGNORE = "ignore"
NO_CONSENT = "no_consent"  # the rule that the consent variable stands for

_ANY_ROLE = ("name", "as", "note")
_SINGLE = (
    *("id", "consent", "site", "cluster", "country", "sector", "arrangement", "role"),
    *("coders", "coder", "weight"),
)
_PLACE_SECTIONS = {
    "country": "countries",
    "sector": "sectors",
    "arrangement": "arrangements",
    "role": "roles",
}
_CODED_DESIGNS = ("interviews", "cases")
_CODED_FORMATS = ("qdpx", "matrix")
_KEYS_OF_FORMATS = {  # keys of `file`, and the formats in which they mean something
    "encoding": ("csv", "qualtrics", "matrix", "sav", "dta"),
    "delimiter": ("csv", "qualtrics", "matrix"),
    "sheet": ("xlsx",),
}
# Kinds of variable that go with some designs only.
_ROLE_DESIGNS = {"finding": ("published",), "rating": _CODED_DESIGNS, "coder": _CODED_DESIGNS}
_PUBLISHED_ROLES = ("id", "finding", IGNORE)
_NEEDED_FIELDS = ("citation", "contrast", "exposure_type", "outcome", "direction", "verification")
_FIELD_SECTIONS = {
    "exposure_type": "exposure_types",
    "response_mode": "response_modes",
    "vignette": "vignettes",
    "family": "families",
    "role": "roles",
    "country": "countries",
    "sector": "sectors",
}
_FIELD_OPTIONS = {
    "direction": vocabularies.DIRECTIONS,
    "term": vocabularies.TERMS,
    "metric": vocabularies.METRICS,
    "verification": vocabularies.VERIFICATIONS,
}
_MARKS = ("below_share_of_median", "constant_over", "keep")
_ATTRIBUTE_TYPES = {"arrangement": "organisational", "role": "measured", "sector": "measured"}
DESIGN_BASED = "design_based"
_ACTIONS = ("drop", "keep", "duplicates", "unanswered")


def check(document: Document, vocabulary: Vocabulary) -> tuple[Vocabulary, list[Problem]]:
    """Check a codebook against the schema, the vocabulary and itself.

    Parameters
    ----------
    document : the codebook as it was read.
    vocabulary : the common vocabulary.

    Returns
    -------
    The vocabulary with the study's additions, and every problem found. Where the shape is wrong,
    only what is sound around it is checked further, so no mistake is reported twice.
    """
    raw = document.data if isinstance(document.data, dict) else {}
    errors = list(_schema().iter_errors(document.data))
    problems = [problem for error in errors for problem in _from_schema(document, error)]
    sound = _Sound(raw, {tuple(error.absolute_path)[:2] for error in errors})
    additions = raw.get("vocabulary") if sound.section("vocabulary") else None
    vocabulary, more = vocabularies.extend(vocabulary, document, additions)
    problems += more
    parts = (_study_problems, _variable_problems, _finding_problems, _rule_problems)
    for part in (*parts, _quality_problems, _weight_problems, _use_problems):
        problems += part(document, sound, vocabulary)
    study = document.path.resolve().parent.name
    return vocabulary, [replace(problem, study=study) for problem in problems]


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(read_yaml(SCHEMA).data)


@cache
def _role_keys() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each kind of variable the keys that it needs, and those it may have besides."""
    schema: Any = _schema().schema
    entry = schema["properties"]["variables"]["items"]["properties"]

    def keys(role: str, mark: str) -> tuple[str, ...]:
        return tuple(key for key, of in entry.items() if role in of.get(mark, ()))

    return {
        role: (keys(role, "x-needed-with"), keys(role, "x-allowed-with"))
        for role in entry["as"]["enum"]
    }


def _from_schema(document: Document, error: ValidationError) -> Iterator[Problem]:
    place = tuple(error.absolute_path)
    value: Any = error.instance
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in value:
            if key not in known:
                yield document.problem(
                    (*place, key),
                    f"the key '{key}'.{did_you_mean(key, known)}",
                    f"one of {', '.join(known)}",
                )
        return
    if error.validator == "required":
        key = error.message.split("'")[1]
        yield document.problem((*place, key), f"no '{key}'", f"'{key}' is needed here")
        return
    description = schema.get("description", "")
    found = f"{value!r}" if len(f"{value!r}") <= 60 else f"{value!r}"[:57] + "..."
    if error.validator == "enum":
        options = [str(option) for option in schema["enum"]]
        near = did_you_mean(str(value), options)
        yield document.problem(
            place, found + (f".{near}" if near else ""), f"one of {_listed(options)}"
        )
        return
    wanted = {
        "type": lambda limit: f"a value of type {_listed([limit] if _is_text(limit) else limit)}",
        "pattern": lambda limit: f"a text like {limit}",
        "minItems": lambda limit: f"at least {limit} in the list",
        "minProperties": lambda limit: f"at least {limit} entry",
        "minLength": lambda limit: f"at least {limit} character",
        "maxLength": lambda limit: f"at most {limit} character",
        "uniqueItems": lambda _: "each value once",
    }.get(str(error.validator), lambda _: error.message)(error.validator_value)
    yield document.problem(place, found, wanted + (f" ({description})" if description else ""))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))


@dataclass(frozen=True)
class _Sound:
    """The parts of a raw codebook that have the right shape, so that the rest can be checked."""

    raw: Mapping[str, Any]
    wrong: set[tuple[str | int, ...]]

    def section(self, name: str) -> bool:
        return name in self.raw and not any(place[:1] == (name,) for place in self.wrong)

    def study(self) -> Mapping[str, Any]:
        return self.raw["study"] if self.section("study") else {}

    def entries(self, name: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """Give place and content of each well-shaped entry of a list or mapping."""
        section = self.raw.get(name)
        if isinstance(section, list):
            pairs: Any = enumerate(section)
        else:
            pairs = section.items() if isinstance(section, dict) else ()
        for key, entry in pairs:
            if not {(name,), (name, key)} & self.wrong:
                yield (name, key), entry

    def complete(self, name: str) -> bool:
        return all(place[:1] != (name,) for place in self.wrong)

    def variables(self, *roles: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
        for place, entry in self.entries("variables"):
            if not roles or entry["as"] in roles:
                yield place, entry


def _known(
    document: Document,
    vocabulary: Vocabulary,
    section: str,
    value: str,
    place: tuple[str | int, ...],
    code: str = "codebook",
) -> Iterator[Problem]:
    if value not in vocabulary[section]:
        yield document.problem(
            place,
            f"'{value}'.{did_you_mean(value, vocabulary[section])}",
            f"an entry of the vocabulary's {section}: {_listed(vocabulary[section])}",
            f"correct line {document.line(place)} of {shown(document.path)}, or define '{value}' "
            f"under vocabulary.{section} there",
            code=code,
        )


def _study_problems(document: Document, sound: _Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    study = sound.study()
    for key, section in {**_PLACE_SECTIONS, "response_mode": "response_modes"}.items():
        if key in study:
            yield from _known(document, vocabulary, section, study[key], ("study", key))
    folder = document.path.resolve().parent.name
    if study and study["id"] != folder:
        yield document.problem(
            ("study", "id"), f"'{study['id']}'", f"'{folder}', the name of the study's folder"
        )
    yield from _form_problems(document, sound)
    if sound.section("codes"):
        for place, code in sound.entries("codes"):
            if code != IGNORE:
                yield from _known(document, vocabulary, "codes", code, place)


def _form_problems(document: Document, sound: _Sound) -> Iterator[Problem]:
    """Check that design, format and codes go together."""
    file = sound.raw["file"] if sound.section("file") else {}
    form, design = file.get("format"), sound.study().get("design")
    for key, formats in _KEYS_OF_FORMATS.items():
        if form and key in file and form not in formats:
            yield document.problem(
                ("file", key),
                f"'{key}' with format '{form}'",
                f"'{key}' with format {_listed(formats)} only",
            )
    if not design:
        return
    coded = "codes" in sound.raw
    if form in _CODED_FORMATS and design not in _CODED_DESIGNS:
        yield document.problem(
            ("file", "format"),
            f"format '{form}' with design '{design}'",
            f"format {_listed(_CODED_FORMATS)} with design {_listed(_CODED_DESIGNS)} only",
        )
    elif form and form not in _CODED_FORMATS and (design == "interviews" or coded):
        yield document.problem(
            ("file", "format"),
            f"format '{form}' with " + ("'codes'" if coded else f"design '{design}'"),
            f"format {_listed(_CODED_FORMATS)} for coded sources",
        )
    if not coded and (design == "interviews" or form in _CODED_FORMATS):
        yield document.problem(
            ("codes",), "no 'codes'", "the codes of the project file or matrix, mapped"
        )
    if coded and design not in _CODED_DESIGNS:
        yield document.problem(
            ("codes",), "'codes'", f"codes with design {_listed(_CODED_DESIGNS)} only"
        )


def _variable_problems(
    document: Document, sound: _Sound, vocabulary: Vocabulary
) -> Iterator[Problem]:
    names: dict[str, int] = {}
    singles: dict[str, str] = {}
    others: dict[str, str] = {}  # traits, dimensions and fields
    design = sound.study().get("design")
    file = sound.raw["file"] if sound.section("file") else {}
    for place, entry in sound.variables():
        name, role = entry["name"], entry["as"]
        if name in names:
            yield document.problem(
                (*place, "name"),
                f"'{name}' a second time (first on line {names[name]})",
                "each raw variable once; one `factor` may carry several factors",
            )
        names.setdefault(name, document.line((*place, "name")))
        own = (entry.get(key) for key in ("trait", "dimension", "field"))
        pairs = [(role, singles, role in _SINGLE), *((one, others, True) for one in own)]
        for key, taken, rule in pairs:
            if key and rule and taken.setdefault(key, name) != name:
                yield document.problem(
                    (*place, "as"),
                    f"'{key}' a second time ('{taken[key]}' is it already)",
                    f"at most one variable for '{key}'",
                )
        needed, allowed = _role_keys()[role]
        for key in needed:
            if key not in entry:
                yield document.problem(
                    (*place, key),
                    f"no '{key}' for '{name}'",
                    f"'{key}' is needed with 'as: {role}'",
                )
        for key in entry:
            if key not in (*_ANY_ROLE, *needed, *allowed):
                yield document.problem(
                    (*place, key),
                    f"'{key}' for '{name}', which is '{role}'",
                    f"with 'as: {role}' only {_listed((*_ANY_ROLE, *needed, *allowed))}",
                )
        wrong_design = design and (
            design not in _ROLE_DESIGNS.get(role, (design,))
            or (design == "published" and role not in _PUBLISHED_ROLES)
        )
        if wrong_design:
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' for '{name}' with design '{design}'",
                f"with design published only {_listed(_PUBLISHED_ROLES)}"
                if design == "published"
                else f"'as: {role}' with design {_listed(_ROLE_DESIGNS[role])} only",
            )
        elif file and (
            (role == "coder" and file.get("format") != "matrix")
            or (role == "coders" and file.get("format", "qdpx") != "qdpx")
        ):
            yield document.problem(
                (*place, "as"),
                f"'as: {role}' with format '{file.get('format', 'not declared')}'",
                "'as: coder' with format matrix, 'as: coders' with format qdpx",
            )
        yield from _content_problems(document, vocabulary, place, entry)
    if sound.complete("variables") and "id" not in singles:
        yield document.problem(
            ("variables",), "no variable with 'as: id'", "exactly one variable with 'as: id'"
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
    ):
        if key in entry:
            yield from _known(document, vocabulary, section, entry[key], (*place, key))
    for raw, reason in entry.get("missing", {}).items():
        yield from _known(document, vocabulary, "missing_reasons", reason, (*place, "missing", raw))
    for factor, levels in entry.get("factors", {}).items():
        spot = (*place, "factors", factor)
        unknown = list(_known(document, vocabulary, "factors", factor, spot))
        yield from unknown
        known = () if unknown else vocabulary.levels(factor)
        for raw, level in levels.items():
            if known and level not in known:
                yield document.problem(
                    (*spot, raw),
                    f"the level '{level}'.{did_you_mean(level, known)}",
                    f"a level of '{factor}': {_listed(known)}",
                )
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


def _value_problems(
    document: Document,
    vocabulary: Vocabulary,
    place: tuple[str | int, ...],
    entry: Mapping[str, Any],
) -> Iterator[Problem]:
    """Check what the values of a variable that is no item are mapped to."""
    role, values, aim = entry["as"], entry.get("values", {}), entry.get("field")
    section = _FIELD_SECTIONS.get(str(aim)) if role == "finding" else _PLACE_SECTIONS.get(role)
    for raw, value in values.items():
        spot = (*place, "values", raw)
        if section:
            yield from _known(document, vocabulary, section, str(value), spot)
        elif role == "rating" and str(value) not in vocabularies.POLES:
            yield document.problem(spot, f"{value!r}", f"one of {_listed(vocabularies.POLES)}")
        elif aim in _FIELD_OPTIONS and value not in _FIELD_OPTIONS[aim]:
            options = _FIELD_OPTIONS[aim]
            yield document.problem(
                spot, f"'{value}'.{did_you_mean(str(value), options)}", f"one of {_listed(options)}"
            )
    if role == "trait" and not values and entry.get("trait") not in (None, "tenure_yrs"):
        yield document.problem(
            (*place, "values"),
            f"no 'values' for '{entry['name']}', the trait '{entry['trait']}'",
            "each raw value with what it stands for, so that no free text leaves the raw data",
            f"add 'values' on line {document.line(place)} of {shown(document.path)}, or declare "
            f"the variable with 'as: {IGNORE}'",
            code="free-text",
        )


def _finding_problems(document: Document, sound: _Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that published findings have all the columns that a finding needs."""
    if sound.study().get("design") != "published" or not sound.complete("variables"):
        return
    given = {entry.get("field") for _, entry in sound.variables("finding")}
    for name in _NEEDED_FIELDS:
        if name not in given:
            yield document.problem(
                ("variables",),
                f"no variable with 'field: {name}'",
                f"with design published a variable for each of {_listed(_NEEDED_FIELDS)}",
            )


def _quality_problems(document: Document, sound: _Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check the rules that mark rows: one test each, on constructs that can tell."""
    keyings: dict[str, set[str]] = {}
    for _place, entry in sound.variables("item"):
        if "construct" in entry:
            keyings.setdefault(entry["construct"], set()).add(entry.get("keying", "positive"))
    seen = {"ok"}
    for place, entry in sound.entries("quality"):
        if entry["rule"] in seen:
            yield document.problem(
                (*place, "rule"),
                f"the rule '{entry['rule']}'" + (" twice" if entry["rule"] != "ok" else ""),
                "each rule once, and none called 'ok'",
            )
        seen.add(entry["rule"])
        marks = [key for key in _MARKS if key in entry]
        if len(marks) != 1:
            yield document.problem(
                place, f"{_listed(marks) or 'none'} of them", f"exactly one of {_listed(_MARKS)}"
            )
            continue
        if ("variable" in entry) == (marks == ["constant_over"]):
            yield document.problem(
                place,
                "'variable' " + ("given" if "variable" in entry else "not given"),
                "'variable' with below_share_of_median and keep, and not with constant_over",
            )
        constructs = entry.get("constant_over", ()) if sound.complete("variables") else ()
        for index, construct in enumerate(constructs):
            if construct not in keyings:
                yield document.problem(
                    (*place, "constant_over", index),
                    f"'{construct}'.{did_you_mean(construct, keyings)}",
                    f"a construct of the items: {_listed(sorted(keyings)) or 'there is none'}",
                )
        found = {keying for one in constructs for keying in keyings.get(one, ())}
        if found and found != {"positive", "reverse"}:
            yield document.problem(
                (*place, "constant_over"),
                f"only items with 'keying: {_listed(found)}' in {_listed(constructs)}",
                "items of both keyings: without, the same answer everywhere may be honest",
            )


def _weight_problems(document: Document, sound: _Sound, _: Vocabulary) -> Iterator[Problem]:
    """Check that weights are used and that what uses them has them."""
    if not sound.complete("variables") or not sound.complete("sensitivity"):
        return
    weights = [place for place, _ in sound.variables("weight")]
    wanted = DESIGN_BASED in sound.raw.get("sensitivity", ())
    if weights and not wanted:
        yield document.problem(
            weights[0],
            "weights that are declared but used in no analysis",
            f"'sensitivity: [{DESIGN_BASED}]' beside them, or no weights",
        )
    if wanted and not weights:
        yield document.problem(
            ("sensitivity",),
            f"'{DESIGN_BASED}' without a variable of weights",
            "a variable with 'as: weight'",
        )


def _rule_problems(document: Document, sound: _Sound, _: Vocabulary) -> Iterator[Problem]:
    consents = {entry["name"] for _, entry in sound.variables("consent")}
    seen = {NO_CONSENT} if consents else set()
    for place, entry in sound.entries("exclude"):
        actions = [key for key in _ACTIONS if key in entry]
        places_consent = not actions and entry.get("variable") in consents
        if entry["rule"] in seen and not places_consent:
            yield document.problem(
                (*place, "rule"), f"the rule '{entry['rule']}' twice", "each rule once"
            )
        seen.add(entry["rule"])
        if places_consent:
            continue
        if len(actions) != 1:
            yield document.problem(
                place,
                f"{_listed(actions) or 'none'} of them",
                f"exactly one of {_listed(_ACTIONS)}",
            )
        elif ("variable" in entry) == (actions == ["unanswered"]):
            yield document.problem(
                place,
                "'variable' " + ("given" if "variable" in entry else "not given"),
                "'variable' with drop, keep and duplicates, and not with unanswered",
            )
        if "unanswered" in actions and not sound.raw.get("outcomes"):
            yield document.problem(place, "no 'outcomes'", "'outcomes' for a rule about them")


def _use_problems(document: Document, sound: _Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that outcomes and exposures are among the variables."""
    if not sound.complete("variables") or not sound.complete("codes"):
        return  # what is misspelt above would be reported again here
    items = {entry.get("construct") for _, entry in sound.variables("item")}
    codes = set(sound.raw.get("codes", {}).values()) - {IGNORE}
    factors: dict[str, bool] = {}
    for _, entry in sound.variables("factor"):
        for factor in entry.get("factors", {}):
            factors[factor] = factors.get(factor, True) and entry.get("randomised", False)
    measured = {name for name in items | codes if name}
    for place, outcome in sound.entries("outcomes"):
        if outcome not in measured:
            yield document.problem(
                place,
                f"'{outcome}'.{did_you_mean(outcome, measured)}",
                f"a construct of the items or a code: {_listed(sorted(measured))}",
            )
        elif outcome in {*vocabulary["constructs"], *vocabulary["codes"]} and (
            vocabulary["families"].get(vocabulary.family(outcome), {}).get("module") is None
        ):
            yield document.problem(
                place,
                f"'{outcome}', of the family '{vocabulary.family(outcome)}'",
                "an outcome whose family belongs to a module",
            )
    for place, entry in sound.entries("exposures"):
        named = [key for key in ("factor", "construct", "attribute") if key in entry]
        if len(named) != 1:
            yield document.problem(
                place,
                f"{_listed(named) or 'none'} of them",
                "exactly one of factor, construct, attribute",
            )
            continue
        key, value = named[0], entry[named[0]]
        among = {"factor": set(factors), "construct": {name for name in items if name}}
        options = among.get(key)
        if options is None:
            yield from _known(document, vocabulary, "factors", value, (*place, key))
        elif value not in options:
            yield document.problem(
                (*place, key),
                f"'{value}'.{did_you_mean(value, options)}",
                f"a {key} among the variables: {_listed(sorted(options)) or 'there is none'}",
            )
        kinds = {"construct": "measured", "attribute": _ATTRIBUTE_TYPES.get(value, "")}
        if key == "factor":
            kinds[key] = "randomised" if factors.get(value) else "organisational"
        if (options is None or value in options) and entry["type"] != kinds[key]:
            yield document.problem(
                (*place, "type"),
                f"type '{entry['type']}' for {key} '{value}'",
                f"'{kinds[key]}': a factor is randomised if its variable says 'randomised: true', "
                "a construct is measured, as are the attributes role and sector; the attribute "
                "arrangement is organisational",
            )
