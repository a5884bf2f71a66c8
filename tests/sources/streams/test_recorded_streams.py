"""Every recorded frame of a public socket is read, and checked against it read another way."""

from __future__ import annotations

import itertools
import json
import zlib
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import floor_to, from_micros
from core.datasets import dataset_named
from core.errors import SourceMalformed
from expectations.gate import gate
from sources.provider import stamped
from sources.streams.binance import BinanceStream
from sources.streams.heard import Heard, table_of
from sources.trade_bars import bars_from_trades
from sources.venues.htx import Levels, book_rows
from tests.sources.streams.recorded import (
    Said,
    binance_lines,
    pro,
    received,
    stream_of,
    told,
)
from tests.sources.venues.frames import bodies

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

MILLI = timedelta(milliseconds=1)


def rows(said: list[Said], dataset: str) -> list[dict[str, Any]]:
    """Return the rows of a dataset, of which its gate passes the last of each key."""
    heard = [each for each in said if each.heard.dataset == dataset and each.heard.rows]
    frame = table_of(dataset, (each.heard for each in heard))
    now = heard[-1].line.at + timedelta(seconds=2)
    judged = stamped(dataset, frame, source="recording", now=now)
    last = judged.unique(dataset_named(dataset).key, keep="last", maintain_order=True)
    verdict = gate(dataset, last, now=now)
    assert verdict.passed, verdict.reason
    assert verdict.quarantined.is_empty(), verdict.reasons
    return frame.to_dicts()


def total(entries: list[Any], field: str) -> float:
    """Return the sum of decimals that were sent as text."""
    return float(sum((Decimal(str(entry[field])) for entry in entries), Decimal(0)))


def summed(found: list[dict[str, Any]], column: str) -> float:
    return float(sum((Decimal(repr(row[column])) for row in found), Decimal(0)))


def levels(side: list[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(level[0]), float(level[1])) for level in side)


