"""What a strategy's conditions are made of: the tree, its text, and how long it warms up.

A tree is a number (`Numeric`) or a condition (`Condition`) in each of its places, and of at most
`DEEPEST` levels; a node that is put together otherwise refuses to be made. Equal trees are equal
and hash alike. What is asked of a node is remembered: a search asks the same of the same parts
over and over.
"""

from __future__ import annotations

from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput
from research.declarations import SERIES
from research.indicators import indicator_named
from research.tokens import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

DEEPEST = 64  # levels of a tree
REMEMBERED = 2**15  # nodes of which an answer is kept
FURTHEST = 10_000  # bars that `prev` looks back
SMALLEST, LARGEST = 1e-12, 1e15  # numbers beside zero

ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = ("<", ">", "<=", ">=")
CROSSES = ("crosses_above", "crosses_below")
LOGIC = ("and", "or")


class Node(msgspec.Struct, frozen=True, cache_hash=True):
    """A part of an expression."""

    def __str__(self) -> str:
        return text_of(self)


class Numeric(Node, frozen=True, cache_hash=True):
    """A part that has a number in every bar."""


class Condition(Node, frozen=True, cache_hash=True):
    """A part that is true or false in every bar."""


class Number(Numeric, frozen=True, cache_hash=True):
    """A number that is not negative: `70`."""

    value: float

    def __post_init__(self) -> None:
        if not (self.value == 0 or SMALLEST <= self.value <= LARGEST):
            expected = f"0 or a number from {SMALLEST:g} to {LARGEST:g}"
            raise InvalidInput(f"expected {expected}, was {self.value!r}")


class Series(Numeric, frozen=True, cache_hash=True):
    """A column of the bars: `close`."""

    name: str

    def __post_init__(self) -> None:
        _one_of(self.name, SERIES)


class Reading(Numeric, frozen=True, cache_hash=True):
    """An indicator: `ema(12)`; `source` is the input where it is not the usual one."""

    name: str
    params: tuple[float, ...]
    source: str | None = None

    def __post_init__(self) -> None:
        _check_reading(self.name, self.params, self.source)


class Negative(Numeric, frozen=True, cache_hash=True):
    """A number with its sign turned: `-mom(10)`."""

    operand: Numeric

    def __post_init__(self) -> None:
        _numeric(self.operand)


class Arithmetic(Numeric, frozen=True, cache_hash=True):
    """Two numbers and one of `+ - * /`."""

    operator: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.operator, ARITHMETIC)
        _numeric(self.left, self.right)


class Prev(Numeric, frozen=True, cache_hash=True):
    """What a number was some bars before: `prev(close, 3)`."""

    operand: Numeric
    bars: int

    def __post_init__(self) -> None:
        _numeric(self.operand)
        if self.bars not in range(1, FURTHEST + 1):
            raise InvalidInput(f"expected 1 to {FURTHEST} bars for prev, was {self.bars!r}")


class Comparison(Condition, frozen=True, cache_hash=True):
    """Two numbers and one of `< > <= >=`; false where one of them is not there."""

    operator: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.operator, COMPARISONS)
        _numeric(self.left, self.right)


class Cross(Condition, frozen=True, cache_hash=True):
    """The first number is beyond the second, and was not one bar before."""

    name: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.name, CROSSES)
        _numeric(self.left, self.right)


class Logic(Condition, frozen=True, cache_hash=True):
    """Two conditions joined by `and` or `or`."""

    operator: str
    left: Condition
    right: Condition

    def __post_init__(self) -> None:
        _one_of(self.operator, LOGIC)
        _condition(self.left, self.right)


class Not(Condition, frozen=True, cache_hash=True):
    """The opposite of a condition."""

    operand: Condition

    def __post_init__(self) -> None:
        _condition(self.operand)


