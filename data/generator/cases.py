"""Coping with value conflicts in three Flemish cases: coded interviews (REFI-QDA).

Citizens and public servants speak about initiatives in temporary use, elderly care and mobility.
A code is truly present in an interview or not; a coder finds it with errors. The project is written
as another program does it than that of the frontline interviews: texts in `sources/`, what is known
of an interview at its source instead of in a case, references in capital letters, and some codings
that name only who changed them last.
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

CITIZEN, SERVANT, COORDINATOR = "Burger", "Ambtenaar", "Projectcoördinator"

TREE = {  # branch: its codes, and below a code those that it holds; branches cannot be applied
    "Omgaan met het conflict": {
        "Ontwijken": [],
        "Escaleren": ["Hulp vragen"],
        "Eén waarde kiezen": [],
        "Evenwicht zoeken": [],
    },
    "Spanningen": {
        "Waardenconflict": [],
        "Onzekerheid": [],
        "Veranderende rol": [],
        "Tekort aan middelen en methoden": [],
    },
    "Krachten": {"Mondige burgers": []},
    "Werkcodes": {"Citaat voor het rapport": [], "Nog in te delen": []},
}
REPORT = "Citaat voor het rapport"  # applied, but without meaning; the other work code never is

FILLER = [  # the texts carry no content: what matters is which passage has which code
    "Deze zin is vultekst en staat voor iets dat gezegd werd.",
    "Niemand zei dit; de tekst is verzonnen om een passage te kunnen coderen.",
    "Hier loopt de opname door, en het transcript dus ook.",
    "Nog eens vultekst: het café op de hoek, het weer, de weg naar het werk.",
    "Op deze plaats zou een transcript iets te zeggen hebben.",
    "Eén zin zonder inhoud – hij neemt alleen plaats in.",
    "De interviewer knikt, en het gesimuleerde antwoord gaat verder.",
    "Een stilte; daarna meer vultekst van dezelfde soort.",
]
STAMP = "2019-05-06T09:30:00Z"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

VARIABLES = {
    "Respondent": "Text",
    "Initiatief": "Text",
    "Domein": "Text",
    "Rol": "Text",
    "Codeurs": "Text",
    "Duur": "Integer",
    "Datum interview": "Date",
}


@dataclass
class Interview:
    """One interview: which initiative, with whom, who read it, and who applied which code."""

    number: int
    case: str
    initiative: int
    role: str
    coders: tuple[str, ...]
    applied: dict[str, set[str]]  # code: coders who applied it

    @property
    def id(self) -> str:
        """Name of the interview in the files, as R01."""
        return f"R{self.number:02d}"

    @property
    def together(self) -> bool:
        """Whether two coders of a passage are in one selection, or each in an own one."""
        return self.number % 2 == 1


def write(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the interviews and write them as a REFI-QDA project to `path`."""
    interviews = hold(world, rng)
    read(world, rng, interviews)
    project, texts = export(world, rng, interviews)
    write_qdpx(path, project, texts, folder="sources")


def hold(world: dict, rng: np.random.Generator) -> list[Interview]:
    """Spread the interviews over the initiatives; each has a citizen and a public servant."""
    interviews: list[Interview] = []
    roles, shares = list(world["roles"]), list(world["roles"].values())
    initiative = 0
    for case, size in world["cases"].items():
        k, n = size["initiatives"], size["interviews"]
        extra = rng.multinomial(n - 2 * k, rng.dirichlet(np.full(k, 4.0)))
        for count in extra:
            initiative += 1
            more = [str(role) for role in rng.choice(roles, count, p=shares)]
            for role in [CITIZEN, SERVANT, *more]:
                interviews.append(Interview(len(interviews) + 1, case, initiative, role, (), {}))
    return interviews


def read(world: dict, rng: np.random.Generator, interviews: list[Interview]) -> None:
    """Let the codes be present by initiative and role, and let the coders find them."""
    codes, coders = list(world["true_prevalence"]), world["coders"]
    initiatives = max(interview.initiative for interview in interviews)
    level = np.array([logit(world["true_prevalence"][code]) for code in codes])
    contrast = np.array([world["true_effect_role"].get(code, 0.0) for code in codes])
    own = world["true_initiative_sd"] * rng.standard_normal((initiatives, 1))
    own = own + world["true_initiative_code_sd"] * rng.standard_normal((initiatives, len(codes)))

    pairs = list(combinations(coders, 2))
    double = rng.permutation(len(interviews))[: world["double_coded"]]
    pair_of = {i: pairs[k % len(pairs)] for k, i in enumerate(double)}
    for i, interview in enumerate(interviews):
        interview.coders = pair_of.get(i, (coders[rng.integers(len(coders))],))
        side = 0.5 if interview.role == CITIZEN else -0.5
        present = rng.random(len(codes)) < expit(
            level + own[interview.initiative - 1] + contrast * side
        )
        for coder in interview.coders:
            for code, hit in zip(codes, codes_found(rng, present, world), strict=True):
                if hit:
                    interview.applied.setdefault(code, set()).add(coder)
        if rng.random() < 0.3:
            interview.applied[REPORT] = {interview.coders[0]}


