"""From a study's raw file to the harmonized tables, by what its codebook says and nothing else."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy import meanings, pseudonyms, tables
from metastudy import vocabulary as vocabularies
from metastudy.codebook import IGNORE, Codebook, Rule, load, sha256
from metastudy.errors import BadInput, Problem, run
from metastudy.readers import RawProject, RawTable, read
from metastudy.texts import canonical, did_you_mean, shown

__all__ = ["REPORT", "STAGE", "Harmonized", "harmonize", "main", "save"]

STAGE = "harmonize"
REPORT = "report.json"
SHOWN_ROWS = 8  # so many rows are named where the same thing is wrong in many

_PLACES = (("country", "countries"), ("sector", "sectors"), ("arrangement", "arrangements"))


@dataclass(frozen=True)
class Harmonized:
    """A study's harmonized tables by name, and the report on how they came about."""

    tables: Mapping[str, pd.DataFrame]
    report: Mapping[str, Any]


@dataclass
class _Study:
    """One study on its way: its codebook, its raw rows that are kept, its problems so far."""

    codebook: Codebook
    table: RawTable
    kept: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    problems: list[Problem] = field(default_factory=list)

    def texts(self, name: str) -> pd.Series:
        """Give a raw column of the kept rows."""
        return self.table.data.loc[self.kept, name].reset_index(drop=True)

    def report(
        self, hits: np.ndarray, name: str, found: str, expected: str, mend: str, code: str
    ) -> None:
        """Note one problem of the kept rows that ``hits`` marks."""
        rows = [int(row) for row in self.table.rows[self.kept][hits]]
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
        positions, texts = pd.factorize(self.texts(name))
        found: list[Any] = []
        for position, text in enumerate(texts):
            try:
                found.append(meaning(text))
            except meanings.UnfitError as unfit:
                label = self.table.labels.get(name, {}).get(text)
                spelt = (f"'{text}'" if text else "an empty cell") + (
                    f" (labelled '{label}')" if label else ""
                )
                self.report(
                    positions == position, name, spelt, unfit.expected, unfit.mend, unfit.code
                )
                found.append(None)
        return positions, found

    def decode(self, name: str, meaning: Callable[[str], Any]) -> pd.Series:
        """Give the meaning of a raw column, row by row; missing where there is none."""
        positions, found = self.translate(name, meaning)
        return pd.Series(np.array([*found, None], dtype=object)[positions])


# --- which rows stay -----------------------------------------------------------------------------


def _answered(codebook: Codebook, table: RawTable) -> pd.DataFrame:
    """Tell for each row and outcome whether any of its items has an answer."""
    marks: dict[str, np.ndarray] = {}
    for item in codebook.having("item"):
        if item.construct in codebook.outcomes:
            texts = table.data[item.name]
            given = (texts.ne("") & ~texts.isin(list(item.missing))).to_numpy()
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


def _respondents(study: _Study, ids: pd.Series, sites: pd.Series) -> pd.DataFrame:
    codebook = study.codebook
    data: dict[str, Any] = {
        "study_id": codebook.study.id,
        "respondent_id": ids,
        "role": codebook.study.role,
        "org_id": sites,
        "lang": codebook.study.language,
        "weight": np.nan,
        "qc_status": "ok",
        "provenance": codebook.study.provenance,
    }
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
    return pd.DataFrame(data, index=ids.index)


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


def _assignments(study: _Study, ids: pd.Series) -> pd.DataFrame:
    parts = []
    for variable in study.codebook.having("factor"):
        raw = study.decode(variable.name, meanings.levels(variable))
        for factor, levels in variable.factors.items():
            level = raw.map(levels)
            part = pd.DataFrame({"respondent_id": ids, "factor": factor, "level": level})
            parts.append(
                part[level.notna()].assign(
                    study_id=study.codebook.study.id,
                    vignette=variable.vignette,
                    randomised=variable.randomised,
                )
            )
    if not parts:
        return tables.empty("assignments")
    table = tables.shape("assignments", pd.concat(parts, ignore_index=True))
    return table.sort_values(["respondent_id", "vignette", "factor"], ignore_index=True)


