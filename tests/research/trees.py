"""Hypothesis strategies that draw every tree and every strategy the language can say."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from hypothesis import strategies as st

from core.market import INTERVALS
from research.declarations import SERIES, Indicator
from research.expressions import (
    ARITHMETIC,
    COMPARISONS,
    CROSSES,
    LARGEST,
    LOGIC,
    SMALLEST,
    Arithmetic,
    Comparison,
    Cross,
    Logic,
    Negative,
    Not,
    Number,
    Prev,
    Reading,
    Series,
)
from research.indicators import INDICATORS
from research.strategy import MOST_LEVEL, Side, Strategy

numbers = st.builds(
    Number,
    st.one_of(
        st.just(0.0),
        st.integers(1, 1000).map(float),
        st.floats(SMALLEST, LARGEST, allow_subnormal=False),
    ),
)
series = st.builds(Series, st.sampled_from(SERIES))


@st.composite
def readings(draw: st.DrawFn, longest: int = 10_000) -> Reading:
    indicator: Indicator = draw(st.sampled_from(list(INDICATORS.values())))
    params = [
        draw(st.integers(int(p.least), min(int(p.most), longest)))
        if p.whole
        else draw(st.floats(p.least, p.most))
        for p in indicator.parameters
    ]
    if indicator.ascending:
        params[0], params[1] = min(params[:2]), max(params[:2]) + 1
        params[1] = min(params[1], 10_000)
        params[0] = min(params[0], params[1] - 1)
    others = [None, *(name for name in SERIES if name != indicator.source)]
    source = draw(st.sampled_from(others)) if indicator.source else None
    return Reading(indicator.name, tuple(params), source)


@cache
def numerics(longest: int = 10_000) -> st.SearchStrategy:
    """Draw numbers; no period is longer than `longest`."""
    return st.recursive(
        st.one_of(numbers, series, readings(longest)),
        lambda below: st.one_of(
            st.builds(Negative, below),
            st.builds(Arithmetic, st.sampled_from(ARITHMETIC), below, below),
            st.builds(Prev, below, st.integers(1, longest)),
        ),
        max_leaves=5,
    )


@cache
def conditions(longest: int = 10_000) -> st.SearchStrategy:
    """Draw conditions; no period is longer than `longest`."""
    numeric = numerics(longest)
    return st.recursive(
        st.one_of(
            st.builds(Comparison, st.sampled_from(COMPARISONS), numeric, numeric),
            st.builds(Cross, st.sampled_from(CROSSES), numeric, numeric),
        ),
        lambda below: st.one_of(
            st.builds(Not, below),
            st.builds(Logic, st.sampled_from(LOGIC), below, below),
        ),
        max_leaves=4,
    )


@cache
def strategies(longest: int = 10_000) -> st.SearchStrategy:
    """Draw strategies; no period is longer than `longest`."""
    side = st.builds(Side, conditions(longest), st.none() | conditions(longest))
    levels = st.none() | st.floats(0.0001, MOST_LEVEL) | st.integers(1, 50).map(lambda n: n / 100)
    timeouts = st.none() | st.integers(1, 1_440 * 365).map(lambda n: timedelta(minutes=n))
    sides = st.sampled_from(((True, False), (False, True), (True, True)))
    return sides.flatmap(
        lambda has: st.builds(
            Strategy,
            timeframe=st.sampled_from(list(INTERVALS)),
            long=side if has[0] else st.none(),
            short=side if has[1] else st.none(),
            stop=levels,
            target=levels,
            trail=levels,
            timeout=timeouts,
        )
    )
