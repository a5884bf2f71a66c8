"""Which survivors are chosen: the best, different ones, the same ones every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from research.selection import correlation, select
from research.vetting import SCHEMA

RNG = np.random.default_rng(4)
SERIES = {name: RNG.normal(0, 1, 90) for name in "abcd"}
SERIES["twin of a"] = SERIES["a"] + RNG.normal(0, 0.1, 90)
SERIES["mirror of a"] = -SERIES["a"]


def survivors(**scores: float) -> pl.DataFrame:
    rows = [(name, "A-B", 1.0, 1.0, score, "survivor") for name, score in scores.items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def chosen(frame: pl.DataFrame, **rules: Any) -> list[str]:
    returns = {(name, "A-B"): series for name, series in SERIES.items()}
    return select(frame, returns, **({"most": 10} | rules))["strategy_id"].to_list()


def test_the_best_deflated_sharpe_comes_first_and_no_more_than_asked() -> None:
    frame = survivors(a=0.96, b=0.99, c=0.97, d=0.98)
    assert chosen(frame) == ["b", "d", "c", "a"]
    assert chosen(frame, most=2) == ["b", "d"]
    assert chosen(frame, most=0) == []


def test_one_that_does_the_same_as_a_better_one_is_left_out() -> None:
    frame = survivors(**{"a": 0.96, "twin of a": 0.99, "b": 0.97})
    assert chosen(frame) == ["twin of a", "b"]
    assert chosen(frame, max_correlation=1.0) == ["twin of a", "b", "a"]


def test_one_left_out_makes_room_for_the_next() -> None:
    frame = survivors(**{"a": 0.99, "twin of a": 0.98, "c": 0.97})
    assert chosen(frame, most=2) == ["a", "c"]


def test_the_opposite_of_a_chosen_one_is_not_the_same() -> None:
    assert chosen(survivors(**{"a": 0.99, "mirror of a": 0.98})) == ["a", "mirror of a"]


def test_equal_scores_go_by_strategy_then_symbol_whatever_the_order_of_rows() -> None:
    frame = survivors(c=0.97, a=0.97, d=0.97, b=0.97)
    assert chosen(frame) == chosen(frame.reverse()) == ["a", "b", "c", "d"]
    two = pl.concat([frame.with_columns(symbol=pl.lit(s)) for s in ("Z-B", "A-B")])
    apart = {
        (name, symbol): RNG.normal(0, 1, 90) for name, symbol in two.select(two.columns[:2]).rows()
    }
    rows = select(two, apart, most=3).select("strategy_id", "symbol").rows()
    assert rows == [("a", "A-B"), ("a", "Z-B"), ("b", "A-B")]


def test_nothing_survives_of_nothing() -> None:
    empty = survivors()
    assert select(empty, {}, most=5).equals(empty)


def test_correlation_is_over_the_last_days_that_both_have() -> None:
    a, b = SERIES["a"], SERIES["b"]
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert correlation(a, a[30:]) == pytest.approx(1)
    assert correlation(a, np.zeros(90)) == 0
    assert correlation(a, a[-1:]) == 0
