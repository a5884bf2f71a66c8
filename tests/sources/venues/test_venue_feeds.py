"""What venues say beside bars: the documented answers read, and everything else refused."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest

from core.datasets import dataset_named
from core.errors import NightjarError, SourceMalformed, SourceRejected, SourceUnavailable
from expectations.gate import gate
from sources.provider import Wanted, collect, stamped
from sources.registry import SOURCES
from sources.venues.binance_perp import BinancePerp
from sources.venues.bybit_perp import BybitPerp
from sources.venues.okx_perp import OkxPerp
from tests.sources.fakes import NOW, FakeTime, millis
from tests.sources.venues.answers import SAMPLES, URL, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def named(sample: Sample) -> str:
    return f"{sample.venue(URL).name} {sample.dataset}"


EACH = pytest.mark.parametrize("sample", SAMPLES, ids=named)
Path = tuple[str | int, ...]


def wanted_of(sample: Sample) -> Wanted:
    return Wanted(now=NOW, subject=sample.subject, start=sample.start)


def read(sample: Sample, answer: Any) -> pl.DataFrame:
    """Return an answer's rows as its dataset declares them."""
    venue, wanted = sample.venue(URL), wanted_of(sample)
    feed = venue.feeds[sample.dataset]
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    rows = feed.read(body, wanted, feed.request(wanted)).rows
    return stamped(sample.dataset, rows, source=f"{venue.name}:rest", now=NOW)


