"""What venues really sent, read by their files and checked against the recording read otherwise."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.errors import SourceMalformed, SourceUnavailable
from core.market import Span
from expectations.gate import gate
from sources.provider import Wanted, stamped
from sources.venues.binance import Binance
from sources.venues.coinbase import Coinbase
from sources.venues.htx import Htx, Levels, book_rows
from sources.venues.kraken import Kraken
from sources.venues.kucoin import KuCoin
from sources.venues.okx import Okx
from sources.venues.okx_perp import OkxPerp
from tests.sources.recordings import find
from tests.sources.venues.frames import Line, bodies, lines

if TYPE_CHECKING:
    from pathlib import Path

SLICES = "wire_dev_slices"
RUST = "nautechsystems+nautilus_trader/a95c8042/crates/adapters"


def read(
    venue: Any, dataset: str, body: bytes, now: datetime, subject: str | None = None
) -> pl.DataFrame:
    """Return an answer's rows as the dataset declares them, after the gate has passed them."""
    wanted = Wanted(now=now, subject=subject)
    feed = venue.feeds[dataset]
    rows = feed.read(body, wanted, feed.request(wanted)).rows
    frame = stamped(dataset, rows, source="recording", now=now)
    verdict = gate(dataset, frame, now=now)
    assert verdict.passed, verdict.reason
    assert verdict.quarantined.is_empty(), verdict.reasons
    return frame


def slice_of(real_data: Path, venue: str) -> Path:
    return real_data / SLICES / f"{venue}.first_half.jsonl.zst"


def only(found: dict[str, Line], part: str) -> Line:
    return next(line for url, line in found.items() if part in url)


# --- bars


def span(venue: str, symbol: str, interval: str, first: int, bars: int) -> Span:
    start = datetime.fromtimestamp(first, UTC)
    step = {"1m": timedelta(minutes=1), "1h": timedelta(hours=1)}[interval]
    return Span(venue, symbol, interval, start, start + bars * step)


def test_coinbase_bars_are_those_recorded(real_data: Path) -> None:
    body = (
        real_data / "wire/coinbase" / RUST / "coinbase/test_data/http_candles.json"
    ).read_bytes()
    said = json.loads(body)["candles"]
    wanted = span("coinbase", "BTC-USD", "1h", 1_712_188_800, 2)
    found = Coinbase().parse(body, wanted).to_dicts()
    assert [int(bar["open_time"].timestamp()) for bar in found] == [int(b["start"]) for b in said]
    for bar, theirs in zip(found, said, strict=True):
        for name in ("open", "high", "low", "close", "volume"):
            assert bar[name] == float(theirs[name])


def test_kraken_bars_are_those_recorded_but_for_the_one_that_forms(real_data: Path) -> None:
    body = (real_data / "wire/kraken" / RUST / "kraken/test_data/http_ohlc.json").read_bytes()
    result = json.loads(body)["result"]
    said, last = result["XBTUSDT"], result["last"]
    wanted = span("kraken", "BTC-USDT", "1m", said[0][0], len(said))
    found = Kraken().parse(body, wanted)
    assert said[-1][0] == last + 60  # the recording ends with a bar that still forms
    assert found.height == len(said) - 1 == 719 + (len(said) - 720)
    for bar, theirs in zip(found.to_dicts(), said, strict=False):
        assert int(bar["open_time"].timestamp()) == theirs[0]
        prices = [bar[name] for name in ("open", "high", "low", "close", "volume")]
        assert prices == [float(theirs[at]) for at in (1, 2, 3, 4, 6)]
        assert bar["trades"] == theirs[7]
    steps = found["open_time"].diff().drop_nulls().unique().to_list()
    assert steps == [timedelta(minutes=1)]  # every minute is there, also without a trade
    assert found.filter(pl.col("trades") == 0)["volume"].sum() == 0.0


