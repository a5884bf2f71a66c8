"""`python -m tests.storage.fuzz`: hostile rows and files on their way into a store.

Each batch of rows is landed, judged and merged as an ingest does it; each file is read as
`nightjar ingest --source files` or `binance-archive` reads it. Whatever comes must end in the
store, in quarantine, or in an error of ours, and after it the store must be sound.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from core.datasets import CANDLES
from core.errors import NightjarError
from sources.binance_archive import find_archives, read_archive
from sources.files import read_file
from storage import landing
from storage.invariants import check_batches, check_invariants
from storage.store import Store
from tasks.settle import settle_together
from tests.storage.samples import candles

if TYPE_CHECKING:
    from core.receipts import Merge, Receipt

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = (
    "../../x", "a' or 1=1", "BTC-USDT'; drop table candles; --", "", " ", "BTC/USDT", "btc-usdt",
    "..", "CON", "A\0B", "BTC-USDT\n", "Ａ-ＵＳＤＴ", "币安人生-USDT", "x" * 300, "BTC-USDT/../..",
    "%2e%2e", "\u202eTDSU-CTB", "$(reboot)", "BTC-USDT ", "month=2026-01", None,
)  # fmt: skip
NUMBERS = (
    math.nan, math.inf, -math.inf, -1.0, 0.0, -0.0, 5e-324, 1.7e308, 1e30, 1e-30, -1e308, None,
)  # fmt: skip
TIMES = (
    datetime(1970, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), NOW + timedelta(days=1),
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(2262, 4, 12, tzinfo=UTC), NOW,
    datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC), datetime(2008, 12, 31, tzinfo=UTC), None,
)  # fmt: skip
WHOLE = (-1, 0, 2**62, -(2**62), None)
TEXTS = (
    "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "1_000", "１２", "0x10", "", " ", "null",
    "1,5", "--1", "1.2.3", "9" * 400, "١٢٣", "=1+1", "'", '"', "\\N", "\ufeff1", "1e-400", "true",
)  # fmt: skip
MOST_TOGETHER = 4  # batches
PRICES = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")


def hostile_rows(chance: random.Random, count: int, number: int) -> pl.DataFrame:
    """Return a batch in which some, many or most rows are wrong in one or more columns."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(0, 50_000))
    symbol = f"F{number % 7}-USDT"
    rows = candles(count, start=start, symbol=symbol).to_dicts()
    share = chance.choice((0.0, 0.02, 0.08, 0.3, 1.0))
    for row in rows:
        while chance.random() < share:
            column = chance.choice((*CANDLES.columns, *PRICES))
            row[column] = _wrong(chance, column, row[column])
            if chance.random() < 0.7:
                break
    if chance.random() < 0.3:
        chance.shuffle(rows)
    if chance.random() < 0.3:
        rows += chance.sample(rows, min(len(rows), 5))
    return pl.DataFrame(rows, schema=CANDLES.schema)


def _wrong(chance: random.Random, column: str, was: Any) -> Any:
    if column in {"venue", "symbol", "interval", "source"}:
        return chance.choice(NAMES)
    if column in {"open_time", "ingested_at"}:
        return chance.choice(TIMES)
    if column == "trades":
        return chance.choice(WHOLE)
    if column == "synthetic":
        return chance.choice((True, False, None))
    scaled = [was * factor for factor in (-1, 10, 1e6)] if isinstance(was, float) else []
    return chance.choice((*NUMBERS, *scaled))


