"""BLAS with one thread, as Snakemake has it in a job of one core. Import this before NumPy.

With several, they wait for each other in loops that cost processor time, most of all on a busy
machine; models on rows call BLAS more often than models on cells, and would be charged for it.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
