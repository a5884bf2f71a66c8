"""Many strategies given as boolean arrays on one market, at once: `simulate` for a whole matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from core.errors import InvalidInput
from research.costs import Ambiguous, Costs
from research.engine.flags import LEVELS, flagged
from research.engine.run import figures, room_of, trade
from research.evaluate import Scores
from research.reference import TRADE, Records
from research.simulate import Side, check_levels, timeout_of
from research.trades import trades_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from numpy.typing import ArrayLike, NDArray

    from research.market import Market

    Share = float | Sequence[float] | None

_COSTS = Costs()


class Swept(NamedTuple):
    """What the strategies of a matrix did, in the order of its columns."""

    trades: Records  # those of the first strategy, then those of the second, and so on
    counts: NDArray[np.int64]  # how many trades are whose
    scores: Scores | None  # None where they were not asked for

    def frame(self, market: Market) -> pl.DataFrame:
        """Return one row per trade: the column `strategy`, then those of `simulate`."""
        which = np.repeat(np.arange(self.counts.size), self.counts)
        return trades_frame(market.bars.time, self.trades).insert_column(
            0, pl.Series("strategy", which, pl.Int64)
        )


def sweep(
    market: Market,
    entries: ArrayLike,
    exits: ArrayLike | None = None,
    side: Side = "long",
    *,
    stop: Share = None,
    target: Share = None,
    trail: Share = None,
    timeout: timedelta | str | int | None = None,
    costs: Costs = _COSTS,
    ambiguous: Ambiguous = "worst",
    scored: bool = True,
) -> Swept:
    """Trade every column of a matrix, each alone with an equity of 1.

    Booleans are read where they lie, by rows or by columns; columns take a little less time.

    Args:
        market: `Market.of(candles)`.
        entries: Booleans, bars by strategies, decided on a bar's close.
        exits: The same, or None.
        side: `long` or `short`.
        stop: As a share of the entry price; one for all, or one for each strategy.
        target: The same.
        trail: The same.
        timeout: A timedelta, a text such as "1d", or a number of bars; for all.
        costs: Fee, slippage and funding.
        ambiguous: `worst` or `best`, as `simulate` has it.
        scored: Whether to measure the strategies, too.

    Raises:
        InvalidInput: A matrix has another shape or is not boolean, or an argument is out of range.
    """
    check_levels(side)
    columns = _matrix(entries, "entries", market)
    leaving = None if exits is None else _matrix(exits, "exits", market, columns.shape)
    shares = {"stop": stop, "target": target, "trail": trail}
    terms = costs.terms(market.step, timeout=timeout_of(timeout), ambiguous=ambiguous)
    levels: dict[str, Any] = {name: getattr(terms, name) for name in LEVELS}
    for name, share in shares.items():
        if share is not None:
            levels[name] = _shares(side, name, share, columns.shape[1])
    batch = flagged(columns, leaving, side, levels)
    strategies, ground = columns.shape[1], market.ground
    room = room_of(ground, strategies, keeps=True)
    scores = Scores.of(strategies, market.ends.size) if scored else None
    kept: list[NDArray[np.uint8]] = []
    for part, trades in trade(ground, batch, terms, room, measured=scored):
        kept.append(trades.view(np.uint8).copy())  # field by field takes ten times as long
        if scores is not None:
            scores.put(part, figures(ground, room, part), room.returns[part])
    whole = kept[0] if len(kept) == 1 else np.concatenate([np.empty(0, np.uint8), *kept])
    return Swept(whole.view(TRADE), room.counts, scores)


def _matrix(
    values: ArrayLike, name: str, market: Market, shape: tuple[int, ...] | None = None
) -> NDArray[np.bool_]:
    flags: NDArray[Any] = np.asarray(values)
    bars = market.bars.time.size
    if flags.dtype != np.bool_:
        raise InvalidInput(f"expected {name} as booleans, was {flags.dtype}")
    if flags.ndim != 2 or flags.shape[0] != bars or flags.shape != (shape or flags.shape):
        wanted = shape or (bars, "strategies")
        raise InvalidInput(f"expected {name} of the shape {wanted}, was of {flags.shape}")
    return flags


def _shares(side: Side, name: str, share: Any, strategies: int) -> NDArray[np.float64]:
    """Return the shares of one level by strategy."""
    given = np.atleast_1d(np.asarray(share))
    if given.shape not in {(1,), (strategies,)}:
        raise InvalidInput(f"expected {name} of one share or of {strategies}, was of {given.size}")
    for one in given.tolist():
        check_levels(side, **{name: one})
    return np.broadcast_to(given.astype(np.float64), (strategies,))
