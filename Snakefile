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


onsuccess:
    from metastudy.record.end_of_run import say_the_end
    from metastudy.record.exit_code import end_with_the_verdict

    say_the_end(workflow.dag_settings.targets)
    end_with_the_verdict(workflow.dag_settings.targets)
