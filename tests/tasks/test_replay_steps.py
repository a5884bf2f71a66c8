from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.datasets import CANDLES, NIGHTS, TIME
from core.errors import InvalidInput, NothingStored, SettingsError
from core.settings import Settings
from core.version import code_version, lock_version
from storage import hot
from storage.store import Store, default_store
from tasks.nightly import Night, pin
from tasks.replay import Change, Past, again, changes, question_of, recall
from tests.tasks.test_nightly import question

if TYPE_CHECKING:
    from tasks.nightly import Question

AS_OF = datetime(2026, 3, 11, tzinfo=UTC)
MINUTES = 2 * 1_440


@pytest.fixture
def place() -> Store:
    """Return a store with two days of bars."""
    store = default_store()
    put_bars(store, 100.0)
    return store


def put_bars(store: Store, price: float) -> None:
    start = AS_OF - timedelta(minutes=MINUTES)
    frame = pl.DataFrame(
        {"open_time": [start + timedelta(minutes=minute) for minute in range(MINUTES)]}
    ).with_columns(
        pl.col("open_time").cast(TIME),
        venue=pl.lit("kraken"),
        symbol=pl.lit("A-B"),
        interval=pl.lit("1m"),
        **{name: pl.lit(price) for name in ("open", "high", "low", "close", "volume")},
        quote_volume=pl.lit(None, pl.Float64),
        trades=pl.lit(None, pl.Int64),
        taker_buy_volume=pl.lit(None, pl.Float64),
        synthetic=pl.lit(value=False),
        source=pl.lit("test"),
        ingested_at=pl.lit(AS_OF + timedelta(seconds=price), TIME),
    )
    hot.put(store, "candles", CANDLES.conform(frame), now=AS_OF + timedelta(seconds=price))


def asked() -> Question:
    return question(venue="kraken", symbols=("A-B",), days=2, as_of=AS_OF)


def pinned(store: Store) -> Night:
    """Return a night that was pinned, with its row in the store."""
    del store  # it must be there
    return pin.fn(asked(), AS_OF)


def remember(store: Store, night: str, manifest: dict[str, Any], as_of: datetime = AS_OF) -> None:
    row = dict.fromkeys(NIGHTS.columns) | {
        "night": night,
        "as_of": as_of,
        "started_at": as_of,
        "finished_at": as_of,
        "venue": "kraken",
        "manifest": json.dumps(manifest),
        "source": "nightjar",
        "ingested_at": as_of,
    }
    hot.put(store, "nights", pl.DataFrame([row], schema=NIGHTS.schema), now=as_of)


def past(manifest: dict[str, Any]) -> Past:
    return Past("a-night", manifest, {})


def test_a_night_is_asked_again_as_it_was_asked(
    place: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_WORKERS", "1")
    night = pinned(place)
    monkeypatch.setenv("NIGHTJAR_SEED", "7")  # today's settings are not that night's
    remember(place, night.night, night.manifest)
    once_more = again(recall(place, night.night))
    assert once_more.question == asked()
    assert (once_more.symbols, once_more.luck) == (night.symbols, night.luck)
    assert once_more.night == f"{night.night}-replay", "its stages have a room of their own"


def test_where_the_work_is_done_is_todays_to_say(place: Store) -> None:
    settings = Settings(workers=7, dask="tcp://somewhere:1")
    found = question_of(past(pinned(place).manifest), settings)
    assert (found.workers, found.dask) == (7, "tcp://somewhere:1")


def test_a_night_is_found_by_the_beginning_of_its_name(place: Store) -> None:
    for name in ("2026-03-10T0300-aaaa", "2026-03-11T0300-bbbb", "2026-03-11T0300-cccc"):
        remember(place, name, {})
    assert recall(place, "2026-03-10").night == "2026-03-10T0300-aaaa"
    assert recall(place, "2026-03-11T0300-cccc").night == "2026-03-11T0300-cccc"
    with pytest.raises(InvalidInput, match=r"one night, was '2026-03-11': .*bbbb, .*cccc"):
        recall(place, "2026-03-11")


def test_a_whole_name_is_over_others_that_begin_so(place: Store) -> None:
    for name in ("night", "nights"):
        remember(place, name, {})
    assert recall(place, "night").night == "night"


def test_an_unknown_night_is_told_the_last_ones(place: Store) -> None:
    with pytest.raises(NothingStored, match="none has run here yet"):
        recall(place, "x")
    for day in range(7):
        remember(place, f"n{day}", {}, AS_OF + timedelta(days=day))
    with pytest.raises(NothingStored, match="no night 'x' is stored; the last ones: n6, n5, n4, n"):
        recall(place, "x")


def test_nothing_changed_where_nothing_did(place: Store) -> None:
    assert changes(place, past(pinned(place).manifest), asked()) == []


def test_other_bars_are_a_change_of_data(place: Store) -> None:
    manifest = pinned(place).manifest
    put_bars(place, 101.0)
    (change,) = changes(place, past(manifest), asked())
    assert (change.what, change.then) == ("data", manifest["data"])
    assert change.now != change.then


def test_other_code_and_other_libraries_are_changes(place: Store) -> None:
    manifest = pinned(place).manifest | {"code": "0" * 16, "lock": "1" * 16}
    assert changes(place, past(manifest), asked()) == [
        Change("code", "0" * 16, code_version()),
        Change("lock", "1" * 16, lock_version()),
    ]


def test_what_a_manifest_does_not_know_is_a_change(place: Store) -> None:
    manifest = pinned(place).manifest
    del manifest["lock"]
    assert changes(place, past(manifest), asked()) == [Change("lock", "unknown", lock_version())]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vetting": {"holdout": 0.3}}, "holdout"),
        ({"costs": {"fee_bps": -1.0}}, "fee_bps"),
        ({"days": None}, "days"),
    ],
)
def test_a_night_of_another_nightjar_is_refused(
    place: Store, change: dict[str, Any], says: str
) -> None:
    manifest = pinned(place).manifest | change
    if change == {"days": None}:
        del manifest["days"]
    with pytest.raises(SettingsError, match=f"a-night cannot be asked again .*{says}"):
        question_of(past(manifest), Settings())
