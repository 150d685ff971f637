"""Variants of the codebook."""

from __future__ import annotations

import random

from helpers.good_studies import Variant
from helpers.variants.registry import BOOK, book, broken


def whole(name: str, content: str | bytes) -> None:
    """Register a class in which the codebook is something else altogether."""

    def maker(v: Variant) -> None:
        v.codebook = content

    broken(name, BOOK)(maker)


def more(name: str, lines: str) -> None:
    """Register a class in which something is after the codebook."""

    def maker(v: Variant) -> None:
        v.codebook = str(v.codebook) + lines

    broken(name, BOOK)(maker)


whole("codebook empty", "")
whole("codebook is a list", "- study\n- file\n")
whole("codebook is a text", "study\n")
whole("codebook is a number", "7\n")
whole("codebook cut off", Variant("csv").codebook[:300])
whole(
    "codebook not UTF-8",
    str(Variant("csv").codebook).replace("small st", "små st").encode("cp1252"),
)
whole("codebook in UTF-16", str(Variant("csv").codebook).encode("utf-16"))
whole("codebook with a byte order mark", "\ufeff" + str(Variant("csv").codebook))
whole("codebook with line ends of Windows", str(Variant("csv").codebook).replace("\n", "\r\n"))
whole("codebook of bytes", random.Random(1).randbytes(2000))
whole("codebook with a NUL", str(Variant("csv").codebook).replace("A small", "A\0small"))
whole("codebook nested very deeply", "a: " + "[" * 50_000)
whole("codebook of a Python object", "!!python/object/apply:os.system ['true']\n")
whole("codebook with a tabulator", str(Variant("csv").codebook).replace("  title", "\ttitle"))
whole("two documents", str(Variant("csv").codebook) + "---\nstudy: {}\n")

