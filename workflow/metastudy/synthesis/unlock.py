"""What one more study would unlock: the design with a study that nobody has done, looked at anew.

A candidate is added to the design as its places and what it would be about, without any outcome,
and what may be pooled and told apart is computed as it is for the studies at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import result_tables
from metastudy.design.fixed_terms import aliases
from metastudy.design.identification import SETTING, identify
from metastudy.models.registry import model_named
from metastudy.synthesis.pooling import ESTIMAND, GROUPINGS, PLACE, pooled_rows

__all__ = ["SIDES", "SIGNS", "UNLOCK", "unlock"]

SIGNS = ("spread", "pooled", "contrast", "aliased", "nothing")  # from most to least
SIDES = ["study", "country", "sector", "role", "exposure", "side"]  # of what is between units
UNLOCK = result_tables.columns("unlock")
PLACES = ("country", "sector")
KINDS = {"role": "role", "response_mode": "response mode", "metric": "metric"}


def unlock(
    table: pd.DataFrame,
    sides: pd.DataFrame,
    candidates: Sequence[Mapping[str, Any]],
    vocabulary: Vocabulary,
) -> pd.DataFrame:
    """What each candidate would do for each estimand that is not pooled today.

    Parameters
    ----------
    table : estimates of the studies at hand (:func:`metastudy.synthesis.stages.gather`), of which
        only the design is read: study, place, role and the columns of ``ESTIMAND``.
    sides : columns :data:`SIDES`, of exposures that differ between units and not within them: a row
        for each kind of unit, ``side`` being -1/2 or +1/2.
    candidates : of the configuration, checked.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`UNLOCK`. ``sign`` is ``pooled`` where several studies or places would speak
        of the estimand; ``spread`` where, besides, study, country or sector by itself would have a
        standard deviation; ``contrast`` where what could not be told apart before could be;
        ``aliased`` where the candidate is about it and that is not enough; else ``nothing``.
    """
    rows = []
    table = table.drop_duplicates([*PLACE, *ESTIMAND], ignore_index=True)
    alone = table[~_pooled(table)]
    for candidate in candidates:
        for values, _ in alone.groupby(ESTIMAND, sort=False):
            key = dict(zip(ESTIMAND, map(str, values), strict=True))
            sign, reason, studies = _judged(candidate, key, table, sides, vocabulary)
            rows.append({"candidate": candidate["name"], **key, "studies": studies} | {
                "module": vocabulary["families"].get(key["family"], {}).get("module") or "",
                "sign": sign, "reason": reason,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=UNLOCK)


def _pooled(table: pd.DataFrame) -> np.ndarray:
    """Which estimates are pooled: over studies, or over the places of one in its module's fit."""
    place = table[PLACE].astype(str).agg("|".join, axis=1)
    groups = table.assign(place=place).groupby(ESTIMAND, sort=False)["place"]
    several: np.ndarray = groups.transform("nunique").gt(1).to_numpy()
    return several | pooled_rows(table)


def _judged(
    candidate: Mapping[str, Any],
    key: Mapping[str, str],
    table: pd.DataFrame,
    sides: pd.DataFrame,
    vocabulary: Vocabulary,
) -> tuple[str, str, int]:
    """Sign, the reason in words, and how many studies would speak of the estimand."""
    mine = table[table[ESTIMAND].eq(list(key.values())).all(axis=1)]
    before = mine["study"].nunique()
    if not _about(candidate, key, vocabulary):
        return "nothing", "", before
    own = {**key, "role": candidate["role"], "response_mode": candidate["response_mode"]}
    own["metric"] = model_named(vocabulary.model(candidate["module"])).metric
    own |= {name: candidate[name] for name in PLACES}
    own["study"] = candidate.get("within") or _new_study(candidate, table)
    differing = [name for name in KINDS if own[name] != key[name]]
    if differing == ["role"]:
        return _of_roles(mine, own)
    if differing:
        said = [f"{KINDS[n]} {own[n]}: not pooled with {key[n]}" for n in differing]
        return "aliased", "; ".join(said).replace("_", " "), before
    if _has_contrast(candidate):
        added = mine.head(1).assign(**{name: own[name] for name in PLACE})
        both = pd.concat([mine, added], ignore_index=True).drop_duplicates(PLACE)
        if _pooled(both).all():
            return _of_places(both)
    return *_of_sides(candidate, key, sides, own, vocabulary), before


