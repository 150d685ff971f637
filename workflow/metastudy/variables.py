"""Variables: every number, verdict and ready sentence of the article, as formatted texts.

The tree is nested by what a number is about; its keys are the keys of vocabulary, codebooks and
config, so they stay the same when labels or numbers change. A number that does not exist has no
key: the article that asks for it fails to render, which is better than a dash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy import criticism, directions, plotted, robustness, sensitivity
from metastudy.concordance import concordance
from metastudy.evidence import Evidence, Modelled, drawn, fit_name, records
from metastudy.predictions import PLACES, is_prediction
from metastudy.verdicts import KINDS, Finding, Kind, comparison, phrases, summary
from metastudy.wording import (
    JOINT,
    count,
    inline,
    interval,
    joined,
    listed,
    mark,
    number,
    percent,
    percents,
    probability,
    share,
)

__all__ = ["Tree", "flat", "variables"]

Tree = dict[str, Any]  # texts, and trees of them
UNITS = {"sd": "SD", "log_odds": "log-odds", "log_risk_ratio": "log risk ratio"}
GENERAL = "general"  # the key in place of a vignette, for answers that are about none
TOP = 3  # so many of the most prevalent codes are named


def variables(evidence: Evidence, build: Mapping[str, str]) -> Tree:
    """All variables.

    Parameters
    ----------
    evidence : the results of all phases; what is missing has no variables.
    build : names and versions of what made the article.

    Returns
    -------
    Nested dictionaries of texts: a tree for each module under its own name, and ``studies``,
    ``provenance``, ``synthesis``, ``heterogeneity``, ``diagnostics``, ``settings``, ``build``.
    """
    tree: Tree = {}
    modules: dict[str, Callable[[Evidence, str], Tree]]
    modules = {"answers": _answers, "codings": _codings}
    for name in evidence.contrasts:
        tree[name] = modules[evidence.model(name)](evidence, name)
        tree[name]["label"] = evidence.vocabulary.label("modules", name)
        if (own := evidence.cells.get(name)) and own.cells:
            tree[name]["cells"] = _cells(own)
    tree["studies"] = _studies(evidence)
    tree["provenance"] = _provenance(evidence)
    tree["published"] = _published(evidence)
    tree["heterogeneity"] = _heterogeneity(evidence)
    tree["synthesis"] = _synthesis(evidence)
    tree["diagnostics"] = _diagnostics(evidence)
    tree["refits"] = _refits(evidence)
    tree["power"] = _power(evidence)
    tree["sensitivity"] = sensitivity.variables(evidence)
    tree |= criticism.variables(evidence)
    tree["settings"] = _settings(evidence.settings)
    tree["build"] = dict(build)
    return {key: value for key, value in tree.items() if value}


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """The variables by dotted key, as the article names them."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{above}.{key}" if above else key
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found


