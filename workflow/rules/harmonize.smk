"""Harmonize: each study's raw file to tables of one form.

REQUIRED INPUTS: data/raw/<study>/{data file, codebook.yaml}, data/raw/manifest.yaml, config/vocabulary.yaml
OUTPUTS: results/harmonized/<study>/ with seven tables in Parquet and report.json
A study's tables depend on that study alone. Snakemake removes the old output of a job before it runs it, so
tables are made in results/incoming/ and adopted once they are whole: bad data cost no table that was there.
It also takes down a failed job as done, so `adopt` has the params of `harmonize`: a second run fails as well.
"""


rule harmonize:
    input:
        raw=raw_files,
        vocabulary=config["vocabulary"],
        manifest=ancient(settings.manifest(config)),
    output:
        tables=directory("results/incoming/{study}"),
    log:
        "results/logs/harmonize/{study}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        folder=lambda w: Path(config["data"]) / w.study,
        pseudonyms=as_json("pseudonyms"),
        raw=raw_digests,
        code=code("harmonize"),
        lock=LOCK,
    message:
        "Harmonize {wildcards.study}."
    shell:
        "python -m metastudy.harmonize --study-folder {params.folder} --vocabulary {input.vocabulary}"
        " --manifest {input.manifest} --pseudonyms {params.pseudonyms:q} --out {output.tables} > {log} 2>&1"


rule adopt:
    input:
        tables="results/incoming/{study}",
    output:
        tables=directory("results/harmonized/{study}"),
    log:
        "results/logs/adopt/{study}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        pseudonyms=as_json("pseudonyms"),
        raw=raw_digests,
        code=code("harmonize"),
        lock=LOCK,
    message:
        "Adopt the tables of {wildcards.study}."
    shell:
        "mkdir -p {output.tables} && cp {input.tables}/* {output.tables} > {log} 2>&1"


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
        "python data/generator/generate.py --world data/generator/world.yaml --out {params.out} --manifest > {log} 2>&1"
