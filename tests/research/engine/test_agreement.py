"""The compiled engine does what the reference does, whatever is thrown at it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.backtest import Costs, Market, backtest, evaluate
from research.bars import Bars
from research.engine.run import ground_of, room_of, trade
from research.generate import generate
from research.metrics import day_ends
from research.reference import REASONS, pack, run
from tests.conftest import ROOT
from tests.research.engine.adversary import (
    COSTS,
    LEVELS,
    MINUTE,
    START,
    Trial,
    batch_of,
    differences,
    drawn,
    spread,
)
from tests.research.engine.minutes import garch, recorded
from tests.research.markets import frame_of

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


@pytest.mark.parametrize("block", range(10))
def test_bars_made_to_deceive_give_the_same_trades_and_figures(block: int) -> None:
    found = {seed: list(differences(drawn(seed))) for seed in range(100 * block, 100 * block + 100)}
    assert {seed: said for seed, said in found.items() if said} == {}


def test_the_adversary_tries_every_way_to_leave() -> None:
    left, ambiguous, ruined, sizes = set(), 0, 0, set()
    for seed in range(300):
        trial = drawn(seed)
        trades = run(trial.bars, pack(trial.bars.time.size, *spread(trial)), trial.terms).trades
        left |= {(one["side"].item(), REASONS[one["reason"]]) for one in trades}
        ambiguous += trades["ambiguous"].sum()
        ruined += (trades["return"] == -1).sum()
        sizes.add(trial.bars.time.size)
    assert left == {(side, reason) for side in (1, -1) for reason in REASONS[1:]}
    assert ambiguous > 100
    assert ruined > 5
    assert {1, 2, 4_097} < sizes


@st.composite
def tiny(draw: Any) -> Trial:
    """Whole prices below 12, so that every tie there is comes up, and flags of every kind."""
    rows = draw(
        st.lists(st.lists(st.integers(1, 12), min_size=4, max_size=4), min_size=1, max_size=12)
    )
    prices = np.array([[a, max(a, b, c, d), min(a, b, c, d), d] for a, b, c, d in rows], np.float64)
    gaps = draw(st.lists(st.sampled_from([1, 1, 3, 700]), min_size=len(rows), max_size=len(rows)))
    time = START + np.cumsum(gaps).astype(np.int64) * MINUTE
    columns = (np.ascontiguousarray(prices[:, i]) for i in range(4))
    rule = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)).map(np.array)
    flags = (draw(rule), draw(st.none() | rule), draw(st.none() | rule), draw(st.none() | rule))
    level = st.none() | st.sampled_from([0.1, 0.2, 0.25, 0.5, 0.75, 0.9])
    wait = st.none() | st.integers(1, 6) | st.integers(1, 900).map(lambda n: timedelta(minutes=n))
    terms = draw(st.sampled_from(COSTS)).terms(
        timedelta(minutes=1),
        stop=draw(level),
        target=draw(level),
        trail=draw(level),
        timeout=draw(wait),
        ambiguous=draw(st.sampled_from(["worst", "best"])),
    )
    bars = Bars(time, *columns, np.ones(len(rows)))
    return Trial(bars, None, flags, terms)


@settings(max_examples=500)
@given(trial=tiny())
def test_a_few_bars_of_whole_prices_give_the_same_trades_and_figures(trial: Trial) -> None:
    assert list(differences(trial)) == []


@settings(max_examples=300)
@given(
    seed=st.integers(0, 2**32),
    levels=st.tuples(*[st.sampled_from(LEVELS)] * 3),
    costs=st.sampled_from(COSTS),
    timeout=st.none() | st.integers(1, 5_000),
)
def test_every_mix_of_levels_gives_the_same_trades_and_figures(
    seed: int, levels: tuple[Any, ...], costs: Costs, timeout: Any
) -> None:
    named = dict(zip(("stop", "target", "trail"), levels, strict=True))
    wait = None if timeout is None else timedelta(minutes=timeout)
    terms = costs.terms(timedelta(minutes=1), **named, timeout=wait)
    assert list(differences(replace(drawn(seed), terms=terms))) == []


def test_what_the_future_holds_never_reaches_the_past() -> None:
    for seed in range(120):
        trial = drawn(seed)
        size = trial.bars.time.size
        cut = size - size // 3
        if cut == size or trial.last is not None:
            continue
        ended = [part[:cut].copy() for part in trial.bars]
        flags = [None if each is None else each[:cut].copy() for each in trial.flags]
        short = replace(trial, bars=Bars(*ended), flags=tuple(flags))
        whole, past = (
            trades[trades["exit_bar"] < cut - 1] for trades in map(traded, (trial, short))
        )
        assert whole.tolist() == past.tolist()


def traded(trial: Trial) -> np.ndarray:
    ground = ground_of(trial.bars, day_ends(trial.bars.time)[1])
    room = room_of(ground, 1, keeps=True)
    ((_, trades),) = trade(ground, batch_of(trial), trial.terms, room, measured=False)
    return trades.copy()


def digest(seeds: range) -> str:
    """Return a hash of what the compiled engine says about trials of at most 200 bars."""
    told = hashlib.sha256()
    for seed in seeds:
        trial = drawn(seed)
        if trial.bars.time.size > 200:
            continue
        ground = ground_of(trial.bars, day_ends(trial.bars.time)[1])
        room = room_of(ground, 1, keeps=True)
        for _, trades in trade(ground, batch_of(trial), trial.terms, room, measured=True):
            told.update(repr(trades.tolist()).encode())
        for part in (room.table, room.marks, room.returns):
            told.update(part.tobytes())
    return told.hexdigest()


def test_all_kernels_together_do_the_same_interpreted() -> None:
    here = digest(range(150))
    code = "import tests.research.engine.test_agreement as t; print(t.digest(range(150)))"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert told.stdout.strip() == here


def same(candles: pl.DataFrame, strategies: list[Any], costs: Costs, **options: Any) -> int:
    """Assert that both engines agree; return how many trades there were."""
    fast, slow = (
        backtest(candles, strategies, costs, engine=engine, **options)
        for engine in ("fast", "reference")
    )
    assert fast.trades.equals(slow.trades)
    assert fast.equity.equals(slow.equity)
    assert fast.metrics.equals(slow.metrics)
    scores = evaluate(Market.of(candles), strategies, costs, **options)
    assert scores.frame().equals(fast.metrics.select(scores.metrics.keys()))
    assert scores.returns.tobytes() == fast.equity["return"].to_numpy().tobytes()
    return fast.trades.height


@pytest.mark.parametrize("costs", [COSTS[1], COSTS[4]])
@pytest.mark.parametrize("holes", ["", "gaps"])
def test_generated_strategies_agree_on_minutes_that_look_real(costs: Costs, holes: str) -> None:
    candles = frame_of(garch(11, 12_000, gaps=bool(holes)), symbol="X-Y", interval="1m")
    assert same(candles, generate(150, 5), costs) > 2_000


def test_generated_strategies_agree_on_bars_of_five_minutes_and_the_better_bound() -> None:
    bars = garch(13, 6_000)
    candles = frame_of(bars._replace(time=START + 5 * (bars.time - START)))
    candles = candles.with_columns(symbol=np.repeat("X-Y", candles.height))
    strategies = generate(80, 6, timeframes=["5m", "15m", "1h", "4h"])
    assert same(candles, strategies, COSTS[3], ambiguous="best") > 500


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_bytes(workers: int) -> None:
    candles = frame_of(garch(17, 5_000), symbol="X-Y", interval="1m")
    strategies = generate(700, 8)
    one, many = (evaluate(Market.of(candles), strategies, workers=n) for n in (1, workers))
    assert one.returns.tobytes() == many.returns.tobytes()
    for name, values in one.metrics.items():
        assert values.tobytes() == many.metrics[name].tobytes()
    alone = evaluate(Market.of(candles), strategies[333:334])
    assert alone.returns.tobytes() == one.returns[333:334].tobytes()


@pytest.mark.real
@pytest.mark.parametrize("costs", [COSTS[1], COSTS[3], COSTS[4]])
def test_generated_strategies_agree_on_recorded_minutes(real_data: Path, costs: Costs) -> None:
    candles = recorded(real_data, "2026-03")
    assert same(candles, generate(120, 21), costs) > 5_000
