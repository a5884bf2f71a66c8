"""Indicators in units of their own: oscillators, measures of trend, and of volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import talib

from research.declarations import (
    Indicator,
    ema_settles,
    of_bars,
    of_series,
    period,
    wilder_settles,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.bars import F8


def _part(function: Callable[..., Any], index: int) -> Callable[..., Any]:
    """Return one of the several outputs of a TA-Lib function."""
    return lambda *arguments: function(*arguments)[index]


def _stoch(index: int) -> Callable[..., Any]:
    def compute(*given: Any) -> Any:
        high, low, close, bars, smooth, signal = given if index else (*given, 1)
        return talib.STOCH(high, low, close, bars, smooth, slowd_period=signal)[index]

    return compute


def _ppo(series: F8, fast: int, slow: int) -> Any:
    return talib.PPO(series, fast, slow, talib.MA_Type.EMA)  # type: ignore[attr-defined]


def oscillators() -> list[Indicator]:
    """Declare what swings between bounds, or around a middle."""
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


def trends() -> list[Indicator]:
    """Declare what tells a market with a direction from one without."""
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


def volumes() -> list[Indicator]:
    """Declare what weighs moves with the volume behind them."""
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
