"""Record: the numbers of record of a finished build, and whether a rebuild gives them again.

REQUIRED INPUTS: everything that `rule all` asks for; manuscript/record.json for `verify`
OUTPUTS: manuscript/record.json of `snakemake accept`; results/verdict/{verdict.json,verdict.html,verdict.md,record.json,rebuild.log}
of `snakemake verify`, which builds in a folder of its own and ends with 0, 1 or 2 (docs/verify.md)
Neither declares them as outputs: both do their work each time they are asked for.
"""

# Beside the article of the folder that is worked in, and where it has none, in the folder itself.
RECORD = "manuscript/record.json" if Path("manuscript").is_dir() else "record.json"


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
    message:
        "Write the numbers of record."
    shell:
        f"{LIBRARY} python -m metastudy.commands.accept"
        " --results {params.results:q} --repository {params.repository:q} --out {params.record:q} > {log:q} 2>&1"


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
