"""Strain at the front line: coded interviews in non-profit organisations (REFI-QDA).

Organisations lie in two countries, and the country is the arrangement. A code is truly present in
an interview or not; a coder finds it with errors. Three coders share the work, and a fifth of the
interviews is read by two of them.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from draw import codes_found, expit, logit
from formats import QDA, guid, write_qdpx
from transcripts import PARAGRAPHS, SENTENCES, transcript

ARRANGEMENT = {"Scotland": "State policy", "United States": "Mission of the organisation"}

TREE = {  # branch: its leaves; only leaves can be applied
    "S1 Role": ["Role change", "Professional identity", "Uncertainty"],
    "S2 Capacity": ["Lack of tools and methods"],
    "S3 Control": ["Authority shifts to the client", "Reduced discretion", "Accountability ties"],
    "S4 Conditions": [
        "Job insecurity",
        "Work intensification",
        "Training and career",
        "Vulnerable morale",
    ],
    "S5 Relation": ["Co-determination work", "Emotional display"],
    "S6 Values": ["Conflict of values"],
    "E Enablers": ["Management support", "Empowered citizens"],
    "Housekeeping": ["Passage to come back to"],
}
HOUSEKEEPING = "Passage to come back to"  # a code without meaning, as projects have them

FILLER = [  # the texts carry no content: what matters is which passage has which code
    "This sentence is filler and stands for something that was said.",
    "Nobody said this; the text was made up so that a passage can be coded.",
    "The recording goes on here, and the transcript with it.",
    "Filler again: the café on the corner, the weather, the way to work.",
    "At this point a transcript would have something to say.",
    "One more sentence without content – it only takes up room.",
    "The interviewer nods, and the simulated answer continues.",
    "Here the passage ends or goes on, as the coder sees it.",
    "A pause; then more filler of the same kind.",
    "What follows is as invented as what came before.",
]
STAMP = "2018-04-12T12:00:00Z"


@dataclass
class Interview:
    """One interview: where it was held, who read it, and who applied which code."""

    number: int
    country: str
    sector: str
    organisation: int
    coders: tuple[str, ...]
    applied: dict[str, set[str]]  # code: coders who applied it

    @property
    def id(self) -> str:
        """Name of the interview in the files, as INT-001."""
        return f"INT-{self.number:03d}"


def write(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the interviews and write them as a REFI-QDA project to `path`."""
    interviews = hold(world, rng)
    read(world, rng, interviews)
    project, texts = export(world, rng, interviews)
    write_qdpx(path, project, texts)


def hold(world: dict, rng: np.random.Generator) -> list[Interview]:
    """Spread the interviews over the organisations of each country, at least two to each."""
    interviews: list[Interview] = []
    organisation = 0
    for country, size in world["countries"].items():
        k, n = size["organisations"], size["interviews"]
        extra = rng.multinomial(n - 2 * k, rng.dirichlet(np.full(k, 3.0)))
        sectors = world["sectors"][country]
        for i, count in enumerate(2 + extra):
            organisation += 1
            for _ in range(count):
                where = (country, sectors[i % len(sectors)], organisation)
                interviews.append(Interview(len(interviews) + 1, *where, coders=(), applied={}))
    return interviews


def read(world: dict, rng: np.random.Generator, interviews: list[Interview]) -> None:
    """Let the codes be present by organisation and arrangement, and let the coders find them."""
    codes, coders = list(world["true_prevalence"]), world["coders"]
    organisations = max(interview.organisation for interview in interviews)
    level = np.array([logit(world["true_prevalence"][code]) for code in codes])
    contrast = np.array([world["true_effect_arrangement"].get(code, 0.0) for code in codes])
    own = world["true_organisation_sd"] * rng.standard_normal((organisations, 1))
    own = own + world["true_organisation_code_sd"] * rng.standard_normal(
        (organisations, len(codes))
    )

    pairs = list(combinations(coders, 2))
    double = rng.permutation(len(interviews))[: world["double_coded"]]
    pair_of = {i: pairs[k % len(pairs)] for k, i in enumerate(double)}
    for i, interview in enumerate(interviews):
        interview.coders = pair_of.get(i, (coders[rng.integers(len(coders))],))
        mission = ARRANGEMENT[interview.country] == "Mission of the organisation"
        present = rng.random(len(codes)) < expit(
            level + own[interview.organisation - 1] + contrast * (0.5 if mission else -0.5)
        )
        for coder in interview.coders:
            for code, hit in zip(codes, codes_found(rng, present, world), strict=True):
                if hit:
                    interview.applied.setdefault(code, set()).add(coder)
        if rng.random() < 0.2:
            interview.applied[HOUSEKEEPING] = {interview.coders[0]}