def test_okx_bars_that_say_they_still_form_are_not_kept(real_data: Path) -> None:
    body = (real_data / "wire/okx" / RUST / "okx/test_data/http_get_candlesticks.json").read_bytes()
    said = json.loads(body)
    wanted = span("okx", "BTC-USDT", "1m", 1_625_097_600, 2)
    assert {row[8] for row in said["data"]} == {"0"}
    assert Okx().parse(body, wanted).is_empty()
    for row in said["data"]:
        row[8] = "1"
    found = Okx().parse(json.dumps(said).encode(), wanted).to_dicts()
    for bar, theirs in zip(found, said["data"], strict=True):
        assert int(bar["open_time"].timestamp() * 1_000) == int(theirs[0])
        prices = [bar[name] for name in ("open", "high", "low", "close", "volume", "quote_volume")]
        assert prices == [float(theirs[at]) for at in (1, 2, 3, 4, 5, 7)]


# --- markets


def test_coinbase_ticker_and_trades_are_those_recorded(real_data: Path) -> None:
    body = (real_data / "wire/coinbase" / RUST / "coinbase/test_data/http_ticker.json").read_bytes()
    said = json.loads(body)
    now = datetime(2026, 4, 7, 0, 29, tzinfo=UTC)
    ticker = read(Coinbase(), "tickers", body, now, "BTC-USD").row(0, named=True)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (68923.66, 68923.67, 68923.67)
    trades = read(Coinbase(), "market_trades", body, now, "BTC-USD").to_dicts()
    for trade, theirs in zip(trades, said["trades"], strict=True):
        assert trade["trade_id"] == theirs["trade_id"]
        assert (trade["price"], trade["amount"]) == (float(theirs["price"]), float(theirs["size"]))
        assert trade["side"] == {"BUY": "sell", "SELL": "buy"}[theirs["side"]]
        assert trade["time"] == datetime.fromisoformat(theirs["time"])
    # The newest trades are at the best ask that stands beside them: takers bought.
    assert [trade["side"] for trade in trades if trade["price"] == ticker["ask"]] == ["buy", "buy"]


def _coinbase_products(real_data: Path) -> list[tuple[bytes, datetime]]:
    path = real_data / "wire/coinbase" / RUST / "coinbase/test_data/http_products.json"
    slice_ = only(bodies(slice_of(real_data, "COINBASE")), "/products")
    return [
        (path.read_bytes(), datetime(2026, 4, 7, tzinfo=UTC)),
        (slice_.text.encode(), slice_.at),
    ]


def test_coinbase_products_are_those_recorded(real_data: Path) -> None:
    for body, now in _coinbase_products(real_data):
        said = {p["product_id"]: p for p in json.loads(body)["products"]}
        found = {row["symbol"]: row for row in _instruments(Coinbase(), body, now)}
        assert set(said) - set(found) == {name for name in said if not _is_plain(name)}
        for name, row in found.items():
            theirs = said[name]
            assert row["native"] == name
            assert row["tick_size"] == float(theirs["price_increment"])
            assert row["lot_size"] == float(theirs["base_increment"])
            assert row["min_notional"] == float(theirs["quote_min_size"])
            assert (row["status"] == "delisted") == (theirs["status"] == "delisted")


def _is_plain(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Z0-9]+-[A-Z0-9]+", name))


def _instruments(venue: Any, body: bytes, now: datetime) -> list[dict[str, Any]]:
    """Read instruments; doubles and rows that the gate holds back fail the test."""
    return read(venue, "instruments", body, now).to_dicts()


def test_krakens_tickers_of_all_markets_are_those_recorded(real_data: Path) -> None:
    (tape,) = find(real_data, "kraken/rotki*/*/cassettes/external_apis/test_kraken/*.yaml")
    said = tape.json()["result"]
    now = datetime(2026, 6, 24, 14, 57, 19, tzinfo=UTC)
    wanted = Wanted(now=now)
    feed = Kraken().feeds["tickers"]
    assert str(feed.request(wanted).url) == tape.url
    found = feed.read(tape.body, wanted, feed.request(wanted)).rows
    named = {name.replace("/", "-"): quote for name, quote in said.items()}
    assert found.height > 1_000
    for row in found.to_dicts():
        theirs = named[row["symbol"]]
        assert (row["last"], row["bid"], row["ask"]) == tuple(
            float(theirs[key][0]) for key in ("c", "b", "a")
        )
        assert (row["high_24h"], row["low_24h"], row["volume_24h"]) == tuple(
            float(theirs[key][1]) for key in ("h", "l", "v")
        )
    left_out = {name for name in named if name not in set(found["symbol"])}
    assert all(":" in name or not _is_plain(name) for name in left_out)
    frame = stamped("tickers", found, source="recording", now=now)
    verdict = gate("tickers", frame, now=now)
    # Markets in which nothing was traded for a day have prices of 0 in the recording.
    assert verdict.passed
    assert set(verdict.reasons) <= {"price_not_positive"}
    quiet = {name for name, quote in named.items() if float(quote["v"][1]) == 0}
    assert set(verdict.quarantined["symbol"]) <= quiet


