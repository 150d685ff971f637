"""The co-production meta-study: from raw files in native formats to a rendered article.

REQUIRED INPUTS: data/raw/<study>/{data file, codebook.yaml}, config/config.yaml, config/vocabulary.yaml, manuscript/
OUTPUTS: results/manuscript/manuscript.{html,pdf,docx} and all that it is made of; results/README.md says what.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


wildcard_constraints:
    study="|".join(STUDIES),
    module="|".join(MODULES),
    fit="|".join(FITS),


rule all:
    default_target: True
    input:
        "results/run_config.yaml",
        "results/diagnostics/gates.json",
        DATA_REPORT,
        MADE,
        ARTICLE,
    message:
        "Everything is up to date."


include: "workflow/rules/harmonize.smk"
include: "workflow/rules/data_report.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/model_checks.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/synthesis.smk"
include: "workflow/rules/article.smk"
include: "workflow/rules/manuscript.smk"
