from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.datasets import dataset_named
from core.errors import InvalidInput, NothingStored
from storage import hot
from storage.invariants import check_invariants
from storage.lake import sql
from storage.quarantine import held, write
from storage.release import find, holdings, release
from tests.storage.samples import MINUTE, NOW, candles, rows_of

if TYPE_CHECKING:
    from storage.store import Store

LATER = NOW + timedelta(hours=1)


def hold(
    store: Store, minutes: list[int], *reasons: str, batch: str = "b", **changes: Any
) -> list[str]:
    rows = candles(minutes, **changes).with_columns(reasons=pl.lit([*reasons]))
    write(store, "candles", rows, batch, NOW)
    return holdings(store, "candles").sort("open_time")["id"].to_list()


def state(store: Store) -> list[str]:
    return holdings(store, "candles").sort("open_time")["state"].to_list()


def test_a_person_lets_a_row_go(store: Store) -> None:
    one, two = hold(store, [1, 2], "price_jump", close=200)
    [merge] = release(store, [one], now=LATER)
    assert merge.inserted == 1
    assert sql("select trades, close from candles", store=store).rows() == [(1, 200.0)]
    assert state(store) == ["released", "waiting"]
    assert held(store, "binance", "BTC-USDT", "1m")["trades"].to_list() == [2]
    assert [row["id"] for _, row in find(store, [two[:6]])] == [two]
    assert check_invariants(store) == []


def test_the_decision_is_a_verdict(store: Store) -> None:
    ids = hold(store, [1, 2], "price_jump", close=200)
    release(store, ids, now=LATER)
    [row] = sql("from verdicts", store=store).to_dicts()
    assert (row["source"], row["passed"], row["rows"]) == ("person", True, 2)
    assert row["reasons"] == '{"price_jump": 2}'
    assert all(name in row["batch"] for name in ids)


def test_a_row_that_no_bar_can_be_stays(store: Store) -> None:
    good, bad = hold(store, [1, 2], "price_jump")[0], ""
    bad = hold(store, [5], "off_grid", "price_jump", batch="c")[-1]
    with pytest.raises(InvalidInput, match="held for off_grid: no bar is like that"):
        release(store, [good, bad], now=LATER)
    assert state(store) == ["waiting"] * 3
    assert sql("from candles", store=store).is_empty()


def test_a_row_that_waits_no_more_is_not_released_again(store: Store) -> None:
    [name] = hold(store, [1], "price_jump", close=200)
    release(store, [name], now=LATER)
    with pytest.raises(InvalidInput, match="which is released"):
        release(store, [name], now=LATER)


def test_a_row_whose_source_sent_another_is_replaced(store: Store) -> None:
    [name] = hold(store, [1], "price_jump", close=200)
    hot.put(store, "candles", candles([1], ingested_at=NOW + MINUTE), now=LATER)
    assert state(store) == ["replaced"]
    with pytest.raises(InvalidInput, match="which is replaced"):
        release(store, [name], now=LATER)


def test_an_id_that_nothing_has_is_named(store: Store) -> None:
    hold(store, [1, 2], "price_jump")
    for wrong in ("zzz", ""):
        with pytest.raises(NothingStored, match="no quarantined row"):
            release(store, [wrong], now=LATER)


def test_the_beginning_of_several_ids_is_refused_with_their_names(store: Store) -> None:
    ids = hold(store, [*range(40)], "price_jump")
    first = next(c for c in "0123456789abcdef" if sum(i.startswith(c) for i in ids) > 1)
    with pytest.raises(InvalidInput, match="expected an id of one row"):
        find(store, [first])


def test_a_released_row_is_older_than_a_correction_and_loses_to_it(store: Store) -> None:
    [name] = hold(store, [1], "price_jump", close=200)
    release(store, [name], now=LATER)
    hot.put(store, "candles", candles([1], ingested_at=NOW + MINUTE), now=LATER)
    assert sql("select close from candles", store=store).item() == 100.0
    assert state(store) == ["replaced"]


def test_rows_of_other_datasets_are_listed_too(store: Store) -> None:
    rows = rows_of(dataset_named("trials"), 2).with_columns(reasons=pl.lit(["broken"]))
    write(store, "trials", rows, "b", NOW)
    found = holdings(store, "trials")
    assert found["state"].to_list() == ["waiting"] * 2
    with pytest.raises(InvalidInput, match="held for broken"):
        release(store, found["id"].to_list()[:1], now=LATER)
    assert holdings(store, "candles").is_empty()
