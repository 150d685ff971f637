"""PyTensor's flags and one thread of BLAS, set before anything imports what reads them.

PyTensor reads its flags once, when it is imported, and some module imports PyMC before it imports
anything of this library. So the library itself imports this module, and whoever imports the library
first has the flags: every command, every test and every benchmark.
"""

from __future__ import annotations

import os
import sys

import threadpoolctl

__all__ = ["FLAGS", "THREADS", "flags_in_force"]

# Each is a word of PYTENSOR_FLAGS.
FLAGS = (
    # With fastmath a cold and a warm compile cache give different bits for one seed.
    "numba__fastmath=False",
    # Everything runs on numba: no C compiler is looked for, none is missed.
    "cxx=",
    # Nor a BLAS for that compiler: numba takes SciPy's, and a log needs no warning of it.
    "blas__ldflags=",
)
# A flag of the user's comes last and wins.
os.environ["PYTENSOR_FLAGS"] = ",".join(
    filter(None, [*FLAGS, os.environ.get("PYTENSOR_FLAGS", "")])
)

# Where compiled code is kept: of these no draw depends.
PLACES = ("base_compiledir", "compiledir", "compiledir_format")


def flags_in_force() -> str:
    """The flags that draws may depend on, one spelling for all ways to set them.

    Returns
    -------
    ``name=value`` of each flag of this library and of the user's environment, sorted, the last
    value of each; without :data:`PLACES`.
    """
    words = [word.strip() for word in os.environ["PYTENSOR_FLAGS"].split(",")]
    pairs = dict(word.partition("=")[::2] for word in words if word)
    return ",".join(f"{name}={pairs[name]}" for name in sorted(pairs) if name not in PLACES)


# One thread of OpenMP and BLAS in whatever makes a number: only chains run side by side. With more,
# sums have another order and other bits, and many small matrices take longer.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))
if "numpy" in sys.modules:  # which has read them already
    threadpoolctl.threadpool_limits(1)
