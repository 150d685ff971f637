"""Cells: the sufficient statistics that the models see in place of rows.

Two kinds. *Answers* become counts and cross-products per site and pattern of observed outcomes;
*codings* become counts per organisation and code. Both are xarray datasets, so that every number
carries the names of what it counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy import tables
from metastudy.design import Effects, Structure, effects, structure
from metastudy.errors import BadInput, Problem
from metastudy.scores import NEEDED, scores
from metastudy.vocabulary import Vocabulary

__all__ = [
    "Readings",
    "Rows",
    "Study",
    "answer_cells",
    "answer_effects",
    "between_organisations",
    "between_settings",
    "between_vignettes",
    "code_cells",
    "first_readings",
    "interviews",
    "load_study",
    "observed",
    "organisation_effects",
    "readings_of",
    "rows_of",
    "shares_of_families",
    "site_information",
    "structures_of",
    "studies_of_codes",
]

GROUPINGS = ("study", "country", "sector")
NO_VIGNETTE = ""  # an answer that is about no particular situation


@dataclass(frozen=True)
class Study:
    """A study's harmonized tables and its report."""

    report: dict[str, Any]
    respondents: pd.DataFrame
    assignments: pd.DataFrame
    measurements: pd.DataFrame
    codings: pd.DataFrame
    readings: pd.DataFrame

    @property
    def id(self) -> str:
        return self.report["study"]


def load_study(folder: Path, measured: Sequence[str] = NEEDED) -> Study:
    """Read the harmonized tables of one study from its folder under ``results/harmonized``.

    Of the measurements, much the longest table, only the columns ``measured`` are read.
    """
    names = ("respondents", "assignments", "codings", "readings")
    return Study(
        report=json.loads((folder / "report.json").read_text("utf-8")),
        measurements=tables.read_some(folder / "measurements.parquet", measured),
        **{name: pd.read_parquet(folder / f"{name}.parquet") for name in names},
    )


# --- answers: counts and cross-products ---------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """One study as numbers: a row per respondent."""

    y: pd.DataFrame  # outcomes (construct, vignette) in standard units, NaN where not observed
    x: pd.DataFrame  # exposures
    site: pd.DataFrame  # study, country, sector, role, site
    centre: pd.Series
    scale: pd.Series
    exposures: list[dict[str, str]]
    dropped: list[dict[str, Any]]