def _key(text: str) -> str:
    """A key that a shortcode can hold: letters, digits, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") or GENERAL


def _cells(own: Modelled) -> Tree:
    """How many cells stand for how many respondents, and what missing outcomes add to them."""
    rows = sum(own.rows.values())
    sites = f"{own.sites} site{'' if own.sites == 1 else 's'}"
    patterns = f"{own.patterns} pattern{'' if own.patterns == 1 else 's'} of observed outcomes"
    return {
        "count": str(own.cells),
        "sites": str(own.sites),
        "patterns": str(own.patterns),
        "rows": str(rows),
        "sentence": f"{rows} respondents at {sites} with {patterns} are {own.cells} cells",
    }


def _put(tree: Tree, path: Iterable[str], leaves: Mapping[str, Any]) -> None:
    for key in path:
        tree = tree.setdefault(_key(key), {})
    tree.update(leaves)


# --- one contrast ---------------------------------------------------------------------------------


def _contrast(evidence: Evidence, row: Mapping[str, Any], codes: bool = False) -> Tree:
    """The variables of one contrast in standard deviations or log-odds."""
    kind = evidence.verdict(row)
    words = phrases(str(row["exposure_type"]), codes)
    return {
        "estimate": number(row["mean"]),
        "interval": interval(row["lower"], row["upper"]),
        "sd": number(row["sd"]),
        "pd": probability(row["pd"]),
        "rope": probability(row["rope"]),
        "text": _numbers(evidence, row),
        "verdict": kind,
        "direction": _direction(kind, row),
        "effect": words.verb[kind][0],
        "effect_plural": words.verb[kind][1],
        "adjective": words.adjective[kind],
    }


def _direction(kind: Kind, row: Mapping[str, Any]) -> str:
    if kind in ("higher", "lower"):
        return "positive" if kind == "higher" else "negative"
    return "practically none" if kind == "equivalent" else "unclear"


def _numbers(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """Numbers inside a sentence: ``0.24 SD, 95% interval 0.11 to 0.38``."""
    what = UNITS[str(row["metric"])]
    value = number(row["mean"])
    value = f"{value} {what}" if what == "SD" else f"{what} {value}"
    return f"{value}, {share(evidence.interval)} interval {interval(row['lower'], row['upper'])}"


def _findings(evidence: Evidence, rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    return [
        Finding(
            inline(evidence.labels.outcome(str(row["outcome"]))),
            evidence.verdict(row),
            _numbers(evidence, row),
        )
        for row in rows
    ]


def _sentences(
    evidence: Evidence,
    exposure: str,
    kind: str,
    rows: Sequence[Mapping[str, Any]],
    codes: bool = False,
) -> Tree:
    """What is said of all outcomes of one exposure together."""
    found = _findings(evidence, rows)
    plural = "codes" if codes else "outcomes"
    subject = evidence.labels.exposure(exposure, kind).change
    leaves: Tree = {
        "summary": summary(subject, found, phrases(kind, codes), plural),
        "comparison": comparison(found, plural),
    }
    for verdict in KINDS:
        mine = [f.label for f in found if f.kind == verdict]
        leaves[verdict] = {
            "outcomes": joined(mine, f"none of the {plural}"),
            "count": count(len(mine)),
        }
    return leaves


def _exposure(evidence: Evidence, exposure: str, kind: str) -> Tree:
    said = evidence.labels.exposure(exposure, kind)
    return {
        "label": said.label,
        "inline": inline(said.label),
        "subject": said.change,
        "type": inline(evidence.labels.of(kind, "exposure_types")),
    }


# --- answers --------------------------------------------------------------------------------------


def _answers(evidence: Evidence, name: str) -> Tree:
    tree: Tree = {}
    table = evidence.contrasts[name]
    main = table[table["variant"] == "main"]
    effects = main[main["estimand"] == "effect"]
    for (exposure, kind), mine in effects.groupby(["exposure", "exposure_type"], sort=False):
        sd, pomp = (mine[mine["metric"] == metric] for metric in ("sd", "pomp"))
        population = records(sd[sd["level"] == "population"])
        own = sd[sd["level"] == "study"]
        leaves = _exposure(evidence, str(exposure), str(kind))
        leaves |= _sentences(evidence, str(exposure), str(kind), population)
        leaves["elsewhere"] = {"sentence": _elsewhere(evidence, sd)}
        _put(tree, [str(exposure)], leaves)
        for row in population:
            _put(tree, [str(exposure), row["outcome"]], _contrast(evidence, row))
        points = {(r["outcome"], r["group"], r["vignette"]): r for r in records(pomp)}
        for outcome, found in own.groupby("outcome", sort=False):
            for row in records(found):
                leaves = _contrast(evidence, row)
                scaled = points.get((row["outcome"], row["group"], row["vignette"]))
                if scaled:
                    leaves |= _pomp(scaled)
                vignette = row["vignette"] or GENERAL
                _put(tree, [str(exposure), str(outcome), row["group"], vignette], leaves)
                if len(found) == 1 and scaled:
                    _put(tree, [str(exposure), str(outcome)], _pomp(scaled))
                if found["vignette"].eq(row["vignette"]).sum() == 1:  # no other study has it
                    _put(tree, [str(exposure), str(outcome), vignette], leaves)
        for row in records(sd[~sd["level"].isin(["population", "study"])]):
            path = [str(exposure), row["outcome"], row["level"]]
            if is_prediction(row["level"]):
                _put(tree, path, {"interval": interval(row["lower"], row["upper"])})
            else:
                _put(tree, [*path, row["group"]], _contrast(evidence, row))
        for (group, vignette), found in own.groupby(["group", "vignette"], sort=False):
            said = _sentences(evidence, str(exposure), str(kind), records(found))
            _put(tree, [str(exposure), "in", str(group), str(vignette) or GENERAL], said)
            if own.loc[own["vignette"] == vignette, "group"].nunique() == 1:
                _put(tree, [str(exposure), "in", str(vignette) or GENERAL], said)
    tree["level"] = _answer_levels(evidence, name, main[main["estimand"] == "level"])
    return tree


def _elsewhere(evidence: Evidence, effects: pd.DataFrame) -> str:
    """What is expected of a country and a sector without data, or why nothing is."""
    parts = []
    for grouping in PLACES:
        found = records(effects[effects["level"] == f"new_{grouping}"])
        bounds = [
            f"{inline(evidence.labels.outcome(row['outcome']))} "
            f"{interval(row['lower'], row['upper'])}"
            for row in found
        ]
        if bounds:
            prior = ", mostly by the prior" * any(row["note"] for row in found)
            parts.append(f"for a new {grouping}{prior}: {joined(bounds)}")
    if not parts:
        return (
            "Of other countries and sectors nothing is predicted: the design has no spread between "
            "them to predict from."
        )
    return f"{share(evidence.interval)} prediction intervals, in SD, {'; '.join(parts)}."


def _pomp(row: Mapping[str, Any]) -> Tree:
    return {
        "pomp": number(row["mean"], 1),
        "pomp_interval": interval(row["lower"], row["upper"], 1),
    }


def _answer_levels(evidence: Evidence, name: str, levels: pd.DataFrame) -> Tree:
    """Means by study and vignette, and which of a family's outcomes is the highest."""
    tree: Tree = {}
    draws = drawn(evidence, name, levels["id"])
    family = levels["outcome"].map(evidence.vocabulary.family)
    for (group, vignette), mine in levels.groupby(["group", "vignette"], sort=False):
        path: list[str] = [str(group), str(vignette) or GENERAL]
        for row in records(mine):
            leaves: Tree = {
                "mean": number(row["mean"], 1),
                "interval": interval(row["lower"], row["upper"], 1),
            }
            _put(tree, [*path, row["outcome"]], leaves)
        families = [m for _, m in mine.groupby(family, sort=False) if len(m) > 1]
        for own in families:
            leaves = _top(evidence, own, draws)
            _put(tree, [*path, evidence.vocabulary.family(own["outcome"].iloc[0]), "top"], leaves)
            if len(families) == 1:
                _put(tree, [*path, "top"], leaves)
    return tree


