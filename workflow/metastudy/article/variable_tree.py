"""The variables of the article as a tree of texts, and its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

__all__ = [
    "GENERAL",
    "Traced",
    "Tree",
    "flat",
    "matching",
    "put",
    "shortcode_key",
    "traced",
    "unit",
]

Tree = dict[str, Any]  # texts, and trees of them
UNITS = {
    "sd": "SD",
    "latent_sd": "SD",
    "control_sd": "SD of the reference arm",
    "pooled_sd": "SD within both arms",
    "total_sd": "SD of all respondents",
    "unknown_sd": "SD of which nothing is said",
    "pomp": "% of scale",
}


class Traced(str):
    """A text that knows the rows of results that it says something of, by their ids."""

    __slots__ = ("ids",)
    ids: tuple[str, ...]

    def __new__(cls, text: str, ids: Iterable[str]) -> Traced:
        """The text, and the ids in the order in which they are spoken of."""
        made = super().__new__(cls, text)
        made.ids = tuple(dict.fromkeys(ids))
        return made


GENERAL = "general"  # the key in place of a vignette, for answers that are about none


def unit(metric: str) -> str:
    """A metric inside a sentence."""
    named = {"log_odds": "log-odds", "fisher_z": "Fisher's z"} | UNITS
    return named.get(metric, metric.replace("_", " "))


def flat(tree: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """The variables by dotted key, as the article names them."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{above}.{key}" if above else key
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found


def matching(tree: Mapping[str, Any], path: str) -> Iterator[str]:
    """Dotted keys of the texts that a path leads to; a ``*`` in one of its keys is any letters.

    >>> [*matching({"a": {"x": "1", "y": {"x": "2"}}}, "a.*.x"), *matching({"a": "1"}, "a")]
    ['a.y.x', 'a']
    """
    first, _, rest = path.partition(".")
    for key in [key for key in tree if fnmatchcase(key, first)]:
        if not rest and not isinstance(tree[key], Mapping):
            yield key
        elif rest and isinstance(tree[key], Mapping):
            yield from (f"{key}.{below}" for below in matching(tree[key], rest))


def shortcode_key(text: str) -> str:
    """A key that a shortcode can hold: letters, digits, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") or GENERAL


def traced(leaves: Mapping[str, Any], *rows: Mapping[str, Any]) -> Tree:
    """Leaves whose texts know the rows that they are of; those that know theirs keep them."""
    ids = [str(row["id"]) for row in rows if row.get("id")]

    def known(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: known(item) for key, item in value.items()}
        # a text of another class, such as Markdown, is no number
        return Traced(value, ids) if ids and type(value) is str else value

    return {key: known(value) for key, value in leaves.items()}


def put(
    tree: Tree, path: Iterable[str], leaves: Mapping[str, Any], *rows: Mapping[str, Any]
) -> None:
    """Add leaves to a tree, in place, at the end of a path; its keys become shortcode keys.

    ``rows`` are those of the results that the leaves say something of.
    """
    leaves = traced(leaves, *rows)
    for key in path:
        tree = tree.setdefault(shortcode_key(key), {})
    tree.update(leaves)
