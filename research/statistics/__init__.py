"""Statistics of luck: one file per method, pure numpy, each held to published or recomputed values.

docs/luck.md says for every method what it asks, which variant it is, where it comes from and how
it misleads. The names most asked for can be had from here.
"""

from research.statistics.deflated import (
    deflated_sharpe,
    deflated_sharpe_point,
    expected_max_sharpe,
    luck_hurdle,
    min_backtest_length,
)
from research.statistics.effective import effective_from_null
from research.statistics.sharpe import Moments, min_track_record_length, moments, psr, psr_2025

__all__ = [
    "Moments",
    "deflated_sharpe",
    "deflated_sharpe_point",
    "effective_from_null",
    "expected_max_sharpe",
    "luck_hurdle",
    "min_backtest_length",
    "min_track_record_length",
    "moments",
    "psr",
    "psr_2025",
]
