"""Inspect a study: its harmonized tables in, what a careful reader wants to know of them out.

Nothing leaves this module that may not be published: small cells are hidden here, and texts from
the raw data do not enter.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from metastudy import tables
from metastudy import vocabulary as vocabularies
from metastudy.agreement import agreement
from metastudy.balance import arms, differences, differs, standardised
from metastudy.errors import run
from metastudy.reliability import OMEGA_ITEMS, item_rest, loadings, reliability
from metastudy.scores import scores
from metastudy.suppress import about, count, ends, protect, share, shares
from metastudy.vocabulary import Vocabulary

__all__ = ["MUCH_MISSING", "Inspected", "inspect", "load", "main"]

MOST_CATEGORIES = 11  # a scale with more steps is shown in bins
BINS = 10
MUCH_MISSING = 20  # per cent of an item's people without an answer
PLACE = ("country", "sector", "role", "arrangement")
REPORT = "report.json"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Inspected:
    """A study's harmonized tables by name, and its report."""

    report: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def load(folder: Path) -> Inspected:
    """Read the harmonized tables of a study; one that is not there has no rows."""
    found = {}
    for name in tables.TABLES:
        path = Path(folder) / f"{name}.parquet"
        found[name] = tables.read(path) if path.is_file() else tables.empty(name)
    return Inspected(json.loads((Path(folder) / REPORT).read_text("utf-8")), found)


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)


# --- from the file to the rows ------------------------------------------------------------------


def _reading(study: Inspected, least: int) -> dict[str, Any]:
    """Tell what was read and who left; the rules and those who stay add up to the rows read."""
    report = study.report
    excluded = {str(rule): int(rows) for rule, rows in report["excluded"].items()}
    parts = protect([*excluded.values(), int(report["rows_kept"])], least)
    if len(study["effects"]):  # findings of the literature are no people
        parts = protect([*excluded.values(), int(report["rows_kept"])], 1)
    name = str(report["file"])
    return {
        "file": name,
        "format": report.get("format") or Path(name).suffix.lstrip(".").lower(),
        "sha256": report["sha256"],
        "rows_read": int(report["rows_read"]) if parts.total else None,
        "rows_kept": parts.cells[-1],
        "excluded": [
            {"rule": rule, "rows": rows}
            for rule, rows in zip(excluded, parts.cells[:-1], strict=True)
        ],
        "unmapped": [str(name) for name in report["unmapped"]],
        "ignored": [str(name) for name in report["ignored"]],
    }


def _quality(study: Inspected, least: int) -> Rows | None:
    rules = study.report.get("quality")
    if rules is None:
        return None
    kept = int(study.report["rows_kept"])
    return [{"rule": str(r["rule"]), "rows": ends(int(r["rows"]), kept, least)} for r in rules]


def _places(study: Inspected, least: int) -> Rows:
    """Count people by place, or findings where the study is of published ones."""
    effects = study["effects"]
    if len(effects):
        own = effects[["country", "sector", "role"]].assign(arrangement=None)
        least = 1
    else:
        own = study["respondents"][list(PLACE)]
    counts = Counter(tuple(_text(v) for v in row) for row in own.itertuples(index=False))
    places = sorted(counts, key=lambda place: [value or "" for value in place])
    shown = protect([counts[place] for place in places], least).cells
    return [dict(zip(PLACE, p, strict=True)) | {"n": n} for p, n in zip(places, shown, strict=True)]


# --- answers -------------------------------------------------------------------------------------


def _categories(values: pd.Series, low: float, high: float) -> tuple[list[str], list[int]]:
    """Count answers over the declared scale: by step, or in bins where the steps are many."""
    whole = low.is_integer() and high.is_integer() and bool((values % 1 == 0).all())
    if whole and high - low < MOST_CATEGORIES:
        steps = np.arange(low, high + 1)
        return [f"{step:g}" for step in steps], [int((values == step).sum()) for step in steps]
    edges = np.linspace(low, high, BINS + 1)
    labels = [f"{a:g}–{b:g}" for a, b in pairwise(edges)]
    return labels, [int(n) for n in np.histogram(values, bins=edges)[0]]


