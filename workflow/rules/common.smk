"""All Python of the rules: the checked configuration, the studies, digests and input functions.

Nothing heavy is imported here: the no-op run pays for every import.
"""

import json
import marshal
import os
import re
import shlex
import sys
import tarfile
import tempfile
from pathlib import Path

from snakemake.logging import logger
from snakemake.sourcecache import HostingProviderFile, LocalSourceFile


def repository(rules):
    """The folder of this repository, whoever uses the rules and wherever they come from.

    Snakemake fetches the files of a hosted module one by one, and the library is many files: so its commit
    is unpacked once, from the clone that Snakemake keeps.
    """
    if isinstance(rules, LocalSourceFile):
        return Path(rules.path).parents[1]
    if not isinstance(rules, HostingProviderFile):
        raise WorkflowError(
            f"the rules come from {rules}, where their library cannot be reached: give the module's snakefile as "
            "a path in a clone of the repository, or with github(...) or gitlab(...)"
        )
    clone = rules.hosted_repo.repo
    folder = Path(".snakemake/metastudy", clone.commit(rules.ref).hexsha).absolute()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as new:
            clone.git.archive(rules.ref, output=f"{new}/all.tar")
            with tarfile.open(f"{new}/all.tar") as files:
                files.extractall(f"{new}/all", filter="data")
            Path(new, "all").rename(folder)
    return folder


