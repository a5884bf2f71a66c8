"""Which candles a question is about: said once, for SQL and for the files of the lake."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - dataclass fields are read at run time
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass fields are read at run time
from typing import TYPE_CHECKING

from core.clock import require_utc, to_micros
from core.errors import InvalidInput
from core.market import check_symbol, check_venue, interval_step
from storage.schema import literal

if TYPE_CHECKING:
    from core.market import Span
    from storage.cold import ColdFile


@dataclass(frozen=True)
class Selection:
    """Bars that open in [start, end) of some series; what is None or empty is not restricted."""

    venue: str | None = None
    symbols: Sequence[str] = ()
    interval: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if isinstance(self.symbols, str):
            raise InvalidInput(f"expected a list of symbols, was the text {self.symbols!r}")
        for symbol in self.symbols:
            check_symbol(symbol)
        if self.venue is not None:
            check_venue(self.venue)
        if self.interval is not None:
            interval_step(self.interval)

    @classmethod
    def of(cls, span: Span) -> Selection:
        """Return the selection of a span's bars."""
        return cls(span.venue, (span.symbol,), span.interval, span.start, span.end)

    @property
    def condition(self) -> str:
        """The selection as an SQL condition on columns of candles."""
        parts = []
        if self.venue is not None:
            parts.append(f"venue = {literal(self.venue)}")
        if self.symbols:
            parts.append(f"symbol in ({', '.join(map(literal, self.symbols))})")
        if self.interval is not None:
            parts.append(f"interval = {literal(self.interval)}")
        if self.start is not None:
            parts.append(f"open_time >= make_timestamptz({to_micros(self.start)})")
        if self.end is not None:
            parts.append(f"open_time < make_timestamptz({to_micros(self.end)})")
        return " and ".join(parts) or "true"

    def files(self, files: Sequence[ColdFile]) -> list[ColdFile]:
        """Return those files of the lake that may hold such bars."""
        return [file for file in files if self._may_hold(*file.partition)]

    def _may_hold(self, venue: str, symbol: str, interval: str, month: str) -> bool:
        return (
            self.venue in {None, venue}
            and (not self.symbols or symbol in self.symbols)
            and self.interval in {None, interval}
            and (self.start is None or month >= f"{require_utc(self.start):%Y-%m}")
            and (self.end is None or month <= f"{require_utc(self.end):%Y-%m}")
        )
