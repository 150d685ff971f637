"""Published findings: directions by outcome, bounds and appraisal, as tables and variables.

Reported as synthesis without meta-analysis (Campbell et al. 2020): one direction for each data set
and outcome, a sign test over the data sets where several speak of one exposure and one outcome, the
rest listed. Nothing is counted over unlike outcomes or unlike exposures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of
from metastudy.codebook.appraisal import GRADE, NOT_ASSESSED, NOT_RATED, judged
from metastudy.common.tables import JOINT, records
from metastudy.display.formatting import count, inline, interval, joined, number, words
from metastudy.display.pipe_table import Table

__all__ = [
    "BOUNDS",
    "GRADE",
    "OUTCOMES",
    "SAID",
    "appraisal_table",
    "bounds",
    "bounds_table",
    "by_outcome",
    "certainty_table",
    "directions",
    "findings",
    "findings_table",
    "outcome_label",
    "outcomes",
    "outcomes_table",
    "sign_test_sentence",
]

SAID = {
    "positive": "more",
    "negative": "less",
    "null_result": "not significant",
    "not_supported": "not among the supported",
}
SIGNED = ("positive", "negative")
NORMAL = 1.96  # standard errors on either side of an estimate that a test at 5% allows
BOUND = 2 * NORMAL  # an estimate that is not significant, and its own error
TESTED = 2  # data sets with a sign from which there is a sign test
COMPARISON = ["exposure", "exposure_type", "outcome"]
OUTCOMES = [
    *COMPARISON,
    *("family", "meaning"),  # what more of the outcome is, in the vocabulary's words
    *("citations", "data_sets", "positive", "negative", "mixed", "without_sign"),
    *("share", "lower", "upper", "p"),  # of those with a sign, how many are positive
    "certainty",
]


def findings_table(evidence: Results) -> Table:
    """Published findings with direction, sample size and how far they were seen."""
    found = findings(evidence)
    # The first study of a publication is its own; others are replications.
    own = {study.report["codebook"]["citation"]: study for study in reversed(evidence.studies)}
    rows = [
        {
            "Contrast": words(row["contrast"]),
            "Outcome": outcome_label(evidence, row["outcome"]),
            "Exposure": inline(evidence.labels.of(row["exposure_type"], "exposure_types")),
            "Direction": SAID[row["direction"]],
            "n": "–" if pd.isna(row["n"]) else str(round(row["n"])),
            "Seen": words(row["verification"].removeprefix("published_")).lower(),
            "Also here": inline(evidence.labels.study(own[row["citation"]].id))
            if row["citation"] in own
            else "–",
            "Source": f"@{row['citation']}",
        }
        for row in records(found)
    ]
    caption = (
        "Published findings, as far as their abstracts were seen: real evidence, none of it "
        "simulated. Those of a study whose data are here as well never enter a pool beside them."
    )
    return Table(pd.DataFrame(rows, columns=columns_of(rows)), found, caption, ("observed",))


def outcomes_table(evidence: Results) -> Table:
    """Directions by exposure and outcome, one a data set, with a sign test over several."""
    found = outcomes(evidence)
    rows = [
        {
            "Exposure": evidence.labels.exposure_with_type(
                f"{row['exposure']}_{row['exposure_type']}", row["exposure_type"]
            ),
            "Outcome": outcome_label(evidence, row["outcome"]),
            "Data sets": str(row["data_sets"]),
            "More": str(row["positive"]),
            "Less": str(row["negative"]),
            "Both": str(row["mixed"]),
            "No sign": str(row["without_sign"]),
            "Share of more [95% interval]": _share(row),
            "Certainty": _certainty(row["certainty"]),
            "Sources": "; ".join(f"@{name}" for name in str(row["citations"]).split(JOINT)),
        }
        for row in records(found)
    ]
    caption = (
        "Published directions, one for each data set, exposure and outcome of the vocabulary; more "
        "and less are said of the outcome. A sign test needs two data sets with a sign that speak "
        "of the same exposure and outcome; its interval is exact (Clopper and Pearson). What was "
        "not significant or not supported has no sign and takes no part in it. Certainty is that "
        "of the outcome, or, marked by (publication), of each publication by itself."
    )
    return Table(pd.DataFrame(rows, columns=columns_of(rows)), found, caption, ("observed",))


def _share(row: dict[str, Any]) -> str:
    if pd.isna(row["share"]):
        return "–"
    return f"{number(row['share'])} [{interval(row['lower'], row['upper'])}]"


def certainty_table(evidence: Results) -> Table:
    """Certainty of each outcome by the domains of GRADE, as far as it was assessed."""
    found = outcomes(evidence).drop_duplicates("outcome")
    rated = by_outcome(evidence.appraisal)
    rows, full = [], []
    for row in records(found):
        own = rated[rated["outcome"] == row["outcome"]].set_index("domain")["judgement"]
        values = {name: str(own.get(name, NOT_ASSESSED)) for name in GRADE}
        certainty = _outcome_certainty(rated, row["outcome"]) or NOT_ASSESSED
        full.append({"outcome": row["outcome"], **values, "certainty": certainty})
        rows.append(
            {"Outcome": outcome_label(evidence, row["outcome"])}
            | {words(name): words(value).lower() for name, value in values.items()}
            | {"Certainty": words(certainty).lower()}
        )
    caption = (
        "Certainty of the published findings by outcome, in the domains of GRADE. What nobody "
        "rated is not assessed; none of it follows from the appraisal of single publications."
    )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    columns = ["outcome", *GRADE, "certainty"]
    return Table(shown, pd.DataFrame(full, columns=columns), caption, ("observed",))


def bounds_table(evidence: Results) -> Table:
    """What published results that are not significant bound, in SD."""
    found = bounds(evidence)
    rows = [
        {
            "Contrast": words(row["row"]),
            "Outcome": row["outcome"],
            "n": str(round(row["n"])),
            "Standard error": number(row["se"], 3),
            "Bound": number(row["bound"]),
            "Source of n": f"@{row['citation']}",
        }
        for row in records(found)
    ]
    caption = (
        "Derived here and published nowhere: how far from zero an effect can be, in standard "
        "deviations, whose estimate was reported as not significant, if its contrast was balanced "
        "and its respondents independent. The estimate is within 1.96 standard errors of zero and "
        "the effect within 1.96 of the estimate, so the effect is within 3.92 of zero."
    )
    return Table(pd.DataFrame(rows, columns=columns_of(rows)), found, caption, ("observed",))


def appraisal_table(evidence: Results) -> Table:
    """Risk of bias of each published study by domain, and its certainty."""
    found = evidence.appraisal
    if "outcome" in found:
        found = found[found["outcome"].fillna("").eq("")]
    wide = found.pivot(index="study", columns="domain", values="judgement")
    order = list(dict.fromkeys(found["study"]))
    wide = wide.loc[order, list(dict.fromkeys(found["domain"]))].fillna(NOT_ASSESSED)
    shown = wide.apply(lambda column: column.map(words).str.lower())
    shown.columns = [words(str(name)) for name in shown.columns]
    shown.insert(0, "Study", [f"@{name}" for name in order])
    rated, certainty = judged(found), found.drop_duplicates("study").set_index("study")["certainty"]
    shown["Certainty"] = [words(_rated(str(certainty[n]), n in rated)).lower() for n in order]
    caption = (
        "Risk of bias of the published studies, judged from what could be seen of them, and their "
        "certainty where two domains at least could be judged: from fewer nothing is rated. What "
        "was not looked at is not assessed."
    )
    return Table(shown.reset_index(drop=True), found, caption, ("observed",))


BOUNDS = ["finding_id", "citation", "row", "outcome", "n", "se", "bound", "verification"]


def findings(evidence: Results) -> pd.DataFrame:
    """The published findings of all studies, in the order of their files' ids.

    ``n`` is that of both arms where the two are given and their sum is not.
    """
    tables = [study.effects for study in evidence.published if len(study.effects)]
    if not tables:
        return pd.DataFrame()
    found = pd.concat(tables, ignore_index=True)
    if {"n_control", "n_treatment"} <= {*found}:
        found["n"] = found["n"].fillna(found["n_control"] + found["n_treatment"])
    return found


def directions(evidence: Results) -> pd.DataFrame:
    """One direction for each data set, exposure and outcome.

    Only main effects of an exposure that the vocabulary has, on a construct whose ``direction``
    says what more of it is: there a sign means the same in all data sets. ``burden`` and
    ``family_sign`` orient outcomes towards each other, and nothing here is added up over outcomes.
    A publication is one data set. Its findings of one sign give that sign; of both signs,
    ``mixed``; without any sign, ``null_result``, or ``not_supported`` where nothing else was said.

    Returns
    -------
    pandas.DataFrame
        Columns ``exposure``, ``exposure_type``, ``outcome``, ``family``, ``citation`` and
        ``direction``, in the order of the findings.
    """
    found = findings(evidence)
    columns = [*COMPARISON, "family", "citation", "direction"]
    if not len(found):
        return pd.DataFrame(columns=columns)
    constructs = evidence.vocabulary["constructs"]
    oriented = found["outcome"].map(
        lambda name: name in constructs and bool(constructs[name].get("direction"))
    )
    mine = found[
        oriented.astype(bool) & found["exposure"].notna() & found["term"].ne("interaction")
    ]
    mine = mine.assign(family=mine["family"].fillna(""))
    by_data_set = mine.groupby([*COMPARISON, "family", "citation"], sort=False)["direction"]
    return by_data_set.agg(_direction).reset_index()[columns]


def _direction(said: pd.Series) -> str:
    """What a data set says of one outcome, from its findings."""
    signs = list(dict.fromkeys(name for name in said if name in SIGNED))
    if len(signs) == len(SIGNED):
        return "mixed"
    if signs:
        return str(signs[0])
    return "null_result" if "null_result" in set(said) else "not_supported"


def outcomes(evidence: Results) -> pd.DataFrame:
    """The directions of each exposure and outcome, and the sign test over its data sets.

    The test asks whether a data set is as likely to find more as less (two-sided, binomial with one
    half); ``lower`` and ``upper`` are the exact 95% interval of the share of more.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`OUTCOMES`, one row per exposure and outcome. ``share``, ``lower``, ``upper``
        and ``p`` are missing where fewer than two data sets have a sign.

    References
    ----------
    Campbell et al. (2020), Synthesis without meta-analysis in systematic reviews, BMJ 368: l6890.
    Clopper and Pearson (1934), The use of confidence or fiducial limits, Biometrika 26: 404-413.
    """
    rows = []
    constructs = evidence.vocabulary["constructs"]
    rated = by_outcome(evidence.appraisal)
    for key, mine in directions(evidence).groupby([*COMPARISON, "family"], sort=False):
        row: dict[str, Any] = dict(zip([*COMPARISON, "family"], key, strict=True))
        said = mine["direction"].value_counts()
        positive, negative, mixed = (int(said.get(n, 0)) for n in (*SIGNED, "mixed"))
        row |= {"citations": JOINT.join(mine["citation"]), "data_sets": len(mine)}
        row |= {"positive": positive, "negative": negative, "mixed": mixed}
        row |= {
            "meaning": constructs[row["outcome"]]["direction"],
            "without_sign": len(mine) - positive - negative - mixed,
            "certainty": _outcome_certainty(rated, row["outcome"])
            or _of_publications(evidence.appraisal, mine["citation"]),
        }
        if positive + negative >= TESTED:
            from scipy.stats import binomtest  # slow to import, and few jobs test signs

            test = binomtest(positive, positive + negative)
            exact = test.proportion_ci(0.95, method="exact")
            row |= {"share": test.statistic, "lower": exact.low, "upper": exact.high}
            row["p"] = test.pvalue
        rows.append(row)
    return pd.DataFrame(rows, columns=OUTCOMES)


def sign_test_sentence(found: pd.DataFrame) -> str:
    """How many comparisons had several data sets with a sign, and what their tests say."""
    tested = found[found["share"].notna()]
    if not len(tested):
        return (
            "No exposure and outcome has several data sets with a sign, so there is no sign test: "
            "each finding speaks for itself."
        )
    several = f"{count(len(tested), capital=True)} of {count(len(found))} exposures and outcomes"
    if len(found) == 1:
        several = "The one exposure and outcome"
    said = joined(
        f"{row['positive']} of {row['positive'] + row['negative']} "
        f"({interval(row['lower'], row['upper'])})"
        for row in records(tested)
    )
    return (
        f"{several} {'has' if len(tested) == 1 else 'have'} several data sets with a sign; those "
        f"that found more are {said}."
    )


def by_outcome(appraisal: pd.DataFrame) -> pd.DataFrame:
    """The rows of the appraisal that are about an outcome; without that column there are none."""
    if "outcome" not in appraisal:
        return pd.DataFrame(columns=["outcome", "domain", "judgement", "certainty"])
    return appraisal[appraisal["outcome"].fillna("").ne("")]


def _outcome_certainty(rated: pd.DataFrame, outcome: str) -> str:
    own = rated[rated["outcome"] == outcome]
    if not len(own):
        return ""
    return _rated(str(own["certainty"].iloc[0]), outcome in judged(own, "outcome"))


def _rated(certainty: str, enough: bool) -> str:
    """A certainty, where enough domains were judged for it to rest on."""
    return certainty if enough or certainty == NOT_ASSESSED else NOT_RATED


def _of_publications(appraisal: pd.DataFrame, citations: pd.Series) -> str:
    """Certainty of each publication, those that are alike once; marked as no outcome's."""
    if not len(appraisal):
        return NOT_ASSESSED
    own = appraisal[appraisal["study"].isin(list(citations))]
    enough = judged(own)
    first = own.drop_duplicates("study")
    said = [_rated(str(c), str(s) in enough)
            for s, c in zip(first["study"], first["certainty"], strict=True)]  # fmt: skip
    found = list(dict.fromkeys(said)) or [NOT_ASSESSED]
    return f"{JOINT.join(found)} (publication)"


