"""The indicators of the strategy language, computed by TA-Lib.

Formulas: https://ta-lib.org/functions/. To add one, declare it here; the language, its reference
and the warm-up of strategies read the declaration.

TA-Lib spreads one NaN over the rest of a series, so the input must be finite: `bars_of` sees
to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import talib

from core.errors import InvalidInput
from research.declarations import (
    SERIES,
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

    from research.bars import F8, Bars


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


def _part(function: Callable[..., Any], index: int) -> Callable[..., Any]:
    """Return one of the several outputs of a TA-Lib function."""
    return lambda *arguments: function(*arguments)[index]


def _band(index: int) -> Callable[..., Any]:
    return lambda series, bars, width: talib.BBANDS(series, bars, width, width)[index]


def _stoch(index: int) -> Callable[..., Any]:
    def compute(*given: Any) -> Any:
        high, low, close, bars, smooth, signal = given if index else (*given, 1)
        return talib.STOCH(high, low, close, bars, smooth, slowd_period=signal)[index]

    return compute


def _ppo(series: F8, fast: int, slow: int) -> Any:
    return talib.PPO(series, fast, slow, talib.MA_Type.EMA)  # type: ignore[attr-defined]


def _averages() -> list[Indicator]:
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


def _ranges() -> list[Indicator]:
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


def _oscillators() -> list[Indicator]:
    n14 = period(14)
    return [
        of_series(
            "rsi",
            talib.RSI,
            "Wilder's relative strength index, 0 to 100",
            n14,
            lookback=window(0),
            settling=wilder_settles,
        ),
        of_series(
            "cmo",
            talib.CMO,
            "Chande's momentum oscillator with Wilder's smoothing, -100 to 100",
            n14,
            lookback=window(0),
            settling=wilder_settles,
        ),
        of_series(
            "roc",
            talib.ROC,
            "rate of change over the period, in percent",
            period(10, 1),
            lookback=window(0),
        ),
        of_series("mom", talib.MOM, "change over the period", period(10, 1), lookback=window(0)),
        of_bars(
            "cci",
            talib.CCI,
            "high low close",
            "commodity channel index of the typical price",
            period(20),
            lookback=window(-1),
        ),
        of_bars(
            "willr",
            talib.WILLR,
            "high low close",
            "Williams' %R, -100 to 0",
            n14,
            lookback=window(-1),
        ),
        *_stochastics(),
        of_bars(
            "ultosc",
            talib.ULTOSC,
            "high low close",
            "Williams' ultimate oscillator, 0 to 100",
            period(7, 1, "short"),
            period(14, 1, "medium"),
            period(28, 1, "long"),
            lookback=lambda *periods: max(periods),
        ),
        of_bars(
            "bop",
            talib.BOP,
            "open high low close",
            "balance of power: (close - open) / (high - low)",
            lookback=lambda: 0,
        ),
    ]


def _stochastics() -> list[Indicator]:
    fast, smooth, signal = period(14, 1), period(3, 1, "smooth"), period(3, 1, "signal")
    return [
        of_bars(
            "stoch_k",
            _stoch(0),
            "high low close",
            "slow stochastic %K, 0 to 100: sma of the fast %K",
            fast,
            smooth,
            lookback=lambda n, k: n + k - 2,
        ),
        of_bars(
            "stoch_d",
            _stoch(1),
            "high low close",
            "slow stochastic %D, 0 to 100: sma of the slow %K",
            fast,
            smooth,
            signal,
            lookback=lambda n, k, d: n + k + d - 3,
        ),
    ]


def _trends() -> list[Indicator]:
    n14 = period(14)
    return [
        *_macds(),
        of_series(
            "ppo",
            _ppo,
            "percentage price oscillator: the macd line in percent of the slow ema",
            period(12, 2, "fast"),
            period(26, 2, "slow"),
            lookback=lambda _fast, slow: slow - 1,
            settling=lambda _fast, slow: ema_settles(slow),
            ascending=True,
        ),
        of_series(
            "trix",
            talib.TRIX,
            "one-bar change of a triple ema, in percent",
            period(15),
            lookback=window(-2, 3),
            settling=lambda n: 3 * ema_settles(n),
        ),
        of_bars(
            "adx",
            talib.ADX,
            "high low close",
            "Wilder's average directional index, 0 to 100",
            n14,
            lookback=window(-1, 2),
            settling=lambda n: 2 * wilder_settles(n),
        ),
        *(
            of_bars(
                name,
                function,
                "high low close",
                f"Wilder's {sign} directional indicator, 0 to 100",
                n14,
                lookback=window(0),
                settling=wilder_settles,
            )
            for name, function, sign in (
                ("plus_di", talib.PLUS_DI, "positive"),
                ("minus_di", talib.MINUS_DI, "negative"),
            )
        ),
        of_bars(
            "aroon_up",
            _part(talib.AROON, 1),
            "high low",
            "how recent the highest high is, 0 to 100",
            n14,
            lookback=window(0),
        ),
        of_bars(
            "aroon_down",
            _part(talib.AROON, 0),
            "high low",
            "how recent the lowest low is, 0 to 100",
            n14,
            lookback=window(0),
        ),
        of_bars(
            "aroon_osc",
            talib.AROONOSC,
            "high low",
            "aroon_up - aroon_down",
            n14,
            lookback=window(0),
        ),
        of_series(
            "linreg_slope",
            talib.LINEARREG_SLOPE,
            "slope of the least-squares line over the period, per bar",
            n14,
            lookback=window(-1),
        ),
    ]


def _macds() -> list[Indicator]:
    return [
        of_series(
            name,
            _part(talib.MACD, index),
            summary,
            period(12, 2, "fast"),
            period(26, 2, "slow"),
            period(9, 1, "signal"),
            lookback=lambda _fast, slow, signal: slow + signal - 2,
            settling=lambda _fast, slow, signal: ema_settles(slow) + ema_settles(signal),
            ascending=True,
        )
        for index, (name, summary) in enumerate(
            (
                ("macd", "fast ema - slow ema, from the bar on which its signal begins"),
                ("macd_signal", "ema of the macd line"),
                ("macd_hist", "macd - macd_signal"),
            )
        )
    ]


def _volumes() -> list[Indicator]:
    return [
        of_bars(
            "obv",
            talib.OBV,
            "close volume",
            "on-balance volume; starts with the history, so compare it with its own past",
            lookback=lambda: 0,
        ),
        of_bars(
            "ad",
            talib.AD,
            "high low close volume",
            "accumulation/distribution line; starts with the history, as obv",
            lookback=lambda: 0,
        ),
        of_bars(
            "adosc",
            talib.ADOSC,
            "high low close volume",
            "Chaikin oscillator: fast ema - slow ema of ad",
            period(3, 2, "fast"),
            period(10, 2, "slow"),
            lookback=lambda _fast, slow: slow - 1,
            settling=lambda _fast, slow: ema_settles(slow),
            ascending=True,
        ),
        of_bars(
            "mfi",
            talib.MFI,
            "high low close volume",
            "money flow index, 0 to 100",
            period(14),
            lookback=window(0),
        ),
    ]


INDICATORS: dict[str, Indicator] = {
    indicator.name: indicator
    for declare in (_averages, _ranges, _oscillators, _trends, _volumes)
    for indicator in declare()
}