def _top(evidence: Evidence, own: pd.DataFrame, draws: Mapping[str, np.ndarray]) -> Tree:
    """The highest of several outcomes; how sure that is comes from the draws."""
    labels = evidence.labels
    ranked = own.sort_values("mean", ascending=False)
    best = ranked.iloc[0]
    leaves: Tree = {
        "label": labels.outcome(best["outcome"]),
        "inline": inline(labels.outcome(best["outcome"])),
        "mean": number(best["mean"], 1),
        "interval": interval(best["lower"], best["upper"], 1),
        "ranking": joined(inline(labels.outcome(o)) for o in ranked["outcome"]),
    }
    if not all(i in draws for i in own["id"]):
        return leaves
    stacked = np.stack([draws[i] for i in own["id"]])
    highest = (stacked.argmax(axis=0)[None] == np.arange(len(stacked))[:, None]).mean(axis=1)
    sure = float(highest[list(own["id"]).index(best["id"])])
    bounds = (
        f"{leaves['mean']}% of the scale, {share(evidence.interval)} interval {leaves['interval']}"
    )
    clear = sure >= float(evidence.settings["report"]["direction"])
    leaves["probability"] = probability(sure)
    leaves["clear"] = "clearly" if clear else "not clearly"
    leaves["sentence"] = (
        f"{leaves['label']} has the highest mean ({bounds}; the probability that it is the highest "
        f"is {leaves['probability']})."
        if clear
        else f"No outcome is clearly the highest; the likeliest, with a probability of "
        f"{leaves['probability']}, is {leaves['inline']} ({bounds})."
    )
    return leaves


# --- codings --------------------------------------------------------------------------------------


