"""The sandbox in Coinbase's words: Advanced Trade's public market endpoints.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-product-candles
and its neighbours. Start and end are seconds and both belong to the answer; newest first; over
350 bars in a request are refused.
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

PREFIX = "/api/v3/brokerage"
MOST = 350
STEPS = {
    "ONE_MINUTE": 1,
    "FIVE_MINUTE": 5,
    "FIFTEEN_MINUTE": 15,
    "THIRTY_MINUTE": 30,
    "ONE_HOUR": 60,
    "TWO_HOUR": 120,
    "FOUR_HOUR": 240,
    "SIX_HOUR": 360,
    "ONE_DAY": 1_440,
}
_ROW = '{"start":"%d","low":"%.8f","high":"%.8f","open":"%.8f","close":"%.8f","volume":"%.8f"}'


def routes(exchange: Exchange) -> list[Route]:
    """Return what this dialect answers."""
    return [
        route(exchange, f"{PREFIX}/market/products/{{product}}/candles", _candles),
        route(exchange, f"{PREFIX}/market/products/{{product}}/ticker", _ticker),
        route(exchange, f"{PREFIX}/market/products", _products),
        route(exchange, f"{PREFIX}/time", _time),
    ]


def _candles(exchange: Exchange, request: Request) -> str:
    query = request.query_params
    instrument = _instrument(exchange, request)
    granularity = query.get("granularity", "")
    if granularity not in STEPS:
        raise _invalid("granularity")
    step = STEPS[granularity]
    start, end = (whole(query, name, _invalid) for name in ("start", "end"))
    if start is None or end is None:
        raise _invalid("start" if start is None else "end")
    limit = whole(query, "limit", _invalid) or MOST
    if (end - start) // (step * 60) + 1 > MOST or limit > MOST:
        raise Refused(
            400,
            _error("INVALID_ARGUMENT", "number of candles requested should be less than 350"),
        )
    question = Question(instrument, step, None, end * 1_000, limit)
    found = latest(exchange, request, "coinbase", question, start * 1_000)
    open_, high, low, close, volume = found.values[:5].tolist()
    seconds = (found.open_time // 1_000).tolist()
    rows = zip(seconds, low, high, open_, close, volume, strict=True)
    return f'{{"candles":[{",".join([_ROW % row for row in rows][::-1])}]}}'


def _ticker(exchange: Exchange, request: Request) -> dict[str, Any]:
    instrument = _instrument(exchange, request)
    minutes = last_day(exchange, request, "coinbase", instrument)
    price = float(minutes.values[3, -1])
    trade = {
        "trade_id": str(int(minutes.open_time[-1]) // MINUTE_MS),
        "product_id": instrument.symbol,
        "price": f"{price:.8f}",
        "size": f"{minutes.values[4, -1]:.8f}",
        "time": format_utc(exchange.clock.now()),
        "side": "BUY",
    }
    bid, ask = price - instrument.tick, price + instrument.tick
    return {"trades": [trade], "best_bid": f"{bid:.8f}", "best_ask": f"{ask:.8f}"}


def _products(exchange: Exchange, _request: Request) -> dict[str, Any]:
    products = [_product(one) for one in exchange.listed.values()]
    return {"products": products, "num_products": len(products)}


def _product(instrument: Instrument) -> dict[str, Any]:
    return {
        "product_id": instrument.symbol,
        "product_type": "SPOT",
        "status": "online",
        "is_disabled": False,
        "trading_disabled": False,
        "cancel_only": False,
        "view_only": False,
        "price_increment": f"{instrument.tick:.10f}",
        "base_increment": f"{instrument.lot:.10f}",
        "base_min_size": f"{instrument.lot:.10f}",
        "quote_min_size": "1",
        "base_currency_id": instrument.base,
        "quote_currency_id": instrument.quote,
    }


def _time(exchange: Exchange, _request: Request) -> dict[str, str]:
    now_ms = exchange.clock.now_ms()
    return {
        "iso": format_utc(exchange.clock.now()),
        "epochSeconds": str(now_ms // 1_000),
        "epochMillis": str(now_ms),
    }


def _instrument(exchange: Exchange, request: Request) -> Instrument:
    product = request.path_params["product"]
    found = exchange.listed.get(product.replace("-", ""))
    if found is None or found.symbol != product:
        raise Refused(404, _error("NOT_FOUND", f"valid product_id is required, was {product}"))
    return found


def _invalid(name: str) -> Refused:
    return Refused(400, _error("INVALID_ARGUMENT", f"invalid argument: {name}"))


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": code, "error_details": message, "message": message}
