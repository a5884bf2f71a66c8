"""The store as it stood: every answer is compared with one that was really given then."""

from __future__ import annotations

import math
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS, Dataset, dataset_named
from core.errors import InvalidInput
from storage import hot, quarantine
from storage.archive import archive
from storage.asof import History
from storage.hot_file import opened, reading, writing
from storage.lake import sql
from storage.merging import merge_rows
from storage.schema import columns
from storage.store import Store
from storage.tiers import union
from tests.storage.samples import MINUTE, NOW, START, candles, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

BEFORE = NOW - timedelta(days=1)


def at(step: int) -> datetime:
    return NOW + step * timedelta(hours=1)


def stood(store: Store, name: str, when: datetime) -> pl.DataFrame:
    dataset = dataset_named(name)
    return sql(f"from {name}", store=store, as_of=when).sort(dataset.key, nulls_last=True)


def stands(store: Store, name: str) -> pl.DataFrame:
    dataset = dataset_named(name)
    return sql(f"from {name}", store=store).sort(dataset.key, nulls_last=True)


def put(store: Store, rows: pl.DataFrame, step: int, name: str = "candles") -> None:
    hot.merge(store, name, rows, batch=f"step {step}", now=at(step))


def test_a_row_that_came_later_is_not_there_yet(store: Store) -> None:
    put(store, candles(3, ingested_at=at(0)), 0)
    put(store, candles([3, 4], ingested_at=at(1)), 1)
    assert stood(store, "candles", BEFORE).is_empty()
    assert stood(store, "candles", at(0)).height == 3
    assert stood(store, "candles", at(1) - MINUTE).height == 3
    assert stood(store, "candles", at(1)).height == 5


def test_a_revised_row_has_the_values_of_its_time_and_their_source(store: Store) -> None:
    for step, close in enumerate([100.0, 101.5, 99.25]):
        rows = candles(2, close=[close, 7.0], source=f"s{step}", ingested_at=at(step))
        put(store, rows, step)
    for step, close in enumerate([100.0, 101.5, 99.25]):
        row = stood(store, "candles", at(step)).row(0, named=True)
        assert (row["close"], row["source"], row["ingested_at"]) == (close, f"s{step}", at(step))


def test_what_waited_in_landing_came_when_it_was_merged(store: Store) -> None:
    put(store, candles(2, ingested_at=at(0)), 3)
    assert stood(store, "candles", at(2)).is_empty()
    assert stood(store, "candles", at(3)).height == 2


def test_a_bar_that_was_released_came_when_it_was_released(store: Store) -> None:
    fetched = candles(9, ingested_at=at(0))
    put(store, fetched.filter(pl.col("trades") != 4), 1)
    put(store, fetched.filter(pl.col("trades") == 4), 5)
    assert stood(store, "candles", at(0)).is_empty()
    assert stood(store, "candles", at(4))["trades"].to_list() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert stood(store, "candles", at(5)).height == 9


def test_a_value_that_came_too_late_never_stood(store: Store) -> None:
    put(store, candles(1, close=2.0, ingested_at=at(5)), 5)
    put(store, candles(1, close=1.0, ingested_at=at(0)), 6)
    assert sql("select replaced from revisions", store=store).item() is False
    for step in (5, 6, 7):
        assert stood(store, "candles", at(step))["close"].to_list() == [2.0]
    assert stood(store, "candles", at(4)).is_empty()


def test_only_what_changed_goes_back_however_often(store: Store) -> None:
    first = candles(1, ingested_at=at(0))
    changes = [
        {},
        {"close": 5.0},
        {"volume": 9.0, "quote_volume": None},
        {"close": 6.0, "trades": None},
    ]
    for step, change in enumerate(changes):
        first = first.with_columns(**{k: pl.lit(v) for k, v in change.items()})
        put(store, CANDLES.conform(first.with_columns(ingested_at=pl.lit(at(step)))), step)
    seen = [stood(store, "candles", at(step)).row(0, named=True) for step in range(4)]
    assert [row["close"] for row in seen] == [100.0, 5.0, 5.0, 6.0]
    assert [row["quote_volume"] for row in seen] == [500.0, 500.0, None, None]
    assert [row["trades"] for row in seen] == [0, 0, 0, None]