def sound_bytecode(package):
    """Remove bytecode that was cut off, as by a full disk: Python would fail at it with every import."""
    for path in package.rglob(f"__pycache__/*.{sys.implementation.cache_tag}.pyc"):
        try:
            marshal.loads(path.read_bytes()[16:])
        except (EOFError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            print(f"note: {path} was cut off; it is compiled anew", file=sys.stderr)
        except OSError:
            pass  # another run removed it


REPOSITORY = repository(workflow.current_basedir)
if {"{", "}"} & set(str(REPOSITORY)):
    raise WorkflowError(
        f"the folder of the rules has a brace in its path, which Snakemake takes for a wildcard: {REPOSITORY}. Move or "
        "rename it; the folder of a project apart from it (--directory) may have one"
    )
sound_bytecode(REPOSITORY / "workflow" / "metastudy")
sys.path.insert(0, str(REPOSITORY / "workflow"))

from metastudy import config as settings
from metastudy.article import catalogue
from metastudy.codebook.candidates import absent_candidates
from metastudy.common.code_digest import code_digest, file_digest
from metastudy.common.problems import MetastudyError
from metastudy.common.results_folder import strays, unrecorded, unwritable
from metastudy.common.run_lock import Refusal, claim
from metastudy.common.time_left import TimeLeft
from metastudy.common.user_files import refuse_others
from metastudy.manuscript.captions import FigureCaptions, TableCaptions
from metastudy.manuscript.quarto import choose_engine

# Jobs that read this file again are no other runs.
if workflow.is_main_process:
    note, others = claim(Path(".snakemake"))
    if note:
        print(f"note: {note}", file=sys.stderr)
    if others:
        logger.addFilter(Refusal(others))

if workflow.is_main_process:
    if why := unrecorded(Path("results"), Path(".snakemake")):
        raise WorkflowError(why)
    if note := unwritable(Path("results")):
        print(f"note: {note}", file=sys.stderr)
    # Snakemake counts jobs; this one says how long those that remain took before.
    if not any(isinstance(handler, TimeLeft) for handler in logger.handlers):
        time_left = TimeLeft(Path(".snakemake/times.json"), workflow.cores or 1)
        logger.addHandler(time_left)
        if sys.stderr.isatty():
            time_left.watch()

try:
    config = settings.checked(settings.completed(config, REPOSITORY / "config" / "config.yaml"))
except MetastudyError as error:
    raise WorkflowError(str(error)) from None
if "start" in sys.argv and not config.get("to"):
    raise WorkflowError(
        "start: the folder to make is missing; write: snakemake start --cores 1 --config to=PATH"
    )
# The article of the folder that is worked in, and where it has none, one that grows with what there is.
SOURCES = (
    Path("manuscript")
    if Path("manuscript").is_dir()
    else REPOSITORY / "workflow" / "skeleton" / "manuscript"
)
try:
    given = [config["vocabulary"], settings.manifest(config), config["appraisal"]]
    refuse_others(map(Path, [*given, *SOURCES.glob("*.bib")]), [Path(), REPOSITORY])
    FOUND = settings.discover(config)
except MetastudyError as error:
    # Before there is a study, or while one is not finished, the next one can be drafted or asked for and one can be removed.
    asked = any(config.get(key) for key in ("to", "study", "request"))
    if not (asked or "request" in sys.argv):
        raise WorkflowError(str(error)) from None
    # By a request a codebook is read in the analyst's words, so what it is in one's own is no matter.
    about_this = not (config.get("file") or config.get("request"))
    if workflow.is_main_process and config.get("study") and about_this:
        print(f"note: {error}", file=sys.stderr)
    FOUND = settings.Found({}, {}, {}, complete=False)

if workflow.is_main_process:
    for line in FOUND.left_out:
        print(f"Left out: {line}", file=sys.stderr)
    for note in FOUND.notes:
        print(f"Note: {note}", file=sys.stderr)
    for note in settings.links(config, FOUND.studies):
        print(f"Note: {note}", file=sys.stderr)

orphans = settings.orphans(config, Path("results"))
if workflow.is_main_process and orphans:
    print(
        "note: results of studies that are no longer in the data, rows of people among them; remove "
        f"them where the study was withdrawn: {', '.join(orphans)}",
        file=sys.stderr,
    )

STUDIES = list(FOUND.studies)
MODULES = list(FOUND.modules)
FITS = list(FOUND.fits)  # one for each module, called after it, and the sensitivity analyses
FITS_AS_JSON = json.dumps(
    {name: {"module": fit.module, "studies": fit.studies} for name, fit in FOUND.fits.items()}
)
# What the second stage reads beside the cells of modules.
DECLARED = [n for n, study in FOUND.studies.items() if study.published or study.declared]
LOCK = file_digest(REPOSITORY / "envs" / "requirements.txt")


def in_words(text):
    """A text as a word of a shell command, before Snakemake fills in what is in braces."""
    return shlex.quote(text).replace("{", "{{").replace("}", "}}")


def in_shell(folder):
    """A folder of the repository as a word of a shell command."""
    return in_words(str(REPOSITORY / folder))


# How each command begins. The library is used where it is, and numba's cache of compiled models is shared by all
# jobs. No `shell.prefix`, which would hold for the rules of a workflow that uses these as a module as well, and no
# global variable in the commands, which Snakemake would look up in that workflow.
LIBRARY = f"PYTHONPATH={in_shell('workflow')} PYTHONHASHSEED=0"
# Before a command whose outputs are taken from the store where it made them before from the same contents. Tables with
# rows of people and cells, which are sums over few of them, are made by commands without it.
KEEP = f" --store {in_words(config['store'])}" if config["store"] else ""
STORED = (
    f"{LIBRARY} python -m metastudy.commands._stored{KEEP}"
    " --code {params.code:q} --lock {params.lock:q} --inputs {input:q} --outputs {output:q} --"
)
GENERATOR = in_shell("data/generator")


def code(command):
    """Digest of a command and all that it imports: an edit reruns what depends on it, a touch nothing."""
    return code_digest(f"metastudy.commands.{command}", REPOSITORY / "workflow")


# A part of the studies need not have every contrast that the whole leads with.
PRIMARY = config["primary"] if config["studies"] == config["modules"] == "all" else {}
CANDIDATES = [one for one in config["candidates"] if not absent_candidates([one], STUDIES, MODULES)]


def as_json(*sections):
    """Sections of the configuration as an argument: one by itself, several by their names."""
    given = {**config, "primary": PRIMARY, "candidates": CANDIDATES}
    value = given[sections[0]] if len(sections) == 1 else {s: given[s] for s in sections}
    return json.dumps(value, sort_keys=True)


# What a user gives, as opposed to what rules make: a module's `prefix` moves only what is made. The configuration
# says where the rest is, and it is read before there are any jobs.
VOCABULARY = local(config["vocabulary"])
MANIFEST = local(settings.manifest(config))


def raw_files(wildcards):
    return [local(path) for path in FOUND.studies[wildcards.study].files]


def manifest_of(wildcards):
    """The manifest of simulated files, which a study without a data file has no line in."""
    return [] if FOUND.studies[wildcards.study].parcel else ancient(MANIFEST)


def request_of(wildcards):
    """Digest of what parcels are asked for now, for a study that came as one; nothing for rows."""
    return FOUND.request if FOUND.studies[wildcards.study].parcel else ""


def raw_digests(wildcards):
    """Checksums of a study's raw files, and whether the manifest lists them as simulated.

    Content counts, whatever the modification times say; what the manifest says of other studies does not.
    """
    manifest = Path(MANIFEST)
    listed = manifest.read_bytes() if manifest.is_file() else b""
    digests = [file_digest(path) for path in FOUND.studies[wildcards.study].files]
    return [*digests, *(digest.encode() in listed for digest in digests)]


def fit_of(wildcards):
    """The fit that a job belongs to; where a rule is about modules, a module's main one."""
    return FOUND.fits[wildcards.get("fit", wildcards.get("module"))]


def module_of(wildcards):
    return fit_of(wildcards).module


def variant_of(wildcards):
    return fit_of(wildcards).variant


LONGER = 2  # times the draws of refits are those item by item, as all of its parameters must pass the gates


def sampled_as_refit(wildcards):
    """Whether a fit has the chains and the gates of refits: a step of one item by item costs most."""
    return wildcards.fit in FOUND.fits and variant_of(wildcards) == "ordinal"


def sampling_of(wildcards):
    chains = config["refits"] if sampled_as_refit(wildcards) else {}
    longer = {"draws": LONGER * chains["draws"]} if chains else {}
    return json.dumps({**config["sampling"], **chains, **longer}, sort_keys=True)


def thresholds_of(wildcards):
    gates = config["refit_gates"] if sampled_as_refit(wildcards) else {}
    return json.dumps({**config["gates"], **gates}, sort_keys=True)


def posterior_of(wildcards):
    """The posterior that a check is about: a fit of cells, or the second stage."""
    second_stage = wildcards.fit == "synthesis"
    return "results/synthesis/posterior.nc" if second_stage else f"results/fits/{wildcards.fit}.nc"


def studies_of(wildcards):
    return [f"results/harmonized/{s}" for s in fit_of(wildcards).studies]


def tables_of_parcel(wildcards):
    """The harmonized tables of the study that a parcel is to be made of; the command refuses none.

    By a request it is read anew with the analyst's vocabulary, so these are not needed.
    """
    study = config.get("study", "")
    if config.get("request"):
        return []
    return [f"results/harmonized/{study}"] if study in FOUND.studies else []


# The project's own vocabulary may lack what a request brings, so then a codebook is enough. Where one does not load, the
# command is to say what is wrong with it, and not that there is no such study.
OF_ROWS = (
    [path.parent.name for path in sorted(Path(config["data"]).glob("*/codebook.yaml"))]
    if config.get("request") or not FOUND.complete
    else [name for name, one in FOUND.studies.items() if not (one.parcel or one.published)]
)


# What figures, tables and variables are made from, by the name of the option that takes it.
LEFT_OUT = "data/left_out_places.csv"  # made by `snakemake leave_out_places`, and committed
TRUTH = "data/truth.csv"  # of the shipped simulated data; other data have none
RESULT_FILES = catalogue.result_files(STUDIES, MODULES, FITS, config["appraisal"])
RESULT_FILES["appraisal"] = [local(config["appraisal"])]
RESULT_FILES["truth"] = [local(TRUTH)] if os.path.exists(TRUTH) else []
RESULT_FILES["left_out"] = [local(LEFT_OUT)] if os.path.exists(LEFT_OUT) else []
FIGURES = catalogue.figures({name: module.model for name, module in FOUND.modules.items()})


# Of each kind of model the figures that its modules have, and which modules these are.
OF_A_MODULE = {
    kind: [f"{figure}_{{module}}" for figure in items]
    for kind, items in catalogue.MODULE_FIGURES.items()
}
OF_A_KIND = {
    kind: [name for name, module in FOUND.modules.items() if module.model == kind]
    for kind in OF_A_MODULE
}


def drawings(figures):
    """The files of figures, as outputs: tables, and the drawings of these."""
    suffixes = {"tables": "csv", "svg": "svg", "png": "png"}
    return {
        kind: [f"results/figures/{figure}.{suffix}" for figure in figures]
        for kind, suffix in suffixes.items()
    }


def figures_of(wildcards):
    """The figures that a job draws: those of its module, or of the whole."""
    own = wildcards.get("module", "")
    return [figure for figure, item in FIGURES.items() if item.module == own]


def models_of(wildcards):
    """The kind of model of the module that a job is about, if it is about one."""
    return json.dumps({name: FOUND.modules[name].model for name in wildcards})


def results_of_figures(wildcards):
    """What these are made from: of each kind of results, the files that any of them takes."""
    taken = [catalogue.files_of(FIGURES[f], RESULT_FILES) for f in figures_of(wildcards)]
    kinds = [kind for kind in RESULT_FILES if any(kind in files for files in taken)]
    return {
        kind: list(dict.fromkeys(path for files in taken for path in files.get(kind, ())))
        for kind in kinds
    }


def as_options(wildcards, input):
    """The results among a rule's inputs, by their names, as options of its command."""
    given = {kind: input[kind] for kind in RESULT_FILES if input.get(kind)}
    return [word for kind, paths in given.items() for word in (f"--{kind}", *paths)]


def one_of(names):
    """A wildcard's constraint: these names, whatever a regular expression would read in them.

    Where there are none it is what nothing matches, for Snakemake takes an empty one for none.
    """
    return "|".join(map(re.escape, names)) or "(?!)"


def folder_of(name):
    """The folder that all inputs of a name are in, as a param: a module's `prefix` moves it."""
    return lambda wildcards, input: os.path.commonpath([os.path.dirname(p) for p in input[name]])


# Of what a configuration leaves out, the results are no strays.
OF_MODULES = ["contrasts", "refits", "predictive", "comparison", "names/modules"]
if workflow.is_main_process and config["studies"] == config["modules"] == "all":
    names = {"cells": FITS, "fits": FITS, "figures": FIGURES, **dict.fromkeys(OF_MODULES, MODULES)}
    if found := strays(Path("results"), names):
        print(
            f"note: nothing makes these results any more; remove them: {', '.join(found)}",
            file=sys.stderr,
        )

# Beside the article of the folder that is worked in, and where it has none, in the folder itself.
RECORD = "manuscript/record.json" if Path("manuscript").is_dir() else "record.json"
HISTORY = str(Path(RECORD).with_name("record_history.csv"))
CHANGES = str(Path(RECORD).with_name("record_changes.json"))
# A part of the studies is compared with no record of the whole.
ACCEPTED = (
    [path for path in (RECORD, HISTORY, CHANGES) if os.path.exists(path)]
    if config["studies"] == config["modules"] == "all"
    else []
)

# An article of its own text speaks of every study and module, so a subset ends with its figures and tables.
ENGINE = choose_engine(config["manuscript"]["engine"])
SUFFIX = {"html": "html", "typst": "pdf", "docx": "docx"}
FORMATS = config["manuscript"]["formats"]
DOCUMENTS = ["manuscript", *(["supplement"] if (SOURCES / "supplement.qmd").is_file() else [])]
RENDERED = expand(
    "results/manuscript/{document}.{suffix}",
    document=DOCUMENTS,
    suffix=[SUFFIX[f] for f in FORMATS],
)
if FOUND.complete or settings.grows(SOURCES):
    ARTICLE = [*RENDERED, "results/manuscript/ledger.html"]
else:
    ARTICLE = [
        *expand("results/figures/{figure}.svg", figure=FIGURES),
        "results/tables",
        "results/variables/_variables.yml",
    ]

DATA_REPORT = expand(
    "results/data_report/{page}.{suffix}", page=["index", *STUDIES], suffix=["html", "md"]
)

# The output of a failed job is gone, and Snakemake makes an intermediate file again only where somebody asks
# for it: so `rule all` asks for all of them, and a second run after a failure fails as well.
MADE = [
    *(path for paths in RESULT_FILES.values() for path in paths),
    *expand("results/{kind}/{fit}.nc", kind=["cells", "fits", "contrasts"], fit=FITS),
    *expand("results/contrasts/{fit}-heterogeneity.parquet", fit=FITS),
    *expand("results/refits/{module}.nc", module=MODULES),
    "results/declared",
    "results/synthesis/posterior.nc",
    *expand("results/figures/{figure}.svg", figure=FIGURES),
    "results/tables",
    "results/variables/_variables.yml",
    "results/variables/sources.json",
]
