"""The library behind the rules: harmonize, aggregate, fit, check, contrast, synthesize, draw, tabulate, render.

Modules import only from floors below their own (CONTRIBUTING.md lists the floors), and none of them
knows Snakemake, a study, a construct or a country: those are data.
"""
