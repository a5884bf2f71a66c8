"""Children of two parents: rules, conditions and levels of the one in the other.

What the second parent has only on the other side is taken mirrored, so that any two parents can
have children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.evolution.anatomy import (
    LEVELS,
    SIDES,
    bred,
    filled,
    is_leaf,
    rules_of,
    spots,
    with_rules,
)
from research.evolution.mirror import is_symmetric, side_of
from research.expressions import leaves
from research.strategy import Side, Strategy

if TYPE_CHECKING:
    from research.draws import Luck


def cross_rules(luck: Luck, first: Strategy, second: Strategy) -> Strategy | None:
    """Enter as the one does and leave as the other, on the first one's sides."""
    swapped = bool(luck.below(2))
    sides: dict[str, Side] = {}
    for name in SIDES:
        mine: Side | None = getattr(first, name)
        if mine is None:
            continue
        other = side_of(second, name)
        if other is None:
            return None
        sides[name] = Side(other.entry, mine.exit) if swapped else Side(mine.entry, other.exit)
    return bred(first, **sides)


def cross_conditions(luck: Luck, first: Strategy, second: Strategy) -> Strategy | None:
    """Put a condition of the second in the place of one of the first, on both sides if alike."""
    rules = rules_of(first)
    alike = is_symmetric(first)
    place = luck.pick([each for each in rules if not alike or each.side == "long"])
    donor = side_of(second, place.side)
    given = None if donor is None else getattr(donor, place.kind)
    if given is None:
        return None
    spot = luck.pick(spots({place: rules[place]}, is_leaf))
    rules = filled(rules, spot, luck.pick(leaves(given)))
    if not alike:
        return with_rules(first, rules)
    half = {each: rule for each, rule in rules.items() if each.side == "long"}
    one_sided = with_rules(first, half)
    image = None if one_sided is None else side_of(one_sided, "short")
    return None if image is None else bred(one_sided, short=image)  # type: ignore[arg-type] # has an image


def cross_levels(luck: Luck, first: Strategy, second: Strategy) -> Strategy | None:
    """Take each of the levels, the timeout and the bars from either parent."""
    names = (*LEVELS, "timeout", "timeframe")
    return bred(first, **{name: getattr(luck.pick((first, second)), name) for name in names})


def cross_sides(luck: Luck, first: Strategy, second: Strategy) -> Strategy | None:
    """Buy as the one does and sell short as the other."""
    one, other = (first, second) if luck.below(2) else (second, first)
    long, short = side_of(one, "long"), side_of(other, "short")
    return None if long is None or short is None else bred(first, long=long, short=short)
