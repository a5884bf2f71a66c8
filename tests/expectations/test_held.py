"""Price jumps at the gate: held back, then released by later bars, in one batch or over two."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from core.datasets import CANDLES
from expectations.gate import gate
from tests.expectations.rows import MINUTE, NOW, START, bar, bars, frame

if TYPE_CHECKING:
    import polars as pl

    from expectations.verdict import Verdict


def closes(frame: pl.DataFrame) -> list[float]:
    return frame["close"].to_list()


def first_batch() -> Verdict:
    """Forty bars at 100, then three at 130 that nothing confirms yet."""
    return gate("candles", bars([100.0] * 40 + [130.0] * 3), now=NOW)


def test_a_single_spike_is_quarantined() -> None:
    found = gate("candles", bars([100.0] * 20 + [130.0] + [100.0] * 20), now=NOW)
    assert found.reasons == {"price_jump": 1}
    assert closes(found.quarantined) == [130.0]
    assert set(closes(found.accepted)) == {100.0}


def test_a_level_shift_in_one_batch_is_accepted_with_a_warning() -> None:
    found = gate("candles", bars([100.0] * 20 + [130.0] * 20), now=NOW)
    assert found.quarantined.is_empty()
    assert found.accepted.height == 40
    assert found.warnings == {"level_shift": 6}


def test_a_level_shift_is_released_by_the_next_batch() -> None:
    first = first_batch()
    assert closes(first.quarantined) == [130.0] * 3
    assert first.accepted.height == 40
    second = gate(
        "candles",
        bars([130.0] * 30, first=43),
        history=first.accepted,
        held=first.quarantined,  # with its reasons, as it came
        now=NOW,
    )
    assert second.passed
    assert second.rows == 30
    assert second.released == 3
    assert second.waiting == 0
    assert second.quarantined.is_empty()
    assert second.accepted["open_time"].to_list() == [START + (40 + i) * MINUTE for i in range(33)]
    assert second.as_row(NOW)["accepted"] == 30


def test_rows_that_still_wait_do_not_count_against_the_batch() -> None:
    first = first_batch()
    second = gate(
        "candles",
        bars([100.0] * 3, first=43),
        history=first.accepted.tail(5),
        held=first.quarantined.drop("reasons"),
        now=NOW,
    )
    assert second.passed
    assert second.accepted.height == second.rows == 3
    assert second.waiting == second.quarantined.height == 3
    assert second.quarantined_rows == 0
    assert second.reasons == {}


def test_a_shift_is_released_over_three_batches() -> None:
    first = first_batch()
    second = gate(
        "candles",
        bars([130.0] * 2, first=43),
        history=first.accepted,
        held=first.quarantined,
        now=NOW,
    )
    assert not second.passed  # all of its two rows jump, so its span will be asked for again
    third = gate(
        "candles",
        bars([130.0] * 3, first=43),
        history=first.accepted,
        held=first.quarantined,
        now=NOW,
    )
    assert third.passed
    assert third.accepted.height == 6


def test_a_bar_that_comes_anew_replaces_the_one_that_waits() -> None:
    first = first_batch()
    again = bars([100.0] * 10, first=40)  # the venue corrected its three bars
    second = gate("candles", again, history=first.accepted, held=first.quarantined, now=NOW)
    assert second.accepted.equals(again)
    assert second.quarantined["reasons"].to_list() == [["duplicate"]] * 3
    assert second.waiting == 3


def test_a_bar_accepted_meanwhile_is_not_accepted_a_second_time() -> None:
    history = bars([100.0] * 40)
    found = gate(
        "candles", bars([100.0] * 3, first=40), history=history, held=history[35:36], now=NOW
    )
    assert found.accepted.height == 3
    assert found.quarantined["reasons"].to_list() == [["duplicate"]]


def test_an_old_spike_is_not_released_by_a_market_that_came_to_it_slowly() -> None:
    spike = bars([130.0])
    history = bars([129.0, 131.0, 130.0, 129.0, 131.0, 130.0], first=5_000)
    batch = bars([130.0] * 30, first=5_006)
    found = gate("candles", batch, history=history, held=spike, now=NOW)
    assert found.accepted.equals(batch)
    assert found.quarantined["reasons"].to_list() == [["price_jump"]]
    without_history = gate("candles", batch, held=spike, now=NOW)
    assert without_history.accepted.equals(batch)
    assert without_history.waiting == 1


def test_a_bar_that_waits_is_not_judged_by_a_batch_before_it() -> None:
    found = gate("candles", bars([100.0] * 30), held=bars([110.0], first=5_000), now=NOW)
    assert found.accepted.height == 30
    assert found.quarantined["reasons"].to_list() == [["price_jump"]]


def test_bars_of_another_series_wait_on() -> None:
    found = gate("candles", bars([100.0] * 30), held=bars([100.0] * 2, symbol="ETH-USDT"), now=NOW)
    assert found.waiting == 2
    assert found.accepted.height == 30


def test_a_published_bar_that_comes_again_is_judged_in_the_place_of_the_stored_one() -> None:
    history = bars([100.0] * 40)
    same = gate("candles", history.tail(20), history=history, now=NOW)
    assert same.accepted.height == 20
    wrong = bars([100.0] * 9 + [500.0] + [100.0] * 10, first=20)
    found = gate("candles", wrong, history=history, now=NOW)
    assert closes(found.quarantined) == [500.0]


def test_a_jump_after_an_outage_is_released_within_the_batch() -> None:
    history = bars([100.0] * 10)
    batch = bars([160.0] * 60, first=3_000)
    assert gate("candles", batch, history=history, now=NOW).accepted.equals(batch)


def test_history_with_broken_closes_is_read_without_them() -> None:
    history = frame(
        CANDLES,
        [bar(at, close=close) for at, close in enumerate([100.0, math.nan, math.inf, 0.0, -1.0])]
        + [bar(5, close=None)],
    )
    found = gate("candles", bars([100.0] * 10 + [130.0], first=6), history=history, now=NOW)
    assert closes(found.quarantined) == [130.0]


def test_an_outlier_at_the_very_start_of_a_series_is_quarantined() -> None:
    found = gate("candles", bars([1000.0] + [100.0] * 20), now=NOW)
    assert closes(found.quarantined) == [1000.0]


def test_days_may_jump_like_minutes_and_are_confirmed_by_days() -> None:
    days = [
        bar(0, close, interval="1d", open_time=START - timedelta(days=30 - day))
        for day, close in enumerate([100.0] * 10 + [60.0] * 10)
    ]
    found = gate("candles", frame(CANDLES, days), now=NOW)
    assert found.accepted.height == 20
    assert found.warnings == {"level_shift": 6}