def test_the_archive_changes_nothing_of_it_wherever_the_lake_is(any_store: Store) -> None:
    put(any_store, candles(180, ingested_at=at(0)), 1)
    put(any_store, candles([5, 200], close=3.0, ingested_at=at(2)), 2)
    archive(any_store, "candles", now=at(3), hot_days=0)
    archive(any_store, "revisions", now=at(3) + timedelta(days=60), hot_days=0)
    put(any_store, candles([6], close=4.0, ingested_at=at(4)), 4)
    assert [stood(any_store, "candles", at(step)).height for step in range(3)] == [0, 180, 181]
    closes = [stood(any_store, "candles", at(n))["close"].to_list()[5:7] for n in (1, 3, 4)]
    assert closes == [[100.0, 100.0], [3.0, 100.0], [3.0, 4.0]]


def test_the_tables_made_of_others_go_back_with_them(store: Store) -> None:
    put(store, candles([0, 1, 3], ingested_at=at(0)), 0)
    held = candles([2], ingested_at=at(0)).with_columns(reasons=pl.lit(["price_jump"]))
    quarantine.write(store, "candles", held, "step 0", at(1))
    put(store, candles([2], ingested_at=at(2)), 2)

    def counts(step: int) -> list[int]:
        tables = ("gaps", "quarantine", "batches")
        return [sql(f"from {t}", store=store, as_of=at(step)).height for t in tables]

    assert [counts(step) for step in range(3)] == [[1, 0, 1], [1, 1, 1], [0, 1, 2]]
    covered = "select missing from coverage"
    assert sql(covered, store=store, as_of=at(1)).item() == 1
    assert sql(covered, store=store).item() == 0


def test_revisions_go_back_too(store: Store) -> None:
    for step in range(3):
        put(store, candles(1, close=float(step), ingested_at=at(step)), step)
    assert [stood(store, "revisions", at(step)).height for step in range(3)] == [0, 1, 2]


def test_history_is_no_table_of_a_persons(store: Store) -> None:
    put(store, candles(1, close=1.0, ingested_at=at(0)), 0)
    put(store, candles(1, close=2.0, ingested_at=at(1)), 1)
    now = sql("show tables", store=store)
    assert_frame_equal(sql("show tables", store=store, as_of=at(0)), now)


def test_a_store_that_is_not_there_stood_empty(store: Store) -> None:
    assert stood(store, "candles", NOW).is_empty()
    assert not store.home.exists()


def test_a_moment_needs_a_zone(store: Store) -> None:
    with pytest.raises(InvalidInput, match="zone"):
        sql("from candles", store=store, as_of=datetime(2026, 6, 1))


def test_a_store_from_before_history_was_kept_answers_as_far_as_it_knows(store: Store) -> None:
    put(store, candles(2, ingested_at=at(0)), 0)
    put(store, candles(2, close=5.0, ingested_at=at(1)), 1)
    with opened(store, now=NOW) as con:
        con.execute("drop table hot.arrivals")
        con.execute("alter table hot.revisions drop column replaced")
        con.execute("alter table hot.revisions drop column old_ingested_at")
        con.execute("alter table hot.revisions drop column stored_at")
        con.execute("delete from hot.schema_migrations where version > 3")
    assert stood(store, "candles", at(0))["close"].to_list() == [100.0, 100.0]
    put(store, candles([7], ingested_at=at(2)), 2)
    assert stood(store, "candles", at(0))["close"].to_list() == [100.0, 100.0]
    assert stood(store, "candles", at(1))["close"].to_list() == [5.0, 5.0]
    assert stood(store, "candles", at(2)).height == 3


ODD = [0.1 + 0.2, -0.0, 5e-324, 1.7e308, math.inf, -math.inf, math.nan, 123456789012345680.0]


def test_numbers_come_back_bit_for_bit(store: Store) -> None:
    dataset = dataset_named("trials")
    lists = pl.Series([[value, 1.0] for value in ODD])
    first = rows_of(dataset, len(ODD)).with_columns(score=pl.Series(ODD), daily_returns=lists)
    put(store, first, 0, "trials")
    later = first.with_columns(
        score=pl.lit(1.5), daily_returns=pl.lit([2.5]), ingested_at=pl.lit(at(1))
    )
    put(store, dataset.conform(later), 1, "trials")
    back = stood(store, "trials", at(0)).sort("scored_at")
    assert [value.hex() for value in back["score"]] == [value.hex() for value in ODD]
    assert [value[0].hex() for value in back["daily_returns"]] == [value.hex() for value in ODD]


