"""What a source says of our budget in the headers of its answers.

| headers | who says so |
|---|---|
| `X-MBX-USED-WEIGHT-1M` | Binance: developers.binance.com/docs/binance-spot-api-docs/rest-api |
| `gw-ratelimit-limit`, `-remaining`, `-reset` (ms) | KuCoin: www.kucoin.com/docs-new/rate-limit |
| `X-Bapi-Limit`, `-Status`, `-Reset-Timestamp` | Bybit: bybit-exchange.github.io/docs/v5 |
| `x-rate-limit-limit`, `-remaining`, `-reset` | X (docs.x.com), Glassnode, Moralis |
| `x-ratelimit-used`, `-remaining`, `-reset` | Reddit: support.reddithelp.com, Data API wiki |
| `ratelimit-limit`, `-remaining`, `-reset` | draft-ietf-httpapi-ratelimit-headers-07 |

A reset is a count of seconds, or a moment since 1970 in seconds or milliseconds; its magnitude
tells which. A moment is compared with the answer's own `Date`, since our clock may not be theirs.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60.0
_WEIGHT = "x-mbx-used-weight-1m"
_MILLISECONDS = frozenset({"gw-ratelimit-reset"})
# limit, remaining, reset; where no limit is said, what was used
_FAMILIES = (
    ("gw-ratelimit-limit", "gw-ratelimit-remaining", "gw-ratelimit-reset"),
    ("x-bapi-limit", "x-bapi-limit-status", "x-bapi-limit-reset-timestamp"),
    ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"),
    ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
)
_USED = "x-ratelimit-used"
_EPOCH_SECONDS, _EPOCH_MILLIS = 1e9, 1e12
_LONGEST = 86_400.0  # seconds; a window longer than a day is a misprint


class Budget(NamedTuple):
    """What is left of a window: `left` as a share, `remaining` as a count, seconds to its end."""

    left: float
    remaining: float
    resets_in: float


def read_budget(headers: Mapping[str, str], *, weight_limit: float | None = None) -> Budget | None:
    """Return what an answer says of our budget; None where it says nothing that can be read.

    Args:
        headers: of the answer; names in lower case, or a mapping that does not mind.
        weight_limit: Binance's weight a minute, which its headers do not say.
    """
    used = _number(headers.get(_WEIGHT))
    if used is not None and weight_limit:
        left = max(0.0, weight_limit - used)
        return Budget(left / weight_limit, left, _rest_of_minute(headers))
    for limit_name, remaining_name, reset_name in _FAMILIES:
        remaining = _number(headers.get(remaining_name))
        resets_in = _seconds(headers, reset_name)
        limit = _number(headers.get(limit_name))
        if limit is None and (spent := _number(headers.get(_USED))) is not None:
            limit = (remaining or 0.0) + spent
        if remaining is not None and limit and resets_in is not None:
            return Budget(min(1.0, remaining / limit), remaining, resets_in)
    return None


def _number(text: str | None) -> float | None:
    """Read the first item of a header, which may be a list; None where it is no number."""
    if text is None:
        return None
    first = text.split(",")[0].split(";")[0].strip()
    if not first.isascii() or not first.replace(".", "", 1).isdigit() or len(first) > 20:
        return None
    return float(first)


def _seconds(headers: Mapping[str, str], name: str) -> float | None:
    value = _number(headers.get(name))
    if value is None:
        return None
    if name in _MILLISECONDS:
        value /= 1_000
    elif value >= _EPOCH_SECONDS:
        sent = _date(headers)
        if sent is None:
            return None
        value = (value / 1_000 if value >= _EPOCH_MILLIS else value) - sent.timestamp()
    return min(max(0.0, value), _LONGEST)


def _rest_of_minute(headers: Mapping[str, str]) -> float:
    """Return the seconds to the end of the venue's minute; a whole one where it shows no clock."""
    sent = _date(headers)
    return MINUTE - sent.second if sent else MINUTE


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def gap_for(budget: Budget) -> float:
    """Return the seconds between requests that make what is left last until the window ends.

    Over half of a budget asks for no gap at all; of an empty one nothing is left, however long.
    """
    if budget.left > 0.5:
        return 0.0
    return budget.resets_in / budget.remaining if budget.remaining >= 1 else math.inf
