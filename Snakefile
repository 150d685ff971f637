"""Entry of the repository: the workflow in workflow/Snakefile, with the configuration of this folder.

REQUIRED INPUTS: those of workflow/Snakefile
OUTPUTS: those of workflow/Snakefile
A module and no `include`, for an included file cannot set the default target.
"""

import os

# Snakemake would wait for a pipe, and quote from a file that a link leads to.
for given in filter(os.path.lexists, ["config/config.yaml"]):
    inside = [os.path.realpath(folder) + os.sep for folder in (".", workflow.basedir)]
    away = os.path.islink(given) and not os.path.realpath(given).startswith(tuple(inside))
    if away or not os.path.isfile(given):
        raise WorkflowError(f"{given} is no file of the project: put the file itself there")


configfile: "config/config.yaml"


module metastudy:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from metastudy


onsuccess:
    from metastudy.record.end_of_run import say_the_end
    from metastudy.record.exit_code import end_with_the_verdict

    say_the_end(workflow.dag_settings.targets)
    end_with_the_verdict(workflow.dag_settings.targets)