def changed(dataset: Dataset, rows: pl.DataFrame, when: datetime) -> pl.DataFrame:
    """Return the rows with other values in each column that is neither key nor provenance."""
    other = rows_of(dataset, rows.height + 1).slice(1)
    kept = dict.fromkeys([*dataset.key, dataset.time_column, "source"])
    return other.with_columns(*(rows[name] for name in kept), ingested_at=pl.lit(when)).select(
        rows.columns
    )


def put_all(store: Store, frames: dict[str, pl.DataFrame], step: int) -> None:
    with writing(store, "merging all", now=at(step)) as con:
        for name, rows in frames.items():
            merge_rows(con, store, DATASETS[name], rows, now=at(step), again=False)


def look_at_all(store: Store, when: datetime | None = None) -> dict[str, pl.DataFrame]:
    """Return every dataset's rows, as they are or as they were."""
    with reading(store) as con:
        history = None if when is None else History(con, when, [])
        queries = {
            name: union(con, dataset, []) if history is None else history.rows(dataset, [])
            for name, dataset in DATASETS.items()
        }
        found = {
            name: con.sql(f"from ({query}) order by {columns(DATASETS[name].key)}").pl()
            for name, query in queries.items()
        }
        if history is not None:
            history.close()
        return found


def test_every_dataset_goes_back_exactly(store: Store) -> None:
    frames = {name: rows_of(dataset, 3, ingested_at=at(0)) for name, dataset in DATASETS.items()}
    put_all(store, frames, 0)
    first = look_at_all(store)
    for name, dataset in DATASETS.items():
        rows = rows_of(dataset, 4, ingested_at=at(1))
        frames[name] = pl.concat([changed(dataset, rows.head(2), at(1)), rows.tail(2)])
    put_all(store, frames, 1)
    back, now = look_at_all(store, at(0)), look_at_all(store)
    del first["revisions"]  # which say themselves when they were written
    for name, frame in first.items():
        assert_frame_equal(back[name], frame)
        assert now[name].height == 4


class Step(NamedTuple):
    """Something that happens to a store: rows come, or all that is old is archived."""

    rows: list[tuple[int, int, int]]  # which key, which value, how long ago it was fetched
    freeze: bool


steps = st.lists(
    st.builds(
        Step,
        st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 3)),
            min_size=1,
            max_size=8,
        ),
        st.integers(0, 5).map(lambda n: n == 0),
    ),
    min_size=2,
    max_size=5,
)


def rows_at(dataset: Dataset, step: int, rows: Sequence[tuple[int, int, int]]) -> pl.DataFrame:
    """Return rows whose key is a number, and whose one value is another."""
    base = rows_of(dataset, 7)
    if dataset is CANDLES:
        base = base.with_columns(symbol=pl.lit("BTC-USDT"))
    value = "close" if dataset is CANDLES else "verdict"
    parts = [
        base.slice(key, 1).with_columns(
            pl.lit(number).cast(base.schema[value]).alias(value),
            pl.lit(at(step - age)).alias("ingested_at"),
            source=pl.lit(f"{number} {age}"),
        )
        for key, number, age in rows
    ]
    return dataset.conform(
        pl.concat(parts).unique([*dataset.key, "ingested_at"], keep="last", maintain_order=True)
    )


@pytest.mark.parametrize("name", ["candles", "trials"])
@settings(max_examples=5, phases=[Phase.generate])
@given(happened=steps)
def test_it_stood_as_a_look_at_that_time_saw_it(name: str, happened: list[Step]) -> None:
    dataset = dataset_named(name)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), f"{folder}/lake")
        shots: list[Any] = []
        for step, (rows, freeze) in enumerate(happened):
            put(store, rows_at(dataset, step, rows), step, name)
            if freeze:
                archive(store, name, now=NOW + timedelta(days=400), hot_days=0)
            shots.append(stands(store, name))
        for step, shot in enumerate(shots):
            assert_frame_equal(stood(store, name, at(step)), shot)


def test_a_run_of_bars_is_one_line_and_a_hole_parts_it(store: Store) -> None:
    put(store, candles([*range(100), *range(105, 200)], ingested_at=at(0)), 1)
    put(store, candles([102], ingested_at=at(0)), 2)
    with reading(store) as con:
        lines = con.execute("select first, last, key from hot.arrivals order by all").fetchall()
    expected = [(0, 99), (102, 102), (105, 199)]
    assert lines == [(START + a * MINUTE, START + b * MINUTE, None) for a, b in expected]
