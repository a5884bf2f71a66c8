"""When strategies want to enter and leave: their conditions evaluated on bars.

What strategies have in common is computed once: the bars of a timeframe, every indicator, every
comparison. Each value in bar t is made of bars up to t alone, so a longer history never changes
an earlier decision.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.market import interval_step
from research.bars import F8, I8, Bars, resample
from research.engine.bits import U8, Grid, clear_before, clear_from, closed_bars, words_of
from research.expressions import (
    LEAVES,
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
    lookback,
)
from research.indicators import values

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from research.strategy import Side, Strategy

B1 = NDArray[np.bool_]

# Kept of what was computed, in one workspace: numbers, conditions as bits, and whole rules as
# bits. Bits are a sixty-fourth of numbers, and what strategies share most; a bred one has most of
# its rules as they are from its parents.
MEMORY = 256 * 2**20
BITS_MEMORY = 96 * 2**20
RULES_MEMORY = 32 * 2**20

_COMPARE: dict[str, Any] = {
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}
_COMPUTE: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_JOIN: dict[str, Any] = {"and": np.logical_and, "or": np.logical_or}

_Array = TypeVar("_Array", F8, B1, U8, "Leaf")


class Keeper(Protocol):
    """Where a frame looks, by timeframe and node, for what it does not want to compute twice."""

    def get(self, key: tuple[str, Node], make: Callable[[], _Array]) -> _Array:
        """Return what is kept of a node, or what `make` makes of it."""


class Decisions(NamedTuple):
    """What a strategy decides on the close of each finest bar; None where it has no such rule.

    The arrays are the caller's own.
    """

    long_entry: B1 | None
    long_exit: B1 | None
    short_entry: B1 | None
    short_exit: B1 | None


class Workspace:
    """One series of bars, and all that strategies have asked of it so far.

    Not for several threads at once. `memory` bounds the bytes kept of numbers, and of bits;
    what is dropped is computed again when it is asked for.
    """

    def __init__(self, bars: Bars, step: timedelta, *, memory: int = MEMORY) -> None:
        self._bars = bars
        self._step = step
        self._frames: dict[str, Frame] = {}
        self._kept = _Kept(memory)
        self._kept_bits = _Kept(min(memory, BITS_MEMORY))
        self._kept_rules = _Kept(min(memory, RULES_MEMORY))

    def decisions(self, strategy: Strategy) -> Decisions:
        """Return the strategy's decisions on every finest bar.

        They are taken on the last bar of each closed bar of its timeframe, and are False
        elsewhere and until every part of the rule has a value.

        Raises:
            InvalidInput: The timeframe is finer than the bars, or not made of them.
        """
        return Decisions(
            *self._side(strategy, strategy.long), *self._side(strategy, strategy.short)
        )

    def bits(self, timeframe: str, rule: Condition) -> U8:
        """Return a rule as bits, one per closed bar of a timeframe; do not write to them.

        They are those of `decisions`, before these are spread over the finest bars.
        """
        return self._kept_rules.get((timeframe, rule), lambda: self._frame(timeframe).bits(rule))

    def grid(self, timeframe: str) -> Grid:
        """Return on which of the finest bars the bits of a timeframe are decided."""
        return self._frame(timeframe).grid

    def bars(self, timeframe: str) -> Bars:
        """Return the closed bars of a timeframe."""
        return self._frame(timeframe).bars

    def values(self, timeframe: str, expression: Numeric) -> F8:
        """Return an expression's value in every closed bar of a timeframe; do not write to it."""
        return self._frame(timeframe).number(expression)

    def _side(self, strategy: Strategy, side: Side | None) -> tuple[B1 | None, B1 | None]:
        if side is None:
            return None, None
        frame = self._frame(strategy.timeframe)
        return frame.decided(side.entry), None if side.exit is None else frame.decided(side.exit)

    def _frame(self, timeframe: str) -> Frame:
        if timeframe not in self._frames:
            step = interval_step(timeframe)
            if step < self._step:
                raise InvalidInput(
                    f"expected bars of {timeframe} or finer for a strategy on {timeframe}, "
                    f"was bars of {self._step}"
                )
            bars, last = resample(self._bars, self._step, step)
            size = self._bars.time.size
            self._frames[timeframe] = Frame(
                timeframe, bars, last, size, self._kept, self._kept_bits
            )
        return self._frames[timeframe]


