"""Many strategies over many symbols: shapes, order, and every number again in plain Python."""

from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.datasets import METRICS, TIME
from core.errors import InvalidInput
from research.backtest import BacktestResult, Costs, backtest
from research.bars import bars_of
from research.engine.batches import SIZE
from research.engine.run import run_nb
from research.signals import Workspace
from research.simulate import simulate
from research.strategy import Strategy
from research.trades import TRADES
from tests.research.markets import MINUTE, START, frame_of, random_bars

LONG = Strategy.parse("""
long when crosses_above(ema(5), ema(20))
exit when crosses_below(ema(5), ema(20))
stop 1% target 3% trail 2% timeout 6h
on 15m
""")
SHORT = Strategy.parse("short when rsi(14) > 60\nexit when rsi(14) < 45\ntarget 1%\non 5m")
BOTH = Strategy.parse("""
long when close > prev(close, 3)
exit when close < prev(close, 5)
short when close < prev(close, 3)
exit when close > prev(close, 5)
stop 0.5% timeout 45m
on 1m
""")
NEVER = Strategy.parse("long when close < 0\nstop 1%\non 1h")
STRATEGIES = [LONG, SHORT, BOTH, NEVER]
COSTS = Costs(fee_bps=8, slippage_bps=3, funding_bps=20, perpetual=True)


def market(seed: int, symbol: str, *, gaps: bool = False, bars: int = 6_000) -> pl.DataFrame:
    made = random_bars(seed, bars, wild=0.001, gaps=gaps, first=600)
    return frame_of(made, venue="binance", symbol=symbol, interval="1m")


CANDLES = pl.concat([market(1, "BTC-USDT"), market(2, "ADA-USDT", gaps=True, bars=2_000)])


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return backtest(CANDLES, STRATEGIES, COSTS)


def test_frames_have_the_contracts_columns_and_types(result: BacktestResult) -> None:
    names: dict[str, Any] = {"strategy_id": pl.String(), "symbol": pl.String()}
    assert result.metrics.schema == pl.Schema(names | METRICS)
    assert result.trades.schema == pl.Schema(names | TRADES)
    days: dict[str, Any] = {"day": pl.Date(), "equity": pl.Float64(), "return": pl.Float64()}
    assert result.equity.schema == pl.Schema(names | days)


def test_rows_go_by_symbol_then_in_the_order_of_the_strategies(result: BacktestResult) -> None:
    expected = [(s, one.id) for s in ("ADA-USDT", "BTC-USDT") for one in STRATEGIES]
    assert list(result.metrics.select("symbol", "strategy_id").iter_rows()) == expected
    for frame, time in ((result.trades, "entry_time"), (result.equity, "day")):
        keys = frame.select("symbol", "strategy_id").unique(maintain_order=True)
        assert list(keys.iter_rows()) == [key for key in expected if key in set(keys.iter_rows())]
        for part in frame.partition_by("symbol", "strategy_id"):
            assert part[time].is_sorted()


def test_every_metric_follows_from_trades_and_equity(result: BacktestResult) -> None:
    for row in result.metrics.iter_rows(named=True):
        own = (pl.col("strategy_id") == row["strategy_id"]) & (pl.col("symbol") == row["symbol"])
        candles = CANDLES.filter(pl.col("symbol") == row["symbol"])
        expected = recomputed(result.trades.filter(own), candles, COSTS)
        assert list(expected) == list(METRICS)
        for name, value in expected.items():
            near = None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)
            assert row[name] == near, name
    assert (result.metrics["trades"] > 0).sum() == 6


