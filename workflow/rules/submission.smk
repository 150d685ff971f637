"""Submission: a folder for a journal, made when somebody asks for it.

REQUIRED INPUTS: the rendered article with its source/, results/harmonized, results/cells, data/raw, CITATION.cff
OUTPUTS: results/submission/ with blinded documents, figures, data, statements and checklists (docs/submission.md),
 and .made.json, which lists them; what is not in it is not removed
"""


rule submission:
    input:
        source="results/manuscript/source",
        studies=[f"results/harmonized/{study}" for study in STUDIES],
        cells=[f"results/cells/{fit}.nc" for fit in FITS],
        raw=[local(path) for study in STUDIES for path in FOUND.studies[study].files],
    output:
        # The folder itself is no output: Snakemake would delete all that is in it before the job.
        made=update("results/submission/.made.json"),
    log:
        "results/logs/submission.log",
    conda:
        "../../envs/environment.yaml"
    params:
        data=lambda wildcards: config["data"],
        results=subpath(output.made, ancestor=2),
        out=subpath(output.made, parent=True),
        repository=str(REPOSITORY),
        fits=FITS_AS_JSON,
        models=json.dumps({name: module.model for name, module in FOUND.modules.items()}),
        seed=config["sampling"]["seed"],
        pseudonyms=as_json("pseudonyms"),
        code=code("submission"),
        lock=LOCK,
    message:
        "Make the folder of a submission."
    shell:
        f"{LIBRARY} python -m metastudy.commands.submission"
        " --source {input.source:q} --studies {input.studies:q} --data {params.data:q} --results {params.results:q}"
        " --repository {params.repository:q} --fits {params.fits:q} --models {params.models:q}"
        " --seed {params.seed:q} --pseudonyms {params.pseudonyms:q} --out {params.out:q} > {log:q} 2>&1"
