"""Indicators compute what they say, warm up as declared, and never look ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.bars import Bars
from research.indicators import INDICATORS, indicator_named, values
from tests.research.markets import random_bars

BARS = random_bars(7, 3_000, wild=0.005)
LONG = random_bars(11, 20_000, wild=0.005)
NAMES = sorted(INDICATORS)

# These begin with the history itself and never forget it: only their changes mean something.
ENDLESS = {"obv", "ad"}


def defaults(name: str) -> tuple[float, ...]:
    return tuple(parameter.default for parameter in INDICATORS[name].parameters)


def part(bars: Bars, start: int, end: int) -> Bars:
    return Bars(*(np.ascontiguousarray(array[start:end]) for array in bars))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_value_comes_after_the_declared_lookback(name: str) -> None:
    result = values(name, defaults(name), BARS)
    before = INDICATORS[name].lookback(*defaults(name))
    assert np.isnan(result[:before]).all()
    assert np.isfinite(result[before:]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bound", ["least", "most"])
def test_every_bound_of_every_parameter_is_computed(name: str, bound: str) -> None:
    indicator = INDICATORS[name]
    for i, parameter in enumerate(indicator.parameters):
        params = list(defaults(name))
        params[i] = getattr(parameter, bound)
        if not indicator.ordered(tuple(params)):
            params[0], params[1] = (2, 3) if bound == "least" else (9_999, 10_000)
        result = values(name, tuple(params), LONG)
        before = indicator.lookback(*params)
        assert np.isnan(result[:before]).all()
        assert np.isfinite(result[before:]).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ENDLESS])
def test_after_the_warmup_the_start_of_history_is_forgotten(name: str) -> None:
    indicator, params = INDICATORS[name], defaults(name)
    whole = values(name, params, LONG)
    warmup = indicator.lookback(*params) + indicator.settling(*params)
    wrong = [
        abs(values(name, params, part(LONG, start, start + warmup + 1))[-1] - whole[start + warmup])
        for start in range(500, 15_500, 250)
    ]
    assert max(wrong) <= 1e-3 * np.nanstd(whole)


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_changes_of_running_totals_do_not_depend_on_their_start(name: str) -> None:
    change = np.diff(values(name, (), BARS))
    later = np.diff(values(name, (), part(BARS, 1_000, 3_000)))
    np.testing.assert_allclose(later[1:], change[1_001:], atol=1e-8)


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 1000), cut=st.integers(1, 399))
@settings(max_examples=150)
def test_later_bars_never_change_earlier_values(name: str, seed: int, cut: int) -> None:
    bars = random_bars(seed, 400)
    whole = values(name, defaults(name), bars)
    early = values(name, defaults(name), part(bars, 0, cut))
    np.testing.assert_array_equal(early, whole[:cut])


@pytest.mark.parametrize("name", NAMES)
def test_a_market_that_stands_still_has_values_everywhere(name: str) -> None:
    flat = Bars(
        np.arange(600) * 60_000_000, *(np.full(600, 100.0) for _ in range(4)), np.zeros(600)
    )
    result = values(name, defaults(name), flat)
    assert np.isfinite(result[INDICATORS[name].lookback(*defaults(name)) :]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_price_of_a_millionth_is_computed_like_any_other(name: str) -> None:
    scale = 2.0**-27  # a power of two: the same digits
    tiny = BARS._replace(**{x: getattr(BARS, x) * scale for x in ("open", "high", "low", "close")})
    usual, small = (values(name, defaults(name), bars) for bars in (BARS, tiny))
    same = np.array_equal(usual, small, equal_nan=True)
    scaled = np.array_equal(usual * scale, small, equal_nan=True)
    assert same or scaled


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_bars_have_no_value_and_no_error(name: str, count: int) -> None:
    assert values(name, defaults(name), part(BARS, 0, count)).size == count


# --- a few formulas by hand ----------------------------------------------------------------------


def test_an_average_is_the_mean_of_its_bars() -> None:
    np.testing.assert_allclose(values("sma", (5,), BARS)[100], BARS.close[96:101].mean())


def test_an_input_may_be_named() -> None:
    np.testing.assert_allclose(values("sma", (5,), BARS, "volume")[99], BARS.volume[95:100].mean())


def test_an_exponential_average_weighs_two_over_period_and_one() -> None:
    ema = values("ema", (9,), BARS)
    np.testing.assert_allclose(ema[8], BARS.close[:9].mean())
    np.testing.assert_allclose(ema[9], ema[8] + 0.2 * (BARS.close[9] - ema[8]))


def test_the_highest_is_of_highs_and_the_lowest_of_lows() -> None:
    assert values("highest", (20,), BARS)[500] == BARS.high[481:501].max()
    assert values("lowest", (20,), BARS)[500] == BARS.low[481:501].min()
    assert values("highest", (20,), BARS, "close")[500] == BARS.close[481:501].max()


def test_bands_lie_population_deviations_from_the_mean() -> None:
    last = BARS.close[481:501]
    expected = last.mean() + 2.5 * last.std()
    np.testing.assert_allclose(values("bbands_upper", (20, 2.5), BARS)[500], expected)
    expected = last.mean() - 2.5 * last.std()
    np.testing.assert_allclose(values("bbands_lower", (20, 2.5), BARS)[500], expected)
    np.testing.assert_allclose(values("bbands_middle", (20, 2.5), BARS)[500], last.mean())


def test_the_rsi_is_wilders() -> None:
    move = np.diff(BARS.close[:16])
    gain, loss = np.maximum(move, 0), np.maximum(-move, 0)
    up, down = gain[:14].mean(), loss[:14].mean()
    up, down = (up * 13 + gain[14]) / 14, (down * 13 + loss[14]) / 14
    np.testing.assert_allclose(values("rsi", (14,), BARS)[15], 100 - 100 / (1 + up / down))


def test_macd_is_the_signal_and_the_histogram() -> None:
    macd, signal, rest = (
        values(n, (12, 26, 9), BARS) for n in ("macd", "macd_signal", "macd_hist")
    )
    np.testing.assert_allclose((macd - signal)[33:], rest[33:], atol=1e-12)


def test_aroon_up_and_down_are_not_confused() -> None:
    rising = BARS._replace(high=np.arange(1.0, 3_001.0) + 1, low=np.arange(1.0, 3_001.0))
    assert values("aroon_up", (14,), rising)[-1] == 100
    assert values("aroon_down", (14,), rising)[-1] == 0


def test_stochastics_are_smoothed_once_and_twice() -> None:
    high = np.array([BARS.high[i - 13 : i + 1].max() for i in range(490, 501)])
    low = np.array([BARS.low[i - 13 : i + 1].min() for i in range(490, 501)])
    fast = 100 * (BARS.close[490:501] - low) / (high - low)
    slow = np.convolve(fast, np.ones(3) / 3, "valid")
    np.testing.assert_allclose(values("stoch_k", (14, 3), BARS)[500], slow[-1])
    np.testing.assert_allclose(values("stoch_d", (14, 3, 3), BARS)[500], slow[-3:].mean())


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "source", "says"),
    [
        ("vwap", (), None, "expected an indicator of ad, adosc"),
        ("ema", (), None, "1 parameters for ema"),
        ("ema", (1,), None, "from 2 to 10000 for period of ema, was 1"),
        ("ema", (2.5,), None, "whole number"),
        ("ema", (float("nan"),), None, "whole number"),
        ("macd", (26, 12, 9), None, "fast below slow in macd, was 26 and 12"),
        ("ema", (5,), "rsi", "series of open, high"),
        ("atr", (14,), "close", "no input series for atr"),
    ],
)
def test_wrong_questions_are_refused(name: str, params, source: str | None, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        values(name, params, BARS, source)


def test_whole_parameters_may_come_as_floats() -> None:
    np.testing.assert_array_equal(values("ema", (9.0,), BARS), values("ema", (9,), BARS))
    assert indicator_named("bbands_upper").checked((20.0, 2)) == (20, 2.0)
