"""Article: figures, tables and the numbers of the text, each from the results and nothing else.

REQUIRED INPUTS: results/{harmonized,names,cells,contrasts,synthesis,diagnostics}
OUTPUTS: results/names/studies.json, results/figures/<figure>.{csv,svg,png}, results/tables/, results/variables/{_variables.yml,sources.json}
Nothing here is made from a fit that missed a gate.
"""


rule name_studies:
    input:
        studies=RESULT_FILES["studies"],
        appraisal=[file for file in RESULT_FILES["appraisal"] if Path(file).is_file()],
        vocabulary=VOCABULARY,
        bibliography=[local(str(path)) for path in sorted(SOURCES.glob("*.bib"))],
    output:
        names="results/names/studies.json",
    log:
        "results/logs/name_studies.log",
    conda:
        "../../envs/environment.yaml"
    params:
        part="no" if config["studies"] == config["modules"] == "all" else "yes",
        code=code("name_studies"),
        lock=LOCK,
    message:
        "Take down what each study is called."
    shell:
        f"{STORED} python -m metastudy.commands.name_studies"
        " --studies {input.studies:q} --appraisal {input.appraisal:q} --vocabulary {input.vocabulary:q}"
        " --bibliography {input.bibliography:q} --part {params.part:q} --out {output.names:q} > {log:q} 2>&1"


rule draw:
    input:
        unpack(results_of_figure),
        gates="results/diagnostics/gates.json",
        vocabulary=VOCABULARY,
    output:
        table="results/figures/{figure}.csv",
        svg="results/figures/{figure}.svg",
        png="results/figures/{figure}.png",
    log:
        "results/logs/draw/{figure}.log",
    wildcard_constraints:
        figure=one_of(FIGURES),
    conda:
        "../../envs/environment.yaml"
    params:
        results=as_options,
        settings=as_json("report", "priors", "privacy", "primary"),
        code=code("draw"),
        lock=LOCK,
    message:
        "Draw the figure {wildcards.figure}."
    shell:
        f"{STORED} python -m metastudy.commands.draw"
        " --figure {wildcards.figure:q} --vocabulary {input.vocabulary:q}"
        " --settings {params.settings:q} {params.results:q} --csv {output.table:q} --svg {output.svg:q}"
        " --png {output.png:q} > {log:q} 2>&1"


rule tabulate:
    input:
        **RESULT_FILES,
        gates="results/diagnostics/gates.json",
        vocabulary=VOCABULARY,
        bibliography=[local(str(path)) for path in sorted(SOURCES.glob("*.bib"))],
        record=[local(path) for path in ACCEPTED],
    output:
        tables=report(
            directory("results/tables"),
            patterns=["{table}.csv"],
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "results/logs/tabulate.log",
    conda:
        "../../envs/environment.yaml"
    params:
        results=as_options,
        settings=as_json(
            *("report", "priors", "privacy", "gates", "sampling", "pooling", "primary")
        ),
        captions=lambda wildcards: TableCaptions("results/tables"),
        code=code("tabulate"),
        lock=LOCK,
        build=subpath(output.tables, parent=True),
    message:
        "Write the tables of the article."
    shell:
        f"{STORED} python -m metastudy.commands.tabulate"
        " --vocabulary {input.vocabulary:q} --settings {params.settings:q}"
        " {params.results:q} --bibliography {input.bibliography:q}"
        " --accepted {input.record:q} --build {params.build:q} --out {output.tables:q} > {log:q} 2>&1"


rule variables:
    input:
        **RESULT_FILES,
        gates="results/diagnostics/gates.json",
        vocabulary=VOCABULARY,
    output:
        variables="results/variables/_variables.yml",
        sources="results/variables/sources.json",
    log:
        "results/logs/variables.log",
    conda:
        "../../envs/environment.yaml"
    params:
        results=as_options,
        settings=as_json(
            *("report", "priors", "privacy", "gates", "sampling", "pooling", "primary")
        ),
        engine=ENGINE,
        fits=FITS_AS_JSON,
        code=code("variables"),
        lock=LOCK,
    message:
        "Put the results into the variables of the article."
    shell:
        f"{STORED} python -m metastudy.commands.variables"
        " --vocabulary {input.vocabulary:q} --settings {params.settings:q}"
        " {params.results:q} --engine {params.engine:q} --fits {params.fits:q}"
        " --out {output.variables:q} --sources {output.sources:q} > {log:q} 2>&1"


rule record_config:
    output:
        config="results/run_config.yaml",
    log:
        "results/logs/record_config.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    params:
        config=json.dumps(config, sort_keys=True),
    message:
        "Write down the configuration that was run."
    shell:
        "python -c 'import json, sys, yaml; yaml.safe_dump(json.loads(sys.argv[1]), sys.stdout, sort_keys=False)'"
        " {params.config:q} > {output.config:q} 2> {log:q}"