def export(
    world: dict, rng: np.random.Generator, interviews: list[Interview]
) -> tuple[ET.Element, dict[str, bytes]]:
    """Write the project's XML and its texts; it has no cases, as programs without them write it."""
    project = ET.Element(
        "Project",
        {
            "xmlns": QDA,
            "xmlns:xsi": XSI,
            "xsi:schemaLocation": f"{QDA} http://schema.qdasoftware.org/versions/Project/v1.0/Project.xsd",
            "name": "Omgaan met waardenconflicten (gesimuleerd)",
            "origin": "data/generator",
            "creatingUserGUID": guid("coping_cases", "user", world["coders"][0]),
            "creationDateTime": STAMP,
        },
    )
    users = ET.SubElement(project, "Users")
    for coder in world["coders"]:
        ET.SubElement(users, "User", guid=guid("coping_cases", "user", coder), name=coder)
    add_codes(ET.SubElement(ET.SubElement(project, "CodeBook"), "Codes"))
    variables = ET.SubElement(project, "Variables")
    for variable, kind in VARIABLES.items():
        ET.SubElement(
            variables,
            "Variable",
            guid=guid("coping_cases", "variable", variable),
            name=variable,
            typeOfVariable=kind,
        )
    sources = ET.SubElement(project, "Sources")
    texts = {}
    for interview in interviews:
        name = f"{guid('coping_cases', 'text', interview.id)}.txt"
        source = ET.SubElement(
            sources,
            "TextSource",
            guid=guid("coping_cases", "source", interview.id),
            name=f"{interview.id}.docx",
            plainTextPath=f"internal://{name}",
            creatingUser=user(interview.coders[0]),
            creationDateTime=STAMP,
        )
        text, sentences = transcript(rng, FILLER, windows=True)
        add_selections(rng, source, interview, text, sentences)
        add_values(source, interview, minutes=int(rng.integers(30, 100)))
        texts[name] = text.encode("utf-8-sig" if interview.number % 8 == 0 else "utf-8")
    notes = ET.SubElement(project, "Notes")
    note = ET.SubElement(
        notes, "Note", guid=guid("coping_cases", "note"), name="Memo", creationDateTime=STAMP
    )
    ET.SubElement(note, "PlainTextContent").text = "Memo zonder inhoud; vultekst."
    return project, texts


def user(coder: str) -> str:
    """The reference to a coder, in capital letters as some programs write references."""
    return guid("coping_cases", "user", coder).upper()


def add_codes(codes: ET.Element) -> None:
    """The code tree; a code that holds another one can be applied itself."""

    def add(parent: ET.Element, name: str, codable: str) -> ET.Element:
        key = guid("coping_cases", "code", name)
        return ET.SubElement(parent, "Code", guid=key, name=name, isCodable=codable)

    for branch, held in TREE.items():
        holder = add(codes, branch, "false")
        for code, children in held.items():
            parent = add(holder, code, "true")
            for child in children:
                add(parent, child, "true")


def add_values(source: ET.Element, interview: Interview, minutes: int) -> None:
    """What is known of an interview, at its source."""
    values = {
        "Respondent": interview.id,
        "Initiatief": f"Initiatief {interview.initiative}",
        "Domein": interview.case,
        "Rol": interview.role,
        "Codeurs": ", ".join(interview.coders),
        "Duur": str(minutes),
        "Datum interview": f"2017-{1 + interview.number % 12:02d}-{1 + interview.number % 28:02d}",
    }
    for variable, value in values.items():
        holder = ET.SubElement(source, "VariableValue")
        key = guid("coping_cases", "variable", variable).upper()
        ET.SubElement(holder, "VariableRef", targetGUID=key)
        ET.SubElement(holder, f"{VARIABLES[variable]}Value").text = value


def add_selections(
    rng: np.random.Generator,
    source: ET.Element,
    interview: Interview,
    text: str,
    sentences: list[list[tuple[int, int]]],
) -> None:
    """Mark passages with codes: two coders in one selection, or in two that overlap.

    Every third passage was changed later, and its codings name nobody but who changed them.
    """
    marked = 0
    for code, applied in interview.applied.items():
        coders = [coder for coder in interview.coders if coder in applied]
        for passage in range(1 + min(rng.poisson(0.3), 2)):
            paragraph = sentences[rng.integers(PARAGRAPHS)]
            at = int(rng.integers(SENTENCES - 1))
            marked += 1
            changed = marked % 3 == 0
            for shift, group in enumerate(
                [coders] if interview.together else [[c] for c in coders]
            ):
                start, end = paragraph[at][0], paragraph[at + shift][1]
                key = ("coping_cases", interview.id, code, passage, shift)
                selection = ET.SubElement(
                    source,
                    "PlainTextSelection",
                    guid=guid("selection", *key),
                    name=text[start:end],
                    startPosition=str(start),
                    endPosition=str(end),
                    creatingUser=user(group[0]),
                    creationDateTime=STAMP,
                )
                for coder in group:
                    who = {"modifyingUser" if changed else "creatingUser": user(coder)}
                    when = {"modifiedDateTime" if changed else "creationDateTime": STAMP}
                    coding = ET.SubElement(
                        selection, "Coding", {"guid": guid("coding", *key, coder)} | who | when
                    )
                    target = guid("coping_cases", "code", code).upper()
                    ET.SubElement(coding, "CodeRef", targetGUID=target)
