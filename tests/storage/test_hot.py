from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import ContractBroken, InvalidInput
from storage import hot, quarantine
from storage.archive import archive
from storage.invariants import check_invariants
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    from datetime import datetime

    from core.receipts import Merge

LATER = NOW + MINUTE
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
VERDICT = {
    **rows_of(DATASETS["verdicts"], 1).row(0, named=True),
    "verdict_id": "v1",
    "dataset": "candles",
    "rows": 3,
}


def merge(store: Store, frame: pl.DataFrame, batch: str = "batch", **options: Any) -> Merge:
    return hot.merge(store, "candles", frame, batch=batch, now=NOW, **options)


def counts(merged: Merge) -> tuple[int, int, int]:
    assert merged.rows == merged.inserted + merged.revised + merged.unchanged
    return merged.inserted, merged.revised, merged.unchanged


def stored(store: Store) -> pl.DataFrame:
    return sql("from candles order by venue, symbol, interval, open_time", store=store)


def revisions(store: Store) -> list[dict[str, Any]]:
    return sql("from revisions order by revised_at, key", store=store).to_dicts()


def test_new_rows_are_inserted_as_they_are(store: Store) -> None:
    frame = pl.concat([candles(3), candles(3, symbol="ETH-USDT")])
    assert counts(merge(store, frame)) == (6, 0, 0)
    assert_frame_equal(stored(store), frame)


def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    merge(store, candles(3))
    assert counts(merge(store, candles(3))) == (0, 0, 3)
    assert_frame_equal(stored(store), candles(3))
    assert revisions(store) == []


def test_equal_values_from_elsewhere_and_later_leave_the_row_as_it_was(store: Store) -> None:
    merge(store, candles(3))
    again = candles(3, source="binance-archive:x.zip", ingested_at=LATER)
    assert counts(merge(store, again, "other")) == (0, 0, 3)
    assert_frame_equal(stored(store), candles(3))


def test_a_newer_differing_row_wins_and_the_old_value_is_kept(store: Store) -> None:
    merge(store, candles(3))
    newer = candles([1], close=7.5, source="second", ingested_at=LATER)
    assert counts(merge(store, newer, "newer")) == (0, 1, 0)
    assert stored(store)["close"].to_list() == [100.0, 7.5, 100.0]
    [revision] = revisions(store)
    assert revision["dataset"] == "candles"
    assert json.loads(revision["key"]) == {
        "venue": "binance",
        "symbol": "BTC-USDT",
        "interval": "1m",
        "open_time": "2026-03-31T22:01:00.000000Z",
    }
    assert json.loads(revision["old"]) == {"close": 100.0}
    assert json.loads(revision["new"]) == {"close": 7.5}
    assert (revision["old_source"], revision["source"]) == ("binance:rest", "second")
    assert (revision["revised_at"], revision["ingested_at"]) == (NOW, LATER)


def test_an_older_differing_row_loses_and_is_kept_as_history(store: Store) -> None:
    merge(store, candles(3))
    older = candles([1], close=7.5, source="slow", ingested_at=NOW - MINUTE)
    assert counts(merge(store, older, "older")) == (0, 0, 1)
    assert_frame_equal(stored(store), candles(3))
    [revision] = revisions(store)
    assert json.loads(revision["old"]) == {"close": 7.5}
    assert json.loads(revision["new"]) == {"close": 100.0}
    assert (revision["old_source"], revision["source"]) == ("slow", "binance:rest")


def test_a_batch_that_lost_is_not_recorded_again_when_it_is_merged_again(store: Store) -> None:
    merge(store, candles(3), "first")
    merge(store, candles(3, close=7.5, ingested_at=LATER), "second")
    merge(store, candles(3), "first")
    merge(store, candles(3, close=7.5, ingested_at=LATER), "second")
    assert len(revisions(store)) == 3
    assert stored(store)["close"].to_list() == [7.5] * 3


def test_a_late_batch_loses_against_values_that_were_confirmed_after_it(store: Store) -> None:
    # In time: 100, then 7.5, then 100 again. The middle one arrives last.
    merge(store, candles(2, ingested_at=NOW), "first")
    merge(store, candles(2, ingested_at=NOW + 2 * MINUTE), "third")
    late = candles(2, close=7.5, ingested_at=NOW + MINUTE)
    assert counts(merge(store, late, "second")) == (0, 0, 2)
    assert_frame_equal(stored(store), candles(2))
    assert [json.loads(row["old"]) for row in revisions(store)] == [{"close": 7.5}] * 2


def test_nulls_and_all_columns_are_compared_and_recorded(store: Store) -> None:
    merge(store, candles(1))
    changed = candles(1, ingested_at=LATER).with_columns(
        taker_buy_volume=pl.lit(2.5), trades=pl.lit(None, pl.Int64), synthetic=pl.lit(value=True)
    )
    assert counts(merge(store, changed, "changed")) == (0, 1, 0)
    [revision] = revisions(store)
    assert json.loads(revision["old"]) == {
        "taker_buy_volume": None,
        "trades": 0,
        "synthetic": False,
    }
    assert json.loads(revision["new"]) == {
        "taker_buy_volume": 2.5,
        "trades": None,
        "synthetic": True,
    }


