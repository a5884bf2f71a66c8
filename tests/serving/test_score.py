"""The score is the product that its page says it is."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.score import PARTS, scores

GOOD: dict[str, Any] = {
    "venue": "binance",
    "symbol": "BTC-USDT",
    "interval": "1m",
    "bars": 1_000,
    "expected": 1_000,
    "age": 60.0,
    "step": 60.0,
    "held": 0,
    "outliers": 0,
    "distance": None,
}
KINDS = {"distance": pl.Float64, "bars": pl.Int64, "age": pl.Float64, "step": pl.Float64}


def score(**changes: Any) -> dict[str, Any]:
    return scores(pl.DataFrame([GOOD | changes], schema_overrides=KINDS)).row(0, named=True)


def test_nothing_wrong_is_one() -> None:
    assert score()["score"] == 1.0


@pytest.mark.parametrize(
    ("part", "changes", "value"),
    [
        ("completeness", {"expected": 1_250}, 0.8),
        ("freshness", {"age": 7_200.0}, 1.0),
        ("freshness", {"age": 14_400.0}, 0.5),
        ("freshness", {"age": 4 * 86_400.0, "step": 86_400.0}, 0.5),
        ("freshness", {"age": -60.0}, 1.0),
        ("soundness", {"held": 250}, 0.8),
        ("calm", {"outliers": 10}, 0.9),
        ("calm", {"outliers": 100}, 0.0),
        ("calm", {"outliers": 500}, 0.0),
        ("agreement", {"distance": 0.001}, 0.9),
        ("agreement", {"distance": 0.01}, 0.0),
        ("agreement", {"distance": 5.0}, 0.0),
    ],
)
def test_each_part_counts_alone(part: str, changes: dict[str, Any], value: float) -> None:
    found = score(**changes)
    assert found[part] == pytest.approx(value)
    assert found["score"] == pytest.approx(value)


def test_parts_are_multiplied() -> None:
    assert score(expected=1_250, held=250, outliers=50)["score"] == pytest.approx(0.8 * 0.8 * 0.5)


def test_a_series_without_a_bar_is_worth_nothing() -> None:
    assert score(bars=0, expected=0)["score"] == 0.0


@given(
    bars=st.integers(0, 10**7),
    expected=st.integers(0, 10**7),
    age=st.floats(-1e9, 1e9),
    held=st.integers(0, 10**7),
    outliers=st.integers(0, 10**7),
    distance=st.none() | st.floats(0, 1e6),
)
def test_every_part_and_the_score_lie_between_0_and_1(**changes: Any) -> None:
    found = score(**changes)
    assert all(0.0 <= found[part] <= 1.0 for part in (*PARTS, "score"))
    assert found["score"] <= min(found[part] for part in PARTS)
