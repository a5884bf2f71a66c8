"""One series, one's own signals: boolean arrays in, trades out.

The rules are those of docs/fills.md, the same engine as `research.backtest`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from core.clock import parse_duration
from core.errors import InvalidInput
from research.bars import Bars, bars_of, step_of
from research.costs import Ambiguous, Costs, is_number
from research.engine.flags import B1, flagged, levels_of
from research.engine.run import check_engine, ground_of, room_of, trade
from research.reference import TRADE, Records, Terms, pack, run
from research.trades import trades_frame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Side = Literal["long", "short"]

_COSTS = Costs()


def simulate(  # noqa: PLR0917 - all but the first three are read by name
    candles: pl.DataFrame,
    entries: ArrayLike,
    exits: ArrayLike | None,
    side: Side = "long",
    stop: float | None = None,
    target: float | None = None,
    trail: float | None = None,
    timeout: timedelta | str | int | None = None,
    costs: Costs = _COSTS,
    ambiguous: Ambiguous = "worst",
    *,
    engine: str = "fast",
) -> pl.DataFrame:
    """Trade one series by boolean arrays and return the trades.

    Args:
        candles: Bars of one series in ascending order; needs `open_time`, `open`, `high`, `low`
            and `close`.
        entries: One boolean per bar, decided on its close and filled at the next bar's open.
        exits: The same; None where only levels, the timeout and the end of the data end a trade.
        side: `long` or `short`.
        stop: Loss, as a share of the entry price, at which to leave; 0.02 is 2 %.
        target: Gain at which to leave.
        trail: Fall back from the best price since the entry at which to leave.
        timeout: How long to hold at most: a timedelta, a text such as "1d", or a number of bars.
        costs: Fee, slippage and funding.
        ambiguous: What happens first in a bar that touches stop or trail as well as target:
            `worst` the stop, `best` the target.
        engine: `fast`, or `reference`: the oracle that looks at every bar.

    Returns:
        One row per trade with the columns of `research.trades.TRADES`, in the order of time.

    Raises:
        InvalidInput: The candles are not one clean series, an array has another length or is
            not boolean, or an argument is out of range.
    """
    bars = bars_of(_with_volume(candles))
    flags = [_flags(x, name, bars) for x, name in ((entries, "entries"), (exits, "exits"))]
    held = timeout_of(timeout)
    check_levels(side, stop=stop, target=target, trail=trail)
    terms = costs.terms(
        step_of(candles, bars),
        stop=stop,
        target=target,
        trail=trail,
        timeout=held,
        ambiguous=ambiguous,
    )
    check_engine(engine)
    run_by = _by_reference if engine == "reference" else _fast
    return trades_frame(bars.time, run_by(bars, *flags, side=side, terms=terms))


def _by_reference(
    bars: Bars, entries: B1 | None, exits: B1 | None, *, side: str, terms: Terms
) -> Records:
    rules = (entries, exits) if side == "long" else (None, None, entries, exits)
    return run(bars, pack(bars.time.size, *rules), terms).trades


def _fast(bars: Bars, entries: B1 | None, exits: B1 | None, *, side: str, terms: Terms) -> Records:
    if entries is None or not entries.size:
        return np.empty(0, TRADE)
    ground = ground_of(bars, np.empty(0, np.int64))  # nobody asks for days
    columns = (entries[:, None], None if exits is None else exits[:, None])
    batch = flagged(*columns, side, levels_of(terms))
    room = room_of(ground, 1, keeps=False)
    ((_, trades),) = trade(ground, batch, terms, room, measured=False)
    return trades


def _with_volume(candles: pl.DataFrame) -> pl.DataFrame:
    """Signals are given, so that nothing here reads the volume."""
    if "volume" in candles.columns:
        return candles
    return candles.with_columns(volume=pl.lit(0.0))


def _flags(values: ArrayLike | None, name: str, bars: Bars) -> B1 | None:
    if values is None and name == "exits":
        return None
    flags: Any = np.asarray(values)
    if flags.dtype != np.bool_ and flags.size:
        raise InvalidInput(f"expected {name} as booleans, was {flags.dtype}")
    if flags.shape != bars.time.shape:
        raise InvalidInput(
            f"expected {name} of one value per bar ({bars.time.size}), was of shape {flags.shape}"
        )
    return np.ascontiguousarray(flags, np.bool_)


def check_levels(side: str, **levels: float | None) -> None:
    """Raise `InvalidInput` for a share out of range.

    A loss or a trail of a long, and the gain of a short, cannot be the whole price.
    """
    if side not in ("long", "short"):
        raise InvalidInput(f"expected side as long or short, was {side!r}")
    for name, share in levels.items():
        if share is None:
            continue
        bounded = (name == "target") == (side == "short")
        if not is_number(share) or share <= 0 or (bounded and share >= 1):
            most = " and under 1" if bounded else ""
            raise InvalidInput(
                f"expected {name} of a {side} as a share over 0{most}, was {share!r}"
            )


def timeout_of(timeout: timedelta | str | int | None) -> timedelta | int | None:
    """Return how long to hold at most; raise `InvalidInput` for what is no such time."""
    held: Any = parse_duration(timeout) if isinstance(timeout, str) else timeout
    if held is None or (isinstance(held, timedelta) and held > timedelta(0)):
        return held
    if isinstance(held, int | np.integer) and not isinstance(held, bool) and held > 0:
        return int(held)
    raise InvalidInput(
        f"expected timeout as a positive duration or number of bars, was {timeout!r}"
    )
