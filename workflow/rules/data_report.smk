"""Data report: what the data look like before any model, a page per study and one over all.

REQUIRED INPUTS: results/harmonized/<study>, config/vocabulary.yaml
OUTPUTS: results/data_report/{index,<study>}.{html,md}, figures/, and <study>/inspected.json with the numbers
`snakemake check` asks for the pages and for nothing that needs a fit. Counts below the smallest cell of the
configuration are hidden where a study is inspected, so no page can show them.
"""


rule check:
    input:
        DATA_REPORT,
        "results/declared",  # where a study that is there twice is seen
        "results/names/studies.json",  # and an appraisal that is wrong
    localrule: True
    message:
        "The data report is up to date: {input[0]}."


rule inspect:
    input:
        tables="results/harmonized/{study}",
        vocabulary=VOCABULARY,
    output:
        inspected="results/data_report/{study}/inspected.json",
    log:
        "results/logs/inspect/{study}.log",
    conda:
        "../../envs/environment.yaml"
    params:
        smallest=config["privacy"]["smallest_cell"],
        code=code("inspect"),
        lock=LOCK,
    message:
        "Inspect the data of {wildcards.study}."
    shell:
        f"{STORED} python -m metastudy.commands.inspect"
        " --study {input.tables:q} --vocabulary {input.vocabulary:q}"
        " --smallest-cell {params.smallest:q} --out {output.inspected:q} > {log:q} 2>&1"


rule report_data:
    input:
        inspected=expand("results/data_report/{study}/inspected.json", study=STUDIES),
        vocabulary=VOCABULARY,
    output:
        pages=DATA_REPORT,
        figures=directory("results/data_report/figures"),
    log:
        "results/logs/report_data.log",
    conda:
        "../../envs/environment.yaml"
    params:
        out=subpath(output.figures, parent=True),
        code=code("report_data"),
        lock=LOCK,
    message:
        "Write the data report."
    shell:
        f"{STORED} python -m metastudy.commands.report_data"
        " --inspected {input.inspected:q} --vocabulary {input.vocabulary:q}"
        " --out {params.out:q} > {log:q} 2>&1"
