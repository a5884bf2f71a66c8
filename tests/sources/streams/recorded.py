"""What was recorded from public sockets, and the readers that it is for."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, NamedTuple

from core.clock import from_micros
from core.errors import SourceMalformed
from sources.streams.binance import BinanceStream
from sources.streams.coinbase import CoinbaseStream
from sources.streams.coinbase_exchange import CoinbaseExchangeStream
from sources.streams.htx import HtxStream
from sources.streams.kraken import KrakenStream
from sources.streams.kucoin import KuCoinStream
from sources.streams.okx import OkxStream
from tests.sources.venues.frames import Line, lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sources.streams.heard import Heard, Stream

SYMBOLS = {
    "BINANCE": ("NKN-USDT", "BLZ-ETH", "LRC-BTC", "RUNE-EUR"),
    "COINBASE": ("BTC-USD", "ETH-USD"),
    "HUOBI": ("PROPY-ETH", "ZEN-ETH", "TRIO-ETH", "XVG-ETH", "YFI-HUSD", "OMG-BTC", "NEST-ETH",
              "BOR-USDT", "FIL3S-USDT", "DOGE-ETH"),
    "KRAKEN": ("KSM-BTC", "XMR-USD", "ETH-CHF", "OMG-USD", "GRT-ETH", "WAVES-EUR", "ADA-BTC",
               "BTC-CHF", "SC-EUR", "OCEAN-BTC"),
    "KUCOIN": ("ANKR-BTC", "NRG-BTC", "BSV-USDT", "CAPP-BTC", "FET-BTC", "SNX-BTC", "DAPPT-BTC",
               "COV-BTC", "EQZ-BTC", "LTX-USDT"),
    "OKX": ("BTC-USDT",),
}  # fmt: skip
PRO = ("SKL-USD", "SKL-BTC", "BAND-GBP", "NMR-EUR", "BAND-BTC", "YFI-BTC", "DASH-BTC", "NU-GBP",
       "CRV-EUR", "SKL-GBP")  # fmt: skip
_PRO_LINE = re.compile(r"([0-9.]+): (\{.*\})")


class Said(NamedTuple):
    """A recorded frame, and what its reader made of it."""

    line: Line
    heard: Heard


def stream_of(venue: str) -> Stream:
    """Return the reader of a slice's frames."""
    symbols = SYMBOLS[venue]
    readers: dict[str, Stream] = {
        "BINANCE": BinanceStream(symbols),
        "COINBASE": CoinbaseStream(symbols),
        "HUOBI": HtxStream(symbols),
        "KRAKEN": KrakenStream(symbols),
        "KUCOIN": KuCoinStream(symbols),
        "OKX": OkxStream(symbols),
    }
    return readers[venue]


def received(real_data: Path, venue: str) -> Iterator[Line]:
    """Yield the frames of a slice, unpacked."""
    path = real_data / "wire_dev_slices" / f"{venue}.first_half.jsonl.zst"
    return (line for line in lines(path) if line.kind == "recv")


def told(real_data: Path, venue: str) -> list[Said]:
    """Return every frame of a slice with what it says; OKX's of futures are refused."""
    stream, found = stream_of(venue), []
    for line in received(real_data, venue):
        try:
            found.append(Said(line, stream.read(line.text, line.at)))
        except SourceMalformed as error:
            if venue != "OKX" or ("BTC-USD-220527" not in str(error) + line.text and (
                "UNI-USD-SWAP" not in line.text
            )):  # fmt: skip
                raise
    return found


def pro(real_data: Path) -> list[Said]:
    """Return the frames of the feed that was Coinbase Pro's."""
    path = next((real_data / "wire/coinbase").glob("bmoscon*/*/sample_data/COINBASE.ws.28.0"))
    stream, found = CoinbaseExchangeStream(PRO), []
    for text in path.read_text(encoding="utf-8").splitlines():
        match = _PRO_LINE.fullmatch(text)
        if match:
            at = from_micros(round(float(match[1]) * 1_000_000))
            line = Line("recv", "", at, match[2])
            found.append(Said(line, stream.read(line.text, at)))
    return found


def binance_lines(real_data: Path, kind: str) -> list[tuple[datetime, str]]:
    """Return the frames of the long recordings of Binance, with when each came."""
    path = f"wire/binance/nkaz001+hftbacktest/5f3ec40b/examples/{kind}/btcusdt_20240808.gz"
    with gzip.open(real_data / path, "rt") as text:
        parts = (line.rstrip("\n").partition(" ") for line in text)
        return [(from_micros(int(at) // 1_000), frame) for at, _, frame in parts]