def _certainty(said: str) -> str:
    return ", ".join(words(part).lower() for part in said.split(JOINT))


def bounds(evidence: Results) -> pd.DataFrame:
    """What a published null main effect of known sample size bounds, if it was balanced.

    A two-level contrast with half of n independent respondents on each side has a standard error
    of about 2 / sqrt(n) standard deviations. Not significant at 5% means an estimate within 1.96
    of those of zero; the effect is within another 1.96 of the estimate, so the bound is 3.92
    standard errors. None of this was published. A finding with a standard error has none.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`BOUNDS`; ``se`` and ``bound`` in standard deviations.
    """
    found = findings(evidence)
    if not len(found):
        return pd.DataFrame(columns=BOUNDS)
    main = found["direction"].eq("null_result") & found["term"].ne("interaction")
    if "se" in found:  # what an estimate says with its own error needs no bound
        main &= found["se"].isna()
    nulls = found[main & found["n"].notna()]
    se = 2 / np.sqrt(nulls["n"])
    labels = [outcome_label(evidence, name) for name in nulls["outcome"]]
    more = {"se": se, "bound": BOUND * se, "verification": "derived_bound"}
    table = nulls.assign(row=nulls["contrast"], outcome=labels, **more)
    return table[BOUNDS].reset_index(drop=True)


def outcome_label(evidence: Results, name: str) -> str:
    """The label of a published outcome: that of the vocabulary, or its own name as words."""
    known = any(name in evidence.vocabulary[s] for s in ("constructs", "codes", "families"))
    return evidence.labels.outcome(name) if known else words(name)
