"""Faults of order, of clocks, of zones and of two writers: each with the figure that it comes to.

What a night of each costs is kept small by merging many series at once: the merge takes no notice
of how many symbols a batch has, and a permutation of the rows of all is one of the rows of each.
"""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from core.datasets import VERDICTS
from storage import hot
from storage.catalog import snapshot
from storage.invariants import check_invariants
from storage.lake import sql
from storage.store import Store
from tests.storage.samples import MINUTE, NOW, START, candles

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 60  # minutes
DAY = [hour * HOUR for hour in range(24)]  # from two hours before the end of a month


# --- out of order, and more than once

MARKETS, STORES = 200, 5


def test_a_day_in_a_thousand_orders_with_doubles_and_revisions_has_one_hash(tmp_path: Path) -> None:
    """A tenth of the bars is revised, a quarter comes twice; the newest version is what stays."""
    bars = pl.concat(candles(DAY, symbol=f"S{n}-USDT", interval="1h") for n in range(MARKETS))
    later = pl.col("ingested_at") + MINUTE
    revised = bars.sample(fraction=0.1, seed=1).with_columns(pl.col("close") + 1, later)
    versions = pl.concat([bars, revised])
    plain = merged(Store(tmp_path / "plain", str(tmp_path / "plain/lake")), [versions])
    hashes, arrivals = {snapshot(plain)}, 0
    for seed in range(STORES):
        doubles = versions.sample(fraction=0.25, seed=seed)
        shuffled = pl.concat([versions, doubles]).sample(fraction=1, shuffle=True, seed=seed)
        first, last = sorted(random.Random(seed).sample(range(shuffled.height), 2))
        batches = [shuffled[:first], shuffled[first:last], shuffled[last:]]
        home = tmp_path / str(seed)
        store = merged(Store(home, str(home / "lake")), batches)
        hashes.add(snapshot(store))
        arrivals += shuffled.height
        assert check_invariants(store) == []
    tried = MARKETS * STORES
    print(f"{tried:,} orders of a day, {arrivals:,} rows: {len(hashes)} distinct hashes")
    assert tried == 1_000
    assert len(hashes) == 1


def merged(store: Store, batches: list[pl.DataFrame]) -> Store:
    for number, batch in enumerate(batches):
        hot.merge(store, "candles", batch, batch=f"batch {number}", now=NOW + number * MINUTE)
    return store


# --- a bar that its venue gives again with other values


def test_five_hundred_revisions_leave_every_value_with_its_source_and_time(store: Store) -> None:
    rounds = [
        candles(100, close=[1_000.0 * n + k for k in range(100)], source=f"round {n}",
                ingested_at=NOW + n * MINUTE)
        for n in range(6)
    ]  # fmt: skip
    pins = []
    for number, rows in enumerate(rounds):
        now = NOW + number * MINUTE
        hot.merge(store, "candles", rows, batch=rows["source"][0], now=now)
        pins.append((now, rows["close"].to_list()))

    kept = sql(
        "select old_source as source, old_ingested_at as ingested_at, (old->>'close')::double "
        "as close, (key->>'open_time')::timestamptz as open_time from revisions",
        store=store,
    )
    said = ["open_time", "close", "source", "ingested_at"]
    stands = sql("from candles", store=store).select(said)
    given = pl.concat(rounds).select(said)
    traced = pl.concat([kept.select(said).cast(given.schema), stands])
    lost = given.join(traced, on=said, how="anti").height
    wrong = 0
    for when, closes in pins:
        found = sql("select close from candles order by open_time", store=store, as_of=when)
        wrong += found["close"].to_list() != closes
    print(f"{kept.height} revisions: {lost} values without trace, {wrong} of 6 pins moved")
    assert (kept.height, traced.height) == (500, given.height)
    assert (lost, wrong) == (0, 0)


# --- the zone of the process

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
# The clocks of New York, Berlin and Lord Howe go forward and back on these days of 2026.
CHANGES = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")
IN_ZONE = """
import hashlib, os, sys, time
from datetime import datetime, UTC
from pathlib import Path
import polars as pl
from core.clock import parse_utc
from sources.binance_dump import ArchiveFile, read_archive
from storage import hot
from storage.archive import archive
from storage.catalog import snapshot
from storage.lake import sql
from storage.store import Store
# A process for each zone, which differs in nothing else: nothing has asked for the time yet.
zones = sys.argv[2].split(",")
for number, zone in enumerate(zones):
    if os.fork() == 0:
        os.environ["TZ"] = zone
        time.tzset()
        break
else:
    sys.exit(any([os.wait()[1] for _ in zones]))
home = Path(sys.argv[1]) / str(number)
home.mkdir()
store = Store(home, str(home / "lake"))
now = datetime(2026, 12, 1, tzinfo=UTC)
bars = []
for day in sys.argv[3:]:
    path = home / f"BTCUSDT-15m-{day}.csv"
    first = int(parse_utc(day).timestamp() * 1000)
    path.write_text("".join(
        f"{at},1,2,0.5,{1 + at % 7 / 8},1,{at + 899999},1,1,1,1,0\\n"
        for at in range(first, first + 86400000, 900000)
    ))
    bars.append(read_archive(ArchiveFile(str(path), "BTC-USDT", "15m", day), now=now))
hot.merge(store, "candles", pl.concat(bars), batch="all", now=now)
asked = [
    "select count(*) from candles where open_time < '2026-03-29 02:30'",
    "select date_trunc('day', open_time) as day, count(*) from candles group by all order by all",
    "select strftime(open_time, '%Y-%m-%d %H:%M') from candles order by open_time",
    'select start, "end" from gaps order by all',
]
told = [snapshot(store), *(sql(query, store=store).write_csv() for query in asked)]
archive(store, "candles", now=now, hot_days=20)
told += [snapshot(store), *(sql(query, store=store).write_csv() for query in asked)]
told += sorted(path.parent.name for path in home.glob("lake/candles/*/*/*/*/*.parquet"))
print(time.strftime("%z"), hashlib.sha256(repr(told).encode()).hexdigest(), flush=True)
os._exit(0)
"""


