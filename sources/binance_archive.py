"""Binance's official dumps of spot bars: finding them in a folder, and downloading them.

`<url>/data/spot/monthly/klines/<SYMBOL>/<interval>/<SYMBOL>-<interval>-<YYYY-MM>.zip`, likewise
`daily` with `<YYYY-MM-DD>`, each with `<zip>.CHECKSUM`:
https://github.com/binance/binance-public-data. Days appear the day after, months in the first
days of the next.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from core.clock import require_utc
from core.errors import InvalidInput, SourceMalformed, SourceRejected
from core.market import INTERVALS, check_symbol, interval_step
from sources.base import ask
from sources.binance_dump import NAME, ArchiveFile, period_of, read_archive, verify
from sources.retry import PATIENT, Retry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sources.pacing import Pacer

__all__ = [
    "NAME",
    "PACE",
    "URL",
    "ArchiveFile",
    "download_archives",
    "find_archives",
    "read_archive",
    "split_symbol",
]

URL = "https://data.binance.vision"
PACE = 10.0  # requests a second; it is a file store without a published limit
_RECENT = 2  # months asked for by the day where no month of a symbol is published

# What the venue's symbols end with, for files whose symbol nobody named.
QUOTES = (
    "AEUR", "ARS", "AUD", "BIDR", "BKRW", "BNB", "BRL", "BTC", "BUSD", "BVND", "COP", "CZK",
    "DAI", "DOGE", "DOT", "ETH", "EUR", "EURI", "FDUSD", "GBP", "GYEN", "IDR", "IDRT", "JPY",
    "MXN", "NGN", "PAX", "PLN", "RON", "RUB", "SOL", "TRX", "TRY", "TUSD", "UAH", "USD1", "USDC",
    "USDE", "USDP", "USDS", "USDSB", "USDT", "UST", "VAI", "XRP", "XUSD", "ZAR",
)  # fmt: skip

_FILE = re.compile(
    r"(?P<symbol>[A-Z0-9]{2,40})-(?P<interval>[0-9]{1,2}[mhd])"
    r"-(?P<period>[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)\.(?P<kind>zip|csv)",
    re.ASCII,
)


def find_archives(
    folder: Path, symbols: Sequence[str] = (), interval: str = "1m"
) -> list[ArchiveFile]:
    """Return the dumps of `interval` at or below `folder`, by symbol and period.

    No `symbols` means all that are there. A CSV beside the zip of its name is left out.
    """
    interval_step(interval)
    wanted = {check_symbol(symbol).replace("-", ""): symbol for symbol in symbols}
    if not folder.exists():
        raise InvalidInput(f"expected a folder of dumps, was {str(folder)!r}, which is not there")
    found = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    zips = {path for path in found if path.suffix == ".zip"}
    files = [
        _archive(path, match, wanted)
        for path, match in _named(found)
        if match["interval"] == interval
        and (not wanted or match["symbol"] in wanted)
        and (match["kind"] == "zip" or path.with_suffix(".zip") not in zips)
    ]
    return sorted(files, key=lambda file: (file.symbol, file.period, file.path))


def _named(paths: Iterable[Path]) -> Iterator[tuple[Path, re.Match[str]]]:
    for path in paths:
        match = _FILE.fullmatch(path.name)
        if match and match["interval"] in INTERVALS and path.is_file():
            yield path, match


def _archive(path: Path, match: re.Match[str], wanted: dict[str, str]) -> ArchiveFile:
    spelled = match["symbol"]
    period_of(match["period"])
    symbol = wanted.get(spelled) or split_symbol(spelled)
    return ArchiveFile(str(path), symbol, match["interval"], match["period"])


def split_symbol(spelled: str) -> str:
    """Return `BTC-USDT` for `BTCUSDT`: the longest quote asset that we know decides."""
    for quote in sorted(QUOTES, key=len, reverse=True):
        base = spelled.removesuffix(quote)
        if base and base != spelled:
            return check_symbol(f"{base}-{quote}")
    raise InvalidInput(f"cannot tell base and quote of {spelled!r}; name the symbols you want")


def download_archives(  # noqa: PLR0917 - what, when and where to, in the order one says it
    url: str,
    symbols: Sequence[str],
    interval: str,
    start: datetime,
    end: datetime,
    into: Path,
    client: httpx.Client,
    *,
    pacer: Pacer,
    retry: Retry = PATIENT,
) -> list[Path]:
    """Fetch every published dump that holds bars of [start, end); return the zips, in order.

    A zip that is there already and still is what the venue publishes is not fetched again; what
    is written is whole. A period that is not published is left out: the gap is the caller's to
    see. Files hold whole periods, so their bars may lie outside of [start, end).

    Raises:
        SourceUnavailable, RateLimited, SourceRejected, SourceMalformed: as `sources.base.ask`;
            malformed includes a zip that differs from its checksum each time.
    """
    interval_step(interval)
    into.mkdir(parents=True, exist_ok=True)
    store = _Store(url.rstrip("/"), interval, into, client, pacer, retry)
    return [
        path
        for symbol in symbols
        for path in store.periods(check_symbol(symbol).replace("-", ""), start, end)
    ]


@dataclass(frozen=True)
class _Store:
    """The venue's file store, and our folder of what came from it."""

    url: str
    interval: str
    into: Path
    client: httpx.Client
    pacer: Pacer
    retry: Retry

    def periods(self, spelled: str, start: datetime, end: datetime) -> list[Path]:
        """Return the zips of one symbol, fetched where they were not here.

        Months before the first that is published lie before the symbol's listing; only later
        ones are worth asking for day by day.
        """
        months = {month: self.zip("monthly", spelled, month) for month in _months(start, end)}
        listed = next((i for i, path in enumerate(months.values()) if path), len(months) - _RECENT)
        found: list[Path | None] = []
        for i, (month, path) in enumerate(months.items()):
            if path is not None:
                found.append(path)
            elif i >= listed:
                found += [self.zip("daily", spelled, day) for day in _days(month, start, end)]
        return [path for path in found if path is not None]

    def zip(self, kind: str, spelled: str, period: str) -> Path | None:
        """Return one zip on our disk, None where it is not published."""
        name = f"{spelled}-{self.interval}-{period}.zip"
        address = f"{self.url}/data/spot/{kind}/klines/{spelled}/{self.interval}/{name}"
        path = self.into / name
        checksum = self.get(address + ".CHECKSUM")
        if checksum is not None:
            if path.exists() and _is_what(path.read_bytes(), checksum, name):
                return path
            _write(path.with_name(name + ".CHECKSUM"), checksum)
        data = self.get(address, checksum)
        if data is None:
            return None
        _write(path, data)
        return path

    def get(self, address: str, checksum: bytes | None = None) -> bytes | None:
        """Return the bytes at `address`, checked where there is a checksum; None for a 404."""

        def read(body: bytes) -> bytes:
            if checksum is not None:
                verify(body, checksum, address.rpartition("/")[2])
            return body

        try:
            return ask(
                NAME,
                lambda: httpx.Request("GET", address),
                self.client,
                read=read,
                explain=lambda body: body[:200].decode(errors="replace"),
                pacer=self.pacer,
                retry=self.retry,
                json=False,
            )
        except SourceRejected as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise


def _months(start: datetime, end: datetime) -> Iterator[str]:
    moment = require_utc(start)
    while moment < end:
        month = moment.strftime("%Y-%m")
        yield month
        moment = period_of(month)[1]


def _days(month: str, start: datetime, end: datetime) -> Iterator[str]:
    first, after = period_of(month)
    moment = max(first, require_utc(start).replace(hour=0, minute=0, second=0, microsecond=0))
    while moment < min(after, end):
        yield moment.date().isoformat()
        moment += timedelta(days=1)


def _is_what(data: bytes, checksum: bytes, name: str) -> bool:
    try:
        verify(data, checksum, name)
    except SourceMalformed:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    """Write the whole file or none of it, safe from a power cut."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
