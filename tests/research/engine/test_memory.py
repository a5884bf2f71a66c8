"""Memory stays flat in the number of strategies: what grows is the results, sized once."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import gc
from pathlib import Path
from research.backtest import Market, evaluate
from research.generate import generate
from tests.research.engine.minutes import garch
from tests.research.markets import frame_of

def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

market = Market.of(frame_of(garch(1, 20_000), symbol="X-Y", interval="1m"))
drawn = generate(200, 1)
seen = []

def stream(count):
    for i in range(count):
        if i in (4_000, count - 1):
            seen.append(resident())
        yield drawn[i % 200]

scores = evaluate(market, stream(40_000), count=40_000, workers=2)
assert scores.returns[:200].tobytes() == scores.returns[-200:].tobytes()
rows = scores.returns.nbytes + sum(column.nbytes for column in scores.metrics.values())
print(seen[1] - seen[0], rows)
"""


def test_tens_of_thousands_of_strategies_take_no_more_memory_than_their_results() -> None:
    told = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    grown, results = map(int, told.stdout.split())
    assert results < 8 * 2**20
    assert grown < results + 12 * 2**20
