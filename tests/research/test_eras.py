"""Histories of listings: what is stored of them, and which bars must not be joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import CANDLES, INSTRUMENTS
from research.eras import ERAS, changes, eras, with_eras

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LISTED = datetime(2020, 5, 1, tzinfo=UTC)


def terms(day: int = 0, symbol: str = "LUNA-USDT", **other: Any) -> dict[str, Any]:
    base, quote = symbol.split("-")
    return {
        "venue": "binance",
        "symbol": symbol,
        "native": base + quote,
        "kind": "spot",
        "base": base,
        "quote": quote,
        "status": "trading",
        "tick_size": 0.01,
        "lot_size": 0.001,
        "min_amount": 0.001,
        "min_notional": 5.0,
        "contract_size": None,
        "listed_at": LISTED,
        "valid_from": START + day * DAY,
        "valid_until": None,
        "source": "binance:rest",
        "ingested_at": START + day * DAY,
        **other,
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=INSTRUMENTS.schema, orient="row")


def day_of(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - START) // DAY


def watch(*listings: list[dict[str, Any]]) -> pl.DataFrame:
    """Return what is stored after a listing was seen each day, the first on day 0."""
    stored = frame()
    for day, listing in enumerate(listings):
        now = START + day * DAY
        seen = frame(*(row | {"valid_from": now, "ingested_at": now} for row in listing))
        new = changes(stored.filter(pl.col("valid_until").is_null()), seen, now)
        key = list(INSTRUMENTS.key)
        stored = pl.concat([stored.join(new, on=key, how="anti"), new]).sort(key)
    return stored


OTHERS = [terms(symbol=name) for name in ("BTC-USDT", "ETH-USDT", "SOL-USDT")]
LUNA, HALTED, OFF = terms(), terms(status="halted"), terms(status="delisted")


# --- what is stored


def test_the_first_listing_is_stored_as_it_is() -> None:
    assert watch([LUNA, *OTHERS]).height == 4


def test_a_listing_that_did_not_change_stores_nothing() -> None:
    stored = watch([LUNA, *OTHERS])
    now = START + DAY
    seen = stored.with_columns(valid_from=pl.lit(now), ingested_at=pl.lit(now))
    assert changes(stored, seen.cast(INSTRUMENTS.schema), now).is_empty()


def test_new_terms_end_the_old_ones_at_the_same_moment() -> None:
    stored = watch([LUNA, *OTHERS], [terms(tick_size=0.001), *OTHERS])
    luna = stored.filter(symbol="LUNA-USDT").sort("valid_from")
    assert luna["tick_size"].to_list() == [0.01, 0.001]
    assert [day_of(t) for t in luna["valid_until"]] == [1, None]
    assert [day_of(t) for t in luna["valid_from"]] == [0, 1]
    assert stored.height == 5


def test_what_is_not_listed_any_more_is_delisted_and_stays_known() -> None:
    stored = watch([LUNA, *OTHERS], OTHERS, OTHERS)
    luna = stored.filter(symbol="LUNA-USDT").sort("valid_from")
    assert luna["status"].to_list() == ["trading", "delisted"]
    assert [day_of(t) for t in luna["valid_until"]] == [1, None]


def test_a_listing_that_lost_most_of_itself_delists_nothing() -> None:
    stored = watch([LUNA, *OTHERS], OTHERS[:1], [LUNA, *OTHERS])
    assert stored.height == 4
    assert watch([LUNA, *OTHERS], []).height == 4


def test_a_part_of_a_listing_delists_nothing() -> None:
    stored = watch([LUNA, *OTHERS])
    seen = frame(*(row | {"valid_from": START + DAY} for row in OTHERS))
    assert changes(stored, seen, START + DAY, whole=False).is_empty()
    assert changes(stored, seen, START + DAY).height == 2


def test_a_listing_seen_twice_at_one_moment_is_stored_once() -> None:
    stored = watch([LUNA, *OTHERS])
    seen = frame(terms(tick_size=0.5), *OTHERS)
    assert changes(stored, seen, START).is_empty()


@given(
    st.lists(
        st.lists(st.sampled_from([0.01, 0.001, 0.1]), min_size=4, max_size=4),
        min_size=1,
        max_size=8,
    ),
)
def test_at_every_moment_exactly_one_row_holds(days: list[list[float]]) -> None:
    names = ["LUNA-USDT", "BTC-USDT", "ETH-USDT", "SOL-USDT"]
    listings = [
        [terms(symbol=name, tick_size=tick) for name, tick in zip(names, ticks, strict=True)]
        for ticks in days
    ]
    stored = watch(*listings)
    for day, ticks in enumerate(days):
        noon = START + day * DAY + DAY / 2
        holding = stored.filter(
            (pl.col("valid_from") <= noon)
            & (pl.col("valid_until").is_null() | (pl.col("valid_until") > noon))
        )
        assert dict(holding.select("symbol", "tick_size").iter_rows()) == dict(
            zip(names, ticks, strict=True)
        )


# --- which bars are of one series

FIRST = (None, "first seen")
HISTORIES: dict[str, tuple[list[list[dict[str, Any]]], list[tuple[int | None, str]]]] = {
    "nothing happens": ([[LUNA]] * 5, [FIRST]),
    "a finer step of price": ([[LUNA], [terms(tick_size=0.001)]], [FIRST]),
    "a much finer step of price": ([[LUNA], [terms(tick_size=0.00001)]], [FIRST]),
    "another least amount": ([[LUNA], [terms(min_amount=1.0, min_notional=10.0)]], [FIRST]),
    "a halt": ([[LUNA], [HALTED], [LUNA]], [FIRST]),
    "a halt, and a finer step": ([[LUNA], [HALTED], [terms(tick_size=0.001)]], [FIRST]),
    "another spelling": ([[LUNA], [terms(native="LUNA/USDT")]], [FIRST]),
    "delisted": ([[LUNA], []], [FIRST]),
    "delisted, by the venue's own word": ([[LUNA], [OFF]], [FIRST]),
    "delisted, and listed again": ([[LUNA], [], [LUNA]], [FIRST, (2, "listed again")]),
    "twice away": (
        [[LUNA], [], [LUNA], [], [LUNA]],
        [FIRST, (2, "listed again"), (4, "listed again")],
    ),
    "said to be delisted, and back": ([[LUNA], [OFF], [LUNA]], [FIRST, (2, "listed again")]),
    "away and back between two looks": (
        [[LUNA], [terms(listed_at=START)]],
        [FIRST, (1, "listed at another time")],
    ),
    "a date of listing that was not said before": (
        [[terms(listed_at=None)], [LUNA]],
        [FIRST],
    ),
    "a thousand old ones are one new": (
        [[LUNA], [terms(tick_size=10.0, lot_size=0.000001)]],
        [FIRST, (1, "redenominated")],
    ),
    "one old one is a thousand new": (
        [[LUNA], [terms(tick_size=0.00001, lot_size=1.0)]],
        [FIRST, (1, "redenominated")],
    ),
    "redenominated during a halt": (
        [[LUNA], [HALTED], [terms(tick_size=10.0)]],
        [FIRST, (2, "redenominated")],
    ),
    "a contract of another size": (
        [[terms(contract_size=1.0)], [terms(contract_size=1_000.0)]],
        [FIRST, (1, "another contract")],
    ),
    "renamed: the new name is another symbol": (
        [[LUNA], [terms(symbol="LUNC-USDT")]],
        [FIRST],
    ),
    "renamed, and the old name given to another coin": (
        [[LUNA], [terms(symbol="LUNC-USDT")], [terms(symbol="LUNC-USDT"), LUNA]],
        [FIRST, (2, "listed again")],
    ),
    "seen first after it was delisted": ([[OFF], [LUNA]], [(1, "listed again")]),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_has_its_eras(name: str) -> None:
    listings, expected = HISTORIES[name]
    stored = watch(*([*listing, *OTHERS] for listing in listings))
    found = eras(stored).filter(symbol="LUNA-USDT")
    assert [(day_of(start), why) for start, why in found.select("start", "reason").rows()] == [
        (start, why) for start, why in expected
    ]
    assert found["era"].to_list() == list(range(found.height))


@pytest.mark.parametrize("name", HISTORIES)
def test_no_bars_of_two_eras_are_joined_and_none_of_one_are_parted(name: str) -> None:
    """One bar an hour, each told by the world that it was of; 21 histories, 0 joined wrongly."""
    listings, _ = HISTORIES[name]
    stored = watch(*([*listing, *OTHERS] for listing in listings))
    found = eras(stored)
    hours = [START + n * DAY / 24 for n in range(-24, 24 * len(listings))]
    bars = _bars(hours)
    marked = with_eras(bars, found)
    assert marked.drop("era").equals(bars)
    own = found.filter(symbol="LUNA-USDT").to_dicts()
    for moment, era in marked.select("open_time", "era").iter_rows():
        expected = [
            each["era"]
            for each in own
            if (each["start"] is None or each["start"] <= moment)
            and (each["end"] is None or moment < each["end"])
        ]
        assert [era] == (expected or [None])


def test_of_all_histories_no_two_worlds_are_joined_and_none_is_parted() -> None:
    """A bar at noon of each day; its world is the last one that the history says began by then."""
    joined = parted = 0
    for listings, began in HISTORIES.values():
        stored = watch(*([*listing, *OTHERS] for listing in listings))
        noons = [START + (day + 0.5) * DAY for day in range(len(listings))]
        told = with_eras(_bars(noons), eras(stored))["era"].to_list()
        worlds = [
            sum(start is None or start <= day for start, _ in began) for day in range(len(noons))
        ]
        pairs = [
            (worlds[a] == worlds[b], told[a] == told[b])
            for a in range(len(noons))
            for b in range(a)
            if told[a] is not None and told[b] is not None
        ]
        joined += sum(alike and not same for same, alike in pairs)
        parted += sum(same and not alike for same, alike in pairs)
    print(f"{len(HISTORIES)} histories: {joined} pairs joined wrongly, {parted} parted wrongly")
    assert len(HISTORIES) >= 20
    assert (joined, parted) == (0, 0)


def _bars(opens: list[datetime]) -> pl.DataFrame:
    rows = [
        {
            "venue": "binance",
            "symbol": "LUNA-USDT",
            "interval": "1h",
            "open_time": moment,
            **dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0),
            "synthetic": False,
            "source": "test",
            "ingested_at": START,
        }
        for moment in opens
    ]
    return pl.DataFrame(rows, schema=CANDLES.schema)


def test_no_instruments_have_no_eras_and_leave_bars_without_one() -> None:
    none = eras(frame())
    assert none.schema == pl.Schema(ERAS)
    assert with_eras(_bars([START]), none)["era"].to_list() == [None]