def _measurements(study: _Study, ids: pd.Series) -> pd.DataFrame:
    """Make one row a respondent and item: a matrix of both, read row by row."""
    items = sorted(
        study.codebook.having("item"),
        key=lambda item: (item.vignette or "", item.construct or "", item.name),
    )
    if not items:
        return tables.empty("measurements")
    people, count = len(ids), len(items)
    raw = np.empty((people, count))
    aligned, pomp = np.empty_like(raw), np.empty_like(raw)
    reasons = np.empty((people, count), dtype=object)
    order = ids.argsort().to_numpy()
    for column, item in enumerate(items):
        positions, found = study.translate(item.name, meanings.number(item))
        pairs = [pair or (np.nan, "system") for pair in found]
        positions = positions[order]
        raw[:, column] = np.array([number for number, _ in pairs])[positions]
        reasons[:, column] = np.array([reason for _, reason in pairs], dtype=object)[positions]
        low, high = float(item.min or 0), float(item.max or 0)
        values = raw[:, column]
        aligned[:, column] = low + high - values if item.keying == "reverse" else values
        pomp[:, column] = 100 * (aligned[:, column] - low) / (high - low)

    def each(values: list[Any], dtype: str) -> pd.Series:
        return pd.Series(values, dtype=dtype).take(np.tile(np.arange(count), people))

    columns = {
        "study_id": pd.Series([study.codebook.study.id], dtype="str").take(
            np.zeros(people * count, dtype=np.intp)
        ),
        "respondent_id": ids.take(np.repeat(order, count)),
        "vignette": each([item.vignette for item in items], "str"),
        "construct": each([item.construct for item in items], "str"),
        "item_id": each([item.name for item in items], "str"),
        "value_raw": pd.Series(raw.ravel()),
        "missing_reason": pd.Series(reasons.ravel(), dtype="str"),
        "scale_min": each([item.min for item in items], "float64"),
        "scale_max": each([item.max for item in items], "float64"),
        "reverse_keyed": each([item.keying == "reverse" for item in items], "bool"),
        "value_aligned": pd.Series(aligned.ravel()),
        "value_pomp": pd.Series(pomp.ravel()),
    }
    return pd.DataFrame({name: of.reset_index(drop=True) for name, of in columns.items()})


def _readings(
    study: _Study, project: RawProject, codings: pd.DataFrame, ids: pd.Series
) -> pd.DataFrame:
    """List who read which source: the coders listed with it, and all who coded it."""
    parts = [pd.DataFrame({"source_id": ids[codings["case"]].array, "coder": codings["coder"]})]
    variable = study.codebook.only("coders")
    if variable:
        names = {**project.coders, **{name: name for name in project.coders.values()}}

        def meaning(text: str) -> list[str]:
            listed = [canonical(one) for one in text.split(variable.separator)]
            for one in filter(None, listed):
                if one not in names:
                    raise meanings.unknown(one, project.coders.values(), "users of the project")
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
                    code="unknown-label",
                )
            )
    codings = project.codings.assign(
        case=pd.Series(np.where(study.kept, np.cumsum(study.kept) - 1, -1))[
            project.codings["case"]
        ].array,
        name=project.codings["code"].map(spelt),
        coder=project.codings["coder"].map(project.coders),
    )
    codings = codings[codings["case"] >= 0].reset_index(drop=True)
    for name in codings["name"][~codings["name"].isin(list(mapping))].unique():
        hits = np.isin(np.arange(study.kept.sum()), codings["case"][codings["name"] == name])
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
    if study.problems:
        return tables.empty("codings"), tables.empty("readings"), []

    readings = _readings(study, project, codings, ids)
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