def answer_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Cross-products of a module's answers.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families.
    folded : whether what is a part of another outcome is folded into it (:func:`rows_of`).

    Returns
    -------
    xarray.Dataset
        ``n`` (cell), ``xx`` (cell, coefficient, coefficient_), ``xy`` (cell, coefficient, outcome),
        ``yy`` (cell, outcome, outcome_), a cell being a site and a pattern of observed outcomes;
        outcomes are all pairs of construct and vignette, in units of the reference group's standard
        deviation around its mean, which stand in ``scale`` and ``centre`` (setting, outcome; POMP).
        The first coefficient is the intercept.

    Raises
    ------
    BadInput
        Where an exposure differs between a person's vignettes, or an arm is empty.
    """
    rows = [rows_of(study, module, vocabulary, folded) for study in studies]
    constructs = _ordered(
        {str(c) for r in rows for c in r.y.columns.unique("construct")}, vocabulary["constructs"]
    )
    vignettes = _ordered(
        {str(v) for r in rows for v in r.y.columns.unique("vignette")}, vocabulary["vignettes"]
    )
    outcomes = pd.MultiIndex.from_product([constructs, vignettes], names=["construct", "vignette"])
    exposures = {e["id"]: e for r in rows for e in r.exposures}

    y = pd.concat([r.y.reindex(columns=outcomes) for r in rows], ignore_index=True)
    x = pd.concat(
        [r.x.reindex(columns=list(exposures), fill_value=0.0) for r in rows], ignore_index=True
    )
    where = pd.concat([r.site for r in rows], ignore_index=True)
    sites = where.drop_duplicates().sort_values([*GROUPINGS, "site"], ignore_index=True)
    settings = sites.drop(columns="site").drop_duplicates([*GROUPINGS], ignore_index=True)
    site = where.merge(sites.reset_index(names="at"), how="left")["at"].to_numpy()

    seen = y.notna().to_numpy()
    patterns, pattern = np.unique(seen, axis=0, return_inverse=True)
    keys, cell = np.unique(np.column_stack([site, pattern]), axis=0, return_inverse=True)
    z = np.column_stack([np.ones(len(x)), x.to_numpy(), np.where(seen, y.to_numpy(), 0.0)])
    n, zz = _cross_products(z, cell, len(keys))
    p = 1 + len(exposures)

    setting_of = settings.reset_index(names="at").merge(
        pd.DataFrame({"study": [s.id for s in studies], "rows": range(len(rows))})
    )
    names = _setting_names(settings)
    present = np.array([[e in rows[i].x.columns for e in exposures] for i in setting_of["rows"]])
    labels = [f"{c}|{v}" for c, v in outcomes]
    return xr.Dataset(
        {
            "n": ("cell", n),
            "xx": (("cell", "coefficient", "coefficient_"), zz[:, :p, :p]),
            "xy": (("cell", "coefficient", "outcome"), zz[:, :p, p:]),
            "yy": (("cell", "outcome", "outcome_"), zz[:, p:, p:]),
            "site_of_cell": ("cell", keys[:, 0]),
            "pattern_of_cell": ("cell", keys[:, 1]),
            "observed": (("pattern", "outcome"), patterns.astype(np.int8)),
            "setting_of_site": (
                "site",
                sites.merge(settings.reset_index(names="at"), how="left")["at"].to_numpy(),
            ),
            "present": (("setting", "exposure"), present.astype(np.int8)),
            "centre": (("setting", "outcome"), _aligned("centre", rows, setting_of, outcomes)),
            "scale": (("setting", "outcome"), _aligned("scale", rows, setting_of, outcomes)),
            **{c: ("setting", settings[c].to_numpy(dtype=str)) for c in (*GROUPINGS, "role")},
            "exposure_type": ("exposure", [e["type"] for e in exposures.values()]),
            "exposure_name": ("exposure", [e["name"] for e in exposures.values()]),
            "exposure_level": ("exposure", [e["level"] for e in exposures.values()]),
            "construct_of": ("outcome", outcomes.get_level_values("construct").to_numpy(dtype=str)),
            "vignette_of": ("outcome", outcomes.get_level_values("vignette").to_numpy(dtype=str)),
        },
        coords={
            "setting": names,
            "site": sites["site"].to_numpy(dtype=str),
            "coefficient": ["intercept", *exposures],
            "exposure": np.array(list(exposures), dtype=str),
            "construct": constructs,
            "vignette": vignettes,
            "outcome": labels,
        },
        attrs=_attributes(studies, module, folded, [d for r in rows for d in r.dropped]),
    )


def rows_of(study: Study, module: str, vocabulary: Vocabulary, folded: bool = False) -> Rows:
    """Bring one study to numbers: scores in standard units and exposures, by respondent.

    Only who has every exposure and answered an outcome is in them. Folded, a person's score of a
    whole is the mean of its own score and of those of its parts, as far as there are any, and the
    parts are no outcomes (:meth:`metastudy.vocabulary.Vocabulary.folding`).
    """
    mine = [
        c
        for c in study.report["outcomes"]
        if c in vocabulary["constructs"] and vocabulary.module(c) == module
    ]
    people = study.respondents.set_index("respondent_id")
    score = scores(study.measurements)
    score["vignette"] = score["vignette"].astype("str").fillna(NO_VIGNETTE)
    wide = score.pivot(index="respondent_id", columns=["construct", "vignette"], values="score")
    wide = wide.reindex(people.index)
    x, exposures = _exposures(study, wide, vocabulary)
    y = wide[[c for c in wide.columns if c[0] in mine]]
    if folded:
        whole = vocabulary.folding(mine)
        construct, vignette = (y.columns.get_level_values(level) for level in (0, 1))
        y = y.T.groupby([construct.map(whole), vignette]).mean().T

    complete = x.notna().all(axis=1)
    answered = y.notna().any(axis=1)
    dropped = [
        {"study": study.id, "rule": "exposure_missing", "rows": int((~complete).sum())},
        {"study": study.id, "rule": "no_outcome_scored", "rows": int((complete & ~answered).sum())},
    ]
    keep = complete & answered
    x, y, people = x[keep], y[keep], people[keep]
    for name in (e["factor"] for e in study.report["exposures"] if "factor" in e):
        level = _levels(study, name).reindex(people.index)
        _no_empty_arm(study, name, list(vocabulary.levels(name)), level)
    reference = _reference(x, exposures)
    centre, scale = y[reference].mean(), y[reference].std(ddof=1)
    if (bad := scale[~(scale > 0)]).size:
        raise BadInput(
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/measurements.parquet",
                column=", ".join(f"{c} in {v}" for c, v in bad.index),
                found="the same score, or fewer than two scores, in the reference group",
                expected="an outcome that varies",
                mend="take the construct out of `outcomes` in the study's codebook",
                code="constant-outcome",
            )
        )
    site = pd.DataFrame(
        {
            "study": study.id,
            "country": people["country"].astype(str),
            "sector": people["sector"].astype(str),
            "role": people["role"].astype(str),
            "site": people["org_id"].fillna(study.id).astype(str),
        }
    )
    return Rows((y - centre) / scale, x, site, centre, scale, exposures, dropped)


def _exposures(
    study: Study, wide: pd.DataFrame, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Exposures of a study: contrasts of factors, and measured traits in standard deviations."""
    columns: dict[str, pd.Series] = {}
    described: list[dict[str, str]] = []

    def add(name: str, kind: str, level: str, values: pd.Series) -> None:
        key = f"{name}_{kind}" + (f"_{level}" if level else "")
        columns[key] = values
        described.append({"id": key, "name": name, "type": kind, "level": level})

    for exposure in study.report["exposures"]:
        kind = exposure["type"]
        if name := exposure.get("construct"):
            trait = wide[[c for c in wide.columns if c[0] == name]].mean(axis=1)
            _varies(study, name, trait)
            add(name, kind, "", (trait - trait.mean()) / trait.std(ddof=1))
        elif name := exposure.get("factor"):
            level = _levels(study, name).reindex(wide.index)
            levels = list(vocabulary.levels(name))
            known = level.notna()
            if len(levels) == 2:
                add(name, kind, "", ((level == levels[1]) - 0.5).where(known))
            else:
                for other in levels[1:]:
                    add(name, kind, other, (level == other).astype(float).where(known))
    return pd.DataFrame(columns, index=wide.index), described