# How tightly each operator binds; a part in a tighter place than its own wears parentheses.
BINDS = {"or": 1, "and": 2} | dict.fromkeys(COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
NOT_BINDS, NEGATIVE_BINDS, _ATOM = 3, 7, 8


@lru_cache(REMEMBERED)
def text_of(node: Node) -> str:
    """Write an expression in its one canonical form."""
    match node:
        case Number(value):
            return plain(value)
        case Series(name):
            return name
        case Reading(name, params, source):
            inner = [*([source] if source else []), *(plain(value) for value in params)]
            return f"{name}({', '.join(inner)})" if inner else name
        case Prev(operand, bars):
            return f"prev({text_of(operand)}, {int(bars)})"
        case Cross(name, left, right):
            return f"{name}({text_of(left)}, {text_of(right)})"
        case Negative(operand):
            return f"-{_inside(operand, NEGATIVE_BINDS)}"
        case Not(operand):
            return f"not {_inside(operand, NOT_BINDS)}"
        case Arithmetic(operator, left, right) | Comparison(operator, left, right):
            return _binary(operator, left, right)
        case Logic(operator, left, right):
            return _binary(operator, left, right)
    raise InvalidInput(f"expected a part of an expression, was {type(node).__name__}")


def _binary(operator: str, left: Node, right: Node) -> str:
    binds = BINDS[operator]
    return f"{_inside(left, binds)} {operator} {_inside(right, binds + 1)}"


def _inside(node: Node, binds: int) -> str:
    text = text_of(node)
    return text if _binds(node) >= binds else f"({text})"


def _binds(node: Node) -> int:
    match node:
        case Arithmetic(operator) | Comparison(operator) | Logic(operator):
            return BINDS[operator]
        case Negative():
            return NEGATIVE_BINDS
        case Not():
            return NOT_BINDS
    return _ATOM


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts directly below a node."""
    return tuple([part for part in msgspec.structs.astuple(node) if isinstance(part, Node)])


@lru_cache(REMEMBERED)
def walk(node: Node) -> tuple[Node, ...]:
    """Return a node and all below it, each before its own parts, from left to right."""
    return (node, *(below for part in children(node) for below in walk(part)))


@lru_cache(REMEMBERED)
def leaves(rule: Node) -> tuple[Comparison | Cross, ...]:
    """Return the comparisons and crosses of a rule, from left to right."""
    return tuple([part for part in walk(rule) if isinstance(part, Comparison | Cross)])


def clauses(rule: Condition, joint: str) -> list[Condition]:
    """Return what a rule joins by `and` or by `or` at its top."""
    if isinstance(rule, Logic) and rule.operator == joint:
        return [*clauses(rule.left, joint), *clauses(rule.right, joint)]
    return [rule]


def joined(conditions: Sequence[Condition], joint: str) -> Condition:
    """Join conditions by `and` or by `or` from the left, as the language reads them."""
    return reduce(partial(Logic, joint), conditions)


@lru_cache(REMEMBERED)
def depth(node: Node) -> int:
    """Return the levels of a tree."""
    return 1 + max(map(depth, children(node)), default=0)


@lru_cache(REMEMBERED)
def lookback(node: Node) -> int:
    """Return the bars before the first in which every part has a value."""
    return _bars_before(node, settled=False)


def warmup(node: Node) -> int:
    """Return the bars after which a part no longer shows where the history starts."""
    return _bars_before(node, settled=True)


def _bars_before(node: Node, *, settled: bool) -> int:
    below = max((_bars_before(part, settled=settled) for part in children(node)), default=0)
    match node:
        case Reading(name, params):
            indicator = indicator_named(name)
            first = indicator.lookback(*params)
            return first + indicator.settling(*params) if settled else first
        case Prev(_, bars):
            return below + bars
        case Cross():
            return below + 1
    return below


def _one_of(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise InvalidInput(f"expected one of {' '.join(known)}, was {name!r}")


@lru_cache(REMEMBERED)
def _check_reading(name: str, params: tuple[float, ...], source: str | None) -> None:
    indicator = indicator_named(name)
    indicator.checked(params)
    if source is None:
        return
    _one_of(source, SERIES)
    if indicator.source is None or source == indicator.source:
        raise InvalidInput(f"expected no input {source} for {name}, was named")


def _numeric(*parts: object) -> None:
    for part in parts:
        if not isinstance(part, Numeric):
            raise InvalidInput(f"expected a number, was {part}")
        _check_depth(part)


def _condition(*parts: object) -> None:
    for part in parts:
        if not isinstance(part, Condition):
            raise InvalidInput(f"expected a condition, was {part}")
        _check_depth(part)


def _check_depth(below: Node) -> None:
    if depth(below) >= DEEPEST:
        raise InvalidInput(f"expected expressions of at most {DEEPEST} levels, was more")
