from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import StoreDamaged
from storage import archive as archiving
from storage import catalog, hot
from storage.archive import Archived, archive
from storage.cold import cold_files
from storage.files import file_sha256
from storage.hot_file import reading
from storage.invariants import check_invariants
from storage.lake import sql
from storage.scrub import scrub
from tests.storage.samples import MINUTE, NOW, candles, rows_of

if TYPE_CHECKING:
    from storage.store import Store

IN_APRIL = datetime(2026, 4, 15, tzinfo=UTC)
IN_MAY = datetime(2026, 5, 1, tzinfo=UTC)
FOLDER = "venue=binance/symbol=BTC-USDT/interval=1m/month="


def fill(store: Store, frame: pl.DataFrame | None = None) -> None:
    """Store two hours of March and one of April, if nothing else is given."""
    hot.put(store, "candles", candles(180) if frame is None else frame, now=NOW)


def hot_rows(store: Store, table: str = "candles") -> int:
    with reading(store) as con:
        return con.execute(f"select count(*) from hot.{table}").fetchall()[0][0]


def whole(store: Store) -> pl.DataFrame:
    return sql("from candles order by symbol, open_time", store=store)


def test_only_whole_months_that_are_old_enough_leave_hot(store: Store) -> None:
    fill(store)
    before = IN_MAY + timedelta(days=20) - timedelta(seconds=1)
    assert archive(store, "candles", now=before, hot_days=20) == [Archived(FOLDER + "2026-03", 120)]
    assert hot_rows(store) == 60
    assert archive(store, "candles", now=before, hot_days=20) == []
    after = IN_MAY + timedelta(days=20)
    assert archive(store, "candles", now=after, hot_days=20) == [Archived(FOLDER + "2026-04", 60)]
    assert hot_rows(store) == 0
    assert_frame_equal(whole(store), candles(180))


def test_the_declaration_says_how_long_rows_stay_hot(store: Store) -> None:
    fill(store)
    assert archive(store, "candles", now=IN_MAY + timedelta(days=60)) == [
        Archived(FOLDER + "2026-03", 120)
    ]
    hot.put(store, "strategies", rows_of(DATASETS["strategies"], 3), now=NOW)
    assert archive(store, "strategies", now=NOW + timedelta(days=9_999)) == []


@pytest.mark.parametrize("name", ["trials", "revisions"])
def test_rows_of_other_datasets_leave_hot_and_come_back_equal(store: Store, name: str) -> None:
    frame = rows_of(DATASETS[name], 7)
    hot.put(store, name, frame, now=NOW)
    moved = archive(store, name, now=NOW, hot_days=0)
    assert sum(part.rows for part in moved) == 7
    assert hot_rows(store, name) == 0
    assert_frame_equal(sql(f"from {name}", store=store), frame, check_row_order=False)


def test_a_store_without_rows_has_nothing_to_archive(store: Store) -> None:
    assert archive(store, "candles", now=NOW) == []
    hot.put(store, "candles", CANDLES.empty(), now=NOW)
    assert archive(store, "candles", now=NOW, hot_days=0) == []


def test_anyones_duckdb_reads_the_same_rows_from_the_folders(store: Store) -> None:
    fill(store, pl.concat([candles(180), candles(180, symbol="ETH-USDT")]))
    archive(store, "candles", now=NOW, hot_days=0)
    fill(store, candles([3, 150], close=7, ingested_at=NOW + MINUTE))  # two partitions change
    archive(store, "candles", now=NOW, hot_days=0)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        names = ", ".join(f'"{name}"' for name in CANDLES.columns)
        plain = con.sql(
            f"select {names} from read_parquet('{store.lake}/candles/*/*/*/*/*.parquet') "
            "order by symbol, open_time"
        ).pl()
    assert_frame_equal(plain, whole(store))
    files = pl.scan_parquet(f"{store.lake}/candles/**/*.parquet", hive_partitioning=True)
    assert files.select(pl.len()).collect().item() == 360


def test_cold_files_are_sorted_compressed_and_without_the_folders_columns(store: Store) -> None:
    fill(store, candles(180).reverse())
    archive(store, "candles", now=NOW, hot_days=0)
    for file in cold_files(store, CANDLES):
        assert ".zstd." in file.path
        frame = pl.read_parquet(file.path, hive_partitioning=False)
        assert frame["open_time"].is_sorted()
        assert not {"venue", "symbol", "interval", "month"} & set(frame.columns)


def test_each_files_hash_is_in_the_catalogue(store: Store) -> None:
    fill(store)
    archive(store, "candles", now=NOW, hot_days=0)
    fill(store, candles([3], close=7, ingested_at=NOW + MINUTE))
    archive(store, "candles", now=NOW, hot_days=0)
    listed = sql("from files", store=store).to_dicts()
    assert {row["path"]: row["sha256"] for row in listed} == {
        store.in_lake(file.path): file_sha256(Path(file.path))
        for file in cold_files(store, CANDLES)
    }
    assert {row["rows"] for row in listed} == {120, 60}
    assert scrub(store) == []