def test_krakens_pairs_are_those_recorded(real_data: Path) -> None:
    line = only(bodies(slice_of(real_data, "KRAKEN")), "AssetPairs")
    said = line.json()["result"]
    found = _instruments(Kraken(), line.text.encode(), line.at)
    left_out = {name for name, pair in said.items() if "wsname" in pair}
    left_out -= {row["native"] for row in found}
    assert [name for name in left_out if _is_plain(said[name]["wsname"].replace("/", "-"))] == []
    assert len(found) > 290
    for row in found:
        theirs = said[row["native"]]
        names = theirs["wsname"].replace("XBT", "BTC").replace("XDG", "DOGE").split("/")
        assert (row["base"], row["quote"]) == tuple(names)
        assert row["tick_size"] == float(f"1e-{theirs['pair_decimals']}")
        assert row["lot_size"] == float(f"1e-{theirs['lot_decimals']}")
        assert row["min_amount"] == (float(theirs["ordermin"]) if "ordermin" in theirs else None)


def test_kucoins_symbols_are_those_recorded_under_the_names_of_today(real_data: Path) -> None:
    line = only(bodies(slice_of(real_data, "KUCOIN")), "/symbols")
    said = {each["symbol"]: each for each in line.json()["data"]}
    found = _instruments(KuCoin(), line.text.encode(), line.at)
    assert {row["native"] for row in found} == {name for name in said if "LYXE" not in name}
    for row in found:
        theirs = said[row["native"]]
        assert row["symbol"] == theirs["name"]
        assert row["tick_size"] == float(theirs["priceIncrement"])
        assert row["lot_size"] == float(theirs["baseIncrement"])
    assert KuCoin().request(span("kucoin", "BSV-USDT", "1m", 0, 1)).url.params["symbol"] == (
        "BCHSV-USDT"
    )


def _levels(side: list[list[Any]]) -> tuple[list[float], list[float]]:
    return [float(level[0]) for level in side], [float(level[1]) for level in side]


def _is_that_book(row: dict[str, Any], bids: list[list[Any]], asks: list[list[Any]]) -> bool:
    return (row["bid_prices"], row["bid_sizes"]) == _levels(bids) and (
        (row["ask_prices"], row["ask_sizes"]) == _levels(asks)
    )


def test_kucoins_books_are_those_recorded(real_data: Path) -> None:
    found = bodies(slice_of(real_data, "KUCOIN"))
    books = [line for url, line in found.items() if "orderbook" in url]
    assert len(books) == 9
    for line in books:
        theirs = line.json()["data"]
        symbol = line.url.split("symbol=")[1].replace("BCHSV", "BSV")
        row = read(KuCoin(), "order_books", line.text.encode(), line.at, symbol).row(0, named=True)
        assert _is_that_book(row, theirs["bids"], theirs["asks"])
        assert row["sequence"] == int(theirs["sequence"])
        assert int(row["time"].timestamp() * 1_000) == theirs["time"]


def test_binances_symbols_and_books_are_those_recorded(real_data: Path) -> None:
    found = bodies(slice_of(real_data, "BINANCE"))
    line = only(found, "exchangeInfo")
    said = {each["symbol"]: each for each in line.json()["symbols"]}
    rows = _instruments(Binance(), line.text.encode(), line.at)
    assert {row["native"] for row in rows} == set(said)
    for row in rows:
        theirs = said[row["native"]]
        filters = {each["filterType"]: each for each in theirs["filters"]}
        assert row["symbol"] == f"{theirs['baseAsset']}-{theirs['quoteAsset']}"
        assert row["tick_size"] == float(filters["PRICE_FILTER"]["tickSize"])
        assert row["lot_size"] == float(filters["LOT_SIZE"]["stepSize"])
        assert row["min_notional"] == float(filters["MIN_NOTIONAL"]["minNotional"])
        assert row["status"] == {"TRADING": "trading", "BREAK": "halted"}[theirs["status"]]
    books = [line for url, line in found.items() if "/depth" in url]
    assert len(books) == 4
    for line in books:
        theirs = line.json()
        row = read(Binance(), "order_books", line.text.encode(), line.at, "A-B").row(0, named=True)
        assert _is_that_book(row, theirs["bids"], theirs["asks"])
        assert row["sequence"] == theirs["lastUpdateId"]


