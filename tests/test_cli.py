"""The command line as a person and a program meet it: words, JSON and exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import nightjar
from core.datasets import CANDLES
from sources.sandbox.faults import Faults
from sources.sandbox.process import set_faults
from storage import hot
from storage.store import default_store

START = datetime(2026, 3, 1, tzinfo=UTC)
RULE = "long when crosses_above(ema(5), ema(20))\nexit when crosses_below(ema(5), ema(20))\non 5m\n"
SPAN = ["--since", "2026-03-01", "--until", "2026-03-01T06:00Z", "--symbols", "NOISE1-USDT"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bars() -> pl.DataFrame:
    """Two days of minutes that go up and down, in the store."""
    minutes = 2 * 1_440
    close = [
        100 + 5 * ((m // 240) % 2 * (240 - m % 240) + (1 - (m // 240) % 2) * (m % 240)) / 240
        for m in range(minutes)
    ]
    frame = (
        pl.DataFrame(
            {"open_time": [START + timedelta(minutes=m) for m in range(minutes)], "close": close}
        )
        .with_columns(
            venue=pl.lit("sandbox"),
            symbol=pl.lit("UP-DOWN"),
            interval=pl.lit("1m"),
            open=pl.col("close"),
            high=pl.col("close") + 0.1,
            low=pl.col("close") - 0.1,
            volume=pl.lit(1.0),
            quote_volume=pl.lit(None, pl.Float64),
            trades=pl.lit(None, pl.Int64),
            taker_buy_volume=pl.lit(None, pl.Float64),
            synthetic=pl.lit(value=False),
            source=pl.lit("test"),
            ingested_at=pl.lit(START),
        )
        .with_columns(pl.col("open_time", "ingested_at").cast(pl.Datetime("us", "UTC")))
    )
    frame = CANDLES.conform(frame)
    hot.put(default_store(), "candles", frame, now=START)
    return frame


def run(*arguments: str) -> int:
    return nightjar.run(list(arguments))


def test_sql_answers_from_the_store(bars: pl.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sql", "select symbol, count(*) as n from candles group by symbol", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"symbol": "UP-DOWN", "n": 2_880}]
    assert run("sql", "select * from candles limit 1") == 0
    assert "UP-DOWN" in capsys.readouterr().out


@pytest.mark.parametrize(
    "query",
    [
        "delete from candles",
        "drop table candles",
        "insert into candles select * from candles",
        "create table mine as select 1",
        "copy candles to 'out.csv'",
        "attach 'other.db'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from glob('/*')",
        "install httpfs",
        "pragma database_list",
        "set threads = 1",
        "select 1; drop table candles",
        "select * from nothing_here",
        "selec 1",
        "",
    ],
)
def test_sql_that_does_more_than_read_the_store_is_refused(
    bars: pl.DataFrame, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    assert run("sql", query) == nightjar.MISUSED
    said = capsys.readouterr()
    assert said.err.startswith("nightjar: ")
    assert "Traceback" not in said.err
    assert run("sql", "select count(*) as n from candles", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 2_880}]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["ingest"],
        ["ingest", "--source", "kraken"],
        ["ingest", "--source", "sandbox", "--since", "yesterday"],
        ["ingest", "--source", "files"],
        ["nightly", "--strategies", "many"],
        ["backtest", "--strategy", "not-there.txt"],
        ["sandbox", "--fault", "gremlins=1"],
        ["sandbox", "--fault", "server_errors=often"],
    ],
)
def test_misuse_is_said_and_exits_with_two(
    arguments: list[str], prefect: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == nightjar.MISUSED
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert "nightjar: " in said.err or "Error" in said.err


def test_a_wrong_setting_exits_with_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NIGHTJAR_DAZE", "1")
    assert run("status") == nightjar.MISUSED
    assert "NIGHTJAR_DAZE" in capsys.readouterr().err


def test_ones_own_strategy_is_run_on_the_file_that_is_named(
    bars: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars.write_parquet(tmp_path / "bars.parquet")
    (tmp_path / "mine.txt").write_text(RULE)
    command = ["backtest", "--strategy", "mine.txt", "--candles", "bars.parquet"]
    assert run(*command, "--out", "found", "--json") == 0
    [metrics] = json.loads(capsys.readouterr().out)
    trades = pl.read_parquet(tmp_path / "found" / "trades.parquet")
    assert metrics["trades"] == trades.height > 0
    assert pl.read_parquet(tmp_path / "found" / "equity.parquet").height == 2
    assert run(*command) == 0
    assert "UP-DOWN" in capsys.readouterr().out


def test_a_strategys_error_names_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("long when ema(5) >> 3\non 5m\n")
    assert run("backtest", "--strategy", "mine.txt") == nightjar.MISUSED
    assert "line 1, column" in capsys.readouterr().err


def test_status_of_an_empty_and_of_a_filled_store(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    assert run("status") == 0
    assert "empty" in capsys.readouterr().out
    request.getfixturevalue("bars")
    assert run("status", "--json") == 0
    [series] = json.loads(capsys.readouterr().out)["series"]
    assert (series["symbol"], series["bars"], series["missing"]) == ("UP-DOWN", 2_880, 0)


def test_a_report_is_asked_for_before_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report") == nightjar.FAILED
    assert "nightjar nightly" in capsys.readouterr().err


def test_a_collection_prints_what_is_stored_and_then_that_nothing_is_new(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ingest", "--source", "sandbox", *SPAN) == 0
    assert "NOISE1-USDT 1m: 360 bars" in capsys.readouterr().out
    assert run("ingest", "--source", "sandbox", *SPAN) == 0
    assert "nothing new" in capsys.readouterr().out


def test_a_refusing_gate_exits_with_three(
    desk: Path,
    faulty_exchange: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_faults(faulty_exchange, Faults(malformed_rows=1.0, bad_row_share=0.3))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", faulty_exchange)
    assert run("ingest", "--source", "sandbox", *SPAN) == nightjar.REFUSED
    assert "the gate refused" in capsys.readouterr().err
    assert run("sql", "select count(*) as n from candles", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 0}]


def test_a_night_prints_its_headline_and_its_page(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = ["nightly", "--as-of", "2026-03-06", "--symbols", "NOISE1-USDT,TREND1-USDT"]
    assert run(*night, "--days", "5", "--strategies", "5", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert Path(summary["report"]).is_file()
    assert run("report") == 0
    assert capsys.readouterr().out.strip() == summary["report"]
