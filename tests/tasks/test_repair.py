from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.market import Span
from serving.repair import show_repair, why
from storage import hot
from storage.asked import Ask, note
from storage.store import default_store
from tasks.repair import (
    BATCH_BARS,
    Repaired,
    bars_in,
    find_holes,
    not_lent,
    outcome,
    still_missing,
    to_ask,
    venues_to_ask,
)
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    import pytest


def hole(first: int, end: int, venue: str = "binance", symbol: str = "BTC-USDT") -> Span:
    return Span(venue, symbol, "1m", START + first * MINUTE, START + end * MINUTE)


def put(minutes: list[int], **changes: str) -> None:
    hot.put(default_store(), "candles", candles(minutes, **changes), now=NOW)


def holes(**given: object) -> list[Span]:
    asked = {"venue": None, "symbols": None, "interval": "1m", "since": None, "until": None}
    return find_holes.fn(**{**asked, "now": NOW, **given})


def test_holes_are_what_lies_between_the_first_and_the_last_bar() -> None:
    put([0, 1, 5])
    put([0, 3], symbol="ETH-USDT")
    put([0, 9], venue="okx")
    assert sorted(holes()) == [
        hole(2, 5),
        hole(1, 3, symbol="ETH-USDT"),
        hole(1, 9, venue="okx"),
    ]
    assert holes(venue="okx") == [hole(1, 9, venue="okx")]
    assert holes(symbols=["ETH-USDT"]) == [hole(1, 3, symbol="ETH-USDT")]
    assert holes(interval="1h") == []


def test_head_and_tail_are_holes_only_where_they_are_asked_for() -> None:
    put([5])
    assert holes() == []
    found = holes(since=START, until=START + 9 * MINUTE)
    assert found == [hole(0, 5), hole(6, 9)]
    assert holes(until=NOW + timedelta(days=1), since=NOW) == []


def test_a_hole_is_asked_for_with_its_neighbours_and_near_ones_together() -> None:
    [span] = to_ask([hole(100, 101), hole(150, 160)], "okx", NOW)
    assert span == hole(40, 220, venue="okx")
    assert len(to_ask([hole(0, 1), hole(1_000, 1_001)], "okx", NOW)) == 2
    assert len(to_ask([hole(0, 1), hole(0, 1, symbol="A-B")], "okx", NOW)) == 2
    long = to_ask([hole(0, BATCH_BARS)], "okx", NOW)
    assert [piece.bars for piece in long] == [BATCH_BARS, 120]


def test_nothing_is_asked_for_that_has_not_closed() -> None:
    now = START + 105 * MINUTE + timedelta(seconds=30)
    [span] = to_ask([hole(100, 103)], "okx", now)
    assert span.end == START + 105 * MINUTE


def test_a_venue_whose_bars_came_from_files_cannot_be_asked() -> None:
    can, notes = venues_to_ask([hole(0, 1), hole(0, 1, venue="mycsv")])
    assert can == ["binance"]
    assert notes == ["mycsv cannot be asked: its bars came from files"]


def test_what_another_venue_has_is_lent_and_the_rest_is_left_with_its_cause() -> None:
    put([0, 9])
    put([1, 2], venue="okx")
    store, all_of_it = default_store(), [hole(1, 9)]
    note(store, [Ask(hole(1, 6), "binance", "answered", NOW)], now=NOW)
    rest = still_missing(store, all_of_it)
    left = not_lent(store, rest, "okx")
    assert (bars_in(rest), left) == (8, [hole(3, 9)])
    done = outcome(all_of_it, rest, left, [], ["a note"])
    assert done == Repaired(
        missing=8,
        lent=2,
        left=6,
        causes={"never_asked": 3, "venue_had_none": 3},
        notes=("a note",),
    )


def test_a_repair_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    show_repair(Repaired())
    assert "No bar is missing." in capsys.readouterr().out
    show_repair(
        Repaired(
            missing=9, own=5, lent=2, left=2, causes={"failed": 2}, failed=("x",), notes=("n",)
        )
    )
    shown = capsys.readouterr().out
    assert "9 bars missing: 5 came from their own venue, 2 are held of another" in shown
    assert "left: 2 bars, no answer could be had" in shown
    assert why({"failed": 1, "refused": 5})[0].startswith("left: 5 bars")