BOMB = "".join(
    f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" if i else "l0: &l0 [a, a]\n"
    for i in range(12)
)
more("YAML bomb", BOMB)
more("YAML bomb in a place that is allowed", "x: 1\n" + BOMB.replace("l11:", "exclude_:"))
more(
    "YAML bomb of merges",
    "".join(
        f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}\n" if i else "m0: &m0 {a: 1}\n"
        for i in range(9)
    ),
)
more("anchor that holds itself", "quality_: &self [*self]\n")
more("mapping that merges itself", "quality_: &self {<<: *self}\n")
more("alias without an anchor", "label: *nowhere\n")
more("key twice at the top", "outcomes: [threat_job]\n")
book("anchor that holds itself, in a list", "outcomes: [threat_job]", "outcomes: &o [*o]")
book("key twice in the study", "  design:", "  id: small\n  design:")
book("key twice in a variable", "{name: nr, as: id}", "{name: nr, as: id, as: item}")
book("study of another name", "id: small", "id: other")
book("study without a name", "  id: small\n", "")
book("misspelt key of the study", "  citation:", "  citaton:")
book("misspelt key of the file", "format: csv", "formt: csv")
book("misspelt key of a variable", "keying:", "keyign:")
book("misspelt section", "outcomes:", "outcome:")
book("misspelt key of a rule", "drop: [test]", "drops: [test]")
book("misspelt key of a quality rule", "constant_over:", "constant:")
book("misspelt key of an exposure", "{factor: task_type, type", "{facter: task_type, type")
book("misspelt section of the vocabulary", "missing_reasons:", "missing_reason:")
book("misspelt sensitivity", "[design_based]", "[design_base]")
book("misspelt outcome", "outcomes: [threat_job]", "outcomes: [threat_jobs]")
book(
    "misspelt construct",
    "q3, as: item, construct: threat_job",
    "q3, as: item, construct: treat_job",
)
book("misspelt factor", "factors: {task_type:", "factors: {task_typ:")
book("misspelt level", "2: core}}", "2: cor}}")
book("misspelt reason", "99: tired}, keying", "99: tierd}, keying")
book("misspelt country", "country: DK", "country: DX")
book("misspelt sector", "sector: elderly_care", "sector: elderly")
book("misspelt role", "role: professional", "role: profesional")
book("misspelt kind of variable", "{name: w, as: weight}", "{name: w, as: wieght}")
book("misspelt design", "design: experiment", "design: experimental")
book("misspelt provenance", "provenance: observed", "provenance: real")
book("misspelt variable", "{name: q3,", "{name: q33,")
book("misspelt variable of a rule", "variable: status", "variable: statos")
book("misspelt name of the file", "name: answers.csv", "name: answer.csv")
book("file outside the folder", "name: answers.csv", "name: ../answers.csv")
book("file is the folder above", "name: answers.csv", "name: '..'")
book("file with an absolute path", "name: answers.csv", "name: /etc/passwd")
book("variable twice", "{name: q3,", "{name: q1,")
book("two ids", "{name: home, as: site}", "{name: home, as: id}")
book("no id variable", "{name: nr, as: id}", "{name: nr, as: ignore}")
book("no variables", "variables:\n", "variables: []\nfirst:\n")
book("consent without accept", ", accept: [1]}", "}")
Q1 = "q1, as: item, construct: threat_job, min: 1, max: 7"
book("bounds swapped", Q1, Q1.replace("min: 1, max: 7", "min: 7, max: 1"))
book("bounds equal", Q1, Q1.replace("min: 1", "min: 7"))
book("bound that is a text", Q1, Q1.replace("min: 1", "min: one"))
book("bound that is not finite", Q1, Q1.replace("max: 7", "max: 1.0e999"))
book(
    "missing code inside the scale",
    "{98: dont_know, 99: tired}, keying",
    "{7: dont_know, 99: tired}, keying",
)
book(
    "same missing code twice",
    "{98: dont_know, 99: tired}, keying",
    "{98: dont_know, 98.0: tired}, keying",
)
book("value that is missing too", "missing: {x: refused}}", "missing: {f: refused}}")
book(
    "values outside the bounds",
    "{98: dont_know, 99: tired}, keying: reverse}",
    "{99: tired}, values: {1: 1, 2: 9}}",
)
book("trait without values", "trait: gender, values: {f: woman, m: man}", "trait: gender")
book("weight without an analysis", "sensitivity: [design_based]\n", "")
book("analysis without a weight", "{name: w, as: weight}", "{name: w, as: ignore}")
book("same answer over items of one keying", ", keying: reverse}", "}")
book("rule with two actions", "drop: [test]}", "drop: [test], keep: [real]}")
book("rule without an action", ", drop: [test]}", "}")
book("rule twice", "{rule: broke_off", "{rule: test_row")
book("randomised factor that is not", "type: randomised}", "type: organisational}")
book("factor without randomised", ", randomised: true", "")
book(
    "exposure that is no variable", "{factor: task_type, type", "{factor: involvement_degree, type"
)
book(
    "exposure of two kinds",
    "{factor: task_type, type",
    "{factor: task_type, construct: threat_job, type",
)
book("key of another kind of variable", "{name: nr, as: id}", "{name: nr, as: id, min: 1}")
book("field outside published", "{name: home, as: site}", "{name: home, as: finding, field: n}")
book("code of interviews in an experiment", "outcomes: [", "codes: {A: uncertainty}\noutcomes: [")
book("sheet of a text file", "format: csv", "format: csv, sheet: A")
book("delimiter of two signs", "format: csv", "format: csv, delimiter: ';;'")
book("delimiter that is a quotation mark", "format: csv", "format: csv, delimiter: '\"'")
book("delimiter beyond ASCII", "format: csv", "format: csv, delimiter: '§'")
book("vocabulary redefines an entry", "{tired: {label", "{refused: {label: Else}, tired: {label")
book("vocabulary without a label", "{tired: {label: Too tired}}", "{tired: {}}")
book(
    "vocabulary of a family that is not there",
    "vocabulary:\n",
    "vocabulary:\n  constructs:\n"
    "    envy: {label: Envy, definition: A wish., direction: more, family: sins}\n",
)
book("list where a mapping belongs", "  missing_reasons: {tired: {label: Too tired}}", "  - tired")
book("mapping where a list belongs", "outcomes: [threat_job]", "outcomes: {threat_job: 1}")
book("text where a list belongs", "outcomes: [threat_job]", "outcomes: threat_job")
book("nothing where a list belongs", "outcomes: [threat_job]", "outcomes:")
book("key that is no text", "outcomes: [threat_job]", "outcomes: [threat_job]\n? [a, b]\n: c")
book("number that is very long", Q1, Q1.replace("max: 7", f"max: {'9' * 5000}"))
