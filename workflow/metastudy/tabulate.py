"""Tabulate: the article's tables as Markdown, and the same numbers in full as CSV."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd

from metastudy import criticism, directions, plotted, robustness, sensitivity
from metastudy.cells import NO_VIGNETTE
from metastudy.concordance import concordance
from metastudy.errors import MetastudyError, run
from metastudy.evidence import Evidence, arguments, fit_name, gather, records
from metastudy.pipe_table import Table, markdown
from metastudy.predictions import PLACES, is_prediction
from metastudy.wording import (
    JOINT,
    inline,
    interval,
    joined,
    listed,
    number,
    percent,
    percents,
    probability,
    share,
    words,
)

__all__ = ["COMMON", "MODULE", "Table", "main", "markdown", "names", "table"]

FEW = 4  # so many places have a column each; of more, the lowest and the highest are told
VERDICTS = {
    "higher": "higher",
    "lower": "lower",
    "equivalent": "practically none",
    "imprecise": "imprecise",
}


def _numbers(row: Mapping[str, Any], digits: int = 2) -> tuple[str, str]:
    return number(row["mean"], digits), interval(row["lower"], row["upper"], digits)


def _grouped(rows: list[dict[str, str]], group: str, first: str) -> pd.DataFrame:
    """Rows under a bold line for each group; without such lines where there is one group."""
    table = pd.DataFrame(rows)
    if not len(table) or table[group].nunique() == 1:
        return table.drop(columns=group) if len(table) else table
    parts = []
    for name, mine in table.groupby(group, sort=False):
        head = dict.fromkeys(table.columns, "") | {first: f"**{name}**"}
        parts += [pd.DataFrame([head]), mine]
    return pd.concat(parts, ignore_index=True).drop(columns=group)


# --- the studies ----------------------------------------------------------------------------------


def _studies(evidence: Evidence) -> Table:
    grid, rows = plotted.study_grid(evidence), []
    for study in evidence.studies:
        mine, book = grid[grid["study"] == study.id], study.report["codebook"]
        rows.append(
            {
                "Study": study.label,
                "Country": joined(dict.fromkeys(mine["country_label"])),
                "Sector": listed(dict.fromkeys(mine["sector_label"])),
                "Role": listed(dict.fromkeys(mine["role_label"])),
                "Design": words(book["design"]),
                "Exposures": listed(mine["exposure_types_label"].iloc[0].split(JOINT)),
                "Read": str(study.report["rows_read"]),
                "Kept": str(study.report["rows_kept"]),
                "Modelled": joined(
                    [str(c.rows[study.id]) for c in evidence.cells.values() if study.id in c.rows],
                    "–",
                ),
                "Data": study.provenance,
                "Source": f"@{book['citation']}",
            }
        )
    caption = "Studies: where, who, how, and how many rows were read, kept and used in a model."
    return Table(pd.DataFrame(rows), grid, caption, _marks(evidence))


def _marks(evidence: Evidence) -> tuple[str, ...]:
    return tuple(study.provenance for study in evidence.studies)


def _exclusions(evidence: Evidence) -> Table:
    flow = plotted.participant_flow(evidence)
    shown = pd.DataFrame(
        {
            "Study": flow["study_label"].mask(flow["study"].duplicated(), ""),
            "Step": flow["step"],
            "Rows": [
                number(-rows if kind in ("excluded", "dropped") else rows, 0)
                for rows, kind in zip(flow["rows"], flow["kind"], strict=True)
            ],
        }
    )
    caption = "Rows of each study from the data file to the model, by the rule that excluded them."
    return Table(shown, flow, caption, tuple(flow["provenance"]))


# --- one module -----------------------------------------------------------------------------------


def _effects(evidence: Evidence, module: str) -> Table:
    """Contrasts of a module's exposures."""
    kind = {"answers": _answer_effects, "codings": _code_effects}
    return kind[evidence.model(module)](evidence, module)


