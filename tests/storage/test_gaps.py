"""Why bars are missing: what was asked, answered, refused; checked against a bar-by-bar count."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.market import Span
from storage import hot, quarantine
from storage.asked import Ask, note
from storage.catalog import causes, gaps, why
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    from collections.abc import Sequence


def span(first: float, end: float, symbol: str = "BTC-USDT") -> Span:
    return Span("binance", symbol, "1m", START + first * MINUTE, START + end * MINUTE)


def ask(first: float, end: float, outcome: str = "answered", later: int = 0) -> Ask:
    return Ask(span(first, end), "binance", outcome, NOW + later * MINUTE)


def hold(store: Store, minutes: Sequence[int]) -> None:
    rows = candles(minutes).with_columns(reasons=pl.lit(["price_jump"]))
    quarantine.write(store, "candles", rows, f"batch {minutes}", NOW)


def said(frame: pl.DataFrame) -> list[tuple[int, int, str]]:
    """Return each stretch as its first minute, its number of bars and its cause."""
    return [
        ((row["start"] - START) // MINUTE, row["bars"], row["cause"]) for row in frame.to_dicts()
    ]


def test_what_nobody_asked_for_was_never_asked(store: Store) -> None:
    hot.put(store, "candles", candles([0, 5]), now=NOW)
    assert said(causes(store)) == [(1, 4, "never_asked")]
    assert said(causes(store, symbol="ETH-USDT")) == []


def test_a_gap_is_cut_where_its_cause_changes(store: Store) -> None:
    hot.put(store, "candles", candles([0, 20]), now=NOW)
    note(store, [ask(0, 5), ask(4, 9, "failed"), ask(12, 15, "refused"), ask(18, 30)], now=NOW)
    hold(store, [3, 16])
    assert said(causes(store)) == [
        (1, 2, "venue_had_none"),
        (3, 1, "refused"),
        (4, 1, "venue_had_none"),
        (5, 4, "failed"),
        (9, 3, "never_asked"),
        (12, 3, "refused"),
        (15, 1, "never_asked"),
        (16, 1, "refused"),
        (17, 1, "never_asked"),
        (18, 2, "venue_had_none"),
    ]
    assert gaps(store)["bars"].to_list() == [19]


def test_the_last_answer_counts_and_a_failure_is_none(store: Store) -> None:
    hot.put(store, "candles", candles([0, 9]), now=NOW)
    note(store, [ask(0, 10, "refused"), ask(0, 5, later=1), ask(0, 10, "failed", 2)], now=NOW)
    assert said(causes(store)) == [(1, 4, "venue_had_none"), (5, 4, "refused")]


def test_other_series_and_other_datasets_do_not_speak_for_a_gap(store: Store) -> None:
    hot.put(store, "candles", candles([0, 3]), now=NOW)
    hot.put(store, "candles", candles([0, 3], symbol="ETH-USDT"), now=NOW)
    note(store, [ask(0, 9)], now=NOW)
    assert causes(store)["cause"].to_list() == ["venue_had_none", "never_asked"]


def test_a_question_between_two_bars_covers_the_bars_that_open_in_it(store: Store) -> None:
    hot.put(store, "candles", candles([0, 6]), now=NOW)
    note(store, [ask(1.5, 3.5)], now=NOW)
    assert said(causes(store)) == [
        (1, 1, "never_asked"),
        (2, 2, "venue_had_none"),
        (4, 2, "never_asked"),
    ]


def test_stretches_outside_of_what_is_stored_have_causes_too(store: Store) -> None:
    note(store, [ask(0, 5)], now=NOW)
    assert said(why(store, [span(2, 8)])) == [(2, 3, "venue_had_none"), (5, 3, "never_asked")]
    assert why(store, []).is_empty()
    assert why(store, [span(2, 8)]).columns == causes(store).columns


def test_the_cause_is_as_of_a_time_too(store: Store) -> None:
    hot.put(store, "candles", candles([0, 2], ingested_at=NOW), now=NOW)
    note(store, [ask(0, 9, later=60)], now=NOW + 60 * MINUTE)
    query = "select cause from missing_bars"
    assert sql(query, store=store, as_of=NOW + MINUTE).item() == "never_asked"
    assert sql(query, store=store).item() == "venue_had_none"


asks = st.lists(
    st.tuples(
        st.integers(-3, 20),
        st.integers(1, 12),
        st.sampled_from(["answered", "refused", "failed"]),
    ),
    max_size=6,
)
minutes = st.sets(st.integers(0, 20), min_size=1, max_size=12)


@settings(max_examples=8, phases=[Phase.generate])
@given(there=minutes, held=minutes, asked=asks)
def test_every_missing_bar_has_the_cause_that_a_plain_count_gives_it(
    there: set[int], held: set[int], asked: list[tuple[int, int, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), f"{folder}/lake")
        hot.put(store, "candles", candles(sorted({0, 20} | there)), now=NOW)
        hold(store, sorted(held))
        questions = [
            ask(first, first + length, outcome, later)
            for later, (first, length, outcome) in enumerate(asked)
        ]
        note(store, questions, now=NOW)
        found = {
            first + n: cause for first, bars, cause in said(causes(store)) for n in range(bars)
        }
    expected = {}
    for bar in set(range(21)) - {0, 20} - there:
        told = [outcome for first, length, outcome in asked if first <= bar < first + length]
        answers = [outcome for outcome in told if outcome != "failed"]
        if bar in held or answers[-1:] == ["refused"]:
            expected[bar] = "refused"
        elif answers:
            expected[bar] = "venue_had_none"
        else:
            expected[bar] = "failed" if told else "never_asked"
    assert found == expected
