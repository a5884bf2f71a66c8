"""The proof before the score: honest strategies pass, and each leak put on purpose is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.errors import InvalidInput
from research import bars as bars_module
from research import signals
from research.costs import Costs
from research.generate import generate
from research.indicators import INDICATORS
from research.lookahead import Finding, Proof, warmup
from research.market import Market
from research.strategy import Strategy
from tests.research.engine.minutes import garch, recorded
from tests.research.lookahead.leaks import (
    LEAKS,
    best_of_the_next_bar,
    best_of_the_same_bar,
    changed,
    leaky,
    middle_with_the_next_close,
    next_decision,
    next_open,
    one_ahead,
    stops_know_the_next_bar,
)
from tests.research.markets import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from research.bars import Bars

COSTS = Costs(fee_bps=10, slippage_bps=5, funding_bps=1)
TREND = "long when crosses_above(ema(5), ema(20)) exit when crosses_below(ema(5), ema(20))"
RULES = (
    f"{TREND} stop 1% on 15m",
    "long when rsi(7) < 30 exit when rsi(7) > 55 short when rsi(7) > 70 target 1% stop 1% on 5m",
    "short when close < prev(lowest(20), 1) trail 1% timeout 4h on 15m",
    "long when close > open and volume > sma(volume, 20) timeout 30m on 3m",
)


def market_of(bars: Bars, **labels: str) -> Market:
    return Market.of(frame_of(bars, symbol="BTC-USDT", interval="1m", **labels))


def proof_of(bars: Bars, **options: Any) -> Proof:
    return Proof.of(market_of(bars), COSTS, **({"seed": 1} | options))


def parsed(*texts: str) -> list[Strategy]:
    return [Strategy.parse(text) for text in texts]


def kinds(found: Sequence[Finding | None]) -> list[str | None]:
    return [None if each is None else each.kind for each in found]


@pytest.fixture(scope="module")
def minutes() -> Bars:
    return garch(3, 20_000)


# --- honest strategies ---------------------------------------------------------------------------


@pytest.mark.parametrize("gaps", [False, True])
def test_strategies_that_know_what_they_may_are_proven(*, gaps: bool) -> None:
    found = proof_of(garch(5, 12_000, gaps=gaps)).check([*generate(150, 3), *parsed(*RULES)])
    assert [str(each) for each in found if each is not None] == []


@pytest.mark.real
def test_real_minutes_prove_generated_strategies(real_data: Path) -> None:
    proof = Proof.of(Market.of(recorded(real_data, "2026-03")), COSTS, seed=1)
    assert [str(each) for each in proof.check(generate(150, 7)) if each is not None] == []


def test_what_is_found_does_not_depend_on_who_is_proven_beside(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky(monkeypatch, "leaky_beside", one_ahead)
    strategies = parsed(*RULES, "long when close > leaky_beside(9) timeout 1h on 15m")
    together = proof_of(minutes).check(strategies)
    proof = proof_of(minutes)
    one_by_one = [proof.check([strategy])[0] for strategy in reversed(strategies)][::-1]
    assert together == one_by_one
    assert kinds(together) == [None] * len(RULES) + ["truncated"]


def test_a_finding_reads_as_a_sentence(minutes: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    leaky(monkeypatch, "sentence", one_ahead)
    [found] = proof_of(minutes).check(parsed("long when close > sentence(9) timeout 1h on 15m"))
    said = str(found)
    assert said.startswith("sentence(9) on 15m at 2026-01-01T")
    assert "but nan where the history ends before 2026-01-01T" in said


def test_what_is_proven_once_is_not_computed_again(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    leaky(monkeypatch, "counted", lambda values: computed.append(1) or values)
    proof = proof_of(minutes)
    [strategy] = parsed("long when close > counted(9) timeout 1h on 15m")
    other = parsed("long when close < counted(9) timeout 2h on 15m")
    assert kinds(proof.check([strategy])) == [None]
    before = len(computed)
    assert kinds(proof.check([strategy])) == [None]
    assert len(computed) == before
    assert kinds(proof.check(other)) == [None]
    assert len(computed) <= before + 3  # a history that starts later may have forgotten it


# --- leaks in indicators and conditions ----------------------------------------------------------


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
@pytest.mark.parametrize("honest", ["ema", "rsi", "sma"])
def test_a_leak_put_into_a_copy_of_an_indicator_is_caught(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch, leak: Callable[[Any], Any], honest: str
) -> None:
    name = f"{leak.__name__}_{honest}"
    leaky(monkeypatch, name, leak, honest)
    found = proof_of(minutes).check(
        parsed(
            f"long when {honest}(9) > prev({honest}(9), 3) timeout 1h on 15m",
            f"long when {name}(9) > prev({name}(9), 3) timeout 1h on 15m",
            f"long when close > open and not {name}(9) < 1 exit when rsi(5) > 60 on 5m",
            f"short when rsi(5) < 20 exit when crosses_above(close, {name}(9)) on 1m",
        )
    )
    assert found[0] is None
    for each in found[1:]:
        assert each is not None
        assert each.kind in {"truncated", "poisoned"}
        assert name in each.what
        assert each.whole != each.other


def test_an_indicator_that_skips_what_is_no_number_is_caught_by_the_shorter_history(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The leak reads the next bar only where it is a number: a poisoned future shows nothing."""

    def careful(values: Any) -> Any:
        ahead = np.append(values[1:], np.nan)
        return np.where(np.isnan(ahead), values, ahead)

    leaky(monkeypatch, "careful", careful)
    [found] = proof_of(minutes).check(parsed("long when close > careful(9) timeout 1h on 15m"))
    assert found is not None
    assert found.kind == "truncated"


