"""The library behind the rules, a module for each verb: harmonize, aggregate, fit and so on.

Modules import only from floors below their own (CONTRIBUTING.md lists the floors), and none of them
knows Snakemake, a study, a construct or a country: those are data.
"""
