"""Batches that are merged in one transaction end as if each had been merged by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.errors import ContractBroken
from storage import hot
from storage.archive import archive
from storage.hot import Batch
from storage.invariants import check_invariants
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, candles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.receipts import Merge

WHAT = ("candles order by symbol, open_time", "batches order by batch")


class Bars(NamedTuple):
    """Bars of one batch: of which symbol, from which minute on, how many, what, how late."""

    symbol: str
    first: int
    bars: int
    close: int
    late: int

    def frame(self) -> pl.DataFrame:
        minutes = range(self.first, self.first + self.bars)
        return candles(
            minutes, symbol=self.symbol, close=self.close, ingested_at=NOW + self.late * MINUTE
        )


bars = st.builds(
    Bars,
    st.sampled_from(["A-USDT", "B-USDT"]),
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(1, 2),
    st.integers(0, 1),
)


def batches_of(groups: Sequence[Sequence[Bars]], of: str) -> list[Batch]:
    """Return a batch for each group; where one has a bar twice, the later one is dropped."""
    frames = [pl.concat([candles(0), *(part.frame() for part in group)]) for group in groups]
    key = ["symbol", "open_time"]
    return [
        Batch(f"{of} {number}", frame.unique(key, keep="first", maintain_order=True))
        for number, frame in enumerate(frames)
    ]


def apart(store: Store, batches: Sequence[Batch]) -> list[Merge]:
    return [
        merged for batch in batches for merged in hot.merge_all(store, "candles", [batch], now=NOW)
    ]


def new_store(folder: Path, name: str) -> Store:
    return Store(folder / name, str(folder / name / "lake"))


@settings(max_examples=8)
@given(
    stored=st.lists(bars, max_size=2),
    groups=st.lists(st.lists(bars, max_size=2), min_size=2, max_size=4),
)
def test_together_is_as_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, stored: list[Bars], groups: list[list[Bars]]
) -> None:
    folder = tmp_path_factory.mktemp("together")
    stores = [new_store(folder, "apart"), new_store(folder, "together")]
    for store in stores:
        apart(store, batches_of([stored], "before"))
    batches = batches_of(groups, "batch")
    expected = apart(stores[0], batches)
    assert hot.merge_all(stores[1], "candles", batches, now=NOW) == expected
    for what in (*WHAT, "(select * exclude (revised_at) from revisions) order by all"):
        one, other = (sql(f"from {what}", store=store) for store in stores)
        assert_frame_equal(one, other)
    assert check_invariants(stores[1]) == []


def test_new_bars_of_many_batches_are_counted_by_batch(tmp_path: Path) -> None:
    store = new_store(tmp_path, "home")
    batches = [Batch(f"{n}", candles(range(10 * n, 10 * n + n))) for n in range(4)]
    merges = hot.merge_all(store, "candles", batches, now=NOW)
    assert [(merge.batch, merge.inserted) for merge in merges] == [
        ("0", 0),
        ("1", 1),
        ("2", 2),
        ("3", 3),
    ]
    assert sql("from batches order by batch", store=store)["rows"].to_list() == [0, 1, 2, 3]


def test_bars_that_lie_in_cold_are_known(tmp_path: Path) -> None:
    store = new_store(tmp_path, "home")
    hot.merge(store, "candles", candles(60), batch="first", now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    batches = [Batch("a", candles([58, 59])), Batch("b", candles([60, 61]))]
    merges = hot.merge_all(store, "candles", batches, now=NOW)
    assert [(merge.inserted, merge.unchanged) for merge in merges] == [(0, 2), (2, 0)]
    assert check_invariants(store) == []


def test_one_batch_that_does_not_conform_keeps_all_from_being_merged(tmp_path: Path) -> None:
    store = new_store(tmp_path, "home")
    batches = [Batch("good", candles(3)), Batch("bad", candles(3).drop("close"))]
    with pytest.raises(ContractBroken, match="close"):
        hot.merge_all(store, "candles", batches, now=NOW)
    assert sql("from batches", store=store).is_empty()
    assert sql("from candles", store=store).is_empty()
