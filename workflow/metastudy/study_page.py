"""The page of one study in the data report: what was inspected, in the order in which one looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from metastudy import look, pictures
from metastudy.documents import Notices, Page, Picture, Section, Table, Text
from metastudy.notices import LOW_AGREEMENT, notices
from metastudy.wording import JOINT, Labels, inline, joined, mark, number, words

__all__ = ["MARKED", "cell", "drawn", "flow_table", "per_cent", "study_page"]

MARKED = (
    "The data are simulated stand-ins: no number on this page says anything about people, "
    "organisations or places."
)
NONE = "–"
Found = Mapping[str, Any]
Parts = list[Text | Table | Picture | Notices | Any]


def cell(value: Any) -> str:
    """A count or text in a table; a dash where there is none."""
    return NONE if value is None else str(value)


def per_cent(value: Any) -> str:
    """A share in a table; where it is hidden, what is known of the number behind it."""
    if value is None:
        return NONE
    return f"n{value}" if isinstance(value, str) else f"{value:.0f}%"


def _shown(value: float | None, digits: int = 2) -> str:
    return NONE if value is None else number(value, digits)


def drawn(name: str, figure: Figure, caption: str, alt: str) -> Picture:
    """A drawing as a part of a page."""
    svg = BytesIO()
    look.save(figure, svg, BytesIO())
    return Picture(name, caption, alt, svg.getvalue().decode("utf-8"))


def study_page(found: Found, labels: Labels) -> Page:
    """Write the page of a study.

    Parameters
    ----------
    found : what :func:`metastudy.inspect_study.inspect` gives.
    labels : names for the reader.

    Returns
    -------
    Sections for all that applies; what does not is named at the end.
    """
    writers = {
        "Summary": _summary,
        "What was read": _reading,
        "Where it comes from": _places,
        "Missing answers": _missing,
        "Scales": _scales,
        "Items": _items,
        "Arms": _arms,
        "Codes and coders": _coding,
        "Case ratings": _ratings,
        "Published findings": _published,
    }
    sections, absent = [], []
    for title, writer in writers.items():
        parts = writer(found, labels)
        if parts:
            sections.append(Section(title, parts))
        else:
            absent.append(inline(title))
    least = found["smallest_cell"]
    notes: Parts = [
        Text(
            f"Counts from 1 to {least - 1} are shown as <{least}, and so is what would give them "
            f"away (≥{least}). Shares are rounded so that one step is at least {least} people; "
            f"“n<{least}” stands for the share of fewer than {least} people. "
            f"Numbers of people behind a coefficient are given to the nearest {least}."
        )
    ]
    if absent:
        notes.append(Text(f"Does not apply to this study: {joined(absent)}."))
    sections.append(Section("How to read this page", notes))
    return Page(
        name=found["study"],
        title=labels.study(found["study"]),
        subtitle=str(found["about"].get("title", "")),
        mark=mark([found["provenance"]]),
        marked=MARKED,
        sections=sections,
        folder=f"figures/{found['study']}/",
        up="index",
    )


def _summary(found: Found, labels: Labels) -> Parts:
    study, reading = found["about"], found["reading"]
    kept = cell(reading["rows_kept"])
    facts = [
        ("Design", words(str(study.get("design", NONE)))),
        ("Way of answering", labels.of(str(study.get("response_mode", NONE)), "response_modes")),
        ("Language", str(study.get("language") or "not recorded")),
        ("Exposures", _listed(found["exposure_types"], labels, "exposure_types")),
        ("Findings" if found["published"] else "Rows kept", kept),
        ("Sampling weights", "yes" if found["weights"] else "no"),
    ]
    told = notices(found, labels)
    parts: Parts = [Table("The study in short", ["", ""], facts, heads=2)]
    if told:
        parts.append(Notices([(one.level, one.text, "") for one in told]))
    else:
        parts.append(Text("Nothing stands out."))
    return parts


def _listed(keys: Sequence[str], labels: Labels, section: str) -> str:
    first, *rest = [labels.of(key, section) for key in keys] or ["none"]
    return joined([first, *map(inline, rest)])


# --- from the file to the rows ------------------------------------------------------------------


def _reading(found: Found, _: Labels) -> Parts:
    reading = found["reading"]
    total = reading["rows_read"]
    facts = [
        ("File", reading["file"]),
        ("Format", reading["format"]),
        ("SHA-256", reading["sha256"]),
        ("Rows read", "not shown: it would tell a small count" if total is None else str(total)),
    ]
    parts: Parts = [Table("The raw file", ["", ""], facts, heads=2)]
    steps = [(words(one["rule"]), cell(one["rows"])) for one in reading["excluded"]]
    steps.append(("Kept", cell(reading["rows_kept"])))
    parts.append(Table("Rows that left, by rule", ["Rule", "Rows"], steps))
    table = flow_table(found)
    if len(table) > 1:
        left = joined(
            [
                f"{step['rows']} left ({inline(step['step'])})"
                for step in table.to_dict("records")
                if step["kind"] == "excluded" and step["rows"]
            ],
            "no row left",
        )
        alt = (
            f"Rows from the file to the tables: {total} read, {left}, {reading['rows_kept']} kept."
        )
        parts.append(drawn("flow", pictures.flow(table), "From the file to the tables.", alt))
    quality = found["quality"]
    if quality is None:
        parts.append(Text("Quality flags: not recorded."))
    elif quality:
        rows = [(words(one["rule"]), cell(one["rows"])) for one in quality]
        note = "Flagged rows stay in the tables; a row may have several flags."
        parts.append(Table("Quality flags", ["Rule", "Rows flagged"], rows, note=note))
    else:
        parts.append(Text("Quality flags: the codebook declares no rule."))
    columns = [
        ("Not mentioned in the codebook", joined(reading["unmapped"])),
        ("Ignored on purpose", joined(reading["ignored"])),
    ]
    parts.append(Table("Columns that were not used", ["", "Columns"], columns, heads=2))
    return parts


def flow_table(found: Found) -> pd.DataFrame:
    """Steps for the picture; rules whose count is hidden are one bar together."""
    reading = found["reading"]
    total, kept = reading["rows_read"], reading["rows_kept"]
    if total is None or isinstance(kept, str):
        return pd.DataFrame()
    rules = reading["excluded"]
    known = [one for one in rules if not isinstance(one["rows"], str)]
    hidden = len(rules) - len(known)
    steps = [("Rows read", "read", total)]
    steps += [(words(one["rule"]), "excluded", one["rows"]) for one in known]
    if hidden:
        rest = total - kept - sum(one["rows"] for one in known)
        steps.append((f"{hidden} rules with few rows", "excluded", rest))
    steps.append(("Rows kept", "kept", kept))
    table = pd.DataFrame(steps, columns=["step", "kind", "rows"])
    return table.assign(provenance=found["provenance"])


def _places(found: Found, labels: Labels) -> Parts:
    what = "Findings" if found["published"] else "Rows"
    sections = ("countries", "sectors", "roles", "arrangements")
    keys = ("country", "sector", "role", "arrangement")
    rows = [
        (
            *(
                NONE if place[key] is None else labels.of(place[key], section)
                for key, section in zip(keys, sections, strict=True)
            ),
            cell(place["n"]),
        )
        for place in found["places"]
    ]
    columns = ["Country", "Sector", "Role", "Arrangement", what]
    parts: Parts = [Table("Places and roles", columns, rows, heads=4)] if rows else []
    coding = found["coding"]
    if coding and coding["organisations"]:
        parts.append(_organisations(coding["organisations"], found["smallest_cell"]))
    return parts


def _organisations(own: Sequence[Mapping[str, Any]], least: int) -> Table | Text:
    """Sources by organisation; those with few sources are one row."""
    small = [one for one in own if one["n"] == f"<{least}"]
    if len(small) == len(own):
        return Text(f"Organisations: {len(own)}, each with fewer than {least} sources.")
    rows = [(one["organisation"], cell(one["n"])) for one in own if one not in small]
    if small:
        rows.append((f"{len(small)} more, each", f"<{least}"))
    title = f"Sources by organisation ({len(own)} organisations)"
    return Table(title, ["Organisation", "Sources"], rows)


# --- answers -------------------------------------------------------------------------------------


def _block(row: Mapping[str, Any], labels: Labels) -> str:
    label = labels.outcome(row["construct"])
    where = row["vignette"]
    return label if where is None else f"{label}: {inline(labels.of(where, 'vignettes'))}"


def _number_or_none(value: Any) -> float:
    return float("nan") if value is None or isinstance(value, str) else float(value)


def _several_situations(rows: Sequence[Mapping[str, Any]]) -> bool:
    return len({row["vignette"] for row in rows}) > 1


def _names(rows: Sequence[Mapping[str, Any]], labels: Labels) -> list[str]:
    """Names of scales: with the situation where there are several."""
    several = _several_situations(rows)
    return [_block(row, labels) if several else labels.outcome(row["construct"]) for row in rows]


def _missing(found: Found, labels: Labels) -> Parts:
    answers = found["answers"]
    if not answers:
        return []
    reasons, items = answers["reasons"], answers["items"]
    if not reasons:
        return [Text("Every item has an answer from everyone.")]
    names = [labels.of(reason, "missing_reasons") for reason in reasons]
    scales = _names(items, labels)
    rows = [
        (
            name,
            item["item"],
            *(per_cent(item["missing"][reason]) for reason in reasons),
            per_cent(item["all_missing"]),
        )
        for name, item in zip(scales, items, strict=True)
    ]
    sizes = Counter(scales)
    table = pd.DataFrame(
        [
            {
                "block": name if sizes[name] > 1 else _situation(item, labels) or "Single items",
                "item": item["item"]
                if sizes[name] > 1
                else f"{labels.outcome(item['construct'])}, {item['item']}",
                "reason": label,
                "share": _number_or_none(item["missing"][reason]),
                "provenance": found["provenance"],
            }
            for name, item in zip(scales, items, strict=True)
            for reason, label in zip(reasons, names, strict=True)
        ]
    )
    alt = (
        f"Stacked bars: shares of people without an answer to {len(items)} items, by reason "
        f"({joined(map(inline, names))}). The table below gives the numbers."
    )
    caption = "People without an answer, by item and reason; shares of few people are left out."
    note = "Rounded one by one, so that parts may not add up; no sum is given beside a hidden part."
    return [
        drawn("missing", pictures.missing(table), caption, alt),
        Table(
            "People without an answer",
            ["Scale", "Item", *names, "Any reason"],
            rows,
            heads=2,
            note=note,
        ),
    ]


def _situation(row: Mapping[str, Any], labels: Labels) -> str:
    """The situation that an item is about."""
    return "" if row["vignette"] is None else labels.of(row["vignette"], "vignettes")


def _scales(found: Found, labels: Labels) -> Parts:
    answers = found["answers"]
    if not answers:
        return []
    every = list(zip(_names(answers["scales"], labels), answers["scales"], strict=True))
    single = [name for name, scale in every if scale["items"] == 1]
    parts: Parts = []
    if single:
        names = joined([single[0], *map(inline, single[1:])])
        parts.append(Text(f"Reliability is not computed where one item is the scale: {names}."))
    rows = [
        (
            name,
            cell(scale["items"]),
            cell(scale["rows"]),
            _coefficient(scale["alpha"], scale["why_alpha"]),
            NONE
            if scale["alpha"] is None
            else f"{number(scale['low'])} to {number(scale['high'])}",
            _coefficient(scale["omega"], scale["why_omega"]),
            per_cent(scale["floor"]),
            per_cent(scale["ceiling"]),
        )
        for name, scale in every
        if scale["items"] > 1
    ]
    columns = [
        *("Scale", "Items", "Complete answers", "Cronbach’s alpha", "95% interval"),
        *("McDonald’s omega", "Floor", "Ceiling"),
    ]
    note = (
        "After alignment, so that more always means more of the construct. Floor and ceiling: "
        "people whose score is at the lowest or highest possible value."
    )
    if rows:
        parts.insert(
            0, Table("Reliability, floor and ceiling of the scales", columns, rows, note=note)
        )
    return parts


def _items(found: Found, labels: Labels) -> Parts:
    answers = found["answers"]
    if not answers:
        return []
    items = answers["items"]
    several = _several_situations(items)
    drawing = pd.DataFrame(
        [
            {
                "block": (_situation(item, labels) or "About no particular situation")
                if several
                else "",
                "title": labels.outcome(item["construct"]),
                "note": item["item"] + (", reversed" if item["reversed"] else ""),
                "category": category,
                "share": _number_or_none(share),
                "shown": cell(share),
                "provenance": found["provenance"],
            }
            for item in items
            for category, share in zip(item["labels"], item["shares"], strict=True)
        ]
    )
    parts: Parts = []
    alt = (
        f"Small bar charts of the answers to {len(items)} items over their declared scales; "
        "the tables below give the numbers."
    )
    caption = (
        "Answers to each item over its declared scale, in per cent; reversed items are shown after "
        "alignment."
    )
    parts.append(drawn("answers", pictures.answers(drawing), caption, alt))
    names = _names(items, labels)
    for steps in dict.fromkeys(tuple(item["labels"]) for item in items):
        rows = [
            (name, item["item"], *(per_cent(share) for share in item["shares"]))
            for name, item in zip(names, items, strict=True)
            if tuple(item["labels"]) == steps
        ]
        title = (
            f"Answers by step, scale from {steps[0].split('–')[0]} to {steps[-1].split('–')[-1]}"
        )
        parts.append(Table(title, ["Scale", "Item", *steps], rows, heads=2))
    rows = [
        (
            name,
            item["item"],
            "reversed" if item["reversed"] else "as asked",
            per_cent(item["floor"]),
            per_cent(item["ceiling"]),
            _shown(item["item_rest"]) + (" ⚠" if (item["item_rest"] or 0) < 0 else ""),
        )
        for name, item in zip(names, items, strict=True)
    ]
    note = (
        "Item-rest: correlation with the mean of the scale’s other items, after alignment. A "
        "negative one (⚠) says that the keying may be wrong. A scale of one item has none."
    )
    columns = ["Scale", "Item", "Keying", "Floor", "Ceiling", "Item-rest"]
    parts.append(Table("Items at the ends of their scales, and against the rest", columns, rows,
                       heads=2, note=note))  # fmt: skip
    return parts


# --- arms ----------------------------------------------------------------------------------------


def _arm(arm: str, factors: Sequence[str], labels: Labels) -> str:
    levels = arm.split(JOINT)
    names = []
    for factor, level in zip(factors, levels, strict=False):
        names.append(labels.vocabulary.levels(factor).get(level, level))
    if len(levels) != len(factors):
        return arm
    return joined([names[0], *map(inline, names[1:])])


def _arms(found: Found, labels: Labels) -> Parts:
    arms = found["arms"]
    if not arms:
        return []
    rows = [
        (
            _arm(one["arm"], arms["factors"], labels),
            NONE if one["vignette"] is None else labels.of(one["vignette"], "vignettes"),
            cell(one["n"]),
        )
        for one in arms["counts"]
    ]
    parts: Parts = [Table("People by arm", ["Arm", "Situation", "People"], rows, heads=2)]
    parts += _balance(found, labels)
    parts += _left(arms, labels)
    checks = arms["checks"]
    if not checks:
        parts.append(Text("Manipulation checks: none declared."))
    else:
        parts.append(
            Table(
                "Manipulation checks",
                ["Check", "Level", "People", "Mean, % of the scale", "Difference, SD"],
                [
                    (
                        labels.outcome(one["construct"]),
                        labels.vocabulary.levels(one["factor"])[one["level"]],
                        cell(one["n"]),
                        _shown(one["mean"], 1),
                        _shown(one["difference"]),
                    )
                    for one in checks
                ],
                heads=2,
            )
        )
    return parts


def _balance(found: Found, labels: Labels) -> Parts:
    rows = found["arms"]["balance"]
    if not rows:
        return [Text("Balance: no trait was recorded that could be compared between arms.")]
    several = len({row["vignette"] for row in rows}) > 1

    def panel(row: Mapping[str, Any]) -> str:
        levels = labels.vocabulary.levels(row["factor"])
        text = f"{levels[row['level']]} against {inline(levels[row['reference']])}"
        where = row["vignette"]
        return f"{text} ({inline(labels.of(where, 'vignettes'))})" if several and where else text

    table = pd.DataFrame(
        [
            {
                "panel": panel(row),
                "trait": words(row["trait"]),
                "category": row["category"],
                "difference": row["difference"],
                "chance": row["chance"],
                "provenance": found["provenance"],
            }
            for row in rows
        ]
    )
    largest = max(rows, key=lambda row: abs(row["difference"]))
    alt = (
        f"Standardised differences of {len(rows)} traits between arms. The largest is "
        f"{number(largest['difference'])} ({inline(words(largest['trait']))} "
        f"{largest['category']})."
    )
    caption = (
        "How people differ between arms, in standard deviations. Grey: what chance explains in 95 "
        "of 100 traits; diamonds lie outside."
    )
    wide = table.pivot_table(
        index=["trait", "category"], columns="panel", values="difference", sort=False
    )
    cells = [
        (trait, category or NONE, *("–" if pd.isna(v) else number(v) for v in values))
        for (trait, category), values in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return [
        drawn("balance", pictures.balance(table), caption, alt),
        Table(
            "Standardised differences between arms",
            ["Trait", "Category", *map(str, wide.columns)],
            cells,
            heads=2,
        ),
    ]


def _left(arms: Mapping[str, Any], labels: Labels) -> Parts:
    left = arms["left"]
    if left is None:
        return [Text("Who left from which arm: not recorded.")]
    if not left:
        return [Text("Who left from which arm: no row left whose arm is known.")]
    rows = [
        (
            words(row["rule"]),
            labels.of(row["factor"], "factors"),
            labels.vocabulary.levels(row["factor"])[row["level"]],
            cell(row["n"]),
            NONE if row["share"] is None else f"{row['share']:.1f}%",
        )
        for row in left
    ]
    note = (
        "Shares are of all rows read whose level is known; a level in which a count is hidden has "
        "none."
    )
    columns = ["Rule", "Factor", "Level", "Rows", "Share"]
    return [Table("Who left, by arm", columns, rows, heads=3, note=note)]


# --- codes, cases, findings ----------------------------------------------------------------------


def _part(part: Mapping[str, Any] | None) -> tuple[str, str]:
    """A number of sources and its share."""
    if part is None:
        return "not shown", NONE
    share = part["share"]
    return cell(part["n"]), NONE if share is None else f"{share:.0f}%"


def _coding(found: Found, labels: Labels) -> Parts:
    coding = found["coding"]
    if not coding:
        return []
    names = [labels.of(row["code"], "codes") for row in coding["codes"]]
    parts: Parts = [
        Text(
            f"Sources read: {coding['read']}. Read by two coders or more: {coding['double']}. "
            f"Coders: {coding['coders']}."
        )
    ]
    if not coding["enough_double"]:
        parts.append(Text("Too few sources were read twice: agreement is not shown."))
    if all(row["sources"] is None for row in coding["codes"]):
        codes = joined([names[0], *map(inline, names[1:])]) if names else "none"
        few = f"there are fewer than {found['smallest_cell']} sources, so none is counted"
        return [*parts, Text(f"Codes looked for: {codes}; {few}.")]
    table = pd.DataFrame(
        [
            {
                "code": name,
                "share": float("nan")
                if row["sources"] is None
                else _number_or_none(row["sources"]["share"]),
                "alpha": _number_or_none(row["alpha"]),
                "kappa": _number_or_none(row["kappa"]),
                "limit": LOW_AGREEMENT,
                "provenance": found["provenance"],
            }
            for name, row in zip(names, coding["codes"], strict=True)
        ]
    )
    if table[["share", "alpha"]].notna().any(axis=None):
        caption = (
            "How many sources have a code, and how far coders agree on it. Dashed: "
            f"{LOW_AGREEMENT:g}, below which Krippendorff draws no conclusion."
        )
        shown = table["share"].notna().sum()
        low = int((table["alpha"] < LOW_AGREEMENT).sum())
        alt = (
            f"Prevalence of {shown} codes and agreement of the coders; alpha is below "
            f"{LOW_AGREEMENT:g} for {low} of {len(table)} codes. The table below gives the numbers."
        )
        parts.append(drawn("codes", pictures.codes(table), caption, alt))
    why = "nothing varies" if coding["enough_double"] else "too few sources"
    rows = [
        (
            name,
            *_part(row["sources"]),
            _part(row["double"])[1] if coding["enough_double"] else NONE,
            _coefficient(row["alpha"], why),
            _coefficient(row["kappa"], why),
        )
        for name, row in zip(names, coding["codes"], strict=True)
    ]
    columns = [
        *("Code", "Sources", "Share", "Share in readings of double-coded sources"),
        *("Krippendorff’s alpha", "Cohen’s kappa"),
    ]
    note = (
        "A source has a code if a coder found it there. Agreement is on the presence of the code "
        f"in a source, from the sources that several coders read ({coding['double']}). Kappa is "
        "the mean over pairs of coders, weighted by the sources that they share. Both are low "
        "where a code is rare, whatever the coders do."
    )
    parts.append(Table("Codes: prevalence and agreement", columns, rows, note=note))
    return parts


def _coefficient(value: float | None, why: str) -> str:
    """A coefficient, or why there is none."""
    return f"not computed: {why}" if value is None else number(value)


def _ratings(found: Found, labels: Labels) -> Parts:
    rated = found["ratings"]
    if not rated:
        return []
    dimensions = labels.vocabulary["dimensions"]
    rows: list[tuple[str, ...]] = []
    if rated["few"]:
        for one in rated["dimensions"]:
            poles = dimensions[one["dimension"]]["poles"]
            listed = [str(poles[str(value)]) for value in one["listed"]]
            listed += ["not rated"] * one["unrated"]
            rows.append((labels.of(one["dimension"], "dimensions"), "; ".join(listed)))
        note = (
            f"Fewer than {found['smallest_cell']} cases: each rating is listed, in the order of "
            "the poles and not of the cases, and no share is given."
        )
        return [Table("Ratings of the cases", ["Dimension", "Ratings"], rows, heads=2, note=note)]
    for one in rated["dimensions"]:
        poles = dimensions[one["dimension"]]["poles"]
        for value, share in zip(("1", "0", "-1"), one["shares"], strict=True):
            name = labels.of(one["dimension"], "dimensions")
            rows.append((name, str(poles[value]), per_cent(share)))
        rows.append((labels.of(one["dimension"], "dimensions"), "Not rated", cell(one["unrated"])))
    title = f"Ratings of {rated['cases']} cases"
    return [Table(title, ["Dimension", "Pole", "Share of the rated"], rows, heads=2)]


def _published(found: Found, _: Labels) -> Parts:
    published = found["published"]
    if not published:
        return []
    counts = pd.DataFrame(published["counts"])
    table = counts.pivot_table(
        index="direction", columns="verification", values="n", fill_value=0, aggfunc="sum"
    )
    rows = [
        (words(str(direction)), *(f"{n:.0f}" for n in values), f"{sum(values):.0f}")
        for direction, values in zip(table.index, table.to_numpy(), strict=True)
    ]
    columns = ["Direction", *(words(str(name)) for name in table.columns), "All"]
    return [
        Text(
            f"{published['findings']} findings from {published['publications']} publications. They "
            "are public, so no count is hidden."
        ),
        Table("Findings by direction and level of verification", columns, rows),
    ]
