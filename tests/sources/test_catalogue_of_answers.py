"""Answers, dumps and clocks that are wrong: each fault with the figure that it comes to."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
import polars as pl
import pytest

from core.errors import InvalidInput, NightjarError, SourceMalformed, SourceUnavailable
from sources.base import ask, fetch
from sources.binance_dump import ArchiveFile, read_archive
from sources.files import read_file
from sources.http import accept, open_client, require_json, send
from sources.venues.binance import Binance
from tests.sources.fakes import JSON, NOW, START, Exchange, FakeTime, http_bytes, raw_server, span
from tests.sources.mutants import fixtures
from tests.sources.venues.dialects import DIALECTS, URL
from tests.sources.venues.test_conformance import collect, minutes, open_dialect, series

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.mutants import Fixture

# --- bodies that are not whole


def test_no_cut_of_a_true_answer_is_believed() -> None:
    """Every cut of every provider's answer, as if its length had agreed with what is left."""
    bodies = cuts = wrong = 0
    for fixture in fixtures():
        if fixture.body[:1] not in b"[{":  # of CSV, a cut between two lines is an answer
            continue
        bodies += 1
        for kept in range(0, len(fixture.body), max(1, len(fixture.body) // 150)):
            cuts += 1
            wrong += believed(fixture, fixture.body[:kept])
        for page in (b"<html><body>log in</body></html>", b"null", b'"ok"', fixture.body * 2):
            cuts += 1
            wrong += believed(fixture, page)
    print(f"{bodies} bodies, {cuts:,} cuts and other pages: {wrong} accepted wrong")
    assert bodies >= 20
    assert wrong == 0


def believed(fixture: Fixture, body: bytes) -> bool:
    try:
        return fixture.read(body).height > 0
    except NightjarError:
        return False


def test_no_cut_is_taken_for_a_whole_answer_on_the_wire() -> None:
    body = b'[{"a": 1}]' * 20
    whole = http_bytes(body)
    cuts = range(0, len(whole), 3)
    accepted = 0
    with raw_server(*([whole[:cut]] for cut in cuts)) as url, open_client() as client:
        for _ in cuts:
            try:
                send(client, httpx.Request("GET", url), "venue")
            except SourceUnavailable:
                continue
            accepted += 1
    print(f"{len(cuts)} cuts on a socket: {accepted} accepted")
    assert accepted == 0


def test_a_login_page_is_no_answer() -> None:
    page = http_bytes(b"<html>log in</html>", kind="text/html")
    with raw_server([page]) as url, open_client() as client:
        answer = send(client, httpx.Request("GET", url), "venue")
    accept(answer, "venue", repr)
    with pytest.raises(SourceMalformed):
        require_json(answer, "venue")


# --- servers that fail, and servers that do not end


def test_thirty_percent_of_errors_over_ten_thousand_requests_lose_and_double_nothing() -> None:
    """Three hundred pages of a bar each, then questions one by one; each answer has its number."""
    chance = random.Random(8)

    def flaky(_count: int, _request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(chance.choice([500, 502, 503, 504])) if chance.random() < 0.3 else None
        )

    exchange, fake, venue = Exchange(range(300), page=1, before=flaky), FakeTime(), Binance(URL)
    retry = fake.retry(attempts=50, deadline=1e9)
    with exchange.client as client:
        pages = fetch(venue, span(300), client, now=NOW, pacer=fake.pacer(), retry=retry)
        opened = pl.concat(pages)["open_time"]
    asked = len(exchange.requests)
    numbers: list[int] = []

    def echo(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        body = request.url.path[1:].encode()
        return flaky(asked, request) or httpx.Response(200, content=body, headers=JSON)

    with httpx.Client(transport=httpx.MockTransport(echo)) as client:
        while asked < 10_000:
            question = partial(httpx.Request, "GET", f"{URL}/{len(numbers)}")
            answered = ask(
                "venue",
                question,
                client,
                read=int,
                explain=bytes.decode,
                pacer=fake.pacer(),
                retry=retry,
            )
            numbers.append(answered)
    gaps = 300 - opened.n_unique() + len(set(range(len(numbers))) - set(numbers))
    doubles = len(opened) - opened.n_unique() + len(numbers) - len(set(numbers))
    print(f"{asked:,} requests, 30% failed: {gaps} gaps, {doubles} doubles")
    assert (gaps, doubles) == (0, 0)
    assert numbers == list(range(len(numbers)))


def test_a_body_that_drips_hangs_nobody() -> None:
    drops: list[bytes | float] = [http_bytes(b"", length=1_000)]
    drops += [part for _ in range(40) for part in (b"x", 0.05)]
    hung = 0
    with raw_server(drops) as url, open_client() as client:
        for within in (0.1, 0.2, 0.4):
            began = time.monotonic()
            with pytest.raises(SourceUnavailable, match="too slowly"):
                send(client, httpx.Request("GET", url), "venue", within=within)
            hung += time.monotonic() - began > within + 1.0
    print(f"3 dripping bodies: {hung} hung after their time")
    assert hung == 0


# --- clocks


def test_at_no_second_of_a_minute_is_a_forming_bar_fetched() -> None:
    """The venues take turns; that of conformance asks each of them at every second."""
    stored = lost = 0
    names = list(DIALECTS)
    for second in range(60):
        dialect = open_dialect(names[second % len(names)], range(20), 10 + second / 60)
        found = minutes(collect(dialect, series(dialect, 5, 15)))
        stored += sum(minute > 9 for minute in found)
        lost += sum(minute not in found for minute in range(5, 10))
    print(f"60 seconds, {len(names)} venues: {stored} forming bars, {lost} closed ones lost")
    assert (stored, lost) == (0, 0)


def test_a_clock_that_is_an_hour_off_misdates_no_bar() -> None:
    """Each step asks for the same ten minutes, of which five are over by the venue's clock."""
    chance, names = random.Random(9), list(DIALECTS)
    misdated = forming = 0
    for step in range(100):
        second = chance.random()
        dialect = open_dialect(names[step % len(names)], range(20), 10 + second)
        true = collect(dialect, series(dialect, 5, 15)).select("open_time", "open", "close")
        off = dialect.market.now + chance.choice([-1, 1]) * timedelta(hours=1)
        found = collect(dialect, series(dialect, 5, 15), now=off)
        forming += sum(minute > 9 for minute in minutes(found))
        misdated += found.join(true, on=true.columns, how="anti").height
    print(f"100 steps of an hour: {misdated} bars misdated, {forming} forming")
    assert (misdated, forming) == (0, 0)


# --- units of time, and times that cannot be

ROWS, PER = 100, {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def lines(units: list[str], start: datetime = START) -> str:
    first = int(start.timestamp())
    return "".join(
        f"{opens * PER[unit]},100.5,101.0,99.0,100.0,12.5,{(opens + 60) * PER[unit] - 1},"
        "1250.0,42,6.25,625.0,0\n"
        for opens, unit in ((first + 60 * row, unit) for row, unit in enumerate(units))
    )


def test_a_unit_that_changes_at_any_row_of_a_dump_misdates_nothing(tmp_path: Path) -> None:
    """From ms to µs and back every row is read; with ns the file is refused, as is a file of s."""
    path = tmp_path / "BTCUSDT-1m-2026-03.csv"
    file = ArchiveFile(str(path), "BTC-USDT", "1m", "2026-03")
    true = [START + row * timedelta(minutes=1) for row in range(ROWS)]
    read = refused = misdated = 0
    for before, after in (("ms", "us"), ("us", "ms"), ("us", "ns"), ("ms", "ns"), ("us", "s")):
        for at in range(ROWS):
            path.write_text(lines([before] * at + [after] * (ROWS - at)))
            try:
                found = read_archive(file, now=NOW)["open_time"].to_list()
            except SourceMalformed:
                refused += 1
                continue
            read += 1
            misdated += sum(a != b for a, b in zip(found, true, strict=True))
    print(f"5 switches at each of {ROWS} rows: {read} read, {refused} refused, {misdated} misdated")
    assert (read, refused, misdated) == (2 * ROWS, 3 * ROWS, 0)


def test_a_unit_that_changes_within_a_persons_file_misdates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    true = [START + row * timedelta(minutes=1) for row in range(ROWS)]
    read = refused = misdated = 0
    places = range(0, ROWS, 4)
    for before, after in (("ms", "us"), ("us", "ns"), ("s", "ms")):
        for at in places:
            path.write_text(lines([before] * at + [after] * (ROWS - at)))
            try:
                told = read_file(path, venue="binance", symbol="BTC-USDT", now=NOW)
            except InvalidInput:
                refused += 1
                continue
            read += 1
            misdated += told.frame["open_time"].to_list() != true
    print(f"3 switches at {len(places)} rows: {read} read, {refused} refused, {misdated} misdated")
    assert read + refused == 3 * len(places)
    assert misdated == 0


def test_no_time_that_cannot_be_is_read_from_a_dump(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2026-03.csv"
    file = ArchiveFile(str(path), "BTC-USDT", "1m", "2026-03")
    odd = [0, 1, -1, 1_000, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, -(2**63) + 1, 10**13, 10**14]
    years = [1, 1970, 2001, 2008, 2025, 2027, 2038, 2100, 2262, 2263, 3000, 9999]
    moments = [int(datetime(year, 3, 1, tzinfo=UTC).timestamp()) for year in years]
    times = odd + [moment * unit for moment in moments for unit in (1, 10**3, 10**6, 10**9)]
    accepted = 0
    for moment in times:
        path.write_text(lines(["us"] * 3) + f"{moment},1,2,0.5,1,1,{moment + 59_999},1,1,1,1,0\n")
        try:
            accepted += read_archive(file, now=NOW).height
        except SourceMalformed:
            continue
    print(f"{len(times)} impossible times: {accepted} accepted")
    assert len(times) >= 50
    assert accepted == 0
