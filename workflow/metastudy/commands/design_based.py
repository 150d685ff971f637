"""Design-based estimates: weighted for how people were sampled, uncertain by how they clustered.

A sensitivity analysis beside the models. A model takes the respondents as they are and describes
their sites; here the sampling weights say whom a respondent stands for, and the errors rest on
nothing but the sampled clusters being independent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from metastudy.codebook import vocabulary as vocabularies
from metastudy.commands._run import run
from metastudy.common.result_tables import checked
from metastudy.harmonized import parquet
from metastudy.harmonized.study import load_study
from metastudy.synthesis.design_based import design_based


def main() -> None:
    """Estimate by design: the entry point of the rule ``design_based``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--studies", type=Path, nargs="*", required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--interval", type=float, default=0.95)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    studies = [load_study(folder) for folder in sorted(args.studies)]
    vocabulary = vocabularies.of_studies(args.vocabulary, [study.vocabulary for study in studies])
    table = design_based(studies, vocabulary, args.interval)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    parquet.write(checked("design_based", table), args.out)
    print(f"{len(table)} estimates from {table['study'].nunique()} studies with weights")


if __name__ == "__main__":
    run(main)
