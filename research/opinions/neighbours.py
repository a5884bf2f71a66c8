"""Strategies a step away from one, and whether it stands on a plateau or on a needle.

A rule that earns with an average of 26 bars and loses with 24 or 29 was fitted to what happened.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InvalidInput
from research.evolution.anatomy import LEVELS, SIDES, Place, filled, rules_of, spots, swapped
from research.evolution.anatomy import is_leaf as is_comparison
from research.evolution.mirror import CENTRED
from research.evolution.scores import sharpes
from research.expressions import Number, Prev, Reading, walk
from research.indicators import INDICATORS
from research.opinions.model import Opinion
from research.opinions.replay import variants
from research.strategy import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from research.costs import Costs
    from research.declarations import Parameter
    from research.evolution.anatomy import Rules
    from research.expressions import Node
    from research.market import Market
    from research.opinions.model import Winner
    from research.strategy import Strategy

STEP = 0.1  # of a number; a whole one moves by at least 1
LEAST_PLATEAU = 1.0 / 3.0  # of the ratio, for the middle neighbour
_MOST_OSCILLATOR = 99.0


def plateau(winner: Winner, markets: Mapping[str, Market], costs: Costs) -> Opinion:
    """Hold back a winner whose middle neighbour has less than a third of its Sharpe ratio.

    The neighbours of every rule are set against that rule, wherever it is traded, and all of them
    are looked at together.
    """
    shares: list[float] = []
    for strategy in dict.fromkeys(leg.strategy for leg in winner.legs):
        places = [leg for leg in winner.legs if leg.strategy == strategy]
        near = list(neighbours(strategy))
        own, *others = sharpes(variants([strategy, *near], places, markets, costs)).tolist()
        shares += [other / own if own > 0 else 0.0 for other in others]
    if not shares:
        return Opinion("plateau", None, None, None, "It has no number that could be moved.")
    middle = float(np.median(shares))
    return Opinion(
        "plateau",
        middle,
        LEAST_PLATEAU,
        middle >= LEAST_PLATEAU,
        f"With one of its numbers moved by a tenth it keeps {middle:.0%} of its Sharpe ratio in "
        f"the middle case of {len(shares)}, and {min(shares):.0%} in the worst; a third in the "
        "middle is needed.",
    )


def neighbours(strategy: Strategy) -> Iterator[Strategy]:
    """Yield the strategies with one number a step up or down, each once, never the same one.

    An indicator that stands in several places is one: it moves in all of them. Timeframes are
    no numbers, and a 0 has no tenth.
    """
    seen = {strategy}
    for neighbour in _all(strategy):
        if neighbour not in seen:
            seen.add(neighbour)
            yield neighbour


def _all(strategy: Strategy) -> Iterator[Strategy]:
    rules = rules_of(strategy)
    for old in dict.fromkeys(part for rule in rules.values() for part in walk(rule)):
        for new in _moved(old):
            yield from _with_rules(strategy, _everywhere(rules, old, new))
    yield from _thresholds(strategy, rules)
    for name in LEVELS:
        level = getattr(strategy, name)
        if level is not None:
            for value in _scaled(level):
                yield from _made(strategy, **{name: round(value, 6)})
    if strategy.timeout is not None:
        bars = max(1, strategy.timeout // strategy.step)
        for count in _counted(bars):
            yield from _made(strategy, timeout=count * strategy.step)


def _moved(part: Node) -> Iterator[Node]:
    """Yield an indicator with one of its parameters moved, or a look back of another length."""
    if isinstance(part, Prev):
        for bars in _counted(part.bars):
            yield Prev(part.operand, bars)
    if isinstance(part, Reading):
        indicator = INDICATORS[part.name]
        for which, parameter in enumerate(indicator.parameters):
            for value in _of_parameter(parameter, part.params[which]):
                params = (*part.params[:which], value, *part.params[which + 1 :])
                if indicator.ordered(params):
                    yield Reading(part.name, indicator.checked(params), part.source)


def _thresholds(strategy: Strategy, rules: Rules) -> Iterator[Strategy]:
    """Yield the strategy with one literal moved; beside an oscillator it stays in its range."""
    for spot in spots(rules, is_comparison):
        inside = list(walk(spot.part))
        bounded = any(isinstance(part, Reading) and part.name in CENTRED for part in inside)
        for old in dict.fromkeys(part for part in inside if isinstance(part, Number)):
            for value in _scaled(old.value):
                new = Number(min(value, _MOST_OSCILLATOR) if bounded else value)
                leaf = swapped(spot.part, old, new)
                yield from _with_rules(strategy, filled(rules, spot, leaf))


def _of_parameter(parameter: Parameter, value: float) -> Iterator[float]:
    for other in _counted(int(value)) if parameter.whole else _scaled(value):
        if parameter.accepts(other):
            yield other


def _scaled(value: float) -> tuple[float, ...]:
    """Return a number a tenth up and down, with the digits a person would write."""
    return tuple(float(f"{value * by:.3g}") for by in (1.0 + STEP, 1.0 - STEP)) if value else ()


def _counted(value: int) -> tuple[int, ...]:
    step = max(1, round(value * STEP))
    return tuple(other for other in (value + step, value - step) if other >= 1)


def _everywhere(rules: Rules, old: Node, new: Node) -> Rules:
    return {place: swapped(rule, old, new) for place, rule in rules.items()}


def _with_rules(strategy: Strategy, rules: Rules) -> Iterator[Strategy]:
    sides: dict[str, Side] = {}
    for name in SIDES:
        entry = rules.get(Place(name, "entry"))
        if entry is not None:
            sides[name] = Side(entry, rules.get(Place(name, "exit")))
    yield from _made(strategy, **sides)


def _made(strategy: Strategy, **changes: Any) -> Iterator[Strategy]:
    """Yield the changed strategy where the language allows it."""
    try:
        yield replace(strategy, **changes)
    except InvalidInput:
        return