def export(
    world: dict, rng: np.random.Generator, interviews: list[Interview]
) -> tuple[ET.Element, dict[str, bytes]]:
    """Write the project's XML and its texts, in the order of the REFI-QDA standard."""
    project = ET.Element(
        "Project",
        {
            "xmlns": QDA,
            "name": "Frontline interviews (simulated)",
            "origin": "data/generator",
            "creationDateTime": STAMP,
        },
    )
    users = ET.SubElement(project, "Users")
    for coder in world["coders"]:
        ET.SubElement(users, "User", guid=guid("user", coder), name=coder)
    add_codes(ET.SubElement(ET.SubElement(project, "CodeBook"), "Codes"))
    variables = ET.SubElement(project, "Variables")
    cases = ET.SubElement(project, "Cases")
    sources = ET.SubElement(project, "Sources")
    texts, seen = {}, dict.fromkeys(range(1, len(interviews) + 1), 0)
    for interview in interviews:
        seen[interview.organisation] += 1
        add_case(cases, interview, minutes=int(rng.integers(35, 95)))
        name = f"{guid('text', interview.id)}.txt"
        source = ET.SubElement(
            sources,
            "TextSource",
            guid=guid("source", interview.id),
            name=f"Interview {seen[interview.organisation]}",  # repeats between organisations
            plainTextPath=f"internal://{name}",
            creationDateTime=STAMP,
        )
        text, sentences = transcript(rng, FILLER, windows=interview.number % 4 == 0)
        add_selections(rng, source, interview, text, sentences)
        marked = "utf-8-sig" if interview.number % 37 == 0 else "utf-8"
        texts[name] = text.encode(marked)
    for variable, kind in VARIABLES.items():
        ET.SubElement(
            variables,
            "Variable",
            guid=guid("variable", variable),
            name=variable,
            typeOfVariable=kind,
        )
    return project, texts


VARIABLES = {
    "Interview ID": "Text",
    "Organisation": "Text",
    "Country": "Text",
    "Sector": "Text",
    "Arrangement": "Text",
    "Coders": "Text",
    "Length": "Integer",
    "Recorded": "Date",
}


def add_codes(codes: ET.Element) -> None:
    """The code tree."""
    for branch, leaves in TREE.items():
        parent = ET.SubElement(
            codes, "Code", guid=guid("code", branch), name=branch, isCodable="false"
        )
        for leaf in leaves:
            ET.SubElement(parent, "Code", guid=guid("code", leaf), name=leaf, isCodable="true")


def add_case(cases: ET.Element, interview: Interview, minutes: int) -> None:
    """The case of an interview: what is known of it, and which source it is."""
    case = ET.SubElement(cases, "Case", guid=guid("case", interview.id), name=interview.id)
    values = {
        "Interview ID": interview.id,
        "Organisation": f"Organisation {interview.organisation}",
        "Country": interview.country,
        "Sector": interview.sector,
        "Arrangement": ARRANGEMENT[interview.country],
        "Coders": "; ".join(interview.coders),
        "Length": str(minutes),
        "Recorded": f"2016-{1 + interview.number % 12:02d}-{1 + interview.number % 28:02d}",
    }
    for variable, value in values.items():
        holder = ET.SubElement(case, "VariableValue")
        ET.SubElement(holder, "VariableRef", targetGUID=guid("variable", variable))
        ET.SubElement(holder, f"{VARIABLES[variable]}Value").text = value
    ET.SubElement(case, "SourceRef", targetGUID=guid("source", interview.id))


def add_selections(
    rng: np.random.Generator,
    source: ET.Element,
    interview: Interview,
    text: str,
    sentences: list[list[tuple[int, int]]],
) -> None:
    """Mark passages with codes.

    Two coders of one passage are in one selection with two codings, or in two selections that
    overlap: programs write both.
    """
    together = interview.number % 2 == 0
    for code, applied in interview.applied.items():
        coders = [coder for coder in interview.coders if coder in applied]
        for passage in range(1 + min(rng.poisson(0.3), 2)):
            paragraph = sentences[rng.integers(PARAGRAPHS)]
            at = int(rng.integers(SENTENCES - 1))
            groups = [coders] if together else [[coder] for coder in coders]
            for shift, group in enumerate(groups):
                start, end = paragraph[at][0], paragraph[at + shift][1]
                key = (interview.id, code, passage, shift)
                selection = ET.SubElement(
                    source,
                    "PlainTextSelection",
                    guid=guid("selection", *key),
                    name=text[start:end],
                    startPosition=str(start),
                    endPosition=str(end),
                    creatingUser=guid("user", group[0]),
                    creationDateTime=STAMP,
                )
                for coder in group:
                    coding = ET.SubElement(
                        selection,
                        "Coding",
                        guid=guid("coding", *key, coder),
                        creatingUser=guid("user", coder),
                        creationDateTime=STAMP,
                    )
                    ET.SubElement(coding, "CodeRef", targetGUID=guid("code", code))
