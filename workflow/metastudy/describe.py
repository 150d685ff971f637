"""Describe: all results in, the variables of the article out."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version
from pathlib import Path

import yaml

from metastudy.errors import run
from metastudy.evidence import arguments, gather
from metastudy.variables import Tree, variables

__all__ = ["build", "dump", "main"]

PACKAGES = ("pymc", "arviz", "nutpie", "numba", "snakemake", "pandas", "matplotlib")


class _Quoted(str):
    """A text that is written in quotes."""


class _Dumper(yaml.SafeDumper):
    """Values in quotes, keys without: YAML would make 0.50 into 0.5."""


_Dumper.add_representer(
    _Quoted,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"'),
)


def dump(tree: Tree) -> str:
    """Write variables as YAML; every value is a quoted text."""

    def quoted(value: Tree | str) -> Tree | str:
        if isinstance(value, dict):
            return {key: quoted(item) for key, item in value.items()}
        return _Quoted(value)

    return yaml.dump(quoted(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def build(engine: str) -> dict[str, str]:
    """Names and versions of what makes the article.

    Parameters
    ----------
    engine : what renders it, ``pandoc`` or ``quarto``.
    """
    from metastudy.render.pandoc import tool_versions
    from metastudy.render.quarto import quarto_version

    tools = tool_versions()
    renderer = f"pandoc {tools['pandoc']} and Typst {tools['typst']}"
    if engine == "quarto":
        renderer = f"Quarto {quarto_version()}"
    found = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "renderer": renderer, "engine": engine}


def main() -> None:
    """Entry point of the rule ``describe``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--engine", default="pandoc", help="what renders the article")
    parser.add_argument("--out", type=Path, required=True, help="_variables.yml")
    args = parser.parse_args()
    tree = variables(gather(args), build(args.engine))
    args.out.write_text(dump(tree), "utf-8")


if __name__ == "__main__":
    run(main)
