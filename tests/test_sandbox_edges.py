"""The planted edges of the sandbox, traded by the engine after costs, and the markets without."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from research.backtest import Costs, backtest
from research.generate import generate
from research.strategy import Strategy
from sources.sandbox.markets import MINUTES, ORIGIN, Market
from sources.sandbox.symbols import INSTRUMENTS, Instrument

DAYS = 90
# Seed, and first day since the listing.
WINDOWS = ((1, 690), (2, 780), (3, 870), (4, 960), (5, 690), (6, 780), (7, 870), (8, 960))

# docs/sandbox.md shows these texts.
TREND_RULE = """\
long when ema(12) > ema(26)
exit when ema(12) < ema(26)
short when ema(12) < ema(26)
exit when ema(12) > ema(26)
on 15m"""
REVERT_RULE = """\
long when rsi(14) < 30
exit when rsi(14) > 60
on 15m"""
RULES = [Strategy.parse(TREND_RULE), Strategy.parse(REVERT_RULE)]
BY_BASE = {one.base: one for one in INSTRUMENTS}


def candles(instrument: Instrument, seed: int, first: int) -> pl.DataFrame:
    bars = Market(instrument, seed).bars(first, first + DAYS)
    start = ORIGIN + timedelta(days=first)
    times = pl.datetime_range(
        start,
        start + timedelta(minutes=DAYS * MINUTES),
        "1m",
        closed="left",
        time_unit="us",
        eager=True,
    )
    columns = {name: getattr(bars, name).ravel() for name in ("open", "high", "low", "close")}
    frame = {"open_time": times, **columns, "volume": bars.volume.ravel()}
    return pl.DataFrame(frame).with_columns(symbol=pl.lit(instrument.symbol))


def sharpes(rule: Strategy, base: str) -> list[float]:
    costs = Costs(fee_bps=10, slippage_bps=5, funding_bps=1)
    return [
        backtest(candles(BY_BASE[base], seed, first), [rule], costs).metrics["sharpe"][0]
        for seed, first in WINDOWS
    ]


def test_the_rules_are_those_of_the_page() -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "sandbox.md").read_text()
    assert TREND_RULE in page
    assert REVERT_RULE in page


@pytest.mark.parametrize(
    ("rule", "base"), [(RULES[0], "TREND1"), (RULES[1], "REVERT1")], ids=["trend", "reversion"]
)
def test_the_documented_rule_earns_its_edge_after_costs(rule: Strategy, base: str) -> None:
    earned = sharpes(rule, base)
    assert min(earned) > 4, earned
    assert 7 < np.mean(earned) < 11, earned


@pytest.mark.parametrize("base", ["TREND1", "REVERT1"])
def test_a_night_of_500_strategies_can_find_the_edge(base: str) -> None:
    drawn = generate(500, 1)
    costs = Costs(fee_bps=10, slippage_bps=5, funding_bps=1)
    for seed, first in WINDOWS[:4]:
        found = backtest(candles(BY_BASE[base], seed, first), drawn, costs).metrics
        assert found.filter(pl.col("sharpe") > 7, pl.col("trades") >= 30).height >= 2


@pytest.mark.parametrize("base", [one.base for one in INSTRUMENTS if one.edge is None])
def test_neither_rule_earns_anything_on_noise(base: str) -> None:
    frames = candles(BY_BASE[base], 1, 965)
    costs = Costs(fee_bps=0, slippage_bps=0)
    free = backtest(frames, RULES, costs).metrics["sharpe"].to_list()
    paid = backtest(frames, RULES, Costs(fee_bps=10, slippage_bps=5)).metrics["sharpe"].to_list()
    assert np.abs(free).max() < 6  # the error of a Sharpe ratio over 90 days is 2
    assert max(paid) < 3


@pytest.mark.parametrize(
    ("rule", "base"), [(RULES[0], "REVERT1"), (RULES[1], "TREND1")], ids=["trend", "reversion"]
)
def test_each_rule_needs_its_own_market(rule: Strategy, base: str) -> None:
    assert np.mean(sharpes(rule, base)) < 0
