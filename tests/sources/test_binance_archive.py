"""Binance's dumps: reading, finding, downloading."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import random
import time
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import CANDLES
from core.errors import InvalidInput, NightjarError, SourceMalformed, SourceUnavailable
from sources.binance_archive import (
    ArchiveFile,
    download_archives,
    find_archives,
    read_archive,
    split_symbol,
)
from tests.sources.fakes import MINUTE, NOW, START, FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTH = "BTCUSDT-1m-2026-03"
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
README = (
    "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades,"
    "Taker buy base asset volume,Taker buy quote asset volume,Ignore\n"
)


def line(minute: int, *, micro: bool = True, price: str = "100.5", start: datetime = START) -> str:
    unit = 1_000_000 if micro else 1_000
    opens = (int(start.timestamp()) + 60 * minute) * unit
    closes = opens + 60 * unit - 1
    return f"{opens},{price},101.0,99.0,100.0,12.5,{closes},1250.0,42,6.25,625.0,0\n"


def csv(bars: int = 5, header: str = "", **options: object) -> str:
    return header + "".join(line(n, **options) for n in range(bars))  # type: ignore[arg-type]


def zipped(text: str | bytes, name: str = MONTH + ".csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def dump(folder: Path, data: str | bytes, name: str = MONTH + ".zip") -> ArchiveFile:
    if isinstance(data, str):
        data = zipped(data) if name.endswith(".zip") else data.encode()
    path = folder / name
    path.write_bytes(data)
    period = path.stem.partition("-1m-")[2]
    return ArchiveFile(str(path), "BTC-USDT", "1m", period)


def read(folder: Path, data: str | bytes, name: str = MONTH + ".zip") -> pl.DataFrame:
    return read_archive(dump(folder, data, name), now=NOW)


# --- reading


def test_a_dump_gives_every_column(tmp_path: Path) -> None:
    frame = read(tmp_path, csv(1))
    assert frame.schema == CANDLES.schema
    assert frame.row(0, named=True) == {
        "venue": "binance", "symbol": "BTC-USDT", "interval": "1m", "open_time": START,
        "open": 100.5, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 12.5,
        "quote_volume": 1250.0, "trades": 42, "taker_buy_volume": 6.25, "synthetic": False,
        "source": f"binance-archive:{MONTH}.zip", "ingested_at": NOW,
    }  # fmt: skip


@pytest.mark.parametrize("header", ["", HEADER, README, "\ufeff" + HEADER, "\ufeff"])
@pytest.mark.parametrize("micro", [True, False])
@pytest.mark.parametrize("kind", [".zip", ".csv"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_any_header_unit_and_packing_reads_the_same(
    tmp_path: Path,
    header: str,
    micro: bool,  # noqa: FBT001 - a parameter of the test
    kind: str,
    ends: str,
) -> None:
    frame = read(tmp_path, csv(header=header, micro=micro).replace("\n", ends), MONTH + kind)
    assert frame["open_time"].to_list() == [START + n * MINUTE for n in range(5)]
    assert frame["close"].to_list() == [100.0] * 5


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_units_may_change_at_any_row(micros: list[bool]) -> None:
    with _folder() as folder:
        text = "".join(line(n, micro=micro) for n, micro in enumerate(micros))
        frame = read(folder, text)
    assert frame["open_time"].to_list() == [START + n * MINUTE for n in range(len(micros))]


@given(st.integers(0, 20), st.sampled_from([1, 10**3, 10**6, 10**9]), st.booleans())
def test_a_row_of_another_time_is_named(
    place: int,
    times: int,
    late: bool,  # noqa: FBT001 - drawn, not passed
) -> None:
    lines = [line(n) for n in range(20)]
    wrong = START + timedelta(days=40 if late else -40)
    cells = line(0, start=wrong).split(",")
    cells[0] = str(int(wrong.timestamp()) * times)
    lines.insert(place, ",".join(cells))
    with (
        _folder() as folder,
        pytest.raises(SourceMalformed, match=rf"row {place + 1}: expected a time in 2026-03"),
    ):
        read(folder, "".join(lines))


@given(
    st.lists(st.text("0123456789.", max_size=20), min_size=1, max_size=3),
    st.text("0123456789", max_size=18),
)
def test_digits_read_at_once_are_what_they_are_cell_by_cell(prices: list[str], trades: str) -> None:
    def outcome(last: str) -> list[tuple[object, ...]] | str:
        lines = [line(n, price=price).split(",") for n, price in enumerate(prices)]
        lines[0][8], lines[0][11] = trades, last
        with _folder() as folder:
            try:
                return read(folder, "\n".join(",".join(cells).rstrip() for cells in lines)).rows()
            except SourceMalformed as error:
                return error.reason

    at_once, one_by_one = outcome("0"), outcome("x")  # a letter anywhere: no cell is taken on trust
    assert at_once == one_by_one


def test_a_daily_dump_holds_one_day(tmp_path: Path) -> None:
    name = "BTCUSDT-1m-2026-03-01"
    assert read(tmp_path, zipped(csv(1440), name + ".csv"), name + ".zip").height == 1440
    with pytest.raises(SourceMalformed, match="row 1441: expected a time in 2026-03-01"):
        read(tmp_path, zipped(csv(1441), name + ".csv"), name + ".zip")


@pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-1.5"])
def test_a_number_that_is_no_price_is_left_to_the_gate(tmp_path: Path, price: str) -> None:
    assert repr(read(tmp_path, csv(price=price))["open"][0]).lower()[:4] in {
        "nan", "inf", "0.0", "-1.5",
    }  # fmt: skip


@pytest.mark.parametrize("price", ["1_000", "\uff11", " 1", '"1"', "1,5", "", "abc"])
def test_a_price_that_is_no_number_is_malformed(tmp_path: Path, price: str) -> None:
    with pytest.raises(SourceMalformed, match=r"row 5|12 columns"):
        read(tmp_path, csv(4) + line(4, price=price))


def test_every_cut_of_a_line_is_malformed(tmp_path: Path) -> None:
    whole, last = csv(4), line(4)
    for kept in range(1, len(last) - 2):  # less a digit and the end of the line
        with pytest.raises(SourceMalformed):
            read(tmp_path, whole + last[:kept], MONTH + ".csv")


def test_every_cut_of_a_zip_is_malformed(tmp_path: Path) -> None:
    whole = zipped(csv(50))
    for kept in range(0, len(whole), 7):
        with pytest.raises(SourceMalformed, match="cut"):
            read(tmp_path, whole[:kept])


def test_no_flipped_bit_of_a_zip_is_believed(tmp_path: Path) -> None:
    whole = bytearray(zipped(csv(50)))
    right = read(tmp_path, bytes(whole))
    for seed in range(300):
        place = random.Random(seed).randrange(len(whole) * 8)
        whole[place // 8] ^= 1 << place % 8
        with contextlib.suppress(NightjarError):
            assert read(tmp_path, bytes(whole)).equals(right)  # a bit that carries nothing
        whole[place // 8] ^= 1 << place % 8


MALFORMED = {
    "no rows": "",
    "only a header": HEADER,
    "no such header": HEADER.replace("high,low", "low,high") + csv(),
    "too few columns": "1772323200000,1,2,3\n",
    "too many columns": csv(2).replace("\n", ",9\n"),
    "one column too many": csv(2) + line(2).replace("\n", ",9\n"),
    "no text": b"\xff\xfe\x00\x01" * 100,
    "html": "<html><body>404</body></html>",
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("kind", [".zip", ".csv"])
def test_what_is_no_dump_is_malformed(tmp_path: Path, what: str, kind: str) -> None:
    data = MALFORMED[what]
    if isinstance(data, bytes) and kind == ".zip":
        data = zipped(data)
    with pytest.raises(SourceMalformed):
        read(tmp_path, data, MONTH + kind)


def test_bars_of_another_interval_are_malformed(tmp_path: Path) -> None:
    cells = [line(60 * n).split(",") for n in range(3)]
    for row in cells:
        row[6] = str(int(row[0]) + 3_600_000_000 - 1)
    with pytest.raises(SourceMalformed, match="expected bars of 1m, was 3600 s"):
        read(tmp_path, "".join(",".join(row) for row in cells))


def test_a_renamed_dump_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(SourceMalformed, match=r"was 'ETHUSDT-1m-2026-03\.csv'"):
        read(tmp_path, zipped(csv(), "ETHUSDT-1m-2026-03.csv"))


def test_a_zip_of_two_files_is_malformed(tmp_path: Path) -> None:
    buffer = io.BytesIO(zipped(csv()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("more.csv", "1")
    with pytest.raises(SourceMalformed, match="expected one file in the zip, was 2"):
        read(tmp_path, buffer.getvalue())


@pytest.mark.parametrize("size", [10_000_000, 100_000_000])
def test_a_zip_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path, size: int) -> None:
    with pytest.raises(SourceMalformed, match="bomb"):
        read(tmp_path, zipped(bytes(size)))


def test_a_zip_that_lies_about_its_size_is_malformed(tmp_path: Path) -> None:
    data = bytearray(zipped(csv(50)))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    with pytest.raises(SourceMalformed):
        read(tmp_path, bytes(data))


def test_a_checksum_beside_the_zip_is_verified(tmp_path: Path) -> None:
    file = dump(tmp_path, csv())
    beside = Path(file.path + ".CHECKSUM")
    sha = hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
    for text in (f"{sha}  {MONTH}.zip\n", sha.upper()):
        beside.write_text(text)
        assert read_archive(file, now=NOW).height == 5
    beside.write_text(f"{'0' * 64}  {MONTH}.zip\n")
    with pytest.raises(SourceMalformed, match=f"expected SHA-256 {'0' * 64}, was {sha}"):
        read_archive(file, now=NOW)
    beside.write_text("<html>")
    with pytest.raises(SourceMalformed, match="expected a SHA-256, was b'<html>'"):
        read_archive(file, now=NOW)


def test_a_file_that_is_not_there_is_the_persons_mistake(tmp_path: Path) -> None:
    for name in ("nothing.zip", "."):
        with pytest.raises(InvalidInput, match="expected a file to read"):
            read_archive(ArchiveFile(str(tmp_path / name), "BTC-USDT", "1m", "2026-03"), now=NOW)


@pytest.mark.parametrize("period", ["2026", "2026-13", "2026-3", "2026-02-30", "x", "2026-03-1"])
def test_a_period_that_is_none_is_refused(period: str) -> None:
    with pytest.raises(InvalidInput, match="expected a month 2026-03 or a day"):
        _ = ArchiveFile("x.zip", "BTC-USDT", "1m", period).start


def test_a_period_ends_where_the_next_begins() -> None:
    february = ArchiveFile("x.zip", "BTC-USDT", "1m", "2024-02")
    assert february.end - february.start == timedelta(days=29)
    assert ArchiveFile("x.zip", "BTC-USDT", "1m", "2025-12").end == datetime(2026, 1, 1, tzinfo=UTC)
    assert ArchiveFile("x.zip", "BTC-USDT", "1m", "2025-12-31").end.year == 2026


# --- finding


def test_archives_are_found_at_any_depth_and_sorted(tmp_path: Path) -> None:
    names = [
        "b/ETHUSDT-1m-2026-03.zip", "a/BTCUSDT-1m-2026-04.zip", "a/x/BTCUSDT-1m-2026-03.csv",
        "a/BTCUSDT-1m-2026-05-01.zip", "a/BTCUSDT-1h-2026-03.zip", "a/BTCUSDT-1m-2026-03.zip.part",
        "a/readme.md", "a/BTCUSDT-1m-2026-04.csv", "a/BTCUSDT-trades-2026-03.zip",
        "a/BTCUSDT-1m-2026-04.zip.CHECKSUM",
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_archives(tmp_path)
    assert [(file.symbol, file.period) for file in found] == [
        ("BTC-USDT", "2026-03"), ("BTC-USDT", "2026-04"), ("BTC-USDT", "2026-05-01"),
        ("ETH-USDT", "2026-03"),
    ]  # fmt: skip
    assert found[1].path.endswith("a/BTCUSDT-1m-2026-04.zip")
    assert [file.symbol for file in find_archives(tmp_path, ["ETH-USDT"])] == ["ETH-USDT"]
    assert [file.interval for file in find_archives(tmp_path, interval="1h")] == ["1h"]
    assert find_archives(tmp_path, ["SOL-USDT"]) == []
    assert find_archives(Path(found[0].path)) == [found[0]]


def test_the_callers_symbols_decide_where_the_quote_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "BTCXYZ-1m-2026-03.zip").touch()
    with pytest.raises(InvalidInput, match="name the symbols you want"):
        find_archives(tmp_path)
    assert find_archives(tmp_path, ["BTC-XYZ"])[0].symbol == "BTC-XYZ"


def test_a_folder_that_is_not_there_is_the_persons_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not there"):
        find_archives(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="interval"):
        find_archives(tmp_path, interval="7m")


@pytest.mark.parametrize(
    ("spelled", "symbol"),
    [("BTCUSDT", "BTC-USDT"), ("ETHBTC", "ETH-BTC"), ("BTCFDUSD", "BTC-FDUSD"),
     ("USDCUSDT", "USDC-USDT"), ("1INCHTRY", "1INCH-TRY"), ("BTCEURI", "BTC-EURI"),
     ("1000SATSUSDC", "1000SATS-USDC")],
)  # fmt: skip
def test_the_longest_quote_asset_decides(spelled: str, symbol: str) -> None:
    assert split_symbol(spelled) == symbol


@pytest.mark.parametrize("spelled", ["USDT", "XYZ", ""])
def test_a_symbol_without_base_or_known_quote_is_refused(spelled: str) -> None:
    with pytest.raises(InvalidInput, match="base and quote"):
        split_symbol(spelled)


# --- downloading, from a local server

PREFIX = "/data/spot/{kind}/klines/BTCUSDT/1m/"


class Shelf(dict[str, bytes]):
    """What a local file store serves: paths and bytes; asked paths are kept in `asked`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.trouble: list[int] = []

    def put(self, period: str, bars: int = 3, *, checksum: str | None = "") -> None:
        name = f"BTCUSDT-1m-{period}"
        kind = "monthly" if len(period) == 7 else "daily"
        day = datetime.fromisoformat(f"{period}-01"[:10]).replace(tzinfo=UTC)
        data = zipped(csv(bars, start=day), name + ".csv")
        path = PREFIX.format(kind=kind) + name + ".zip"
        self[path] = data
        if checksum is not None:
            sha = checksum or hashlib.sha256(data).hexdigest()
            self[path + ".CHECKSUM"] = f"{sha}  {name}.zip\n".encode()


