"""The sandbox in OKX's words: public market data of version 5.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks and its neighbours.
`after` asks for what is older, `before` for what is newer, neither included; newest first; the
last column says whether a bar is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.sandbox.dialects import Refused, last_day, latest, route, whole
from sources.sandbox.history import MINUTE_MS, Question

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from sources.sandbox.exchange import Exchange
    from sources.sandbox.symbols import Instrument

PREFIX = "/api/v5"
MOST, USUAL = 300, 100
STEPS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1H": 60,
    "2H": 120,
    "4H": 240,
    "6Hutc": 360,
    "12Hutc": 720,
    "1Dutc": 1_440,
}
_ROW = '["%d","%.8f","%.8f","%.8f","%.8f","%.8f","%.8f","%.8f","%d"]'


def routes(exchange: Exchange) -> list[Route]:
    """Return what this dialect answers."""
    return [
        route(exchange, f"{PREFIX}/market/candles", _candles),
        route(exchange, f"{PREFIX}/market/history-candles", _candles),
        route(exchange, f"{PREFIX}/market/ticker", _ticker),
        route(exchange, f"{PREFIX}/market/tickers", _tickers),
        route(exchange, f"{PREFIX}/public/instruments", _instruments),
        route(exchange, f"{PREFIX}/system/status", lambda _exchange, _request: _said([])),
    ]


def _candles(exchange: Exchange, request: Request) -> str:
    query = request.query_params
    instrument = _instrument(exchange, request)
    bar = query.get("bar", "1m")
    if bar not in STEPS:
        raise _invalid("bar")
    step = STEPS[bar]
    after, before = (whole(query, name, _invalid) for name in ("after", "before"))
    limit = min(whole(query, "limit", _invalid) or USUAL, MOST)
    end = None if after is None else after - 1
    question = Question(instrument, step, None, end, limit)
    first = 0 if before is None else before + 1
    found = latest(exchange, request, "okx", question, first)
    open_, high, low, close, volume, quote = found.values[:6].tolist()
    times = found.open_time.tolist()
    closed = (found.open_time + step * MINUTE_MS <= exchange.clock.now_ms()).tolist()
    rows = zip(times, open_, high, low, close, volume, quote, quote, closed, strict=True)
    body = ",".join([_ROW % row for row in rows][::-1])
    return f'{{"code":"0","msg":"","data":[{body}]}}'


def _ticker(exchange: Exchange, request: Request) -> dict[str, Any]:
    return _said([_quote(exchange, request, _instrument(exchange, request))])


def _tickers(exchange: Exchange, request: Request) -> dict[str, Any]:
    if request.query_params.get("instType") != "SPOT":
        raise _invalid("instType")
    return _said([_quote(exchange, request, one) for one in exchange.listed.values()])


def _quote(exchange: Exchange, request: Request, instrument: Instrument) -> dict[str, str]:
    day = last_day(exchange, request, "okx", instrument).values
    price, size = float(day[3, -1]), f"{day[4, -1]:.8f}"
    numbers = {
        "last": price,
        "askPx": price + instrument.tick,
        "bidPx": price - instrument.tick,
        "open24h": day[0, 0],
        "high24h": day[1].max(),
        "low24h": day[2].min(),
        "vol24h": day[4].sum(),
        "volCcy24h": day[5].sum(),
    }
    return {
        "instType": "SPOT",
        "instId": instrument.symbol,
        "lastSz": size,
        "askSz": size,
        "bidSz": size,
        "ts": str(exchange.clock.now_ms()),
        **{name: f"{value:.8f}" for name, value in numbers.items()},
    }


def _instruments(exchange: Exchange, request: Request) -> dict[str, Any]:
    if request.query_params.get("instType") != "SPOT":
        raise _invalid("instType")
    return _said([_terms(one) for one in exchange.listed.values()])


def _terms(instrument: Instrument) -> dict[str, str]:
    return {
        "instType": "SPOT",
        "instId": instrument.symbol,
        "baseCcy": instrument.base,
        "quoteCcy": instrument.quote,
        "state": "live",
        "tickSz": f"{instrument.tick:.10f}",
        "lotSz": f"{instrument.lot:.10f}",
        "minSz": f"{instrument.lot:.10f}",
        "ctVal": "",
        "ctMult": "",
        "settleCcy": "",
        "uly": "",
        "ctType": "",
        "listTime": "1704067200000",
        "expTime": "",
    }


def _instrument(exchange: Exchange, request: Request) -> Instrument:
    named = request.query_params.get("instId", "")
    found = exchange.listed.get(named.replace("-", ""))
    if found is None or found.symbol != named:
        raise Refused(200, _error("51001", "Instrument ID does not exist"))
    return found


def _said(data: list[Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def _invalid(name: str) -> Refused:
    return Refused(400, _error("51000", f"Parameter {name} error"))


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "msg": message, "data": []}
