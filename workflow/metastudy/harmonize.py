"""From a study's raw file to the harmonized tables, by what its codebook says and nothing else."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy import meanings, pseudonyms, tables
from metastudy import vocabulary as vocabularies
from metastudy.codebook import IGNORE, Codebook, Quality, Rule, Variable, load, sha256
from metastudy.errors import BadInput, Problem, run
from metastudy.readers import RawProject, RawTable, attempt, form
from metastudy.texts import canonical, did_you_mean, quoted, shown

__all__ = ["REPORT", "STAGE", "Harmonized", "harmonize", "harmonize_file", "main", "save"]

STAGE = "harmonize"
REPORT = "report.json"
SHOWN_ROWS = 8  # so many rows are named where the same thing is wrong in many

_PLACES = (
    ("country", "countries"),
    ("sector", "sectors"),
    ("arrangement", "arrangements"),
    ("role", "roles"),
)
CODED = ("qdpx", "matrix")


@dataclass(frozen=True)
class Harmonized:
    """A study's harmonized tables by name, long ones in short, and the report on them."""

    parts: Mapping[str, tables.Part]
    report: Mapping[str, Any]

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables spelt out, as :func:`save` writes them; of a large study they are large."""
        return {name: tables.whole(name, part) for name, part in self.parts.items()}


@dataclass
class _Study:
    """One study on its way: its codebook, its raw rows, its problems so far.

    Parameters
    ----------
    kept : positions of the rows that stay, in the order in which they are written.
    """

    codebook: Codebook
    table: RawTable
    kept: np.ndarray
    problems: list[Problem] = field(default_factory=list)

    def texts(self, name: str) -> pd.Series:
        """Give a raw column of the kept rows."""
        return self.table.data[name].take(self.kept).reset_index(drop=True)

    def places(self) -> np.ndarray:
        """Give each raw row its position among the kept ones, -1 if it left."""
        found = np.full(len(self.table.data), -1)
        found[self.kept] = np.arange(len(self.kept))
        return found

    def report(
        self, hits: np.ndarray, name: str, found: str, expected: str, mend: str, code: str
    ) -> None:
        """Note one problem of the kept rows that ``hits`` marks."""
        rows = sorted(int(row) for row in self.table.rows[self.kept[hits]])
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        where: int | str = rows[0]
        if len(rows) > 1:
            where = ", ".join(map(str, rows[:SHOWN_ROWS])) + more
        self.problems.append(
            Problem(
                shown(self.codebook.data_path),
                found,
                expected,
                mend,
                self.codebook.study.id,
                where,
                self.table.place(name),
                code,
            )
        )

    def translate(self, name: str, meaning: Callable[[str], Any]) -> tuple[np.ndarray, list[Any]]:
        """Give each kept row a position in a list of meanings; each different text is read once.

        A text that ``meaning`` refuses is a problem with its rows, and means ``None``.
        """
        positions, texts = _different(self.table.data[name], self.kept)
        found: list[Any] = []
        for position, text in enumerate(texts):
            try:
                found.append(meaning(text))
            except meanings.UnfitError as unfit:
                label = self.table.labels.get(name, {}).get(text)
                spelt = unfit.found or quoted(text)
                spelt += f" (labelled {quoted(label)})" if label and not unfit.found else ""
                self.report(
                    positions == position, name, spelt, unfit.expected, unfit.mend, unfit.code
                )
                found.append(None)
        return positions, found

    def decode(self, name: str, meaning: Callable[[str], Any]) -> pd.Series:
        """Give the meaning of a raw column, row by row; missing where there is none."""
        return tables.coded(*self.translate(name, meaning))


def _different(
    texts: pd.Series, rows: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, pd.Index]:
    """Give some rows their positions among the different texts; a categorical has them at hand."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return pd.factorize(texts.iloc[rows])
    codes = texts.cat.codes.to_numpy()[rows]
    occur = np.bincount(codes, minlength=len(texts.cat.categories)) > 0
    places = codes if occur.all() else (np.cumsum(occur, dtype=np.int32) - 1)[codes]
    return places, texts.cat.categories[occur]


