"""Thoughts about a market that traders know, drawn with rounded parameters.

Each comes in both directions. A trigger is a reason to enter, and says when that reason is gone;
a filter only keeps an entry out of the wrong surroundings. None speaks of prices or volumes in
absolute terms, so each fits any market and any timeframe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TypeVar("_T")


class Trigger(NamedTuple):
    """A reason to enter in each direction, and when it is gone."""

    long: str
    short: str
    long_over: str
    short_over: str


class Filter(NamedTuple):
    """What must hold beside a trigger, in each direction."""

    long: str
    short: str


def pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """Draw one of several, each as likely."""
    return options[int(rng.integers(len(options)))]


def weighted(rng: np.random.Generator, weights: Mapping[_T, int]) -> _T:
    """Draw one of several by its weight."""
    total = np.cumsum(list(weights.values()))
    mark = rng.integers(total[-1])
    return list(weights)[int(np.searchsorted(total, mark, side="right"))]


def _times(factor: str, value: str) -> str:
    return value if factor == "1" else f"{factor} * {value}"


def _crossing(one: str, other: str) -> Trigger:
    """Enter where `one` crosses `other`, leave where it crosses back."""
    above, below = f"crosses_above({one}, {other})", f"crosses_below({one}, {other})"
    return Trigger(above, below, below, above)


# --- trend ---------------------------------------------------------------------------------------

_AVERAGES = ("sma", "ema", "ema", "wma", "dema", "tema", "kama")
_FAST, _SLOW = (5, 8, 9, 10, 12, 15, 20), (21, 26, 30, 50, 60, 100, 200)
_MACDS = ("12, 26, 9", "8, 21, 5", "5, 35, 5", "19, 39, 9", "6, 13, 4", "24, 52, 18")


def average_cross(rng: np.random.Generator) -> Trigger:
    """Draw a fast average crossing a slow one."""
    average = pick(rng, _AVERAGES)
    return _crossing(f"{average}({pick(rng, _FAST)})", f"{average}({pick(rng, _SLOW)})")


def price_cross(rng: np.random.Generator) -> Trigger:
    """Draw the price crossing an average, or standing beyond it."""
    average = f"{pick(rng, _AVERAGES)}({pick(rng, _SLOW)})"
    if rng.integers(2):
        return _crossing("close", average)
    above, below = f"close > {average}", f"close < {average}"
    return Trigger(above, below, below, above)


def macd_cross(rng: np.random.Generator) -> Trigger:
    """Draw the macd line crossing its signal or zero."""
    params = pick(rng, _MACDS)
    if rng.integers(3):
        return _crossing(f"macd({params})", f"macd_signal({params})")
    return _crossing(f"macd({params})", "0")


def directional_cross(rng: np.random.Generator) -> Trigger:
    """Draw Wilder's directional indicators crossing in a market that has a direction."""
    period, level = pick(rng, (10, 14, 20, 28)), pick(rng, (15, 20, 25))
    cross = _crossing(f"plus_di({period})", f"minus_di({period})")
    strong = f"adx({period}) > {level}"
    return cross._replace(long=f"{cross.long} and {strong}", short=f"{cross.short} and {strong}")


def aroon_cross(rng: np.random.Generator) -> Trigger:
    """Draw the aroon lines crossing."""
    period = pick(rng, (14, 25, 50))
    return _crossing(f"aroon_up({period})", f"aroon_down({period})")


def reversal_stop(rng: np.random.Generator) -> Trigger:
    """Draw the price crossing the parabolic stop."""
    return _crossing("close", f"sar({pick(rng, ('0.01, 0.1', '0.02, 0.2', '0.03, 0.3'))})")


def slope_turn(rng: np.random.Generator) -> Trigger:
    """Draw a slope or a rate of change turning its sign."""
    name = pick(rng, ("linreg_slope", "roc", "trix"))
    return _crossing(f"{name}({pick(rng, (10, 14, 20, 30, 50))})", "0")


# --- mean reversion ------------------------------------------------------------------------------

