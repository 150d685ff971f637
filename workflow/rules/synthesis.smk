"""Synthesis: unpooled study estimates, the second stage over several studies, the exploratory model.

REQUIRED INPUTS: results/cells/<module>.nc of all modules, results/harmonized/<study>/, config/vocabulary.yaml
OUTPUTS: results/declared/{terms.json,effects.parquet,attributes.parquet,dependence.parquet},
results/synthesis/{estimates,pooled,exploratory,structure,heterogeneity,moderators,moderator_lines,dependence,correlations,influence,prior_scales}.parquet,
results/synthesis/posterior.nc,
results/design_based/estimates.parquet, results/selection/{analyses,effects}.parquet,
results/robustness/{tails,associations,missing_outcomes,left_out_groups}.parquet, results/unlock/estimands.parquet;
data/left_out_places.csv of `snakemake leave_out_places`, which declares no output: it is committed, and the article shows it
"""


rule declare:
    input:
        studies=list(
            dict.fromkeys(
                f"results/harmonized/{s}" for m in MODULES for s in FOUND.fits[m].studies
            )
        ),
        published=expand("results/harmonized/{study}", study=DECLARED),
        vocabulary=VOCABULARY,
    output:
        declared=directory("results/declared"),
    log:
        "results/logs/declare.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("declare"),
        lock=LOCK,
    message:
        "Take down what codebooks and publications declare, without what is only shown."
    shell:
        f"{STORED} python -m metastudy.commands.declare"
        " --studies {input.studies:q} --published {input.published:q}"
        " --vocabulary {input.vocabulary:q} --out {output.declared:q} > {log:q} 2>&1"


rule synthesize:
    input:
        cells=expand("results/cells/{module}.nc", module=MODULES),
        declared="results/declared",
    output:
        estimates="results/synthesis/estimates.parquet",
        pooled="results/synthesis/pooled.parquet",
        exploratory="results/synthesis/exploratory.parquet",
        structure="results/synthesis/structure.parquet",
        moderators="results/synthesis/moderators.parquet",
        moderator_lines="results/synthesis/moderator_lines.parquet",
        dependence="results/synthesis/dependence.parquet",
        correlations="results/synthesis/correlations.parquet",
        influence="results/synthesis/influence.parquet",
        prior_scales="results/synthesis/prior_scales.parquet",
        heterogeneity="results/synthesis/heterogeneity.parquet",
        posterior="results/synthesis/posterior.nc",
    log:
        "results/logs/synthesize.log",
    conda:
        "../../envs/environment.yaml"
    threads: 2
    resources:
        mem_mb=2500,
    params:
        out=subpath(output.posterior, parent=True),
        priors=as_json("priors"),
        sampling=as_json("sampling"),
        refits=json.dumps({**config["refits"], "seed": config["sampling"]["seed"]}, sort_keys=True),
        gates=as_json("refit_gates"),
        interval=config["report"]["interval"],
        rope_sd=config["report"]["rope_sd"],
        rope_logit=config["report"]["rope_logit"],
        prior_decides=config["report"]["prior_decides"],
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        code=code("synthesize"),
        lock=LOCK,
    message:
        "Pool what several studies report."
    shell:
        f"{STORED} python -m metastudy.commands.synthesize"
        " --cells {input.cells:q} --declared {input.declared:q}"
        " --priors {params.priors:q} --sampling {params.sampling:q} --interval {params.interval:q}"
        " --refits {params.refits:q} --gates {params.gates:q}"
        " --rope_sd {params.rope_sd:q} --rope_logit {params.rope_logit:q} --prior_decides {params.prior_decides:q}"
        " --standardisers {params.standardisers:q} --correlation {params.correlation:q} --cores {threads} --out {params.out:q} > {log:q} 2>&1"


