"""Each breach of what must always hold is found, and a sound store has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from deltalake import write_deltalake

from core.datasets import CANDLES, DATASETS
from storage import hot, landing, quarantine
from storage.archive import archive
from storage.cold import cold_files
from storage.hot_file import opened
from storage.invariants import check_batches, check_invariants
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store


def fill(store: Store, *others: str) -> None:
    """Store bars in both tiers, and rows of other datasets."""
    for name in others:
        hot.put(store, name, rows_of(DATASETS[name], 4), now=NOW)
    hot.put(store, "candles", candles(150), now=NOW)
    archive(store, "candles", now=NOW.replace(month=5), hot_days=15)


def change(store: Store, statement: str) -> None:
    with opened(store, now=NOW) as con:
        con.execute(statement)


def test_an_empty_and_a_full_store_are_sound(store: Store) -> None:
    assert check_invariants(store) == check_batches(store) == []
    fill(store, "nights", "trials", "revisions")
    assert check_invariants(store) == check_batches(store) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("insert into hot.candles from (from hot.candles limit 1)", "candles: hot has .* 2 times"),
        ("insert into hot.nights from hot.nights", "nights: hot has .* 2 times"),
        ("update hot.candles set open_time = null where trades = 130", '"open_time" is null in 1'),
        ("update hot.candles set close = 'inf'::double", "not isfinite.*close.* in 30 rows"),
        ("update hot.candles set symbol = '../../x'", "in hot symbol: expected"),
        ("alter table hot.candles alter trades type double", "trades is DOUBLE, expected BIGINT"),
        (
            "insert into hot.batches select 'b', 'candles', 'merged', 1, now() from range(2)",
            "b is settled 2 times",
        ),
    ],
)
def test_a_breach_in_hot_is_named(store: Store, statement: str, said: str) -> None:
    fill(store, "nights")
    change(store, statement)
    [breach, *_] = check_invariants(store)
    assert pl.Series([breach]).str.contains(said).item(), breach


def test_a_key_that_cold_holds_twice_is_named(store: Store) -> None:
    fill(store)
    again = candles(2).with_columns(month=pl.lit("2026-03"))
    write_deltalake(store.lake_table("candles"), again, mode="append")
    breaches = check_invariants(store)
    assert [breach.split(" has ")[0] for breach in breaches] == [
        *["candles: cold"] * 2,
        *["candles: the view"] * 2,
    ]


def test_rows_in_a_folder_of_another_month_are_named(store: Store) -> None:
    fill(store)
    stray = candles(2, start=START + 60 * 24 * 40 * MINUTE).with_columns(month=pl.lit("2026-03"))
    write_deltalake(store.lake_table("candles"), stray, mode="append")
    assert [b for b in check_invariants(store) if "rows of 2026-05 to 2026-05" in b]


def test_a_file_of_the_lake_that_is_gone_or_short_is_named(store: Store) -> None:
    fill(store)
    [file] = cold_files(store, CANDLES)
    path = store.home.parent / file.path
    pl.read_parquet(path, hive_partitioning=False).head(7).write_parquet(path)
    assert check_invariants(store) == [f"candles: {path} has 7 rows, expected 120"]
    path.unlink()
    assert check_invariants(store) == [f"candles: the lake's log names {path}, not there"]


def batch(store: Store) -> str:
    return landing.land(store, "candles", candles(10), source="test", now=NOW).path


def test_every_row_of_a_merged_batch_is_stored_or_held(store: Store, tmp_path: Path) -> None:
    name = batch(store)
    assert check_batches(store) == []  # not merged yet: nothing is owed
    held = candles(10).tail(2).with_columns(reasons=pl.lit(["jump"]))
    quarantine.write(store, "candles", held, name, NOW)
    hot.merge(store, "candles", candles(8), batch=name, now=NOW)
    assert check_batches(store) == []
    change(store, "delete from hot.candles where trades in (2, 3)")
    [lost] = check_batches(store)
    assert lost == f"2 rows of {name} are neither stored nor quarantined"


def test_a_row_that_came_again_equal_or_was_beaten_by_a_newer_one_is_not_lost(
    store: Store,
) -> None:
    early, late = NOW - MINUTE, NOW + MINUTE
    hot.put(store, "candles", candles(5, ingested_at=early), now=NOW)
    hot.merge(store, "candles", candles(10), batch=batch(store), now=NOW)
    newer = candles([7, 8], close=5.0, ingested_at=late)
    hot.put(store, "candles", newer, now=late)
    assert check_batches(store) == []
