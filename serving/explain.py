"""Every number of a candidate with a sentence that says what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from serving.candidates import place
from serving.luck import left, shrinkage
from serving.words import TIMES, count, decimal, odds, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serving.night import NightReport

    Row = Mapping[str, Any]


class Fact(NamedTuple):
    """A number by its name, as text, and what it means."""

    name: str
    value: str
    sentence: str


def facts(
    report: NightReport, row: Row, *, hold: float | None = None, metrics: Row | None = None
) -> list[Fact]:
    """Explain the numbers of one candidate.

    Args:
        report: the night it is from.
        row: one row of the report's candidates.
        hold: what buying and holding the same markets returned, None where that is not known.
        metrics: the backtest of a candidate that is one rule on one symbol.
    """
    found = [*_luck(report, row), *_money(row, hold)]
    return found if metrics is None else [*found, *_trading(metrics)]


def _luck(report: NightReport, row: Row) -> Iterator[Fact]:
    luck = report.luck
    rules = len(row["members"] or [])
    yield Fact(
        "Score",
        decimal(row["score"]),
        "Annual Sharpe ratio, after costs, of what it earned beyond the drift of its market: "
        "what just rose with the market scores nothing."
        + (f" Divided by √{rules}, for a mix always looks better." if rules > 1 else ""),
    )
    if row["shrunk"] is not None:
        yield Fact("What should be left", left(luck, row), shrinkage(luck, row))
    yield Fact(
        "p",
        odds(row["p_value"]),
        _missing(
            row["p_value"],
            "It was not set against luck.",
            "How often luck alone does as well: the share of worlds in which it did, out of "
            f"{count(len(luck.mirrored))} without an edge and this one. At most {odds(luck.alpha)} "
            "promotes.",
        ),
    )
    yield Fact(
        "p of permuted worlds",
        odds(row["permutation_p"]),
        _missing(
            row["permutation_p"],
            "It was not asked: mirrored worlds had said no, or there was no need.",
            "The same in worlds that keep the trend of the market. At most "
            f"{odds(luck.permutation_alpha)} promotes.",
        ),
    )


def _money(row: Row, hold: float | None) -> Iterator[Fact]:
    grown = row["total_return"]
    held = "" if hold is None else f" Buying and holding the same came to {_signed(hold)}."
    yield Fact(
        "Return",
        _signed(grown),
        _missing(
            grown,
            "It is not known.",
            f"1.00 became {decimal(None if grown is None else 1 + grown)} after costs, with the "
            f"whole stake in every trade.{held}",
        ),
    )
    yield Fact(
        "Sharpe ratio",
        decimal(row["sharpe"]),
        "Return per unit of risk with the drift of the market left in: mean over standard "
        "deviation of daily returns after costs, times √365.",
    )
    yield Fact(
        "Deepest fall",
        percent(row["max_drawdown"]),
        "The largest loss from a peak of the equity, looked at once a day.",
    )
    yield Fact(
        "Trades",
        count(row["trades"]),
        f"Positions opened and closed by {_who(row)}.",
    )


def _who(row: Row) -> str:
    return "its rules together" if row["kind"] == "portfolio" else f"the rule on {place(row)}"


def _trading(row: Row) -> Iterator[Fact]:
    unclear = row["ambiguous_trades"] or 0
    yield Fact(
        "Winning trades", percent(row["win_rate"]), "Share of trades that ended with a gain."
    )
    yield Fact(
        "Average trade",
        percent(row["avg_trade"], 2, signed=True),
        "Mean return of a trade after costs.",
    )
    yield Fact(
        "Profit factor",
        decimal(row["profit_factor"]),
        _missing(
            row["profit_factor"],
            "No trade lost, so there is nothing to divide by.",
            "What the winning trades gained, divided by what the losing trades lost.",
        ),
    )
    yield Fact(
        "Sortino ratio",
        decimal(row["sortino"]),
        _missing(
            row["sortino"],
            "No day lost, so there is nothing to divide by.",
            "Like the Sharpe ratio, but only losing days count as risk.",
        ),
    )
    yield Fact(
        "Time in the market", percent(row["exposure"]), "Share of all bars with a position open."
    )
    yield Fact(
        "Turnover",
        f"{decimal(row['turnover'], 0)} {TIMES}",
        "What was bought and sold, as a multiple of the equity: what the costs are paid on.",
    )
    yield Fact(
        "Unclear trades",
        count(unclear),
        "Trades in which one bar touched both a stop and a target; the stop was counted.",
    )


def _signed(value: float | None) -> str:
    return percent(value, signed=True)


def _missing(value: float | None, without: str, sentence: str) -> str:
    return without if value is None else sentence
