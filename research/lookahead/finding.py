"""What a proof found: where a history and a part of it tell a strategy different things."""

from __future__ import annotations

from datetime import datetime

import msgspec

from core.clock import EPOCH, format_utc

TRUNCATED, POISONED, WARM_UP, REFUSED = "truncated", "poisoned", "warm-up", "refused"


class Finding(msgspec.Struct, frozen=True):
    """Why a strategy is refused: the first difference found.

    `kind` says what the other history was: `truncated` ends before bar `cut`, `poisoned` knows
    nothing but NaN from bar `cut` on, `warm-up` starts with bar `cut`. A strategy that cannot be
    run on the market at all is `refused`. `first` counts bars of the timeframe, or trades, from 0.
    """

    kind: str
    cut: int  # a finest bar
    cut_time: datetime  # its open
    what: str  # such as "rsi(14) on 15m", or "trades"
    first: int
    time: datetime  # open of the bar, or of the trade's entry bar
    whole: str  # what the whole history says
    other: str  # what the other one says

    def __str__(self) -> str:
        if self.kind == REFUSED:
            return f"cannot be run: {self.other}"
        return (
            f"{self.what} at {format_utc(self.time)} is {self.whole}, but {self.other} where the "
            f"history {_HOW[self.kind]} {format_utc(self.cut_time)}"
        )


_HOW = {
    TRUNCATED: "ends before",
    POISONED: "is poisoned from",
    WARM_UP: "starts at",
}


def refused(why: str) -> Finding:
    """Return the finding of a strategy that cannot be run."""
    return Finding(REFUSED, 0, EPOCH, "", 0, EPOCH, "", why)
