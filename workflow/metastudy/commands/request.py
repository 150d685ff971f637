"""Write the request for parcels: what owners of data are asked for, in one small file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.common.text import did_you_mean
from metastudy.parcels.request import of_config, read, spelt

__all__ = ["main"]


def main() -> None:
    """Entry point of the rule ``request``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="JSON: modules, sensitivity, privacy"
    )
    parser.add_argument("--code", required=True, help="digest of the code that makes parcels")
    parser.add_argument("--lock", required=True, help="digest of the locked requirements")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    vocabulary = vocabularies.load(args.vocabulary)
    _known(args.settings["modules"], list(vocabulary["modules"]))
    request = of_config(args.settings, vocabulary, {"code": args.code, "lock": args.lock})
    text = spelt(request)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text, "utf-8")
    read(args.out)
    for module, variants in request.fits.items():
        print(f"asked for: {module}: {', '.join(variants)}")
    print(f"{args.out}: request {request.digest[:12]}; send it to the owners, who run")
    print("  snakemake parcel --config study=NAME request=FILE")


def _known(asked: str | list[str], modules: list[str]) -> None:
    """Check the names of modules: one that is misspelt would go unasked."""
    for name in [asked] if isinstance(asked, str) else asked:
        if name not in ("all", *modules):
            raise MetastudyError(
                f"`modules` has '{name}', which is no module of the vocabulary that the request "
                f"carries: {', '.join(modules)}{did_you_mean(name, modules)}"
            )


if __name__ == "__main__":
    run(main)
