"""What was read and what was left out, on the page of a study."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from metastudy.common.unsaid import NOT_SAID
from metastudy.data_report.alerts import alerts
from metastudy.data_report.inspection.values import Inspection, Organisation
from metastudy.data_report.pages.cells import NONE, cell, spot
from metastudy.display.formatting import inline, joined, words
from metastudy.display.labels import Labels
from metastudy.display.page import Alerts, Parts, Table, Text, drawn
from metastudy.display.plots import flow

__all__ = ["flow_table", "places", "reading", "summary"]


def summary(found: Inspection, labels: Labels) -> Parts:
    """The study in short: its design, size and alerts."""
    study, reading = found.about, found.reading
    kept = cell(reading.rows_kept)
    facts = [
        ("Design", words(str(study.get("design", NONE)))),
        ("Way of answering", labels.of(str(study.get("response_mode", NONE)), "response_modes")),
        ("Language", str(study.get("language") or "not recorded")),
        ("Exposures", _listed(found.exposure_types, labels, "exposure_types")),
        ("Findings" if found.published else "Rows kept", kept),
        ("Sampling weights", "yes" if found.weights else "no"),
    ]
    listed = alerts(found, labels)
    parts: Parts = [Table("The study in short", ["", ""], facts, heads=2)]
    if listed:
        parts.append(Alerts([(one.level, one.text, "") for one in listed]))
    else:
        parts.append(Text("Nothing stands out."))
    return parts


def _listed(keys: Sequence[str], labels: Labels, section: str) -> str:
    first, *rest = [labels.of(key, section) for key in keys] or ["none"]
    return joined([first, *map(inline, rest)])


def reading(found: Inspection, _: Labels) -> Parts:
    """The raw file: its rows by rule of exclusion, its quality flags, and columns not used."""
    reading = found.reading
    total = reading.rows_read
    facts = [
        ("File", reading.file),
        ("Format", reading.format),
        ("SHA-256", reading.sha256),
        ("Rows read", "not shown: it would tell a small count" if total is None else str(total)),
    ]
    parts: Parts = [Table("The raw file", ["", ""], facts, heads=2)]
    steps = [(words(one.rule), cell(one.rows)) for one in reading.excluded]
    steps.append(("Kept", cell(reading.rows_kept)))
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
        alt = f"Rows from the file to the tables: {total} read, {left}, {reading.rows_kept} kept."
        parts.append(drawn("flow", flow.flow(table), "From the file to the tables.", alt))
    quality = found.quality
    if quality is None:
        parts.append(Text("Quality flags: not recorded."))
    elif quality:
        rows = [(words(one.rule), cell(one.rows)) for one in quality]
        note = "Flagged rows stay in the tables; a row may have several flags."
        parts.append(Table("Quality flags", ["Rule", "Rows flagged"], rows, note=note))
    else:
        parts.append(Text("Quality flags: the codebook declares no rule."))
    columns = [
        ("Not mentioned in the codebook", joined(reading.unmapped)),
        ("Ignored on purpose", joined(reading.ignored)),
    ]
    parts.append(Table("Columns that were not used", ["", "Columns"], columns, heads=2))
    if reading.notes:
        parts.append(Text(f"Of the file: {'; '.join(reading.notes)}."))
    return parts


def flow_table(found: Inspection) -> pd.DataFrame:
    """Steps for the picture; rules whose count is hidden are one bar together."""
    reading = found.reading
    total, kept = reading.rows_read, reading.rows_kept
    if total is None or isinstance(kept, str):
        return pd.DataFrame()
    rules = reading.excluded
    known = [(words(one.rule), one.rows) for one in rules if isinstance(one.rows, int)]
    hidden = len(rules) - len(known)
    steps = [("Rows read", "read", total)]
    steps += [(rule, "excluded", rows) for rule, rows in known]
    if hidden:
        rest = total - kept - sum(rows for _, rows in known)
        steps.append((f"{hidden} rules with few rows", "excluded", rest))
    steps.append(("Rows kept", "kept", kept))
    table = pd.DataFrame(steps, columns=["step", "kind", "rows"])
    return table.assign(shown=table["rows"].astype(str), provenance=found.provenance)


def places(found: Inspection, labels: Labels) -> Parts:
    """Rows or findings by country, sector, role and arrangement; sources by organisation."""
    what = "Findings" if found.published else "Rows"
    nothing = NONE if found.published else words(NOT_SAID)
    sections = ("countries", "sectors", "roles", "arrangements")
    rows = [
        (
            *(
                nothing if key is None else labels.of(key, section)
                for key, section in zip(
                    (place.country, place.sector, place.role, place.arrangement),
                    sections,
                    strict=True,
                )
            ),
            cell(place.n),
        )
        for place in sorted(found.places, key=lambda at: spot(labels, at.country, at.sector))
    ]
    columns = ["Country", "Sector", "Role", "Arrangement", what]
    parts: Parts = [Table("Places and roles", columns, rows, heads=4)] if rows else []
    coding = found.coding
    if coding and coding.organisations:
        parts.append(_organisations(coding.organisations, found.smallest_cell))
    return parts


def _organisations(own: Sequence[Organisation], least: int) -> Table | Text:
    """Sources by organisation; those with few sources are one row."""
    if all(one.n is None for one in own):
        return Text(f"Organisations: {len(own)}, with too few sources to be divided.")
    small = [one for one in own if one.n == f"<{least}"]
    if len(small) == len(own):
        return Text(f"Organisations: {len(own)}, each with fewer than {least} sources.")
    rows = [(one.organisation, cell(one.n)) for one in own if one not in small]
    if small:
        rows.append((f"{len(small)} more, each", f"<{least}"))
    title = f"Sources by organisation ({len(own)} organisations)"
    return Table(title, ["Organisation", "Sources"], rows)
