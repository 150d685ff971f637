"""Model checks: what the fits lean on, asked of the data, the priors and the groups in them.

REQUIRED INPUTS: results/cells/<module>.nc, results/fits/<module>.nc, results/harmonized/<study>/
OUTPUTS: results/refits/<module>{.parquet,-power.parquet,-correlations.parquet,.nc}, results/predictive/<module>.parquet,
         results/comparison/<module>{.parquet,-organisations.parquet}
All refits of a module are one job: its model is compiled once, and each refit has other data.
"""


rule refits:
    input:
        cells="results/cells/{module}.nc",
        posterior="results/fits/{module}.nc",
    output:
        table="results/refits/{module}.parquet",
        power="results/refits/{module}-power.parquet",
        correlations="results/refits/{module}-correlations.parquet",
        pooling="results/refits/{module}.nc",
    log:
        "results/logs/refits/{module}.log",
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=2500,
    params:
        priors=as_json("priors"),
        sampling=json.dumps(
            {**config["refits"], "seed": config["sampling"]["seed"]}, sort_keys=True
        ),
        gates=as_json("refit_gates"),
        interval=config["report"]["interval"],
        rope_sd=config["report"]["rope_sd"],
        rope_logit=config["report"]["rope_logit"],
        code=code("refits"),
        lock=LOCK,
    message:
        "Refit the {wildcards.module} model without each group and with other priors."
    shell:
        f"{STORED} python -m metastudy.commands.refits"
        " --cells {input.cells:q} --posterior {input.posterior:q}"
        " --priors {params.priors:q} --sampling {params.sampling:q}"
        " --gates {params.gates:q} --interval {params.interval:q} --rope_sd {params.rope_sd:q} --rope_logit {params.rope_logit:q}"
        " --table {output.table:q} --power {output.power:q}"
        " --correlations {output.correlations:q} --pooling {output.pooling:q} > {log:q} 2>&1"


rule predictive_checks:
    input:
        cells="results/cells/{module}.nc",
        studies=studies_of,
        vocabulary=VOCABULARY,
        posterior="results/fits/{module}.nc",
    output:
        table="results/predictive/{module}.parquet",
    log:
        "results/logs/predictive_checks/{module}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        priors=as_json("priors"),
        seed=config["sampling"]["seed"],
        smallest_cell=config["privacy"]["smallest_cell"],
        code=code("predictive_checks"),
        lock=LOCK,
    message:
        "Predict the rows of the {wildcards.module} studies from prior and posterior."
    shell:
        f"{STORED} python -m metastudy.commands.predictive_checks"
        " --cells {input.cells:q} --studies {input.studies:q} --vocabulary {input.vocabulary:q}"
        " --posterior {input.posterior:q} --priors {params.priors:q} --seed {params.seed:q}"
        " --smallest_cell {params.smallest_cell:q} --out {output.table:q} > {log:q} 2>&1"


rule loo_comparison:
    input:
        cells="results/cells/{module}.nc",
        studies=studies_of,
        vocabulary=VOCABULARY,
        fits=["results/fits/{module}.nc", "results/refits/{module}.nc"],
    output:
        table="results/comparison/{module}.parquet",
        organisations="results/comparison/{module}-organisations.parquet",
    log:
        "results/logs/loo_comparison/{module}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        priors=as_json("priors"),
        code=code("loo_comparison"),
        lock=LOCK,
    message:
        "Compare how far the groups of the {wildcards.module} module are pooled."
    shell:
        f"{STORED} python -m metastudy.commands.loo_comparison"
        " --cells {input.cells:q} --studies {input.studies:q} --vocabulary {input.vocabulary:q}"
        " --fits {input.fits:q} --priors {params.priors:q} --out {output.table:q}"
        " --organisations {output.organisations:q} > {log:q} 2>&1"
