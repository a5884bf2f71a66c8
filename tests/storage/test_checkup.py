"""Facts of quality, each counted again by plain Python on the same bars."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from serving.score import scores
from sources.files import read_file
from storage import hot, quarantine
from storage.checkup import facts, outliers
from tests.storage.samples import MINUTE, NOW, candles

if TYPE_CHECKING:
    from pathlib import Path

    from storage.store import Store

DAYS = 2
SINCE = NOW - timedelta(days=DAYS)
BARS = DAYS * 1_440


def walk(seed: int, count: int = BARS) -> list[float]:
    rng, price, closes = random.Random(seed), 100.0, []
    for _ in range(count):
        price *= math.exp(rng.gauss(0, 0.0004))
        closes.append(price)
    return closes


def put(
    store: Store,
    minutes: list[int],
    closes: list[float],
    *,
    volumes: list[float] | None = None,
    **changes: str,
) -> None:
    frame = candles(minutes, start=SINCE, close=closes, ingested_at=NOW, **changes)
    rng = random.Random(7)
    given = volumes or [rng.lognormvariate(0, 1) for _ in minutes]
    hot.put(store, "candles", frame.with_columns(volume=pl.Series(given)), now=NOW)


def fact(store: Store, venue: str = "binance", days: int = DAYS) -> dict[str, object]:
    return facts(store, now=NOW, days=days).row(by_predicate=pl.col("venue") == venue, named=True)


def test_an_empty_store_has_no_facts(store: Store) -> None:
    assert facts(store, now=NOW, days=30).is_empty()
    assert outliers(store, now=NOW, days=30).is_empty()


def test_what_could_be_there_is_counted_within_the_window(store: Store) -> None:
    minutes = [m for m in range(-500, BARS - 30) if m not in range(100, 160)]
    put(store, minutes, walk(1, len(minutes)))
    found = fact(store)
    assert (found["bars"], found["expected"]) == (BARS - 90, BARS - 30)
    assert found["age"] == 30 * 60
    assert found["distance"] is None


def test_a_series_that_began_within_the_window_is_not_short_of_what_was_before(
    store: Store,
) -> None:
    put(store, [*range(1_000, 1_500)], walk(1, 500))
    found = fact(store)
    assert (found["bars"], found["expected"]) == (500, 500)


def test_a_series_without_a_bar_in_the_window_is_still_listed(store: Store) -> None:
    put(store, [*range(-900, -800)], walk(1, 100))
    found = fact(store)
    assert (found["bars"], found["expected"]) == (0, 0)
    assert found["age"] == (BARS + 800) * 60


def test_only_bars_that_are_nowhere_else_are_held(store: Store) -> None:
    put(store, [*range(200)], walk(1, 200))
    rows = candles([199, 200, 201], start=SINCE, ingested_at=NOW)
    for batch in ("a", "b"):
        held = rows.with_columns(reasons=pl.lit(["price_jump"]), source=pl.lit(batch))
        quarantine.write(store, "candles", held, batch, NOW)
    assert fact(store)["held"] == 2


def test_jumps_are_those_that_plain_python_finds(store: Store) -> None:
    closes = walk(3)
    for place, factor in ((400, 1.01), (900, 0.985), (1_500, 1.004)):
        closes[place:] = [close * factor for close in closes[place:]]
    put(store, [*range(BARS)], closes)
    moves = [math.log(b / a) for a, b in itertools.pairwise(closes)]
    sigma = 1.4826 * statistics.median(map(abs, moves))
    expected = {
        place + 1
        for place, move in enumerate(moves)
        if abs(move) > 12 * sigma and abs(move) > 0.005
    }
    assert expected == {400, 900}
    found = outliers(store, now=NOW, days=DAYS).filter(kind="jump")
    assert {(t - SINCE) // MINUTE for t in found["open_time"]} == expected
    assert fact(store)["jumps"] == 2
    [largest, _] = found.sort("sigmas", descending=True)["size"].to_list()
    assert largest == pytest.approx(closes[900] / closes[899] - 1)


def test_a_move_over_a_gap_is_no_jump(store: Store) -> None:
    closes = [100.0 + 0.01 * (m % 3) for m in range(500)]
    closes[300:] = [close * 1.05 for close in closes[300:]]
    put(store, [*range(300), *range(310, 510)], closes)
    assert fact(store)["jumps"] == 0


def test_volumes_are_outliers_only_upwards_and_in_logarithms(store: Store) -> None:
    rng = random.Random(5)
    volumes = [rng.lognormvariate(0, 0.5) for _ in range(BARS)]
    volumes[700], volumes[701], volumes[702] = math.exp(6), math.exp(-6), 0.0
    put(store, [*range(BARS)], walk(5), volumes=volumes)
    found = outliers(store, now=NOW, days=DAYS)
    assert found["kind"].to_list() == ["volume"]
    assert found["open_time"].to_list() == [SINCE + 700 * MINUTE]
    sizes = [math.log(v) for v in volumes if v > 0]
    middle = statistics.median(sizes)
    width = 1.4826 * statistics.median(abs(size - middle) for size in sizes)
    assert found["sigmas"].item() == pytest.approx((6 - middle) / width)


def test_too_few_bars_have_no_outliers(store: Store) -> None:
    put(store, [*range(60)], [100.0] * 30 + [120.0] * 30)
    assert fact(store)["outliers"] == 0


def test_distance_is_the_median_from_the_middle_of_all_venues(store: Store) -> None:
    closes = walk(9, 300)
    put(store, [*range(300)], closes)
    put(store, [*range(300)], [close * 1.001 for close in closes], venue="okx")
    put(store, [*range(200)], [close * 1.02 for close in closes[:200]], venue="kraken")
    put(store, [*range(300)], closes, venue="alone", symbol="ETH-USDT")
    found = {venue: fact(store, venue) for venue in ("binance", "okx", "kraken", "alone")}
    assert found["okx"]["distance"] == pytest.approx(0, abs=1e-12)
    assert found["kraken"]["distance"] == pytest.approx(1.02 / 1.001 - 1)
    assert found["binance"]["distance"] == pytest.approx(1 - 1 / 1.001)
    assert (found["alone"]["distance"], found["alone"]["compared"]) == (None, 0)
    assert found["kraken"]["compared"] == 200


@pytest.mark.real
def test_a_sound_month_of_a_real_market_scores_close_to_one(store: Store, real_data: Path) -> None:
    found = sorted(real_data.glob("candles/paparocketeer*/*/user_data/data/binance/BTC_USDT-1m.*"))
    reading = read_file(
        found[0], venue="binance", symbol="BTC-USDT", interval="1m", zone=None, now=NOW
    )
    hot.put(store, "candles", reading.frame.unique("open_time", keep="last"), now=NOW)
    last = reading.frame["open_time"].max()
    assert isinstance(last, datetime)
    judged = facts(store, now=last + MINUTE, days=30)
    assert judged["bars"].item() > 40_000
    # True moves stand out too: some in ten thousand bars, not some in a hundred.
    assert 0 < judged["outliers"].item() < judged["bars"].item() / 1_000
    assert 0.98 < scores(judged)["score"].item() < 1
