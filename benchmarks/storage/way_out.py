"""Reading: the view over hot and cold beside raw DuckDB and raw Polars on the same rows."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import polars as pl

from benchmarks.storage.rows import END, NOW, candles, symbol
from benchmarks.storage.way_in import MINUTE, store_in
from storage.archive import archive
from storage.hot_file import writing
from storage.lake import read_candles, sql
from storage.schema import columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.store import Store

YEARS = timedelta(days=730)
RECENT = END - timedelta(days=90)


class Read(NamedTuple):
    """A question: seconds by who answers it."""

    name: str
    rows: int
    ours: float
    duckdb: float
    polars: float


class Shelf:
    """Two years of some symbols in a store, in one raw DuckDB table and in raw Parquet files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.store: Store = store_in(folder)
        self.archived, self.archiving = 0, 0.0
        self._raw, self._parquet = folder / "raw.duckdb", folder / "raw"
        self._parquet.mkdir()
        self.symbols = 0

    def grow(self, rows: int) -> None:
        """Add symbols until there are about `rows` rows."""
        minutes = YEARS // MINUTE
        while self.symbols * minutes < rows - minutes // 2 or not self.symbols:
            self._add(candles(self.symbols, END - YEARS, minutes))
            self.symbols += 1

    def _add(self, rows: pl.DataFrame) -> None:
        with writing(self.store, "filling", now=NOW) as con:
            con.register("made", rows)
            con.execute(f"insert into hot.candles by name select {columns(rows.columns)} from made")  # noqa: S608 - our own columns
            con.unregister("made")
        began = time.process_time()
        done = archive(self.store, "candles", now=NOW)
        self.archiving += time.process_time() - began
        self.archived += sum(part.rows for part in done)
        rows.write_parquet(self._parquet / f"{self.symbols:03d}.parquet", compression="zstd")
        with duckdb.connect(self._raw) as con:
            con.register("made", rows)
            con.execute("create table if not exists candles as from made limit 0")
            con.execute("insert into candles from made")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.symbols * (YEARS // MINUTE)

    def reads(self) -> list[Read]:
        """Ask every question of all three; the answers' sizes must agree."""
        one = symbol(self.symbols // 2)
        recent = "open_time >= $since and symbol = $symbol"
        hourly = (
            "select symbol, time_bucket(interval '1 hour', open_time) as hour, "
            "arg_min(open, open_time) as open, max(high) as high, min(low) as low, "
            "arg_max(close, open_time) as close, sum(volume) as volume from candles "
            "where open_time >= $since group by all"
        )
        scan = "select count(*), avg(close), sum(volume) from candles where symbol = $symbol"
        lazy = pl.scan_parquet(self._parquet / "*.parquet")
        since = pl.col("open_time") >= RECENT
        every = pl.col("open_time").dt.truncate("1h").alias("hour")
        return [
            self._asked(
                "one symbol, 90 days",
                lambda: read_candles(
                    self.store, venue="binance", symbols=[one], start=RECENT, end=END
                ),
                lambda: self._duckdb(
                    f"from candles where {recent} order by open_time", since=RECENT, symbol=one
                ),
                lambda: lazy.filter(since, pl.col("symbol") == one).sort("open_time").collect(),
            ),
            self._asked(
                "one symbol, 2 years, an average",
                lambda: sql(scan, {"symbol": one}, store=self.store),
                lambda: self._duckdb(scan, symbol=one),
                lambda: (
                    lazy.filter(pl.col("symbol") == one)
                    .select(pl.len(), pl.mean("close"), pl.sum("volume"))
                    .collect()
                ),
            ),
            self._asked(
                "every symbol, 90 days, hourly",
                lambda: sql(hourly, {"since": RECENT}, store=self.store),
                lambda: self._duckdb(hourly, since=RECENT),
                lambda: (
                    lazy.filter(since)
                    .group_by("symbol", every)
                    .agg(
                        pl.first("open"),
                        pl.max("high"),
                        pl.min("low"),
                        pl.last("close"),
                        pl.sum("volume"),
                    )
                    .collect()
                ),
            ),
        ]

    def _duckdb(self, query: str, **params: object) -> pl.DataFrame:
        with duckdb.connect(self._raw, read_only=True) as con:
            found: pl.DataFrame = con.sql(query, params=params).pl()
            return found

    @staticmethod
    def _asked(name: str, *answers: Callable[[], pl.DataFrame]) -> Read:
        found = [answer() for answer in answers]
        heights = {frame.height for frame in found}
        if len(heights) != 1:
            raise ValueError(f"expected one answer to {name}, was of {sorted(heights)} rows")
        return Read(name, heights.pop(), *(_best(answer) for answer in answers))


def _best(call: Callable[[], object], enough: float = 1.0) -> float:
    """Return the least seconds of as many calls as fit into `enough`, three at least."""
    took: list[float] = []
    end = time.process_time() + enough
    while len(took) < 3 or time.process_time() < end:
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    return min(took)
