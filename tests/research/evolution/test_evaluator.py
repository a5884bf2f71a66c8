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
        (lambda: MarketEvaluator([]), "markets of the same days"),
        (lambda: of_candles(CANDLES, held_out=99), "markets of the same days"),
        (lambda: of_candles(lopsided()), "markets of the same days"),
    ],
)
def test_what_cannot_be_scored_is_refused(make, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def lopsided() -> pl.DataFrame:
    late = CANDLES["open_time"].min() + timedelta(days=2)  # type: ignore[operator]
    return CANDLES.filter((pl.col("symbol") == SYMBOLS[0]) | (pl.col("open_time") >= late))
