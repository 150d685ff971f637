"""Inference: each module's studies to cells, posterior, checks and contrasts; its sensitivity analyses likewise.

REQUIRED INPUTS: results/harmonized/<study>/ of the module's studies
OUTPUTS: results/{cells,fits,contrasts}/<fit>.*, results/diagnostics/{<fit>,gates}.json, <fit> being a module
or <module>-<variant>, such as the one in which answers are counted item by item
A posterior depends on its cells alone: the same cells give the same bytes, and it is taken from the store.
"""


rule aggregate:
    input:
        studies=studies_of,
        vocabulary=VOCABULARY,
    output:
        cells="results/cells/{fit}.nc",
    log:
        "results/logs/aggregate/{fit}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        module=module_of,
        variant=variant_of,
        require=lambda w: config["require"].get(module_of(w), []),
        correlation_of_arms=json.dumps(config["pooling"]["correlation_of_arms"]),
        code=code("aggregate"),
        lock=LOCK,
    message:
        "Aggregate the cells of the {wildcards.fit} fit."
    shell:
        f"{LIBRARY} python -m metastudy.commands.aggregate"
        " --module {params.module:q} --variant {params.variant:q} --studies {input.studies:q}"
        " --vocabulary {input.vocabulary:q} --require {params.require:q}"
        " --correlation_of_arms {params.correlation_of_arms:q} --cells {output.cells:q} > {log:q} 2>&1"


rule fit:
    input:
        cells="results/cells/{fit}.nc",
    output:
        posterior="results/fits/{fit}.nc",
    log:
        "results/logs/fit/{fit}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        priors=as_json("priors"),
        sampling=sampling_of,
        code=code("fit"),
        lock=LOCK,
    message:
        "Fit the {wildcards.fit} model."
    shell:
        f"{STORED} python -m metastudy.commands.fit"
        " --cells {input.cells:q} --priors {params.priors:q}"
        " --sampling {params.sampling:q} --cores {threads}"
        " --posterior {output.posterior:q} > {log:q} 2>&1"


rule diagnose:
    input:
        posterior=posterior_of,
    output:
        check="results/diagnostics/{fit}.json",
    log:
        "results/logs/diagnose/{fit}.log",
    wildcard_constraints:
        fit=one_of([*FITS, "synthesis"]),
    conda:
        "../../envs/environment.yaml"
    params:
        thresholds=thresholds_of,
        code=code("diagnose"),
        lock=LOCK,
    message:
        "Check the convergence of the {wildcards.fit} fit."
    shell:
        f"{STORED} python -m metastudy.commands.diagnose"
        " --posterior {input.posterior:q} --fit {wildcards.fit:q}"
        " --thresholds {params.thresholds:q} --out {output.check:q} > {log:q} 2>&1"


rule gate:
    input:
        checks=expand("results/diagnostics/{fit}.json", fit=[*FITS, "synthesis"]),
    output:
        gates="results/diagnostics/gates.json",
    log:
        "results/logs/gate.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("gate"),
        lock=LOCK,
    message:
        "Let pass only fits that converged."
    shell:
        f"{STORED} python -m metastudy.commands.gate"
        " --checks {input.checks:q} --out {output.gates:q} > {log:q} 2>&1"


rule contrast:
    input:
        cells="results/cells/{fit}.nc",
        posterior="results/fits/{fit}.nc",
    output:
        table="results/contrasts/{fit}.parquet",
        draws="results/contrasts/{fit}.nc",
        heterogeneity="results/contrasts/{fit}-heterogeneity.parquet",
    log:
        "results/logs/contrast/{fit}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        priors=as_json("priors"),
        interval=config["report"]["interval"],
        rope_sd=config["report"]["rope_sd"],
        rope_logit=config["report"]["rope_logit"],
        seed=config["sampling"]["seed"],
        smallest_cell=config["privacy"]["smallest_cell"],
        prior_decides=config["report"]["prior_decides"],
        code=code("contrast"),
        lock=LOCK,
    message:
        "Draw the contrasts of the {wildcards.fit} fit."
    shell:
        f"{STORED} python -m metastudy.commands.contrast"
        " --cells {input.cells:q} --posterior {input.posterior:q}"
        " --priors {params.priors:q} --interval {params.interval:q} --rope_sd {params.rope_sd:q}"
        " --rope_logit {params.rope_logit:q} --seed {params.seed:q} --smallest_cell {params.smallest_cell:q}"
        " --prior_decides {params.prior_decides:q}"
        " --table {output.table:q} --draws {output.draws:q} --heterogeneity {output.heterogeneity:q} > {log:q} 2>&1"
