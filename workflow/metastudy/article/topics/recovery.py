"""Recovery: what the models find of what the simulated data were made from.

Only while the data are simulated, and only of the data files that the true values are about: a
study with another file, or an effect that rests on observed data, has no known truth.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.table_rows import VERDICTS, columns_of, grouped
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, share
from metastudy.display.pipe_table import Table
from metastudy.posterior.verdicts import CLAIMS, KINDS

__all__ = ["RECOVERED", "TRUTH", "against_truth", "figure", "recovered", "table", "variables"]

KEY = ["study", "exposure", "level", "outcome", "metric"]
TRUTH = ["module", "study", "data", "exposure", "level", "outcome", "vignette", "metric", "truth"]
LEVELS = ("population", "code")  # of effects; those of single vignettes make up the first
RECOVERED = [
    *("module", "level", "exposure", "exposure_type", "outcome", "study", "metric"),
    *("mean", "lower", "upper", "truth"),
    "covered",  # whether the interval holds the truth
    "word",
    "claim",
    "sign",  # of a claim: right, wrong, or none, where the truth is zero
    "trivial",  # whether the truth is inside the region of practical equivalence
    "provenance",
]


def recovered(evidence: Results) -> pd.DataFrame:
    """Each effect whose true value is known, beside it.

    The effects are the population's and those on single codes, in the metric of their model; their
    truth (tools/true_values.py) is the value of the same estimand in the simulated world.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`RECOVERED`; empty where nothing is simulated or no truth was given.
    """
    truth, rows = _truth(evidence), []
    if len(truth):
        for name, contrasts in evidence.contrasts.items():
            mine = contrasts[contrasts["variant"].eq("main") & contrasts["estimand"].eq("effect")]
            mine = mine[mine["level"].isin(LEVELS) & mine["provenance"].eq("simulated")]
            mine = mine[mine["metric"].eq(evidence.kind(name).metric)]
            own = truth.loc[truth["module"].eq(name), [*KEY, "truth"]]
            for row in records(mine.merge(own, on=KEY, validate="many_to_one")):
                rows.append(row | {"module": name} | _judged(evidence, row))
    return pd.DataFrame(rows, columns=RECOVERED)


def _truth(evidence: Results) -> pd.DataFrame:
    """The true values of the data files at hand, means over vignettes."""
    found = evidence.truth
    if not len(found):
        return found
    files = {study.id: study.report["sha256"] for study in evidence.studies}
    over_vignettes = found["vignette"].isna() | found["vignette"].eq("")
    mine = found["data"].eq(found["study"].map(files)) & over_vignettes
    return found[mine & found["level"].isin(LEVELS)]


def _judged(evidence: Results, row: dict[str, Any]) -> dict[str, Any]:
    verdict, truth = evidence.judged(row), row["truth"]
    sign = ""
    if verdict.kind in CLAIMS:
        found = 1 if verdict.kind.endswith("higher") else -1
        sign = "none" if truth == 0 else "right" if found * truth > 0 else "wrong"
    return {
        "covered": row["lower"] <= truth <= row["upper"],
        "word": verdict.kind,
        "claim": verdict.claim,
        "sign": sign,
        "trivial": abs(truth) <= evidence.rope(row["metric"]),
    }


def table(evidence: Results) -> Table:
    """By module and word: how many intervals hold the truth, and how many claims are right."""
    found = recovered(evidence)
    rows = []
    for (module, level), mine in found.groupby(["module", "level"], sort=False):
        head = {"Effects of": _heading(evidence, str(module), str(level))}
        for word in KINDS:
            if len(own := mine[mine["word"] == word]):
                rows.append(head | {"Verdict": VERDICTS[word].capitalize()} | _row(own))
        rows.append(head | {"Verdict": "All words"} | _row(mine))
    shown = grouped(rows, "Effects of", "Verdict") if rows else pd.DataFrame(columns=columns_of([]))
    caption = (
        "Recovery, while the data are simulated: effects whose true value is known, by verdict. "
        f"Inside: how many {share(evidence.interval)} intervals hold the true value. Of the claims "
        "of a sign: how many have the right one, the wrong one, or are of an effect that is "
        "exactly zero. Trivial: how many true values are inside the region of practical "
        "equivalence, zeros among them."
    )
    return Table(shown, found, caption, tuple(found["provenance"]))


def _row(own: pd.DataFrame) -> dict[str, str]:
    claims = own[own["claim"].astype(bool)]
    signs = claims["sign"].value_counts()

    def of_claims(sign: str) -> str:
        return str(int(signs.get(sign, 0))) if len(claims) else "–"

    return {
        "Effects": str(len(own)),
        "Inside": f"{int(own['covered'].sum())} of {len(own)}",
        "Right sign": of_claims("right"),
        "Wrong sign": of_claims("wrong"),
        "True zero": of_claims("none"),
        "Trivial": str(int(own["trivial"].sum())),
    }


def _heading(evidence: Results, module: str, level: str) -> str:
    label = evidence.vocabulary.label("modules", module)
    if level == "code":
        return f"{label}: single codes"
    return label if evidence.by_role(module) else f"{label}: means of codes"


def figure(evidence: Results) -> pd.DataFrame:
    """Each effect with its interval and its true value, for the forest."""
    rows = []
    for row in records(recovered(evidence)):
        kind = row["exposure_type"]
        module = evidence.vocabulary.label("modules", row["module"])
        place = {
            "block": f"{module}: {inline(figure_rows.type_label(evidence, kind))}",
            "panel": evidence.labels.exposure(row["exposure"], kind).label,
            "axis": figure_rows.effect_axis(kind, row["metric"]),
            "row": evidence.labels.outcome(row["outcome"]),
            "reference": 0.0,
            "rope": evidence.rope(row["metric"]),
        }
        estimate = {"series": "Posterior", "style": "filled", "hue": kind}
        rows.append(figure_rows.mark_of(row, **place, **estimate))
        truth = dict.fromkeys(("estimate", "lower", "upper"), row["truth"])
        look = {"series": "True value", "style": "diamond", "hue": "level"}
        rows.append(figure_rows.mark_of(row, **place, **truth, **look))
    return pd.DataFrame(rows, columns=figure_rows.FOREST)


def against_truth(evidence: Results) -> pd.DataFrame:
    """Each effect with its interval, its true value and the half-width of its equivalence."""
    found = recovered(evidence)
    return found.assign(rope=[evidence.rope(str(metric)) for metric in found["metric"]])


def variables(evidence: Results) -> Tree:
    """Coverage and claims in numbers and in sentences; those alone where no truth is known."""
    found = recovered(evidence)
    if not len(found):
        unknown = "The true values of these effects are not known, so none is beside an estimate."
        return {"sentence": unknown, "abstract": ""}
    claims = found[found["claim"].astype(bool)]
    large = found[~found["trivial"].astype(bool)]
    covered, undecided = int(found["covered"].sum()), int(large["word"].eq("undecided").sum())
    signs = {name: int(claims["sign"].eq(name).sum()) for name in ("right", "wrong", "none")}
    trivial = int(claims["trivial"].sum())
    return {
        "effects": str(len(found)),
        "covered": str(covered),
        "claims": count(len(claims)),
        "claims_right": count(signs["right"]),
        "claims_wrong": count(signs["wrong"]),
        "claims_of_zero": count(signs["none"]),
        "claims_trivial": count(trivial),
        "substantial": count(len(large)),
        "substantial_undecided": count(undecided),
        "sentence": (
            f"Of {len(found)} effects with a known true value {covered} "
            f"{'lies' if covered == 1 else 'lie'} in their {share(evidence.interval)} intervals. "
            f"Claims of a sign: {len(claims)}, of which {signs['right']} right, "
            f"{signs['wrong']} wrong and {signs['none']} of an effect that is zero. True values "
            f"outside the region of practical equivalence: {len(large)}, of which {undecided} "
            "undecided."
        ),
        "abstract": (
            f"The intervals cover {covered} of the {len(found)} values from which the stand-ins "
            f"were made, and {signs['right']} of {len(claims)} claims of a direction are right."
        ),
    }