def _varies(study: Study, construct: str, trait: pd.Series) -> None:
    if not trait.std(ddof=1) > 0:
        raise BadInput(
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/measurements.parquet",
                column=construct,
                found="the same score, or fewer than two scores, of everybody",
                expected="an exposure that varies",
                mend="take the construct out of `exposures` in the study's codebook",
                code="constant-exposure",
            )
        )


def _levels(study: Study, factor: str) -> pd.Series:
    mine = study.assignments[study.assignments["factor"] == factor]
    if mine.groupby("respondent_id")["level"].nunique().gt(1).any():
        raise BadInput(
            Problem(
                study=study.id,
                file=f"data/raw/{study.id}/codebook.yaml",
                column=f"factor {factor}",
                found="levels that differ between the vignettes of one respondent",
                expected="one level per respondent",
                mend="declare one factor per vignette",
                code="varying-exposure",
            )
        )
    return mine.drop_duplicates("respondent_id").set_index("respondent_id")["level"].astype(str)


def _no_empty_arm(study: Study, factor: str, levels: list[str], level: pd.Series) -> None:
    if empty := [name for name in levels if not (level == name).any()]:
        raise BadInput(
            Problem(
                study=study.id,
                file=f"data/raw/{study.id}/codebook.yaml",
                column=f"factor {factor}",
                found=f"nobody in: {', '.join(empty)}",
                expected=f"somebody who answers an outcome in each of: {', '.join(levels)}",
                mend="correct the value map of the factor, or take it out of `exposures`",
                code="empty-arm",
            )
        )


def _reference(x: pd.DataFrame, exposures: list[dict[str, str]]) -> pd.Series:
    """The reference group: who has the reference level of the first randomised factor, or all."""
    first = next((e["name"] for e in exposures if e["type"] == "randomised"), None)
    mine = [e["id"] for e in exposures if e["type"] == "randomised" and e["name"] == first]
    return (x[mine] <= 0).all(axis=1) if mine else pd.Series(True, index=x.index)


def _cross_products(z: np.ndarray, cell: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and Z'Z per cell; one pass over the rows sorted by cell."""
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=cells))
    blocks = np.split(z[order], ends[:-1])
    return np.array([len(b) for b in blocks], dtype=float), np.stack([b.T @ b for b in blocks])


