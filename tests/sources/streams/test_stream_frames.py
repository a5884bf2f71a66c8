"""Frames as venues document them: read, refused, or said to carry nothing; never anything else."""

from __future__ import annotations

import gzip
import json
import math
import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, SourceMalformed
from expectations.gate import gate
from sources.numbers import finite
from sources.provider import stamped
from sources.streams.binance import BinanceStream
from sources.streams.heard import Heard, table_of
from sources.streams.htx import HtxStream
from sources.streams.kraken import KrakenStream
from sources.streams.wire import Wire
from tests.sources.mutants import fixtures, hunt, mutate
from tests.sources.streams.spoken import (
    AT,
    BINANCE,
    ISO,
    MILLIS,
    NOW,
    OKX,
    SPOKEN,
    STREAMS,
    SYMBOLS,
    Spoken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EACH = pytest.mark.parametrize("spoken", SPOKEN, ids=lambda spoken: spoken.name)
HOSTILE = ("NaN", "nan", "inf", "Infinity", "-Infinity", "1e999", "-1e999", "1_000", "1,5", " 1",
           "1 ", "1\n", "0x10", "\uff11\uff12", "\u0661", "", "abc", "9" * 400)  # fmt: skip


def heard(spoken: Spoken, frame: Any = None) -> Heard:
    body = spoken.body if frame is None else json.dumps(frame).encode()
    return spoken.reader.read(spoken.sent(body), NOW)


@EACH
def test_a_frame_says_what_it_is_documented_to_say(spoken: Spoken) -> None:
    found = heard(spoken)
    assert (found.kind, found.dataset) == (spoken.kind, spoken.dataset)
    assert found.reply is None
    if spoken.changes is not None:
        (change,) = found.changes
        said = {name: getattr(change, name) for name in spoken.changes}
        assert said == dict(spoken.changes)
        assert found.rows == ()
        return
    (row,) = found.rows
    assert {name: row.get(name) for name in spoken.says} == dict(spoken.says)
    assert row["venue"] == spoken.stream.removesuffix("_exchange")
    assert found.changes == ()


@EACH
def test_a_row_is_one_that_the_gate_accepts(spoken: Spoken) -> None:
    if spoken.dataset is None or not heard(spoken).rows:
        return
    frame = table_of(spoken.dataset, [heard(spoken)])
    now = NOW + timedelta(minutes=10 if spoken.dataset == "candles" else 0)
    judged = stamped(spoken.dataset, frame, source="socket", now=now)
    verdict = gate(spoken.dataset, judged, now=now)
    assert verdict.passed, verdict.reason
    assert verdict.quarantined.is_empty()


@EACH
def test_bytes_and_text_are_the_same_frame(spoken: Spoken) -> None:
    assert spoken.reader.read(spoken.body.decode(), NOW) == heard(spoken)


@EACH
def test_no_part_of_a_frame_is_believed(spoken: Spoken) -> None:
    for end in range(len(spoken.body)):
        with pytest.raises(SourceMalformed):
            spoken.reader.read(spoken.sent(spoken.body[:end]), NOW)
    packed = spoken.sent(spoken.body)
    for end in range(len(packed)):
        with pytest.raises(SourceMalformed):
            spoken.reader.read(packed[:end], NOW)


@EACH
def test_a_market_that_was_not_asked_for_is_malformed(spoken: Spoken) -> None:
    text = spoken.body.decode()
    for theirs in ("BTCUSDT", "BTC-USDT", "XBT/USDT", "btcusdt"):
        text = text.replace(theirs, theirs.replace("USD", "EUR").replace("usd", "eur"))
    with pytest.raises(SourceMalformed, match="asked for"):
        spoken.reader.read(text, NOW)


@EACH
def test_a_frame_that_names_two_markets_is_malformed(spoken: Spoken) -> None:
    """Where it names its market more than once, each of the names counts."""
    text = spoken.body.decode()
    for theirs, other in (
        ("BTCUSDT", "ETHUSDT"),
        ("BTC-USDT", "ETH-USDT"),
        ("btcusdt", "ethusdt"),
    ):
        if text.lower().count(theirs.lower()) == 2 and theirs in text:
            with pytest.raises(SourceMalformed):
                spoken.reader.read(text.replace(theirs, other, 1), NOW)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_mutants_are_refused_or_hold_finite_numbers(spoken: Spoken, seed: int) -> None:
    rng = random.Random(seed)
    refused = 0
    for _ in range(100):
        _, body = mutate(spoken.body, rng)
        try:
            found = spoken.reader.read(spoken.sent(body), NOW)
        except SourceMalformed:
            refused += 1
            continue
        assert all(math.isfinite(number) for number in _numbers(found))
    assert refused > 30


def _numbers(found: Heard) -> list[float]:
    rows = [value for row in found.rows for value in row.values()]
    flat = [n for value in rows for n in (value if isinstance(value, list) else [value])]
    levels = [n for c in found.changes for level in (*c.bids, *c.asks) for n in level]
    return [n for n in (*flat, *levels) if isinstance(n, float)]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_comes_is_read_or_malformed(frame: bytes | str) -> None:
    for stream in STREAMS.values():
        with suppress(SourceMalformed):
            stream.read(frame, NOW)


@EACH
def test_numbers_that_are_none_are_refused_wherever_they_stand(spoken: Spoken) -> None:
    text = spoken.body.decode()
    for number in ("100.5", "12.5", "100.25", "1.5", "100.75"):
        if f'"{number}"' not in text:
            continue
        for hostile in HOSTILE:
            changed = text.replace(f'"{number}"', json.dumps(hostile))
            try:
                found = spoken.reader.read(changed, NOW)
            except SourceMalformed:
                continue
            assert hostile == "", f"{hostile!r} was read as a number"  # an empty text is none
            assert spoken.dataset == "tickers"
            assert all(math.isfinite(each) for each in _numbers(found))


def test_no_mutant_of_a_frame_puts_a_false_row_past_the_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = [fixture for fixture in fixtures() if fixture.name.endswith(" frame")]
    monkeypatch.setattr("tests.sources.mutants.fixtures", lambda: frames)
    outcome = hunt(1_500, seed=11)
    print(outcome)
    assert (outcome.crashed, outcome.false) == ([], [])
    assert outcome.errors["SourceMalformed"] == sum(outcome.errors.values()) > 900


# --- what is not kept


@pytest.mark.parametrize(
    ("stream", "frame", "kind", "note"),
    [
        ("binance", {"result": None, "id": 1}, "answer", None),
        ("coinbase", {"channel": "heartbeats", "timestamp": ISO, "sequence_num": 1,
                      "events": [{"heartbeat_counter": 3}]}, "heartbeats", None),
        ("coinbase", {"channel": "subscriptions", "timestamp": ISO, "sequence_num": 1,
                      "events": []}, "subscriptions", None),
        ("coinbase", {"type": "error", "message": "no such product"}, "error", "no such product"),
        ("coinbase_exchange", {"type": "subscriptions", "channels": []}, "subscriptions", None),
        ("coinbase_exchange", {"type": "open", "order_id": "x"}, "open", None),
        ("coinbase_exchange", {"type": "error", "message": "why"}, "error", "why"),
        ("kraken", {"event": "heartbeat"}, "heartbeat", None),
        ("kraken", {"event": "systemStatus", "status": "maintenance", "version": "1.9.0"},
         "systemStatus", "maintenance"),
        ("kraken", {"event": "subscriptionStatus", "status": "error",
                    "errorMessage": "Currency pair not supported"},
         "subscriptionStatus", "Currency pair not supported"),
        ("kraken", [42, ["1"] * 9, "ohlc-5", "XBT/USDT"], "ohlc", None),
        ("kraken", [42, ["1"] * 5, "spread", "XBT/USDT"], "spread", None),
        ("kucoin", {"id": "1", "type": "welcome"}, "welcome", None),
        ("kucoin", {"id": "1", "type": "ack"}, "ack", None),
        ("kucoin", {"id": "1", "type": "error", "code": 404, "data": "topic"}, "error", "topic"),
        ("okx", {"event": "subscribe", "arg": {"channel": "trades"}}, "subscribe", None),
        ("okx", {"event": "error", "code": "60012", "msg": "Invalid request"}, "error",
         "Invalid request"),
        ("okx", {"event": "notice", "code": "64008", "msg": "closing soon"}, "notice",
         "closing soon"),
        ("htx", {"id": "1", "status": "ok", "subbed": "market.btcusdt.bbo", "ts": MILLIS},
         "subscribed", None),
        ("htx", {"id": "1", "status": "error", "err-code": "bad-request", "err-msg": "invalid",
                 "ts": MILLIS}, "error", "invalid"),
        ("htx", {"ch": "market.btcusdt.detail", "ts": MILLIS, "tick": {}}, "detail", None),
    ],
)  # fmt: skip
def test_what_carries_nothing_says_what_it_is(
    stream: str, frame: Any, kind: str, note: str | None
) -> None:
    said = STREAMS[stream].read(json.dumps(frame), NOW)
    assert (said.kind, said.note, said.rows, said.changes, said.reply) == (kind, note, (), (), None)


def test_okxs_pong_is_no_json() -> None:
    assert STREAMS["okx"].read("pong", NOW) == STREAMS["okx"].read(b"pong", NOW) == Heard("pong")


def test_a_ping_wants_its_own_number_back() -> None:
    said = STREAMS["htx"].read(gzip.compress(b'{"ping":1492420473027}'), NOW)
    assert said == Heard("ping", reply='{"pong":1492420473027}')


def test_a_frame_that_unpacks_to_too_much_is_malformed() -> None:
    with pytest.raises(SourceMalformed, match="bomb"):
        HtxStream(SYMBOLS).read(gzip.compress(bytes(50_000_000)), NOW)


@pytest.mark.parametrize(
    ("stream", "frame"),
    [
        ("binance", {}),
        ("binance", {"e": "newEvent", "s": "BTCUSDT"}),
        ("binance", {"stream": "btcusdt@depth20", "data": {"lastUpdateId": 1}}),
        ("binance", {"stream": "btcusdt@trade"}),
        ("coinbase", {"channel": "futures", "timestamp": ISO, "sequence_num": 1, "events": []}),
        ("coinbase", {"type": "ticker"}),
        ("coinbase_exchange", {"type": "auction"}),
        ("coinbase_exchange", {}),
        ("kraken", {"event": "surprise"}),
        ("kraken", [1, {}, "book-10", "XBT/USDT"]),
        ("kraken", [1, {"a": [["1", "1"]]}, "book-10", "XBT/USDT"]),
        ("kraken", [1, [], [], "trade", "XBT/USDT"]),
        ("kraken", [1, [], "orders", "XBT/USDT"]),
        ("kraken", [1, []]),
        ("kucoin", {"type": "message", "topic": "/market/snapshot:BTC-USDT", "data": {}}),
        ("kucoin", {"type": "message"}),
        ("kucoin", {"type": "error"}),
        ("okx", {"arg": {"channel": "liquidations", "instId": "BTC-USDT"}, "data": []}),
        ("okx", {"arg": {"channel": "books", "instId": "BTC-USDT"}, "data": []}),
        ("okx", {"arg": {"channel": "books5", "instId": "BTC-USDT"}, "action": "update",
                 "data": []}),
        ("okx", {"data": []}),
        ("htx", {"ch": "market.btcusdt.detail"}),
        ("htx", {"ch": "market.btcusdt.surprise", "ts": MILLIS, "tick": {}}),
        ("htx", {"ch": "accounts.btcusdt.detail", "ts": MILLIS, "tick": {}}),
        ("htx", {"ch": "market", "ts": MILLIS, "tick": {}}),
    ],
)  # fmt: skip
def test_what_no_documentation_knows_is_malformed(stream: str, frame: Any) -> None:
    with pytest.raises(SourceMalformed):
        STREAMS[stream].read(json.dumps(frame), NOW)


# --- bars that form


def _at(frame: Any, change: Callable[[Any], None]) -> Any:
    copied = json.loads(json.dumps(frame))
    change(copied)
    return copied


FORMING: dict[str, Callable[[Any], None]] = {
    "binance kline": lambda frame: frame["k"].update(x=False),
    "coinbase candles": lambda frame: frame.update(timestamp="2026-05-31T23:59:59.999999Z"),
    "kucoin candles": lambda frame: frame["data"].update(time=(MILLIS + 60_000) * 10**6 - 1),
    "okx candle1m": lambda frame: frame["data"][0].__setitem__(8, "0"),
    "htx kline": lambda frame: frame.update(ts=MILLIS + 59_999),
}


def test_a_bar_that_forms_is_no_row() -> None:
    bars = [spoken for spoken in SPOKEN if spoken.dataset == "candles"]
    assert {spoken.name for spoken in bars} == set(FORMING)
    for spoken in bars:
        forming = _at(spoken.frame, FORMING[spoken.name])
        found = heard(spoken, forming)
        assert (found.dataset, found.rows) == ("candles", ())
        assert heard(spoken).rows != ()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("binance kline", lambda frame: frame["k"].update(i="1s")),
        ("kucoin candles", lambda frame: frame.update(topic="/market/candles:BTC-USDT_1week")),
        ("htx kline", lambda frame: frame.update(ch="market.btcusdt.kline.1day")),
    ],
)
def test_a_bar_that_is_none_of_ours_is_no_row(name: str, change: Any) -> None:
    (spoken,) = [each for each in SPOKEN if each.name == name]
    assert heard(spoken, _at(spoken.frame, change)).rows == ()


