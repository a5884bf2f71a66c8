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

from benchmarks.report import Section, number
from research.backtest import Market, evaluate
from research.evolution.evaluator import MarketEvaluator
from research.evolution.scores import Batch, pooled
from research.evolve import evolve
from research.generate import generate
from research.strategy import Strategy
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


WHAT = ("score", "after", "found")


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

    population: int  # on all islands together
    generations: int
    days: int
    workers: int


class Plan(NamedTuple):
    """Which searches are run."""

    seeds: Sequence[int]
    markets: Sequence[str]
    size: Size


SIZE = Size(population=500, generations=8, days=90, workers=1)
FULL = Plan(
    range(101, 121),  # the search's constants were tried on 1 to 8
    ("TREND1", "REVERT1", "NOISE1", "NOISE2", "NOISE3", "NOISE4"),
    SIZE,
)
QUICK = Plan(range(101, 103), ("TREND1", "NOISE1"), SIZE)


def searched(
    instruments: Sequence[Instrument], seed: int, size: Size
) -> tuple[Evolution, dict[str, tuple[Strategy, float]], dict[str, float]]:
    """Return what evolution found, what drawing as many found by symbol, and seconds of each."""
    days = size.days - round(size.days * HOLDOUT)
    inside = [market_of(one, seed, FIRST, days) for one in instruments]
    score = MarketEvaluator(inside, workers=size.workers)
    begun = time.process_time()
    found = evolve(
        score,
        seed=seed,
        population=size.population,
        generations=size.generations,
        islands=[[symbol] for symbol in score.symbols],
        min_trades=MIN_TRADES,
        patience=None,
    )
    bred = time.process_time()
    drawn = generate(found.evaluations // len(instruments) + 1, 10_000 + seed)
    batches = [Batch(symbol, drawn) for symbol in score.symbols]
    best = {}
    for batch, scores in zip(batches, score(batches), strict=True):
        judged = pooled([scores], MIN_TRADES).score
        best[batch.symbol] = drawn[int(np.argmax(judged))], float(judged.max())
    return found, best, {"evolution": bred - begun, "random": time.process_time() - bred}


def winners(
    instruments: Sequence[Instrument], seed: int, size: Size
) -> tuple[list[Winner], int, dict[str, float]]:
    """Run both searches with one seed; return winners, evaluations and seconds."""
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


def evolution(plan: Plan) -> Section:
    """Run both searches with every seed; return what each found and what it took."""
    rows: list[Winner] = []
    evaluations, seconds = 0, {"evolution": 0.0, "random": 0.0}
    for seed in plan.seeds:
        some, count, took = winners(_instruments(plan.markets), seed, plan.size)
        rows += some
        evaluations += count
        seconds = {name: seconds[name] + took[name] for name in seconds}
    section = Section(
        "Evolution beside drawing at random",
        TEXT.format(
            size=plan.size,
            seeds=f"{min(plan.seeds)} to {max(plan.seeds)}",
            after=AFTER,
            each=evaluations // (len(rows) // 2),
        ),
    )
    section.table(HEADER, table(rows), better(rows))
    took_each = [[name, number(total / len(plan.seeds))] for name, total in seconds.items()]
    section.table(["search of all markets", "processor, s"], took_each)
    section.short.append(better(rows))
    return section


def table(rows: Sequence[Winner]) -> list[list[str]]:
    """Return one row for each symbol: means over the seeds, and the share found."""
    cells = []
    for symbol in dict.fromkeys(row.symbol for row in rows):
        row = [symbol]
        for search in ("evolution", "random"):
            of = [one for one in rows if (one.symbol, one.search) == (symbol, search)]
            found = [one.found for one in of if one.found is not None]
            row += [f"{np.mean([one.score for one in of]):.2f}"]
            row += [f"{np.mean([one.after for one in of]):.2f}"]
            row += [f"{sum(found)} of {len(found)}" if found else ""]
        cells.append(row)
    return cells


def better(rows: Sequence[Winner]) -> str:
    """Say how often evolution's best score is above that of the random search."""
    scores = {(row.search, row.symbol, row.seed): row.score for row in rows}
    pairs = [(scores["evolution", *key[1:]], scores[key]) for key in scores if key[0] == "random"]
    wins = sum(bred > drawn for bred, drawn in pairs)
    gain = float(np.mean([bred - drawn for bred, drawn in pairs]))
    seeds = len({row.seed for row in rows})
    return (
        f"evolution beside random search, equal evaluations, {seeds} seeds: its best score is "
        f"higher in {wins} of {len(pairs)} searches, by {gain:.2f} on average"
    )


def main() -> None:
    """Run all seeds and print the tables."""
    options = _options()
    size = Size(options.population, options.generations, options.days, options.workers)
    seeds = range(options.first, options.first + options.seeds)
    section = evolution(Plan(seeds, tuple(options.markets.split(",")), size))
    print("\n".join([*section.short, section.text]))


def _instruments(markets_: Sequence[str]) -> list[Instrument]:
    return [one for one in INSTRUMENTS if one.base in markets_]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evolution", description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(FULL.seeds))
    parser.add_argument("--first", type=int, default=FULL.seeds[0])
    parser.add_argument("--population", type=int, default=SIZE.population, help="on all islands")
    parser.add_argument("--generations", type=int, default=SIZE.generations)
    parser.add_argument("--days", type=int, default=SIZE.days)
    parser.add_argument("--markets", default=",".join(FULL.markets))
    parser.add_argument("--workers", type=int, default=SIZE.workers)
    return parser.parse_args()


HEADER = [
    "market",
    *(f"{search}, {what}" for search in ("evolution", "random") for what in WHAT),
]

TEXT = """\
Both searches score {each:,} strategies on each market, {size.days} days of which a third is held
out, and on a market of another seed each time: evolution breeds {size.population} on all islands
together over {size.generations} generations, the other draws as many. "Score" is the best Sharpe
ratio on the days that both saw, lowered for few trades; "after" is the winner's Sharpe ratio in
the {after} days that neither saw; means over seeds {seeds}, on which no constant was tried.
"Found" counts the winners that then earned at least half of what the rule of docs/sandbox.md
earns, where a market has an edge. A high score is not an edge: that is what vetting is for."""


if __name__ == "__main__":
    main()