def _answers(study: Inspected, vocabulary: Vocabulary, least: int) -> dict[str, Any]:
    """Inspect the items and the scales that they make."""
    measured = study["measurements"]
    scored = scores(measured) if len(measured) else pd.DataFrame()
    reasons = [r for r in vocabulary["missing_reasons"] if r in set(measured["missing_reason"])]
    items: Rows = []
    scales: Rows = []
    for (construct, vignette), own in measured.groupby(
        ["construct", "vignette"], dropna=False, sort=False
    ):
        where = {"construct": str(construct), "vignette": _text(vignette)}
        answers = own.pivot(index="respondent_id", columns="item_id", values="value_aligned")
        rest = item_rest(answers)
        for item, mine in own.groupby("item_id", sort=True):
            items.append(where | _item(str(item), mine, reasons, rest[item], least))
        score = scored[scored["construct"].eq(str(construct))]
        situation = score["vignette"]
        same = situation.eq(vignette) if isinstance(vignette, str) else situation.isna()
        scale = _scale(answers, score.loc[same, "score"].dropna(), least)
        if answers.shape[1] == 1:  # the scale is the item: said once, it tells nothing more
            scale |= {end: items[-1][end] for end in ("floor", "ceiling")}
        scales.append(where | scale)
    order = {name: at for at, name in enumerate(vocabulary["constructs"])}
    situations = {name: at for at, name in enumerate(vocabulary["vignettes"])}
    for found in (items, scales):
        found.sort(key=lambda r: (order[r["construct"]], situations.get(r["vignette"], -1)))
    return {"reasons": reasons, "items": items, "scales": scales}


def _item(
    name: str, own: pd.DataFrame, reasons: Sequence[str], rest: float, least: int
) -> dict[str, Any]:
    low, high = float(own["scale_min"].iloc[0]), float(own["scale_max"].iloc[0])
    values = own["value_aligned"].dropna()
    labels, counts = _categories(values, low, high)
    missing = own["missing_reason"].value_counts()
    parts = shares([len(values), *(int(missing.get(r, 0)) for r in reasons)], least)
    steps = shares(counts, least)
    floor, ceiling = steps[0], steps[-1]
    if len(labels) == BINS and not any(isinstance(one, str) for one in steps):
        floor = share(int((values == low).sum()), len(values), least)
        ceiling = share(int((values == high).sum()), len(values), least)
    return {
        "item": name,
        "reversed": bool(own["reverse_keyed"].iloc[0]),
        "low": low,
        "high": high,
        "missing": dict(zip(reasons, parts[1:], strict=True)),
        # beside hidden parts their sum would tell too much
        "all_missing": None
        if any(isinstance(one, str) for one in parts[1:])
        else share(len(own) - len(values), len(own), least),
        "much_missing": len(values) < (1 - MUCH_MISSING / 100) * len(own),
        "labels": labels,
        "shares": steps,
        "floor": floor,
        "ceiling": ceiling,
        "item_rest": _number(rest),
    }


def _scale(answers: pd.DataFrame, score: pd.Series, least: int) -> dict[str, Any]:
    found = reliability(answers)
    numbers = {
        name: _number(value) if isinstance(value, float) else value
        for name, value in asdict(found).items()
    }
    complete = answers.dropna()
    weights = None
    if found.alpha is not None and found.items >= OMEGA_ITEMS:
        weights = loadings(complete.corr().to_numpy())
    return numbers | {
        "rows": about(found.rows, least),
        "floor": share(int(score.eq(0).sum()), len(score), least) if len(score) else None,
        "ceiling": share(int(score.eq(100).sum()), len(score), least) if len(score) else None,
        "loadings": None
        if weights is None
        else dict(zip(map(str, answers.columns), map(_number, weights), strict=True)),
        "names": [str(name) for name in answers.columns],
    }


# --- arms ----------------------------------------------------------------------------------------