def test_a_bar_of_another_length_than_it_says_is_malformed() -> None:
    (spoken,) = [each for each in BINANCE if each.kind == "kline"]
    for change in ({"i": "5m"}, {"T": MILLIS + 60_000}, {"s": "ETHUSDT"}):
        frame = spoken.frame | {"k": spoken.frame["k"] | change}
        with pytest.raises(SourceMalformed, match="expected a bar of"):
            heard(spoken, frame)
    (okx,) = [each for each in OKX if each.kind == "candle1m"]
    with pytest.raises(SourceMalformed, match="0 or 1"):
        heard(okx, _at(okx.frame, lambda frame: frame["data"][0].__setitem__(8, "2")))


# --- trades


def test_the_taker_bought_where_the_buyer_was_not_the_maker() -> None:
    for spoken in BINANCE:
        if spoken.dataset == "market_trades":
            (row,) = heard(spoken, spoken.frame | {"m": False}).rows
            assert row["side"] == "buy"


def test_what_insurance_did_is_no_trade_of_a_market() -> None:
    (spoken,) = [each for each in SPOKEN if each.name == "binance_perp trade"]
    assert heard(spoken, spoken.frame | {"X": "INSURANCE_FUND"}).rows == ()


def test_trades_out_of_order_in_one_aggregate_are_malformed() -> None:
    spoken = BINANCE[1]
    with pytest.raises(SourceMalformed, match="in order"):
        heard(spoken, spoken.frame | {"l": 28_456})


