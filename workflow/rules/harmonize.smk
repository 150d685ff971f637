"""Harmonize: each study's raw file to tables of one form.

REQUIRED INPUTS: data/raw/<study>/{data file, codebook.yaml} or a parcel, data/raw/manifest.yaml, config/vocabulary.yaml
OUTPUTS: results/harmonized/<study>/ with its tables in Parquet and report.json
A study's tables depend on that study alone. Snakemake removes the old output of a job before it runs it, so
tables are made in results/staged/, validated there (can a model take them?), and promoted once all of that went
well: bad data cost no table that was there. It also takes down a failed job as done, so `promote` has the
params of the rules before it: a second run fails as well.
"""


rule harmonize:
    input:
        raw=raw_files,
        vocabulary=VOCABULARY,
        manifest=manifest_of,
    output:
        tables=directory("results/staged/{study}"),
    log:
        "results/logs/harmonize/{study}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        folder=lambda w: Path(config["data"]) / w.study,
        manifest=MANIFEST,
        pseudonyms=as_json("pseudonyms"),
        raw=raw_digests,
        request=request_of,
        code=code("harmonize"),
        lock=LOCK,
    message:
        "Harmonize {wildcards.study}."
    shell:
        f"{LIBRARY} python -m metastudy.commands.harmonize"
        " --study-folder {params.folder:q} --vocabulary {input.vocabulary:q}"
        " --manifest {params.manifest:q} --pseudonyms {params.pseudonyms:q} --request={params.request:q} --out {output.tables:q} > {log:q} 2>&1"


rule validate:
    input:
        tables="results/staged/{study}",
        vocabulary=VOCABULARY,
    output:
        validated="results/staged/{study}.json",
    log:
        "results/logs/validate/{study}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        code=code("validate"),
        lock=LOCK,
    message:
        "Validate the tables of {wildcards.study}."
    shell:
        f"{STORED} python -m metastudy.commands.validate"
        " --tables {input.tables:q} --vocabulary {input.vocabulary:q} --out {output.validated:q}"
        " > {log:q} 2>&1"


rule promote:
    input:
        tables="results/staged/{study}",
        validated="results/staged/{study}.json",
    output:
        tables=directory("results/harmonized/{study}"),
    log:
        "results/logs/promote/{study}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        pseudonyms=as_json("pseudonyms"),
        raw=raw_digests,
        request=request_of,
        code=[code("harmonize"), code("validate")],
        lock=LOCK,
    message:
        "Promote the tables of {wildcards.study}."
    shell:
        "mkdir -p {output.tables:q} && cp {input.tables:q}/* {output.tables:q} > {log:q} 2>&1"


rule codebook:
    log:
        "results/logs/codebook.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        study=config.get("study", ""),
        file=config.get("file", ""),
        vocabulary=VOCABULARY,
        out=Path(config["data"]) / config.get("study", "") / "codebook.yaml",
    message:
        "Draft a codebook from a data file: --config study=NAME file=PATH."
    shell:
        f"{LIBRARY} python -m metastudy.commands.codebook"
        " --study={params.study:q} --file={params.file:q} --vocabulary {params.vocabulary:q}"
        " --out {params.out:q} 2>&1 | tee {log:q}"


rule start:
    log:
        "results/logs/start.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        to=config.get("to", ""),
    message:
        "Make a folder for a meta-study of one's own: --config to=PATH."
    shell:
        f"{LIBRARY} python -m metastudy.commands.start" " --to={params.to:q} 2>&1 | tee {log:q}"


rule simulate:
    log:
        "results/logs/simulate.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        out=config["data"],
    message:
        "Write the simulated stand-ins for the raw data again, from their seed."
    shell:
        f"python {GENERATOR}/generate.py --world {GENERATOR}/world.yaml"
        " --out {params.out:q} --manifest > {log:q} 2>&1"


rule withdraw:
    log:
        "results/logs/withdraw.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        study=config.get("study", ""),
        config=json.dumps(config, sort_keys=True),
    message:
        "Remove a study and all that was made from it: --config study=NAME."
    shell:
        f"{LIBRARY} python -m metastudy.commands.withdraw"
        " --study={params.study:q} --config {params.config:q}"
        " --log {log:q} 2>&1 | tee {log:q}"