# Name, periods, distances of the levels from the middle, middle.
_OSCILLATORS: tuple[tuple[str, tuple[str, ...], tuple[int, ...], int], ...] = (
    ("rsi", ("2", "5", "7", "9", "14", "21"), (15, 20, 25, 30), 50),
    ("cci", ("10", "14", "20", "30"), (80, 100, 150, 200), 0),
    ("stoch_k", ("5, 3", "14, 3", "21, 5"), (25, 30, 35, 40), 50),
    ("stoch_d", ("5, 3, 3", "14, 3, 3", "21, 5, 5"), (25, 30, 35), 50),
    ("willr", ("10", "14", "21", "28"), (30, 35, 40, 45), -50),
    ("mfi", ("10", "14", "20"), (20, 25, 30), 50),
    ("cmo", ("9", "14", "20"), (30, 40, 50), 0),
)


def oscillator(rng: np.random.Generator) -> Trigger:
    """Draw an oscillator that is stretched, or turns back from there."""
    name, periods, distances, middle = pick(rng, _OSCILLATORS)
    reading, distance = f"{name}({pick(rng, periods)})", pick(rng, distances)
    low, high = middle - distance, middle + distance
    if rng.integers(2):
        enter = f"{reading} < {low}", f"{reading} > {high}"
    else:
        enter = f"crosses_above({reading}, {low})", f"crosses_below({reading}, {high})"
    if rng.integers(2):
        low = high = middle
    return Trigger(*enter, f"{reading} > {high}", f"{reading} < {low}")


def band_touch(rng: np.random.Generator) -> Trigger:
    """Draw the price outside its Bollinger band, on the way back to the middle."""
    period, width = pick(rng, (10, 14, 20, 30, 50)), pick(rng, ("1.5", "2", "2.5"))
    upper, lower = f"bbands_upper({period}, {width})", f"bbands_lower({period}, {width})"
    back = f"sma({period})"
    if rng.integers(2):
        enter = f"close < {lower}", f"close > {upper}"
    else:
        enter = f"crosses_above(close, {lower})", f"crosses_below(close, {upper})"
    return Trigger(*enter, f"close > {back}", f"close < {back}")


def stretch(rng: np.random.Generator) -> Trigger:
    """Draw the price some true ranges away from its average."""
    average = f"{pick(rng, ('sma', 'ema'))}({pick(rng, (20, 30, 50, 100))})"
    ranges = f"{pick(rng, ('1.5', '2', '2.5', '3'))} * atr({pick(rng, (14, 20))})"
    return Trigger(
        f"close < {average} - {ranges}",
        f"close > {average} + {ranges}",
        f"close > {average}",
        f"close < {average}",
    )


# --- breakout ------------------------------------------------------------------------------------


def channel_break(rng: np.random.Generator) -> Trigger:
    """Draw a close beyond the channel of the bars before; out through a narrower one."""
    out = pick(rng, (10, 20, 30, 50, 55, 100))
    back = pick(rng, tuple(n for n in (5, 10, 20, 30) if n <= out))
    return Trigger(
        f"close > prev(highest({out}), 1)",
        f"close < prev(lowest({out}), 1)",
        f"close < prev(lowest({back}), 1)",
        f"close > prev(highest({back}), 1)",
    )


def band_break(rng: np.random.Generator) -> Trigger:
    """Draw the price leaving its Bollinger band; gone with the average."""
    period, width = pick(rng, (14, 20, 30, 50)), pick(rng, ("1.5", "2", "2.5"))
    return Trigger(
        f"crosses_above(close, bbands_upper({period}, {width}))",
        f"crosses_below(close, bbands_lower({period}, {width}))",
        f"close < sma({period})",
        f"close > sma({period})",
    )


def range_break(rng: np.random.Generator) -> Trigger:
    """Draw the price leaving a channel of true ranges around its average."""
    average = f"ema({pick(rng, (10, 20, 30, 50))})"
    ranges = _times(pick(rng, ("1", "1.5", "2")), f"atr({pick(rng, (10, 14, 20))})")
    return Trigger(
        f"crosses_above(close, {average} + {ranges})",
        f"crosses_below(close, {average} - {ranges})",
        f"close < {average}",
        f"close > {average}",
    )


