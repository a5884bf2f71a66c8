"""The benchmarks on cases so small that they say nothing about speed, and without other engines."""

from __future__ import annotations

import gc
import itertools
import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks import (
    conditions,
    evolution,
    first_call,
    growth,
    machine,
    population,
    report,
    versus,
)
from benchmarks.agreement import Disagreement, compare
from benchmarks.cases import Rules, case, market, trade, wild
from benchmarks.engines import Anew, Fast, Reference
from benchmarks.freely import freely
from benchmarks.peers import serve
from benchmarks.peers.case import Case as PeerCase
from benchmarks.storage.way_in import ahead, way_in
from benchmarks.timing import Timing, best, interleaved, timed, turn
from research.reference import END, SIGNAL, TARGET

if TYPE_CHECKING:
    from pathlib import Path

RULES = Rules("stop and target", 20, stop=0.005, target=0.01)


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.timing.ENOUGH", 0.001)
    # Before each of a thousand calls, with all that other tests have left.
    kept = SimpleNamespace(collect=lambda: 0, disable=gc.disable, enable=gc.enable)
    monkeypatch.setattr("benchmarks.timing.gc", kept)


def test_engines_are_compared_and_then_timed(tmp_path: Path) -> None:
    plan = versus.Plan(1, 2, 1, 1, rounds=1, timed=(versus.MANY,), what=("simulate", "own_metrics"))
    same, speed = versus.versus(plan, [], tmp_path)
    assert "stop within the slippage" in str(same)
    assert "stop and target, many trades, by columns" in str(speed)
    assert len(speed.short) == 4


def test_populations_and_matrices_are_timed(tmp_path: Path) -> None:
    plan = population.Plan(2, 1, strategies=(3, 5), spans=(1, 2))
    assert "candles to metrics, fast engine" in str(population.population(plan))
    assert "| 5 " in str(population.scaling(plan))
    sizes = growth.growth(growth.Plan((1,), (1,), rounds=1), [], tmp_path)
    assert "ours, from candles" in str(sizes)


def test_evolution_and_drawing_at_random_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolution, "AFTER", 2)
    size = evolution.Size(population=8, generations=1, days=6, workers=1)
    found = evolution.evolution(evolution.Plan((1,), ("TREND1", "NOISE1"), size))
    assert "| TREND1-USDT |" in str(found)
    assert "score 8 strategies on each market" in str(found)
    assert found.short[0].endswith("on average")


def test_the_search_that_is_ahead_is_counted() -> None:
    rows = [
        evolution.Winner(search, "X-Y", seed, score, after, planted)
        for search, seed, score, after, planted in (
            ("evolution", 1, 5.0, 1.0, True),
            ("evolution", 2, 1.0, -3.0, True),
            ("random", 1, 2.0, 0.5, False),
            ("random", 2, 2.0, 0.0, True),
        )
    ]
    said = evolution.better(rows)
    assert "2 seeds: its best score is higher in 1 of 2 searches, by 1.00 on average" in said
    expected = ["X-Y", "3.00", "-1.00", "2 of 2", "2.00", "0.25", "1 of 2"]
    assert evolution.table(rows) == [expected]
    unplanted = [row._replace(found=None) for row in rows]
    assert evolution.table(unplanted)[0][3] == ""


def test_every_indicator_and_kind_of_condition_is_timed() -> None:
    bars = market(1)
    assert "`sma(20)`" in str(conditions.indicators(bars, 1))
    assert "crosses_above" in str(conditions.conditions(bars, 1))


def test_every_stage_of_the_way_in_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(function: str, **arguments: Any) -> float:
        assert function == "benchmarks.storage.way_in:ahead"
        return ahead(**arguments)

    monkeypatch.setattr("benchmarks.storage.way_in.freely", here)
    found = way_in(tmp_path / "in", months=1)
    assert found.rows == 31 * 24 * 60
    assert all(took > 0 for took in (*found.stages.values(), *found.floors.values(), found.ahead))


def test_another_process_may_use_every_core() -> None:
    assert freely("benchmarks.machine:cores") == os.cpu_count()


def test_all_cores_are_free_for_a_while_only() -> None:
    own = os.sched_getaffinity(0)
    with machine.all_cores():
        assert len(os.sched_getaffinity(0)) == os.cpu_count()
    assert os.sched_getaffinity(0) == own


def test_a_fresh_process_says_what_its_calls_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.cases import candles

    candles(market(1)).write_parquet(tmp_path / "candles.parquet")
    first_call.main(tmp_path)
    steps = json.loads(capsys.readouterr().out)
    assert len(steps) == len(first_call.STEPS)
    assert min(steps) >= 0


def test_a_case_is_the_same_each_time() -> None:
    one, other = (case(wild(500), RULES, 3) for _ in range(2))
    assert (one.entries == other.entries).all()
    assert (one.exits == other.exits).all()
    assert one.bars.close.tobytes() == other.bars.close.tobytes()


def test_a_case_has_nothing_that_engines_read_differently() -> None:
    made = case(wild(4_000), RULES, 2)
    assert made.dropped > 0
    assert not (made.entries & made.exits).any()
    bars = made.bars
    for entries, exits in zip(made.entries.T, made.exits.T, strict=True):
        trades = trade(bars, RULES, entries, exits)
        inside = trades[trades["reason"] < SIGNAL]
        assert not entries[inside["exit_bar"]].any()
        aimed = trades[trades["reason"] == TARGET]
        beyond = bars.open[aimed["exit_bar"]] >= aimed["entry_price"] * 1.01
        fell = bars.low[aimed["exit_bar"]] <= aimed["entry_price"] * 0.995
        assert not (beyond & fell).any()
        assert not (trades["reason"] == END).any()