def sides(row: dict[str, Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the bids and asks of a row of `order_books`."""
    return tuple(
        tuple(zip(row[f"{side}_prices"], row[f"{side}_sizes"], strict=True))
        for side in ("bid", "ask")
    )


def kinds(said: list[Said]) -> Counter[str]:
    return Counter(each.heard.kind for each in said)


# --- Binance


def test_binances_slice(real_data: Path) -> None:
    said = told(real_data, "BINANCE")
    assert kinds(said) == {"depthUpdate": 97, "bookTicker": 50, "aggTrade": 1, "kline": 1}
    theirs = [each.line.json()["data"] for each in said]
    quotes = [(each, raw) for each, raw in zip(said, theirs, strict=True) if "B" in raw]
    for row, (each, raw) in zip(rows(said, "tickers"), quotes, strict=True):
        assert row["symbol"].replace("-", "") == raw["s"]
        assert row["time"] == each.line.at  # spot's best prices say no time
        assert [row[n] for n in ("bid", "bid_size", "ask", "ask_size")] == [
            float(raw[n]) for n in ("b", "B", "a", "A")
        ]
    (trade,) = rows(said, "market_trades")
    (bar,) = [raw["k"] for raw in theirs if raw.get("e") == "kline"]
    assert (trade["trade_id"], trade["side"]) == (str(bar["L"]), "buy")
    assert trade["amount"] == float(bar["V"])  # all that takers bought in the bar that forms
    assert trade["price"] == float(bar["c"])
    assert [each for each in said if each.heard.dataset == "candles" and each.heard.rows] == []
    _changes_are(said, lambda raw: (raw["data"]["b"], raw["data"]["a"]))
    _follow_each_other([each.heard for each in said])


def test_the_bar_of_binances_slice_is_read_when_it_says_that_it_has_closed(real_data: Path) -> None:
    (line,) = [line for line in received(real_data, "BINANCE") if '"kline"' in line.text]
    text = line.text.replace('"x":false', '"x":true')
    (row,) = stream_of("BINANCE").read(text, line.at).rows
    bar = json.loads(text)["data"]["k"]
    assert (row["symbol"], row["interval"]) == ("NKN-USDT", "1m")
    assert row["open_time"] == from_micros(bar["t"] * 1_000)
    names = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    names |= {"quote_volume": "q", "taker_buy_volume": "V"}
    assert {ours: row[ours] for ours in names} == {o: float(bar[t]) for o, t in names.items()}
    assert row["trades"] == bar["n"] == bar["L"] - bar["f"] + 1


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_binances_long_recordings(real_data: Path, kind: str) -> None:
    """135,000 frames: each trade, each best price, each change; and bars of the trades."""
    stream = BinanceStream(["BTC-USDT"], "binance" if kind == "spot" else "binance_perp")
    heard: list[Heard] = []
    said: dict[str, list[Any]] = defaultdict(list)
    whole = 0
    for at, text in binance_lines(real_data, kind):
        if text.startswith('{"lastUpdateId"'):  # an answer of REST
            with pytest.raises(SourceMalformed):
                stream.read(text, at)
            whole += 1
            continue
        heard.append(stream.read(text, at))
        raw = json.loads(text)["data"]
        said[raw.get("e", "bookTicker")].append(raw)
    assert whole == 1
    assert Counter(each.kind for each in heard) == {name: len(e) for name, e in said.items()}
    trades = table_of("market_trades", heard)
    assert trades["trade_id"].to_list() == [str(raw["t"]) for raw in said["trade"]]
    assert trades["price"].to_list() == [float(raw["p"]) for raw in said["trade"]]
    assert summed(trades.to_dicts(), "amount") == total(said["trade"], "q")
    sold = [raw for raw in said["trade"] if raw["m"]]
    assert trades["side"].to_list().count("sell") == len(sold)
    _best_prices_are(table_of("tickers", heard), said["bookTicker"])
    _follow_each_other(heard)
    for each, raw in zip((e for e in heard if e.changes), said["depthUpdate"], strict=True):
        assert each.changes[0].bids == levels(raw["b"])
        assert each.changes[0].asks == levels(raw["a"])
    _bars_are(trades, said["trade"])


def _best_prices_are(found: pl.DataFrame, said: list[Any]) -> None:
    for ours, theirs in (("bid", "b"), ("bid_size", "B"), ("ask", "a"), ("ask_size", "A")):
        assert found[ours].to_list() == [float(raw[theirs]) for raw in said]
    if "E" in said[0]:
        assert found["time"].to_list() == [from_micros(raw["E"] * 1_000) for raw in said]
    # While a match is made the two may touch: futures' frames then tell of the moment between.
    assert found.filter(found["bid"] > found["ask"]).is_empty()


def _bars_are(trades: pl.DataFrame, said: list[Any]) -> None:
    first, last = trades["time"][0], trades["time"][-1]
    made = bars_from_trades(trades, "1m", start=first, end=last)
    assert made.height >= 3
    for bar in made.to_dicts():
        opens = int(bar["open_time"].timestamp()) * 1_000
        of_it = [raw for raw in said if opens <= raw["T"] < opens + 60_000]
        prices = [float(raw["p"]) for raw in of_it]
        assert (bar["high"], bar["low"]) == (max(prices), min(prices))
        assert bar["volume"] == total(of_it, "q")
        assert bar["taker_buy_volume"] == total([raw for raw in of_it if not raw["m"]], "q")


def _follow_each_other(heard: list[Heard]) -> None:
    """Check that changes of a book leave out none of its states, by the venue's numbers."""
    by_symbol = defaultdict(list)
    for each in heard:
        for change in each.changes:
            by_symbol[change.symbol].append(change)
    for changes in by_symbol.values():
        for before, after in itertools.pairwise(changes):
            if after.previous is not None:
                assert after.previous == before.last
            else:
                assert after.first == (before.last or 0) + 1
    assert by_symbol


def _changes_are(said: list[Said], of: Any) -> None:
    """Check the levels of every change against `of` the frame: its bids and its asks."""
    for each in said:
        for change in each.heard.changes:
            bids, asks = of(each.line.json())
            assert (change.bids, change.asks) == (levels(bids), levels(asks))


def test_a_frame_of_binances_that_somebody_else_recorded(real_data: Path) -> None:
    path = next((real_data / "wire/binance").glob("gbeced*/*/tests/data/binance_depth_update.json"))
    raw = json.loads(path.read_bytes())
    at = from_micros(raw["E"] * 1_000)
    (change,) = BinanceStream(["BTC-USDT"]).read(path.read_bytes(), at).changes
    assert (change.time, change.first, change.last) == (at, raw["U"], raw["u"])
    assert (change.bids, change.asks) == (levels(raw["b"]), levels(raw["a"]))


# --- Coinbase


def test_coinbases_slice(real_data: Path) -> None:
    said = told(real_data, "COINBASE")
    assert kinds(said) == {
        "l2_data": 388,
        "ticker": 90,
        "market_trades": 41,
        "heartbeats": 12,
        "subscriptions": 5,
        "candles": 4,
    }
    assert [each.heard.sequence for each in said] == list(range(len(said)))
    events = defaultdict(list)
    for each in said:
        frame = each.line.json()
        for event in frame["events"]:
            events[frame["channel"]].append((frame["timestamp"], event))
    theirs = [trade for _, event in events["market_trades"] for trade in event["trades"]]
    found = rows(said, "market_trades")
    assert [row["trade_id"] for row in found] == [trade["trade_id"] for trade in theirs]
    assert summed(found, "amount") == total(theirs, "size")
    assert {(row["side"], trade["side"]) for row, trade in zip(found, theirs, strict=True)} == {
        ("buy", "SELL"),
        ("sell", "BUY"),
    }
    quotes = [(at, quote) for at, event in events["ticker"] for quote in event["tickers"]]
    for row, (at, quote) in zip(rows(said, "tickers"), quotes, strict=True):
        assert (row["last"], row["bid"]) == (float(quote["price"]), float(quote["best_bid"]))
        assert row["ask_size"] == float(quote["best_ask_quantity"])
        assert abs(row["time"] - datetime.fromisoformat(at)) <= timedelta(microseconds=1)


def test_takers_of_coinbases_slice_bought_at_the_ask_and_sold_at_the_bid(real_data: Path) -> None:
    best: dict[str, tuple[float, float]] = {}
    found: Counter[tuple[str, str]] = Counter()
    for each in told(real_data, "COINBASE"):
        for row in each.heard.rows:
            if each.heard.dataset == "tickers":
                best[row["symbol"]] = (row["bid"], row["ask"])
            elif each.heard.dataset == "market_trades" and row["symbol"] in best:
                bid, ask = best[row["symbol"]]
                where = "ask" if row["price"] >= ask else "bid" if row["price"] <= bid else "inside"
                found[where, row["side"]] += 1
    del found["inside", "sell"]
    assert found == {("ask", "buy"): 37, ("bid", "sell"): 17}


def test_coinbases_candles_are_those_of_its_trades(real_data: Path) -> None:
    """A bar that forms holds the trades so far: the frame, once it were over, gives that bar."""
    said = told(real_data, "COINBASE")
    trades = table_of("market_trades", (each.heard for each in said)).unique("trade_id")
    start = datetime(2026, 8, 9, 21, 5, tzinfo=UTC)
    forming = 0
    for each in said:
        if each.heard.kind != "candles":
            continue
        frame = each.line.json()
        theirs = [bar for event in frame["events"] for bar in event["candles"]]
        assert len(each.heard.rows) == len(theirs) - 1  # all but the one that forms
        assert all(row["open_time"] < start for row in each.heard.rows)
        frame["timestamp"] = "2026-08-09T21:10:00Z"
        row = stream_of("COINBASE").read(json.dumps(frame), each.line.at).rows[-1]
        assert row["open_time"] == start
        of_it = trades.filter(
            (trades["symbol"] == row["symbol"])
            & (trades["time"] >= start)
            & (trades["time"] <= each.line.at)
        ).sort("time", "trade_id")
        # Trades of the last second may be told after the candle that holds them, or before.
        sums = [summed(of_it[:count].to_dicts(), "amount") for count in range(len(of_it) + 1)]
        assert row["volume"] in sums
        so_far = of_it[: sums.index(row["volume"])]
        assert (row["open"], row["close"]) == (so_far["price"][0], so_far["price"][-1])
        assert (row["high"], row["low"]) == (so_far["price"].max(), so_far["price"].min())
        forming += 1
    assert forming == 4
    closed = rows(said, "candles")
    assert {row["interval"] for row in closed} == {"5m"}
    assert len(closed) == 2 * 99


def test_coinbases_books(real_data: Path) -> None:
    said = [each for each in told(real_data, "COINBASE") if each.heard.kind == "l2_data"]
    whole = rows(said, "order_books")
    assert [row["symbol"] for row in whole] == ["BTC-USD", "ETH-USD"]
    changed = dict.fromkeys(("bid", "offer"), 0)
    ours = 0
    books = iter(whole)
    for each in said:
        (event,) = each.line.json()["events"]
        theirs = {side: [(float(u["price_level"]), float(u["new_quantity"]))
                         for u in event["updates"] if u["side"] == side]
                  for side in changed}  # fmt: skip
        if event["type"] == "snapshot":
            bids, asks = sides(next(books))
            assert bids == tuple(sorted(theirs["bid"], reverse=True))
            assert asks == tuple(sorted(theirs["offer"]))
            continue
        (change,) = each.heard.changes
        assert (list(change.bids), list(change.asks)) == (theirs["bid"], theirs["offer"])
        ours += len(change.bids) + len(change.asks)
    assert ours > 2_000


def test_the_feed_that_was_coinbase_pros(real_data: Path) -> None:
    said = pro(real_data)
    assert kinds(said) == {
        "l2update": 9_719,
        "ticker": 107,
        "match": 97,
        "snapshot": 10,
        "last_match": 10,
        "subscriptions": 3,
    }
    frames = [each.line.json() for each in said]
    matches = [frame for frame in frames if frame["type"] in {"match", "last_match"}]
    found = rows(said, "market_trades")
    assert [row["trade_id"] for row in found] == [str(match["trade_id"]) for match in matches]
    assert summed(found, "amount") == total(matches, "size")
    # A ticker tells the taker's side of a trade of which the match tells the maker's.
    takers = {(f["product_id"], str(f["trade_id"])): f["side"] for f in frames
              if f["type"] == "ticker" and "trade_id" in f}  # fmt: skip
    told_twice = [row for row in found if (row["symbol"], row["trade_id"]) in takers]
    assert len(told_twice) > 90
    assert all(takers[row["symbol"], row["trade_id"]] == row["side"] for row in told_twice)
    quotes = [frame for frame in frames if frame["type"] == "ticker"]
    for row, quote in zip(rows(said, "tickers"), quotes, strict=True):
        assert (row["last"], row["open_24h"]) == (float(quote["price"]), float(quote["open_24h"]))
        assert row["bid_size"] is None
    books = [frame for frame in frames if frame["type"] == "snapshot"]
    for row, book in zip(rows(said, "order_books"), books, strict=True):
        assert sides(row) == (levels(book["bids"]), levels(book["asks"]))
    _changes_are(said, _pro_sides)


def _pro_sides(frame: Any) -> tuple[list[Any], list[Any]]:
    bids, asks = (
        [change[1:] for change in frame["changes"] if change[0] == side] for side in ("buy", "sell")
    )
    return bids, asks


# --- Kraken


def test_krakens_slice(real_data: Path) -> None:
    said = told(real_data, "KRAKEN")
    assert kinds(said) == {
        "book": 1_666,
        "heartbeat": 45,
        "subscriptionStatus": 30,
        "ticker": 13,
        "systemStatus": 3,
        "trade": 3,
    }
    frames = [each.line.json() for each in said]
    assert {each.heard.note for each in said} == {None, "subscribed", "online"}
    of = {name: [f for f in frames if isinstance(f, list) and f[-2] == name]
          for name in ("trade", "ticker")}  # fmt: skip
    theirs = [(frame[-1], trade) for frame in of["trade"] for trade in frame[1]]
    for row, (market, trade) in zip(rows(said, "market_trades"), theirs, strict=True):
        assert row["symbol"] == market.replace("/", "-").replace("XBT", "BTC")
        assert (row["price"], row["amount"]) == (float(trade[0]), float(trade[1]))
        assert row["side"] == {"b": "buy", "s": "sell"}[trade[3]]
        assert row["time"] == from_micros(int(trade[2].replace(".", "")))
    for row, frame in zip(rows(said, "tickers"), of["ticker"], strict=True):
        quote = frame[1]
        assert (row["last"], row["bid_size"]) == (float(quote["c"][0]), float(quote["b"][2]))
        day = [row[f"{name}_24h"] for name in ("open", "high", "low", "volume")]
        assert day == [float(quote[name][1]) for name in ("o", "h", "l", "v")]
        assert float(quote["l"][1]) <= row["last"] <= float(quote["h"][1])


def test_krakens_checksums_hold_of_books_made_of_what_was_read(real_data: Path) -> None:
    """The venue's own proof of each change, over the ten best levels of both sides.

    https://docs.kraken.com/api/docs/guides/spot-ws-book-v1
    """
    books: dict[str, list[dict[float, float]]] = {}
    digits: dict[str, int] = {}
    checked = 0
    for each in told(real_data, "KRAKEN"):
        if each.heard.dataset == "order_books":
            (row,) = each.heard.rows
            books[row["symbol"]] = [dict(side) for side in sides(row)]
            first = each.line.json()[1]["as"][0][0]
            digits[row["symbol"]] = len(first.partition(".")[2])
        for change in each.heard.changes:
            book = books[change.symbol]
            _apply(book, change)
            assert change.checksum == _krakens_checksum(book, digits[change.symbol])
            assert change.time is not None
            assert abs(change.time - each.line.at) < timedelta(seconds=10)
            checked += 1
    assert checked == 1_656
    print(f"Kraken: {checked:,} changes, all checksums right")


def _apply(book: list[dict[float, float]], change: Any) -> None:
    for side, changed in zip(book, (change.bids, change.asks), strict=True):
        for price, size in changed:
            if size == 0:
                side.pop(price, None)
            else:
                side[price] = size


def _krakens_checksum(book: list[dict[float, float]], digits: int) -> int:
    bids, asks = sorted(book[0], reverse=True)[:10], sorted(book[1])[:10]
    text = ""
    for side, best in ((book[1], asks), (book[0], bids)):
        for price in best:
            for number, places in ((price, digits), (side[price], 8)):
                text += f"{number:.{places}f}".replace(".", "").lstrip("0")
    return zlib.crc32(text.encode())


# --- KuCoin


def test_kucoins_slice(real_data: Path) -> None:
    said = told(real_data, "KUCOIN")
    assert kinds(said) == {
        "level2": 2_088,
        "ticker": 454,
        "match": 14,
        "ack": 13,
        "candles": 5,
        "welcome": 1,
    }
    frames = [(each.line.json()) for each in said]
    matches = [f["data"] for f in frames if f.get("subject") == "trade.l3match"]
    found = rows(said, "market_trades")
    assert [row["trade_id"] for row in found] == [match["sequence"] for match in matches]
    assert summed(found, "amount") == total(matches, "size")
    for row, match in zip(found, matches, strict=True):
        assert row["time"] == from_micros(int(match["time"]) // 1_000)
        assert row["symbol"] == match["symbol"].replace("BCHSV", "BSV")
        assert row["side"] == match["side"]
    quotes = [f for f in frames if f.get("subject") == "trade.ticker"]
    for row, frame in zip(rows(said, "tickers"), quotes, strict=True):
        quote = frame["data"]
        assert frame["topic"].replace("BCHSV", "BSV").endswith(f":{row['symbol']}")
        assert (row["last"], row["bid"]) == (float(quote["price"]), float(quote["bestBid"]))
        assert (row["ask"], row["ask_size"]) == (
            float(quote["bestAsk"]),
            float(quote["bestAskSize"]),
        )
        assert row["time"] == from_micros(quote["time"] * 1_000)


def test_kucoins_candles_are_those_of_its_trades(real_data: Path) -> None:
    """Two have closed; those that form hold the trades so far."""
    said = told(real_data, "KUCOIN")
    trades = table_of("market_trades", (each.heard for each in said))
    minute = datetime(2021, 4, 25, 19, 18, tzinfo=UTC)
    closed = rows(said, "candles")
    assert [(row["symbol"], row["open_time"]) for row in closed] == [
        ("DAPPT-BTC", minute - timedelta(minutes=1)),  # of no trade, told with the next one
        ("FET-BTC", minute),
    ]
    compared = 0
    for each in said:
        if each.heard.kind != "candles" or "1619378220" in each.line.text:
            continue
        frame = each.line.json()
        at = from_micros(frame["data"]["time"] // 1_000)
        frame["data"]["time"] = 1_619_378_340_000_000_000
        (row,) = stream_of("KUCOIN").read(json.dumps(frame), each.line.at).rows
        of_it = trades.filter((trades["symbol"] == row["symbol"]) & (trades["time"] <= at))
        (bar,) = bars_from_trades(
            of_it, "1m", start=minute, end=minute + timedelta(minutes=1)
        ).to_dicts()
        for name in ("open", "high", "low", "close", "volume", "quote_volume"):
            assert row[name] == bar[name]
        compared += 1
    assert compared == 4


def test_kucoins_changes_follow_each_other(real_data: Path) -> None:
    said = told(real_data, "KUCOIN")
    _follow_each_other([each.heard for each in said])
    dropped = 0
    for each in said:
        for change in each.heard.changes:
            theirs = each.line.json()["data"]["changes"]
            kept = [[level for level in theirs[side] if level[0] != "0"] for side in theirs]
            assert sorted(change.bids + change.asks) == sorted(levels(kept[0] + kept[1]))
            dropped += len(theirs["bids"]) + len(theirs["asks"]) - len(kept[0]) - len(kept[1])
    assert dropped > 0  # levels of the price 0, which only move the sequence on
    path = real_data / "wire_dev_slices/KUCOIN.first_half.jsonl.zst"
    whole = [line.json()["data"] for url, line in bodies(path).items() if "orderbook" in url]
    first = {c.symbol: c.first for each in reversed(said) for c in each.heard.changes}
    # Books that were asked for while the socket was open begin within what it told.
    assert any(int(book["sequence"]) >= min(filter(None, first.values())) for book in whole)


# --- OKX


def test_okxs_slice(real_data: Path) -> None:
    said = told(real_data, "OKX")
    assert kinds(said) == {"books": 50, "trades": 37, "subscribe": 18, "tickers": 16}
    every = [line.json() for line in received(real_data, "OKX")]
    frames = [f for f in every if f["arg"]["instId"] == "BTC-USDT" and "data" in f]
    refused = [f for f in every if f["arg"]["instId"] != "BTC-USDT" and "data" in f]
    assert len(said) + len(refused) == len(every)  # futures, which were recorded too
    of = {name: [each for f in frames if f["arg"]["channel"] == name for each in f["data"]]
          for name in ("trades", "tickers")}  # fmt: skip
    found = rows(said, "market_trades")
    assert [row["trade_id"] for row in found] == [trade["tradeId"] for trade in of["trades"]]
    assert [row["side"] for row in found] == [trade["side"] for trade in of["trades"]]
    assert summed(found, "amount") == total(of["trades"], "sz")
    for row, quote in zip(rows(said, "tickers"), of["tickers"], strict=True):
        assert row["time"] == from_micros(int(quote["ts"]) * 1_000)
        assert (row["last"], row["bid"]) == (float(quote["last"]), float(quote["bidPx"]))
        assert row["quote_volume_24h"] == float(quote["volCcy24h"])
        assert row["low_24h"] * row["volume_24h"] < row["quote_volume_24h"]


def test_okxs_checksums_hold_of_books_made_of_what_was_read(real_data: Path) -> None:
    """The venue's own proof of each change, over the 25 best levels of both sides.

    https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
    """
    book: list[dict[float, float]] = []
    checked = 0
    for each in told(real_data, "OKX"):
        if each.heard.dataset == "order_books":
            (row,) = each.heard.rows
            book = [dict(side) for side in sides(row)]
            theirs = each.line.json()["data"][0]
            assert sides(row) == (levels(theirs["bids"]), levels(theirs["asks"]))
            assert _okxs_checksum(book) == theirs["checksum"]
        for change in each.heard.changes:
            _apply(book, change)
            assert change.checksum == _okxs_checksum(book)
            checked += 1
    assert checked == 49


def _okxs_checksum(book: list[dict[float, float]]) -> int:
    bids, asks = sorted(book[0], reverse=True)[:25], sorted(book[1])[:25]
    parts = []
    for bid, ask in itertools.zip_longest(bids, asks):
        for side, price in ((book[0], bid), (book[1], ask)):
            if price is not None:
                parts += [_plain(price), _plain(side[price])]
    unsigned = zlib.crc32(":".join(parts).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


def _plain(number: float) -> str:
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


# --- HTX


def test_htxs_slice(real_data: Path) -> None:
    said = told(real_data, "HUOBI")
    assert kinds(said) == {"depth": 150, "trade": 34, "subscribed": 20, "ping": 3}
    frames = [each.line.json() for each in said]
    trades = [trade for f in frames if "trade.detail" in f.get("ch", "")
              for trade in f["tick"]["data"]]  # fmt: skip
    found = rows(said, "market_trades")
    assert [row["trade_id"] for row in found] == [str(trade["tradeId"]) for trade in trades]
    assert summed(found, "amount") == pytest.approx(total(trades, "amount"), rel=1e-15)
    for row, trade in zip(found, trades, strict=True):
        assert (row["price"], row["side"]) == (trade["price"], trade["direction"])
        assert row["time"] == from_micros(trade["ts"] * 1_000)
    books = [f for f in frames if ".depth." in f.get("ch", "")]
    for row, frame in zip(rows(said, "order_books"), books, strict=True):
        tick = frame["tick"]
        assert sides(row) == (levels(tick["bids"]), levels(tick["asks"]))
        assert row["symbol"].replace("-", "").lower() == frame["ch"].split(".")[1]
        by_rest = Levels(tick["ts"], tick["version"], tick["bids"], tick["asks"])
        assert book_rows(row["symbol"], by_rest).row(0, named=True) == row


def test_htxs_pings_are_answered_as_who_recorded_them_answered(real_data: Path) -> None:
    said = told(real_data, "HUOBI")
    replies = [each.heard.reply for each in said if each.heard.reply]
    path = real_data / "wire_dev_slices/HUOBI.first_half.jsonl.zst"
    sent = [json.loads(text) for text in _sent(path)]
    assert [json.loads(reply) for reply in replies] == [s for s in sent if "pong" in s][:3]
    asked = floor_to(said[0].line.at, timedelta(days=1))
    assert all(each.line.at - asked < timedelta(days=1) for each in said)


def _sent(path: Path) -> list[str]:
    import pyarrow as pa

    text = pa.CompressedInputStream(str(path), "zstd").read().decode()
    entries = [json.loads(line) for line in text.splitlines()]
    return [entry["data"] for entry in entries if entry["t"] == "send"]
