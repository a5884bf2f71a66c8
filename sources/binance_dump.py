"""One of Binance's official dumps of spot bars: a monthly or daily zip, or the CSV inside it.

Format: https://github.com/binance/binance-public-data (README). Times are in
milliseconds, and in microseconds since 2025; a file may mix them, so each row's unit is read from
its magnitude and has to agree with the period in the file's name.
"""

from __future__ import annotations

import calendar
import hashlib
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from core.clock import from_micros, to_micros
from core.errors import InvalidInput, SourceMalformed
from core.market import interval_step
from sources.frames import bars, stamp
from sources.numbers import excerpt, float_columns, integers
from sources.unpack import read_whole, unzip

if TYPE_CHECKING:
    from sources.numbers import Refuse

NAME = "binance-archive"
VENUE = "binance"

# Column by column, the spellings seen in headers; most files have no header.
_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("open_time",), ("open",), ("high",), ("low",), ("close",), ("volume",), ("close_time",),
    ("quote_volume", "quote_asset_volume"), ("trades", "count", "number_of_trades"),
    ("taker_buy_volume", "taker_buy_base_asset_volume"),
    ("taker_buy_quote_volume", "taker_buy_quote_asset_volume"), ("ignore",),
)  # fmt: skip
_NAMES = [names[0] for names in _COLUMNS]
_NUMBERS = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
_WHOLE = ("open_time", "close_time", "trades")
_SCHEMA = {name: pl.Int64() if name in _WHOLE else pl.Float64() for name in _NAMES}
_PLAIN = b"0123456789.,\n"
_SURE = 9 * 10**18  # below this `integers` takes a number too
_MICROS_FROM = 10**14  # the year 5138 in ms, March 1973 in µs
_CHECKSUM = re.compile(rb"\s*([0-9a-fA-F]{64})\b")


class ArchiveFile(msgspec.Struct, frozen=True):
    """One dump on disk; `period` is a month (`2026-03`) or a day (`2026-03-01`)."""

    path: str
    symbol: str
    interval: str
    period: str

    @property
    def start(self) -> datetime:
        """The first moment of the period."""
        return period_of(self.period)[0]

    @property
    def end(self) -> datetime:
        """The first moment after the period."""
        return period_of(self.period)[1]


def period_of(text: str) -> tuple[datetime, datetime]:
    """Return the first moment of a month or day and the first moment after it."""
    form = "%Y-%m-%d" if len(text) > len("2026-03") else "%Y-%m"
    try:
        first = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        first = None
    if first is None or first.strftime(form) != text:
        raise InvalidInput(f"expected a month 2026-03 or a day 2026-03-01, was {text!r}")
    month = calendar.monthrange(first.year, first.month)[1]
    return first, first + timedelta(days=1 if form.endswith("d") else month)


def read_archive(file: ArchiveFile, *, now: datetime) -> pl.DataFrame:
    """Return the bars of one dump as rows of `CANDLES`, in the order of the file.

    Raises:
        SourceMalformed: the file is cut, differs from the checksum beside it, is of another
            form, or a row (named, counted from 1) opens outside the file's period.
        InvalidInput: the file cannot be read at all.
    """
    path = Path(file.path)

    def refuse(reason: str) -> SourceMalformed:
        return SourceMalformed(NAME, f"{path.name}: {reason}")

    data = read_whole(path)
    beside = path.with_name(path.name + ".CHECKSUM")
    if beside.exists():
        verify(data, read_whole(beside), path.name)
    if path.suffix == ".zip":
        name, data = unzip(data, refuse)
        if name != path.with_suffix(".csv").name:
            raise refuse(f"expected {path.stem}.csv inside, was {name!r}")
    columns = _columns(_numbers(data, refuse), file, refuse)
    return stamp(
        bars(columns, venue=VENUE, symbol=file.symbol, interval=file.interval),
        source=f"{NAME}:{path.name}",
        now=now,
    )


def verify(data: bytes, checksum: bytes, name: str) -> None:
    """Raise `SourceMalformed` where the SHA-256 of `data` is not what the venue published."""
    published = _CHECKSUM.match(checksum)
    if published is None:
        raise SourceMalformed(NAME, f"{name}.CHECKSUM: expected a SHA-256, was {checksum[:40]!r}")
    expected, was = published[1].decode().lower(), hashlib.sha256(data).hexdigest()
    if expected != was:
        raise SourceMalformed(NAME, f"{name}: expected SHA-256 {expected}, was {was}")