def recomputed(trades: pl.DataFrame, candles: pl.DataFrame, costs: Costs) -> dict[str, Any]:
    """Follow the money through the trades, close by close, and measure it with plain loops."""
    fee, slip = costs.fee_bps / 1e4, costs.slippage_bps / 1e4
    notional = 1 / (1 + fee)
    rows = candles.select("open_time", "open", "close").to_dicts()
    at = {row["open_time"]: i for i, row in enumerate(rows)}
    path, held, money, turnover = [], 0, 1.0, 0.0
    todo = trades.to_dicts()
    for trade in todo:
        trade["sign"] = 1 if trade["side"] == "long" else -1
    open_trade = None
    for i, row in enumerate(rows):
        inside = False
        mark = money
        for _ in range(2):  # a position left at this open may make way for another
            if open_trade is None and todo and at[todo[0]["entry_time"]] == i:
                open_trade = todo.pop(0)
            if open_trade is not None:
                sign, entry = open_trade["sign"], open_trade["entry_price"]
                funding = notional * costs.funding_bps / 1e4
                funding *= (row["open_time"] - open_trade["entry_time"]) / timedelta(hours=8)
                mark = money * (notional * (1 + sign * (row["close"] / entry - 1)) - funding)
                if at[open_trade["exit_time"]] == i:
                    at_open = open_trade["exit_price"] == row["open"] * (1 - sign * slip)
                    inside = inside or open_trade["reason"] == "end" or not at_open
                    ratio = open_trade["exit_price"] / entry
                    turnover += notional * (1 + ratio)
                    change = notional * (1 + sign * (ratio - 1) - fee * ratio) - funding - 1
                    assert open_trade["return"] == pytest.approx(change, abs=1e-12)
                    money *= 1 + open_trade["return"]
                    mark, open_trade = money, None
        held += inside or open_trade is not None
        path.append(mark)
    daily = daily_of([row["open_time"] for row in rows], path)
    mean = sum(daily) / len(daily)
    deviation = math.sqrt(sum((r - mean) ** 2 for r in daily) / len(daily))
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in daily) / len(daily))
    changes = trades["return"].to_list()
    lost = -sum(r for r in changes if r < 0)
    peak, drawdown = 1.0, 0.0
    for value in path:
        peak = max(peak, value)
        drawdown = max(drawdown, 1 - value / peak)
    return {
        "total_return": math.prod(1 + r for r in changes) - 1,
        "sharpe": mean / deviation * math.sqrt(365) if deviation else 0.0,
        "sortino": mean / downside * math.sqrt(365) if downside else None,
        "max_drawdown": drawdown,
        "profit_factor": sum(r for r in changes if r > 0) / lost if lost else None,
        "win_rate": sum(r > 0 for r in changes) / len(changes) if changes else None,
        "trades": len(changes),
        "exposure": held / len(rows),
        "turnover": turnover,
        "ambiguous_trades": sum(trades["ambiguous"].to_list()),
        "avg_trade": sum(changes) / len(changes) if changes else None,
    }


def daily_of(times: list[datetime], path: list[float]) -> list[float]:
    by_day: dict[date, float] = {}
    for time, value in zip(times, path, strict=True):
        by_day[time.date()] = value
    returns, before, day = [], 1.0, times[0].date()
    while day <= times[-1].date():
        after = by_day.get(day, before)
        returns.append(after / before - 1)
        before, day = after, day + timedelta(days=1)
    return returns


def test_equity_has_every_calendar_day_and_its_returns_multiply_to_the_end(
    result: BacktestResult,
) -> None:
    for part in result.equity.partition_by("strategy_id", "symbol"):
        days = part["day"].to_list()
        assert days == [days[0] + timedelta(days=i) for i in range(len(days))]
        assert (1 + part["return"]).product() == pytest.approx(part["equity"][-1], rel=1e-12)
    ends = result.equity.group_by("symbol", "strategy_id", maintain_order=True).last()
    assert (ends["equity"] - 1).to_list() == result.metrics["total_return"].to_list()


def test_trades_are_those_of_simulate_on_the_same_signals(result: BacktestResult) -> None:
    candles = CANDLES.filter(pl.col("symbol") == "BTC-USDT")
    decided = Workspace(bars_of(candles), MINUTE).decisions(LONG)
    expected = simulate(
        candles,
        decided.long_entry,
        decided.long_exit,
        stop=0.01,
        target=0.03,
        trail=0.02,
        timeout="6h",
        costs=COSTS,
    )
    own = (pl.col("strategy_id") == LONG.id) & (pl.col("symbol") == "BTC-USDT")
    assert expected.height > 10
    assert result.trades.filter(own).select(expected.columns).equals(expected)


def test_any_number_of_workers_gives_the_same_result() -> None:
    many = [
        Strategy.parse(f"long when close > ema({n})\nexit when close < ema({n})\non 5m")
        for n in range(2, 2 * SIZE + 20)
    ]
    one = backtest(CANDLES, many, workers=1)
    three = backtest(CANDLES, many, workers=3)
    for name in ("metrics", "trades", "equity"):
        assert getattr(one, name).equals(getattr(three, name))
    alone = backtest(CANDLES, many[-1:])
    assert alone.metrics.equals(one.metrics.filter(pl.col("strategy_id") == many[-1].id))


@pytest.mark.parametrize("cut", [1, 61, 907, 1_440, 3_333, 5_999])
def test_later_candles_never_change_a_trade_that_was_closed(
    result: BacktestResult, cut: int
) -> None:
    candles = CANDLES.filter(pl.col("symbol") == "BTC-USDT")
    until = candles["open_time"][cut]
    past = result.trades.filter((pl.col("symbol") == "BTC-USDT") & (pl.col("exit_time") < until))
    short = backtest(candles.head(cut), STRATEGIES, COSTS).trades
    assert short.filter(pl.col("reason") != "end").equals(past)


def test_kernels_are_compiled_for_one_set_of_types(result: BacktestResult) -> None:
    simulate(CANDLES.tail(50), [True] * 50, None, stop=1 / 3, timeout=5, costs=Costs(1, 2, 3))
    assert result.metrics.height
    assert len(run_nb.signatures) == 1


def test_rows_of_candles_may_come_in_any_order(result: BacktestResult) -> None:
    shuffled = backtest(CANDLES.sample(fraction=1, shuffle=True, seed=1), STRATEGIES, COSTS)
    assert shuffled.trades.equals(result.trades)


