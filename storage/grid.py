"""The grid that bars lie on, in SQL."""

from __future__ import annotations

from datetime import timedelta

from core.market import INTERVALS
from storage.schema import literal

_MICROS = " ".join(
    f"when {literal(name)} then {step // timedelta(microseconds=1)}"
    for name, step in INTERVALS.items()
)
# The length of a bar in microseconds, of a row with the column `interval`.
STEP = f"case interval {_MICROS} end"
