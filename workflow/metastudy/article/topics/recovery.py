"""Recovery: what the models find of what the simulated data were made from.

Only while the data are simulated, and only of the data files that the true values are about: a
study with another file, or an effect that rests on observed data, has no known truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows
from metastudy.article.results import Results
from metastudy.article.table_rows import VERDICTS, columns_of, grouped, is_judged
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records
from metastudy.display.formatting import count, inline, joined, number, numbered, share
from metastudy.display.pipe_table import Table
from metastudy.posterior.verdicts import CLAIMS, KINDS

__all__ = [
    *("RECOVERED", "TRUTH", "against_truth", "differences", "figure", "in_vignettes", "recovered"),
    *("table", "variables"),
]

KEY = ["study", "exposure", "level", "outcome", "metric"]
TRUTH = ["module", "study", "data", "exposure", "level", "outcome", "vignette", "metric", "truth"]
OPEN = "undecided"
MOST_NAMED = 3  # intervals that miss; of more a sentence would be a list
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


def in_vignettes(evidence: Results) -> pd.DataFrame:
    """The same in single vignettes, of exposures that were asked about in several.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`RECOVERED` and ``vignette``.
    """
    truth, rows = _here(evidence), []
    if not len(truth):
        return pd.DataFrame(columns=[*RECOVERED, "vignette"])
    truth = truth[truth["level"].eq("study")]
    for name, contrasts in evidence.contrasts.items():
        mine = contrasts[contrasts["variant"].eq("main") & contrasts["estimand"].eq("effect")]
        mine = mine[mine["level"].eq("study") & mine["provenance"].eq("simulated")]
        mine = mine[mine["metric"].eq(evidence.kind(name).metric)]
        several = mine.groupby(["exposure", "outcome"])["vignette"].transform("nunique") > 1
        own = truth.loc[truth["module"].eq(name), [*KEY, "vignette", "truth"]]
        own = own.astype({"vignette": str})
        both = mine[several].merge(own, on=[*KEY, "vignette"], validate="many_to_one")
        rows += [row | {"module": name} | _judged(evidence, row) for row in records(both)]
    return pd.DataFrame(rows, columns=[*RECOVERED, "vignette"])


def differences(evidence: Results) -> pd.DataFrame:
    """Differences between effects whose true values are known, beside that of the truths.

    Those against the others of a family, between vignettes and between exposure types.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`RECOVERED`.
    """
    truth, rows = _here(evidence), []
    if len(truth):
        for name, contrasts in evidence.contrasts.items():
            main = contrasts["variant"].eq("main") & contrasts["estimand"].eq("difference")
            own = truth[truth["module"].eq(name) & truth["metric"].eq(evidence.kind(name).metric)]
            for row in records(contrasts[main & contrasts["provenance"].eq("simulated")]):
                value = _difference(evidence, own, row)
                if value is not None and is_judged(row):
                    found = row | {"module": name, "truth": value}
                    rows.append(found | _judged(evidence, found))
    return pd.DataFrame(rows, columns=RECOVERED)


def _difference(evidence: Results, truth: pd.DataFrame, row: Mapping[str, Any]) -> float | None:
    """The true value of a difference; None where one of its parts is not known."""
    mine = truth[truth["outcome"].eq(row["outcome"]) & truth["exposure"].eq(row["exposure"])]
    means = mine.loc[mine["level"].eq("population"), "truth"].tolist()
    if row["level"] == "vignette":
        by = mine[mine["level"].eq("study")].set_index("vignette")["truth"]
        known = {row["vignette"], row["against"]} <= {*by.index} and by.index.is_unique
        return float(by[row["vignette"]] - by[row["against"]]) if known else None
    if row["level"] == "outcome":
        family = evidence.vocabulary.family(str(row["outcome"]))
        own = truth[truth["exposure"].eq(row["exposure"]) & truth["level"].eq("population")]
        others = [
            float(one["truth"])
            for one in records(own)
            if evidence.vocabulary.family(str(one["outcome"])) == family
            and one["outcome"] != row["outcome"]
        ]
    elif row["level"] == "exposure_type":
        name = str(row["exposure"]).removesuffix(str(row["exposure_type"])) + str(row["against"])
        other = truth[truth["outcome"].eq(row["outcome"]) & truth["exposure"].eq(name)]
        others = other.loc[other["level"].eq("population"), "truth"].tolist()
    else:
        return None
    known = len(means) == 1 and bool(others)
    return float(means[0] - sum(others) / len(others)) if known else None


def _here(evidence: Results) -> pd.DataFrame:
    """The true values of the data files at hand."""
    found = evidence.truth
    if not len(found):
        return found
    files = {study.id: study.report["sha256"] for study in evidence.studies}
    return found[found["data"].eq(found["study"].map(files))]


def _truth(evidence: Results) -> pd.DataFrame:
    """The true values of means over vignettes, and of codes."""
    found = _here(evidence)
    if not len(found):
        return found
    over_vignettes = found["vignette"].isna() | found["vignette"].eq("")
    return found[over_vignettes & found["level"].isin(LEVELS)]


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
    signs = _signs(found)
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
        "answer": _answer(large),
        "sentence": " ".join(
            filter(
                None,
                (
                    f"Of {numbered(len(found), 'effect', digits=True)} with a known true value "
                    f"{covered} "
                    f"{'lies' if covered == 1 else 'lie'} in their {share(evidence.interval)} "
                    f"intervals. {_claims(found, evidence)}",
                    _others(in_vignettes(evidence), evidence, "effects in single vignettes"),
                    _others(differences(evidence), evidence, "differences between effects"),
                ),
            )
        ),
        "missed": _missed(found, evidence),
        "abstract": _abstract(evidence, found, large),
    }


def _signs(found: pd.DataFrame) -> dict[str, int]:
    claims = found[found["claim"].astype(bool)]
    return {name: int(claims["sign"].eq(name).sum()) for name in ("right", "wrong", "none")}


def _answer(large: pd.DataFrame) -> str:
    """Whether the models would find what is there."""
    if not len(large):
        return "No true value lies outside the region of practical equivalence."
    claims, open_ones = int(large["claim"].astype(bool).sum()), int(large["word"].eq(OPEN).sum())
    how = (
        "mostly" if 2 * claims > len(large) else "in part" if 4 * claims > len(large) else "rarely"
    )
    return (
        f"{how.capitalize()}: of {count(len(large))} true values outside the region of practical "
        f"equivalence {count(claims)} {'gets' if claims == 1 else 'get'} a sign and "
        f"{count(open_ones)} {'stays' if open_ones == 1 else 'stay'} undecided."
    )


def _claims(found: pd.DataFrame, evidence: Results) -> str:
    """How many signs are claimed, and what they are of."""
    signs = _signs(found)
    total = sum(signs.values())
    if not total:
        return "No sign is claimed."
    head = f"{count(total, capital=True)} {'sign is' if total == 1 else 'signs are'} claimed"
    if signs["right"] == total:
        small = int(found.loc[found["claim"].astype(bool), "trivial"].sum())
        rest = f"; {count(small)} of an effect that is too small to matter" if small else ""
        return f"{head}, and {'it' if total == 1 else 'each'} is right{rest}."
    named = joined(_name(evidence, row) for row in records(found[found["sign"].eq("none")]))
    parts = {"right": "right", "wrong": "wrong", "none": f"where the truth is zero ({named})"}
    each = joined(f"{count(signs[kind])} {said}" for kind, said in parts.items() if signs[kind])
    return f"{head}: {each}."


def _others(found: pd.DataFrame, evidence: Results, what: str) -> str:
    if not len(found):
        return ""
    covered = int(found["covered"].sum())
    return f"Of {len(found)} {what} {covered} are inside. {_claims(found, evidence)}"


def _missed(found: pd.DataFrame, evidence: Results) -> str:
    """The intervals that miss, by name, where there are few."""
    missed = found[~found["covered"].astype(bool)]
    if not 0 < len(missed) <= MOST_NAMED:
        return ""
    each = joined(
        f"{_name(evidence, row)} (estimate {number(row['mean'])}, truth {number(row['truth'])})"
        for row in records(missed)
    )
    what = (
        "One interval misses" if len(missed) == 1 else f"{count(len(missed), True)} intervals miss"
    )
    return f"{what} the truth: {each}."


def _name(evidence: Results, row: Mapping[str, Any]) -> str:
    exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
    return f"{inline(exposure)} on {inline(evidence.labels.outcome(row['outcome']))}"


def _abstract(evidence: Results, found: pd.DataFrame, large: pd.DataFrame) -> str:
    """Coverage, all claims of a sign, and what was not found."""
    parts = (found, in_vignettes(evidence), differences(evidence))
    each = [_signs(part) for part in parts]
    signs = {name: sum(one[name] for one in each) for name in ("right", "wrong", "none")}
    covered, claims = int(found["covered"].sum()), sum(signs.values())
    wrong = joined(
        f"{count(signs[name])} {'is' if signs[name] == 1 else 'are'} {said}"
        for name, said in (("wrong", "wrong"), ("none", "of an effect that is zero"))
        if signs[name]
    )
    open_ones = int(large["word"].eq(OPEN).sum())
    said = (
        f"The intervals cover {covered} of the {len(found)} values that the stand-ins were made "
        "from. "
        if len(found) > 1
        else f"The interval {'covers' if covered else 'does not cover'} the value that the "
        "stand-ins were made from. "
    )
    said += (
        f"Of {numbered(claims, 'sign that is', 'signs that are')} claimed, {count(signs['right'])} "
        + ("is right" if signs["right"] == 1 else "are right")
        + (f" and {wrong}" if wrong != "none" else "")
        + "; "
        if claims
        else "No sign is claimed; "
    )
    return said + (
        f"of {count(len(large))} true effects beyond the region of practical equivalence, "
        f"{count(open_ones) if open_ones else 'none'} {'stays' if open_ones == 1 else 'stay'} "
        "undecided."
    )
