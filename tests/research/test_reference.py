"""The engine's laws, on random markets, signals, levels and costs."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research import reference
from research.bars import Bars
from research.costs import Costs
from research.reference import END, REASONS, Run, Terms, max_drawdown_nb, pack, run
from tests.research.markets import FREE, MINUTE, random_bars
from tests.research.second_engine import Rules, trade_all

if TYPE_CHECKING:
    from types import ModuleType

EIGHT_HOURS = 8 * 3600 * 1_000_000

levels = st.none() | st.sampled_from([0.0005, 0.003, 0.01, 0.02, 0.05, 0.3])
some_costs = st.builds(
    Costs,
    fee_bps=st.sampled_from([0.0, 1.0, 10.0, 300.0]),
    slippage_bps=st.sampled_from([0.0, 5.0, 100.0]),
    funding_bps=st.sampled_from([0.0, 1.0, 500.0]),
    perpetual=st.booleans(),
)


@dataclass(frozen=True)
class Case:
    """One strategy on one market, all of it made from small numbers."""

    seed: int
    bars: int
    wild: float
    gaps: bool
    often: float
    stop: float | None
    target: float | None
    trail: float | None
    timeout: timedelta | int | None
    costs: Costs
    best: bool = False

    @property
    def market(self) -> Bars:
        return random_bars(self.seed, self.bars, wild=self.wild, gaps=self.gaps)

    @property
    def flags(self) -> tuple[Any, Any, Any, Any]:
        drawn = np.random.default_rng(self.seed + 1).random((4, self.bars)) < self.often
        return tuple(drawn)

    @property
    def terms(self) -> Terms:
        return self.costs.terms(
            MINUTE,
            stop=self.stop,
            target=self.target,
            trail=self.trail,
            timeout=self.timeout,
            ambiguous="best" if self.best else "worst",
        )

    def run(self, until: int | None = None) -> Run:
        market = Bars(*(column[:until] for column in self.market))
        signals = pack(self.bars, *self.flags)[:until].copy()
        return run(Bars(*(np.ascontiguousarray(x) for x in market)), signals, self.terms)


cases = st.builds(
    Case,
    seed=st.integers(0, 10_000),
    bars=st.integers(1, 120),
    wild=st.sampled_from([0.0005, 0.01, 0.05, 0.3]),
    gaps=st.booleans(),
    often=st.sampled_from([0.02, 0.1, 0.5]),
    stop=levels,
    target=levels,
    trail=levels,
    timeout=st.none() | st.integers(1, 30).map(lambda n: n * MINUTE) | st.integers(1, 30),
    costs=some_costs,
    best=st.booleans(),
)


@pytest.fixture(scope="module")
def interpreted() -> ModuleType:
    """The engine's module again, its kernels left as the Python they are written in."""
    spec = importlib.util.spec_from_file_location("interpreted_reference", reference.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    disabled, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
    try:
        spec.loader.exec_module(module)
    finally:
        numba.config.DISABLE_JIT = disabled
    assert not hasattr(module.run_nb, "py_func")
    return module


@given(case=cases)
def test_compiled_kernels_equal_their_own_python(interpreted: ModuleType, case: Case) -> None:
    compiled = case.run()
    plain = interpreted.run(case.market, pack(case.bars, *case.flags), case.terms)
    assert compiled.trades.tolist() == plain.trades.tolist()
    assert compiled.equity.tobytes() == plain.equity.tobytes()
    assert max_drawdown_nb(compiled.equity) == interpreted.max_drawdown_nb(plain.equity)


@given(case=cases.filter(lambda case: not isinstance(case.timeout, int)))
def test_a_second_engine_written_otherwise_makes_the_same_trades(case: Case) -> None:
    funding = case.costs.funding_bps / 1e4 / EIGHT_HOURS
    rules = Rules(
        stop=case.stop,
        target=case.target,
        trail=case.trail,
        timeout=None if case.timeout is None else case.timeout // timedelta(microseconds=1),
        fee=case.costs.fee_bps / 1e4,
        slippage=case.costs.slippage_bps / 1e4,
        funding=(funding if case.costs.perpetual else 0.0, funding),
        best=case.best,
    )
    expected = trade_all(case.market, 60_000_000, case.flags, rules)
    found = case.run().trades
    assert [
        (t["side"], t["entry_bar"], t["exit_bar"], REASONS[t["reason"]], t["ambiguous"])
        for t in found
    ] == [(t.sign, t.entry, t.exit, t.reason, t.ambiguous) for t in expected]
    for name, prices in (
        ("entry_price", [t.bought for t in expected]),
        ("exit_price", [t.sold for t in expected]),
    ):
        assert found[name] == pytest.approx(prices, rel=1e-12)
    assert found["return"] == pytest.approx([t.change for t in expected], abs=1e-12)


@given(case=cases, cut=st.integers(1, 120))
def test_cutting_the_data_never_changes_what_happened_before(case: Case, cut: int) -> None:
    cut = min(cut, case.bars)
    whole, short = case.run(), case.run(until=cut)
    past = whole.trades[whole.trades["exit_bar"] < cut]
    assert short.trades[: past.size].tolist() == past.tolist()
    assert all(trade["reason"] == END for trade in short.trades[past.size :])
    assert short.trades.size - past.size <= 1
    assert short.equity[:-1].tobytes() == whole.equity[: cut - 1].tobytes()


@given(case=cases)
def test_what_the_future_holds_never_reaches_the_past(case: Case) -> None:
    cut = case.bars // 2
    whole = case.run()
    market = Bars(*(column.copy() for column in case.market))
    for column in market[1:]:
        column[cut:] = np.nan
    poisoned = run(market, pack(case.bars, *case.flags), case.terms)
    assert poisoned.equity[:cut].tobytes() == whole.equity[:cut].tobytes()


@given(case=cases, more=some_costs)
def test_fees_and_funding_only_ever_lower_equity(case: Case, more: Costs) -> None:
    dearer = replace(
        case,
        costs=Costs(
            fee_bps=case.costs.fee_bps + more.fee_bps,
            slippage_bps=case.costs.slippage_bps,
            funding_bps=case.costs.funding_bps + more.funding_bps,
            perpetual=case.costs.perpetual or more.perpetual,
        ),
    )
    assert (dearer.run().equity <= case.run().equity * (1 + 1e-12)).all()


@given(case=cases, more=st.sampled_from([1.0, 20.0, 200.0]))
def test_slippage_only_ever_lowers_equity_where_no_level_moves_with_it(
    case: Case, more: float
) -> None:
    plain = replace(case, stop=None, target=None, trail=None)
    slippage = plain.costs.slippage_bps + more
    dearer = replace(plain, costs=Costs(plain.costs.fee_bps, slippage, 0))
    cheaper = replace(plain, costs=Costs(plain.costs.fee_bps, plain.costs.slippage_bps, 0))
    assert (dearer.run().equity <= cheaper.run().equity * (1 + 1e-12)).all()


@given(case=cases)
def test_equity_is_the_product_of_trade_returns_whenever_flat(case: Case) -> None:
    done = case.run()
    product, bar = 1.0, 0
    for trade in done.trades:
        assert done.equity[bar : trade["entry_bar"]] == pytest.approx(product, rel=1e-12)
        product *= 1 + trade["return"]
        bar = trade["exit_bar"]
        if not any(trade["exit_bar"] == other["entry_bar"] for other in done.trades):
            assert done.equity[bar] == pytest.approx(product, rel=1e-12)
    assert done.equity[-1] == pytest.approx(product, rel=1e-12)


@given(case=cases)
def test_equity_is_never_negative_and_after_ruin_nothing_trades(case: Case) -> None:
    done = case.run()
    assert (done.equity >= 0).all()
    assert (done.trades["return"] >= -1).all()
    ruined = np.flatnonzero(done.equity == 0)
    if ruined.size:
        assert not done.equity[ruined[0] :].any()
        assert done.trades["entry_bar"].max() <= ruined[0]


@given(case=cases)
def test_trades_follow_each_other_and_fill_inside_their_bars(case: Case) -> None:
    case = replace(case, costs=FREE)
    market, trades = case.market, case.run().trades
    assert (trades["entry_bar"][1:] >= trades["exit_bar"][:-1]).all()
    assert (trades["entry_price"] == market.open[trades["entry_bar"]]).all()
    assert (trades["exit_price"] <= market.high[trades["exit_bar"]]).all()
    assert (trades["exit_price"] >= market.low[trades["exit_bar"]]).all()
    assert (trades["exit_bar"] - trades["entry_bar"] <= trades["bars"]).all()
    assert trades["bars"].sum() <= case.bars


@given(case=cases)
def test_the_optimistic_bound_is_never_below_the_honest_one(case: Case) -> None:
    worst = replace(case, best=False).run()
    best = replace(case, best=True).run()
    assert best.trades["exit_bar"].tolist() == worst.trades["exit_bar"].tolist()
    assert (best.equity >= worst.equity * (1 - 1e-12)).all()
    assert (best.trades["ambiguous"] == worst.trades["ambiguous"]).all()


@given(case=cases)
def test_prices_in_another_unit_give_the_same_returns(case: Case) -> None:
    market = case.market
    eightfold = market._replace(**{name: getattr(market, name) * 8 for name in Bars._fields[1:5]})
    scaled = run(eightfold, pack(case.bars, *case.flags), case.terms)
    assert scaled.equity.tobytes() == case.run().equity.tobytes()


@given(case=cases)
def test_a_long_earns_what_a_short_loses_without_costs_and_levels(case: Case) -> None:
    plain = replace(case, costs=FREE, wild=0.0005, stop=None, target=None, trail=None)
    entry, leave = plain.flags[:2]
    long = run(plain.market, pack(plain.bars, entry, leave), plain.terms).trades
    short = run(plain.market, pack(plain.bars, None, None, entry, leave), plain.terms).trades
    assert short["return"] == pytest.approx(-long["return"], abs=1e-12)
    assert short["exit_bar"].tolist() == long["exit_bar"].tolist()


@given(seed=st.integers(0, 1000), bars=st.integers(2, 100))
def test_buying_once_and_holding_follows_the_price(seed: int, bars: int) -> None:
    market = random_bars(seed, bars)
    entry = np.arange(bars) == 0
    done = run(market, pack(bars, entry), FREE.terms(MINUTE))
    assert done.equity[0] == 1
    assert done.equity[1:] == pytest.approx(market.close[1:] / market.open[1], rel=1e-12)


@given(seed=st.integers(0, 1000))
def test_holding_in_two_pieces_that_meet_at_an_open_is_holding_once(seed: int) -> None:
    market = random_bars(seed, 50)
    entry, leave = np.arange(50) == 0, np.arange(50) == 25
    once = run(market, pack(50, entry), FREE.terms(MINUTE))
    twice = run(market, pack(50, entry | leave, leave), FREE.terms(MINUTE))
    assert twice.trades.size == 2
    assert twice.equity == pytest.approx(once.equity, rel=1e-12)


def test_a_drawdown_is_measured_from_the_start() -> None:
    assert max_drawdown_nb(np.array([0.8, 0.9])) == pytest.approx(0.2)
    assert max_drawdown_nb(np.array([1.5, 1.2, 1.6, 0.8])) == pytest.approx(0.5)
    assert max_drawdown_nb(np.array([1.0, 1.1])) == 0
    assert max_drawdown_nb(np.array([])) == 0
