"""What the store holds right now, in one look."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from core.market import interval_step
from serving.calendar import Day, calendar
from storage import catalog, landing
from storage.lake import sql

if TYPE_CHECKING:
    from storage.store import Store


class Series(msgspec.Struct, frozen=True):
    """One series of candles; `behind` is how many closed bars the store lacks at its end."""

    venue: str
    symbol: str
    interval: str
    first: datetime
    last: datetime
    bars: int
    missing: int
    behind: int


class Night(msgspec.Struct, frozen=True):
    """One past night."""

    night: str
    as_of: datetime
    trials: int
    promoted: int
    best_score: float | None  # None for nights that did not compare with null worlds
    p_value: float | None
    worlds: int | None


class Status(msgspec.Struct, frozen=True):
    """What `nightjar status` shows."""

    series: list[Series]
    gaps: list[dict[str, object]]
    quarantine: dict[str, int]
    refused: int
    pending: int
    nights: list[Night]
    calendar: list[Day] = []


def status(
    store: Store, *, now: datetime, gaps: int = 20, nights: int = 5, days: int = 60
) -> Status:
    """Look at the whole store; `gaps`, `nights` and `days` bound how many of each are listed."""
    return Status(
        series=_series(store, now),
        gaps=catalog.causes(store).sort("bars", descending=True).head(gaps).to_dicts(),
        quarantine=_quarantine(store),
        refused=sql("select count(*) as n from verdicts where not passed", store=store).item(),
        pending=len(landing.pending(store)),
        nights=_nights(store, nights),
        calendar=calendar(store, now=now, days=days),
    )


def _series(store: Store, now: datetime) -> list[Series]:
    return [
        Series(
            row["venue"],
            row["symbol"],
            row["interval"],
            row["first"],
            row["last"],
            row["bars"],
            row["missing"],
            max(0, (now - row["last"]) // interval_step(row["interval"]) - 1),
        )
        for row in catalog.coverage(store).to_dicts()
    ]


def _quarantine(store: Store) -> dict[str, int]:
    rows = sql(
        "select reason, count(*) as n from (select unnest(reasons) as reason from quarantine) "
        "group by reason order by n desc, reason",
        store=store,
    )
    return dict(rows.iter_rows())


def _nights(store: Store, count: int) -> list[Night]:
    rows = sql(
        "select night, as_of, trials, promoted, best_score, p_value, worlds from nights "
        "order by as_of desc limit $count",
        {"count": count},
        store=store,
    )
    return [Night(**row) for row in rows.to_dicts()]
