"""Expressions read from tokens: operators by how tightly they bind, types checked on the way.

What is wrong is reported where it stands. Nesting is bounded, so that no text can exhaust the
stack.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import InvalidInput
from research.declarations import SERIES, Indicator
from research.expressions import (
    ARITHMETIC,
    BINDS,
    COMPARISONS,
    CROSSES,
    DEEPEST,
    FURTHEST,
    NEGATIVE_BINDS,
    NOT_BINDS,
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
from research.tokens import Token, nearest, plain, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

_FUNCTIONS = (*CROSSES, "prev")
_CONDITION = "a condition such as rsi(14) < 30"
_NUMBER = "a number such as close or ema(12)"
_CLOSING = "')' or an operator"
_OPERAND = "a number, a series, an indicator, not, - or ("


@lru_cache(REMEMBERED)
def condition_of(text: str) -> Condition:
    """Return the condition that a text says, and nothing beside it.

    Raises:
        StrategySyntaxError: With the line and column, what was expected and what was there.
    """
    reader = Reader(tokenize(text))
    condition = reader.condition()
    reader.expect("", "an operator, or the end of the condition")
    return condition


class _Part(NamedTuple):
    """A part read so far: where it began, and how deep it is."""

    node: Node
    start: Token
    depth: int


class Reader:
    """A place in a list of tokens, and the reading of expressions from there."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0

    @property
    def here(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """Return the next token and move on; the end stays."""
        token = self.here
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def expect(self, text: str, expected: str | None = None) -> Token:
        """Take the word or sign `text`, or refuse what stands there."""
        if self.here.text != text:
            raise self.here.wrong(expected or f"'{text}'")
        return self.take()

    def condition(self) -> Condition:
        """Read a whole condition."""
        return _condition(self._expression(1))

    def _expression(self, least: int) -> _Part:
        """Read operands joined by operators that bind at least as tightly as `least`."""
        self._nesting += 1
        if self._nesting > 2 * DEEPEST + 2:
            raise self.here.wrong(f"at most {DEEPEST} levels of nesting", "more")
        left = self._operand()
        while least <= BINDS.get(self.here.text, 0):
            operator = self.take()
            right = self._expression(BINDS[operator.text] + 1)
            left = _joined(operator, left, right)
        self._nesting -= 1
        return left

    def _operand(self) -> _Part:
        token = self.take()
        if token.text == "not":
            operand = self._expression(NOT_BINDS)
            return _above(token, [operand], Not, _condition(operand))
        if token.text == "-":
            operand = self._expression(NEGATIVE_BINDS)
            return _above(token, [operand], Negative, _numeric(operand))
        if token.text == "(":
            inner = self._expression(1)
            self.expect(")", _CLOSING)
            return _Part(inner.node, token, inner.depth)
        if token.kind == "number":
            return _Part(Number(_number(token)), token, 1)
        if token.kind == "word":
            return self._named(token)
        raise token.wrong(_OPERAND)

    def _named(self, token: Token) -> _Part:
        if token.text in SERIES:
            return _Part(Series(token.text), token, 1)
        if token.text in INDICATORS:
            return _Part(self._reading(token, INDICATORS[token.text]), token, 1)
        if token.text in CROSSES:
            self.expect("(")
            left = self._expression(1)
            self.expect(",", f"',' and what {token.text} compares with")
            right = self._expression(1)
            self.expect(")", _CLOSING)
            both = _numeric(left), _numeric(right)
            return _above(token, [left, right], Cross, token.text, *both)
        if token.text == "prev":
            return self._prev(token)
        raise token.wrong(
            _OPERAND + nearest(token.text, (*SERIES, *INDICATORS, *_FUNCTIONS, "not"))
        )

    def _prev(self, token: Token) -> _Part:
        self.expect("(")
        operand = self._expression(1)
        bars = 1
        if self.here.text == ",":
            self.take()
            count = self.take()
            value = _number(count) if count.kind == "number" else 0
            if value != int(value) or not 1 <= value <= FURTHEST:
                raise count.wrong(f"a whole number of bars from 1 to {FURTHEST}")
            bars = int(value)
        self.expect(")")
        return _above(token, [operand], Prev, _numeric(operand), bars)

    def _reading(self, token: Token, indicator: Indicator) -> Reading:
        """Read an indicator's arguments; those left out have their defaults."""
        source: str | None = None
        given: list[tuple[Token, float]] = []
        if self.here.text == "(":
            self.take()
            if self.here.text != ")":
                source, given = self._arguments(indicator)
            self.expect(")", _no_more(indicator))
        defaults = [parameter.default for parameter in indicator.parameters[len(given) :]]
        params = (*(value for _, value in given), *defaults)
        if not indicator.ordered(params):
            place = given[-1][0] if given else token
            raise place.wrong(indicator.order(), " and ".join(plain(v) for v in params[:2]))
        return Reading(token.text, indicator.checked(params), source)

    def _arguments(self, indicator: Indicator) -> tuple[str | None, list[tuple[Token, float]]]:
        """Read an input series where one is named, then numbers."""
        source: str | None = None
        given: list[tuple[Token, float]] = []
        if self.here.text in SERIES and indicator.source:
            name = self.take().text
            source = None if name == indicator.source else name
            if self.here.text != ",":
                return source, given
            self.take()
        for parameter in indicator.parameters:
            token = self.take()
            sign = 1
            if token.text == "-" and self.here.kind == "number":
                sign, number = -1, self.take()
            else:
                number = token
            value = sign * _number(number) if number.kind == "number" else None
            if value is None or not parameter.accepts(value):
                was = None if value is None else plain(value)
                raise token.wrong(f"{parameter.expected()} of {indicator.name}", was)
            given.append((token, value))
            if self.here.text != "," or len(given) == len(indicator.parameters):
                break
            self.take()
        if not indicator.parameters:
            raise self.here.wrong(_no_more(indicator))
        return source, given


def _joined(operator: Token, left: _Part, right: _Part) -> _Part:
    """Put an operator between two parts of the type it takes."""
    name = operator.text
    kind: Callable[..., Node] = Logic
    takes: Callable[[_Part], Node] = _condition
    if name in COMPARISONS:
        if isinstance(left.node, Comparison):
            raise operator.wrong("and, or, or the end of the condition (comparisons do not chain)")
        kind, takes = Comparison, _numeric
    elif name in ARITHMETIC:
        kind, takes = Arithmetic, _numeric
    return _above(left.start, [left, right], kind, name, takes(left), takes(right))


def _above(start: Token, below: list[_Part], kind: Callable[..., Node], *fields: Any) -> _Part:
    """Make a node of the parts below it, unless they are too deep already."""
    depth = 1 + max(part.depth for part in below)
    if depth > DEEPEST:
        raise start.wrong(f"an expression of at most {DEEPEST} levels", "a deeper one")
    return _Part(kind(*fields), start, depth)


def _numeric(part: _Part) -> Numeric:
    if not isinstance(part.node, Numeric):
        raise part.start.wrong(_NUMBER, f"the condition {_short(part.node)}")
    return part.node


def _condition(part: _Part) -> Condition:
    if not isinstance(part.node, Condition):
        raise part.start.wrong(_CONDITION, f"the number {_short(part.node)}")
    return part.node


def _short(node: Node) -> str:
    text = str(node)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _number(token: Token) -> float:
    try:
        return Number(float(token.text)).value
    except InvalidInput as wrong:
        expected = str(wrong).removeprefix("expected ").rsplit(", was", 1)[0]
    raise token.wrong(expected)


def _no_more(indicator: Indicator) -> str:
    takes = ", ".join(parameter.name for parameter in indicator.parameters) or "nothing"
    return f"')' ({indicator.name} takes {takes})"