def _answer_effects(evidence: Evidence, module: str) -> Table:
    labels, everything = evidence.labels, evidence.contrasts[module]
    table = everything[(everything["estimand"] == "effect") & (everything["variant"] == "main")]
    rows, full = [], []
    own = table[table["level"] == "study"]
    several_vignettes = own["vignette"].nunique() > 1
    several_studies = bool((own.groupby("exposure")["group"].nunique() > 1).any())
    many = own["group"].nunique() > plotted.MOST_SETTINGS
    for (exposure, kind, _), mine in table.groupby(
        ["exposure", "exposure_type", "outcome"], sort=False
    ):
        own = mine[(mine["level"] == "study") & (mine["metric"] == "sd")]
        pomp = mine[mine["metric"] == "pomp"].set_index(["group", "vignette"])
        shown = mine[mine["metric"] == "sd"]
        if len(own) == 1:
            shown = own
        if many:
            full += [r | {"verdict": evidence.verdict(r)} for r in records(own)]
            shown = shown[shown["level"] != "study"]
        for row in records(shown):
            estimate, bounds = _numbers(row)
            at = (row["group"], row["vignette"])
            points = ""
            if row["level"] == "study" and at in pomp.index:
                points = number(float(pomp.loc[at, "mean"]), 1)
            label = labels.exposure(str(exposure), str(kind)).label
            rows.append(
                {
                    "Exposure": f"{label} ({inline(labels.of(str(kind), 'exposure_types'))})",
                    "Outcome": labels.outcome(row["outcome"]),
                    "Of": _where(evidence, row, several_vignettes, several_studies),
                    "SD": estimate,
                    f"{share(evidence.interval)} interval": bounds,
                    "Direction": probability(row["pd"]),
                    "In ROPE": probability(row["rope"]),
                    "% of scale": points or "–",
                    "Verdict": VERDICTS.get(verdict := _verdict(evidence, row), "–"),
                }
            )
            full.append(row | {"verdict": verdict})
        full += records(mine[mine["metric"] == "pomp"])
    shown_table = _grouped(rows, "Exposure", "Outcome")
    if len(shown_table) and set(shown_table["Of"]) <= {"", rows[0]["Of"]}:
        shown_table = shown_table.drop(columns="Of")
    elif len(shown_table):
        again = shown_table["Outcome"].eq(shown_table["Outcome"].shift())
        shown_table["Outcome"] = shown_table["Outcome"].mask(again, "")
        heading = "Study, vignette" if several_studies or not several_vignettes else "Vignette"
        shown_table = shown_table.rename(columns={"Of": heading})
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: effects in standard deviations of the "
        f"reference group with {share(evidence.interval)} credible intervals, the probability of "
        f"their direction and of the region of practical equivalence (ROPE: {_rope(evidence)}), "
        "and the same as percentages of the scale."
    )
    if many:
        caption += " Each study's effect in each of its places is in the table's file."
    return Table(shown_table, pd.DataFrame(full), caption, tuple(table["provenance"]))


def _verdict(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """The verdict on an effect; a prediction is about no place that was seen, and has none."""
    return "" if is_prediction(row["level"]) else evidence.verdict(row)


def _level(row: Mapping[str, Any]) -> str:
    return words(row["level"]) + " (mostly prior)" * bool(row["note"])


def _rope(evidence: Evidence) -> str:
    return f"±{evidence.rope('sd'):g} SD"


def _where(
    evidence: Evidence, row: Mapping[str, Any], vignettes: bool, studies: bool = True
) -> str:
    """What a row is about: its study and vignette, as far as they differ."""
    if row["level"] == "population":
        return "Mean"
    if is_prediction(row["level"]):
        return _level(row)
    if row["level"] != "study":
        return evidence.labels.of(row["group"])
    parts = [evidence.labels.setting(row["group"])] if studies or not vignettes else []
    if vignettes and row["vignette"] != NO_VIGNETTE:
        label = plotted.vignette_label(evidence, row["vignette"])
        parts.append(inline(label) if parts else label)
    return ": ".join(parts)


def _code_effects(evidence: Evidence, module: str) -> Table:
    labels, everything = evidence.labels, evidence.contrasts[module]
    table = everything[everything["estimand"] == "effect"]
    rows, full = [], []
    for (exposure, kind, outcome), mine in table.groupby(
        ["exposure", "exposure_type", "outcome"], sort=False
    ):
        by = {(r["variant"], r["metric"]): r for r in records(mine)}
        main = by["main", "log_odds"]
        other = by.get(("error_free", "log_odds"))
        difference = by.get(("main", "probability"))
        family = str(outcome) in evidence.vocabulary["families"]
        estimate, bounds = _numbers(main)
        rows.append(
            {
                "Exposure": labels.exposure(str(exposure), str(kind)).label,
                "Code": labels.outcome(str(outcome)) + " (mean)" * family,
                "Log-odds": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(main["pd"]),
                "In ROPE": probability(main["rope"]),
                "Difference, points": _points(difference) if difference else "–",
                "Codings taken as true": "{} ({})".format(*_numbers(other)) if other else "–",
                "Verdict": VERDICTS[evidence.verdict(main)],
            }
        )
        full += [r | {"verdict": ""} for r in records(mine)]
    shown = pd.DataFrame(rows)
    if len(shown) and shown["Exposure"].nunique() == 1:
        only = shown["Exposure"].iloc[0]
        shown = shown.drop(columns="Exposure")
    else:
        only = "contrasts of codes"
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: {only}, in log-odds of a code with "
        f"{share(evidence.interval)} credible intervals, the probability of their direction and of "
        f"the region of practical equivalence (ROPE: ±{evidence.rope('log_odds'):g}), as "
        "differences of prevalence in percentage points, and with every coding taken as true."
    )
    return Table(shown, pd.DataFrame(full), caption, tuple(table["provenance"]))


