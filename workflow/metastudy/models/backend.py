"""PyTensor's flags, set before anything imports it. Import this module before PyMC.

PyTensor reads its flags once, when it is imported, so an import of this module stands above every
`import pymc` (with `isort: skip`). Whoever needs PyMC imports :mod:`metastudy.models`, or this.
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
