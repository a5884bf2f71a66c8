"""Collections end to end: a sandbox exchange or files, through the gate, into a real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.errors import CollectionIncomplete, GateRefused, InvalidInput
from flows.ingest import ingest
from sources.sandbox.faults import Faults
from sources.sandbox.process import set_faults
from storage import landing
from storage.lake import sql
from storage.store import default_store

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=1)
SYMBOLS = ["NOISE1-USDT", "TREND1-USDT"]
DAY = 1_440


def collect(**changes: object) -> object:
    return ingest(
        **{"source": "sandbox", "symbols": SYMBOLS, "since": START, "until": END, **changes}
    )


def stored() -> pl.DataFrame:
    return sql("select * from candles order by symbol, open_time")


def test_a_day_of_two_symbols_is_stored_once_and_labelled(desk: Path) -> None:
    summary = collect()
    assert summary.total("inserted") == 2 * DAY
    frame = stored()
    assert frame.height == 2 * DAY
    assert set(frame["venue"]) == {"sandbox"}
    assert not frame["synthetic"].any()
    assert collect().total("inserted") == 0
    assert stored().equals(frame)


def test_a_longer_span_asks_for_what_is_missing_and_its_neighbours(desk: Path) -> None:
    collect(until=END - timedelta(hours=6))
    summary = collect()
    assert summary.total("inserted") == 2 * 360
    assert summary.total("unchanged") == 2 * 60


def test_a_bar_that_stays_bad_does_not_stop_the_rest(
    desk: Path, monkeypatch: pytest.MonkeyPatch, faulty_exchange: str
) -> None:
    set_faults(faulty_exchange, Faults(outliers=0.002))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", faulty_exchange)
    bad = collect().total("quarantined")
    assert 0 < bad < 20
    again = collect(until=END + timedelta(minutes=5))
    assert again.total("inserted") >= 2 * 4
    assert stored().height >= 2 * (DAY + 5) - bad - 2


def test_verdicts_are_rows_of_the_store_and_pages(desk: Path) -> None:
    collect()
    verdicts = sql("select dataset, rows, accepted, passed from verdicts")
    assert verdicts["accepted"].sum() == 2 * DAY
    assert verdicts["passed"].all()
    assert (desk / "docs" / "index.html").is_file()


def test_what_was_landed_and_not_merged_is_merged_by_the_next_run(desk: Path) -> None:
    collect()
    store = default_store()
    later = stored().filter(symbol=SYMBOLS[0]).with_columns(pl.col("open_time") + timedelta(days=1))
    landing.land(store, "candles", later, source="sandbox", now=END)
    assert len(landing.pending(store)) == 1
    assert collect().total("inserted") == DAY
    assert landing.pending(store) == []


def test_a_batch_with_too_many_bad_rows_is_refused_and_nothing_of_it_is_stored(
    desk: Path, monkeypatch: pytest.MonkeyPatch, faulty_exchange: str
) -> None:
    set_faults(faulty_exchange, Faults(malformed_rows=1.0, bad_row_share=0.3))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", faulty_exchange)
    with pytest.raises(GateRefused):
        collect()
    assert stored().is_empty()
    refused = sql("select reason, reasons from verdicts where not passed")
    assert refused.height == 2
    set_faults(faulty_exchange)
    collect()
    assert stored().height == 2 * DAY


# What an answer or a bar can suffer; a late answer costs the client's patience, so few are late.
FAULTS = {
    "too_many_requests": {"too_many_requests": 0.2},
    "server_errors": {"server_errors": 0.2},
    "timeouts": {"timeouts": 0.1, "timeout_seconds": 20.0},
    "cut_bodies": {"cut_bodies": 0.2},
    "malformed_pages": {"malformed_pages": 0.2},
    "malformed_rows": {"malformed_rows": 0.5, "bad_row_share": 0.02},
    "disconnects": {"disconnects": 0.2},
    "gaps": {"gaps": 0.02},
    "outliers": {"outliers": 0.01},
    "duplicates": {"duplicates": 0.05},
    "everything": {
        **dict.fromkeys(
            ("too_many_requests", "server_errors", "cut_bodies", "malformed_pages", "disconnects"),
            0.05,
        ),
        "malformed_rows": 0.3,
        "gaps": 0.01,
        "outliers": 0.005,
        "duplicates": 0.01,
    },
}


VALUES = ["symbol", "open_time", "open", "high", "low", "close", "volume", "trades"]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory, prefect: None, exchange: str) -> pl.DataFrame:
    """Return what a calm exchange gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIGHTJAR_HOME", str(tmp_path_factory.mktemp("calm") / "home"))
        patch.setenv("NIGHTJAR_SANDBOX_URL", exchange)
        collect()
        return stored().select(VALUES)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_exchange_is_collected_whole_or_the_hole_is_named(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    truth: pl.DataFrame,
    faulty_exchange: str,
    fault: str,
) -> None:
    set_faults(faulty_exchange, Faults(**FAULTS[fault]))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", faulty_exchange)
    state = ingest(source="sandbox", symbols=SYMBOLS, since=START, until=END, return_state=True)
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, CollectionIncomplete):
        assert all("2026-03-0" in text for text in outcome.missing)
    else:
        assert not isinstance(outcome, BaseException), outcome
    # Whatever got through is true: no fault put a false bar into the store.
    assert stored().select(VALUES).join(truth, on=VALUES, how="anti").is_empty()
    set_faults(faulty_exchange)
    collect()
    assert stored().select(VALUES).equals(truth)


def test_symbols_must_be_named_for_a_real_venue(desk: Path) -> None:
    with pytest.raises(InvalidInput, match="--symbols"):
        ingest(source="binance", since=START, until=END)


def test_a_file_needs_its_venue_and_its_symbol(desk: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--venue"):
        ingest(source="files", path=tmp_path / "bars.csv")


def test_anyones_csv_is_stored_under_the_venue_that_is_named(desk: Path, tmp_path: Path) -> None:
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [f"2026-03-01 00:{minute:02}:00+00:00,1,2,0.5,1.5,10" for minute in range(10)]
    path = tmp_path / "bars.csv"
    path.write_text("\n".join(lines))
    summary = ingest(source="files", path=path, venue="mine", symbols=["BTC-USDT"])
    assert summary.total("inserted") == 10
    assert set(stored()["venue"]) == {"mine"}
    assert summary.notes


@pytest.mark.real
def test_ninety_two_real_days_are_stored_without_a_gap(desk: Path, real_data: Path) -> None:
    folder = real_data / "candles" / "AegisFintech+AIQuant"
    summary = ingest(source="binance-archive", path=folder, symbols=["BTC-USDT"])
    assert summary.total("inserted") == 132_480
    assert sql("select bars, missing from coverage").rows() == [(132_480, 0)]
    again = ingest(source="binance-archive", path=folder, symbols=["BTC-USDT"])
    assert (again.total("inserted"), again.total("unchanged")) == (0, 132_480)
