"""SQL over everything that is kept: hot and cold as one set of tables, read-only."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from core.clock import require_utc
from core.datasets import CANDLES
from core.errors import NothingStored, QueryRefused, StoreDamaged
from core.market import check_venue, interval_step
from storage import objects
from storage.cold import cold_files
from storage.filling import interpolated, lent
from storage.guard import ONLY_READS, check_statement, lock_down
from storage.hot_file import reading
from storage.schema import literal
from storage.selection import Selection
from storage.store import default_store
from storage.tiers import union
from storage.views import create_views, list_files, tables_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from storage.store import Store


class _FileGone(Exception):
    """A cold file was replaced between listing the lake and reading it."""


def sql(
    query: str,
    params: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    store: Store | None = None,
    max_rows: int | None = None,
    as_of: datetime | None = None,
) -> pl.DataFrame:
    """Run one reading SQL statement over the store.

    Every dataset is a table in which each key comes once, whichever tier holds it, and the newest
    `ingested_at` wins; so are `quarantine`, `coverage`, `gaps`, `batches` and `files`.

    Args:
        query: DuckDB SQL, one statement; `$name` or `?` stand for values.
        params: the values.
        store: which store; default is the one that the settings speak of.
        max_rows: the most rows to return; default is all.
        as_of: answer as the store stood at that moment; default is as it stands.

    Raises:
        InvalidInput: `as_of` has no zone.
        QueryRefused: the SQL is wrong, or does more than read the store.
        StoreBusy: somebody else wrote for longer than the store's `lock_wait`.
    """
    where = store or default_store()
    check_statement(query)
    if as_of is not None:
        as_of = require_utc(as_of)
    return _again_if_gone(lambda: _run(where, query, params, max_rows, as_of))


def read_candles(
    store: Store,
    *,
    venue: str,
    symbols: Sequence[str],
    interval: str = "1m",
    start: datetime,
    end: datetime,
    interpolate: bool = False,
    lenders: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the bars that open in [start, end), sorted by symbol and time.

    Args:
        store: where they are.
        venue: whose bars.
        symbols: of which markets; none stands for all that the venue has.
        interval: how long a bar is.
        start: the first moment.
        end: the first moment after the bars.
        interpolate: whether gaps of one and two bars between stored bars are filled with bars
            that say `synthetic`. Nothing else invents a bar.
        lenders: venues whose bars stand in, in this order, where `venue` lacks one; they keep
            their own venue's name.
    """
    chosen = Selection(venue, symbols, interval, start, end)
    bars = _bars(store, chosen)
    if lenders:
        names = symbols or bars["symbol"].unique().sort().to_list()
        others = [replace(chosen, venue=lender, symbols=names) for lender in lenders if names]
        bars = lent(bars, [_bars(store, other) for other in others])
    return interpolated(bars).sort("symbol", "open_time") if interpolate else bars


def candles_of_others(
    store: Store,
    *,
    venue: str,
    symbol: str,
    interval: str,
    start: datetime,
    end: datetime,
    most: int | None = None,
) -> pl.DataFrame:
    """Return the bars of one market that open in [start, end) on all venues but one.

    Args:
        store: where they are.
        venue: whose bars are left out.
        symbol: the market.
        interval: how long a bar is.
        start: the first moment.
        end: the first moment after the bars.
        most: how many bars to return at most; all where it is None.
    """
    chosen = Selection(None, (symbol,), interval, start, end)
    limit = "" if most is None else f" limit {most}"
    query = f"from {{candles}} where venue <> {literal(check_venue(venue))}{limit}"
    return query_candles(store, chosen, query)


def latest_candles(
    store: Store,
    *,
    venue: str,
    symbols: Sequence[str] | None,
    days: int,
    now: datetime,
    interval: str = "1m",
) -> pl.DataFrame:
    """Return the bars of the last `days` days that are stored, counted from the newest bar.

    Raises:
        NothingStored: there is no bar of these symbols that opened before `now`.
    """
    chosen = Selection(venue, symbols or (), interval, end=now)
    newest = query_candles(store, chosen, "select max(open_time) from {candles}").item()
    if newest is None:
        what = ", ".join(chosen.symbols) or "any symbol"
        raise NothingStored(f"there are no {interval} bars of {what} from {venue} in the store")
    end = newest + interval_step(interval)
    recent = replace(chosen, start=end - timedelta(days=days), end=min(end, now))
    return _bars(store, recent)


def _bars(store: Store, chosen: Selection) -> pl.DataFrame:
    """Return chosen candles, sorted by symbol and time.

    They mostly lie in that order, and to see it costs a twentieth of sorting them again.
    """
    bars = query_candles(store, chosen, "from {candles}")
    symbol, opened = pl.col("symbol"), pl.col("open_time")
    later = (symbol == symbol.shift()) & (opened > opened.shift())
    follows = (later | (symbol > symbol.shift())).slice(1)
    if bars.select(follows.all()).item():
        return bars
    return bars.sort("symbol", "open_time")


def query_candles(store: Store, chosen: Selection, query: str) -> pl.DataFrame:
    """Run a query of ours over chosen candles, `{candles}` in its text: no view, no lock-down."""

    def read() -> pl.DataFrame:
        with reading(store) as con:
            files = chosen.files(cold_files(store, CANDLES))
            with _translating([file.path for file in files]):
                candles = f"({union(con, CANDLES, files, chosen.condition)})"
                return _plain(con.sql(query.format(candles=candles)).pl())

    return _again_if_gone(read)


def _run(
    store: Store,
    query: str,
    params: Mapping[str, Any] | Sequence[Any] | None,
    max_rows: int | None,
    as_of: datetime | None,
) -> pl.DataFrame:
    with reading(store) as con:
        tables = tables_in(query)
        files = list_files(store, tables, history=as_of is not None)
        with _translating(files.paths):
            create_views(con, tables, files, as_of=as_of)
            lock_down(con, files.paths)
            relation = con.sql(query, params=params)
            if max_rows is not None:
                relation = relation.limit(max_rows)
            return _plain(relation.pl())


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return sums of integers as integers: DuckDB makes them wider than any sum of ours."""
    whole = [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Decimal) and dtype.scale == 0 and _fits(frame[name])
    ]
    return frame.with_columns(pl.col(whole).cast(pl.Int64())).rechunk()


def _fits(column: pl.Series) -> bool:
    return bool(column.cast(pl.Int64(), strict=False).null_count() == column.null_count())


@contextmanager
def _translating(files: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except duckdb.PermissionException as error:
        raise QueryRefused(f"{ONLY_READS}; {error}") from None
    except duckdb.Error as error:
        raise _translated(error, files) from error
    except pl.exceptions.PolarsError as error:
        raise QueryRefused(f"a column of the result cannot be returned: {error}") from error


def _translated(error: duckdb.Error, files: Sequence[str]) -> Exception:
    text = str(error)
    named = next((path for path in files if objects.key_of(path) in text), None)
    if named is not None and not objects.exists(named):
        return _FileGone(named)
    if named is not None:
        return StoreDamaged(named, text)
    if type(error) is duckdb.Error:  # DuckDB raises its root class for a broken checksum
        return StoreDamaged("hot.duckdb", text)
    return QueryRefused(text)


def _again_if_gone(read: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Read; once more with a new list of files where the archive replaced one meanwhile."""
    try:
        return read()
    except _FileGone:
        pass
    try:
        return read()
    except _FileGone as error:
        raise StoreDamaged(str(error), "the lake's log names it, and it is not there") from None
