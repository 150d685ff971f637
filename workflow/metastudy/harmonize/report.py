"""The report of a harmonized study: what was read, kept and left out, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.checks.terms import IGNORE
from metastudy.codebook.codebook import Codebook, Rule, sha256
from metastudy.codebook.parts import ROW_NUMBER
from metastudy.common.names import name_of
from metastudy.harmonize.exclusions import by_arm
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import crossed
from metastudy.readers.detect import form
from metastudy.readers.refi_cases import OWN_NAMES

__all__ = ["report"]


def report(
    study: Study,
    left: np.ndarray,
    rules: list[Rule],
    parts: Mapping[str, crossed.Part],
    codes_unmapped: list[str],
    marks: Mapping[str, np.ndarray],
    notes: Sequence[str] = (),
    apart: Sequence[str] = (),
) -> dict[str, Any]:
    """Make the report; it names columns, never what is above them or in them.

    ``apart`` are outcomes of which nobody knows which of them one person has together.
    """
    codebook, table = study.codebook, study.table
    read_by_arm, excluded_by_arm = by_arm(study, left, rules)
    # A row that is an arm counts as its people, as far as it stays.
    arms = parts["arms"]
    more = 0
    if isinstance(arms, pd.DataFrame) and len(arms):
        people = arms.drop_duplicates("respondent_id")["people"]
        more = int(people.sum()) - len(people)
    if more:
        read_by_arm, excluded_by_arm = {}, {}
    measured, reasons = parts["measurements"], pd.Series(dtype=int)
    if isinstance(measured, crossed.Crossed):
        reasons = pd.Series(measured.counts()).groupby(measured.kinds["missing_reason"]).sum()
    # As the codebook says it: tables of arms have other variables by now.
    said = {name_of(str(v["name"])): v["as"] for v in codebook.document.data["variables"]}
    ignored = [name for name, role in said.items() if role == IGNORE]
    coded = bool(codebook.codes)
    project = codebook.file.format in (None, "qdpx") and codebook.only("code") is None
    implied = set(OWN_NAMES) if coded and project else set()
    mentioned = {*said, *codebook.named, *codebook.codes, *implied, ROW_NUMBER}
    return {
        "study": codebook.study.id,
        "provenance": codebook.study.provenance,
        "file": codebook.file.name,
        "format": form(codebook),
        "sha256": sha256(codebook.data_path),
        **({"cases": _cases(codebook)} if codebook.file.cases else {}),
        "rows_read": len(left) + more,
        "rows_kept": len(study.kept) + more,
        "excluded": {rule.rule: int((left == k).sum()) for k, rule in enumerate(rules)},
        "excluded_by_arm": excluded_by_arm,
        "read_by_arm": read_by_arm,
        "quality": [{"rule": rule, "rows": int(marked.sum())} for rule, marked in marks.items()],
        "unmapped": [name for name in table.names if name not in mentioned]
        + [f"code {name}" for name in codes_unmapped],
        "ignored": ignored,
        "notes": list(notes),
        "missing": {
            reason: int(reasons[reason])
            for reason in codebook.vocabulary["missing_reasons"]
            if reason in reasons
        },
        "codebook": dict(codebook.document.data["study"]),
        "outcomes": list(codebook.outcomes),
        "vocabulary": codebook.document.data.get("vocabulary") or {},
        "exposures": [dict(entry) for entry in codebook.document.data.get("exposures", [])],
        "reliabilities": dict(codebook.reliabilities),
        **({"outcomes_apart": list(apart)} if apart else {}),
        **({"interactions": [*map(list, codebook.interactions)]} if codebook.interactions else {}),
    }


def _cases(codebook: Codebook) -> dict[str, str]:
    """The file of the cases of a list of segments."""
    about = codebook.of_cases
    return {"file": about.file.name, "sha256": sha256(about.data_path)}