# --- which rows stay -----------------------------------------------------------------------------


def _answered(codebook: Codebook, table: RawTable) -> pd.DataFrame:
    """Tell for each row and outcome whether any of its items has an answer."""
    marks: dict[str, np.ndarray] = {}
    for item in codebook.having("item"):
        if item.construct in codebook.outcomes:
            positions, texts = _different(table.data[item.name])
            given = np.array([text != "" and text not in item.missing for text in texts], bool)
            given = given[positions]
            marks[item.construct] = marks.get(item.construct, False) | given
    return pd.DataFrame(marks, index=table.data.index)


def _leaves(rule: Rule, stays: np.ndarray, table: RawTable, answered: pd.DataFrame) -> np.ndarray:
    """Tell which of the rows that are still in leave by a rule."""
    if rule.unanswered:
        return stays & ~answered.any(axis=1).to_numpy()
    texts = table.data[str(rule.variable)]
    if rule.duplicates:
        later = ~answered.all(axis=1) & (rule.duplicates == "keep_first_complete")
        order = pd.DataFrame({"text": texts, "later": later})[stays & texts.ne("").to_numpy()]
        order = order.sort_values("later", kind="stable")
        return texts.index.isin(order.index[order.duplicated("text")])
    hit = texts.isin(rule.drop).to_numpy() if rule.drop else ~texts.isin(rule.keep).to_numpy()
    return stays & hit


def _exclude(codebook: Codebook, table: RawTable) -> tuple[np.ndarray, list[Rule]]:
    """Give each row the position of the first rule by which it leaves, -1 if it stays."""
    rules, answered = list(codebook.rules), _answered(codebook, table)
    left = np.full(len(table.data), -1)
    for position, rule in enumerate(rules):
        left[_leaves(rule, left < 0, table, answered)] = position
    return left, rules


# --- the tables ----------------------------------------------------------------------------------


def _respondents(
    study: _Study, ids: pd.Series, sites: pd.Series, clusters: pd.Series
) -> pd.DataFrame:
    codebook = study.codebook
    data: dict[str, Any] = {
        "study_id": codebook.study.id,
        "respondent_id": ids,
        "org_id": sites,
        "cluster_id": clusters,
        "lang": codebook.study.language,
        "weight": np.nan,
        "provenance": codebook.study.provenance,
    }
    weight = codebook.only("weight")
    if weight:
        data["weight"] = study.decode(weight.name, meanings.weight(weight))
    for role, section in _PLACES:
        variable = codebook.only(role)
        options = codebook.vocabulary[section]
        data[role] = (
            study.decode(variable.name, meanings.entry(variable, options))
            if variable
            else getattr(codebook.study, role)
        )
    for variable in codebook.having("trait"):
        reader = meanings.years if variable.trait == "tenure_yrs" else meanings.label
        data[str(variable.trait)] = study.decode(variable.name, reader(variable))
    data.setdefault("tenure_yrs", np.nan)
    return tables.shape("respondents", data)


def _check_attributes(study: _Study, respondents: pd.DataFrame) -> None:
    """Report values of an organisational attribute that are no level of its factor."""
    for exposure in study.codebook.exposures:
        if exposure.attribute:
            levels = study.codebook.vocabulary.levels(exposure.attribute)
            values = respondents[exposure.attribute]
            for value in values[~values.isin(list(levels)) & values.notna()].unique():
                variable = study.codebook.only(exposure.attribute)
                study.report(
                    values.eq(value).to_numpy(),
                    variable.name if variable else exposure.attribute,
                    f"the {exposure.attribute} '{value}'",
                    f"a level of the factor '{exposure.attribute}': {', '.join(levels)}",
                    "correct the value, or take the exposure out of the codebook",
                    "unknown-label",
                )


