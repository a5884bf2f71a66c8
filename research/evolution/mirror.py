"""The same rule for a market turned upside down: what was a reason to buy is one to sell.

Turn every price p into -p, and `close > ema(20)` becomes `-close > -ema(20)`, which is
`close < ema(20)`; the highest high becomes the lowest low, an rsi of 30 one of 70, and a volume or
a true range stays. So each number's image is the plus or minus of another number, or its
distance from a constant, and every condition has exactly one mirror image.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from research.evolution.anatomy import bred
from research.expressions import (
    REMEMBERED,
    Arithmetic,
    Comparison,
    Condition,
    Cross,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Prev,
    Reading,
    Series,
)
from research.indicators import INDICATORS
from research.strategy import Side, Strategy

_OTHER_SIGN = {
    "<": ">",
    ">": "<",
    "<=": ">=",
    ">=": "<=",
    "crosses_above": "crosses_below",
    "crosses_below": "crosses_above",
}
_OTHER_SIDE = {"long": "short", "short": "long"}

# Images under p -> -p. What is in none of the tables stays as it is: ranges, adx, volume.
_SERIES = {"open": "open", "close": "close", "high": "low", "low": "high"}
_TURNS = {
    *("sma", "ema", "wma", "dema", "tema", "trima", "kama", "linreg", "sar", "bbands_middle"),
    *("cmo", "roc", "mom", "cci", "bop", "macd", "macd_signal", "macd_hist", "ppo", "trix"),
    *("aroon_osc", "linreg_slope", "obv", "ad", "adosc"),
}
_SWAPS_AND_TURNS = {
    "bbands_upper": "bbands_lower",
    "bbands_lower": "bbands_upper",
    "highest": "lowest",
    "lowest": "highest",
}
_SWAPS = {
    "plus_di": "minus_di",
    "minus_di": "plus_di",
    "aroon_up": "aroon_down",
    "aroon_down": "aroon_up",
}
# Oscillators whose image is this constant minus themselves.
CENTRED = {"rsi": 100, "mfi": 100, "stoch_k": 100, "stoch_d": 100, "ultosc": 100, "willr": -100}


class _Unmirrored(Exception):
    """A part has no image that the language can write plainly."""


class _Image(NamedTuple):
    """A number's image is `about + sign * node`."""

    sign: int
    node: Numeric
    about: int = 0


def mirrored(rule: Condition) -> Condition | None:
    """Return the rule for the market upside down; None for the few that have no plain image."""
    try:
        return _condition(rule)
    except _Unmirrored:
        return None


def mirrored_side(side: Side) -> Side | None:
    """Return a side's rules for the market upside down."""
    entry = mirrored(side.entry)
    way_out = None if side.exit is None else mirrored(side.exit)
    if entry is None or (way_out is None) != (side.exit is None):
        return None
    return Side(entry, way_out)


def side_of(strategy: Strategy, name: str) -> Side | None:
    """Return a side's rules, or those of the other side mirrored."""
    own: Side | None = getattr(strategy, name)
    if own is not None:
        return own
    other: Side | None = getattr(strategy, _OTHER_SIDE[name])
    return None if other is None else mirrored_side(other)


def is_symmetric(strategy: Strategy) -> bool:
    """Tell whether the short side is the mirror image of the long one."""
    both = strategy.long is not None and strategy.short is not None
    return both and strategy.short == mirrored_side(strategy.long)  # type: ignore[arg-type] # both


def exchanged(strategy: Strategy) -> Strategy | None:
    """Return the strategy that sells where this one buys, and buys where it sells."""
    return bred(strategy, long=strategy.short, short=strategy.long)


@lru_cache(REMEMBERED)
def _condition(node: Condition) -> Condition:
    match node:  # the most frequent first
        case Comparison(sign, left, right):
            return Comparison(*_compared(sign, left, right))
        case Logic(operator, left, right):
            return Logic(operator, _condition(left), _condition(right))
        case Cross(sign, left, right):
            return Cross(*_compared(sign, left, right))
        case Not(operand):
            return Not(_condition(operand))
    raise _Unmirrored


