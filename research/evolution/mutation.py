"""Changes to one parent: its numbers, indicators, comparisons, conditions, levels and bars.

Every operator takes the random generator, the parents and the timeframes there are, and returns a
child, or None where this draw brought nothing. A change to a rule of a strategy whose short side
mirrors its long one is mostly made on both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from research.evolution.anatomy import (
    LEVELS,
    MOST_CONDITIONS,
    Place,
    Rules,
    bred,
    changed,
    clauses,
    joined,
    leaves,
    parts,
    put,
    read,
    rules_of,
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
    walk,
)
from research.ideas import FAMILIES, Filter, Trigger, pick
from research.indicators import INDICATORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

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

RuleChange = Callable[["np.random.Generator", Rules], Rules | None]


def step_period(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Make an indicator, or what looks back, slower or faster."""

    def change(part: Node) -> Node | None:
        if isinstance(part, Prev):
            bars = stepped_count(rng, part.bars, 1, LONGEST_PERIOD)
            return None if bars == part.bars else Prev(part.operand, bars)
        return stepped_reading(rng, part) if isinstance(part, Reading) else None

    return _on_rules(rng, parent, lambda r, rules: _one_part(r, rules, _has_period, change))


def swap_indicator(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Put an indicator of the same kind in the place of another."""
    return _on_rules(
        rng,
        parent,
        lambda r, rules: _one_part(r, rules, _has_likes, lambda part: _likened(rng, part)),
    )


def step_number(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Move a threshold or a factor."""
    return _on_rules(rng, parent, _number_stepped)


def flip_comparison(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Turn a comparison round, or a state into the event of its beginning and back."""
    return _on_rules(rng, parent, _flipped)


def add_condition(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Ask for one more thing to enter, or leave for one more reason."""
    return _on_rules(rng, parent, _added)


def drop_condition(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Ask for one thing less, or give up a signal to leave on."""
    return _on_rules(rng, parent, _dropped)


def step_level(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Move a stop, target, trail or timeout."""
    held = [name for name in (*LEVELS, "timeout") if getattr(parent, name) is not None]
    if not held:
        return None
    name = pick(rng, held)
    if name == "timeout":
        return bred(parent, timeout=stepped_timeout(rng, parent.timeout, parent.step))  # type: ignore[arg-type] # held
    return bred(parent, **{name: stepped_level(rng, getattr(parent, name))})


def toggle_level(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Take away a stop, target, trail or timeout, or give one as wide as fits the bars."""
    name = pick(rng, (*LEVELS, "timeout"))
    if getattr(parent, name) is not None:
        return bred(parent, **{name: None})
    if name == "timeout":
        return bred(parent, timeout=stepped_timeout(rng, 48 * parent.step, parent.step))
    usual = 0.02 * (parent.step.total_seconds() / 900) ** 0.5
    return bred(parent, **{name: stepped_level(rng, usual)})


def move_timeframe(
    rng: np.random.Generator, parent: Strategy, timeframes: Sequence[str]
) -> Strategy | None:
    """Look at bars of the next length, finer or coarser."""
    if parent.timeframe not in timeframes:
        return bred(parent, timeframe=pick(rng, timeframes))
    here = list(timeframes).index(parent.timeframe)
    there = here + (1 if rng.integers(2) else -1)
    return bred(parent, timeframe=timeframes[there]) if 0 <= there < len(timeframes) else None


def turn_sides(rng: np.random.Generator, parent: Strategy) -> Strategy | None:
    """Trade against the rules, on the other side by mirrored ones, or on one side more or less."""
    if rng.integers(3) == 0:
        return exchanged(parent)
    if parent.long is not None and parent.short is not None:
        return bred(parent, **{pick(rng, ("long", "short")): None})
    mine, other = ("long", "short") if parent.long is not None else ("short", "long")
    image = mirrored_side(getattr(parent, mine))
    if image is None:
        return None
    kept = getattr(parent, mine) if rng.integers(2) else None
    return bred(parent, **{mine: kept, other: image})


def _on_rules(rng: np.random.Generator, parent: Strategy, change: RuleChange) -> Strategy | None:
    """Change the rules; those of a symmetric parent mostly on both sides alike."""
    rules = rules_of(parent)
    if is_symmetric(parent) and rng.integers(100) < _BOTH_SIDES:
        half = change(rng, {place: rule for place, rule in rules.items() if place.side == "long"})
        return None if half is None else _completed(parent, half)
    new = change(rng, rules)
    return None if new is None else with_rules(parent, new)


def _completed(parent: Strategy, half: Rules) -> Strategy | None:
    whole = dict(half)
    for place, rule in half.items():
        image = mirrored(rule)
        if image is None:
            return None
        whole[place._replace(side="short")] = image
    return with_rules(parent, whole)


def _one_part(
    rng: np.random.Generator,
    rules: Rules,
    fits: Callable[[Node], bool],
    change: Callable[[Node], Node | None],
) -> Rules | None:
    """Change one of the parts that fit, mostly wherever it stands in the rules."""
    found = [
        (place, at, part)
        for place, rule in rules.items()
        for at, part in enumerate(parts(rule))
        if fits(part)
    ]
    if not found:
        return None
    place, at, old = pick(rng, found)
    new = change(old)
    if new is None:
        return None
    if rng.integers(100) < _EVERYWHERE:
        return {
            each: changed(rule, lambda part: new if part == old else None)
            for each, rule in rules.items()
        }
    return rules | {place: put(rules[place], at, new)}


def _has_period(part: Node) -> bool:
    return isinstance(part, Prev) or (isinstance(part, Reading) and bool(part.params))


def _has_likes(part: Node) -> bool:
    return isinstance(part, Reading) and part.name in _LIKE


def _likened(rng: np.random.Generator, part: Node) -> Node | None:
    """Return another indicator of the same kind, as slow as the one before."""
    if not isinstance(part, Reading):
        return None
    name = pick(rng, [each for each in _LIKE[part.name] if each != part.name])
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


def _number_stepped(rng: np.random.Generator, rules: Rules) -> Rules | None:
    """Move one literal; what is compared with an oscillator stays within its range."""
    found = [
        (place, at, part)
        for place, rule in rules.items()
        for at, part in enumerate(parts(rule))
        if isinstance(part, Comparison | Cross)
        and any(isinstance(below, Number) and below.value for below in walk(part))
    ]
    if not found:
        return None
    place, at, leaf = pick(rng, found)
    bounded = any(isinstance(part, Reading) and part.name in CENTRED for part in walk(leaf))
    inside = parts(leaf)
    where = pick(
        rng, [i for i, part in enumerate(inside) if isinstance(part, Number) and part.value]
    )
    value = stepped(rng, inside[where].value)  # type: ignore[attr-defined] # it is a Number
    new = put(leaf, where, Number(min(value, 99.0) if bounded else value))
    return rules | {place: put(rules[place], at, new)}


def _flipped(rng: np.random.Generator, rules: Rules) -> Rules | None:
    place, at, leaf = _leaf(rng, rules)
    signs: Any = leaf
    sign = signs.operator if isinstance(leaf, Comparison) else signs.name
    event = _EVENT if isinstance(leaf, Comparison) else _STATE
    sign = event[sign] if rng.integers(2) else _OPPOSITE[sign]
    kind = Comparison if sign in _EVENT else Cross
    return rules | {place: put(rules[place], at, kind(sign, signs.left, signs.right))}


def _leaf(rng: np.random.Generator, rules: Rules) -> tuple[Place, int, Condition]:
    return pick(
        rng,
        [
            (place, at, part)
            for place, rule in rules.items()
            for at, part in enumerate(parts(rule))
            if isinstance(part, Comparison | Cross)
        ],
    )


def _added(rng: np.random.Generator, rules: Rules) -> Rules | None:
    sides = sorted({place.side for place in rules})
    place = Place(pick(rng, sides), "entry" if rng.integers(3) else "exit")
    rule = rules.get(place)
    if rule is None:
        return rules | {place: idea(rng, place)}
    if len(leaves(rule)) >= MOST_CONDITIONS:
        return None
    return rules | {place: joined([*clauses(rule, place.joint), idea(rng, place)], place.joint)}


def _dropped(rng: np.random.Generator, rules: Rules) -> Rules | None:
    """Leave out one clause; of an exit that has only one, the whole of it."""
    able = [
        place
        for place, rule in rules.items()
        if place.kind == "exit" or len(clauses(rule, place.joint)) > 1
    ]
    if not able:
        return None
    place = pick(rng, able)
    kept = clauses(rules[place], place.joint)
    del kept[int(rng.integers(len(kept)))]
    rest = {each: rule for each, rule in rules.items() if each != place}
    return rest | {place: joined(kept, place.joint)} if kept else rest


def idea(rng: np.random.Generator, place: Place) -> Condition:
    """Draw a condition of those that traders know, for a rule at `place`."""
    triggers, filters = FAMILIES[pick(rng, list(FAMILIES))]
    if place.kind == "exit":
        return read(_way_out(pick(rng, triggers)(rng), place))
    ideas: list[Callable[[np.random.Generator], Trigger | Filter]] = [
        *triggers,
        *filters,
        *filters,
    ]
    return read(getattr(pick(rng, ideas)(rng), place.side))


def _way_out(trigger: Trigger, place: Place) -> str:
    return trigger.long_over if place.side == "long" else trigger.short_over
