"""Thoughts about a market that traders know, drawn with rounded parameters.

Each comes in both directions. A trigger is a reason to enter, and says when that reason is gone;
a filter only keeps an entry out of the wrong surroundings. None speaks of prices or volumes in
absolute terms, so each fits any market and any timeframe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.draws import Luck


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


def average_cross(luck: Luck) -> Trigger:
    """Draw a fast average crossing a slow one."""
    average = luck.pick(_AVERAGES)
    return _crossing(f"{average}({luck.pick(_FAST)})", f"{average}({luck.pick(_SLOW)})")


def price_cross(luck: Luck) -> Trigger:
    """Draw the price crossing an average, or standing beyond it."""
    average = f"{luck.pick(_AVERAGES)}({luck.pick(_SLOW)})"
    if luck.below(2):
        return _crossing("close", average)
    above, below = f"close > {average}", f"close < {average}"
    return Trigger(above, below, below, above)


def macd_cross(luck: Luck) -> Trigger:
    """Draw the macd line crossing its signal or zero."""
    params = luck.pick(_MACDS)
    if luck.below(3):
        return _crossing(f"macd({params})", f"macd_signal({params})")
    return _crossing(f"macd({params})", "0")


def directional_cross(luck: Luck) -> Trigger:
    """Draw Wilder's directional indicators crossing in a market that has a direction."""
    period, level = luck.pick((10, 14, 20, 28)), luck.pick((15, 20, 25))
    cross = _crossing(f"plus_di({period})", f"minus_di({period})")
    strong = f"adx({period}) > {level}"
    return cross._replace(long=f"{cross.long} and {strong}", short=f"{cross.short} and {strong}")


def aroon_cross(luck: Luck) -> Trigger:
    """Draw the aroon lines crossing."""
    period = luck.pick((14, 25, 50))
    return _crossing(f"aroon_up({period})", f"aroon_down({period})")


def reversal_stop(luck: Luck) -> Trigger:
    """Draw the price crossing the parabolic stop."""
    return _crossing("close", f"sar({luck.pick(('0.01, 0.1', '0.02, 0.2', '0.03, 0.3'))})")


def slope_turn(luck: Luck) -> Trigger:
    """Draw a slope or a rate of change turning its sign."""
    name = luck.pick(("linreg_slope", "roc", "trix"))
    return _crossing(f"{name}({luck.pick((10, 14, 20, 30, 50))})", "0")


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


def oscillator(luck: Luck) -> Trigger:
    """Draw an oscillator that is stretched, or turns back from there."""
    name, periods, distances, middle = luck.pick(_OSCILLATORS)
    reading, distance = f"{name}({luck.pick(periods)})", luck.pick(distances)
    low, high = middle - distance, middle + distance
    if luck.below(2):
        enter = f"{reading} < {low}", f"{reading} > {high}"
    else:
        enter = f"crosses_above({reading}, {low})", f"crosses_below({reading}, {high})"
    if luck.below(2):
        low = high = middle
    return Trigger(*enter, f"{reading} > {high}", f"{reading} < {low}")


def band_touch(luck: Luck) -> Trigger:
    """Draw the price outside its Bollinger band, on the way back to the middle."""
    period, width = luck.pick((10, 14, 20, 30, 50)), luck.pick(("1.5", "2", "2.5"))
    upper, lower = f"bbands_upper({period}, {width})", f"bbands_lower({period}, {width})"
    back = f"sma({period})"
    if luck.below(2):
        enter = f"close < {lower}", f"close > {upper}"
    else:
        enter = f"crosses_above(close, {lower})", f"crosses_below(close, {upper})"
    return Trigger(*enter, f"close > {back}", f"close < {back}")


def stretch(luck: Luck) -> Trigger:
    """Draw the price some true ranges away from its average."""
    average = f"{luck.pick(('sma', 'ema'))}({luck.pick((20, 30, 50, 100))})"
    ranges = f"{luck.pick(('1.5', '2', '2.5', '3'))} * atr({luck.pick((14, 20))})"
    return Trigger(
        f"close < {average} - {ranges}",
        f"close > {average} + {ranges}",
        f"close > {average}",
        f"close < {average}",
    )


# --- breakout ------------------------------------------------------------------------------------


