"""Calibration: does each model find again what was simulated from it, and the synthesis from rows on?

REQUIRED INPUTS: results/cells/<module>.nc, results/harmonized/<study>/ of published effects and of what else declares moderators
OUTPUTS: results/calibration/{<module>,synthesis}{.parquet,-gates.parquet}, index.{html,md}, figures/
`snakemake calibration` asks for it; `rule all` does not, for it takes as long as everything else. All simulations of
a model are one job, those with parameters from its priors and those with parameters from the posterior of the data: it is
compiled once, and each simulation gives it other data.
"""

CALIBRATED = [*MODULES, "synthesis"]


rule calibration:
    input:
        expand("results/calibration/index.{suffix}", suffix=["html", "md"]),
    localrule: True
    message:
        "The calibration is up to date: {input[0]}."


rule calibrate:
    input:
        cells="results/cells/{module}.nc",
    output:
        ranks="results/calibration/{module}.parquet",
        gates="results/calibration/{module}-gates.parquet",
    log:
        "results/logs/calibrate/{module}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        settings=as_json("priors", "sampling", "refits", "gates", "calibration"),
        code=code("calibrate"),
        lock=LOCK,
    message:
        "Calibrate the {wildcards.module} model, from its priors and from the posterior of its data."
    shell:
        f"{LIBRARY} python -m metastudy.commands.calibrate"
        " --cells {input.cells:q} --settings {params.settings:q}"
        " --cores {threads} --ranks {output.ranks:q} --gates {output.gates:q} > {log:q} 2>&1"


rule calibrate_synthesis:
    input:
        cells=expand("results/cells/{module}.nc", module=MODULES),
        declared="results/declared",
    output:
        ranks="results/calibration/synthesis.parquet",
        gates="results/calibration/synthesis-gates.parquet",
    log:
        "results/logs/calibrate/synthesis.log",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=2500,
    params:
        settings=as_json("priors", "sampling", "refits", "gates", "calibration"),
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        code=code("calibrate_synthesis"),
        lock=LOCK,
    message:
        "Calibrate the second stage, given the covariance and from rows on."
    shell:
        f"{LIBRARY} python -m metastudy.commands.calibrate_synthesis"
        " --cells {input.cells:q} --declared {input.declared:q}"
        " --standardisers {params.standardisers:q}"
        " --correlation {params.correlation:q}"
        " --settings {params.settings:q} --ranks {output.ranks:q} --gates {output.gates:q} > {log:q} 2>&1"


rule report_calibration:
    input:
        ranks=expand("results/calibration/{model}.parquet", model=CALIBRATED),
        gates=expand("results/calibration/{model}-gates.parquet", model=CALIBRATED),
        vocabulary=VOCABULARY,
    output:
        pages=expand("results/calibration/index.{suffix}", suffix=["html", "md"]),
        figures=directory("results/calibration/figures"),
    log:
        "results/logs/report_calibration.log",
    conda:
        "../../envs/environment.yaml"
    params:
        out=subpath(output.figures, parent=True),
        code=code("report_calibration"),
        lock=LOCK,
    message:
        "Write the page of the calibration."
    shell:
        f"{LIBRARY} python -m metastudy.commands.report_calibration"
        " --ranks {input.ranks:q} --gates {input.gates:q}"
        " --vocabulary {input.vocabulary:q} --out {params.out:q} > {log:q} 2>&1"
