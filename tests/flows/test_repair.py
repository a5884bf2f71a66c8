"""A repair end to end: the venue is asked again, then another one, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flows.ingest import ingest
from flows.repair import repair
from sources.sandbox.faults import Faults
from sources.sandbox.process import set_faults
from storage.lake import read_candles, sql
from storage.store import default_store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=12)
SYMBOL = "NOISE1-USDT"


def bars(**options: object) -> int:
    found = read_candles(
        default_store(),
        venue="sandbox",
        symbols=[SYMBOL],
        start=START,
        end=END,
        **options,  # type: ignore[arg-type] # a test's shorthand
    )
    return found.height


def test_a_hole_is_filled_by_its_own_venue_and_until_then_lent_by_another(
    desk: Path, exchange: str, faulty_exchange: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_BINANCE_URL", exchange)
    set_faults(faulty_exchange, Faults(gaps=0.02))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", faulty_exchange)
    ingest(source="sandbox", symbols=[SYMBOL], since=START, until=END)
    missing = sql("select sum(bars)::BIGINT from gaps").item()
    assert missing > 0
    assert set(sql("select cause from missing_bars")["cause"]) == {"venue_had_none"}

    first = repair(venue="sandbox", lenders=["binance"])
    assert (first.missing, first.own + first.lent, first.left) == (missing, missing, 0)
    assert first.lent > 0
    assert not first.failed
    assert sql("select count(*) from candles where venue = 'binance'").item() >= first.lent
    before = bars()
    assert bars(lenders=["binance"]) == before + first.lent

    set_faults(faulty_exchange)
    second = repair(venue="sandbox")
    assert (second.missing, second.own, second.left) == (first.lent, first.lent, 0)
    assert sql("select count(*) from gaps where venue = 'sandbox'").item() == 0
    assert repair(venue="sandbox").missing == 0
