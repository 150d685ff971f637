"""Harmonize: each study's raw file to tables of one form.

REQUIRED INPUTS: data/raw/<study>/{data file, codebook.yaml}, data/raw/manifest.yaml, config/vocabulary.yaml
OUTPUTS: results/harmonized/<study>/ with seven tables in Parquet and report.json
A study's tables depend on that study alone.
"""


rule harmonize:
    input:
        raw=raw_files,
        vocabulary=config["vocabulary"],
        manifest=settings.manifest(config),
    output:
        tables=directory("results/harmonized/{study}"),
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


rule simulate:
    log:
        "results/logs/simulate.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    message:
        "Write the simulated stand-ins for the raw data again, from their seed."
    shell:
        "python data/generator/generate.py --world data/generator/world.yaml --out {config[data]} --manifest > {log} 2>&1"
