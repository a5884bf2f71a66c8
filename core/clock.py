"""Time: UTC, timezone-aware, microseconds. The wall clock is read here and nowhere else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from core.errors import InvalidInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"([1-9][0-9]{0,6})([smhdw])", re.ASCII)


def utc_now() -> datetime:
    """Read the wall clock; called at the edges (flows, command line), passed down everywhere."""
    return datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `15m`, `4h`, `1d` or `2w`; raise `InvalidInput` for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidInput(f"expected a duration such as 15m, 4h or 1d, was {text!r}")
    return int(found[1]) * _UNITS[found[2]]


def format_duration(duration: timedelta) -> str:
    """Write a whole positive duration in its largest unit: the inverse of `parse_duration`.

    Weeks are written as days, as traders do.
    """
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(duration, _UNITS[unit])
        if count > 0 and not rest:
            return f"{count}{unit}"
    raise InvalidInput(f"expected a positive duration of whole seconds, was {duration}")


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 date or time with a zone; a date alone is its midnight UTC.

    A time without a zone is refused rather than guessed.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(f"expected a UTC time such as 2026-06-01T00:00Z, was {text!r}") from None
    if moment.tzinfo is None:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip(), re.ASCII):
            return moment.replace(tzinfo=UTC)
        raise InvalidInput(f"expected a zone at the end (Z for UTC), was {text!r}")
    return moment.astimezone(UTC)


def format_utc(moment: datetime) -> str:
    """Write a time as people and file names want it: `2026-06-01T00:00:00Z`."""
    return require_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def require_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; raise `InvalidInput` where it has no zone."""
    if moment.tzinfo is None:
        raise InvalidInput(f"expected a time with a zone, was {moment.isoformat()}")
    return moment.astimezone(UTC)


def floor_to(moment: datetime, step: timedelta) -> datetime:
    """Return the last multiple of `step` since the epoch that is not after `moment`."""
    return moment - (require_utc(moment) - EPOCH) % step


def to_micros(moment: datetime) -> int:
    """Return microseconds since the epoch."""
    return (require_utc(moment) - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the UTC time of a count of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=micros)


def month_of(moment: datetime) -> datetime:
    """Return when the month of a moment began."""
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def month_span(month: str) -> tuple[datetime, datetime]:
    """Return when a month such as `2026-03` starts and ends."""
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return start, month_of(start + timedelta(days=31))
