"""Indicators in the unit of their input: averages, bands, channels and ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import talib

from research.declarations import (
    Indicator,
    Parameter,
    deviations,
    ema_settles,
    kama_settles,
    of_bars,
    of_series,
    period,
    wilder_settles,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def _band(index: int) -> Callable[..., Any]:
    return lambda series, bars, width: talib.BBANDS(series, bars, width, width)[index]


def averages() -> list[Indicator]:
    """Declare what follows the price."""
    n20 = period(20)
    return [
        of_series("sma", talib.SMA, "simple moving average", n20, lookback=window(-1)),
        of_series(
            "ema",
            talib.EMA,
            "exponential moving average, weight 2/(period+1), begun with an sma",
            n20,
            lookback=window(-1),
            settling=ema_settles,
        ),
        of_series("wma", talib.WMA, "linearly weighted moving average", n20, lookback=window(-1)),
        of_series(
            "dema",
            talib.DEMA,
            "double exponential moving average: 2 ema - ema of ema",
            n20,
            lookback=window(-2, 2),
            settling=lambda n: 2 * ema_settles(n),
        ),
        of_series(
            "tema",
            talib.TEMA,
            "triple exponential moving average",
            n20,
            lookback=window(-3, 3),
            settling=lambda n: 3 * ema_settles(n),
        ),
        of_series("trima", talib.TRIMA, "triangular moving average", n20, lookback=window(-1)),
        of_series(
            "kama",
            talib.KAMA,
            "Kaufman's adaptive moving average (fast 2, slow 30)",
            period(10),
            lookback=window(0),
            settling=kama_settles,
        ),
        of_series(
            "linreg",
            talib.LINEARREG,
            "end of the least-squares line over the period",
            period(14),
            lookback=window(-1),
        ),
        of_bars(
            "sar",
            talib.SAR,
            "high low",
            "Wilder's parabolic stop and reverse",
            Parameter("acceleration", 0.02, 0.001, 1, whole=False),
            Parameter("maximum", 0.2, 0.001, 1, whole=False),
            lookback=lambda *_: 1,
            settling=lambda *_: 200,
        ),
    ]


def ranges() -> list[Indicator]:
    """Bands, channels and widths, in the unit of their input."""
    band, width = period(20), deviations(2)
    return [
        *(
            of_series(
                f"bbands_{part}",
                _band(index),
                f"{part} Bollinger band: sma and population standard deviations",
                band,
                width,
                lookback=window(-1),
            )
            for index, part in enumerate(("upper", "middle", "lower"))
        ),
        of_series(
            "highest",
            talib.MAX,
            "highest value of the period, this bar included",
            band,
            lookback=window(-1),
            source="high",
        ),
        of_series(
            "lowest",
            talib.MIN,
            "lowest value of the period, this bar included",
            band,
            lookback=window(-1),
            source="low",
        ),
        of_series(
            "stddev",
            talib.STDDEV,
            "population standard deviations of the period",
            band,
            deviations(1),
            lookback=window(-1),
        ),
        of_bars("trange", talib.TRANGE, "high low close", "true range", lookback=lambda: 1),
        *(
            of_bars(
                name,
                function,
                "high low close",
                summary,
                period(14),
                lookback=window(0),
                settling=wilder_settles,
            )
            for name, function, summary in (
                ("atr", talib.ATR, "Wilder's average true range"),
                ("natr", talib.NATR, "average true range in percent of the close"),
            )
        ),
    ]
