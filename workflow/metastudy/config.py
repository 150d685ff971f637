"""The configuration, checked, and what it selects: studies, modules and their fits.

Imported while the Snakefile is read, so nothing heavy is imported here.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from metastudy.codebook import candidates
from metastudy.codebook import vocabulary as vocabularies
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.json_schema import validator, violations, with_defaults
from metastudy.common.problems import BadInput, MetastudyError, Problem
from metastudy.common.text import did_you_mean, numeral
from metastudy.common.user_files import link_note
from metastudy.common.yaml_document import read_yaml, yaml_path
from metastudy.parcels import folders, request

__all__ = [
    "Fit",
    "Found",
    "Module",
    "StudyFiles",
    "checked",
    "completed",
    "discover",
    "grows",
    "links",
    "manifest",
    "orphans",
]

__resources__ = ("../schemas/config.schema.yaml", "../schemas/codebook.schema.yaml")
MANIFEST = "manifest.yaml"  # of simulated files, beside the studies
NO_STUDIES = ("figures", "index")  # of the data report, beside the pages of studies
# Sensitivity analyses that are kinds of models of their own: of which kind the module's main model
# is, and what it then has.
OWN_KINDS = {"ordinal": ("answers", "answers to items"), "interviews": ("codings", "interviews")}
SCHEMA = Path(__file__).parent.parent / "schemas" / "config.schema.yaml"


@dataclass(frozen=True)
class StudyFiles:
    """A study as the rules see it: its files, the modules it has outcomes for, or findings."""

    files: tuple[str, ...]
    modules: tuple[str, ...]
    published: bool = False
    declared: bool = False  # moderators, groupings or reliabilities
    parcel: bool = False  # sufficient statistics, and no rows of people
    summed: bool = False  # arms with means, and no rows of people


@dataclass(frozen=True)
class Module:
    """A module with at least one selected study."""

    model: str
    studies: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """A fit of a module, or a sensitivity analysis of one by its name, and the studies in it."""

    module: str
    variant: str
    model: str
    studies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What the configuration selects; ``complete`` where it leaves nothing out.

    A fit is called after its module, and a sensitivity analysis ``<module>-<variant>``.
    ``left_out`` says what is there and not taken, and why; ``notes``, which parcels were made for
    another request than the present one, whose digest is ``request``.
    """

    studies: dict[str, StudyFiles]
    modules: dict[str, Module]
    fits: dict[str, Fit]
    complete: bool
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    request: str = ""


# Settings of the configuration that ships that are about its own studies, as a project of one's own
# has them where it says nothing.
OF_THE_SHIPPED: Mapping[str, Any] = {
    "require": {},
    "sensitivity": {"folded": [], "ordinal": [], "interviews": []},
    "pooling": {"standardisers": [], "correlation": 0.6, "correlation_of_arms": None},
    "selection": {"sides": {}},
    "primary": {},
    "candidates": [],
}


