"""Whether a table of numbers can be bars: what would make the gate refuse it all is told here.

Single wrong rows pass: the gate quarantines them, each with its reason. A file that is wrong as a
whole (columns exchanged, unit or zone mistaken) is an error that says what it looks like.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.clock import format_duration, to_micros
from core.errors import InvalidInput
from core.market import INTERVALS, interval_step
from sources.files.times import moment
from sources.frames import PRICES

if TYPE_CHECKING:
    from sources.numbers import Refuse

MOST_WRONG = 0.1  # the share at which the gate refuses a batch
LEAST_SHARE = 0.2  # of steps, for an interval that a person names
FEW_STEPS = 5  # below which a person's word is all there is
_MICRO = timedelta(microseconds=1)
_GENESIS = 1_230_768_000_000_000  # 2009-01-01 in µs: no market of a coin is older
TIGHTER = 10.0  # times that bars become tighter where two columns surely were exchanged
FEW_BARS = 10  # below which that may be chance
_PAIRS = 30  # neighbours that make a comparison of opens and closes worth anything
# What a file looks like whose bars are whole once these columns are renamed.
_EXCHANGED = {
    "high and low look exchanged": {"high": "low", "low": "high"},
    "open and high look exchanged": {"open": "high", "high": "open"},
    "high and close look exchanged": {"high": "close", "close": "high"},
    "low and close look exchanged": {"low": "close", "close": "low"},
    "open and low look exchanged": {"open": "low", "low": "open"},
    "the order looks like open, close, high, low":
        {"high": "low", "low": "close", "close": "high"},
    "volume and open look exchanged": {"open": "volume", "volume": "open"},
    "volume and high look exchanged": {"high": "volume", "volume": "high"},
    "volume and low look exchanged": {"low": "volume", "volume": "low"},
    "volume and close look exchanged": {"close": "volume", "volume": "close"},
}  # fmt: skip


def find_interval(times: pl.Series, claimed: str | None, refuse: Refuse) -> tuple[str, str]:
    """Return the interval and a note; `times` are microseconds in any order.

    The most common step decides; one that a person (or the file) names has to be common enough.
    """
    steps = times.unique().sort().diff().drop_nulls()
    counts = steps.value_counts(sort=True)
    if claimed is not None:
        return claimed, _check_claim(claimed, steps, counts, refuse)
    if steps.is_empty():
        raise refuse("expected at least two times to tell the interval; name it with interval=")
    step, count = counts.row(0)
    names = {length // _MICRO: name for name, length in INTERVALS.items()}
    if step not in names:
        raise refuse(
            f"expected bars of {', '.join(INTERVALS)}, was {_length(step)} between most times;"
            " is the unit of the times or the file right?"
        )
    return names[step], f"interval: {names[step]}, {count} of {len(steps)} steps"


def _check_claim(claimed: str, steps: pl.Series, counts: pl.DataFrame, refuse: Refuse) -> str:
    step = interval_step(claimed) // _MICRO
    fitting = int((steps == step).sum())
    if len(steps) >= FEW_STEPS and fitting < LEAST_SHARE * len(steps):
        raise refuse(
            f"expected bars of {claimed}, was {_length(counts.row(0)[0])} between most times"
        )
    return f"interval: {claimed}, as named, {fitting} of {len(steps)} steps"


def check_times(times: pl.Series, interval: str, now: datetime, refuse: Refuse) -> None:
    """Refuse times that are mostly off the interval's grid, before 2009, or in the future."""
    step = interval_step(interval) // _MICRO
    _few(
        times % step != 0,
        times,
        f"expected times on the grid of {interval}",
        "are they closing times, or no bars?",
        refuse,
    )
    _few(times < _GENESIS, times, "expected times after 2009", "is their unit right?", refuse)
    _few(
        times > to_micros(now),
        times,
        "expected times of the past",
        "is their zone or unit right?",
        refuse,
    )


def _few(wrong: pl.Series, times: pl.Series, expected: str, hint: str, refuse: Refuse) -> None:
    count = int(wrong.sum())
    if count > MOST_WRONG * len(wrong):
        row = wrong.arg_max() or 0
        was = moment(times[row]).isoformat()
        raise refuse(
            f"{expected}, was {was} in row {row + 1} and {count} rows of {len(wrong)}; {hint}"
        )


