"""What the readers of frames share: strict decoding, numbers, times, markets, and rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from core.clock import from_micros, to_micros
from core.errors import SourceMalformed
from core.market import INTERVALS, check_symbol, check_venue
from sources.numbers import excerpt, finite
from sources.streams.heard import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sources.streams.heard import Level, Row

T = TypeVar("T")
Nanos = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # until the year 2262
_COUNT = re.compile(r"[0-9]{1,19}")
_SECONDS = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")
_MICRO = 1_000_000
_LAST = 253_402_300_799 * _MICRO  # of the year 9999


class Wire:
    """A venue's side of a socket: its name, and the markets that were subscribed to.

    Args:
        name: What the rows call the venue.
        symbols: Ours, such as `BTC-USDT`; a frame of any other market is malformed.
        native: Returns the name that the frames have for one of them.
    """

    def __init__(self, name: str, symbols: Iterable[str], native: Callable[[str], str]) -> None:
        self.name = check_venue(name)
        self._symbols = {native(check_symbol(symbol)): symbol for symbol in symbols}

    def malformed(self, reason: str) -> SourceMalformed:
        """Return the error that a frame is not what is documented."""
        return SourceMalformed(self.name, reason)

    def decode(self, decoder: msgspec.json.Decoder[T], frame: bytes | str) -> T:
        """Return a frame as the decoder's type; a socket's frames are whole, so none is cut."""
        try:
            return decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self.malformed(str(error)) from None

    def symbol(self, native: str) -> str:
        """Return our name of a market that was subscribed to."""
        try:
            return self._symbols[native]
        except KeyError:
            raise self.malformed(
                f"expected a market that was asked for, was {excerpt(native)}"
            ) from None

    def number(self, text: str, place: str) -> float:
        """Return a finite number that was sent as text."""
        return finite(text, place, self.malformed)

    def numbers(self, texts: Mapping[str, str | None]) -> dict[str, float | None]:
        """Return the numbers of a row's columns; an empty text or none is null."""
        return {place: self.number(text, place) if text else None for place, text in texts.items()}

    def count(self, text: str, place: str) -> int:
        """Return a whole number that was sent as text."""
        if not _COUNT.fullmatch(text):
            raise self.malformed(f"{place}: expected a whole number, was {excerpt(text)}")
        return int(text)

    def moment(self, count: int, per_second: int) -> datetime:
        """Return the time of a count since the epoch, in units of `per_second` to the second."""
        micros = count * _MICRO // per_second
        if not 0 <= micros <= _LAST:
            raise self.malformed(f"expected a time before the year 10000, was {count}")
        return from_micros(micros)

    def seconds(self, text: str) -> datetime:
        """Return the time of seconds since the epoch, written as a decimal text."""
        if not _SECONDS.fullmatch(text):
            raise self.malformed(f"time: expected seconds since 1970, was {excerpt(text)}")
        return self.moment(int(Decimal(text).scaleb(6)), _MICRO)

    def utc(self, moment: datetime) -> datetime:
        """Return a time that names its zone in UTC."""
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise self.malformed(f"expected a time of this era, was {moment}") from None

    def trade(
        self, symbol: str, number: str, time: datetime, sums: tuple[str, str], side: str | None
    ) -> Row:
        """Return a row of `market_trades`; `sums` are price and amount, `side` the taker's."""
        price, amount = sums
        return {
            "venue": self.name,
            "symbol": symbol,
            "trade_id": number,
            "time": time,
            "price": self.number(price, "price"),
            "amount": self.number(amount, "amount"),
            "side": side,
        }

    def ticker(self, symbol: str, time: datetime, texts: Mapping[str, str | None]) -> Row:
        """Return a row of `tickers`; `texts` are its columns as they were sent."""
        return {"venue": self.name, "symbol": symbol, "time": time, **self.numbers(texts)}

    def bar(self, symbol: str, interval: str, opens: datetime, columns: Mapping[str, Any]) -> Row:
        """Return a row of `candles`."""
        return {
            "venue": self.name,
            "symbol": symbol,
            "interval": interval,
            "open_time": opens,
            **columns,
            "synthetic": False,
        }

    def levels(self, side: Iterable[Sequence[Any]]) -> list[Level]:
        """Return levels of a book from texts of price, size and more; sizes may be 0."""
        found = [
            (self.number(level[0], "price"), self.number(level[1], "size"))
            for level in map(self._wide, side)
        ]
        return self.sound(found)

    def _wide(self, level: Sequence[Any]) -> Sequence[Any]:
        if len(level) < 2:
            raise self.malformed(f"expected price and size of a level, was {len(level)} fields")
        return level

    def sound(self, levels: list[Level]) -> list[Level]:
        """Return levels; refuse one whose price is none or whose size is negative."""
        for price, size in levels:
            if price <= 0 or size < 0:
                raise self.malformed(f"expected a level of a book, was {size} at {price}")
        return levels

    def book(
        self,
        symbol: str,
        time: datetime,
        sides: tuple[list[Level], list[Level]],
        sequence: int | None = None,
    ) -> Row:
        """Return a row of `order_books`; `sides` are the bids and the asks."""
        row: Row = {"venue": self.name, "symbol": symbol, "time": time, "sequence": sequence}
        for side, levels in zip(("bid", "ask"), sides, strict=True):
            row[f"{side}_prices"] = [price for price, _ in levels]
            row[f"{side}_sizes"] = [size for _, size in levels]
        return row

    @staticmethod
    def change(
        symbol: str,
        time: datetime | None,
        sides: tuple[list[Level], list[Level]],
        **numbers: int | None,
    ) -> Change:
        """Return what changed in a book; `sides` are the bids and the asks."""
        return Change(symbol, time, tuple(sides[0]), tuple(sides[1]), **numbers)


def has_closed(opens: datetime, interval: str, at: datetime) -> bool:
    """Say whether a bar was over `at` the moment at which the venue spoke of it."""
    return to_micros(opens) + INTERVALS[interval] // timedelta(microseconds=1) <= to_micros(at)