def _assignments(study: _Study, ids: pd.Series) -> tables.Crossed:
    """Say which level of each factor each respondent was assigned to; some to none."""
    found = []
    for variable in study.codebook.having("factor"):
        positions, raw = study.translate(variable.name, meanings.levels(variable))
        for factor, levels in variable.factors.items():
            known = [text for text in raw if text in levels]
            kinds = pd.DataFrame(
                {
                    "study_id": study.codebook.study.id,
                    "vignette": variable.vignette,
                    "factor": factor,
                    "level": [levels[text] for text in known],
                    "randomised": variable.randomised,
                }
            )
            code = [known.index(text) if text in levels else -1 for text in raw]
            codes = np.array(code, dtype=int)[positions]
            found.append(((variable.vignette is None, variable.vignette, factor), kinds, codes))
    found.sort(key=lambda one: one[0])
    return tables.crossed(
        "assignments", ids, [kinds for _, kinds, _ in found], [codes for _, _, codes in found]
    )


def _measurements(study: _Study, ids: pd.Series) -> tables.Crossed:
    """Say which of its different answers to each item each respondent gave."""
    items = sorted(
        study.codebook.having("item"),
        key=lambda item: (item.vignette or "", item.construct or "", item.name),
    )
    kinds, codes = [], []
    for item in items:
        positions, found = study.translate(item.name, meanings.number(item))
        pairs = [pair or (np.nan, "system") for pair in found]
        raw = np.array([number for number, _ in pairs], dtype=float)
        low, high = float(item.min or 0), float(item.max or 0)
        aligned = low + high - raw if item.keying == "reverse" else raw
        kinds.append(
            pd.DataFrame(
                {
                    "study_id": study.codebook.study.id,
                    "vignette": item.vignette,
                    "construct": item.construct,
                    "item_id": item.name,
                    "value_raw": raw,
                    "missing_reason": [reason for _, reason in pairs],
                    "scale_min": item.min,
                    "scale_max": item.max,
                    "reverse_keyed": item.keying == "reverse",
                    "value_aligned": aligned,
                    "value_pomp": 100 * (aligned - low) / (high - low),
                }
            )
        )
        codes.append(positions)
    return tables.crossed("measurements", ids, kinds, codes)


def _marks(study: _Study, measurements: tables.Crossed) -> dict[str, np.ndarray]:
    """Tell for each rule of quality which of the kept rows it marks."""
    return {
        rule.rule: _constant(rule, measurements) if rule.constant_over else _beside(study, rule)
        for rule in study.codebook.quality
    }


def _constant(rule: Quality, measurements: tables.Crossed) -> np.ndarray:
    """Mark who gave one answer throughout, to items of both keyings."""
    kinds = measurements.kinds
    asked = kinds["construct"].isin(rule.constant_over).to_numpy()
    given = asked & kinds["value_raw"].notna().to_numpy()
    _, rank = np.unique(kinds["value_raw"].to_numpy(), return_inverse=True)
    # One number tells all: nought where no answer is given, else 4 times its rank, and 1 or 2.
    small = np.min_scalar_type(4 * len(rank) + 4)
    told = np.where(given, 4 * rank + 1 + kinds["reverse_keyed"], 0).astype(small)
    high = np.zeros(len(measurements.persons), dtype=small)
    low, keyings = ~high >> 2, high.copy()
    for codes in measurements.codes.T:
        of = told[codes]
        high, low = np.maximum(high, of >> 2), np.minimum(low, (of - 1) >> 2)  # 0 - 1 is the most
        keyings |= of & 3
    return (low == high) & (keyings == 3)


def _beside(study: _Study, rule: Quality) -> np.ndarray:
    """Mark who was too fast, or gave another answer than the right one."""
    name = str(rule.variable)
    if rule.below_share_of_median is None:
        return ~study.texts(name).isin(rule.keep).to_numpy()
    variable = next((one for one in study.codebook.variables if one.name == name), Variable(name))
    number = pd.to_numeric(study.decode(name, meanings.amount(variable)))
    return (number < rule.below_share_of_median * number.median()).to_numpy()


