"""Whatever breaks is named, mended from the other tiers, and shown to be by counts and hashes."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.datasets import CANDLES, DATASETS
from core.errors import StoreDamaged
from storage import hot, landing, objects, quarantine
from storage.archive import archive
from storage.care import examine_home
from storage.care.doctor import Checkup, doctor
from storage.cold import cold_files
from storage.files import file_sha256
from storage.hot_file import opened
from storage.invariants import check_invariants
from storage.lake import sql
from storage.scrub import scrub
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, candles, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

MARCH, APRIL = range(120), range(120, 240)


def collect(store: Store, minutes: range, *, keep_landing: bool = True) -> str:
    """Land and merge a batch, as a collection does; return its name."""
    frame = candles(minutes)
    receipt = landing.land(store, "candles", frame, source="test", now=NOW)
    hot.merge(store, "candles", frame, batch=receipt.path, now=NOW)
    if not keep_landing:
        (store.home / receipt.path).unlink()
    return receipt.path


def fill(store: Store, *, keep_landing: bool = True) -> pl.DataFrame:
    """Make a store with bars in both tiers and rows of a night; return its bars."""
    collect(store, MARCH, keep_landing=keep_landing)
    collect(store, APRIL, keep_landing=keep_landing)
    hot.put(store, "nights", rows_of(DATASETS["nights"], 3), now=NOW)
    archive(store, "candles", now=NOW.replace(month=5), hot_days=15)  # March
    return bars(store)


def bars(store: Store) -> pl.DataFrame:
    return sql("from candles order by open_time", store=store)


def judge_pending(store: Store) -> int:
    """Merge what is pending, as the next collection does."""
    receipts = landing.pending(store)
    for receipt in receipts:
        rows = landing.read_batch(store, receipt)
        hot.merge(store, "candles", rows, batch=receipt.path, now=NOW)
    return len(receipts)


def check_sound(store: Store, whole: pl.DataFrame) -> None:
    assert_frame_equal(bars(store), whole)
    assert check_invariants(store) == scrub(store) == []
    again = doctor(store, now=NOW)
    assert again.findings == ()
    assert {count.table: count.rows for count in again.after}["candles"] == whole.height


def only(checkup: Checkup) -> str:
    [finding] = checkup.findings
    assert finding.mended, finding
    return f"{finding.place}: {finding.problem} -> {finding.how}"


def overwrite(path: Path, change: Callable[[bytearray], bytes | bytearray]) -> None:
    path.write_bytes(change(bytearray(path.read_bytes())))


def half(data: bytearray) -> bytearray:
    return data[: len(data) // 2]


def test_a_sound_store_has_nothing_wrong_and_is_counted(any_store: Store) -> None:
    whole = fill(any_store)
    found = doctor(any_store, now=NOW)
    assert (found.findings, found.sound, found.pending) == ((), True, 0)
    assert found.before == found.after
    by_table = {count.table: count for count in found.after}
    told = by_table["candles"]
    assert (told.hot, told.cold, told.rows) == (120, 120, whole.height)
    assert by_table["nights"].rows == 3


def test_a_store_that_is_not_there_is_sound(store: Store) -> None:
    assert doctor(store, now=NOW).sound
    assert not store.home.exists()


@pytest.mark.parametrize("damage", ["torn", "garbage", "gone"])
def test_a_lost_hot_file_is_made_again_from_the_lake_and_landing(store: Store, damage: str) -> None:
    whole = fill(store)
    if damage == "gone":
        store.hot_path.unlink()
    else:
        overwrite(store.hot_path, half if damage == "torn" else lambda data: bytes(len(data)))
    seen = doctor(store, now=NOW, mend=False)
    assert [(f.part, f.mended) for f in seen.findings] == [("hot", False)]
    found = doctor(store, now=NOW)
    [finding] = found.findings
    assert "made anew" in finding.how
    assert not finding.mended  # the rows of nights are nowhere else, and that is said once
    assert found.pending == 2  # what was merged is not known any more
    assert judge_pending(store) == 2
    check_sound(store, whole)
    kept = list((store.home / "damaged").glob("*hot.duckdb"))
    assert len(kept) == (damage != "gone")


def test_a_flipped_byte_of_hot_costs_only_the_rows_beside_it(store: Store) -> None:
    collect(store, range(20_000))
    hot.put(store, "nights", rows_of(DATASETS["nights"], 3), now=NOW)
    with opened(store, now=NOW) as con:
        con.execute("commit")
        con.execute("checkpoint hot")
        con.execute("begin")
    whole, chance = bars(store), random.Random(3)
    nights = 0
    for _ in range(2):
        place = chance.randrange(16_384, store.hot_path.stat().st_size)
        overwrite(store.hot_path, lambda data, at=place: flip(data, at))
        found = doctor(store, now=NOW)
        assert all(f.mended or "could not be read" in f.how for f in found.findings)
        judge_pending(store)
        assert_frame_equal(bars(store), whole)
        nights += sql("select count(*) from nights", store=store).item() == 3
    assert nights >= 1


def flip(data: bytearray, at: int) -> bytearray:
    data[at] ^= 0x10
    return data


HURT: dict[str, Callable[[str], None]] = {
    "flipped": lambda path: objects.put(path, bytes(flip(bytearray(objects.read(path)), 200))),
    "torn": lambda path: objects.put(path, bytes(half(bytearray(objects.read(path))))),
    "gone": objects.delete,
}


@pytest.mark.parametrize(
    ("any_store", "damage"),
    [("folder", "flipped"), ("folder", "torn"), ("folder", "gone"), ("bucket", "flipped")],
    indirect=["any_store"],
)
def test_a_file_of_the_lake_comes_back_byte_for_byte_from_landing(
    any_store: Store, damage: str
) -> None:
    whole = fill(any_store)
    [file] = cold_files(any_store, CANDLES)
    HURT[damage](file.path)
    said = only(doctor(any_store, now=NOW))
    assert "made again from landing: 120 rows" in said
    assert file.sha256 == objects.sha256(file.path)
    check_sound(any_store, whole)
    assert len(list((any_store.home / "damaged").glob("*"))) == (damage != "gone")


def test_what_landing_has_in_part_is_judged_again_and_the_rest_is_a_gap(store: Store) -> None:
    collect(store, range(60), keep_landing=False)
    kept = collect(store, range(60, 120))
    archive(store, "candles", now=NOW, hot_days=0)
    [file] = cold_files(store, CANDLES)
    HURT["flipped"](file.path)
    [finding] = doctor(store, now=NOW).findings
    assert not finding.mended
    assert "60 of its 120 rows; collect the rest again" in finding.how
    assert [receipt.path for receipt in landing.pending(store)] == [kept]
    judge_pending(store)
    check_sound(store, candles(range(60, 120)))
    archive(store, "candles", now=NOW, hot_days=0)
    check_sound(store, candles(range(60, 120)))


def test_a_lake_that_is_gone_comes_back_from_landing_or_is_said_to_be_lost(store: Store) -> None:
    whole = fill(store)
    Path(store.lake).rename(store.home / "gone")
    found = doctor(store, now=NOW)
    assert found.sound
    assert "landing has 120 of the 120 rows" in found.findings[0].how
    assert judge_pending(store) == 1
    check_sound(store, whole)
    archive(store, "candles", now=NOW.replace(month=5), hot_days=15)
    for path in store.landing.glob("*/*"):
        path.unlink()
    Path(store.lake).rename(store.home / "gone too")
    [finding] = doctor(store, now=NOW).findings
    assert not finding.mended
    assert "landing has 0 of the 120 rows" in finding.how
    assert bars(store).height == 120


def test_a_torn_hot_file_keeps_nothing_else_from_being_mended(store: Store) -> None:
    whole = fill(store)
    overwrite(store.hot_path, half)
    [file] = cold_files(store, CANDLES)
    HURT["flipped"](file.path)
    found = doctor(store, now=NOW)
    assert [finding.part for finding in found.findings] == ["hot", "files of the lake"]
    judge_pending(store)
    check_sound(store, whole)


def test_a_table_of_which_nothing_is_left_starts_over(store: Store) -> None:
    whole = fill(store)
    for path in Path(store.lake, "candles").rglob("*.*"):
        overwrite(path, half)
    found = doctor(store, now=NOW)
    assert "it starts over" in found.findings[0].how
    assert not found.sound
    assert judge_pending(store) == 1
    check_sound(store, whole)


def test_a_broken_log_of_a_table_is_made_again_from_its_files(any_store: Store) -> None:
    whole = fill(any_store)
    for entry in objects.list_files(f"{any_store.lake}/candles/_delta_log"):
        objects.put(entry.path, objects.read(entry.path)[:60])
    with pytest.raises(StoreDamaged):
        cold_files(any_store, CANDLES)
    assert "a new log of 1 files with 120 rows" in only(doctor(any_store, now=NOW))
    check_sound(any_store, whole)
    hot.put(any_store, "candles", candles([3], close=9, ingested_at=NOW + MINUTE), now=NOW)
    archive(any_store, "candles", now=NOW, hot_days=0)
    assert sql("select close from candles where trades = 3", store=any_store).item() == 9


def test_a_torn_batch_is_set_aside_and_its_rows_are_where_they_were(store: Store) -> None:
    whole = fill(store)
    merged = next(store.landing.glob("candles/*"))
    waiting = landing.land(store, "candles", candles(5, symbol="X-Y"), source="test", now=NOW)
    for path in (merged, store.home / waiting.path):
        overwrite(path, half)
    found = doctor(store, now=NOW)
    said = sorted(finding.problem.split("; ")[1] for finding in found.findings)
    assert found.sound
    assert said == [
        "it was never merged: the next collection asks for what is missing",
        "its 120 accepted rows are in the store",
    ]
    assert len(list((store.home / "damaged").glob("*.parquet"))) == 2
    check_sound(store, whole)


@pytest.mark.parametrize("damage", ["torn", "changed"])
def test_a_damaged_quarantine_file_makes_its_batch_judged_again(store: Store, damage: str) -> None:
    batch = collect(store, range(10))
    held = candles(2, symbol="ETH-USDT").with_columns(reasons=pl.lit(["jump"]))
    path = quarantine.write(store, "candles", held, batch, NOW)
    assert path is not None
    quarantine.check_file(path)
    if damage == "torn":
        overwrite(path, half)
    else:  # as a flipped bit would: the file is sound, its rows are not
        facts = {"content_sha256": pl.read_parquet_metadata(path)["content_sha256"]}
        rows = pl.read_parquet(path).with_columns(pl.col("close") + 1)
        rows.write_parquet(path, metadata=facts)
    assert "its batch is judged again" in only(doctor(store, now=NOW))
    assert [receipt.path for receipt in landing.pending(store)] == [batch]
    assert not path.exists()


def test_rows_that_are_repeated_or_lost_are_mended(store: Store) -> None:
    whole = fill(store)
    with opened(store, now=NOW) as con:
        con.execute("insert into hot.candles from (from hot.candles where trades in (200, 201))")
        con.execute("delete from hot.candles where trades = 220")
    found = doctor(store, now=NOW)
    assert found.sound
    assert {f.how.split(":")[0] for f in found.findings} >= {
        "2 repeated rows removed, 119 kept",
        "is pending again",
    }
    assert judge_pending(store) == 1
    check_sound(store, whole)


def test_what_killed_processes_left_is_removed(store: Store) -> None:
    whole = fill(store)
    old = store.landing / "candles" / ".tmp-1-x.parquet"
    old.write_bytes(b"PAR1")
    os.utime(old, (0, 0))
    fresh = old.with_name(".tmp-2-x.parquet")
    fresh.write_bytes(b"PAR1")
    os.utime(fresh, (NOW.timestamp(), NOW.timestamp()))
    (store.home / "write.holder").write_bytes(b'{"pid": 4194305, "doing": "merging"}')
    found = doctor(store, now=NOW)
    assert found.sound
    assert {Path(f.place).name for f in found.findings} == {old.name, "write.holder"}
    assert (old.exists(), fresh.exists()) == (False, True)
    check_sound(store, whole)


def test_a_lock_file_that_is_none_any_more_is_made_anew(store: Store) -> None:
    whole = fill(store)
    (store.home / "hot.lock").write_bytes(b"\xff" * 5000)
    assert "it is no lock any more" in only(doctor(store, now=NOW))
    check_sound(store, whole)


def test_a_clock_that_jumped_back_is_said(store: Store) -> None:
    fill(store)
    [finding] = doctor(store, now=NOW - timedelta(hours=1)).findings
    assert (finding.part, finding.mended) == ("clock", False)
    assert "merged at 2026-06-01T00:00:00Z, and this machine says 2026-05-31T23" in finding.problem


def test_a_folder_that_refuses_and_a_disk_almost_full_are_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    monkeypatch.setattr(examine_home, "_refusal", lambda path: "Read-only file system")
    monkeypatch.setattr(examine_home, "HEADROOM", 1.1)
    found = doctor(store, now=NOW)
    assert not found.sound
    problems = [finding.problem for finding in found.findings]
    assert problems[:2] == ["cannot be written: Read-only file system"] * 2
    assert "the disk is almost full" in problems[-1]


def test_a_lake_of_another_desk_is_taken_over_only_on_request(store: Store, tmp_path: Path) -> None:
    fill(store)
    other = Store(tmp_path / "other", store.lake, lock_wait=5.0)
    hot.put(other, "candles", candles(3), now=NOW)
    [taken, *_] = doctor(other, now=NOW).findings
    assert (taken.part, taken.mended) == ("lake", False)
    assert "expected this desk" in taken.problem
    assert doctor(other, now=NOW, own_lake=True).sound
    assert not doctor(store, now=NOW).sound
    assert doctor(store, now=NOW, own_lake=True).sound


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_lost_tokens_of_a_lake_of_ones_own_are_no_trouble(store: Store, damage: str) -> None:
    whole = fill(store)
    tokens = store.home / "lake.tokens"
    tokens.unlink() if damage == "gone" else tokens.write_bytes(b'{"tab')
    assert "this desk writes to it from now on" in only(doctor(store, now=NOW))
    check_sound(store, whole)


def test_looking_alone_changes_nothing(store: Store) -> None:
    fill(store)
    [file] = cold_files(store, CANDLES)
    HURT["flipped"](file.path)
    overwrite(next(store.landing.glob("candles/*")), half)
    before = tree(store)
    found = doctor(store, now=NOW, mend=False)
    assert len(found.findings) == 2
    assert not found.sound
    assert tree(store) == before


def tree(store: Store) -> dict[str, str]:
    files = [path for path in store.home.rglob("*") if path.is_file()]
    return {str(path): file_sha256(path) for path in files if path.suffix != ".lock"}
