"""Whatever operators make of whatever parents is a valid, canonical strategy with a way out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.draws import luck_of
from research.evolution.anatomy import (
    DEEPEST_RULE,
    MOST_CONDITIONS,
    bred,
    complexity,
    has_way_out,
    put,
    swapped,
)
from research.evolution.mirror import is_symmetric
from research.evolution.operators import FRESH, OPERATORS, TIMEFRAMES
from research.expressions import Number, clauses, depth, joined, leaves, walk
from research.generate import generate
from research.strategy import Strategy
from research.syntax import condition_of
from tests.research.trees import conditions, strategies

PARENTS = generate(300, 11)
seeds = st.integers(0, 2**32)
names = st.sampled_from(list(OPERATORS))
ABSENT = condition_of("bop < 0.123")
TURTLE = Strategy.parse(
    """long when close > prev(highest(20), 1) and rsi(14) < 70 exit when close < prev(lowest(10), 1)
    short when close < prev(lowest(20), 1) and rsi(14) > 30 exit when close > prev(highest(10), 1)
    stop 3% timeout 2d on 1h"""
)


def child_of(name: str, seed: int, *parents: Strategy) -> Strategy | None:
    operator = OPERATORS[name]
    return operator.make(luck_of(seed), parents[: operator.parents], TIMEFRAMES)


def children_of(name: str, *parents: Strategy, count: int = 60) -> list[Strategy]:
    made = (child_of(name, seed, *parents) for seed in range(count))
    return [child for child in made if child is not None]


def check(child: Strategy | None) -> None:
    if child is None:
        return
    again = Strategy.parse(child.text)
    assert (again, again.text, again.id) == (child, child.text, child.id)
    assert has_way_out(child)
    assert all(len(leaves(rule)) <= MOST_CONDITIONS for rule in child.rules())
    assert all(depth(rule) <= DEEPEST_RULE for rule in child.rules())


@given(names, seeds, st.sampled_from(PARENTS), st.sampled_from(PARENTS))
def test_children_of_generated_parents_are_valid(
    name: str, seed: int, first: Strategy, second: Strategy
) -> None:
    check(child_of(name, seed, first, second))


@given(names, seeds, strategies(), strategies())
def test_children_of_any_parents_that_the_language_can_say_are_valid(
    name: str, seed: int, first: Strategy, second: Strategy
) -> None:
    check(child_of(name, seed, first, second))


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_mostly_makes_something_new_and_always_the_same(name: str) -> None:
    luck = luck_of(3)
    families = [luck.some(PARENTS, 2) for _ in range(200)]
    made = [child_of(name, seed, *family) for seed, family in enumerate(families)]
    new = [
        child is not None and child.id not in {parent.id for parent in family}
        for child, family in zip(made, families, strict=True)
    ]
    assert np.mean(new) > 0.6
    assert made == [child_of(name, seed, *family) for seed, family in enumerate(families)]


@given(seeds)
def test_a_generation_of_descendants_stays_within_bounds(seed: int) -> None:
    luck = luck_of(seed)
    child = PARENTS[seed % len(PARENTS)]
    for _ in range(30):
        operator = OPERATORS[luck.pick(list(OPERATORS))]
        child = operator.make(luck, (child, luck.pick(PARENTS)), TIMEFRAMES) or child
    check(child)


@pytest.mark.parametrize("name", ["step_period", "step_number", "swap_indicator", "add_condition"])
def test_changes_to_a_symmetric_strategy_mostly_keep_it_so(name: str) -> None:
    assert is_symmetric(TURTLE)
    made = children_of(name, TURTLE)
    assert 0.6 < np.mean([is_symmetric(child) for child in made]) < 1


def test_periods_step_by_factors() -> None:
    steps = children_of(
        "step_period", Strategy.parse("long when close > sma(100) exit when close < sma(100) on 1h")
    )
    periods = [child.long.entry.right.params[0] for child in steps]  # type: ignore[union-attr]
    assert 100 not in periods or len(set(periods)) > 1
    assert min(periods) > 10
    assert max(periods) <= 400
    assert {p > 100 for p in periods} == {True, False}


def test_a_threshold_of_an_oscillator_stays_within_its_range() -> None:
    parent = Strategy.parse("long when rsi(14) > 97 exit when rsi(14) < 95 on 1h")
    for child in children_of("step_number", parent):
        assert all(
            n.value <= 99 for rule in child.rules() for n in walk(rule) if isinstance(n, Number)
        )


def test_levels_step_come_and_go() -> None:
    assert {child.stop for child in children_of("step_level", TURTLE)} > {0.03}
    toggled = children_of("toggle_level", TURTLE)
    assert {child.stop is None for child in toggled} == {True, False}
    assert {child.trail is None for child in toggled} == {True, False}


def test_the_timeframe_moves_to_a_neighbour_that_there_is() -> None:
    assert {child.timeframe for child in children_of("move_timeframe", TURTLE)} == {"30m", "2h"}
    odd = bred(TURTLE, timeframe="12h")
    assert odd is not None
    assert {child.timeframe for child in children_of("move_timeframe", odd)} <= set(TIMEFRAMES)


def test_conditions_come_and_go() -> None:
    grown = children_of("add_condition", TURTLE)
    shrunk = children_of("drop_condition", TURTLE)
    assert min(child.conditions for child in grown) > TURTLE.conditions
    assert max(child.conditions for child in shrunk) < TURTLE.conditions


def test_sides_turn_every_way() -> None:
    only_long = bred(TURTLE, short=None)
    assert only_long is not None
    assert {child.side for child in children_of("turn_sides", only_long)} == {"short", "both"}
    assert {child.side for child in children_of("turn_sides", TURTLE)} == {"long", "short", "both"}


def test_crossing_takes_from_both_parents() -> None:
    other = Strategy.parse("short when mfi(9) > 80 exit when mfi(9) < 50 target 7% on 15m")
    rules = {child.text for child in children_of("cross_rules", TURTLE, other)}
    assert any("exit when mfi(9) > 50" in text and "highest(20)" in text for text in rules)
    assert any("long when mfi(9) < 20" in text and "lowest(10)" in text for text in rules)
    assert all(
        any("mfi(9)" in str(rule) for rule in child.rules())
        for child in children_of("cross_conditions", TURTLE, other)
    )
    levels = {(c.stop, c.target, c.timeframe) for c in children_of("cross_levels", TURTLE, other)}
    assert {(0.03, 0.07, "15m"), (None, None, "1h")} <= levels
    assert {child.side for child in children_of("cross_sides", TURTLE, other)} == {"both"}


def test_fresh_blood_needs_no_parents_and_keeps_to_the_timeframes() -> None:
    assert OPERATORS[FRESH].parents == 0
    luck = luck_of(1)
    made = [OPERATORS[FRESH].make(luck, (), ("2h",)) for _ in range(5)]
    assert {child.timeframe for child in made if child} == {"2h"}
    assert len({child.id for child in made if child}) == 5


@given(conditions(), st.data())
def test_a_part_is_replaced_at_its_place_and_nowhere_else(rule, data: st.DataObject) -> None:
    every = walk(rule)
    place = data.draw(st.integers(0, len(every) - 1))
    assert put(rule, place, every[place]) == rule
    assert swapped(rule, ABSENT, ABSENT) is rule
    leaf = data.draw(st.sampled_from([i for i, part in enumerate(every) if part in leaves(rule)]))
    new = put(rule, leaf, ABSENT)
    assert str(new).count("bop < 0.123") == 1
    assert walk(new)[leaf] == ABSENT
    assert str(swapped(rule, every[leaf], ABSENT)).count("bop < 0.123") == every.count(every[leaf])


@pytest.mark.parametrize("joint", ["and", "or"])
def test_clauses_are_joined_as_the_language_reads_them(joint: str) -> None:
    rule = condition_of(
        f"close > open {joint} rsi(14) < 30 {joint} (volume > 1 and volume < 9 or bop > 0)"
    )
    split = clauses(rule, joint)
    assert len(split) == (4 if joint == "or" else 3)
    assert str(condition_of(str(joined(split, joint)))) == str(joined(split, joint))


@pytest.mark.parametrize(
    ("exits", "ends"),
    [
        ("", False),
        ("stop 2%", False),
        ("target 2%", False),
        ("stop 2% target 2%", True),
        ("trail 2%", True),
        ("timeout 1h", True),
    ],
)
def test_a_child_without_a_way_out_gets_a_timeout(exits: str, *, ends: bool) -> None:
    strategy = Strategy.parse(f"long when close > open {exits} on 15m")
    assert has_way_out(strategy) is ends
    child = bred(strategy, timeframe="30m")
    assert child is not None
    assert has_way_out(child)
    assert (child.timeout == strategy.timeout) is ends
    assert ends or str(child.timeout) == "1 day, 0:00:00"


def test_a_child_that_is_too_large_is_not_made() -> None:
    many = " and ".join(f"rsi({n}) < 70" for n in range(2, 2 + MOST_CONDITIONS + 1))
    assert bred(Strategy.parse(f"long when {many} on 1h"), stop=0.02) is None


def test_complexity_counts_conditions_and_ways_out() -> None:
    assert complexity(TURTLE) == 6 + 2
