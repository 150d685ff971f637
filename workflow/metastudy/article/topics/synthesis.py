"""The second stage: pooled effects, as figure, table and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from metastudy.article import figure_rows, shown_people
from metastudy.article.effect_sentences import contrast_variables, sentence_variables
from metastudy.article.figure_rows import (
    FOREST,
    MOST_PLACES,
    MOST_SETTINGS,
    effect_axis,
    mark_of,
    prediction_label,
    type_label,
    vignette_label,
)
from metastudy.article.results import Results
from metastudy.article.table_rows import (
    BORDER_NOTE,
    are_predictions,
    estimate_and_interval,
    grouped,
    metric_label,
    place_label,
    role_label,
    verdict_label,
)
from metastudy.article.topics.moderators import place_of
from metastudy.article.topics.pooled_means import (
    IN_FAMILY,
    family_rows,
    not_shrunk,
    over_places,
    pulled,
)
from metastudy.article.variable_tree import GENERAL, Tree, put
from metastudy.common.tables import records
from metastudy.design.new_settings import NEXT, is_prediction
from metastudy.display.formatting import (
    count,
    inline,
    interval,
    joined,
    number,
    percent,
    probability,
    share,
)
from metastudy.display.pipe_table import Table
from metastudy.synthesis.families import FAMILY
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["figure", "subject", "table", "variables"]


def table(evidence: Results) -> Table:
    """Unpooled estimates beside what pools them, or the reason why nothing does."""
    labels = evidence.labels
    estimates, pooled = evidence.synthesis["estimates"], evidence.synthesis["pooled"]
    structure = evidence.synthesis["structure"]
    refused = structure[structure["used_as"] == "refused"]
    rows = []
    z = evidence.z
    places = {e: at for at, e in enumerate(dict.fromkeys(estimates["exposure"]))}
    estimates = estimates.sort_values("exposure", key=lambda c: c.map(places), kind="stable")
    several_roles = estimates["role"].nunique() > 1
    for key, mine in estimates.groupby(ESTIMAND, sort=False):
        first = mine.iloc[0]
        exposure, kind, outcome = (first[c] for c in ("exposure", "exposure_type", "outcome"))
        found = pooled[pooled[ESTIMAND].eq(list(key)).all(axis=1)]
        whole = found[found["level"] == "population"]
        new = found[are_predictions(found)]
        why = refused[(refused["exposure"] == exposure) & (refused["outcome"] == outcome)]["reason"]
        alone = [
            f"{number(e := r['estimate'])} ({interval(e - z * r['se'], e + z * r['se'])})"
            for r in records(figure_rows.by_setting(evidence, mine))
        ]
        if len(alone) > figure_rows.MOST_SETTINGS:
            low, high = mine["estimate"].min(), mine["estimate"].max()
            alone = [f"{len(alone)} from {number(low)} to {number(high)}"]
        label = labels.exposure_with_type(str(exposure), str(kind))
        remarks = [r for reason in dict.fromkeys(why) for r in reason.split("; ")]
        remarks = [r for r in remarks if r.startswith("not pooled")]
        remarks += [said for r in records(whole) for said in (pulled(r), r["note"]) if said]
        role = f", {role_label(evidence, first['role'])}" * (several_roles and bool(first["role"]))
        rows.append(
            {
                "Exposure": f"{label}, {metric_label(first['metric'])}",
                "Outcome": labels.outcome(str(outcome)) + role,
                "Studies": str(mine["study"].nunique()),
                "Study estimates": "; ".join(alone),
                "Pooled": "{} ({})".format(*estimate_and_interval(records(whole)[0]))
                if len(whole)
                else "–",
                "Not shrunk": not_shrunk(records(whole)[0]) if len(whole) else "–",
                "Prediction": "; ".join(_predictions(evidence, new)) or "–",
                "Verdict": verdict_label(evidence, records(whole)[0]) if len(whole) else "–",
                "Remark": "; ".join(remarks) or "–",
            }
        )
    rows += family_rows(evidence, several_roles)
    places_of = list(dict.fromkeys(row["Exposure"] for row in rows))
    rows.sort(key=lambda row: places_of.index(row["Exposure"]))  # stable
    shown = grouped(rows, "Exposure", "Outcome")
    for column in ("Pooled", "Not shrunk", "Prediction", "Verdict", "Remark"):
        if len(shown) and set(shown[column]) <= {"–", ""}:
            shown = shown.drop(columns=column)
    caption = f"Synthesis: {subject(evidence)}. {BORDER_NOTE}"
    if "Not shrunk" in shown:
        caption += (
            " Outcomes of a family are shrunk to their mean, or to zero where they have no common "
            "direction. Not shrunk: without that."
        )
    models = {evidence.model(module) for module in estimates["module"] if module}
    if "codings" in models:
        caption += (
            " Of codes they are means over those asked, corrected for coders' errors and within an "
            "organisation, as the model's contrasts are."
        )
    full = shown_people.of_estimates(evidence, estimates)
    return Table(shown, full, caption, tuple(estimates["provenance"]))


def subject(evidence: Results, each: bool = True) -> str:
    """What the table is about: ``each`` study's own estimates too, or only what pools them."""
    wide = f"with {share(evidence.interval)} intervals"
    if not each:
        return f"what pools the estimates of several studies or places, {wide}"
    return (
        f"unpooled estimates of each study (several: one per vignette or study) {wide}, and what "
        "pools them where several studies do"
    )


