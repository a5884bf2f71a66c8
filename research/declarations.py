"""How an indicator is declared: its parameters, its formula, and how long it warms up.

Two numbers say how long: `lookback`, the bars before the first value, and `settling`, the further
bars until the value has forgotten where the history starts (zero where it is of a window).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from inspect import unwrap
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput

if TYPE_CHECKING:
    from research.bars import F8, Bars

# What an indicator of one series may take as its input, and an expression may name.
SERIES = ("open", "high", "low", "close", "volume")

# How much of its first value an average may still remember where it counts as settled.
TOLERANCE = 1e-4

LONGEST = 10_000  # bars in a period

Count = Callable[..., int]  # of bars, from an indicator's parameters


@dataclass(frozen=True)
class Parameter:
    """A number that an indicator takes; both bounds are allowed values."""

    name: str
    default: float
    least: float
    most: float
    whole: bool = True

    def expected(self) -> str:
        """Say which values are allowed."""
        kind = "whole number" if self.whole else "number"
        return f"a {kind} from {self.least:g} to {self.most:g} for {self.name}"

    def accepts(self, value: float) -> bool:
        """Tell whether `value` is allowed."""
        return self.least <= value <= self.most and (not self.whole or value == int(value))


@dataclass(frozen=True)
class Indicator:
    """An indicator of the strategy language.

    `compute` gets the bars, the input series where there is one, and the parameters. `source` is
    the input used unless another is named; None where the formula itself says what it needs.
    `ascending` means that the first parameter must be below the second.
    """

    name: str
    summary: str
    compute: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    lookback: Count
    settling: Count
    source: str | None = None
    ascending: bool = False

    def checked(self, params: tuple[float, ...]) -> tuple[float, ...]:
        """Return the parameters, whole ones as int; raise `InvalidInput` for a wrong one."""
        if len(params) != len(self.parameters):
            expected = f"{len(self.parameters)} parameters for {self.name}"
            raise InvalidInput(f"expected {expected}, was {len(params)}")
        for parameter, value in zip(self.parameters, params, strict=True):
            if not parameter.accepts(value):
                raise InvalidInput(f"expected {parameter.expected()} of {self.name}, was {value:g}")
        if not self.ordered(params):
            raise InvalidInput(f"expected {self.order()}, was {params[0]:g} and {params[1]:g}")
        pairs = zip(self.parameters, params, strict=True)
        return tuple(int(v) if p.whole else float(v) for p, v in pairs)

    def ordered(self, params: tuple[float, ...]) -> bool:
        """Tell whether the parameters stand in the order the formula needs."""
        return not self.ascending or params[0] < params[1]

    def order(self) -> str:
        """Say in which order the parameters must stand."""
        return f"{self.parameters[0].name} below {self.parameters[1].name} in {self.name}"


def of_series(
    name: str,
    function: Callable[..., Any],
    summary: str,
    *parameters: Parameter,
    lookback: Count,
    settling: Count = lambda *_: 0,
    source: str = "close",
    ascending: bool = False,
) -> Indicator:
    """Declare an indicator of one series, which a strategy may choose."""
    plain = unwrap(function)  # as TA-Lib has it, without its care for frames

    def compute(_bars: Bars, series: F8, *params: float) -> Any:
        return plain(series, *params)

    return Indicator(name, summary, compute, parameters, lookback, settling, source, ascending)


def of_bars(
    name: str,
    function: Callable[..., Any],
    needs: str,
    summary: str,
    *parameters: Parameter,
    lookback: Count,
    settling: Count = lambda *_: 0,
    ascending: bool = False,
) -> Indicator:
    """Declare an indicator of the series named in `needs`, given in that order."""
    series, plain = needs.split(), unwrap(function)  # as above

    def compute(bars: Bars, *params: float) -> Any:
        return plain(*[getattr(bars, each) for each in series], *params)

    return Indicator(name, summary, compute, parameters, lookback, settling, None, ascending)


def period(default: int, least: int = 2, name: str = "period") -> Parameter:
    """Declare a count of bars."""
    return Parameter(name, default, least, LONGEST)


def deviations(default: float) -> Parameter:
    """Declare a multiple of the standard deviation."""
    return Parameter("deviations", default, 0.1, 10, whole=False)


def window(bars: int, times: int = 1) -> Count:
    """Return a lookback of `times * period + bars`."""
    return lambda period, *_: int(times * period + bars)


def forgets(alpha: float) -> int:
    """Return the bars after which an average of weight `alpha` keeps `TOLERANCE` of its start."""
    return math.ceil(math.log(TOLERANCE) / math.log1p(-alpha)) if alpha < 1 else 1


def ema_settles(period: float) -> int:
    """Return `forgets` of an exponential average of `period`, whose weight is 2/(period+1)."""
    return forgets(2 / (period + 1))


def wilder_settles(period: float) -> int:
    """Return `forgets` of Wilder's average of `period`, whose weight is 1/period."""
    return forgets(1 / period)


def kama_settles(period: float) -> int:
    """Return `forgets` of an adaptive average on a random walk.

    Its weight is (efficiency (2/3 - 2/31) + 2/31)², and a random walk's efficiency over n bars is
    1/sqrt(n). A market that goes nowhere takes longer.
    """
    return forgets((period**-0.5 * (2 / 3 - 2 / 31) + 2 / 31) ** 2)
