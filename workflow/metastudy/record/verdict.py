"""The verdict: whether a rebuild gives the numbers of record, within Monte Carlo error.

Reproduced: the raw data agree, and so does every number, whatever else differs. Not reproduced:
data, codebooks, priors and settings agree, and a number does not. Not comparable: the raw data
differ or are not there, or codebooks, priors or settings differ and a number moved.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import NormalDist, median
from typing import Any, Literal

from metastudy.record.comparison import Compared, compared

__all__ = ["ALPHA", "CODES", "cut_of", "differing_inputs", "differing_others", "judge"]

Word = Literal["reproduced", "not reproduced", "not comparable"]
CODES: Mapping[Word, int] = {"reproduced": 0, "not reproduced": 1, "not comparable": 2}
ALPHA = 0.05  # probability that any of all numbers is beyond the cut by chance, at most
POWER = 0.95
NAMES = {"keys": "keys of the configuration", "raw": "raw data"}
STAGES = ("harmonized", "cells", "draws", "article")
# Tables that are computed without draws; all others begin with them.
WITHOUT_DRAWS = {
    "design_based/estimates": "harmonized",
    "synthesis/estimates": "cells",
    "synthesis/structure": "cells",
}
Record = Mapping[str, Any]


def judge(old: Record, new: Record, alpha: float = ALPHA) -> dict[str, Any]:
    """Compare a rebuild with the record.

    Parameters
    ----------
    old, new : records (:func:`metastudy.record.record_file.made`), of the accepted build and of the
        rebuild.
    alpha : probability of a false alarm over all numbers, at most.

    Returns
    -------
    dict
        ``verdict``, one of three words, and its ``code``; ``why``; ``moved``, each number that does
        not agree, with both values, the difference, its Monte Carlo error and their ratio, the
        farthest first; ``begins``, the first stage that differs; ``inputs``, what differs of data,
        codebooks, priors and settings; ``listed``, what differs and is not judged; ``cut`` and
        ``power``; ``counts`` of what was compared.

    Notes
    -----
    With thousands of numbers some lie beyond two errors by chance. A number moved if its difference
    is beyond ``cut`` errors, the error being the root of the sum of both squared errors. By Šidák's
    bound on m two-sided normal tests, which is conservative where the numbers depend on each other,
    the largest of m differences is beyond the cut with a probability of at most ``alpha``.

    References
    ----------
    Šidák (1967), Rectangular confidence regions for the means of multivariate normal distributions.
    """
    pairs = list(compared(old["tables"], new["tables"]))
    sampled = [pair for pair in pairs if pair.error]
    cut = cut_of(len(sampled), alpha)
    gone = [pair for pair in pairs if pair.gone]
    moved = sorted((p for p in pairs if p.differs(cut)), key=lambda p: -p.distance)
    identical = not any(pair.distance for pair in pairs) and not gone
    printed = list(_printed(old["texts"], new["texts"]))
    misprinted = printed if identical else []
    differing = differing_inputs(old, new)
    others = differing_others(old, new)
    word = _word(bool(moved or misprinted), differing)
    begins = _begins(old["stages"], new["stages"], moved, misprinted)
    return {
        "verdict": word,
        "code": CODES[word],
        "why": _why(word, moved, misprinted, differing, others),
        "begins": begins if word != "reproduced" else "",
        "identical": identical,
        "moved": [pair.as_dict(_stage(pair.table)) for pair in moved],
        "misprinted": misprinted,
        "on_the_border": [p.as_dict("draws") for p in pairs if p.border],
        "added": sorted(_added(old["tables"], new["tables"])),
        "inputs": differing,
        "listed": others,
        "cut": {
            "alpha": alpha,
            "numbers": len(sampled),
            "errors": cut,
            "largest": max((p.distance for p in sampled if math.isfinite(p.distance)), default=0.0),
        },
        "power": _power(old, new, cut),
        "counts": dict(Counter(pair.kind for pair in pairs)),
        "texts": {"printed": len(_flat(old["texts"])), "other_digits": len(printed)},
    }


def cut_of(numbers: int, alpha: float = ALPHA) -> float:
    """How many errors the largest of so many differences is within, with probability 1 - alpha.

    >>> round(cut_of(1), 2), round(cut_of(20_000), 2)
    (1.96, 4.7)
    """
    one = -math.expm1(math.log1p(-alpha) / max(numbers, 1))
    return NormalDist().inv_cdf(1 - one / 2)


def _word(moved: bool, differing: Mapping[str, Any]) -> Word:
    if differing.get("raw"):
        return "not comparable"
    if not moved:
        return "reproduced"
    return "not comparable" if differing else "not reproduced"


def differing_inputs(old: Record, new: Record) -> dict[str, Any]:
    """What differs of what a number is allowed to depend on: by place, what was and what is."""
    raw = _apart(_files(old["raw"]), _files(new["raw"]))
    found: dict[str, dict[str, Any]] = {
        "raw": {place: _digests(*both) for place, both in raw.items()}
    }
    books = _apart(old["codebooks"], new["codebooks"])
    found["codebooks"] = {place: _digests(*both) for place, both in books.items()}
    for section in ("priors", "settings"):
        apart = _apart(old[section], new[section])
        known = old[section].keys() & new[section].keys()
        found[section] = {key: both for key, both in apart.items() if key in known}
    return {section: what for section, what in found.items() if what}


def differing_others(old: Record, new: Record) -> dict[str, Any]:
    """What differs and is not judged: code, lock, machine, seed.

    A key of the configuration that one of the builds does not know belongs to its code: the schema
    is closed, and every key of it is in the configuration that was run.
    """
    keys = {key for s in ("priors", "settings") for key in old[s].keys() ^ new[s].keys()}
    found: dict[str, Any] = {
        "code": sorted(_apart(old["code"], new["code"])),
        "lock": ["envs/requirements.txt"] if old["lock"] != new["lock"] else [],
        "machine": _apart(old["machine"], new["machine"]),
        "keys": sorted(keys),
        "seed": [old["seed"], new["seed"]] if old["seed"] != new["seed"] else [],
        "commit": [old["commit"], new["commit"]] if old["commit"] != new["commit"] else [],
    }
    return {section: what for section, what in found.items() if what}


def _files(raw: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{study}/{name}": digest for study, own in raw.items() for name, digest in own.items()}


def _apart(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    keys = sorted({*old, *new})
    return {key: [old.get(key), new.get(key)] for key in keys if old.get(key) != new.get(key)}


def _digests(before: str | None, after: str | None) -> str:
    if after is None:
        return "not there in the rebuild"
    return "not there in the record" if before is None else "other content"


def _why(
    word: Word,
    moved: list[Compared],
    misprinted: list[str],
    differing: Mapping[str, Any],
    listed: Mapping[str, Any],
) -> str:
    count = len(moved) + len(misprinted)
    beyond = f"{count} of the numbers of record {'does' if count == 1 else 'do'} not agree"
    if word == "reproduced":
        also = [f"other {NAMES.get(name, name)}" for name in (*differing, *listed)]
        return "The raw data and all numbers agree" + (
            f", with {', '.join(also)}." if also else ", and so does all that they were made from."
        )
    if word == "not comparable":
        what = " and ".join(NAMES.get(name, name) for name in differing)
        return f"{what[0].upper()}{what[1:]} differ; {beyond if count else 'no number moved'}."
    causes = [name for name in ("code", "lock") if name in listed] or [
        name for name in ("machine",) if name in listed
    ]
    cause = (
        f"The likely cause is the {' or the '.join(causes)}, which differs."
        if causes
        else "Neither code nor lock nor machine differs, so a result was altered or is not "
        "determined by what it is made from."
    )
    return f"Data, codebooks, priors and settings agree, and {beyond}. {cause}"


def _begins(old: Record, new: Record, moved: list[Compared], misprinted: list[str]) -> str:
    """The first stage at which the builds differ, where a number moved."""
    if not moved:
        return "article" if misprinted else ""
    for stage in ("harmonized", "cells"):
        common = old[stage].keys() & new[stage].keys()
        if any(old[stage][key] != new[stage][key] for key in common):
            return stage
    first = min(STAGES.index(_stage(pair.table)) for pair in moved)
    return STAGES[first]


def _stage(table: str) -> str:
    return WITHOUT_DRAWS.get(table, "draws")


def _added(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, table in new.items():
        known = old.get(name, {"rows": {}, "columns": []})
        if count := len(table["rows"].keys() - known["rows"].keys()):
            yield f"{name}: {count} rows"
        if columns := [c for c in table["columns"] if known["rows"] and c not in known["columns"]]:
            yield f"{name}: {', '.join(columns)}"


def _flat(texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{group}.{name}": t for group, own in texts.items() for name, t in own.items()}


def _printed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Variables that print other digits; the versions of tools are no results."""
    before, after = _flat(old), _flat(new)
    for key in sorted(before.keys() & after.keys()):
        if not key.startswith("build.") and _digits(before[key]) != _digits(after[key]):
            yield key


def _digits(text: str) -> list[str]:
    return re.findall(r"[-−]?\d+(?:\.\d+)?", text)


def _power(old: Record, new: Record, cut: float) -> dict[str, Any]:
    """The smallest move of each primary estimate that is seen with a probability of 95 %.

    In posterior standard deviations of the record. That of one answer in the data is seen always:
    raw and harmonized data are compared by digest.
    """
    sizes = {}
    for name, table in old["tables"].items():
        rows = new["tables"].get(name, {}).get("rows", {})
        for key in table["primary"]:
            if key not in rows or "sd" not in table["columns"]:
                continue
            mean, sd = table["columns"].index("mean"), table["columns"].index("sd")
            before, after = table["rows"][key][1][mean], rows[key][1][mean]
            spread = table["rows"][key][0][sd]
            if before is not None and after is not None and spread:
                least = (cut + NormalDist().inv_cdf(POWER)) * math.hypot(before, after)
                sizes[f"{name}: {key}"] = least / spread
    if not sizes:
        return {}
    worst = max(sizes, key=lambda key: sizes[key])
    return {
        "probability": POWER,
        "estimates": len(sizes),
        "median_sd": median(sizes.values()),
        "largest_sd": sizes[worst],
        "largest_of": worst,
    }
