"""What the sandbox lists: two markets with a planted edge and six without any.

The numbers of the planted edges were chosen by running the rules of docs/sandbox.md: what a
rule earns there is a property of this table, and tests/test_sandbox_edges.py holds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.errors import InvalidInput


@dataclass(frozen=True)
class Trend:
    """A drift that keeps its sign for a while, then turns.

    Args:
        strength: log return a day while the sign holds, in units of the day's volatility.
        shortest: fewest blocks of eight hours between two turns.
        longest: most of them; how many is drawn anew after each turn.
    """

    strength: float
    shortest: int
    longest: int


@dataclass(frozen=True)
class Reversion:
    """A price that is pulled back to a slowly wandering anchor.

    Args:
        half_life: minutes in which half of a deviation is gone.
        anchor_vol: daily volatility of the anchor, a random walk.
    """

    half_life: float
    anchor_vol: float


@dataclass(frozen=True)
class Instrument:
    """One listed market.

    Args:
        base: what is traded; the name says what kind of market it is.
        price: where the price starts on the first day.
        tick: smallest step of the price.
        lot: smallest step of a quantity.
        daily_vol: volatility of an ordinary day, as a share of the price.
        turnover: volume of an ordinary minute in the quote.
        edge: what is planted, None for a martingale.
    """

    base: str
    price: float
    tick: float
    lot: float
    daily_vol: float
    turnover: float
    edge: Trend | Reversion | None = None
    quote: str = "USDT"

    @property
    def symbol(self) -> str:
        """The name as nightjar writes it: `NOISE1-USDT`."""
        return f"{self.base}-{self.quote}"

    @property
    def venue_symbol(self) -> str:
        """The name as the venue writes it: `NOISE1USDT`."""
        return self.base + self.quote


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument("TREND1", 2_400.0, 0.01, 0.0001, 0.024, 60_000.0, Trend(1.55, 4, 9)),
    Instrument("REVERT1", 150.0, 0.001, 0.001, 0.031, 40_000.0, Reversion(240.0, 0.010)),
    Instrument("NOISE1", 60_000.0, 0.01, 0.00001, 0.024, 400_000.0),
    Instrument("NOISE2", 3_000.0, 0.01, 0.0001, 0.030, 200_000.0),
    Instrument("NOISE3", 500.0, 0.001, 0.001, 0.026, 50_000.0),
    Instrument("NOISE4", 80.0, 0.0001, 0.001, 0.034, 80_000.0),
    Instrument("NOISE5", 2.0, 0.00001, 0.1, 0.032, 30_000.0),
    Instrument("NOISE6", 0.4, 0.000001, 1.0, 0.036, 20_000.0),
)

BY_VENUE_SYMBOL: dict[str, Instrument] = {one.venue_symbol: one for one in INSTRUMENTS}

MOST_MARKETS = 200
_PRICES = (20.0, 900.0, 0.8, 5_000.0, 60.0, 7.0)  # where further markets start, in turn


def listing(markets: int = len(INSTRUMENTS)) -> dict[str, Instrument]:
    """Return what an exchange of so many markets lists; beyond the eight there is only noise."""
    if not 1 <= markets <= MOST_MARKETS:
        raise InvalidInput(f"expected 1 to {MOST_MARKETS} markets, was {markets}")
    further = (_noise(number) for number in range(7, 7 + markets - len(INSTRUMENTS)))
    return {one.venue_symbol: one for one in [*INSTRUMENTS, *further][:markets]}


def _noise(number: int) -> Instrument:
    price = _PRICES[number % len(_PRICES)]
    tick = 10.0 ** (math.floor(math.log10(price)) - 5)
    return Instrument(f"NOISE{number}", price, tick, 0.001, 0.03, 30_000.0)