rule leave_out_places:
    input:
        cells=expand("results/cells/{module}.nc", module=MODULES),
        declared="results/declared",
    log:
        "results/logs/leave_out_places.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 2
    params:
        priors=as_json("priors"),
        refits=json.dumps({**config["refits"], "seed": config["sampling"]["seed"]}, sort_keys=True),
        gates=as_json("refit_gates"),
        interval=config["report"]["interval"],
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        repository=str(REPOSITORY),
        out=LEFT_OUT,
    message:
        "Pool without each country and sector, one by one, and write {params.out}."
    shell:
        f"{LIBRARY} python -m metastudy.commands.leave_out_places"
        " --cells {input.cells:q} --declared {input.declared:q} --priors {params.priors:q}"
        " --refits {params.refits:q} --gates {params.gates:q} --interval {params.interval:q}"
        " --standardisers {params.standardisers:q} --correlation {params.correlation:q} --cores {threads}"
        " --repository {params.repository:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule design_based:
    input:
        studies=RESULT_FILES["studies"],
        vocabulary=VOCABULARY,
    output:
        table="results/design_based/estimates.parquet",
    log:
        "results/logs/design_based.log",
    conda:
        "../../envs/environment.yaml"
    params:
        interval=config["report"]["interval"],
        code=code("design_based"),
        lock=LOCK,
    message:
        "Estimate with sampling weights, as a sensitivity analysis."
    shell:
        f"{STORED} python -m metastudy.commands.design_based"
        " --studies {input.studies:q} --vocabulary {input.vocabulary:q}"
        " --interval {params.interval:q} --out {output.table:q} > {log:q} 2>&1"


rule selection:
    input:
        declared="results/declared",
    output:
        table="results/selection/analyses.parquet",
        effects="results/selection/effects.parquet",
    log:
        "results/logs/selection.log",
    conda:
        "../../envs/environment.yaml"
    params:
        sides=json.dumps(config["selection"]["sides"], sort_keys=True),
        priors=as_json("priors"),
        interval=config["report"]["interval"],
        rope_sd=config["report"]["rope_sd"],
        rope_logit=config["report"]["rope_logit"],
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        code=code("selection"),
        lock=LOCK,
    message:
        "Ask of pooled published effects what selection could have made of them."
    shell:
        f"{STORED} python -m metastudy.commands.selection"
        " --declared {input.declared:q}"
        " --sides {params.sides:q} --priors {params.priors:q} --interval {params.interval:q}"
        " --rope_sd {params.rope_sd:q} --rope_logit {params.rope_logit:q}"
        " --standardisers {params.standardisers:q} --correlation {params.correlation:q}"
        " --table {output.table:q} --effects {output.effects:q} > {log:q} 2>&1"


rule robustness:
    input:
        cells=expand("results/cells/{module}.nc", module=MODULES),
        declared="results/declared",
        pooled="results/synthesis/pooled.parquet",
    output:
        tails="results/robustness/tails.parquet",
        associations="results/robustness/associations.parquet",
        missing_outcomes="results/robustness/missing_outcomes.parquet",
        left_out_groups="results/robustness/left_out_groups.parquet",
    log:
        "results/logs/robustness.log",
    conda:
        "../../envs/environment.yaml"
    params:
        out=subpath(output.tails, parent=True),
        priors=as_json("priors"),
        interval=config["report"]["interval"],
        delta=config["robustness"]["delta"],
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        code=code("robustness"),
        lock=LOCK,
    message:
        "Ask of pooled effects and of single studies what other assumptions would change."
    shell:
        f"{STORED} python -m metastudy.commands.robustness"
        " --cells {input.cells:q} --declared {input.declared:q}"
        " --pooled {input.pooled:q} --priors {params.priors:q} --interval {params.interval:q}"
        " --delta {params.delta:q} --standardisers {params.standardisers:q}"
        " --correlation {params.correlation:q} --out {params.out:q} > {log:q} 2>&1"


rule unlock:
    input:
        cells=expand("results/cells/{module}.nc", module=MODULES),
        declared="results/declared",
    output:
        table="results/unlock/estimands.parquet",
    log:
        "results/logs/unlock.log",
    conda:
        "../../envs/environment.yaml"
    params:
        candidates=as_json("candidates"),
        standardisers=config["pooling"]["standardisers"],
        correlation=config["pooling"]["correlation"],
        code=code("unlock"),
        lock=LOCK,
    message:
        "Look at the design anew with each study that could be done."
    shell:
        f"{STORED} python -m metastudy.commands.unlock"
        " --cells {input.cells:q} --declared {input.declared:q}"
        " --candidates {params.candidates:q} --standardisers {params.standardisers:q}"
        " --correlation {params.correlation:q} --table {output.table:q} > {log:q} 2>&1"
