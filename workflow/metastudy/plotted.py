"""What each figure shows, as a table: one row per mark on the paper, with every label in words.

The tables are written as CSV beside the figures, and :mod:`metastudy.figures` draws nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import pi
from statistics import NormalDist
from typing import Any

import pandas as pd

from metastudy.cells import NO_VIGNETTE
from metastudy.directions import aliases, directions
from metastudy.evidence import Evidence, Modelled, StudyEvidence, records
from metastudy.predictions import PLACES, is_prediction
from metastudy.suppress import protect
from metastudy.wording import JOINT, inline, joined, listed, share, words

__all__ = [
    "FLOW",
    "FOREST",
    "GRID",
    "aliases",
    "directions",
    "exploratory",
    "heterogeneity",
    "module",
    "participant_flow",
    "study_grid",
    "synthesis",
]

GRID = [
    *("study", "study_label", "country", "country_label", "sector", "sector_label"),
    *("role", "role_label", "exposure_types", "exposure_types_label"),
    *("response_mode", "response_mode_label", "n", "provenance"),
]
FLOW = ["study", "study_label", "module", "step", "kind", "rows", "provenance"]
FOREST = [
    "block",  # a row of panels with a heading
    "panel",
    "axis",  # what the horizontal axis shows
    "row",  # what the vertical axis shows
    "series",  # what tells several marks in one row apart
    "style",  # how they are drawn: see metastudy.look.STYLES
    "hue",
    "estimate",
    "lower",
    "upper",
    "reference",  # where a vertical line stands; none if missing
    "rope",  # half-width of the region of practical equivalence; none if missing
    "note",
    "exposure",
    "exposure_type",
    "outcome",
    "vignette",
    "study",
    "level",
    "group",
    "metric",
    "provenance",
]
POINTS = ("filled", "second", "third", "fourth")  # styles of several series of one hue
SHAPES = ("filled", "square", "triangle", "filled")  # the same where each has its own hue
MOST_SETTINGS = 6  # of more, no figure or printed table shows each, but means, places, predictions


# --- the studies ----------------------------------------------------------------------------------


def study_grid(evidence: Evidence) -> pd.DataFrame:
    """What is crossed with what: one row per study, country, sector and role, with its people."""
    labels, rows = evidence.labels, []
    for study in evidence.studies:
        types = list(dict.fromkeys(e["type"] for e in study.report["exposures"]))
        mode = study.report["codebook"]["response_mode"]
        for (country, sector, role), n in _places(evidence, study).items():
            rows.append(
                {
                    "study": study.id,
                    "study_label": study.label,
                    "country": country,
                    "country_label": labels.of(country, "countries"),
                    "sector": sector,
                    "sector_label": labels.of(sector, "sectors"),
                    "role": role,
                    "role_label": labels.of(role, "roles"),
                    "exposure_types": JOINT.join(types),
                    "exposure_types_label": JOINT.join(
                        labels.of(t, "exposure_types") for t in types
                    ),
                    "response_mode": mode,
                    "response_mode_label": labels.of(mode, "response_modes"),
                    "n": n,
                    "provenance": study.provenance,
                }
            )
    return pd.DataFrame(rows, columns=GRID)


def _places(evidence: Evidence, study: StudyEvidence) -> dict[tuple[str, str, str], int | str]:
    """People of each place and role; small cells are hidden, and what would give them away."""
    where = [study.respondents[name].astype(str) for name in ("country", "sector", "role")]
    counts = Counter(zip(*where, strict=True))
    places = sorted(counts)
    if len(places) == 1:
        return dict(counts)  # the size of a whole study is no cell
    least = int(evidence.settings["privacy"]["smallest_cell"])
    cells = protect([counts[place] for place in places], least).cells
    return dict(zip(places, cells, strict=True))


def participant_flow(evidence: Evidence) -> pd.DataFrame:
    """Rows of each study from the file to the model.

    ``kind`` is ``read``, ``excluded`` (by a rule of the codebook), ``kept``, ``dropped`` (for a
    module's model) or ``used`` (in it). Rules by which few rows left are one step together.
    """
    rows = []
    least = int(evidence.settings["privacy"]["smallest_cell"])
    for study in evidence.studies:

        def step(
            name: str, kind: str, count: int, module: str = "", study: StudyEvidence = study
        ) -> None:
            values = (study.id, study.label, module, name, kind, int(count), study.provenance)
            rows.append(dict(zip(FLOW, values, strict=True)))

        step("Rows read", "read", study.report["rows_read"])
        for rule, count in _together(study.report["excluded"], least).items():
            step(words(rule), "excluded", count)
        step("Rows kept", "kept", study.report["rows_kept"])
        mine = {m: cells for m, cells in evidence.cells.items() if study.id in cells.rows}
        for module, cells in mine.items():
            suffix = f" ({evidence.vocabulary.label('modules', module)})" if len(mine) > 1 else ""
            drops = {drop["rule"]: drop["rows"] for drop in _drops(cells, study.id)}
            for rule, count in _together(drops, least).items():
                step(words(rule) + suffix, "dropped", count, module)
            step("Rows in the model" + suffix, "used", cells.rows[study.id], module)
    return pd.DataFrame(rows, columns=FLOW)


def _together(counts: Mapping[str, int], least: int) -> dict[str, int]:
    """Counts as they may stand beside their total: the small ones as one, with what tells them.

    Where the total alone tells a small count there is nothing left to hide: the article shows how
    many rows were read and how many were used.
    """
    shown = protect(list(counts.values()), least)
    if not shown.total:
        return dict(counts)
    hidden = [name for name, cell in zip(counts, shown.cells, strict=True) if isinstance(cell, str)]
    found = {name: n for name, n in counts.items() if name not in hidden}
    if hidden:
        found[f"{len(hidden)} rules with few rows"] = sum(counts[name] for name in hidden)
    return found


def _drops(cells: Modelled, study: str) -> Iterator[Mapping[str, Any]]:
    return (drop for drop in cells.dropped if drop["study"] == study)


# --- one module -----------------------------------------------------------------------------------


def module(evidence: Evidence, name: str) -> pd.DataFrame:
    """Effects of a module's exposures and levels of its outcomes, for :func:`figures.forest`."""
    kind: dict[str, Callable[[Evidence, str], list[dict[str, Any]]]]
    kind = {"answers": _answers, "codings": _codings}
    return pd.DataFrame(kind[evidence.model(name)](evidence, name), columns=FOREST)


def _mark_of(row: Mapping[str, Any], /, **more: Any) -> dict[str, Any]:
    """The columns of a plotted row that come from a row of contrasts."""
    same = ("exposure", "exposure_type", "outcome", "vignette", "study", "level", "group", "metric")
    taken = {name: row.get(name, "") for name in (*same, "provenance")}
    numbers = {"estimate": row["mean"], "lower": row["lower"], "upper": row["upper"]}
    return taken | numbers | {"note": ""} | more


def _type_label(evidence: Evidence, kind: str) -> str:
    return f"{evidence.labels.of(kind, 'exposure_types')} exposures"


def effect_axis(kind: str, metric: str) -> str:
    """What an axis of effects shows."""
    if metric != "sd":
        return f"Contrast, {'log-odds' if metric == 'log_odds' else inline(words(metric))}"
    return (
        "Difference per SD of the exposure, SD"
        if kind == "measured"
        else "Difference between levels, SD"
    )


def _answers(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    main = table[table["variant"] == "main"]
    effects = main[(main["estimand"] == "effect") & (main["metric"] == "sd")]
    in_places = [name for place in PLACES for name in (place, f"new_{place}")]
    places, effects = effects, effects[~effects["level"].isin(in_places)]
    several_vignettes = main.loc[main["vignette"] != "", "vignette"].nunique() > 1
    for kind in dict.fromkeys(effects["exposure_type"]):
        mine = effects[effects["exposure_type"] == kind]
        each = mine[mine["level"] == "study"]
        series = _series(evidence, each)
        over = "Mean over studies" if each["group"].nunique() > 1 else "Mean over vignettes"
        heading = _type_label(evidence, kind)
        if each["vignette"].nunique() == 1 and several_vignettes:
            heading += f" ({inline(vignette_label(evidence, each['vignette'].iloc[0]))})"
        many = each["group"].nunique() > MOST_SETTINGS
        for row in records(mine[mine["level"] != "study"] if many else mine):
            own = effects[effects["exposure"] == row["exposure"]]
            several = own[own["level"] == "study"].groupby(["group", "vignette"]).ngroups > 1
            population = row["level"] == "population"
            if not several and not population:
                continue  # the population is the one study
            if is_prediction(row["level"]):
                label, style = _prediction(evidence, row["level"]), "prediction"
            elif several and not population:
                label, style = series[(row["group"], row["vignette"])]
            else:
                label, style = (over, "diamond") if several else ("", "filled")
            rows.append(
                _mark_of(
                    row,
                    block=heading,
                    panel=labels.exposure(row["exposure"], kind).label,
                    axis=effect_axis(kind, "sd"),
                    row=labels.outcome(row["outcome"]),
                    series=label,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope("sd"),
                )
            )
        rows += _by_place(evidence, places[places["exposure_type"] == kind])
    levels = main[main["estimand"] == "level"]
    family = levels["outcome"].map(evidence.vocabulary.family)
    for one in dict.fromkeys(family):
        mine = levels[family == one]
        if mine["outcome"].nunique() < 2:
            continue
        series = _series(evidence, mine)
        if len(series) > MOST_SETTINGS:
            series = dict.fromkeys(series, ("Each study in each of its places", "pale"))
        for row in records(mine):
            label, style = series[(row["group"], row["vignette"])]
            rows.append(
                _mark_of(
                    row,
                    block="Means of the outcomes",
                    panel=labels.of(one, "families"),
                    axis="Mean, % of the scale",
                    row=labels.outcome(row["outcome"]),
                    series=label if len(series) > 1 else "",
                    style=style,
                    hue="level",
                )
            )
    return _ordered(rows, evidence)


def _by_place(evidence: Evidence, effects: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Effects in each country and sector that the design tells apart, their mean, and a new one."""
    labels = evidence.labels
    for (exposure, grouping), mine in effects[effects["level"].isin(PLACES)].groupby(
        ["exposure", "level"], sort=False
    ):
        kind = mine["exposure_type"].iloc[0]
        own = effects[effects["exposure"] == exposure]
        for outcome, found in mine.groupby("outcome", sort=False):
            same = own[own["outcome"] == outcome]
            shown = [
                (labels.of(row["group"]), row, "Partially pooled", "filled")
                for row in records(found)
            ]
            shown.sort(key=lambda one: one[0])
            for row in records(same[same["level"] == "population"]):
                shown.append(("All", row, "Mean over studies", "diamond"))
            for row in records(same[same["level"] == f"new_{grouping}"]):
                series = _prediction(evidence, row["level"])
                shown.append((words(row["level"]), row, series, "prediction"))
            for label, row, series, style in shown:
                yield _mark_of(
                    row,
                    block=f"{labels.exposure(str(exposure), kind).label}, by {grouping}",
                    panel=labels.outcome(str(outcome)),
                    axis=effect_axis(kind, "sd"),
                    row=label,
                    series=series,
                    style=style,
                    hue=kind,
                    reference=0.0,
                    rope=evidence.rope("sd"),
                )


def _prediction(evidence: Evidence, level: str) -> str:
    return f"{share(evidence.interval)} prediction for a {words(level).lower()}"


def _series(evidence: Evidence, rows: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Label and style of each setting and vignette; what does not differ is not said."""
    labels = evidence.labels
    pairs = list(dict.fromkeys(zip(rows["group"], rows["vignette"], strict=True)))
    settings, vignettes = ({pair[i] for pair in pairs} for i in (0, 1))
    found = {}
    for at, (group, vignette) in enumerate(pairs):
        parts = [labels.setting(group)] * (len(settings) > 1)
        if len(vignettes) > 1 or not parts:
            label = vignette_label(evidence, vignette)
            parts.append(inline(label) if parts else label)
        found[(group, vignette)] = (": ".join(parts), POINTS[at % len(POINTS)])
    return found


def vignette_label(evidence: Evidence, vignette: str) -> str:
    """Label of a vignette."""
    if vignette == NO_VIGNETTE:
        return "No vignette"
    return evidence.labels.of(vignette, "vignettes")


def _ordered(rows: list[dict[str, Any]], evidence: Evidence) -> list[dict[str, Any]]:
    """Outcomes in the vocabulary's order within each panel; blocks and panels as they came."""
    place = {key: i for i, key in enumerate(evidence.vocabulary["constructs"])}
    blocks = list(dict.fromkeys((r["block"], r["panel"]) for r in rows))
    return sorted(
        rows, key=lambda r: (blocks.index((r["block"], r["panel"])), place.get(r["outcome"], 0))
    )


def _codings(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    labels, table, rows = evidence.labels, evidence.contrasts[name], []
    main = table["variant"] == "main"
    levels = table[main & (table["estimand"] == "level")]
    of_places = levels["level"].isin(PLACES) | levels["level"].map(is_prediction).astype(bool)
    levels = levels[~of_places]
    everyone = levels[levels["level"] == "population"].set_index("outcome")["mean"]
    effects = table[(table["estimand"] == "effect") & (table["metric"] == "log_odds")]
    groups = list(dict.fromkeys(levels["level"][levels["level"] != "population"])) or ["population"]
    names = list(dict.fromkeys(levels["group"][levels["level"].isin(groups)]))
    for family in dict.fromkeys(map(evidence.vocabulary.family, everyone.index)):
        codes = [c for c in everyone.index if evidence.vocabulary.family(c) == family]
        for outcome in [*sorted(codes, key=lambda c: -everyone[c]), family]:
            row_label = labels.outcome(outcome) if outcome in codes else "Mean of the codes"
            place = {"block": labels.of(family, "families"), "row": row_label}
            for grouping in groups:
                mine = levels[(levels["level"] == grouping) & (levels["outcome"] == outcome)]
                for row in records(mine):
                    at = names.index(row["group"])
                    rows.append(
                        _mark_of(
                            row,
                            **place,
                            panel="Prevalence",
                            axis="Interviews with the code, %",
                            series=labels.of(row["group"]) if row["group"] else "All",
                            style=SHAPES[at % len(SHAPES)],
                            hue=f"group{at + 1}",
                        )
                        | {n: 100 * row[m] for n, m in _NUMBERS.items()}
                    )
            for row in records(effects[effects["outcome"] == outcome]):
                exposure = labels.exposure(row["exposure"], row["exposure_type"])
                real = row["variant"] == "main"
                rows.append(
                    _mark_of(
                        row,
                        **place,
                        panel=exposure.label,
                        axis=effect_axis(row["exposure_type"], "log_odds"),
                        series="With coders' errors in the model"
                        if real
                        else "Every coding taken as true",
                        style=("diamond" if outcome == family else "filled") if real else "pale",
                        hue=row["exposure_type"],
                        reference=0.0,
                        rope=evidence.rope("log_odds"),
                    )
                )
    return rows


_NUMBERS = {"estimate": "mean", "lower": "lower", "upper": "upper"}


# --- over the modules -----------------------------------------------------------------------------


def synthesis(evidence: Evidence) -> pd.DataFrame:
    """Unpooled estimates of each study against the hierarchical posterior and what pools them.

    Vignettes have blocks of their own; what pools studies takes each study's mean over vignettes,
    so it stands in the same block only where there is one vignette.
    """
    estimates = evidence.synthesis["estimates"]
    rows: list[dict[str, Any]] = []
    for (name, kind), mine in estimates.groupby(["module", "exposure_type"], sort=False):
        module = evidence.vocabulary.label("modules", str(name)) if name else "Published effects"
        heading = f"{module}: " + _type_label(evidence, str(kind)).lower()
        vignettes = list(dict.fromkeys(mine["vignette"]))
        for vignette in vignettes:
            more = f", {inline(vignette_label(evidence, vignette))}" * (len(vignettes) > 1)
            here = mine[mine["vignette"] == vignette]
            rows += _estimates(evidence, str(name), heading + more, here, len(vignettes) == 1)
        if len(vignettes) > 1:
            for (exposure, outcome), own in mine.groupby(["exposure", "outcome"], sort=False):
                place = _place(evidence, f"{heading}, mean over vignettes", own)
                place["row"] = evidence.labels.outcome(str(outcome))
                rows += _pooled(evidence, str(exposure), str(outcome), place)
    return pd.DataFrame(rows, columns=FOREST)


def _place(evidence: Evidence, block: str, own: pd.DataFrame) -> dict[str, Any]:
    """Block and panel of the estimates of one exposure."""
    first = own.iloc[0]
    studies = int(own["study"].nunique())
    return {
        "block": block,
        "panel": evidence.labels.exposure(first["exposure"], first["exposure_type"]).label,
        "axis": effect_axis(first["exposure_type"], first["metric"]),
        "hue": first["exposure_type"],
        "reference": 0.0,
        "note": "one study" if studies == 1 else f"{studies} studies",
    }


def _estimates(
    evidence: Evidence, name: str, block: str, here: pd.DataFrame, pool: bool
) -> Iterator[dict[str, Any]]:
    """Each study's own estimate above the hierarchical posterior, then what pools them.

    Of many studies and places only what pools them is shown, by either way.
    """
    labels, z = evidence.labels, NormalDist().inv_cdf(0.5 + evidence.interval / 2)
    for exposure, own in here.groupby("exposure", sort=False):
        panel = _place(evidence, block, own)
        for outcome, found in own.groupby("outcome", sort=False):
            many = pool and len(found) > MOST_SETTINGS
            for record in [] if many else records(found):
                label = labels.outcome(str(outcome))
                if len(found) > 1:
                    where = [labels.study(record["study"])]
                    if found["study"].duplicated().any():
                        where += [labels.of(record[c]) for c in ("country", "sector")]
                    label = f"{label}: {', '.join(where)}"
                alone = {
                    "mean": record["estimate"],
                    "lower": record["estimate"] - z * record["se"],
                    "upper": record["estimate"] + z * record["se"],
                    "level": "unpooled",
                    "group": record["study"],
                }
                place = panel | {"row": label}
                look = {"series": "Study alone, not pooled", "style": "open"}
                yield _mark_of(record | alone, **place, **look)
                for row in _posterior(evidence, name, record):
                    yield _mark_of(row, **place, series="Hierarchical model", style="filled")
            if pool:
                place = panel | {"row": f"{labels.outcome(str(outcome))}: pooled"}
                for row in _posterior(evidence, name, records(found)[0] | NOWHERE) if many else ():
                    yield _mark_of(row, **place, series="Hierarchical model", style="filled")
                yield from _pooled(evidence, str(exposure), str(outcome), place)


NOWHERE = dict.fromkeys(("study", "country", "sector"), "")  # the place of a population mean


def _posterior(
    evidence: Evidence, module: str, estimate: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The hierarchical posterior of what a study estimated."""
    table = evidence.contrasts.get(module)
    if table is None:
        return []
    same = (
        (table["variant"] == "main")
        & (table["estimand"] == "effect")
        & (table["exposure"] == estimate["exposure"])
        & (table["outcome"] == estimate["outcome"])
        & (table["metric"] == estimate["metric"])
    )
    own = table[same & (table["level"] == "study") & (table["vignette"] == estimate["vignette"])]
    for name in ("study", "country", "sector"):
        own = own[own[name] == estimate[name]]
    if own.empty:
        own = table[same & table["level"].isin(["code", "population"])].head(1)
    return records(own)


def _pooled(
    evidence: Evidence, exposure: str, outcome: str, place: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    pooled = evidence.synthesis["pooled"]
    mine = pooled[(pooled["exposure"] == exposure) & (pooled["outcome"] == outcome)]
    for row in records(mine):
        if row["level"] == "population":
            yield _mark_of(row, **place, series="Pooled over studies", style="diamond")
        elif row["level"].startswith("new_"):
            series = _prediction(evidence, row["level"])
            yield _mark_of(row, **place, series=series, style="prediction")


def heterogeneity(evidence: Evidence) -> pd.DataFrame:
    """Every between-group standard deviation and coders' accuracy: prior beside posterior."""
    tables = {
        evidence.vocabulary.label("modules", name): table
        for name, table in evidence.heterogeneity.items()
    }
    if len(second := evidence.synthesis.get("heterogeneity", pd.DataFrame())):
        for variant, mine in second.groupby("variant", sort=False):
            tables[STAGES.get(str(variant), words(str(variant)))] = mine
    provenance = {
        evidence.vocabulary.label("modules", name): JOINT.join(sorted(set(table["provenance"])))
        for name, table in evidence.contrasts.items()
    }
    everything = JOINT.join(sorted({study.provenance for study in evidence.studies}))
    metrics = {
        evidence.vocabulary.label("modules", name): "log-odds"
        for name in evidence.heterogeneity
        if evidence.model(name) == "codings"
    }
    rows = []
    for name, table in tables.items():
        for row in records(table):
            accuracy = is_accuracy(row["parameter"])
            panel, label = parameter_label(evidence, row["parameter"], list(table["parameter"]))
            spread = f"Standard deviation between groups, {metrics.get(name, 'SD')}"
            what = "coders' accuracy" if accuracy else "standard deviations between groups"
            place = {
                "block": f"{name}: {what}",
                "panel": panel,
                "row": label,
                "axis": "Probability" if accuracy else spread,
                "reference": None if accuracy else 0.0,
                "outcome": row["parameter"],
                "provenance": provenance.get(name) or everything,
            }
            if row["variant"] == "error_free":
                series = [("Posterior, every coding taken as true", "pale", "posterior", row)]
            else:
                lower, upper = prior_interval(row, evidence.interval)
                prior = {"mean": row["prior_mean"], "lower": lower, "upper": upper}
                series = [
                    ("Prior", "prior", "prior", prior),
                    ("Posterior", "filled", "posterior", row),
                ]
            for text, style, hue, numbers in series:
                look = {"series": text, "style": style, "hue": hue}
                rows.append(_mark_of(numbers) | place | look)
    return pd.DataFrame(rows, columns=FOREST)


STAGES = {"pooled": "Second stage", "exploratory": "Exploratory model"}
# What a parameter of the models says, in words; the parts in brackets come from the vocabulary.
PARAMETERS = {
    "tau": "",
    "site_tau": "Between sites",
    "prevalence_tau": "Between codes, prevalence",
    "code_tau": "Between codes",
    "organisation_tau": "Between organisations",
    "organisation_code_tau": "Between organisations within a code",
}


def parameter_label(evidence: Evidence, parameter: str, among: Sequence[str]) -> tuple[str, str]:
    """Words for a parameter: what it belongs to, and which one it is.

    Parameters
    ----------
    parameter : such as ``site_tau[<exposure>, <construct>|<vignette>]`` or ``sensitivity``.
    among : all parameters beside it; a vignette that all of them share is not said.
    """
    ends = {name.rstrip("]").rpartition("|")[2] for name in among if "|" in name}
    if len(ends) == 1 and (vignette := ends.pop()) in evidence.vocabulary["vignettes"]:
        parameter = parameter.replace(f"|{vignette}", "")
    head = parameter.partition("[")[0]
    first, *parts = evidence.labels.parameter(parameter)
    head = PARAMETERS.get(head, first)
    if len(parts) > 1:
        return f"{head}: {inline(parts[0])}" if head else parts[0], ", ".join(parts[1:])
    if parts:
        return "", f"{head}: {inline(parts[0])}" if head else parts[0]
    return "", head


def is_accuracy(parameter: str) -> bool:
    """Whether a parameter is a coder's accuracy rather than a standard deviation."""
    return parameter in ("sensitivity", "specificity")


def prior_interval(row: Mapping[str, Any], interval: float) -> tuple[float, float]:
    """Equal-tailed interval of a parameter's prior, from its mean and standard deviation.

    A standard deviation has a half-normal prior, an accuracy a beta prior stretched over one half
    to one; the two moments determine both.
    """
    from scipy import stats

    mean, sd = float(row["prior_mean"]), float(row["prior_sd"])
    if is_accuracy(str(row["parameter"])):
        m, s = 2 * mean - 1, 2 * sd
        total = m * (1 - m) / s**2 - 1
        prior = stats.beta(m * total, (1 - m) * total, loc=0.5, scale=0.5)
    else:
        prior = stats.halfnorm(scale=mean / (2 / pi) ** 0.5)
    tail = (1 - interval) / 2
    return float(prior.ppf(tail)), float(prior.ppf(1 - tail))


def exploratory(evidence: Evidence) -> pd.DataFrame:
    """The model that spans the families: marked exploratory, and pooled nowhere else."""
    rows = []
    for row in records(evidence.synthesis["exploratory"]):
        level, group = str(row["level"]), str(row["group"])
        everything = level == "population" or level.startswith("new_")
        names = evidence.labels.many(group)
        label = (joined if level == "country" else listed)(names) if group else words(level)
        style = "diamond" if level == "population" else "filled"
        if level.startswith("new_"):
            style = "prediction"
        rows.append(
            _mark_of(
                row,
                block="Exploratory: all estimates"
                if everything
                else f"Exploratory: by {words(level).lower()}",
                panel="",
                axis="Standardised effect towards more burden, SD",
                row="Mean" if level == "population" else label,
                series="Prediction" if style == "prediction" else "Partially pooled mean",
                style=style,
                hue="level",
                reference=0.0,
                rope=evidence.rope("sd"),
            )
        )
    return pd.DataFrame(rows, columns=FOREST).sort_values(
        "level", key=lambda c: ~c.str.match("population|new_"), kind="stable", ignore_index=True
    )
