"""Many strategies of the strategy language on one market: from candles to the metrics table."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cases import candles, market
from benchmarks.engines import DEFAULT, NAMES
from benchmarks.report import Section, number
from benchmarks.timing import Timing, best, timed
from research.backtest import Market, backtest, evaluate
from research.expressions import Reading, walk
from research.generate import generate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from research.strategy import Strategy

SEED = 11
READY = 500  # strategies whose time is asked for
PATIENCE = 20.0  # seconds that one engine may take for one figure of a scaling


class Plan(NamedTuple):
    """How much is measured."""

    days: int
    rounds: int
    strategies: Sequence[int]
    spans: Sequence[int]  # days


FULL = Plan(90, 7, (10, 100, 1_000, 10_000, 100_000), (30, 90, 365, 730))
QUICK = Plan(90, 3, (10, 100, 1_000), (30, 90))


def population(plan: Plan) -> Section:
    """Time the ready-made strategies, whole and in parts."""
    strategies = generate(READY, SEED)
    frame = candles(market(plan.days))
    scored = {name: _best(frame, strategies, name, plan.rounds) for name in NAMES}
    rows = [
        [f"candles to metrics, {name} engine", *_cells(timing)] for name, timing in scored.items()
    ]
    parts = [_parts(frame, strategies) for _ in range(plan.rounds)]
    rows += [
        [f"of these: {name}", *_cells(best(part[name] for part in parts))] for name in parts[0]
    ]
    tabled = best(timed(lambda: backtest(frame, strategies))[0] for _ in range(plan.rounds))
    rows.append([f"with frames of trades and equity, {DEFAULT} engine", *_cells(tabled)])
    section = Section(f"{READY} ready-made strategies", READY_TEXT.format(bars=f"{frame.height:,}"))
    took = scored[DEFAULT].cpu * 1e3
    section.short.append(
        f"{READY} strategies x {plan.days} days, candles to metrics table: {number(took)} ms"
    )
    section.table(["", "processor, ms", "wall, ms"], rows)
    return section


def scaling(plan: Plan) -> Section:
    """Time more and more strategies, then more and more days."""
    section = Section("Scaling", SCALING_TEXT)
    frame, every = candles(market(plan.days)), generate(max(plan.strategies), SEED)
    rows = _growing([(f"{count:,}", frame, every[:count]) for count in plan.strategies])
    section.table([f"strategies, {plan.days} days", *SCALED], rows)
    spans = [(f"{days}", candles(market(days)), every[:READY]) for days in plan.spans]
    section.table([f"days, {len(every[:READY])} strategies", *SCALED], _growing(spans))
    section.table(["", "MiB"], [["most memory of the run so far", f"{_memory():,.0f}"]])
    return section


def score(frame: pl.DataFrame, strategies: Sequence[Strategy], engine: str) -> pl.DataFrame:
    """Return the metrics table, from candles on: nothing is known of the market before."""
    return evaluate(Market.of(frame), strategies, engine=engine).frame()


def _best(frame: pl.DataFrame, strategies: Sequence[Strategy], engine: str, rounds: int) -> Timing:
    return best(timed(lambda: score(frame, strategies, engine))[0] for _ in range(rounds))


def _parts(frame: pl.DataFrame, strategies: Sequence[Strategy]) -> dict[str, Timing]:
    """Time the steps to signals one after the other; the engine has what is left."""
    made, known = timed(lambda: Market.of(frame))
    rules = [(one.timeframe, rule) for one in strategies for rule in one.rules()]
    readings = {
        (timeframe, part)
        for timeframe, rule in rules
        for part in walk(rule)
        if isinstance(part, Reading)
    }

    def indicators() -> None:
        for timeframe, reading in readings:
            known.workspace.values(timeframe, reading)

    def conditions() -> None:
        for timeframe, rule in rules:
            known.workspace.bits(timeframe, rule)

    return {
        "bars checked and laid out": made,
        f"{len(readings)} indicators": timed(indicators)[0],
        f"conditions of {len(rules):,} rules": timed(conditions)[0],
    }


def _growing(cases: Sequence[tuple[str, pl.DataFrame, Sequence[Strategy]]]) -> list[list[str]]:
    """Return one row per case; an engine that became too slow is not asked again."""
    rows = []
    patient = dict.fromkeys(NAMES, True)
    for label, frame, strategies in cases:
        row = [label]
        for name in NAMES:
            if not patient[name]:
                row += ["", ""]
                continue
            timing = _best(frame, strategies, name, rounds=2 if len(strategies) < 5_000 else 1)
            patient[name] = timing.wall < PATIENCE / 10 or name == DEFAULT
            row += [number(timing.cpu), _per(timing, frame, strategies)]
        rows.append(row)
    return rows


def _per(timing: Timing, frame: pl.DataFrame, strategies: Sequence[Strategy]) -> str:
    return number(timing.cpu / (frame.height * len(strategies)) * 1e9)


def _cells(timing: Timing) -> tuple[str, str]:
    return number(timing.cpu * 1e3), number(timing.wall * 1e3)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SCALED = [cell for name in NAMES for cell in (f"{name}, s", "ns per bar and strategy")]

READY_TEXT = """\
`generate({count}, ...)` on {bars} one-minute bars of one symbol, one core, warm: kernels are
compiled, but nothing of the market is known. From candles in memory to the metrics table,
indicators and conditions included; the strategies are parsed.""".replace("{count}", str(READY))

SCALING_TEXT = """\
Seconds of processor time from candles to the metrics table, as above. An engine that took long for
one figure is not asked for the next. An engine's time per bar falls as strategies come to share
indicators and conditions."""