def _predictions(evidence: Results, new: pd.DataFrame) -> Iterator[str]:
    """Predictions with their intervals; for a study in each of many places their outermost ends."""
    for level, mine in new.groupby("level", sort=False):
        if len(mine) > MOST_PLACES:
            ends = interval(mine["lower"].min(), mine["upper"].max())
            yield f"next study in one {str(level).removeprefix(NEXT)} of {len(mine)}: within {ends}"
            continue
        for row in records(figure_rows.by_place(evidence, mine)):
            label = inline(place_label(evidence, row, vignettes=False))
            yield f"{label}: {interval(row['lower'], row['upper'])}"


def figure(evidence: Results) -> pd.DataFrame:
    """Unpooled estimates of each study against the hierarchical posterior and what pools them.

    Vignettes have blocks of their own; what pools studies takes each study's mean over vignettes,
    so it is in the same block only where there is one vignette. Beside the name of a study that is
    pooled is what it weighs in the mean, given the spreads.
    """
    estimates = evidence.synthesis["estimates"]
    rows: list[dict[str, Any]] = []
    for (name, kind), mine in estimates.groupby(["module", "exposure_type"], sort=False):
        module = evidence.vocabulary.label("modules", str(name)) if name else "Published effects"
        heading = f"{module}: " + type_label(evidence, str(kind)).lower()
        vignettes = list(dict.fromkeys(mine["vignette"]))
        for vignette in vignettes:
            more = f", {inline(vignette_label(evidence, vignette))}" * (len(vignettes) > 1)
            here = mine[mine["vignette"] == vignette]
            rows += _estimates(evidence, str(name), heading + more, here, len(vignettes) == 1)
        if len(vignettes) > 1:
            for _, own in mine.groupby(["exposure", "metric", "outcome", "role"], sort=False):
                place = _place(evidence, f"{heading}, mean over vignettes", own)
                place["row"] = _outcome(evidence, own)
                rows += _pooled(evidence, own, place)
    return pd.DataFrame(rows, columns=FOREST)


def _outcome(evidence: Results, own: pd.DataFrame) -> str:
    """The outcome of estimates, with their role where the second stage has several."""
    first = own.iloc[0]
    label = evidence.labels.outcome(str(first["outcome"]))
    if first["role"] and evidence.synthesis["estimates"]["role"].nunique() > 1:
        label += f", {role_label(evidence, str(first['role']))}"
    return label


def _place(evidence: Results, block: str, own: pd.DataFrame) -> dict[str, Any]:
    """Block and panel of the estimates of one exposure, in one metric."""
    first = own.iloc[0]
    studies = int(own["study"].nunique())
    estimates = evidence.synthesis["estimates"]
    alike = estimates["exposure"] == first["exposure"]
    label = evidence.labels.exposure(first["exposure"], first["exposure_type"]).label
    if estimates.loc[alike, "metric"].nunique() > 1:
        label += f", {metric_label(first['metric'])}"
    return {
        "block": block,
        "panel": label,
        "axis": effect_axis(first["exposure_type"], first["metric"]),
        "hue": first["exposure_type"],
        "reference": 0.0,
        "note": "one study" if studies == 1 else f"{studies} studies",
    }


