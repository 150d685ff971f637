"""The page that describes the codebook language, made from its schema: docs/codebook.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from metastudy.codebook.checks.shape import SCHEMA
from metastudy.codebook.reference_page import page
from metastudy.commands._run import run
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import shown


def main() -> None:
    """Write the page, or check that it is what the schema gives."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--check", action="store_true", help="write nothing, say if it differs")
    args = parser.parse_args()
    text = page()
    if not args.check:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text, encoding="utf-8")
    elif not args.out.is_file() or args.out.read_text("utf-8") != text:
        raise BadInput(
            Problem(
                file=shown(args.out),
                found="a page that is not what the schema gives",
                expected=f"the page that is generated from {shown(SCHEMA)}",
                fix=f"run: python tools/codebook_reference.py --out {shown(args.out)}",
                code="drift",
            )
        )


if __name__ == "__main__":
    run(main)