def _about(candidate: Mapping[str, Any], key: Mapping[str, str], vocabulary: Vocabulary) -> bool:
    """Whether a candidate would measure an exposure and an outcome of the estimand."""
    kind = candidate["exposure_type"]
    exposures = {f"{name}_{kind}" for name in candidate["exposures"]}
    outcomes = set(candidate["outcomes"])
    families = {vocabulary.family(o) for o in outcomes if o not in vocabulary["families"]}
    of_family = key["outcome"] == key["family"] and key["family"] in families  # of codes
    same = key["outcome"] in outcomes or key["family"] in outcomes or of_family
    return same and key["exposure_type"] == kind and key["exposure"] in exposures


def _new_study(candidate: Mapping[str, Any], table: pd.DataFrame) -> str:
    """An id that no study has."""
    name = str(candidate["name"])
    return f"{name} (new)" if name in set(table["study"]) else name


def _has_contrast(candidate: Mapping[str, Any]) -> bool:
    """Whether it compares by itself; what has one side only adds to the contrast of a study."""
    return not candidate.get("level")


def _of_places(rows: pd.DataFrame) -> tuple[str, str, int]:
    """Pooled: which standard deviations the design then has."""
    units = rows.assign(**{SETTING: rows[[*PLACE, "role"]].astype(str).agg("|".join, axis=1)})
    found = identify(units, GROUPINGS)
    named = [[name for name in one.names if name in PLACE] for one in found.components]
    spreads = [" and ".join(names) + " in one" * (len(names) > 1) for names in named if names]
    alone = any(len(names) == 1 for names in named)
    studies = rows["study"].nunique()
    what = f"{studies} studies" if studies > 1 else f"{len(rows)} places of one study"
    return "spread" if alone else "pooled", f"{what}; spread: {'; '.join(spreads)}", studies


def _of_roles(mine: pd.DataFrame, own: Mapping[str, str]) -> tuple[str, str, int]:
    """People of another role: never pooled, and compared where one study has both."""
    units = pd.concat([mine[["study", "role"]], pd.DataFrame([own])[["study", "role"]]])
    is_other = units["role"].eq(own["role"]).to_numpy(dtype=float)
    studies = mine["study"].nunique()
    if aliases(is_other, units, ["study"]):
        return "aliased", "role cannot be told from study", studies
    return "contrast", "roles compared within a study", studies


def _of_sides(
    candidate: Mapping[str, Any],
    key: Mapping[str, str],
    sides: pd.DataFrame,
    own: Mapping[str, str],
    vocabulary: Vocabulary,
) -> tuple[str, str]:
    """More units of a contrast: whether it still is one with a place."""
    here = sides[sides["exposure"].eq(key["exposure"])]
    before = aliases(here["side"].to_numpy(), here, PLACES)
    name = key["exposure"].removesuffix(f"_{key['exposure_type']}")
    reference, other = list(vocabulary.levels(name))[:2] if len(here) else ("", "")
    levels = {reference: -0.5, other: 0.5}
    level = candidate.get("level")
    new = [{**own, "side": side} for at, side in levels.items() if level in (None, at)]
    more = pd.concat([here, pd.DataFrame(new, columns=SIDES)], ignore_index=True)
    after = aliases(more["side"].to_numpy(dtype=float), more, PLACES)
    freed = [name for name in before if name not in after]
    if freed:
        return "contrast", f"no longer one with {' and '.join(freed)}"
    if after:
        return "aliased", f"still one with {' and '.join(after)}"
    return "aliased", "more people of one study, and no second one"