class Handler(BaseHTTPRequestHandler):
    def __init__(self, shelf: Shelf, *args: object) -> None:
        self.shelf = shelf
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.shelf.asked.append(self.path)
        status = self.shelf.trouble.pop() if self.shelf.trouble else 200
        body = self.shelf.get(self.path)
        if status == 200 and body is None:
            status, body = 404, b"<Error><Code>NoSuchKey</Code></Error>"
        body = body or b""
        self.send_response(200 if status == 206 else status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if status == 206 else body)  # 206: cut on its way

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(shelf: Shelf) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, shelf)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def download(shelf: Shelf, into: Path, start: str, end: str) -> list[str]:
    fake = FakeTime()
    with serving(shelf) as url, httpx.Client(timeout=5) as client:
        paths = download_archives(
            url, ["BTC-USDT"], "1m",
            datetime.fromisoformat(start).replace(tzinfo=UTC),
            datetime.fromisoformat(end).replace(tzinfo=UTC),
            into, client, pacer=fake.pacer(), retry=fake.retry(),
        )  # fmt: skip
    return [path.name.removeprefix("BTCUSDT-1m-").removesuffix(".zip") for path in paths]


def test_months_come_first_and_days_where_a_month_is_not_out_yet(tmp_path: Path) -> None:
    shelf = Shelf()
    for period in ("2026-03", "2026-04", "2026-05-01", "2026-05-02", "2026-05-04", "2026-05-09"):
        shelf.put(period)
    got = download(shelf, tmp_path, "2026-03-15", "2026-05-08T12:00")
    assert got == ["2026-03", "2026-04", "2026-05-01", "2026-05-02", "2026-05-04"]
    files = find_archives(tmp_path, ["BTC-USDT"])
    assert [file.period for file in files] == got
    assert all(read_archive(file, now=NOW).height == 3 for file in files)
    assert not list(tmp_path.glob("*.part"))