def test_krakens_trades_have_numbers_that_a_repeated_frame_repeats() -> None:
    one = ["5541.2", "0.1", "1534614057.321597", "s", "l", ""]
    other = ["5541.2", "0.2", "1534614057.321597", "b", "m", ""]
    frame = json.dumps([0, [one, one, other], "trade", "XBT/USDT"])
    stream = KrakenStream(SYMBOLS)
    numbers = [row["trade_id"] for row in stream.read(frame, NOW).rows]
    assert len(set(numbers)) == 3
    assert [row["trade_id"] for row in stream.read(frame, AT).rows] == numbers


def test_a_side_that_is_neither_is_left_unsaid() -> None:
    for spoken in SPOKEN:
        if spoken.dataset == "market_trades" and not spoken.stream.startswith("binance"):
            text = spoken.body.decode()
            for side in ("BUY", "buy", "sell", '"s"'):
                text = text.replace(side, '"x"' if side == '"s"' else "UNKNOWN")
            (row,) = spoken.reader.read(text, NOW).rows
            assert row["side"] is None


# --- the shared parts


@pytest.mark.parametrize("text", HOSTILE)
def test_one_number_is_finite_or_refused(text: str) -> None:
    with pytest.raises(SourceMalformed, match="price: expected a finite number"):
        finite(text, "price", lambda reason: SourceMalformed("venue", reason))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_one_number_is_read_as_itself(number: float) -> None:
    assert finite(repr(number), "price", InvalidInput) == number


