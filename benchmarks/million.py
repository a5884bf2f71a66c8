"""`python -m benchmarks.million`: a million strategies on one market, and the memory they take.

Rules that the generator drew, each with fifty levels, one after the other: every strategy differs
from every other. Prints the rate and the resident memory as
it goes; memory must not grow but for the results, which are sized once.
"""

from __future__ import annotations

import argparse
import copy
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cases import candles, market
from research.backtest import Costs, Market, evaluate
from research.generate import generate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.strategy import Strategy

RULES = 20_000
MIB = 2**20


def main() -> None:
    """Score them, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--strategies", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    one = Market.of(candles(market(days=90)))
    drawn = generate(min(RULES, options.strategies), seed=1)
    evaluate(one, drawn[:200])
    start = time.perf_counter()
    print(f"{resident():8,.0f} MiB before")
    scores = evaluate(
        one,
        _told(drawn, options.strategies, start),
        Costs(funding_bps=1),
        count=options.strategies,
        workers=options.workers,
    )
    took = time.perf_counter() - start
    results = scores.returns.nbytes + sum(each.nbytes for each in scores.metrics.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.strategies:,} strategies in {took:,.0f} s: {options.strategies / took:,.0f}/s")
    print(f"{peak:8,.0f} MiB at most, of them {results / MIB:,.0f} MiB results")


def resident() -> float:
    """Return the memory that is used now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def _told(drawn: list[Strategy], count: int, start: float) -> Iterator[Strategy]:
    """Yield as many strategies, and print now and then how it goes."""
    each = -(-count // len(drawn))
    for i in range(count):
        if i and i % max(count // 20, 1) == 0:
            rate = i / (time.perf_counter() - start)
            print(f"{resident():8,.0f} MiB after {i:,} strategies, {rate:,.0f}/s", flush=True)
        yield _variant(drawn[i // each % len(drawn)], i % each)


def _variant(strategy: Strategy, number: int) -> Strategy:
    """Return the strategy with another stop; its text, which nobody reads here, is left out."""
    if not number:
        return strategy
    other = copy.copy(strategy)
    vars(other).pop("text", None)
    vars(other).pop("id", None)
    object.__setattr__(other, "stop", (50 + number) / 10_000)
    return other


if __name__ == "__main__":
    main()