def _numbers(data: bytes, refuse: Refuse) -> pl.DataFrame:
    """Return the columns of the dump that hold numbers, as numbers."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if data[:1].isalpha():
        head, _, data = data.partition(b"\n")
        _check_header(head[:1_000].decode(errors="replace"), refuse)
    plain = _plain_numbers(data)
    if plain is not None:
        return plain
    text = _text(data, refuse)
    whole = [integers(text[name], refuse) for name in _WHOLE]
    return pl.DataFrame([*whole, *float_columns(text.select(_NUMBERS), refuse).values()])


def _plain_numbers(data: bytes) -> pl.DataFrame | None:
    """Read at once what is written with digits and points alone, as nearly all dumps are.

    None where anything is unusual: then each cell is looked at, and the error says which is wrong.
    """
    if data.translate(None, _PLAIN):
        return None
    try:
        table = pl.read_csv(data, has_header=False, schema=_SCHEMA, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    sure = table.select(
        pl.all().null_count() == 0, *(pl.max(n).lt(_SURE).alias(f"{n} fits") for n in _WHOLE)
    )
    return table if table.height and all(sure.row(0)) else None


def _text(data: bytes, refuse: Refuse) -> pl.DataFrame:
    """Return the twelve columns as text."""
    try:
        table = pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            new_columns=_NAMES,
            infer_schema=False,
            quote_char=None,
        )
    except pl.exceptions.PolarsError as error:
        raise refuse(f"expected lines of 12 columns, was not: {str(error)[:200]}") from None
    if table.width != len(_NAMES):
        raise refuse(f"expected 12 columns, was {table.width}")
    holes = table.select(pl.any_horizontal(pl.all().is_null()).alias("hole"))["hole"]
    if holes.any():
        raise refuse(f"row {(holes.arg_max() or 0) + 1}: expected 12 values, was cut")
    return table


def _check_header(line: str, refuse: Refuse) -> None:
    names = [name.strip().strip('"').lower().replace(" ", "_") for name in line.split(",")]
    known = len(names) == len(_COLUMNS) and all(
        name in spellings for name, spellings in zip(names, _COLUMNS, strict=True)
    )
    if not known:
        raise refuse(f"expected the columns {', '.join(_NAMES)}, was {excerpt(line)}")


def _columns(numbers: pl.DataFrame, file: ArchiveFile, refuse: Refuse) -> dict[str, pl.Series]:
    opens, closes = _micros(numbers["open_time"]), _micros(numbers["close_time"])
    _check_period(opens, file, refuse)
    _check_length(opens, closes, file, refuse)
    return {"open_time": opens, **numbers.select("trades", *_NUMBERS).to_dict()}


def _micros(times: pl.Series) -> pl.Series:
    """Return microseconds, row by row, of times in milliseconds or microseconds."""
    return times.to_frame("t").select(
        pl.when(pl.col("t").abs() < _MICROS_FROM).then(pl.col("t") * 1_000).otherwise(pl.col("t"))
    )["t"]


def _check_period(opens: pl.Series, file: ArchiveFile, refuse: Refuse) -> None:
    outside = (opens < to_micros(file.start)) | (opens >= to_micros(file.end))
    if outside.any():
        row = outside.arg_max() or 0
        was = from_micros(opens[row]).isoformat() if abs(opens[row]) < 2 * 10**17 else opens[row]
        raise refuse(f"row {row + 1}: expected a time in {file.period}, was {was}")


def _check_length(opens: pl.Series, closes: pl.Series, file: ArchiveFile, refuse: Refuse) -> None:
    """Refuse a file whose bars are mostly not of its interval; they end 1 ms or 1 µs early."""
    step = interval_step(file.interval) // timedelta(microseconds=1)
    lengths = closes - opens
    wrong = lengths.filter(~lengths.is_between(step - 1_000, step))
    if len(wrong) * 2 > len(opens):
        raise refuse(f"expected bars of {file.interval}, was {(wrong[0] + 1) / 1e6:g} s")