def test_a_bar_revised_after_its_month_was_archived_joins_it_there(store: Store) -> None:
    fill(store)
    archive(store, "candles", now=NOW, hot_days=0)
    fill(store, candles([3, 500], close=7, ingested_at=NOW + MINUTE))
    before = whole(store)
    assert archive(store, "candles", now=NOW, hot_days=0) == [
        Archived(FOLDER + "2026-03", 1),
        Archived(FOLDER + "2026-04", 1),
    ]
    assert_frame_equal(whole(store), before)
    assert before.filter(trades=3)["close"].to_list() == [7.0]
    assert (hot_rows(store), before.height) == (0, 181)


STEPS = [
    "_old_partitions",
    "_gather",
    "replace_partition",
    "_holds",
    "_leave_hot",
    "vacuum_unless_read",
]


@pytest.mark.parametrize("step", STEPS)
def test_interrupted_after_any_step_nothing_is_lost_and_a_rerun_completes(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    fill(store)
    archive(store, "candles", now=IN_APRIL, hot_days=0)
    fill(store, candles([3], close=7, ingested_at=NOW + MINUTE))
    before, version = whole(store), catalog.snapshot(store)
    interruptions = interrupt(monkeypatch, step)
    for times in range(100):  # noqa: B007 - read after the loop
        try:
            archive(store, "candles", now=NOW, hot_days=0)
        except KeyboardInterrupt:
            next(interruptions)  # the next run is interrupted one call later
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(archiving, step, originals[step])
                assert_frame_equal(whole(store), before)
            continue
        break
    assert 1 <= times < 100
    monkeypatch.undo()
    assert archive(store, "candles", now=NOW, hot_days=0) == []
    assert hot_rows(store) == 0
    assert_frame_equal(whole(store), before)
    assert catalog.snapshot(store) == version
    assert check_invariants(store) == []
    assert scrub(store) == []
    folders = Path(store.lake, "candles").rglob("*.parquet")
    assert {str(path) for path in folders} == {f.path for f in cold_files(store, CANDLES)}


originals = {step: getattr(archiving, step) for step in STEPS}


def interrupt(monkeypatch: pytest.MonkeyPatch, step: str) -> Any:
    """Make a step raise after its first call of a run; after `next`, its second, and so on."""
    state = {"calls": 0, "at": 1}
    original = originals[step]

    def breaking(*args: Any, **options: Any) -> Any:
        state["calls"] += 1
        result = original(*args, **options)
        if state["calls"] == state["at"]:
            raise KeyboardInterrupt
        return result

    def later() -> Any:
        while True:
            state["calls"], state["at"] = 0, state["at"] + 1
            yield

    monkeypatch.setattr(archiving, step, breaking)
    return later()


def test_rows_that_were_not_read_back_do_not_leave_hot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    real = archiving.replace_partition

    def lossy(*args: Any) -> None:
        *places, rows = args
        real(*places, rows.with_columns(pl.col("close").shift(1)))

    monkeypatch.setattr(archiving, "replace_partition", lossy)
    with pytest.raises(StoreDamaged, match=r"month=2026-03.*read back"):
        archive(store, "candles", now=NOW, hot_days=0)
    assert hot_rows(store) == 180
    assert_frame_equal(whole(store), candles(180))  # hot wins where both have a key
    monkeypatch.undo()
    archive(store, "candles", now=NOW, hot_days=0)
    assert_frame_equal(whole(store), candles(180))


def test_a_file_that_rotted_is_found_and_not_rewritten_into_a_new_one(store: Store) -> None:
    fill(store)
    archive(store, "candles", now=IN_APRIL, hot_days=0)
    [file] = cold_files(store, CANDLES)
    rows = pl.read_parquet(file.path, hive_partitioning=False)
    rows.with_columns(close=pl.col("close") + 1).write_parquet(file.path)  # as a flipped bit would
    assert [damage.path for damage in scrub(store)] == [file.path]
    fill(store, candles([3], close=7, ingested_at=NOW + MINUTE))
    with pytest.raises(StoreDamaged, match="SHA-256"):
        archive(store, "candles", now=NOW, hot_days=0)
    assert hot_rows(store) == 61
    Path(file.path).unlink()
    assert [damage.reason for damage in scrub(store)] == [
        "the lake's log names it, and it is not there"
    ]


def test_the_lake_is_a_delta_table_that_changes_only_when_rows_move(store: Store) -> None:
    fill(store)
    archive(store, "candles", now=NOW, hot_days=0)
    table = DeltaTable(store.lake_table("candles"))
    assert table.metadata().partition_columns == ["venue", "symbol", "interval", "month"]
    version = table.version()
    archive(store, "candles", now=NOW, hot_days=0)  # nothing to do: nothing is written
    assert DeltaTable(store.lake_table("candles")).version() == version
