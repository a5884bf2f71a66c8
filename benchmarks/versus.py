"""Our engines beside vectorbt and backtesting.py: the same trades, then the time they take."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cases import Case, Rules, case, market, wild
from benchmarks.child import Child
from benchmarks.contest import TITLES, WHAT, checked, figures, header, measured, ratios
from benchmarks.report import Section, ratio
from research.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.agreement import Compared
    from research.bars import Bars

FREE = Costs(fee_bps=0, slippage_bps=0)

FEW = Rules("stop and target, few trades", 2_000, stop=0.02, target=0.04)
MANY = Rules("stop and target, many trades", 100, stop=0.003, target=0.006)
TIMED = (
    FEW,
    MANY,
    Rules("signals alone, few trades", 2_000),
    Rules("signals alone, many trades", 100),
)
# What is only compared: each way a trade can end, both sides, with costs and without.
WILD = 20_000  # bars
COMPARED = (
    Rules("stop and target", 20, stop=0.005, target=0.01),
    Rules("short, stop and target", 20, stop=0.005, target=0.01, side="short"),
    Rules("signals alone", 20),
    Rules("short, signals alone", 20, side="short"),
    Rules("trail", 20, trail=0.005),
    Rules("short, trail and target", 20, trail=0.005, target=0.01, side="short"),
    Rules("stop within the slippage", 20, stop=0.0004, target=0.002),
    Rules("stop, no costs", 20, stop=0.005, costs=FREE),
    Rules("target, no costs", 20, target=0.005, costs=FREE),
)
PLAIN = (
    Rules("stop and target, no costs", 2_000, stop=0.02, target=0.04, costs=FREE),
    Rules("stop and target, many trades, no costs", 100, stop=0.003, target=0.006, costs=FREE),
    Rules("short, stop and target, no costs", 200, 0.005, 0.01, side="short", costs=FREE),
)


class Plan(NamedTuple):
    """How much is measured."""

    days: int
    strategies: int
    compared: int  # strategies of the cases that are only compared
    slow: int  # strategies that backtesting.py gets
    rounds: int
    timed: Sequence[Rules]
    what: Sequence[str]


FULL = Plan(90, strategies=50, compared=10, slow=2, rounds=3, timed=TIMED, what=tuple(WHAT))
QUICK = Plan(90, 50, compared=2, slow=1, rounds=2, timed=(FEW,), what=("simulate", "own_metrics"))


def versus(plan: Plan, peers: Sequence[str], folder: Path) -> list[Section]:
    """Compare and time; returns what to report.

    Raises:
        Disagreement: Engines did not give the same trades; nothing more is timed then.
    """
    bars, odd = market(plan.days), wild(WILD)
    same = Section("The same trades", SAME.format(bars=f"{bars.time.size:,}", wild=f"{WILD:,}"))
    speed = Section("Side by side", SPEED.format(bars=f"{bars.time.size:,}", plan=plan))
    vectorbt = [name for name in peers if name.startswith("vectorbt")]
    with ExitStack() as stack:
        children = [stack.enter_context(Child(name, folder)) for name in vectorbt]
        _compare(odd, plan, children, folder, same)
        _time(bars, plan, children, folder, (same, speed))
    if "backtesting" in peers:
        with Child("backtesting", folder) as child:
            _backtesting(bars, plan, child, folder, (same, speed))
    return [same, speed]


def _compare(
    bars: Bars, plan: Plan, children: Sequence[Child], folder: Path, section: Section
) -> None:
    rows = []
    for rules in COMPARED:
        made = case(bars, rules, plan.compared)
        runners, compared = checked(made, children, folder)
        rows.append(_row(made, compared))
    section.table(AGREED, rows, _named([runner.name for runner in runners]))


def _time(
    bars: Bars,
    plan: Plan,
    children: Sequence[Child],
    folder: Path,
    sections: tuple[Section, Section],
) -> None:
    agreed, timed = [], []
    for made in _timed(bars, plan):
        runners, compared = checked(made, children, folder)
        agreed.append(_row(made, compared))
        for what in plan.what:
            found = measured(runners, what, plan.rounds)
            timed.append([made.rules.name, WHAT[what], *figures(found, made)])
            sections[1].short.append(_short(made, what, ratios(found)))
    names = [runner.name for runner in runners]
    sections[0].table(AGREED, agreed, _named(names, METRICS_NOTE))
    sections[1].table(["case", "", *header(names)], timed, SPEED_NOTE)


def _timed(bars: Bars, plan: Plan) -> Iterator[Case]:
    for rules in plan.timed:
        yield case(bars, rules, plan.strategies)
    columns = case(bars, plan.timed[0], plan.strategies).by_columns()
    yield columns._replace(rules=replace(columns.rules, name=f"{columns.rules.name}, by columns"))


def _backtesting(
    bars: Bars, plan: Plan, child: Child, folder: Path, sections: tuple[Section, Section]
) -> None:
    agreed, timed = [], []
    for rules in PLAIN:
        made = case(bars, rules, plan.slow)
        runners, compared = checked(made, [child], folder)
        agreed.append(_row(made, compared))
        if rules.side == "long":
            found = measured(runners, "own_metrics", rounds=2)
            timed.append([rules.name, WHAT["own_metrics"], *figures(found, made)])
    names = [runner.name for runner in runners]
    sections[0].table(AGREED, agreed, _named(names))
    sections[1].table(["case", "", *header(names)], timed, PLAIN_NOTE)


def _short(made: Case, what: str, times: dict[str, float]) -> str:
    against = ", ".join(f"{ratio(value)} {TITLES[name]}" for name, value in times.items())
    size = f"{made.entries.shape[0]:,} x {made.strategies}"
    return f"{size}, {made.rules.name}, {WHAT[what]}: {against or 'nobody to compare with'}"


def _row(made: Case, compared: dict[str, Compared]) -> list[str]:
    """Return one row for a case: the largest difference that any engine showed."""
    apart = [(found.price, *found.figures.values()) for found in compared.values()]
    return [
        made.rules.name,
        str(made.strategies),
        f"{next(iter(compared.values())).trades:,}",
        str(made.dropped),
        *(f"{value:.0e}" if value else "0" for value in map(max, zip(*apart, strict=True))),
    ]


def _named(names: Sequence[str], note: str = "") -> str:
    return f"Compared: {'; '.join(TITLES[name] for name in names)}. {note}".strip()


AGREED = [
    "case",
    "strategies",
    "trades",
    "dropped",
    "price",
    "total return",
    "Sharpe",
    "drawdown",
]

SAME = """\
Each engine gets the same two matrices of booleans, {bars} one-minute bars by strategies, and must
give the reference engine's trades: the same bars, the same reasons, prices within 1e-9 (relative).
Otherwise the run ends here. The last columns are the largest differences found. "Dropped" are the
entries on which the contracts differ, as docs/fills.md says. The first table is of {wild} bars with
gaps in price and time, flat bars and equal prices; its market is there for nothing but this."""

METRICS_NOTE = """\
vectorbt books a fill at the next open one row early, with the close on which it was decided. That
row can be a day's last, or a peak: hence its daily Sharpe and its drawdown differ a little."""

SPEED = """\
Nanoseconds of processor time per bar and strategy, {bars} bars by {plan.strategies} strategies, one
core each, best of {plan.rounds} interleaved rounds. All start from boolean matrices in memory and
pay for reading them; a matrix lies bar by bar, as numpy makes it, or by columns, as pandas does.
"Simulate only" ends with the trades; "with metrics" adds total return, daily Sharpe and maximum
drawdown, and for ours all other figures of docs/metrics.md. The fee is 10 bps, slippage 5 bps a
side; entries and exits come every 2,000 bars (few) or every 100 bars (many). "Ours" has checked
and laid out its bars before, once for all that is asked of a market; "from candles" does so in
every call."""

SPEED_NOTE = """\
"With metrics" asks vectorbt for them as its users do: `total_return()`, the Sharpe ratio of
`value()` at each day's end, `max_drawdown()`. "Lean" takes one `value()` and makes all three in
numpy, the fastest way found. Its rust engine is optional and comes as a package of its own."""

PLAIN_NOTE = """\
backtesting.py calls Python on every bar and always makes its figures; it gets fewer strategies, and
no costs, since it knows no slippage on the way out."""
