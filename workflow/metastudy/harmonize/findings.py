"""Published findings as rows of effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.codebook import Variable
from metastudy.common.problems import Problem
from metastudy.common.text import shown, some_of
from metastudy.harmonize import decoders, effect_names
from metastudy.harmonize.arm_totals import sums_up
from metastudy.harmonize.effect_forms import computed
from metastudy.harmonize.effect_rows import Row
from metastudy.harmonize.effect_sd_of_t import OTHER_SD, TAKEN_SD
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema

__all__ = ["effects", "notes_on"]

OF_SD = ("standardiser", "small_sample", "sd_error")  # fields that say something of the metric sd
SDS = ("sd_control", "sd_treatment")
OF_NO_EFFECT = (
    *("finding", "citation", "contrast", "exposure", "exposure_type", "response_mode", "outcome"),
    *("vignette", "family", "term", "role", "country", "sector", "source", "verification"),
)
PARTS = ["exposure", "exposure_type", "outcome", "role", "response_mode"]  # of an estimand
PLACES = ["country", "sector"]
MOST_NAMED = 5
OF_T = {  # what may be said of a t beside the SDs of its arms, and what to do about it
    OTHER_SD: "is it of an adjusted model, of Welch's test or of other people? Means and SDs are "
    "used as they are, and an estimate has its error from the t",
    TAKEN_SD: "with a t of an adjusted model or of Welch's test it is another; enter the means of "
    "both arms instead, if they are known",
}
SIGNS = {1.0: "positive", -1.0: "negative", 0.0: "null_result"}


def effects(study: Study, ids: pd.Series) -> pd.DataFrame:
    """Make one row a published finding; what no field says is a constant, or the study's own.

    Estimate and standard error are computed where the finding has them in another form
    (:mod:`metastudy.harmonize.effect_forms`), and so is the direction of an estimate without one.
    """
    codebook = study.codebook
    own = codebook.study
    identity = codebook.having("id")[0].name
    study.decode(identity, decoders.identifier)
    data: dict[str, Any] = {
        "study_id": own.id,
        "finding_id": ids,
        "provenance": own.provenance,
        "role": own.role or None,
        "country": own.country or None,
        "sector": own.sector or None,
    }
    fields = {str(variable.field): variable for variable in codebook.having("finding")}
    unread = np.zeros(len(ids), dtype=bool)  # rows of which more cannot be said
    for field_, variable in fields.items():
        reader = decoders.finding(variable, codebook.vocabulary)
        values = study.decode(variable.name, reader)
        data["finding_id" if field_ == "finding" else field_] = values
        if field_ not in OF_NO_EFFECT:
            texts = study.texts(variable.name).astype("str")
            unread |= (
                texts.ne("") & ~texts.isin(list(variable.missing)) & values.isna()
            ).to_numpy()
    unread |= _totals(study, fields)
    entered = pd.DataFrame(data, index=ids.index)
    for field_, value in _constants(study):
        entered[field_] = value
    effect_names.report_misspelt(study, fields, entered)
    entered["family"] = effect_names.families(study, fields, entered)
    of_sd = pd.Series(False, index=ids.index)
    for name in {"metric", "reported_as"} & set(entered):
        of_sd |= entered[name].eq("sd")
    for field_ in set(OF_SD) & set(codebook.constants):  # a constant is of what it can be of
        entered[field_] = entered[field_].where(of_sd, None)
    listed = {problem.column for problem in study.problems}
    table, unfit = _computed(study, fields, entered, unread)
    for name, column in schema.TABLES["effects"].columns.items():
        declared = fields.get("finding" if name == "finding_id" else name)
        if name == "direction" and declared is None:
            declared = codebook.having("id")[0]
        empty = table[name].isna() & ~unfit
        if (
            declared
            and not column.null
            and empty.any()
            and study.table.place(declared.name) not in listed
        ):
            study.report(
                empty.to_numpy(),
                declared.name,
                "an empty cell" if name in fields else f"no {name}",
                f"the finding's {name} in every row",
                "fill the cell in, or take the row out",
                "incomplete-finding",
            )
    lost = table["estimate"].notna() & table["metric"].isna() & ~unfit
    _report(
        study,
        fields,
        lost,
        "estimate",
        "an estimate without a metric",
        f"one of {', '.join(vocabularies.METRICS)} beside each estimate",
        "fill the metric in",
        "incomplete-finding",
    )
    pairs = (
        entered["paired_correlation"].notna() if "paired_correlation" in entered else lost & False
    )
    sound = schema.shape("effects", entered[~unread])
    _check_standardisers(study, fields, sound.reindex(entered.index), of_sd, pairs)
    _check_together(study, fields, table)
    return table.sort_values("finding_id", ignore_index=True)


def notes_on(effects: pd.DataFrame) -> Iterator[str]:
    """Say which findings have no exposure, or a t in another SD than that within its arms.

    The contrast is taken for the exposure then, and a t alone to be in the SD within its arms.
    """
    without = effects[effects["exposure"].isna() | effects["exposure"].eq("")]
    if n := len(without):
        yield (
            f"{n} {'finding has' if n == 1 else 'findings have'} no exposure ({_named(without)}): "
            "what was contrasted is taken for it, so only findings with the same words for it are "
            "pooled; name it in a column or a constant `exposure`"
        )
    for said, cure in OF_T.items():
        those = effects[[said in _steps(method) for method in effects["method"].fillna("")]]
        if len(those):
            yield f"{said} ({_named(those)}): {cure}"


def _steps(method: str) -> set[str]:
    """What was done to reach an effect, step by step, without the numbers of a step."""
    return {step.partition(": ")[0] for step in method.split("; ")}


def _named(findings: pd.DataFrame) -> str:
    return some_of([*findings["finding_id"]], MOST_NAMED)


def _totals(study: Study, fields: Mapping[str, Variable]) -> np.ndarray:
    """Report rows that sum up the others, whose effects would count twice; which they are."""
    found = np.zeros(len(study.kept), dtype=bool)
    places = (study.codebook.having("id")[0], fields.get("finding"), fields.get("citation"))
    for variable in filter(None, places):
        texts = study.texts(variable.name).astype("str").str.strip()
        own = texts.map(sums_up).to_numpy(dtype=bool)
        if (new := own & ~found).any():
            study.report(
                new,
                variable.name,
                f"a row of {', '.join(dict.fromkeys(texts[new]))}, which sums up others",
                "one row a finding: the workflow pools, and a total would count them twice",
                "take the row out; a finding or publication that is called so needs another name",
                "totals-row",
            )
            found |= new
    return found


def _report(
    study: Study, fields: Mapping[str, Variable], hits: pd.Series, field: str, *said: str
) -> None:
    """Note a problem of rows in the column of a field, or of the id where a constant is it."""
    if hits.any():
        found, expected, fix, code = said
        column = fields.get(field, study.codebook.having("id")[0])
        study.report(hits.to_numpy(), column.name, found, expected, fix, code)


def _constants(study: Study) -> Iterator[tuple[str, Any]]:
    """Fields that are the same in the whole file, read as a cell is."""
    codebook = study.codebook
    for field_, value in codebook.constants.items():
        reader = decoders.finding(Variable(field_, "finding", field=field_), codebook.vocabulary)
        try:
            yield field_, reader(value)
        except decoders.InvalidValue as unfit:
            line = codebook.document.line(("constants", field_))
            study.problems.append(
                Problem(
                    file=shown(codebook.path),
                    found=f"'{value}'",
                    expected=unfit.expected,
                    fix="correct the constant",
                    study=codebook.study.id,
                    row=line,
                    column=f"constants.{field_}",
                    code=unfit.code,
                )
            )


def _computed(
    study: Study, fields: Mapping[str, Variable], entered: pd.DataFrame, unread: np.ndarray
) -> tuple[pd.DataFrame, pd.Series]:
    """The table with what the forms of effects give, and the rows whose form is not sound."""
    found: list[dict[str, Any]] = []
    unfit: dict[tuple[str, ...], list[int]] = {}
    names = list(map(str, entered))
    for position, values in enumerate(entered.itertuples(index=False, name=None)):
        row = Row(dict(zip(names, values, strict=True)))
        own, problems = ({}, []) if unread[position] else computed(row)
        found.append(own)
        for problem in problems:
            unfit.setdefault((problem.field, *problem.said), []).append(position)
    for (field, *what), positions in unfit.items():
        hits = pd.Series(np.isin(np.arange(len(entered)), positions), index=entered.index)
        _report(study, fields, hits, field, *what)
    wrong = pd.Series(unread, index=entered.index)
    wrong.iloc[sorted({at for positions in unfit.values() for at in positions})] = True
    table = schema.shape("effects", entered)
    made = pd.DataFrame(found, index=entered.index)
    for name in map(str, made):
        if table[name].dtype == "float64":
            table[name] = made[name].astype("float64").fillna(table[name])
        else:
            table[name] = made[name].astype("str").fillna(table[name].astype("str"))
    sign = np.sign(table["estimate"]).map(SIGNS)
    said = table["direction"].astype("str")
    against = said.isin(["positive", "negative"]) & sign.isin(list(SIGNS.values())[:2])
    _report(
        study,
        fields,
        against & said.ne(sign),
        "direction",
        "a direction with another sign than the estimate",
        "the sign of the estimate; without a direction it is computed",
        "correct the one or the other: both are of the same contrast",
        "sign-against-direction",
    )
    return table.assign(direction=said.fillna(sign)), wrong


def _check_together(study: Study, fields: Mapping[str, Variable], table: pd.DataFrame) -> None:
    """Report effects without an error of their own, a second time, or in several metrics."""
    known = table["estimate"].notna() & table["se"].notna() & table["metric"].notna()
    _report(
        study,
        fields,
        known & table["se"].eq(0),
        "se",
        "a standard error of zero",
        "a standard error above zero",
        "correct the numbers that it is computed from, or empty the cells: the finding is then a "
        "direction",
        "zero-error",
    )
    name = table["exposure"].astype("str").fillna(table["contrast"].astype("str"))
    rows = table.assign(exposure=name)
    rows[PARTS + PLACES] = rows[PARTS + PLACES].astype("str").fillna("")
    of_study = ["citation", *PARTS, *PLACES, "vignette", "metric", "estimate", "se"]
    again = known & rows[known].duplicated(of_study).reindex(table.index, fill_value=False)
    _report(
        study,
        fields,
        again,
        "estimate",
        "an effect of a publication a second time: outcome, estimate and error are the same",
        "each effect once",
        "take one of them out",
        "duplicate-effect",
    )
    for _, mine in rows[known].groupby(PARTS, sort=False):
        metrics = sorted(mine["metric"].unique())
        if len(metrics) > 1:
            _report(
                study,
                fields,
                table.index.to_series().isin(mine.index),
                "metric",
                f"effects on {mine['outcome'].iloc[0]} in {' and '.join(metrics)}",
                "one metric for all effects of one exposure on one outcome: others do not pool",
                "declare a conversion by reported_as, or give what is another outcome another name",
                "mixed-metrics",
            )


def _check_standardisers(
    study: Study,
    fields: Mapping[str, Variable],
    table: pd.DataFrame,
    of_sd: pd.Series,
    pairs: pd.Series,
) -> None:
    """Report what is said of standard deviations and arms and cannot be true."""

    def report(hits: pd.Series, field: str, found: str, expected: str, fix: str) -> None:
        if field in fields:
            _report(study, fields, hits, field, found, expected, fix, "standardiser")

    other = table["metric"].notna() & ~of_sd
    for field in OF_SD:
        report(
            other & table[field].notna(),
            field,
            "what only an effect in standard deviations has, beside another metric",
            "an empty cell, or sd as the metric",
            "empty the cell, or correct the metric",
        )
    for field, partner in (SDS, SDS[::-1]):
        report(
            table[field].notna() & table[partner].isna(),
            field,
            "the standard deviation of one arm without that of the other",
            f"both {SDS[0]} and {SDS[1]}, or neither",
            f"fill in {partner}, or empty the cell",
        )
        report(
            table[field].eq(0),
            field,
            "a standard deviation of zero",
            "a standard deviation above zero",
            "correct it, or empty the cells of both arms",
        )
    arms = table["n_control"].fillna(2) + table["n_treatment"].fillna(2)
    report(
        (arms > table["n"]) & ~pairs,
        "n",
        "more respondents in the arms than in all",
        "n_control and n_treatment that make up n at most",
        "correct the numbers, all of the respondents that the effect is of",
    )
