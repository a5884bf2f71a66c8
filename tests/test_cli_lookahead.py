"""`nightjar lookahead` as a person and a program meet it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

import nightjar
from tests.research.engine.minutes import garch
from tests.research.lookahead.leaks import leaky, one_ahead
from tests.research.markets import frame_of

if TYPE_CHECKING:
    from pathlib import Path

RULE = "long when crosses_above(ema(5), ema(20))\nexit when crosses_below(ema(5), ema(20))\non 5m\n"
LEAK = "long when close < psychic(9)\nexit when close > psychic(9)\non 15m\n"


@pytest.fixture(autouse=True)
def _bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts = [
        frame_of(garch(seed, 3_000), symbol=symbol, interval="1m")
        for seed, symbol in ((1, "BTC-USDT"), (2, "ETH-USDT"))
    ]
    pl.concat(parts).write_parquet(tmp_path / "bars.parquet")
    (tmp_path / "mine.txt").write_text(RULE)
    (tmp_path / "both.txt").write_text(f"{RULE}---\n{LEAK}")


def run(*arguments: str) -> int:
    return nightjar.run(["lookahead", "--candles", "bars.parquet", *arguments])


def test_an_honest_strategy_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--strategy", "mine.txt") == nightjar.DONE
    said = capsys.readouterr().out
    assert "crosses_above(ema(5), ema(20))" in said
    assert said.count("clean") == 2
    assert "no look-ahead" in said


def test_a_strategy_that_looks_ahead_exits_with_one_and_is_shown_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky(monkeypatch, "psychic", one_ahead)
    assert run("--strategy", "both.txt", "--symbols", "ETH-USDT") == nightjar.FAILED
    said = capsys.readouterr().out
    assert "looks ahead" in said
    assert "psychic(9) on 15m" in said
    assert "1 of 2 proofs failed" in said


def test_a_program_reads_what_differed_and_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky(monkeypatch, "psychic", one_ahead)
    assert run("--strategy", "both.txt", "--json") == nightjar.FAILED
    rows = json.loads(capsys.readouterr().out)
    assert [(row["symbol"], row["clean"]) for row in rows] == [
        ("BTC-USDT", True),
        ("BTC-USDT", False),
        ("ETH-USDT", True),
        ("ETH-USDT", False),
    ]
    assert rows[0]["finding"] is None
    found = rows[1]["finding"]
    assert found["kind"] == "truncated"
    assert found["what"] == "psychic(9) on 15m"
    assert found["time"] < found["cut_time"]
    assert found["whole"] != found["other"]


def test_the_seed_decides_where_history_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky(monkeypatch, "psychic", one_ahead)
    said = []
    for seed in ("1", "1", "2"):
        run("--strategy", "both.txt", "--json", "--seed", seed)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


def test_a_strategy_that_the_bars_cannot_serve_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = frame_of(garch(1, 300), symbol="BTC-USDT", interval="1h")
    start = hours["open_time"].dt.truncate("1h").min()
    hours = hours.with_columns(
        open_time=pl.datetime_range(
            start, pl.lit(start).dt.offset_by("299h"), "1h", time_unit="us", eager=True
        )
    )
    hours.write_parquet(tmp_path / "bars.parquet")
    assert run("--strategy", "mine.txt") == nightjar.FAILED
    assert "cannot be run" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--strategy", "not-there.txt"],
        ["--strategy", "mine.txt", "--symbols", "DOGE-USDT"],
        ["--strategy", "mine.txt", "--candles", "not-there.parquet"],
        ["--strategy", "mine.txt", "--seed", "-1"],
    ],
)
def test_misuse_is_said_and_exits_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == nightjar.MISUSED
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert "nightjar: " in said.err or "Error" in said.err


def test_the_store_is_read_where_no_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run(["lookahead", "--strategy", "mine.txt"]) == nightjar.FAILED
    assert "nightjar: " in capsys.readouterr().err  # there is nothing in it
