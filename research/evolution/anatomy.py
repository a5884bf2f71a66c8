"""Strategies taken apart and put together again, within what a bred strategy may be.

The language allows more than is worth breeding: a child keeps within `MOST_CONDITIONS` in each
rule and `DEEPEST_RULE` levels, and always has a way out of every position it can enter.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from core.errors import InvalidInput
from research.expressions import (
    LEAVES,
    REMEMBERED,
    Condition,
    Node,
    children,
    depth,
    leaves,
    over,
    walk,
)
from research.strategy import MOST_LEVEL, Side, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

SIDES: tuple[SideName, ...] = ("long", "short")
LEVELS = ("stop", "target", "trail")
_FIELDS = ("timeframe", *SIDES, *LEVELS, "timeout")

MOST_CONDITIONS = 5  # in one rule
DEEPEST_RULE = 12  # levels of one rule
LAST_RESORT = 48  # bars after which a position ends that nothing else would end

SideName = Literal["long", "short"]
_Node = TypeVar("_Node", bound=Node)


class Place(NamedTuple):
    """Where a rule stands: `long` or `short`, `entry` or `exit`."""

    side: SideName
    kind: Literal["entry", "exit"]

    @property
    def joint(self) -> str:
        """How conditions of such a rule are joined: all to enter, any to leave."""
        return "and" if self.kind == "entry" else "or"


Rules = dict[Place, Condition]

_PLACES = tuple((name, Place(name, "entry"), Place(name, "exit")) for name in SIDES)


class Spot(NamedTuple):
    """A part of a strategy's rules: in which it stands, its index in `walk`, and what it is."""

    place: Place
    at: int
    part: Any


def spots(rules: Rules, fits: Callable[[Node], bool]) -> list[Spot]:
    """Return where the parts stand that fit, in the order in which they are written."""
    return [
        Spot(place, at, part) for place, rule in rules.items() for at, part in _fitting(rule, fits)
    ]


@lru_cache(REMEMBERED)
def _fitting(rule: Condition, fits: Callable[[Node], bool]) -> tuple[tuple[int, Node], ...]:
    return tuple([(at, part) for at, part in enumerate(walk(rule)) if fits(part)])


def is_leaf(part: Node) -> bool:
    """Tell whether a part is a comparison or a cross."""
    return type(part) in LEAVES


def filled(rules: Rules, spot: Spot, new: Node) -> Rules:
    """Return the rules with another part in that spot."""
    return rules | {spot.place: put(rules[spot.place], spot.at, new)}


def swapped(node: _Node, old: Node, new: Node) -> _Node:
    """Return the tree with another part wherever the old one stands."""
    if node == old:
        return new  # type: ignore[return-value] # a part is replaced by one of its own kind
    if old not in walk(node):
        return node
    return over(node, [swapped(part, old, new) for part in children(node)])


def put(node: _Node, at: int, new: Node) -> _Node:
    """Return the tree with another part at one place, its index in `walk`."""
    if at == 0:
        return new  # type: ignore[return-value] # as above
    below = list(children(node))
    first = 1  # of the part at hand
    for which, part in enumerate(below):
        if at < first + len(walk(part)):
            below[which] = put(part, at - first, new)
            break
        first += len(walk(part))
    return over(node, below)


def rules_of(strategy: Strategy) -> Rules:
    """Return the rules that a strategy has, in the order in which it is written."""
    rules: Rules = {}
    for name, entry, way_out in _PLACES:
        side: Side | None = getattr(strategy, name)
        if side is not None:
            rules[entry] = side.entry
            if side.exit is not None:
                rules[way_out] = side.exit
    return rules


def with_rules(strategy: Strategy, rules: Rules) -> Strategy | None:
    """Return the strategy with other rules; None where a child may not be so."""
    sides = {
        name: Side(rules[entry], rules.get(way_out)) if entry in rules else None
        for name, entry, way_out in _PLACES
    }
    return bred(strategy, **sides)


def bred(strategy: Strategy, **changes: Any) -> Strategy | None:
    """Return the strategy with other fields, always with a way out; None where it may not be."""
    fields = {name: getattr(strategy, name) for name in _FIELDS} | changes
    if fields["short"] is not None and (fields["target"] or 0) > MOST_LEVEL:
        fields["target"] = MOST_LEVEL
    if _too_large(fields["long"]) or _too_large(fields["short"]):
        return None
    try:
        child = Strategy(**fields)
    except InvalidInput:
        return None
    return child if has_way_out(child) else replace(child, timeout=_last_resort(child))


def has_way_out(strategy: Strategy) -> bool:
    """Tell whether every position that the strategy enters ends before the data do."""
    in_time = strategy.timeout is not None or strategy.trail is not None
    either_way = strategy.stop is not None and strategy.target is not None
    return in_time or either_way or (_ends(strategy.long) and _ends(strategy.short))


def complexity(strategy: Strategy) -> int:
    """Return how many conditions and levels a person must keep in mind."""
    exits = (strategy.stop, strategy.target, strategy.trail, strategy.timeout)
    return strategy.conditions + len(exits) - exits.count(None)


def _ends(side: Side | None) -> bool:
    return side is None or side.exit is not None


def _too_large(side: Side | None) -> bool:
    return side is not None and (_is_large(side.entry) or _is_large(side.exit))


@lru_cache(REMEMBERED)
def _is_large(rule: Condition | None) -> bool:
    return rule is not None and (len(leaves(rule)) > MOST_CONDITIONS or depth(rule) > DEEPEST_RULE)


def _last_resort(strategy: Strategy) -> timedelta:
    return LAST_RESORT * strategy.step