def _compared(sign: str, left: Numeric, right: Numeric) -> tuple[str, Numeric, Numeric]:
    """Return the image of a comparison, solved so that its left side has no minus."""
    one, other = _image(left), _image(right)
    if (one, other) == (_Image(1, right), _Image(1, left)):  # plus_di against minus_di
        return _OTHER_SIGN[sign], left, right
    if one.about != other.about:
        one, other = _about_gone(one, other)
    if one.sign > 0:
        return sign, one.node, _signed(other.sign, other.node)
    return _OTHER_SIGN[sign], one.node, _signed(-other.sign, other.node)


def _about_gone(one: _Image, other: _Image) -> tuple[_Image, _Image]:
    """Bring the constant of one side to the number on the other: 100 - x < 30 is x > 70."""
    if one.about and not other.about:
        return one, _shifted(other, one.about)
    if other.about and not one.about:
        return _shifted(one, other.about), other
    raise _Unmirrored


def _shifted(image: _Image, about: int) -> _Image:
    """Return the image of a literal as `about - other literal`, which is then left out."""
    value = _literal(image.node)
    if value is None:
        raise _Unmirrored
    # Decimal fractions of thresholds survive: 100 - 29.9 is 70.1, not 70.10000000000001.
    return _Image(-1, _number(round(about - image.sign * value, 9)))


@lru_cache(REMEMBERED)
def _image(node: Numeric) -> _Image:
    match node:
        case Reading():
            return _reading(node)
        case Number():
            return _Image(1, node)
        case Series(name):
            return _Image(-1, Series(_SERIES[name])) if name in _SERIES else _Image(1, node)
        case Negative(Number()):
            return _Image(1, node)
        case Negative(operand):
            inner = _plain(operand)
            return _Image(-inner.sign, inner.node)
        case Prev(operand, bars):
            inner = _image(operand)
            return inner._replace(node=Prev(inner.node, bars))
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, _plain(left), _plain(right))
    raise _Unmirrored


def _plain(node: Numeric) -> _Image:
    image = _image(node)
    if image.about:
        raise _Unmirrored
    return image


def _arithmetic(operator: str, left: _Image, right: _Image) -> _Image:
    if operator in "*/":
        return _Image(left.sign * right.sign, Arithmetic(operator, left.node, right.node))
    turned = operator if left.sign == right.sign else {"+": "-", "-": "+"}[operator]
    return _Image(left.sign, Arithmetic(turned, left.node, right.node))


def _reading(node: Reading) -> _Image:
    indicator = INDICATORS[node.name]
    source = node.source or indicator.source
    if source == "volume":
        return _Image(1, node)
    if node.name in CENTRED:
        return _Image(-1, _renamed(node, node.name), CENTRED[node.name])
    if node.name in _SWAPS:
        return _Image(1, Reading(_SWAPS[node.name], node.params))
    turns = node.name in _TURNS or node.name in _SWAPS_AND_TURNS
    name = _SWAPS_AND_TURNS.get(node.name, node.name)
    return _Image(-1 if turns else 1, _renamed(node, name))


def _renamed(node: Reading, name: str) -> Reading:
    """Return the reading under another name, of the image of its input."""
    usual = INDICATORS[node.name].source
    if usual is None:
        return Reading(name, node.params)
    source = _SERIES[node.source or usual]
    return Reading(name, node.params, None if source == INDICATORS[name].source else source)


def _signed(sign: int, node: Numeric) -> Numeric:
    if sign > 0:
        return node
    match node:
        case Negative(operand):
            return operand
        case Number(value):
            return _number(-value)
        case Arithmetic("*" | "/" as operator, (Number() | Negative(Number())) as left, right):
            return Arithmetic(operator, _signed(-1, left), right)
    return Negative(node)


def _literal(node: Node) -> float | None:
    match node:
        case Number(value):
            return value
        case Negative(Number(value)):
            return -value
    return None


def _number(value: float) -> Numeric:
    return Negative(Number(-value)) if value < 0 else Number(value + 0.0)