def _aligned(
    what: str, rows: Sequence[Rows], setting_of: pd.DataFrame, outcomes: pd.MultiIndex
) -> np.ndarray:
    return np.stack([getattr(rows[i], what).reindex(outcomes) for i in setting_of["rows"]])


def _setting_names(settings: pd.DataFrame) -> list[str]:
    """A study's id, with country and sector where it has several settings."""
    alone = ~settings["study"].duplicated(keep=False)
    full = settings["study"] + ":" + settings["country"] + ":" + settings["sector"]
    return list(settings["study"].where(alone, full))


def _ordered(names: set[str], vocabulary: Mapping[str, Any]) -> list[str]:
    return [name for name in (NO_VIGNETTE, *vocabulary) if name in names]


def _attributes(
    studies: Sequence[Study], module: str, folded: bool, dropped: list[dict[str, Any]]
) -> dict[str, str]:
    described = {
        s.id: {k: s.report["codebook"][k] for k in ("citation", "response_mode", "provenance")}
        for s in studies
    }
    return {
        "module": module,
        "variant": "folded" if folded else "main",
        "studies": json.dumps(described, sort_keys=True),
        "dropped": json.dumps(dropped, sort_keys=True),
        "vocabulary": json.dumps(_additions(studies), sort_keys=True),
    }


def _additions(studies: Sequence[Study]) -> dict[str, Any]:
    """What the studies add to the vocabulary, section by section; they are known to agree."""
    added: dict[str, Any] = {}
    for study in studies:
        for section, entries in study.report["vocabulary"].items():
            added.setdefault(section, {}).update(entries)
    return added


def between_settings(cells: xr.Dataset, exposure: str) -> tuple[Structure, np.ndarray]:
    """What the settings in which an exposure was studied identify around its population mean.

    Returns
    -------
    Structure over those settings, and their places among all settings.
    """
    places = np.flatnonzero(cells.present.sel(exposure=exposure).values)
    units = pd.DataFrame({name: cells[name].values[places] for name in GROUPINGS})
    return structure(units, GROUPINGS), places


def between_vignettes(cells: xr.Dataset, exposure: str) -> tuple[Structure, np.ndarray]:
    """The same for the vignettes in which outcomes of an exposure were observed."""
    has = cells.present.sel(exposure=exposure).values.astype(bool)
    seen = np.isin(
        cells.vignette.values, cells.vignette_of.values[observed(cells)[has].any(axis=0)]
    )
    places = np.flatnonzero(seen)
    units = pd.DataFrame({"vignette": cells.vignette.values[places]})
    return structure(units, ["vignette"]), places


def answer_effects(cells: xr.Dataset) -> Effects:
    """Design matrix of the effects; a row is a setting, an exposure and a vignette.

    Rows of a setting without the exposure, or of a vignette without outcomes, are empty: their
    effect is zero and no data are about it.
    """
    sizes = tuple(cells.sizes[name] for name in ("setting", "exposure", "vignette"))
    at = np.arange(np.prod(sizes)).reshape(sizes)
    parts = []
    for p, exposure in enumerate(cells.exposure.values):
        settings, j = between_settings(cells, str(exposure))
        vignettes, v = between_vignettes(cells, str(exposure))
        unit = np.indices((len(j), len(v)))
        around = [(settings, unit[0].ravel()), (vignettes, unit[1].ravel())]
        parts.append((str(exposure), at[:, p][np.ix_(j, v)].ravel(), around))
    return effects(at.size, parts)


def observed(cells: xr.Dataset) -> np.ndarray:
    """Which outcomes a setting observed at all, shape (setting, outcome)."""
    seen = np.zeros((cells.sizes["setting"], cells.sizes["outcome"]), dtype=bool)
    if "item" in cells.dims:
        seen[cells.setting_of_item.values, cells.outcome_of_item.values] = True
        return seen
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    np.logical_or.at(
        seen, setting, cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    )
    return seen


def site_information(cells: xr.Dataset) -> np.ndarray:
    """Sum of squares of each coefficient's predictor per site, shape (site, coefficient)."""
    squares = np.diagonal(cells.xx.values, axis1=1, axis2=2)
    total = np.zeros((cells.sizes["site"], squares.shape[1]))
    np.add.at(total, cells.site_of_cell.values, squares)
    return total


# --- codings: counts ----------------------------------------------------------------------------