def check_prices(frame: pl.DataFrame, refuse: Refuse) -> None:
    """Refuse prices that mostly cannot be open, high, low and close.

    `frame` holds the four and `volume`. Volumes named as lows (or highs) still make whole bars
    where they are small (or large) enough; they are told by how much tighter the bars become
    when the columns are exchanged.
    """
    usable = frame.filter(pl.all_horizontal(pl.col(PRICES).is_finite() & (pl.col(PRICES) > 0)))
    useless = frame.height - usable.height
    if useless > MOST_WRONG * frame.height:
        raise refuse(
            f"expected prices over 0, was not in {useless} of {frame.height} rows;"
            " is it a file of bars?"
        )
    broken, width = _shape(usable)
    hint, tightest = _likely(usable)
    if broken > MOST_WRONG * frame.height:
        raise refuse(
            f"expected highs above and lows below open and close, was not in {broken} of"
            f" {frame.height} rows; {hint}; name the columns with columns="
        )
    if usable.height >= FEW_BARS and tightest * TIGHTER < width:
        raise refuse(f"expected prices beside each other, was not; {hint}; name them with columns=")


def _likely(frame: pl.DataFrame) -> tuple[str, float]:
    """Return which exchange of columns makes the tightest whole bars, and how wide they are."""
    best = ("no exchange of two columns mends it", float("inf"))
    for hint, names in _EXCHANGED.items():
        renamed = frame.select(pl.col(names.get(c, c)).alias(c) for c in frame.columns)
        broken, width = _shape(renamed)
        if broken <= 0.01 * frame.height and width < best[1]:
            best = (hint, width)
    return best


def _shape(frame: pl.DataFrame) -> tuple[int, float]:
    """Return how many bars are broken, and the median of high over low, less one."""
    high, low = pl.col("high"), pl.col("low")
    broken = (high < pl.max_horizontal("open", "close")) | (
        low > pl.min_horizontal("open", "close")
    )
    rows, width = frame.select(
        broken.sum().alias("broken"), (high / low - 1).median().alias("width")
    ).row(0)
    return int(rows), float("inf") if width is None else float(width)


def check_volumes(frame: pl.DataFrame, refuse: Refuse) -> None:
    """Refuse volumes in base and quote that fit the prices only when exchanged."""
    if "quote_volume" not in frame.columns:
        return
    traded = frame.filter((pl.col("volume") > 0) & (pl.col("quote_volume") > 0))
    price = (pl.col("low") * 0.99, pl.col("high") * 1.01)  # both volumes are rounded
    fits, exchanged = traded.select(
        (pl.col("quote_volume") / pl.col("volume")).is_between(*price).mean().alias("fits"),
        (pl.col("volume") / pl.col("quote_volume")).is_between(*price).mean().alias("exchanged"),
    ).row(0)
    if fits is not None and fits < 0.5 < exchanged:
        raise refuse(
            "expected quote_volume over volume to be a price, was so with the two exchanged;"
            " name the columns with columns="
        )


def check_neighbours(frame: pl.DataFrame, interval: str, refuse: Refuse) -> None:
    """Refuse opens and closes that fit their neighbours far better when exchanged.

    In a market that does not pause, a bar opens about where the bar before closed.
    """
    step = interval_step(interval) // _MICRO
    pairs = frame.unique("open_time", keep="first", maintain_order=True).select(
        (pl.col("open") / pl.col("close").shift(1) - 1).abs().alias("as_named"),
        (pl.col("close") / pl.col("open").shift(1) - 1).abs().alias("exchanged"),
        pl.col("open_time").diff().eq(step).alias("next"),
    )
    pairs = pairs.filter("next")
    named, exchanged = pairs["as_named"].median(), pairs["exchanged"].median()
    if pairs.height < _PAIRS or not isinstance(named, float) or not isinstance(exchanged, float):
        return
    if exchanged * 2 < named:
        raise refuse(
            "expected bars to open about where the bar before closed, was so with open and close"
            " exchanged; name the columns with columns="
        )


def check_series(
    frame: pl.DataFrame, places: dict[str, int], wanted: dict[str, str], refuse: Refuse
) -> str | None:
    """Refuse a file whose own columns say it is another series; return the interval it names."""
    for field, expected in wanted.items():
        if field not in places:
            continue
        values = frame.to_series(places[field]).cast(pl.String).unique().to_list()
        if len(values) != 1 or _same(values[0]) != _same(expected):
            shown = ", ".join(repr(value) for value in values[:5])
            raise refuse(f"expected one series, of {field} {expected}, was {shown}")
    if "interval" not in places:
        return None
    named = frame.to_series(places["interval"]).cast(pl.String).unique().to_list()
    if len(named) != 1 or named[0] not in INTERVALS:
        raise refuse(f"expected one interval, was {', '.join(map(repr, named[:5]))}")
    return str(named[0])


def _same(name: str | None) -> str:
    return "".join(c for c in (name or "").split(":")[0].lower() if c.isalnum())


def _length(micros: int) -> str:
    try:
        return format_duration(timedelta(microseconds=micros))
    except InvalidInput:
        return f"{micros / 1e6:g} s"
