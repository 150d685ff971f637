"""Checks before harmonizing: declared columns, ids, kinds of values."""

from __future__ import annotations

import numpy as np

from metastudy.codebook.checks.terms import IGNORE
from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import quoted, shown
from metastudy.harmonize.codings import CODED
from metastudy.harmonize.study_state import Study
from metastudy.readers.raw import RawProject, RawTable
from metastudy.readers.refi_cases import OWN_NAMES

__all__ = ["check_declared", "check_ids", "check_kind"]


def check_ids(study: Study, name: str, digests: np.ndarray | None = None) -> None:
    """Report rows without an id, and ids that are in several rows.

    ``digests`` of the kept rows rise; where no two are alike, no two ids are.
    """
    none = study.table.data[name].eq("").to_numpy()[study.kept]
    if none.any():
        study.report(
            none,
            name,
            "no id",
            "an id in every row that stays",
            "give the row an id, or let it leave by a rule under 'exclude' in the codebook",
            "missing-id",
        )
    if digests is not None and (digests[:-1] < digests[1:]).all():
        return
    project = set(OWN_NAMES) <= set(study.table.names)
    of_cases = "take 'case' for the id, of which each is one row with all its sources; "
    texts = study.texts(name)
    again = texts[texts.ne("") & texts.duplicated(keep=False)]
    for value in again.unique():
        study.report(
            texts.eq(value).to_numpy(),
            name,
            f"one id ({study.spelt(value)}) {int(again.eq(value).sum())} times",
            "each id once among the rows that stay",
            f"{of_cases * project}correct the ids, or declare a rule with 'duplicates' under "
            "'exclude' in the codebook",
            "duplicate-id",
        )


def check_declared(study: Study) -> None:
    """Report codes that the file declares as missing and that the codebook gives no reason for."""
    for variable in study.codebook.variables:
        codes = study.table.declared_missing.get(variable.name, ())
        lost = [code for code in codes if code not in variable.missing]
        if lost and variable.role not in (IGNORE, "id", "consent"):
            labels = study.table.labels.get(variable.name, {})
            spelt = [
                f"{code} ({quoted(labels[code])})" if code in labels else code for code in lost
            ]
            study.problems.append(
                Problem(
                    file=shown(study.codebook.of_cases.data_path),
                    found=f"declared as missing in the file, without a reason: {', '.join(spelt)}",
                    expected="a reason for each code under 'missing'",
                    fix=f"add them to 'missing' of '{variable.name}' in "
                    f"{shown(study.codebook.path)}",
                    study=study.codebook.study.id,
                    column=study.table.place(variable.name),
                    code="undeclared-missing",
                )
            )


def check_kind(codebook: Codebook, raw: RawTable | RawProject) -> None:
    """Refuse coded sources without codes in the codebook, and codes without coded sources.

    Raises
    ------
    BadInput
        ``wrong-format``: the codebook left the format open, and the file is of the other kind.
    """
    project = isinstance(raw, RawProject)
    if project != bool(codebook.codes):
        raise BadInput(
            Problem(
                file=shown(codebook.data_path),
                found="a project of coded sources" if project else "a table of rows",
                expected="a table of rows, as the codebook lists no 'codes'"
                if project
                else f"coded sources ({', '.join(CODED)}), as the codebook lists 'codes'",
                fix=f"correct 'codes' or file.format in {shown(codebook.path)}; a matrix of codes "
                "needs 'format: matrix', a list of segments 'format: segments'",
                study=codebook.study.id,
                code="wrong-format",
            )
        )
