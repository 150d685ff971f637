"""Fit: each module's studies to cells, posterior, checks and contrasts.

REQUIRED INPUTS: results/harmonized/<study>/ of the module's studies
OUTPUTS: results/{cells,fits,contrasts}/<module>.*, results/diagnostics/{<module>,gates}.json
A posterior depends on its cells alone: the same cells give the same bytes, and are taken from the store.
"""


rule aggregate:
    input:
        studies=studies_of,
        vocabulary=config["vocabulary"],
    output:
        cells="results/cells/{module}.nc",
    log:
        "results/logs/aggregate/{module}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        require=lambda w: config["require"].get(w.module, []),
        code=code("aggregate"),
        lock=LOCK,
    message:
        "Aggregate the {wildcards.module} studies to cells."
    shell:
        "python -m metastudy.aggregate --module {wildcards.module} --studies {input.studies}"
        " --vocabulary {input.vocabulary} --require {params.require} --cells {output.cells} > {log} 2>&1"


rule fit:
    input:
        cells="results/cells/{module}.nc",
    output:
        posterior="results/fits/{module}.nc",
    log:
        "results/logs/fit/{module}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        model=model_of,
        priors=as_json("priors"),
        sampling=as_json("sampling"),
        store=f"--store {config['store']}" if config["store"] else "",
        code=code("fit"),
        lock=LOCK,
    message:
        "Fit the {wildcards.module} model."
    shell:
        "python -m metastudy.fit --cells {input.cells} --model {params.model} --priors {params.priors:q}"
        " --sampling {params.sampling:q} --cores {threads} --code {params.code} --lock {params.lock}"
        " {params.store} --posterior {output.posterior} > {log} 2>&1"


rule diagnose:
    input:
        posterior="results/fits/{module}.nc",
    output:
        check="results/diagnostics/{module}.json",
    log:
        "results/logs/diagnose/{module}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        thresholds=as_json("gates"),
        code=code("diagnose"),
        lock=LOCK,
    message:
        "Check the convergence of the {wildcards.module} fit."
    shell:
        "python -m metastudy.diagnose --posterior {input.posterior} --thresholds {params.thresholds:q}"
        " --out {output.check} > {log} 2>&1"


rule gate:
    input:
        checks=expand("results/diagnostics/{module}.json", module=[*MODULES, "synthesis"]),
    output:
        gates="results/diagnostics/gates.json",
    log:
        "results/logs/gate.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("diagnose"),
    message:
        "Let pass only fits that converged."
    shell:
        "python -m metastudy.diagnose --checks {input.checks} --out {output.gates} > {log} 2>&1"


rule contrast:
    input:
        cells="results/cells/{module}.nc",
        posterior="results/fits/{module}.nc",
    output:
        table="results/contrasts/{module}.parquet",
        draws="results/contrasts/{module}.nc",
        heterogeneity="results/contrasts/{module}-heterogeneity.parquet",
    log:
        "results/logs/contrast/{module}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        model=model_of,
        priors=as_json("priors"),
        interval=config["report"]["interval"],
        code=code("contrast"),
        lock=LOCK,
    message:
        "Draw the contrasts of the {wildcards.module} module."
    shell:
        "python -m metastudy.contrast --cells {input.cells} --posterior {input.posterior} --model {params.model}"
        " --priors {params.priors:q} --interval {params.interval} --table {output.table} --draws {output.draws}"
        " --heterogeneity {output.heterogeneity} > {log} 2>&1"
