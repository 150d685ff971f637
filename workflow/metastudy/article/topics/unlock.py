"""What one more study would unlock: candidate studies by what they would make possible."""

from __future__ import annotations

import pandas as pd

from metastudy.article.results import Results
from metastudy.article.table_rows import columns_of, metric_label, role_label, study_marks
from metastudy.article.variable_tree import Tree
from metastudy.display.formatting import count, inline, joined, words
from metastudy.display.pipe_table import Table
from metastudy.synthesis.unlock import SIGNS

__all__ = ["CELLS", "figure", "table", "variables"]

CELLS = [
    *("candidate", "module", "module_label", "exposure_type", "type_label"),
    "estimands",  # of the module and type of exposure that are not pooled today
    *("sign", "number", "reason"),  # the most that becomes of one, of how many it does, and why
    "provenance",
]
SAID = {  # of one estimand
    "spread": "pooled, with a spread of its own",
    "pooled": "pooled",
    "contrast": "separated",
    "aliased": "still alone",
    "nothing": "not touched",
}


def figure(evidence: Results) -> pd.DataFrame:
    """For each candidate and group of estimands that are not pooled: what would become of them.

    A group is a module and a type of exposure, both in the order of the vocabulary.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CELLS`; a row for each candidate, as declared, and group.
    """
    found, rows = evidence.unlock, []
    if not len(found):
        return pd.DataFrame(columns=CELLS)
    mark = " + ".join(sorted(set(study_marks(evidence))))
    modules, kinds = ([*evidence.vocabulary[s]] for s in ("modules", "exposure_types"))
    groups = sorted(
        set(zip(found["module"], found["exposure_type"], strict=True)),
        key=lambda pair: (_place(pair[0], modules), _place(pair[1], kinds)),
    )
    for candidate in dict.fromkeys(found["candidate"]):
        for module, kind in groups:
            mine = found[found["candidate"].eq(candidate) & found["module"].eq(module)]
            mine = mine[mine["exposure_type"].eq(kind)]
            sign = min(mine["sign"], key=SIGNS.index)
            own = mine[mine["sign"].eq(sign)]
            rows.append(
                {
                    "candidate": candidate,
                    "module": module,
                    "module_label": evidence.vocabulary.label("modules", module)
                    if module
                    else "Published effects",
                    "exposure_type": kind,
                    "type_label": evidence.labels.of(kind, "exposure_types"),
                    "estimands": len(mine),
                    "sign": sign,
                    "number": 0 if sign == "nothing" else len(own),
                    "reason": str(own["reason"].iloc[0]),
                    "provenance": mark,
                }
            )
    return pd.DataFrame(rows, columns=CELLS)


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


def table(evidence: Results) -> Table:
    """Each candidate with the estimands that it is about: what would become of them, and why."""
    labels, found, rows = evidence.labels, evidence.unlock, []
    touched = found[found["sign"].ne("nothing")] if len(found) else pd.DataFrame()
    keys = ["candidate", "exposure", "exposure_type", "role", "metric", "sign", "reason"]
    for values, mine in touched.groupby(keys, sort=False) if len(touched) else ():
        candidate, exposure, kind, role, metric, sign, reason = map(str, values)
        outcomes = [inline(labels.outcome(name)) for name in mine["outcome"]]
        whose = f", {role_label(evidence, role)}" * bool(role)
        rows.append(
            {
                "Candidate study": candidate,
                "Exposure": labels.exposure_with_type(exposure, kind),
                "Outcomes": f"{words(joined(outcomes))} ({metric_label(metric)}{whose})",
                "Would be": SAID[sign],
                "Because": reason,
            }
        )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    if rows:
        shown["Candidate study"] = shown["Candidate study"].mask(
            shown["Candidate study"].eq(shown["Candidate study"].shift()), ""
        )
    caption = (
        "What one more study would unlock: estimands that are not pooled today, by the candidate "
        "studies that would be about them. The role is that of the people at hand. Computed from "
        "the design with the candidate in it; no outcome and no fit is needed for it. Candidates "
        "are declared in the configuration."
    )
    return Table(shown, found, caption, study_marks(evidence))


def variables(evidence: Results) -> Tree:
    """How many candidates there are, a sentence on what they would do, and each by itself."""
    found = evidence.unlock
    if not len(found):
        return {"count": count(0), "sentence": "No candidate study is declared."}
    tree: Tree = {"count": count(found["candidate"].nunique()), "candidates": {}}
    pooled, told, others = [], [], []
    for at, (name, mine) in enumerate(found.groupby("candidate", sort=False), 1):
        signs = mine["sign"].value_counts()
        more = int(signs.get("pooled", 0) + signs.get("spread", 0))
        apart = int(signs.get("contrast", 0))
        label = inline(str(name))
        if more:
            pooled.append((more, f"{label} ({count(more)})"))
        if apart:
            told.append((apart, f"{label} ({count(apart)})"))
        if not more and not apart:
            others.append((0, label))
        tree["candidates"][f"study_{at}"] = {
            "name": str(name),
            "pooled": count(more),
            "told_apart": count(apart),
            "alone": count(int(signs.get("aliased", 0))),
        }
    kept = [c for c in found if c not in ("candidate", "studies", "sign", "reason")]
    tree["estimands"] = count(len(found.drop_duplicates(kept)))
    said = [
        f"{joined(text for _, text in sorted(each, key=lambda one: -one[0]))} would {what}"
        for each, what in (
            (pooled, "bring another study or place to pool with"),
            (told, "separate what is one with a role or a place today"),
            (others, "reach none of them"),
        )
        if each
    ]
    tree["sentence"] = f"Of {tree['estimands']} effects that stand alone: {'; '.join(said)}."
    return tree
