"""Manuscript: the article, by Quarto where there is one, else by pandoc and Typst, from the same source.

REQUIRED INPUTS: manuscript/, results/figures, results/tables, results/variables
OUTPUTS: results/manuscript/manuscript.{html,pdf,docx}, render.json, and source/, a complete Quarto project
"""

MANUSCRIPT = sorted(
    str(path)
    for path in Path("manuscript").rglob("*")
    if path.is_file() and path.name != "record.json"
)


rule render:
    input:
        manuscript=MANUSCRIPT,
        figures=expand("results/figures/{figure}.{suffix}", figure=FIGURES, suffix=["svg", "png"]),
        tables="results/tables",
        variables="results/variables/_variables.yml",
    output:
        article=report(
            expand("results/manuscript/manuscript.{suffix}", suffix=[SUFFIX[f] for f in FORMATS]),
            caption="../report/article.rst",
            category="Article",
        ),
        record="results/manuscript/render.json",
        source=directory("results/manuscript/source"),
    log:
        "results/logs/render.log",
    conda:
        "../../envs/environment.yaml"
    params:
        out=subpath(output.record, parent=True),
        engine=ENGINE,
        asked=config["manuscript"]["engine"],
        formats=FORMATS,
        code=code("render"),
        lock=LOCK,
    message:
        "Render the article."
    shell:
        "python -m metastudy.commands.render --manuscript manuscript --figures results/figures --tables {input.tables}"
        " --variables {input.variables} --engine {params.engine} --asked {params.asked}"
        " --formats {params.formats} --out {params.out} > {log} 2>&1"
