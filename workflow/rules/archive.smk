"""Archive: an RO-Crate of a finished build, made when somebody asks for it.

REQUIRED INPUTS: everything that `rule all` asks for; results/verdict of `snakemake verify`, if there is one
OUTPUTS: results/archive/ro-crate/ and results/archive/ro-crate.zip (docs/archive.md)
It declares none of them as outputs: a new verdict or commit makes it another archive, so it is made each time.
"""


rule archive:
    input:
        rules.all.input,
        config="results/run_config.yaml",
    log:
        "results/logs/archive.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        data=lambda wildcards: config["data"],
        results=subpath(input.config, parent=True),
        repository=str(REPOSITORY),
        files=[VOCABULARY, MANIFEST, config["appraisal"], TRUTH, LEFT_OUT],
        fits=FITS_AS_JSON,
        pseudonyms=as_json("pseudonyms"),
        out=lambda wildcards, input: os.path.join(os.path.dirname(input.config), "archive"),
    message:
        "Make the archive of the build."
    shell:
        f"{LIBRARY} python -m metastudy.commands.archive"
        " --repository {params.repository:q} --data {params.data:q} --results {params.results:q} --files {params.files:q}"
        " --fits {params.fits:q} --pseudonyms {params.pseudonyms:q} --out {params.out:q} > {log:q} 2>&1"