def _arms(study: Inspected, vocabulary: Vocabulary, least: int) -> dict[str, Any] | None:
    assigned = study["assignments"]
    randomised = assigned[assigned["randomised"]]
    if not len(randomised):
        return None
    counts: Rows = []
    for vignette, own in arms(randomised).groupby("vignette", dropna=False):
        sizes = own["arm"].value_counts().sort_index()
        for arm, n in zip(sizes.index, protect(list(sizes), least).cells, strict=True):
            counts.append({"vignette": _text(vignette), "arm": str(arm), "n": n})
    balance = [
        asdict(one) | {"difference": round(one.difference, 4), "chance": round(one.chance, 4)}
        for one in differences(study["respondents"], randomised, vocabulary, least)
    ]
    return {
        "factors": sorted(set(randomised["factor"])),
        "counts": counts,
        "balance": balance,
        "left": _left(study.report, vocabulary, least),
        "checks": _checks(study, randomised, vocabulary, least),
    }


def _left(report: Mapping[str, Any], vocabulary: Vocabulary, least: int) -> Rows | None:
    """Tell how many rows of each level left by which rule.

    The rule's own count may stand on the page, and so may the people that each level kept: the
    levels of a rule are protected together, and a level in which a count is hidden has no shares.
    """
    by_rule, read = report.get("excluded_by_arm"), report.get("read_by_arm")
    if by_rule is None or read is None:
        return None
    rows: Rows = []
    for factor, of_level in read.items():
        total = {level: int(of_level.get(level, 0)) for level in vocabulary.levels(factor)}
        left = {
            rule: {level: int(of_factor.get(factor, {}).get(level, 0)) for level in total}
            for rule, of_factor in by_rule.items()
        }
        shown = {}
        for rule, counts in left.items():
            parts = protect(list(counts.values()), least)
            for level, n in zip(counts, parts.cells, strict=True):
                shown[rule, level] = n if parts.total else None
        open_levels = {
            level for level in total if all(isinstance(shown[rule, level], int) for rule in left)
        }
        rows += [
            {
                "rule": rule,
                "factor": factor,
                "level": level,
                "n": shown[rule, level],
                "share": round(100 * left[rule][level] / total[level], 1)
                if level in open_levels and total[level]
                else None,
                "differs": differs(left[rule], total),
            }
            for rule in left
            for level in total
        ]
    return rows


def _checks(study: Inspected, randomised: pd.DataFrame, vocabulary: Vocabulary, least: int) -> Rows:
    """Compare a construct that checks a factor between the levels of that factor."""
    if not len(study["measurements"]):
        return []
    scored, rows = scores(study["measurements"]), []
    for construct in dict.fromkeys(scored["construct"]):
        factor = vocabulary["constructs"][construct].get("checks")
        own = randomised[randomised["factor"] == factor]
        if not len(own):
            continue
        means = scored[scored["construct"] == construct].groupby("respondent_id")["score"].mean()
        groups = {
            level: means.reindex(own.loc[own["level"] == level, "respondent_id"].unique()).dropna()
            for level in vocabulary.levels(str(factor))
        }
        reference = next(iter(groups))
        for level, values in groups.items():
            few = len(values) < least
            rows.append(
                {
                    "construct": construct,
                    "factor": factor,
                    "level": level,
                    "n": about(len(values), least) if not few else f"<{least}",
                    "mean": None if few else _number(values.mean()),
                    "difference": None
                    if few or level == reference
                    else _number(standardised(values, groups[reference])),
                }
            )
    return rows


# --- codes, cases, findings ----------------------------------------------------------------------


def _part(n: int, total: int, least: int) -> dict[str, Any] | None:
    """Show how many of a total, and their share where the number is shown."""
    if total < least:
        return None
    shown = ends(n, total, least)
    return {"n": shown, "of": total, "share": 100 * n / total if isinstance(shown, int) else None}


