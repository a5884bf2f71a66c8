"""Markets score batches alike for any number of workers, without the days held out."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from core.errors import InvalidInput
from research.backtest import Costs, backtest
from research.evolution.evaluator import MarketEvaluator, of_candles
from research.evolution.scores import Batch
from research.evolve import Evolution, evolve
from research.generate import generate
from tests.research.markets import frame_of, random_bars

DAY = 1_440
SYMBOLS = ("AAA-USDT", "BBB-USDT")
COSTS = Costs(fee_bps=2, slippage_bps=1)
CANDLES = pl.concat(
    frame_of(random_bars(seed, 4 * DAY), venue="sandbox", symbol=symbol, interval="1m")
    for seed, symbol in enumerate(SYMBOLS)
)
STRATEGIES = generate(12, 1, timeframes=("1m", "5m"))


def evolved(workers: int) -> Evolution:
    return evolve(
        of_candles(CANDLES, COSTS, workers=workers),
        seed=5,
        population=24,
        generations=3,
        islands=[[symbol] for symbol in SYMBOLS],
        min_trades=5,
        timeframes=("1m", "3m", "5m"),
    )


def test_scores_are_those_of_the_backtest() -> None:
    score = of_candles(CANDLES, COSTS)
    assert score.symbols == SYMBOLS
    batches = [Batch("BBB-USDT", STRATEGIES[:5]), Batch("AAA-USDT", STRATEGIES[3:])]
    result = backtest(CANDLES, STRATEGIES, COSTS)
    for batch, scores in zip(batches, score(batches), strict=True):
        expected = result.daily_returns()
        for strategy, returns in zip(batch.strategies, scores.returns, strict=True):
            assert returns.tolist() == expected[strategy.id, batch.symbol].tolist()


def test_the_days_held_out_are_never_seen() -> None:
    last = pl.col("open_time").dt.date() >= CANDLES["open_time"].max().date()  # type: ignore[union-attr]
    spoiled = CANDLES.with_columns(
        pl.when(last).then(pl.col(name) * 3).otherwise(pl.col(name)).alias(name)
        for name in ("open", "high", "low", "close")
    )
    batches = [Batch(SYMBOLS[0], STRATEGIES)]
    clean, dirty = (of_candles(c, COSTS, held_out=1)(batches)[0] for c in (CANDLES, spoiled))
    whole = of_candles(CANDLES, COSTS)(batches)[0]
    assert clean.returns.tobytes() == dirty.returns.tobytes()
    assert clean.returns.shape[1] == whole.returns.shape[1] - 1


def test_one_and_two_workers_breed_the_same_population() -> None:
    one, two = evolved(1), evolved(2)
    assert one.population == two.population
    assert one.trials == two.trials


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: of_candles(CANDLES)([Batch("CCC-USDT", STRATEGIES)]), "was 'CCC-USDT'"),
        (lambda: of_candles(CANDLES, workers=0), "at least 1 worker"),
        (lambda: MarketEvaluator([]), "markets that end on one day"),
        (lambda: of_candles(CANDLES, held_out=99), "markets that end on one day"),
        (lambda: of_candles(lopsided("<")), "markets that end on one day"),
    ],
)
def test_what_cannot_be_scored_is_refused(make, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def test_a_market_that_was_listed_later_earned_nothing_before() -> None:
    score = of_candles(lopsided(">="), COSTS)
    found = evolve(score, seed=1, population=8, generations=1, islands=[SYMBOLS], min_trades=5)
    assert all(trial.daily_returns.shape == (2, 4) for trial in found.trials)
    assert not any(trial.daily_returns[1, :2].any() for trial in found.trials)
    assert any(trial.daily_returns[1, 2:].any() for trial in found.trials)


def lopsided(side: str) -> pl.DataFrame:
    """Return the candles with only the first or the last days of the second symbol."""
    middle = CANDLES["open_time"].min() + timedelta(days=2)  # type: ignore[operator]
    part = pl.col("open_time") < middle if side == "<" else pl.col("open_time") >= middle
    return CANDLES.filter((pl.col("symbol") == SYMBOLS[0]) | part)