def leaves(answer: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every field and every number of an answer."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(answer, dict):
        items = iter(answer.items())
    elif isinstance(answer, list):
        items = iter(enumerate(answer))
    for key, value in items:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def changed(answer: Any, path: Path, change: Callable[[Any, str | int], None]) -> Any:
    """Return a copy in which `change` was done to what holds the last step of a path."""
    made = copy.deepcopy(answer)
    place = made
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return made


def put(value: Any) -> Callable[[Any, str | int], None]:
    return lambda place, key: place.__setitem__(key, value)


def drop(place: Any, key: str | int) -> None:
    del place[key]


# --- what is documented


@EACH
def test_a_documented_answer_is_read(sample: Sample) -> None:
    frame = read(sample, sample.answer)
    if sample.row:
        row = frame.row(0, named=True)
        assert {name: row[name] for name in sample.row} == sample.row
        assert row["venue"] == sample.row.get("venue", sample.venue(URL).name)


@EACH
def test_what_is_documented_passes_the_gate(sample: Sample) -> None:
    verdict = gate(sample.dataset, read(sample, sample.answer), now=NOW)
    assert verdict.passed
    assert verdict.quarantined.is_empty()
    assert verdict.warnings == {}


def test_every_feed_of_every_venue_has_a_sample() -> None:
    venues = {sample.venue(URL).name for sample in SAMPLES}
    expected = {(name, each) for name in venues for each in SOURCES[name].gives}
    sampled = {(sample.venue(URL).name, sample.dataset) for sample in SAMPLES}
    assert sampled == {pair for pair in expected if pair[1] != "candles"}


@EACH
def test_fields_that_we_do_not_know_are_no_matter(sample: Sample) -> None:
    before = read(sample, sample.answer)
    for path in leaves(sample.answer):
        place = sample.answer
        for step in path:
            place = place[step]
        if isinstance(place, dict) and not _names_markets(place):
            more = changed(sample.answer, path, lambda p, k: p[k].update({"brand_new": [1]}))
            assert read(sample, more).equals(before)


def _names_markets(place: dict[str, Any]) -> bool:
    """Whether an object's names are markets: then a new one is another market."""
    return any(name.startswith("XBT") for name in place)


# --- what is not


@EACH
def test_a_field_that_is_gone_is_an_error_or_was_none_of_ours(sample: Sample) -> None:
    """Never a null in silence: what the rows were made of is missed."""
    before = read(sample, sample.answer)
    fields = [path for path in leaves(sample.answer) if isinstance(path[-1], str)]
    missed = 0
    for path in fields:
        try:
            after = read(sample, changed(sample.answer, path, drop))
        except (SourceMalformed, SourceRejected):
            missed += 1
        else:
            assert path[-1] in sample.optional or after.equals(before), path
    assert missed


TYPES: list[Any] = [None, True, "text", "", [], {}, [1], {"a": 1}, 1.5e300, 2**70, -(2**70)]


@EACH
def test_a_value_of_another_type_is_an_error_or_was_none_of_ours(sample: Sample) -> None:
    """Or the gate holds it back, or it is true that the venue said nothing."""
    before = read(sample, sample.answer)
    kept = []
    for path, value in itertools.product(leaves(sample.answer), TYPES):
        with contextlib.suppress(SourceMalformed, SourceRejected, SourceUnavailable):
            after = read(sample, changed(sample.answer, path, put(value)))
            after.match_to_schema(dataset_named(sample.dataset).schema)
            if not after.equals(before):
                kept.append(after.with_columns(source=pl.lit(f"{path} {value!r}")))
    _none_lies(sample, _accepted(sample, kept))


VECTORS = [
    "NaN", "Infinity", "-Infinity", "inf", "1e999", "-1e999", "1_000", "\uff11\uff12", "-0", "0",
    "-1", "-100.5", "1,5", "1.5.5", "0x10", " 1", "1 ", "+", "-", "e5", "1e", "--1", "1e-999", "",
    "null", "True", "١٢", "1\n",
]  # fmt: skip


@EACH
def test_no_misprinted_number_is_accepted(sample: Sample) -> None:
    """28 misprints in each number: refused by the reader, held back by the gate, or as read."""
    numbers = [path for path in leaves(sample.answer) if _is_number_text(sample.answer, path)]
    rows = []
    for path in numbers:
        for vector in VECTORS:
            # Rejected is a code that is not the one for all is well.
            with contextlib.suppress(SourceMalformed, SourceRejected):
                frame = read(sample, changed(sample.answer, path, put(vector)))
                rows.append(frame.with_columns(source=pl.lit(f"{path} {vector!r}")))
    _none_lies(sample, _accepted(sample, rows))


def _none_lies(sample: Sample, accepted: pl.DataFrame) -> None:
    """Check that what the gate let through says what the venue says, less, or what it renamed."""
    true = read(sample, sample.answer).row(0, named=True)
    for row in accepted.to_dicts():
        for name, value in row.items():
            lies = value != true[name] and not _is_harmless(name, value, true[name])
            assert not lies, (row["source"], name, value)


def _is_number_text(answer: Any, path: Path) -> bool:
    for step in path:
        answer = answer[step]
    return isinstance(answer, str) and answer.replace(".", "", 1).replace("-", "", 1).isdigit()


NAMES = {"source", "ingested_at", "native", "trade_id", "message", "status", "side"}
MAY_BE_ZERO = {
    *("bid_size", "ask_size", "volume_24h", "quote_volume_24h", "min_amount", "min_notional"),
    *("amount", "value", "sequence", "rate"),
}


def _is_harmless(name: str, value: Any, true: Any) -> bool:
    """What may differ: nothing, a zero where zero may be, a name, a word, a shorter book."""
    if value is None or value == NOW:
        return True  # a time that is not said is that of the answer
    if name in NAMES or (name in MAY_BE_ZERO and value == 0):
        return True
    if name == "rate":
        return bool(abs(value) <= 0.1)  # no one can tell that the venue meant another
    if isinstance(value, list):
        return len(value) < len(true)
    return isinstance(value, float) and value in {1.0, 2.0}  # a JSON number that is a price


def _accepted(sample: Sample, rows: list[pl.DataFrame]) -> pl.DataFrame:
    """Judge rows of one key together: each gets a venue of its own."""
    declared = dataset_named(sample.dataset)
    rows = [frame for frame in rows if not frame.is_empty()]
    if not rows:
        return declared.empty()
    numbered = [
        frame.head(1).with_columns(
            *[pl.lit(f"v{at}").alias("venue")] if "venue" in declared.columns else []
        )
        for at, frame in enumerate(rows)
    ]
    batch = pl.concat(numbered)
    if sample.dataset == "instruments" and batch["kind"][0] == "perpetual":
        batch = batch.with_columns(pl.col("venue") + "_perp")
    verdict = gate(sample.dataset, batch, now=NOW)
    # Most rows are wrong, so that the batch is refused; what would go on is what is not held back.
    accepted = batch.join(verdict.quarantined, on="venue", how="anti")
    return accepted.with_columns(venue=pl.lit(sample.venue(URL).name))


@EACH
def test_every_cut_of_an_answer_is_unavailable(sample: Sample) -> None:
    whole = json.dumps(sample.answer).encode()
    for kept in range(0, len(whole), 7):
        with pytest.raises(SourceUnavailable):
            read(sample, whole[:kept])


@EACH
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_another_encoding_is_malformed_or_cut(sample: Sample, encoding: str) -> None:
    with pytest.raises((SourceMalformed, SourceUnavailable)):
        read(sample, json.dumps(sample.answer).encode(encoding))


ABOUT = [s for s in SAMPLES if s.subject and "BTC" in json.dumps(s.answer)]


@pytest.mark.parametrize("sample", ABOUT, ids=named)
def test_an_answer_about_another_market_is_malformed(sample: Sample) -> None:
    text = json.dumps(sample.answer)
    other = text.replace("BTC", "ETH").replace("btc", "eth")
    if sample.venue(URL).name == "kraken":
        return  # it names its markets in more than one way
    with pytest.raises(SourceMalformed, match="ETH"):
        read(sample, other.encode())


# --- asking


@EACH
def test_a_feed_asks_its_venue_for_the_market_that_is_wanted(sample: Sample) -> None:
    request = sample.venue(URL).feeds[sample.dataset].request(wanted_of(sample))
    assert str(request.url).startswith(f"{URL}/")
    assert request.method == "GET"
    if sample.subject:
        asked = str(request.url).upper().replace("XBT", "BTC").replace("-", "")
        assert "BTCUSDT" in asked


@EACH
def test_a_feed_of_one_market_refuses_to_ask_about_none(sample: Sample) -> None:
    feed = sample.venue(URL).feeds[sample.dataset]
    if sample.subject and "nothing for all" not in feed.subjects:
        with pytest.raises(NightjarError, match="expected a symbol such as BTC-USDT"):
            feed.request(Wanted(now=NOW))
        with pytest.raises(NightjarError, match="expected a symbol"):
            feed.request(Wanted(now=NOW, subject="../etc"))


# --- histories of more than a page

HOUR = timedelta(hours=1)


class History:
    """A venue's funding rates or open interest, every hour before NOW."""

    def __init__(self, hours: int, page: int) -> None:
        self.times = [millis(NOW - n * HOUR) for n in range(1, hours + 1)]
        self.page = page
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        params, path = request.url.params, request.url.path
        return httpx.Response(200, json=ANSWERS[path](self, params))

    def newest(self, first: int, last: int) -> list[int]:
        return [t for t in self.times if first <= t <= last][: self.page]


def _binance_rates(history: History, params: httpx.QueryParams) -> Any:
    every = [t for t in history.times if int(params["startTime"]) <= t <= int(params["endTime"])]
    oldest = sorted(every)[: int(params["limit"])]
    return [
        {"symbol": params["symbol"], "fundingRate": "0.0001", "fundingTime": t, "markPrice": ""}
        for t in oldest
    ]


def _bybit_rates(history: History, params: httpx.QueryParams) -> Any:
    history.page = int(params["limit"])
    found = history.newest(int(params["startTime"]), int(params["endTime"]))
    rates = [
        {"symbol": params["symbol"], "fundingRate": "0.0001", "fundingRateTimestamp": str(t)}
        for t in found
    ]
    return {"retCode": 0, "retMsg": "OK", "result": {"list": rates}, "time": millis(NOW)}


def _bybit_interest(history: History, params: httpx.QueryParams) -> Any:
    every = [t for t in history.times if int(params["startTime"]) <= t <= int(params["endTime"])]
    at = int(params.get("cursor") or 0)
    page = every[at : at + int(params["limit"])]
    more = at + len(page)
    rows = [{"openInterest": "7.5", "timestamp": str(t)} for t in page]
    result = {
        "symbol": params["symbol"],
        "list": rows,
        "nextPageCursor": str(more) if more < len(every) else "",
    }
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": millis(NOW)}


def _okx_rates(history: History, params: httpx.QueryParams) -> Any:
    history.page = int(params["limit"])
    after, before = int(params.get("after") or 10**15), int(params.get("before") or 0)
    found = history.newest(before + 1, after - 1)
    return {
        "code": "0",
        "data": [
            {"instId": params["instId"], "fundingTime": str(t), "realizedRate": "0.0001"}
            for t in found
        ],
    }


def _binance_interest(history: History, params: httpx.QueryParams) -> Any:
    first, last = int(params["startTime"]), int(params["endTime"])
    assert last - first < 500 * 300_000
    return [
        {
            "symbol": params["symbol"],
            "sumOpenInterest": "7.5",
            "sumOpenInterestValue": "1.5",
            "timestamp": t,
        }
        for t in sorted(history.times)
        if first <= t <= last
    ]


ANSWERS: dict[str, Callable[[History, httpx.QueryParams], Any]] = {
    "/fapi/v1/fundingRate": _binance_rates,
    "/futures/data/openInterestHist": _binance_interest,
    "/v5/market/funding/history": _bybit_rates,
    "/v5/market/open-interest": _bybit_interest,
    "/api/v5/public/funding-rate-history": _okx_rates,
}


@pytest.mark.parametrize("hours", [0, 1, 100, 200, 450, 1_000, 1_001])
@pytest.mark.parametrize(
    ("venue", "dataset"),
    [
        (BinancePerp, "funding_rates"),
        (BinancePerp, "open_interest"),
        (BybitPerp, "funding_rates"),
        (BybitPerp, "open_interest"),
        (OkxPerp, "funding_rates"),
    ],
)
def test_a_history_is_had_whole_and_each_row_once(
    venue: type[Any], dataset: str, hours: int
) -> None:
    history, fake = History(hours, 10_000), FakeTime()
    wanted = Wanted(now=NOW, subject="BTC-USDT", start=NOW - (hours + 1) * HOUR, end=NOW)
    with httpx.Client(transport=httpx.MockTransport(history)) as client:
        pages = collect(venue(URL), dataset, wanted, client, pacer=fake.pacer(), retry=fake.retry())
        found = pl.concat([dataset_named(dataset).empty(), *pages])
    times = found[dataset_named(dataset).time_column].to_list()
    assert sorted(millis(moment) for moment in times) == sorted(history.times)
    assert history.requests <= hours // 100 + 2 + hours // 41
