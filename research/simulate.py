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
from core.market import interval_step
from research.bars import Bars, bars_of
from research.costs import Ambiguous, Costs, is_number
from research.reference import pack, run
from research.trades import trades_frame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

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

    Returns:
        One row per trade with the columns of `research.trades.TRADES`, in the order of time.

    Raises:
        InvalidInput: The candles are not one clean series, an array has another length or is
            not boolean, or an argument is out of range.
    """
    bars = bars_of(_with_volume(candles))
    flags = [_flags(x, name, bars) for x, name in ((entries, "entries"), (exits, "exits"))]
    held = _timeout(timeout)
    _check_levels(side, stop=stop, target=target, trail=trail)
    terms = costs.terms(
        step_of(candles, bars),
        stop=stop,
        target=target,
        trail=trail,
        timeout=held,
        ambiguous=ambiguous,
    )
    rules = (*flags, None, None) if side == "long" else (None, None, *flags)
    trades = run(bars, pack(bars.time.size, *rules), terms).trades
    return trades_frame(bars.time, trades)


def step_of(candles: pl.DataFrame, bars: Bars) -> timedelta:
    """Return how long a bar lasts: what `interval` says, else the smallest step there is.

    Fewer than two bars without an `interval` count as bars of a minute; none of them trades.
    """
    if "interval" in candles.columns and candles.height:
        return interval_step(candles["interval"][0])
    if bars.time.size < 2:
        return timedelta(minutes=1)
    return timedelta(microseconds=int(np.diff(bars.time).min()))


def _with_volume(candles: pl.DataFrame) -> pl.DataFrame:
    """Signals are given, so that nothing here reads the volume."""
    if "volume" in candles.columns:
        return candles
    return candles.with_columns(volume=pl.lit(0.0))


def _flags(values: ArrayLike | None, name: str, bars: Bars) -> NDArray[np.bool_] | None:
    if values is None and name == "exits":
        return None
    flags: NDArray[Any] = np.asarray(values)
    if flags.dtype != np.bool_ and flags.size:
        raise InvalidInput(f"expected {name} as booleans, was {flags.dtype}")
    if flags.shape != bars.time.shape:
        raise InvalidInput(
            f"expected {name} of one value per bar ({bars.time.size}), was of shape {flags.shape}"
        )
    return np.ascontiguousarray(flags, np.bool_)


def _check_levels(side: str, **levels: float | None) -> None:
    """A loss or a trail of a long, and the gain of a short, cannot be the whole price."""
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


def _timeout(timeout: timedelta | str | int | None) -> timedelta | int | None:
    held: Any = parse_duration(timeout) if isinstance(timeout, str) else timeout
    if held is None or (isinstance(held, timedelta) and held > timedelta(0)):
        return held
    if isinstance(held, int | np.integer) and not isinstance(held, bool) and held > 0:
        return int(held)
    raise InvalidInput(
        f"expected timeout as a positive duration or number of bars, was {timeout!r}"
    )