def _points(row: Mapping[str, Any]) -> str:
    return f"{number(100 * row['mean'], 0)} ({interval(100 * row['lower'], 100 * row['upper'], 0)})"


def _prevalence(evidence: Evidence, module: str) -> Table:
    """Prevalence of each code, in all interviews and by group."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    everyone = table[table["level"] == "population"].sort_values("mean", ascending=False)
    compared = ~table["level"].isin(["population", *PLACES]) & ~_predicted(table)
    groups = table[compared]
    rows = []
    for outcome in everyone["outcome"]:
        mine = table[table["outcome"] == outcome]
        cells = {"Code": labels.outcome(outcome)}
        for level, group in [
            ("population", ""),
            *dict.fromkeys(zip(groups["level"], groups["group"], strict=True)),
        ]:
            found = records(mine[(mine["level"] == level) & (mine["group"] == group)])
            texts = [f"{percent(r['mean'])} ({percents(r['lower'], r['upper'])})" for r in found]
            cells[labels.of(group) if group else "All"] = joined(texts, "–")
        cells["Family"] = labels.outcome(evidence.vocabulary.family(outcome))
        rows.append(cells)
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: share of interviews with each code, "
        f"corrected for coders' errors, with {share(evidence.interval)} credible intervals."
    )
    return Table(pd.DataFrame(rows), table, caption, tuple(table["provenance"]))


def _predicted(table: pd.DataFrame) -> pd.Series:
    return table["level"].map(is_prediction).astype(bool)


def _places(evidence: Evidence, module: str) -> Table:
    """Prevalence of each code by country and sector, and what a new one would give."""
    labels, table = evidence.labels, evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    everyone = table[table["level"] == "population"].sort_values("mean", ascending=False)
    table = table[table["level"].isin(PLACES) | _predicted(table)]
    rows = []
    for outcome in [o for o in everyone["outcome"] if o in set(table["outcome"])]:
        cells = {"Code": labels.outcome(outcome)}
        for level, everywhere in table.groupby("level", sort=False):
            mine = everywhere[everywhere["outcome"] == outcome]
            groups = sorted(set(everywhere["group"]))
            if len(groups) > FEW:
                ends = mine.sort_values("mean").iloc[[0, -1]] if len(mine) else mine
                told = [f"{percent(r['mean'])} ({labels.of(r['group'])})" for r in records(ends)]
                cells[f"{words(str(level))}, lowest to highest"] = " to ".join(told) or "–"
                continue
            for group in groups:
                found = records(mine[mine["group"] == group])
                texts = [f"{percent(r['mean'])} ({_percents(r)})" for r in found]
                cells[labels.of(group) if group else words(str(level))] = joined(texts, "–")
        rows.append(cells)
    uncertain = dict.fromkeys(table.loc[table["note"] != "", "level"])
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: share of interviews with each code by "
        f"country and by sector, at the interviews that were done, with {share(evidence.interval)} "
        "credible intervals; a new country or sector is a prediction, given where the design has a "
        "spread to predict from."
    )
    if uncertain:
        caption += f" Mostly prior: {joined(words(str(name)).lower() for name in uncertain)}."
    shown = pd.DataFrame(rows, columns=_columns(rows))
    return Table(shown, table, caption, tuple(table["provenance"]) or _marks(evidence))


def _percents(row: Mapping[str, Any]) -> str:
    return percents(row["lower"], row["upper"])


def _levels(evidence: Evidence, module: str) -> Table:
    """Mean of each outcome, by study and vignette."""
    table = evidence.contrasts[module]
    table = table[(table["estimand"] == "level") & (table["variant"] == "main")]
    places = list(dict.fromkeys(zip(table["group"], table["vignette"], strict=True)))
    vignettes = len({v for _, v in places}) > 1
    rows = []
    for outcome in dict.fromkeys(table["outcome"]):
        cells = {"Outcome": evidence.labels.outcome(outcome)}
        for group, vignette in places:
            found = table[
                (table["outcome"] == outcome)
                & (table["group"] == group)
                & (table["vignette"] == vignette)
            ]
            name = _where(
                evidence, {"level": "study", "group": group, "vignette": vignette}, vignettes
            )
            cells[name] = "{} ({})".format(*_numbers(records(found)[0], 1)) if len(found) else "–"
        rows.append(cells)
    caption = (
        f"{evidence.vocabulary.label('modules', module)}: means of the outcomes as percentages of "
        f"the scale, with {share(evidence.interval)} credible intervals."
    )
    return Table(pd.DataFrame(rows), table, caption, tuple(table["provenance"]))


# --- over the modules -----------------------------------------------------------------------------


def _heterogeneity(evidence: Evidence) -> Table:
    rows, full = [], []
    tables = {
        evidence.vocabulary.label("modules", name): table
        for name, table in evidence.heterogeneity.items()
    }
    second = evidence.synthesis.get("heterogeneity", pd.DataFrame())
    for variant, mine in second.groupby("variant", sort=False) if len(second) else ():
        tables[plotted.STAGES.get(str(variant), words(str(variant)))] = mine
    for name, table in tables.items():
        for row in records(table):
            parts = plotted.parameter_label(evidence, row["parameter"], list(table["parameter"]))
            lower, upper = plotted.prior_interval(row, evidence.interval)
            estimate, bounds = _numbers(row)
            rows.append(
                {
                    "Model": name
                    + (", every coding taken as true" if row["variant"] == "error_free" else ""),
                    "Parameter": ", ".join(part for part in parts if part),
                    "Prior": f"{number(row['prior_mean'])} ({interval(lower, upper)})",
                    "Posterior": f"{estimate} ({bounds})",
                    "Ratio of SDs": number(row["ratio"]),
                    "I²": _inconsistency(row),
                }
            )
            full.append(row | {"model": name, "prior_lower": lower, "prior_upper": upper})
    shown = pd.DataFrame(rows, columns=_columns(rows))
    inconsistent = len(shown) > 0 and shown["I²"].ne("–").any()
    if not inconsistent:
        shown = shown.drop(columns="I²", errors="ignore")
    shown["Model"] = shown["Model"].mask(shown["Model"].eq(shown["Model"].shift()), "")
    caption = (
        "Standard deviations between groups and coders' accuracy: mean and "
        f"{share(evidence.interval)} interval before and after the data. Where the posterior's "
        "standard deviation is near that of the prior (ratio near one), the data say little."
    )
    if inconsistent:
        caption += (
            " I²: share of the variance of a typical estimate that lies between the groups, where "
            "each study has one estimate."
        )
    return Table(shown, pd.DataFrame(full), caption, _marks(evidence))


def _inconsistency(row: Mapping[str, Any]) -> str:
    if pd.isna(row.get("i2")):
        return "–"
    return f"{percent(row['i2'])} ({percents(row['i2_lower'], row['i2_upper'])})"


def _diagnostics(evidence: Evidence) -> Table:
    rows, full = [], []
    for check in evidence.checks:
        fit = fit_name(check)
        name = sensitivity.fit_label(evidence, fit)
        for draws in dict.fromkeys(g["draws"] for g in check["gates"]):
            gates = {g["gate"]: g for g in check["gates"] if g["draws"] == draws}
            variant = words(draws.removesuffix("posterior").strip("_"))
            cells = {"Fit": f"{name} ({variant.lower()})" if variant else name}
            for gate, heading in GATES.items():
                if gate in gates:
                    digits = {"rhat": 3, "ebfmi": 2}.get(gate, 0)
                    cells[heading] = number(gates[gate]["value"], digits)
            cells["Gates"] = "passed" if all(g["passed"] for g in gates.values()) else "missed"
            rows.append(cells)
        full += [{"fit": fit, **gate} for gate in check["gates"]]
    limits = {g["gate"]: g["threshold"] for g in full}
    said = joined(
        f"{heading} {'at most' if gate in ('rhat', 'divergences') else 'at least'} {limits[gate]:g}"
        for gate, heading in GATES.items()
        if gate in limits
    )
    caption = f"Convergence of each fit: the worst value over all its parameters. Gates: {said}."
    return Table(pd.DataFrame(rows), pd.DataFrame(full), caption, _marks(evidence))


GATES = {
    "rhat": "R-hat",
    "ess_bulk": "Bulk ESS",
    "ess_tail": "Tail ESS",
    "divergences": "Divergences",
    "ebfmi": "E-BFMI",
}


def _synthesis(evidence: Evidence) -> Table:
    """Unpooled estimates beside what pools them, or the reason why nothing does."""
    labels = evidence.labels
    estimates, pooled = evidence.synthesis["estimates"], evidence.synthesis["pooled"]
    structure = evidence.synthesis["structure"]
    refused = structure[structure["used_as"] == "refused"]
    rows = []
    keys = ["exposure", "exposure_type", "outcome", "metric"]
    z = NormalDist().inv_cdf(0.5 + evidence.interval / 2)
    places = {e: at for at, e in enumerate(dict.fromkeys(estimates["exposure"]))}
    estimates = estimates.sort_values("exposure", key=lambda c: c.map(places), kind="stable")
    for (exposure, kind, outcome, metric), mine in estimates.groupby(keys, sort=False):
        found = pooled[(pooled["exposure"] == exposure) & (pooled["outcome"] == outcome)]
        whole = found[found["level"] == "population"]
        new = found[_predicted(found)]
        why = refused[(refused["exposure"] == exposure) & (refused["outcome"] == outcome)]["reason"]
        alone = [
            f"{number(e := r['estimate'])} ({interval(e - z * r['se'], e + z * r['se'])})"
            for r in records(mine)
        ]
        if len(alone) > plotted.MOST_SETTINGS:
            low, high = mine["estimate"].min(), mine["estimate"].max()
            alone = [f"{len(alone)} from {number(low)} to {number(high)}"]
        predictions = [
            f"{_level(r).lower()}: {interval(r['lower'], r['upper'])}" for r in records(new)
        ]
        label = labels.exposure(str(exposure), str(kind)).label
        remarks = [r for reason in dict.fromkeys(why) for r in reason.split("; ")]
        rows.append(
            {
                "Exposure": f"{label} ({inline(labels.of(str(kind), 'exposure_types'))}), "
                f"{METRICS[str(metric)]}",
                "Outcome": labels.outcome(str(outcome)),
                "Studies": str(mine["study"].nunique()),
                "Study estimates": "; ".join(alone),
                "Pooled": "{} ({})".format(*_numbers(records(whole)[0])) if len(whole) else "–",
                "Prediction": "; ".join(predictions) or "–",
                "Remark": "; ".join(r for r in remarks if r.startswith("not pooled")) or "–",
            }
        )
    shown = _grouped(rows, "Exposure", "Outcome")
    for column in ("Pooled", "Prediction", "Remark"):
        if len(shown) and set(shown[column]) <= {"–", ""}:
            shown = shown.drop(columns=column)
    caption = (
        "Synthesis: unpooled estimates of each study (several: one per vignette or study) with "
        f"{share(evidence.interval)} intervals, and what pools them where several studies do."
    )
    return Table(shown, estimates, caption, tuple(estimates["provenance"]))


METRICS = {
    "sd": "SD",
    "log_odds": "log-odds",
    "log_risk_ratio": "log risk ratio",
    "pomp": "% of scale",
    "probability": "share",
}


def _exploratory(evidence: Evidence) -> Table:
    table = evidence.synthesis["exploratory"]
    rows = []
    for row in records(table):
        estimate, bounds = _numbers(row)
        group = "All estimates" if row["level"] == "population" else "–"
        if row["group"]:
            group = joined(evidence.labels.many(row["group"]), "")
        rows.append(
            {
                "Level": _level(row),
                "Group": group,
                "SD": estimate,
                f"{share(evidence.interval)} interval": bounds,
                "Direction": probability(row["pd"]),
                "In ROPE": probability(row["rope"]),
            }
        )
    caption = (
        "Exploratory: one model over all families. Standardised estimates, signed so that more is "
        "more burden, pooled only here; ROPE: the region of practical equivalence, "
        f"{_rope(evidence)}."
    )
    shown = pd.DataFrame(rows, columns=_columns(rows))
    return Table(shown, table, caption, tuple(table["provenance"]))


def _aliases(evidence: Evidence) -> Table:
    """What the design identifies, and why the rest is left out; outcomes alike share a row."""
    labels, table = evidence.labels, evidence.synthesis["structure"].fillna("")
    keys = [
        "module_or_family",
        "exposure",
        "grouping",
        "levels",
        "used_as",
        "aliased_with",
        "reason",
    ]
    types = {**_types(evidence), **_types_of_modules(evidence)}
    rows = []
    named = table["exposure"] != ""
    table = table.assign(module_or_family=table["module_or_family"].mask(named, ""))
    for values, mine in table.groupby(keys, sort=False):
        family, exposure, grouping, levels, used, _, reason = map(str, values)
        outcomes = [labels.outcome(o) for o in dict.fromkeys(mine["outcome"]) if o and o != family]
        what = labels.of(family)
        if exposure:
            kind = types.get(exposure, exposure.rpartition("_")[2])
            found = labels.exposure(exposure, kind)
            what = f"{found.label} ({labels.of(kind, 'exposure_types').lower()})"
        rows.append(
            {
                "Estimand": what + (f": {inline(listed(outcomes))}" if outcomes else ""),
                "Grouping": words(grouping),
                "Levels": levels,
                "Used as": used,
                "Reason": _relabelled(evidence, reason),
            }
        )
    caption = (
        "What the design identifies: each grouping of an estimand, whether it enters the model, "
        "and what it cannot be told apart from. Computed from the design alone."
    )
    shown = pd.DataFrame(rows, columns=["Estimand", "Grouping", "Levels", "Used as", "Reason"])
    return Table(shown, table, caption, _marks(evidence))


def _types(evidence: Evidence) -> dict[str, str]:
    estimates = evidence.synthesis["estimates"]
    return dict(zip(estimates["exposure"], estimates["exposure_type"], strict=True))


def _types_of_modules(evidence: Evidence) -> dict[str, str]:
    tables = evidence.contrasts.values()
    return {
        str(e): str(k)
        for t in tables
        for e, k in zip(t["exposure"], t["exposure_type"], strict=True)
    }


def _relabelled(evidence: Evidence, reason: str) -> str:
    """Keys inside a reason as words."""
    found = []
    for word in reason.split(" "):
        bare = word.strip(",;:")
        known = any(bare in entries for entries in evidence.vocabulary.sections.values())
        label = (
            evidence.labels.of(bare).lower() if known and "_" in bare else bare.replace("_", " ")
        )
        found.append(word.replace(bare, label) if bare else word)
    return " ".join(found)


# --- what is shown as it is -----------------------------------------------------------------------

SAID = {
    "positive": "more",
    "negative": "less",
    "null_result": "not significant",
    "not_supported": "not among the supported",
}


def _findings(evidence: Evidence) -> Table:
    found = directions.findings(evidence)
    # The first study of a publication is its own; others are replications.
    own = {study.report["codebook"]["citation"]: study for study in reversed(evidence.studies)}
    rows = [
        {
            "Contrast": words(row["contrast"]),
            "Outcome": directions.outcome_label(evidence, row["outcome"]),
            "Exposure": inline(evidence.labels.of(row["exposure_type"], "exposure_types")),
            "Direction": SAID[row["direction"]],
            "n": "–" if pd.isna(row["n"]) else str(round(row["n"])),
            "Seen": words(row["verification"].removeprefix("published_")).lower(),
            "Also here": inline(own[row["citation"]].label) if row["citation"] in own else "–",
            "Source": f"@{row['citation']}",
        }
        for row in records(found)
    ]
    caption = (
        "Published findings, as far as their abstracts were seen: real evidence, none of it "
        "simulated. Those of a study whose data are here as well never enter a pool beside them."
    )
    return Table(pd.DataFrame(rows, columns=_columns(rows)), found, caption, ("observed",))


def _concordance(evidence: Evidence) -> Table:
    """Each published finding that has a contrast here, and what the posterior says of it."""
    labels, found, rows = evidence.labels, concordance(evidence), []
    for row in records(found):
        outcome = labels.outcome(row["outcome"])
        if row["vignette"]:
            outcome += f", {inline(plotted.vignette_label(evidence, row['vignette']))}"
        same = found[["finding_id", "outcome", "vignette"]].eq(
            [row[k] for k in ("finding_id", "outcome", "vignette")]
        )
        if same.all(axis=1).sum() > 1 and row["group"]:
            outcome += f" ({inline(labels.setting(row['group']))})"
        rows.append(
            {
                "Finding": row["finding"],
                "Published": SAID[row["direction"]],
                "Source": f"@{row['citation']}",
                "Outcome here": outcome,
                "Estimate": f"{number(row['mean'])} {METRICS[row['metric']]}",
                f"{share(evidence.interval)} interval": interval(row["lower"], row["upper"]),
                "Posterior mass": _mass(row),
            }
        )
    shown = pd.DataFrame(rows, columns=_columns(rows))
    if rows:  # a finding about several outcomes is told once
        again = found["finding_id"].eq(found["finding_id"].shift())
        for column in ("Finding", "Published", "Source"):
            shown[column] = shown[column].mask(again, "")
    caption = (
        "Concordance: published findings beside the contrast here that is about the same exposure "
        "and outcome. The posterior mass is that in the direction of the finding; for what was not "
        "significant or not supported, that inside the region of practical equivalence "
        f"({_rope(evidence)}, log-odds ±{evidence.rope('log_odds'):g}). By construction: the "
        "contrast rests on simulated data, and is no evidence."
    )
    return Table(shown, found, caption, tuple(found["provenance"]))


def _mass(row: Mapping[str, Any]) -> str:
    if "simulated" in row["provenance"]:
        return "by construction"
    where = "direction" if row["asked"] == "direction" else "equivalence"
    return "–" if pd.isna(row["mass"]) else f"{probability(row['mass'])} ({where})"


def _bounds(evidence: Evidence) -> Table:
    found = directions.bounds(evidence)
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
        "Derived here and published nowhere: what a result that is not significant bounds, in "
        "standard deviations, if its contrast was balanced and its respondents independent."
    )
    return Table(pd.DataFrame(rows, columns=_columns(rows)), found, caption, ("observed",))


def _appraisal(evidence: Evidence) -> Table:
    found = evidence.appraisal
    wide = found.pivot(index="study", columns="domain", values="judgement")
    order = list(dict.fromkeys(found["study"]))
    wide = wide.loc[order, list(dict.fromkeys(found["domain"]))]
    certainty = found.drop_duplicates("study").set_index("study")["certainty"]
    shown = wide.apply(lambda column: column.map(words).str.lower())
    shown.columns = [words(str(name)) for name in shown.columns]
    shown.insert(0, "Study", [f"@{name}" for name in order])
    shown["Certainty"] = [words(str(certainty[name])).lower() for name in order]
    caption = (
        "Risk of bias and certainty of the published studies, judged from what could be seen of "
        "them; most of it is not assessed, because only abstracts were seen."
    )
    return Table(shown.reset_index(drop=True), found, caption, ("observed",))


def _design_based(evidence: Evidence) -> Table:
    found, labels = evidence.design_based, evidence.labels
    rows, key = [], ["study", "exposure", "outcome", "vignette"]
    plain: Mapping[tuple[str, ...], float] | pd.Series
    plain = found[~found["weighted"]].set_index(key)["estimate"] if len(found) else {}
    for row in records(found[found["weighted"]]) if len(found) else ():
        head = labels.exposure(row["exposure"], row["exposure_type"]).label
        if row["vignette"]:
            head += f", {inline(plotted.vignette_label(evidence, row['vignette']))}"
        rows.append(
            {
                "Exposure": head,
                "Outcome": labels.outcome(row["outcome"]),
                "Weighted, SD": number(row["estimate"]),
                f"{share(evidence.interval)} interval": interval(row["low"], row["high"]),
                "Unweighted, SD": number(plain[tuple(row[k] for k in key)]),
                "n": str(round(row["n"])),
            }
        )
    shown = _grouped(rows, "Exposure", "Outcome") if rows else pd.DataFrame(columns=_columns(rows))
    caption = (
        "Sensitivity analysis: design-based estimates with sampling weights and standard errors "
        "robust to clusters, beside the same regression without weights."
    )
    marks = tuple(found["provenance"]) if len(found) else ()
    return Table(shown, found, caption, marks)


def _refits(evidence: Evidence) -> Table:
    found, labels = robustness.robustness(evidence), evidence.labels
    rows = [
        {
            "Module": labels.of(row["module"], "modules"),
            "Refits": robustness.KINDS[row["kind"]],
            "Number": str(row["refits"]),
            "Largest shift, posterior SD": number(row["shift"]),
            "Of the effect": _effect_label(evidence, row),
            "Verdicts changed": f"{row['changed']} of {row['effects']}",
        }
        for row in records(found)
    ]
    shown = _grouped(rows, "Module", "Refits") if rows else pd.DataFrame(columns=_columns(rows))
    caption = (
        "Refits: how far the mean of a population effect moves at most, in its posterior standard "
        "deviations, and how many effects get another verdict in any refit of the kind."
    )
    return Table(shown, evidence.refits, caption, tuple(found["provenance"]))


def _power(evidence: Evidence) -> Table:
    found, labels = robustness.power(evidence), evidence.labels
    shown = pd.DataFrame(
        [
            {
                "Module": labels.of(row["module"], "modules"),
                "Effects": str(row["effects"]),
                "Moved by the prior": str(row["prior"]),
                "Moved by both": str(row["conflict"]),
                "Most sensitive to the prior": _effect_label(evidence, row),
                "Sensitivity": number(row["largest"]),
            }
            for row in records(found)
        ],
        columns=None if len(found) else ["Nothing to show"],
    )
    caption = (
        "Power-scaling: population effects whose posterior moves when the prior, or prior and "
        "likelihood, are raised to a power near one (sensitivity above 0.05)."
    )
    return Table(shown, evidence.power, caption, tuple(found["provenance"]))


def _effect_label(evidence: Evidence, row: Mapping[str, Any]) -> str:
    """Exposure and outcome in one cell."""
    head = evidence.labels.exposure(row["exposure"], row["exposure_type"]).label
    kind = inline(evidence.labels.of(row["exposure_type"], "exposure_types"))
    return f"{head} ({kind}): {inline(evidence.labels.outcome(row['outcome']))}"


def _columns(rows: list[dict[str, str]]) -> list[str]:
    return list(rows[0]) if rows else ["Nothing to show"]


# --- all of them ----------------------------------------------------------------------------------

COMMON: dict[str, tuple[Callable[[Evidence], Table], tuple[str, ...]]] = {
    "studies": (_studies, ("studies", "cells")),
    "exclusions": (_exclusions, ("studies", "cells")),
    "heterogeneity": (_heterogeneity, ("studies", "heterogeneity", "synthesis")),
    "diagnostics": (_diagnostics, ("studies", "checks")),
    "synthesis": (_synthesis, ("studies", "synthesis")),
    "exploratory": (_exploratory, ("studies", "synthesis")),
    "aliases": (_aliases, ("studies", "synthesis")),
    "findings": (_findings, ("studies",)),
    "concordance": (_concordance, ("studies", "contrasts", "draws")),
    "bounds": (_bounds, ("studies",)),
    "appraisal": (_appraisal, ("appraisal",)),
    "design_based": (_design_based, ("studies", "design_based")),
    "sensitivity": (sensitivity.table, ("studies", "contrasts")),
    "refits": (_refits, ("studies", "contrasts", "refits")),
    "power": (_power, ("studies", "power")),
    "comparison": (criticism.table, ("studies", "comparison")),
}
MODULE: dict[str, dict[str, Callable[[Evidence, str], Table]]] = {
    "answers": {"effects": _effects, "levels": _levels},
    "codings": {"effects": _effects, "prevalence": _prevalence, "places": _places},
}


def names(models: Mapping[str, str]) -> list[str]:
    """Names of all tables, given each module's kind of model."""
    return [*COMMON, *(f"{kind}_{m}" for m, model in models.items() for kind in MODULE[model])]


