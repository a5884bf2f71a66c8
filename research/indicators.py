"""The indicators of the strategy language, by name.

Formulas: https://ta-lib.org/functions/. To add one, declare it in overlays.py or oscillators.py:
the language, its reference and the warm-up of strategies read the declaration.

TA-Lib spreads one NaN over the rest of a series, so the input must be finite: `bars_of` sees
to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InvalidInput
from research.declarations import SERIES, Indicator
from research.oscillators import oscillators, trends, volumes
from research.overlays import averages, ranges

if TYPE_CHECKING:
    from research.bars import F8, Bars

INDICATORS: dict[str, Indicator] = {
    indicator.name: indicator
    for declare in (averages, ranges, oscillators, trends, volumes)
    for indicator in declare()
}


def values(name: str, params: tuple[float, ...], bars: Bars, source: str | None = None) -> F8:
    """Return one value per bar, NaN before the first.

    Raises:
        InvalidInput: No such indicator, wrong parameters, or a `source` it does not take.
    """
    indicator = indicator_named(name)
    if indicator.source is None:
        if source is not None:
            raise InvalidInput(f"expected no input series for {name}, was {source!r}")
        arguments: tuple[Any, ...] = (bars,)
    else:
        arguments = (bars, getattr(bars, _series_named(source or indicator.source)))
    checked = indicator.checked(params)
    if bars.time.size <= indicator.lookback(*checked):  # TA-Lib refuses an empty series
        return np.full(bars.time.size, np.nan)
    return np.asarray(indicator.compute(*arguments, *checked), dtype=np.float64)


def indicator_named(name: str) -> Indicator:
    """Return the declaration of `name`; raise `InvalidInput` with the known names."""
    try:
        return INDICATORS[name]
    except KeyError:
        known = ", ".join(sorted(INDICATORS))
        raise InvalidInput(f"expected an indicator of {known}, was {name!r}") from None


def _series_named(name: str) -> str:
    if name not in SERIES:
        raise InvalidInput(f"expected a series of {', '.join(SERIES)}, was {name!r}")
    return name
