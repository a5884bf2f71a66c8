"""A sound frame of each kind that is read, as its venue documents it, and what it says."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sources.streams.binance import BinanceStream
from sources.streams.coinbase import CoinbaseStream
from sources.streams.coinbase_exchange import CoinbaseExchangeStream
from sources.streams.htx import HtxStream
from sources.streams.kraken import KrakenStream
from sources.streams.kucoin import KuCoinStream
from sources.streams.okx import OkxStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sources.streams.heard import Stream

AT = datetime(2026, 6, 1, tzinfo=UTC) - timedelta(minutes=3)
NOW = AT + timedelta(minutes=2, seconds=1)
SECONDS = int(AT.timestamp())
MILLIS = SECONDS * 1_000
ISO = "2026-05-31T23:57:00.000000Z"
LATER = "2026-06-01T00:05:00.000000000Z"
SYMBOLS = ("BTC-USDT", "ETH-USDT")
STREAMS: dict[str, Stream] = {
    "binance": BinanceStream(SYMBOLS),
    "binance_perp": BinanceStream(SYMBOLS, "binance_perp"),
    "coinbase": CoinbaseStream(SYMBOLS),
    "coinbase_exchange": CoinbaseExchangeStream(SYMBOLS),
    "kraken": KrakenStream(SYMBOLS),
    "kucoin": KuCoinStream(SYMBOLS),
    "okx": OkxStream(SYMBOLS),
    "htx": HtxStream(SYMBOLS),
}


@dataclass(frozen=True)
class Spoken:
    """A frame, who reads it, and the rows or the changes that it says."""

    stream: str
    kind: str
    frame: Any
    dataset: str | None = None
    says: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return f"{self.stream} {self.kind}"

    @property
    def reader(self) -> Stream:
        return STREAMS[self.stream]

    @property
    def body(self) -> bytes:
        """Return its JSON; what is packed on the wire is not packed here."""
        return json.dumps(self.frame).encode()

    def sent(self, body: bytes) -> bytes:
        """Return a body as it goes over the wire."""
        return gzip.compress(body) if self.stream == "htx" else body


BIDS = [["100.25", "1.5"], ["100.00", "3"]]
ASKS = [["100.75", "2"], ["101.00", "0.5"]]
TRADE = {"symbol": "BTC-USDT", "trade_id": "28457", "time": AT, "price": 100.5, "amount": 0.125}
SOLD = TRADE | {"side": "sell"}
BEST = {"symbol": "BTC-USDT", "bid": 100.25, "bid_size": 1.5, "ask": 100.75, "ask_size": 2.0}
DAY = {"last": 100.5, "open_24h": 99.0, "high_24h": 101.5, "low_24h": 98.5, "volume_24h": 1_200.5}
TURNED = {"quote_volume_24h": 120_000.25}
PRICES = {"open": 100.0, "high": 101.0, "low": 99.5, "close": 100.5, "volume": 12.5}
BAR = {"symbol": "BTC-USDT", "interval": "1m", "open_time": AT, "synthetic": False} | PRICES
WORTH = {"quote_volume": 1_250.0}
BOOK = {
    "symbol": "BTC-USDT",
    "bid_prices": [100.25, 100.0],
    "bid_sizes": [1.5, 3.0],
    "ask_prices": [100.75, 101.0],
    "ask_sizes": [2.0, 0.5],
}
CHANGE = {"symbol": "BTC-USDT", "bids": ((100.25, 1.5), (100.0, 3.0)), "asks": ((100.75, 0.0),)}
GONE = [["100.75", "0"]]

_KLINE = {
    "t": MILLIS,
    "T": MILLIS + 59_999,
    "s": "BTCUSDT",
    "i": "1m",
    "f": 100,
    "L": 141,
    "o": "100.0",
    "c": "100.5",
    "h": "101.0",
    "l": "99.5",
    "v": "12.5",
    "n": 42,
    "x": True,
    "q": "1250.0",
    "V": "6.25",
    "Q": "625.0",
    "B": "0",
}
_DAY = {
    "e": "24hrTicker",
    "E": MILLIS,
    "s": "BTCUSDT",
    "c": "100.5",
    "o": "99.0",
    "h": "101.5",
    "l": "98.5",
    "v": "1200.5",
    "q": "120000.25",
    "b": "100.25",
    "B": "1.5",
    "a": "100.75",
    "A": "2",
    "p": "7",
    "P": "7",
    "w": "100",
    "x": "99",
    "Q": "0.1",
    "O": 0,
    "C": MILLIS,
}
_DEPTH = {"e": "depthUpdate", "E": MILLIS, "s": "BTCUSDT", "U": 157, "u": 160, "b": BIDS, "a": GONE}
_AGGREGATE = {
    "e": "aggTrade",
    "E": MILLIS,
    "s": "BTCUSDT",
    "a": 12_345,
    "p": "100.5",
    "q": "0.125",
    "f": 28_457,
    "l": 28_457,
    "T": MILLIS,
    "m": True,
    "M": True,
}
_TRADE = {
    "e": "trade",
    "E": MILLIS,
    "s": "BTCUSDT",
    "t": 28_457,
    "p": "100.5",
    "q": "0.125",
    "T": MILLIS,
    "m": True,
}
_FUTURES_DAY = {name: value for name, value in _DAY.items() if name not in {"b", "B", "a", "A"}}
BINANCE = [
    Spoken("binance", "trade", _TRADE, "market_trades", SOLD),
    Spoken("binance", "aggTrade", _AGGREGATE, "market_trades", SOLD),
    Spoken(
        "binance",
        "aggTrade",
        _AGGREGATE | {"l": 28_460},
        "market_trades",
        SOLD | {"trade_id": "28457-28460"},
    ),
    Spoken(
        "binance",
        "kline",
        {"e": "kline", "E": MILLIS + 60_010, "s": "BTCUSDT", "k": _KLINE},
        "candles",
        BAR | WORTH | {"trades": 42, "taker_buy_volume": 6.25},
    ),
    Spoken(
        "binance",
        "bookTicker",
        {"u": 400_900_217, "s": "BTCUSDT", "b": "100.25", "B": "1.5", "a": "100.75", "A": "2"},
        "tickers",
        BEST | {"time": NOW, "venue": "binance"},
    ),
    Spoken("binance", "24hrTicker", _DAY, "tickers", BEST | DAY | TURNED | {"time": AT}),
    Spoken(
        "binance",
        "depthUpdate",
        {"stream": "btcusdt@depth@100ms", "data": _DEPTH},
        changes=CHANGE | {"first": 157, "last": 160, "time": AT},
    ),
    Spoken(
        "binance",
        "depth",
        {
            "stream": "btcusdt@depth20@100ms",
            "data": {"lastUpdateId": 160, "bids": BIDS, "asks": ASKS},
        },
        "order_books",
        BOOK | {"sequence": 160, "time": NOW},
    ),
    Spoken(
        "binance_perp",
        "trade",
        _TRADE | {"X": "MARKET"},
        "market_trades",
        SOLD | {"venue": "binance_perp"},
    ),
    Spoken(
        "binance_perp",
        "24hrTicker",
        _FUTURES_DAY,
        "tickers",
        DAY | TURNED | {"bid": None, "ask_size": None},
    ),
    Spoken(
        "binance_perp",
        "depthUpdate",
        _DEPTH | {"T": MILLIS, "pu": 156},
        changes=CHANGE | {"first": 157, "last": 160, "previous": 156},
    ),
]


def _coinbase(channel: str, **event: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": LATER if channel == "candles" else ISO,
        "sequence_num": 7,
        "events": [{"type": "update", **event}],
    }


_UPDATES = [("bid", *BIDS[1]), ("offer", *ASKS[0]), ("bid", *BIDS[0]), ("offer", *ASKS[1])]


def _updates(*levels: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"side": side, "event_time": ISO, "price_level": price, "new_quantity": size}
        for side, price, size in levels
    ]


_COINBASE_TRADE = {
    "trade_id": "28457",
    "product_id": "BTC-USDT",
    "price": "100.5",
    "size": "0.125",
    "side": "BUY",
    "time": ISO,
}
_COINBASE_TICKER = {
    "type": "ticker",
    "product_id": "BTC-USDT",
    "price": "100.5",
    "volume_24_h": "1200.5",
    "low_24_h": "98.5",
    "high_24_h": "101.5",
    "low_52_w": "1",
    "high_52_w": "1000",
    "price_percent_chg_24_h": "1.5",
    "best_bid": "100.25",
    "best_bid_quantity": "1.5",
    "best_ask": "100.75",
    "best_ask_quantity": "2",
}
_COINBASE_BAR = {
    "start": str(SECONDS - SECONDS % 300),
    "product_id": "BTC-USDT",
    "volume": "12.5",
    "open": "100.0",
    "high": "101.0",
    "low": "99.5",
    "close": "100.5",
}
_WHOLE_DAY = {name: value for name, value in DAY.items() if name != "open_24h"}
COINBASE = [
    Spoken(
        "coinbase",
        "market_trades",
        _coinbase("market_trades", trades=[_COINBASE_TRADE]),
        "market_trades",
        SOLD,
    ),
    Spoken(
        "coinbase",
        "ticker",
        _coinbase("ticker", tickers=[_COINBASE_TICKER]),
        "tickers",
        BEST | _WHOLE_DAY | {"time": AT},
    ),
    Spoken(
        "coinbase",
        "candles",
        _coinbase("candles", candles=[_COINBASE_BAR]),
        "candles",
        BAR | {"interval": "5m", "open_time": AT - timedelta(minutes=2)},
    ),
    Spoken(
        "coinbase",
        "l2_data",
        _coinbase("l2_data", product_id="BTC-USDT", updates=_updates(*_UPDATES))
        | {
            "events": [
                {"type": "snapshot", "product_id": "BTC-USDT", "updates": _updates(*_UPDATES)}
            ]
        },
        "order_books",
        BOOK | {"sequence": None, "time": AT},
    ),
    Spoken(
        "coinbase",
        "l2_data",
        _coinbase(
            "l2_data",
            product_id="BTC-USDT",
            updates=_updates(("bid", *BIDS[0]), ("bid", *BIDS[1]), ("offer", *GONE[0])),
        ),
        "order_books",
        changes=CHANGE | {"time": AT},
    ),
    Spoken(
        "coinbase_exchange",
        "match",
        {
            "type": "match",
            "trade_id": 28_457,
            "sequence": 50,
            "side": "buy",
            "maker_order_id": "ac928c66",
            "taker_order_id": "132fb6ae",
            "time": ISO,
            "product_id": "BTC-USDT",
            "size": "0.125",
            "price": "100.5",
        },
        "market_trades",
        SOLD | {"venue": "coinbase"},
    ),
    Spoken(
        "coinbase_exchange",
        "ticker",
        {
            "type": "ticker",
            "sequence": 37,
            "product_id": "BTC-USDT",
            "price": "100.5",
            "open_24h": "99.0",
            "volume_24h": "1200.5",
            "low_24h": "98.5",
            "side": "buy",
            "high_24h": "101.5",
            "volume_30d": "2",
            "best_bid": "100.25",
            "time": ISO,
            "best_bid_size": "1.5",
            "best_ask": "100.75",
            "best_ask_size": "2",
            "trade_id": 28_457,
            "last_size": "0.125",
        },
        "tickers",
        BEST | DAY | {"time": AT},
    ),
    Spoken(
        "coinbase_exchange",
        "snapshot",
        {"type": "snapshot", "product_id": "BTC-USDT", "bids": BIDS, "asks": ASKS},
        "order_books",
        BOOK | {"time": NOW},
    ),
    Spoken(
        "coinbase_exchange",
        "l2update",
        {
            "type": "l2update",
            "product_id": "BTC-USDT",
            "time": ISO,
            "changes": [["buy", *BIDS[0]], ["buy", *BIDS[1]], ["sell", *GONE[0]]],
        },
        changes=CHANGE | {"time": AT},
    ),
]
_STAMPED = f"{SECONDS}.000000"
_KRAKEN_TRADE = ["100.5", "0.125", _STAMPED, "s", "l", ""]
_KRAKEN_DAY = {
    "a": ["100.75", 2, "2"],
    "b": ["100.25", 1, "1.5"],
    "c": ["100.5", "0.125"],
    "v": ["600", "1200.5"],
    "p": ["100", "100"],
    "t": [100, 200],
    "l": ["99", "98.5"],
    "h": ["101", "101.5"],
    "o": ["100", "99.0"],
}


def _timed(side: list[list[str]]) -> list[list[str]]:
    return [[*level, _STAMPED] for level in side]


KRAKEN = [
    Spoken(
        "kraken",
        "trade",
        [337, [_KRAKEN_TRADE], "trade", "XBT/USDT"],
        "market_trades",
        SOLD | {"trade_id": f"{_STAMPED}-s-100.5-0.125-0"},
    ),
    Spoken(
        "kraken",
        "ticker",
        [340, _KRAKEN_DAY, "ticker", "XBT/USDT"],
        "tickers",
        BEST | DAY | {"time": NOW},
    ),
    Spoken(
        "kraken",
        "book",
        [560, {"as": _timed(ASKS), "bs": _timed(BIDS)}, "book-10", "XBT/USDT"],
        "order_books",
        BOOK | {"time": NOW},
    ),
    Spoken(
        "kraken",
        "book",
        [560, {"a": _timed(GONE)}, {"b": _timed(BIDS), "c": "974942666"}, "book-10", "XBT/USDT"],
        changes=CHANGE | {"checksum": 974_942_666, "time": AT},
    ),
]


def _kucoin(topic: str, subject: str, **data: Any) -> dict[str, Any]:
    return {"type": "message", "topic": topic, "subject": subject, "data": data}


_KUCOIN_BAR = [str(SECONDS), "100.0", "100.5", "101.0", "99.5", "12.5", "1250.0"]
KUCOIN = [
    Spoken(
        "kucoin",
        "match",
        _kucoin(
            "/market/match:BTC-USDT",
            "trade.l3match",
            sequence="28457",
            type="match",
            symbol="BTC-USDT",
            side="sell",
            price="100.5",
            size="0.125",
            tradeId="5c24c5da",
            takerOrderId="5c24",
            makerOrderId="5c24c5cf",
            time=str(MILLIS * 1_000_000),
        ),
        "market_trades",
        SOLD,
    ),
    Spoken(
        "kucoin",
        "ticker",
        _kucoin(
            "/market/ticker:BTC-USDT",
            "trade.ticker",
            sequence="1545896668986",
            price="100.5",
            size="0.011",
            time=MILLIS,
            bestAsk="100.75",
            bestAskSize="2",
            bestBid="100.25",
            bestBidSize="1.5",
        ),
        "tickers",
        BEST | {"last": 100.5, "time": AT},
    ),
    Spoken(
        "kucoin",
        "candles",
        _kucoin(
            "/market/candles:BTC-USDT_1min",
            "trade.candles.update",
            symbol="BTC-USDT",
            candles=_KUCOIN_BAR,
            time=(MILLIS + 60_000) * 10**6,
        ),
        "candles",
        BAR | WORTH,
    ),
    Spoken(
        "kucoin",
        "level2",
        _kucoin(
            "/market/level2:BTC-USDT",
            "trade.l2update",
            sequenceStart=157,
            sequenceEnd=160,
            symbol="BTC-USDT",
            time=MILLIS,
            changes={
                "bids": [[*level, "158"] for level in BIDS],
                "asks": [[*GONE[0], "160"], ["0", "0", "157"]],
            },
        ),
        changes=CHANGE | {"first": 157, "last": 160, "time": AT},
    ),
    Spoken(
        "kucoin",
        "level2Depth",
        _kucoin(
            "/spotMarket/level2Depth5:BTC-USDT",
            "level2",
            bids=BIDS,
            asks=ASKS,
            timestamp=MILLIS,
        ),
        "order_books",
        BOOK | {"time": AT},
    ),
]


def _okx(channel: str, *data: Any, **more: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": "BTC-USDT"}, **more, "data": list(data)}


def _okx_levels(bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {
        "bids": [[*level, "0", "1"] for level in bids],
        "asks": [[*level, "0", "1"] for level in asks],
        "ts": str(MILLIS),
        "checksum": -855_196_043,
        "prevSeqId": 156,
        "seqId": 160,
    }


_OKX_DAY = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "last": "100.5",
    "lastSz": "0.1",
    "askPx": "100.75",
    "askSz": "2",
    "bidPx": "100.25",
    "bidSz": "1.5",
    "open24h": "99.0",
    "high24h": "101.5",
    "low24h": "98.5",
    "volCcy24h": "120000.25",
    "vol24h": "1200.5",
    "ts": str(MILLIS),
    "sodUtc0": "99",
    "sodUtc8": "99",
}
_OKX_TRADE = {
    "instId": "BTC-USDT",
    "tradeId": "28457",
    "px": "100.5",
    "sz": "0.125",
    "side": "sell",
    "ts": str(MILLIS),
    "count": "1",
}
_OKX_BAR = [str(MILLIS), "100.0", "101.0", "99.5", "100.5", "12.5", "1250.0", "1250.0", "1"]
OKX = [
    Spoken("okx", "tickers", _okx("tickers", _OKX_DAY), "tickers", BEST | DAY | TURNED),
    Spoken("okx", "trades", _okx("trades", _OKX_TRADE), "market_trades", SOLD),
    Spoken("okx", "candle1m", _okx("candle1m", _OKX_BAR), "candles", BAR | WORTH),
    Spoken(
        "okx",
        "books",
        _okx("books", _okx_levels(BIDS, ASKS), action="snapshot"),
        "order_books",
        BOOK | {"sequence": 160, "time": AT},
    ),
    Spoken(
        "okx",
        "books",
        _okx("books", _okx_levels(BIDS, GONE), action="update"),
        changes=CHANGE | {"last": 160, "previous": 156, "checksum": -855_196_043, "time": AT},
    ),
    Spoken("okx", "books5", _okx("books5", _okx_levels(BIDS, ASKS)), "order_books", BOOK),
]


def _htx(topic: str, **tick: Any) -> dict[str, Any]:
    return {"ch": f"market.btcusdt.{topic}", "ts": MILLIS + 60_000, "tick": tick}


def _floats(side: list[list[str]]) -> list[list[float]]:
    return [[float(price), float(size)] for price, size in side]


_HTX_TRADE = {
    "id": 10**23,
    "ts": MILLIS,
    "tradeId": 28_457,
    "amount": 0.125,
    "price": 100.5,
    "direction": "sell",
}
HTX = [
    Spoken("htx", "trade", _htx("trade.detail", data=[_HTX_TRADE]), "market_trades", SOLD),
    Spoken(
        "htx",
        "depth",
        _htx("depth.step0", ts=MILLIS, version=160, bids=_floats(BIDS), asks=_floats(ASKS)),
        "order_books",
        BOOK | {"sequence": 160, "time": AT},
    ),
    Spoken(
        "htx",
        "kline",
        _htx("kline.1min", id=SECONDS, amount=12.5, count=42, vol=1_250.0, open=100.0,
             close=100.5, high=101.0, low=99.5),
        "candles",
        BAR | WORTH | {"trades": 42},
    ),
    Spoken(
        "htx",
        "ticker",
        _htx("ticker", open=99.0, high=101.5, low=98.5, close=100.5, amount=1_200.5, count=100,
             vol=120_000.25, bid=100.25, bidSize=1.5, ask=100.75, askSize=2.0, lastPrice=100.5,
             lastSize=0.125),
        "tickers",
        BEST | DAY | TURNED,
    ),
    Spoken(
        "htx",
        "bbo",
        _htx("bbo", seqId=160, symbol="btcusdt", quoteTime=MILLIS, bid=100.25, bidSize=1.5,
             ask=100.75, askSize=2.0),
        "tickers",
        BEST | {"time": AT},
    ),
]  # fmt: skip
SPOKEN = [*BINANCE, *COINBASE, *KRAKEN, *KUCOIN, *OKX, *HTX]