def table(evidence: Evidence, name: str) -> Table:
    """Make one table by its name.

    Raises
    ------
    MetastudyError
        Where there is no such table; the message names all.
    """
    if name in COMMON:
        return COMMON[name][0](evidence)
    kind, _, module = name.partition("_")
    if module in evidence.contrasts and kind in MODULE[evidence.model(module)]:
        return MODULE[evidence.model(module)][kind](evidence, module)
    known = names({m: evidence.model(m) for m in evidence.contrasts})
    raise MetastudyError(f"no table '{name}'; there are {', '.join(known)}")


def main() -> None:
    """Entry point of the rule ``tabulate``: all tables, or one with ``--table``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", nargs="*", help="names; all that the inputs allow if left out")
    arguments(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for _tbl-<name>.md and <name>.csv"
    )
    parser.add_argument("--done", type=Path, help="where to write what was made")
    args = parser.parse_args()
    evidence = gather(args)
    wanted = args.table or [
        *(name for name, (_, needs) in COMMON.items() if all(getattr(args, n) for n in needs)),
        *names({m: evidence.model(m) for m in evidence.contrasts})[len(COMMON) :],
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name in wanted:
        found = table(evidence, name)
        (args.out / f"_tbl-{name}.md").write_text(markdown(name, found), "utf-8")
        found.full.to_csv(args.out / f"{name}.csv", index=False)
        captions[name] = found.caption
    if args.done:
        args.done.write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
