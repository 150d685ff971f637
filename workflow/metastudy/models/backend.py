"""PyTensor's flags, set before anything imports it.

PyTensor reads its flags once, when it is imported, and some module imports PyMC before it imports
anything of this library. So the library itself imports this module, and whoever imports the library
first has the flags: every command, every test and every benchmark.
"""

from __future__ import annotations

import os

__all__ = ["FLAGS"]

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