def _status(marks: Mapping[str, np.ndarray], count: int) -> pd.Series:
    """Join the names of the rules that mark a row; ``ok`` where none does."""
    marked = np.zeros(count, dtype=np.int64)
    for place, hits in enumerate(marks.values()):
        marked += hits.astype(np.int64) << place
    positions, patterns = pd.factorize(marked)
    names = [
        "+".join(rule for place, rule in enumerate(marks) if pattern >> place & 1)
        for pattern in patterns.tolist()
    ]
    return tables.coded(positions, [name or "ok" for name in names])


def _case_ratings(study: _Study, ids: pd.Series, sites: pd.Series) -> pd.DataFrame:
    parts = []
    for variable in study.codebook.having("rating"):
        found = study.decode(variable.name, meanings.rating(variable))
        rated = [pair or (np.nan, "system") for pair in found]
        shared = {"study_id": study.codebook.study.id, "dimension": variable.dimension}
        part = pd.DataFrame(rated, columns=["rating", "missing_reason"], index=ids.index)
        part = part.assign(respondent_id=ids, org_id=sites, **shared)
        if variable.evidence:
            part["evidence"] = study.decode(variable.evidence, meanings.evidence)
        parts.append(part)
    if not parts:
        return tables.empty("case_ratings")
    table = tables.shape("case_ratings", pd.concat(parts, ignore_index=True))
    return table.sort_values(["respondent_id", "dimension"], ignore_index=True)


def _effects(study: _Study, ids: pd.Series) -> pd.DataFrame:
    """Make one row a published finding; what no field says is the study's own."""
    codebook = study.codebook
    own = codebook.study
    identity = codebook.having("id")[0].name
    study.decode(identity, meanings.identifier)
    data: dict[str, Any] = {
        "study_id": own.id,
        "finding_id": ids,
        "provenance": own.provenance,
        "role": own.role or None,
        "country": own.country or None,
        "sector": own.sector or None,
    }
    fields = {str(variable.field): variable for variable in codebook.having("finding")}
    for field_, variable in fields.items():
        reader = meanings.finding(variable, codebook.vocabulary)
        data["finding_id" if field_ == "finding" else field_] = study.decode(variable.name, reader)
    table = tables.shape("effects", pd.DataFrame(data, index=ids.index))
    for name, column in tables.TABLES["effects"].columns.items():
        declared = fields.get("finding" if name == "finding_id" else name)
        empty = table[name].isna()
        told = {problem.column for problem in study.problems}
        if (
            declared
            and not column.null
            and empty.any()
            and study.table.place(declared.name) not in told
        ):
            study.report(
                empty.to_numpy(),
                declared.name,
                "an empty cell",
                f"the finding's {name} in every row",
                "fill the cell in, or take the row out",
                "incomplete-finding",
            )
    lost = table["estimate"].notna() & table["metric"].isna()
    if "estimate" in fields and lost.any():
        study.report(
            lost.to_numpy(),
            fields["estimate"].name,
            "an estimate without a metric",
            f"one of {', '.join(vocabularies.METRICS)} beside each estimate",
            "fill the metric in",
            "incomplete-finding",
        )
    return table.sort_values("finding_id", ignore_index=True)


def _readings(
    study: _Study, project: RawProject, codings: pd.DataFrame, ids: pd.Series
) -> pd.DataFrame:
    """List who read which source: the coders listed with it, and all who coded it."""
    parts = [pd.DataFrame({"source_id": ids[codings["case"]].array, "coder": codings["coder"]})]
    if project.readings is not None:
        case = study.places()[project.readings["case"].to_numpy(int)]
        known = project.readings.assign(case=case)
        known = known[known["case"] >= 0]
        coder = known["coder"].map(project.coders).array
        parts.append(pd.DataFrame({"source_id": ids[known["case"]].array, "coder": coder}))
    variable = study.codebook.only("coders")
    if variable:
        names = {**project.coders, **{name: name for name in project.coders.values()}}

        def meaning(text: str) -> list[str]:
            listed = [canonical(one) for one in text.split(variable.separator)]
            for one in filter(None, listed):
                if one not in names:
                    raise meanings.UnfitError(
                        "unknown-label",
                        "names of users of the project",  # which are nobody's business here
                        f"correct the names, or 'separator' in {shown(study.codebook.path)}",
                        "a coder who is none of the project's users",
                    )
            return [names[one] for one in listed if one]

        listed = study.decode(variable.name, meaning).explode()
        parts.append(pd.DataFrame({"source_id": ids[listed.index].array, "coder": listed.array}))
    return pd.concat(parts).dropna().drop_duplicates(ignore_index=True)