def _codings(evidence: Evidence, name: str) -> Tree:
    tree: Tree = {}
    table, families = evidence.contrasts[name], evidence.vocabulary["families"]
    effects = table[table["estimand"] == "effect"]
    for (exposure, kind), mine in effects.groupby(["exposure", "exposure_type"], sort=False):
        main = mine[(mine["variant"] == "main") & (mine["metric"] == "log_odds")]
        codes = [r for r in records(main) if r["outcome"] not in families]
        _put(tree, [str(exposure)], _exposure(evidence, str(exposure), str(kind)))
        said = _sentences(evidence, str(exposure), str(kind), codes, codes=True)
        _put(tree, [str(exposure)], said)
        moved = []
        for row in records(main):
            path = [str(exposure), row["outcome"]]
            leaves = _contrast(evidence, row, codes=True)
            leaves |= {"log_odds": leaves["estimate"], "log_odds_interval": leaves["interval"]}
            by = {
                (r["variant"], r["metric"]): r
                for r in records(mine[mine["outcome"] == row["outcome"]])
            }
            if other := by.get(("main", "probability")):
                leaves |= {
                    "difference": number(100 * other["mean"], 0),
                    "difference_interval": interval(100 * other["lower"], 100 * other["upper"], 0),
                    "difference_pd": probability(other["pd"]),
                }
            if free := by.get(("error_free", "log_odds")):
                leaves["error_free"] = _contrast(evidence, free, codes=True)
                if row["outcome"] not in families and evidence.verdict(free) != evidence.verdict(
                    row
                ):
                    moved.append(inline(evidence.labels.outcome(row["outcome"])))
            _put(tree, path, leaves)
        means = _findings(evidence, [r for r in records(main) if r["outcome"] in families])
        if means:
            subject = evidence.labels.exposure(str(exposure), str(kind)).change
            text = summary(subject, means, phrases(str(kind), True), "families of codes")
            _put(tree, [str(exposure), "families"], {"summary": text})
        leaves = {
            "codes": joined(moved, "none of the codes"),
            "count": count(len(moved)),
            "sentence": f"Taking every coding as true would change the verdict on {joined(moved)}."
            if moved
            else "Taking every coding as true would change the verdict on none of the codes.",
        }
        _put(tree, [str(exposure), "error_free_changes"], leaves)
    tree["level"] = _code_levels(evidence, table)
    tree["top"] = tree["level"].get("top", {})
    tree["accuracy"] = _accuracy(evidence, name)
    return tree


def _code_levels(evidence: Evidence, table: pd.DataFrame) -> Tree:
    tree: Tree = {}
    levels = table[(table["estimand"] == "level") & (table["metric"] == "probability")]
    for row in records(levels):
        leaves = {
            "prevalence": percent(row["mean"]),
            "interval": percents(row["lower"], row["upper"]),
        }
        free = ["error_free"] if row["variant"] == "error_free" else []
        place = [] if row["level"] == "population" else [row["group"] or row["level"]]
        _put(tree, [*place, row["outcome"], *free], leaves)
    main = levels[levels["variant"].eq("main") & ~levels["level"].map(is_prediction).astype(bool)]
    for (level, group), mine in main.groupby(["level", "group"], sort=False):
        best = mine.sort_values("mean", ascending=False, kind="stable").head(TOP)
        names = [inline(evidence.labels.outcome(o)) for o in best["outcome"]]
        leaves = {
            "labels": joined(names),
            "text": joined(
                f"{n} ({percent(r['mean'])}, {share(evidence.interval)} interval "
                f"{percents(r['lower'], r['upper'])})"
                for n, r in zip(names, records(best), strict=True)
            ),
        }
        for at, (label, row) in enumerate(zip(names, records(best), strict=True), 1):
            leaves[f"label_{at}"] = label
            leaves[f"prevalence_{at}"] = percent(row["mean"])
        _put(tree, [*([] if level == "population" else [str(group)]), "top"], leaves)
    return tree


def _accuracy(evidence: Evidence, name: str) -> Tree:
    tree: Tree = {}
    table = evidence.heterogeneity.get(name)
    for row in records(table) if table is not None else ():
        if plotted.is_accuracy(row["parameter"]) and row["variant"] == "main":
            lower, upper = plotted.prior_interval(row, evidence.interval)
            tree[row["parameter"]] = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
                "prior": number(row["prior_mean"]),
                "prior_interval": interval(lower, upper),
                "ratio": number(row["ratio"]),
            }
    return tree


# --- the studies ----------------------------------------------------------------------------------


