"""CCXT describes and reads, and never sends; what is its own is refused or translated."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from core.market import Span
from expectations.gate import gate
from sources.provider import Wanted, stamped
from sources.venues.ccxt_venue import Ccxt, exchanges
from tests.conftest import ROOT
from tests.sources.fakes import MINUTE, NOW, START
from tests.sources.venues.dialects import CcxtDialect

if TYPE_CHECKING:
    import httpx

URL = "http://venue"


def test_it_is_not_imported_before_it_is_used() -> None:
    code = "import sys, sources.venues.ccxt_venue, sources.registry; print('ccxt' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_a_person_without_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(InvalidInput, match=r"pip install nightjar\[ccxt\]"):
        Ccxt("bitstamp")
    assert exchanges() == []


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one of CCXT's venues such as bitstamp, was 'mtgox'"):
        Ccxt("mtgox")


def test_nearly_every_venue_can_be_made_and_none_sends_anything() -> None:
    made = []
    for name in exchanges():
        try:
            venue = Ccxt(name, URL)
        except InvalidInput as refused:
            assert "of which CCXT reads bars" in str(refused)  # noqa: PT017 - not all can
            continue
        made.append(venue)
        assert 1 <= venue.page_bars <= 1_000
        assert venue.per_second > 0
        assert "://venue" in json.dumps(venue._api.urls["api"])
    assert len(made) > 80


def test_the_markets_are_asked_for_once() -> None:
    asked: list[str] = []
    dialect = CcxtDialect()
    venue = Ccxt("bitstamp", URL)

    def ask(request: httpx.Request) -> bytes:
        asked.append(request.url.path)
        return dialect(request).content

    venue.prepare(ask)
    venue.prepare(ask)
    assert asked == ["/api/v2/markets/"]


def test_a_venue_that_never_has_enough_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = Ccxt("bitstamp", URL)
    count = iter(range(1_000))
    monkeypatch.setattr(
        venue._api, "load_markets", lambda: venue._api.fetch(f"{URL}/{next(count)}")
    )
    with pytest.raises(SourceMalformed, match="no markets after 20 requests"):
        venue.prepare(lambda _request: b"[]")


def test_spot_markets_are_read_and_pass_the_gate() -> None:
    venue, wanted = Ccxt("bitstamp", URL), Wanted(now=NOW)
    feed = venue.feeds["instruments"]
    request = feed.request(wanted)
    assert str(request.url) == f"{URL}/api/v2/markets/"
    perp = CcxtDialect.listing[0] | {"name": "BTC/USD-PERP", "market_type": "PERPETUAL"}
    body = json.dumps([*CcxtDialect.listing, perp]).encode()
    rows = stamped("instruments", feed.read(body, wanted, request).rows, source="t", now=NOW)
    assert rows.select("symbol", "native", "kind", "status", "tick_size", "lot_size").rows() == [
        ("BTC-USDT", "btcusdt", "spot", "trading", 0.01, 1e-8)
    ]
    assert gate("instruments", rows, now=NOW).quarantined.is_empty()


def test_an_error_in_a_200_is_one() -> None:
    venue = CcxtDialect().make()
    span = Span("bitstamp", "BTC-USDT", "1m", START, START + MINUTE)
    body = json.dumps({"status": "error", "reason": "Wrong API key format", "code": "API0012"})
    with pytest.raises(SourceRejected, match="Wrong API key format"):
        venue.parse(body.encode(), span)


def test_its_errors_are_ours_by_their_class() -> None:
    ccxt = pytest.importorskip("ccxt")
    venue = Ccxt("bitstamp", URL)
    for theirs, ours in (
        (ccxt.RateLimitExceeded, RateLimited),
        (ccxt.DDoSProtection, RateLimited),
        (ccxt.OnMaintenance, SourceUnavailable),
        (ccxt.RequestTimeout, SourceUnavailable),
        (ccxt.BadResponse, SourceMalformed),
        (ccxt.BadSymbol, SourceRejected),
        (ccxt.AuthenticationError, SourceRejected),
    ):
        assert type(venue._translated(theirs("said"))) is ours


@pytest.mark.parametrize(
    ("surprise", "named"), [(TypeError("x"), "TypeError"), (KeyError("y"), "KeyError")]
)
def test_what_surprises_it_is_malformed(
    monkeypatch: pytest.MonkeyPatch, surprise: Exception, named: str
) -> None:
    venue = CcxtDialect().make()

    def stumble(*_args: Any) -> Any:
        raise surprise

    monkeypatch.setattr(venue._api, "parse_ohlcvs", stumble)
    span = Span("bitstamp", "BTC-USDT", "1m", START, START + MINUTE)
    with pytest.raises(SourceMalformed, match=named):
        venue.parse(b'{"data": {"ohlc": []}}', span)