def test_days_on_which_clocks_change_are_the_same_in_every_zone(tmp_path: Path) -> None:
    """Read, merge, ask, archive and ask again, in processes of five zones."""
    ran = subprocess.run(
        [sys.executable, "-c", IN_ZONE, str(tmp_path), ",".join(ZONES), *CHANGES],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = [line.split() for line in ran.stdout.splitlines()]
    assert len(told) == len(ZONES)
    hashes = {digest for _, digest in told}
    print(f"{len(ZONES)} zones x {len(CHANGES)} days: {len(hashes)} distinct hashes")
    assert len({offset for offset, _ in told}) == len(ZONES)  # the processes did differ
    assert len(hashes) == 1


# --- a clock that is stepped

STEPS = 100


def test_a_clock_that_steps_by_an_hour_a_hundred_times_misdates_nothing(store: Store) -> None:
    """At each step a bar comes, and the first bar comes again with another close."""
    chance = random.Random(3)
    wall, given, told = NOW, [], []
    for step in range(STEPS):
        wall += MINUTE + chance.choice([-1, 1]) * timedelta(hours=1)
        rows = candles(sorted({0, step}), close=1_000.0 + step, ingested_at=wall)
        verdict = verdict_of(step, wall)
        batch = f"batch {step}"
        hot.merge(store, "candles", rows, batch=batch, now=wall, verdict_row=verdict)
        given.append(rows)
        told.append((verdict["verdict_id"], wall))

    every = pl.concat(given)
    newest = every.sort("ingested_at").unique("open_time", keep="last", maintain_order=True)
    stands = sql("from candles order by open_time", store=store)
    misdated = stands.join(newest, on=["open_time", "close", "ingested_at"], how="anti").height
    revised = sql(
        "select (old->>'close')::double as old, (new->>'close')::double as new, replaced "
        "from revisions order by revised_at",
        store=store,
    ).to_dicts()
    moments = sql("select verdict_id, judged_at from verdicts", store=store)
    # As it happened: step by step a value came, and stayed or lost against what stood.
    came = [each["new"] if each["replaced"] else each["old"] for each in revised]
    stood = [each["old"] if each["replaced"] else each["new"] for each in revised]
    left = [1_000.0, *(each["new"] for each in revised)]
    early = sum(value != 1_000.0 + step for step, value in enumerate(came, 1))
    print(
        f"{STEPS} steps: {misdated} bars misdated, {STEPS - 1 - len(revised)} of {STEPS - 1} "
        f"revisions lost, {early} out of order, {STEPS - moments.height} verdicts lost"
    )
    assert (misdated, len(revised), early) == (0, STEPS - 1, 0)
    assert stood == left[:-1]
    assert stands["close"][0] == left[-1]
    assert stands["open_time"].to_list() == [START + n * MINUTE for n in range(STEPS)]
    assert sorted(moments.iter_rows()) == sorted(told)
    assert check_invariants(store) == []


def verdict_of(step: int, wall: object) -> dict[str, object]:
    """Return a row of `verdicts` that a gate could have made."""
    filled = dict.fromkeys(VERDICTS.columns)
    return filled | {
        "verdict_id": f"verdict {step}",
        "dataset": "candles",
        "batch": f"batch {step}",
        "judged_at": wall,
        "ingested_at": wall,
        "source": "nightjar",
        "rows": 2,
        "quarantined": 0,
        "passed": True,
    }


# --- two writers

RUNS, WRITERS, BATCHES, ROWS = 3, 2, 4, 250
WRITER = """
import sys
from pathlib import Path
from storage import hot
from storage.store import Store
from tests.storage.samples import NOW, candles
home, me, batches, rows = Path(sys.argv[1]), *map(int, sys.argv[2:])
print("ready", flush=True)
for line in sys.stdin:
    store = Store(home / line.strip(), str(home / line.strip() / "lake"), 60.0)
    for number in range(batches):
        first = number * rows
        minutes = [2 * minute + me for minute in range(first, first + rows)]
        batch = f"{me} {number}"
        hot.merge(store, "candles", candles(minutes), batch=batch, now=NOW)
    print("done", flush=True)
"""


def test_two_processes_that_write_to_one_store_lose_no_row(tmp_path: Path) -> None:
    """Each brings every other minute of one series, so that both always touch the same stretch."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *map(str, (tmp_path, me, BATCHES, ROWS))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in range(WRITERS)
    ]
    assert [heard(writer) for writer in writers] == ["ready"] * WRITERS
    lost = doubled = 0
    for run in range(RUNS):
        for writer in writers:
            print(run, file=writer.stdin, flush=True)
        assert [heard(writer) for writer in writers] == ["done"] * WRITERS
        store = Store(tmp_path / str(run), str(tmp_path / str(run) / "lake"))
        found = sql("select open_time, close from candles", store=store)
        lost += WRITERS * BATCHES * ROWS - found["open_time"].n_unique()
        doubled += found.height - found["open_time"].n_unique()
        assert check_invariants(store) == []
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    print(f"{RUNS} runs of {WRITERS} x {BATCHES * ROWS:,} rows: {lost} lost, {doubled} twice")
    assert (lost, doubled) == (0, 0)


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