def _studies(evidence: Evidence) -> Tree:
    if not evidence.studies:
        return {}
    labels, grid = evidence.labels, plotted.study_grid(evidence)
    tree: Tree = {}
    for study in evidence.studies:
        mine, book = grid[grid["study"] == study.id], study.report["codebook"]
        excluded = study.report["excluded"]
        modelled = {m: c.rows[study.id] for m, c in evidence.cells.items() if study.id in c.rows}
        tree[study.id] = {
            "label": study.label,
            "inline": inline(study.label),
            "title": str(book["title"]),
            "read": str(study.report["rows_read"]),
            "kept": str(study.report["rows_kept"]),
            "excluded": str(sum(excluded.values())),
            "country": joined(dict.fromkeys(mine["country_label"])),
            "sector": inline(listed(dict.fromkeys(mine["sector_label"]))),
            "role": inline(listed(dict.fromkeys(mine["role_label"]))),
            "response_mode": inline(labels.of(book["response_mode"], "response_modes")),
            "design": str(book["design"]),
            "exposures": inline(listed(mine["exposure_types_label"].iloc[0].split(JOINT)))
            if len(mine)
            else "none",
            "citation": f"@{book['citation']}",
            "provenance": study.provenance,
            "mark": mark([study.provenance]),
            "file": str(study.report["file"]),
            "sha256": str(study.report["sha256"]),
            "unmapped": str(len(study.report["unmapped"])),
            "sites": str(study.respondents["org_id"].nunique()),
        }
        if modelled:
            tree[study.id]["n_model"] = str(max(modelled.values()))
            tree[study.id]["in_model"] = {m: str(n) for m, n in modelled.items()}
    reports = [study.report for study in evidence.studies]
    kept, read = (sum(r[k] for r in reports) for k in ("rows_kept", "rows_read"))
    tree |= {
        "count": str(len(reports)),
        "count_word": count(len(reports)),
        "read": str(read),
        "kept": str(kept),
        "excluded": str(read - kept),
        "labels": joined(inline(study.label) for study in evidence.studies),
        "countries": joined(sorted(set(grid["country_label"]))),
        "sectors": joined(inline(s) for s in sorted(set(grid["sector_label"]))),
        "countries_count": count(grid["country"].nunique()),
        "sectors_count": count(grid["sector"].nunique()),
    }
    if evidence.cells:
        tree["n_model"] = str(sum(sum(c.rows.values()) for c in evidence.cells.values()))
    return tree


def _published(evidence: Evidence) -> Tree:
    """How many findings are known from publications, and in which direction."""
    found = directions.findings(evidence)
    if not len(found):
        return {}
    tree: Tree = {
        "count": str(len(found)),
        "studies": count(found["citation"].nunique()),
        "with_error_sentence": _with_error(
            int((found["estimate"].notna() & found["se"].notna()).sum())
        ),
        "bounds": count(len(directions.bounds(evidence))),
        "concordance": _concordance(concordance(evidence), len(found)),
    }
    for direction in directions.PUBLISHED:
        tree[direction] = count(int(found["direction"].eq(direction).sum()))
    return tree


def _concordance(beside: pd.DataFrame, findings: int) -> Tree:
    """How many findings have a contrast here, and which of them are no evidence for it."""
    matched = beside["finding_id"].nunique()
    built = beside.loc[beside["provenance"].str.contains("simulated"), "finding_id"].nunique()
    if not built:
        said = ""
    elif built == matched:
        said = (
            "All of these contrasts rest on simulated data: they agree or disagree by "
            "construction, and no probability is shown."
        )
    else:
        said = (
            f"Of these, {count(built)} {'rests' if built == 1 else 'rest'} on simulated data: "
            "there agreement is by construction, and no probability is shown."
        )
    return {
        "matched": count(matched),
        "unmatched": count(findings - matched),
        "contrasts": count(len(beside)),
        "by_construction": count(built),
        "sentence": said,
    }


def _with_error(known: int) -> str:
    if not known:
        return "None comes with a standard error, so none is pooled."
    return (
        f"{count(known, capital=True)} {'comes' if known == 1 else 'come'} with a standard error."
    )


def _provenance(evidence: Evidence) -> Tree:
    """The mark and the sentence; two empty texts where everything was observed."""
    by = {
        kind: [s for s in evidence.studies if s.provenance == kind]
        for kind in ("simulated", "observed")
    }
    simulated, observed = (
        joined(inline(s.label) for s in by[k]) for k in ("simulated", "observed")
    )
    if not by["simulated"]:
        sentence = ""
    elif by["observed"]:
        sentence = (
            f"The data of {simulated} are simulated stand-ins; those of {observed} were observed. "
            "What rests on simulated data is marked, and says nothing about people."
        )
    else:
        sentence = (
            "All data of people are simulated stand-ins: no estimate in this article says anything "
            "about them."
        )
    return {
        "mark": mark(s.provenance for s in evidence.studies),
        "sentence": sentence,
        "simulated": {"count": str(len(by["simulated"])), "studies": simulated},
        "observed": {"count": str(len(by["observed"])), "studies": observed},
    }


