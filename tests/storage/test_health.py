"""How sources did is kept, and can be asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from storage import health
from storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def row(provider: str, state: str = "up") -> dict[str, Any]:
    return {
        "provider": provider,
        "state": state,
        "requests": 10,
        "failures": 1,
        "limited": 0,
        "latency_ms": 12.5,
        "limit_left": None,
        "message": None,
    }


def test_the_newest_row_of_each_source_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    assert health.latest(store).is_empty()
    assert health.note(store, [row("kraken"), row("okx")], now=NOW) == 2
    assert health.note(store, [row("kraken", "resting")], now=NOW + timedelta(minutes=5)) == 1
    assert health.note(store, [], now=NOW) == 0
    found = health.latest(store)
    assert found.select("provider", "state").rows() == [("kraken", "resting"), ("okx", "up")]


def test_only_what_was_noted_lately_is_returned_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    for minutes, state in ((0, "up"), (60, "failing"), (90, "set_aside")):
        health.note(store, [row("kraken", state)], now=NOW + timedelta(minutes=minutes))
    found = health.since(store, NOW + timedelta(minutes=100), timedelta(minutes=60))
    assert found["state"].to_list() == ["failing", "set_aside"]
