"""The fill contract, rule by rule: a few bars each, with the numbers worked out by hand.

A position enters at 100, so that the mirror image at 200 - price turns every case of a long into
one of a short with the same fills (mirrored) and, without costs, the same return.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from research.bars import bars_of
from research.costs import Costs
from research.reference import REASONS, TRADE, pack, run
from research.simulate import simulate
from tests.research.markets import FREE, MINUTE, START, Row, candles_of, marks

if TYPE_CHECKING:
    import polars as pl

FLAT: Row = (100, 100, 100, 100)
CALM: Row = (100, 101, 99, 100)

both_sides = pytest.mark.parametrize("side", ["long", "short"])


class Desk:
    """Plays hand-written bars for a long, or their mirror image for a short."""

    def __init__(self, side: str) -> None:
        self.side = side

    def trades(
        self,
        rows: list[Row],
        entries: list[int],
        exits: list[int] | None = None,
        minutes: list[int] | None = None,
        **rules: Any,
    ) -> list[tuple[Any, ...]]:
        """Return (entry minute, entry price, exit minute, exit price, reason, ambiguous)."""
        frame = candles_of([self._row(row) for row in rows], minutes)
        size = len(rows)
        left = None if exits is None else marks(size, *exits)
        found = simulate(frame, marks(size, *entries), left, self.side, **({"costs": FREE} | rules))
        self.returns = found["return"].to_list()
        return [
            (
                (row["entry_time"] - START) // MINUTE,
                self._price(row["entry_price"]),
                (row["exit_time"] - START) // MINUTE,
                self._price(row["exit_price"]),
                row["reason"],
                row["ambiguous"],
            )
            for row in found.iter_rows(named=True)
        ]

    def _price(self, price: float) -> Any:
        return pytest.approx(price if self.side == "long" else 200 - price, rel=1e-12)

    def _row(self, row: Row) -> Row:
        if self.side == "long":
            return row
        open_, high, low, close = (200 - price for price in row)
        return open_, low, high, close


@pytest.fixture(params=["long", "short"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


# Decisions fill at the next open.


def test_entry_and_exit_signals_fill_at_the_open_of_the_next_bar(desk: Desk) -> None:
    rows = [FLAT, (100, 102, 99, 101), (101, 104, 100, 103), (102, 103, 101, 103), CALM]
    assert desk.trades(rows, [0], [2]) == [(1, 100, 3, 102, "signal", False)]
    assert desk.returns == [pytest.approx(0.02)]


def test_fills_go_to_the_next_bar_there_is_when_minutes_are_missing(desk: Desk) -> None:
    rows = [FLAT, (100, 102, 99, 101), (103, 104, 103, 104), CALM]
    trades = desk.trades(rows, [0], [1], minutes=[0, 7, 30, 31])
    assert trades == [(7, 100, 30, 103, "signal", False)]


def test_entries_are_ignored_while_a_position_is_open(desk: Desk) -> None:
    rows = [FLAT, CALM, CALM, CALM, (101, 101, 101, 101), CALM]
    assert desk.trades(rows, [0, 1, 2], [3]) == [(1, 100, 4, 101, "signal", False)]


def test_an_exit_signal_without_a_position_does_nothing(desk: Desk) -> None:
    rows = [FLAT, CALM, CALM, (102, 102, 102, 102)]
    assert desk.trades(rows, [0], [0]) == [(1, 100, 3, 102, "end", False)]


def test_an_exit_and_an_entry_of_one_close_fill_at_the_same_open(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 100, 100, 100), CALM, (101, 101, 101, 101)]
    assert desk.trades(rows, [0, 1], [1]) == [
        (1, 100, 2, 100, "signal", False),
        (2, 100, 4, 101, "end", False),
    ]


def test_a_signal_exit_fills_before_anything_inside_its_bar(desk: Desk) -> None:
    rows = [FLAT, CALM, (99, 120, 80, 100), CALM]
    trades = desk.trades(rows, [0], [1], stop=0.05, target=0.05)
    assert trades == [(1, 100, 2, 99, "signal", False)]


def test_a_signal_exit_at_an_open_beyond_the_stop_is_a_signal_exit(desk: Desk) -> None:
    rows = [FLAT, CALM, (90, 91, 89, 90), CALM]
    assert desk.trades(rows, [0], [1], stop=0.05) == [(1, 100, 2, 90, "signal", False)]


# Stops and targets.


def test_a_stop_fills_at_its_level(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 100.5, 97, 98.5), CALM]
    assert desk.trades(rows, [0], stop=0.02) == [(1, 100, 2, 98, "stop", False)]
    assert desk.returns == [pytest.approx(-0.02)]


def test_touching_the_level_is_enough(desk: Desk) -> None:
    rows = [FLAT, (100, 101, 98, 100), (100, 105, 99, 100)]
    assert desk.trades(rows, [0], stop=0.02) == [(1, 100, 1, 98, "stop", False)]
    assert desk.trades(rows, [0], target=0.05) == [(1, 100, 2, 105, "target", False)]


def test_a_bar_that_opens_beyond_the_stop_fills_at_its_open(desk: Desk) -> None:
    rows = [FLAT, CALM, (97, 99, 96, 98), CALM]
    assert desk.trades(rows, [0], stop=0.02) == [(1, 100, 2, 97, "stop", False)]


def test_a_target_fills_at_its_level(desk: Desk) -> None:
    rows = [FLAT, CALM, (101, 107, 100, 106), CALM]
    assert desk.trades(rows, [0], target=0.05) == [(1, 100, 2, 105, "target", False)]
    assert desk.returns == [pytest.approx(0.05)]


def test_a_bar_that_opens_beyond_the_target_fills_at_its_open(desk: Desk) -> None:
    rows = [FLAT, CALM, (106, 107, 100, 106), CALM]
    assert desk.trades(rows, [0], target=0.05) == [(1, 100, 2, 106, "target", False)]


def test_stop_and_target_are_live_on_the_entry_bar(desk: Desk) -> None:
    rows = [FLAT, (100, 106, 97, 99), CALM]
    assert desk.trades(rows, [0], stop=0.02) == [(1, 100, 1, 98, "stop", False)]
    assert desk.trades(rows, [0], target=0.05) == [(1, 100, 1, 105, "target", False)]


def test_a_bar_before_the_entry_touches_nothing(desk: Desk) -> None:
    rows = [(100, 120, 80, 100), (100, 101, 99, 100), (100, 101, 99, 101)]
    trades = desk.trades(rows, [0], stop=0.02, target=0.05)
    assert trades == [(1, 100, 2, 101, "end", False)]


def test_a_bar_whose_position_ended_inside_it_may_decide_a_new_entry(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 100, 97, 98), (100, 100, 100, 100), (101, 101, 101, 101)]
    assert desk.trades(rows, [0, 2], stop=0.02) == [
        (1, 100, 2, 98, "stop", False),
        (3, 100, 4, 101, "end", False),
    ]


def test_an_entry_signal_during_a_position_is_not_remembered_after_its_stop(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 100, 97, 98), CALM, CALM]
    assert desk.trades(rows, [0, 1], stop=0.02) == [(1, 100, 2, 98, "stop", False)]


# Bars that touch several.


def test_a_bar_that_touches_stop_and_target_stops_and_is_ambiguous(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 106, 97, 100), CALM]
    trades = desk.trades(rows, [0], stop=0.02, target=0.05)
    assert trades == [(1, 100, 2, 98, "stop", True)]


def test_the_optimistic_bound_takes_the_target_of_an_ambiguous_bar(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 106, 97, 100), CALM]
    trades = desk.trades(rows, [0], stop=0.02, target=0.05, ambiguous="best")
    assert trades == [(1, 100, 2, 105, "target", True)]


def test_the_optimistic_bound_keeps_a_stop_that_is_alone(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 104, 97, 100), CALM]
    trades = desk.trades(rows, [0], stop=0.02, target=0.05, ambiguous="best")
    assert trades == [(1, 100, 2, 98, "stop", False)]


@pytest.mark.parametrize("ambiguous", ["worst", "best"])
def test_an_open_beyond_a_level_is_never_ambiguous(desk: Desk, ambiguous: str) -> None:
    below = [FLAT, CALM, (97, 106, 96, 100), CALM]
    above = [FLAT, CALM, (106, 107, 97, 100), CALM]
    rules = {"stop": 0.02, "target": 0.05, "ambiguous": ambiguous}
    assert desk.trades(below, [0], **rules) == [(1, 100, 2, 97, "stop", False)]
    assert desk.trades(above, [0], **rules) == [(1, 100, 2, 106, "target", False)]


def test_a_bar_that_touches_trail_and_target_trails_and_is_ambiguous(desk: Desk) -> None:
    rows = [FLAT, (100, 104, 100, 104), (104, 106, 100, 105), CALM]
    trades = desk.trades(rows, [0], trail=0.03, target=0.05)  # trail at 104 · 0.97 = 100.88
    expected = 100.88 if desk.side == "long" else 200 - 96 * 1.03
    assert trades == [(1, 100, 2, pytest.approx(expected), "trail", True)]


# Trails. A trail is a share of the best price, so that the mirror image has other levels:
# a long falls from 110 to 110 · 0.95 = 104.5, its mirror rises from 90 to 90 · 1.05 = 94.5.


def _trailed(desk: Desk, long: float, short: float) -> Any:
    return pytest.approx(long if desk.side == "long" else 200 - short)


def test_a_trail_starts_at_the_entry_price(desk: Desk) -> None:
    rows = [FLAT, (100, 100, 94, 96), CALM]
    assert desk.trades(rows, [0], trail=0.05) == [(1, 100, 1, 95, "trail", False)]


def test_a_trail_does_not_know_the_best_price_of_its_own_bar(desk: Desk) -> None:
    rows = [FLAT, (100, 110, 99, 107), (107, 107, 104, 105), CALM]
    # The first bar falls from 110 to 99 and stays in; the second is measured from 110.
    trades = desk.trades(rows, [0], trail=0.05)
    assert trades == [(1, 100, 2, _trailed(desk, 104.5, 94.5), "trail", False)]


def test_a_trail_never_loosens(desk: Desk) -> None:
    rows = [FLAT, (100, 110, 99, 108), (108, 108.5, 107, 108), (108, 108, 104, 104), CALM]
    trades = desk.trades(rows, [0], trail=0.05)
    assert trades == [(1, 100, 3, _trailed(desk, 104.5, 94.5), "trail", False)]


def test_a_bar_that_opens_beyond_the_trail_fills_at_its_open(desk: Desk) -> None:
    rows = [FLAT, (100, 110, 99, 108), (103, 104, 102, 103), CALM]
    assert desk.trades(rows, [0], trail=0.05) == [(1, 100, 2, 103, "trail", False)]


def test_of_stop_and_trail_the_tighter_is_hit(desk: Desk) -> None:
    rows = [FLAT, (100, 102, 99, 101), (101, 101, 90, 91), CALM]
    stopped = desk.trades(rows, [0], stop=0.02, trail=0.06)
    assert stopped == [(1, 100, 2, 98, "stop", False)]
    trailed = desk.trades(rows, [0], stop=0.06, trail=0.03)
    assert trailed == [(1, 100, 2, _trailed(desk, 98.94, 100.94), "trail", False)]


def test_equal_levels_are_called_a_stop(desk: Desk) -> None:
    rows = [FLAT, (100, 100, 97, 98), CALM]
    trades = desk.trades(rows, [0], stop=0.02, trail=0.02)
    assert trades == [(1, 100, 1, 98, "stop", False)]


# Timeouts.


@pytest.mark.parametrize(
    "timeout", [timedelta(minutes=3), timedelta(minutes=2, seconds=1), "3m", 3]
)
def test_a_timeout_is_decided_on_the_close_that_reaches_it(desk: Desk, timeout: Any) -> None:
    rows = [FLAT, CALM, CALM, CALM, (101, 101, 101, 101), CALM]
    # Entry at minute 1; the bar of minute 3 closes 3 minutes later; minute 4 fills.
    assert desk.trades(rows, [0], timeout=timeout) == [(1, 100, 4, 101, "timeout", False)]


def test_a_timeout_of_one_bar_leaves_at_the_next_open(desk: Desk) -> None:
    rows = [FLAT, CALM, (101, 101, 101, 101), CALM]
    assert desk.trades(rows, [0], timeout=1) == [(1, 100, 2, 101, "timeout", False)]
    assert desk.trades(rows, [0], timeout="1m") == [(1, 100, 2, 101, "timeout", False)]


def test_a_timeout_goes_by_the_clock_where_minutes_are_missing(desk: Desk) -> None:
    rows = [FLAT, CALM, CALM, CALM, (101, 101, 101, 101), CALM]
    minutes = [0, 1, 2, 10, 11, 12]
    by_clock = desk.trades(rows, [0], minutes=minutes, timeout="3m")
    assert by_clock == [(1, 100, 11, 101, "timeout", False)]
    by_bars = desk.trades(rows, [0], minutes=minutes, timeout=2)
    assert by_bars == [(1, 100, 10, 100, "timeout", False)]


def test_a_timeout_and_a_signal_of_one_close_are_a_signal(desk: Desk) -> None:
    rows = [FLAT, CALM, (101, 101, 101, 101), CALM]
    assert desk.trades(rows, [0], [1], timeout=1) == [(1, 100, 2, 101, "signal", False)]


def test_a_timeout_frees_the_position_for_an_entry_of_the_same_close(desk: Desk) -> None:
    rows = [FLAT, CALM, FLAT, (101, 101, 101, 101)]
    assert desk.trades(rows, [0, 1], timeout=1) == [
        (1, 100, 2, 100, "timeout", False),
        (2, 100, 3, 101, "timeout", False),
    ]


# The ends of the data.


def test_a_position_that_is_open_at_the_end_closes_at_the_last_close(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 104, 99, 103)]
    assert desk.trades(rows, [0], [2]) == [(1, 100, 2, 103, "end", False)]


def test_a_stop_inside_the_last_bar_comes_before_its_end(desk: Desk) -> None:
    rows = [FLAT, CALM, (100, 104, 97, 103)]
    assert desk.trades(rows, [0], stop=0.02) == [(1, 100, 2, 98, "stop", False)]


def test_an_entry_at_the_last_open_ends_at_the_last_close(desk: Desk) -> None:
    rows = [CALM, FLAT, (100, 104, 99, 103)]
    assert desk.trades(rows, [1]) == [(2, 100, 2, 103, "end", False)]
    assert desk.returns == [pytest.approx(0.03)]


def test_an_entry_decided_on_the_last_bar_never_fills(desk: Desk) -> None:
    assert desk.trades([CALM, CALM, CALM], [2]) == []


def test_one_bar_makes_no_trade_and_two_make_one(desk: Desk) -> None:
    assert desk.trades([CALM], [0]) == []
    assert desk.trades([CALM, (100, 104, 99, 103)], [0, 1]) == [(1, 100, 1, 103, "end", False)]


def test_no_bars_make_no_trades(desk: Desk) -> None:
    assert desk.trades([], []) == []


# Costs, in numbers of their own for each side.


def test_slippage_moves_every_fill_against_us_and_levels_follow_the_fill() -> None:
    rows = [FLAT, CALM, (100, 100, 90, 91), CALM]
    costs = Costs(fee_bps=0, slippage_bps=100)
    # Bought at 100 · 1.01 = 101; the stop at 101 · 0.95 = 95.95 sells at 95.95 · 0.99.
    (long,) = _fills(rows, "long", stop=0.05, costs=costs)
    assert (long["entry_price"], long["exit_price"]) == (101, pytest.approx(94.9905))
    assert long["return"] == pytest.approx(94.9905 / 101 - 1)
    # Sold at 99; the target at 99 · 0.95 = 94.05 buys back at 94.05 · 1.01.
    (short,) = _fills(rows, "short", target=0.05, costs=costs)
    assert (short["entry_price"], short["exit_price"]) == (99, pytest.approx(94.9905))
    assert short["return"] == pytest.approx(1 - 94.9905 / 99)


def test_a_stop_nearer_than_the_slippage_fills_at_the_open_of_the_entry() -> None:
    rows = [FLAT, CALM, CALM]
    costs = Costs(fee_bps=0, slippage_bps=100)
    # Bought at 101 with the stop at 101 · 0.995 = 100.495: the open of 100 is beyond it.
    (trade,) = _fills(rows, "long", stop=0.005, costs=costs)
    assert (trade["reason"], trade["entry_time"]) == ("stop", trade["exit_time"])
    assert trade["exit_price"] == pytest.approx(99)


def test_fees_are_paid_on_the_notional_of_both_sides() -> None:
    rows = [FLAT, CALM, (110, 110, 110, 110), CALM]
    costs = Costs(fee_bps=100, slippage_bps=0)
    # 1 buys n = 1/1.01 after its fee; sold at 1.1 n less 1 %: 1.1 · 0.99 / 1.01 - 1.
    (long,) = _fills(rows, "long", exits=[1], costs=costs)
    assert long["return"] == pytest.approx(1.089 / 1.01 - 1)
    # Short n: 1 - 0.01 n - 0.1 n - 0.01 · 1.1 n = 1 - 0.121/1.01.
    (short,) = _fills(rows, "short", exits=[1], costs=costs)
    assert short["return"] == pytest.approx(-0.121 / 1.01)


def test_funding_is_charged_to_shorts_for_the_time_held() -> None:
    rows = [FLAT, CALM, (100, 100, 100, 100), CALM]
    costs = Costs(fee_bps=0, slippage_bps=0, funding_bps=10)
    # Held from minute 1 to minute 241: four hours, half of 10 bp.
    (short,) = _fills(rows, "short", exits=[1], costs=costs, minutes=[0, 1, 241, 242])
    assert short["return"] == pytest.approx(-0.0005)
    (long,) = _fills(rows, "long", exits=[1], costs=costs, minutes=[0, 1, 241, 242])
    assert long["return"] == 0


def test_funding_is_charged_to_longs_of_perpetuals_on_what_was_bought() -> None:
    rows = [FLAT, CALM, (100, 100, 100, 100), CALM]
    costs = Costs(fee_bps=100, slippage_bps=0, funding_bps=10, perpetual=True)
    minutes = [0, 1, 481, 482]  # eight hours
    (long,) = _fills(rows, "long", exits=[1], costs=costs, minutes=minutes)
    assert long["return"] == pytest.approx((0.99 - 0.001) / 1.01 - 1)
    (short,) = _fills(rows, "short", exits=[1], costs=costs, minutes=minutes)
    assert short["return"] == pytest.approx(2 / 1.01 - 1 - 1 - 0.001 / 1.01)


# Ruin.


def test_a_short_whose_price_doubles_by_a_close_is_ruined_there() -> None:
    rows = [FLAT, CALM, (150, 210, 150, 200), (90, 90, 90, 90), CALM, CALM]
    (short,) = _fills(rows, "short", entries=[0, 2, 3], exits=[4], costs=FREE)
    assert short["return"] == -1
    assert (short["reason"], short["exit_price"]) == ("end", 200)
    assert short["exit_time"] == START + 2 * MINUTE


def test_a_short_that_gaps_beyond_ruin_loses_all_and_no_more() -> None:
    rows = [FLAT, CALM, (300, 300, 300, 300), CALM, CALM]
    (short,) = _fills(rows, "short", entries=[0, 2], stop=0.5, costs=FREE)
    assert (short["return"], short["exit_price"], short["reason"]) == (-1, 300, "stop")


def test_equity_stays_at_nothing_after_ruin() -> None:
    frame = candles_of([FLAT, CALM, (150, 210, 150, 200), (90, 90, 90, 90), CALM])
    done = run(bars_of(frame), pack(5, short_entry=marks(5, 0, 2, 3)), FREE.terms(MINUTE))
    assert done.equity.tolist() == [1, 1, 0, 0, 0]
    assert done.trades.size == 1


# Both sides at once, as strategies may have them.


def _both(rows: list[Row], **at: int) -> list[tuple[Any, ...]]:
    flags = {name: marks(len(rows), bar) for name, bar in at.items()}
    done = run(bars_of(candles_of(rows)), pack(len(rows), **flags), FREE.terms(MINUTE))
    return [
        (trade["side"], trade["entry_bar"], trade["exit_bar"], REASONS[trade["reason"]])
        for trade in done.trades
    ]


def test_long_and_short_entries_of_one_close_cancel_each_other() -> None:
    assert _both([CALM] * 4, long_entry=0, short_entry=0) == []


def test_an_exit_with_an_entry_to_the_other_side_turns_the_position_at_one_open() -> None:
    trades = _both([CALM] * 5, long_entry=0, long_exit=1, short_entry=1)
    assert trades == [(1, 1, 2, "signal"), (-1, 2, 4, "end")]


def test_an_entry_to_the_other_side_alone_does_not_close_a_position() -> None:
    assert _both([CALM] * 5, long_entry=0, short_entry=1) == [(1, 1, 4, "end")]


def test_an_exit_of_the_other_side_does_not_close_a_position() -> None:
    assert _both([CALM] * 5, long_entry=0, short_exit=1) == [(1, 1, 4, "end")]


# Equity between fills.


def test_equity_is_marked_at_every_close_without_the_cost_of_leaving() -> None:
    frame = candles_of([FLAT, (100, 110, 100, 110), (110, 120, 110, 120), CALM, CALM])
    costs = Costs(fee_bps=100, slippage_bps=0)
    long = run(bars_of(frame), pack(5, marks(5, 0), marks(5, 2)), costs.terms(MINUTE)).equity
    # n = 1/1.01 is worth 1.1 n and 1.2 n; sold at the open of 100 for n less 1 %.
    assert long == pytest.approx([1, 1.1 / 1.01, 1.2 / 1.01, 0.99 / 1.01, 0.99 / 1.01])
    short = run(
        bars_of(frame), pack(5, None, None, marks(5, 0), marks(5, 2)), costs.terms(MINUTE)
    ).equity
    # n (2 - 1.1), n (2 - 1.2); bought back at 100: 2 n - 1.
    assert short == pytest.approx([1, 0.9 / 1.01, 0.8 / 1.01, 0.99 / 1.01, 0.99 / 1.01])


def test_bars_count_where_a_position_was_open_beyond_the_open() -> None:
    frame = candles_of([FLAT, CALM, CALM, (100, 100, 97, 98), CALM, CALM, CALM])
    signals = pack(7, marks(7, 0, 3), marks(7, 5))
    trades = run(bars_of(frame), signals, FREE.terms(MINUTE, stop=0.02)).trades
    # Bars 1, 2 and the one that stops it; then bars 4 and 5, left at the open of 6.
    assert trades["bars"].tolist() == [3, 2]
    assert trades.dtype == TRADE


def _fills(
    rows: list[Row],
    side: str,
    *,
    entries: list[int] | None = None,
    exits: list[int] | None = None,
    minutes: list[int] | None = None,
    **rules: Any,
) -> list[dict[str, Any]]:
    size = len(rows)
    found: pl.DataFrame = simulate(
        candles_of(rows, minutes),
        marks(size, *(entries or [0])),
        None if exits is None else marks(size, *exits),
        side,
        **rules,
    )
    assert np.isfinite(found["return"].to_numpy()).all()
    return found.to_dicts()