def _codings(
    study: _Study, project: RawProject, ids: pd.Series, sites: pd.Series, secret: bytes
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Make the tables of codings and readings, and the list of codes that nobody mapped."""
    codebook = study.codebook
    mapping = {canonical(name): code for name, code in codebook.codes.items()}
    spelt = _code_names(project.codes, mapping)
    for name in dict.fromkeys(spelt.values()):
        paths = sorted("/".join(project.codes[one]) for one in spelt if spelt[one] == name)
        if len(paths) > 1 and mapping.get(name, IGNORE) != IGNORE:
            study.problems.append(
                codebook.document.problem(
                    ("codes", name),
                    f"'{name}', which stands for {len(paths)} codes: {', '.join(paths)}",
                    "one code for each name",
                    f"list the codes by their whole paths in {shown(codebook.path)}",
                    study=codebook.study.id,
                    code="unknown-label",
                )
            )
    codings = project.codings.assign(
        case=study.places()[project.codings["case"].to_numpy(int)],
        name=project.codings["code"].map(spelt),
        coder=project.codings["coder"].map(project.coders),
    )
    codings = codings[codings["case"] >= 0].reset_index(drop=True)
    for name in codings["name"][~codings["name"].isin(list(mapping))].unique():
        hits = np.isin(np.arange(len(study.kept)), codings["case"][codings["name"] == name])
        study.report(
            hits,
            "code",
            f"the code '{name}'.{did_you_mean(name, mapping)}",
            "a code that the codebook lists under 'codes'",
            f"map the code to one of the vocabulary, or to {IGNORE}, in {shown(codebook.path)}",
            "unknown-label",
        )
    for name in mapping:
        if name not in spelt.values():
            place = ("codes", next(key for key in codebook.codes if canonical(key) == name))
            study.problems.append(
                codebook.document.problem(
                    place,
                    f"the code '{name}'.{did_you_mean(name, spelt.values())}",
                    f"a code of {shown(codebook.data_path)}",
                    study=codebook.study.id,
                    code="unknown-label",
                )
            )
    readings = _readings(study, project, codings, ids)
    if study.problems:
        return tables.empty("codings"), tables.empty("readings"), []

    coders = pseudonyms.coders(codebook.study.id, readings["coder"], secret)
    readings = readings.assign(
        study_id=codebook.study.id, coder_id=readings["coder"].map(coders)
    ).sort_values(["source_id", "coder_id"], ignore_index=True)
    double = readings.groupby("source_id")["coder_id"].nunique().gt(1)

    codings = codings.assign(code_id=codings["name"].map(mapping))
    codings = codings[codings["code_id"] != IGNORE].reset_index(drop=True)
    codings = codings.assign(
        study_id=codebook.study.id,
        source_id=ids[codings["case"]].array,
        org_id=sites[codings["case"]].array,
        coder_id=codings["coder"].map(coders),
    ).sort_values(["source_id", "start", "end", "coder_id", "code_id"], ignore_index=True)
    segment = codings.groupby(["source_id", "start", "end"], sort=False).ngroup()
    first = segment.groupby(codings["source_id"]).transform("min")
    number = (segment - first + 1).astype("str").str.zfill(4)
    codings = codings.assign(
        segment_id=codings["source_id"].astype("str") + "-s" + number,
        is_double_coded=codings["source_id"].map(double),
    ).drop_duplicates(list(tables.TABLES["codings"].key), ignore_index=True)
    branches = {path[:-1] for path in project.codes.values()}
    unmapped = [
        name
        for one, name in spelt.items()
        if name not in mapping and project.codes[one] not in branches
    ]
    return tables.shape("codings", codings), tables.shape("readings", readings), unmapped


def _code_names(codes: Mapping[str, tuple[str, ...]], mapping: Mapping[str, str]) -> dict[str, str]:
    """Name each code as the codebook does: by its whole path if that is listed, else by its end."""
    whole = {guid: "/".join(path) for guid, path in codes.items()}
    return {guid: whole[guid] if whole[guid] in mapping else codes[guid][-1] for guid in codes}


# --- the whole -----------------------------------------------------------------------------------


def _check_ids(study: _Study, name: str, digests: np.ndarray | None = None) -> None:
    """Report rows without an id, and ids that stand in several rows.

    ``digests`` of the kept rows rise; where no two are alike, no two ids are.
    """
    none = study.table.data[name].eq("").to_numpy()[study.kept]
    if none.any():
        study.report(
            none,
            name,
            "no id",
            "an id in every row that stays",
            "give the row an id, or let it leave by a rule under 'exclude' in the codebook",
            "missing-id",
        )
    if digests is not None and (digests[:-1] < digests[1:]).all():
        return
    texts = study.texts(name)
    again = texts[texts.ne("") & texts.duplicated(keep=False)]
    for value in again.unique():
        study.report(
            texts.eq(value).to_numpy(),
            name,
            f"the id {quoted(value)} {int(again.eq(value).sum())} times",
            "each id once among the rows that stay",
            "correct the ids, or declare a rule with 'duplicates' under 'exclude' in the codebook",
            "duplicate-id",
        )


def _check_declared(study: _Study) -> None:
    """Report codes that the file declares as missing and that the codebook gives no reason for."""
    for variable in study.codebook.variables:
        codes = study.table.declared_missing.get(variable.name, ())
        lost = [code for code in codes if code not in variable.missing]
        if lost and variable.role not in (IGNORE, "id", "consent"):
            labels = study.table.labels.get(variable.name, {})
            spelt = [
                f"{code} ({quoted(labels[code])})" if code in labels else code for code in lost
            ]
            study.problems.append(
                Problem(
                    shown(study.codebook.data_path),
                    f"declared as missing in the file, without a reason: {', '.join(spelt)}",
                    "a reason for each code under 'missing'",
                    f"add them to 'missing' of '{variable.name}' in {shown(study.codebook.path)}",
                    study.codebook.study.id,
                    None,
                    study.table.place(variable.name),
                    "undeclared-missing",
                )
            )


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
        Every table of :data:`metastudy.tables.TABLES`, rows in a fixed order, checked against
        its schema; those that do not apply to the design have no rows. In ``assignments`` and
        ``measurements`` a null vignette means: about no vignette, or the same for all.

    Raises
    ------
    BadInput
        With all problems of the data: ``off-scale``, ``unknown-label``, ``missing-id``,
        ``duplicate-id``, ``undeclared-missing``, ``free-text``, ``incomplete-finding``; or
        ``wrong-format`` if the file is of another kind than the codebook says.
    """
    name = codebook.study.id
    _check_kind(codebook, raw)
    table = raw.cases if isinstance(raw, RawProject) else raw
    left, rules = _exclude(codebook, table)
    stays, identity = left < 0, codebook.having("id")[0].name
    raw_ids = table.data[identity]
    published = codebook.study.design == "published"  # its rows are findings, not persons
    kept = np.flatnonzero(stays)
    if published:
        study = _Study(codebook, table, kept)
        _check_ids(study, identity)
        ids = study.texts(identity).astype("str")
        away: Any = None
    else:
        digests = pseudonyms.digests(name, raw_ids, secret)
        kept = kept[digests[kept].argsort()]  # the order of the alphabet
        study = _Study(codebook, table, kept)
        _check_ids(study, identity, digests[kept])
        ids = pseudonyms.spelt(name, digests[kept])
        told = raw_ids[~stays].ne("").to_numpy()
        away = pseudonyms.spelt(name, digests[~stays]).where(told).array
    _check_declared(study)
    parts: dict[str, tables.Part] = {}
    marks: dict[str, np.ndarray] = {}
    if published:
        parts["effects"] = _effects(study, ids)
    else:
        sites = _places(study, "site", secret, "org")
        clusters = _places(study, "cluster", secret, "cluster")
        respondents = _respondents(study, ids, sites, clusters)
        _check_attributes(study, respondents)
        measurements = _measurements(study, ids)
        marks = _marks(study, measurements)
        respondents = respondents.assign(qc_status=_status(marks, len(ids)))
        parts |= {
            "respondents": tables.shape("respondents", respondents),
            "assignments": _assignments(study, ids),
            "measurements": measurements,
            "case_ratings": _case_ratings(study, ids, sites),
        }
    gone = {
        "study_id": name,
        "respondent_id": away,
        "row": table.rows[~stays],
        "rule": tables.coded(left[~stays], [rule.rule for rule in rules]),
        "stage": STAGE,
    }
    parts["exclusions"] = tables.shape("exclusions", gone).sort_values("row")
    codes_unmapped: list[str] = []
    if isinstance(raw, RawProject):
        parts["codings"], parts["readings"], codes_unmapped = _codings(
            study, raw, ids, sites, secret
        )
    if study.problems:
        raise BadInput(study.problems)

    for part, data in parts.items():
        tables.check(part, data, codebook.vocabulary)
    parts = {part: parts[part] if part in parts else tables.empty(part) for part in tables.TABLES}
    return Harmonized(parts, _report(study, left, rules, parts, codes_unmapped, marks))


def _check_kind(codebook: Codebook, raw: RawTable | RawProject) -> None:
    """Refuse coded sources without codes in the codebook, and codes without coded sources.

    Raises
    ------
    BadInput
        ``wrong-format``: the codebook left the format open, and the file is of the other kind.
    """
    project = isinstance(raw, RawProject)
    if project != bool(codebook.codes):
        raise BadInput(
            Problem(
                shown(codebook.data_path),
                "a project of coded sources" if project else "a table of rows",
                "a table of rows, as the codebook lists no 'codes'"
                if project
                else f"coded sources ({', '.join(CODED)}), as the codebook lists 'codes'",
                f"correct 'codes' or file.format in {shown(codebook.path)}; a matrix of codes "
                "needs 'format: matrix'",
                codebook.study.id,
                code="wrong-format",
            )
        )


def _places(study: _Study, role: str, secret: bytes, kind: str) -> pd.Series:
    """Give each kept row the pseudonym of its site or cluster."""
    variable = study.codebook.only(role)
    if variable is None:
        return pd.Series(pd.NA, index=range(len(study.kept)), dtype="str")
    positions, names = study.translate(variable.name, meanings.label(variable))
    known = pseudonyms.organisations(study.codebook.study.id, filter(None, names), secret, kind)
    return tables.coded(positions, [known.get(name) for name in names])


def _by_arm(
    study: _Study, left: np.ndarray, rules: list[Rule]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, dict[str, int]]]]:
    """Count the rows of each arm of the randomised factors: all, and those each rule took."""
    arms: dict[str, np.ndarray] = {}  # position of each row's level, -1 if no column tells it
    names = study.codebook.vocabulary.levels
    for variable in study.codebook.having("factor"):
        positions, texts = _different(study.table.data[variable.name])
        for factor, levels in variable.factors.items() if variable.randomised else ():
            place = {name: at for at, name in enumerate(names(factor))}
            told = np.array([place.get(levels.get(text, ""), -1) for text in texts], dtype=int)
            known = arms.get(factor, np.full(len(positions), -1))
            arms[factor] = np.where(known < 0, told[positions], known)

    def counts(rows: np.ndarray) -> dict[str, dict[str, int]]:
        return {
            factor: {name: int((rows & (arm == at)).sum()) for at, name in enumerate(names(factor))}
            for factor, arm in arms.items()
        }

    by_rule = {rule.rule: counts(left == position) for position, rule in enumerate(rules)}
    return counts(left >= -1), by_rule if arms else {}