# --- over the modules -----------------------------------------------------------------------------

MOSTLY_PRIOR = 0.8  # ratio of standard deviations, posterior to prior, from which the prior decides


def _heterogeneity(evidence: Evidence) -> Tree:
    tree: Tree = {}
    tables = dict(evidence.heterogeneity)
    second = evidence.synthesis.get("heterogeneity", pd.DataFrame())
    for variant, mine in second.groupby("variant", sort=False) if len(second) else ():
        tables[str(variant)] = mine
    for name, table in tables.items():
        main = [
            r
            for r in records(table)
            if r["variant"] != "error_free" and not plotted.is_accuracy(r["parameter"])
        ]
        leaves: Tree = {"count": str(len(main)), "count_word": count(len(main))}
        if main:
            prior = [r for r in main if r["ratio"] >= MOSTLY_PRIOR]
            leaves |= {
                "ratio_min": number(min(r["ratio"] for r in main)),
                "ratio_max": number(max(r["ratio"] for r in main)),
                "mean_max": number(max(r["mean"] for r in main)),
                "mostly_prior": str(len(prior)),
            }
        for row in main:
            leaves[_key(row["parameter"])] = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
                "prior": number(row["prior_mean"]),
                "ratio": number(row["ratio"]),
            }
            if not pd.isna(row.get("i2")):
                leaves[_key(row["parameter"])] |= {
                    "i2": percent(row["i2"]),
                    "i2_interval": percents(row["i2_lower"], row["i2_upper"]),
                }
        tree[_key(name)] = leaves
    return tree


def _synthesis(evidence: Evidence) -> Tree:
    if "estimates" not in evidence.synthesis:
        return {}
    estimates, pooled = evidence.synthesis["estimates"], evidence.synthesis["pooled"]
    keys = ["exposure", "exposure_type", "outcome", "response_mode", "metric"]
    by = estimates.groupby(keys, sort=False)["study"].nunique()
    several = int((by > 1).sum())
    total = len(by)
    if not several:
        said = (
            f"Each of the {total} estimands is reported by one study, so the second stage pools "
            "nothing and each study's own estimate stands."
        )
    else:
        alone = total - several
        rest = f"the other {alone} stand" if alone != 1 else "the other one stands"
        said = (
            f"Of the {total} estimands, {count(several)} "
            f"{'is' if several == 1 else 'are'} reported by two or more studies and pooled"
            + (f"; {rest} alone." if alone else ".")
        )
    tree: Tree = {
        "estimates": str(len(estimates)),
        "studies": str(estimates["study"].nunique()),
        "estimands": str(total),
        "pooled_count": str(several),
        "single_count": str(total - several),
        "sentence": said,
        "effects": {},
        "alone": {},
    }
    for row in records(estimates):
        place = [row["exposure"], row["outcome"], row["study"], row["vignette"] or GENERAL]
        leaves = {"estimate": number(row["estimate"]), "se": number(row["se"]), "n": str(row["n"])}
        _put(tree["alone"], place, leaves)
    for row in records(pooled):
        place = [row["exposure"], row["outcome"]]
        if row["level"] == "population":
            leaves = _contrast(evidence, row) | {"studies": str(row["studies"])}
            _put(tree["effects"], place, leaves)
        elif is_prediction(row["level"]):
            leaves = {"interval": interval(row["lower"], row["upper"])}
            _put(tree["effects"], [*place, row["level"]], leaves)
        else:
            leaves = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
            }
            _put(tree["effects"], [*place, row["level"], row["group"]], leaves)
    population = pooled[pooled["level"] == "population"]
    for (exposure, kind), mine in population.groupby(["exposure", "exposure_type"], sort=False):
        said_of = _sentences(evidence, str(exposure), str(kind), records(mine))
        _put(tree["effects"], [str(exposure)], said_of)
    exploratory = evidence.synthesis.get("exploratory", pd.DataFrame())
    for row in records(exploratory):
        leaves = {
            "estimate": number(row["mean"]),
            "interval": interval(row["lower"], row["upper"]),
            "pd": probability(row["pd"]),
            "verdict": evidence.verdict(row),
        }
        _put(tree, ["exploratory", row["level"], *([row["group"]] if row["group"] else [])], leaves)
    return tree


