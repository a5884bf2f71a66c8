"""The hourly report, over an empty store and over one with a hole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.ingest import ingest
from flows.quality import quality

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_empty_store_is_reported_too(desk: Path) -> None:
    page = Path(quality())
    assert page.parent == desk / "reports"
    assert "<html" in page.read_text()


def test_a_hole_between_two_collections_is_named(desk: Path) -> None:
    for hours in (0, 2):
        since = START + timedelta(hours=hours)
        until = since + timedelta(hours=1)
        ingest(source="sandbox", symbols=["NOISE1-USDT"], since=since, until=until)
    text = Path(quality()).read_text()
    assert "NOISE1-USDT" in text
    assert "60" in text
