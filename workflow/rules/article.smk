"""Article: figures, tables and the numbers of the text, each from the results and nothing else.

REQUIRED INPUTS: results/{harmonized,names,cells,contrasts,synthesis,diagnostics}
OUTPUTS: results/names/{studies.json,modules/<module>.json}, results/figures/<figure>.{csv,svg,png}, results/tables/, results/variables/{_variables.yml,sources.json}
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
        own_names=RESULT_FILES["own_names"],
    log:
        "results/logs/name_studies.log",
    conda:
        "../../envs/environment.yaml"
    params:
        part="no" if config["studies"] == config["modules"] == "all" else "yes",
        members=json.dumps({name: module.studies for name, module in FOUND.modules.items()}),
        code=code("name_studies"),
        lock=LOCK,
    message:
        "Take down what each study is called."
    shell:
        f"{STORED} python -m metastudy.commands.name_studies"
        " --studies {input.studies:q} --appraisal {input.appraisal:q} --vocabulary {input.vocabulary:q}"
        " --bibliography {input.bibliography:q} --part {params.part:q} --members {params.members:q}"
        " --out {output.names:q} --own {output.own_names:q} > {log:q} 2>&1"


# All figures of the whole are one job, and those of each module: most of one alone would be the start of Python.
rule draw:
    input:
        unpack(results_of_figures),
        gates="results/diagnostics/gates.json",
        vocabulary=VOCABULARY,
    output:
        **drawings(catalogue.FIGURES),
    log:
        "results/logs/draw.log",
    conda:
        "../../envs/environment.yaml"
    params:
        figures=figures_of,
        models=models_of,
        results=as_options,
        settings=as_json("report", "priors", "privacy", "primary"),
        code=code("draw"),
        lock=LOCK,
        out=subpath(output[0], parent=True),
    message:
        "Draw the figures of the whole."
    shell:
        f"{STORED} python -m metastudy.commands.draw"
        " --figures {params.figures:q} --models {params.models:q} --vocabulary {input.vocabulary:q}"
        " --settings {params.settings:q} {params.results:q} --out {params.out:q}"
        f" --code {{params.code:q}} --lock {{params.lock:q}}{KEEP}"
        " > {log:q} 2>&1"


use rule draw as draw_answers with:
    output:
        **drawings(OF_A_MODULE["answers"]),
    log:
        "results/logs/draw_answers/{module}.log",
    wildcard_constraints:
        module=one_of(OF_A_KIND["answers"]),
    message:
        "Draw the figures of {wildcards.module}."


use rule draw as draw_codings with:
    output:
        **drawings(OF_A_MODULE["codings"]),
    log:
        "results/logs/draw_codings/{module}.log",
    wildcard_constraints:
        module=one_of(OF_A_KIND["codings"]),
    message:
        "Draw the figures of {wildcards.module}."


use rule draw as draw_events with:
    output:
        **drawings(OF_A_MODULE["events"]),
    log:
        "results/logs/draw_events/{module}.log",
    wildcard_constraints:
        module=one_of(OF_A_KIND["events"]),
    message:
        "Draw the figures of {wildcards.module}."


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
