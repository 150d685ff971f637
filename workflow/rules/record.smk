"""Record: the numbers of record of a finished build, and whether a rebuild gives them again.

REQUIRED INPUTS: everything that `rule all` asks for; manuscript/record.json for `verify`
OUTPUTS: manuscript/record.json and, with one more row a primary contrast, record_history.csv of `snakemake accept`;
 record_changes.json beside them of `snakemake changes`, which builds what is between the record and today;
 results/verdict/{verdict.json,verdict.html,verdict.md,record.json,rebuild.log}
of `snakemake verify`, which builds in a folder of its own and ends with 0, 1 or 2 (docs/verify.md)
None declares them as outputs: all do their work each time they are asked for.
"""


rule accept:
    input:
        rules.all.input,
        config="results/run_config.yaml",
    log:
        "results/logs/accept.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        results=subpath(input.config, parent=True),
        repository=str(REPOSITORY),
        record=RECORD,
        history=HISTORY,
        primary=json.dumps(PRIMARY),
    message:
        "Write the numbers of record."
    shell:
        f"{LIBRARY} python -m metastudy.commands.accept"
        " --results {params.results:q} --repository {params.repository:q} --out {params.record:q}"
        " --history {params.history:q} --primary {params.primary:q} > {log:q} 2>&1"


rule verify:
    log:
        "results/logs/verify.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: workflow.cores or 1
    params:
        record=RECORD,
        config=json.dumps(config, sort_keys=True),
        folder=config["verify"]["folder"],
        repository=str(REPOSITORY),
        snakefile=str(workflow.main_snakefile),
        out="results/verdict",
    message:
        "Build again from the raw data in {params.folder}, and compare with {params.record}."
    shell:
        f"{LIBRARY} python -m metastudy.commands.verify"
        " --record {params.record:q} --config {params.config:q} --repository {params.repository:q}"
        " --snakefile {params.snakefile:q} --cores {threads} --out {params.out:q} > {log:q} 2>&1"


rule changes:
    input:
        rules.all.input,
        config="results/run_config.yaml",
    log:
        "results/logs/changes.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: workflow.cores or 1
    params:
        record=RECORD,
        results=subpath(input.config, parent=True),
        config=json.dumps(config, sort_keys=True),
        repository=str(REPOSITORY),
        snakefile=str(workflow.main_snakefile),
        logs="results/logs/changes",
        out=CHANGES,
    message:
        "Build what is between {params.record} and this build, one change at a time."
    shell:
        f"{LIBRARY} python -m metastudy.commands.changes"
        " --record {params.record:q} --results {params.results:q} --config {params.config:q}"
        " --repository {params.repository:q} --snakefile {params.snakefile:q} --cores {threads}"
        " --logs {params.logs:q} --out {params.out:q} > {log:q} 2>&1"
