"""A strategy: when to enter and leave, on which bars, and its one canonical text.

    long when crosses_above(ema(12), ema(26)) and rsi(14) < 70
    exit when crosses_below(ema(12), ema(26)) or rsi(14) > 80
    stop 2% target 5% trail 3% timeout 1d
    on 15m

Reading and writing are inverses, and a strategy's id is a hash of its canonical text: the same
rules have the same id wherever and whenever they were written. The language is described in
docs/strategy-language.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec

from core.clock import format_duration, parse_duration
from core.errors import InvalidInput, StrategySyntaxError
from core.market import INTERVALS, interval_step
from research.expressions import REMEMBERED, Condition, leaves, text_of, warmup
from research.syntax import Reader
from research.tokens import LONGEST_TEXT, Token, nearest, plain, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bounds of the exits, as fractions of the entry price and as time.
LEAST_LEVEL, MOST_LEVEL, MOST_TARGET = 0.0001, 0.9999, 10.0
LEAST_TIMEOUT, MOST_TIMEOUT = timedelta(minutes=1), timedelta(days=365)

_SIDES = ("long", "short")
_LEVELS = ("stop", "target", "trail")
_CLAUSES = (*_SIDES, "exit", *_LEVELS, "timeout", "on")


class Side(msgspec.Struct, frozen=True, gc=False):
    """When to enter in one direction, and on which signal to leave (None: on none)."""

    entry: Condition
    exit: Condition | None = None


@dataclass(frozen=True)
class Strategy:
    """The rules of one strategy.

    `stop`, `target` and `trail` are fractions of the entry price. At least one of `long` and
    `short` is given. A strategy without any way out holds its position until the data ends.
    """

    timeframe: str
    long: Side | None = None
    short: Side | None = None
    stop: float | None = None
    target: float | None = None
    trail: float | None = None
    timeout: timedelta | None = None
    text: str = field(init=False, repr=False, compare=False)
    """The canonical text; `Strategy.parse(s.text) == s`."""
    id: str = field(init=False, repr=False, compare=False)
    """The first 16 hexadecimal digits of the SHA-256 of the canonical text."""

    def __post_init__(self) -> None:
        interval_step(self.timeframe)
        if self.long is None and self.short is None:
            raise InvalidInput("expected rules for long or short, was none")
        # A short cannot gain more than its price falling to nothing.
        most = MOST_TARGET if self.short is None else MOST_LEVEL
        _check_exits(self.stop, self.target, self.trail, self.timeout, most)
        text = self._text()
        if len(text) > LONGEST_TEXT:
            raise InvalidInput(f"expected at most {LONGEST_TEXT} characters, was {len(text)}")
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "id", hashlib.sha256(text.encode()).hexdigest()[:16])

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Read a strategy in any spelling.

        Raises:
            StrategySyntaxError: With the line and column, what was expected and what was there.
        """
        return _ClauseReader(text).strategy()

    @property
    def side(self) -> str:
        """`long`, `short` or `both`."""
        if self.long and self.short:
            return "both"
        return "long" if self.long else "short"

    @property
    def step(self) -> timedelta:
        """How long one bar of the timeframe is."""
        return INTERVALS[self.timeframe]

    @property
    def conditions(self) -> int:
        """How many comparisons and crosses the rules hold in all."""
        return sum(map(len, map(leaves, self.rules())))

    @cached_property
    def warmup(self) -> int:
        """Bars of the timeframe until signals no longer show where the history starts.

        That is the plain lookback, and for averages that never quite forget, the bars until
        their start counts for less than `declarations.TOLERANCE`. `obv` and `ad` never forget.
        """
        return max(warmup(rule) for rule in self.rules())

    def rules(self) -> Iterator[Condition]:
        """Yield the conditions: entry before exit, long before short."""
        for side in (self.long, self.short):
            if side is not None:
                yield side.entry
                if side.exit is not None:
                    yield side.exit

    def __str__(self) -> str:
        return self.text

    def _text(self) -> str:
        lines = [*_side_lines("long", self.long), *_side_lines("short", self.short)]
        exits = _exits_line(self.stop, self.target, self.trail, self.timeout)
        return "\n".join([*lines, *exits, f"on {self.timeframe}"])


def _side_lines(name: str, side: Side | None) -> list[str]:
    if side is None:
        return []
    entry = f"{name} when {text_of(side.entry)}"
    return [entry] if side.exit is None else [entry, f"exit when {text_of(side.exit)}"]


@lru_cache(REMEMBERED)
def _exits_line(
    stop: float | None, target: float | None, trail: float | None, timeout: timedelta | None
) -> list[str]:
    """Write the levels and the timeout on one line; on none where there are none."""
    levels = zip(_LEVELS, (stop, target, trail), strict=True)
    exits = [f"{name} {format_percent(level)}" for name, level in levels if level is not None]
    if timeout is not None:
        exits.append(f"timeout {format_duration(timeout)}")
    return [" ".join(exits)] if exits else []


def format_percent(fraction: float) -> str:
    """Write a fraction as a percentage: 0.025 is `2.5%`; reading it gives the same float."""
    return f"{plain(Decimal(repr(float(fraction))) * 100)}%"


