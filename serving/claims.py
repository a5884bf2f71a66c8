"""The SQL with which every claim of a report can be found again in the store."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.clock import format_utc
from serving.checks import CHECKS

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
        "What the night came to",
        "select promoted, survivors, candidates, p_value, permutation_p, alpha, best_score "
        "from nights where night = {night}",
    ),
    Claim(
        "In how many worlds luck did as well as the best",
        "select count(*) as worlds, count(*) filter (where score >= best_score) as as_good, "
        "min(score) as lowest, median(score) as middle, max(score) as highest from "
        "(select unnest(null_scores) as score, best_score from nights where night = {night})",
    ),
    Claim(
        "The same in permuted worlds",
        "select count(*) as worlds, count(*) filter (where score >= best_score) as as_good from "
        "(select unnest(permuted_scores) as score, best_score from nights where night = {night})",
    ),
    Claim(
        "What a night like this can find",
        "select luck_hurdle, smallest_sharpe, 365 * alpha as false_nights, "
        "sqrt(365 / days) as spread from nights where night = {night}",
    ),
    Claim(
        "What was promoted, and how paper trading will judge it",
        "select symbol, strategy_id, kind, score, p_value, permutation_p, rule_hash, plan, text "
        "from promotions where night = {night} order by score desc",
    ),
    Claim(
        "The candidates, the nearest to a promotion first",
        "select rank, candidate_id, symbol, kind, score, p_value, permutation_p, verdict, sharpe, "
        "total_return, max_drawdown, trades from candidates where night = {night} "
        "order by list_position({verdicts}, verdict), rank limit 20",
    ),
    Claim(
        "What the second opinions said",
        "select rank, candidate_id, opinions from candidates where night = {night} "
        "and opinions <> '[]' order by rank",
    ),
    Claim(
        "The daily returns behind an equity curve",
        "select rank, candidate_id, verdict, first_day, daily_returns from candidates "
        "where night = {night} order by list_position({verdicts}, verdict), rank limit 3",
    ),
    Claim(
        "The backtests of the rules",
        "select symbol, strategy_id, sharpe, total_return, trades, win_rate, exposure "
        "from backtests where night = {night} order by sharpe desc limit 20",
    ),
    Claim(
        "What was tried, and where the way of each trial ended",
        "select verdict, count(*) as trials from trials where night = {night} "
        "group by verdict order by trials desc",
    ),
    Claim(
        "How much was tried, and how much it amounts to",
        "select trials, distinct_trials, strategies, effective_trials, lookahead_refused, ledger "
        "from nights where night = {night}",
    ),
    Claim(
        "The ledger after this night, chained to the night before",
        "select sequence, rows, digest, previous, chain from ledger where night = {night}",
    ),
    Claim(
        "How promotions do on paper",
        "select night, strategy_id, symbol, count(*) filter (plan is null) as days, "
        "coalesce(sum(return) filter (plan is null), 0) as earned, "
        "arg_max(status, day) as status from paper where venue = {venue} and day < {end} "
        "and cohort = 'promoted' group by all order by night desc, strategy_id desc",
    ),
    Claim(
        "Whether promotion was worth more than rejection or chance",
        "select cohort, count(*) as days, avg(earned) as a_day, "
        "sqrt(365) * avg(earned) / nullif(stddev_pop(earned), 0) as sharpe from "
        "(select cohort, day, avg(return) as earned from paper where venue = {venue} "
        "and day < {end} and plan is null group by cohort, day) group by cohort",
    ),
    Claim(
        "The data that the night looked at",
        "select symbol, count(*) as bars, min(open_time) as earliest, max(open_time) as latest "
        "from candles where venue = {venue} and interval = {interval} and open_time >= {start} "
        "and open_time < {end} group by symbol order by symbol",
    ),
    Claim(
        "What the gates decided",
        "select dataset, batch, rows, accepted, quarantined, passed, reason from verdicts "
        "where judged_at between {started} and {finished} order by judged_at",
    ),
    Claim(
        "The manifest: data, code and settings; and the seconds of each stage",
        "select seed, manifest, timings from nights where night = {night}",
    ),
)


def claims(report: NightReport) -> list[Claim]:
    """Return the claims of a night in the order of its report."""
    values = {
        "night": report.night,
        "venue": report.venue,
        "interval": str(report.manifest.get("interval", "1m")),
        "start": format_utc(report.as_of - timedelta(days=report.days)),
        "end": format_utc(report.as_of),
        "started": format_utc(report.started_at),
        # To the second, rounded up: the last verdict is not to fall out of its own night.
        "finished": format_utc(report.finished_at + timedelta(seconds=1)),
    }
    literals = {name: _literal(value) for name, value in values.items()}
    literals["verdicts"] = f"[{', '.join(_literal(verdict) for verdict in CHECKS)}]"
    return [Claim(claim.says, claim.query.format(**literals)) for claim in _CLAIMS]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
