"""Pages: what was inspected of all studies in, the pages of the data report out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metastudy import vocabulary as vocabularies
from metastudy.documents import Page, render
from metastudy.errors import run
from metastudy.overview_page import overview_page
from metastudy.study_page import study_page
from metastudy.vocabulary import Vocabulary
from metastudy.wording import Labels, study_label

__all__ = ["main", "pages", "write"]


def pages(studies: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> list[Page]:
    """Write all pages: the one over all studies, then one a study.

    Parameters
    ----------
    studies : what :func:`metastudy.inspect_study.inspect` gives of each.
    vocabulary : the common one, to which what the studies add is added here.
    """
    whole = vocabularies.merge(vocabulary, [study["vocabulary"] for study in studies])
    names = {str(s["study"]): study_label({"id": s["study"], **s["about"]}) for s in studies}
    labels = Labels(whole, names)
    return [overview_page(studies, labels), *(study_page(study, labels) for study in studies)]


def write(made: Sequence[Page], folder: Path) -> list[Path]:
    """Write pages into a folder: HTML that stands alone, Markdown, and the drawings as SVG."""
    written = []
    for page in made:
        texts = {Path(f"{page.name}.{suffix}"): text for suffix, text in render(page).items()}
        texts |= {Path(page.folder, f"{p.name}.svg"): p.svg for p in page.pictures}
        for name, text in texts.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            written.append(path)
    return written


def main() -> None:
    """Write the pages of the data report: the entry point of the rule ``report_data``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--inspected", type=Path, nargs="+", required=True, help="JSON, one a study"
    )
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    args = parser.parse_args()
    studies = [json.loads(path.read_text("utf-8")) for path in sorted(args.inspected)]
    written = write(pages(studies, vocabularies.load(args.vocabulary)), args.out)
    print(f"{len(written)} files in {args.out}")


if __name__ == "__main__":
    run(main)
