"""The values of an inspection: plain texts and rounded numbers that JSON can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Rows", "number_or_none", "text_or_none"]

Rows = list[dict[str, Any]]


def text_or_none(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def number_or_none(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)