class _ClauseReader:
    """The clauses of a text, read in any order; `exit` belongs to the side before it."""

    def __init__(self, text: str) -> None:
        self._reader = Reader(tokenize(text))
        self._entries: dict[str, Condition] = {}
        self._exits: dict[str, Condition] = {}
        self._levels: dict[str, tuple[Token, float]] = {}
        self._timeout: timedelta | None = None
        self._timeframe: str | None = None
        self._side: str | None = None

    def strategy(self) -> Strategy:
        while self._reader.here.kind != "end":
            self._clause(self._reader.take())
        if not self._entries:
            raise self._reader.here.wrong("'long when' or 'short when' and a condition")
        if self._timeframe is None:
            raise self._reader.here.wrong("'on' and a timeframe such as 15m")
        sides = {name: Side(e, self._exits.get(name)) for name, e in self._entries.items()}
        self._check_target()
        levels = {name: level for name, (_, level) in self._levels.items()}
        try:
            return Strategy(self._timeframe, **sides, **levels, timeout=self._timeout)  # type: ignore[arg-type] # names are checked
        except InvalidInput as wrong:
            expected = str(wrong).removeprefix("expected ")
            raise StrategySyntaxError(1, 1, expected=expected, was="this text") from wrong

    def _clause(self, token: Token) -> None:
        match token.text:
            case "long" | "short":
                self._once(token, token.text in self._entries)
                self._side = token.text
                self._entries[token.text] = self._rule(token)
            case "exit":
                if self._side is None:
                    raise token.wrong("'long when' or 'short when' before 'exit when'")
                self._once(token, self._side in self._exits)
                self._exits[self._side] = self._rule(token)
            case "stop" | "target" | "trail":
                self._once(token, token.text in self._levels)
                self._levels[token.text] = (self._reader.here, self._percent(token.text))
            case "timeout":
                self._once(token, self._timeout is not None)
                self._timeout = self._duration()
            case "on":
                self._once(token, self._timeframe is not None)
                self._timeframe = self._interval()
            case _:
                raise self._wrong_clause(token)

    def _rule(self, token: Token) -> Condition:
        self._reader.expect("when", f"'when' after '{token.text}'")
        return self._reader.condition()

    def _percent(self, name: str) -> float:
        token = self._reader.take()
        most = MOST_TARGET if name == "target" else MOST_LEVEL
        expected = _level_expected(name, most)
        if token.kind != "number":
            raise token.wrong(expected)
        if self._reader.here.text != "%":
            raise self._reader.here.wrong(f"'%' after {token.text}")
        self._reader.take()
        percent = float(token.text)  # first: a Decimal of 1e9999999 cannot be divided
        fraction = float(Decimal(token.text) / 100) if 0 < percent < 1e6 else percent
        if not LEAST_LEVEL <= fraction <= most:
            raise token.wrong(expected, f"{token.text[:40]}%")
        return fraction

    def _duration(self) -> timedelta:
        token = self._reader.take()
        duration = _duration_of(token)
        if duration is None or not _allowed(duration):
            raise token.wrong(_timeout_expected())
        return duration

    def _interval(self) -> str:
        token = self._reader.take()
        duration = _duration_of(token)
        for name, step in INTERVALS.items():
            if step == duration:
                return name
        raise token.wrong(f"a timeframe of {', '.join(INTERVALS)}")

    def _once(self, token: Token, given: bool) -> None:  # noqa: FBT001 - private, read as prose
        if given:
            raise token.wrong(f"'{token.text}' only once")

    def _check_target(self) -> None:
        """Refuse a target that the short side cannot reach."""
        if "short" in self._entries and "target" in self._levels:
            token, level = self._levels["target"]
            if level > MOST_LEVEL:
                raise token.wrong(_level_expected("target", MOST_LEVEL), format_percent(level))

    def _wrong_clause(self, token: Token) -> StrategySyntaxError:
        if token.kind == "word" and token.text not in ("when", "and", "or", "not"):
            return token.wrong(f"one of {', '.join(_CLAUSES)}" + nearest(token.text, _CLAUSES))
        if self._entries:
            return token.wrong(f"an operator, or one of {', '.join(_CLAUSES)}")
        return token.wrong("'long when' or 'short when' and a condition")


def _duration_of(token: Token) -> timedelta | None:
    try:
        return parse_duration(token.text)
    except InvalidInput:
        return None


@lru_cache(REMEMBERED)
def _check_exits(
    stop: float | None,
    target: float | None,
    trail: float | None,
    timeout: timedelta | None,
    most_target: float,
) -> None:
    _check_level("stop", stop, most=MOST_LEVEL)
    _check_level("target", target, most=most_target)
    _check_level("trail", trail, most=MOST_LEVEL)
    if timeout is not None and not _allowed(timeout):
        raise InvalidInput(f"expected {_timeout_expected()}, was {timeout}")


def _check_level(name: str, level: float | None, *, most: float) -> None:
    if level is not None and not LEAST_LEVEL <= level <= most:
        raise InvalidInput(f"expected {_level_expected(name, most)}, was {level!r} of the price")


def _level_expected(name: str, most: float) -> str:
    return f"a {name} from {format_percent(LEAST_LEVEL)} to {format_percent(most)}"


def _timeout_expected() -> str:
    bounds = f"{format_duration(LEAST_TIMEOUT)} to {format_duration(MOST_TIMEOUT)}"
    return f"a timeout of whole minutes from {bounds} such as 90m, 4h or 1d"


def _allowed(timeout: timedelta) -> bool:
    return LEAST_TIMEOUT <= timeout <= MOST_TIMEOUT and not timeout % timedelta(minutes=1)