def thrust(rng: np.random.Generator) -> Trigger:
    """Draw a move of several true ranges within a few bars."""
    move, size = f"mom({pick(rng, (3, 5, 10, 20))})", pick(rng, ("1.5", "2", "2.5", "3"))
    ranges = f"{size} * atr({pick(rng, (14, 20))})"
    return Trigger(f"{move} > {ranges}", f"{move} < -{ranges}", f"{move} < 0", f"{move} > 0")


# --- filters -------------------------------------------------------------------------------------


_VOLUMES = (10, 20, 50)


def busy(rng: np.random.Generator) -> Filter:
    """Draw a volume above its average."""
    usual = f"sma(volume, {pick(rng, _VOLUMES)})"
    often = f"volume > {_times(pick(rng, ('1', '1.2', '1.5', '2')), usual)}"
    return Filter(often, often)


def flow(rng: np.random.Generator) -> Filter:
    """Draw a volume that flows in the direction of the trade."""
    bars = pick(rng, (5, 10, 20, 50))
    return Filter(f"obv > prev(obv, {bars})", f"obv < prev(obv, {bars})")


def volatility(rng: np.random.Generator) -> Filter:
    """Draw a volatility above or below its own long average."""
    sign, factor = pick(rng, (">", "<")), pick(rng, ("0.8", "1", "1.2"))
    measure = pick(rng, ("atr(14)", "natr(14)", "stddev(20, 1)"))
    slow = measure.replace("14", "100").replace("20", "100")
    wild = f"{measure} {sign} {_times(factor, slow)}"
    return Filter(wild, wild)


def long_trend(rng: np.random.Generator) -> Filter:
    """Draw a price on the right side of a long average."""
    average = f"{pick(rng, ('sma', 'ema'))}({pick(rng, (100, 150, 200))})"
    return Filter(f"close > {average}", f"close < {average}")


def slow_trend(rng: np.random.Generator) -> Filter:
    """Draw a long trend that a move against it does not end."""
    average, slow = pick(rng, ("sma", "ema")), pick(rng, (100, 150, 200))
    return Filter(f"{average}(50) > {average}({slow})", f"{average}(50) < {average}({slow})")


def trending(rng: np.random.Generator) -> Filter:
    """Draw a market that has a direction, whichever."""
    strong = f"adx({pick(rng, (14, 20))}) > {pick(rng, (15, 20, 25))}"
    return Filter(strong, strong)


def drifting(rng: np.random.Generator) -> Filter:
    """Draw a market that has no direction."""
    weak = f"adx({pick(rng, (14, 20))}) < {pick(rng, (20, 25, 30))}"
    return Filter(weak, weak)


def heated(rng: np.random.Generator) -> Filter:
    """Draw a move that has gone far: a second reason to leave a position in its direction."""
    period, distance = pick(rng, (7, 14)), pick(rng, (20, 25, 30, 35))
    return Filter(f"rsi({period}) > {50 + distance}", f"rsi({period}) < {50 - distance}")


def momentum(rng: np.random.Generator) -> Filter:
    """Draw a move already under way."""
    name, middle = pick(rng, (("rsi", 50), ("roc", 0), ("linreg_slope", 0), ("macd_hist", 0)))
    params = pick(rng, _MACDS) if name == "macd_hist" else f"{pick(rng, (10, 14, 20, 30))}"
    return Filter(f"{name}({params}) > {middle}", f"{name}({params}) < {middle}")


# Each family: its triggers, and the filters that do not contradict them.
FAMILIES: dict[
    str, tuple[tuple[Callable[..., Trigger], ...], tuple[Callable[..., Filter], ...]]
] = {
    "trend": (
        (
            average_cross,
            average_cross,
            price_cross,
            macd_cross,
            directional_cross,
            aroon_cross,
            reversal_stop,
            slope_turn,
        ),
        (busy, flow, volatility, long_trend, trending, momentum),
    ),
    "reversion": (
        (oscillator, oscillator, oscillator, band_touch, stretch),
        (busy, volatility, slow_trend, drifting),
    ),
    "breakout": (
        (channel_break, channel_break, band_break, range_break, thrust),
        (busy, flow, volatility, long_trend, trending),
    ),
}