def test_bars_of_the_wild_are_valid_and_have_gaps() -> None:
    bars = wild(2_000)
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.open[1:] != bars.close[:-1]).any()
    assert (np.diff(bars.time) > 60_000_000).any()


def test_a_case_reaches_a_peer_as_it_is(tmp_path: Path) -> None:
    made = case(wild(300), RULES, 2).by_columns()
    made.write(tmp_path / "case.npz")
    read = PeerCase.read(tmp_path / "case.npz")
    assert (read.entries == made.entries).all()
    assert read.entries.flags.f_contiguous
    assert (read.stop, read.target, read.side, read.fee) == (0.005, 0.01, "long", 0.001)
    assert np.isnan(read.trail)


@pytest.mark.parametrize(
    ("key", "change"), [("exit_bar", 1), ("reason", 1), ("exit_price", 1e-6), ("column", 1)]
)
def test_engines_that_disagree_are_found_out(key: str, change: float) -> None:
    made = case(wild(500), RULES, 2)
    expected, answer = Reference(made).answer(), Fast(made).answer()
    assert compare("fast", answer, expected).trades == expected["column"].size > 0
    answer[key] = answer[key].copy()
    answer[key][-1] += change
    with pytest.raises(Disagreement, match="of fast"):
        compare("fast", answer, expected)


def test_a_missing_trade_is_found_out() -> None:
    made = case(wild(500), RULES, 1)
    expected = Anew(made).answer()
    fewer = {key: values[:-1] for key, values in expected.items()}
    with pytest.raises(Disagreement, match="trades of anew"):
        compare("anew", fewer, expected)


def test_turns_are_taken_one_after_the_other_and_the_best_counts() -> None:
    order: list[str] = []
    times = {"one": iter([3.0, 1.0, 2.0]), "other": iter([1.0, 5.0, 4.0])}

    def run(name: str) -> Timing:
        order.append(name)
        taken = next(times[name])
        return Timing(taken, taken / 2)

    found = interleaved({name: lambda name=name: run(name) for name in times}, 3)  # type: ignore[misc]
    assert order == ["one", "other"] * 3
    assert found == {"one": Timing(1.0, 0.5), "other": Timing(1.0, 0.5)}


def test_the_best_of_wall_and_processor_are_taken_apart() -> None:
    assert best([Timing(1.0, 0.9), Timing(2.0, 0.5)]) == Timing(1.0, 0.5)


def test_a_call_is_timed_once_or_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    assert timed(lambda: calls.append(None))[0].wall >= 0
    assert len(calls) == 1
    ticks = itertools.count()
    monkeypatch.setattr("benchmarks.timing.time.perf_counter", lambda: next(ticks) / 10)
    assert turn(lambda: calls.append(None), enough=1).wall == pytest.approx(0.1)
    # The turn begins at 0.0; each call looks at the clock twice, and the turn once after it.
    assert len(calls) == 1 + 4
    turn(lambda: calls.append(None), enough=0)
    assert len(calls) == 1 + 4 + 1, "one at least"


class Answering:
    """A peer that counts what it is asked for."""

    def __init__(self) -> None:
        self.versions = {"answering": "1"}
        self.asked: list[str] = []

    def load(self, path: Path) -> None:
        self.asked.append(path.name)

    def simulate(self) -> None:
        self.asked.append("simulate")

    own_metrics = simulate

    def metrics(self) -> dict[str, Any]:
        return {"sharpe": np.zeros(1)}

    def trades(self) -> dict[str, Any]:
        return {"column": np.zeros(1)}


def test_a_peer_does_what_a_line_asks_for(tmp_path: Path) -> None:
    peer = Answering()
    assert serve.answer(peer, {"do": "versions"}) == {"versions": {"answering": "1"}}
    assert serve.answer(peer, {"do": "load", "path": "case.npz"}) == {}
    assert set(serve.answer(peer, {"do": "run", "what": "simulate", "once": True})) == {
        "wall",
        "cpu",
    }
    assert peer.asked == ["case.npz", "simulate"]
    path = tmp_path / "answer.npz"
    serve.answer(peer, {"do": "answer", "path": str(path)})
    with np.load(path) as stored:
        assert set(stored) == {"column", "sharpe"}
    with pytest.raises(ValueError, match="was 'dance'"):
        serve.answer(peer, {"do": "dance"})


def test_results_are_written_with_what_they_were_measured_on(tmp_path: Path) -> None:
    section = report.Section("Speed", "What it is.", short=["fast"])
    section.table(["case", "ns"], [["one", report.number(1234.5)], ["two", report.number(0.1234)]])
    report.write(tmp_path / "R.md", ["a machine"], [section])
    text = (tmp_path / "R.md").read_text()
    assert "- a machine" in text
    assert text.index("- fast") < text.index("## Speed")
    assert "| case |    ns |\n| ---- | ----: |\n| one  | 1,234 |\n| two  | 0.123 |" in text


def test_parts_of_the_results_can_be_renewed_beside_the_others(tmp_path: Path) -> None:
    page = tmp_path / "R.md"
    old = report.Section("Speed", "Slow.", short=["speed: 1x"])
    other = report.Section("Size", "Small.", tables=["| a |\n\nnote"], short=["size: 2"])
    report.write(page, ["a machine", "store: yesterday, 12:00"], [old, other])
    new = report.Section("Speed", "Fast.", short=["speed: 9x"])
    more = report.Section("Store", "Whole.", short=["store: all"])
    report.renew(page, ["store: today, 13:00"], [new, more])
    expected = tmp_path / "E.md"
    sections = [new, other, more]
    report.write(expected, ["a machine", "store: today, 13:00"], sections)
    as_if_whole = expected.read_text().replace("- speed: 9x\n- size: 2", "- size: 2\n- speed: 9x")
    assert page.read_text() == as_if_whole
