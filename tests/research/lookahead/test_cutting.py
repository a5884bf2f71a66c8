"""The pieces of the proof: where is cut, what is left of a market, and what counts as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.market import INTERVALS
from research.bars import resample
from research.costs import Costs
from research.engine.batches import batches
from research.engine.levels import BOTTOM, FAR, HIGHEST, LOWEST, NEAR, TOP, blocks_of
from research.engine.run import room_of
from research.lookahead import prefix
from research.lookahead.cuts import draw_cuts, draw_starts
from research.lookahead.histories import TAIL, Histories
from research.lookahead.stage import RULES, Decisions, Prices
from research.lookahead.trades import Trades, fast
from research.market import Market
from research.reference import END
from research.strategy import Strategy
from tests.research.engine.minutes import garch
from tests.research.lookahead.leaks import changed, middle_with_the_next_close, next_open
from tests.research.markets import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.lookahead.trades import Engine

MINUTE = 60_000_000
RULE = "long when rsi(7) < 35 exit when rsi(7) > 60 short when rsi(7) > 70 stop 1% trail 2% on 5m"


def market(count: int, *, gaps: bool = False, seed: int = 3) -> Market:
    return Market.of(frame_of(garch(seed, count, gaps=gaps), symbol="X-Y", interval="1m"))


# --- where is cut --------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), bars=st.integers(1, 5_000), count=st.integers(1, 40))
def test_cuts_leave_something_before_and_behind(seed: int, bars: int, count: int) -> None:
    time = 1_000 * MINUTE + np.arange(bars, dtype=np.int64) * MINUTE
    cuts = draw_cuts(time, count, np.random.default_rng(seed))
    assert cuts == sorted(set(cuts))
    assert len(cuts) <= count
    assert all(0 < cut < bars for cut in cuts)
    assert cuts == draw_cuts(time, count, np.random.default_rng(seed))


def test_twenty_cuts_are_twenty_and_lie_all_over_the_history() -> None:
    time = np.arange(129_600, dtype=np.int64) * MINUTE
    for seed in range(50):
        cuts = np.array(draw_cuts(time, 20, np.random.default_rng(seed)))
        assert cuts.size >= 19  # two may move to one boundary
        assert np.diff(cuts, prepend=0, append=time.size).max() <= 2.1 * time.size / 20


def test_cuts_lie_at_right_before_and_right_behind_boundaries() -> None:
    time = np.arange(129_600, dtype=np.int64) * MINUTE
    cuts = np.concatenate([draw_cuts(time, 20, np.random.default_rng(n)) for n in range(20)])
    for place in (-1, 0, 1):
        near = (time[cuts] // MINUTE - place) % 15 == 0
        assert near.mean() > 0.12  # one of four; half of them at coarser bars than 5m


def test_later_starts_leave_half_of_the_history() -> None:
    starts = draw_starts(10_000, np.random.default_rng(1))
    assert len(starts) == 3
    assert 0 < starts[0] < 1_000 <= starts[1] < 3_000 <= starts[2] < 5_000
    assert draw_starts(1, np.random.default_rng(1)) == []


# --- what counts as the same ---------------------------------------------------------------------

flags = st.lists(st.booleans(), min_size=0, max_size=200)


def words(given: list[bool], size: int) -> np.ndarray:
    bits = np.zeros(-(-size // 64) * 64, np.uint8)
    bits[: len(given)] = given
    return np.packbits(bits, bitorder="little").view(np.uint64)


@given(one=flags, other=flags, data=st.data())
def test_the_first_differing_bit_is_found(
    one: list[bool], other: list[bool], data: st.DataObject
) -> None:
    size = min(len(one), len(other))
    end = data.draw(st.integers(0, size))
    pairs = enumerate(zip(one[:end], other[:end], strict=True))
    expected = next((at for at, (mine, its) in pairs if mine != its), None)
    assert prefix.differing_bits(words(one, 200), words(other, 200), end) == expected


@given(given_=flags, data=st.data())
def test_bits_behind_a_cut_are_gone_or_turned(given_: list[bool], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(given_)))
    end = data.draw(st.integers(cut, len(given_)))
    bank = words(given_, 256)
    kept = prefix.bits_until(bank, cut)
    assert prefix.flags_of(kept, kept.size * 64).tolist() == [
        *given_[:cut],
        *[False] * (kept.size * 64 - cut),
    ]
    turned = prefix.flags_of(prefix.bits_inverted(bank, cut, end), end).tolist()
    assert turned == [*given_[:cut], *(not each for each in given_[cut:end])]
    assert prefix.flags_of(bank, len(given_)).tolist() == given_  # untouched


def test_numbers_are_the_same_to_the_last_bit_or_not_at_all() -> None:
    one = np.array([1.0, np.nan, 0.0, 3.0])
    assert prefix.differing(one, one.copy(), 4) is None
    assert prefix.differing(one, np.array([1.0, np.nan, -0.0, 3.0]), 4) == 2
    assert prefix.differing(one, np.array([np.nextafter(1.0, 2), np.nan, 0.0, 3.0]), 4) == 0
    assert prefix.differing(one, one[:3], 4) == 3  # what is not there is not the same
    assert prefix.differing(one, one[:3], 3) is None


# --- what is left of a market --------------------------------------------------------------------


@given(seed=st.integers(0, 50), cut=st.integers(1, 1_500), gaps=st.booleans())
@settings(max_examples=60)
def test_closed_bars_are_those_that_a_shorter_history_closes(
    seed: int, cut: int, *, gaps: bool
) -> None:
    one = market(1_500, gaps=gaps, seed=seed)
    histories = Histories(one, [cut] if cut < 1_500 else [])
    for name in ("1m", "5m", "1h"):
        history = prefix.until(one.bars, cut)
        _, last = resample(history, one.step, INTERVALS[name])
        assert histories.closed(name, cut) == last.size
        assert histories.check(name) is None


@given(cuts=st.lists(st.tuples(st.integers(1, 8_999), st.booleans()), min_size=1, max_size=4))
@settings(max_examples=80)
def test_the_market_before_a_cut_is_what_a_shorter_market_is(cuts: list[tuple[int, bool]]) -> None:
    prices = Prices(MARKET.ground)
    for cut, poison in sorted(cuts, reverse=True):  # from late to early
        end = min(cut + TAIL, 9_000) if poison else cut
        ground = prices.before(cut, end)
        short = prefix.until(MARKET.bars, cut)
        assert ground.time.size == ground.prices.shape[0] == end
        assert ground.ends.max() == end - 1
        np.testing.assert_array_equal(ground.prices[:cut], MARKET.ground.prices[:cut])
        assert np.isnan(ground.prices[cut:]).all()
        for blocks, size in ((ground.near, NEAR), (ground.far, FAR)):
            whole = cut >> size  # blocks that no bar behind the cut is in
            expected = blocks_of(short, size)
            if end > cut:  # an unknown future may touch anything
                assert (blocks[whole:, [HIGHEST, TOP]] == np.inf).all()
                assert (blocks[whole:, [LOWEST, BOTTOM]] == -np.inf).all()
                expected, blocks = expected[:whole], blocks[:whole]  # noqa: PLW2901
            np.testing.assert_array_equal(blocks, expected)
    prices.reset()
    again = prices.before(8_999, 8_999)
    np.testing.assert_array_equal(again.prices, MARKET.ground.prices[:-1])
    np.testing.assert_array_equal(again.near[:-1], MARKET.ground.near[:-1])
    np.testing.assert_array_equal(again.far[:-1], MARKET.ground.far[:-1])


@given(known=st.lists(st.integers(0, 600), min_size=1, max_size=4), data=st.data())
def test_decisions_behind_a_cut_are_the_opposite(known: list[int], data: st.DataObject) -> None:
    [work] = batches(
        MARKET.workspace,
        [Strategy.parse(RULE), Strategy.parse("long when close > open timeout 1h on 5m")],
    )
    batch = work.batch
    size = batch.grid.size
    decisions = Decisions(batch)
    for cut in sorted(known, reverse=True):
        end = data.draw(st.integers(cut, size))
        bars = int(batch.grid.bars[end]) if end < size else 9_000
        cut_batch = decisions.before(cut, end, bars, None)
        assert cut_batch.grid.size == cut_batch.grid.bars.size == end
        for name in RULES:
            for start in batch.rules[name][batch.rules[name] >= 0]:
                mine, its = (
                    prefix.flags_of(bank[start : start + -(-size // 64)], size)
                    for bank in (batch.entries, cut_batch.entries)
                )
                np.testing.assert_array_equal(mine[:cut], its[:cut])
                np.testing.assert_array_equal(1 - mine[cut:], its[cut:])
    assert decisions.before(0, size, 9_000, 1).rules.tolist() == batch.rules[1:].tolist()


MARKET = market(9_000)


# --- the short way and the plain one -------------------------------------------------------------


def plain(of: Market, engine: Engine) -> np.ndarray:
    """Return the trades of RULE on a market, all of it computed on that market alone."""
    [work] = batches(of.workspace, [Strategy.parse(RULE)])
    room = room_of(of.ground, 1, keeps=True)
    [(_, trades)] = engine(of.ground, work.batch, Costs().terms(of.step), room)
    return trades.copy()


def plainly_alike(whole: np.ndarray, short: np.ndarray, cut: int) -> bool:
    """Say of the trades on two histories, field by field, whether they are the same until a cut."""
    begun = whole[whole["entry_bar"] < cut]
    ended = begun[begun["exit_bar"] < cut]
    if begun.size != short.size or ended.tolist() != short[: ended.size].tolist():
        return False
    return all(
        (left["reason"], left["exit_bar"], left["entry_price"])
        == (END, cut - 1, begun[-1]["entry_price"])
        for left in short[ended.size :]
    )


def test_what_is_proven_is_so_on_markets_of_their_own() -> None:
    one = market(6_000, seed=8)
    whole = plain(one, fast)
    assert whole.size > 10
    cuts = sorted({*range(100, 6_000, 400), *(whole["entry_bar"] + 1), *(whole["exit_bar"] + 1)})
    for cut in cuts:
        short = Market.of(frame_of(prefix.until(one.bars, cut), interval="1m"))
        assert plainly_alike(whole, plain(short, fast), cut)
    trades = Trades(Histories(one, cuts), Costs().terms(one.step))
    assert trades.check([Strategy.parse(RULE)]) == [None]


@pytest.mark.parametrize("leak", [next_open, middle_with_the_next_close])
def test_what_is_found_is_so_on_a_market_of_its_own(leak: Callable[..., Any]) -> None:
    one, engine = market(6_000, seed=8), changed(prices=leak)
    whole = plain(one, engine)
    cuts = [int(bar) + 1 for bar in whole["exit_bar"][:-1]]
    [found] = Trades(Histories(one, cuts), Costs().terms(one.step), engine).check(
        [Strategy.parse(RULE)]
    )
    assert found is not None
    short = Market.of(frame_of(prefix.until(one.bars, found.cut), interval="1m"))
    assert not plainly_alike(whole, plain(short, engine), found.cut)
