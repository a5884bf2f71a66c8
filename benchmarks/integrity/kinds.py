"""The kinds of nights: markets with nothing to be found in them, and markets with an edge."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from pathlib import Path

import msgspec
import polars as pl

from benchmarks.agree import MONTHS
from benchmarks.integrity.markets import Law, made, sandbox
from core.datasets import TIME
from research.worlds import MIRRORED, world_of

SANDBOX, RECORDED = "sandbox", "recorded"

# Worlds of the recorded minutes that stand for nights; nobody counts so far on a night.
_FIRST_WORLD = 1_000_000

# Seeds of each kind's markets start here, times the kind's place.
_APART = 1_000_000

_NAMES = ("open_time", "open", "high", "low", "close", "volume")


class Kind(msgspec.Struct, frozen=True):
    """A kind of night: its name, what a table calls it, and the law of its markets.

    Markets without a law are the sandbox exchange's, or recorded ones.
    """

    name: str
    title: str
    about: str
    law: Law | None = None


NOISE = (
    Kind(SANDBOX, "sandbox", "one of the sandbox's six symbols without an edge, from a new seed"),
    Kind(RECORDED, "real, mirrored", "92 days of recorded BTC-USDT minutes, mirrored anew"),
    Kind("drift3", "drift 3", "rises; long all the time earns Sharpe 3", Law(drift=3.0)),
    Kind("drift6", "drift 6", "rises; long all the time earns Sharpe 6", Law(drift=6.0)),
    Kind(
        "four",
        "four symbols",
        "four symbols that have 60 % of their variance in common",
        Law(symbols=4, common=0.6),
    ),
)

EDGES = (
    Kind("edge1", "weak edge", "a push of 0.18 of a block's volatility", Law(momentum=0.18)),
    Kind("edge2", "fair edge", "a push of 0.24 of a block's volatility", Law(momentum=0.24)),
    Kind("edge3", "strong edge", "a push of 0.32 of a block's volatility", Law(momentum=0.32)),
)

KINDS = {kind.name: kind for kind in (*NOISE, *EDGES)}


def market(name: str, number: int, days: int, data: str) -> pl.DataFrame:
    """Return the candles of a night; numbers from 0, each another market.

    Args:
        name: Of the kind.
        number: Of the night.
        days: How many; a recording has as many as it has.
        data: The folder of recordings.
    """
    kind = KINDS[name]
    if kind.name == RECORDED:
        return world_of(recorded(Path(data)), MIRRORED, _FIRST_WORLD + number)
    if kind.law is None:
        return sandbox(days, number)
    return made(kind.law, days, list(KINDS).index(name) * _APART + number)


def is_recorded(data: Path) -> bool:
    """Tell whether the recordings are there."""
    return all(path.exists() for path in _months(data))


@lru_cache(maxsize=1)
def recorded(data: Path) -> pl.DataFrame:
    """Return three months of recorded minutes."""
    parts = []
    for path in _months(data):
        with zipfile.ZipFile(path) as archive:
            raw = archive.read(archive.namelist()[0])
        frame = pl.read_csv(io.BytesIO(raw), has_header=False).select(pl.nth(range(6)))
        parts.append(frame.rename(dict(zip(frame.columns, _NAMES, strict=True))))
    labels = {"symbol": pl.lit("BTC-USDT"), "interval": pl.lit("1m")}
    return pl.concat(parts).with_columns(pl.col("open_time").cast(TIME), **labels)


def _months(data: Path) -> list[Path]:
    return [data / MONTHS.format(month) for month in (3, 4, 5)]
