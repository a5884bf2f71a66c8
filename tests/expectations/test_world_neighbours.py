"""What the world beyond venues says, beside its neighbours: other venues, and what came before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.clock import parse_utc
from core.datasets import dataset_named
from expectations.gate import gate
from tests.expectations.rows import NOW, frame
from tests.expectations.test_world_suites import talk
from tests.expectations.world_cases import index_bar, metric, past_bar, price

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def quotes(*said: tuple[str, float, int]) -> pl.DataFrame:
    """Return prices of one market: who said how much, so many minutes ago."""
    rows = [price(ago) | {"venue": venue, "price": much} for venue, much, ago in said]
    return frame(dataset_named("prices"), rows)


def warned(batch: pl.DataFrame, history: pl.DataFrame | None = None) -> Mapping[str, int]:
    verdict = gate("prices", batch, history=history, now=NOW)
    assert verdict.passed
    return verdict.warnings


def test_prices_over_five_percent_from_what_others_say_are_flagged() -> None:
    assert warned(quotes(("a", 100.0, 1), ("b", 105.0, 2))) == {}
    # With two, who is right cannot be told; with three it can.
    assert warned(quotes(("a", 100.0, 1), ("b", 105.3, 2))) == {"venue_distance": 2}
    three = quotes(("a", 100.0, 1), ("b", 100.2, 2), ("c", 108.0, 3))
    assert warned(three) == {"venue_distance": 1}
    assert warned(quotes(("a", 100.0, 1), ("b", 200.0, 21))) == {}


def test_prices_are_compared_with_what_others_said_in_earlier_batches() -> None:
    past = quotes(("a", 100.0, 1), ("b", 100.0, 2))
    assert warned(quotes(("c", 108.0, 0)), past) == {}  # another ten minutes: 00:00 is NOW
    assert warned(quotes(("c", 108.0, 3)), past) == {"venue_distance": 1}
    assert warned(quotes(("c", 104.0, 3)), past) == {}


def test_one_who_repeats_itself_speaks_once() -> None:
    past = quotes(*(("a", 100.0, ago) for ago in range(1, 9)), ("b", 90.0, 2), ("d", 90.0, 2))
    assert warned(quotes(("c", 90.0, 3)), past) == {}


def test_a_volume_far_from_those_before_is_flagged() -> None:
    usual = [price(ago) | {"volume_24h": 1_000.0 + ago % 5} for ago in range(1, 60)]
    past = frame(dataset_named("prices"), usual)
    for volume, expected in ((1_010.0, {}), (2_000.0, {"volume_spike": 1})):
        batch = frame(dataset_named("prices"), [price(0) | {"volume_24h": volume}])
        assert warned(batch, past) == expected
    assert warned(frame(dataset_named("prices"), [price(0) | {"volume_24h": 9e9}]), past[:20]) == {}


@pytest.mark.parametrize(
    ("name", "make", "column", "code"),
    [
        ("onchain_metrics", metric, "value", "value_spike"),
        ("social_metrics", talk, "posts", "posts_spike"),
    ],
)
def test_a_value_far_from_those_before_is_flagged(
    name: str, make: Callable[[int], dict[str, Any]], column: str, code: str
) -> None:
    rows = [make(number) for number in range(60)]
    rows[0] |= {column: rows[1][column] * 2}
    assert gate(name, frame(dataset_named(name), rows), now=NOW).warnings == {code: 1}
    rows[0] |= {column: rows[1][column] + 1}
    assert gate(name, frame(dataset_named(name), rows), now=NOW).warnings == {}


def test_an_index_in_another_unit_is_held_back_and_a_crash_is_not() -> None:
    rows = [past_bar(number) for number in range(40)]
    crash = {"open": 5_700.0, "high": 5_800.0, "low": 5_500.0, "close": 5_600.0}
    rows[7] |= crash
    wrong = {name: rows[13][name] / 100 for name in crash}
    rows[13] |= wrong
    verdict = gate("stock_indices", frame(dataset_named("stock_indices"), rows), now=NOW)
    assert verdict.reasons == {"off_level": 1}
    assert verdict.quarantined["close"].to_list() == [wrong["close"]]
    assert verdict.warnings["large_move"] >= 1


def test_a_real_table_that_changes_its_unit_is_refused_and_its_cure_is_not(
    real_data: Path,
) -> None:
    name = "AET-L-1d-100x-error"
    wrong, cured = (yahoo_table(real_data, f"{name}{part}.csv") for part in ("", "-fixed"))
    verdict = gate("stock_indices", wrong, now=NOW)
    assert set(verdict.reasons) == {"off_level"}
    assert verdict.accepted.is_empty()
    assert gate("stock_indices", cured, now=NOW).accepted.height == 23


def yahoo_table(real_data: Path, name: str) -> pl.DataFrame:
    """Return a table that was saved from Yahoo as rows of the dataset."""
    (path,) = (real_data / "wire" / "yahoo").rglob(name)
    table = pl.read_csv(path)
    rows = [
        index_bar()
        | {column.lower(): float(row[column]) for column in ("Open", "High", "Low", "Close")}
        | {"time": parse_utc(row["Date"]), "volume": float(row["Volume"])}
        for row in table.iter_rows(named=True)
    ]
    return frame(dataset_named("stock_indices"), rows)
