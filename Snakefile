"""Entry of the repository: the workflow in workflow/Snakefile, with the configuration of this folder.

REQUIRED INPUTS: those of workflow/Snakefile
OUTPUTS: those of workflow/Snakefile
A module and no `include`, for an included file cannot set the default target.
"""


configfile: "config/config.yaml"


module metastudy:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from metastudy