def _estimates(
    evidence: Results, name: str, block: str, here: pd.DataFrame, pool: bool
) -> Iterator[dict[str, Any]]:
    """Each study's own estimate above the hierarchical posterior, then what pools them.

    Of many studies and places only what pools them is shown, by either way.
    """
    labels, z = evidence.labels, evidence.z
    for _, own in here.groupby(["exposure", "metric"], sort=False):
        panel = _place(evidence, block, own)
        for _, found in own.groupby(["outcome", "role"], sort=False):
            what = _outcome(evidence, found)
            many = pool and len(found) > MOST_SETTINGS
            said = _weights(evidence, found) if pool else {}
            for record in [] if many else records(figure_rows.by_setting(evidence, found)):
                label = what
                if len(found) > 1:
                    where = [labels.study(record["study"])]
                    if found["study"].duplicated().any():
                        where += [labels.of(record[c]) for c in ("country", "sector")]
                    label = f"{label}: {', '.join(where)}{said.pop(record['study'], '')}"
                ends = [record["estimate"] + z * at * record["se"] for at in (0, -1, 1)]
                if name and "observed" in str(record["provenance"]):
                    # In full they would say what the table has as a range: of how many people.
                    ends = [round(float(end), shown_people.DECIMALS) for end in ends]
                alone = dict(zip(("mean", "lower", "upper"), ends, strict=True))
                alone |= {"level": "unpooled", "group": record["study"]}
                place = panel | {"row": label}
                look = {"series": "Study alone, not pooled", "style": "open"}
                yield mark_of(record | alone, **place, **look)
                for row in _posterior(evidence, name, record):
                    yield mark_of(row, **place, series="Hierarchical model", style="filled")
            if pool:
                place = panel | {"row": f"{what}: pooled"}
                for row in _posterior(evidence, name, records(found)[0] | NOWHERE) if many else ():
                    yield mark_of(row, **place, series="Hierarchical model", style="filled")
                yield from _pooled(evidence, found, place)


def _weights(evidence: Results, own: pd.DataFrame) -> dict[str, str]:
    """What each study weighs in the mean of an estimand, to be said once beside its name."""
    mine = _results_of(evidence, own)
    known = mine[mine["weight"].notna()]
    return {r["group"]: f", {percent(r['weight'])}" for r in records(known)}


NOWHERE = dict.fromkeys(("study", "country", "sector"), "")  # the place of a population mean


def _posterior(evidence: Results, module: str, estimate: Mapping[str, Any]) -> list[dict[str, Any]]:
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
        mean = same & table["level"].isin(["code", "population"])
        if evidence.by_role(module):
            mean &= table["role"] == estimate["role"]
        own = table[mean].head(1)
    return records(own)


def _results_of(evidence: Results, own: pd.DataFrame) -> pd.DataFrame:
    """What pools estimates of one estimand, if anything does."""
    pooled, first = evidence.synthesis["pooled"], own.iloc[0]
    return pooled[pooled[ESTIMAND].eq([first[name] for name in ESTIMAND]).all(axis=1)]


def _means_at(evidence: Results, means: pd.DataFrame) -> str:
    """Where the means of an exposure are, of what moderates them, in a sentence that goes on."""
    found = evidence.synthesis.get("moderators", pd.DataFrame())
    if not len(found):
        return ""
    own = found.merge(means[ESTIMAND], on=ESTIMAND).drop_duplicates(["moderator", "at"])
    places = list(dict.fromkeys(place_of(evidence, row) for row in records(own)))
    if not places:
        return ""
    every = len(means) > 1
    return f" {'These effects are those' if every else 'This effect is that'} {joined(places)}."


