"""The codebook of a study: what its data file holds, read, checked and given as plain objects."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metastudy.codebook.checks import check
from metastudy.codebook.checks.terms import IGNORE, NO_CONSENT
from metastudy.codebook.parts import (
    ROW_NUMBER,
    DataFile,
    Dependence,
    Exposure,
    PublishedTable,
    Quality,
    Rule,
    Study,
    Variable,
)
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import user_files
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical, did_you_mean, shown
from metastudy.common.yaml_document import Document, YamlPath, read_yaml

__all__ = [
    "Codebook",
    "DataFile",
    "Dependence",
    "Exposure",
    "PublishedTable",
    "Quality",
    "Rule",
    "Study",
    "Variable",
    "check_provenance",
    "load",
    "missing_file",
    "no_data_file",
    "sha256",
]


@dataclass(frozen=True)
class Codebook:
    """A study's codebook, checked. ``vocabulary`` holds the study's own additions too."""

    path: Path
    study: Study
    file: DataFile
    variables: tuple[Variable, ...]
    codes: Mapping[str, str]
    exclude: tuple[Rule, ...]
    quality: tuple[Quality, ...]
    sensitivity: tuple[str, ...]
    outcomes: tuple[str, ...]
    exposures: tuple[Exposure, ...]
    moderators: Mapping[str, float | str]
    nestings: Mapping[str, str]
    dependence: tuple[Dependence, ...]
    constants: Mapping[str, str]
    vocabulary: Vocabulary
    document: Document = field(repr=False)
    reliabilities: Mapping[str, float] = field(default_factory=dict)
    interactions: tuple[tuple[str, str], ...] = ()
    published_tables: tuple[PublishedTable, ...] = ()

    @property
    def data_path(self) -> Path:
        """The data file; another one where only the Unicode form of its name is another."""
        path = self.path.parent / self.file.name
        if self.file.name.isascii() or path.exists() or not path.parent.is_dir():
            return path
        alike = (one for one in path.parent.iterdir() if name_of(one.name) == name_of(path.name))
        return next(alike, path)

    @property
    def of_cases(self) -> Codebook:
        """The codebook as one of the file that has a row for each case: mostly of the data file."""
        file = self.file
        if file.cases is None:
            return self
        own = replace(file, name=file.cases, sheet=file.cases_sheet, cases=None, cases_sheet=None)
        return replace(self, file=own)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The data file, and that of its cases where there is one."""
        return tuple(dict.fromkeys((self.data_path, self.of_cases.data_path)))

    def having(self, role: str) -> tuple[Variable, ...]:
        """Give the variables of a role, in the codebook's order."""
        return tuple(variable for variable in self.variables if variable.role == role)

    def only(self, role: str) -> Variable | None:
        """Give the variable of a role that at most one variable has."""
        return next(iter(self.having(role)), None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of exclusion in order, that of consent among them.

        Consent goes first, as :data:`NO_CONSENT`, unless a rule that names its variable and
        nothing else says where it is.
        """
        consent = self.only("consent")
        if consent is None:
            return self.exclude
        own = [rule for rule in self.exclude if rule.variable == consent.name and not rule.acts]
        placed = {rule: replace(rule, keep=consent.accept) for rule in own}
        first = () if placed else (Rule(NO_CONSENT, consent.name, keep=consent.accept),)
        return (*first, *(placed.get(rule, rule) for rule in self.exclude))

    @property
    def used_names(self) -> tuple[str, ...]:
        """The raw names that are read, each once: not the ignored ones that no rule looks at."""
        names = [variable.name for variable in self.variables if variable.role != IGNORE]
        return tuple(dict.fromkeys([*names, *self._looked_at]))

    @property
    def _looked_at(self) -> dict[str, YamlPath]:
        """The raw names that others name: rules, and ratings their evidence; with the places."""
        found: dict[str, YamlPath] = {}
        for index, rule in enumerate(self.exclude):
            if rule.variable:
                found.setdefault(rule.variable, ("exclude", index, "variable"))
        for index, mark in enumerate(self.quality):
            if mark.variable:
                found.setdefault(mark.variable, ("quality", index, "variable"))
        for index, variable in enumerate(self.variables):
            if variable.evidence:
                found.setdefault(variable.evidence, ("variables", index, "evidence"))
        return found

    def place(self, name: str) -> YamlPath:
        """Give the place in the codebook that first mentions a raw name."""
        for index, variable in enumerate(self.variables):
            if variable.name == name:
                return ("variables", index, "name")
        return self._looked_at.get(name, ())

    def without(self, names: Collection[str]) -> Codebook | None:
        """The codebook without some raw names, as far as the rest can stand without them.

        ``None`` if the id is among them, what a rule of exclusion looks at, or a part of what makes
        arms of a row: who stays, and in which arm, is then not known. Marks of quality go; they
        say nothing of what may be in a cell.
        """
        roles = ("id", "consent", "coder", "outcome", "count")
        needed = {v.name for v in self.variables if v.role in roles or v.arm}
        needed |= {str(rule.variable) for rule in self.exclude}
        if needed & set(names):
            return None
        kept = tuple(variable for variable in self.variables if variable.name not in names)
        return replace(self, variables=kept, quality=())

    @property
    def named(self) -> tuple[str, ...]:
        """Every raw name that the codebook mentions, each once."""
        names = [variable.name for variable in self.variables]
        return tuple(dict.fromkeys([*names, *self.used_names]))


def load(folder: Path, vocabulary: Vocabulary, manifest: Path | None = None) -> Codebook:
    """Load a study's codebook and check all that can be checked without opening the data.

    Parameters
    ----------
    folder : the study's folder, ``data/raw/<study>``.
    vocabulary : the common vocabulary; the codebook's additions are added to it.
    manifest : ``data/raw/manifest.yaml``; if given, the data file must be there and the
        provenance flag must agree with it (:func:`check_provenance`).

    Returns
    -------
    Codebook

    Raises
    ------
    BadInput
        With every problem found: keys and types (the schema), names (the vocabulary), what
        contradicts itself, a missing data file, a false provenance flag. A link that leads out of
        the folder is refused before anything is read.
    """
    folder = Path(folder)
    if leads_away := _outside(folder / "codebook.yaml", folder.name, folder):
        raise BadInput(leads_away)
    document = read_yaml(folder / "codebook.yaml", study=folder.name)
    vocabulary, problems = check(document, vocabulary)
    if problems:
        raise BadInput(problems)

    codebook = _build(document, vocabulary)
    if manifest is not None:
        check_provenance(codebook, manifest)
    return codebook


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def no_data_file(codebook: Codebook, key: str = "name") -> Problem:
    """The problem that the data file is not there, or is no file that can be read."""
    path = codebook.data_path
    folder = path.parent.iterdir() if path.parent.is_dir() else ()
    near = did_you_mean(path.name, (entry.name for entry in folder if entry.name != path.name))
    found = user_files.kind(path) or "a file that cannot be read"
    return Problem(
        file=shown(path),
        found=found + (f".{near}" if found == "no such file" else ""),
        expected="the data file that the codebook names",
        fix=f"put the file there, or correct file.{key} in {shown(codebook.path)}",
        study=codebook.study.id,
        code="missing-file",
    )


def missing_file(codebook: Codebook) -> list[Problem]:
    """The problems that a data file is not there, leads elsewhere or is too large."""
    problems = _missing(codebook)
    return problems + (_missing(codebook.of_cases, "cases") if len(codebook.paths) > 1 else [])


def _missing(codebook: Codebook, key: str = "name") -> list[Problem]:
    path = codebook.data_path
    if leads_away := _outside(path, codebook.study.id, codebook.path.parent):
        return [leads_away]
    if user_files.kind(path) and not path.is_file():
        return [no_data_file(codebook, key)]
    if (bytes_ := path.stat().st_size) <= user_files.MOST_BYTES:
        return []
    return [
        Problem(
            file=shown(path),
            found=f"a file of {user_files.size(bytes_)}",
            expected=f"a data file of at most {user_files.size(user_files.MOST_BYTES)}",
            fix="take out what is no data, such as the recordings inside a project",
            study=codebook.study.id,
            code="too-large",
        )
    ]


def _outside(path: Path, study: str, folder: Path) -> Problem | None:
    """The problem that a file of a study is not in the study's folder, whatever it is called."""
    if not user_files.outside(path, folder):
        return None
    return Problem(
        file=shown(path),
        found="a link that leads out of the study's folder",
        expected="a file in the folder of the study; a link may be that folder as a whole",
        fix=f"put the file itself there (git-annex: unlock it), or link the folder {shown(folder)}",
        study=study,
        code="outside",
    )


def check_provenance(codebook: Codebook, manifest: Path) -> str:
    """Check that the flag ``provenance`` and the manifest of simulated files agree.

    Parameters
    ----------
    codebook : says ``simulated`` or ``observed``.
    manifest : YAML, study to file name to SHA-256, for the simulated files and no others.

    Returns
    -------
    The data file's SHA-256.

    Raises
    ------
    BadInput
        ``missing-file`` if there is no data file; ``provenance`` if the file is flagged as
        simulated and is not the one in the manifest, or as observed and is in it.
    """
    study = codebook.study
    if problems := missing_file(codebook):
        raise BadInput(problems)
    document = read_yaml(Path(manifest), study=study.id, code="provenance")
    listed = document.data if isinstance(document.data, dict) else {}
    entries = {name: files for name, files in listed.items() if isinstance(files, dict)}
    digests = [_provenance(codebook, path, entries) for path in codebook.paths]
    return digests[0]


def _provenance(codebook: Codebook, path: Path, entries: Mapping[str, Mapping[str, Any]]) -> str:
    study = codebook.study
    own = entries.get(study.id, {}).get(path.name)
    anywhere = {str(value) for files in entries.values() for value in files.values()}
    try:
        digest = sha256(path)
    except OSError as error:
        raise BadInput(
            Problem(
                file=shown(path),
                found=f"a file that cannot be read: {error.strerror}",
                expected="a data file that may be read",
                fix="give yourself the right to read it",
                study=study.id,
                code="missing-file",
            )
        ) from None
    flag = codebook.document.line(("study", "provenance"))
    fix = f"correct study.provenance on line {flag} of {shown(codebook.path)}"
    found = expected = None
    if study.provenance == "simulated" and own != digest:
        listing = f"the manifest has {own}" if own else "the manifest does not have this file"
        found = f"provenance 'simulated', but {listing}; the file's SHA-256 is {digest}"
        expected = "a simulated file whose SHA-256 is in the manifest"
        fix += " to 'observed' if these are real data, or generate the simulated file again"
    elif study.provenance == "observed" and digest in anywhere:
        found = f"provenance 'observed', but the manifest lists the file as simulated ({digest})"
        expected = "real data, which the manifest of simulated files does not list"
        fix += " to 'simulated', or put the real file in"
    if found and expected:
        raise BadInput(
            Problem(
                file=shown(path),
                found=found,
                expected=expected,
                fix=fix,
                study=study.id,
                code="provenance",
            )
        )
    return digest


def _build(document: Document, vocabulary: Vocabulary) -> Codebook:
    raw: Mapping[str, Any] = document.data

    def named(entry: Mapping[str, Any]) -> dict[str, Any]:
        keys = [key for key in ("name", "variable", "evidence") if key in entry]
        return {**entry, **{key: name_of(entry[key]) for key in keys}}

    def codes(values: Any) -> tuple[str, ...]:
        return tuple(canonical(value) for value in values)

    def by_code(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {canonical(key): value for key, value in mapping.items()}

    def quality(entry: Mapping[str, Any]) -> Quality:
        lists: dict[str, Any] = {"constant_over": tuple(entry.get("constant_over", ()))}
        return Quality(**{**named(entry), **lists, "keep": codes(entry.get("keep", ()))})

    def variable(entry: Mapping[str, Any]) -> Variable:
        entry = named(entry)
        entry["role"] = entry.pop("as")
        if entry["role"] == "code":
            entry.setdefault("separator", "")  # a cell is one code
        for key in ("missing", "values", "scales"):
            entry[key] = by_code(entry.get(key, {}))
        entry["factors"] = {name: by_code(of) for name, of in entry.get("factors", {}).items()}
        entry["accept"] = codes(entry.get("accept", ()))
        entry["constructs"] = tuple(entry.get("constructs", ()))
        return Variable(**entry)

    def dependence(entry: Mapping[str, Any]) -> Dependence:
        return Dependence(**{**entry, "findings": codes(entry.get("findings", ()))})

    def table(entry: Mapping[str, Any]) -> PublishedTable:
        return PublishedTable(**{**entry, "by": tuple(entry.get("by", ()))})

    def rule(entry: Mapping[str, Any]) -> Rule:
        lists = {key: codes(entry[key]) for key in ("drop", "keep") if key in entry}
        return Rule(**{**named(entry), **lists})

    file = dict(raw["file"])
    if "present" in file:
        file["present"] = codes(file["present"])
    numbered = (Variable(ROW_NUMBER, "id"),) if "ids" in file else ()
    return Codebook(
        path=document.path,
        study=Study(**raw["study"]),
        file=DataFile(**file),
        variables=(*(variable(entry) for entry in raw["variables"]), *numbered),
        codes=dict(raw.get("codes", {})),
        exclude=tuple(rule(entry) for entry in raw.get("exclude", ())),
        quality=tuple(quality(entry) for entry in raw.get("quality", ())),
        sensitivity=tuple(raw.get("sensitivity", ())),
        outcomes=tuple(raw.get("outcomes", ())),
        exposures=tuple(Exposure(**entry) for entry in raw.get("exposures", ())),
        moderators=dict(raw.get("moderators", {})),
        nestings={name: canonical(value) for name, value in raw.get("nestings", {}).items()},
        constants={name: canonical(value) for name, value in raw.get("constants", {}).items()},
        dependence=tuple(dependence(entry) for entry in raw.get("dependence", ())),
        vocabulary=vocabulary,
        document=document,
        reliabilities=dict(raw.get("reliabilities", {})),
        interactions=tuple((one, other) for one, other in raw.get("interactions", ())),
        published_tables=tuple(table(entry) for entry in raw.get("published_tables", ())),
    )
