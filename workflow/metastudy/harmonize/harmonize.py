"""Harmonize: a raw file and its codebook to tables of one form, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common import scratch
from metastudy.common.problems import BadInput
from metastudy.harmonize import (
    answers,
    arm_shapes,
    arm_totals,
    arms,
    checks,
    codings,
    copies,
    declared,
    edges,
    exclusions,
    findings,
    pseudonyms,
    scored_arms,
    study_state,
)
from metastudy.harmonize import report as harmonize_report
from metastudy.harmonized import checks as table_checks
from metastudy.harmonized import crossed, parquet, schema
from metastudy.harmonized.schema import REPORT
from metastudy.readers import attempt
from metastudy.readers.raw import RawProject, RawTable

__all__ = ["Harmonized", "harmonize", "harmonize_file", "save"]


@dataclass(frozen=True)
class Harmonized:
    """A study's harmonized tables by name, long ones in short, and the report on them."""

    parts: Mapping[str, crossed.Part]
    report: Mapping[str, Any]

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables spelt out, as :func:`save` writes them; of a large study they are large."""
        return {name: parquet.whole(name, part) for name, part in self.parts.items()}


def harmonize(codebook: Codebook, raw: RawTable | RawProject, secret: bytes) -> Harmonized:
    """Bring a study's raw data to the harmonized tables.

    Rows leave first; what is wrong in a row that leaves does no harm and is not reported.
    An item is aligned by its declared bounds, never by the observed ones: a reverse-keyed
    answer x becomes min + max - x. ``value_pomp`` is the per cent of the maximum possible,
    100 (aligned - min) / (max - min), after Cohen, Cohen, Aiken and West (1999).

    Parameters
    ----------
    codebook : what the raw variables mean.
    raw : the data, as :func:`metastudy.readers.read` gives them.
    secret : the key of the pseudonyms.

    Returns
    -------
    Harmonized
        Every table of :data:`metastudy.harmonized.schema.TABLES`, rows in a fixed order, checked
        against its schema; those that do not apply to the design have no rows. In ``assignments``
        and ``measurements`` a null vignette means: about no vignette, or the same for all.

    Raises
    ------
    BadInput
        With all problems of the data: ``off-scale``, ``unknown-label``, ``missing-id``,
        ``duplicate-id``, ``undeclared-missing``, ``free-text``, ``incomplete-finding``; or
        ``wrong-format`` if the file is of another kind than the codebook says.
    """
    name = codebook.study.id
    checks.check_kind(codebook, raw)
    table = raw.cases if isinstance(raw, RawProject) else raw
    problems = arm_totals.rows_of_totals(codebook, table)
    codebook, table, more = arm_shapes.a_row_an_arm(codebook, table)
    apart = list(counted) if len(counted := arms.counted(codebook)) > 1 else []
    problems += [*more, *arm_totals.unequal_totals(codebook, table)]
    sums = list(arm_totals.sums_of_others(codebook, table))
    table, more = arms.ids_once(codebook, table)
    problems += more
    codebook, table, more = arms.written_out(codebook, table)
    problems += more
    left, rules = exclusions.exclude(codebook, table)
    stays, identity = left < 0, codebook.having("id")[0].name
    raw_ids = table.data[identity]
    published = codebook.study.design == "published"  # its rows are findings, not persons
    kept = np.flatnonzero(stays)
    if published:
        study = study_state.Study(codebook, table, kept)
        checks.check_ids(study, identity)
        ids = study.texts(identity).astype("str")
        away: Any = None
    else:
        digests = pseudonyms.digests(name, raw_ids, secret)
        kept = kept[digests[kept].argsort()]  # the order of the alphabet
        study = study_state.Study(codebook, table, kept)
        study.problems += dict.fromkeys(problems)  # a cell that several arms share is told once
        checks.check_ids(study, identity, digests[kept])
        ids = pseudonyms.spelt(name, digests[kept])
        listed = raw_ids[~stays].ne("").to_numpy()
        away = pseudonyms.spelt(name, digests[~stays]).where(listed).array
    checks.check_declared(study)
    parts: dict[str, crossed.Part] = {}
    marks: dict[str, np.ndarray] = {}
    if published:
        parts["effects"] = effects = findings.effects(study, ids)
        parts["attributes"] = declared.attributes(study, ids)
        parts["dependence"] = declared.dependence(study, effects)
    else:
        sites = answers.places(study, "site", secret, "org")
        clusters = answers.places(study, "cluster", secret, "cluster")
        respondents = answers.respondents(study, ids, sites, clusters)
        answers.check_attributes(study, respondents)
        measurements = answers.measurements(study, ids)
        marks = exclusions.marks(study, measurements)
        respondents = respondents.assign(qc_status=exclusions.status(marks, len(ids)))
        parts |= {
            "respondents": schema.shape("respondents", respondents),
            "assignments": answers.assignments(study, ids),
            "measurements": measurements,
            "case_ratings": codings.case_ratings(study, ids, sites),
            "attributes": declared.attributes(study),
        }
    notes = list(raw.notes) if isinstance(raw, RawProject) else []
    if published:
        notes += findings.notes_on(effects)
    else:
        notes += sums
        notes += copies.notes_on(measurements)
        edges.check_sums(study, identity)
        if not isinstance(raw, RawProject):
            notes += edges.notes_on(study, identity)
    if codebook.having("mean"):
        study.problems += arms.twice(codebook, table, stays)
        scored, correlations = scored_arms.scored_arms(study, ids)
        parts |= {"arms": scored, "arm_correlations": correlations}
        notes += scored_arms.notes_on(scored, correlations)
    if apart:
        notes.append(arms.note_on(apart))
    gone = {
        "study_id": name,
        "respondent_id": away,
        "row": table.rows[~stays],
        "rule": schema.coded(left[~stays], [rule.rule for rule in rules]),
        "stage": study_state.STAGE,
    }
    parts["exclusions"] = schema.shape("exclusions", gone).sort_values("row")
    codes_unmapped: list[str] = []
    if isinstance(raw, RawProject):
        parts["codings"], parts["readings"], codes_unmapped = codings.codings(
            study, raw, ids, sites, secret
        )
    if study.problems:
        raise BadInput(study.problems)

    for part, data in parts.items():
        table_checks.check(part, data, codebook.vocabulary)
    parts = {part: parts[part] if part in parts else schema.empty(part) for part in schema.TABLES}
    return Harmonized(
        parts,
        harmonize_report.report(study, left, rules, parts, codes_unmapped, marks, notes, apart),
    )


def save(harmonized: Harmonized, folder: Path) -> None:
    """Write the tables and the report into a folder, all of them or, if one fails, none.

    Parameters
    ----------
    harmonized : what :func:`harmonize` gave.
    folder : ``results/harmonized/<study>``; made if it is not there.
    """
    folder = Path(folder)
    with scratch.beside(folder) as temporary:
        for name, part in harmonized.parts.items():
            parquet.write(part, temporary / f"{name}.parquet")
        text = json.dumps(harmonized.report, indent=2, ensure_ascii=False)
        (temporary / REPORT).write_text(text + "\n", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for written in sorted(temporary.iterdir()):
            written.replace(folder / written.name)


def harmonize_file(codebook: Codebook, secret: bytes) -> Harmonized:
    """Read a study's data file and harmonize it, or tell all that is wrong with the file at once.

    Where columns are missing, the cells of the others are checked all the same, and so are the
    other rows of a list of segments where some cannot be read.

    Parameters
    ----------
    codebook, secret : as in :func:`harmonize`.

    Raises
    ------
    BadInput
        As :func:`metastudy.readers.read` and :func:`harmonize`, together.
    """
    raw, problems = attempt(codebook)
    if not problems:
        return harmonize(codebook, raw, secret)
    known = raw.problems if isinstance(raw, RawProject) else ()
    lost = [problem for problem in problems if problem not in known]
    if all(problem.code == "unknown-column" for problem in lost):
        rest = codebook.without([str(problem.column) for problem in lost])
        if rest is not None:
            try:
                harmonize(rest, raw, secret)
            except BadInput as bad:
                problems += bad.problems
    raise BadInput(problems)