@pytest.mark.parametrize(
    ("name", "leak", "rule"),
    [
        (
            "_crosses",
            lambda right: lambda *given: np.append(right(*given)[1:], False),
            "crosses_above(close, sma(20))",
        ),
        (
            "_shifted",
            lambda right: lambda array, bars: np.roll(right(array, bars), -1),
            "close > prev(close, 4)",
        ),
        (
            "_computed",
            lambda right: lambda *given: np.append(right(*given)[1:], np.nan),
            "close - open > 0.1",
        ),
        ("words_of", lambda right: lambda flags: right(np.append(flags[1:], True)), "close > open"),
    ],
)
def test_a_leak_put_into_how_conditions_are_evaluated_is_caught(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch, name: str, leak: Any, rule: str
) -> None:
    strategies = parsed(f"long when {rule} timeout 1h on 15m", f"long when {rule} stop 2% on 1h")
    assert kinds(proof_of(minutes).check(strategies)) == [None, None]
    monkeypatch.setattr(signals, name, leak(getattr(signals, name)))
    found = kinds(proof_of(minutes).check(strategies))
    assert set(found) <= {"truncated", "poisoned"}


def test_a_bar_that_counts_as_closed_before_its_time_is_caught(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last bar of a timeframe is closed only with its final minute."""

    def hasty(time: Any, fine: int, coarse: int) -> Any:
        edges = np.flatnonzero(np.diff(time // coarse)) + 1
        return np.append(0, edges), np.append(edges, time.size) - 1

    monkeypatch.setattr(bars_module, "_closed_buckets", hasty)
    [found] = proof_of(minutes).check(parsed(RULES[0]))
    assert found is not None
    assert (found.kind, found.what) == ("truncated", "bars of 15m")


# --- leaks in the engine -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "engine",
    [
        changed(prices=next_open),
        changed(prices=best_of_the_next_bar),
        changed(prices=middle_with_the_next_close),
        changed(bits=next_decision),
    ],
    ids=["next_open", "next_low", "next_close", "next_decision"],
)
def test_a_leak_put_into_the_fill_is_caught(minutes: Bars, engine: Any) -> None:
    """A fill that uses a later bar shows where history ends right behind it.

    What it cannot see is a leak inside the bar of the fill itself, such as a fill at the best price
    of the right bar: all of that bar lies before the cut, or none. The search in worlds without an
    edge sees that one, since luck alone then wins far too much.
    """
    strategies = parsed(*RULES)
    assert kinds(proof_of(minutes).check(strategies)) == [None] * len(RULES)
    found = proof_of(minutes, engine=engine).check(strategies)
    for each in found:
        assert each is not None
        assert each.kind in {"truncated", "poisoned"}
        assert each.what == "trades"
        assert each.whole != each.other


def test_stops_that_know_the_next_bar_are_caught_where_there_are_stops(minutes: Bars) -> None:
    engine = changed(prices=stops_know_the_next_bar)
    found = proof_of(minutes, engine=engine).check(parsed(*RULES))
    assert [each is None for each in found] == [False, False, False, True]  # the last has a timeout


def test_a_leak_inside_the_bar_of_the_fill_is_not_for_a_proof_by_cutting(minutes: Bars) -> None:
    engine = changed(prices=best_of_the_same_bar)
    assert kinds(proof_of(minutes, engine=engine).check(parsed(*RULES))) == [None] * len(RULES)


def test_an_engine_that_knows_when_history_ends_is_caught(minutes: Bars) -> None:
    def lucky(prices: Any) -> Any:
        return prices * (1.0 + prices.shape[0] * 1e-9)

    found = proof_of(minutes, engine=changed(prices=lucky)).check(parsed(*RULES))
    assert None not in found


# --- warm-up -------------------------------------------------------------------------------------


def test_signals_that_show_where_history_starts_are_refused(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky(monkeypatch, "counting", lambda values: np.arange(values.size, dtype=float))
    proof = proof_of(minutes)
    found = proof.check(
        parsed(
            "long when counting(5) > 400 timeout 1h on 15m",
            "long when obv > 0 timeout 1h on 15m",
            "long when obv > prev(obv, 5) timeout 1h on 15m",
            "long when sma(5) > ema(9) timeout 1h on 15m",
        )
    )
    assert kinds(found) == ["warm-up", "warm-up", None, None]
    assert found[0] is not None
    assert (found[0].whole, found[0].other) == ("true", "false")


def test_a_warmup_that_is_declared_too_short_is_refused(
    minutes: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    hasty = dataclasses.replace(INDICATORS["ema"], name="hasty", settling=lambda *_: 0)
    monkeypatch.setitem(INDICATORS, "hasty", hasty)
    rules = "long when close > {}(150) timeout 1h on 15m"
    found = proof_of(minutes).check(parsed(rules.format("hasty"), rules.format("ema")))
    assert kinds(found) == ["warm-up", None]


def test_a_tie_that_rounding_decides_is_not_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moving sum is off in its last digit by where it began; prices of few digits meet it."""
    bars, strategies = garch(5, 12_000, gaps=True), generate(150, 3)
    assert set(kinds(proof_of(bars).check(strategies))) == {None}
    monkeypatch.setattr(warmup, "SAME", -1.0)  # now every last digit counts
    found = [each for each in proof_of(bars).check(strategies) if each is not None]
    assert {each.kind for each in found} == {"warm-up"}
    assert any("sma(" in each.what for each in found)


# --- what cannot be run, and little to run on ----------------------------------------------------


def test_a_strategy_that_the_bars_cannot_serve_is_refused_and_the_others_are_proven() -> None:
    bars = garch(5, 3_000)
    five = bars._replace(
        time=(bars.time - bars.time[0]) * 5 + bars.time[0] // 300_000_000 * 300_000_000
    )
    proof = Proof.of(Market.of(frame_of(five, interval="5m")), COSTS, seed=1)
    found = proof.check(parsed(f"{TREND} on 1m", f"{TREND} on 15m"))
    assert kinds(found) == ["refused", None]
    assert "5m" in str(found[0]) or "finer" in str(found[0])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 70])
def test_a_short_history_is_proven_as_far_as_it_goes(count: int) -> None:
    proof = proof_of(garch(5, count))
    assert kinds(proof.check(parsed(*RULES))) == [None] * len(RULES)
    assert len(proof.cuts) < max(count, 2)


def test_no_cuts_are_no_proof(minutes: Bars) -> None:
    with pytest.raises(InvalidInput, match="at least 1 cut and a seed from 0, was 0 and 1"):
        proof_of(minutes, cuts=0)
    with pytest.raises(InvalidInput, match="was 20 and -1"):
        proof_of(minutes, seed=-1)


def test_nobody_to_prove_is_nobody_refused(minutes: Bars) -> None:
    assert proof_of(minutes).check([]) == []
