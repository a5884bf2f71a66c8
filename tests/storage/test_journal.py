from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from storage import hot
from storage.catalog import snapshot
from storage.connections import borrowed
from storage.hot_file import reading
from storage.journal import journal_path, journalled, recover
from storage.lake import sql
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    from storage.store import Store

BLOCK = 262_144


def metadata_blocks(store: Store) -> list[int]:
    with duckdb.connect(store.hot_path, read_only=True) as con:
        return [
            row[0] for row in con.execute("select block_id from pragma_metadata_info()").fetchall()
        ]


def tear(store: Store) -> None:
    """Overwrite half of each block of metadata, as a write that was cut off does."""
    with store.hot_path.open("r+b") as file:
        for number in metadata_blocks(store):
            file.seek(3 * 4_096 + number * BLOCK)
            file.write(b"\x5a" * (BLOCK // 2))


def keep_journal(store: Store) -> bytes:
    """Return the journal of the file as it is."""
    with borrowed() as con:
        con.execute(f"attach '{store.hot_path}' as hot")
        with journalled(store, con):
            kept = journal_path(store).read_bytes()
            con.execute("detach hot")
    return kept


@pytest.fixture
def torn(store: Store) -> Store:
    """Return a store whose last checkpoint was cut off in the middle of a block."""
    hot.put(store, "candles", candles(50), now=NOW)
    kept = keep_journal(store)
    tear(store)
    journal_path(store).write_bytes(kept)
    return store


def test_without_a_journal_a_torn_block_would_be_the_end(torn: Store) -> None:
    journal_path(torn).unlink()
    with pytest.raises(duckdb.Error, match="Corrupt"), reading(torn):
        pass


def test_a_torn_block_is_put_back_before_anyone_reads(torn: Store) -> None:
    assert sql("select count(*) from candles", store=torn).item() == 50
    assert not journal_path(torn).exists()


def test_a_torn_block_is_put_back_before_anyone_writes(torn: Store) -> None:
    hot.put(torn, "candles", candles(60), now=NOW)
    assert sql("select count(*) from candles", store=torn).item() == 60
    assert not journal_path(torn).exists()


def test_no_journal_is_left_by_a_write_that_ended(store: Store) -> None:
    hot.put(store, "candles", candles(50), now=NOW)
    hot.put(store, "candles", candles(90), now=NOW)
    assert not journal_path(store).exists()


def test_a_journal_from_before_a_checkpoint_that_ended_is_not_put_back(store: Store) -> None:
    hot.put(store, "candles", candles(50), now=NOW)
    old = keep_journal(store)
    hot.put(store, "candles", candles(90), now=NOW)
    journal_path(store).write_bytes(old)
    assert recover(store) == 0
    assert not journal_path(store).exists()
    assert sql("select count(*) from candles", store=store).item() == 90


@pytest.mark.parametrize("cut", [0, 1, 20, 5_000, -1])
def test_a_journal_that_was_cut_off_itself_is_not_put_back(store: Store, cut: int) -> None:
    hot.put(store, "candles", candles(50), now=NOW)
    before = snapshot(store)
    journal_path(store).write_bytes(keep_journal(store)[:cut])
    assert recover(store) == 0
    assert snapshot(store) == before


def test_putting_back_twice_is_as_once(torn: Store) -> None:
    kept = journal_path(torn).read_bytes()
    assert recover(torn) >= 1
    journal_path(torn).write_bytes(kept)
    assert recover(torn) == 0
    assert sql("select count(*) from candles", store=torn).item() == 50


def test_a_write_that_failed_leaves_a_journal_that_changes_nothing(store: Store) -> None:
    hot.put(store, "candles", candles(50), now=NOW)
    before = snapshot(store)
    with borrowed() as con:
        con.execute(f"attach '{store.hot_path}' as hot")
        held = journalled(store, con)
        held.__enter__()
        held.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
        con.execute("detach hot")
    assert journal_path(store).exists()
    assert snapshot(store) == before
    assert not journal_path(store).exists()
