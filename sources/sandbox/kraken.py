"""The sandbox in Kraken's words: public spot market data.

https://docs.kraken.com/api-reference/market-data/get-ohlc-data and its neighbours. The newest 720
bars whatever `since` says, the last of them still forming; every error comes with a 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.clock import format_utc
from sources.sandbox.dialects import Refused, last_day, latest, route, whole
from sources.sandbox.history import MINUTE_MS, Question

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from sources.sandbox.exchange import Exchange
    from sources.sandbox.symbols import Instrument

PREFIX = "/0/public"
MOST = 720
STEPS = {1, 5, 15, 30, 60, 240, 1_440, 10_080, 21_600}
_ROW = '[%d,"%.8f","%.8f","%.8f","%.8f","%.8f","%.8f",%d]'


def routes(exchange: Exchange) -> list[Route]:
    """Return what this dialect answers."""
    return [
        route(exchange, f"{PREFIX}/OHLC", _ohlc),
        route(exchange, f"{PREFIX}/Ticker", _ticker),
        route(exchange, f"{PREFIX}/AssetPairs", _pairs),
        route(exchange, f"{PREFIX}/SystemStatus", _status),
    ]


def _ohlc(exchange: Exchange, request: Request) -> str:
    query = request.query_params
    instrument = _instrument(exchange, request)
    step = whole(query, "interval", _invalid) or 1
    if step not in STEPS or step > 1_440:
        raise _invalid("interval")
    since = whole(query, "since", _invalid)
    question = Question(instrument, step, None, None, MOST)
    first = 0 if since is None else (since + 1) * 1_000
    found = latest(exchange, request, "kraken", question, first)
    open_, high, low, close, volume, quote, trades = found.values[:7].tolist()
    times = (found.open_time // 1_000).tolist()
    means = [q / v if v else 0.0 for q, v in zip(quote, volume, strict=True)]
    rows = zip(times, open_, high, low, close, means, volume, trades, strict=True)
    length = step * MINUTE_MS
    forming = exchange.clock.now_ms() // length * length
    last = (forming - length) // 1_000
    body = ",".join([_ROW % row for row in rows])
    return f'{{"error":[],"result":{{"{instrument.venue_symbol}":[{body}],"last":{last}}}}}'


def _ticker(exchange: Exchange, request: Request) -> dict[str, Any]:
    named = "pair" in request.query_params
    every = [_instrument(exchange, request)] if named else list(exchange.listed.values())
    quotes = {
        (one.venue_symbol if named else f"{one.base}/{one.quote}"): _quote(exchange, request, one)
        for one in every
    }
    return {"error": [], "result": quotes}


def _quote(exchange: Exchange, request: Request, instrument: Instrument) -> dict[str, Any]:
    day = last_day(exchange, request, "kraken", instrument).values
    price = float(day[3, -1])
    size = f"{day[4, -1]:.8f}"

    def text(value: float) -> str:
        return f"{value:.8f}"

    return {
        "a": [text(price + instrument.tick), "1", size],
        "b": [text(price - instrument.tick), "1", size],
        "c": [text(price), size],
        "v": [text(day[4].sum())] * 2,
        "p": [text(day[5].sum() / day[4].sum())] * 2,
        "t": [int(day[6].sum())] * 2,
        "l": [text(day[2].min())] * 2,
        "h": [text(day[1].max())] * 2,
        "o": text(day[0, 0]),
    }


def _pairs(exchange: Exchange, _request: Request) -> dict[str, Any]:
    pairs = {one.venue_symbol: _pair(one) for one in exchange.listed.values()}
    return {"error": [], "result": pairs}


def _pair(instrument: Instrument) -> dict[str, Any]:
    return {
        "altname": instrument.venue_symbol,
        "wsname": f"{instrument.base}/{instrument.quote}",
        "base": instrument.base,
        "quote": instrument.quote,
        "pair_decimals": 8,
        "lot_decimals": 8,
        "tick_size": f"{instrument.tick:.10f}",
        "ordermin": f"{instrument.lot:.10f}",
        "costmin": "0.5",
        "status": "online",
    }


def _status(exchange: Exchange, _request: Request) -> dict[str, Any]:
    now = format_utc(exchange.clock.now())
    return {"error": [], "result": {"status": "online", "timestamp": now}}


def _instrument(exchange: Exchange, request: Request) -> Instrument:
    pair = request.query_params.get("pair", "").replace("/", "")
    if pair not in exchange.listed:
        raise Refused(200, _error("EQuery:Unknown asset pair"))
    return exchange.listed[pair]


def _invalid(name: str) -> Refused:
    return Refused(200, _error(f"EGeneral:Invalid arguments:{name}"))


def _error(text: str) -> dict[str, Any]:
    return {"error": [text]}
