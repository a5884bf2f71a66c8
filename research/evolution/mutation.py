"""Changes to one parent: its numbers, indicators, comparisons, conditions, levels and bars.

Every operator takes the random generator, the parents and the timeframes there are, and returns a
child, or None where this draw brought nothing. A change to a rule of a strategy whose short side
mirrors its long one is mostly made on both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from research.evolution.anatomy import (
    LEVELS,
    MOST_CONDITIONS,
    Place,
    Rules,
    bred,
    filled,
    is_leaf,
    put,
    rules_of,
    spots,
    swapped,
    with_rules,
)
from research.evolution.mirror import (
    CENTRED,
    exchanged,
    is_symmetric,
    mirrored,
    mirrored_side,
)
from research.evolution.numbers import (
    LONGEST_PERIOD,
    stepped,
    stepped_count,
    stepped_level,
    stepped_reading,
    stepped_timeout,
)
from research.expressions import (
    Comparison,
    Condition,
    Cross,
    Node,
    Number,
    Prev,
    Reading,
    clauses,
    joined,
    leaves,
    walk,
)
from research.ideas import FAMILIES, Filter, Trigger
from research.indicators import INDICATORS
from research.syntax import condition_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.draws import Luck
    from research.strategy import Strategy

_BOTH_SIDES = 85  # percent of changes to a symmetric strategy that keep it so
_EVERYWHERE = 70  # percent of changes to an indicator that reach all places where it stands

# Indicators that say much the same, so that one may stand where another did.
KINDS = (
    ("sma", "ema", "wma", "dema", "tema", "trima", "kama", "linreg", "bbands_middle"),
    ("rsi", "mfi", "stoch_k", "stoch_d", "ultosc"),
    ("cmo", "cci", "aroon_osc"),
    ("roc", "mom", "linreg_slope", "trix", "ppo", "macd_hist"),
    ("highest", "bbands_upper"),
    ("lowest", "bbands_lower"),
    ("atr", "stddev"),
    ("plus_di", "aroon_up"),
    ("minus_di", "aroon_down"),
)
_LIKE = {name: kind for kind in KINDS for name in kind}

_OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_OPPOSITE |= {"crosses_above": "crosses_below", "crosses_below": "crosses_above"}
_EVENT = {"<": "crosses_below", "<=": "crosses_below", ">": "crosses_above", ">=": "crosses_above"}
_STATE = {"crosses_below": "<", "crosses_above": ">"}

RuleChange = Callable[["Luck", Rules], Rules | None]


def step_period(luck: Luck, parent: Strategy) -> Strategy | None:
    """Make an indicator, or what looks back, slower or faster."""

    def change(part: Node) -> Node | None:
        if isinstance(part, Prev):
            bars = stepped_count(luck, part.bars, 1, LONGEST_PERIOD)
            return None if bars == part.bars else Prev(part.operand, bars)
        return stepped_reading(luck, part) if isinstance(part, Reading) else None

    return _on_rules(luck, parent, lambda r, rules: _one_part(r, rules, _has_period, change))


def swap_indicator(luck: Luck, parent: Strategy) -> Strategy | None:
    """Put an indicator of the same kind in the place of another."""
    return _on_rules(
        luck,
        parent,
        lambda r, rules: _one_part(r, rules, _has_likes, lambda part: _likened(luck, part)),
    )


def step_number(luck: Luck, parent: Strategy) -> Strategy | None:
    """Move a threshold or a factor."""
    return _on_rules(luck, parent, _number_stepped)


def flip_comparison(luck: Luck, parent: Strategy) -> Strategy | None:
    """Turn a comparison round, or a state into the event of its beginning and back."""
    return _on_rules(luck, parent, _flipped)


def add_condition(luck: Luck, parent: Strategy) -> Strategy | None:
    """Ask for one more thing to enter, or leave for one more reason."""
    return _on_rules(luck, parent, _added)


def drop_condition(luck: Luck, parent: Strategy) -> Strategy | None:
    """Ask for one thing less, or give up a signal to leave on."""
    return _on_rules(luck, parent, _dropped)


def step_level(luck: Luck, parent: Strategy) -> Strategy | None:
    """Move a stop, target, trail or timeout."""
    held = [name for name in (*LEVELS, "timeout") if getattr(parent, name) is not None]
    if not held:
        return None
    name = luck.pick(held)
    if name == "timeout":
        return bred(parent, timeout=stepped_timeout(luck, parent.timeout, parent.step))  # type: ignore[arg-type] # held
    return bred(parent, **{name: stepped_level(luck, getattr(parent, name))})


def toggle_level(luck: Luck, parent: Strategy) -> Strategy | None:
    """Take away a stop, target, trail or timeout, or give one as wide as fits the bars."""
    name = luck.pick((*LEVELS, "timeout"))
    if getattr(parent, name) is not None:
        return bred(parent, **{name: None})
    if name == "timeout":
        return bred(parent, timeout=stepped_timeout(luck, 48 * parent.step, parent.step))
    usual = 0.02 * (parent.step.total_seconds() / 900) ** 0.5
    return bred(parent, **{name: stepped_level(luck, usual)})


def move_timeframe(luck: Luck, parent: Strategy, timeframes: Sequence[str]) -> Strategy | None:
    """Look at bars of the next length, finer or coarser."""
    if parent.timeframe not in timeframes:
        return bred(parent, timeframe=luck.pick(timeframes))
    here = list(timeframes).index(parent.timeframe)
    there = here + (1 if luck.below(2) else -1)
    return bred(parent, timeframe=timeframes[there]) if 0 <= there < len(timeframes) else None


def turn_sides(luck: Luck, parent: Strategy) -> Strategy | None:
    """Trade against the rules, on the other side by mirrored ones, or on one side more or less."""
    if luck.below(3) == 0:
        return exchanged(parent)
    if parent.long is not None and parent.short is not None:
        return bred(parent, **{luck.pick(("long", "short")): None})
    mine, other = ("long", "short") if parent.long is not None else ("short", "long")
    image = mirrored_side(getattr(parent, mine))
    if image is None:
        return None
    kept = getattr(parent, mine) if luck.below(2) else None
    return bred(parent, **{mine: kept, other: image})


def _on_rules(luck: Luck, parent: Strategy, change: RuleChange) -> Strategy | None:
    """Change the rules; those of a symmetric parent mostly on both sides alike."""
    rules = rules_of(parent)
    if is_symmetric(parent) and luck.chance(_BOTH_SIDES):
        half = change(luck, {place: rule for place, rule in rules.items() if place.side == "long"})
        return None if half is None else _completed(parent, half)
    new = change(luck, rules)
    return None if new is None else with_rules(parent, new)


def _completed(parent: Strategy, half: Rules) -> Strategy | None:
    whole = dict(half)
    for place, rule in half.items():
        image = mirrored(rule)
        if image is None:
            return None
        whole[Place("short", place.kind)] = image
    return with_rules(parent, whole)


def _one_part(
    luck: Luck,
    rules: Rules,
    fits: Callable[[Node], bool],
    change: Callable[[Node], Node | None],
) -> Rules | None:
    """Change one of the parts that fit, mostly wherever it stands in the rules."""
    found = spots(rules, fits)
    if not found:
        return None
    spot = luck.pick(found)
    new = change(spot.part)
    if new is None:
        return None
    if luck.chance(_EVERYWHERE):
        return {place: swapped(rule, spot.part, new) for place, rule in rules.items()}
    return filled(rules, spot, new)


def _has_period(part: Node) -> bool:
    kind = type(part)
    return kind is Prev or (kind is Reading and bool(part.params))  # type: ignore[attr-defined] # a Reading has


def _has_likes(part: Node) -> bool:
    return type(part) is Reading and part.name in _LIKE


def _likened(luck: Luck, part: Node) -> Node | None:
    """Return another indicator of the same kind, as slow as the one before."""
    if not isinstance(part, Reading):
        return None
    name = luck.pick([each for each in _LIKE[part.name] if each != part.name])
    indicator = INDICATORS[name]
    params: list[float] = [parameter.default for parameter in indicator.parameters]
    if params and part.params:
        first = indicator.parameters[0]
        params[0] = min(max(part.params[0], first.least), first.most)
    if indicator.ascending and len(params) > 1 and params[0] >= params[1]:
        params[1] = 2 * params[0] + 1
    if not all(p.accepts(v) for p, v in zip(indicator.parameters, params, strict=True)):
        return None
    takes = indicator.source is not None and part.source != indicator.source
    return Reading(name, indicator.checked(tuple(params)), part.source if takes else None)


def _number_stepped(luck: Luck, rules: Rules) -> Rules | None:
    """Move one literal; what is compared with an oscillator stays within its range."""
    found = spots(rules, _has_literal)
    if not found:
        return None
    spot = luck.pick(found)
    inside = walk(spot.part)
    bounded = any(isinstance(part, Reading) and part.name in CENTRED for part in inside)
    where = luck.pick([i for i, part in enumerate(inside) if _is_literal(part)])
    value = stepped(luck, inside[where].value)  # type: ignore[attr-defined] # it is a Number
    return filled(
        rules, spot, put(spot.part, where, Number(min(value, 99.0) if bounded else value))
    )


def _is_literal(part: Node) -> bool:
    return type(part) is Number and bool(part.value)


def _has_literal(part: Node) -> bool:
    return is_leaf(part) and any(map(_is_literal, walk(part)))


def _flipped(luck: Luck, rules: Rules) -> Rules | None:
    spot = luck.pick(spots(rules, is_leaf))
    leaf = spot.part
    sign = leaf.operator if isinstance(leaf, Comparison) else leaf.name
    event = _EVENT if isinstance(leaf, Comparison) else _STATE
    sign = event[sign] if luck.below(2) else _OPPOSITE[sign]
    kind = Comparison if sign in _EVENT else Cross
    return filled(rules, spot, kind(sign, leaf.left, leaf.right))


def _added(luck: Luck, rules: Rules) -> Rules | None:
    sides = sorted({place.side for place in rules})
    place = Place(luck.pick(sides), "entry" if luck.below(3) else "exit")
    rule = rules.get(place)
    if rule is None:
        return rules | {place: idea(luck, place)}
    if len(leaves(rule)) >= MOST_CONDITIONS:
        return None
    return rules | {place: joined([*clauses(rule, place.joint), idea(luck, place)], place.joint)}


def _dropped(luck: Luck, rules: Rules) -> Rules | None:
    """Leave out one clause; of an exit that has only one, the whole of it."""
    able = [
        place
        for place, rule in rules.items()
        if place.kind == "exit" or len(clauses(rule, place.joint)) > 1
    ]
    if not able:
        return None
    place = luck.pick(able)
    kept = clauses(rules[place], place.joint)
    del kept[luck.below(len(kept))]
    rest = {each: rule for each, rule in rules.items() if each != place}
    return rest | {place: joined(kept, place.joint)} if kept else rest


def idea(luck: Luck, place: Place) -> Condition:
    """Draw a condition of those that traders know, for a rule at `place`."""
    triggers, filters = FAMILIES[luck.pick(list(FAMILIES))]
    if place.kind == "exit":
        return condition_of(_way_out(luck.pick(triggers)(luck), place))
    ideas: list[Callable[[Luck], Trigger | Filter]] = [
        *triggers,
        *filters,
        *filters,
    ]
    return condition_of(getattr(luck.pick(ideas)(luck), place.side))


def _way_out(trigger: Trigger, place: Place) -> str:
    return trigger.long_over if place.side == "long" else trigger.short_over