def channel_break(luck: Luck) -> Trigger:
    """Draw a close beyond the channel of the bars before; out through a narrower one."""
    out = luck.pick((10, 20, 30, 50, 55, 100))
    back = luck.pick(tuple(n for n in (5, 10, 20, 30) if n <= out))
    return Trigger(
        f"close > prev(highest({out}), 1)",
        f"close < prev(lowest({out}), 1)",
        f"close < prev(lowest({back}), 1)",
        f"close > prev(highest({back}), 1)",
    )


def band_break(luck: Luck) -> Trigger:
    """Draw the price leaving its Bollinger band; gone with the average."""
    period, width = luck.pick((14, 20, 30, 50)), luck.pick(("1.5", "2", "2.5"))
    return Trigger(
        f"crosses_above(close, bbands_upper({period}, {width}))",
        f"crosses_below(close, bbands_lower({period}, {width}))",
        f"close < sma({period})",
        f"close > sma({period})",
    )


def range_break(luck: Luck) -> Trigger:
    """Draw the price leaving a channel of true ranges around its average."""
    average = f"ema({luck.pick((10, 20, 30, 50))})"
    ranges = _times(luck.pick(("1", "1.5", "2")), f"atr({luck.pick((10, 14, 20))})")
    return Trigger(
        f"crosses_above(close, {average} + {ranges})",
        f"crosses_below(close, {average} - {ranges})",
        f"close < {average}",
        f"close > {average}",
    )


def thrust(luck: Luck) -> Trigger:
    """Draw a move of several true ranges within a few bars."""
    move, size = f"mom({luck.pick((3, 5, 10, 20))})", luck.pick(("1.5", "2", "2.5", "3"))
    ranges = f"{size} * atr({luck.pick((14, 20))})"
    return Trigger(f"{move} > {ranges}", f"{move} < -{ranges}", f"{move} < 0", f"{move} > 0")


# --- filters -------------------------------------------------------------------------------------


_VOLUMES = (10, 20, 50)


def busy(luck: Luck) -> Filter:
    """Draw a volume above its average."""
    usual = f"sma(volume, {luck.pick(_VOLUMES)})"
    often = f"volume > {_times(luck.pick(('1', '1.2', '1.5', '2')), usual)}"
    return Filter(often, often)


def flow(luck: Luck) -> Filter:
    """Draw a volume that flows in the direction of the trade."""
    bars = luck.pick((5, 10, 20, 50))
    return Filter(f"obv > prev(obv, {bars})", f"obv < prev(obv, {bars})")


def volatility(luck: Luck) -> Filter:
    """Draw a volatility above or below its own long average."""
    sign, factor = luck.pick((">", "<")), luck.pick(("0.8", "1", "1.2"))
    measure = luck.pick(("atr(14)", "natr(14)", "stddev(20, 1)"))
    slow = measure.replace("14", "100").replace("20", "100")
    wild = f"{measure} {sign} {_times(factor, slow)}"
    return Filter(wild, wild)


def long_trend(luck: Luck) -> Filter:
    """Draw a price on the right side of a long average."""
    average = f"{luck.pick(('sma', 'ema'))}({luck.pick((100, 150, 200))})"
    return Filter(f"close > {average}", f"close < {average}")


def slow_trend(luck: Luck) -> Filter:
    """Draw a long trend that a move against it does not end."""
    average, slow = luck.pick(("sma", "ema")), luck.pick((100, 150, 200))
    return Filter(f"{average}(50) > {average}({slow})", f"{average}(50) < {average}({slow})")


def trending(luck: Luck) -> Filter:
    """Draw a market that has a direction, whichever."""
    strong = f"adx({luck.pick((14, 20))}) > {luck.pick((15, 20, 25))}"
    return Filter(strong, strong)


def drifting(luck: Luck) -> Filter:
    """Draw a market that has no direction."""
    weak = f"adx({luck.pick((14, 20))}) < {luck.pick((20, 25, 30))}"
    return Filter(weak, weak)


def heated(luck: Luck) -> Filter:
    """Draw a move that has gone far: a second reason to leave a position in its direction."""
    period, distance = luck.pick((7, 14)), luck.pick((20, 25, 30, 35))
    return Filter(f"rsi({period}) > {50 + distance}", f"rsi({period}) < {50 - distance}")


def momentum(luck: Luck) -> Filter:
    """Draw a move already under way."""
    name, middle = luck.pick((("rsi", 50), ("roc", 0), ("linreg_slope", 0), ("macd_hist", 0)))
    params = luck.pick(_MACDS) if name == "macd_hist" else f"{luck.pick((10, 14, 20, 30))}"
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