def test_times_beyond_the_calendar_are_malformed() -> None:
    wire = Wire("venue", SYMBOLS, str)
    assert wire.seconds("1780000000.123456789").microsecond == 123_456
    assert wire.moment(MILLIS, 1_000) == AT
    for text in ("-1", "1e9", "1.", "999999999999", "NaN", "1 ", "\u0661"):
        with pytest.raises(SourceMalformed):
            wire.seconds(text)
    for count in (-1, 10**18):
        with pytest.raises(SourceMalformed):
            wire.moment(count, 1_000)
    far = _at(BINANCE[0].frame, lambda frame: frame.update(T=MILLIS * 1_000))
    with pytest.raises(SourceMalformed):  # microseconds where milliseconds were agreed
        heard(BINANCE[0], far)
    early = json.dumps({"type": "l2update", "product_id": "BTC-USDT", "changes": [],
                        "time": "0001-01-01T00:00:00+23:00"})  # fmt: skip
    with pytest.raises(SourceMalformed, match="era"):
        STREAMS["coinbase_exchange"].read(early, NOW)


def test_levels_that_cannot_be_are_malformed() -> None:
    wire = Wire("venue", SYMBOLS, str)
    for level in (("0", "1"), ("-1", "1"), ("1", "-1"), ("1",)):
        with pytest.raises(SourceMalformed):
            wire.levels([level])
    assert wire.levels([("1", "0", "more")]) == [(1.0, 0.0)]


def test_a_symbol_or_a_venue_that_is_none_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidInput):
        BinanceStream(["BTCUSDT"])
    with pytest.raises(InvalidInput):
        BinanceStream(SYMBOLS, "Binance")


def test_rows_of_many_frames_are_one_table() -> None:
    said = [heard(spoken) for spoken in SPOKEN]
    trades = table_of("market_trades", said)
    assert trades.height == sum(spoken.dataset == "market_trades" for spoken in SPOKEN)
    assert table_of("candles", []).is_empty()