class Frame:
    """The bars of one timeframe, and the expressions evaluated on them."""

    def __init__(  # noqa: PLR0917 - what a workspace has, in its order
        self, name: str, bars: Bars, last: I8, size: int, kept: Keeper, kept_bits: Keeper
    ) -> None:
        self.bars = bars
        self._name = name
        self._last = last
        self._size = size
        self._kept = kept
        self._kept_bits = kept_bits

    def decided(self, rule: Condition) -> B1:
        """Return a rule on the finest bars: True where a closed bar ends and it holds."""
        holds = self.condition(rule)
        first = lookback(rule)
        decided = np.zeros(self._size, dtype=np.bool_)
        decided[self._last[first:]] = holds[first:]
        return decided

    @cached_property
    def grid(self) -> Grid:
        """On which of the finest bars the bits of a rule are decided."""
        return closed_bars(self._size, self._last)

    def bits(self, rule: Condition) -> U8:
        """Return a rule as bits, one per bar; none before every part of it has a value."""
        words, first, clean = self._bits(rule)
        if not clean:
            clear_before(words, first)
            clear_from(words, self.bars.time.size)
        return words

    def _bits(self, node: Node) -> tuple[U8, int, bool]:
        """Return bits, the first bar in which every part has a value, and if none before is set.

        Bits that are not clean are the caller's own. What `and` makes of clean bits is clean.
        """
        if type(node) in LEAVES:  # quicker than to ask what it is an instance of
            leaf = self._kept_bits.get((self._name, node), lambda: self._leaf(node))
            return leaf.words, leaf.first, True
        if isinstance(node, Logic):
            one, first, clean = self._bits(node.left)
            other, second, also = self._bits(node.right)
            if node.operator == "and":
                return one & other, max(first, second), clean and also
            return one | other, max(first, second), False
        if isinstance(node, Not):
            words, first, _ = self._bits(node.operand)
            return ~words, first, False
        raise InvalidInput(f"expected a condition, was {node}")

    def _leaf(self, node: Node) -> Leaf:
        words, first = words_of(self._condition(node)), lookback(node)
        clear_before(words, first)
        words.flags.writeable = False
        return Leaf(words, first)

    def number(self, node: Node) -> F8:
        """Return a number's value in every bar, NaN where it has none."""
        if type(node) is Series:
            series: F8 = getattr(self.bars, node.name)
            return series
        if type(node) is Number:
            return np.full(self.bars.time.size, node.value)
        return self._kept.get((self._name, node), lambda: self._number(node))

    def condition(self, node: Node) -> B1:
        """Return whether a condition holds in every bar."""
        return self._kept.get((self._name, node), lambda: self._condition(node))

    def _number(self, node: Node) -> F8:
        match node:
            case Reading(name, params, source):
                return values(name, params, self.bars, source)
            case Negative(operand):
                negative: F8 = np.negative(self.number(operand))
                return negative
            case Prev(operand, bars):
                return _shifted(self.number(operand), bars)
            case Arithmetic(operator, left, right):
                one, other = self._operand(left), self._operand(right)
                computed: F8 = self._spread(_computed(operator, one, other))
                return computed
        raise InvalidInput(f"expected a number, was {node}")

    def _condition(self, node: Node) -> B1:
        match node:
            case Comparison(operator, left, right):
                one, other = self._operand(left), self._operand(right)
                compared: B1 = self._spread(_COMPARE[operator](one, other))
                return compared
            case Cross(name, left, right):
                return _crosses(name, self.number(left), self.number(right))
            case Logic(operator, left, right):
                joined: B1 = _JOIN[operator](self.condition(left), self.condition(right))
                return joined
            case Not(operand):
                return np.logical_not(self.condition(operand))
        raise InvalidInput(f"expected a condition, was {node}")

    def _operand(self, node: Node) -> Any:
        """Return a number alone as itself: numpy spreads it over the bars for nothing."""
        return node.value if type(node) is Number else self.number(node)

    def _spread(self, result: Any) -> Any:
        """Give what two numbers alone made, one value, to every bar."""
        return result if np.ndim(result) else np.full(self.bars.time.size, result)


class Leaf(NamedTuple):
    """A comparison or a cross as bits, none set before the first bar in which it has a value."""

    words: U8
    first: int

    @property
    def nbytes(self) -> int:
        """What it takes of the memory."""
        return self.words.nbytes


class _Kept:
    """Arrays by key; where they outgrow the memory, those not used for longest go first."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._bytes = 0
        self._arrays: OrderedDict[tuple[str, Node], Any] = OrderedDict()

    def get(self, key: tuple[str, Node], make: Callable[[], _Array]) -> _Array:
        found: Any = self._arrays.get(key)
        if found is not None:
            self._arrays.move_to_end(key)
            return found  # type: ignore[no-any-return] # a key's node says which kind it is
        made = make()
        if isinstance(made, np.ndarray):
            made.flags.writeable = False
        self._arrays[key] = made
        self._bytes += made.nbytes
        while self._bytes > self._memory and self._arrays:
            self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return made


def _computed(operator: str, left: Any, right: Any) -> Any:
    """Compute; dividing by zero and going beyond what a float holds give no value."""
    with np.errstate(all="ignore"):
        result = np.asarray(_COMPUTE[operator](left, right))
    beyond = np.isinf(result)
    if beyond.any():
        result[beyond] = np.nan
    return result


def _crosses(name: str, left: F8, right: F8) -> B1:
    if name == "crosses_below":
        left, right = right, left
    crossed = np.zeros(left.size, dtype=np.bool_)
    crossed[1:] = (left[1:] > right[1:]) & (left[:-1] <= right[:-1])
    return crossed


def _shifted(array: F8, bars: int) -> F8:
    shifted = np.full(array.size, np.nan)
    if bars < array.size:
        shifted[bars:] = array[:-bars]
    return shifted
