"""The nightly look at the store mends what it can, and fails where a person is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.datasets import CANDLES
from core.errors import StoreDamaged
from flows.archive import archive
from flows.ingest import ingest
from flows.upkeep import upkeep
from storage import landing
from storage.care import examine_home
from storage.cold import cold_files
from storage.lake import sql
from storage.store import default_store

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
QUERY = "select * from candles order by symbol, open_time"


def test_a_lost_lake_and_a_torn_hot_file_come_back_overnight(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = START + timedelta(days=1)
    ingest(source="sandbox", symbols=["NOISE1-USDT"], since=START, until=until)
    archive()
    before, store = sql(QUERY), default_store()
    assert before.height == 1_440
    assert upkeep().findings == ()
    (desk / "lake" / "candles").rename(desk / "gone")
    assert "landing has 1,440 of the 1,440 rows" in upkeep().findings[0].how
    assert sql(QUERY).drop("ingested_at").equals(before.drop("ingested_at"))
    data = store.hot_path.read_bytes()
    store.hot_path.write_bytes(data[: len(data) // 3])
    with pytest.raises(StoreDamaged, match="could not be read"):
        upkeep()  # rows of verdicts are nowhere else; the bars are back
    assert landing.pending(store) == []
    assert sql(QUERY).drop("ingested_at").equals(before.drop("ingested_at"))
    archive()
    assert [file.rows for file in cold_files(store, CANDLES)] == [1_440]
    monkeypatch.setattr(examine_home, "HEADROOM", 1.1)
    with pytest.raises(StoreDamaged, match="the disk is almost full"):
        upkeep()
