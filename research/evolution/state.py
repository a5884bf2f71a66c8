"""A search at the end of a generation: all that is needed to go on, and to account for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from research.evolution.bandit import Arm

if TYPE_CHECKING:
    from research.strategy import Strategy

F8 = NDArray[np.float64]

VERSION = 2
SMALLEST_ISLAND = 4


class Terms(msgspec.Struct, frozen=True):
    """All that decides a search beside its evaluator; equal terms give equal searches.

    `research.evolve.evolve` says what each means.
    """

    seed: int
    population: int
    islands: tuple[tuple[str, ...], ...]
    elite: float
    clone_correlation: float
    min_trades: int
    patience: int | None
    migrate_every: int
    timeframes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be searched with."""
        least = SMALLEST_ISLAND * max(1, len(self.islands))
        symbols = [symbol for island in self.islands for symbol in island]
        for holds, expected, was in (
            (self.seed >= 0, "a seed from 0", self.seed),
            (symbols and all(self.islands), "islands of at least one symbol each", self.islands),
            (
                all(len(set(one)) == len(one) for one in self.islands),
                "no symbol twice",
                self.islands,
            ),
            (
                len({" ".join(sorted(one)) for one in self.islands}) == len(self.islands),
                "islands that differ",
                self.islands,
            ),
            (self.population >= least, f"a population of at least {least}", self.population),
            (0 < self.elite <= 1, "an elite above 0 and up to 1", self.elite),
            (
                0 < self.clone_correlation <= 1,
                "a bound above 0 and up to 1",
                self.clone_correlation,
            ),
            (self.min_trades >= 0, "a least number of trades from 0", self.min_trades),
            (self.patience is None or self.patience >= 1, "a patience from 1", self.patience),
            (self.migrate_every >= 1, "migration every 1 or more generations", self.migrate_every),
            (bool(self.timeframes), "at least one timeframe", self.timeframes),
        ):
            if not holds:
                raise InvalidInput(f"expected {expected}, was {was}")

    def name(self, island: int) -> str:
        """Return what an island is called."""
        return " ".join(self.islands[island])

    def size(self, island: int) -> int:
        """Return an island's share of the population."""
        share, rest = divmod(self.population, len(self.islands))
        return share + (island < rest)


class Trial(msgspec.Struct, frozen=True, gc=False):
    """One strategy scored on the symbols of one island: what it was, whence, and how it did.

    `parents` are the ids of the strategies it was made from. `score` is what it was judged by:
    `sharpe` of an equal stake in every symbol, detrended, less for too few trades. `returns` and
    `detrended` hold float64: net daily returns by symbol, see `daily_returns`, and those beyond
    the market's drift, one a day, of the equal stake. `trades` is by symbol.
    """

    strategy_id: str
    text: str
    parents: tuple[str, ...]
    operator: str
    generation: int
    island: str
    symbols: tuple[str, ...]
    score: float
    sharpe: float
    max_drawdown: float
    turnover: float
    complexity: int
    trades: tuple[int, ...]
    returns: bytes
    detrended: bytes

    @property
    def daily_returns(self) -> F8:
        """Daily returns, symbols by days; not to be written to."""
        return np.frombuffer(self.returns).reshape(len(self.symbols), -1)

    @property
    def daily_detrended(self) -> F8:
        """Daily returns of the equal stake beyond the drift; not to be written to."""
        return np.frombuffer(self.detrended)

    @property
    def objectives(self) -> tuple[float, float, float, float]:
        """What is minimised: less score, drawdown, turnover, complexity."""
        return -self.score, self.max_drawdown, self.turnover, float(self.complexity)


class Island(msgspec.Struct, frozen=True):
    """A part of the population: numbers of its trials, the best first, and how it gets on.

    `idle` counts the generations since the best score last rose.
    """

    members: tuple[int, ...]
    best: float
    idle: int


class State(msgspec.Struct, frozen=True):
    """A search after `generation` generations; `trials` are all that were ever made, in order."""

    terms: Terms
    generation: int
    islands: tuple[Island, ...]
    arms: tuple[Arm, ...]
    trials: tuple[Trial, ...]
    version: int = VERSION

    def to_bytes(self) -> bytes:
        """Return the state as bytes (MessagePack); `from_bytes` reads exactly this state."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Read a state.

        Raises:
            InvalidInput: These are not the bytes of a state, or of another version.
        """
        try:
            state = msgspec.msgpack.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise InvalidInput(f"expected the bytes of a search, was {error}") from error
        if state.version != VERSION:
            raise InvalidInput(f"expected a search of version {VERSION}, was {state.version}")
        return state


@dataclass(frozen=True, eq=False)
class Evolution:
    """What a search found, and all that it tried.

    `population` are distinct strategies, no two of an island behaving alike, the highest score
    first; `scores` are theirs, and `members` their trials. `operators` says of each how often it
    was tried and paid. `trials` are all that were ever made, also before a resumption.
    """

    population: tuple[Strategy, ...]
    scores: tuple[float, ...]
    members: tuple[Trial, ...]
    generations: int
    operators: tuple[Arm, ...]
    trials: tuple[Trial, ...]

    @property
    def evaluations(self) -> int:
        """How often a strategy was scored on an island."""
        return len(self.trials)

    @property
    def charges(self) -> int:
        """How often a strategy was scored on a symbol: what a test of luck must count."""
        return sum(len(trial.symbols) for trial in self.trials)
