"""What a strategy's conditions are made of: the tree, its text, and how long it warms up.

A tree is a number (`Numeric`) or a condition (`Condition`) in each of its places, and of at most
`DEEPEST` levels; a node that is put together otherwise refuses to be made. Equal trees are equal
and hash alike. What is asked of a node is remembered: a search asks the same of the same parts
over and over.
"""

from __future__ import annotations

from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec

from core.errors import InvalidInput
from research.declarations import SERIES
from research.indicators import indicator_named
from research.tokens import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEEPEST = 64  # levels of a tree
REMEMBERED = 2**14  # nodes of which an answer is kept: a search makes half as many
FURTHEST = 10_000  # bars that `prev` looks back
SMALLEST, LARGEST = 1e-12, 1e15  # numbers beside zero

ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = ("<", ">", "<=", ">=")
CROSSES = ("crosses_above", "crosses_below")
LOGIC = ("and", "or")

# How tightly each operator binds; a part in a tighter place than its own wears parentheses.
BINDS = {"or": 1, "and": 2} | dict.fromkeys(COMPARISONS, 4) | {"+": 5, "-": 5, "*": 6, "/": 6}
NOT_BINDS, NEGATIVE_BINDS, _ATOM = 3, 7, 8


N = TypeVar("N", bound="Node")


class Node(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """A part of an expression; `operands` are the names of its fields that are parts, too."""

    operands: ClassVar[tuple[str, ...]] = ()

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

    operands = ("operand",)

    operand: Numeric

    def __post_init__(self) -> None:
        _numeric(self.operand)


class Arithmetic(Numeric, frozen=True, cache_hash=True):
    """Two numbers and one of `+ - * /`."""

    operands = ("left", "right")

    operator: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.operator, ARITHMETIC)
        _numeric(self.left, self.right)


class Prev(Numeric, frozen=True, cache_hash=True):
    """What a number was some bars before: `prev(close, 3)`."""

    operands = ("operand",)

    operand: Numeric
    bars: int

    def __post_init__(self) -> None:
        _numeric(self.operand)
        if self.bars not in range(1, FURTHEST + 1):
            raise InvalidInput(f"expected 1 to {FURTHEST} bars for prev, was {self.bars!r}")


class Comparison(Condition, frozen=True, cache_hash=True):
    """Two numbers and one of `< > <= >=`; false where one of them is not there."""

    operands = ("left", "right")

    operator: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.operator, COMPARISONS)
        _numeric(self.left, self.right)


class Cross(Condition, frozen=True, cache_hash=True):
    """The first number is beyond the second, and was not one bar before."""

    operands = ("left", "right")

    name: str
    left: Numeric
    right: Numeric

    def __post_init__(self) -> None:
        _one_of(self.name, CROSSES)
        _numeric(self.left, self.right)


class Logic(Condition, frozen=True, cache_hash=True):
    """Two conditions joined by `and` or `or`."""

    operands = ("left", "right")

    operator: str
    left: Condition
    right: Condition

    def __post_init__(self) -> None:
        _one_of(self.operator, LOGIC)
        _condition(self.left, self.right)


class Not(Condition, frozen=True, cache_hash=True):
    """The opposite of a condition."""

    operands = ("operand",)

    operand: Condition

    def __post_init__(self) -> None:
        _condition(self.operand)


LEAVES = (Comparison, Cross)  # the conditions that are made of numbers


@lru_cache(REMEMBERED)
def text_of(node: Node) -> str:
    """Write an expression in its one canonical form."""
    if type(node) not in _WRITERS:
        raise InvalidInput(f"expected a part of an expression, was {type(node).__name__}")
    return _WRITERS[type(node)](node)


def _reading(node: Reading) -> str:
    inner = [*([node.source] if node.source else []), *map(plain, node.params)]
    return f"{node.name}({', '.join(inner)})" if inner else node.name


def _binary(node: Arithmetic | Comparison | Logic) -> str:
    binds = BINDS[node.operator]
    return f"{_inside(node.left, binds)} {node.operator} {_inside(node.right, binds + 1)}"


def _inside(node: Node, binds: int) -> str:
    text = text_of(node)
    return text if _BINDS_OF[type(node)](node) >= binds else f"({text})"


# By the type of a node: a match of classes would ask each of them, and is ten times slower.
_WRITERS: dict[type[Node], Callable[[Any], str]] = {
    Number: lambda node: plain(node.value),
    Series: lambda node: node.name,
    Reading: _reading,
    Prev: lambda node: f"prev({text_of(node.operand)}, {int(node.bars)})",
    Cross: lambda node: f"{node.name}({text_of(node.left)}, {text_of(node.right)})",
    Negative: lambda node: f"-{_inside(node.operand, NEGATIVE_BINDS)}",
    Not: lambda node: f"not {_inside(node.operand, NOT_BINDS)}",
    **dict.fromkeys((Arithmetic, Comparison, Logic), _binary),
}
_BINDS_OF: dict[type[Node], Callable[[Any], int]] = {
    **dict.fromkeys(_WRITERS, lambda _: _ATOM),
    **dict.fromkeys((Arithmetic, Comparison, Logic), lambda node: BINDS[node.operator]),
    Negative: lambda _: NEGATIVE_BINDS,
    Not: lambda _: NOT_BINDS,
}


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts directly below a node."""
    return tuple([getattr(node, name) for name in node.operands])


def over(node: N, operands: Sequence[Node]) -> N:
    """Return the same part with others directly below it."""
    return msgspec.structs.replace(node, **dict(zip(node.operands, operands, strict=True)))


@lru_cache(REMEMBERED)
def walk(node: Node) -> tuple[Node, ...]:
    """Return a node and all below it, each before its own parts, from left to right."""
    return (node, *(below for part in children(node) for below in walk(part)))


@lru_cache(REMEMBERED)
def leaves(rule: Node) -> tuple[Comparison | Cross, ...]:
    """Return the comparisons and crosses of a rule, from left to right."""
    if isinstance(rule, LEAVES):
        return (rule,)
    return tuple([leaf for part in children(rule) for leaf in leaves(part)])


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
    return max(map(lookback, children(node)), default=0) + _own_lookback(node)


@lru_cache(REMEMBERED)
def warmup(node: Node) -> int:
    """Return the bars after which a part no longer shows where the history starts."""
    own = _own_lookback(node)
    if isinstance(node, Reading):
        own += indicator_named(node.name).settling(*node.params)
    return max(map(warmup, children(node)), default=0) + own


def _own_lookback(node: Node) -> int:
    """Return the bars that a part needs beyond those of the parts below it."""
    if isinstance(node, Reading):
        return indicator_named(node.name).lookback(*node.params)
    if isinstance(node, Prev):
        return node.bars
    return int(isinstance(node, Cross))


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
        if depth(part) >= DEEPEST:
            raise _too_deep()


def _condition(*parts: object) -> None:
    for part in parts:
        if not isinstance(part, Condition):
            raise InvalidInput(f"expected a condition, was {part}")
        if depth(part) >= DEEPEST:
            raise _too_deep()


def _too_deep() -> InvalidInput:
    return InvalidInput(f"expected expressions of at most {DEEPEST} levels, was more")
