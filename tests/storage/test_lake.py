from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS, TIME
from core.errors import InvalidInput, NothingStored, QueryRefused, StoreDamaged
from storage import hot, lake
from storage.archive import archive
from storage.cold import cold_files
from storage.invariants import check_invariants
from storage.lake import latest_candles, read_candles, sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    from core.datasets import Dataset

LONG_AFTER = NOW + timedelta(days=400)


def put(store: Store, frame: pl.DataFrame, name: str = "candles") -> None:
    hot.put(store, name, frame, now=NOW)


def freeze(store: Store, name: str = "candles") -> None:
    """Move all that is hot to cold."""
    archive(store, name, now=LONG_AFTER, hot_days=0)


def read(store: Store, symbols: list[str], **options: object) -> pl.DataFrame:
    span = {"start": START, "end": START + timedelta(days=1), **options}
    return read_candles(store, venue="binance", symbols=symbols, **span)


@pytest.mark.parametrize("tiers", ["hot", "cold", "mixed"])
@pytest.mark.parametrize("name", DATASETS)
def test_rows_come_back_with_the_declared_columns_and_types(
    store: Store, name: str, tiers: str
) -> None:
    dataset: Dataset = DATASETS[name]
    frame = rows_of(dataset, 7)
    put(store, frame if tiers != "mixed" else frame.head(4), name)
    if tiers != "hot":
        freeze(store, name)
        assert cold_files(store, dataset)
    if tiers == "mixed":
        put(store, frame.tail(3), name)
    found = sql(f"from {name}", store=store)
    assert found.schema == dataset.schema
    assert_frame_equal(found, frame, check_row_order=False)


@pytest.mark.parametrize("name", DATASETS)
def test_a_store_that_is_not_there_yet_answers_with_empty_tables(store: Store, name: str) -> None:
    assert_frame_equal(sql(f"from {name}", store=store), DATASETS[name].empty())
    assert not store.home.exists()


@pytest.mark.parametrize("name", ["quarantine", "coverage", "gaps", "batches", "files"])
def test_the_other_tables_are_there_from_the_start(store: Store, name: str) -> None:
    assert sql(f"from {name}", store=store).is_empty()


def test_a_query_finds_its_tables_however_it_names_them(store: Store) -> None:
    put(store, candles([0, 2]))
    for query in (
        'select count(*) from "CANDLES"',
        "select count(*) from Candles join gaps using (symbol)",
        "select count(*) from query('from can' || 'dles')",
        "select count(*) from query_table('can' || 'dles')",
    ):
        assert sql(query, store=store).item() == 2
    assert sql("from gaps", store=store)["bars"].to_list() == [1]
    assert sql("select missing from coverage", store=store).item() == 1
    assert "candles" in sql("show tables", store=store)["name"].to_list()


def test_values_are_given_by_name_or_by_place(store: Store) -> None:
    put(store, candles(5))
    by_name = sql("select close from candles where trades = $n", {"n": 3}, store=store)
    by_place = sql("select close from candles where trades = ?", [3], store=store)
    assert by_name.rows() == by_place.rows() == [(100.0,)]


def test_the_number_of_rows_can_be_bounded(store: Store) -> None:
    put(store, candles(50))
    ordered = "select trades from candles order by trades desc"
    assert sql(ordered, store=store, max_rows=3)["trades"].to_list() == [49, 48, 47]
    assert sql("show tables", store=store, max_rows=2).height == 2
    assert sql(ordered, store=store, max_rows=99).height == 50


def test_times_are_utc_in_microseconds_whatever_made_them(store: Store) -> None:
    put(store, candles(1))
    found = sql(
        "select max(open_time) a, date_trunc('day', open_time) b from candles group by b",
        store=store,
    )
    assert found.dtypes == [TIME, TIME]
    assert found.row(0) == (START, START.replace(hour=0))


def test_sums_of_integers_are_integers(store: Store) -> None:
    put(store, candles(4))
    found = sql(
        "select sum(trades) s, count(*) n, sum(close) f, 2::decimal(4,1) d from candles",
        store=store,
    )
    assert found.dtypes == [pl.Int64, pl.Int64, pl.Float64, pl.Decimal(4, 1)]
    assert found.row(0)[:3] == (6, 4, 400.0)