def _coding(study: Inspected, vocabulary: Vocabulary, least: int) -> dict[str, Any] | None:
    readings, codings = study["readings"], study["codings"]
    if not len(readings):
        return None
    known = [
        code
        for code in vocabulary["codes"]
        if code in set(study.report["outcomes"]) or code in set(codings["code_id"])
    ]
    sources = readings["source_id"].nunique()
    rows: Rows = []
    for one in agreement(codings, readings, known):
        few = one.double < least
        rows.append(
            {
                "code": one.code,
                "sources": _part(one.sources, one.read, least),
                "double": None if few else _part(one.double_found, one.double_read, least),
                "alpha": None if few else _number(one.alpha),
                "kappa": None if few else _number(one.kappa),
                "pairs": one.pairs,
            }
        )
    double = int(readings.groupby("source_id")["coder_id"].nunique().gt(1).sum())
    per_organisation = study["respondents"]["org_id"].dropna().value_counts()
    shown = protect(list(per_organisation), least).cells
    return {
        "read": count(sources, least),
        "double": ends(double, sources, least),
        "enough_double": double >= least,
        "coders": int(readings["coder_id"].nunique()),
        "organisations": [
            {"organisation": str(name).removeprefix(f"{study.report['study']}-"), "n": n}
            for name, n in zip(per_organisation.index, shown, strict=True)
        ],
        "codes": rows,
    }


def _ratings(study: Inspected, vocabulary: Vocabulary, least: int) -> dict[str, Any] | None:
    """List the ratings of few cases one by one, sorted, so that no case can be followed."""
    rated = study["case_ratings"]
    if not len(rated):
        return None
    cases, rows = rated["respondent_id"].nunique(), []
    for dimension in (d for d in vocabulary["dimensions"] if d in set(rated["dimension"])):
        own = rated[rated["dimension"] == dimension]
        values = own["rating"].dropna().sort_values(ascending=False)
        row: dict[str, Any] = {"dimension": dimension, "listed": None, "shares": None}
        row["unrated"] = int(own["rating"].isna().sum())
        if cases < least:
            row["listed"] = [int(value) for value in values]
        else:
            counts = [int(values.eq(pole).sum()) for pole in (1, 0, -1)]
            row["shares"] = shares(counts, least)
            row["unrated"] = count(row["unrated"], least)
        rows.append(row)
    return {"few": cases < least, "cases": count(cases, least), "dimensions": rows}


def _published(study: Inspected) -> dict[str, Any] | None:
    """Count findings of the literature; they are public, so no count is hidden."""
    found = study["effects"]
    if not len(found):
        return None
    return {
        "findings": len(found),
        "publications": int(found["citation"].nunique()),
        "counts": [
            {"direction": str(direction), "verification": str(verification), "n": n}
            for (direction, verification), n in Counter(
                zip(found["direction"], found["verification"], strict=True)
            ).items()
        ],
        "exposure_types": sorted(set(found["exposure_type"])),
    }


# --- the whole -----------------------------------------------------------------------------------


def inspect(study: Inspected, vocabulary: Vocabulary, least: int) -> dict[str, Any]:
    """Inspect one study.

    Parameters
    ----------
    study : what :func:`load` gives.
    vocabulary : the common one with what the study adds to it.
    least : the smallest cell that is shown.

    Returns
    -------
    Plain values by part of the page; ``None`` for a part that does not apply or that harmonizing
    did not record. Counts are numbers, or texts such as ``<5``; shares are per cent.
    """
    report = study.report
    published = _published(study)
    types = [str(entry["type"]) for entry in report.get("exposures", [])]
    types += published["exposure_types"] if published else []
    return {
        "study": str(report["study"]),
        "about": {key: value for key, value in report["codebook"].items() if key != "id"},
        "provenance": str(report["provenance"]),
        "vocabulary": report.get("vocabulary") or {},
        "outcomes": list(report.get("outcomes", [])),
        "exposure_types": list(dict.fromkeys(types)),
        "smallest_cell": least,
        "reading": _reading(study, least),
        "quality": _quality(study, least),
        "weights": bool(study["respondents"]["weight"].notna().any()),
        "places": _places(study, least),
        "answers": _answers(study, vocabulary, least) if len(study["measurements"]) else None,
        "arms": _arms(study, vocabulary, least),
        "coding": _coding(study, vocabulary, least),
        "ratings": _ratings(study, vocabulary, least),
        "published": published,
    }  # fmt: skip


def main() -> None:
    """Inspect one study: the entry point of the rule ``inspect``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--study", type=Path, required=True, help="folder of harmonized tables")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--smallest-cell", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    args = parser.parse_args()
    study = load(args.study)
    vocabulary = vocabularies.merge(
        vocabularies.load(args.vocabulary), [study.report.get("vocabulary") or {}]
    )
    found = inspect(study, vocabulary, args.smallest_cell)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
