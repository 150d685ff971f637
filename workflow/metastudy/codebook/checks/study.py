"""What a codebook must say and may not say: its shape, its names, its agreement with itself."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.codebook.checks.shape import Sound
from metastudy.codebook.checks.terms import (
    CODED_DESIGNS,
    CODED_FORMATS,
    IGNORE,
    KEYS_OF_FORMATS,
    PLACE_SECTIONS,
    known_terms,
    listed,
)
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import Problem
from metastudy.common.yaml_document import Document

__all__ = ["study_problems"]

TAKEN = ("figures", "index")  # by the data report, which has a page and a folder for each study


def study_problems(document: Document, sound: Sound, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check terms and id of a study, and that its design, format and codes go together."""
    study = sound.study()
    for key, section in {**PLACE_SECTIONS, "response_mode": "response_modes"}.items():
        if key in study:
            yield from known_terms(document, vocabulary, section, study[key], ("study", key))
    # The name by which rules know the study: of a link its own, not that of the folder it leads to.
    folder = document.path.absolute().parent.name
    if study and study["id"] != folder:
        yield document.problem(
            ("study", "id"), f"'{study['id']}'", f"'{folder}', the name of the study's folder"
        )
    elif folder in TAKEN:
        yield document.problem(
            ("study", "id"),
            f"'{folder}', which pages and folders of the data report are called",
            f"another name than {listed(TAKEN)}",
            "give the study and its folder another name",
        )
    yield from _form_problems(document, sound)
    if sound.section("codes"):
        for place, code in sound.entries("codes"):
            if code != IGNORE:
                yield from known_terms(document, vocabulary, "codes", code, place)


def _form_problems(document: Document, sound: Sound) -> Iterator[Problem]:
    """Check that design, format and codes go together."""
    file = sound.raw["file"] if sound.section("file") else {}
    form, design = file.get("format"), sound.study().get("design")
    for key, formats in KEYS_OF_FORMATS.items():
        if form and key in file and form not in formats:
            yield document.problem(
                ("file", key),
                f"'{key}' with format '{form}'",
                f"'{key}' with format {listed(formats)} only",
            )
    if not design:
        return
    coded = "codes" in sound.raw
    if form in CODED_FORMATS and design not in CODED_DESIGNS:
        yield document.problem(
            ("file", "format"),
            f"format '{form}' with design '{design}'",
            f"format {listed(CODED_FORMATS)} with design {listed(CODED_DESIGNS)} only",
        )
    elif form and form not in CODED_FORMATS and (design == "interviews" or coded):
        yield document.problem(
            ("file", "format"),
            f"format '{form}' with " + ("'codes'" if coded else f"design '{design}'"),
            f"format {listed(CODED_FORMATS)} for coded sources",
        )
    if not coded and (design == "interviews" or form in CODED_FORMATS):
        yield document.problem(
            ("codes",),
            "no 'codes'",
            "the codes of the project, matrix or list, mapped",
        )
    if coded and design not in CODED_DESIGNS:
        yield document.problem(
            ("codes",), "'codes'", f"codes with design {listed(CODED_DESIGNS)} only"
        )
