"""From each variable of the article to what it is made of: estimand, fit, tables, raw files, rules.

What a variable is of comes from the rows that it was written from (:class:`Traced`), and where it
says something of many, from the catalogue: which results its topic reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metastudy.article import catalogue, shown_people
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.article.variable_tree import Traced, Tree
from metastudy.common.problems import MetastudyError
from metastudy.harmonized.study import Study

__all__ = ["MADE_BY", "sources"]

# The rule that makes each of the results, and those before it from the raw file on.
_HARMONIZED = ("harmonize", "validate", "promote")
_POOLED = (*_HARMONIZED, "aggregate", "declare")
_FITTED = (*_HARMONIZED, "aggregate", "fit")
MADE_BY: Mapping[str, tuple[str, ...]] = {
    "studies": _HARMONIZED,
    "cells": (*_HARMONIZED, "aggregate"),
    **dict.fromkeys(("contrasts", "draws", "heterogeneity", "sensitivity"), (*_FITTED, "contrast")),
    **dict.fromkeys(("refits", "power", "correlations_of_arms"), (*_FITTED, "refits")),
    "predictive": (*_FITTED, "predictive_checks"),
    **dict.fromkeys(("comparison", "organisations"), (*_FITTED, "loo_comparison")),
    "checks": (*_FITTED, "diagnose"),
    "design_based": (*_HARMONIZED, "design_based"),
    "unlock": (*_POOLED, "unlock"),
    **dict.fromkeys(("names", "own_names"), (*_HARMONIZED, "name_studies")),
    "synthesis": (*_POOLED, "synthesize"),
    "selection": (*_HARMONIZED, "declare", "selection"),
    "robustness": (*_POOLED, "synthesize", "robustness"),
    "appraisal": (),  # given, as are the next
    "truth": (),
    "left_out": (),
}
SECOND_STAGE = ("synthesis", "selection", "robustness")
OF_NO_DATA = ("build", "settings")  # of the configuration and of what was installed
POOLED = ("pooled", "exploratory")
PRIMARY = "primary"  # of several modules, or of the second stage


def sources(evidence: Results, tree: Tree, fits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each variable is made of.

    Parameters
    ----------
    tree : all variables, as :func:`metastudy.article.make.variables` gives them.
    fits : by name ``module`` and ``studies`` of each fit of a module.

    Returns
    -------
    dict
        ``variables`` by dotted key: ``estimands`` (ids of rows of ``tables``), ``modules``,
        ``fits``, ``tables`` (files of results), ``rules`` in the order of the work, ``studies``;
        the same of the rows of tables and the marks of figures, as ``shown`` by ``tables/<name>``
        and ``figures/<name>``; and ``studies`` by id: ``label``, ``provenance``, ``file`` and
        ``sha256`` of the raw data, ``tables`` (harmonized ones with rows), and ``people`` after
        disclosure control.

    Raises
    ------
    MetastudyError
        If a variable says that it is of a row that its results do not have.
    """
    items = catalogue.variables({m: evidence.model(m) for m in evidence.contrasts})
    known = _ids(evidence)
    found = {}
    for key, branch in tree.items():
        base = _of_item(evidence, items.get(key), fits)
        for name, text in _leaves(branch, key):
            found[name] = dict(base)
            if ids := text.ids if isinstance(text, Traced) else ():
                found[name] |= _of_rows(name, key, ids, known, fits, evidence)
    studies = {s.id: _study(evidence, s) for s in _all(evidence)}
    return {"variables": found, "shown": _shown(evidence, fits), "studies": studies}