def code_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts of a module's codings.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families.
    folded : whether a code is present where it or a part of it is, the parts being no codes of
        their own then (:meth:`metastudy.vocabulary.Vocabulary.folding`).

    Returns
    -------
    xarray.Dataset
        ``single`` (organisation, code, reading): interviews of one coder with and without the code;
        ``double`` (organisation, code, agreement): interviews of two coders in which both, only the
        first, only the second or none applied it; ``x`` (organisation, exposure): the contrast of
        an exposure, -1/2 and +1/2, zero where a study does not have it; ``site`` (organisation):
        the organisation itself, which has a row for each role where people of several roles spoke.

    Raises
    ------
    BadInput
        Where an organisation has several values of what should be its own property.
    """
    if folded:
        studies = [_folded(study, module, vocabulary) for study in studies]
    applied = {s.id: _codes(s, module, vocabulary) for s in studies}
    codes = _ordered({c for mine in applied.values() for c in mine}, vocabulary["codes"])
    units = pd.concat([_units(s) for s in studies], ignore_index=True)
    names = list(units["unit"])
    single = np.zeros((len(names), len(codes), 2))
    double = np.zeros((len(names), len(codes), 4))
    for study in studies:
        coded = [c for c in codes if c in applied[study.id]]
        at = [codes.index(c) for c in coded]
        read = readings_of(study, coded)
        for source, a in zip(read.first.index, read.first.to_numpy(), strict=True):
            row = names.index(read.unit[source])
            if source not in read.second.index:
                single[row, at, np.where(a, 0, 1)] += 1
            else:
                b = read.second.loc[source].to_numpy()
                double[row, at, 3 - (2 * a.astype(int) + b.astype(int))] += 1

    exposures = [
        {"id": f"{e['attribute']}_{e['type']}", "name": e["attribute"], "type": e["type"]}
        for e in _unique(e for s in studies for e in s.report["exposures"] if "attribute" in e)
    ]
    x = np.zeros((len(names), len(exposures)))
    for column, exposure in enumerate(exposures):
        reference, other = list(vocabulary.levels(exposure["name"]))[:2]
        has = [s.id for s in studies if _declares(s, exposure["name"])]
        value = units[exposure["name"]].where(units["study"].isin(has))
        x[:, column] = 0.5 * (value == other).to_numpy() - 0.5 * (value == reference).to_numpy()
    return xr.Dataset(
        {
            "single": (("organisation", "code", "reading"), single),
            "double": (("organisation", "code", "agreement"), double),
            "x": (("organisation", "exposure"), x),
            **{
                c: ("organisation", units[c].to_numpy(dtype=str))
                for c in (*GROUPINGS, "role", "arrangement", "site")
            },
            "family_of": ("code", np.array([vocabulary.family(c) for c in codes], dtype=str)),
            "exposure_name": ("exposure", np.array([e["name"] for e in exposures], dtype=str)),
            "exposure_type": ("exposure", np.array([e["type"] for e in exposures], dtype=str)),
        },
        coords={
            "organisation": np.array(names, dtype=str),
            "code": np.array(codes, dtype=str),
            "family": list(dict.fromkeys(vocabulary.family(c) for c in codes)),
            "reading": ["applied", "not_applied"],
            "agreement": ["both", "only_first", "only_second", "none"],
            "exposure": np.array([e["id"] for e in exposures], dtype=str),
        },
        attrs=_attributes(studies, module, folded, []),
    )


@dataclass(frozen=True)
class Readings:
    """One study's interviews: which codes the coders applied, a row per interview."""

    first: pd.DataFrame  # by its first coder
    second: pd.DataFrame  # by its second coder, where it has one
    unit: pd.Series  # the organisation, or one role in it


def readings_of(study: Study, codes: list[str]) -> Readings:
    """Bring one study's codings to whether each coder applied each of these codes."""
    by_coder = _presence(study, codes).groupby(level="source_id")
    first, second = (pd.DataFrame(by_coder.nth(at).droplevel("coder_id")) for at in (0, 1))
    unit = _at_units(study).set_index("respondent_id")["unit"]
    return Readings(first, second, unit.reindex(first.index))


def _codes(study: Study, module: str, vocabulary: Vocabulary) -> list[str]:
    outcomes = study.report["outcomes"]
    return [c for c in outcomes if c in vocabulary["codes"] and vocabulary.module(c) == module]


