"""Variants of coded sources: the project, and the codebook that maps its codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from helpers.good_studies import CODED, Variant, packed, rezipped
from helpers.variants.registry import broken


# --- a project -----------------------------------------------------------------------------------
def of_project(name: str, change: Callable[[Any], Any]) -> None:
    """Register a class that changes a project in its parts."""
    broken(name, ("qdpx",))(lambda v: change(v.project))


def of_xml(name: str, old: str, new: str, count: int = -1) -> None:
    """Register a class that changes the XML of a project."""

    def maker(v: Variant) -> None:
        xml = v.project.xml()
        assert old in xml, old
        v.content = packed(v.project, xml.replace(old, new, count).encode())

    broken(name, ("qdpx",))(maker)


def coding(made: Any, place: int = 0) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for source in made.sources for one in source["codings"]]
    return found[place]


of_project("offsets beyond the text", lambda p: coding(p).update(start=9000, end=9010))
of_project("end before the start", lambda p: coding(p).update(start=30, end=20))
of_project("offset that is no number", lambda p: coding(p).update(start="two"))
of_project("negative offset", lambda p: coding(p).update(start=-3))
of_project("coding with a code that is not there", lambda p: coding(p).update(code="C99"))
of_project("coding by a user who is not there", lambda p: coding(p).update(user="U99"))
of_project("case of a source that is not there", lambda p: p.cases[2].update(source="S99"))
of_project("source without a case", lambda p: p.cases.pop(2))
of_project("text of a source missing", lambda p: p.members.pop("Sources/S1.txt"))
of_project("text of a source cut off", lambda p: p.members.update({"Sources/S1.txt": "Short."}))
of_project(
    "text of a source not UTF-8",
    lambda p: p.members.update({"Sources/S1.txt": ("Ærø " * 90).encode("latin-1")}),
)
of_project(
    "text of a source outside the archive",
    lambda p: p.sources[0].update(path="internal://../../../../etc/passwd"),
)
of_project(
    "text of a source at an absolute path",
    lambda p: p.sources[0].update(path="absolute:///etc/passwd"),
)
of_project(
    "unknown code, used", lambda p: (p.codes.update(C9="Novel"), coding(p).update(code="C9"))
)
of_project("unknown code, not used", lambda p: p.codes.update(C9="Novel"))
of_project("code renamed", lambda p: p.codes.update(C1="Unsure"))
of_project("code gone", lambda p: _without_code(p, "C3"))
of_project("two codes of one name", lambda p: p.codes.update(C9="Not sure"))
of_project("unknown coder", lambda p: p.cases[0]["values"].update(V3="Ann;Cleo"))
of_project("unknown label", lambda p: p.cases[0]["values"].update(V2="Atlantis"))
of_project("other case of a label", lambda p: p.cases[0]["values"].update(V2="scotland"))
of_project("same id twice", lambda p: p.cases[1]["values"].update(V0="1"))
of_project("no id", lambda p: p.cases[1]["values"].pop("V0"))
of_project("column renamed", lambda p: p.variables.update(V2="country"))
of_project("column missing", lambda p: _without_variable(p, "V2"))
of_project("columns in another order", lambda p: _reversed(p, "variables"))
of_project("unknown column besides", lambda p: p.variables.update(V9="extra"))
of_project("value of a variable that is not there", lambda p: p.cases[0]["values"].update(V99="x"))
of_project("codes in another order", lambda p: _reversed(p, "codes"))
of_project("blanks around", lambda p: p.cases[0]["values"].update(V1="  Leith ", V2=" Scotland "))
of_project(
    "decomposed letters",
    lambda p: [
        case["values"].update(V1=unicodedata.normalize("NFD", case["values"]["V1"]))
        for case in p.cases
    ],
)
of_project("folder of sources in lower case", lambda p: _renamed(p, "Sources/", "sources/"))
of_project("headers only", lambda p: (p.cases.clear(), p.sources.clear()))
of_xml("another namespace", "urn:QDA-XML:project:1.0", "urn:QDA-XML:codebook:1.0")
of_xml("references in another case", 'targetGUID="C', 'targetGUID="c')
of_xml("line ends of Windows", "\n", "\r\n")
of_xml("byte order mark", "<?xml", "\ufeff<?xml")
of_xml("NUL in a cell", "Leith", "Le\0ith")
of_xml("unknown encoding in the XML", 'encoding="utf-8"', 'encoding="klingon"')
of_project("no users at all, two readers", lambda p: p.users.clear())


def _without_code(made: Any, code: str) -> None:
    del made.codes[code]
    for source in made.sources:
        source["codings"] = [one for one in source["codings"] if one["code"] != code]


def _without_variable(made: Any, guid: str) -> None:
    del made.variables[guid]
    for case in made.cases:
        del case["values"][guid]


def _reversed(made: Any, part: str) -> None:
    setattr(made, part, dict(reversed(list(getattr(made, part).items()))))


def _renamed(made: Any, old: str, new: str) -> None:
    made.members = {name.replace(old, new): text for name, text in made.members.items()}


@broken("project file not UTF-8", ("qdpx",))
def _(v: Variant) -> None:
    v.content = packed(v.project, v.project.xml().encode("latin-1"))


@broken("project file in declared Latin-1", ("qdpx",))
def _(v: Variant) -> None:
    v.project.encoding = "iso-8859-1"
    v.content = packed(v.project, v.project.xml().encode("latin-1"))


@broken("project file missing", ("qdpx",))
def _(v: Variant) -> None:
    v.content = rezipped(v.bytes(), lambda m: m.pop("project.qde"))


# --- codebooks of coded sources ------------------------------------------------------------------
for _name, _old, _new in (
    ("misspelt code", "Not sure: uncertainty", "Not sure: uncertanty"),
    ("misspelt name of a code", "  Not sure: unc", "  Not sur: unc"),
    ("code that is not in the file", "codes:\n", "codes:\n  Novel: morale\n"),
):
    broken(_name, CODED)(lambda v, old=_old, new=_new: v.say(old, new))  # type: ignore[misc]


@broken("code left out of the codebook", ("qdpx", "segments"))
def _(v: Variant) -> None:
    v.say("  Not sure: uncertainty\n", "")
    v.say("uncertainty, ", "")


@broken("coded sources without codes", CODED)
def _(v: Variant) -> None:
    v.codebook = re.sub(r"codes:\n(  .*\n)+outcomes: .*\n", "", str(v.codebook))


@broken("coded sources in an experiment", CODED)
def _(v: Variant) -> None:
    v.say("design: interviews", "design: experiment")


@broken("study of another name", CODED)
def _(v: Variant) -> None:
    v.say("id: small", "id: other")
