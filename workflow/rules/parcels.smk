"""Parcels: at the owner's, a study as sufficient statistics in one file that may leave the building.

REQUIRED INPUTS: results/harmonized/<study> of the study that `--config study=NAME` names, and its folder in data/raw; with
`request=FILE` the folder alone, which is read by the vocabulary of the analyst's request
OUTPUTS: of `snakemake request`, at the analyst's, parcels/request.json; parcels/<study>.parcel and parcels/<study>.html,
which says in words what is in it (docs/parcels.md);
of verify_parcel parcels/<study>.certificate.json, and the same as a page
None is declared as an output: each is made when somebody asks for it, and never by `rule all`.
"""


rule request:
    log:
        "results/logs/request.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        vocabulary=VOCABULARY,
        settings=as_json("modules", "sensitivity", "privacy"),
        code=code("parcel"),
        lock=LOCK,
        out="parcels/request.json",
    message:
        "Write what owners are asked for: {params.out}."
    shell:
        f"{LIBRARY} python -m metastudy.commands.request"
        " --vocabulary {params.vocabulary:q} --settings {params.settings:q}"
        " --code {params.code:q} --lock {params.lock:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule parcel:
    input:
        tables=tables_of_parcel,
    log:
        "results/logs/parcel.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        study=config.get("study", ""),
        request=config.get("request", ""),
        studies=OF_ROWS,
        data=config["data"],
        vocabulary=VOCABULARY,
        manifest=MANIFEST,
        pseudonyms=as_json("pseudonyms"),
        smallest=config["privacy"]["smallest_cell"],
        code=code("parcel"),
        lock=LOCK,
        out="parcels",
    message:
        "Make a parcel of a study: --config study=NAME, and request=FILE if an analyst sent one."
    shell:
        f"{LIBRARY} python -m metastudy.commands.parcel"
        " --study={params.study:q} --studies {params.studies:q} --data {params.data:q} --tables {input.tables:q}"
        " --vocabulary {params.vocabulary:q}"
        " --manifest {params.manifest:q} --pseudonyms {params.pseudonyms:q} --smallest-cell {params.smallest:q}"
        " --request={params.request:q} --scratch results/staged"
        " --code {params.code:q} --lock {params.lock:q} --out {params.out:q} 2>&1 | tee {log:q}"


rule verify_parcel:
    input:
        tables=tables_of_parcel,
    log:
        "results/logs/verify_parcel.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        study=config.get("study", ""),
        request=config.get("request", ""),
        studies=OF_ROWS,
        data=config["data"],
        vocabulary=VOCABULARY,
        manifest=MANIFEST,
        pseudonyms=as_json("pseudonyms"),
        smallest=config["privacy"]["smallest_cell"],
        code=code("parcel"),
        lock=LOCK,
        out="parcels",
    message:
        "Check at its owner's that a parcel comes from its data file: --config study=NAME."
    shell:
        f"{LIBRARY} python -m metastudy.commands.verify_parcel"
        " --study={params.study:q} --studies {params.studies:q} --data {params.data:q} --tables {input.tables:q}"
        " --vocabulary {params.vocabulary:q}"
        " --manifest {params.manifest:q} --pseudonyms {params.pseudonyms:q} --smallest-cell {params.smallest:q}"
        " --request={params.request:q} --scratch results/staged"
        " --code {params.code:q} --lock {params.lock:q} --out {params.out:q} 2>&1 | tee {log:q}"