def test_a_column_that_polars_cannot_hold_is_refused_by_name(store: Store) -> None:
    with pytest.raises(QueryRefused, match="interval"):
        sql("select interval 1 day", store=store)


def test_the_default_store_is_asked_where_none_is_given() -> None:
    assert sql("select count(*) from candles").item() == 0


def test_bars_that_came_in_any_order_are_read_in_theirs(store: Store) -> None:
    for symbol in ("ETH-USDT", "BTC-USDT"):
        for minutes in (range(40, 60), range(20), range(20, 40)):
            put(store, candles(minutes, symbol=symbol))
    found = read(store, [])
    assert found.select("symbol", "trades").rows() == [
        (symbol, minute) for symbol in ("BTC-USDT", "ETH-USDT") for minute in range(60)
    ]
    assert read(store, ["ETH-USDT"])["trades"].to_list() == list(range(60))


def test_a_bar_of_an_old_month_that_comes_anew_is_there_once(store: Store) -> None:
    months = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 4)]
    put(store, pl.concat([candles(3, start=month) for month in months]))
    freeze(store)
    newer = {"close": 7.5, "ingested_at": NOW + MINUTE}
    put(store, candles([1], start=months[0], **newer))
    put(store, candles(3, start=datetime(2026, 3, 1, tzinfo=UTC)))  # between what is cold
    put(store, candles(3, start=datetime(2026, 5, 1, tzinfo=UTC)))
    found = read(store, [], start=months[0], end=NOW)
    assert found["open_time"].is_unique().all()
    assert found.height == 15
    assert found.filter(close=7.5)["open_time"].to_list() == [months[0] + MINUTE]
    assert sql("select count(*) from candles", store=store).item() == 15
    assert check_invariants(store) == []


def test_candles_are_read_sorted_and_only_those_asked_for(store: Store) -> None:
    mine = pl.concat([candles(200, symbol="ETH-USDT"), candles(200)])
    others = [
        candles(200, venue="sandbox"),
        candles([0, 5, 10], interval="5m"),
        candles(200, symbol="SOL-USDT"),
    ]
    put(store, pl.concat([mine.reverse(), *others]))
    for _ in ("hot", "cold"):
        found = read(store, ["ETH-USDT", "BTC-USDT"])
        assert_frame_equal(found, mine.sort("symbol", "open_time"))
        assert found.n_chunks() == 1
        freeze(store)


def test_a_span_has_its_start_and_not_its_end(store: Store) -> None:
    put(store, candles(180))
    for _ in ("hot", "cold"):
        times = read(store, ["BTC-USDT"], start=START + MINUTE, end=START + 150 * MINUTE)["trades"]
        assert times.to_list() == [*range(1, 150)]
        freeze(store)


def test_no_symbols_are_all_symbols_of_the_venue(store: Store) -> None:
    put(store, pl.concat([candles(2), candles(2, symbol="A-B"), candles(2, venue="sandbox")]))
    assert read(store, [])["symbol"].to_list() == ["A-B", "A-B", "BTC-USDT", "BTC-USDT"]


def test_a_question_that_means_nothing_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="list of symbols"):
        read(store, "BTC-USDT")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="BTC'"):
        read(store, ["BTC' or true --"])
    with pytest.raises(InvalidInput, match="interval"):
        read(store, ["BTC-USDT"], interval="7m")
    with pytest.raises(InvalidInput, match="zone"):
        read(store, ["BTC-USDT"], start=datetime(2026, 1, 1))


def test_the_latest_candles_count_from_the_newest_bar(store: Store) -> None:
    day = 1440
    put(store, candles([0, 1, day, day + 1, 3 * day]))
    find = {"venue": "binance", "symbols": None, "now": NOW}
    assert latest_candles(store, days=1, **find)["trades"].to_list() == [3 * day]
    assert latest_candles(store, days=2, **find)["trades"].to_list() == [day + 1, 3 * day]
    assert latest_candles(store, days=9, **find).height == 5
    earlier = {**find, "now": START + (day + 1) * MINUTE}
    assert latest_candles(store, days=1, **earlier)["trades"].to_list() == [1, day]
    with pytest.raises(NothingStored, match="ETH-USDT"):
        latest_candles(store, days=9, **{**find, "symbols": ["ETH-USDT"]})


