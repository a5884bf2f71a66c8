from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from core.market import (
    INTERVALS,
    Span,
    check_symbol,
    check_venue,
    interval_step,
    with_neighbours,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def span(minutes: float, interval: str = "1m", offset: float = 0.0) -> Span:
    start = START + timedelta(minutes=offset)
    return Span("binance", "BTC-USDT", interval, start, start + timedelta(minutes=minutes))


@pytest.mark.parametrize("symbol", ["BTC-USDT", "1INCH-USDT", "1000SATS-FDUSD"])
def test_symbols_are_base_and_quote(symbol: str) -> None:
    assert check_symbol(symbol) == symbol


@pytest.mark.parametrize(
    "symbol",
    [
        "BTCUSDT",
        "btc-usdt",
        "../x-USDT",
        "BTC-USDT/..",
        "BTC-",
        "a' or 1=1",
        "币安人生-USDT",
        "BTC-USDT\n",
    ],
)
def test_a_symbol_that_could_leave_its_folder_is_refused(symbol: str) -> None:
    with pytest.raises(InvalidInput, match="expected a symbol"):
        check_symbol(symbol)


@pytest.mark.parametrize("venue", ["Binance", "", "..", "a/b", "ｂinance", "1st"])
def test_a_venue_is_a_lower_case_name(venue: str) -> None:
    with pytest.raises(InvalidInput, match="expected a venue"):
        check_venue(venue)


def test_every_interval_divides_a_day() -> None:
    assert all(timedelta(days=1) % step == timedelta(0) for step in INTERVALS.values())


def test_an_unknown_interval_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="1m, 3m, 5m"):
        interval_step("7m")


@pytest.mark.parametrize(
    ("minutes", "offset", "bars"),
    [(0, 0, 0), (1, 0, 1), (1, 0.5, 1), (0.25, 0.5, 0), (61.5, 0, 62)],
)
def test_bars_are_counted_by_their_open(minutes: float, offset: float, bars: int) -> None:
    assert span(minutes, offset=offset).bars == bars


@given(st.integers(0, 5_000), st.integers(1, 700), st.sampled_from(["1m", "5m", "1h"]))
def test_the_pieces_of_a_span_are_the_span(minutes: int, size: int, interval: str) -> None:
    whole = span(minutes, interval)
    pieces = list(whole.split(size))
    assert sum(piece.bars for piece in pieces) == whole.bars
    assert all(piece.bars <= size for piece in pieces)
    ends = [piece.end for piece in pieces]
    assert [piece.start for piece in pieces] == [whole.start, *ends[:-1]][: len(pieces)]


def test_a_span_must_not_end_before_it_starts() -> None:
    with pytest.raises(InvalidInput, match="ends after it starts"):
        span(-1)


def test_a_hole_is_widened_within_the_whole() -> None:
    assert with_neighbours([span(1, offset=100)], span(1_000), 60) == [span(121, offset=40)]
    assert with_neighbours([span(1, offset=5)], span(30), 60) == [span(30)]


def test_holes_that_come_to_touch_are_one() -> None:
    holes = [span(1, offset=100), span(1, offset=150), span(1, offset=500)]
    assert with_neighbours(holes, span(1_000), 30) == [
        span(111, offset=70),
        span(61, offset=470),
    ]


@given(st.sets(st.integers(0, 300), max_size=20), st.integers(0, 50))
def test_every_hole_is_inside_one_widened_span(minutes: set[int], bars: int) -> None:
    holes = [span(1, offset=minute) for minute in sorted(minutes)]
    wide = with_neighbours(holes, span(301), bars)
    assert all(any(w.start <= h.start and h.end <= w.end for w in wide) for h in holes)
    assert all(a.end < b.start for a, b in pairwise(wide))