def _folded(study: Study, module: str, vocabulary: Vocabulary) -> Study:
    """The study as if its coders had applied a code wherever they applied a part of it."""
    whole = vocabulary.folding(_codes(study, module, vocabulary))
    outcomes = [*dict.fromkeys(whole.get(name, name) for name in study.report["outcomes"])]
    return replace(
        study,
        report=study.report | {"outcomes": outcomes},
        codings=study.codings.replace({"code_id": whole}),
    )


def _declares(study: Study, attribute: str) -> bool:
    """Whether a study compares by an attribute: only contrasts within studies travel."""
    return any(e.get("attribute") == attribute for e in study.report["exposures"])


def _at_units(study: Study) -> pd.DataFrame:
    """The respondents with their unit: an organisation, or one role in it where it has several.

    Who has no organisation is at that of the study.
    """
    site = study.respondents["org_id"].fillna(study.id).astype(str)
    people = study.respondents.assign(study=study.id, site=site)
    several = people.groupby("site")["role"].transform("nunique").gt(1)
    return people.assign(unit=site.where(~several, site + ":" + people["role"].astype(str)))


def _units(study: Study) -> pd.DataFrame:
    own = ["country", "sector", "role", "arrangement", "site"]
    people = _at_units(study)
    if (several := people.groupby("unit")[own].nunique(dropna=False).gt(1)).to_numpy().any():
        problems = [
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/respondents.parquet",
                row=str(unit),
                column=column,
                found="several values within one organisation",
                expected="one value per organisation",
                mend="correct the variable in the study's data file",
                code="varying-organisation",
            )
            for unit, column in several.stack()[lambda found: found].index
        ]
        raise BadInput(problems)
    columns = ["study", "unit", *own]
    return people[columns].drop_duplicates().sort_values("unit", ignore_index=True)


def _presence(study: Study, codes: list[str]) -> pd.DataFrame:
    """Whether a coder applied a code anywhere in a source, the unit on which coders agree."""
    read = study.readings.sort_values(["source_id", "coder_id"])
    index = pd.MultiIndex.from_frame(read[["source_id", "coder_id"]])
    applied = study.codings.assign(one=True).pivot_table(
        index=["source_id", "coder_id"], columns="code_id", values="one", aggfunc="any"
    )
    return applied.reindex(index=index, columns=codes).notna()


def _unique(items: Any) -> list[dict[str, str]]:
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())


def between_organisations(cells: xr.Dataset) -> Structure:
    """What the organisations identify beside the exposures."""
    units = pd.DataFrame({name: cells[name].values for name in GROUPINGS})
    fixed = [str(name) for name in cells.exposure_name.values]
    for column, name in enumerate(fixed):
        units[name] = cells.x.values[:, column]
    return structure(units, GROUPINGS, fixed, residual="organisation")


def organisation_effects(cells: xr.Dataset) -> Effects:
    """Design matrix of what varies between organisations beside the exposures."""
    found = between_organisations(cells)
    everyone = np.arange(found.units)
    return effects(found.units, [(None, everyone, [(found, everyone)])])


def structures_of(cells: xr.Dataset) -> list[tuple[str, Structure]]:
    """What the design identifies around each exposure: between settings, vignettes, units."""
    if "code" in cells.dims:
        return [(str(e), between_organisations(cells)) for e in cells.exposure.values]
    return [
        (str(e), around(cells, str(e))[0])
        for e in cells.exposure.values
        for around in (between_settings, between_vignettes)
    ]


def interviews(cells: xr.Dataset) -> xr.DataArray:
    """Interviews in which a code was looked for, shape (organisation, code)."""
    return cells.single.sum("reading") + cells.double.sum("agreement")


def shares_of_families(cells: xr.Dataset) -> np.ndarray:
    """Of all readings for a family, the share in each unit, shape (family, organisation)."""
    of_family = cells.family_of.values == cells.family.values[:, None]
    read = of_family.astype(float) @ interviews(cells).values.T
    return read / read.sum(axis=1, keepdims=True)


def studies_of_codes(cells: xr.Dataset) -> xr.DataArray:
    """Whether a study looked for a code, shape (study_name, code)."""
    return (interviews(cells).groupby(cells.study.rename("study_name")).sum() > 0).astype(bool)


def first_readings(cells: xr.Dataset) -> xr.Dataset:
    """The same cells as if each interview had been read once, by its first coder."""
    single, double = cells["single"], cells["double"].values
    first = np.stack([double[..., :2].sum(-1), double[..., 2:].sum(-1)], axis=-1)
    return cells.assign(single=single + first, double=cells["double"] * 0)
