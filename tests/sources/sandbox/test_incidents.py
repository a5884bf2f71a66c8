"""Incidents of whole venues: what plays when, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import InvalidInput
from sources.sandbox.incidents import Incident, Refusal, Script, Stage, venue_of
from tests.sources.fakes import FakeTime


def stage(time: FakeTime, *incidents: Incident, **limits: float) -> Stage:
    return (
        Stage(Script.of({"incidents": [], "limits": limits}), time.clock)
        if limits
        else Stage(Script(incidents), time.clock)
    )


def test_an_incident_plays_from_its_beginning_to_its_end_and_for_its_venue_only() -> None:
    time = FakeTime()
    one = stage(time, Incident("okx", "down", after=10, seconds=600))
    heard = {}
    for second in (0, 9, 10, 300, 609, 610):
        time.now = 1_000.0 + second
        heard[second] = one.now("okx", "down") is not None
        assert one.now("kraken", "down") is None
        assert one.now("okx", "off") is None
    assert heard == {0: False, 9: False, 10: True, 300: True, 609: True, 610: False}


def test_a_new_script_begins_at_its_own_beginning() -> None:
    time = FakeTime()
    one = stage(time, Incident("okx", "down", seconds=5))
    time.now += 100
    assert one.now("okx", "down") is None
    one.set(Script((Incident("okx", "down", seconds=5),)))
    assert one.now("okx", "down") is not None


def test_a_request_beyond_the_limit_of_a_second_is_refused_and_too_many_are_banned() -> None:
    time = FakeTime()
    one = stage(time, okx=2)
    answers = [one.note("okx") for _ in range(7)]
    assert answers[:2] == [None, None]
    assert answers[2:5] == [Refusal(429, 1)] * 3
    assert answers[5:] == [Refusal(418, 120)] * 2
    time.now += 60
    assert one.note("okx") == Refusal(418, 60)
    time.now += 61
    assert one.note("okx") is None
    counted = one.stats()["okx"]
    assert (counted["requests"], counted["refused"], counted["bans"]) == (9, 6, 1)


def test_who_keeps_to_the_limit_is_never_refused() -> None:
    time = FakeTime()
    one = stage(time, kraken=1)
    for _ in range(100):
        assert one.note("kraken") is None
        time.now += 1.0
    assert one.stats()["kraken"]["at"][:3] == [0.0, 1.0, 2.0]


def test_a_limit_below_one_a_second_counts_over_a_longer_time() -> None:
    time = FakeTime()
    one = stage(time, kraken=0.5)
    assert one.note("kraken") is None
    time.now += 1
    assert one.note("kraken") == Refusal(429, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"incidents": [{"venue": "mtgox", "kind": "down"}]},
        {"incidents": [{"venue": "okx", "kind": "sad"}]},
        {"incidents": [{"venue": "okx", "kind": "down", "seconds": -1}]},
        {"incidents": [{"venue": "okx", "kind": "stale", "back": 61}]},
        {"incidents": [{"venue": "okx", "kind": "down", "minutes": 1}]},
        {"limits": {"okx": "many"}},
        [],
    ],
)
def test_a_script_that_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"not a script|expected"):
        Script.of(wrong)


def test_a_script_is_read_as_it_was_written() -> None:
    script = Script((Incident("okx", "off", share=0.08),), {"kraken": 1.0})
    assert Script.of(msgspec.json.decode(script.as_json())) == script
    assert Script.read(script.as_json()) == script
    with pytest.raises(InvalidInput, match="not a script"):
        Script.read("{")


def test_each_dialect_has_its_own_paths() -> None:
    assert venue_of("/api/v3/klines") == "binance"
    assert venue_of("/api/v3/brokerage/time") == "coinbase"
    assert venue_of("/api/v5/market/candles") == "okx"
    assert venue_of("/0/public/OHLC") == "kraken"
    assert venue_of("/sandbox/stats") is None