def test_the_snapshot_between_binances_frames_is_read(real_data: Path) -> None:
    path = "wire/binance/nkaz001+hftbacktest/5f3ec40b/examples"
    for kind in ("spot", "usdm"):
        snapshots = 0
        with gzip.open(real_data / path / kind / "btcusdt_20240808.gz", "rt") as frames:
            for frame in frames:
                at, _, text = frame.partition(" ")
                if text.startswith('{"lastUpdateId"'):
                    snapshots += 1
                    theirs = json.loads(text)
                    now = datetime.fromtimestamp(int(at) / 1e9, UTC) + timedelta(seconds=2)
                    row = read(Binance(), "order_books", text.encode(), now, "BTC-USDT")
                    assert _is_that_book(row.row(0, named=True), theirs["bids"], theirs["asks"])
        assert snapshots == 1


def test_okxs_instruments_are_those_recorded(real_data: Path) -> None:
    found = bodies(slice_of(real_data, "OKX"))
    spot = only(found, "instType=SPOT")
    said = {each["instId"]: each for each in spot.json()["data"]}
    rows = _instruments(Okx(), spot.text.encode(), spot.at)
    assert {row["native"] for row in rows} == set(said)
    for row in rows:
        theirs = said[row["native"]]
        assert (row["base"], row["quote"]) == (theirs["baseCcy"], theirs["quoteCcy"])
        assert row["tick_size"] == float(theirs["tickSz"])
        assert int(row["listed_at"].timestamp() * 1_000) == int(theirs["listTime"])
    swaps = only(found, "instType=SWAP")
    linear = {i["instId"]: i for i in swaps.json()["data"] if i["ctType"] == "linear"}
    rows = _instruments(OkxPerp(), swaps.text.encode(), swaps.at)
    assert {row["native"] for row in rows} == set(linear)
    for row in rows:
        theirs = linear[row["native"]]
        assert row["contract_size"] == float(theirs["ctVal"]) * float(theirs["ctMult"])
        assert row["symbol"] == theirs["uly"]
        assert row["kind"] == "perpetual"


def test_okxs_frames_have_the_form_of_its_answers(real_data: Path) -> None:
    """Its socket sends the same entries that its REST answers hold."""
    kinds = {"tickers": "tickers", "trades": "market_trades", "books": "order_books"}
    seen = dict.fromkeys(kinds, 0)
    for line in lines(slice_of(real_data, "OKX")):
        frame = line.json() if line.kind == "recv" else {}
        channel = frame.get("arg", {}).get("channel")
        if "data" not in frame or frame.get("action") == "update" or channel not in kinds:
            continue
        native = frame["arg"]["instId"]
        body = json.dumps({"code": "0", "msg": "", "data": frame["data"]}).encode()
        wanted = Wanted(now=line.at, subject="A-B")
        venue = Okx()
        venue.native = lambda _symbol, name=native: name  # type: ignore[method-assign, misc]
        rows = venue.feeds[kinds[channel]].read(
            body, wanted, venue.feeds["tickers"].request(wanted)
        )
        seen[channel] += rows.rows.height
        for row, theirs in zip(rows.rows.to_dicts(), frame["data"], strict=True):
            if channel == "books":
                assert _is_that_book(row, theirs["bids"], theirs["asks"])
            else:
                price = theirs["last" if channel == "tickers" else "px"]
                assert row["last" if channel == "tickers" else "price"] == float(price)
    assert min(seen.values()) > 0


