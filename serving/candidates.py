"""A candidate as a person sees it: where it trades, its curve, what was said of it."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from serving.checks import HELD_BACK, NOT_ABOVE_LUCK, PERMUTATION_EXPLAINS, check
from serving.words import listed, odds, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.night import NightReport

    Row = Mapping[str, Any]

POOL = "*"  # in place of a symbol: all symbols of the night


class Opinion(msgspec.Struct, frozen=True):
    """What one further test says of a candidate; `agrees` is None where it only reports.

    `value` is what it found, `bar` what it asks for.
    """

    name: str
    value: float | None = None
    bar: float | None = None
    agrees: bool | None = None
    sentence: str = ""

    @property
    def title(self) -> str:
        """Its name as a person writes it."""
        return self.name.replace("_", " ").replace("sharpe", "Sharpe")

    @property
    def stance(self) -> str:
        """Its answer in a word or two."""
        return {True: "agrees", False: "objects", None: "only reported"}[self.agrees]


class Curve(NamedTuple):
    """A line over UTC days; it starts at 1."""

    days: list[date]
    values: list[float]


def place(row: Row, symbols: int | None = None) -> str:
    """Say where a candidate trades: its symbol, all of them, or how many rules it holds."""
    if row["kind"] == "portfolio":
        return f"portfolio of {len(row['members'] or [])}"
    if row["symbol"] == POOL:
        return "all symbols" if symbols is None else f"all {plural(symbols, 'symbol')}"
    return str(row["symbol"])


def members(row: Row) -> list[tuple[str, str]]:
    """Return strategy and symbol of each rule that a candidate is made of."""
    pairs = [str(member).rpartition(" ") for member in row["members"] or []]
    return [(strategy, symbol) for strategy, _, symbol in pairs]


def opinions(row: Row) -> list[Opinion]:
    """Return what the second opinions said, those that object first; none where unreadable."""
    try:
        said = msgspec.json.decode(row["opinions"] or "[]", type=list[Opinion])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []
    return sorted(said, key=lambda one: {False: 0, True: 1, None: 2}[one.agrees])


def objections(row: Row) -> list[Opinion]:
    """Return the second opinions that hold a candidate back."""
    return [one for one in opinions(row) if one.agrees is False]


def objectors(against: Sequence[Opinion]) -> str:
    """Say who objects: `the second opinion “plateau” objects`."""
    names = listed([f"“{one.title}”" for one in against])
    if len(against) == 1:
        return f"the second opinion {names} objects"
    return f"the second opinions {names} object"


def why(report: NightReport, row: Row) -> str:
    """Say why a candidate was not promoted, with its numbers."""
    verdict, luck = row["verdict"], report.luck
    if verdict == NOT_ABOVE_LUCK and row["p_value"] is not None:
        return (
            f"{check(verdict).why}: p = {odds(row['p_value'])}, and at most {odds(luck.alpha)} "
            "promotes"
        )
    if verdict == PERMUTATION_EXPLAINS and row["permutation_p"] is not None:
        return (
            f"{check(verdict).why}: p = {odds(row['permutation_p'])} among them, and at most "
            f"{odds(luck.permutation_alpha)} promotes"
        )
    if verdict == HELD_BACK and luck.alarm is not None:
        return "worlds without an edge were too good to be true tonight, so nothing is promoted"
    if verdict == HELD_BACK and (against := objections(row)):
        return f"it is above luck, but {objectors(against)}"
    return check(verdict).why


def curve(row: Row) -> Curve:
    """Return a candidate's equity at the end of each day, from its daily returns."""
    returns, first = row["daily_returns"] or [], row["first_day"]
    if first is None:
        return Curve([], [])
    kept = [0.0 if one is None else float(one) for one in returns]
    values = list(accumulate(kept, lambda equity, one: equity * (1.0 + one), initial=1.0))[1:]
    return Curve([first.date() + timedelta(days=n) for n in range(len(values))], values)


def hold(row: Row, benchmark: pl.DataFrame, symbols: Sequence[str]) -> Curve:
    """Return buy and hold of the same markets, at the stakes that the candidate puts into them."""
    weights: dict[str, float] = {}
    for _, symbol in members(row) or [("", str(row["symbol"]))]:
        markets = list(symbols) if symbol == POOL else [symbol]
        for market in markets:
            weights[market] = weights.get(market, 0.0) + 1.0 / len(markets)
    stakes = pl.DataFrame(
        {"symbol": list(weights), "stake": list(weights.values())},
        schema={"symbol": pl.String, "stake": pl.Float64},
    )
    held = benchmark.join(stakes, on="symbol").filter(
        pl.col("equity").is_finite(), pl.col("day").is_not_null()
    )
    whole = pl.col("stake").sum() > sum(weights.values()) - 1e-9
    days = held.group_by("day").agg(
        equity=(pl.col("equity") * pl.col("stake")).sum() / pl.col("stake").sum(), whole=whole
    )
    days = days.filter("whole").sort("day")
    return Curve(days["day"].to_list(), days["equity"].to_list())


def change(line: Curve) -> float | None:
    """Return how much a curve gained since it was 1; None for one without a day."""
    return line.values[-1] - 1.0 if line.values else None
