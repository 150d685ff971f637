"""All Python of the rules: the checked configuration, the studies, digests and input functions.

Nothing heavy is imported here: the no-op run pays for every import.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from metastudy import config as settings
from metastudy.article import catalogue
from metastudy.common.code_digest import code_digest, file_digest
from metastudy.common.problems import MetastudyError
from metastudy.manuscript.quarto import choose_engine

try:
    config = settings.checked(config)
    FOUND = settings.discover(config)
except MetastudyError as error:
    raise WorkflowError(str(error)) from None

STUDIES = list(FOUND.studies)
MODULES = list(FOUND.modules)
FITS = list(FOUND.fits)  # one for each module, called after it, and the sensitivity analyses
PUBLISHED = [name for name, study in FOUND.studies.items() if study.published]
LOCK = file_digest(Path(workflow.basedir) / "envs" / "requirements.txt")

# The library is used where it stands, and numba's cache of compiled models is shared by all jobs.
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={Path(workflow.basedir) / 'workflow'} PYTHONHASHSEED=0; "
)


def code(command):
    """Digest of a command and all that it imports: an edit reruns what depends on it, a touch nothing."""
    return code_digest(f"metastudy.commands.{command}", Path(workflow.basedir) / "workflow")


def as_json(*sections):
    """Sections of the configuration as an argument: one by itself, several by their names."""
    value = config[sections[0]] if len(sections) == 1 else {s: config[s] for s in sections}
    return json.dumps(value, sort_keys=True)


def raw_files(wildcards):
    return FOUND.studies[wildcards.study].files


def raw_digests(wildcards):
    """Checksums of a study's raw files, and whether the manifest lists them as simulated.

    Content counts, whatever the modification times say; what the manifest says of other studies does not.
    """
    manifest = Path(settings.manifest(config))
    listed = manifest.read_bytes() if manifest.is_file() else b""
    digests = [file_digest(path) for path in raw_files(wildcards)]
    return [*digests, *(digest.encode() in listed for digest in digests)]


def fit_of(wildcards):
    """The fit that a job belongs to; where a rule is about modules, a module's main one."""
    return FOUND.fits[wildcards.get("fit", wildcards.get("module"))]


def module_of(wildcards):
    return fit_of(wildcards).module


def variant_of(wildcards):
    return fit_of(wildcards).variant


def posterior_of(wildcards):
    """The posterior that a check is about: a fit of cells, or the second stage."""
    second_stage = wildcards.fit == "synthesis"
    return "results/synthesis/posterior.nc" if second_stage else f"results/fits/{wildcards.fit}.nc"


def studies_of(wildcards):
    return [f"results/harmonized/{s}" for s in FOUND.modules[module_of(wildcards)].studies]


# What figures, tables and variables are made from, by the name of the option that takes it.
RESULT_FILES = catalogue.result_files(STUDIES, MODULES, FITS, config["appraisal"])
FIGURES = catalogue.figures({name: module.model for name, module in FOUND.modules.items()})


def results_of_figure(wildcards):
    return catalogue.files_of(FIGURES[wildcards.figure], RESULT_FILES)


def as_options(wildcards, input):
    """The results among a rule's inputs as options of its command."""
    given = {kind: [p for p in paths if p in input] for kind, paths in RESULT_FILES.items()}
    return " ".join(f"--{kind} {' '.join(paths)}" for kind, paths in given.items() if paths)


# The article speaks of every study and module, so a subset ends with its figures and tables.
ENGINE = choose_engine(config["manuscript"]["engine"])
SUFFIX = {"html": "html", "typst": "pdf", "docx": "docx"}
FORMATS = config["manuscript"]["formats"]
if FOUND.complete:
    ARTICLE = expand("results/manuscript/manuscript.{suffix}", suffix=[SUFFIX[f] for f in FORMATS])
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
    "results/synthesis/posterior.nc",
    *expand("results/figures/{figure}.svg", figure=FIGURES),
    "results/tables",
    "results/variables/_variables.yml",
]