def test_a_key_that_comes_twice_in_a_batch_is_as_if_it_came_in_two(store: Store) -> None:
    twice = pl.concat(
        [candles(2, close=3, ingested_at=LATER), candles(2), candles([1], ingested_at=LATER)]
    )
    merged = merge(store, twice)
    assert counts(merged)[0] == 2
    assert check_invariants(store) == []
    assert stored(store)["close"][0] == 3.0
    assert {json.loads(row["old"])["close"] for row in revisions(store)} == {100.0, 3.0}


def test_revisions_of_one_key_at_one_moment_stay_apart(store: Store) -> None:
    for n in range(4):
        merge(store, candles(1, close=n, ingested_at=NOW + n * MINUTE), f"batch {n}")
    times = [row["revised_at"] for row in revisions(store)]
    assert times == sorted(set(times))
    assert len(times) == 3
    assert check_invariants(store) == []


@pytest.mark.parametrize("name", DATASETS)
def test_rows_of_every_dataset_can_be_put_and_put_again(store: Store, name: str) -> None:
    frame = rows_of(DATASETS[name], 7)
    assert counts(hot.put(store, name, frame, now=NOW)) == (7, 0, 0)
    assert counts(hot.put(store, name, frame, now=NOW)) == (0, 0, 7)
    read = sql(f"from {name}", store=store)
    assert_frame_equal(read, frame, check_row_order=False)


def test_a_strategy_is_deleted_softly_by_a_newer_row(store: Store) -> None:
    frame = rows_of(DATASETS["strategies"], 1).with_columns(deleted_at=None)
    frame = DATASETS["strategies"].conform(frame)
    hot.put(store, "strategies", frame, now=NOW)
    gone = frame.with_columns(deleted_at="created_at", ingested_at=pl.col("ingested_at") + MINUTE)
    assert counts(hot.put(store, "strategies", gone, now=LATER)) == (0, 1, 0)
    assert_frame_equal(sql("from strategies", store=store), gone)


@pytest.mark.parametrize("column", ["venue", "symbol", "interval", "open_time", "ingested_at"])
def test_a_row_without_a_key_or_time_is_refused(store: Store, column: str) -> None:
    frame = candles(3).with_columns(pl.col(column).shift(1))
    with pytest.raises(ContractBroken, match=column):
        merge(store, frame)
    assert stored(store).is_empty()


