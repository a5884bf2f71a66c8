"""The sandbox asked as three further venues: our own classes of them, under names of its own."""

from __future__ import annotations

from sources.venues.binance import SANDBOX_PACE
from sources.venues.coinbase import Coinbase
from sources.venues.kraken import Kraken
from sources.venues.okx import Okx

GIVES = ("tickers", "instruments", "venue_status")  # beside candles; it has no trades or books
URL = "http://127.0.0.1:8490"


class SandboxCoinbase(Coinbase):
    """The sandbox, spoken to as one speaks to Coinbase."""

    name = "sandbox_coinbase"
    per_second = SANDBOX_PACE

    def __init__(self, url: str = URL) -> None:
        super().__init__(url)
        self.feeds = {name: self.feeds[name] for name in GIVES}


class SandboxKraken(Kraken):
    """The sandbox, spoken to as one speaks to Kraken."""

    name = "sandbox_kraken"
    per_second = SANDBOX_PACE

    def __init__(self, url: str = URL) -> None:
        super().__init__(url)
        self.feeds = {name: self.feeds[name] for name in GIVES}


class SandboxOkx(Okx):
    """The sandbox, spoken to as one speaks to OKX."""

    name = "sandbox_okx"
    per_second = SANDBOX_PACE

    def __init__(self, url: str = URL) -> None:
        super().__init__(url)
        self.feeds = {name: self.feeds[name] for name in GIVES}
