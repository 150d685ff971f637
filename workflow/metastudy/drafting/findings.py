"""Draft the codebook of a table of published findings, by the names that its columns have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import Codebook
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.drafting.columns import numbering
from metastudy.drafting.roles import TODO
from metastudy.drafting.spelling import SEVERAL, file_lines, flow, opening
from metastudy.readers.raw import RawTable

__all__ = ["CONSTANTS", "OF_ESTIMATES", "draft", "fields", "perhaps"]

_ONE, _OTHER = (
    r"(_?1i?|_?t|_?e|_?treat(ment)?|_?exp(erimental)?|_?intervention)",
    (r"(_?2i?|_?0|_?c|_?ctrl|_?control|_?comparison)"),
)
# Names of estimates that say what they are, and what then is beside the metric; TODO where a name
# has several meanings: RR is a ratio of risks, of rates or of means, and d is in one of three SDs.
_ESTIMATES = {
    "log_odds": r"ln_?or|log_?or|log_odds(_ratio)?",
    "log_risk_ratio": r"log_risk_ratio",
    "odds_ratio": r"a?or|odds_ratio",
    "risk_ratio": r"risk_ratio|relative_risk",
    "rate_ratio": r"irr|rate_ratio",
    "ratio": r"rr",
    "log_ratio": r"ln_?rr|log_?rr",
    "corrected": r"g|hedges(_?s)?_?g",
    "not_corrected": r"d|cohens?(_?s)?_?d",
    "standardised": r"smd",
    "difference": r"md|mean_diff(erence)?",
}
_SAYS: Mapping[str, Mapping[str, str]] = {
    "log_odds": {"metric": "log_odds"},
    "log_risk_ratio": {"metric": "log_risk_ratio"},
    "odds_ratio": {"metric": "log_odds", "reported_as": "odds_ratio"},
    "risk_ratio": {"metric": "log_risk_ratio", "reported_as": "risk_ratio"},
    "rate_ratio": {"metric": "log_rate_ratio", "reported_as": "rate_ratio"},
    "ratio": {"reported_as": TODO},
    "log_ratio": {},
    "corrected": {"metric": "sd", "standardiser": "pooled_sd", "small_sample": "corrected"},
    "not_corrected": {"metric": "sd", "standardiser": TODO, "small_sample": "not_corrected"},
    "standardised": {"metric": "sd", "standardiser": TODO, "small_sample": TODO},
    "difference": {"metric": "scale_points"},
}
_CI = r"(95_?|90_?|99_?)?ci(_?95|_?90|_?99)?"
# How columns of tables of effects are called, as metafor, meta, RevMan and papers call them; the
# first arm is the one with the treatment. Names are compared in small letters, with _ for the rest.
_FIELDS = {
    "finding": r"finding|effect_?id|es_?id",
    "citation": r"study(_?(id|name|label))?|author(s|_year)?|paper|publication|citation|slab|"
    r"stud_?lab|reference",
    "contrast": r"contrast|comparison|intervention|treatment",
    "exposure": r"exposure",
    "outcome": r"outcome(_?name)?|dv|measure",
    "country": r"country",
    "sector": r"sector",
    "role": r"role",
    "estimate": r"estimate|effect(_?size)?|yi|es|te|" + "|".join(_ESTIMATES.values()),
    "se": r"se|sei|sete|se_?te|std_?err(or)?|standard_?error",
    "variance": r"vi|var(iance)?",
    "ci_lower": rf"{_CI}_?(l|lo|lb|low|lower|ll)|(lower|low|ll)(_?{_CI})?|lcl",
    "ci_upper": rf"{_CI}_?(u|up|ub|high|upper|ul)|(upper|high|ul)(_?{_CI})?|ucl",
    "metric": r"metric",
    "mean_treatment": rf"(m|mean){_ONE}",
    "mean_control": rf"(m|mean){_OTHER}",
    "sd_treatment": rf"sd{_ONE}",
    "sd_control": rf"sd{_OTHER}",
    "events_treatment": rf"ai|(event|events|x){_ONE}",
    "events_control": rf"ci|(event|events|x){_OTHER}",
    "n_treatment": rf"(n|total){_ONE}",
    "n_control": rf"(n|total){_OTHER}",
    "n": r"n|ni|n_?total|total_?n|sample(_?size)?",
    "r": r"r|ri|cor(relation)?",
    "t": r"t|ti|t_?(value|stat(istic)?)",
    "f": r"f|f_?(value|stat(istic)?)",
    "z": r"z|zi|z_?(value|stat(istic)?)",
    "chi_squared": r"chi_?(2|sq(uared)?)",
    "p": r"p|pi|p_?val(ue)?",
    "icc": r"icc",
    "cluster_size": r"cluster_?size",
    "source": r"source",
}
# What says that a table is one of effects: all fields of one of these, and no less.
_ENOUGH = (
    *(("estimate", error) for error in ("se", "variance", "ci_lower", "t", "z", "p")),
    ("mean_treatment", "mean_control", "sd_treatment", "sd_control"),
    ("events_treatment", "events_control", "n_treatment", "n_control"),
    ("r", "n", "citation"),
    *((test, "n", "citation") for test in ("t", "f", "chi_squared", "p")),
    *((test, "n_treatment", "n_control") for test in ("t", "f", "p")),
)
# Names that are words of some language, or letters, which items are called by as well.
_WORDS = re.compile(r"[a-z]|or|se|es|te|ti|vi|md|rr|effect|measure")
# What each finding needs and a table may leave to a constant, with what there is to choose from.
CONSTANTS = ("citation", "contrast", "exposure_type", "outcome", "metric", "verification")
OF_ESTIMATES = ("reported_as", "standardiser", "small_sample", "ci_level")


def fields(names: Sequence[str]) -> dict[str, str]:
    """The fields of a finding that columns seem to be, by the column; nothing for other tables.

    Parameters
    ----------
    names : of all columns. A field goes to the first column whose name says so.

    Returns
    -------
    Nothing where it is uncertain, which :func:`perhaps` says.
    """
    found = _named(names)
    return {} if _uncertain(found) else found


def perhaps(names: Sequence[str]) -> dict[str, str]:
    """The fields by which a table may be one of effects, or of answers to questions called so.

    An estimate and its error whose names are both words, such as ``or`` and ``se``, are effects for
    certain only beside a publication.
    """
    found = _named(names)
    return {name: found[name] for name in _evidence(found)} if _uncertain(found) else {}


def _uncertain(found: Mapping[str, str]) -> bool:
    known = "citation" in found.values()
    return not known and all(_WORDS.fullmatch(_spelt(name)) for name in _evidence(found))


def _evidence(found: Mapping[str, str]) -> list[str]:
    """The columns that say that a table is one of effects."""
    known = set(found.values())
    enough = {field for one in _ENOUGH if known.issuperset(one) for field in one}
    return [name for name, field in found.items() if field in enough]


def _named(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        spelt = _spelt(name)
        own = (f for f, pattern in _FIELDS.items() if spelt == f or re.fullmatch(pattern, spelt))
        if (field := next(own, None)) and field not in found.values():
            found[name] = field
    if all(len(_spelt(name)) == 1 for name in found):
        return {}  # items may be called a to z
    known = set(found.values())
    return found if any(known.issuperset(enough) for enough in _ENOUGH) else {}


def _spelt(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _said(known: Mapping[str, str]) -> dict[str, str]:
    """What the names of the columns of estimates and intervals say of all rows, by constant."""
    said: dict[str, str] = {}
    for name, field in known.items():
        spelt = _spelt(name)
        if field == "estimate":
            kind = next((k for k, p in _ESTIMATES.items() if re.fullmatch(p, spelt)), "")
            said |= _SAYS.get(kind, {})
        if field == "ci_lower" and (level := re.search("95|90|99", spelt)):
            said["ci_level"] = level[0]
    return {name: value for name, value in said.items() if name not in known.values()}


def draft(
    study: str,
    name: str,
    codebook: Codebook,
    table: RawTable,
    known: Mapping[str, str],
    vocabulary: Vocabulary,
) -> str:
    """Draft a codebook with ``design: published``.

    Parameters
    ----------
    study : the study's id.
    name : of the file.
    codebook : what was found out of the file.
    known : fields by column (:func:`fields`).
    vocabulary : what there is to choose from.

    Returns
    -------
    YAML, as :func:`metastudy.drafting.draft.draft` gives it. No value of the file is in it.
    """
    identity = numbering(table, known)
    lines = [
        *opening(
            f"{name}: {len(table.data)} rows, {len(table.names)} columns",
            "docs/published_effects.md has the forms of effects",
        ),
        "study:",
        f"  id: {study}",
        f"  title: {TODO}",
        f"  citation: {TODO} # of the collection: a key in manuscript/references.bib",
        f"  design: published # guess: columns that seem to be {', '.join(known.values())}",
        "  provenance: observed # guess: whoever drafts a codebook has a real file",
        "",
        *file_lines(codebook),
        *([] if identity else ["  ids: row_numbers # guess: no column numbers the findings"]),
        "",
        *_constants(known, vocabulary),
        "variables:",
    ]
    for text in dict.fromkeys(table.names):
        lines.append(f"  - name: {flow(text)}")
        if text not in table.data:
            lines.append(SEVERAL)
        elif text == identity:
            lines.append("    as: id # guess: another value in every row")
        elif text in known:
            lines += ["    as: finding # guess: the name", f"    field: {known[text]} # guess"]
        else:
            lines.append(f"    as: {TODO} # finding with its field, moderator, nesting or ignore")
    return "\n".join(lines) + "\n"


def _constants(known: Mapping[str, str], vocabulary: Vocabulary) -> Iterator[str]:
    """What no column says and every finding needs: constants to be decided."""
    options = {
        "exposure_type": vocabulary["exposure_types"],
        "metric": vocabularies.METRICS,
        "verification": vocabularies.VERIFICATIONS,
        "outcome": ("a construct of the vocabulary, or a label",),
        "contrast": ("what is compared with what",),
        "citation": ("the key of the one publication",),
    }
    options["reported_as"] = vocabularies.REPORTED
    options["standardiser"] = vocabularies.STANDARDISERS
    options["small_sample"] = vocabularies.SMALL_SAMPLES
    said = _said(known)
    lacking = [name for name in CONSTANTS if name not in known.values()]
    lacking += [name for name in said if name not in lacking]
    if "ci_lower" in known.values() and "ci_level" not in (*known.values(), *lacking):
        lacking.append("ci_level")
    options["ci_level"] = ("the level of the intervals in per cent, such as 95",)
    if lacking:
        yield "constants: # the same in every row; a column of the table can say it instead"
        for name in lacking:
            if (value := said.get(name, TODO)) != TODO:
                yield f"  {name}: {value} # guess: the name of a column"
                continue
            several = len(options[name]) > 1
            yield f"  {name}: {TODO} # {'one of ' * several}{', '.join(options[name])}"
        yield ""
