"""The suite of candles: what makes a bar impossible, and what makes it suspect."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.clock import to_micros
from core.datasets import CANDLES
from core.market import INTERVALS
from expectations.bounds import plausible
from expectations.levels import judge_levels
from expectations.rules import HELD, ROW, Rule, Suite, at_least, between, one_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SERIES = ("venue", "symbol", "interval")
PRICES = ("open", "high", "low", "close")
FIRST_TIME = 1_230_768_000  # 2009-01-01 in seconds, two days before the first Bitcoin block
VOLUME_BARS = 60  # bars before a bar that its volume is compared with
RECENT_BARS = 60  # without history: how long before the batch a row may have waited since
OFF = 0.05 + 1e-12  # from the closes of other venues
STEPS = {name: step // timedelta(microseconds=1) for name, step in INTERVALS.items()}

RULES = (
    *plausible(("high",), ("volume", "quote_volume")),
    one_of("interval", "unknown_interval", list(INTERVALS)),
    *(between(price, "price_not_positive", 0, strictly=True) for price in PRICES),
    Rule(
        "ohlc_inconsistent",
        "ExpectOhlcConsistent",
        {"column_list": list(PRICES)},
        "low ≤ open, close ≤ high",
    ),
    between("high_over_body", "high_implausible", None, 10),
    between("volume", "negative_volume", 0),
    between("quote_volume", "negative_volume", 0),
    between("taker_buy_volume", "negative_volume", 0),
    between("trades", "negative_trades", 0),
    at_least("volume_with_slack", "taker_buy_volume", "taker_exceeds_volume"),
    between("off_grid_us", "off_grid", 0, 0),
    between("days_since_2009", "before_2009", 0),
    between("open_for_s", "in_future", 0),
    between("closed_for_s", "still_forming", 0),
    between("high_over_body", "long_wick", None, 1.2, severity="warning"),
    between("low_over_body", "long_wick", 0.8, severity="warning"),
    between("unconfirmed_jump", "price_jump", 0, 0, beside=True),
    between("distance", "level_shift", 0, 0.2, severity="warning", beside=True),
    between("from_others", "venue_distance", None, OFF, severity="warning", beside=True),
    between("gap_before", "gap_before", 0, 0, severity="warning", beside=True),
    between("volume_z", "volume_spike", None, 30, severity="warning", beside=True),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute what a bar says by itself: its place on the grid and in time."""
    opened = pl.col("open_time").to_physical()
    step = _step(rows)
    open_for = (to_micros(now) - opened.cast(pl.Float64)) / 1e6
    body = [pl.col("open"), pl.col("close")]
    return rows.select(
        ROW,
        high_over_body=_ratio(pl.col("high"), pl.max_horizontal(body)),
        low_over_body=_ratio(pl.col("low"), pl.min_horizontal(body)),
        off_grid_us=opened % step,
        days_since_2009=(opened / 1e6 - FIRST_TIME) / 86_400,
        open_for_s=open_for,
        closed_for_s=pl.when(open_for >= 0).then(open_for - step / 1e6),
        # A sum of decimals may differ from another in its last digits.
        volume_with_slack=pl.when(pl.col("volume") >= 0).then(pl.col("volume") * (1 + 1e-9)),
    )


