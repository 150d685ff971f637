"""Manuscript: the article and its supplement, by pandoc and Typst, or by Quarto where it is asked for, from the same source.

REQUIRED INPUTS: manuscript/, results/figures, results/tables, results/variables
OUTPUTS: results/manuscript/{manuscript,supplement}.{html,pdf,docx}, render.json, ledger.{csv,html}, and source/, a complete Quarto project
"""

# A folder in it may be a link.
MANUSCRIPT = sorted(
    local(os.path.join(folder, name))
    for folder, _, names in os.walk(SOURCES, followlinks=True)
    for name in names
    if name not in {Path(path).name for path in (RECORD, HISTORY, CHANGES)}
)


rule render:
    input:
        manuscript=MANUSCRIPT,
        figures=expand("results/figures/{figure}.{suffix}", figure=FIGURES, suffix=["svg", "png"]),
        tables="results/tables",
        variables="results/variables/_variables.yml",
        sources="results/variables/sources.json",
    output:
        article=report(
            RENDERED,
            caption="../report/article.rst",
            category="Article",
        ),
        record="results/manuscript/render.json",
        ledger=multiext("results/manuscript/ledger", ".csv", ".html"),
        # The figures are in the report from here, as their captions have the numbers of the article.
        source=report(
            directory("results/manuscript/source"),
            patterns=["figures/{figure}.svg"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/logs/render.log",
    conda:
        "../../envs/environment.yaml"
    params:
        sources=folder_of("manuscript"),
        figures=folder_of("figures"),
        out=subpath(output.record, parent=True),
        engine=ENGINE,
        asked=config["manuscript"]["engine"],
        formats=FORMATS,
        captions=lambda wildcards: FigureCaptions("results/manuscript/source/captions.tsv"),
        code=code("render"),
        lock=LOCK,
    message:
        "Render the article and its supplement."
    shell:
        f"{STORED} python -m metastudy.commands.render"
        " --manuscript {params.sources:q} --figures {params.figures:q} --tables {input.tables:q}"
        " --variables {input.variables:q} --ledger {input.sources:q} --engine {params.engine:q} --asked {params.asked:q}"
        " --formats {params.formats:q} --out {params.out:q} > {log:q} 2>&1"