@settings(max_examples=4)
@given(
    closes=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    revised=st.dictionaries(st.sampled_from(range(6)), st.integers(10, 19)),
    cuts=st.lists(st.integers(0, 3), min_size=1, max_size=2),
)
def test_wherever_the_archive_cuts_sql_answers_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    closes: list[int],
    revised: dict[int, int],
    cuts: list[int],
) -> None:
    home = tmp_path_factory.mktemp("store")
    store = Store(home, str(home / "lake"))
    minutes = [0, 60, 119, 120, 180, 44_700]  # March, March, March, April, April, May
    put(store, candles(minutes, close=closes))
    before = whole(store)
    for cut in cuts:
        archive(store, "candles", now=datetime(2026, 3 + cut, 15, tzinfo=UTC), hot_days=0)
        assert_frame_equal(whole(store), before)
    if revised:
        chosen = sorted(revised)
        put(
            store,
            candles(
                [minutes[n] for n in chosen],
                close=[revised[n] for n in chosen],
                ingested_at=NOW + MINUTE,
            ),
        )
    expected = [float(revised.get(n, close)) for n, close in enumerate(closes)]
    for cut in (0, *cuts, 9):
        assert whole(store)["close"].to_list() == expected
        assert check_invariants(store) == []
        archive(store, "candles", now=datetime(2026, 3 + cut, 15, tzinfo=UTC), hot_days=0)
    assert whole(store)["close"].to_list() == expected


def whole(store: Store) -> pl.DataFrame:
    return sql("from candles order by open_time", store=store)


def test_the_newest_row_wins_whichever_tier_holds_it(store: Store) -> None:
    put(store, candles(3))
    freeze(store)
    # What no writer of ours does: an older and an equal row of keys that cold holds.
    with hot.writing(store, "a test", now=NOW) as con:
        rows = pl.concat(
            [
                candles([0], close=1, ingested_at=NOW - MINUTE),
                candles([1], close=2, ingested_at=NOW),
                candles([2], close=3, ingested_at=NOW + MINUTE),
            ]
        )
        con.register("rows", rows)
        con.execute("insert into hot.candles by name select * from rows")
    assert whole(store)["close"].to_list() == [100.0, 2.0, 3.0]


def test_a_cold_file_that_vanishes_under_the_reader_is_looked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, candles(3))
    freeze(store)
    listed = cold_files(store, CANDLES)
    gone = [type(file)(file.path + ".gone", file.partition, file.rows) for file in listed]
    answers = iter([gone, listed])
    monkeypatch.setattr(lake, "cold_files", lambda *_: next(answers))
    assert read(store, ["BTC-USDT"]).height == 3
    answers = iter([gone, gone])
    with pytest.raises(StoreDamaged, match="gone"):
        read(store, ["BTC-USDT"])


def test_a_torn_cold_file_is_named(store: Store) -> None:
    put(store, candles(3))
    freeze(store)
    [file] = cold_files(store, CANDLES)
    Path(file.path).write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreDamaged, match=r"\.parquet"):
        sql("select sum(close) from candles", store=store)


def test_a_torn_hot_file_is_named(store: Store) -> None:
    put(store, candles(3))
    store.hot_path.write_bytes(b"not a database")
    with pytest.raises(StoreDamaged, match=r"hot\.duckdb"):
        sql("from candles", store=store)
    with pytest.raises(StoreDamaged, match=r"hot\.duckdb"):
        put(store, candles(3))


def test_a_quarter_of_six_symbols_is_read_in_about_a_second(store: Store) -> None:
    bars = (
        candles(1)
        .select(pl.all().repeat_by(130_000).explode())
        .with_columns(open_time=(START + pl.int_range(130_000) * pl.duration(minutes=1)).cast(TIME))
    )
    for n in range(6):
        put(store, bars.with_columns(symbol=pl.lit(f"S{n}-USDT")))
    started = time.monotonic()
    found = read(store, [f"S{n}-USDT" for n in range(6)], end=START + timedelta(days=100))
    assert found.height == 780_000
    assert time.monotonic() - started < 5  # about 0.3 s where the machine is free
