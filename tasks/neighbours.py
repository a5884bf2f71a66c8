"""What a batch is judged beside: the bars before it, those that wait, and what other venues say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from core.datasets import CANDLES, dataset_named
from core.errors import InvalidInput
from core.market import check_symbol, check_venue, interval_step
from expectations.suites import suite_for
from storage import quarantine
from storage.lake import candles_of_others, read_candles, sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.receipts import Receipt
    from storage.store import Store

# How many bars before a batch the gate looks at: more than its slowest fact needs.
MEMORY = 500
MOMENT = timedelta(microseconds=1)
FIRST_BAR = datetime(2009, 1, 1, tzinfo=UTC)  # no market of ours is older
# Of every other dataset its suite says how long before; so many rows at most.
MOST_REMEMBERED = 100_000


class Series(NamedTuple):
    """A series of a batch, from its first bar to its last."""

    venue: str
    symbol: str
    interval: str
    first: datetime
    last: datetime


class Neighbours(NamedTuple):
    """Rows of the store that facts need, and rows that wait in quarantine."""

    history: pl.DataFrame | None
    held: pl.DataFrame | None = None


class Surroundings:
    """The neighbours of some batches, of which the store tells and the batches before each.

    Args:
        store: where they are stored.
        receipts: all batches that are asked for.
        now: no bar later than this has neighbours.
    """

    def __init__(self, store: Store, receipts: Sequence[Receipt], now: datetime) -> None:
        self._store = store
        self._now = now
        self._receipts = [receipt for receipt in receipts if receipt.dataset == CANDLES.name]
        self._accompanied: dict[tuple[str, str, str], bool] = {}

    def of(self, dataset: str, batch: pl.DataFrame, unmerged: Sequence[pl.DataFrame]) -> Neighbours:
        """Return a batch's neighbours.

        Args:
            dataset: what its rows are.
            batch: its rows.
            unmerged: accepted candles that are not stored yet and count as if they were.
        """
        if dataset != CANDLES.name:
            return Neighbours(_lately(self._store, dataset, batch))
        history: list[pl.DataFrame] = [CANDLES.empty()]
        held: list[pl.DataFrame] = [CANDLES.empty()]
        for series in _series(batch, self._now):
            history += [self._before(series, unmerged), self._others(series, unmerged)]
            held.append(self._waiting(series, unmerged))
        return Neighbours(pl.concat(history), pl.concat(held))

    def _before(self, series: Series, unmerged: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the last bars before a series; where one comes twice, the unmerged is last."""
        start = series.first - MEMORY * interval_step(series.interval)
        fresh = _own(series, _within(unmerged, start, series.first))
        if fresh.height >= MEMORY and fresh["open_time"].n_unique() == MEMORY:
            return fresh  # no bar is left for the store to add
        stored = read_candles(
            self._store,
            venue=series.venue,
            symbols=[series.symbol],
            interval=series.interval,
            start=start,
            end=series.first,
        )
        return pl.concat([stored, fresh])

    def _others(self, series: Series, unmerged: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the bars of other venues of the same market and times."""
        alike = (pl.col("symbol") == series.symbol) & (pl.col("interval") == series.interval)
        fresh = _within(unmerged, series.first, series.last + MOMENT).filter(
            alike & (pl.col("venue") != series.venue)
        )
        if not self._is_accompanied(series):
            return fresh
        return pl.concat([self._stored_others(series, series.first, series.last), fresh])

    def _is_accompanied(self, series: Series) -> bool:
        """Whether any other venue has such bars at the time of any of the batches.

        Most markets come from one venue; one question for all batches is enough to see that.
        """
        name = series[:3]
        if name not in self._accompanied:
            starts = [receipt.start for receipt in self._receipts if receipt.start]
            ends = [receipt.end for receipt in self._receipts if receipt.end]
            start = max(min([*starts, series.first]), FIRST_BAR)
            end = min(max([*ends, series.last]), self._now)
            found = self._stored_others(series, start, end, most=1)
            self._accompanied[name] = not found.is_empty()
        return self._accompanied[name]

    def _stored_others(
        self, series: Series, first: datetime, last: datetime, most: int | None = None
    ) -> pl.DataFrame:
        return candles_of_others(
            self._store,
            venue=series.venue,
            symbol=series.symbol,
            interval=series.interval,
            start=first,
            end=last + MOMENT,
            most=most,
        )

    def _waiting(self, series: Series, unmerged: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """Return the bars that wait, but for those of which one as new is about to be stored."""
        waiting = quarantine.held(self._store, *series[:3])
        if waiting.is_empty():
            return waiting
        since, until = waiting["open_time"][0], waiting["open_time"][-1] + MOMENT
        fresh = _own(series, _within(unmerged, since, until)).select("open_time", "ingested_at")
        released = waiting.join(fresh, on="open_time", suffix="_fresh").filter(
            pl.col("ingested_at_fresh") >= pl.col("ingested_at")
        )
        return waiting.join(released, on="open_time", how="anti", maintain_order="left")


def _within(unmerged: Sequence[pl.DataFrame], start: datetime, end: datetime) -> pl.DataFrame:
    opens = pl.col("open_time").is_between(start, end, closed="left")
    return pl.concat([CANDLES.empty(), *(bars.filter(opens) for bars in unmerged)])


def _own(series: Series, bars: pl.DataFrame) -> pl.DataFrame:
    return bars.filter(venue=series.venue, symbol=series.symbol, interval=series.interval)


def _series(batch: pl.DataFrame, now: datetime) -> Iterator[Series]:
    """Yield the series of a batch, each with its first and last time.

    Names and times that the gate will quarantine have no neighbours.
    """
    opened = pl.col("open_time")
    sound = batch.select("venue", "symbol", "interval", "open_time").filter(
        opened.is_between(FIRST_BAR, now)
    )
    found = sound.group_by("venue", "symbol", "interval").agg(first=opened.min(), last=opened.max())
    for row in found.drop_nulls().sort(pl.all()).iter_rows():
        series = Series(*row)
        try:
            check_venue(series.venue)
            check_symbol(series.symbol)
            interval_step(series.interval)
        except InvalidInput:
            continue
        yield series


def _lately(store: Store, dataset: str, batch: pl.DataFrame) -> pl.DataFrame | None:
    """Return what is stored of the time just before a batch, of all venues and symbols.

    None where the dataset's suite does not look at neighbours.
    """
    declared, suite = dataset_named(dataset), suite_for(dataset)
    remembered = suite.remembers
    times = batch[declared.time_column].drop_nulls()
    if not remembered or times.is_empty():
        return None
    time = declared.time_column
    query = f"""
        select {", ".join(f'"{name}"' for name in remembered)} from {dataset}
        where {time} between $first - $lately and $last
        order by {time} desc limit {MOST_REMEMBERED}
    """  # noqa: S608 - names that core/datasets declares
    ends = {"first": times.min(), "last": times.max(), "lately": suite.lately}
    found = sql(query, ends, store=store).reverse()
    return found.cast({name: declared.schema[name] for name in remembered})
