"""Prices of the sandbox: repeatable, valid, fat-tailed, and fair where no edge is planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.sandbox.markets import DayBars, Market
from sources.sandbox.symbols import INSTRUMENTS, Instrument

NOISE = [one for one in INSTRUMENTS if one.edge is None]
TREND, REVERT = INSTRUMENTS[:2]
DAYS = 365


def names(instruments: list[Instrument]) -> list[str]:
    return [one.base for one in instruments]


@pytest.fixture(scope="module")
def years() -> dict[str, DayBars]:
    return {one.base: Market(one, 1).bars(600, 600 + DAYS) for one in INSTRUMENTS}


def returns(bars: DayBars) -> np.ndarray:
    closes = bars.close.ravel()
    return closes[1:] / closes[:-1] - 1


def score(products: np.ndarray) -> float:
    """Return how many standard errors the mean of uncorrelated numbers is away from 0."""
    return float(products.sum() / np.sqrt((products**2).sum()))


# --- repeatable ----------------------------------------------------------------------------------


@settings(max_examples=20)
@given(
    which=st.sampled_from(INSTRUMENTS),
    seed=st.integers(0, 2**63 - 1),
    first=st.integers(0, 300),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
)
def test_a_day_is_the_same_whatever_span_it_is_asked_in(
    which: Instrument, seed: int, first: int, before: int, after: int
) -> None:
    alone = Market(which, seed).bars(first, first + 1)
    wide = Market(which, seed).bars(max(0, first - before), first + 1 + after)
    at = min(before, first)
    for one, many in zip(alone, wide, strict=True):
        np.testing.assert_array_equal(one[0], many[at])


def test_a_market_that_was_asked_before_answers_the_same() -> None:
    asked = Market(TREND, 3)
    asked.bars(10, 12)
    asked.bars(200, 201)
    np.testing.assert_array_equal(asked.bars(50, 52).close, Market(TREND, 3).bars(50, 52).close)


def test_seeds_and_symbols_make_different_markets() -> None:
    closes = [Market(one, seed).bars(5, 6).close[0] for one in NOISE for seed in (1, 2)]
    moves = np.diff(np.log(closes), axis=1)
    between = np.corrcoef(moves) - np.eye(len(moves))
    assert np.abs(between).max() < 0.2


PINNED = {  # open, close and volume of the eighth minute of day 100
    "TREND1": (2625.78, 2632.02, 122.5754),
    "REVERT1": (123.548, 123.638, 90.941),
    "NOISE1": (57869.84, 57857.04, 3.79865),
}


def test_the_markets_of_seed_1_never_change() -> None:
    """A change here is a new market for everybody: whoever makes it says so in the changelog."""
    bars = {one.base: Market(one, 1).bars(100, 101) for one in (TREND, REVERT, NOISE[0])}
    seen = {name: (day.open[0, 7], day.close[0, 7], day.volume[0, 7]) for name, day in bars.items()}
    assert seen == PINNED


# --- valid ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", names(list(INSTRUMENTS)))
def test_every_bar_is_one_that_a_venue_could_send(years: dict[str, DayBars], base: str) -> None:
    bars = years[base]
    assert all(np.isfinite(column).all() for column in bars)
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.low > 0).all()
    assert (bars.volume > 0).all()
    assert (bars.trades >= 1).all()
    assert ((bars.taker_volume > 0) & (bars.taker_volume <= bars.volume)).all()
    assert (bars.quote_volume >= bars.low * bars.volume * (1 - 1e-9)).all()
    assert (bars.quote_volume <= bars.high * bars.volume * (1 + 1e-9)).all()


@pytest.mark.parametrize("which", INSTRUMENTS, ids=names(list(INSTRUMENTS)))
def test_prices_and_volumes_are_whole_steps(which: Instrument, years: dict[str, DayBars]) -> None:
    bars = years[which.base]
    for column, step in (
        (bars.close, which.tick),
        (bars.high, which.tick),
        (bars.volume, which.lot),
    ):
        steps = column / step
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)


@pytest.mark.parametrize("base", names(list(INSTRUMENTS)))
def test_each_bar_opens_where_the_one_before_closed(years: dict[str, DayBars], base: str) -> None:
    bars = years[base]
    differing = bars.open.ravel()[1:] != bars.close.ravel()[:-1]
    assert differing.mean() < 1e-4  # the last digit of a sum over days may round the other way


@pytest.mark.parametrize("base", names(list(INSTRUMENTS)))
def test_no_minute_moves_by_a_fifth_of_itself(years: dict[str, DayBars], base: str) -> None:
    bars = years[base]
    assert np.abs(returns(bars)).max() < 0.12
    assert (bars.high / bars.low - 1).max() < 0.2


# --- alive ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", names(NOISE))
def test_noise_is_as_wild_as_crypto(years: dict[str, DayBars], base: str) -> None:
    closes = years[base].close[:, -1]
    assert 0.02 < np.diff(np.log(closes)).std() < 0.05
    moves = returns(years[base])
    assert (moves**4).mean() / (moves**2).mean() ** 2 > 10  # the normal law has 3


@pytest.mark.parametrize("base", names(list(INSTRUMENTS)))
def test_volatility_clusters_and_volume_follows_it(years: dict[str, DayBars], base: str) -> None:
    size = np.abs(returns(years[base]))
    near, far = (np.corrcoef(size[:-lag], size[lag:])[0, 1] for lag in (1, 60))
    assert near > 0.15
    assert 0.03 < far < near
    volume = np.log(years[base].volume.ravel()[1:])
    assert np.corrcoef(volume, np.log(size + 1e-6))[0, 1] > 0.15


@pytest.mark.parametrize("base", names(NOISE))
def test_some_days_are_quiet_and_some_are_wild(years: dict[str, DayBars], base: str) -> None:
    daily = np.sqrt((np.diff(np.log(years[base].close), axis=1) ** 2).sum(axis=1))
    calm, wild = np.quantile(daily, [0.05, 0.95])
    assert wild / calm > 2
    lagged = np.corrcoef(np.log(daily[:-1]), np.log(daily[1:]))[0, 1]
    assert lagged > 0.2


# --- fair ----------------------------------------------------------------------------------------

FAIR = 4.5  # standard errors; some 400 scores are taken, none may be an edge


@pytest.mark.parametrize("base", names(NOISE))
@pytest.mark.parametrize("lag", [1, 2, 5, 15, 60, 240, 1440])
def test_a_return_says_nothing_of_a_later_one(
    years: dict[str, DayBars], base: str, lag: int
) -> None:
    moves = returns(years[base])
    assert abs(score(moves[:-lag] * moves[lag:])) < FAIR


@pytest.mark.parametrize("base", names(NOISE))
@pytest.mark.parametrize("minutes", [5, 15, 60, 240, 1440])
def test_variance_grows_with_time_and_nothing_else(
    years: dict[str, DayBars], base: str, minutes: int
) -> None:
    moves = returns(years[base])
    blocks = moves[: moves.size // minutes * minutes].reshape(-1, minutes)
    assert abs(score(blocks.sum(axis=1) ** 2 - (blocks**2).sum(axis=1))) < FAIR


@pytest.mark.parametrize("base", names(NOISE))
@pytest.mark.parametrize("minutes", [15, 60, 480])
def test_the_sign_of_the_past_says_nothing(
    years: dict[str, DayBars], base: str, minutes: int
) -> None:
    closes = years[base].close.ravel()[minutes - 1 :: minutes]
    moves = closes[1:] / closes[:-1] - 1
    assert abs(score(np.sign(moves[:-1]) * moves[1:])) < FAIR


@pytest.mark.parametrize("base", names(NOISE))
def test_no_hour_and_no_weekday_has_a_drift(years: dict[str, DayBars], base: str) -> None:
    bars = years[base]
    hours = (bars.close[:, 59::60] / bars.open[:, ::60] - 1).T
    assert max(abs(score(hour)) for hour in hours) < FAIR
    days = bars.close[:, -1] / bars.open[:, 0] - 1
    assert max(abs(score(days[weekday::7])) for weekday in range(7)) < FAIR


@pytest.mark.parametrize("base", names(NOISE))
@pytest.mark.parametrize("distance", [0.0003, 0.001, 0.003])
def test_a_level_touched_inside_a_bar_is_a_fair_price(
    years: dict[str, DayBars], base: str, distance: float
) -> None:
    """Else a stop or a target would earn by itself, whatever the strategy."""
    bars = years[base]
    above, below = bars.open * (1 + distance), bars.open * (1 - distance)
    overshoot = (bars.close / above - 1)[bars.high >= above]
    undershoot = (bars.close / below - 1)[bars.low <= below]
    assert abs(score(overshoot)) < FAIR
    assert abs(score(undershoot)) < FAIR


# --- planted -------------------------------------------------------------------------------------


def test_the_trend_carries_on_for_hours(years: dict[str, DayBars]) -> None:
    closes = years[TREND.base].close.ravel()[239::240]
    moves = closes[1:] / closes[:-1] - 1
    assert score(np.sign(moves[:-1]) * moves[1:]) > 6


def test_the_pulled_back_market_returns(years: dict[str, DayBars]) -> None:
    closes = years[REVERT.base].close.ravel()[479::480]
    moves = closes[1:] / closes[:-1] - 1
    assert score(np.sign(moves[:-1]) * moves[1:]) < -6


def test_no_edge_is_so_large_that_it_is_seen_in_one_minute(years: dict[str, DayBars]) -> None:
    for base in (TREND.base, REVERT.base):
        moves = returns(years[base])
        assert abs(np.corrcoef(moves[:-1], moves[1:])[0, 1]) < 0.02
