"""The library behind the rules: a package for each stage, and a command for each rule.

Imports go down only (docs/architecture.md draws the layers), and nothing below the commands knows
Snakemake, a study, a construct or a country: those are data.
"""

from metastudy.models import backend as backend  # its flags count before anything imports PyMC
