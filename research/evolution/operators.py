"""The ways in which children are made, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from research.evolution import crossover, mutation
from research.generate import draw
from research.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.draws import Luck

TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h")
FRESH = "fresh"

Make = Callable[["Luck", "Sequence[Strategy]", "Sequence[str]"], Strategy | None]


class Operator(NamedTuple):
    """A way to make a child from so many parents; None where a draw brings nothing."""

    name: str
    parents: int
    make: Make


def _fresh(luck: Luck, _parents: Sequence[Strategy], timeframes: Sequence[str]) -> Strategy:
    return draw(luck, timeframes)


def _of_one(change: Callable[[Luck, Strategy], Strategy | None]) -> Operator:
    return Operator(change.__name__, 1, lambda luck, parents, _: change(luck, parents[0]))


def _of_two(
    cross: Callable[[Luck, Strategy, Strategy], Strategy | None],
) -> Operator:
    return Operator(cross.__name__, 2, lambda luck, parents, _: cross(luck, *parents))


OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        Operator(FRESH, 0, _fresh),
        _of_two(crossover.cross_rules),
        _of_two(crossover.cross_conditions),
        _of_two(crossover.cross_levels),
        _of_two(crossover.cross_sides),
        _of_one(mutation.step_period),
        _of_one(mutation.step_number),
        _of_one(mutation.swap_indicator),
        _of_one(mutation.flip_comparison),
        _of_one(mutation.add_condition),
        _of_one(mutation.drop_condition),
        _of_one(mutation.step_level),
        _of_one(mutation.toggle_level),
        Operator(
            "move_timeframe",
            1,
            lambda luck, parents, timeframes: mutation.move_timeframe(luck, parents[0], timeframes),
        ),
        _of_one(mutation.turn_sides),
    )
}