def hostile_frame(chance: random.Random, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with a column of another type, gone, twice or new."""
    column = chance.choice(frame.columns)
    match chance.randrange(4):
        case 0:
            return frame.drop(column)
        case 1:
            return frame.with_columns(pl.col(column).cast(pl.String, strict=False))
        case 2:
            return frame.with_columns(pl.lit(1).alias("surprise"))
        case _:
            return frame.with_columns(pl.lit(None).alias(column))


def hostile_file(chance: random.Random, folder: Path) -> Path:
    """Write a file that somebody might hand over, broken in one way or more; return it."""
    rows = [_line(chance, n) for n in range(chance.choice((0, 1, 2, 20)))]
    kind = chance.choice(("csv", "json", "parquet", "zip", "txt"))
    path = folder / f"BTCUSDT-1m-2026-03.{kind}"
    data = _as(kind, chance, rows, path)
    for _ in range(chance.randrange(3)):
        data = _damaged(chance, data)
    path.write_bytes(data)
    return path


def _line(chance: random.Random, n: int) -> list[str]:
    opened = 1_772_323_200_000 + 60_000 * n  # 2026-03-01
    unit = chance.choice((1, 1, 1, 1, 1_000, 1_000_000)) if chance.random() < 0.2 else 1
    row = [str(opened * unit), "100", "101", "99", "100.5", "3", str((opened + 59_999) * unit)]
    row += ["300", "5", "1", "100", "0"]
    if chance.random() < 0.2:
        row[chance.randrange(len(row))] = chance.choice(TEXTS)
    if chance.random() < 0.05:
        row = row[: chance.randrange(1, 12)]
    return row


def _as(kind: str, chance: random.Random, rows: list[list[str]], path: Path) -> bytes:
    text = "\n".join(chance.choice((",", ",", ",", ";", "\t")).join(row) for row in rows)
    if chance.random() < 0.3:
        text = "time,open,high,low,close,volume\n" + text
    encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "utf-8-sig"))
    data = text.encode(encoding, errors="replace")
    if kind == "json":
        return json.dumps(rows).encode()
    if kind == "parquet":
        frame = pl.DataFrame({"time": [row[0] for row in rows], "open": [1.0] * len(rows)})
        frame.write_parquet(path)
        return path.read_bytes()
    if kind == "zip":
        inside = chance.choice((path.with_suffix(".csv").name, "../../x.csv", "y.txt"))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(inside, data)
        return path.read_bytes()
    return data


def _damaged(chance: random.Random, data: bytes) -> bytes:
    if not data:
        return chance.randbytes(20)
    place = chance.randrange(len(data))
    match chance.randrange(5):
        case 0:
            return data[:place]
        case 1:
            return (
                data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
            )
        case 2:
            return data[:place] + chance.randbytes(8) + data[place:]
        case 3:
            return data + data
        case _:
            return data[:place] + b"\0" * 16 + data[place + 16 :]


class Fuzz:
    """One store, what came of everything that was sent its way, and what was wrong."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.store = Store(folder / "home", str(folder / "home" / "lake"))
        self.chance = random.Random(seed)
        self.came: Counter[str] = Counter()
        self.problems: list[str] = []
        self._landed = 0

    def rows(self, count: int, batch: int = 100) -> None:
        """Send `count` hostile rows, a batch at a time."""
        waiting: list[pl.DataFrame] = []
        for number in range(-(-count // batch)):
            frame = hostile_rows(self.chance, batch, number)
            if self.chance.random() < 0.15:
                frame = hostile_frame(self.chance, frame)
            waiting.append(frame)
            if self.chance.random() < 0.5 or len(waiting) == MOST_TOGETHER:
                self._send(f"rows {number}", waiting)
                self._sound(f"rows {number}")
                waiting = []
        self._send("the last rows", waiting)

    def files(self, count: int) -> None:
        """Send `count` hostile files."""
        for number in range(count):
            folder = self.folder / f"given{number}"
            folder.mkdir()
            path = hostile_file(self.chance, folder)
            before = self._landed
            self._send(path.name, self._read(path, number))
            path.unlink()
            folder.rmdir()
            if self._landed != before:
                self._sound(f"file {number} {path.name}")

    def finish(self) -> None:
        """Look once more at everything."""
        self.problems += check_batches(self.store)
        outside = [path for path in self.folder.iterdir() if path != self.store.home]
        self.problems += [f"something is outside of the store: {path}" for path in outside]

    def _read(self, path: Path, number: int) -> list[pl.DataFrame]:
        symbol = self.chance.choice(NAMES[:-1]) if self.chance.random() < 0.1 else "BTC-USDT"
        try:
            if number % 2 and path.suffix in {".zip", ".csv"}:
                found = [read_archive(one, now=NOW) for one in find_archives(path.parent)]
            else:
                reading = read_file(
                    path, venue="binance", symbol=symbol, interval="1m", zone=None, now=NOW
                )
                found = [reading.frame]
        except NightjarError as error:
            self.came[f"file refused: {type(error).__name__}"] += 1
            return []
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            kept = path.read_bytes()[:200]
            self.problems.append(f"{path.name} {kept!r}: {type(error).__name__}: {error}"[:900])
            return []
        self.came["file read"] += 1
        return found

    def _send(self, what: str, frames: list[pl.DataFrame]) -> None:
        """Land frames one by one, and settle together what could be landed."""
        receipts = [receipt for frame in frames if (receipt := self._land(what, frame))]
        try:
            for became in settle_together(self.store, receipts, NOW):
                self._count(became)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.problems.append(f"{what}: {type(error).__name__}: {error}"[:500])

    def _land(self, what: str, frame: pl.DataFrame) -> Receipt | None:
        try:
            receipt = landing.land(self.store, "candles", frame, source="fuzz", now=NOW)
        except NightjarError as error:
            self._count(error)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.problems.append(f"{what}: {type(error).__name__}: {error}"[:500])
        else:
            self._landed += 1
            return receipt
        return None

    def _count(self, became: Merge | NightjarError) -> None:
        if isinstance(became, NightjarError):
            self.came[f"batch refused: {type(became).__name__}"] += 1
            return
        for name in ("inserted", "revised", "unchanged", "quarantined", "released"):
            self.came[f"rows {name}"] += getattr(became, name)

    def _sound(self, after: str) -> None:
        self.problems += [f"after {after}: {breach}" for breach in check_invariants(self.store)]


def main() -> int:
    """Send what was asked for, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.storage.fuzz", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder), options.seed)
        fuzz.rows(options.rows)
        fuzz.files(options.files)
        fuzz.finish()
    for what, count in sorted(fuzz.came.items()):
        print(f"{count:>9,} {what}")
    print("\n".join(fuzz.problems[:50]) or "nothing got through, and the store is sound")
    return int(bool(fuzz.problems))


if __name__ == "__main__":
    sys.exit(main())
