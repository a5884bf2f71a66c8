"""A rule as bits, 64 bars a word, is the rule as decisions on the finest bars."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.engine.batches import SIZE, batches
from research.engine.bits import NO_ROW
from research.generate import generate
from research.signals import Workspace
from research.strategy import Side, Strategy
from tests.research.engine.minutes import garch
from tests.research.markets import random_bars
from tests.research.trees import conditions

if TYPE_CHECKING:
    from research.bars import Bars
    from research.expressions import Condition

MINUTE = timedelta(minutes=1)


def spread(workspace: Workspace, timeframe: str, words: np.ndarray, bars: Bars) -> np.ndarray:
    """Return bits on the finest bars; fail where one is set that no bar of the timeframe has."""
    grid = workspace.grid(timeframe)
    flags = np.unpackbits(words.view(np.uint8), bitorder="little").astype(np.bool_)
    assert words.size == -(-grid.size // 64)
    assert not flags[grid.size :].any()
    if not grid.first.size:  # each bar has its own
        return flags[: grid.size]
    found = np.zeros(bars.time.size, np.bool_)
    found[grid.bars[flags[: grid.size]]] = True
    return found


@settings(max_examples=300)
@given(
    rule=conditions(12),
    seed=st.integers(0, 1_000),
    size=st.sampled_from([1, 40, 63, 64, 65, 150]),
    timeframe=st.sampled_from(["1m", "3m", "15m"]),
)
def test_bits_of_any_rule_are_its_decisions(
    rule: Condition, seed: int, size: int, timeframe: str
) -> None:
    bars = random_bars(seed, size, gaps=bool(seed % 2))
    workspace = Workspace(bars, MINUTE)
    decided = workspace.decisions(Strategy(timeframe, Side(rule))).long_entry
    for _ in range(2):  # the second time from what was kept
        found = spread(workspace, timeframe, workspace.bits(timeframe, rule), bars)
        np.testing.assert_array_equal(found, decided)


@pytest.mark.parametrize(
    "rule",
    [
        "close > open or close > sma(30)",
        "not close > sma(30)",
        "not (close > open and not close > sma(30)) and close > 0",
        "close > 0 and (close > open or rsi(20) > 50)",
    ],
)
def test_before_every_part_has_a_value_nothing_is_decided(rule: str) -> None:
    bars = random_bars(5, 200)
    entry = Strategy.parse(f"long when {rule} on 1m").long
    assert entry is not None
    workspace = Workspace(bars, MINUTE)
    found = spread(workspace, "1m", workspace.bits("1m", entry.entry), bars)
    assert not found[:20].any()
    assert found[30:].any()


def test_what_strategies_share_is_not_written_to() -> None:
    workspace = Workspace(random_bars(5, 200), MINUTE)
    plain = Strategy.parse("long when close > sma(30) on 1m").long
    either = Strategy.parse("long when not close > sma(30) or close > sma(30) on 1m").long
    assert plain is not None
    assert either is not None
    before = workspace.bits("1m", plain.entry).copy()
    workspace.bits("1m", either.entry)
    assert not workspace.bits("1m", plain.entry).flags.writeable
    np.testing.assert_array_equal(workspace.bits("1m", plain.entry), before)


def test_batches_hold_every_strategy_once_with_its_own_rules_and_levels() -> None:
    bars = garch(2, 3_000)
    workspace = Workspace(bars, MINUTE)
    strategies = generate(3 * SIZE, 4)
    seen = []
    for work in batches(workspace, iter(strategies)):
        assert 0 < work.where.size <= SIZE
        seen += work.where.tolist()
        timeframes = {strategies[i].timeframe for i in work.where}
        assert len(timeframes) == 1
        for i, rules in zip(work.where, work.batch.rules, strict=True):
            strategy, (timeframe,) = strategies[i], timeframes
            decided = workspace.decisions(strategy)
            words = -(-workspace.grid(timeframe).size // 64)
            for name, expected in zip(decided._fields, decided, strict=True):
                if expected is None:
                    assert rules[name] == NO_ROW
                    continue
                row = work.batch.entries[rules[name] : rules[name] + words]
                np.testing.assert_array_equal(spread(workspace, timeframe, row, bars), expected)
            assert rules["stop"] == (strategy.stop or np.inf)
            assert rules["target"] == (strategy.target or np.inf)
            assert rules["trail"] == (strategy.trail or np.inf)
    assert sorted(seen) == list(range(len(strategies)))


def test_memory_bounds_the_bits_that_are_kept() -> None:
    bars = random_bars(1, 3_000)
    workspace = Workspace(bars, MINUTE, memory=2_000)
    for _ in range(2):
        for strategy in generate(40, 9, timeframes=["1m"]):
            for rule in strategy.rules():
                expected = Workspace(bars, MINUTE).bits("1m", rule)
                np.testing.assert_array_equal(workspace.bits("1m", rule), expected)
            kept = sum(each.nbytes for each in workspace._kept_bits._arrays.values())
            assert kept == workspace._kept_bits._bytes <= 2_000