def test_htxs_symbols_and_depth_frames_are_those_recorded(real_data: Path) -> None:
    path = slice_of(real_data, "HUOBI")
    line = only(bodies(path), "symbols")
    said = {each["symbol"]: each for each in line.json()["data"]}
    rows = _instruments(Htx(), line.text.encode(), line.at)
    assert {row["native"] for row in rows} == set(said)
    for row in rows:
        theirs = said[row["native"]]
        assert row["tick_size"] == float(f"1e-{theirs['price-precision']}")
        assert row["min_amount"] == float(theirs["min-order-amt"])
        assert row["status"] == {"online": "trading", "offline": "delisted"}[theirs["state"]]
    depths = 0
    for frame in (entry.json() for entry in lines(path) if entry.kind == "recv"):
        if ".depth." in frame.get("ch", ""):
            tick = frame["tick"]
            levels = Levels(tick["ts"], tick["version"], tick["bids"], tick["asks"])
            row = book_rows("A-B", levels).row(0, named=True)
            assert _is_that_book(row, tick["bids"], tick["asks"])
            depths += 1
    assert depths > 50


@pytest.mark.parametrize("venue", ["BINANCE", "COINBASE", "HUOBI", "KRAKEN", "KUCOIN", "OKX"])
def test_no_recorded_answer_is_left_unread(real_data: Path, venue: str) -> None:
    known = ("exchangeInfo", "depth", "products", "symbols", "AssetPairs", "orderbook", "SPOT",
             "SWAP")  # fmt: skip
    urls = bodies(slice_of(real_data, venue))
    others = {url for url in urls if not any(part in url for part in known)}
    assert {url.partition("instType=")[2][:7] for url in others} <= {"FUTURES", "OPTION&"}


def test_the_products_of_coinbases_retired_service_are_refused(real_data: Path) -> None:
    path = next((real_data / "wire/coinbase").glob("bmoscon*/*/sample_data/COINBASE.0"))
    first = path.read_text(encoding="utf-8").splitlines()[0]
    body = first[first.index("[{") :].encode()
    with pytest.raises(SourceMalformed, match="Expected `object`, got `array`"):
        read(Coinbase(), "instruments", body, datetime(2021, 4, 17, tzinfo=UTC))


def test_a_frame_that_only_tells_what_changed_is_no_book(real_data: Path) -> None:
    path = next((real_data / "wire/binance").glob("gbeced*/*/tests/data/binance_depth_update.json"))
    with pytest.raises(SourceMalformed, match="bids"):
        read(Binance(), "order_books", path.read_bytes(), datetime(2025, 9, 10, tzinfo=UTC), "A-B")


def _bodies(real_data: Path) -> list[tuple[Any, str, str | None, bytes]]:
    """Return twenty real bodies, with the venue, the feed and the market that they are of."""
    kucoin = bodies(slice_of(real_data, "KUCOIN"))
    binance = bodies(slice_of(real_data, "BINANCE"))
    rust = real_data / "wire/coinbase" / RUST / "coinbase/test_data"
    found: list[tuple[Any, str, str | None, bytes]] = [
        (KuCoin(), "order_books", "A-B", line.text.encode())
        for url, line in kucoin.items()
        if "orderbook" in url
    ]
    found += [
        (Binance(), "order_books", "A-B", line.text.encode())
        for url, line in binance.items()
        if "/depth" in url
    ]
    found += [
        (Coinbase(), "tickers", "BTC-USD", (rust / "http_ticker.json").read_bytes()),
        (Coinbase(), "instruments", None, (rust / "http_products.json").read_bytes()),
    ]
    for venue, name, part in (
        (Kraken(), "KRAKEN", "AssetPairs"),
        (KuCoin(), "KUCOIN", "/symbols"),
        (Htx(), "HUOBI", "symbols"),
        (Okx(), "OKX", "SPOT"),
        (OkxPerp(), "OKX", "SWAP"),
    ):
        body = only(bodies(slice_of(real_data, name)), part).text.encode()
        found.append((venue, "instruments", None, body))
    return found


def test_no_part_of_a_real_body_is_believed(real_data: Path) -> None:
    """Twenty bodies, each cut in a hundred places; none accepted."""
    cases = _bodies(real_data)
    assert len(cases) == 20
    for venue, dataset, subject, body in cases:
        wanted = Wanted(now=datetime(2026, 6, 1, tzinfo=UTC), subject=subject)
        feed = venue.feeds[dataset]
        request = feed.request(wanted)
        for kept in range(0, len(body.rstrip()), max(1, len(body) // 100)):
            with pytest.raises(SourceUnavailable):
                feed.read(body[:kept], wanted, request)