def _diagnostics(evidence: Evidence) -> Tree:
    tree: Tree = {}
    everything: list[Mapping[str, Any]] = []
    for check in evidence.checks:
        tree[_key(fit_name(check))] = _gates(check["gates"])
        everything += check["gates"]
    if everything:
        tree |= _gates(everything)
    sampling = evidence.settings.get("sampling", {})
    tree |= {k: str(sampling[k]) for k in ("chains", "draws", "tune", "seed") if k in sampling}
    if "chains" in sampling and "draws" in sampling:
        tree["total_draws"] = str(sampling["chains"] * sampling["draws"])
    return tree


def _gates(gates: Sequence[Mapping[str, Any]]) -> Tree:
    def of(*names: str) -> list[float]:
        return [float(g["value"]) for g in gates if g["gate"] in names]

    missed = [g for g in gates if not g["passed"]]
    return {
        "rhat_max": number(max(of("rhat")), 3),
        "ess_min": number(min(of("ess_bulk", "ess_tail")), 0),
        "ess_bulk_min": number(min(of("ess_bulk")), 0),
        "ess_tail_min": number(min(of("ess_tail")), 0),
        "divergences": number(sum(of("divergences")), 0),
        "ebfmi_min": number(min(of("ebfmi"))),
        "verdict": "missed" if missed else "passed",
        "sentence": f"{count(len(missed), capital=True)} of the {len(gates)} gates "
        f"{'was' if len(missed) == 1 else 'were'} missed."
        if missed
        else f"All {len(gates)} gates were passed.",
    }


def _refits(evidence: Evidence) -> Tree:
    """By module and kind of refit: their number, the largest shift and a sentence."""
    tree: Tree = {}
    found = robustness.robustness(evidence)
    for row in records(found):
        effect = _effect(evidence, row)
        leaves = {
            "number": str(row["refits"]),
            "shift": number(abs(row["shift"])),
            "changed": str(row["changed"]),
            "effects": str(row["effects"]),
            "sentence": f"{robustness.KINDS[row['kind']]}, no mean moves by more than "
            f"{number(abs(row['shift']))} posterior standard deviations ({effect}), and "
            f"{count(row['changed'])} of {row['effects']} verdicts "
            f"{'changes' if row['changed'] == 1 else 'change'}.",
        }
        _put(tree, [row["module"], row["kind"]], leaves)
    for name in dict.fromkeys(found["module"]):
        mine = tree[_key(name)]
        mine["summary"] = " ".join(mine[k]["sentence"] for k in robustness.KINDS if k in mine)
    if len(found):
        tree["number"] = str(
            evidence.refits[["module", "kind", "group"]].drop_duplicates().shape[0]
        )
        tree["rhat_max"] = number(found["rhat"].max(), 3)
        tree["ess_min"] = number(found["ess"].min(), 0)
    return tree


def _power(evidence: Evidence) -> Tree:
    """How many effects move with a power of the prior, by module and over all."""
    tree: Tree = {}
    found = robustness.power(evidence)
    for row in records(found):
        leaves = {k: str(row[k]) for k in ("effects", "prior", "conflict")}
        _put(tree, [row["module"]], leaves | {"largest": number(row["largest"])})
    if len(found):
        total = found[["effects", "prior", "conflict"]].sum()
        tree["sentence"] = (
            f"Power-scaling finds {count(total['prior'])} of {total['effects']} population effects "
            f"sensitive to the prior, {count(total['conflict'])} of them to the likelihood as well."
        )
    return tree


def _effect(evidence: Evidence, row: Mapping[str, Any]) -> str:
    exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
    return f"{inline(exposure)} on {inline(evidence.labels.outcome(row['outcome']))}"


def _settings(settings: Mapping[str, Any]) -> Tree:
    """The config's numbers as they stand there; probabilities also as percentages."""
    tree: Tree = {}
    for section in ("report", "sampling", "gates", "priors"):
        for key, value in settings.get(section, {}).items():
            _put(tree, [section], {key: f"{value:g}" if isinstance(value, float) else str(value)})
    report = settings.get("report", {})
    if "interval" in report:
        tree["report"]["interval_percent"] = share(float(report["interval"]))
    return tree