def _shown(evidence: Results, fits: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What each table and figure is made of; its own rows are in its file of the same name."""
    models = {m: evidence.model(m) for m in evidence.contrasts}
    # The figures of modules are drawn by a rule for each kind of model.
    rules = {m: f"draw_{kind}" for m, kind in models.items()} | {"": "draw"}
    shown = {
        f"tables/{name}": (item, "tabulate") for name, item in catalogue.tables(models).items()
    }
    shown |= {
        f"figures/{name}": (item, rules[item.module])
        for name, item in catalogue.figures(models).items()
    }
    return {
        name: _of_item(evidence, item, fits, rule) | {"rows": f"{name}.csv"}
        for name, (item, rule) in shown.items()
    }


def _leaves(branch: Any, above: str) -> Iterator[tuple[str, str]]:
    if not isinstance(branch, Mapping):
        yield above, branch
        return
    for key, value in branch.items():
        yield from _leaves(value, f"{above}.{key}")


def _ids(evidence: Results) -> dict[str, dict[str, str]]:
    """Which file each row is in, by the first key of its variables: a module, or the synthesis."""
    found = {
        module: dict.fromkeys(table["id"].astype(str), f"contrasts/{module}.parquet")
        for module, table in evidence.contrasts.items()
    }
    tables = {n: t for n, t in evidence.synthesis.items() if n in POOLED and "id" in t}
    found["synthesis"] = {
        str(i): f"synthesis/{name}.parquet" for name, table in tables.items() for i in table["id"]
    }
    return found


def _of_rows(
    name: str,
    key: str,
    ids: tuple[str, ...],
    known: Mapping[str, Mapping[str, str]],
    fits: Mapping[str, Mapping[str, Any]],
    evidence: Results,
) -> dict[str, Any]:
    groups = list(known) if key == PRIMARY else [key]
    of = {i: next((g for g in groups if i in known.get(g, {})), "") for i in ids}
    if gone := [i for i in ids if not of[i]]:
        raise MetastudyError(f"the variable {name} is of {gone[0]!r}, which no table of {key} has")
    mine = list(dict.fromkeys(of.values()))
    second = "synthesis" in mine
    chains = [MADE_BY["synthesis" if group == "synthesis" else "contrasts"] for group in mine]
    modules = [group for group in mine if group != "synthesis"]
    found: dict[str, Any] = {
        "estimands": list(ids),
        "tables": list(dict.fromkeys(known[of[i]][i] for i in ids)),
        "fits": [f"fits/{m}.nc" for m in modules] + ["synthesis/posterior.nc"] * second,
        "rules": [*dict.fromkeys(rule for chain in chains for rule in chain), "variables"],
    }
    if not second:
        studies = [study for m in modules for study in _members(m, fits, evidence)]
        found |= {"modules": modules, "studies": list(dict.fromkeys(studies))}
    return found


def _of_item(
    evidence: Results,
    item: Item | None,
    fits: Mapping[str, Mapping[str, Any]],
    last: str = "variables",
) -> dict[str, Any]:
    """What a group of variables, a table or a figure is made of, as a whole."""
    needs = item.needs if item else ()
    of_modules = [item.module] if item and item.module else list(evidence.contrasts)
    fitted = [n for n in needs if "fit" in MADE_BY[n]]
    second = [n for n in needs if n in SECOND_STAGE]
    mine = [f for f in fits if fits[f]["module"] in of_modules] if fitted else []
    if "sensitivity" not in needs and "checks" not in needs:
        mine = [f for f in mine if f in of_modules]
    studies = _members(item.module, fits, evidence) if item and item.module else []
    if needs and not studies and set(needs) - {"appraisal", "truth", "left_out"}:
        studies = [s.id for s in _all(evidence)]
    rules = dict.fromkeys(rule for need in needs for rule in MADE_BY[need])
    files = catalogue.files_of(item, _files(evidence, fits)) if item else {}
    return {
        "estimands": [],
        "modules": of_modules if fitted or "cells" in needs or second else [],
        "fits": [f"fits/{f}.nc" for f in mine] + ["synthesis/posterior.nc"] * bool(second),
        "tables": [path for need in needs for path in files.get(need, ())],
        "rules": [*rules, last],
        "studies": studies,
    }


def _members(module: str, fits: Mapping[str, Mapping[str, Any]], evidence: Results) -> list[str]:
    return list(fits[module]["studies"]) if module in fits else [s.id for s in _all(evidence)]


def _files(evidence: Results, fits: Mapping[str, Any]) -> dict[str, list[str]]:
    """Files of results by what they are, below ``results``; those of the user's as they are."""
    modules = list(evidence.contrasts)
    found = catalogue.result_files([s.id for s in _all(evidence)], modules, list(fits), "appraisal")
    found |= {"appraisal": [], "truth": [], "left_out": []}
    return {name: [p.removeprefix("results/") for p in paths] for name, paths in found.items()}


def _all(evidence: Results) -> Iterable[Study]:
    return (*evidence.studies, *evidence.published)


def _study(evidence: Results, study: Study) -> dict[str, Any]:
    """Of a study the raw file and the harmonized tables; its people after disclosure control."""
    return {
        "label": evidence.labels.study(study.id),
        "provenance": study.provenance,
        "file": str(study.report.get("file", "")),
        "sha256": str(study.report.get("sha256", "")),
        "tables": [str(name) for name in study.tables if len(study[name])],
        "people": _people(evidence, study),
    }


def _people(evidence: Results, study: Study) -> str:
    """How many people it has; published findings are counted as they are."""
    if study in evidence.published:
        return str(study.people)
    return shown_people.kept(evidence, study).short