@pytest.mark.parametrize(
    "wrong", [{"symbol": "../x"}, {"venue": "Binance"}, {"interval": "7m"}, {"symbol": "BTC/USDT"}]
)
def test_a_name_that_could_not_be_a_folder_is_refused(store: Store, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        merge(store, candles(3, **wrong))
    assert stored(store).is_empty()


def test_a_wrong_frame_changes_nothing(store: Store) -> None:
    with pytest.raises(ContractBroken):
        merge(store, candles(3).drop("volume"))
    with pytest.raises(InvalidInput, match="candels"):
        hot.merge(store, "candels", candles(3), batch="x", now=NOW)
    assert not store.hot_path.exists()


def test_a_batch_of_no_rows_is_merged_and_recorded(store: Store) -> None:
    assert counts(merge(store, CANDLES.empty())) == (0, 0, 0)
    assert sql("select state from batches", store=store).item() == "merged"


def test_a_merge_keeps_the_verdict_once(store: Store) -> None:
    for _ in range(2):
        merge(store, candles(3), verdict_row=VERDICT, quarantined=1)
    verdicts = sql("from verdicts", store=store)
    assert verdicts.to_dicts() == [VERDICT]
    assert sql("from batches", store=store).to_dicts() == [
        {"batch": "batch", "dataset": "candles", "state": "merged", "rows": 3, "settled_at": NOW}
    ]


def test_a_refused_batch_is_recorded_with_its_verdict_and_adds_no_rows(store: Store) -> None:
    hot.refuse(store, "landing/candles/x.parquet", {**VERDICT, "passed": False}, NOW)
    assert stored(store).is_empty()
    assert sql("select batch, state, rows from batches", store=store).rows() == [
        ("landing/candles/x.parquet", "refused", 3)
    ]
    assert sql("select passed from verdicts", store=store).item() is False


def test_a_verdict_that_is_none_changes_nothing(store: Store) -> None:
    with pytest.raises(ContractBroken):
        merge(store, candles(3), verdict_row={"verdict_id": "v1"})
    assert stored(store).is_empty()
    assert sql("from batches", store=store).is_empty()


def test_released_rows_are_counted(store: Store) -> None:
    waiting = candles([0, 1], close=200).with_columns(reasons=pl.lit(["price_jump"]))
    quarantine.write(store, "candles", waiting, "first", NOW)
    accepted = pl.concat([candles([0, 1], close=200), candles([2], ingested_at=LATER)])
    merged = merge(store, accepted)
    assert (merged.inserted, merged.released) == (3, 2)


def test_archived_rows_count_as_unchanged_or_revised(store: Store) -> None:
    hot.merge(store, "candles", candles(180), batch="all", now=NOW)  # 120 bars of March, 60 later
    moved = archive(store, "candles", now=NOW, hot_days=0)
    assert [part.rows for part in moved] == [120, 60]
    assert counts(merge(store, candles(180), "again")) == (0, 0, 180)
    newer = candles([5, 170], close=7.5, ingested_at=LATER)
    assert counts(merge(store, newer, "newer")) == (0, 2, 0)
    older = candles([9], close=8.5, ingested_at=NOW - MINUTE)
    assert counts(merge(store, older, "older")) == (0, 0, 1)
    closes = dict(stored(store).select("trades", "close").iter_rows())
    assert [closes[n] for n in (5, 170, 9)] == [7.5, 7.5, 100.0]
    assert len(revisions(store)) == 3
    assert check_invariants(store) == []


Row = tuple[int, int | None]  # close, trades

batches = st.lists(
    st.dictionaries(
        st.integers(0, 3), st.tuples(st.integers(1, 3), st.none() | st.integers(0, 1)), min_size=1
    ),
    min_size=2,
    max_size=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    home = tmp_path_factory.mktemp("shared")
    return Store(home, str(home / "lake"))


@settings(max_examples=8)
@given(sent=batches, data=st.data(), step=st.sampled_from([MINUTE, timedelta(0)]))
def test_batches_in_any_order_overlapping_and_repeated_end_the_same(
    shared: Store, sent: list[dict[int, Row]], data: st.DataObject, step: timedelta
) -> None:
    order = data.draw(st.permutations(range(len(sent))))
    repeats = data.draw(st.lists(st.sampled_from(order), max_size=1))
    finals = []
    for sequence in (range(len(sent)), [*order, *repeats]):
        symbol = f"S{sql('select count(distinct symbol) from candles', store=shared).item()}-USDT"
        for n in sequence:
            frame = frame_of(sent[n], symbol, NOW + n * step)
            merge(shared, frame, f"{symbol} {n}")
        final = stored(shared).filter(symbol=symbol)
        assert_history_is_complete(final, revisions(shared), sent)
        finals.append(final.drop("symbol", "ingested_at"))
    assert check_invariants(shared) == []
    assert_frame_equal(finals[0], finals[1])
    if step:
        newest = {minute: row for rows in sent for minute, row in rows.items()}
        expected = [newest[minute] for minute in sorted(newest)]
        assert finals[0].select("close", "trades").rows() == expected


def frame_of(rows: dict[int, Row], symbol: str, at: datetime) -> pl.DataFrame:
    minutes = sorted(rows)
    closes, trades = zip(*(rows[minute] for minute in minutes), strict=True)
    frame = candles(minutes, symbol=symbol, close=closes, ingested_at=at)
    return frame.with_columns(trades=pl.Series(trades, dtype=pl.Int64))


def assert_history_is_complete(
    final: pl.DataFrame, revised: list[dict[str, Any]], sent: list[dict[int, Row]]
) -> None:
    """Every value that was ever sent is in the store or in a revision of its key."""
    kept = set(final.select("open_time", "close", "trades").iter_rows())
    for rows in sent:
        for minute, (close, trades) in rows.items():
            [bar] = final.filter(open_time=START + minute * MINUTE).to_dicts()
            if (bar["open_time"], close, trades) in kept:
                continue
            name = {"symbol": bar["symbol"], "open_time": f"{bar['open_time']:{ISO}}"}
            olds = [
                json.loads(revision["old"])
                for revision in revised
                if name.items() <= json.loads(revision["key"]).items()
            ]
            values = {"close": float(close), "trades": trades}
            assert any(old.items() <= values.items() for old in olds)


def test_merging_a_quarter_of_minutes_takes_about_a_second(store: Store) -> None:
    # A bound that only a change of method breaks (rows in a Python loop): five times what it is.
    bars = (
        candles(1)
        .select(pl.all().repeat_by(130_000).explode())
        .with_columns(open_time=pl.lit(NOW) - pl.int_range(130_000, 0, -1) * pl.duration(minutes=1))
    )
    bars = bars.with_columns(pl.col("open_time").cast(CANDLES.columns["open_time"]))
    started = time.monotonic()
    assert merge(store, bars).inserted == 130_000
    assert merge(store, bars, "again").unchanged == 130_000
    assert timedelta(seconds=time.monotonic() - started) < timedelta(seconds=10)