def completed(config: Mapping[str, Any], shipped: Path) -> dict[str, Any]:
    """A configuration that says only what differs, with all the rest as it ships.

    Parameters
    ----------
    config : what a project of one's own says; of a section it may have some of the keys.
    shipped : the configuration that comes with the workflow. What it says of its own studies is no
        default for others.
    """
    defaults = read_yaml(shipped, code="config").data | OF_THE_SHIPPED
    found = copy.deepcopy(dict(config))
    for key, default in defaults.items():
        own = found.setdefault(key, copy.deepcopy(default))
        # What is a choice of the project is not mixed with another's.
        if isinstance(own, Mapping) and isinstance(default, Mapping) and key not in OF_THE_SHIPPED:
            found[key] = copy.deepcopy(dict(default)) | dict(own)
    return found


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration, if it keeps the schema, with the defaults of what it leaves out.

    Raises
    ------
    BadInput
        All that is wrong at once: key, what was found, what was expected, a likely spelling.
    """
    schema = validator(SCHEMA)
    settings = copy.deepcopy(dict(config))
    for error in list(validator(SCHEMA, strict=True).iter_errors(settings)):
        _read_number(settings, error)
    problems = [
        Problem(
            file="config/config.yaml or --config",
            column=yaml_path(one.place),
            found=one.found,
            expected=one.expected,
            fix="correct the key; workflow/schemas/config.schema.yaml describes each",
            code="config",
        )
        for error in schema.iter_errors(settings)
        for one in violations(error)
    ]
    problems += candidates.unshown_candidates(settings.get("candidates"))
    if problems:
        raise BadInput(problems)
    return with_defaults(settings, cast("dict[str, Any]", schema.schema))


def _read_number(config: dict[str, Any], error: ValidationError) -> None:
    """Put a number in place of its text, and a whole one in place of one like 2.0.

    Inside `--config section={...}` Snakemake leaves texts.
    """
    found = error.instance
    if error.validator == "type" and isinstance(found, str | float) and error.absolute_path:
        number = numeral(found) if isinstance(found, str) else found
        if number is not None:
            *sections, key = error.absolute_path
            place: Any = config
            for section in sections:
                place = place[section]
            place[key] = int(number) if number.is_integer() else number


def discover(config: Mapping[str, Any]) -> Found:
    """Studies, modules and fits that the configuration selects.

    A study is a folder with a codebook, or with a parcel. Its outcomes say which modules it enters.
    A sensitivity analysis that the vocabulary allows and the selected studies do not is left out.

    Raises
    ------
    BadInput
        For a codebook or vocabulary that is wrong, a study or module that does not exist, or a
        sensitivity analysis that a module cannot have.
    """
    common = vocabularies.load(Path(config["vocabulary"]))
    data = Path(config["data"])
    there = folders.studies_in(data)
    what = f"a folder with a codebook or a parcel in {data}"
    names = _selected("studies", config["studies"], there, what)
    present = request.of_config(config, common)
    books = folders.said_in_each(data, names, common, present)
    vocabulary = vocabularies.merge(common, [book.additions for book in books.values()])
    wanted = _selected("modules", config["modules"], list(vocabulary["modules"]), "a module")
    studies: dict[str, StudyFiles] = {}
    members: dict[str, list[str]] = {}
    missing: list[Problem] = []
    left_out = [*_no_studies(data), *_not_selected(names, there)]
    folding = {m for m in vocabulary["modules"] if _has_parts(vocabulary, _all(vocabulary), m)}
    folded: set[str] = set()
    for name, book in books.items():
        entered = [book.vocabulary.module(outcome) for outcome in book.outcomes]
        mine = tuple(dict.fromkeys(m for m in entered if m in wanted))
        others = list(dict.fromkeys(str(m) for m in entered if m not in wanted))
        if not mine and (entered or config["modules"] != "all"):
            # What has no outcome of any module is shown, so it belongs to all of them.
            has = f"has outcomes of {', '.join(others)} only" if others else "has no outcomes"
            left_out.append(f"the study {name}: it {has}, and `modules` is {', '.join(wanted)}")
            continue
        if others:
            left_out.append(
                f"outcomes of the study {name} in {', '.join(others)}: `modules` is "
                f"{', '.join(wanted)}"
            )
        missing += book.missing
        kinds = (book.published, book.declared, book.parcel, book.summed)
        studies[name] = StudyFiles(book.files, mine, *kinds)
        for module in mine:
            members.setdefault(module, []).append(name)
            if _has_parts(book.vocabulary, book.outcomes, module):
                folded.add(module)
    missing += _wrong_analyses(config["sensitivity"], vocabulary, folding | folded)
    if config["studies"] == "all":  # a part of them may lack what another adds to the vocabulary
        missing += candidates.wrong_candidates(config.get("candidates", ()), vocabulary)
    if missing:
        raise BadInput(missing)
    if not there:
        raise MetastudyError(
            f"there is no study yet: {data} has no folder with a codebook.yaml or a parcel. Draft "
            "the first from a data file with `snakemake codebook --config study=NAME file=PATH`; "
            f"{data / 'README.md'} and docs/tutorial.md say how a study is entered."
        )
    if not members and not any(study.published for study in studies.values()):
        raise MetastudyError(
            "no study is selected: none of the studies has an outcome of the selected modules "
            f"({', '.join(wanted)})"
        )
    modules = {
        m: Module(vocabulary.model(m), tuple(members[m]))
        for m in vocabulary["modules"]
        if m in members
    }
    absent = candidates.absent_candidates(config.get("candidates", ()), studies, modules)
    left_out += [f"the candidate '{name}': {why}" for name, why in absent.items()]
    everything = config["studies"] == config["modules"] == "all"
    complete = everything and set(common["modules"]) <= set(modules)
    fits = {m: Fit(m, "main", found.model, found.studies) for m, found in modules.items()}
    for m, found in modules.items():
        if m in folded and m in config["sensitivity"].get("folded", ()):
            fits[f"{m}-folded"] = Fit(m, "folded", found.model, found.studies)
        for kind in OWN_KINDS:
            if m not in config["sensitivity"].get(kind, ()):
                continue
            with_rows = tuple(
                n for n in found.studies if not (studies[n].parcel or studies[n].summed)
            )
            if without := [n for n in found.studies if n not in with_rows]:
                left_out.append(
                    f"the studies {', '.join(without)} in {m}-{kind}: not from a parcel or from "
                    "means of arms, as this analysis counts single answers"
                    + ("" if with_rows else "; no study is left, so there is no such analysis")
                )
            if with_rows:
                fits[f"{m}-{kind}"] = Fit(m, kind, kind, with_rows)
    notes = tuple(f"{name}: {book.note}" for name, book in books.items() if book.note)
    return Found(studies, modules, fits, complete, tuple(left_out), notes, present.digest)


def _no_studies(data: Path) -> Iterator[str]:
    """Folders and files among the studies that are none: what was meant may be misspelt."""
    for path in sorted(data.iterdir()) if data.is_dir() else ():
        if path.name.startswith((".", "_")) or path.name.lower().startswith("readme"):
            continue
        if path.is_dir() and any(path.glob(f"*{folders.SUFFIX}")):
            continue
        if path.is_dir() and not (path / "codebook.yaml").is_file():
            inside = [one.name for one in path.iterdir()]
            near = did_you_mean("codebook.yaml", inside)
            said = "it has no codebook.yaml and no parcel, so it is no study."
            yield f"the folder {path}: {said}{near}"
        elif path.is_file() and path.name != MANIFEST:
            yield f"the file {path}: it is not in the folder of a study"


def _not_selected(names: list[str], there: list[str]) -> Iterator[str]:
    if others := [name for name in there if name not in names]:
        yield f"the studies {', '.join(others)}: `studies` is {', '.join(names)}"


def _all(vocabulary: Vocabulary) -> list[str]:
    return [*vocabulary["constructs"], *vocabulary["codes"]]


def _has_parts(vocabulary: Vocabulary, outcomes: Collection[str], module: str) -> bool:
    """Whether some of the outcomes of a module are parts of others of them."""
    mine = [name for name in outcomes if vocabulary.module(name) == module]
    return any(name != whole for name, whole in vocabulary.folding(mine).items())


def _wrong_analyses(
    asked: Mapping[str, list[str]], vocabulary: Vocabulary, folding: Collection[str]
) -> Iterator[Problem]:
    """The sensitivity analyses that no studies could give, whatever the data."""
    models = {name: vocabulary.model(name) for name in vocabulary["modules"]}
    for variant, able, what in (
        ("folded", [m for m in models if m in folding], "an outcome that is a part of another"),
        *((v, [m for m in models if models[m] == of], what) for v, (of, what) in OWN_KINDS.items()),
    ):
        for name in asked.get(variant, ()):
            if name not in able:
                yield Problem(
                    file="config/config.yaml or --config",
                    column=f"sensitivity.{variant}",
                    found=repr(name),
                    expected=f"a module with {what}: {', '.join(able) or 'there is none'}"
                    + did_you_mean(name, able),
                    fix=f"take {name!r} out of `sensitivity.{variant}`",
                    code="config",
                )


def _selected(key: str, asked: str | list[str], there: list[str], what: str) -> list[str]:
    if asked == "all":
        return there
    names = [asked] if isinstance(asked, str) else list(asked)
    problems = [
        Problem(
            file="config/config.yaml or --config",
            column=key,
            found=repr(name),
            expected=f"{what}: {', '.join(there) or 'there is none'}" + did_you_mean(name, there),
            fix=f"correct `{key}`",
            code="config",
        )
        for name in names
        if name not in there
    ]
    if problems:
        raise BadInput(problems)
    return names


def links(config: Mapping[str, Any], studies: Iterable[str]) -> list[str]:
    """Say which folders of raw data are links, and where they lead: a line for each."""
    data = Path(config["data"])
    notes = (link_note(folder) for folder in (data, *(data / study for study in studies)))
    return [note for note in notes if note]


def orphans(config: Mapping[str, Any], results: Path) -> list[str]:
    """The results of studies that are not there any more: folders, and pages of the data report.

    Parameters
    ----------
    config : says where the studies are. One that is there and not selected is no orphan.
    results : folder of the results.
    """
    there = set(folders.studies_in(Path(config["data"])))
    found = [
        path
        for pattern, known in (
            ("harmonized/*", there),
            ("staged/*", there),
            ("data_report/*", {*there, *NO_STUDIES}),
        )
        for path in results.glob(pattern)
        if path.name.split(".")[0] not in known and not path.name.startswith(".")
    ]
    return sorted(map(str, found))


def grows(manuscript: Path) -> bool:
    """Whether an article takes its sections from what there is, and so can be made of any part.

    Parameters
    ----------
    manuscript : its folder.
    """
    return any("_part-results.md" in p.read_text("utf-8") for p in manuscript.glob("*.qmd"))


def manifest(config: Mapping[str, Any]) -> str:
    """Path of the manifest of simulated files."""
    return str(Path(config["data"]) / MANIFEST)
