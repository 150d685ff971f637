"""The file of variables that the article reads: YAML whose values are all quoted texts."""

from __future__ import annotations

import yaml

from metastudy.article.variable_tree import Tree
from metastudy.display import plain_markdown

__all__ = ["dump"]


class _Quoted(str):
    """A text that is written in quotes."""


class _Dumper(yaml.SafeDumper):
    """Values in quotes, keys without: YAML would make 0.50 into 0.5."""


_Dumper.add_representer(
    _Quoted,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"'),
)


def dump(tree: Tree) -> str:
    """Write variables as YAML; every value is a quoted text that Markdown shows as it is."""

    def quoted(value: Tree | str) -> Tree | str:
        if isinstance(value, dict):
            return {key: quoted(item) for key, item in value.items()}
        return _Quoted(plain_markdown.value(value))

    return yaml.dump(quoted(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
