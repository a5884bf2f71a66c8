"""Fifty markets at once from the sandbox: asked, landed, judged, merged; and where time goes."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from benchmarks.freely import freely
from benchmarks.report import Section
from benchmarks.storage.way_in import groups, inserted
from core.datasets import CANDLES
from core.market import Span
from sources.base import Retry, fetch
from sources.http import open_client
from sources.pacing import Pacer
from sources.sandbox.process import running
from sources.sandbox.symbols import listing
from sources.venues.binance import Binance
from storage import landing
from storage.store import Store
from tasks.settle import settle_together
from tasks.steps import in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from core.receipts import Receipt
    from expectations.verdict import Verdict

MARKETS, CONNECTIONS = 50, 50
END = datetime(2026, 3, 31, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
AIM = 1_000  # rows a second and market


class Plan(NamedTuple):
    """How much is asked for: so many days of each market."""

    days: int


FULL, QUICK = Plan(30), Plan(3)


class Watch:
    """Seconds by stage, added up over threads."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("waiting", "parsing", "gating", "storing"), 0.0)
        self._lock = threading.Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        with self._lock:
            self.seconds[stage] += seconds

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began)


class Timed(Binance):
    """The sandbox's venue, with the time it takes to read its answers."""

    def __init__(self, url: str, watch: Watch) -> None:
        super().__init__(url, name="sandbox")
        self._watch = watch

    def parse(self, body: bytes, span: Span) -> pl.DataFrame:
        """Read one page, and count how long that took."""
        with self._watch("parsing"):
            return super().parse(body, span)


def sources(plan: Plan, folder: Path) -> Section:
    """Measure the way of candles from fifty markets at once into an empty store."""
    section = Section("Fifty markets at once", TEXT)
    found = freely(f"{__name__}:measured", folder=str(folder / "sources"), days=plan.days)
    rows, took, seconds = found["rows"], found["took"], found["seconds"]
    stages = seconds | {"waiting": max(0.0, seconds["waiting"] - seconds["parsing"])}
    whole = sum(stages.values())
    section.table(
        ["rows", "s", "our CPU s", "rows/s", "rows/s and market", "aim", *stages],
        [
            [
                f"{rows:,}",
                f"{took:.1f}",
                f"{found['spent']:.1f}",
                f"{rows / took:,.0f}",
                f"{rows / took / MARKETS:,.0f}",
                f"{AIM:,}",
                *(f"{part:.1f} s, {part / whole:.1%}" for part in stages.values()),
            ]
        ],
    )
    each = rows / took / MARKETS
    section.short.append(f"{MARKETS} markets at once through the gate: {each:,.0f} rows/s each")
    return section


def measured(folder: str, days: int) -> dict[str, Any]:
    """Collect all markets; return rows, seconds of wall and processor, and seconds by stage."""
    store = Store(Path(folder), f"{folder}/lake")
    watch = Watch()
    with running(seed=1, markets=MARKETS) as url, open_client(connections=CONNECTIONS) as client:
        warm_up(url, client, store)
        began, spent = time.perf_counter(), time.process_time()
        rows = collect(url, client, store, Plan(days), watch)
        took, spent = time.perf_counter() - began, time.process_time() - spent
    return {"rows": rows, "took": took, "spent": spent, "seconds": watch.seconds}


def warm_up(url: str, client: httpx.Client, store: Store) -> None:
    """Import, compile and make what happens once only: it is no part of the pace."""
    span = Span("sandbox", "NOISE1-USDT", "1m", END - timedelta(minutes=10), END)
    receipt = bring(url, client, store, span, Watch())
    settle_together(store, [receipt], NOW)
    for symbol in symbols():  # the sandbox makes each market's days once
        last = Span("sandbox", symbol, "1m", END - timedelta(minutes=1), END)
        bring(url, client, store, last, Watch())


def collect(url: str, client: httpx.Client, store: Store, plan: Plan, watch: Watch) -> int:
    """Bring all spans over many connections; judge and merge them as they come, some together."""
    start = END - timedelta(days=plan.days)
    spans = [Span("sandbox", symbol, "1m", start, END) for symbol in symbols()]
    rows = 0
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        coming = in_turn(
            lambda span: pool.submit(bring, url, client, store, span, watch), spans, CONNECTIONS
        )
        for group in groups(future.result() for _, future in coming):
            laps = [time.perf_counter()]

            def lap(_: Verdict, laps: list[float] = laps) -> None:
                laps.append(time.perf_counter())

            became = settle_together(store, group, NOW, show=lap)
            watch.add("gating", laps[-1] - laps[0])
            watch.add("storing", time.perf_counter() - laps[-1])
            rows += inserted(became)
    return rows


def symbols() -> list[str]:
    """Return the markets that are asked for."""
    return [one.symbol for one in listing(MARKETS).values()]


def bring(url: str, client: httpx.Client, store: Store, span: Span, watch: Watch) -> Receipt:
    """Fetch one span into landing."""
    venue = Timed(url, watch)
    with watch("waiting"):
        pages = list(fetch(venue, span, client, now=NOW, pacer=Pacer(math.inf), retry=Retry()))
    with watch("storing"):
        frame = pl.concat([CANDLES.empty(), *pages])
        return landing.land(store, CANDLES.name, frame, source="sandbox", now=NOW)


TEXT = f"""\
{MARKETS} markets of the sandbox over {CONNECTIONS} connections, one-minute bars, through landing
and the gate into an empty hot store, on all cores; the sandbox itself makes and serves the bars on
the same cores. The last columns are the time of all threads together: waiting (for answers, and for
a turn on a core), reading answers, judging, and writing (landing and merge)."""
