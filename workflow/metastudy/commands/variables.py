"""Variables: all results in, the variables of the article out."""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

from metastudy.article.abstract import summary
from metastudy.article.ledger import sources
from metastudy.article.make import variables
from metastudy.article.variables_file import dump
from metastudy.commands._results import arguments, gather
from metastudy.commands._run import run

__all__ = ["build", "main"]

PACKAGES = ("pymc", "arviz", "nutpie", "numba", "snakemake", "pandas", "matplotlib")


def build(engine: str) -> dict[str, str]:
    """Names and versions of what makes the article.

    Parameters
    ----------
    engine : what renders it, ``pandoc`` or ``quarto``.
    """
    from metastudy.manuscript.pandoc import tool_versions
    from metastudy.manuscript.quarto import quarto_version

    tools = tool_versions()
    renderer = f"pandoc {tools['pandoc']} and Typst {tools['typst']}"
    if engine == "quarto":
        renderer = f"Quarto {quarto_version()}"
    found = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "renderer": renderer, "engine": engine}


def main() -> None:
    """Entry point of the rule ``variables``."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments(parser)
    parser.add_argument("--engine", default="pandoc", help="what renders the article")
    parser.add_argument("--fits", type=json.loads, default={}, help="JSON: module, studies of each")
    parser.add_argument("--out", type=Path, required=True, help="_variables.yml")
    parser.add_argument("--sources", type=Path, help="what each variable is made of, JSON")
    args = parser.parse_args()
    evidence = gather(args)
    tree = variables(evidence, build(args.engine))
    tree["article"] = {"summary": summary(evidence, tree)}
    args.out.write_text(dump(tree), "utf-8")
    if args.sources:
        found = sources(evidence, tree, args.fits)
        args.sources.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