def test_the_optimistic_bound_is_no_worse(result: BacktestResult) -> None:
    best = backtest(CANDLES, STRATEGIES, COSTS, ambiguous="best")
    assert (best.metrics["total_return"] >= result.metrics["total_return"] - 1e-12).all()
    counted = ("trades", "ambiguous_trades")
    assert best.metrics.select(counted).equals(result.metrics.select(counted))


def test_progress_is_told_in_the_calling_thread_up_to_the_total() -> None:
    told: list[tuple[int, int]] = []
    threads = set()

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        threads.add(threading.get_ident())

    backtest(CANDLES, STRATEGIES, workers=2, progress=progress)
    assert told[-1] == (8, 8)
    assert told == sorted(told)
    assert threads == {threading.get_ident()}


def test_daily_returns_are_given_by_trial_and_as_a_matrix(result: BacktestResult) -> None:
    by_trial = result.daily_returns()
    assert by_trial.keys() == result.trade_counts().keys()
    strategies, matrix = result.returns_matrix("BTC-USDT")
    assert strategies == [strategy.id for strategy in STRATEGIES]
    for strategy, row in zip(strategies, matrix, strict=True):
        assert row.tolist() == by_trial[strategy, "BTC-USDT"].tolist()
    assert result.trade_counts()[NEVER.id, "ADA-USDT"] == 0


def test_no_strategies_and_no_candles_give_empty_frames_of_the_same_columns(
    result: BacktestResult,
) -> None:
    for empty in (backtest(CANDLES, []), backtest(CANDLES.clear(), STRATEGIES)):
        for name in ("metrics", "trades", "equity"):
            assert getattr(empty, name).height == 0
            assert getattr(empty, name).schema == getattr(result, name).schema


def test_one_bar_is_a_day_on_which_nothing_happened() -> None:
    one = backtest(CANDLES.filter(pl.col("symbol") == "BTC-USDT").head(1), [BOTH])
    assert one.metrics["total_return"].to_list() == [0.0]
    assert one.equity["return"].to_list() == [0.0]


def test_times_without_a_trade_on_whole_days_count_as_days() -> None:
    rows = CANDLES.filter(pl.col("symbol") == "BTC-USDT")
    later = rows.with_columns(pl.col("open_time") + pl.duration(days=9))
    holed = backtest(pl.concat([rows, later]), [LONG]).equity
    assert holed.height == (holed["day"][-1] - holed["day"][0]).days + 1
    assert (holed["return"] == 0).sum() >= 3


def test_the_step_is_found_where_there_is_no_interval() -> None:
    bare = CANDLES.filter(pl.col("symbol") == "ADA-USDT")
    expected = backtest(bare, [LONG]).trades
    assert backtest(bare.drop("interval", "venue"), [LONG]).trades.equals(expected)


def other(column: str, value: str) -> pl.DataFrame:
    return pl.concat([CANDLES, market(3, "BTC-USDT").with_columns(pl.lit(value).alias(column))])


@pytest.mark.parametrize(
    ("candles", "changed", "message"),
    [
        (other("interval", "5m"), {}, "BTC-USDT: expected candles of one interval, was several"),
        (other("venue", "kraken"), {}, "BTC-USDT: expected candles of one venue, was several"),
        (pl.concat([CANDLES, CANDLES.head(1)]), {}, "BTC-USDT: expected bars in ascending time"),
        (CANDLES.drop("symbol"), {}, "column symbol"),
        (CANDLES.drop("open_time"), {}, "open_time"),
        (CANDLES.with_columns(symbol=pl.lit(None, pl.String())), {}, "symbol in every row"),
        (CANDLES.with_columns(interval=pl.lit("5m")), {"strategies": [BOTH]}, "1m"),
        (CANDLES, {"engine": "slow"}, "engine of fast, reference, was 'slow'"),
        (CANDLES, {"ambiguous": "maybe"}, "ambiguous as worst or best"),
        (CANDLES, {"workers": 0}, "at least 1 worker, was 0"),
        (CANDLES, {"strategies": [LONG, SHORT, LONG]}, "distinct strategies"),
    ],
)
def test_what_cannot_be_backtested_is_refused(
    candles: pl.DataFrame, changed: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"strategies": STRATEGIES} | changed
    with pytest.raises(InvalidInput, match=message):
        backtest(candles, **arguments)


def test_days_are_those_of_utc() -> None:
    bars = frame_of(random_bars(5, 3, first=24 * 60 - 2), symbol="A-B")
    assert datetime(2026, 1, 1, tzinfo=UTC) == START
    assert bars.schema["open_time"] == TIME
    days = backtest(bars, [NEVER]).equity["day"].to_list()
    assert days == [date(2026, 1, 1), date(2026, 1, 2)]
    assert np.all(backtest(bars, [NEVER]).equity["equity"].to_numpy() == 1)