def _check_ids(study: _Study, name: str) -> None:
    """Report rows without an id, and ids that stand in several rows."""
    texts = study.texts(name)
    if texts.eq("").any():
        study.report(
            texts.eq("").to_numpy(),
            name,
            "no id",
            "an id in every row that stays",
            "give the row an id, or let it leave by a rule under 'exclude' in the codebook",
            "missing-id",
        )
    again = texts[texts.ne("") & texts.duplicated(keep=False)]
    for value in again.unique():
        study.report(
            texts.eq(value).to_numpy(),
            name,
            f"the id '{value}' {int(again.eq(value).sum())} times",
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
            spelt = [f"{code} ('{labels[code]}')" if code in labels else code for code in lost]
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
        ``duplicate-id``, ``undeclared-missing``.
    """
    name = codebook.study.id
    table = raw.cases if isinstance(raw, RawProject) else raw
    left, rules = _exclude(codebook, table)
    study = _Study(codebook, table, kept=left < 0)
    identity = codebook.having("id")[0].name
    _check_ids(study, identity)
    _check_declared(study)

    people = pd.Series(pseudonyms.persons(name, table.data[identity], secret), dtype="str")
    ids = people[study.kept].reset_index(drop=True)
    sites = _sites(study, secret)
    respondents = _respondents(study, ids, sites)
    _check_attributes(study, respondents)
    parts = {
        "respondents": respondents.sort_values("respondent_id", ignore_index=True),
        "assignments": _assignments(study, ids),
        "measurements": _measurements(study, ids),
        "codings": tables.empty("codings"),
        "readings": tables.empty("readings"),
        "exclusions": pd.DataFrame(
            {
                "study_id": name,
                "respondent_id": people[~study.kept],
                "row": table.rows[~study.kept],
                "rule": np.array([rule.rule for rule in rules], dtype=object)[left[~study.kept]],
                "stage": STAGE,
            }
        ).sort_values("row", ignore_index=True),
    }
    codes_unmapped: list[str] = []
    if isinstance(raw, RawProject):
        parts["codings"], parts["readings"], codes_unmapped = _codings(
            study, raw, ids, sites, secret
        )
    if study.problems:
        raise BadInput(study.problems)

    shaped = {
        part: tables.check(part, tables.shape(part, data), codebook.vocabulary)
        for part, data in parts.items()
    }
    return Harmonized(shaped, _report(study, left, rules, shaped, codes_unmapped))


def _sites(study: _Study, secret: bytes) -> pd.Series:
    variable = study.codebook.only("site")
    if variable is None:
        return pd.Series(pd.NA, index=range(int(study.kept.sum())), dtype="str")
    names = study.decode(variable.name, meanings.label(variable))
    known = pseudonyms.organisations(study.codebook.study.id, names.dropna(), secret)
    return names.map(known).astype("str")


def _report(
    study: _Study,
    left: np.ndarray,
    rules: list[Rule],
    shaped: Mapping[str, pd.DataFrame],
    codes_unmapped: list[str],
) -> dict[str, Any]:
    codebook, table = study.codebook, study.table
    reasons = shaped["measurements"]["missing_reason"].value_counts()
    ignored = [variable.name for variable in codebook.having(IGNORE)]
    implied = {"guid", "name"} if codebook.file.format == "qdpx" else set()
    mentioned = {*codebook.named, *implied}
    return {
        "study": codebook.study.id,
        "provenance": codebook.study.provenance,
        "file": codebook.file.name,
        "sha256": sha256(codebook.data_path),
        "rows_read": len(left),
        "rows_kept": int(study.kept.sum()),
        "excluded": {rule.rule: int((left == k).sum()) for k, rule in enumerate(rules)},
        "unmapped": [table.place(name) for name in table.names if name not in mentioned]
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
        for name, table in harmonized.tables.items():
            tables.write(table, Path(temporary) / f"{name}.parquet")
        text = json.dumps(harmonized.report, indent=2, ensure_ascii=False)
        (Path(temporary) / REPORT).write_text(text + "\n", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for written in sorted(Path(temporary).iterdir()):
            written.replace(folder / written.name)


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
    harmonized = harmonize(codebook, read(codebook), secret)
    save(harmonized, args.out)
    report = harmonized.report
    print(f"{report['study']}: {report['rows_read']} rows read, {report['rows_kept']} kept")


if __name__ == "__main__":
    run(main)
