"""`make integrity` in small: luck is refused as often as it must, edges are found, leaks show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.integrity import fresh, kinds, leaks, nights, page
from benchmarks.integrity.figures import Share, at_least, uniformity
from benchmarks.integrity.folklore import GATES
from benchmarks.integrity.gates import FACTORY, Nights, too_many
from benchmarks.integrity.markets import DAY, RULE, Law, made
from benchmarks.integrity.nights import Night, NightJob, Plan, Winner, settled_by, spread
from benchmarks.integrity.scratch import Notes, digest
from research.evaluate import evaluate
from research.factory import Found, Job, until_clear
from research.hunt import Procedure
from research.market import Market
from research.strategy import Strategy
from research.worlds import MIRRORED

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.integrity.leaks import Leaked

ERROR = 1e-4  # how often a test of shares may fail where all is well

SMALL = Plan(Procedure(12, 1, 10), days=30, worlds=19, permutations=19, data="")


def run(kind: str, count: int, plan: Plan = SMALL) -> list[Night]:
    shared = msgspec.msgpack.encode(plan)
    return [nights.run(shared, NightJob(kind, number)) for number in range(count)]


@pytest.fixture(scope="module")
def found() -> Nights:
    return {kind: run(kind, count) for kind, count in (("sandbox", 24), ("drift6", 12))}


def test_luck_gets_through_no_more_often_than_it_may(found: Nights) -> None:
    every = [night for ones in found.values() for night in ones]
    promoting = sum(night.promotes(0.05, alone=True) for night in every)
    assert at_least(promoting, len(every), 0.05) > ERROR, f"{promoting} of {len(every)}"
    assert not any(night.promotes(0.01) for night in every), "19 worlds cannot say 0.01"
    assert not any(night.alarm for night in every)


def test_the_p_of_luck_is_uniform(found: Nights) -> None:
    distance, p = uniformity([night.uniform for ones in found.values() for night in ones])
    assert p > ERROR, distance


def test_what_others_go_by_lets_luck_through(found: Nights) -> None:
    assert all(set(night.gates) == set(GATES) for night in found["sandbox"])
    assert sum(night.gates["best"] for night in found["sandbox"]) >= 12
    assert sum(night.gates["split_top"] for night in found["sandbox"]) >= 12


def test_an_edge_is_found_and_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = msgspec.structs.replace(kinds.KINDS["edge3"], law=Law(momentum=0.4))
    monkeypatch.setitem(kinds.KINDS, "edge3", strong)
    plan = msgspec.structs.replace(SMALL, procedure=Procedure(24, 2, 10), days=60)
    promoting = [one for one in run("edge3", 3, plan) if one.promotes(0.05)]
    assert len(promoting) >= 2, "luck would promote as much on one run of 140"
    texts = tuple(text for one in promoting if one.winner for text in one.winner.texts)
    rules = fresh.FreshPlan(60, SMALL.costs, {"edge3": texts})
    jobs = [fresh.FreshJob("edge3", number) for number in range(4)]
    earned = fresh.joined([fresh.run(msgspec.msgpack.encode(rules), job) for job in jobs])
    assert fresh.ratio(earned.net, [RULE]) > 8
    for one in promoting:
        assert one.winner is not None
        assert fresh.ratio(earned.net, one.winner.texts) > 3


@pytest.mark.parametrize("leak", ["roc", "open", "minute"])
def test_an_engine_that_sees_the_future_raises_the_alarm(leak: str) -> None:
    plan = leaks.LeakPlan(msgspec.structs.replace(SMALL, procedure=Procedure(32, 2, 10)), 5)
    shared = msgspec.msgpack.encode(plan)
    jobs = [leaks.LeakJob(name, 0, free=True) for name in ("none", leak, "none")]
    honest, leaking, after = (leaks.run(shared, job) for job in jobs)
    assert not honest.alarm
    assert leaking.alarm
    assert leaking.over_luck > 2 * honest.over_luck
    assert after == honest, "nothing of it is left"


def test_a_night_is_the_same_again() -> None:
    shared = msgspec.msgpack.encode(SMALL)
    one, other = (nights.run(shared, NightJob("four", 3)) for _ in range(2))
    assert one == other
    assert nights.run(shared, NightJob("four", 4)) != one


@given(st.integers(1, 500), st.sampled_from([0.05, 0.01, 0.2]))
def test_worlds_end_where_no_further_one_could_change_the_verdict(most: int, alpha: float) -> None:
    enough = settled_by(most, alpha)
    if alpha * (most + 1) >= 1:
        assert enough / (most + 1) <= alpha + 1e-9, "one less may still be let through"
    assert all((1 + enough) / (1 + taken) > alpha for taken in range(enough, most + 1))


@pytest.mark.parametrize(("most", "alpha"), [(99, 0.05), (19, 0.05)])
def test_p_is_spread_evenly_where_worlds_stop_early(most: int, alpha: float) -> None:
    rng, enough = np.random.default_rng(3), settled_by(most, alpha)
    values = []
    for number in range(2_000):
        best, *rest = rng.gumbel(size=most + 1)
        worlds = [Found(Job(MIRRORED, 1), (("x", "A-B", score),), 1) for score in rest]
        taken = until_clear(best, worlds, stop_after=enough)
        values.append(spread(best, taken, enough, NightJob("sandbox", number)))
    assert uniformity(values)[1] > ERROR
    assert np.mean(np.array(values) <= 0.05) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [  # scipy.stats.binomtest(hits, of).proportion_ci(method="exact")
        (0, 200, 0.0, 0.018275340355148807),
        (10, 200, 0.024234165472108292, 0.09002753770155869),
        (3, 200, 0.003104107621555085, 0.043208281917709784),
        (60, 1_000, 0.04609503542248429, 0.07656049040393453),
        (200, 200, 0.9817246596448512, 1.0),
    ],
)
def test_intervals_are_those_of_clopper_and_pearson(
    hits: int, of: int, low: float, high: float
) -> None:
    assert Share(hits, of).interval() == pytest.approx((low, high), abs=1e-9)


def test_uniformity_is_the_test_of_kolmogorov_and_smirnov() -> None:
    bent = np.random.default_rng(1_000).random(1_000) ** 1.1
    distance, p = uniformity(bent.tolist())
    assert distance == pytest.approx(0.06283481622136056)  # scipy.stats.kstest
    assert p == pytest.approx(0.00070988, rel=0.02)
    assert uniformity(((np.arange(100) + 0.5) / 100).tolist())[1] == 1.0
    assert uniformity([0.01] * 20)[1] < 1e-6


def test_a_market_has_what_its_law_gives_it() -> None:
    still, rising, pushed = (
        Market.of(made(law, 360, 5)) for law in (Law(), Law(drift=6.0), Law(momentum=0.5))
    )
    assert rising.drift > still.drift
    held = Strategy.parse("long when close > 0 on 1d")
    assert 3 < evaluate(rising, [held]).metrics["sharpe"][0] < 10  # the error over a year is 1
    rule = Strategy.parse(RULE)
    assert evaluate(pushed, [rule]).metrics["sharpe"][0] > 10
    assert evaluate(still, [rule]).metrics["sharpe"][0] < 3
    assert 0.015 < evaluate(still, [held]).returns.std() < 0.035


def test_symbols_move_together_as_far_as_they_should() -> None:
    frame = made(Law(symbols=3, common=0.6), 20, 1)
    closes = np.log(frame["close"].to_numpy().reshape(3, -1))
    assert closes.shape == (3, 20 * DAY)
    correlation = np.corrcoef(np.diff(closes))
    assert correlation[np.triu_indices(3, 1)] == pytest.approx(0.6, abs=0.1)


def test_no_market_is_another_one() -> None:
    prices = {
        (name, number): kinds.market(name, number, 2, "")["close"][-1]
        for name in kinds.KINDS
        for number in (0, 1)
        if name != kinds.RECORDED
    }
    assert len(set(prices.values())) == len(prices)


def test_recorded_minutes_are_mirrored_anew_each_night(real_data: Path) -> None:
    folder = str(real_data / "candles")
    assert kinds.is_recorded(real_data / "candles")
    one, other = (kinds.market(kinds.RECORDED, number, 90, folder) for number in (0, 1))
    assert one["open_time"].dt.date().n_unique() == 92
    assert one["volume"].equals(other["volume"])
    assert not one["close"].equals(other["close"])


def test_without_recordings_there_are_none(tmp_path: Path) -> None:
    assert not kinds.is_recorded(tmp_path)


def test_a_run_that_was_cut_off_goes_on_with_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a" / "sandbox.jsonl"
    notes = Notes(path)
    assert notes.read(Night) == []
    some = [_night("sandbox", number, 0.5) for number in range(3)]
    notes.add(some)
    with path.open("ab") as file:
        file.write(b'{"kind": "sand')
    assert notes.read(Night) == some
    notes.add([some[0]])
    assert notes.read(Night) == [*some, some[0]]
    assert digest(SMALL) == digest(SMALL) != digest(msgspec.structs.replace(SMALL, worlds=20))


def _night(kind: str, number: int, p: float, **others: object) -> Night:
    fields: dict[str, object] = {
        "second": 0.03,
        "alarm": False,
        "over_luck": 0.6,
        "winner": Winner((RULE,), 7.0, (4.0, 5.0)),
        "gates": dict.fromkeys(GATES, True),
        **others,
    }
    return Night(kind, number, p, p, **fields)  # type: ignore[arg-type]


def test_a_night_promotes_what_both_kinds_of_worlds_let_pass() -> None:
    assert _night("sandbox", 0, 0.05).promotes(0.05)
    assert not _night("sandbox", 0, 0.05).promotes(0.01)
    assert not _night("sandbox", 0, 0.01, second=0.075).promotes(0.05)
    assert _night("sandbox", 0, 0.01, second=0.075).promotes(0.05, alone=True)
    assert not _night("sandbox", 0, 0.01, alarm=True).promotes(0.05, alone=True)


def test_a_share_above_its_level_is_called_out() -> None:
    honest = [_night("sandbox", number, (number + 0.5) / 200) for number in range(200)]
    assert too_many({"sandbox": honest}) == []
    bent = [_night("drift6", number, 0.04 if number < 25 else 0.5) for number in range(200)]
    above = too_many({"sandbox": honest, "drift6": bent})
    assert {(one.kind, one.found) for one in above} == {("drift 6", Share(25, 200))}
    assert [one.gate for one in above] == [gate.name for gate in FACTORY[:2]]
    assert "ABOVE ITS LEVEL" in "\n".join(page.false_nights({"drift6": bent}).short)
    assert "no share" in "\n".join(page.false_nights({"sandbox": honest}).short)


def test_the_page_has_every_figure(tmp_path: Path) -> None:
    done = {
        "sandbox": [_night("sandbox", number, 0.1 * number + 0.05) for number in range(10)],
        "edge2": [_night("edge2", number, 0.02) for number in range(4)],
    }
    days = np.random.default_rng(1).normal(0.01, 0.02, 400)
    earned = {"edge2": fresh.Earned({RULE: days}, {RULE: days - 0.001})}
    leaked = [_leaked(name, free=free) for name in leaks.LEAKS for free in (False, True)]
    page.write(
        tmp_path / "page.md",
        ["about"],
        [
            page.false_nights(done),
            page.uniform(done),
            page.power(done, earned, 90),
            page.beside_folklore(done, earned),
            page.alarm(leaked, done),
        ],
    )
    text = (tmp_path / "page.md").read_text()
    assert "1 of 10 nights with nothing to find promoted something, 10 % (0.3-44.5)" in text
    assert "is found on 100 % at 0.05, 0 % at 0.01 of nights" in text
    assert all(gate in text for gate in GATES.values())
    assert "on 3,060 fresh days" in text or "over 3,060 fresh days" in text
    assert all(title in text for title, _ in leaks.LEAKS.values())
    assert "nan" not in text


def _leaked(name: str, *, free: bool) -> Leaked:
    data = {"leak": name, "free": free, "over_luck": 2.0, "alarm": free}
    return msgspec.json.decode(json.dumps(data), type=leaks.Leaked)
