"""Studies that came as parcels: what disclosure control at their owners' cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.results import Results
from metastudy.display.formatting import count, inline, joined, number
from metastudy.display.pipe_table import Table, markdown

__all__ = ["part", "table"]

UNTOUCHED, NOT_SAID = "as rows", "not said"
# What control did, as the parcel says it; a text in place of a number says that it is a small one.
DID = {
    "people": "In the cells",
    "people_left": "Left",
    "people_with_fewer_outcomes": "Fewer outcomes",
    "people_moved": "Moved to another site",
    "sites_before": "Sites before",
    "sites_after": "Sites after",
}


def table(evidence: Results) -> Table:
    """A row a study that came as a parcel: people, sites, and how much wider intervals are."""
    rows, full = [], []
    for study in (one for one in evidence.studies if one.parcel):
        did = study.report["parcel"]["control"]
        name = evidence.labels.study(study.id)
        shown = {label: str(did[key]) for key, label in DID.items()}
        rows.append({"Study": name, **shown, "Standard errors": _wider(did)})
        told = did.get("intervals") or {}
        full.append(
            {
                "study": study.id,
                "study_label": name,
                **{key: did[key] for key in DID},
                **{f"intervals_{key}": told.get(key) for key in ("lost", "median", "largest")},
                "estimates_added": did.get("estimates_added"),
                "between_sites": "; ".join(did.get("between_sites") or ()),
                "provenance": study.provenance,
            }
        )
    caption = (
        "Studies that came as parcels: what disclosure control did at their owners' before sums "
        "were made. Who could not stay at a site is counted at others of the setting, which are "
        "one of the sites after (of each level of what is the same for all of a site). The last "
        "column is the standard errors of a study's own estimates over those that all rows would "
        "have given, in twentieths: the median, and the largest in brackets, of estimates from "
        "which nobody or many people are gone."
        f"{_between_sites(evidence)}{_of_codes(evidence)}"
    )
    marks = tuple(str(row["provenance"]) for row in full)
    return Table(pd.DataFrame(rows), pd.DataFrame(full), caption, marks)


def part(evidence: Results) -> str:
    """The whole topic in Markdown; empty where no study came as a parcel."""
    found = table(evidence)
    if not len(found.full):
        return ""
    names = joined(inline(name) for name in found.full["study_label"])
    came = "study came as a parcel" if len(found.full) == 1 else "studies came as parcels"
    said = (
        f"*What stayed with its owners.* {count(len(found.full)).capitalize()} {came} of sums "
        f"over people ({names}; @tbl-parcels), so no row of theirs was seen here. "
        f"{_loss(evidence)}{_left_of_codes(evidence)} What needs rows says that it is not from a "
        "parcel."
    )
    return f"{said}\n\n{markdown('parcels', found)}"


def _coded(evidence: Results) -> list[tuple[str, Mapping[str, Any]]]:
    """What control did to each study of coded interviews, with the study's label."""
    found = []
    for study in (one for one in evidence.studies if one.parcel):
        if did := study.report["parcel"]["control"].get("interviews"):
            found.append((inline(evidence.labels.study(study.id)), did))
    return found


def _between_sites(evidence: Results) -> str:
    """Whose estimates hold differences between sites too, study by study, for the caption."""
    said, silent = [], []
    for study in (one for one in evidence.studies if one.parcel):
        did, name = study.report["parcel"]["control"], inline(evidence.labels.study(study.id))
        if names := did.get("between_sites"):
            exposures = joined(inline(evidence.labels.exposure_by_id(key).label) for key in names)
            said.append(f"in {name} of {exposures}")
        elif "between_sites" not in did and did["people_moved"] != 0 and not did.get("interviews"):
            silent.append(name)  # randomised ones too: sites may be what was assigned
    text = ""
    if said:
        text = (
            " Where people lost their sites, estimates hold differences between sites as well "
            "as within them, and standard errors take these people for independent: "
            f"{'; '.join(said)}."
        )
    if silent:
        text += (
            f" Of {joined(silent)}, whose people lost sites, the parcel is too old to say which "
            "estimates hold differences between sites; one of an exposure that is the same for all "
            "of a site has too small a standard error there."
        )
    return text


def _of_codes(evidence: Results) -> str:
    """What the columns count of coded interviews, for the caption."""
    if not _coded(evidence):
        return ""
    return (
        " Of coded interviews, people are interviews and sites organisations, fewer outcomes have "
        "those of settings in which a code is left out, and standard errors may be smaller, as "
        "organisations that are counted together cannot differ."
    )


def _left_of_codes(evidence: Results) -> str:
    """Counts of codes and second readings that control left out, in a sentence a study."""
    said = ""
    for name, did in _coded(evidence):
        left = int(did["codes_of_settings_left"])
        if left:
            said += (
                f" In {name} {left} of {did['codes_of_settings']} counts of a code in a setting "
                f"{'is' if left == 1 else 'are'} left out, as nearly all interviews there have "
                "the code or nearly none."
            )
        if did["second_readings_left"] not in (0, "0"):
            said += (
                f" In {name} two coders read {did['read_twice']} interviews; of these "
                f"{did['second_readings_left']} count as read once for some code or for all."
            )
    return said


def _wider(did: Mapping[str, Any]) -> str:
    if did["untouched"]:
        return UNTOUCHED
    told = did.get("intervals")
    if not told:
        return NOT_SAID
    lost = f"; {told['lost']} of {told['estimates']} lost" if told["lost"] else ""
    return f"{number(told['median'])} ({number(told['largest'])}){lost}"


def _loss(evidence: Results) -> str:
    """What control cost all of them, in a sentence."""
    dids = [one.report["parcel"]["control"] for one in evidence.studies if one.parcel]
    touched = [did for did in dids if not did["untouched"]]
    if not touched:
        return "Disclosure control touched no cell, so they tell exactly what their rows would."
    told = [did["intervals"] for did in touched if did.get("intervals")]
    some = count(len(touched)) if len(touched) < len(dids) else "each"
    whose = "its cells" if len(dids) == 1 else f"cells of {some} of them"
    said = f"Disclosure control made {whose} coarser"
    if told:
        largest = max(one["largest"] for one in told)
        times = f"more than {number(largest)} times" if largest > 1 else "larger than"
        where = ", where a parcel says it," if len(told) < len(touched) else ""
        said += (
            f"; the standard error of no estimate that is left is{where} {times} that of all rows "
            "(estimates from which a few people are gone are not counted)"
        )
    if silent := len(touched) - len(told):
        of = "" if len(dids) == 1 else f"of {count(silent)} of them "
        says = "the parcel does not say" if silent == 1 else "the parcels do not say"
        said += f"; {of}{says} what that cost"
    return f"{said}."
