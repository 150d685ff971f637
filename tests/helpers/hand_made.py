"""Harmonized tables made by hand: a study of answers, and one of codings, without a raw file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from metastudy.harmonized.study import Study

CODINGS = ["study_id", "source_id", "coder_id", "code_id"]
READINGS = ["study_id", "source_id", "coder_id"]
TASK = ["complementary", "complementary", "core", "core", "core"]
Item = tuple[str, float, float, Sequence[float]]  # construct, bounds, aligned answers


def report(
    name: str, outcomes: Sequence[str], exposures: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """What the cells read of a study's report."""
    about = {
        "citation": "nobody2026",
        "response_mode": "vignette_hypothetical",
        "provenance": "simulated",
    }
    return {
        "study": name,
        "codebook": about,
        "outcomes": list(outcomes),
        "exposures": [dict(e) for e in exposures],
        "vocabulary": {},
    }


def people(name: str, ids: Sequence[str], org: Sequence[str | None], **more: Any) -> pd.DataFrame:
    """A table of respondents."""
    fixed = {
        "country": "DK",
        "sector": "elderly_care",
        "role": "professional",
        "arrangement": "volunteer_scheme",
    }
    return pd.DataFrame(
        {"study_id": name, "respondent_id": list(ids), "org_id": list(org), **fixed, **more}
    )


def answer_study(
    name: str,
    answers: Mapping[tuple[str, str | None], Sequence[float]],
    factors: Mapping[str, Sequence[str | None]],
    outcomes: Sequence[str],
    exposures: Sequence[Mapping[str, str]],
    org: Sequence[str | None] | None = None,
    **more: Any,
) -> Study:
    """A study with one item per construct and vignette, answered in per cent of the scale.

    Parameters
    ----------
    answers : for each construct and vignette one value per respondent, NaN where there is none.
    factors : for each factor one level per respondent.
    """
    n = len(next(iter(answers.values())))
    ids = [f"{name}-{i:04d}" for i in range(n)]
    assignments = [
        (name, person, factor, level)
        for factor, levels in factors.items()
        for person, level in zip(ids, levels, strict=True)
        if level is not None
    ]
    measurements = [
        (name, person, vignette, construct, value)
        for (construct, vignette), values in answers.items()
        for person, value in zip(ids, values, strict=True)
    ]
    return Study(
        report=report(name, outcomes, exposures),
        tables={
            "respondents": people(name, ids, [None] * n if org is None else org, **more),
            "assignments": pd.DataFrame(
                assignments, columns=["study_id", "respondent_id", "factor", "level"]
            ),
            "measurements": pd.DataFrame(
                measurements,
                columns=["study_id", "respondent_id", "vignette", "construct", "value_pomp"],
            ),
            "codings": pd.DataFrame(columns=CODINGS),
            "readings": pd.DataFrame(columns=READINGS),
        },
    )


def item_study(
    items: Mapping[str, Item],
    task: Sequence[str | None] = TASK,
    name: str = "a",
    vignettes: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> Study:
    """A study of one factor, with its answers to single items as the harmonized table has them.

    Items that are not in ``vignettes`` are asked in the first one of the vocabulary.
    """
    asked = {item: vignettes.get(item, "volunteers_at_work") for item in items}
    constructs = list(dict.fromkeys(construct for construct, *_ in items.values()))
    study = answer_study(
        name,
        {(items[item][0], vignette): [50.0] * len(task) for item, vignette in asked.items()},
        {"task_type": task},
        constructs,
        [{"factor": "task_type", "type": "randomised"}],
        **more,
    )
    rows = [
        (name, person, asked[item], construct, item, value, low, high)
        for item, (construct, low, high, values) in items.items()
        for person, value in zip(study.respondents["respondent_id"], values, strict=True)
    ]
    columns = ["study_id", "respondent_id", "vignette", "construct", "item_id", "value_aligned"]
    table = pd.DataFrame(rows, columns=[*columns, "scale_min", "scale_max"])
    span = table["scale_max"] - table["scale_min"]
    pomp = 100 * (table["value_aligned"] - table["scale_min"]) / span
    return study.with_tables(measurements=table.assign(value_pomp=pomp))


def coding_study(
    name: str,
    interviews: Sequence[tuple[str, Mapping[str, Sequence[str]]]],
    codes: Sequence[str],
    exposures: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> Study:
    """A study of interviews: each its organisation, and the codes that each coder applied."""
    sources = [f"{name}-{i:04d}" for i in range(len(interviews))]
    readings = [
        (name, source, coder)
        for source, (_, by) in zip(sources, interviews, strict=True)
        for coder in by
    ]
    codings = [
        (name, source, coder, code)
        for source, (_, by) in zip(sources, interviews, strict=True)
        for coder, applied in by.items()
        for code in applied
    ]
    return Study(
        report=report(name, codes, exposures),
        tables={
            "respondents": people(name, sources, [org for org, _ in interviews], **more),
            "assignments": pd.DataFrame(columns=["study_id", "respondent_id", "factor", "level"]),
            "measurements": pd.DataFrame(
                columns=["study_id", "respondent_id", "vignette", "construct"]
            ),
            "codings": pd.DataFrame(codings, columns=CODINGS),
            "readings": pd.DataFrame(readings, columns=READINGS),
        },
    )


def experiment(
    name: str,
    n: int,
    seed: int,
    missing: float = 0.0,
    sites: int = 1,
    outcomes: Sequence[str] = ("threat_quality", "threat_job"),
    vignettes: Sequence[str | None] = ("volunteers_at_work",),
    **more: Any,
) -> tuple[Study, pd.DataFrame]:
    """A random experiment with two factors, and the same data as one wide table.

    Returns
    -------
    The study, and a table with ``x1``, ``x2`` (-1/2 and +1/2), ``site`` and the answers.
    """
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.resize([0, 1], n))
    degree = rng.permutation(np.resize([0, 0, 1], n))
    site = rng.integers(0, sites, n)
    answers = {}
    for k, (construct, vignette) in enumerate((c, v) for c in outcomes for v in vignettes):
        value = 50 + 8 * task * (k + 1) - 3 * degree + 4 * site + 15 * rng.standard_normal(n)
        answers[construct, vignette] = np.where(rng.random(n) < missing, np.nan, value)
    study = answer_study(
        name,
        answers,
        {
            "task_type": np.array(["complementary", "core"])[task],
            "involvement_degree": np.array(["low", "high"])[degree],
        },
        outcomes,
        [
            {"factor": "task_type", "type": "randomised"},
            {"factor": "involvement_degree", "type": "randomised"},
        ],
        org=[f"{name}-org-{s}" for s in site],
        **more,
    )
    wide = pd.DataFrame({"x1": task - 0.5, "x2": degree - 0.5, "site": site} | answers)
    return study, wide