def _pooled(
    evidence: Results, own: pd.DataFrame, place: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for row in records(_results_of(evidence, own)):
        if row["level"] == "population":
            yield mark_of(row, **place, series="Pooled over studies", style="diamond")
        elif row["level"].startswith("new_"):
            series = prediction_label(evidence, row["level"])
            yield mark_of(row, **place, series=series, style="prediction")


def variables(evidence: Results) -> Tree:
    """Estimates of single studies, pooled effects, and how many estimands are pooled.

    Empty without a second stage. ``alone`` has the estimates of each study, ``effects`` those
    that are pooled, ``exploratory`` those of the model over all families.
    """
    if "estimates" not in evidence.synthesis:
        return {}
    estimates, pooled = evidence.synthesis["estimates"], evidence.synthesis["pooled"]
    by = estimates.groupby(ESTIMAND, sort=False)["study"].nunique()
    several = int((by > 1).sum())
    total = len(by)
    places = pooled[(pooled["level"] == "population") & (pooled["studies"] <= 1)]
    if not several and len(places):
        said = over_places(evidence, places, total)
    elif not several:
        said = (
            f"No effect is reported by two comparable studies, so the {total} effects are reported "
            "study by study and none is pooled over studies."
            if total > 1
            else "One effect is reported, by one study, so nothing is pooled."
        )
    else:
        alone = total - several
        rest = f"the other {alone} are" if alone != 1 else "the other one is"
        said = (
            f"Of the {total} estimands, {count(several)} "
            f"{'is' if several == 1 else 'are'} reported by two or more studies and pooled"
            + (f"; {rest} of one study each." if alone else ".")
        )
        if total == 1:
            said = (
                f"There is one estimand, reported by {count(int(by.iloc[0]))} studies and pooled."
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
    for row in records(shown_people.of_estimates(evidence, estimates)):
        place = [row["exposure"], row["outcome"], row["study"], row["vignette"] or GENERAL]
        leaves = {"estimate": number(row["estimate"]), "se": number(row["se"]), "n": str(row["n"])}
        put(tree["alone"], place, leaves)
    several_roles = pooled["role"].nunique() > 1
    metrics = pooled.groupby(["exposure", "outcome", "role"])["metric"].transform("nunique")
    for row, in_metrics in zip(records(pooled), metrics, strict=True):
        place = [row["exposure"], row["outcome"], *([row["role"]] if several_roles else [])]
        place += [row["metric"]] if in_metrics > 1 else []
        if row["level"] == "population":
            leaves = contrast_variables(evidence, row) | {"studies": str(row["studies"])}
            apart = not_shrunk(row)
            leaves["pull"] = pulled(row) or "not pulled by its prior"
            leaves |= {"apart": apart, "pull": IN_FAMILY} if apart != "–" else {}
            put(tree["effects"], place, leaves, row)
        elif row["level"] == FAMILY:
            leaves = contrast_variables(evidence, row) | {"studies": str(row["studies"])}
            put(tree["effects"], [*place, "family_mean"], leaves, row)
        elif is_prediction(row["level"]):
            leaves = {"interval": interval(row["lower"], row["upper"])}
            group = [row["group"]] if row["group"] else []
            put(tree["effects"], [*place, row["level"], *group], leaves, row)
        else:
            leaves = {
                "estimate": number(row["mean"]),
                "interval": interval(row["lower"], row["upper"]),
            }
            put(tree["effects"], [*place, row["level"], row["group"]], leaves, row)
    population = pooled[pooled["level"] == "population"]
    for (exposure, kind, role), mine in population.groupby(
        ["exposure", "exposure_type", "role"], sort=False
    ):
        path = [str(exposure), *(["of", str(role)] if several_roles else [])]
        said_of = sentence_variables(evidence, str(exposure), str(kind), records(mine))
        said_of["summary"] = f"{said_of['summary']}{_means_at(evidence, mine)}"
        put(tree["effects"], path, said_of)
    exploratory = evidence.synthesis.get("exploratory", pd.DataFrame())
    for row in records(exploratory):
        leaves = {
            "estimate": number(row["mean"]),
            "interval": interval(row["lower"], row["upper"]),
            "pd": probability(row["pd"]),
            "verdict": "" if is_prediction(row["level"]) else evidence.verdict(row),
        }
        path = ["exploratory", row["level"], *([row["group"]] if row["group"] else [])]
        put(tree, path, leaves, row)
    return tree
