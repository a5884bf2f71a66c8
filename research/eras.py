"""What a name stood for, and since when: terms of instruments over time, and the eras they make.

A venue's symbol is not one market for ever. It may be taken off and come back as another coin, its
token may be swapped, a unit of it may become a thousand. Bars from before and after are then two
series, and joining them makes a jump that nobody could trade. An era is the time in which bars of a
symbol are of one series. What is delisted stays known, so that a search over the past finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import INSTRUMENTS, TIME

if TYPE_CHECKING:
    from datetime import datetime

TERMS = (
    *("native", "kind", "base", "quote", "status"),
    *("tick_size", "lot_size", "min_amount", "min_notional", "contract_size", "listed_at"),
)
MARKET = ("venue", "symbol")
GONE = "delisted"
# Steps of price that change so much at once are another unit of account, not a finer grid.
REDENOMINATED = 100.0
ERAS: dict[str, Any] = {
    "venue": pl.String(),
    "symbol": pl.String(),
    "era": pl.Int64(),  # from 0
    "start": TIME,  # null: as far back as there are bars
    "end": TIME,  # not part of it; null: still
    "reason": pl.String(),  # why it began
}


def changes(
    known: pl.DataFrame, seen: pl.DataFrame, now: datetime, *, whole: bool = True
) -> pl.DataFrame:
    """Return the rows of `instruments` to store after a venue's listing was seen at `now`.

    That are new terms, the rows that they replace (now with an end), and what is no longer listed.
    Where more than half of what was known is not seen any more, the listing is taken for cut, and
    nothing for delisted.

    Args:
        known: The rows of the venue that hold (`valid_until` is null).
        seen: Its listing, with `valid_from` = `now`.
        now: When it was seen.
        whole: Whether all of it was seen; of a part, nothing is taken for delisted.
    """
    key = list(MARKET)
    holding = known.filter(pl.col("valid_until").is_null())
    same = holding.join(seen, on=[*key, *TERMS], how="semi", nulls_equal=True)
    fresh = seen.join(same, on=key, how="anti")
    listed = holding.filter(pl.col("status") != GONE)
    lost = listed.join(seen, on=key, how="anti")
    if not whole or lost.height * 2 > listed.height:
        lost = lost.clear()
    source = seen["source"][0] if seen.height else None
    stamp = (pl.lit(source, pl.String).alias("source"), pl.lit(now).cast(TIME).alias("ingested_at"))
    over = pl.lit(now).cast(TIME)
    delisted = lost.with_columns(*stamp, status=pl.lit(GONE), valid_from=over)
    after = pl.concat([fresh, delisted])
    replaced = holding.join(after, on=key, how="semi").filter(pl.col("valid_from") < now)
    # What was seen before, at this very moment, already stands.
    after = after.join(holding.filter(pl.col("valid_from") >= now), on=key, how="anti")
    closed = replaced.with_columns(*stamp, valid_until=over)
    return INSTRUMENTS.conform(pl.concat([closed, after]).sort(*key, "valid_from"))


def eras(instruments: pl.DataFrame) -> pl.DataFrame:
    """Return the eras of each market of `instruments`, by market and time.

    A new one begins where a market comes back after it was delisted, is listed at another time,
    has contracts of another size, or counts its price and amounts in other units.
    """
    found: list[dict[str, Any]] = []
    ordered = instruments.sort(*MARKET, "valid_from")
    for (venue, symbol), rows in ordered.group_by(MARKET, maintain_order=True):
        marks = {"venue": venue, "symbol": symbol}
        found += [marks | {"era": at, **era} for at, era in enumerate(_eras_of(rows.to_dicts()))]
    return pl.DataFrame(found, schema=ERAS)


def _eras_of(terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the eras of one market's terms, which are in order of time."""
    made: list[dict[str, Any]] = []
    before: dict[str, Any] | None = None
    for row in terms:
        begins = _reason(before, row)
        if row["status"] == GONE or begins:
            _end(made, row["valid_from"])
        if begins:
            start = None if before is None else row["valid_from"]
            made.append({"start": start, "end": None, "reason": begins})
        before = row
    return made


def _end(made: list[dict[str, Any]], moment: datetime) -> None:
    if made and made[-1]["end"] is None:
        made[-1]["end"] = moment


def _reason(before: dict[str, Any] | None, row: dict[str, Any]) -> str | None:
    """Say why an era begins with a row of terms, or None where the one before goes on."""
    if row["status"] == GONE:
        return None
    if before is None:
        return "first seen"
    if before["status"] == GONE:
        return "listed again"
    if _differ(before["listed_at"], row["listed_at"]):
        return "listed at another time"
    if _differ(before["contract_size"], row["contract_size"]):
        return "another contract"
    return "redenominated" if _is_redenominated(before, row) else None


def _differ(old: Any, new: Any) -> bool:
    return old is not None and new is not None and old != new


def _is_redenominated(before: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether the steps of price and amount moved far, both ways, or one of them during a halt.

    A thousandfold unit makes the price's step a thousand times larger and the amount's as much
    smaller, or the reverse.
    """
    price, amount = (_ratio(before[name], row[name]) for name in ("tick_size", "lot_size"))
    opposite = price * amount
    far = max(price, 1 / price) >= REDENOMINATED
    both = far and max(amount, 1 / amount) >= REDENOMINATED and 0.01 <= opposite <= REDENOMINATED
    return both or (far and before["status"] == "halted")


def _ratio(old: float | None, new: float | None) -> float:
    return new / old if old and new and old > 0 and new > 0 else 1.0


def with_eras(candles: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return bars with a column `era`: null where the symbol was not listed, or is not known.

    Bars of two eras of one symbol are of two series.
    """
    keyed = found.with_columns(
        pl.col("start").fill_null(pl.lit(0).cast(TIME)), since=pl.col("start")
    ).sort("start")
    rows = candles.with_row_index("_row").sort("open_time")
    joined = rows.join_asof(
        keyed.select(*MARKET, "start", "end", "era"),
        left_on="open_time",
        right_on="start",
        by=list(MARKET),
        check_sortedness=False,
    )
    within = pl.col("end").is_null() | (pl.col("open_time") < pl.col("end"))
    return (
        joined.with_columns(era=pl.when(within).then("era"))
        .sort("_row")
        .drop("_row", "start", "end")
    )
