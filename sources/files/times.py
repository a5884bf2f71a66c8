"""What moment each row names: the unit of numbers, the form and zone of text.

Numbers are counts since 1970 in UTC; s, ms, µs and ns are a thousand apart, so that any time
between 1973 and 5138 tells its unit. Text and clock times need a zone: their own, or `zone=`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from core.clock import EPOCH
from core.errors import InvalidInput
from sources.numbers import INTEGER, NUMBER, excerpt, floats, integers

if TYPE_CHECKING:
    from sources.numbers import Refuse

UNITS = {"seconds": 10**8, "milliseconds": 10**11, "microseconds": 10**14, "nanoseconds": 10**17}
_DAY_MS = 86_400_000
# [0-9] and not \d, which knows the digits of every script.
_TEXT = (
    r"^([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r" ?(Z|z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_DATED = re.compile(r"(\d{8})_", re.ASCII)
Told = tuple[pl.Series, list[str]]


def open_times(column: pl.Series, *, zone: str | None, inner: str, refuse: Refuse) -> Told:
    """Return microseconds since 1970 in UTC, and notes on how they were read.

    `inner` is the file's name: QuantConnect's Lean writes the day there, and milliseconds since
    midnight into the rows (https://www.quantconnect.com/docs/v2/lean-cli/datasets/format-and-storage).
    """
    if column.null_count():
        row = (column.is_null().arg_max() or 0) + 1
        raise refuse(f"row {row}: expected a time, was nothing")
    if isinstance(column.dtype, pl.Datetime):
        return _clock_times(column, zone, refuse)
    if column.dtype == pl.Date:
        naive = column.cast(pl.Datetime("us"))
        return _localised(naive, zone, "days without a zone", refuse)
    if column.dtype == pl.String:
        return _text(column, zone, inner, refuse)
    if column.dtype.is_integer():
        return _counts(_small(column, refuse), zone, inner, refuse)
    if column.dtype.is_float():
        return _counts(_whole(column, refuse), zone, inner, refuse)
    raise refuse(f"expected times, was a column of {column.dtype}")


def _text(column: pl.Series, zone: str | None, inner: str, refuse: Refuse) -> Told:
    column = column.str.strip_chars()
    if column.str.contains(INTEGER).all():
        return _counts(integers(column, refuse), zone, inner, refuse)
    if column.str.contains(NUMBER).all():
        return _counts(_whole(floats(column, refuse), refuse), zone, inner, refuse)
    parts = column.str.extract_groups(_TEXT).struct.unnest()
    year, month, day, hour, minute, second, fraction, offset = parts.columns
    clock = pl.concat_str(
        *(pl.col(year), pl.lit("-"), pl.col(month), pl.lit("-"), pl.col(day), pl.lit(" ")),
        *(pl.col(hour).fill_null("00"), pl.lit(":"), pl.col(minute).fill_null("00")),
        *(pl.lit(":"), pl.col(second).fill_null("00")),
    ).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    micros = pl.col(fraction).fill_null("").str.pad_end(6, "0").str.head(6).cast(pl.Int64)
    naive = parts.select(clock + pl.duration(microseconds=micros)).to_series()
    if naive.null_count():
        row = naive.is_null().arg_max() or 0
        raise refuse(
            f"row {row + 1}: expected a time such as 2026-06-01 00:00:00 or a count since 1970,"
            f" was {excerpt(column[row])}"
        )
    return _with_offsets(naive, parts[offset], zone, refuse)


def _with_offsets(naive: pl.Series, offsets: pl.Series, zone: str | None, refuse: Refuse) -> Told:
    """Take each row's own offset from its clock time; all rows have one, or none has."""
    without = offsets.is_null()
    if without.all():
        return _localised(naive, zone, "text without a zone", refuse)
    if without.any():
        row = (without.arg_max() or 0) + 1
        raise refuse(f"row {row}: expected a time with a zone, like the others, was one without")
    signed = offsets.str.replace("(?i)^(z|utc)$", "+0000").str.replace(":", "", literal=True)
    minutes = signed.str.slice(1, 2).cast(pl.Int64) * 60 + signed.str.slice(3, 2).cast(pl.Int64)
    east = (signed.str.head(1) == "+").cast(pl.Int64) * 2 - 1
    micros = naive.cast(pl.Int64) - minutes * east * 60_000_000
    return micros, ["times: text with its zone", *_unneeded(zone)]


def _clock_times(column: pl.Series, zone: str | None, refuse: Refuse) -> Told:
    kind = column.dtype
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        utc = column.dt.convert_time_zone("UTC").dt.cast_time_unit("us").cast(pl.Int64)
        return utc, [f"times: typed, in {kind.time_zone}", *_unneeded(zone)]
    return _localised(column, zone, "typed, without a zone", refuse)


def _small(column: pl.Series, refuse: Refuse) -> pl.Series:
    small = column.cast(pl.Int64, strict=False)
    if small.null_count():
        row = small.is_null().arg_max() or 0
        raise refuse(f"row {row + 1}: expected a count since 1970, was {column[row]}")
    return small


def _whole(column: pl.Series, refuse: Refuse) -> pl.Series:
    odd = ~(column.is_finite() & (column == column.floor()) & (column.abs() < 2.0**63))
    if odd.any():
        row = odd.arg_max() or 0
        raise refuse(f"row {row + 1}: expected a whole count since 1970, was {column[row]}")
    return column.cast(pl.Int64)


def _counts(column: pl.Series, zone: str | None, inner: str, refuse: Refuse) -> Told:
    dated = _DATED.match(inner)
    if dated and column.is_between(0, _DAY_MS - 1).all():
        midnight = pl.select(pl.lit(dated[1]).str.to_datetime("%Y%m%d", time_unit="us"))
        naive = midnight.to_series()[0] + column.cast(pl.Duration("ms"))
        return _localised(naive, zone, "milliseconds since midnight of the file's name", refuse)
    if column.is_between(19_700_101, 21_001_231).all():
        return _text(column.cast(pl.String) + " 00:00", zone, inner, refuse)
    return _since_1970(column, zone, refuse)


def _since_1970(column: pl.Series, zone: str | None, refuse: Refuse) -> Told:
    """Read each row's unit from its magnitude; only ms and µs may be mixed, as Binance did."""
    low = column < UNITS["seconds"]
    if low.any():
        row = low.arg_max() or 0
        raise refuse(f"row {row + 1}: expected seconds, ms, µs or ns since 1970, was {column[row]}")
    units = column.cut(
        [float(least) for least in list(UNITS.values())[1:]], labels=list(UNITS), left_closed=True
    ).cast(pl.String)
    counts = dict(units.value_counts(sort=True).iter_rows())
    if len(counts) > 1 and set(counts) != {"milliseconds", "microseconds"}:
        row = (units != units[0]).arg_max() or 0
        raise refuse(f"row {row + 1}: expected {units[0]} as in row 1, was {units[row]}")
    frame = pl.DataFrame({"t": column, "unit": units})
    micros = frame.select(
        pl.when(pl.col("unit") == "seconds").then(pl.col("t") * 1_000_000)
        .when(pl.col("unit") == "milliseconds").then(pl.col("t") * 1_000)
        .when(pl.col("unit") == "microseconds").then(pl.col("t"))
        .otherwise(pl.col("t") // 1_000)
    ).to_series()  # fmt: skip
    mixed = " and ".join(f"{rows} rows of {unit}" if len(counts) > 1 else unit
                         for unit, rows in counts.items())  # fmt: skip
    return micros, [f"times: {mixed} since 1970, UTC", *_unneeded(zone)]


def _localised(naive: pl.Series, zone: str | None, form: str, refuse: Refuse) -> Told:
    """Return the moments that clock times mean in `zone`.

    The hour that happens twice in autumn is told by the order of the rows: the second time a
    clock time appears it is the later one. Where that does not tell, it is an error.
    """
    if zone is None:
        raise refuse(f"expected times with a zone, was {form}; say theirs with zone= (zone='UTC')")
    _check_zone(zone)
    naive = naive.dt.cast_time_unit("us")
    twice = naive.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    never = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").is_null()
    if never.any():
        row = never.arg_max() or 0
        raise refuse(f"row {row + 1}: expected a time of {zone}, was {naive[row]}, which never was")
    if twice.null_count():
        return _twice(naive, twice.is_null(), zone, form, refuse)
    return twice.dt.convert_time_zone("UTC").cast(pl.Int64), [f"times: {form}, read as {zone}"]


def _twice(naive: pl.Series, twice: pl.Series, zone: str, form: str, refuse: Refuse) -> Told:
    repeated = naive.filter(twice)
    if not (repeated.to_frame("t").select(pl.len().over("t") == 2)).to_series().all():
        row = twice.arg_max() or 0
        raise refuse(
            f"row {row + 1}: {naive[row]} is twice in {zone} and not twice in the file;"
            " write times with their offset, or in UTC"
        )
    later = ~naive.is_first_distinct() & twice
    which = pl.select(pl.when(later).then(pl.lit("latest")).otherwise(pl.lit("earliest")))
    moments = naive.dt.replace_time_zone(zone, ambiguous=which.to_series())
    note = f"{len(repeated)} rows of an hour that is twice, told by their order"
    return moments.dt.convert_time_zone("UTC").cast(pl.Int64), [
        f"times: {form}, read as {zone}; {note}"
    ]


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder's name
        raise InvalidInput(f"expected a zone such as UTC or Europe/Berlin, was {zone!r}") from None


def _unneeded(zone: str | None) -> list[str]:
    return [] if zone in (None, "UTC") else [f"zone: {zone} was not needed and not used"]


def moment(micros: int) -> datetime:
    """Return the UTC time of a count of microseconds, the nearest there is for one too far."""
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return datetime.max.replace(tzinfo=EPOCH.tzinfo)
