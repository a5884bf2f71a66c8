"""What indicators and conditions cost, apart from any engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import MINUTE
from benchmarks.report import Section, number
from benchmarks.timing import Timing, best, timed, turn
from research.expressions import Comparison, Reading, walk
from research.indicators import INDICATORS, values
from research.signals import Workspace
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from research.bars import Bars
    from research.expressions import Condition

PERIODS = range(10, 50, 2)
LIMITS = range(20, 60)

# Kinds of conditions, each in as many variants as there are numbers to put in.
KINDS = {
    "indicator and number: `rsi(14) < 31`": ("rsi(14) < {}", LIMITS),
    "two indicators: `ema(31) > sma(50)`": ("ema({}) > sma(50)", PERIODS),
    "cross: `crosses_above(ema(31), sma(50))`": ("crosses_above(ema({}), sma(50))", PERIODS),
    "arithmetic: `close < 1.31 * sma(50)`": ("close < 1.{} * sma(50)", LIMITS),
    "`and` of two known": ("rsi(14) < {0} and ema({0}) > sma(50)", PERIODS),
}
TIMEFRAMES = ("1m", "15m", "4h")


def indicators(bars: Bars, rounds: int) -> Section:
    """Time every indicator with its usual parameters on one-minute bars."""
    found = []
    for name, indicator in INDICATORS.items():
        params = tuple(parameter.default for parameter in indicator.parameters)
        timing = best(turn(_computing(name, params, bars), 0.02) for _ in range(rounds))
        written = ", ".join(f"{value:g}" for value in params)
        found.append((timing.cpu / bars.time.size * 1e9, f"`{name}({written})`"))
    found.sort()
    section = Section("Indicators", INDICATORS_TEXT.format(bars=f"{bars.time.size:,}"))
    half = -(-len(found) // 2)
    cells = [[name, number(cost)] for cost, name in found] + [["", ""]] * (len(found) % 2)
    rows = [[*cells[i], *cells[i + half]] for i in range(half)]
    section.table(["indicator", "ns per bar", "indicator", "ns per bar"], rows)
    return section


def conditions(bars: Bars, rounds: int) -> Section:
    """Time conditions whose indicators are already known."""
    rows = []
    for kind, (text, numbers) in KINDS.items():
        row = [kind]
        for timeframe in TIMEFRAMES:
            rules = [_rule(text.format(each), timeframe) for each in numbers]
            timing = best(_deciding(bars, timeframe, rules) for _ in range(rounds))
            row.append(number(timing.cpu / len(rules) * 1e6))
        rows.append(row)
    section = Section("Conditions", CONDITIONS_TEXT.format(bars=f"{bars.time.size:,}"))
    section.table(["condition", *(f"on {timeframe}" for timeframe in TIMEFRAMES)], rows)
    return section


def _computing(name: str, params: tuple[float, ...], bars: Bars) -> Callable[[], np.ndarray]:
    return lambda: values(name, params, bars)


def _rule(text: str, timeframe: str) -> Condition:
    strategy = Strategy.parse(f"long when {text}\nstop 1%\non {timeframe}")
    if strategy.long is None:
        raise ValueError(f"expected a rule to enter long, was {text}")
    return strategy.long.entry


def _deciding(bars: Bars, timeframe: str, rules: Sequence[Condition]) -> Timing:
    """Return the time of all rules, their parts known and they themselves not."""
    workspace = Workspace(bars, MINUTE)
    for rule in rules:
        _know(workspace, timeframe, rule)
    return timed(lambda: _decide(workspace, timeframe, rules))[0]


def _decide(workspace: Workspace, timeframe: str, rules: Sequence[Condition]) -> None:
    for rule in rules:
        workspace.bits(timeframe, rule)


def _know(workspace: Workspace, timeframe: str, rule: Condition) -> None:
    """Compute what a rule is made of: its indicators, and the two sides of an `and`."""
    for part in walk(rule):
        if isinstance(part, Reading):
            workspace.values(timeframe, part)
        elif isinstance(part, Comparison) and part is not rule:
            workspace.bits(timeframe, part)


INDICATORS_TEXT = """\
Nanoseconds of processor time per bar, each alone with its usual parameters on {bars} one-minute
bars. A market keeps what was computed: strategies that share an indicator pay for it once."""

CONDITIONS_TEXT = """\
Microseconds of processor time for one condition over {bars} one-minute bars, from indicators that
are known to flags that an engine reads; strategies that share a condition pay for it once."""
