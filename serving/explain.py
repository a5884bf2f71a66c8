"""Every number of a strategy with a sentence that says what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from serving.night import SCORE
from serving.words import TIMES, count, decimal, percent, plural, probability

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serving.night import NightReport


class Fact(NamedTuple):
    """A number by its name, as text, and what it means."""

    name: str
    value: str
    sentence: str


def facts(report: NightReport, row: Mapping[str, Any], hold: float | None = None) -> list[Fact]:
    """Explain the metrics of one strategy on one symbol.

    Args:
        report: the night it is from.
        row: one row of the report's results.
        hold: what buying and holding the symbol returned, None where that is not known.
    """
    return [*_luck(report, row), *_money(row, hold), *_trading(row)]


def _luck(report: NightReport, row: Mapping[str, Any]) -> Iterator[Fact]:
    trials = plural(report.trials, "useless strategy", "useless strategies")
    yield Fact(
        "Sharpe ratio",
        decimal(row[SCORE]),
        f"Return per unit of risk over all {plural(report.days, 'day')}: mean over standard "
        "deviation of daily returns after costs, times √365. Luck alone was expected to reach "
        f"{decimal(report.luck_hurdle)}.",
    )
    yield Fact(
        "Deflated Sharpe",
        probability(row["deflated_sharpe"]),
        _missing(
            row["deflated_sharpe"],
            "There are too few days to compute it.",
            f"Probability that the true Sharpe ratio exceeds what the luckiest of {trials} "
            "would show.",
        ),
    )
    yield Fact(
        "Sharpe before the holdout",
        decimal(row["in_sample_sharpe"]),
        "The same ratio over the earlier days alone; it must be above 0.",
    )
    yield Fact(
        "Sharpe in the holdout",
        decimal(row["out_of_sample_sharpe"]),
        "The same ratio over the last days alone; what worked once and stopped fails here.",
    )


def _money(row: Mapping[str, Any], hold: float | None) -> Iterator[Fact]:
    grown = row["total_return"]
    held = "" if hold is None else f" Buying and holding {row['symbol']} came to {_signed(hold)}."
    yield Fact(
        "Return",
        _signed(grown),
        _missing(
            grown,
            "It is not known.",
            f"1.00 became {decimal(None if grown is None else 1 + grown)} after costs, with the "
            f"whole equity in every trade.{held}",
        ),
    )
    yield Fact(
        "Deepest fall",
        percent(row["max_drawdown"]),
        "The largest loss from a peak of the equity, looked at minute by minute.",
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
        "Profit factor",
        decimal(row["profit_factor"]),
        _missing(
            row["profit_factor"],
            "No trade lost, so there is nothing to divide by.",
            "What the winning trades gained, divided by what the losing trades lost.",
        ),
    )


def _trading(row: Mapping[str, Any]) -> Iterator[Fact]:
    unclear = row["ambiguous_trades"] or 0
    yield Fact(
        "Trades",
        count(row["trades"]),
        "Positions opened and closed. "
        + (
            f"In {count(unclear)} of them one bar touched both a stop and a target; the stop "
            "was counted."
            if unclear
            else "In none of them did one bar touch both a stop and a target."
        ),
    )
    yield Fact(
        "Winning trades", percent(row["win_rate"]), "Share of trades that ended with a gain."
    )
    yield Fact(
        "Average trade",
        percent(row["avg_trade"], 2, signed=True),
        "Mean return of a trade after costs.",
    )
    yield Fact(
        "Time in the market", percent(row["exposure"]), "Share of all minutes with a position open."
    )
    yield Fact(
        "Turnover",
        f"{decimal(row['turnover'], 0)} {TIMES}",
        "What was bought and sold, as a multiple of the equity: what the costs are paid on.",
    )


def _signed(value: float | None) -> str:
    return percent(value, signed=True)


def _missing(value: float | None, without: str, sentence: str) -> str:
    return without if value is None else sentence
