"""Inspect what a codebook declares: moderators, groupings, reliabilities, interactions, funnels."""

from __future__ import annotations

from metastudy.data_report.inspection.values import Attribute, Declared, Funnel
from metastudy.harmonized.study import Study

__all__ = ["declared_of"]


def declared_of(study: Study) -> Declared | None:
    """What is declared, and how many effects a funnel would have; none where there is neither.

    An effect needs an estimate and a standard error above zero. Findings are public, so no count is
    hidden.
    """
    said, pairs, effects = study["attributes"], study["dependence"], study["effects"]
    whole = said[said["finding_id"].isna()]
    attributes = [
        Attribute(str(kind), str(name), _shown(str(kind), str(value)), None)
        for kind, name, value in zip(whole["kind"], whole["name"], whole["value"], strict=True)
    ]
    own = said[said["finding_id"].notna()]
    for (kind, name, value), mine in own.groupby(["kind", "name", "value"], sort=True):
        shown = _shown(str(kind), str(value))
        attributes.append(Attribute(str(kind), str(name), shown, len(mine)))
    attributes += [
        Attribute("reliability", str(name), f"{value:g}", None)
        for name, value in study.report.get("reliabilities", {}).items()
    ]
    attributes += [
        Attribute("interaction", str(one), str(other), None)
        for one, other in study.report.get("interactions", [])
    ]
    known = effects[effects["estimate"].notna() & effects["se"].gt(0)]
    known = known.assign(exposure=known["exposure"].fillna(known["contrast"]))
    funnels = tuple(
        Funnel(str(exposure), str(outcome), str(metric), len(mine), mine["citation"].nunique())
        for (exposure, outcome, metric), mine in known.groupby(
            ["exposure", "outcome", "metric"], sort=True
        )
    )
    if not attributes and not len(pairs) and not funnels:
        return None
    given = int(pairs["covariance"].notna().sum())
    return Declared(tuple(attributes), given, len(pairs) - given, funnels)


def _shown(kind: str, value: str) -> str:
    """A value as people write it: a number of a moderator without the zero after its point."""
    if kind != "moderator":
        return value
    try:
        return f"{float(value):.12g}"
    except ValueError:
        return value