def _report(
    study: _Study,
    left: np.ndarray,
    rules: list[Rule],
    parts: Mapping[str, tables.Part],
    codes_unmapped: list[str],
    marks: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Make the report; it names columns, never what stands above them or in them."""
    codebook, table = study.codebook, study.table
    read_by_arm, excluded_by_arm = _by_arm(study, left, rules)
    measured, reasons = parts["measurements"], pd.Series(dtype=int)
    if isinstance(measured, tables.Crossed):
        reasons = pd.Series(measured.counts()).groupby(measured.kinds["missing_reason"]).sum()
    ignored = [variable.name for variable in codebook.having(IGNORE)]
    coded = bool(codebook.codes)
    implied = {"guid", "name"} if coded and codebook.file.format != "matrix" else set()
    mentioned = {*codebook.named, *codebook.codes, *implied}
    return {
        "study": codebook.study.id,
        "provenance": codebook.study.provenance,
        "file": codebook.file.name,
        "format": form(codebook),
        "sha256": sha256(codebook.data_path),
        "rows_read": len(left),
        "rows_kept": len(study.kept),
        "excluded": {rule.rule: int((left == k).sum()) for k, rule in enumerate(rules)},
        "excluded_by_arm": excluded_by_arm,
        "read_by_arm": read_by_arm,
        "quality": [{"rule": rule, "rows": int(marked.sum())} for rule, marked in marks.items()],
        "unmapped": [name for name in table.names if name not in mentioned]
        + [f"code {name}" for name in codes_unmapped],
        "ignored": ignored,
        "missing": {
            reason: int(reasons[reason])
            for reason in codebook.vocabulary["missing_reasons"]
            if reason in reasons
        },
        "codebook": dict(codebook.document.data["study"]),
        "outcomes": list(codebook.outcomes),
        "vocabulary": codebook.document.data.get("vocabulary") or {},
        "exposures": [dict(entry) for entry in codebook.document.data.get("exposures", [])],
    }


def save(harmonized: Harmonized, folder: Path) -> None:
    """Write the tables and the report into a folder, all of them or, if one fails, none.

    Parameters
    ----------
    harmonized : what :func:`harmonize` gave.
    folder : ``results/harmonized/<study>``; made if it is not there.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        for name, part in harmonized.parts.items():
            tables.write(part, Path(temporary) / f"{name}.parquet")
        text = json.dumps(harmonized.report, indent=2, ensure_ascii=False)
        (Path(temporary) / REPORT).write_text(text + "\n", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for written in sorted(Path(temporary).iterdir()):
            written.replace(folder / written.name)


def harmonize_file(codebook: Codebook, secret: bytes) -> Harmonized:
    """Read a study's data file and harmonize it, or tell all that is wrong with the file at once.

    Where columns are missing, the cells of the others are checked all the same.

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
    if all(problem.code == "unknown-column" for problem in problems):
        rest = codebook.without([str(problem.column) for problem in problems])
        if rest is not None:
            try:
                harmonize(rest, raw, secret)
            except BadInput as bad:
                problems += bad.problems
    raise BadInput(problems)


def main() -> None:
    """Harmonize one study: the entry point of the rule ``harmonize``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study-folder", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--pseudonyms", type=json.loads, required=True, help="JSON: key, key_file")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    vocabulary = vocabularies.load(args.vocabulary)
    codebook = load(args.study_folder, vocabulary, args.manifest)
    secret = pseudonyms.key(codebook, args.pseudonyms)
    harmonized = harmonize_file(codebook, secret)
    save(harmonized, args.out)
    report = harmonized.report
    print(f"{report['study']}: {report['rows_read']} rows read, {report['rows_kept']} kept")


if __name__ == "__main__":
    run(main)
