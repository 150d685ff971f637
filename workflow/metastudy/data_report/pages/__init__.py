"""Pages: what was inspected of all studies in, the pages of the data report out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.data_report.inspection.values import Inspection
from metastudy.data_report.pages.overview import overview_page
from metastudy.data_report.pages.study import study_page
from metastudy.display.labels import Labels, study_label
from metastudy.display.page import Page, render

__all__ = ["pages", "write"]


def pages(studies: Sequence[Inspection], vocabulary: Vocabulary) -> list[Page]:
    """Write all pages: the one over all studies, then one a study.

    Parameters
    ----------
    studies : what :func:`metastudy.data_report.inspection.study.inspect` gives of each.
    vocabulary : the common one, to which what the studies add is added here.
    """
    whole = vocabularies.merge(vocabulary, [study.vocabulary for study in studies])
    names = {str(s.study): study_label({"id": s.study, **s.about}) for s in studies}
    labels = Labels(whole, names)
    return [overview_page(studies, labels), *(study_page(study, labels) for study in studies)]


def write(made: Sequence[Page], folder: Path) -> list[Path]:
    """Write pages into a folder: HTML that is alone, Markdown, and the drawings as SVG."""
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
