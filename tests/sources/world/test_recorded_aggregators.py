"""Recorded answers of aggregators and routers, beside values found in them in another way."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import polars as pl
import pytest

from core.errors import (
    InvalidInput,
    NightjarError,
    SourceMalformed,
    SourceOutOfReach,
    SourceRejected,
)
from core.market import Span
from sources.base import fetch
from sources.http import Answer, accept
from sources.provider import Wanted, collect
from sources.world.coingecko import CoinGecko
from sources.world.coinmarketcap import CoinMarketCap
from sources.world.cryptocompare import CryptoCompare
from sources.world.dexscreener import DexScreener
from sources.world.jupiter import Jupiter
from tests.sources.fakes import FakeTime
from tests.sources.recordings import Recorded, find

if TYPE_CHECKING:
    from pathlib import Path

    from sources.provider import Provider

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
GECKO = "coingecko/**/*"


def replay(provider: Provider, dataset: str, entry: Recorded, **asked: Any) -> pl.DataFrame:
    """Return what the provider makes of a recorded answer that arrives over HTTP."""
    client = httpx.Client(transport=httpx.MockTransport(lambda _request: entry.answer()))
    time = FakeTime()
    pages = collect(
        provider,
        dataset,
        Wanted(now=NOW, **asked),
        client,
        pacer=time.pacer(),
        retry=time.retry(),
    )
    return pl.concat(pages)


def found(text: bytes, pattern: str) -> list[float]:
    return [float(number) for number in re.findall(pattern, text.decode())]


def ok(entries: list[Recorded], part: str) -> list[Recorded]:
    chosen = [entry for entry in entries if entry.status == 200 and part in entry.url]
    assert chosen
    return chosen


def test_coingecko_prices_of_one_coin(real_data: Path) -> None:
    for entry in ok(find(real_data, f"{GECKO}price*for_one_coin.yml"), "ids=bitcoin&"):
        currency = entry.url.rpartition("=")[2]
        rows = replay(CoinGecko(), "prices", entry, subject=f"BTC-{currency.upper()}")
        assert rows.select("symbol", "time").row(0) == (f"BTC-{currency.upper()}", NOW)
        assert rows["price"].to_list() == found(entry.body, rf'"{currency}":([0-9.]+)')


def test_coingecko_prices_of_several_coins(real_data: Path) -> None:
    (entry,) = find(real_data, f"{GECKO}query_multiple_current_prices.yaml")
    rows = replay(CoinGecko(), "prices", entry, subject="BTC-ETH,DAI-ETH,BNB-ETH")
    assert dict(rows.select("symbol", "price").iter_rows()) == {
        "BNB-ETH": 0.21387074,
        "BTC-ETH": 31.906046,
        "DAI-ETH": 0.0003068,
    }


def test_coingecko_answers_with_fewer_coins_or_currencies_than_asked_for(real_data: Path) -> None:
    (entry,) = find(real_data, f"{GECKO}price_for_multiple_coins.yml")
    rows = replay(CoinGecko(), "prices", entry, subject="BTC-USD,ETH-USD")
    assert rows.select("symbol", "price").rows() == [("BTC-USD", 49_357.0)]
    unknown, _, known = find(real_data, f"{GECKO}btc_to_eth_exchange_rate.yml")
    feed, wanted = CoinGecko().feeds["prices"], Wanted(now=NOW, subject="BTC-ETH")
    assert feed.read(unknown.body, wanted, feed.request(wanted)).rows.is_empty()
    assert replay(CoinGecko(), "prices", known, subject="BTC-ETH")["price"].to_list() == [14.394342]
    (several,) = find(real_data, f"{GECKO}price_for_multiple_coins_in_different_currencies.yml")
    rows = replay(CoinGecko(), "prices", several, subject="BTC-USD,LTC-USD,ETH-USD")
    assert rows["price"].to_list() == found(several.body, r'"usd":([0-9.]+)')


@pytest.mark.parametrize(
    ("cassette", "points", "step"),
    [("daily", 91, timedelta(days=1)), ("minutely", 289, timedelta(minutes=5))],
)
def test_coingecko_history(real_data: Path, cassette: str, points: int, step: timedelta) -> None:
    entry = ok(find(real_data, f"{GECKO}{cassette}_historical_prices*.yml"), "days=")[0]
    rows = replay(CoinGecko(), "prices", entry, subject="BTC-USD", start=NOW, end=NOW)
    series = {
        name: re.findall(r"\[([0-9]+),([0-9.eE+-]+)\]", text)
        for name, text in re.findall(r'"(\w+)":\[(.*?\])\]', entry.body.decode())
    }
    assert abs(rows.height - points) <= 3
    assert rows["price"].to_list() == [float(value) for _, value in series["prices"]]
    assert rows["volume_24h"].to_list() == [float(value) for _, value in series["total_volumes"]]
    assert rows["market_cap"].to_list() == [float(value) for _, value in series["market_caps"]]
    assert [str(int(t.timestamp() * 1_000 + 0.5)) for t in rows["time"]] == [
        at for at, _ in series["prices"]
    ]
    assert rows["time"].diff().median() == pytest.approx(step, rel=0.02)


@pytest.mark.parametrize(
    ("cassette", "price", "cap"),
    [
        ("data_for_a_coin", 49_053.0, 917_825_524_991.0),
        ("data_for_a_coin_in_myr", 202_369.0, 3_786_489_203_349.0),
        ("data_for_multiple_coins_in_eth", 12.666344, 236_997_829.0),
    ],
)
def test_coingecko_coins_by_size(real_data: Path, cassette: str, price: float, cap: float) -> None:
    entry = ok(find(real_data, f"{GECKO}market_{cassette}.yml"), "vs_currency=")[0]
    rows = replay(CoinGecko(), "listings", entry)
    first = rows.row(0, named=True)
    assert (first["asset_id"], first["asset"], first["rank"]) == ("bitcoin", "BTC", 1)
    assert (first["price"], first["market_cap"]) == (price, cap)
    # A coin's worth times their number is what all are worth, but for what moved between.
    assert first["price"] * first["circulating_supply"] == pytest.approx(cap, rel=1e-3)
    percent = found(entry.body, r'"price_change_percentage_24h":([0-9.-]+)')
    assert rows["change_24h"].to_list() == pytest.approx([p / 100 for p in percent])
    assert first["time"].strftime("%a, %d %b %Y") == entry.headers["Date"][:16]


def test_coingecko_one_coin_now_and_on_a_day(real_data: Path) -> None:
    (now,) = find(real_data, f"{GECKO}complete_current_data.yml")
    row = replay(CoinGecko(), "listings", now, subject="BTC").row(0, named=True)
    assert (row["price"], row["market_cap"], row["rank"]) == (49_007.0, 916_703_120_772.0, 1)
    assert row["change_1h"] == pytest.approx(-0.0134633)
    assert row["change_7d"] == pytest.approx(-0.1456457)
    assert row["time"] == datetime(2021, 5, 15, 15, 58, 12, 266_000, tzinfo=UTC)
    day = ok(find(real_data, f"{GECKO}previous_date.yml"), "date=30-12-2017")[0]
    start = datetime(2017, 12, 30, tzinfo=UTC)
    asked = {"subject": "BTC", "start": start, "end": start + timedelta(days=1)}
    row = replay(CoinGecko(), "listings", day, **asked).row(0, named=True)
    assert (row["price"], row["market_cap"]) == (13_620.3618741461, 228_445_816_988.881)
    assert (row["time"], row["volume_24h"]) == (start, 3_600_481_281.03768)


def test_coingecko_a_coin_without_market_data_is_no_row(real_data: Path) -> None:
    for entry in find(real_data, f"{GECKO}test_asset_data.yaml"):
        feed, wanted = CoinGecko().feeds["listings"], Wanted(now=NOW, subject="BTC")
        assert feed.read(entry.body, wanted, feed.request(wanted)).rows.is_empty()


@pytest.mark.parametrize(
    ("cassette", "subject"),
    [
        ("a_coins_tickers", "BTC"),
        ("a_coins_complete_current_data", "BTC"),
        ("exchange_tickers_from_an_exchange", "binance"),
        ("complete_data_for_an_exchange", "binance"),
    ],
)
def test_coingecko_tickers(real_data: Path, cassette: str, subject: str) -> None:
    (entry,) = find(real_data, f"{GECKO}{cassette}.yml")
    feed, wanted = CoinGecko().feeds["tickers"], Wanted(now=NOW, subject=subject)
    page = feed.read(entry.body, wanted, feed.request(wanted))
    told = [one for one in entry.json()["tickers"] if not one["is_stale"] | one["is_anomaly"]]
    named = [one for one in told if re.fullmatch("[A-Z0-9]+", one["base"] + one["target"])]
    assert page.rows["last"].to_list() == [one["last"] for one in named]
    assert page.rows["volume_24h"].to_list() == [one["volume"] for one in named]
    assert set(page.rows["venue"]).isdisjoint({"gdax", "huobi", "okex"})
    assert page.rows["time"].dt.year().unique().to_list() == [2021]
    assert page.following is not None  # each of these pages is full
    assert "page=2" in str(page.following.url)


def test_coingecko_tickers_of_one_market_agree(real_data: Path) -> None:
    (entry,) = find(real_data, f"{GECKO}a_coins_tickers.yml")
    feed, wanted = CoinGecko().feeds["tickers"], Wanted(now=NOW, subject="BTC")
    rows = feed.read(entry.body, wanted, feed.request(wanted)).rows
    dollars = rows.filter(pl.col("symbol").is_in(["BTC-USD", "BTC-USDT", "BTC-USDC"]))
    assert dollars["venue"].n_unique() > 10
    middle = dollars["last"].median()
    assert (dollars["last"] / middle - 1).is_between(-0.02, 0.02).all()


def test_coingecko_finds_a_coin_that_has_its_ticker_alone(real_data: Path) -> None:
    (entry,) = find(real_data, f"{GECKO}list_supported_coins.yml")
    feed = CoinGecko().feeds["prices"]
    tickers = re.findall(r'"symbol":"(.*?)"', entry.body.decode())
    assert len(tickers) > 7_000
    wanted = Wanted(now=NOW, subject="ZOC-USD")
    asking = feed.read(entry.body, wanted, feed.request(wanted)).following
    assert asking is not None
    assert asking.url.params["ids"] == "01coin"
    assert tickers.count("hot") > 1
    for subject in ("HOT-USD", "NOSUCHCOIN-USD"):
        wanted = Wanted(now=NOW, subject=subject)
        with pytest.raises(InvalidInput, match="expected a ticker of one coin"):
            feed.read(entry.body, wanted, feed.request(wanted))


def test_coingecko_errors_are_refusals_in_its_own_words(real_data: Path) -> None:
    errors = [entry for entry in find(real_data, "coingecko/**/*.yml") if entry.status != 200]
    assert {entry.status for entry in errors} >= {422}
    for entry in errors:
        with pytest.raises(NightjarError) as caught:
            accept_recorded(entry, CoinGecko())
        assert isinstance(caught.value, SourceRejected) == (entry.status < 500)
        assert entry.status >= 500 or entry.json()["error"] in str(caught.value)


def accept_recorded(entry: Recorded, provider: Provider) -> bytes:

    answer = Answer(entry.status, httpx.Headers(), entry.body)
    return accept(answer, provider.name, provider.explain)


def test_no_feed_reads_the_answer_to_another_question(real_data: Path) -> None:
    entries = [e for e in find(real_data, "coingecko/**/*.y*ml") if e.status == 200]
    other = ("exchanges/list", "categories", "asset_platforms")
    strange = [e for e in entries if any(part in e.url for part in other)]
    assert len(strange) >= 4
    for name, feed in CoinGecko().feeds.items():
        wanted = Wanted(now=NOW, subject=None if name == "listings" else "BTC-USD"[:3])
        wanted = Wanted(now=NOW, subject="BTC-USD") if name == "prices" else wanted
        for entry in strange:
            with pytest.raises(SourceMalformed):
                feed.read(entry.body, wanted, feed.request(wanted))


def test_coinmarketcap_listings(real_data: Path) -> None:
    (path,) = (real_data / "wire" / "coinmarketcap").rglob("*.py")
    body = ast.literal_eval(path.read_text().partition("=")[2].strip()).encode()
    feed, wanted = CoinMarketCap().feeds["listings"], Wanted(now=NOW)
    rows = feed.read(body, wanted, feed.request(wanted)).rows
    assert rows.select("asset_id", "asset", "name", "rank").rows() == [
        ("1", "BTC", "Bitcoin", 1),
        ("52", "XRP", "XRP", 2),
        ("1027", "ETH", "Ethereum", 3),
    ]
    assert rows["price"].to_list() == found(body, r'"price": ([0-9.]+)')
    assert rows["change_1h"].to_list() == pytest.approx(
        [p / 100 for p in found(body, r'"percent_change_1h": ([0-9.-]+)')]
    )
    assert rows["max_supply"].to_list() == [21e6, 1e11, None]
    worth = rows["price"] * rows["circulating_supply"]
    assert (worth / rows["market_cap"] - 1).is_between(-1e-9, 1e-9).all()
    assert rows["listed_at"].to_list()[0] == datetime(2013, 4, 28, tzinfo=UTC)
    assert rows["time"].to_list()[1] == datetime(2019, 2, 8, 12, 28, 4, tzinfo=UTC)


HOURS = "cryptocompare/**/test_cryptocompare_histohour*.yaml"


def test_cryptocompare_bars(real_data: Path) -> None:
    for entry in ok(find(real_data, HOURS), "historical/hours"):
        query = httpx.URL(entry.url).params
        until = datetime.fromtimestamp(int(query["to_ts"]), UTC)
        hours = len(re.findall(rb'"TIMESTAMP":', entry.body))
        start = until - timedelta(hours=hours - 1)
        span = Span("cryptocompare", "BTC-USD", "1h", start, until + timedelta(hours=1))
        venue = CryptoCompare()
        request = venue.request(span)
        assert request.url.path == httpx.URL(entry.url).path
        for name in ("market", "instrument", "to_ts"):
            assert request.url.params[name] == query[name]
        rows = venue.parse(entry.body, span)
        assert rows["open_time"].to_list() == [start + n * timedelta(hours=1) for n in range(hours)]
        for name in ("open", "high", "low", "close", "volume", "quote_volume"):
            texts = re.findall(rf'"{name.upper()}":([0-9.eE+-]+)'.encode(), entry.body)
            assert rows[name].to_list() == [float(text) for text in texts]
        assert rows["trades"].null_count() == rows.height  # an index counts none
        quiet = rows.filter(pl.col("volume") == 0)
        assert (quiet["high"] == quiet["low"]).all()


def test_cryptocompare_pages_of_a_day_arrive_through_the_loop(real_data: Path) -> None:
    entry = max(ok(find(real_data, HOURS), "historical/hours"), key=lambda e: len(e.body))
    query = httpx.URL(entry.url).params
    until = datetime.fromtimestamp(int(query["to_ts"]), UTC) + timedelta(hours=1)
    span = Span("cryptocompare", "BTC-USD", "1h", until - timedelta(hours=2_000), until)
    client = httpx.Client(transport=httpx.MockTransport(lambda _request: entry.answer()))
    time = FakeTime()
    pages = list(
        fetch(CryptoCompare(), span, client, now=NOW, pacer=time.pacer(), retry=time.retry())
    )
    assert [page.height for page in pages] == [2_000]
    assert set(pages[0]["source"]) == {"cryptocompare:rest"}


def test_cryptocompare_before_the_first_bar_there_is_none(real_data: Path) -> None:
    (entry,) = [one for one in find(real_data, HOURS) if one.status == 404]
    with pytest.raises(SourceOutOfReach, match="nothing before 2010-07-17T00:00:00Z") as caught:
        accept_recorded(entry, CryptoCompare())
    first = caught.value.earliest
    assert str(int(first.timestamp())).encode() in entry.body
    span = Span("cryptocompare", "BTC-USD", "1h", first - timedelta(hours=9), first)
    client = httpx.Client(transport=httpx.MockTransport(lambda _request: entry.answer()))
    time = FakeTime()
    pages = fetch(CryptoCompare(), span, client, now=NOW, pacer=time.pacer(), retry=time.retry())
    assert list(pages) == []


@pytest.mark.parametrize(
    ("cassette", "subject"),
    [
        ("", "BTC-ETH,DAI-ETH,BNB-ETH"),
        ("_handles_exceptions", "BTC-USD,DAI-USD,ETH-USD,BTC-USD"),
        ("_handles_special_case_exceptions", "BTC-USD,DAI-USD"),
    ],
)
def test_cryptocompare_prices(real_data: Path, cassette: str, subject: str) -> None:
    (entry,) = find(
        real_data, f"cryptocompare/**/test_query_multiple_current_prices{cassette}.yaml"
    )
    rows = replay(CryptoCompare(), "prices", entry, subject=subject)
    quote = subject.rpartition("-")[2]
    told = re.findall(rf'"(\w+)":\{{"{quote}":([0-9.]+)\}}', entry.body.decode())
    assert dict(rows.select("symbol", "price").iter_rows()) == {
        f"{base}-{quote}": float(price) for base, price in told
    }


def test_cryptocompare_one_price(real_data: Path) -> None:
    entry = ok(find(real_data, "defillama/**/*.yaml"), "cryptocompare.com/data/price")[0]
    rows = replay(CryptoCompare(), "prices", entry, subject="USD-ETH")
    assert rows.select("symbol", "price").rows() == [("USD-ETH", 0.0004437)]


def test_dexscreener_pools(real_data: Path) -> None:
    (path,) = (real_data / "wire" / "dexscreener").rglob("*.json")
    body = path.read_bytes()
    feed, wanted = DexScreener().feeds["dex_pairs"], Wanted(now=NOW, subject="pump")
    rows = feed.read(body, wanted, feed.request(wanted)).rows
    assert rows["base"].to_list() == ["STONK", "Gemini", "KYS"]
    assert rows["price"].to_list() == found(body, r'"priceNative": "([0-9.]+)"')
    assert rows["price_usd"].to_list() == found(body, r'"priceUsd": "([0-9.]+)"')
    assert rows["liquidity_usd"].to_list() == [52_239.46, 86_766.09, None]
    assert rows["buys_24h"].to_list() == [3_578, 8_691, 669]
    # The quote token of all three is SOL, so that both prices tell the same price of SOL.
    sol = rows["price_usd"] / rows["price"]
    assert (sol / sol[0] - 1).is_between(-2e-3, 2e-3).all()
    assert rows["created_at"].dt.epoch("ms").to_list() == found(body, r'"pairCreatedAt": ([0-9]+)')


def test_jupiter_quote(real_data: Path) -> None:
    (path,) = (real_data / "wire" / "jupiter").rglob("jupiter_quote.json")
    entry = Recorded("GET", "", "", 200, {"content-type": "application/json"}, path.read_bytes())
    row = replay(Jupiter(), "dex_quotes", entry, subject="1 SOL-USDC").row(0, named=True)
    assert (row["input_amount"], row["output_amount"]) == ("1000000000", "91103528")
    assert Decimal(str(row["price"])) == Decimal("91.103528")
    assert row["route"] == ["Scorch", "Deriverse"]
    assert (row["price_impact"], row["slot"]) == (0.0, 440_657_285)
    # What it says the swap is worth in USD is near what it gives in USDC.
    assert row["price"] == pytest.approx(
        found(entry.body, r'"swapUsdValue":"([0-9.]+)"')[0], rel=1e-3
    )
    for other in ("2 SOL-USDC", "1 SOL-USDT", "1 USDC-SOL"):
        with pytest.raises(SourceMalformed, match="expected a quote of"):
            replay(Jupiter(), "dex_quotes", entry, subject=other)


def test_jupiter_positions_are_no_answer_to_what_we_ask(real_data: Path) -> None:
    (entry,) = find(real_data, "jupiter/**/*.yaml")
    for dataset, subject in (("dex_quotes", "1 SOL-USDC"), ("prices", "SOL-USD")):
        with pytest.raises(SourceMalformed):
            replay(Jupiter(), dataset, entry, subject=subject)
