"""One answer of every feed of every venue, as its documentation shows it, and what it says.

The documentation's addresses are in the venues' own files. Times are of just before NOW.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sources.venues.binance import Binance
from sources.venues.binance_perp import BinancePerp
from sources.venues.bybit import Bybit
from sources.venues.bybit_perp import BybitPerp
from sources.venues.coinbase import Coinbase
from sources.venues.htx import Htx
from sources.venues.kraken import Kraken
from sources.venues.kucoin import KuCoin
from sources.venues.okx import Okx
from sources.venues.okx_perp import OkxPerp
from tests.sources.fakes import NOW, millis

URL = "http://venue"
MS = millis(NOW) - 1_000
S = MS // 1_000
AT = NOW - timedelta(seconds=1)
ISO = "2026-05-31T23:59:59.000000Z"


class Sample(NamedTuple):
    """An answer, the first row that it holds, and what may be absent without being missed.

    `optional` are the fields of the answer that the venue may leave out.
    """

    venue: type[Any]
    dataset: str
    answer: Any
    row: dict[str, Any]
    subject: str | None = "BTC-USDT"
    start: datetime | None = None
    optional: tuple[str, ...] = ()


TICKER = {
    "symbol": "BTC-USDT",
    "time": AT,
    "last": 100.5,
    "bid": 100.25,
    "bid_size": 1.5,
    "ask": 100.75,
    "ask_size": 2.5,
    "open_24h": 99.5,
    "high_24h": 110.5,
    "low_24h": 90.5,
    "volume_24h": 1234.5,
    "quote_volume_24h": 123450.5,
}
TRADE = {
    "symbol": "BTC-USDT",
    "trade_id": "28457",
    "time": AT,
    "price": 100.5,
    "amount": 0.125,
    "side": "sell",
}
BIDS = [["100.25", "1.5"], ["100.00", "3"]]
ASKS = [["100.75", "2.5"], ["101.00", "4"]]
BOOK = {
    "symbol": "BTC-USDT",
    "time": AT,
    "sequence": 1027024,
    "bid_prices": [100.25, 100.0],
    "bid_sizes": [1.5, 3.0],
    "ask_prices": [100.75, 101.0],
    "ask_sizes": [2.5, 4.0],
}
INSTRUMENT = {
    "symbol": "BTC-USDT",
    "kind": "spot",
    "base": "BTC",
    "quote": "USDT",
    "status": "trading",
    "tick_size": 0.01,
    "lot_size": 1e-5,
    "valid_from": NOW,
}
UP = {"status": "up"}


def _okx(*data: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": list(data)}


def _kucoin(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


def _bybit(category: str, **result: Any) -> dict[str, Any]:
    return {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"category": category, **result},
        "retExtInfo": {},
        "time": MS,
    }


def _kraken(**result: Any) -> dict[str, Any]:
    return {"error": [], "result": result}


_BINANCE_INFO = {
    "timezone": "UTC",
    "serverTime": MS,
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "stepSize": "0.00001"},
                {"filterType": "NOTIONAL", "minNotional": "5.0"},
            ],
        }
    ],
}
_FUTURES_INFO = {
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "pair": "BTCUSDT",
            "contractType": "PERPETUAL",
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.001", "stepSize": "0.00001"},
                {"filterType": "MIN_NOTIONAL", "notional": "100"},
            ],
        },
        {
            "symbol": "BTCUSDT_260626",
            "contractType": "CURRENT_QUARTER",
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [],
        },
    ]
}
_BINANCE_TRADE = {
    "id": 28457,
    "price": "100.50000000",
    "qty": "0.12500000",
    "quoteQty": "12.5625",
    "time": MS,
    "isBuyerMaker": True,
    "isBestMatch": True,
}
_BINANCE = [
    Sample(
        Binance,
        "tickers",
        {
            "symbol": "BTCUSDT",
            "lastPrice": "100.50000000",
            "bidPrice": "100.25",
            "bidQty": "1.5",
            "askPrice": "100.75",
            "askQty": "2.5",
            "openPrice": "99.5",
            "highPrice": "110.5",
            "lowPrice": "90.5",
            "volume": "1234.5",
            "quoteVolume": "123450.5",
            "openTime": MS - 86_400_000,
            "closeTime": MS,
            "count": 76,
        },
        TICKER,
    ),
    Sample(Binance, "market_trades", [_BINANCE_TRADE], TRADE),
    Sample(
        Binance,
        "order_books",
        {"lastUpdateId": 1027024, "bids": BIDS, "asks": ASKS},
        BOOK | {"time": NOW},
    ),
    Sample(
        Binance,
        "instruments",
        _BINANCE_INFO,
        INSTRUMENT | {"native": "BTCUSDT", "min_amount": 1e-5, "min_notional": 5.0},
        None,
        optional=("tickSize", "stepSize", "minQty", "minNotional"),
    ),
    Sample(Binance, "venue_status", {"status": 0, "msg": "normal"}, UP | {"time": NOW}, None),
    Sample(
        Binance,
        "venue_status",
        {"status": 1, "msg": "system_maintenance"},
        {"status": "maintenance", "message": "system_maintenance"},
        None,
    ),
]
_BINANCE_PERP = [
    Sample(BinancePerp, "market_trades", [_BINANCE_TRADE], TRADE | {"venue": "binance_perp"}),
    Sample(
        BinancePerp,
        "order_books",
        {"lastUpdateId": 1027024, "E": MS, "T": MS, "bids": BIDS, "asks": ASKS},
        BOOK,
        optional=("T",),
    ),
    Sample(
        BinancePerp,
        "instruments",
        _FUTURES_INFO,
        INSTRUMENT
        | {"native": "BTCUSDT", "kind": "perpetual", "min_notional": 100.0, "contract_size": 1.0},
        None,
        optional=("tickSize", "stepSize", "minQty", "notional", "onboardDate", "contractType"),
    ),
    Sample(
        BinancePerp,
        "mark_prices",
        {
            "symbol": "BTCUSDT",
            "markPrice": "100.5",
            "indexPrice": "100.25",
            "lastFundingRate": "0.0001",
            "nextFundingTime": MS,
            "time": MS,
        },
        {"symbol": "BTC-USDT", "time": AT, "mark_price": 100.5, "index_price": 100.25},
    ),
    Sample(
        BinancePerp,
        "funding_rates",
        [
            {
                "symbol": "BTCUSDT",
                "fundingRate": "-0.00037500",
                "fundingTime": MS,
                "markPrice": "100.5",
            }
        ],
        {"symbol": "BTC-USDT", "funding_time": AT, "rate": -0.000375, "mark_price": 100.5},
        optional=("markPrice",),
    ),
    Sample(
        BinancePerp,
        "open_interest",
        {"openInterest": "10659.509", "symbol": "BTCUSDT", "time": MS},
        {"symbol": "BTC-USDT", "time": AT, "amount": 10659.509, "value": None},
    ),
    Sample(
        BinancePerp,
        "open_interest",
        [
            {
                "symbol": "BTCUSDT",
                "sumOpenInterest": "20403.5",
                "sumOpenInterestValue": "150570784.5",
                "timestamp": MS,
            }
        ],
        {"symbol": "BTC-USDT", "time": AT, "amount": 20403.5, "value": 150570784.5},
        start=NOW - timedelta(hours=1),
    ),
]
_COINBASE = [
    Sample(
        Coinbase,
        "tickers",
        {
            "trades": [
                {
                    "trade_id": "28457",
                    "product_id": "BTC-USDT",
                    "price": "100.5",
                    "size": "0.125",
                    "time": ISO,
                    "side": "SELL",
                    "bid": "",
                    "ask": "",
                }
            ],
            "best_bid": "100.25",
            "best_ask": "100.75",
        },
        {"time": NOW, "last": 100.5, "bid": 100.25, "ask": 100.75},
    ),
    Sample(
        Coinbase,
        "market_trades",
        {
            "trades": [
                {
                    "trade_id": "28457",
                    "product_id": "BTC-USDT",
                    "price": "100.5",
                    "size": "0.125",
                    "time": ISO,
                    "side": "BUY",
                }
            ],
            "best_bid": "100.25",
            "best_ask": "100.75",
        },
        TRADE,
    ),
    Sample(
        Coinbase,
        "order_books",
        {
            "pricebook": {
                "product_id": "BTC-USDT",
                "bids": [{"price": p, "size": s} for p, s in BIDS],
                "asks": [{"price": p, "size": s} for p, s in ASKS],
                "time": ISO,
            }
        },
        BOOK | {"sequence": None},
    ),
    Sample(
        Coinbase,
        "instruments",
        {
            "products": [
                {
                    "product_id": "BTC-USDT",
                    "product_type": "SPOT",
                    "status": "online",
                    "is_disabled": False,
                    "trading_disabled": False,
                    "cancel_only": False,
                    "view_only": False,
                    "price_increment": "0.01",
                    "base_increment": "0.00001",
                    "base_min_size": "0.0001",
                    "quote_min_size": "1",
                    "base_currency_id": "BTC",
                    "quote_currency_id": "USDT",
                }
            ],
            "num_products": 1,
        },
        INSTRUMENT | {"min_notional": 1.0},
        None,
    ),
    Sample(
        Coinbase,
        "venue_status",
        {"iso": ISO, "epochSeconds": str(S), "epochMillis": str(MS)},
        UP,
        None,
    ),
]
_KRAKEN = [
    Sample(
        Kraken,
        "tickers",
        _kraken(
            XBTUSDT={
                "a": ["100.75", "3", "2.5"],
                "b": ["100.25", "2", "1.5"],
                "c": ["100.5", "0.125"],
                "v": ["1000.5", "1234.5"],
                "p": ["100.1", "100.2"],
                "t": [10, 20],
                "l": ["95.5", "90.5"],
                "h": ["105.5", "110.5"],
                "o": "99.5",
            }
        ),
        TICKER | {"time": NOW, "open_24h": None, "quote_volume_24h": None},
    ),
    Sample(
        Kraken,
        "market_trades",
        _kraken(
            XBTUSDT=[["100.5", "0.125", float(S) + 0.25, "s", "l", "", 28457]], last=f"{S}250000000"
        ),
        TRADE | {"time": AT + timedelta(milliseconds=250)},
        optional=("last",),
    ),
    Sample(
        Kraken,
        "order_books",
        _kraken(XBTUSDT={"asks": [[*a, S] for a in ASKS], "bids": [[*b, S] for b in BIDS]}),
        BOOK | {"time": NOW, "sequence": None},
    ),
    Sample(
        Kraken,
        "instruments",
        _kraken(
            XBTUSDT={
                "altname": "XBTUSDT",
                "wsname": "XBT/USDT",
                "base": "XXBT",
                "quote": "USDT",
                "pair_decimals": 2,
                "lot_decimals": 5,
                "ordermin": "0.0001",
                "costmin": "0.5",
                "tick_size": "0.01",
                "status": "online",
            }
        ),
        INSTRUMENT | {"native": "XBTUSDT", "min_notional": 0.5},
        None,
        optional=("XBTUSDT", "wsname", "status", "ordermin", "costmin", "tick_size"),
    ),
    Sample(
        Kraken,
        "venue_status",
        _kraken(status="online", timestamp=ISO),
        UP | {"time": AT, "message": "online"},
        None,
    ),
    Sample(
        Kraken,
        "venue_status",
        _kraken(status="maintenance", timestamp=ISO),
        {"status": "maintenance"},
        None,
    ),
]
_KUCOIN = [
    Sample(
        KuCoin,
        "tickers",
        _kucoin(
            {
                "time": MS,
                "symbol": "BTC-USDT",
                "buy": "100.25",
                "sell": "100.75",
                "bestBidSize": "1.5",
                "bestAskSize": "2.5",
                "changeRate": "0.01",
                "high": "110.5",
                "low": "90.5",
                "vol": "1234.5",
                "volValue": "123450.5",
                "last": "100.5",
            }
        ),
        TICKER | {"open_24h": None},
        optional=("bestBidSize", "bestAskSize"),
    ),
    Sample(
        KuCoin,
        "market_trades",
        _kucoin(
            [
                {
                    "sequence": "28457",
                    "price": "100.5",
                    "size": "0.125",
                    "side": "sell",
                    "time": MS * 1_000_000,
                }
            ]
        ),
        TRADE,
    ),
    Sample(
        KuCoin,
        "order_books",
        _kucoin({"time": MS, "sequence": "1027024", "bids": BIDS, "asks": ASKS}),
        BOOK,
    ),
    Sample(
        KuCoin,
        "instruments",
        _kucoin(
            [
                {
                    "symbol": "BTC-USDT",
                    "name": "BTC-USDT",
                    "baseCurrency": "BTC",
                    "quoteCurrency": "USDT",
                    "baseMinSize": "0.0001",
                    "baseIncrement": "0.00001",
                    "priceIncrement": "0.01",
                    "minFunds": "0.1",
                    "enableTrading": True,
                }
            ]
        ),
        INSTRUMENT | {"min_amount": 0.0001, "min_notional": 0.1},
        None,
        optional=("minFunds",),
    ),
    Sample(
        KuCoin,
        "venue_status",
        _kucoin({"status": "cancelonly", "msg": "upgrading"}),
        {"status": "degraded", "message": "upgrading"},
        None,
        optional=("msg",),
    ),
]
_OKX_TICKER = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "last": "100.5",
    "lastSz": "1",
    "askPx": "100.75",
    "askSz": "2.5",
    "bidPx": "100.25",
    "bidSz": "1.5",
    "open24h": "99.5",
    "high24h": "110.5",
    "low24h": "90.5",
    "volCcy24h": "123450.5",
    "vol24h": "1234.5",
    "ts": str(MS),
}
_OKX_SPOT = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "uly": "",
    "baseCcy": "BTC",
    "quoteCcy": "USDT",
    "settleCcy": "",
    "ctVal": "",
    "ctMult": "",
    "ctType": "",
    "listTime": "1548133413000",
    "tickSz": "0.01",
    "lotSz": "0.00001",
    "minSz": "0.0001",
    "state": "live",
}
_OKX_SWAP = _OKX_SPOT | {
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "uly": "BTC-USDT",
    "baseCcy": "",
    "quoteCcy": "",
    "settleCcy": "USDT",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctType": "linear",
    "lotSz": "0.5",
    "minSz": "1",
}
_OKX = [
    Sample(Okx, "tickers", _okx(_OKX_TICKER), TICKER),
    Sample(
        Okx,
        "market_trades",
        _okx(
            {
                "instId": "BTC-USDT",
                "tradeId": "28457",
                "px": "100.5",
                "sz": "0.125",
                "side": "sell",
                "ts": str(MS),
            }
        ),
        TRADE,
    ),
    Sample(
        Okx,
        "order_books",
        _okx(
            {
                "asks": [[*a, "0", "1"] for a in ASKS],
                "bids": [[*b, "0", "2"] for b in BIDS],
                "ts": str(MS),
                "seqId": 1027024,
            }
        ),
        BOOK,
        optional=("seqId",),
    ),
    Sample(Okx, "instruments", _okx(_OKX_SPOT), INSTRUMENT | {"min_amount": 0.0001}, None),
    Sample(Okx, "venue_status", _okx(), UP, None),
    Sample(
        Okx,
        "venue_status",
        _okx({"title": "Spot upgrade", "state": "ongoing"}),
        {"status": "maintenance", "message": "Spot upgrade"},
        None,
    ),
]
_OKX_PERP = [
    Sample(
        OkxPerp,
        "instruments",
        _okx(_OKX_SWAP, _OKX_SWAP | {"instId": "BTC-USD-SWAP", "ctType": "inverse"}),
        {"symbol": "BTC-USDT", "native": "BTC-USDT-SWAP", "kind": "perpetual"}
        | {"lot_size": 0.005, "min_amount": 0.01, "contract_size": 0.01, "tick_size": 0.01},
        None,
    ),
    Sample(OkxPerp, "venue_status", _okx(), UP, None),
    Sample(
        OkxPerp,
        "mark_prices",
        _okx({"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "100.5", "ts": str(MS)}),
        {"symbol": "BTC-USDT", "time": AT, "mark_price": 100.5, "index_price": None},
    ),
    Sample(
        OkxPerp,
        "funding_rates",
        _okx(
            {
                "fundingRate": "0.0002",
                "realizedRate": "0.0001",
                "fundingTime": str(MS),
                "instId": "BTC-USDT-SWAP",
                "instType": "SWAP",
            }
        ),
        {"symbol": "BTC-USDT", "funding_time": AT, "rate": 0.0001},
    ),
    Sample(
        OkxPerp,
        "open_interest",
        _okx(
            {
                "instId": "BTC-USDT-SWAP",
                "instType": "SWAP",
                "oi": "50000",
                "oiCcy": "500.5",
                "oiUsd": "50000000",
                "ts": str(MS),
            }
        ),
        {"symbol": "BTC-USDT", "time": AT, "amount": 500.5, "value": None},
    ),
]
_HTX = [
    Sample(
        Htx,
        "tickers",
        {
            "ch": "market.btcusdt.detail.merged",
            "status": "ok",
            "ts": MS,
            "tick": {
                "id": 1,
                "open": 99.5,
                "close": 100.5,
                "low": 90.5,
                "high": 110.5,
                "amount": 1234.5,
                "vol": 123450.5,
                "count": 9,
                "bid": [100.25, 1.5],
                "ask": [100.75, 2.5],
            },
        },
        TICKER,
        optional=("bid", "ask", "status"),
    ),
    Sample(
        Htx,
        "market_trades",
        {
            "ch": "market.btcusdt.trade.detail",
            "status": "ok",
            "ts": MS,
            "data": [
                {
                    "id": 1,
                    "ts": MS,
                    "data": [
                        {
                            "id": 137005445109359286410323766,
                            "ts": MS,
                            "trade-id": 28457,
                            "amount": 0.125,
                            "price": 100.5,
                            "direction": "sell",
                        }
                    ],
                }
            ],
        },
        TRADE,
        optional=("status",),
    ),
    Sample(
        Htx,
        "order_books",
        {
            "ch": "market.btcusdt.depth.step0",
            "status": "ok",
            "ts": MS,
            "tick": {
                "ts": MS,
                "version": 1027024,
                "bids": [[100.25, 1.5], [100.0, 3.0]],
                "asks": [[100.75, 2.5], [101.0, 4.0]],
            },
        },
        BOOK,
        optional=("status",),
    ),
    Sample(
        Htx,
        "instruments",
        {
            "status": "ok",
            "data": [
                {
                    "base-currency": "btc",
                    "quote-currency": "usdt",
                    "price-precision": 2,
                    "amount-precision": 5,
                    "symbol": "btcusdt",
                    "state": "online",
                    "min-order-amt": 0.0001,
                    "min-order-value": 5,
                }
            ],
        },
        INSTRUMENT | {"native": "btcusdt", "min_notional": 5.0},
        None,
        optional=("min-order-value", "status"),
    ),
    Sample(
        Htx,
        "venue_status",
        {"code": 200, "message": "success", "data": {"marketStatus": 1}},
        UP,
        None,
        optional=("code",),
    ),
]
_BYBIT_TICKER = {
    "symbol": "BTCUSDT",
    "bid1Price": "100.25",
    "bid1Size": "1.5",
    "ask1Price": "100.75",
    "ask1Size": "2.5",
    "lastPrice": "100.5",
    "prevPrice24h": "99.5",
    "highPrice24h": "110.5",
    "lowPrice24h": "90.5",
    "turnover24h": "123450.5",
    "volume24h": "1234.5",
}
_BYBIT_TRADE = {
    "execId": "28457",
    "symbol": "BTCUSDT",
    "price": "100.5",
    "size": "0.125",
    "side": "Sell",
    "time": str(MS),
    "isBlockTrade": False,
}
_BYBIT_BOOK = {"s": "BTCUSDT", "b": BIDS, "a": ASKS, "ts": MS, "u": 1027024, "seq": 7, "cts": MS}
_BYBIT_SPOT = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "status": "Trading",
    "lotSizeFilter": {
        "basePrecision": "0.00001",
        "minOrderQty": "0.0001",
        "minOrderAmt": "1",
    },
    "priceFilter": {"tickSize": "0.01"},
}
_BYBIT_LINEAR = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "launchTime": "1585526400000",
    "priceFilter": {"tickSize": "0.01"},
    "lotSizeFilter": {"minOrderQty": "0.001", "qtyStep": "0.00001", "minNotionalValue": "5"},
}
_BYBIT = [
    Sample(Bybit, "tickers", _bybit("spot", list=[_BYBIT_TICKER]), TICKER),
    Sample(Bybit, "market_trades", _bybit("spot", list=[_BYBIT_TRADE]), TRADE),
    Sample(Bybit, "order_books", _bybit("spot", **_BYBIT_BOOK), BOOK),
    Sample(
        Bybit,
        "instruments",
        _bybit("spot", list=[_BYBIT_SPOT]),
        INSTRUMENT | {"native": "BTCUSDT", "min_notional": 1.0},
        None,
        optional=("basePrecision", "minOrderAmt"),
    ),
    Sample(Bybit, "venue_status", _bybit("", list=[]), UP, None),
]
_BYBIT_PERP = [
    Sample(BybitPerp, "tickers", _bybit("linear", list=[_BYBIT_TICKER]), TICKER),
    Sample(BybitPerp, "market_trades", _bybit("linear", list=[_BYBIT_TRADE]), TRADE),
    Sample(BybitPerp, "order_books", _bybit("linear", **_BYBIT_BOOK), BOOK),
    Sample(
        BybitPerp,
        "instruments",
        _bybit(
            "linear",
            list=[_BYBIT_LINEAR, _BYBIT_LINEAR | {"contractType": "LinearFutures"}],
            nextPageCursor="",
        ),
        INSTRUMENT | {"kind": "perpetual", "contract_size": 1.0, "min_notional": 5.0},
        None,
        optional=("qtyStep", "minNotionalValue", "launchTime", "nextPageCursor", "contractType"),
    ),
    Sample(BybitPerp, "venue_status", _bybit("", list=[]), UP, None),
    Sample(
        BybitPerp,
        "mark_prices",
        _bybit("linear", list=[_BYBIT_TICKER | {"markPrice": "100.5", "indexPrice": "100.25"}]),
        {"symbol": "BTC-USDT", "time": AT, "mark_price": 100.5, "index_price": 100.25},
        optional=("markPrice", "indexPrice"),
    ),
    Sample(
        BybitPerp,
        "funding_rates",
        _bybit(
            "linear",
            list=[{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(MS)}],
        ),
        {"symbol": "BTC-USDT", "funding_time": AT, "rate": 0.0001},
    ),
    Sample(
        BybitPerp,
        "open_interest",
        _bybit(
            "linear",
            symbol="BTCUSDT",
            list=[{"openInterest": "461134384.5", "timestamp": str(MS)}],
            nextPageCursor="",
        ),
        {"symbol": "BTC-USDT", "time": AT, "amount": 461134384.5, "value": None},
        optional=("nextPageCursor",),
    ),
]

SAMPLES: list[Sample] = [
    *(*_BINANCE, *_BINANCE_PERP, *_COINBASE, *_KRAKEN, *_KUCOIN),
    *(*_OKX, *_OKX_PERP, *_HTX, *_BYBIT, *_BYBIT_PERP),
]