def _ratio(price: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Divide two prices; null unless both are prices."""
    prices = [price.is_finite(), other.is_finite(), price > 0, other > 0]
    return pl.when(pl.all_horizontal(prices)).then(price / other)


def _step(rows: pl.DataFrame) -> pl.Expr:
    """How many microseconds one bar is; null where the interval is not one of ours."""
    intervals = rows["interval"]
    if len(intervals) and intervals.eq_missing(intervals.first()).all():
        return pl.lit(STEPS.get(intervals[0]), pl.Int64)
    return pl.col("interval").replace_strict(STEPS, default=None, return_dtype=pl.Int64)


def neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compute what needs other bars: jump, gap, how unusual the volume is, distance to venues.

    `history` gives its bars to the sequence except where `rows` bring the same bar anew. Bars of
    series that `rows` are not of are what other venues say.
    """
    key = list(CANDLES.key)
    wanted = [*key, "close", "volume"]
    known = history.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
    past = known.join(rows, on=list(SERIES), how="semi") if _others_too(rows, known) else known
    past = past.select(wanted).unique(key, keep="last", maintain_order=True)
    if not _all_before(past, rows):
        past = past.join(rows, on=key, how="anti")
    beyond, judged = rows.select(ROW).clear(), rows
    if rows[HELD].any():
        beyond = _out_of_reach(rows, past)
        judged = rows.join(beyond, on=ROW, how="anti", maintain_order="left")
    bars = _in_order(pl.concat([past, judged.select(*wanted, ROW, HELD)], how="diagonal"))
    within = _within_series(bars)
    bars = bars.with_columns(*_levels(bars), _gap_before(bars, within), _volume_z(within))
    found = bars.filter(pl.col(ROW).is_not_null()).select(
        ROW, "unconfirmed_jump", "distance", "gap_before", "volume_z"
    )
    waits_on = beyond.with_columns(unconfirmed_jump=pl.lit(1, pl.Int64))
    every = pl.concat([found, waits_on], how="diagonal")
    return every.join(_from_others(rows, known), on=ROW, how="left", maintain_order="left")


def _others_too(rows: pl.DataFrame, known: pl.DataFrame) -> bool:
    """Whether more than one venue speaks."""
    venues = [frame["venue"].unique() for frame in (rows, known)]
    return pl.concat(venues).n_unique() > 1


def _from_others(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return how far a close is from the median of other venues' closes of the same bar."""
    if not _others_too(rows, known):
        return rows.select(ROW, from_others=pl.lit(None, pl.Float64))
    bar = ["symbol", "interval", "open_time"]
    said = pl.concat([frame.select("venue", *bar, "close") for frame in (known, rows)])
    said = said.unique(["venue", *bar], keep="last")
    beside = rows.join(said, on=bar, suffix="_other").filter(
        pl.col("venue") != pl.col("venue_other")
    )
    middle = beside.group_by(ROW).agg(middle=pl.col("close_other").median())
    return (
        rows.select(ROW, "close")
        .join(middle, on=ROW, how="left", maintain_order="left")
        .select(ROW, from_others=(pl.col("close") / pl.col("middle") - 1).abs())
    )


def _in_order(bars: pl.DataFrame) -> pl.DataFrame:
    """Sort by series and time, as most batches are that follow what they have before them."""
    one_series = bars.select(pl.struct(SERIES).rle_id().max()).item() == 0
    if one_series and bars["open_time"].is_sorted():
        return bars
    return bars.sort(CANDLES.key)


def _all_before(past: pl.DataFrame, rows: pl.DataFrame) -> bool:
    """Whether no row can be one that history has; cheaper to see than to look each up."""
    if rows.is_empty():
        return True
    return past.filter(pl.col("open_time") >= rows["open_time"].min()).is_empty()


def _out_of_reach(rows: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Return the waiting rows that wait on, since other bars may lie between them and the batch.

    That are those before the history of their series, or long before the batch where there is no
    history, and those after the batch.
    """
    opened = pl.col("open_time")
    batch = rows.filter(~pl.col(HELD)).group_by(SERIES)
    reach = batch.agg(
        since=opened.min() - pl.duration(microseconds=RECENT_BARS * _step(rows).first()),
        until=opened.max(),
    ).join(past.group_by(SERIES).agg(first=opened.min()), on=list(SERIES), how="left")
    waiting = rows.filter(HELD).join(reach, on=list(SERIES), how="left")
    known = opened.is_between(pl.coalesce("first", "since"), "until").fill_null(value=False)
    return waiting.filter(~known).select(ROW)


def _levels(bars: pl.DataFrame) -> list[pl.Series]:
    """Judge each series by itself; `bars` are sorted by series and time."""
    closes = bars["close"].to_numpy()
    fixed = bars[ROW].is_null().to_numpy()
    waiting = bars[HELD].fill_null(value=False).to_numpy()
    level = np.full(closes.size, np.nan)
    held = np.zeros(closes.size, dtype=np.int64)
    series = bars.select(pl.struct(SERIES).rle_id()).to_series().to_numpy()
    edges = np.flatnonzero(np.diff(series.astype(np.int64), prepend=-1, append=-1))
    for start, end in pairwise(edges):
        part = slice(start, end)
        level[part], held[part] = judge_levels(closes[part], fixed[part], waiting[part])
    with np.errstate(all="ignore"):
        distance = np.abs(closes / level - 1)
    return [
        pl.Series("unconfirmed_jump", held),
        pl.Series("distance", np.where(held == 0, distance, np.nan)).fill_nan(None),
    ]


def _within_series(bars: pl.DataFrame) -> Callable[[pl.Expr], pl.Expr]:
    """Return what keeps a window within its series: nothing, where there is one series only."""
    if bars.select(pl.struct(SERIES).rle_id().max()).item():
        return lambda window: window.over(SERIES)
    return lambda window: window


def _gap_before(bars: pl.DataFrame, within: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Count the bars that are missing before each bar."""
    since = within(pl.col("open_time").to_physical().diff())
    return (since // _step(bars) - 1).alias("gap_before")


def _volume_z(within: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Standardise the volume by the mean and deviation of the bars before."""
    volume = pl.col("volume")
    before = volume.shift(1)
    mean = within(before.rolling_mean(VOLUME_BARS, min_samples=VOLUME_BARS // 2))
    deviation = within(before.rolling_std(VOLUME_BARS, min_samples=VOLUME_BARS // 2))
    z = (volume - mean) / deviation
    return pl.when(z.is_finite()).then(z).alias("volume_z")


SUITE = Suite(
    dataset=CANDLES,
    rules=RULES,
    optional=("quote_volume", "trades", "taker_buy_volume"),
    facts=facts,
    neighbour_facts=neighbour_facts,
    remembers=(*CANDLES.key, "close", "volume"),
)
