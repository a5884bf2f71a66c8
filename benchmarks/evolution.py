"""`python -m benchmarks.evolution`: evolution against drawing at random, at equal evaluations.

On the sandbox's markets, one island for each symbol, a market of another seed for each search.
Both searches see the days before the holdout and are judged by the same score there. Whether a
planted edge was found is asked of days that neither saw: the winner's Sharpe ratio over the year
after must be at least half of what the rule of docs/sandbox.md earns in that year.
"""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from research.backtest import Market, evaluate
from research.evolution.evaluator import MarketEvaluator
from research.evolution.scores import Batch, pooled
from research.evolve import evolve
from research.generate import generate
from research.strategy import Strategy
from research.vetting import held_out_days
from sources.sandbox import markets
from sources.sandbox.symbols import INSTRUMENTS, Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.evolve import Evolution

FIRST, AFTER = 400, 365  # first day of the window since the sandbox's first; days after it
HOLDOUT, MIN_TRADES = 1 / 3, 20
TREND = """long when ema(12) > ema(26) exit when ema(12) < ema(26)
short when ema(12) < ema(26) exit when ema(12) > ema(26) on 15m"""
REVERSION = "long when rsi(14) < 30 exit when rsi(14) > 60 on 15m"
PLANTED = {"TREND1-USDT": Strategy.parse(TREND), "REVERT1-USDT": Strategy.parse(REVERSION)}


class Winner(NamedTuple):
    """The best of one search on one symbol: before the holdout, and in the year after."""

    search: str
    symbol: str
    seed: int
    score: float
    after: float
    found: bool | None  # None where nothing is planted


def market_of(instrument: Instrument, seed: int, first: int, days: int) -> Market:
    """Return days of one of the sandbox's markets."""
    bars = markets.Market(instrument, seed).bars(first, first + days)
    start = markets.ORIGIN + timedelta(days=first)
    times = pl.datetime_range(
        start, start + timedelta(days=days), "1m", closed="left", eager=True, time_unit="us"
    )
    columns = {
        name: getattr(bars, name).ravel() for name in ("open", "high", "low", "close", "volume")
    }
    return Market.of(pl.DataFrame({"open_time": times, **columns}), instrument.symbol)


class Size(NamedTuple):
    """How much is searched, and on how many days, those held out among them."""

    population: int
    generations: int
    days: int
    workers: int


def searched(
    instruments: Sequence[Instrument], seed: int, size: Size
) -> tuple[Evolution, dict[str, tuple[Strategy, float]], dict[str, float]]:
    """Return what evolution found, what drawing as many found by symbol, and seconds of each."""
    days = size.days - held_out_days(size.days, HOLDOUT)
    inside = [market_of(one, seed, FIRST, days) for one in instruments]
    score = MarketEvaluator(inside, workers=size.workers)
    begun = time.perf_counter()
    found = evolve(
        score,
        seed=seed,
        population=size.population,
        generations=size.generations,
        islands=[[symbol] for symbol in score.symbols],
        min_trades=MIN_TRADES,
        patience=None,
    )
    bred = time.perf_counter()
    drawn = generate(found.evaluations // len(instruments) + 1, 10_000 + seed)
    batches = [Batch(symbol, drawn) for symbol in score.symbols]
    best = {}
    for batch, scores in zip(batches, score(batches), strict=True):
        judged = pooled([scores], MIN_TRADES).score
        best[batch.symbol] = drawn[int(np.argmax(judged))], float(judged.max())
    return found, best, {"evolution": bred - begun, "random": time.perf_counter() - bred}


def winners(
    instruments: Sequence[Instrument], seed: int, size: Size
) -> tuple[list[Winner], int, dict[str, float]]:
    """Run both searches with one seed; return their winners, evaluations and seconds."""
    found, drawn, seconds = searched(instruments, seed, size)
    rows = []
    for instrument in instruments:
        symbol = instrument.symbol
        best = max((t for t in found.trials if t.island == symbol), key=lambda t: t.score)
        planted = PLANTED.get(symbol)
        rules = [Strategy.parse(best.text), drawn[symbol][0], *([planted] if planted else [])]
        later = market_of(instrument, seed, FIRST + size.days, AFTER)
        after = evaluate(later, rules).metrics["sharpe"]
        for at, (name, score) in enumerate(
            (("evolution", best.score), ("random", drawn[symbol][1]))
        ):
            hit = bool(after[at] >= after[2] / 2) if planted else None
            rows.append(Winner(name, symbol, seed, score, float(after[at]), hit))
    return rows, found.evaluations, seconds


def table(rows: Sequence[Winner]) -> pl.DataFrame:
    """Return one row for each symbol and search: means over the seeds, and the share found."""
    frame = pl.DataFrame(rows, schema=list(Winner._fields), orient="row")
    return (
        frame.group_by("symbol", "search")
        .agg(
            pl.len().alias("seeds"),
            pl.col("score").mean().round(2).alias("best score, mean"),
            pl.col("after").mean().round(2).alias("a year after, mean"),
            pl.col("found").mean().round(2).alias("found"),
        )
        .sort("symbol", "search")
    )


def better(rows: Sequence[Winner]) -> str:
    """Say how often evolution's best score is above that of the random search."""
    scores = {(row.search, row.symbol, row.seed): row.score for row in rows}
    pairs = [(scores["evolution", *key[1:]], scores[key]) for key in scores if key[0] == "random"]
    wins = sum(bred > drawn for bred, drawn in pairs)
    gain = float(np.mean([bred - drawn for bred, drawn in pairs]))
    return f"evolution's best score is higher in {wins} of {len(pairs)} searches, by {gain:.2f}"


def main() -> None:
    """Run all seeds and print the table."""
    options = _options()
    instruments = [one for one in INSTRUMENTS if one.base in options.markets.split(",")]
    size = Size(options.population, options.generations, options.days, options.workers)
    rows: list[Winner] = []
    evaluations, seconds = 0, {"evolution": 0.0, "random": 0.0}
    for seed in range(options.first, options.first + options.seeds):
        some, count, took = winners(instruments, seed, size)
        rows += some
        evaluations += count
        seconds = {name: seconds[name] + took[name] for name in seconds}
        print(f"seed {seed}: {took['evolution']:.0f} s and {took['random']:.0f} s", flush=True)
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(table(rows))
    print(better(rows))
    print(
        f"{evaluations / options.seeds / len(instruments):.0f} evaluations a symbol and search, "
        f"population {options.population} on {len(instruments)} islands, "
        f"{options.generations} generations, {options.days} days of which a third is held out; "
        "a search took "
        + ", ".join(f"{name} {total / options.seeds:.1f} s" for name, total in seconds.items())
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evolution", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=101, help="the constants were tried on 1 to 8")
    parser.add_argument("--population", type=int, default=500, help="on all islands together")
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--markets", default="TREND1,REVERT1,NOISE1,NOISE2,NOISE3,NOISE4")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
