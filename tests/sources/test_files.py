"""A person's own files: every shape reads right, and none is misread in silence."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import random
import zipfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import CANDLES
from core.errors import InvalidInput
from core.market import INTERVALS
from sources.files import Reading, read_file
from tests.sources.fakes import NOW, START

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["open_time", "open", "high", "low", "close", "volume"]


def bars(count: int = 60, *, step: timedelta = timedelta(minutes=1), seed: int = 1) -> pl.DataFrame:
    """Return bars of a market that does not pause, with `open_time` in UTC."""
    draw = random.Random(seed)
    rows, price = [], 100.0
    for n in range(count):
        close = round(price * math.exp(draw.gauss(0, 0.001)), 4)
        high = round(max(price, close) + abs(draw.gauss(0, 0.05)), 4)
        low = round(min(price, close) - abs(draw.gauss(0, 0.05)), 4)
        rows.append((START + n * step, price, high, low, close, round(draw.expovariate(0.1), 5)))
        price = close
    return pl.DataFrame(rows, schema=NAMES, orient="row").cast(
        {"open_time": pl.Datetime("us", "UTC")}
    )


def read(path: Path, data: bytes | str | None = None, **options: Any) -> Reading:
    if data is not None:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    options = {"venue": "binance", "symbol": "BTC-USDT", "now": NOW} | options
    return read_file(path, **options)


def csv(frame: pl.DataFrame, **options: Any) -> str:
    return str(frame.write_csv(**options))


def same(reading: Reading, frame: pl.DataFrame) -> bool:
    return reading.frame.select(NAMES).equals(frame.select(NAMES))


def text_times(frame: pl.DataFrame, form: str, zone: str = "UTC") -> pl.DataFrame:
    clock = pl.col("open_time").dt.convert_time_zone(zone).dt.strftime(form)
    return frame.with_columns(clock.alias("open_time"))


# --- every form of time, in every format, reads the same

EPOCHS = {"s": 1_000_000, "ms": 1_000, "us": 1}
TIMES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    **{
        f"epoch {unit}": lambda f, u=micros: f.with_columns(pl.col("open_time").cast(pl.Int64) // u)
        for unit, micros in EPOCHS.items()
    },
    "epoch ns": lambda f: f.with_columns(pl.col("open_time").cast(pl.Int64) * 1_000),
    "epoch as float": lambda f: f.with_columns(
        (pl.col("open_time").cast(pl.Int64) // 1_000).cast(pl.Float64)
    ),
    "text Z": lambda f: text_times(f, "%Y-%m-%dT%H:%M:%S.%6fZ"),
    "text offset": lambda f: text_times(f, "%Y-%m-%d %H:%M:%S%:z", "America/St_Johns"),
    "text short offset": lambda f: text_times(f, "%Y-%m-%d %H:%M%z", "Asia/Kolkata"),
    "text UTC": lambda f: text_times(f, "%Y-%m-%d %H:%M:%S UTC"),
    "typed": lambda f: f,
    "typed ns": lambda f: f.with_columns(pl.col("open_time").dt.cast_time_unit("ns")),
    "typed elsewhere": lambda f: f.with_columns(
        pl.col("open_time").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms")
    ),
}
ZONED: dict[str, Callable[[pl.DataFrame, str], pl.DataFrame]] = {
    "text": lambda f, zone: text_times(f, "%Y-%m-%d %H:%M:%S", zone),
    "text T": lambda f, zone: text_times(f, "%Y-%m-%dT%H:%M", zone),
    "text compact": lambda f, zone: text_times(f, "%Y%m%d %H:%M", zone),
    "typed": lambda f, zone: f.with_columns(
        pl.col("open_time").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    ),
}


def _bytes(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _zip(name: str, data: bytes) -> bytes:
    def write(buffer: io.BytesIO) -> None:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)

    return _bytes(write)


def _cell(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _lists(frame: pl.DataFrame) -> list[list[Any]]:
    return [[_cell(value) for value in row] for row in frame.rows()]


def _objects(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(frame.columns, row, strict=True)) for row in _lists(frame)]


def _texts(frame: pl.DataFrame) -> bytes:
    return json.dumps([[str(cell) for cell in row] for row in _lists(frame)]).encode()


FORMATS: dict[str, tuple[str, Callable[[pl.DataFrame], bytes]]] = {
    "csv": (".csv", lambda f: csv(f).encode()),
    "csv without header": (".csv", lambda f: csv(f, include_header=False).encode()),
    "csv with semicolons": (".csv", lambda f: csv(f, separator=";").encode()),
    "csv with tabs": (".txt", lambda f: csv(f, separator="\t").encode()),
    "csv with quotes": (".csv", lambda f: csv(f, quote_style="always").encode()),
    "csv of Windows": (".csv", lambda f: b"\xef\xbb\xbf" + csv(f).replace("\n", "\r\n").encode()),
    "csv.gz": (".csv.gz", lambda f: gzip.compress(csv(f).encode())),
    "csv in a zip": (".zip", lambda f: _zip("bars.csv", csv(f).encode())),
    "json lists": (".json", lambda f: json.dumps(_lists(f)).encode()),
    "json objects": (".json", lambda f: json.dumps(_objects(f)).encode()),
    "json texts": (".json", _texts),
    "json columns": (
        ".json", lambda f: json.dumps({c: [_cell(v) for v in f[c]] for c in f.columns}).encode(),
    ),
    "json inside": (
        ".json.gz", lambda f: gzip.compress(json.dumps({"ok": 1, "data": _lists(f)}).encode()),
    ),
    "parquet": (".parquet", lambda f: _bytes(f.write_parquet)),
    "feather": (".feather", lambda f: _bytes(f.write_ipc)),
    "feather, packed": (".feather", lambda f: _bytes(lambda b: f.write_ipc(b, compression="lz4"))),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("times", TIMES)
def test_every_format_and_time_reads_the_same(tmp_path: Path, form: str, times: str) -> None:
    suffix, write = FORMATS[form]
    reading = read(tmp_path / f"bars{suffix}", write(TIMES[times](bars())))
    assert same(reading, bars())
    assert reading.frame.schema == CANDLES.schema
    assert reading.frame["interval"].unique().to_list() == ["1m"]


@pytest.mark.parametrize("form", ["csv", "json lists", "parquet", "feather"])
@pytest.mark.parametrize("times", ZONED)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_a_clock_time_is_read_in_its_zone(tmp_path: Path, form: str, times: str, zone: str) -> None:
    suffix, write = FORMATS[form]
    data = write(ZONED[times](bars(), zone))
    assert same(read(tmp_path / f"bars{suffix}", data, zone=zone), bars())


@pytest.mark.parametrize("form", ["csv", "json lists", "parquet", "feather"])
@pytest.mark.parametrize("times", ZONED)
def test_a_clock_time_without_a_zone_is_not_guessed(tmp_path: Path, form: str, times: str) -> None:
    suffix, write = FORMATS[form]
    with pytest.raises(InvalidInput, match="zone="):
        read(tmp_path / f"bars{suffix}", write(ZONED[times](bars(), "UTC")))


@given(
    st.sets(st.integers(0, 10_000), min_size=2, max_size=50),
    st.sampled_from(sorted(INTERVALS)),
    st.sampled_from(sorted(FORMATS)),
    st.sampled_from(sorted(TIMES)),
    st.randoms(),
)
def test_any_gaps_and_any_order_give_the_same_bars_by_time(
    places: set[int], interval: str, form: str, times: str, draw: random.Random
) -> None:
    step = INTERVALS[interval]
    first = START - timedelta(days=5_000)
    frame = bars(len(places)).with_columns(
        pl.Series("open_time", [first + n * step for n in sorted(places)]).cast(
            pl.Datetime("us", "UTC")
        )
    )
    order = list(range(len(places)))
    draw.shuffle(order)
    suffix, write = FORMATS[form]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"bars{suffix}"
        data = write(TIMES[times](frame[order]))
        now = first + timedelta(days=100_000)
        steps = [b - a for a, b in itertools.pairwise(sorted(places))]
        if len(steps) >= 5 and steps.count(1) < 0.2 * len(steps):
            with pytest.raises(InvalidInput, match="between most times"):
                read(path, data, interval=interval, now=now)
            return
        reading = read(path, data, interval=interval, now=now)
    assert same(reading, frame)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(1e-9, 1e9), *[st.floats(0.7, 1.4)] * 3, st.floats(0, 1e15)),
        min_size=2,
        max_size=9,
    )
)
def test_no_digit_of_a_price_is_lost(rows: list[tuple[float, ...]]) -> None:
    quadruples = [((p, p * a, p * b, p * c), volume) for p, a, b, c, volume in rows]
    whole = [(four[0], max(four), min(four), four[3], volume) for four, volume in quadruples]
    frame = bars(len(whole)).with_columns(
        pl.Series(name, [row[n] for row in whole]) for n, name in enumerate(NAMES[1:])
    )
    with TemporaryDirectory() as folder:
        for suffix, write in (FORMATS[f] for f in ("csv", "json lists", "parquet", "feather")):
            assert same(read(Path(folder) / f"bars{suffix}", write(frame), interval="1m"), frame)


# --- names


HEADERS = [
    "timestamp,open,high,low,close,volume",
    "Date,Open,High,Low,Close,Volume",
    "time,o,h,l,c,v",
    " Open Time , Open , High , Low , Close , Volume ",
    ",open,high,low,close,volume",
    "unix,open,high,low,close,Volume BTC",
]


@pytest.mark.parametrize("header", HEADERS)
def test_common_names_are_known(tmp_path: Path, header: str) -> None:
    data = header + "\n" + csv(TIMES["epoch ms"](bars()), include_header=False)
    assert same(read(tmp_path / "bars.csv", data), bars())


def test_columns_may_be_in_any_order_and_more_than_needed(tmp_path: Path) -> None:
    frame = TIMES["epoch s"](bars()).select(
        pl.lit("x").alias("comment"), "close", "low", pl.lit(7).alias("count"), "high",
        pl.lit(1.5).alias("Quote asset volume"), "open", "volume", "open_time",
    )  # fmt: skip
    reading = read(tmp_path / "bars.csv", csv(frame))
    assert same(reading, bars())
    assert reading.frame["trades"].to_list() == [7] * 60
    assert reading.frame["quote_volume"].to_list() == [1.5] * 60
    assert "left out: 'comment'" in reading.notes


def test_what_a_file_does_not_say_is_null(tmp_path: Path) -> None:
    frame = read(tmp_path / "bars.csv", csv(bars())).frame
    assert (
        frame.select("quote_volume", "trades", "taker_buy_volume").null_count().row(0) == (60,) * 3
    )
    assert frame["synthetic"].to_list() == [False] * 60
    assert frame["source"].unique().to_list() == ["file:bars.csv"]


def test_our_own_rows_come_back_as_they_were(tmp_path: Path) -> None:
    first = read(tmp_path / "bars.csv", csv(bars())).frame.with_columns(
        pl.lit(5).cast(pl.Int64).alias("trades"),
        (pl.col("open_time") == START).alias("synthetic"),
    )
    for suffix, data in (
        (".parquet", _bytes(first.write_parquet)),
        (".feather", _bytes(first.write_ipc)),
    ):
        again = read(tmp_path / f"again{suffix}", data).frame
        assert again.drop("source").equals(first.drop("source"))


def test_binances_own_json_reads_by_place(tmp_path: Path) -> None:
    rows = [[int(t.timestamp() * 1_000), *map(str, rest), 0, "9.5", 3, "1.5", "2", "0"]
            for t, *rest in bars().rows()]  # fmt: skip
    frame = read(tmp_path / "klines.json", json.dumps(rows)).frame
    assert frame.select(NAMES).equals(bars())
    assert frame.select("quote_volume", "trades", "taker_buy_volume").row(9) == (9.5, 3, 1.5)


@pytest.mark.parametrize(
    ("header", "said"),
    [("unix,date,open,high,low,close,volume", r"'unix' and 'date'; decide with columns="),
     ("time,open,high,low,close", "expected columns for volume"),
     ("close_time,open,high,low,close,volume", "expected columns for open_time"),
     ("timestamp,price,high,low,close,volume", "expected columns for open,"),
     ("timestamp,open,high,low,close,close,volume", "one column for close")],
)  # fmt: skip
def test_names_that_do_not_tell_are_an_error(tmp_path: Path, header: str, said: str) -> None:
    line = ",".join(["1772323200000", *["2"] * header.count(",")])
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / "bars.csv", f"{header}\n{line}\n{line}\n")


def test_the_person_may_name_the_columns(tmp_path: Path) -> None:
    frame = TIMES["epoch ms"](bars()).select(
        pl.col("open_time").alias("unix"), pl.lit("x").alias("date"), *NAMES[1:]
    )
    told = ["open_time", "", *NAMES[1:]]
    assert same(read(tmp_path / "a.csv", csv(frame), columns=told), bars())
    bare = csv(frame, include_header=False)
    assert same(read(tmp_path / "b.csv", bare, columns=told), bars())
    with pytest.raises(InvalidInput, match=r"6 or 12 columns, was 7 .* columns="):
        read(tmp_path / "b.csv")


@pytest.mark.parametrize(
    "columns", [[], NAMES[:5], [*NAMES, "volume"], [*NAMES, "x"], [*NAMES, ""], [*NAMES[:5], ""]]
)
def test_columns_that_do_not_fit_are_refused(tmp_path: Path, columns: list[str]) -> None:
    with pytest.raises(InvalidInput, match="columns="):
        read(tmp_path / "bars.csv", csv(bars()), columns=columns)


@pytest.mark.parametrize("name", ["BTC-USDT", "BTCUSDT", "btc/usdt", "BTC/USDT:USDT"])
def test_a_series_that_names_itself_is_checked(tmp_path: Path, name: str) -> None:
    frame = bars().with_columns(pl.lit(name).alias("symbol"), pl.lit("1m").alias("timeframe"))
    assert same(read(tmp_path / "bars.csv", csv(frame)), bars())
    for wrong in ("ETHUSDT", "BTC-USD"):
        with pytest.raises(InvalidInput, match="one series, of symbol"):
            read(tmp_path / "bars.csv", symbol=f"{wrong[:3]}-EUR")
    two = pl.concat([frame, frame.with_columns(pl.lit("ETHUSDT").alias("symbol"))])
    with pytest.raises(InvalidInput, match="one series"):
        read(tmp_path / "bars.csv", csv(two))


# --- columns exchanged


def _renamed(**names: str) -> pl.DataFrame:
    frame = bars(500)
    return frame.select(pl.col(names.get(name, name)).alias(name) for name in NAMES)


EXCHANGED = {
    "high and low": ({"high": "low", "low": "high"}, "high and low look exchanged"),
    "open and high": ({"open": "high", "high": "open"}, "exchanged"),
    "low and close": ({"close": "low", "low": "close"}, "exchanged"),
    "as KuCoin": ({"high": "close", "low": "high", "close": "low"}, "open, close, high, low"),
    "volume and close": ({"volume": "close", "close": "volume"}, "volume and close look"),
    "volume and open": ({"volume": "open", "open": "volume"}, "volume and open look"),
    "volume and low": ({"volume": "low", "low": "volume"}, "volume and low look"),
    "volume and high": ({"volume": "high", "high": "volume"}, "volume and high look"),
    "volume everywhere": ({"open": "volume", "high": "volume"}, "name the columns"),
    "open and close": ({"open": "close", "close": "open"}, "open and close exchanged"),
}


@pytest.mark.parametrize("what", EXCHANGED)
@pytest.mark.parametrize("form", ["csv", "csv without header", "json lists", "parquet"])
def test_exchanged_columns_are_told(tmp_path: Path, what: str, form: str) -> None:
    names, said = EXCHANGED[what]
    suffix, write = FORMATS[form]
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / f"bars{suffix}", write(_renamed(**names)))


@pytest.mark.parametrize("price", [0.0001, 0.1, 1.0, 60_000.0])
@pytest.mark.parametrize("size", [0.001, 5.0, 1e7])
def test_a_volume_named_as_a_price_is_told_whatever_their_sizes(
    tmp_path: Path, price: float, size: float
) -> None:
    scaled = bars(500).with_columns(pl.col(NAMES[1:5]) * price / 100, pl.col("volume") * size)
    assert same(read(tmp_path / "right.csv", csv(scaled)), scaled)
    for name in NAMES[1:5]:
        names = {name: "volume", "volume": name}
        frame = scaled.select(pl.col(names.get(c, c)).alias(c) for c in NAMES)
        with pytest.raises(InvalidInput, match=f"volume and {name} look exchanged|exchanged"):
            read(tmp_path / "bars.csv", csv(frame))


def test_volumes_in_base_and_quote_are_told_apart_by_the_price(tmp_path: Path) -> None:
    frame = bars(100).with_columns((pl.col("volume") * pl.col("close")).alias("quote_volume"))
    reading = read(tmp_path / "bars.csv", csv(frame))
    assert reading.frame["quote_volume"].to_list() == frame["quote_volume"].to_list()
    wrong = frame.rename({"volume": "quote_volume", "quote_volume": "volume"})
    with pytest.raises(InvalidInput, match="with the two exchanged"):
        read(tmp_path / "bars.csv", csv(wrong))


# --- times


def _times(tmp_path: Path, moments: list[str], **options: Any) -> list[datetime]:
    lines = "".join(f"{moment},1,1,1,1,1\n" for moment in moments)
    data = "time,open,high,low,close,volume\n" + lines
    return read(tmp_path / "bars.csv", data, **options).frame["open_time"].to_list()


def test_the_hour_that_is_twice_is_told_by_the_order_of_the_rows(tmp_path: Path) -> None:
    zone = "Europe/Berlin"
    frame = bars(48, step=timedelta(hours=1)).with_columns(
        pl.col("open_time") + pl.duration(days=238)
    )
    assert frame["open_time"][0] == datetime(2026, 10, 25, tzinfo=UTC)
    naive = text_times(frame, "%Y-%m-%d %H:%M:%S", zone)
    assert naive["open_time"].n_unique() == 47
    reading = read(tmp_path / "bars.csv", csv(naive), zone=zone, now=NOW + timedelta(days=365))
    assert same(reading, frame)
    assert any("2 rows of an hour that is twice" in note for note in reading.notes)


def test_an_hour_that_is_twice_but_once_in_the_file_is_an_error(tmp_path: Path) -> None:
    hours = [f"2025-10-26 {hour:02}:00" for hour in (0, 1, 2, 3, 4)]
    with pytest.raises(InvalidInput, match=r"row 3: .*02:00:00 is twice in Europe/Berlin"):
        _times(tmp_path, hours, zone="Europe/Berlin")
    assert len(_times(tmp_path, hours, zone="UTC")) == 5


def test_an_hour_that_never_was_is_an_error(tmp_path: Path) -> None:
    hours = [f"2025-03-30 {hour:02}:00" for hour in (0, 1, 2, 3, 4)]
    with pytest.raises(InvalidInput, match=r"row 3: .*Europe/Berlin.*which never was"):
        _times(tmp_path, hours, zone="Europe/Berlin")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "utc+3", "../etc/passwd", "Europe", "\x00"])
def test_a_zone_that_is_none_is_refused(tmp_path: Path, zone: str) -> None:
    with pytest.raises(InvalidInput, match="expected a zone"):
        _times(tmp_path, ["2025-01-01 00:00", "2025-01-01 00:01"], zone=zone)


def test_a_zone_that_is_not_needed_is_told(tmp_path: Path) -> None:
    reading = read(tmp_path / "b.csv", csv(TIMES["epoch s"](bars())), zone="Asia/Tokyo")
    assert same(reading, bars())
    assert "zone: Asia/Tokyo was not needed and not used" in reading.notes


@pytest.mark.parametrize(
    "wrong",
    ["2025-02-30 00:00", "2025-13-01 00:00", "2025-01-01 24:00", "2025-01-01 00:00:60",
     "01/02/2025 00:00", "2025-01-01 12-AM", "yesterday", "20250101T000000",
     "\uff12025-01-01 00:00",
     "2025-01-01 00:00+1", "NaT", "nan", "1e9"],
)  # fmt: skip
def test_a_time_of_another_form_is_an_error_with_its_row(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=r"row [13]: expected a "):
        _times(tmp_path, ["2025-01-01 00:00", "2025-01-01 00:01", wrong], zone="UTC")


def test_a_missing_time_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="row 2: expected a time"):
        _times(tmp_path, ["2025-01-01 00:00", "", "2025-01-01 00:02"], zone="UTC")
    frame = bars().with_columns(
        pl.when(pl.col("open_time") != START).then(pl.col("open_time")).alias("open_time")
    )
    with pytest.raises(InvalidInput, match="row 1: expected a time, was nothing"):
        read(tmp_path / "bars.parquet", _bytes(frame.write_parquet))


def test_times_with_and_without_a_zone_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="row 2: expected a time with a zone"):
        _times(tmp_path, ["2025-01-01 00:00Z", "2025-01-01 00:01"], zone="UTC")


def test_milliseconds_and_microseconds_may_mix_and_others_not(tmp_path: Path) -> None:
    assert _times(tmp_path, ["1735689600000", "1735689660000000", "1735689720000"]) == [
        datetime(2025, 1, 1, 0, n, tzinfo=UTC) for n in range(3)
    ]
    with pytest.raises(InvalidInput, match="row 2: expected seconds as in row 1, was milli"):
        _times(tmp_path, ["1735689600", "1735689660000"])


@pytest.mark.parametrize("counts", [["0", "60"], ["45658.5", "45659.5"], ["-60", "0"], ["1", "2"]])
def test_numbers_that_are_no_times_are_an_error(tmp_path: Path, counts: list[str]) -> None:
    with pytest.raises(InvalidInput, match="row 1: expected"):
        _times(tmp_path, counts)


def test_days_without_clock_times_need_a_zone(tmp_path: Path) -> None:
    days = ["20250101", "20250102", "20250103"]
    for form in (days, [f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in days]):
        with pytest.raises(InvalidInput, match="zone="):
            _times(tmp_path, form)
        assert _times(tmp_path, form, zone="UTC")[2] == datetime(2025, 1, 3, tzinfo=UTC)
    frame = bars(5, step=timedelta(days=1))
    dates = frame.with_columns(pl.col("open_time").dt.date())
    reading = read(tmp_path / "d.parquet", _bytes(dates.write_parquet), zone="UTC")
    assert same(reading, frame)
    assert reading.frame["interval"][0] == "1d"


def test_closing_times_are_told(tmp_path: Path) -> None:
    late = bars().with_columns(pl.col("open_time") + pl.duration(seconds=59, milliseconds=999))
    with pytest.raises(InvalidInput, match=r"grid of 1m, was .*closing times"):
        read(tmp_path / "bars.csv", csv(TIMES["epoch ms"](late)))


def test_days_of_another_midnight_are_told(tmp_path: Path) -> None:
    days = [f"2025-01-{day:02}" for day in range(1, 20)]
    with pytest.raises(InvalidInput, match=r"grid of 1d, was .*T05:00:00"):
        _times(tmp_path, days, zone="America/New_York")


def test_a_single_time_off_the_grid_is_left_to_the_gate(tmp_path: Path) -> None:
    moments = [f"2025-01-01 00:{n:02}:00Z" for n in range(30)]
    moments[7] = "2025-01-01 00:07:13Z"
    assert len(_times(tmp_path, moments)) == 30


@pytest.mark.parametrize(("days", "said"), [(120, "of the past"), (-7_000, "after 2009")])
def test_a_file_of_the_wrong_age_is_told(tmp_path: Path, days: int, said: str) -> None:
    moved = bars().with_columns(pl.col("open_time") + pl.duration(days=days))
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / "bars.csv", csv(moved))


def test_a_forming_or_future_bar_at_the_end_is_left_to_the_gate(tmp_path: Path) -> None:
    now = START + timedelta(minutes=57, seconds=30)
    assert read(tmp_path / "bars.csv", csv(bars()), now=now).frame.height == 60


# --- intervals


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_interval_is_found(tmp_path: Path, interval: str) -> None:
    frame = bars(40, step=INTERVALS[interval])
    reading = read(tmp_path / "bars.csv", csv(frame))
    assert reading.frame["interval"].unique().to_list() == [interval]
    assert same(read(tmp_path / "bars.csv", interval=interval), frame)


def test_an_interval_that_is_not_the_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(csv(bars(40, step=timedelta(minutes=5))))
    for wrong in ("1m", "15m"):
        with pytest.raises(InvalidInput, match=f"expected bars of {wrong}, was 5m"):
            read(path, interval=wrong)
    with pytest.raises(InvalidInput, match="expected an interval"):
        read(path, interval="7m")


def test_a_step_that_is_no_interval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="was 7m between most times"):
        read(tmp_path / "bars.csv", csv(bars(step=timedelta(minutes=7))))


def test_one_bar_needs_its_interval_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="interval="):
        read(tmp_path / "bars.csv", csv(bars(1)))
    assert read(tmp_path / "bars.csv", interval="1h").frame.height == 1


def test_the_interval_a_file_names_is_believed_and_checked(tmp_path: Path) -> None:
    sparse = bars(4, step=timedelta(minutes=4)).with_columns(pl.lit("1m").alias("interval"))
    assert read(tmp_path / "bars.csv", csv(sparse)).frame["interval"][0] == "1m"
    dense = bars(40, step=timedelta(minutes=5)).with_columns(pl.lit("1m").alias("interval"))
    with pytest.raises(InvalidInput, match="expected bars of 1m, was 5m"):
        read(tmp_path / "bars.csv", csv(dense))


# --- rows that are wrong by themselves stay, for the gate


@pytest.mark.parametrize("form", ["csv", "json texts", "parquet", "feather"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_number_that_is_no_price_is_left_to_the_gate(
    tmp_path: Path, form: str, value: float
) -> None:
    frame = bars().with_columns(
        pl.when(pl.col("open_time") == START).then(value).otherwise(pl.col("close")).alias("close")
    )
    suffix, write = FORMATS[form]
    closes = read(tmp_path / f"bars{suffix}", write(frame)).frame["close"].to_list()
    assert repr(closes[0]) == repr(value)
    assert closes[1:] == bars()["close"].to_list()[1:]


def test_a_missing_price_or_volume_is_nan_and_told(tmp_path: Path) -> None:
    lines = csv(bars()).splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:4], "", *cells[5:]])
    lines[4] = lines[4].rpartition(",")[0] + ","
    reading = read(tmp_path / "bars.csv", "\n".join(lines) + "\n")
    assert math.isnan(reading.frame["close"][2])
    assert math.isnan(reading.frame["volume"][3])
    assert "missing: a price or volume in 2 rows, kept as NaN" in reading.notes
    holes = bars().with_columns(pl.when(pl.col("high") > 0).then(pl.col("high")).alias("high"))
    holes[5, "high"] = None
    assert math.isnan(read(tmp_path / "b.parquet", _bytes(holes.write_parquet)).frame["high"][5])


def test_doubled_rows_are_kept_in_their_order_and_told(tmp_path: Path) -> None:
    twice = pl.concat([bars(), bars()[3:5].with_columns(pl.col("close") * 1.0001)])
    reading = read(tmp_path / "bars.csv", csv(twice))
    assert reading.frame.height == 62
    assert reading.frame["close"][3] == bars()["close"][3]
    assert reading.notes[-1].endswith("sorted by time, 0 missing, 2 doubled")


@pytest.mark.parametrize("cell", ["1_000", "\uff11", "1,5", "$5", "0x10", "None", "1 000", "--"])
def test_a_price_that_is_no_number_is_an_error_with_its_row(tmp_path: Path, cell: str) -> None:
    lines = csv(bars(), separator=";").splitlines()
    cells = lines[9].split(";")
    lines[9] = ";".join([*cells[:2], cell, *cells[3:]])
    with pytest.raises(InvalidInput, match="row 9, high: expected a number"):
        read(tmp_path / "bars.csv", "\n".join(lines))


@pytest.mark.parametrize("cell", ["1.5", "nan", "1e300"])
def test_a_count_of_trades_that_is_none_is_an_error(tmp_path: Path, cell: str) -> None:
    frame = bars().with_columns(pl.lit(cell).alias("trades"))
    with pytest.raises(InvalidInput, match="row 1, trades: expected a whole number"):
        read(tmp_path / "bars.csv", csv(frame))


def test_a_file_without_prices_is_told(tmp_path: Path) -> None:
    rates = bars().with_columns(high=pl.lit(0.0), low=pl.lit(0.0), close=pl.lit(0.0))
    with pytest.raises(InvalidInput, match="over 0, was not in 60 of 60 rows"):
        read(tmp_path / "bars.csv", csv(rates))


def test_columns_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    for column in (pl.lit(value=True), pl.col("open_time"), pl.lit([1.0])):
        frame = bars().with_columns(column.alias("close"))
        with pytest.raises(InvalidInput, match="expected numbers in close"):
            read(tmp_path / "bars.parquet", _bytes(frame.write_parquet))


# --- files that are damaged, hostile or something else


@pytest.mark.parametrize("form", ["json lists", "parquet", "feather", "csv in a zip", "csv.gz"])
def test_every_cut_file_is_an_error(tmp_path: Path, form: str) -> None:
    suffix, write = FORMATS[form]
    whole = write(TIMES["epoch ms"](bars(20)))
    for kept in range(0, len(whole), max(1, len(whole) // 60)):
        with pytest.raises(InvalidInput):
            read(tmp_path / f"bars{suffix}", whole[:kept])


def test_every_cut_line_is_an_error_or_told(tmp_path: Path) -> None:
    whole = csv(TIMES["epoch ms"](bars(20)))
    last = whole.rstrip("\n").rpartition("\n")[2]
    for kept in range(1, len(last)):
        cut = whole[: -1 - kept]
        try:
            reading = read(tmp_path / "bars.csv", cut)
        except InvalidInput:
            continue
        assert any("may be cut" in note for note in reading.notes)


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_flipped_bit_is_an_error_or_only_moves_numbers(tmp_path: Path, form: str) -> None:
    suffix, write = FORMATS[form]
    whole = write(bars(20))
    for seed in range(150):
        damaged = bytearray(whole)
        place = random.Random(seed).randrange(len(whole) * 8)
        damaged[place // 8] ^= 1 << place % 8
        try:
            read(tmp_path / f"bars{suffix}", bytes(damaged))
        except InvalidInput:
            continue


@pytest.mark.parametrize("form", ["parquet", "feather", "feather, packed"])
def test_damage_in_many_places_never_ends_the_process(tmp_path: Path, form: str) -> None:
    # Where a column has nulls, a wrong length among its levels once asked for 2^61 bytes.
    suffix, write = FORMATS[form]
    holes = pl.when(pl.col("trades") % 3 == 0).then(None).otherwise(pl.col("volume"))
    whole = write(bars(200).with_row_index("trades").with_columns(volume=holes))
    chance = random.Random(1)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            place = chance.randrange(len(whole) - 8)
            damaged[place : place + 8] = chance.choice((chance.randbytes(8), bytes(8), b"\xff" * 8))
        with suppress(InvalidInput):
            read(tmp_path / f"bars{suffix}", bytes(damaged))


JUNK: dict[str, tuple[str, bytes]] = {
    "nothing": (".csv", b""),
    "only a header": (".csv", b"time,open,high,low,close,volume\n"),
    "one column": (".csv", b"time\n1\n2\n"),
    "UTF-16": (".csv", csv(bars()).encode("utf-16")),
    "no text": (".csv", bytes(range(256)) * 10),
    "a lone carriage return": (".csv", b"time,open\r,high,low,close,volume\n1,2,3,4,5,6\n"),
    "a lone quote and a carriage return": (".csv", b'time,"open\r\n1,2\r3\n'),
    "a web page": (".csv", b"<!DOCTYPE html><html><body>404, not found</body></html>"),
    "a long line": (".csv", csv(bars()).encode() + b"1,2,3,4,5,6,7\n"),
    "a short line": (".csv", csv(bars()).encode() + b"1772323200000,2,3\n"),
    "very many columns": (".csv", (",".join("abc" for _ in range(100_000)) + "\n").encode()),
    "an open quote": (".csv", csv(bars()).encode() + b'"1772323200000,2,3,4,5,6\n'),
    "no JSON": (".json", b"time,open"),
    "NaN in JSON": (".json", b"[[1772323200000,NaN,1,1,1,1]]"),
    "a JSON number": (".json", b"5"),
    "an empty list": (".json", b"[]"),
    "empty lists": (".json", b"[[],[]]"),
    "a list of numbers": (".json", b"[1,2,3]"),
    "ragged lists": (".json", b"[[1,2,3,4,5,6],[1,2,3,4,5]]"),
    "ragged objects": (".json", b'[{"time":1},{"date":1}]'),
    "lists and objects": (".json", b'[{"time":1},[1]]'),
    "an error answer": (".json", b'{"code":-1121,"msg":"Invalid symbol."}'),
    "mixed cells": (".json", b'[[1772323200000,1,1,1,1,1],[1772323260000,"1",1,1,1,1]]'),
    "truth values": (".json", b"[[1772323200000,true,1,1,1,1],[1772323260000,1,1,1,1,1]]"),
    "a huge number": (".json", b"[[1e999,1,1,1,1,1]]"),
    "a longer integer": (".json", b"[[%d,1,1,1,1,1],[1,1,1,1,1,1]]" % 10**30),
    "deep JSON": (".json", b"[" * 100_000),
    "no Parquet": (".parquet", b"PAR1" * 10),
    "no Feather": (".feather", b"ARROW1" * 10),
    "no zip": (".zip", b"PK\x03\x04" * 10),
    "no gzip": (".csv.gz", b"\x1f\x8b" * 10),
    "a zip of a picture": (".zip", _zip("cat.png", b"x" * 100)),
    "a zip of a zip of a zip": (".zip", _zip("b.zip", _zip("c.zip", _zip("d.csv", b"1,2")))),
    "a bomb": (".zip", _zip("bars.csv", bytes(50_000_000))),
    "a gzip bomb": (".csv.gz", gzip.compress(bytes(50_000_000))),
    "a spreadsheet": (".xlsx", b"PK\x03\x04"),
    "no suffix": ("", b"1,2"),
}


@pytest.mark.parametrize("what", JUNK)
def test_what_is_no_file_of_bars_is_an_error_naming_the_file(tmp_path: Path, what: str) -> None:
    suffix, data = JUNK[what]
    with pytest.raises(InvalidInput, match="bars") as caught:
        read(tmp_path / f"bars{suffix}", data)
    assert len(str(caught.value)) < 600 + len(str(tmp_path))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(InvalidInput, match="expected a file to read"):
            read(path)


@pytest.mark.parametrize(
    "wrong",
    [{"venue": "Binance"}, {"symbol": "BTCUSDT"}, {"now": datetime(2026, 1, 1)}],
)
def test_options_that_are_wrong_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="expected a"):
        read(tmp_path / "bars.csv", csv(bars()), **wrong)


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    lines = csv(bars()).splitlines()
    lines.insert(20, "")
    assert same(read(tmp_path / "bars.csv", "\n".join(lines) + "\n\n\n"), bars())


def test_the_notes_say_all_that_was_detected(tmp_path: Path) -> None:
    data = _zip("x.csv", csv(text_times(bars(), "%Y-%m-%d %H:%M:%S"), separator=";").encode())
    assert read(tmp_path / "bars.zip", data, zone="UTC").notes == [
        "packed: x.csv inside a zip",
        "format: CSV with a header, semicolons between columns",
        "columns: named as ours",
        "times: text without a zone, read as UTC",
        "interval: 1m, 59 of 59 steps",
        "rows: 60, 2026-03-01T00:00:00Z to 2026-03-01T00:59:00Z, in order, 0 missing, 0 doubled",
    ]


# --- the real files

OTHER = ("funding_rate", "-trades.", "_quote.zip")  # what is beside the bars and is none


def _real(folder: Path) -> list[Path]:
    return sorted(
        path for path in (folder / "candles").rglob("*") if path.is_file() and path.suffix != ".md"
    )


@pytest.mark.real
def test_every_real_file_of_bars_is_read_and_all_others_are_refused(real_data: Path) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    rows = 0
    for path in _real(real_data):
        daily = (
            "1d" if path.parts[-2:] == ("daily", "spx.zip") else None
        )  # two rows, ten days apart
        if any(word in path.name for word in OTHER):
            with pytest.raises(InvalidInput):
                read(path, zone="UTC", now=now)
            continue
        frame = read(path, zone="UTC", interval=daily, now=now).frame
        assert frame["open_time"].is_sorted()
        good = (pl.col("high") >= pl.max_horizontal("open", "close")) & (pl.col("low") > 0)
        assert frame.select(good.all()).item(), path.name
        rows += frame.height
    assert rows > 1_100_000


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "rows", "interval", "span"),
    [("b06f30a4/data/dataset/2025/ETHUSDT_1m.csv", 50_000, "1m", "20250101T03:00 20250204T20:19"),
     ("626bdc9a/data/BTCUSDT_5m_1680035700001.csv", 25_000, "5m", "20230101T00:00 20230328T20:35"),
     ("3838ce84/data/BTCUSDT_1m.csv", 43_158, "1m", "20250529T17:05 20250628T17:04"),
     ("testdata/UNITTEST_BTC-1m.feather", 13_681, "1m", "20171104T23:02 20171114T22:59"),
     ("testdata/UNITTEST_BTC-1m.json", 13_681, "1m", "20171104T23:02 20171114T22:59"),
     ("XRP_USDT_USDT-1h-futures.json.gz", 100, "1h", "20211117T01:00 20211121T04:00"),
     ("data/binance_btcusdt_day_2020.csv", 366, "1d", "20200101T00:00 20201231T00:00"),
     ("513f63a1/user_data/data/kucoin/SOL_USDT-1m.json", 44_320, "1m",
      "20230218T10:31 20230321T05:10"),
     ("BTC_USDT_USDT-8h-mark.feather", 266, "8h", "20250306T16:00 20250603T00:00"),
     ("coinbase/minute/btcusd/20180404_trade.zip", 1_007, "1m", "20180404T00:00 20180404T16:47")],
)  # fmt: skip
def test_a_real_file_has_the_rows_that_were_counted_by_others(
    real_data: Path, name: str, rows: int, interval: str, span: str
) -> None:
    path = next(path for path in _real(real_data) if str(path).endswith(name))
    frame = read(path, zone="UTC").frame
    first, last = (datetime.fromisoformat(f"{moment}Z") for moment in span.split())
    assert (frame.height, frame["interval"][0]) == (rows, interval)
    assert (frame["open_time"][0], frame["open_time"][-1]) == (first, last)


@pytest.mark.real
def test_copies_of_the_same_bars_in_two_formats_agree_to_the_last_digit(real_data: Path) -> None:
    (feather,) = (
        path for path in _real(real_data)
        if "291b4b99" in str(path) and path.name == "BTC_USDT-1m.feather"
    )  # fmt: skip
    zips = [path for path in _real(real_data) if path.name.startswith("BTCUSDT-1m-2026-0")]
    dumps = pl.concat(read(path).frame for path in zips)
    both = read(feather).frame.select(NAMES).join(dumps.select(NAMES), on="open_time", suffix="_2")
    assert both.height == 43_199
    for name in NAMES[1:]:
        assert both[name].equals(both[f"{name}_2"].rename(name)), name
