"""The SQL with which every claim of a report can be found again in the store."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.clock import format_utc

if TYPE_CHECKING:
    from serving.night import NightReport


class Claim(NamedTuple):
    """What is claimed, and the query that shows it."""

    says: str
    query: str

    @property
    def command(self) -> str:
        """The line to type; quoted for a shell whatever the query holds."""
        if any(sign in self.query for sign in '"$`\\!'):
            return f"nightjar sql {shlex.quote(self.query)}"
        return f'nightjar sql "{self.query}"'


_CLAIMS = (
    Claim(
        "What the night was asked, and what it came to",
        "select strategies, trials, survivors, promoted, luck_hurdle, best_sharpe "
        "from nights where night = {night}",
    ),
    Claim(
        "What was promoted",
        "select symbol, strategy_id, text, sharpe, out_of_sample_sharpe, deflated_sharpe "
        "from promotions where night = {night}",
    ),
    Claim(
        "The distribution of the Sharpe ratios, the highest first",
        "select symbol, strategy_id, sharpe, trades, total_return, max_drawdown "
        "from backtests where night = {night} and trades > 0 order by sharpe desc limit 20",
    ),
    Claim(
        "How many failed at which check",
        "select verdict, count(*) as trials from trials where night = {night} "
        "group by verdict order by trials desc",
    ),
    Claim(
        "The daily returns behind an equity curve",
        "select symbol, strategy_id, verdict, first_day, daily_returns from trials "
        "where night = {night} order by deflated_sharpe desc nulls last limit 3",
    ),
    Claim(
        "The data that the night looked at",
        "select symbol, count(*) as bars, min(open_time) as earliest, max(open_time) as latest "
        "from candles where venue = {venue} and interval = '1m' and open_time >= {start} "
        "and open_time < {end} group by symbol order by symbol",
    ),
    Claim(
        "What the gates decided",
        "select dataset, batch, rows, accepted, quarantined, passed, reason from verdicts "
        "where judged_at between {started} and {finished} order by judged_at",
    ),
    Claim(
        "The manifest: data, code and settings",
        "select manifest, timings from nights where night = {night}",
    ),
)


def claims(report: NightReport) -> list[Claim]:
    """Return the claims of a night in the order of its report."""
    values = {
        "night": report.night,
        "venue": report.venue,
        "start": format_utc(report.as_of - timedelta(days=report.days)),
        "end": format_utc(report.as_of),
        "started": format_utc(report.started_at),
        # To the second, rounded up: the last verdict is not to fall out of its own night.
        "finished": format_utc(report.finished_at + timedelta(seconds=1)),
    }
    literals = {name: _literal(value) for name, value in values.items()}
    return [Claim(claim.says, claim.query.format(**literals)) for claim in _CLAIMS]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
