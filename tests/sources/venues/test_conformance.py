"""What every venue's file has to do with bars, whatever its venue's habits are."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import CANDLES
from core.errors import (
    InvalidInput,
    RateLimited,
    SourceMalformed,
    SourceOutOfReach,
    SourceRejected,
    SourceStalled,
    SourceUnavailable,
)
from core.market import INTERVALS, Span
from expectations.gate import gate
from sources.base import Paging, fetch
from sources.frames import stamp
from tests.sources.fakes import MINUTE, START, FakeTime
from tests.sources.venues.dialects import DIALECTS, SYMBOL, Dialect, Market, after, numbers
from tests.sources.venues.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY = pytest.mark.parametrize("name", DIALECTS)
LATEST = [name for name, kind in DIALECTS.items() if kind().make().paging is Paging.LATEST]
# Whose documentation does not say whether a minute without a trade has a bar: both are tried.
UNSAID = {"okx", "okx_perp", "bybit", "bybit_perp"}
SPANNED = [name for name in DIALECTS if name not in LATEST]


def series(dialect: Dialect, start: float, end: float, symbol: str = SYMBOL) -> Span:
    return Span(dialect.make().name, symbol, "1m", after(start), after(end))


def collect(
    dialect: Dialect, wanted: Span, *, now: datetime | None = None, page: int | None = None
) -> pl.DataFrame:
    fake, venue = FakeTime(), dialect.make()
    venue.page_bars = page or venue.page_bars
    with dialect.client as client:
        pages = fetch(
            venue,
            wanted,
            client,
            now=now or dialect.market.now,
            pacer=fake.pacer(),
            retry=fake.retry(),
        )
        return pl.concat([CANDLES.empty(), *pages])


def minutes(frame: pl.DataFrame) -> list[int]:
    return sorted((moment - START) // MINUTE for moment in frame["open_time"])


def open_dialect(name: str, traded: Iterable[int], now: float, cap: int | None = None) -> Dialect:
    dialect = DIALECTS[name]()
    dialect.market = Market(traded, after(now))
    dialect.cap = cap or dialect.cap
    return dialect


# --- which bars


@pytest.mark.parametrize("name", SPANNED)
@settings(max_examples=20)
@given(
    traded=st.sets(st.integers(-3, 40)),
    page=st.integers(2, 20),
    cap=st.integers(2, 20),
    start=st.integers(-5, 40),
    length=st.integers(0, 30),
    fills=st.booleans(),
)
def test_any_page_and_any_gaps_give_every_bar_exactly_once(  # noqa: PLR0917 - what is varied
    name: str, traded: set[int], page: int, cap: int, start: int, length: int, *, fills: bool
) -> None:
    dialect = open_dialect(name, traded, 61, cap)
    dialect.fills = fills if name in UNSAID else dialect.fills
    found = collect(dialect, series(dialect, start, start + length), page=page)
    closed = [n for n in dialect.minutes() if dialect.market.closed(n)]
    assert minutes(found) == [n for n in closed if start <= n < start + length]


@pytest.mark.parametrize("name", LATEST)
@settings(max_examples=20)
@given(
    traded=st.sets(st.integers(-3, 60)),
    cap=st.integers(3, 40),
    start=st.integers(-5, 60),
    length=st.integers(1, 60),
)
def test_the_newest_bars_are_all_there_is_and_what_is_before_is_named(
    name: str, traded: set[int], cap: int, start: int, length: int
) -> None:
    dialect = open_dialect(name, traded, 61.5, cap)
    kept = [n for n in dialect.minutes()[-cap:] if dialect.market.closed(n)]
    cut = len(dialect.minutes()) >= cap and start < kept[0]
    wanted = series(dialect, start, start + length)
    pages: list[pl.DataFrame] = []
    fake, venue = FakeTime(), dialect.make()
    venue.page_bars = cap
    with dialect.client as client:
        asking = fetch(
            venue, wanted, client, now=after(61.5), pacer=fake.pacer(), retry=fake.retry()
        )
        if cut:
            with pytest.raises(SourceOutOfReach) as caught:
                pages.extend(asking)
            assert caught.value.earliest == after(kept[0])
        else:
            pages.extend(asking)
    found = minutes(pl.concat([CANDLES.empty(), *pages]))
    assert found == [n for n in kept if start <= n < start + length]
    assert len(dialect.requests) == 1


@EVERY
def test_a_span_of_a_page_and_a_half_stays_within_the_venues_limit(name: str) -> None:
    dialect = open_dialect(name, [], 0)
    page = dialect.make().page_bars
    bars = int(1.5 * page) if name in SPANNED else page - 2
    dialect.market = Market(range(bars), after(bars + 0.5))
    found = collect(dialect, series(dialect, 0, bars))
    assert minutes(found) == list(range(bars))
    assert len(dialect.requests) <= 2


@EVERY
def test_every_number_arrives_in_its_column(name: str) -> None:
    dialect = open_dialect(name, range(4), 9)
    row = collect(dialect, series(dialect, 2, 3)).row(0, named=True)
    said = {column: float(text) for column, text in numbers(2).items()}
    for column in ("open", "high", "low", "close", "volume"):
        assert row[column] == said[column]
    assert row["quote_volume"] == (said["quote"] if dialect.has_quote else None)
    assert row["trades"] == (said["trades"] if dialect.has_trades else None)
    assert (row["venue"], row["symbol"], row["interval"]) == (dialect.make().name, SYMBOL, "1m")
    assert row["source"] == f"{dialect.make().name}:rest"
    assert row["ingested_at"] == dialect.market.now
    assert row["synthetic"] is False


@EVERY
def test_a_minute_without_a_trade_is_as_the_venue_has_it(name: str) -> None:
    dialect = open_dialect(name, [0, 1, 4], 9)
    found = collect(dialect, series(dialect, 0, 5)).sort("open_time")
    assert minutes(found) == ([0, 1, 2, 3, 4] if dialect.fills else [0, 1, 4])
    quiet = found.filter(pl.col("volume") == 0)
    assert quiet.height == (2 if dialect.fills else 0)
    assert set(quiet["close"]) <= {float(numbers(1)["close"])}


@EVERY
@pytest.mark.parametrize("quiet", [0, 5_000])
def test_a_stretch_of_time_before_the_first_trade_is_not_the_end(name: str, quiet: int) -> None:
    dialect = open_dialect(name, range(quiet, quiet + 5), quiet + 5)
    if name in LATEST and quiet:
        dialect.cap = 2_000
    found = collect(dialect, series(dialect, 0, quiet + 5))
    assert minutes(found) == list(range(quiet, quiet + 5))


@EVERY
def test_an_empty_span_asks_nothing_or_keeps_nothing(name: str) -> None:
    dialect = open_dialect(name, range(5), 9)
    assert collect(dialect, series(dialect, 2, 2)).is_empty()


# --- which bars are closed


@EVERY
def test_no_second_of_a_minute_lets_a_forming_bar_through(name: str) -> None:
    stored = []
    for second in range(60):
        dialect = open_dialect(name, range(20), 10 + second / 60)
        found = minutes(collect(dialect, series(dialect, 5, 15)))
        stored += [n for n in found if n > 9]
        assert found == [5, 6, 7, 8, 9]
    assert stored == []


@EVERY
@pytest.mark.parametrize("ahead", [1, 30, 59])
def test_a_clock_of_ours_that_is_ahead_lets_no_forming_bar_through(name: str, ahead: int) -> None:
    dialect = open_dialect(name, range(20), 10.99)
    now = dialect.market.now + timedelta(seconds=ahead)
    assert minutes(collect(dialect, series(dialect, 5, 15), now=now)) == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("name", ["bybit", "bybit_perp", "htx", "kraken", "okx", "okx_perp"])
def test_a_body_that_tells_what_has_closed_is_enough(name: str) -> None:
    dialect = open_dialect(name, range(20), 10.99)
    dialect.dates_its_answers = False
    now = dialect.market.now + timedelta(seconds=59)
    assert minutes(collect(dialect, series(dialect, 5, 15), now=now)) == [5, 6, 7, 8, 9]


@EVERY
def test_a_clock_of_ours_that_is_behind_takes_no_bar_that_it_cannot_know_of(name: str) -> None:
    dialect = open_dialect(name, range(20), 10.5)
    now = dialect.market.now - timedelta(seconds=90)
    assert minutes(collect(dialect, series(dialect, 5, 15), now=now)) == [5, 6, 7, 8]


# --- asking


@EVERY
@pytest.mark.parametrize("interval", INTERVALS)
def test_an_interval_is_one_of_the_venues_or_refused_with_those_it_has(
    name: str, interval: str
) -> None:
    venue = DIALECTS[name]().make()
    wanted = Span(venue.name, SYMBOL, interval, START, START + INTERVALS[interval])
    try:
        request = venue.request(wanted)
    except InvalidInput as refused:
        known = str(refused).split(": ")[1].split(", was")[0].split(", ")
        assert interval not in known
        for other in known:
            venue.request(Span(venue.name, SYMBOL, other, START, START))
    else:
        assert request.method == "GET"
        assert str(request.url).startswith("http://venue/")


@EVERY
def test_a_span_of_another_venue_is_the_callers_mistake(name: str) -> None:
    dialect = open_dialect(name, range(5), 9)
    other = Span("elsewhere", SYMBOL, "1m", START, after(5))
    with pytest.raises(InvalidInput, match="expected a span of"):
        collect(dialect, other)


# --- refusals


@EVERY
def test_an_unknown_symbol_is_refused_with_the_venues_words(name: str) -> None:
    dialect = open_dialect(name, range(5), 9)
    if name == "coinbase":  # it names the product in the path
        said = {"error": "NOT_FOUND", "error_details": "x", "message": "product not found"}
        dialect.instead = httpx.Response(404, json=said)
    with pytest.raises(SourceRejected, match=r"(?i)symbol|pair|Instrument|product"):
        collect(dialect, series(dialect, 0, 5, "NO-SUCH"))
    assert len(dialect.requests) <= 1  # CCXT knows what is listed


BINANCE_LIMIT = {"code": -1003, "msg": "Too much request weight used"}
LIMITED: dict[str, list[httpx.Response]] = {
    "binance": [
        httpx.Response(429, json=BINANCE_LIMIT, headers={"retry-after": "7"}),
        httpx.Response(418, json=BINANCE_LIMIT, headers={"retry-after": "120"}),
    ],
    "coinbase": [httpx.Response(429, json={"error": "rate_limit_exceeded", "message": "slow"})],
    "kraken": [
        httpx.Response(200, json={"error": ["EGeneral:Too many requests"]}),
        httpx.Response(200, json={"error": ["EAPI:Rate limit exceeded"]}),
        httpx.Response(200, json={"error": ["EService:Throttled:1780000000"]}),
    ],
    "kucoin": [
        httpx.Response(429, json={"code": "429000", "msg": "Too Many Requests"}),
        httpx.Response(200, json={"code": "429000", "msg": "Too Many Requests"}),
    ],
    "okx": [
        httpx.Response(429, json={"code": "50011", "msg": "Too Many Requests", "data": []}),
        httpx.Response(200, json={"code": "50011", "msg": "Too Many Requests", "data": []}),
    ],
    "htx": [
        httpx.Response(
            200, json={"status": "error", "err-code": "too-many-request", "err-msg": "slow"}
        ),
        httpx.Response(429, text="Too Many Requests"),
    ],
    "bybit": [
        httpx.Response(403, text="access too frequent, please try again later"),
        httpx.Response(200, json={"retCode": 10006, "retMsg": "Too many visits!"}),
        httpx.Response(429, text=""),
    ],
}
PASSING: dict[str, list[httpx.Response]] = {
    "kraken": [
        httpx.Response(200, json={"error": ["EService:Unavailable"]}),
        httpx.Response(200, json={"error": ["EService:Busy"]}),
    ],
    "kucoin": [httpx.Response(200, json={"code": "500000", "msg": "Internal Server Error"})],
    "okx": [httpx.Response(200, json={"code": "50001", "msg": "Service unavailable", "data": []})],
    "htx": [httpx.Response(200, json={"status": "error", "err-code": "system-busy"})],
    "bybit": [httpx.Response(200, json={"retCode": 10016, "retMsg": "Server error."})],
}
DOWN = [httpx.Response(500), httpx.Response(503, text="<html>"), httpx.Response(408)]


def answered(name: str, response: httpx.Response) -> tuple[Dialect, BaseException]:
    dialect = open_dialect(name, range(5), 9)
    dialect.instead = response
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the caller says which
        collect(dialect, series(dialect, 0, 5))
    return dialect, caught.value


LIMIT_CASES = [(n, r) for n, each in LIMITED.items() for r in each]


@pytest.mark.parametrize(("name", "response"), LIMIT_CASES, ids=itertools.count())
def test_a_venue_that_wants_us_to_wait_is_understood(name: str, response: httpx.Response) -> None:
    dialect, error = answered(name, response)
    assert isinstance(error, RateLimited)
    penance = response.status_code in {418, 403}
    # A ban, or a wait beyond our patience, is not asked again.
    assert (len(dialect.requests) == 1) == penance


@pytest.mark.parametrize(
    ("name", "response"),
    [
        *((n, r) for n, each in PASSING.items() for r in each),
        *((n, r) for n in DIALECTS for r in DOWN),
    ],
    ids=itertools.count(),
)
def test_a_venue_that_is_unwell_is_asked_again(name: str, response: httpx.Response) -> None:
    dialect, error = answered(name, response)
    assert isinstance(error, SourceUnavailable)
    assert not isinstance(error, RateLimited)
    assert len(dialect.requests) > 3


@EVERY
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 451])
def test_a_refusal_is_final_whatever_its_body_is(name: str, status: int) -> None:
    bodies: list[Any] = ["<h1>no</h1>", '{"a": 1}', "[]", "", '{"code": null}', "\xff"]
    for body in bodies:
        dialect, error = answered(name, httpx.Response(status, text=body))
        assert isinstance(error, SourceRejected)
        assert len(dialect.requests) == 1


# --- bodies


@EVERY
def test_every_cut_of_a_page_is_unavailable(name: str) -> None:
    dialect = open_dialect(name, range(8), 9)
    wanted = series(dialect, 0, 5)
    venue = dialect.make()
    whole = dialect(venue.request(wanted)).content
    for kept in range(len(whole)):
        with pytest.raises(SourceUnavailable):
            venue.parse(whole[:kept], wanted)
    assert venue.parse(whole, wanted).height >= 5


@EVERY
@pytest.mark.parametrize("body", [b"null", b'"x"', b"7", b"[[]]", b'{"a": []}', b"<html></html>"])
def test_a_body_of_another_shape_is_malformed(name: str, body: bytes) -> None:
    dialect = open_dialect(name, range(5), 9)
    if name == "ccxt" and body in {b"[[]]", b'{"a": []}'}:
        return  # it takes what it does not find for nothing; see the next test
    with pytest.raises(SourceMalformed):
        dialect.make().parse(body, series(dialect, 0, 5))


def test_a_page_in_which_ccxt_finds_nothing_is_malformed_where_it_is_long() -> None:
    dialect = open_dialect("ccxt", range(50), 60)
    wanted = series(dialect, 0, 50)
    renamed = dialect(dialect.make().request(wanted)).text.replace('"ohlc"', '"candles"')
    with pytest.raises(SourceMalformed, match="CCXT found no bars in"):
        dialect.make().parse(renamed.encode(), wanted)


VECTORS = ["1_000", "\uff11\uff12", " 1", "1 ", "1,5", "0x10", "", "abc"]


@EVERY
@pytest.mark.parametrize("vector", VECTORS)
def test_a_misprinted_price_is_malformed(name: str, vector: str) -> None:
    dialect = open_dialect(name, range(5), 9)
    wanted = series(dialect, 0, 5)
    page = dialect(dialect.make().request(wanted)).text
    said = numbers(2)["close"]
    quoted, plain = f'"{said}"', f":{said}"
    wrong = page.replace(quoted, json.dumps(vector)).replace(plain, ":" + json.dumps(vector))
    assert wrong != page
    with pytest.raises(SourceMalformed):
        dialect.make().parse(wrong.encode(), wanted)


@EVERY
def test_a_page_that_calls_itself_html_is_malformed(name: str) -> None:
    _, error = answered(name, httpx.Response(200, text="<html>maintenance</html>"))
    assert isinstance(error, SourceMalformed)


@EVERY
def test_bars_of_another_time_are_noticed(name: str) -> None:
    dialect = open_dialect(name, range(5), 9)
    dialect.turned = _year_before
    dialect.market = Market(range(-525_600, -525_590), after(-525_580))
    if name in LATEST:
        assert collect(dialect, series(dialect, 0, 5), now=after(9)).is_empty()
    else:
        with pytest.raises(SourceStalled):
            collect(dialect, series(dialect, 0, 5), now=after(9))


def _is_time(text: str) -> bool:
    return text.isdigit() and len(text) in {10, 13}


def _year_before(params: httpx.QueryParams) -> httpx.QueryParams:
    """Return the same question about a year before: what a wrong cache would answer."""
    year = 365 * 86_400
    units = {13: 1_000, 10: 1}
    return httpx.QueryParams(
        {
            key: str(int(text) - year * units[len(text)]) if _is_time(text) else text
            for key, text in params.items()
        }
    )


TIME = re.compile(r"\b17723\d{5}(?:\d{3})?\b")  # of the minutes after START, in s or ms


@EVERY
@pytest.mark.parametrize("factor", [1_000, 1_000_000])
@pytest.mark.parametrize("count", [0, 1])
def test_times_of_a_finer_unit_are_malformed_in_one_row_and_in_all(
    name: str, factor: int, count: int
) -> None:
    dialect = open_dialect(name, range(5), 9)
    wanted = series(dialect, 0, 5)
    page = dialect(dialect.make().request(wanted)).text
    finer = TIME.sub(lambda found: str(int(found[0]) * factor), page, count=count)
    assert finer != page
    with pytest.raises(SourceMalformed):
        dialect.make().parse(finer.encode(), wanted)


# --- over a real socket


@EVERY
def test_a_venue_is_read_over_a_real_connection(name: str) -> None:
    dialect = open_dialect(name, range(50), 60)
    with served(dialect) as url, httpx.Client() as client:
        venue = dialect.make(url)
        fake = FakeTime()
        pages = fetch(
            venue,
            series(dialect, 10, 40),
            client,
            now=after(60),
            pacer=fake.pacer(),
            retry=fake.retry(),
        )
        assert minutes(pl.concat(pages)) == list(range(10, 40))


# --- times of a coarser unit


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_a_row_whose_time_is_in_seconds_is_never_stored_as_another(name: str) -> None:
    """The unit switches at each of 100 rows; 0 of them are misdated."""
    dialect = open_dialect(name, range(100), 101)
    wanted = series(dialect, 0, 100)
    page = dialect(dialect.make().request(wanted)).text
    times = sorted({found[0] for found in TIME.finditer(page) if found[0].endswith("000")})
    pages = []
    for at, moment in enumerate(times[:100]):
        frame = dialect.make().parse(page.replace(moment, moment[:-3]).encode(), wanted)
        pages.append(frame.with_columns(symbol=pl.lit(f"S{at}-USDT")))
    rows = stamp(pl.concat(pages), source="test", now=dialect.market.now)
    verdict = gate("candles", rows, now=dialect.market.now)
    assert verdict.passed
    assert set(minutes(verdict.accepted)) == set(range(100))
    assert verdict.quarantined.height == 100
    assert set(verdict.reasons) <= {"before_2009", "off_grid"}