def test_a_second_run_fetches_only_checksums(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put("2026-03")
    download(shelf, tmp_path, "2026-03-01", "2026-04-01")
    shelf.asked.clear()
    assert download(shelf, tmp_path, "2026-03-01", "2026-04-01") == ["2026-03"]
    assert [path.rpartition(".")[2] for path in shelf.asked] == ["CHECKSUM"]


def test_a_republished_or_damaged_zip_is_fetched_again(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put("2026-03")
    download(shelf, tmp_path, "2026-03-01", "2026-04-01")
    shelf.put("2026-03", bars=7)
    download(shelf, tmp_path, "2026-03-01", "2026-04-01")
    assert read_archive(find_archives(tmp_path)[0], now=NOW).height == 7
    Path(find_archives(tmp_path)[0].path).write_bytes(b"damaged")
    download(shelf, tmp_path, "2026-03-01", "2026-04-01")
    assert read_archive(find_archives(tmp_path)[0], now=NOW).height == 7


def test_months_before_the_listing_are_not_asked_for_day_by_day(tmp_path: Path) -> None:
    shelf = Shelf()
    for period in ("2025-12", "2026-02"):
        shelf.put(period)
    assert download(shelf, tmp_path, "2020-01-01", "2026-03-01") == ["2025-12", "2026-02"]
    days = [path for path in shelf.asked if "/daily/" in path and path.endswith(".zip")]
    assert len(days) == 31  # of January 2026, a hole between two months


def test_a_new_symbol_has_days_before_its_first_month(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put("2026-03-30")
    assert download(shelf, tmp_path, "2025-01-01", "2026-04-01") == ["2026-03-30"]


def test_nothing_published_is_no_files(tmp_path: Path) -> None:
    assert download(Shelf(), tmp_path, "2026-03-01", "2026-03-03") == []
    assert list(tmp_path.iterdir()) == []


def test_a_zip_without_a_checksum_is_taken(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put("2026-03", checksum=None)
    assert download(shelf, tmp_path, "2026-03-01", "2026-04-01") == ["2026-03"]


def test_a_zip_that_never_fits_its_checksum_is_malformed(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put("2026-03", checksum="0" * 64)
    with pytest.raises(SourceMalformed, match="expected SHA-256 0000"):
        download(shelf, tmp_path, "2026-03-01", "2026-04-01")
    assert sum(path.endswith(".zip") for path in shelf.asked) == 3
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("status", [500, 503, 429, 206])
def test_a_download_outlasts_trouble(tmp_path: Path, status: int) -> None:
    shelf = Shelf()
    shelf.put("2026-03")
    shelf.trouble = [status] * 5
    assert download(shelf, tmp_path, "2026-03-01", "2026-04-01") == ["2026-03"]
    assert read_archive(find_archives(tmp_path)[0], now=NOW).height == 3


def test_a_store_that_stays_away_is_unavailable(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.trouble = [503] * 100
    with pytest.raises(SourceUnavailable):
        download(shelf, tmp_path, "2026-03-01", "2026-04-01")


# --- the real files


@pytest.mark.real
def test_the_real_months_hold_every_minute(real_data: Path) -> None:
    files = find_archives(real_data / "candles" / "AegisFintech+AIQuant", ["BTC-USDT"])
    assert [file.period for file in files] == ["2026-03", "2026-04", "2026-05"]
    frame = pl.concat(read_archive(file, now=NOW) for file in files)
    assert frame.height == 132_480
    assert frame["open_time"].to_list() == [START + n * MINUTE for n in range(132_480)]
    prices = frame.select("open", "high", "low", "close")
    assert prices.select(pl.all().is_between(10_000, 200_000).all()).row(0) == (True,) * 4
    assert (
        frame.select(
            (pl.col("high") >= pl.max_horizontal("open", "close"))
            & (pl.col("low") <= pl.min_horizontal("open", "close"))
            & (pl.col("taker_buy_volume") <= pl.col("volume"))
        )
        .to_series()
        .all()
    )
    assert frame.null_count().sum_horizontal().item() == 0


@pytest.mark.real
def test_a_real_month_is_read_in_a_tenth_of_a_second(real_data: Path) -> None:
    file = find_archives(real_data / "candles" / "AegisFintech+AIQuant")[0]
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        read_archive(file, now=NOW)
        best = min(best, time.perf_counter() - began)
    assert best < 0.4  # 0.08 s on an idle core


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder of one example's own; Hypothesis runs many in one test."""
    with TemporaryDirectory() as name:
        yield Path(name)
